"""Our own models' videos for the benchmark: what a run makes of the frames that every model is given."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simulator.clip import Clip
from trainer.bench.baselines import Progress, Video, write_map, write_video
from trainer.bench.generation import RECORD, Generation, read_generation
from trainer.bench.tasks import Given, Truth
from trainer.build import default_device
from trainer.checkpoint import TrainedModel, load_trained
from trainer.data.clips import read_clip
from trainer.latents.layout import LatentLayout
from trainer.rollout import RolloutConfig, rollout
from trainer.rollout.plan import rollout_layout
from trainer.seen import read_seen, seen_file


def write_generated(
    run: Path,
    truths: Sequence[Truth],
    folder: Path,
    *,
    given: Given = "seen",
    config: RolloutConfig | None = None,
    progress: Progress | None = None,
) -> Generation:
    """A folder of videos with its map and `generate.json`, by the newest checkpoint of a run; returns that record.

    given: `seen`, the frames up to the last plain sight, as for every model; `hidden`, also those in which nothing of
    the event is seen, as our training has it (the model then need not make the interruption itself). config: sampler,
    guidance and memory (the default remembers everything). Videos that are there are kept; ValueError when they were
    made otherwise.
    """
    trained, config = load_trained(run, device=default_device()), config or RolloutConfig()
    generation = Generation(
        run=str(run),
        step=trained.step,
        given=given,
        how=config.text(),
        config=dataclasses.asdict(config),
        seen=read_seen(run) if seen_file(run).exists() else None,
        clips={truth.task.id: truth.clip.clip_id for truth in truths},
    )
    _check_folder(folder, generation)
    if (folder / RECORD).exists():
        clips = {**read_generation(folder).clips, **generation.clips}
        generation = dataclasses.replace(generation, clips=clips)
    folder.mkdir(parents=True, exist_ok=True)
    generation.write(folder)
    for number, truth in enumerate(truths):
        path = folder / f"{truth.task.id}.mp4"
        if not path.exists():
            write_video(path, generated_video(trained, truth.clip, given, config), truth.clip.fps)
        if progress is not None:
            progress(number + 1, len(truths))
    write_map(folder, [truth.task.id for truth in truths])
    return generation


def _check_folder(folder: Path, generation: Generation) -> None:
    """Videos that are there must have been made in the same way: no folder holds a mixture."""
    if not any(folder.glob("*.mp4")):
        return
    if not (folder / RECORD).exists():
        raise ValueError(f"{folder}: holds videos, but no {RECORD} that says how they were made; choose a new folder")
    if difference := read_generation(folder).difference(generation):
        raise ValueError(f"{folder}: its videos were made with {difference}; choose a new folder for others")


def generated_video(trained: TrainedModel, clip: Clip, given: Given, config: RolloutConfig | None = None) -> Video:
    """[T, H, W, 3] all frames of the clip; those that the model leaves out repeat the nearest that it has."""
    record = read_clip(clip, trained.config.data.frame_stride)
    if given == "hidden":
        made = rollout(trained, record, config)
    else:
        context = num_context(rollout_layout(record, trained), record.frames, clip.windows[0].t_h)
        made = rollout(trained, record, config, context=context)
    video = on_timeline(made.rgb, made.frames, clip.num_frames)
    given_frames = slice(clip.windows[0].t_h + 1)
    video[given_frames] = clip.rgb[given_frames]  # also those that the model's stride leaves out
    return video


def num_context(layout: LatentLayout, frames: np.ndarray, t_h: int) -> int:
    """How many of the kept `frames` [F] are given: up to t_h, and no latent in part."""
    given = int((frames <= t_h).sum())
    while given > 1 and ((layout.first_frame < given) & (layout.last_frame >= given)).any():
        given -= 1
    if given < 1:
        raise ValueError(f"no frame up to the last plain sight, {t_h}, is among those that the model keeps: {frames}")
    return given


def on_timeline(rgb: Video, frames: np.ndarray, num_frames: int) -> Video:
    """[T, H, W, 3] of pictures that stand for some of the clip's frames [F]: the nearest, of two the earlier."""
    distance = np.abs(np.arange(num_frames)[:, None] - frames[None])
    return rgb[distance.argmin(1)]
