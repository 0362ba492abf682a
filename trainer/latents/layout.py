"""Which frames of a clip each latent stands for. Shapes: F frames, F' latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Segments = Sequence[tuple[int, int]]  # frame ranges (start, stop), in order, each encoded by itself


@dataclass(frozen=True, kw_only=True, eq=False)
class LatentLayout:
    """The latents of one clip in order of time. Frames of the clip may be missing: those have no latent."""

    first_frame: np.ndarray  # [F'] int: the first and
    last_frame: np.ndarray  # [F'] int: the last frame of the clip that a latent stands for, inclusive
    time: np.ndarray  # [F'] float64: true temporal position in latent steps, last_frame / temporal stride
    starts: np.ndarray  # [F'] bool: encoded without any frame before it, and decoded without any latent before it

    @property
    def num_latents(self) -> int:
        return len(self.first_frame)

    def frames(self) -> np.ndarray:
        """[F] frames of the clip that the latents decode to, in that order."""
        return np.concatenate([np.arange(a, b + 1) for a, b in zip(self.first_frame, self.last_frame, strict=True)])

    def of_frame(self, frame: int) -> int:
        """Index of the latent that holds a frame; ValueError when the frame has none."""
        index = int(np.searchsorted(self.last_frame, frame))
        if index == self.num_latents or self.first_frame[index] > frame:
            raise ValueError(f"codec: frame {frame} has no latent; cut the clip so that segments are of 1 + 4k frames")
        return index


def frame_segments(hidden: np.ndarray, dropped: np.ndarray | None = None, cuts: Sequence[int] = ()) -> Segments:
    """Ranges of frames in which neither [F] bool changes; a further segment begins at each frame of `cuts`."""
    status = np.asarray(hidden, dtype=int) + (0 if dropped is None else 2 * np.asarray(dropped, dtype=int))
    inner = {int(i) for i in np.flatnonzero(np.diff(status)) + 1} | {cut for cut in cuts if 0 < cut < len(status)}
    edges = [0, *sorted(inner), len(status)]
    return tuple(pairwise(edges))


def check_segments(segments: Segments, num_frames: int | None = None) -> None:
    """ValueError unless segments are in order, apart, not empty and inside the clip."""
    end = 0
    for start, stop in segments:
        if start < end or stop <= start or (num_frames is not None and stop > num_frames):
            inside = "" if num_frames is None else f" of a clip of {num_frames} frames"
            raise ValueError(
                f"segments: ({start}, {stop}){inside} is empty, out of order or outside; give rising ranges"
            )
        end = stop
    if not segments:
        raise ValueError("segments: none given; give at least one range of frames")
