"""LoRA on the transformer's linear layers, by peft; camera modules train in full and are saved beside it.

An adapter is a folder: `pytorch_lora_weights.safetensors`, as `WanPipeline.load_lora_weights` reads it, and
`camera_modules.safetensors`, which that function does not know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from trainer.model.camera_weights import copy_saved, load_cameras, save_cameras
from trainer.model.wan import RememberingWan

LORA_FILE = "pytorch_lora_weights.safetensors"
ADAPTER = "default"  # peft's name of the only one


def add_lora(model: RememberingWan, *, rank: int, alpha: int, targets: Sequence[str]) -> None:
    """Freeze the transformer and add to each linear layer whose name ends in a target: x A^T B^T alpha / rank.

    B starts at zero, so the output stays what it was; A is drawn from torch's global generator. ValueError for a
    target that no layer has.
    """
    from peft import LoraConfig  # here: it takes seconds to import, and few runs need it

    linear = [name for name, module in model.transformer.named_modules() if isinstance(module, nn.Linear)]
    for target in targets:
        if not any(name == target or name.endswith(f".{target}") for name in linear):
            known = sorted({re.sub(r"^blocks\.\d+\.(attn\d\.)?", "", name) for name in linear if "blocks." in name})
            raise ValueError(f"model.lora_targets: no linear layer is called {target!r}; known are {', '.join(known)}")
    model.transformer.requires_grad_(False)
    model.transformer.add_adapter(LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(targets)), ADAPTER)


def save_adapter(model: RememberingWan, folder: Path) -> None:
    """Write a model's LoRA and camera modules. ValueError when it has no LoRA: then a checkpoint holds all of it."""
    from diffusers.loaders.lora_pipeline import WanLoraLoaderMixin
    from peft import get_peft_model_state_dict

    _require_lora(model, folder)
    WanLoraLoaderMixin.save_lora_weights(
        folder,
        transformer_lora_layers=get_peft_model_state_dict(model.transformer, adapter_name=ADAPTER),
        transformer_lora_adapter_metadata=model.transformer.peft_config[ADAPTER].to_dict(),
        weight_name=LORA_FILE,
    )
    save_cameras(model, folder)


def load_adapter(model: RememberingWan, folder: Path) -> None:
    """Put a saved adapter into a model built with the same LoRA and camera mode, offline and from these files alone.

    ValueError: files that are missing, broken or of another rank, target or mode.
    """
    _require_lora(model, folder)
    lora = {
        name.replace(f".{ADAPTER}.", "."): parameter
        for name, parameter in model.named_parameters()
        if ".lora_A." in name or ".lora_B." in name
    }
    copy_saved(folder / LORA_FILE, lora)
    load_cameras(model, folder)


def _require_lora(model: RememberingWan, folder: Path) -> None:
    if not getattr(model.transformer, "peft_config", None):
        raise ValueError(f"{folder}: the model has no LoRA to hold an adapter; set model.lora_rank")
