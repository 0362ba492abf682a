"""A trained model to take elsewhere, in the layouts that diffusers reads, with what those have no place for beside it.

<folder>/remind.json                        step, which weights, what the camera modules are
<folder>/train_config.json                  the run's configuration
<folder>/camera_modules.safetensors         PM-RoPE's matrices and whatever else the mode has
<folder>/pytorch_lora_weights.safetensors   of a run with a LoRA: `WanPipeline.load_lora_weights(folder)`
<folder>/transformer/                       of any other: `WanTransformer3DModel.from_pretrained` reads it, and training
                                            begins from it with `model.pretrained=<folder>`
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.build import build_model
from trainer.config import TrainConfig, config_from_json
from trainer.model.camera_weights import CAMERA_FILE, camera_parameters, load_cameras, save_cameras
from trainer.model.lora import load_adapter, save_adapter
from trainer.model.pretrained import PART
from trainer.model.wan import RememberingWan
from untrusted import MAX_JSON_BYTES, one_line, read_json

FACTS, CONFIG = "remind.json", "train_config.json"
SCHEMA_VERSION = 1
DESCRIPTOR = "position 3, camera axes 9 (row by row), log fx, log fy; of the first camera, over scene_scale_m and width"


def write_export(
    folder: Path, model: RememberingWan, config: TrainConfig, *, step: int, weights: str, beside: Sequence[Path] = ()
) -> None:
    """Publish a model by one rename. weights: what they are called in the facts. beside: files that are copied too.

    ValueError when the folder exists.
    """
    if folder.exists():
        raise ValueError(f"{folder}: exists already; choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    if config.model.lora_rank:
        save_adapter(model, partial)
    else:
        model.transformer.save_pretrained(partial / PART)
        save_cameras(model, partial)
    for path in beside:
        shutil.copyfile(path, partial / path.name)
    (partial / CONFIG).write_text(config.to_json())
    (partial / FACTS).write_text(json.dumps(_facts(model, config, step, weights), indent=1) + "\n")
    os.replace(partial, folder)


def is_export(folder: Path) -> bool:
    return (folder / FACTS).is_file()


def read_export(folder: Path) -> tuple[RememberingWan, TrainConfig, int]:
    """The model of an export, its configuration and its step: output bit for bit that of the run.

    A LoRA goes onto the weights that the configuration names. ValueError for files that are missing, broken or of
    another version.
    """
    facts = read_json(folder / FACTS, MAX_JSON_BYTES)
    if facts.get("schema_version") != SCHEMA_VERSION or not isinstance(facts.get("step"), int):
        found = facts.get("schema_version")
        raise ValueError(one_line(f"{folder / FACTS}: schema_version {found!r}, this version reads {SCHEMA_VERSION}"))
    config = config_from_json(folder / CONFIG)
    if config.model.lora_rank:
        model = build_model(config)
        load_adapter(model, folder)
    else:
        here = dataclasses.replace(config, model=dataclasses.replace(config.model, pretrained=str(folder)))
        model = build_model(here)
        load_cameras(model, folder)
    return model, config, facts["step"]


def _facts(model: RememberingWan, config: TrainConfig, step: int, weights: str) -> dict[str, Any]:
    base = config.model.pretrained or f"random weights of seed {config.seed}"
    return {
        "schema_version": SCHEMA_VERSION,
        "step": step,
        "weights": weights,
        "base": base if config.model.lora_rank else None,
        "camera_modules": {
            "file": CAMERA_FILE,
            "mode": config.model.mode,
            "descriptor": DESCRIPTOR,
            "shapes": {name: list(p.shape) for name, p in camera_parameters(model).items()},
        },
    }
