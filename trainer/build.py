"""From a configuration to its model and codec."""

from __future__ import annotations

import torch
from diffusers import WanTransformer3DModel

from trainer.config import TrainConfig
from trainer.latents.build import latent_channels, load_codec
from trainer.latents.codec import LatentCodec
from trainer.latents.text import TEXT_DIM
from trainer.model.wan import RememberingWan
from trainer.seeding import derive_seed


def build_codec(config: TrainConfig, device: torch.device | None = None) -> LatentCodec:
    return load_codec(config.codec, device)


def build_model(config: TrainConfig) -> RememberingWan:
    """A randomly initialised model, the same for the same seed; the global generator is left as it was."""
    channels = latent_channels(config.codec)
    head_dim, rest = divmod(config.model.dim, config.model.num_heads)
    if rest or head_dim % 2:
        raise ValueError(
            f"model.dim: {config.model.dim} must be an even multiple of num_heads {config.model.num_heads}"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(config.seed, "model"))
        transformer = WanTransformer3DModel(
            patch_size=(1, 1, 1),
            num_attention_heads=config.model.num_heads,
            attention_head_dim=head_dim,
            in_channels=channels,
            out_channels=channels,
            text_dim=TEXT_DIM,
            freq_dim=config.model.freq_dim,
            ffn_dim=config.model.ffn_dim,
            num_layers=config.model.num_layers,
        )
    return RememberingWan(
        transformer, mode=config.model.mode, gradient_checkpointing=config.model.gradient_checkpointing
    )


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
