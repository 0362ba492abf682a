"""Plans for a worker that does not look at them, and pools of such workers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from render_jobs.dataset import Dataset
from render_jobs.jobs import Job
from render_jobs.local import LocalCrew
from render_jobs.pool import Pool
from scenes.plan import CameraPlan, ClipPlan, RenderPlan, ScenePlan, WorldPlan

FAKE_WORKER = Path(__file__).parent / "fake_worker.py"


def job(name: str, index: int = 0) -> Job:
    """A job whose name tells the fake worker how to behave."""
    return Job(
        ScenePlan(
            version=2,
            name=name,
            spec_seed=0,
            index=index,
            clip=ClipPlan(num_frames=2, fps=8.0, width_px=32, height_px=32),
            world=WorldPlan(kind="tabletop", props=(), lights=(), ambient_rgb=(0.1, 0.1, 0.1)),
            events=(),
            camera=CameraPlan(
                path="static",
                look_at_m=(0.0, 0.0, 0.0),
                distance_m=1.0,
                elevation_rad=0.3,
                azimuth_rad=0.0,
                sweep_rad=0.0,
                fov_rad=0.8,
            ),
            interruptions=(),
            render=RenderPlan(engine="cycles", samples=1, denoise=False, seed=0),
            outputs=("rgb",),
        )
    )


def fake_crew(root: Path, num_workers: int = 1) -> LocalCrew:
    """Fake workers that count their attempts in ROOT/../counts."""
    counts = root.parent / "counts"
    counts.mkdir(parents=True, exist_ok=True)
    return LocalCrew(
        size=num_workers,
        commands={"cycles": lambda threads: [sys.executable, str(FAKE_WORKER), str(counts), str(threads)]},
    )


def fake_pool(root: Path, *, num_workers: int = 1, **settings: Any) -> Pool:
    """A pool of fake workers."""
    settings.setdefault("crew", fake_crew(root, num_workers))
    return Pool(dataset=Dataset(root), **settings)


def attempts(root: Path, a_job: Job) -> int:
    """How often any worker began the job."""
    path = root.parent / "counts" / a_job.id
    return path.stat().st_size if path.exists() else 0
