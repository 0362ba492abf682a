"""The tasks of a suite as the benchmark sees them, and the truth clips that belong to them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from simulator.clip import Clip, list_clips

Given = Literal["seen", "hidden"]  # what a model is given: see trainer.bench.models


@dataclass(frozen=True, kw_only=True)
class BenchTask:
    """What is public of a task beside its pictures."""

    id: str
    category: str  # STEVO category
    family: str
    event_type: str
    held_out: bool  # an event type that is never trained on
    kind: str  # of interruption
    option: str  # its variant, may be empty


@dataclass(frozen=True, kw_only=True)
class BenchSuite:
    """A fixed list of tasks. `clip_ids`: task id -> id of its official truth clip."""

    name: str
    digest: str
    tasks: tuple[BenchTask, ...]
    clip_ids: dict[str, str]

    def clip_name(self, task_id: str) -> str:
        """`name` in the plan of the task's clip."""
        return f"{self.name}_{task_id}"


@dataclass(frozen=True)
class Truth:
    """A task's truth clip; `official` when it is the very clip that the suite pins (else another renderer drew it)."""

    task: BenchTask
    clip: Clip
    official: bool


def find_truth(suite: BenchSuite, dataset: Path, clips: Iterable[Clip] | None = None) -> list[Truth]:
    """The truth of every task that `dataset` holds, in the suite's order; an official clip goes before others.

    Raises ValueError when there is none.
    """
    found: dict[str, Clip] = {}
    names = {suite.clip_name(task.id): task.id for task in suite.tasks}
    for clip in (Clip.open(path) for path in list_clips(dataset)) if clips is None else clips:
        task_id = names.get(str(clip.plan.get("name")))
        if task_id is not None and (task_id not in found or clip.clip_id == suite.clip_ids[task_id]):
            found[task_id] = clip
    if not found:
        raise ValueError(f"{dataset}: no clip of suite {suite.name} in it; `remind bench render` makes them")
    tasks = [task for task in suite.tasks if task.id in found]
    return [Truth(task, found[task.id], found[task.id].clip_id == suite.clip_ids[task.id]) for task in tasks]


def truth_digest(truths: Sequence[Truth]) -> str:
    """A name for these tasks with these clips: scores against other clips, or of other tasks, do not compare."""
    pairs = sorted((truth.task.id, truth.clip.clip_id) for truth in truths)
    return hashlib.sha256(repr(pairs).encode()).hexdigest()[:16]
