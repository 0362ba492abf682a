"""From a configuration to its codec."""

from __future__ import annotations

import torch

from trainer.config.latents import CodecConfig
from trainer.latents.codec import LatentCodec, SpaceToDepthCodec
from trainer.latents.wan_vae import WanVaeCodec, vae_channels


def load_codec(config: CodecConfig, device: torch.device | None = None) -> LatentCodec:
    """device: of the autoencoder's weights, where there are any."""
    if config.kind == "wan_vae":
        return WanVaeCodec.from_pretrained(config.pretrained, dtype=config.dtype, device=device)
    return SpaceToDepthCodec(patch=config.patch)


def latent_channels(config: CodecConfig) -> int:
    """Channels of one latent, without loading any weights."""
    return (
        vae_channels(config.pretrained) if config.kind == "wan_vae" else SpaceToDepthCodec(patch=config.patch).channels
    )
