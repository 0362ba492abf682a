"""From a configuration to its codec and its text encoder."""

from __future__ import annotations

from pathlib import Path

import torch

from trainer.config.latents import CodecConfig, StoreConfig, TextConfig
from trainer.latents import umt5
from trainer.latents.codec import LatentCodec, SpaceToDepthCodec
from trainer.latents.store import TensorStore, default_folder
from trainer.latents.stored import StoredCodec
from trainer.latents.text import BYTES, NUM_TOKENS, TextEncoder
from trainer.latents.umt5 import Umt5Encoder, text_width
from trainer.latents.wan_vae import WanVaeCodec, vae_channels
from trainer.model.shapes import HUB_CONFIGS


def load_codec(config: CodecConfig, store: StoreConfig, device: torch.device | None = None) -> LatentCodec:
    """device: of the autoencoder's weights, where there are any."""
    if config.kind == "space_to_depth":
        return SpaceToDepthCodec(patch=config.patch)
    codec = WanVaeCodec.from_pretrained(config.pretrained, dtype=config.dtype, device=device)
    if not config.latent_variants:  # nothing would be asked for twice
        return codec
    return StoredCodec(codec, TensorStore(_folder(store), "latents", max_bytes=store.latents_gb * 1e9))


def latent_channels(config: CodecConfig) -> int:
    """Channels of one latent, without loading any weights."""
    if config.kind == "wan_vae":
        return vae_channels(config.pretrained)
    return SpaceToDepthCodec(patch=config.patch).channels


def load_text(config: TextConfig, store: StoreConfig, device: torch.device | None = None) -> TextEncoder:
    """device: where prompts that are not in the store are embedded."""
    if config.kind == "bytes":
        return BYTES
    embeddings = TensorStore(_folder(store), "text")
    return Umt5Encoder(config.pretrained, embeddings, dtype=config.dtype, device=device)


def text_shape(config: TextConfig) -> tuple[int, int]:
    """(tokens S, numbers D of one) of an embedded prompt, without weights, and of public models without a network."""
    if config.kind == "bytes":
        return NUM_TOKENS, BYTES.dim
    known = HUB_CONFIGS.get(config.pretrained)
    return umt5.NUM_TOKENS, int(known["text_dim"]) if known else text_width(config.pretrained)


def _folder(config: StoreConfig) -> Path:
    return Path(config.folder).expanduser() if config.folder else default_folder()
