"""Interruption augmentations, in pixel space and before encoding: the world goes on, only the picture is disturbed.

Shapes: F frames, H W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DISPLAY_GAMMA = 2.2  # light falls linearly, the picture is display-referred


@dataclass(frozen=True, kw_only=True)
class Interruption:
    """What was done to a clip."""

    rgb: np.ndarray  # [F, H, W, 3] uint8
    hidden: np.ndarray  # [F] bool
    return_index: int  # first frame that is plainly seen again
    dropped: np.ndarray | None = None  # [F] bool: frames without any picture; None: none


def lights_off(rgb: np.ndarray, *, start: float, ramp: float, hold: float) -> Interruption:
    """Dim over `ramp` frames from `start`, black for `hold` frames, and back over `ramp`; all may be fractions.

    The light follows s^2 (3 - 2 s) over the ramps, as the simulator's does, and is exactly 0 in between.
    """
    frames = np.arange(len(rgb), dtype=np.float64)
    into, back = start + ramp, start + ramp + hold
    share = np.clip(np.maximum((into - frames), (frames - back)) / max(ramp, 1e-9), 0.0, 1.0)
    light = share * share * (3.0 - 2.0 * share)
    lit_again = np.flatnonzero((light == 1.0) & (frames > into))
    if not (light == 0.0).any() or not len(lit_again):
        raise ValueError(f"lights_off: start {start}, ramp {ramp}, hold {hold} leave no dark or no lit frame after it")
    gain = light ** (1.0 / DISPLAY_GAMMA)
    return Interruption(
        rgb=np.rint(rgb * gain[:, None, None, None]).astype(np.uint8),
        hidden=light == 0.0,
        return_index=int(lit_again[0]),
    )


def random_lights_off(
    rgb: np.ndarray,
    rng: np.random.Generator,
    *,
    seconds_per_frame: float,
    dark_s: tuple[float, float],
    ramp_max_s: float,
    min_seen_s: float,
    min_after: int,
) -> Interruption:
    """A random window: at least `min_seen_s` of history before it and `min_after` lit frames after it."""
    ramp = rng.uniform(0.0, ramp_max_s) / seconds_per_frame
    first = max(min_seen_s / seconds_per_frame, 1.0)
    longest = len(rgb) - min_after - first - 2.0 * ramp - 1.0
    shortest = max(dark_s[0] / seconds_per_frame, 1.0)
    if longest < shortest:
        raise ValueError(
            f"data: {len(rgb)} frames of {seconds_per_frame:g} s are too short for {dark_s[0]:g} s of darkness with "
            f"{min_seen_s:g} s before and {min_after} frames after; lower data.dark_min_s, min_seen_s or frame_stride"
        )
    hold = rng.uniform(shortest, max(min(dark_s[1] / seconds_per_frame, longest), shortest))
    start = rng.uniform(first, max(len(rgb) - min_after - hold - 2.0 * ramp - 1.0, first))
    return lights_off(rgb, start=start, ramp=ramp, hold=hold)
