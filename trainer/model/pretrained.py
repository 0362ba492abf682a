"""Weights of public Wan transformers, by diffusers' own `from_pretrained`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import WanTransformer3DModel

from trainer.latents.pretrained import local_part
from untrusted import one_line

PART = "transformer"  # of a pipeline in the hub's layout


def load_transformer(source: str, expected: Mapping[str, Any]) -> WanTransformer3DModel:
    """Weights of a hub id ("owner/name") or of a local folder in the hub's layout, in float32, from safetensors alone.

    expected: entries that transformer/config.json must have, by its names, so that a run's saved configuration tells
    the truth about its model. TI2V-5B is text- and image-to-video in one: its first frame is conditioned by clean
    latents at timestep 0, which is what a clean history node is here (noise level 0), so it needs nothing of its own.
    ValueError: no such folder or id, no network, a model of another kind or shape, weights that are not all there.
    """
    try:
        folder = local_part(source, PART)
        config = WanTransformer3DModel.load_config(folder)
    except (OSError, ValueError) as error:
        raise ValueError(_unreadable(source, error)) from None
    if config.get("_class_name") != WanTransformer3DModel.__name__:
        found = str(config.get("_class_name"))
        raise ValueError(one_line(f"model.pretrained: {source} holds a {found}, no {WanTransformer3DModel.__name__}"))
    for name, value in expected.items():
        held = tuple(config[name]) if isinstance(config.get(name), list) else config.get(name)
        if held != value:
            fix = "set the configuration to match, or give other weights"
            raise ValueError(one_line(f"model.pretrained: {source} has {name} {held}, the run says {value}; {fix}"))
    try:
        transformer, info = WanTransformer3DModel.from_pretrained(
            folder, torch_dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(_unreadable(source, error)) from None
    odd = sorted(str(key) for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") for key in info[kind])
    if odd:
        raise ValueError(
            one_line(f"model.pretrained: {source}: {len(odd)} weights do not fit, first {odd[0]}; fetch it again")
        )
    return transformer


def _unreadable(source: str, error: Exception) -> str:
    reason = " ".join(str(error).split()) or type(error).__name__
    fix = "without a network, `hf download` it elsewhere and give the folder"
    return one_line(f"model.pretrained: {source} cannot be loaded: {reason[:200]} ({fix})")
