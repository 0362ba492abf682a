"""The one place where seconds become frames and frames seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Clock:
    """Frame f is shown at f / fps seconds; a clip of N frames lasts N / fps seconds."""

    num_frames: int
    fps: float

    @property
    def duration_s(self) -> float:
        return self.num_frames / self.fps

    @property
    def frame_times_s(self) -> NDArray[np.float64]:
        """[T] clip time of every frame."""
        return np.arange(self.num_frames, dtype=np.float64) / self.fps

    def seconds(self, frame: int) -> float:
        return frame / self.fps

    @classmethod
    def from_duration(cls, duration_s: float, fps: float) -> Clock:
        """Raises ValueError when the duration is not a whole number of frames."""
        frames = duration_s * fps
        if abs(frames - round(frames)) > 1e-6 or round(frames) < 1:
            nearest = max(1, round(frames)) / fps
            raise ValueError(f"{duration_s:g} s at {fps:g} fps is {frames:g} frames; nearest whole clip: {nearest:g} s")
        return cls(int(round(frames)), fps)
