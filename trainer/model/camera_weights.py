"""Camera modules on disk, beside transformer weights in diffusers' own layouts, which have no place for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainer.model.wan import RememberingWan
from untrusted import one_line

CAMERA_FILE = "camera_modules.safetensors"
TRANSFORMER = "transformer."


def camera_parameters(model: RememberingWan) -> dict[str, nn.Parameter]:
    """What a mode adds to the transformer: nothing in mode `none`."""
    return {name: p for name, p in model.named_parameters() if not name.startswith(TRANSFORMER)}


def save_cameras(model: RememberingWan, folder: Path) -> None:
    save_file({name: p.detach().contiguous() for name, p in camera_parameters(model).items()}, folder / CAMERA_FILE)


def load_cameras(model: RememberingWan, folder: Path, *, may_join: bool = False) -> None:
    """ValueError: a file that is missing, broken or of another mode. may_join: what it lacks stays as it is."""
    copy_saved(folder / CAMERA_FILE, camera_parameters(model), may_join=may_join)


def copy_saved(path: Path, parameters: Mapping[str, nn.Parameter], *, may_join: bool = False) -> None:
    """Fill parameters from a file that holds these and nothing else; ValueError when it does not.

    may_join: what it lacks stays as it is.
    """
    try:
        saved: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(one_line(f"{path}: cannot be read as safetensors: {error}")) from None
    if may_join:
        parameters = {name: parameter for name, parameter in parameters.items() if name in saved}
    shapes = ({name: t.shape for name, t in tensors.items()} for tensors in (saved, parameters))
    odd = sorted(name for name, _ in set.symmetric_difference(*(set(s.items()) for s in shapes)))
    if odd:
        fix = "set model.mode and the model.lora_* fields to what it was trained with"
        raise ValueError(one_line(f"{path}: does not fit the model, first at {odd[0]}; {fix}"))
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(saved[name])
