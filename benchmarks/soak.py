"""A long run of tiny clips through one worker: does clip 300 cost what clip 10 did? Part of benchmarks/render.py."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from scenes.loading import parse_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans

TYPES = (
    "pendulum_swing", "tank_filling", "domino_chain", "flower_opening", "candle_burning_down", "hourglass",
    "tower_of_hanoi", "game_of_life", "progress_bar", "chaser_lights",
)  # fmt: skip
SPEC = """\
version: 1
name: tiny
seed: {seed}
clip: {{num_frames: 4, fps: 8, resolution: [16, 16]}}
world: {{kind: {world}, clutter: {{uniform_int: [1, 3]}}}}
events: [{{id: it, type: {type}}}]
camera: {{path: orbit, look_at: it}}
render: {{engine: cycles, samples: 1, denoise: true}}
outputs: [rgb, depth, segmentation, normals, flow, amodal, boxes, tracks]
"""
WARM_UP = 10


@dataclass(frozen=True)
class Sample:
    """The worker after one clip."""

    type: str
    cpu_s: float  # of the process since the clip before
    rss_mb: float
    files: int
    threads: int
    scratch_files: int


def plan_of(index: int) -> ScenePlan:
    world = ("tabletop", "room")[index % 2]
    return sample_plans(parse_spec(SPEC.format(seed=index, world=world, type=TYPES[index % len(TYPES)])), 1)[0]


def soak(options: argparse.Namespace) -> None:
    """Slope of CPU seconds and memory over tiny clips in one worker that is never replaced."""
    with tempfile.TemporaryDirectory() as folder:
        samples = run(Path(folder), options.clips)
    print("| clips | CPU s a clip | RSS MB | open files | threads | scratch files |\n" + "|---" * 6 + "|")
    for low in range(0, len(samples), max(10, len(samples) // 10)):
        part = samples[low : low + 10]
        names = ("cpu_s", "rss_mb", "files", "threads", "scratch_files")
        cells = [f"{np.median([getattr(s, name) for s in part]):.3g}" for name in names]
        print(f"| {low + 1} to {low + len(part)} | " + " | ".join(cells) + " |")
    kept = samples[WARM_UP:]
    for name, unit in (("cpu_s", "ms"), ("rss_mb", "KB")):
        slope, low, high = slope_per_clip(kept, name)
        interval = f"{1e3 * low:+.3f} to {1e3 * high:+.3f}"
        print(f"{name}: {1e3 * slope:+.3f} {unit} a clip (95 %: {interval}) over {len(kept)} clips")


def slope_per_clip(samples: list[Sample], name: str) -> tuple[float, float, float]:
    """Theil-Sen slope and its 95 % interval; each type's own median is taken off first."""
    values = np.array([getattr(s, name) for s in samples], dtype=np.float64)
    types = np.array([s.type for s in samples])
    if name == "cpu_s":
        for kind in set(types):
            values[types == kind] -= np.median(values[types == kind])
    found = stats.theilslopes(values, np.arange(len(values)))
    return float(found.slope), float(found.low_slope), float(found.high_slope)


def run(folder: Path, num_clips: int) -> list[Sample]:
    """Drives one worker by its protocol (simulator.serving)."""
    scratch = folder / "scratch"
    scratch.mkdir()
    with open(folder / "worker.log", "w") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "simulator.blender", "--threads", "1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            env={**os.environ, "TMPDIR": str(scratch)},
        )  # fmt: skip
    assert worker.stdin is not None and worker.stdout is not None
    samples, spent_s = [], 0.0
    for index in range(num_clips):
        plan = plan_of(index)
        (folder / "plan.json").write_text(plan.to_json())
        out = folder / f"clip{index}"
        out.mkdir()
        job = {"id": str(index), "what": "clip", "plan": str(folder / "plan.json"), "out": str(out)}
        worker.stdin.write(json.dumps(job) + "\n")
        worker.stdin.flush()
        while (reply := json.loads(worker.stdout.readline()))["kind"] not in ("done", "error"):
            pass
        if reply["kind"] == "error":
            raise RuntimeError(f"clip {index} ({plan.events[0].type}): {reply['message']}")
        time.sleep(0.01)
        before_s, spent_s = spent_s, cpu_s(worker.pid)
        samples.append(
            Sample(
                type=plan.events[0].type,
                cpu_s=spent_s - before_s,
                rss_mb=rss_mb(worker.pid),
                files=len(os.listdir(f"/proc/{worker.pid}/fd")),
                threads=len(os.listdir(f"/proc/{worker.pid}/task")),
                scratch_files=sum(len(names) for _, _, names in os.walk(scratch)),
            )
        )
    worker.stdin.close()
    worker.wait()
    return samples


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
