"""Checkpoints: a directory of safetensors and JSON, published by one rename; nothing is ever unpickled.

<run>/config.json
<run>/checkpoints/step_00000200/{model,ema,optimizer}.safetensors, state.json
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainer.build import build_codec, build_model, build_text, for_use
from trainer.config import TrainConfig, config_from_json
from trainer.export import is_export, read_export
from trainer.latents.codec import LatentCodec
from trainer.latents.text import TextEncoder
from trainer.model.camera_weights import TRANSFORMER
from trainer.model.wan import RememberingWan
from trainer.training.devices import placed_like, whole
from trainer.training.learner import Learner, learnt_parameters
from untrusted import MAX_JSON_BYTES, one_line, read_json

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedModel:
    """A model with all that is needed to use it."""

    model: RememberingWan
    config: TrainConfig
    codec: LatentCodec
    step: int

    @cached_property
    def text(self) -> TextEncoder:
        """The configuration's text encoder, beside the model."""
        return build_text(self.config, next(self.model.parameters()).device)


def save_checkpoint(run_dir: Path, *, step: int, learner: Learner, keep: int) -> Path:
    """Write everything an exact resume needs, then delete all but the newest `keep` checkpoints that are whole.

    Damaged ones, and what killed processes left half written, go too. Randomness, place in the data and stage of the
    curriculum need no file: all derive from (seed, step). Tensors are whole: a run can go on with other devices.
    All devices must call; the first one writes.
    """
    folder = run_dir / "checkpoints"
    final = folder / f"step_{step:08d}"
    partial = folder / f".partial_{step:08d}_{os.getpid()}"
    if learner.devices.is_main:
        for stale in folder.glob(".partial_*"):
            shutil.rmtree(stale)
        partial.mkdir(parents=True)
    for name, tensors in _contents(learner).items():
        full = {key: whole(value.detach()).cpu().contiguous() for key, value in tensors.items()}
        if learner.devices.is_main:
            save_file(full, partial / f"{name}.safetensors")
    if learner.devices.is_main:
        sizes = {path.name: path.stat().st_size for path in sorted(partial.iterdir())}
        state = {"schema_version": SCHEMA_VERSION, "step": step, "files": sizes}
        (partial / "state.json").write_text(json.dumps(state, indent=1))
        for path in partial.iterdir():
            _flush(path)
        shutil.rmtree(final, ignore_errors=True)
        os.replace(partial, final)
        _flush(folder)
        published = list_checkpoints(run_dir)
        kept = [path for path in published if _damage(path) is None][-keep:]
        for path in published:
            if path not in kept:
                shutil.rmtree(path)
    learner.devices.wait()
    return final


def _contents(learner: Learner) -> dict[str, Mapping[str, Tensor]]:
    parameters = learnt_parameters(learner.model)
    names = {id(parameter): name for name, parameter in parameters.items()}
    moments = {
        f"{names[id(parameter)]}/{key}": value
        for parameter, entries in learner.optimizer.state.items()
        for key, value in entries.items()
    }
    return {"model": parameters, "ema": learner.ema, "optimizer": moments}


def list_checkpoints(run_dir: Path) -> list[Path]:
    """Published checkpoints, oldest first."""
    return sorted((run_dir / "checkpoints").glob("step_*"))


def newest_checkpoint(run_dir: Path) -> Path | None:
    """The newest checkpoint that is whole; damaged ones are named on stderr and passed over."""
    for path in reversed(list_checkpoints(run_dir)):
        if (damage := _damage(path)) is None:
            return path
        print(f"remind: {path}: {damage}; passed over, an older one is taken", file=sys.stderr)
    return None


def load_checkpoint(path: Path, learner: Learner) -> int:
    """Put a checkpoint back into a learner; returns its step."""
    step = _read_step(path)
    parameters = learnt_parameters(learner.model)
    _load_parameters(learner.model, path / "model.safetensors")
    averages = _load_tensors(path / "ema.safetensors")
    learner.ema = {name: placed_like(parameters[name])(value) for name, value in averages.items()}
    learner.optimizer.state.clear()
    for key, value in _load_tensors(path / "optimizer.safetensors").items():
        name, entry = key.rsplit("/", 1)
        learner.optimizer.state[parameters[name]][entry] = placed_like(parameters[name])(value)
    return step


