"""What the truth passes cost beside the pictures: seconds a frame, and bytes.

    python -m benchmarks.truth_cost [--frames 12] [--sides 64 128 256] [--threads 2] [SPEC ...]

The base is the rgb render of the clip alone (Cycles, 8 samples, denoised): no twins, no sweep, and not the writing of
rgb. Against it stands all that the truth costs: casting rays (visibility included), every pass, hashing and writing the
arrays. Passes are timed by running the walk with that one output and taking the bare walk off. The frame in which
Blender builds its scene is left out. All are CPU seconds, so that other work on the machine counts less; those of the
render are divided by its threads, which is less than it takes on an idle machine: the share is not flattered.
DESIGN: <= 15 % at 64 to 256 px.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from scenes.loading import load_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from simulator.blender.player import BlenderPlayer
from simulator.clip_writer import ArraysFile
from simulator.rays import RayCaster
from simulator.stage import Stage
from simulator.timeline import truth_shots
from simulator.truth import Truth, trace

SPECS = ("tank_filling", "domino_chain", "flower_opening")
PASSES = ("normals", "flow", "amodal", "boxes", "tracks")
SAMPLES = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", default=list(SPECS))
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--sides", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    table = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Blender's own lines
    print("milliseconds a frame; KiB a frame as written, without rgb", file=table)
    print("| spec | px | rgb | rays | " + " | ".join(PASSES) + " | hash, write | truth | share | KiB |", file=table)
    print("|---" * (8 + len(PASSES) + 1) + "|", file=table)
    for name in options.specs:
        spec = load_spec(Path(f"scenes/specs/{name}.yaml"))
        drawn = sample_plans(spec, 1)[0]
        for side in options.sides:
            plan = _moving(drawn, side, options.frames)
            row = measure(plan, options.threads)
            print(f"| {name} | {side} | " + " | ".join(row) + " |", file=table)
    table.close()
    os._exit(0)  # Blender inside Python can hang at interpreter exit


def _moving(plan: ScenePlan, side: int, num_frames: int) -> ScenePlan:
    """The plan at another size, shorter, uninterrupted, before a camera that moves: then every pixel flows."""
    camera = replace(plan.camera, path="orbit", loop=False, sweep_rad=0.3)
    clip = replace(plan.clip, width_px=side, height_px=side, num_frames=num_frames)
    render = replace(plan.render, engine="cycles", samples=SAMPLES, denoise=True)
    outputs = ("rgb", "depth", "segmentation", *PASSES)
    return replace(plan, clip=clip, camera=camera, render=render, interruptions=(), outputs=outputs)


def measure(plan: ScenePlan, threads: int) -> list[str]:
    """Cells of one row."""
    num_frames = plan.clip.num_frames
    stage = Stage.from_plan(plan)
    shots = truth_shots(plan)
    player = BlenderPlayer(stage, threads)
    player.render(shots[0])
    rgb_s = _seconds(lambda: [player.render(shot) for shot in shots[1:]]) / (num_frames - 1) / threads

    rays_s = _walk_s(plan, ())
    passes_s = [_walk_s(plan, (name,)) - rays_s for name in PASSES]
    made: list[Truth] = []
    walk_s = min(_seconds(lambda: made.append(trace(RayCaster(stage)))) for _ in range(2)) / num_frames
    with tempfile.TemporaryDirectory() as folder:
        write_s = _seconds(lambda: _write(made[0], Path(folder))) / num_frames
        kib = sum(path.stat().st_size for path in Path(folder).iterdir()) / num_frames / 1024
    truth_s = walk_s + write_s
    times = [f"{1e3 * s:.1f}" for s in (rgb_s, rays_s, *passes_s, write_s, truth_s)]
    return [*times, f"{100 * truth_s / rgb_s:.1f} %", f"{kib:.0f}"]


def _walk_s(plan: ScenePlan, outputs: tuple[str, ...]) -> float:
    """Seconds a frame of the walk with these outputs; the best of three runs."""
    stage = Stage.from_plan(replace(plan, outputs=("rgb", "depth", "segmentation", *outputs)))
    stage.channels(truth_shots(plan)[0])  # a baked law is baked in any case, for the states
    return min(_seconds(lambda: trace(RayCaster(stage))) for _ in range(3)) / plan.clip.num_frames


def _write(truth: Truth, folder: Path) -> None:
    with ArraysFile(folder / "arrays.h5") as arrays:
        for name, array in truth.arrays.items():
            arrays.add(name, array)
    pq.write_table(truth.boxes, folder / "boxes.parquet")


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
