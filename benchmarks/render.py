"""What rendering costs beside the rendering: overhead, scaling, a long run, and the same scene by others.

    python -m benchmarks.render overhead [--sides 64 128 256] [--samples 8 16] [--workers 1 2] [--clips 4] [--bare]
    python -m benchmarks.render processor [--sides 64 128 256] [--samples 8 16] [--clips 3] [--bare]
    python -m benchmarks.render scaling [--clips 6]
    python -m benchmarks.render soak [--clips 300]
    python -m benchmarks.render night [--jobs 10000]
    python -m benchmarks.render peers --blenderproc PYTHON [--sides 64 256] [--repeats 3]

"Seconds inside Cycles" is the time in `CyclesRender.render`: the sync of what changed, building the BVH, path tracing,
denoising and handing the picture to Blender. Everything else is overhead: the law, rays and all truth passes, opening
the scene, setting each frame, Blender's own work around the call, reading pixels, video, hashes, files, publishing and
the start of the workers. Every worker's wall time is taken: overhead = wall x workers / seconds inside Cycles. Times of
a busy machine grow in both, so the ratio stays fair, but not exact.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.night import night
from benchmarks.peers.compare import compare
from benchmarks.soak import soak
from render_jobs.commands import RenderOptions, render_plans
from scenes.loading import load_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from simulator.clip import Clip

SPECS = (
    "tank_filling", "domino_chain", "flower_opening", "timer_valve_tank_leds", "tide_rising", "candle_burning_down",
)  # fmt: skip
TRUTH = ("rgb", "depth", "segmentation", "normals", "flow", "amodal", "boxes", "tracks")
STAGES = ("rays_and_states", "opening", "in_renderer", "setting", "masks", "writing")


@dataclass(frozen=True)
class Run:
    """What one run of the pool took. seconds: stage -> sum over its clips."""

    wall_s: float
    num_workers: int
    num_rendered: float
    seconds: dict[str, float]
    peak_mb: float  # resident, with the pages of libraries that all workers share
    peak_share_mb: float  # proportional set size: a shared page counts for each by its share

    @property
    def overhead(self) -> float:
        return self.wall_s * self.num_workers / self.seconds["in_renderer"]

    @property
    def overhead_of_clips(self) -> float:
        """The same without the start of the workers and their idle end: what a long run comes to."""
        return self.seconds["total"] / self.seconds["in_renderer"]


def plans_of(
    num_clips: int, side_px: int, samples: int, *, bare: bool, specs: Sequence[str] = SPECS
) -> list[ScenePlan]:
    """Plans of the shipped specs in turn with all truth. bare: no interruptions, twins or sweep, 24 frames."""
    plans = []
    for i in range(num_clips):
        plan = sample_plans(load_spec(Path(f"scenes/specs/{specs[i % len(specs)]}.yaml")), 1, i // len(specs))[0]
        plan = replace(
            plan,
            clip=replace(plan.clip, width_px=side_px, height_px=side_px),
            render=replace(plan.render, engine="cycles", samples=samples, denoise=True),
            outputs=TRUTH if bare else (*TRUTH, "twins", "sweep"),
        )
        if bare:
            plan = replace(plan, clip=replace(plan.clip, num_frames=24), interruptions=())
        plans.append(plan)
    return plans


def run_pool(plans: Sequence[ScenePlan], num_workers: int) -> Run:
    """Renders the plans into a data set that is thrown away. Raises RuntimeError when a clip fails."""
    with tempfile.TemporaryDirectory() as folder, watched_peaks() as peaks:
        began = time.perf_counter()
        results = render_plans(plans, Path(folder) / "data", RenderOptions(num_workers=num_workers))
        wall_s = time.perf_counter() - began
        if failed := [result for result in results if result.state != "done"]:
            raise RuntimeError(f"{failed[0].job_id}: {failed[0].state}: {failed[0].message}")
        for result in results:
            Clip.open(result.path)
    stats = [{name: float(str(value)) for name, value in result.stats.items()} for result in results]
    seconds = {n: sum(s[f"seconds_{n}"] for s in stats) for n in (*STAGES, "rendering", "total") if n != "setting"}
    seconds["setting"] = seconds["rendering"] - seconds["in_renderer"]
    return Run(wall_s, num_workers, sum(s["num_rendered"] for s in stats), seconds, peaks.resident_mb, peaks.share_mb)


@dataclass
class Peaks:
    """Greatest memory of any one render worker on this machine."""

    resident_mb: float = 0.0
    share_mb: float = 0.0


@contextlib.contextmanager
def watched_peaks() -> Iterator[Peaks]:
    """Looks at all render workers twice a second; the resident peak is the kernel's own high-water mark."""
    peaks, over = Peaks(), threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    if b"simulator.blender" in (process / "cmdline").read_bytes():
                        peaks.resident_mb = max(peaks.resident_mb, _mb(process / "status", "VmHWM:"))
                        peaks.share_mb = max(peaks.share_mb, _mb(process / "smaps_rollup", "Pss:"))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        over.set()
        watcher.join()


