"""A codec that remembers on disk what it has encoded. Shapes: F frames, F' latents, C Y X latent."""

from __future__ import annotations

import hashlib

import numpy as np
from torch import Tensor

from trainer.latents.codec import LatentCodec, LatentDecoder, LatentGeometry
from trainer.latents.layout import LatentLayout, Segments
from trainer.latents.store import TensorStore


class StoredCodec:
    """Any codec, whose `encode` looks into a store first.

    The key is the codec's digest, the segments and the pixels themselves, not the clip's id: another codec, another
    interruption, another augmentation or a clip rendered anew can never be mistaken for what is there.
    """

    def __init__(self, codec: LatentCodec, store: TensorStore) -> None:
        self.codec, self.store = codec, store

    @property
    def digest(self) -> str:
        return self.codec.digest

    @property
    def channels(self) -> int:
        return self.codec.channels

    @property
    def geometry(self) -> LatentGeometry:
        return self.codec.geometry

    def grid(self, height_px: int, width_px: int) -> tuple[int, int]:
        return self.codec.grid(height_px, width_px)

    def layout(self, segments: Segments) -> LatentLayout:
        return self.codec.layout(segments)

    def encode(self, video_F3HW: Tensor, segments: Segments) -> Tensor:
        pixels = hashlib.blake2b(np.ascontiguousarray(video_F3HW.cpu().numpy()).tobytes()).hexdigest()
        key = f"{self.digest} {tuple(video_F3HW.shape)} {pixels} {[tuple(map(int, segment)) for segment in segments]}"
        latents = self.store.get(key)
        if latents is None:
            latents = self.codec.encode(video_F3HW, segments)
            self.store.put(key, latents)
        return latents.to(video_F3HW.device)

    def decoder(self) -> LatentDecoder:
        return self.codec.decoder()

    def decode(self, latents_FCYX: Tensor, starts_F: np.ndarray) -> Tensor:
        return self.codec.decode(latents_FCYX, starts_F)
