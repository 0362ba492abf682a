"""What the scheduler costs over a night: many jobs whose workers draw nothing. Part of benchmarks/render.py."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from render_jobs.dataset import Dataset
from render_jobs.jobs import Job
from render_jobs.local import LocalCrew
from render_jobs.pool import Pool
from render_jobs.status import read_status
from scenes.plan import CameraPlan, ClipPlan, RenderPlan, ScenePlan, WorldPlan

PARTS = 10

# Speaks the protocol of simulator.serving and writes a clip of one small file.
WORKER = """
import json, pathlib, sys
print(json.dumps({"kind": "ready"}), flush=True)
for line in sys.stdin:
    out = pathlib.Path(json.loads(line)["out"])
    (out / "picture.bin").write_bytes(bytes(1000))
    (out / "manifest.json").write_text(json.dumps({"file_bytes": {"picture.bin": 1000}}))
    print(json.dumps({"kind": "done", "stats": {"frames": 1}}), flush=True)
"""


def night(options: argparse.Namespace) -> None:
    """Wall and CPU milliseconds and memory of the scheduler for each tenth of --jobs jobs that cost nothing."""
    crew = LocalCrew(size=2, commands={"cycles": lambda threads: [sys.executable, "-c", WORKER]})
    with tempfile.TemporaryDirectory() as folder:
        dataset = Dataset(Path(folder) / "data")
        began = time.perf_counter()
        jobs = [job_of(index) for index in range(options.jobs)]
        print(f"{len(jobs)} jobs made in {time.perf_counter() - began:.1f} s")
        rows = []
        for _ in Pool(dataset=dataset, crew=crew).run(jobs):
            here = psutil.Process()
            rows.append((time.perf_counter(), time.process_time(), here.memory_info().rss / 2**20))
        print("| jobs | wall ms each | CPU ms each | RSS MB |\n" + "|---" * 4 + "|")
        for part in np.array_split(np.arange(len(rows)), PARTS):
            wall, cpu, rss = (np.array([rows[i][k] for i in part]) for k in range(3))
            each = [1e3 * np.diff(times).mean() for times in (wall, cpu)]
            print(f"| {part[0] + 1} to {part[-1] + 1} | {each[0]:.2f} | {each[1]:.2f} | {rss[-1]:.0f} |")
        began = time.perf_counter()
        again = sum(1 for _ in Pool(dataset=dataset, crew=crew).run(jobs))
        print(f"begun again with all {again} done: {time.perf_counter() - began:.2f} s")
        began = time.perf_counter()
        read_status(dataset.root)
        print(f"--status of it: {time.perf_counter() - began:.2f} s")


def job_of(index: int) -> Job:
    """A plan like no other, of nothing."""
    return Job(
        ScenePlan(
            version=2, name="nothing", spec_seed=0, index=index,
            clip=ClipPlan(num_frames=1, fps=8.0, width_px=16, height_px=16),
            world=WorldPlan(kind="tabletop", props=(), lights=(), ambient_rgb=(0.1, 0.1, 0.1)),
            events=(),
            camera=CameraPlan(
                path="static", look_at_m=(0.0, 0.0, 0.0), distance_m=1.0, elevation_rad=0.3, azimuth_rad=0.0,
                sweep_rad=0.0, fov_rad=0.8,
            ),
            interruptions=(),
            render=RenderPlan(engine="cycles", samples=1, denoise=False, seed=0),
            outputs=("rgb",),
        )
    )  # fmt: skip
