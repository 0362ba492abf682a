"""`remind forgetting BEFORE AFTER`: both models on the plain clips of a data set; forgetting.json and index.html."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from trainer.build import build_codec, build_model, default_device, for_use
from trainer.checkpoint import TrainedModel, load_trained
from trainer.config import ModelConfig, TrainConfig
from trainer.data.clips import ClipRecord
from trainer.data.prompts import told
from trainer.data.sources import open_dataset
from trainer.export import is_export
from trainer.forgetting.loss import plain, plain_losses
from trainer.forgetting.page import Exhibit, write_page
from trainer.forgetting.quality import continuation, quality, standing_still
from trainer.forgetting.result import FILE, ClipFigures, ForgettingResult, named_losses
from trainer.probe.templating import make_folder
from trainer.seen import read_seen, seen_file
from untrusted import one_line

NUM_SHOWN = 4  # clips of which the page has strips


@dataclass(frozen=True, kw_only=True)
class Options:
    """
    clips   of the data set, the first so many in the order of their ids; None: all
    draws   of noise, for each clip, task and flow time
    steps   Euler steps of each latent of a continuation
    chunk   latents that are continued together: 1 as our models are used, all of a clip as a published Wan model is
    seed    of all noise
    """

    clips: int | None = None
    draws: int = 4
    steps: int = 8
    chunk: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("clips", "draws", "steps", "chunk"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"forgetting.{name}: {value} is too small; give at least 1")


def forgetting(
    before: str | Path,
    after: str | Path,
    dataset: Path,
    out: Path,
    options: Options | None = None,
    *,
    progress: bool = True,
) -> ForgettingResult:
    """Compare the newest checkpoints of two runs (or exports of them), or published weights and a run of theirs.

    before: a run folder, a hub id, or a folder in the hub's layout. after: a run folder. dataset: rendered clips or
    imported videos; of interrupted clips the uninterrupted twin is taken, those without one are left out. Writes
    `out`/forgetting.json and `out`/index.html. ValueError names what is wrong.
    """
    options = options or Options()
    device = default_device()
    late = load_trained(Path(after), device=device)
    early = _load_before(str(before), late.config, device)
    _check_comparable(early, late)
    make_folder(Path(out))
    records = open_dataset(Path(dataset), late.config.data.frame_stride, memory_mb=0.0)
    records = records.select(range(min(len(records), options.clips or len(records))))
    late.text.prepare(sorted({told(header.prompt, "") for header in records.headers}))
    found, left_out = [], []
    exhibits: list[Exhibit] = []
    for record in tqdm(records, unit="clip", disable=not progress):
        clip = plain(record)
        if clip is None:
            left_out.append(record.clip_id)
            continue
        figures, films = _measured(early, late, clip, options)
        found.append(figures)
        if len(exhibits) < NUM_SHOWN:
            exhibits.append(Exhibit(clip_id=clip.clip_id, prompt=clip.prompt, films=films))
    if not found:
        raise ValueError(
            f"{dataset}: none of {len(left_out)} clips is known without its interruption; render them with twins, "
            f"without a look_away, or without interruptions"
        )
    scenes = [figures.scene_id for figures in found]
    result = ForgettingResult(
        dataset=str(dataset),
        before=_facts(early, str(before), scenes),
        after=_facts(late, str(after), scenes),
        options=dataclasses.asdict(options),
        prediction=late.config.flow.prediction,
        clips=tuple(found),
        left_out=tuple(left_out),
    )
    result.write(Path(out) / FILE)
    write_page(Path(out) / "index.html", result, exhibits)
    return result


def _load_before(before: str, config: TrainConfig, device: torch.device) -> TrainedModel:
    """A run, or published weights as a run of this configuration finds them before its first step."""
    if (Path(before) / "config.json").exists() or is_export(Path(before)):
        return load_trained(Path(before), device=device)
    plain_model = dataclasses.replace(
        config.model,
        pretrained=before,
        init_from="",
        lora_rank=0,
        lora_alpha=ModelConfig.lora_alpha,
        lora_targets=ModelConfig.lora_targets,
    )
    config = dataclasses.replace(config, model=plain_model)
    model = for_use(build_model(config), device)
    return TrainedModel(model=model, config=config, codec=build_codec(config, device), step=0)


def _check_comparable(before: TrainedModel, after: TrainedModel) -> None:
    """ValueError unless both mean the same by a latent, a prompt, a time and a prediction."""
    for name in ("codec", "text", "flow.prediction", "data.frame_stride"):
        there, here = (attrgetter(name)(trained.config) for trained in (before, after))
        if there != here:
            raise ValueError(one_line(f"forgetting: {name} is {there} before and {here} after; losses do not compare"))


def _measured(
    early: TrainedModel, late: TrainedModel, clip: ClipRecord, options: Options
) -> tuple[ClipFigures, dict[str, np.ndarray]]:
    """Figures of a plain clip, and its films: truth, before, after."""
    models = (early, late)
    losses = plain_losses(models, clip, draws=options.draws, seed=options.seed)
    films = [
        continuation(trained, clip, steps=options.steps, seed=options.seed, chunk=options.chunk) for trained in models
    ]
    truth = clip.rgb[: len(films[0])]
    before, after = (
        named_losses(of_model) | quality(film, truth) for of_model, film in zip(losses, films, strict=True)
    )
    figures = ClipFigures(
        clip_id=clip.clip_id,
        scene_id=clip.scene_id,
        before=before,
        after=after,
        still=quality(standing_still(truth), truth),
    )
    return figures, {"truth": truth, "before": films[0], "after": films[1]}


def _facts(trained: TrainedModel, name: str, scenes: Sequence[str]) -> dict[str, Any]:
    trained_on = None
    if seen_file(Path(name)).exists():
        known = read_seen(Path(name)).scenes
        trained_on = sum(scene in known for scene in scenes)
    return {"name": name, "step": trained.step, "trained_on": trained_on}
