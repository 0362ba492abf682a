"""Stand-ins for a model: callables clip -> pictures, of known behaviour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.clip import Clip
from tests.trainer.probe.fake_clips import NUM_FRAMES
from trainer.probe.corruptions import mean_of_sweep, soft


@dataclass(frozen=True)
class Stand:
    """A `trainer.probe.score.Generated`."""

    rgb: np.ndarray
    frames: np.ndarray
    generated: np.ndarray


def continues(clip: Clip, source: np.ndarray, stride: int = 2, free: bool = False, seed: int = 0) -> Stand:
    """`source` [T, H, W, 3], painted soft, at every `stride`-th frame once the first hiding began (`free`) or ended."""
    frames, hidden = np.arange(0, NUM_FRAMES, stride), clip.windows[0].hidden_frames
    generated = frames >= hidden[0] if free else frames > hidden[-1]
    rgb = np.stack(
        [
            soft(source[f], 0.6, 0.01, int(f) + seed) if g else clip.rgb[f]
            for f, g in zip(frames, generated, strict=True)
        ]
    )
    return Stand(rgb, frames, generated)


def remembers(clip: Clip) -> Stand:
    return continues(clip, clip.twin("observed").rgb[:])


def freezes(clip: Clip) -> Stand:
    return continues(clip, clip.twin("paused").rgb[:], free=True)


def dreams(clip: Clip) -> Stand:
    sweep = clip.sweep
    assert sweep is not None
    return continues(clip, np.stack([mean_of_sweep(sweep.rgb)] * NUM_FRAMES))


def runs_at(speed: float, seed: int = 0):  # type: ignore[no-untyped-def]  # a callable like the above
    """The event goes on at `speed` while hidden and after (in the first window: from t_h on)."""

    def rollout(clip: Clip) -> Stand:
        t_h = clip.windows[0].t_h
        later = np.arange(NUM_FRAMES) - t_h
        source = clip.twin("observed").rgb[:]
        shown = np.where(later > 0, t_h + np.round(speed * later), np.arange(NUM_FRAMES)).astype(int)
        return continues(clip, source[np.clip(shown, 0, NUM_FRAMES - 1)], seed=seed)

    return rollout
