"""The benchmark's page: one HTML file for a reader who was not there. No network, no script, everything escaped."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from trainer.bench.align import ForeignVideo
from trainer.bench.reduced import at_read_size
from trainer.bench.result import BenchResult, Group, Row, TaskScore
from trainer.bench.score import read_video
from trainer.bench.tasks import Truth
from trainer.probe.bootstrap import Estimate
from trainer.probe.charts import data_uri
from trainer.probe.splits import SPLITS
from trainer.probe.templating import publish, template

NUM_SHOWN = 3  # worst, and best tasks
STRIP_SIDE_PX = 96
CATEGORIES = {
    "continuous_process": "continuous process",
    "kinematics": "kinematics",
    "relational_change": "relational change",
    "causal_change": "causal change",
    "state_transformation": "state transformation",
    "expected_behaviour": "expected behaviour",
}


def write_page(
    path: Path, result: BenchResult, rows: Sequence[Row], truths: Sequence[Truth], files: Mapping[str, Path]
) -> None:
    """Write `path`, published by a rename. rows: this run's first, then those to compare with; files: usable videos."""
    clips = {t.task.id: dataclasses.replace(t, clip=at_read_size(t.clip)) for t in truths}
    chosen = [
        (title, [_exhibit(clips[t.task.id], t, read_video(clips[t.task.id], files[t.task.id])) for t in tasks])
        for title, tasks in worst_and_best(result)
    ]
    page = template("trainer.bench", "bench.html.j2").render(
        result=result,
        rows=rows,
        tables=[
            ("By category of change", _table([row.categories for row in rows])),
            ("By what hides it", _table([row.kinds for row in rows])),
            ("By event types kept from training", _table([row.splits for row in rows])),
        ],
        distance=[
            (name, [row.distance.get(name) for row in rows if row.distance])
            for name in SPLITS
            if any(name in row.distance for row in rows)
        ],
        chosen=chosen,
        summary=summary(result, rows[0]),
        interval=interval,
        number=number,
        words=words,
    )
    publish(path, page)


def summary(result: BenchResult, row: Row) -> list[str]:
    """What was found, in words."""
    others = "; the others count 0" if row.num_videos < row.num_tasks else ""
    counted = f"{row.num_videos} of {row.num_tasks} tasks have a usable video{others}. "
    head = f"{row.name}: memory score {interval(row.memory)} (0: nothing remembered, 1: all of it). {counted}"
    if row.clock_ratio is None:
        reading = "No picture of a return could be read: none resembles any single moment of its event."
    else:
        reading = (
            f"Where the picture of the return could be read ({row.coverage:.0%} of the tasks), "
            f"{interval(row.clock_ratio)} of the hidden time had passed for the event (0: stood still, 1: went on)."
        )
    lines = [head + reading]
    if row.num_videos and row.interrupted < 1.0:
        lines.append(
            f"In {1 - row.interrupted:.0%} of the videos the interruption did not come: while the event should be "
            "hidden, it stayed in sight. These count 0, because nothing had to be remembered. Counting "
            "them as they read, the mean would be "
            f"{interval(row.recovery)}."
        )
    if not result.official:
        lines.append(
            f"This is no official score of suite {result.suite}: only {len(result.tasks)} of its "
            f"{result.num_suite_tasks} tasks were scored, or the truth was rendered otherwise than the suite pins it."
        )
    return lines


def worst_and_best(result: BenchResult) -> list[tuple[str, list[TaskScore]]]:
    """Of the tasks with a video, up to `NUM_SHOWN` from each end; the middle counts for the nearer one."""
    ranked = sorted((t for t in result.tasks if t.model is not None), key=lambda t: (t.memory, t.recovery, t.task.id))
    half = math.ceil(len(ranked) / 2)
    worst, best = ranked[: min(NUM_SHOWN, half)], ranked[::-1][: min(NUM_SHOWN, len(ranked) - half)]
    return [("Worst tasks", worst), ("Best tasks", best)]


