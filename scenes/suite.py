"""Benchmark suites: fixed lists of tasks, each a spec whose plan is pinned, in two sizes.

`suites/v1.csv` has a row a task, `suites/v1.yaml` is the spec that a row fills in. `v1` has the size that open video
models make (81 frames at 16 fps); `v1-small` has the same tasks for small models and for CPUs. A row pins the id of the
plan that each size draws: a planner that draws another one makes another suite, and `plan_task` says so.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from scenes.loading import parse_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans

TABLE, TEMPLATE = "v1.csv", "v1.yaml"


@dataclass(frozen=True, kw_only=True)
class Size:
    """Clip and render settings of a suite; the seconds are the same in all sizes."""

    num_frames: int
    fps: int
    side_px: int
    samples: int


SIZES: Mapping[str, Size] = MappingProxyType(
    {
        "v1": Size(num_frames=81, fps=16, side_px=256, samples=16),
        "v1-small": Size(num_frames=41, fps=8, side_px=64, samples=8),
    }
)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One row of the table. `plan_id`: the first 20 hex digits of its plan's hash, which name its clip."""

    id: str
    category: str  # STEVO category
    family: str
    type: str
    held_out: bool  # never trained on
    kind: str  # of interruption
    option: str  # "motion: yaw" and such; may be empty
    path: str  # of the camera, with `loop` after it where it comes back
    start_s: float
    seed: int
    plan_id: str


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite in one size."""

    name: str
    size: Size
    tasks: tuple[Task, ...]
    digest: str  # 16 hex digits of everything that defines it

    def spec_text(self, task: Task) -> str:
        """The scene spec of a task."""
        path, _, loop = task.path.partition(" ")
        return _text(TEMPLATE).format(
            suite=self.name,
            task=task.id,
            seed=task.seed,
            num_frames=self.size.num_frames,
            fps=self.size.fps,
            side_px=self.size.side_px,
            samples=self.size.samples,
            type=task.type,
            start_s=task.start_s,
            path=f"{path}, loop: true" if loop else path,
            kind=task.kind,
            option=f", {task.option}" if task.option else "",
        )

    def plan_name(self, task: Task) -> str:
        """`name` of the task's plan and so of its clip, whatever renderer drew it."""
        return f"{self.name}_{task.id}"


def load_suite(name: str) -> Suite:
    """Raises ValueError that names the suites there are."""
    if name not in SIZES:
        raise ValueError(f"--suite: no suite {name[:40]!r}; there are: {', '.join(SIZES)}")
    column = "plan_" + name.replace("-", "_")
    rows = list(csv.DictReader(io.StringIO(_text(TABLE))))
    tasks = tuple(
        Task(
            id=row["task"],
            category=row["category"],
            family=row["family"],
            type=row["type"],
            held_out=row["held_out"] == "yes",
            kind=row["kind"],
            option=row["option"],
            path=row["path"],
            start_s=float(row["start_s"]),
            seed=int(row["seed"]),
            plan_id=row[column],
        )
        for row in rows
    )
    content = repr((name, SIZES[name], _text(TEMPLATE), tasks)).encode()
    return Suite(name=name, size=SIZES[name], tasks=tasks, digest=hashlib.sha256(content).hexdigest()[:16])


def plan_task(suite: Suite, task: Task) -> ScenePlan:
    """The plan of a task. Raises ValueError when this version draws another one than the suite was made with."""
    plan = draw_task(suite, task)
    if plan.plan_id[: len(task.plan_id)] != task.plan_id:
        raise ValueError(
            f"suite {suite.name}: {task.id}: this version draws {plan.plan_id[:20]}, the suite has {task.plan_id}; "
            "its scores would not compare: use the version that the suite was made with"
        )
    return plan


def draw_task(suite: Suite, task: Task) -> ScenePlan:
    """The plan that a task's spec gives, whatever is pinned. Raises SpecError where none can be drawn."""
    return sample_plans(parse_spec(suite.spec_text(task), f"{suite.name}/{task.id}"), 1)[0]


@lru_cache
def _text(name: str) -> str:
    return (Path(str(files("scenes"))) / "suites" / name).read_text(encoding="utf-8")
