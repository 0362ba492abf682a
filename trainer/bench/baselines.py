"""What stands beside every model in the table: predictors without a model, as videos that go through the same door."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import imageio.v2 as imageio
import numpy as np
from numpy.typing import NDArray

from simulator.clip import Clip
from trainer.bench.tasks import Truth
from trainer.probe.corruptions import mean_of_sweep
from trainer.probe.subject import Subject
from untrusted import MAX_JSON_BYTES, read_json

VIDEO_SIDE_PX = 256  # small pictures are enlarged before they are encoded, so that chroma keeps their size
QUALITY = 15  # CRF of H.264
DIMMED_TO = 0.5  # of the light
MADE_OF = "truth.json"  # of a folder of baselines: task -> the clips that its videos were made of
Video = NDArray[np.uint8]  # [T, H, W, 3], all frames of the clip
Progress = Callable[[int, int], None]


def unchanged(subject: Subject, stranger: Clip) -> Video:
    """The clip itself: what is the most that the readout gives?"""
    return np.asarray(subject.clip.rgb[:])


def paused(subject: Subject, stranger: Clip) -> Video:
    """The event stands still while it is hidden."""
    return np.asarray(subject.clip.twin("paused").rgb[:])


def uninterrupted(subject: Subject, stranger: Clip) -> Video:
    """A cheat: the event goes on in plain view, the interruption never comes."""
    return np.asarray(subject.clip.twin("observed").rgb[:])


def dimmed(subject: Subject, stranger: Clip) -> Video:
    """The same cheat behind a pretence of hiding: while the event should be hidden, its picture is darker."""
    video = uninterrupted(subject, stranger)
    hidden = list(subject.window.hidden_frames)
    video[hidden] = np.round(video[hidden] * DIMMED_TO).astype(np.uint8)
    return video


def linear_extrapolation(subject: Subject, stranger: Clip) -> Video:
    """After the return the sweep's picture of the state that the last rate seen leads to (true states, no pictures)."""
    step_s = float(subject.frame_times_s[1] - subject.frame_times_s[0])
    last, before = (float(subject.values[max(subject.t_h - n, 0)]) for n in (0, 1))
    rate = float(subject.kind().change(last, before)) / step_s
    sweep = subject.clip.sweep
    assert sweep is not None  # Subject.load refuses clips without
    video = unchanged(subject, stranger)
    for frame in range(subject.t_r, len(video)):
        passed_s = float(subject.frame_times_s[frame]) - subject.sweep.t_h_s
        time_s = subject.time_of_change(rate * passed_s)
        video[frame] = sweep.rgb[int(np.argmin(np.abs(sweep.event_time_s - time_s)))]
    return video


def first_frame(subject: Subject, stranger: Clip) -> Video:
    """The first frame, for ever, once the given frames end."""
    video = unchanged(subject, stranger)
    video[subject.t_h + 1 :] = video[0]
    return video


def sweep_mean(subject: Subject, stranger: Clip) -> Video:
    """After the return the mean of all that could be: what a memoryless, blurry generator paints."""
    video = unchanged(subject, stranger)
    sweep = subject.clip.sweep
    assert sweep is not None
    video[subject.t_r :] = mean_of_sweep(sweep.rgb)
    return video


def another_clip(subject: Subject, stranger: Clip) -> Video:
    """After the return the frames of another task after its return."""
    video = unchanged(subject, stranger)
    frames = stranger.windows[0].t_r + np.arange(len(video) - subject.t_r)
    video[subject.t_r :] = np.asarray(stranger.rgb[:])[np.minimum(frames, stranger.num_frames - 1)]
    return video


BASELINES: Mapping[str, Callable[[Subject, Clip], Video]] = MappingProxyType(
    {
        "truth": unchanged,
        "paused": paused,
        "linear_extrapolation": linear_extrapolation,
        "first_frame": first_frame,
        "sweep_mean": sweep_mean,
        "another_clip": another_clip,
        "uninterrupted": uninterrupted,
        "dimmed": dimmed,
    }
)


def write_baselines(
    truths: Sequence[Truth], out: Path, names: Sequence[str] = tuple(BASELINES), progress: Progress | None = None
) -> None:
    """`out/<name>/`: a folder of videos with its map, as a model's; maps are last.

    Another clip is the next task's (with a single task: its own). Videos that are there are kept while their truth, and
    that of the next task, is what it was: `out/truth.json` says which clips those were.
    """
    for name in names:
        (out / name).mkdir(parents=True, exist_ok=True)
    made_of = read_json(out / MADE_OF, MAX_JSON_BYTES) if (out / MADE_OF).exists() else {}
    for number, truth in enumerate(truths):
        stranger = truths[(number + 1) % len(truths)].clip
        clips = [truth.clip.clip_id, stranger.clip_id]
        wanted = {name: out / name / f"{truth.task.id}.mp4" for name in names}
        known = made_of.get(truth.task.id) == clips
        missing = {name: path for name, path in wanted.items() if not (known and path.exists())}
        if missing:
            made_of.pop(truth.task.id, None)
            _note(out, made_of)
            subject = Subject.load(truth.clip)
            for name, path in missing.items():
                write_video(path, BASELINES[name](subject, stranger), truth.clip.fps)
            made_of[truth.task.id] = clips
            _note(out, made_of)
        if progress is not None:
            progress(number + 1, len(truths))
    for name in names:
        write_map(out / name, [truth.task.id for truth in truths])


def _note(out: Path, made_of: Mapping[str, Any]) -> None:
    partial = out / f".{MADE_OF}.partial"
    partial.write_text(json.dumps(made_of, indent=1) + "\n")
    os.replace(partial, out / MADE_OF)


def write_map(folder: Path, task_ids: Sequence[str]) -> None:
    """`map.json`: every task's file is called after it."""
    text = json.dumps({task_id: f"{task_id}.mp4" for task_id in task_ids}, indent=1) + "\n"
    partial = folder / ".map.partial"
    partial.write_text(text)
    os.replace(partial, folder / "map.json")


def write_video(path: Path, video: Video, fps: float) -> None:
    """H.264 [T, H, W, 3], published by a rename; small pictures whole times larger, sides even."""
    times = max(1, -(-VIDEO_SIDE_PX // min(video.shape[1:3])))
    times += times % 2 if any(side % 2 for side in video.shape[1:3]) else 0
    large = video.repeat(times, axis=1).repeat(times, axis=2)
    partial = path.with_name(f".{path.stem}.partial.mp4")
    options: dict[str, Any] = {
        "macro_block_size": 1,
        "codec": "libx264",
        "output_params": ["-crf", str(QUALITY), "-preset", "veryfast", "-threads", "1"],
    }
    imageio.mimwrite(partial, list(large), fps=fps, **options)
    os.replace(partial, path)
