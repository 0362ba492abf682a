"""Between pixels and latents. Shapes: B batch, F frames, H W pixels, C latent channels, Y X latent grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor


class LatentCodec(Protocol):
    """What the trainer needs of a video autoencoder.

    A codec whose latents mix frames (the Wan VAE) must be given degraded pixels, never have its latents masked:
    a causal encoder carries a hidden frame into every later latent.
    """

    @property
    def channels(self) -> int:
        """Channels C of one latent."""
        ...

    def grid(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Latent grid (Y, X) of a picture; raises ValueError when the picture does not divide."""
        ...

    def encode(self, video_BF3HW: Tensor) -> Tensor:
        """Pixels in [-1, 1], [B, F, 3, H, W], to latents [B, F', C, Y, X]."""
        ...

    def decode(self, latents_BFCYX: Tensor) -> Tensor:
        """Latents [B, F', C, Y, X] to pixels in about [-1, 1], [B, F, 3, H, W]."""
        ...

    def latent_frames(self, num_frames: int) -> np.ndarray:
        """The frame (int) at which each of the F' latents of a video of `num_frames` ends."""
        ...

    def latent_times(self, num_frames: int) -> np.ndarray:
        """True temporal RoPE position (float) of each of the F' latents, in latent steps."""
        ...


@dataclass(frozen=True, kw_only=True)
class SpaceToDepthCodec:
    """Lossless: each patch x patch block of pixels becomes the channels of one latent cell; time is untouched."""

    patch: int

    @property
    def channels(self) -> int:
        return 3 * self.patch**2

    def grid(self, height_px: int, width_px: int) -> tuple[int, int]:
        if height_px % self.patch or width_px % self.patch:
            raise ValueError(
                f"codec: a {height_px} x {width_px} picture does not divide into patches of {self.patch} px; "
                f"render at a multiple of {self.patch} or choose another codec patch"
            )
        return height_px // self.patch, width_px // self.patch

    def encode(self, video_BF3HW: Tensor) -> Tensor:
        num_clips, num_frames, _, height, width = video_BF3HW.shape
        rows, columns = self.grid(height, width)
        p = self.patch
        blocks = video_BF3HW.reshape(num_clips, num_frames, 3, rows, p, columns, p)
        return blocks.permute(0, 1, 2, 4, 6, 3, 5).reshape(num_clips, num_frames, 3 * p * p, rows, columns)

    def decode(self, latents_BFCYX: Tensor) -> Tensor:
        num_clips, num_frames, _, rows, columns = latents_BFCYX.shape
        p = self.patch
        blocks = latents_BFCYX.reshape(num_clips, num_frames, 3, p, p, rows, columns)
        return blocks.permute(0, 1, 2, 5, 3, 6, 4).reshape(num_clips, num_frames, 3, rows * p, columns * p)

    def latent_frames(self, num_frames: int) -> np.ndarray:
        return np.arange(num_frames)

    def latent_times(self, num_frames: int) -> np.ndarray:
        return np.arange(num_frames, dtype=np.float64)
