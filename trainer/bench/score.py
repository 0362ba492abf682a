"""Scoring foreign videos: each becomes a `Generated` on the clip's timeline and is read as the probe reads models.

memory = recovery where the interruption is there (`trainer.bench.interruption`), else 0.
A picture that shows another view than that of the return (`trainer.bench.view`) cannot be read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from trainer.bench.align import ForeignVideo, Timeline, read_foreign
from trainer.bench.decode import Unusable
from trainer.bench.interruption import interruption_there
from trainer.bench.outputs import read_outputs
from trainer.bench.reduced import at_read_size
from trainer.bench.result import MIN_SHARE, BenchResult, TaskScore
from trainer.bench.tasks import BenchSuite, Truth, truth_digest
from trainer.bench.view import recentred, view_share
from trainer.probe import metrics
from trainer.probe.score import score
from trainer.probe.splits import WindowFacts, splits_of
from trainer.probe.subject import Subject
from trainer.probe.verdict import TOLERANT
from trainer.seen import Seen
from untrusted import one_line

MIN_PREFIX_DB = 15.0  # below this the given frames are not the task's
Progress = Callable[[int, int], None]


def score_outputs(
    folder: Path,
    suite: BenchSuite,
    truths: Sequence[Truth],
    *,
    name: str = "",
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[BenchResult, dict[str, Path]]:
    """Score a folder of videos against the truth, in `workers` processes; also the usable files, by task.

    Tasks without truth are left out (and the result says so); those without a usable video count 0. Raises
    ValueError when the folder or its map cannot be used at all, or a truth clip cannot be read.
    """
    outputs = read_outputs(folder, suite.tasks)
    paths = [outputs.files.get(truth.task.id) for truth in truths]
    problems = [outputs.problems.get(truth.task.id, "") for truth in truths]
    scores = []
    with contextlib.ExitStack() as stack:
        spread: Callable[..., Iterable[TaskScore]] = map
        if workers > 1:
            context = multiprocessing.get_context("spawn")
            spread = stack.enter_context(ProcessPoolExecutor(workers, mp_context=context)).map
        seen = outputs.generation.seen if outputs.generation else None
        for task in spread(functools.partial(score_task, seen=seen), truths, paths, problems):
            scores.append(task)
            if progress is not None:
                progress(len(scores), len(truths))
    result = BenchResult(
        name=name or folder.name,
        suite=suite.name,
        digest=suite.digest,
        num_suite_tasks=len(suite.tasks),
        official=len(truths) == len(suite.tasks) and all(truth.official for truth in truths),
        tasks=tuple(scores),
        remarks=outputs.remarks,
        generation=outputs.generation.text() if outputs.generation else "",
        truth=truth_digest(truths),
    )
    usable = {task.task.id for task in scores if task.model is not None}
    return result, {task_id: path for task_id, path in outputs.files.items() if task_id in usable}


def score_task(truth: Truth, path: Path | None, problem: str, seen: Seen | None = None) -> TaskScore:
    """One task; `path` is None where the map says nothing usable, `problem` then says why. seen: by the model."""
    truth = dataclasses.replace(truth, clip=at_read_size(truth.clip))
    subject = Subject.load(truth.clip)
    splits = splits_of(WindowFacts.of(subject), seen) if seen else ()
    return dataclasses.replace(_score_file(truth, subject, path, problem), splits=splits)


def _score_file(truth: Truth, subject: Subject, path: Path | None, problem: str) -> TaskScore:
    if path is None:
        return TaskScore.absent(truth, subject, problem)
    try:
        video = read_video(truth, path)
    except Unusable as error:
        return TaskScore.absent(truth, subject, f"{one_line(path.name)[:80]}: {error}")
    return score_video(truth, subject, video)


def read_video(truth: Truth, path: Path) -> ForeignVideo:
    """A task's video on its clip's timeline, in its clip's size. Raises Unusable."""
    clip = truth.clip
    window = clip.windows[0]
    times = Timeline(
        num_frames=clip.num_frames,
        fps=clip.fps,
        num_given=window.t_h + 1,
        t_r=window.t_r,
        skipped=frozenset(clip.dropped_frames),
    )
    return read_foreign(path, clip.rgb[0], times)


def score_video(truth: Truth, subject: Subject, video: ForeignVideo) -> TaskScore:
    """All figures of one video."""
    clip = truth.clip
    there = interruption_there(subject, video)
    at = {int(f): i for i, f in enumerate(video.frames)}
    returned = [at[f] for f in subject.frames_like_return() if f in at]
    moved = dataclasses.replace(video, rgb=video.rgb.copy())
    for i in returned:
        moved.rgb[i] = recentred(video.rgb[i], subject.sweep)
    view = view_share(moved.rgb[returned[0]], subject.sweep) if returned else None
    model = score(subject, moved, TOLERANT, late_s=dict(zip(at, video.late_s.tolist(), strict=True)))
    given = [(i, f) for i, f in enumerate(video.frames) if not video.generated[i]]
    everywhere = np.ones(clip.rgb.shape[1:3], dtype=bool)
    prefix_db = float(np.mean([metrics.psnr_db(video.rgb[i], clip.rgb[int(f)], everywhere) for i, f in given]))
    remarks = []
    if prefix_db < MIN_PREFIX_DB:
        remarks.append(f"does not begin with the frames that were given ({prefix_db:.0f} dB)")
    last_s = int(video.frames[-1]) / clip.fps
    if video.frames[-1] < subject.t_r:
        remarks.append(f"ends at {last_s:.2f} s, before the return at {subject.t_r / clip.fps:.2f} s")
    if there is not None and there < MIN_SHARE:
        remarks.append("the interruption is not there: the event stays in sight")
    return TaskScore.of(
        truth, subject, video, model, there=there, view=view, prefix_db=prefix_db, remarks=tuple(remarks)
    )