def interval(estimate: Estimate | None) -> str:
    """`0.52 [0.40, 0.61]`, without bounds where a single scene gives none, a dash for nothing."""
    if estimate is None:
        return "–"
    shown = f"{estimate.mean:.2f}"
    if math.isfinite(estimate.low):
        shown += f" [{estimate.low:.2f}, {estimate.high:.2f}]"
    return shown.replace("-0.00", "0.00")


def number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value + 0.0:.{digits}f}"


def words(name: str) -> str:
    """A name as it is read."""
    return name.replace("_", " ")


def _table(columns: Sequence[Mapping[str, Group]]) -> list[tuple[str, int, list[Group | None]]]:
    """Lines (name, number of tasks, the runs' groups)."""
    names = {name for column in columns for name in column}
    lines = []
    for name in (*(n for n in CATEGORIES if n in names), *sorted(names - set(CATEGORIES))):
        found = [column.get(name) for column in columns]
        count = next(group.memory.num_values for group in found if group is not None)
        lines.append((name, count, found))
    return lines


def _exhibit(truth: Truth, task: TaskScore, video: ForeignVideo) -> dict[str, Any]:
    """One task with its film strips."""
    clip, window = truth.clip, truth.clip.windows[0]
    frames = strip_frames(window.t_h, window.t_r, window.hidden_frames, clip.num_frames)
    at = {int(f): i for i, f in enumerate(video.frames)}
    dropped = set(clip.dropped_frames)
    observed, paused = clip.twin("observed").rgb, clip.twin("paused").rgb
    strips = [
        ("the world, had nothing hidden it", [data_uri(_small(observed[f])) for f in frames]),
        ("truth", [None if f in dropped else data_uri(_small(clip.rgb[f])) for f in frames]),
        ("if time had stood still", [None if f in dropped else data_uri(_small(paused[f])) for f in frames]),
        ("generated", [data_uri(_small(video.rgb[at[f]])) if f in at else None for f in frames]),
    ]
    hidden = set(window.hidden_frames)
    return {
        "task": task,
        "prompt": clip.prompt,
        "columns": [(f / clip.fps, f in hidden, f == window.t_r, f <= window.t_h) for f in frames],
        "strips": strips,
        "verdict": verdict(task),
    }


def _small(picture: np.ndarray) -> np.ndarray:
    """At most `STRIP_SIDE_PX` wide: the page stays a few megabytes."""
    height, width = picture.shape[:2]
    if width <= STRIP_SIDE_PX:
        return picture
    size = (STRIP_SIDE_PX, max(1, round(height * STRIP_SIDE_PX / width)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def strip_frames(t_h: int, t_r: int, hidden: Sequence[int], num_frames: int) -> list[int]:
    """Ten frames or fewer: the first, the last given one, the way out, hidden ones, the return and what follows."""
    first, last = hidden[0], hidden[-1]
    wanted = [0, t_h, (t_h + first) // 2, first, (first + last) // 2, last, t_r]
    after = [t_r + (num_frames - 1 - t_r) * k // 3 for k in (1, 2, 3)]
    return sorted({f for f in (*wanted, *after) if 0 <= f < num_frames})


def verdict(task: TaskScore) -> str:
    """What the readout says of the return, in words."""
    if task.model is None:
        return f"No usable video: {task.problem}. Counts 0."
    if not task.interrupted:
        return "The interruption does not come: the event stays in sight. Counts 0."
    if not task.model.frames:
        return "The video shows no frame of the return: counts 0."
    ratio = task.clock_ratio
    if ratio is None:
        return f"The picture of the return cannot be read ({', '.join(task.reasons)}): counts 0."
    how = {0.0: "stood still", 1.0: "went on"}.get(round(2 * ratio) / 2, "went on, but not as it should")
    return f"At the return {ratio:.2f} of the hidden time had passed: the event {how}. Score {task.memory:.2f}."
