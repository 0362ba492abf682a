"""From a configuration to its model and codec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import WanTransformer3DModel

from trainer.config import TrainConfig
from trainer.latents.build import latent_channels, load_codec, load_text, text_shape
from trainer.latents.codec import LatentCodec
from trainer.latents.text import TextEncoder
from trainer.model.camera_weights import CAMERA_FILE, load_cameras
from trainer.model.lora import add_lora
from trainer.model.pretrained import load_transformer
from trainer.model.wan import RememberingWan
from trainer.seeding import derive_seed


def build_codec(config: TrainConfig, device: torch.device | None = None) -> LatentCodec:
    return load_codec(config.codec, config.store, device)


def build_text(config: TrainConfig, device: torch.device | None = None) -> TextEncoder:
    return load_text(config.text, config.store, device)


def transformer_config(config: TrainConfig, channels: int | None = None) -> dict[str, Any]:
    """The arguments of WanTransformer3DModel that a configuration stands for. channels: of the codec, where known."""
    model, channels = config.model, channels or latent_channels(config.codec)
    head_dim, rest = divmod(model.dim, model.num_heads)
    if rest or head_dim % 2:
        raise ValueError(f"model.dim: {model.dim} must be an even multiple of num_heads {model.num_heads}")
    return {
        "patch_size": (1, model.patch, model.patch),
        "num_attention_heads": model.num_heads,
        "attention_head_dim": head_dim,
        "in_channels": channels,
        "out_channels": channels,
        "text_dim": text_shape(config.text)[1],
        "freq_dim": model.freq_dim,
        "ffn_dim": model.ffn_dim,
        "num_layers": model.num_layers,
    }


def build_model(config: TrainConfig, *, weights: bool = True, channels: int | None = None) -> RememberingWan:
    """The model before its first step: pretrained weights, or random ones, the same for the same seed.

    Camera modules beside pretrained weights (of `remind export`) are loaded too; those that are not there begin as in
    any new model. The global generator is left as it was. weights: False loads none (to count, on the meta device).
    """
    arguments = transformer_config(config, channels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(config.seed, "model"))
        if config.model.pretrained and weights:
            transformer = load_transformer(config.model.pretrained, arguments)
        else:
            transformer = WanTransformer3DModel(**arguments)
        model = RememberingWan(
            transformer,
            mode=config.model.mode,
            attention=config.model.attention,
            gradient_checkpointing=config.model.gradient_checkpointing,
        )
        beside = Path(config.model.pretrained).expanduser()
        if config.model.pretrained and weights and (beside / CAMERA_FILE).exists():
            load_cameras(model, beside, may_join=True)
        if config.model.lora_rank:
            add_lora(
                model,
                rank=config.model.lora_rank,
                alpha=config.model.lora_alpha,
                targets=config.model.lora_targets,
            )
    return model


def for_use(model: RememberingWan, device: torch.device) -> RememberingWan:
    """A model that is not trained: no gradients, evaluation mode, on a device. Where that has no flex attention sdpa
    takes its place, which computes the same."""
    if device.type != "cuda":
        model.attention = "sdpa"
    return model.requires_grad_(False).eval().to(device)


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
