"""Overhead in CPU seconds, which other work on the machine does not move. Part of benchmarks/render.py."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import simulator.clip_writer
import simulator.produce
from scenes.plan import ScenePlan
from simulator.blender.cores import loading_blender

STAGES = (
    "cycles",
    "rays, passes",
    "open scene",
    "set frame",
    "Blender's call",
    "masks",
    "arrays",
    "other files",
    "rest",
)
COLUMNS = ("plan", "px", "samples", "pictures", *STAGES, "overhead", "peak MB, private")


class Meter:
    """CPU seconds by stage. A stage inside another counts for itself alone."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._open: list[str] = ["rest"]
        self._since_s = cpu_s()

    def _switch(self) -> None:
        now_s = cpu_s()
        self.seconds[self._open[-1]] += now_s - self._since_s
        self._since_s = now_s

    def timed(self, place: Any, name: str, stage: str) -> None:
        """Counts what the function `name` of a module or class takes for `stage`."""
        original: Callable[..., Any] = getattr(place, name)

        def run(*args: Any, **options: Any) -> Any:
            with self.at(stage):
                return original(*args, **options)

        setattr(place, name, run)

    @contextlib.contextmanager
    def at(self, stage: str) -> Iterator[None]:
        self._switch()
        self._open.append(stage)
        try:
            yield
        finally:
            self._switch()
            self._open.pop()

    def take(self) -> Counter[str]:
        self._switch()
        taken, self.seconds = self.seconds, Counter()
        return taken


def cpu_s() -> float:
    """CPU seconds of this process, all threads, and of its children that have ended (ffmpeg)."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def measure(plans: Sequence[ScenePlan], print_row: Callable[[str], None]) -> None:
    """Makes each clip in this process with one thread and prints its row: CPU milliseconds a rendered picture."""
    with loading_blender(1):
        import bpy  # noqa: F401, TID251  (makes cycles known)
        import cycles

        from simulator.blender.player import BlenderPlayer
    meter = Meter()
    render = cycles.CyclesRender.render

    def timed_render(engine: Any, depsgraph: Any) -> None:  # Blender counts the arguments of what it registers
        with meter.at("cycles"):
            render(engine, depsgraph)

    cycles.CyclesRender.render = timed_render  # before the player puts its own wrapper around it
    meter.timed(simulator.produce, "trace", "rays, passes")
    meter.timed(simulator.produce, "_segmentation", "masks")
    meter.timed(simulator.produce.ArraysFile, "add", "arrays")
    meter.timed(simulator.produce, "write_clip", "other files")
    meter.timed(BlenderPlayer, "__init__", "open scene")
    meter.timed(BlenderPlayer, "set_shot", "set frame")
    meter.timed(BlenderPlayer, "render", "Blender's call")
    for plan in plans:
        meter.take()
        with tempfile.TemporaryDirectory() as folder:
            stats = simulator.produce.produce_clip(
                plan, Path(folder), lambda stage: BlenderPlayer(stage, 1), lambda done, total: None
            )
        spent_s, pictures = meter.take(), stats["num_rendered"]
        overhead = sum(spent_s.values()) / spent_s["cycles"]
        cells = [plan.name, str(plan.clip.width_px), str(plan.render.samples), f"{pictures:.0f}"]
        cells += [f"{1e3 * spent_s[stage] / pictures:.1f}" for stage in STAGES]
        print_row("| " + " | ".join([*cells, f"{overhead:.3f}", private_mb()]) + " |")


def private_mb() -> str:
    """Resident memory of this process: the peak, and what of it now is its own rather than of libraries on disk."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak, own = (int(status[name].split()[0]) / 1024 for name in ("VmHWM", "RssAnon"))
    return f"{peak:.0f}, {own:.0f}"


def run(plans: Sequence[ScenePlan]) -> None:
    table = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Blender's own lines
    print("CPU milliseconds of one thread for each rendered picture", file=table)
    print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|", file=table)
    measure(plans, lambda row: print(row, file=table))
    table.flush()
    sys.stderr.flush()
    os._exit(0)  # Blender inside Python can hang at interpreter exit