def start_from(run_dir: Path, learner: Learner) -> None:
    """Put the averaged weights of another run into a learner that has not learnt yet, as weights and as their average.

    Camera modules that the run lacks stay as they are. ValueError when it holds no finished checkpoint, was trained
    otherwise (codec, text, prediction, LoRA) or has another shape.
    """
    checkpoint, config = _finished(run_dir)
    for name in ("codec", "text", "flow.prediction"):
        there, here = (attrgetter(name)(c) for c in (config, learner.config))
        if there != here:
            raise ValueError(f"model.init_from: {run_dir} has {name} {there}, this run {here}; make them equal")
    if config.model.lora_rank:
        raise ValueError(f"model.init_from: {run_dir} is a LoRA, not all weights of a model; give a run without")
    path, parameters = checkpoint / "ema.safetensors", learnt_parameters(learner.model)
    loaded = _load_tensors(path)
    absent = parameters.keys() - loaded.keys()
    if all(not name.startswith(TRANSFORMER) for name in absent):
        parameters = {name: parameter for name, parameter in parameters.items() if name not in absent}
    _assign(parameters, loaded, path)
    learner.ema = {name: p.detach().clone() for name, p in learnt_parameters(learner.model).items()}


def load_trained(run_dir: Path, *, weights: str = "ema", device: torch.device | None = None) -> TrainedModel:
    """The newest checkpoint of a run, or what `remind export` made of one, ready for rollout.

    weights: `ema` or `model`, of a run; an export holds one of them.
    """
    run_dir = Path(run_dir)
    if weights not in ("ema", "model"):
        raise ValueError(f"weights: {weights!r} is not one of ema, model")
    if is_export(run_dir):
        model, config, step = read_export(run_dir)
    else:
        model, config, step = _load_newest(run_dir, weights)
    model = for_use(model, device or torch.device("cpu"))
    return TrainedModel(model=model, config=config, codec=build_codec(config, device), step=step)


def _load_newest(run_dir: Path, weights: str) -> tuple[RememberingWan, TrainConfig, int]:
    checkpoint, config = _finished(run_dir)
    # all that was learnt is in the checkpoint: only below a LoRA are there other weights
    model = build_model(config, weights=config.model.lora_rank > 0)
    _load_parameters(model, checkpoint / f"{weights}.safetensors")
    return model, config, _read_step(checkpoint)


def _finished(run_dir: Path) -> tuple[Path, TrainConfig]:
    """Newest checkpoint and configuration of a run."""
    checkpoint = newest_checkpoint(run_dir)
    if checkpoint is None or not (run_dir / "config.json").exists():
        raise ValueError(f"{run_dir}: holds no finished checkpoint; train first, or give another run folder")
    return checkpoint, config_from_json(run_dir / "config.json")


def _read_step(path: Path) -> int:
    state = read_json(path / "state.json", MAX_JSON_BYTES)
    if state.get("schema_version") != SCHEMA_VERSION or not isinstance(state.get("step"), int):
        found = state.get("schema_version")
        raise ValueError(one_line(f"{path}/state.json: schema_version {found!r}, this version reads {SCHEMA_VERSION}"))
    return int(state["step"])


def _damage(path: Path) -> str | None:
    """What is torn in a checkpoint: a disk that was full or failed, a copy that broke off. None when nothing is."""
    try:
        files = read_json(path / "state.json", MAX_JSON_BYTES).get("files", {})
    except ValueError:
        return "state.json is missing or damaged"
    for name, size in files.items():
        found = (path / name).stat().st_size if (path / name).is_file() else 0
        if found != size:
            return one_line(f"{name} has {found} bytes of {size}")
    return None


def _load_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file; nothing else can be in one, and nothing in it is executed."""
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(one_line(f"{path}: cannot be read as safetensors: {error}")) from None
    return tensors


def _load_parameters(model: RememberingWan, path: Path) -> None:
    _assign(learnt_parameters(model), _load_tensors(path), path)


def _assign(parameters: Mapping[str, nn.Parameter], loaded: Mapping[str, Tensor], path: Path) -> None:
    """Copy tensors that were read from `path` into parameters; ValueError unless names and shapes are the same."""
    if loaded.keys() != parameters.keys():
        odd = sorted(loaded.keys() ^ parameters.keys())
        raise ValueError(one_line(f"{path}: does not fit the model; {len(odd)} parameters differ, first {odd[0]}"))
    if odd := [name for name, parameter in parameters.items() if loaded[name].shape != parameter.shape]:
        raise ValueError(f"{path}: does not fit the model; {len(odd)} shapes differ, first {odd[0]}")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(placed_like(parameter)(loaded[name]))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
