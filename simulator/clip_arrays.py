"""The arrays of a clip, decoded when they are indexed: of one frame, of some, or of all.

Imports numpy, h5py, pyarrow and the standard library only, as `simulator.clip` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from simulator.clip_checks import opened_arrays, plain_array
from simulator.clip_files import ClipFiles
from untrusted import one_line


class ArrayGroup:
    """Lazy arrays of one picture sequence: index or slice by frame, decoded on access."""

    def __init__(self, files: ClipFiles, group: str) -> None:
        self.files, self._group = files, group

    def _get(self, name: str) -> LazyArray:
        return LazyArray(self.files, f"{self._group}/{name}")

    @property
    def rgb(self) -> LazyArray:
        """[T, H, W, 3] uint8, display-referred sRGB."""
        return self._get("rgb")

    @property
    def segmentation(self) -> LazyArray:
        """[T, H, W] uint16; 0 is nothing, other ids in `Clip.instances`."""
        return self._get("segmentation")

    @property
    def depth_m(self) -> LazyArray:
        """[T, H, W] float32 along the camera axis, of the surface that `segmentation` names; inf for nothing."""
        return self._get("depth_m")

    @property
    def normals(self) -> LazyArray:
        """[T, H, W, 3] float16 geometric (flat) unit normals in camera axes, facing the viewer, of the surface that
        `segmentation` names, within 3e-4; 0 for nothing."""
        return self._get("normals")

    @property
    def flow_px(self) -> LazyArray:
        """[T, H, W, 2] float32 where what is seen at each pixel goes in the next frame (u right, v down), of the world
        and the camera as they are. Background lies infinitely far away. nan: the last frame; a part that is not there
        in the next frame; a point that comes to lie behind the camera."""
        return self._get("flow_px")


class LazyArray:
    """One data set of arrays.h5 that is read frame by frame on indexing (the file is open only while it is read)."""

    def __init__(self, files: ClipFiles, name: str) -> None:
        self.files, self._name = files, name

    def __getitem__(self, index: Any) -> NDArray[Any]:
        with opened_arrays(self.files) as file:
            return np.asarray(self._in(file)[index])

    def frames(self, frames: Iterable[int]) -> NDArray[Any]:
        """Some frames, in the order given: `array[:][frames]`, without unpacking the others."""
        (found,) = read_together([(self, frames)])
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:] if dtype is None else self[:].astype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        with opened_arrays(self.files) as file:
            return tuple(self._in(file).shape)

    def taken_from(self, file: h5py.File, frames: Iterable[int] | None) -> NDArray[Any]:
        """As `frames` (None: all of them), out of arrays.h5 that is open.

        One at a time, since HDF5 takes longer for a slice with a step than for everything.
        """
        array = self._in(file)
        if frames is None:
            return np.asarray(array[:])
        wanted = [int(frame) for frame in frames]
        if not all(0 <= frame < len(array) for frame in wanted):
            reason = f"{self.files.path}: {self._name.strip('/')} has {len(array)} frames, not {max(wanted) + 1}"
            raise ValueError(one_line(f"{reason}; render the clip again"))
        return np.stack([array[frame] for frame in wanted])

    def _in(self, file: h5py.File) -> h5py.Dataset:
        try:
            return plain_array(file, self._name)
        except KeyError:
            name = self._name.strip("/")
            reason = f"{self.files.path}: no {name}; render (or pack) the clip with it among the outputs"
            raise ValueError(one_line(reason)) from None


def read_together(wanted: Sequence[tuple[LazyArray, Iterable[int] | None]]) -> list[NDArray[Any]]:
    """`array.frames(frames)` of several arrays of one clip (None: all frames), whose file is opened once for them."""
    with opened_arrays(wanted[0][0].files) as file:
        return [array.taken_from(file, frames) for array, frames in wanted]
