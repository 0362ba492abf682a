"""Data sets of a few small clips, and what a folder holds."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from pathlib import Path

from event_library.registry import get_type
from render_jobs.dataset import Dataset
from render_jobs.jobs import Job
from scenes.plan import ClipPlan, EventPlan, ScenePlan
from tests.simulator.support import sketch_clip, tank_plan

TRUTH = ("rgb", "depth", "segmentation", "normals", "flow", "amodal", "boxes", "tracks", "twins", "sweep")


def plans() -> list[ScenePlan]:
    """One that is hidden and has every output, two short ones, one short one of a held-out type."""
    long = ClipPlan(num_frames=24, fps=4.0, width_px=32, height_px=32)
    short = ClipPlan(num_frames=2, fps=8.0, width_px=32, height_px=24)
    held_out = EventPlan(
        id="disc",
        type="torsion_disc",
        params=get_type("torsion_disc")().params(),
        location_m=(0.0, 0.0, 0.0),
        yaw_rad=0.0,
        start_s=0.0,
    )
    return [
        tank_plan(clip=long, outputs=TRUTH),
        *(tank_plan(clip=short, interruptions=(), index=i, outputs=("rgb", "depth", "segmentation")) for i in (1, 2)),
        tank_plan(clip=short, interruptions=(), name="disc", events=(held_out,), outputs=("rgb", "segmentation")),
    ]


def small_dataset(root: Path) -> Path:
    """The clips of `plans`, published; one more plan failed and one is left."""
    dataset = Dataset(root)
    for plan in plans():
        job = Job(plan)
        dataset.queue(job)
        sketch_clip(plan, dataset.clip(job.id))
    failed, left = (Job(dataclasses.replace(plans()[1], index=i)) for i in (7, 8))
    dataset.queue(failed)
    dataset.queue(left)
    dataset.give_up(failed, message="it cannot be", retry=False, attempts=1, worker_log="log")
    (root / "specs").mkdir()
    (root / "specs" / "test.yaml").write_text("name: test\n")
    return root


def copy_of(root: Path, to: Path) -> Path:
    shutil.copytree(root, to)
    return to


def contents(root: Path) -> dict[str, str]:
    """Path -> sha256 of every file, but for the lock and the log, which tell of runs."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in (".lock", "render.log")
    }