def _mb(path: Path, name: str) -> float:
    found = path.read_text().partition(name)[2].split()
    return int(found[0]) / 1024 if found else 0.0


def overhead(options: argparse.Namespace) -> None:
    """Table: overhead and milliseconds a rendered picture by stage."""
    print("milliseconds of one worker for each rendered picture; overhead of the run, and of its clips alone")
    columns = ("px", "samples", "workers", "clips", "pictures", *STAGES, "rest", "overhead", "of clips")
    columns += ("peak MB", "share MB")
    print("| " + " | ".join(name.replace("_", " ") for name in columns) + " |\n" + "|---" * len(columns) + "|")
    for side in options.sides:
        for samples in options.samples:
            plans = plans_of(options.clips, side, samples, bare=options.bare, specs=options.specs)
            for num_workers in options.workers:
                run = run_pool(plans, num_workers)
                ms = {name: 1e3 * run.seconds[name] / run.num_rendered for name in STAGES}
                rest = 1e3 * (run.wall_s * num_workers - run.seconds["total"]) / run.num_rendered
                cells = (side, samples, num_workers, len(plans), int(run.num_rendered))
                parts = [f"{ms[name]:.1f}" for name in STAGES]
                tail = (f"{rest:.1f}", f"{run.overhead:.3f}", f"{run.overhead_of_clips:.3f}")
                tail += (f"{run.peak_mb:.0f}", f"{run.peak_share_mb:.0f}")
                print("| " + " | ".join(map(str, (*cells, *parts, *tail))) + " |", flush=True)


def processor(options: argparse.Namespace) -> None:
    """The same in CPU seconds of one worker of one thread, in this process: for machines that do other work."""
    from benchmarks.processor_time import run  # a Blender process from here on

    plans = [
        plan
        for side in options.sides
        for samples in options.samples
        for plan in plans_of(options.clips, side, samples, bare=options.bare, specs=options.specs)
    ]
    run(plans)


def scaling(options: argparse.Namespace) -> None:
    """Clips a minute with one worker on one core, one on all cores, and one worker for each core."""
    plans = plans_of(options.clips, options.sides[0], 8, bare=True)
    cores = os.sched_getaffinity(0)
    print("| workers | threads each | wall s | clips a minute | against one |\n" + "|---" * 5 + "|")
    first = None
    for num_workers, allowed in ((1, {min(cores)}), (1, cores), (len(cores), cores)):
        os.sched_setaffinity(0, allowed)
        wall_s = run_pool(plans, num_workers).wall_s
        rate = 60 * len(plans) / wall_s
        first = first or rate
        threads = len(allowed) // num_workers
        print(f"| {num_workers} | {threads} | {wall_s:.1f} | {rate:.1f} | {rate / first:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run, clips in (
        ("overhead", overhead, 6),
        ("processor", processor, 3),
        ("scaling", scaling, 8),
        ("soak", soak, 300),
    ):
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("--clips", type=int, default=clips)
        command.add_argument("--sides", type=int, nargs="+", default=[64, 128, 256])
        command.add_argument("--samples", type=int, nargs="+", default=[8, 16])
        command.add_argument("--workers", type=int, nargs="+", default=[1, 2])
        command.add_argument("--specs", nargs="+", default=list(SPECS))
        command.add_argument("--bare", action="store_true", help="no interruptions, twins or sweep: dearest for truth")
    nights = commands.add_parser("night", help=night.__doc__)
    nights.set_defaults(run=night)
    nights.add_argument("--jobs", type=int, default=10_000)
    peers = commands.add_parser("peers", help=compare.__doc__)
    peers.set_defaults(run=compare)
    peers.add_argument("--blenderproc", type=Path, help="Python of an environment with BlenderProc (benchmarks/peers)")
    peers.add_argument("--sides", type=int, nargs="+", default=[64, 256])
    peers.add_argument("--repeats", type=int, default=3)
    peers.add_argument("--samples", type=int, default=16)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
