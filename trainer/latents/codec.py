"""Between pixels and latents. Shapes: F frames, F' latents, H W pixels, C latent channels, Y X latent grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from trainer.latents.layout import LatentLayout, Segments, check_segments


class LatentDecoder(Protocol):
    """Decoding in pieces: what `push` returns, joined, is what one call on everything gives."""

    def push(self, latents_FCYX: Tensor, starts_F: np.ndarray) -> Tensor:
        """The next latents, [F', C, Y, X], of a layout and its `starts`, to their frames, [F, 3, H, W]."""
        ...


class LatentGeometry(Protocol):
    """Where latents lie, without the weights that make them: small, and can be sent to another process."""

    def grid(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Latent grid (Y, X) of a picture; raises ValueError when the picture does not divide."""
        ...

    def layout(self, segments: Segments) -> LatentLayout:
        """Which frames the latents of these segments stand for."""
        ...


class LatentCodec(LatentGeometry, Protocol):
    """What the trainer needs of a video autoencoder.

    A codec may mix the frames of a segment (the Wan VAE does), so hidden and visible frames are given as segments
    of their own, and pixels are degraded before encoding: a causal encoder carries a hidden frame into every later
    latent of its segment.
    """

    @property
    def digest(self) -> str:
        """A name that no other codec has, whatever its weights: what latents on disk are known by."""
        ...

    @property
    def channels(self) -> int:
        """Channels C of one latent."""
        ...

    @property
    def geometry(self) -> LatentGeometry:
        """Its geometry alone; the codec itself where encoding takes no weights, and can be done anywhere."""
        ...

    def encode(self, video_F3HW: Tensor, segments: Segments) -> Tensor:
        """Pixels of a clip in [-1, 1], [F, 3, H, W], to latents [F', C, Y, X] in the order of `layout(segments)`."""
        ...

    def decoder(self) -> LatentDecoder:
        """A decoder at its beginning."""
        ...

    def decode(self, latents_FCYX: Tensor, starts_F: np.ndarray) -> Tensor:
        """Latents [F', C, Y, X] to pixels in about [-1, 1]: the frames of `layout.frames()`, [F, 3, H, W]."""
        ...


@dataclass(frozen=True, kw_only=True)
class SpaceToDepthCodec:
    """Lossless: each patch x patch block of pixels becomes the channels of one latent cell; time is untouched."""

    patch: int

    @property
    def digest(self) -> str:
        return f"space_to_depth_{self.patch}"

    @property
    def geometry(self) -> SpaceToDepthCodec:
        return self

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

    def layout(self, segments: Segments) -> LatentLayout:
        """One latent a frame, whatever the segments."""
        check_segments(segments)
        frame = np.concatenate([np.arange(start, stop) for start, stop in segments])
        return LatentLayout(
            first_frame=frame,
            last_frame=frame,
            time=frame.astype(np.float64),
            starts=np.ones(len(frame), dtype=bool),
        )

    def encode(self, video_F3HW: Tensor, segments: Segments) -> Tensor:
        num_frames, _, height, width = video_F3HW.shape
        check_segments(segments, num_frames)
        rows, columns = self.grid(height, width)
        p = self.patch
        blocks = video_F3HW[self.layout(segments).first_frame].reshape(-1, 3, rows, p, columns, p)
        return blocks.permute(0, 1, 3, 5, 2, 4).reshape(-1, 3 * p * p, rows, columns)

    def decoder(self) -> LatentDecoder:
        return _FrameDecoder(self)

    def decode(self, latents_FCYX: Tensor, starts_F: np.ndarray) -> Tensor:
        num_frames, _, rows, columns = latents_FCYX.shape
        p = self.patch
        blocks = latents_FCYX.reshape(num_frames, 3, p, p, rows, columns)
        return blocks.permute(0, 1, 4, 2, 5, 3).reshape(num_frames, 3, rows * p, columns * p)


@dataclass(frozen=True)
class _FrameDecoder:
    """Every latent decodes by itself."""

    codec: SpaceToDepthCodec

    def push(self, latents_FCYX: Tensor, starts_F: np.ndarray) -> Tensor:
        return self.codec.decode(latents_FCYX, starts_F)
