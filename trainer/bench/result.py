"""What a run of the benchmark found: one record a task, one row a run, with their file forms."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from trainer.bench.align import ForeignVideo
from trainer.bench.tasks import BenchTask, Truth
from trainer.bench.view import MIN_VIEW
from trainer.probe.bootstrap import Estimate, clustered_mean
from trainer.probe.result import ModelScore, finite
from trainer.probe.splits import SPLITS
from trainer.probe.subject import Subject
from untrusted import read_json

SCHEMA_VERSION = 1
MIN_SHARE = 0.8  # of the hidden frames in which the event must be out of sight


@dataclass(frozen=True, kw_only=True)
class TaskScore:
    """One task. Without a usable video `model` is None and `problem` says why."""

    task: BenchTask
    scene_id: str
    problem: str
    remarks: tuple[str, ...]
    model: ModelScore | None
    view: float | None  # how well the surroundings at the return are those of the truth (R^2); None: not shown
    there: float | None  # share of the hidden frames in which the event is out of sight; None: not looked at
    prefix_db: float | None  # PSNR of the frames that were given
    video: dict[str, Any] | None  # size, rate, number of frames as they came
    splits: tuple[str, ...] = ()  # distance from training, see `trainer.probe.splits`; none: not known

    @classmethod
    def absent(cls, truth: Truth, subject: Subject, problem: str) -> Self:
        return cls(
            task=truth.task, scene_id=subject.scene_id, problem=problem, remarks=(), model=None, there=None, view=None,
            prefix_db=None, video=None,
        )  # fmt: skip

    @classmethod
    def of(
        cls,
        truth: Truth,
        subject: Subject,
        video: ForeignVideo,
        model: ModelScore,
        *,
        there: float | None,
        view: float | None,
        prefix_db: float,
        remarks: tuple[str, ...],
    ) -> Self:
        facts = dataclasses.asdict(video.facts) | {
            "num_frames": video.num_frames, "bars": video.bars, "frame_by_frame": video.frame_by_frame,
        }  # fmt: skip
        return cls(
            task=truth.task, scene_id=subject.scene_id, problem="", remarks=remarks, model=model,
            there=there, view=view, prefix_db=prefix_db, video=facts,
        )  # fmt: skip

    @property
    def recovery(self) -> float:
        """0 without a video, and where it does not come back to the view."""
        return self.model.recovery if self.model and self.in_view else 0.0

    @property
    def in_view(self) -> bool:
        """Whether the picture of the return shows the view of the return."""
        return self.view is not None and self.view >= MIN_VIEW

    @property
    def interrupted(self) -> bool:
        """Whether the interruption is there in the video; a drop of frames needs none."""
        return self.model is not None and (self.there is None or self.there >= MIN_SHARE)

    @property
    def memory(self) -> float:
        """Recovery where the interruption is there, else 0."""
        return self.recovery if self.interrupted else 0.0

    @property
    def clock_ratio(self) -> float | None:
        return self.model.clock_ratio if self.model and self.in_view else None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the picture of the return could not be read."""
        if self.model is None or not self.model.frames:
            return ()
        return self.model.frames[0].reading.reasons if self.in_view else ("another view",)


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """One folder of videos, scored."""

    name: str
    suite: str
    digest: str
    num_suite_tasks: int
    official: bool  # all tasks of the suite, against its pinned truth
    tasks: tuple[TaskScore, ...]
    remarks: tuple[str, ...]
    generation: str = ""  # how a run of ours made the videos; empty: nothing beside them says so
    truth: str = ""  # which clips it was scored against, see `trainer.bench.tasks.truth_digest`

    @property
    def problems(self) -> list[str]:
        """A line for each task whose video is missing or wrong, then remarks."""
        lines = [f"{t.task.id}: {t.problem}; counts 0" for t in self.tasks if t.problem]
        lines += [f"{t.task.id}: {remark}" for t in self.tasks for remark in t.remarks]
        return lines + list(self.remarks)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Mean memory score of some tasks."""

    memory: Estimate
    recovery: Estimate
    coverage: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """A run's line in the leaderboard."""

    name: str
    suite: str
    digest: str
    official: bool
    num_tasks: int
    num_suite_tasks: int
    num_videos: int
    memory: Estimate  # the headline
    recovery: Estimate  # whether the interruption is there or not
    clock_ratio: Estimate | None  # over readable pictures
    coverage: float  # share of tasks whose picture at the return could be read
    interrupted: float  # share of the videos in which the interruption is there
    psnr_db: float | None  # of the surroundings at the return
    ssim: float | None
    categories: dict[str, Group]
    kinds: dict[str, Group]
    splits: dict[str, Group]  # types of event that are held out from training, and others
    generation: str = ""  # as in `BenchResult`
    truth: str = ""  # as there
    distance: dict[str, Group] = field(default_factory=dict)  # from training; a task may count in several
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        return json.dumps(finite(dataclasses.asdict(self)), indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Row:
        """Raises ValueError, naming the file, when it holds no row."""
        data = read_json(path, 1_000_000)
        try:
            if data["schema_version"] != SCHEMA_VERSION:
                raise ValueError(f"schema_version {data['schema_version']!r}, this reader knows {SCHEMA_VERSION}")
            return _row(data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{path}: not a row of the benchmark ({error}); score the run again") from None


def row_of(result: BenchResult) -> Row:
    """The leaderboard row."""
    tasks = result.tasks
    read = [t for t in tasks if t.clock_ratio is not None]
    ratios, models = [t.clock_ratio for t in read if t.clock_ratio is not None], [t.model for t in tasks if t.model]
    groups = _groups(tasks, lambda t: t.splits)
    return Row(
        name=result.name,
        suite=result.suite,
        digest=result.digest,
        official=result.official,
        num_tasks=len(tasks),
        num_suite_tasks=result.num_suite_tasks,
        num_videos=len(models),
        memory=_mean([t.memory for t in tasks], tasks),
        recovery=_mean([t.recovery for t in tasks], tasks),
        clock_ratio=_mean(ratios, read) if read else None,
        coverage=len(read) / len(tasks),
        interrupted=sum(t.interrupted for t in tasks) / max(len(models), 1),
        psnr_db=_plain_mean([m.psnr_db for m in models]),
        ssim=_plain_mean([m.ssim for m in models]),
        categories=_groups(tasks, lambda t: (t.task.category,)),
        kinds=_groups(tasks, lambda t: (t.task.kind,)),
        splits=_groups(tasks, lambda t: ("held-out types" if t.task.held_out else "other types",)),
        generation=result.generation,
        truth=result.truth,
        distance={name: groups[name] for name in SPLITS if name in groups},
    )


def rows_csv(rows: Sequence[Row]) -> str:
    """A line a run; groups as columns `memory_<group>`."""
    names = list(dict.fromkeys(n for r in rows for g in (r.categories, r.kinds, r.splits, r.distance) for n in g))
    head = [
        "name", "suite", "digest", "official", "tasks", "suite_tasks", "videos", "memory", "memory_low", "memory_high",
        "recovery", "clock_ratio", "coverage", "interrupted", "psnr_db", "ssim", "generation",
    ]  # fmt: skip
    lines: list[list[Any]] = [[*head, *(f"memory_{name.replace(' ', '_')}" for name in names)]]
    for r in rows:
        groups = {**r.categories, **r.kinds, **r.splits, **r.distance}
        plain = [
            r.name, r.suite, r.digest, r.official, r.num_tasks, r.num_suite_tasks, r.num_videos, r.memory.mean,
            r.memory.low, r.memory.high, r.recovery.mean, r.clock_ratio.mean if r.clock_ratio else None, r.coverage,
            r.interrupted, r.psnr_db, r.ssim, r.generation,
        ]  # fmt: skip
        lines.append([*plain, *(groups[name].memory.mean if name in groups else None for name in names)])
    return _csv(lines)


def tasks_csv(result: BenchResult) -> str:
    """A line a task."""
    head = ["task", "category", "event_type", "held_out", "kind", "memory", "recovery", "clock_ratio", "interrupted"]
    lines: list[list[Any]] = [[*head, "psnr_db", "unreadable", "problem", "from_training"]]
    for t in result.tasks:
        psnr = t.model.psnr_db if t.model else None
        facts = [t.task.id, t.task.category, t.task.event_type, t.task.held_out, t.task.kind]
        lines.append(
            [
                *facts,
                t.memory,
                t.recovery,
                t.clock_ratio,
                t.there,
                psnr,
                " ".join(t.reasons),
                t.problem or "; ".join(t.remarks),
                "; ".join(t.splits),
            ]
        )
    return _csv(lines)


def _csv(lines: Sequence[Sequence[Any]]) -> str:
    """Cells that a spreadsheet would take for a formula get an apostrophe."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[_cell(value) for value in line] for line in lines])
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    shown = str(value)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


def _groups(tasks: Sequence[TaskScore], names: Callable[[TaskScore], Sequence[str]]) -> dict[str, Group]:
    groups: dict[str, list[TaskScore]] = {}
    for task in tasks:
        for name in names(task):
            groups.setdefault(name, []).append(task)
    return {
        name: Group(
            memory=_mean([t.memory for t in members], members),
            recovery=_mean([t.recovery for t in members], members),
            coverage=sum(t.clock_ratio is not None for t in members) / len(members),
        )
        for name, members in groups.items()
    }


def _mean(values: Sequence[float], tasks: Sequence[TaskScore]) -> Estimate:
    return clustered_mean(values, [t.scene_id for t in tasks])


def _plain_mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _row(data: dict[str, Any]) -> Row:
    def estimate(d: dict[str, Any]) -> Estimate:
        bounds = {key: math.nan if d[key] is None else float(d[key]) for key in ("mean", "low", "high")}
        return Estimate(**bounds, num_values=int(d["num_values"]), num_scenes=int(d["num_scenes"]))

    def groups(d: dict[str, Any]) -> dict[str, Group]:
        return {
            str(name): Group(
                memory=estimate(g["memory"]), recovery=estimate(g["recovery"]), coverage=float(g["coverage"])
            )
            for name, g in d.items()
        }

    def maybe(key: str) -> float | None:
        return None if data[key] is None else float(data[key])

    return Row(
        name=str(data["name"]),
        suite=str(data["suite"]),
        digest=str(data["digest"]),
        official=bool(data["official"]),
        num_tasks=int(data["num_tasks"]),
        num_suite_tasks=int(data["num_suite_tasks"]),
        num_videos=int(data["num_videos"]),
        memory=estimate(data["memory"]),
        recovery=estimate(data["recovery"]),
        clock_ratio=None if data["clock_ratio"] is None else estimate(data["clock_ratio"]),
        coverage=float(data["coverage"]),
        interrupted=float(data["interrupted"]),
        psnr_db=maybe("psnr_db"),
        ssim=maybe("ssim"),
        categories=groups(data["categories"]),
        kinds=groups(data["kinds"]),
        splits=groups(data["splits"]),
        generation=str(data.get("generation", "")),  # rows of older scores have none of these
        truth=str(data.get("truth", "")),
        distance=groups(data.get("distance", {})),
    )
