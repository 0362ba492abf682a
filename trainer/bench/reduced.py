"""A truth clip at the size at which pictures are read.

The sweep readout is measured at 32 and 64 px (docs/RESULTS.md) and allows a shift of 3 px; a picture of 256 px is
therefore reduced, by area and a whole factor, to the smallest size that is not below `READ_SIDE_PX`.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.clip import ArrayGroup, Cameras, Clip, LazyArray, Sweep

READ_SIDE_PX = 64


def at_read_size(clip: Clip) -> Clip:
    """The clip itself when it is small enough."""
    height, width = clip.rgb.shape[1:3]
    factor = min(height, width) // READ_SIDE_PX
    while factor > 1 and (height % factor or width % factor):
        factor -= 1
    return clip if factor <= 1 else ReducedClip.of(clip, factor)


def reduced(pictures: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """[..., H, W, 3] by area to [..., H / factor, W / factor, 3]."""
    *lead, height, width, channels = pictures.shape
    blocks = pictures.reshape(*lead, height // factor, factor, width // factor, factor, channels)
    return np.round(blocks.mean(axis=(-4, -2), dtype=np.float64)).astype(np.uint8)


class ReducedArray(LazyArray):
    """Pictures, reduced when they are read; indexed by frame only."""

    def __init__(self, whole: LazyArray, factor: int) -> None:
        self._whole, self._factor = whole, factor

    def __getitem__(self, index: Any) -> NDArray[Any]:
        return reduced(self._whole[index], self._factor)

    @property
    def shape(self) -> tuple[int, ...]:
        count, height, width, channels = self._whole.shape
        return count, height // self._factor, width // self._factor, channels


class ThinnedArray(LazyArray):
    """Instance ids: those of one pixel of each block; indexed by frame only."""

    def __init__(self, whole: LazyArray, factor: int) -> None:
        self._whole, self._factor = whole, factor

    def __getitem__(self, index: Any) -> NDArray[Any]:
        return np.asarray(self._whole[index][..., self._factor // 2 :: self._factor, self._factor // 2 :: self._factor])

    @property
    def shape(self) -> tuple[int, ...]:
        count, height, width = self._whole.shape
        return count, height // self._factor, width // self._factor


class ReducedTwin(ArrayGroup):
    """A twin with reduced pictures and masks."""

    def __init__(self, whole: ArrayGroup, factor: int) -> None:
        super().__init__(whole.files, "")
        self._whole, self._factor = whole, factor

    @property
    def rgb(self) -> LazyArray:
        return ReducedArray(self._whole.rgb, self._factor)

    @property
    def segmentation(self) -> LazyArray:
        return ThinnedArray(self._whole.segmentation, self._factor)


class ReducedClip(Clip):
    """A clip of which everything that the readout looks at is reduced: pictures, twins, sweeps and intrinsics."""

    factor: int

    @classmethod
    def of(cls, clip: Clip, factor: int) -> ReducedClip:
        small = cls.read(clip.files)
        small.factor = factor
        cameras = small.cameras
        intrinsics = np.diag([1 / factor, 1 / factor, 1.0]) @ cameras.intrinsics
        small.cameras = Cameras(intrinsics, cameras.camera_from_world, cameras.scene_scale_m)
        return small

    @property
    def rgb(self) -> LazyArray:
        return ReducedArray(super().rgb, self.factor)

    def twin(self, name: str) -> ArrayGroup:
        return ReducedTwin(super().twin(name), self.factor)

    @cached_property
    def sweeps(self) -> tuple[Sweep, ...]:
        """Instance ids are those of one pixel of each block."""
        middle = self.factor // 2
        found = super().sweeps
        return tuple(
            dataclasses.replace(
                sweep,
                rgb=reduced(sweep.rgb, self.factor),
                segmentation=sweep.segmentation[:, middle :: self.factor, middle :: self.factor],
            )
            for sweep in found
        )
