"""Interruption augmentations, in pixel space and before encoding: the world goes on, only the picture is disturbed.

Shapes: F frames, H W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trainer.data.veils import SUDDEN, VEILS, Scene

MIN_AFTER = 1  # clear frames that training keeps after an interruption


@dataclass(frozen=True, kw_only=True)
class Interruption:
    """What was done to a clip."""

    rgb: np.ndarray  # [F, H, W, 3] uint8
    hidden: np.ndarray  # [F] bool
    plain: np.ndarray  # [F] bool: not even in part hidden, as by a light that is going out
    returns: tuple[int, ...]  # for each interruption the first frame that is plainly seen again; none: it never ends
    dropped: np.ndarray  # [F] bool: hidden because there is no picture at all
    kind: str | None = None  # of `VEILS`; "": nothing is hidden; None: as the clip was rendered


def strength_of(num_frames: int, *, start: float, ramp: float, hold: float) -> np.ndarray:
    """[F] how much is hidden: rising over `ramp` frames from `start`, 1 for `hold` frames, falling over `ramp`.

    All may be fractions. What is left follows s^2 (3 - 2 s) over the ramps, as the simulator's light does.
    """
    frames = np.arange(num_frames, dtype=np.float64)
    into, back = start + ramp, start + ramp + hold
    share = np.clip(np.maximum((into - frames), (frames - back)) / max(ramp, 1e-9), 0.0, 1.0)
    return np.asarray(1.0 - share * share * (3.0 - 2.0 * share))


def interrupted(
    kind: str,
    rgb: np.ndarray,
    rng: np.random.Generator,
    *,
    start: float,
    ramp: float,
    hold: float,
    cover: np.ndarray | None = None,
) -> Interruption:
    """A clip with one interruption; timing as in `strength_of`, in frames.

    While it is hidden the pictures do not depend on what is beneath; where nothing happens they are the clip's own.
    cover [H, W] bool: what an occluder must hide; None: the whole picture. Another cover leaves its surroundings seen,
    with the shadows and reflections that the event may throw there.
    """
    if kind not in VEILS:
        raise ValueError(f"interruption: {kind!r} is unknown; choose of {', '.join(VEILS)}")
    strength = strength_of(len(rgb), start=start, ramp=ramp, hold=hold)
    clear_again = np.flatnonzero((strength == 0.0) & (np.arange(len(rgb)) > start + ramp))
    if not (strength == 1.0).any() or not len(clear_again):
        raise ValueError(f"{kind}: start {start}, ramp {ramp}, hold {hold} leave no hidden or no clear frame after it")
    if cover is None or not cover.any():
        cover = np.ones(rgb.shape[1:3], dtype=bool)
    veil = VEILS[kind](Scene(first_picture=rgb[0], cover=cover), rng)
    shown = rgb.copy()
    touched = np.flatnonzero(strength > 0.0)
    for frame in touched:
        seen = veil(
            rgb[frame].astype(np.float64), float(strength[frame]), int(frame - touched[0]), bool(frame <= start + ramp)
        )
        shown[frame] = np.rint(np.clip(seen, 0.0, 255.0)).astype(np.uint8)
    hidden = strength == 1.0
    dropped = hidden if kind == "frame_drop" else np.zeros_like(hidden)
    plain = strength == 0.0
    returns = (int(clear_again[0]),)
    return Interruption(rgb=shown, hidden=hidden, plain=plain, returns=returns, dropped=dropped, kind=kind)


def random_interruption(
    rgb: np.ndarray,
    rng: np.random.Generator,
    *,
    weights: Mapping[str, float],
    seconds_per_frame: float,
    hidden_s: tuple[float, float],
    ramp_max_s: float,
    min_seen_s: float,
    min_after: int,
    cover: np.ndarray | None = None,
) -> Interruption:
    """A random kind by `weights`, in a random window: `min_seen_s` of history before, `min_after` clear frames after.

    hidden_s: least and most seconds for which nothing is seen. ramp_max_s: of each ramp; it is shorter where the clip
    would have no room for the least.
    """
    room = checked_room(
        len(rgb), seconds_per_frame=seconds_per_frame, hidden_s=hidden_s, min_seen_s=min_seen_s, min_after=min_after
    )
    kinds = sorted(kind for kind, weight in weights.items() if weight > 0.0)
    shares = np.array([weights[kind] for kind in kinds], dtype=np.float64)
    kind = kinds[
        int(np.searchsorted(np.cumsum(shares / shares.sum()), rng.random(), side="right").clip(0, len(kinds) - 1))
    ]
    shortest, _ = _hold_range(hidden_s, seconds_per_frame, room)
    longest_ramp_s = min(ramp_max_s, 0.5 * (room - shortest) * seconds_per_frame)
    ramp = rng.uniform(0.0, longest_ramp_s) / seconds_per_frame * (kind not in SUDDEN)
    hold = rng.uniform(*_hold_range(hidden_s, seconds_per_frame, room - 2.0 * ramp))
    first = _first_hidden(min_seen_s, seconds_per_frame)
    start = rng.uniform(first, max(len(rgb) - min_after - hold - 2.0 * ramp - 1.0, first))
    return interrupted(kind, rgb, rng, start=start, ramp=ramp, hold=hold, cover=cover)


def longest_hold_s(
    num_frames: int, *, seconds_per_frame: float, hidden_s: tuple[float, float], min_seen_s: float, min_after: int
) -> float:
    """The longest time for which `random_interruption` can hide anything in a clip of so many frames."""
    room = num_frames - min_after - _first_hidden(min_seen_s, seconds_per_frame) - 1.0
    return _hold_range(hidden_s, seconds_per_frame, room)[1] * seconds_per_frame


def checked_room(
    num_frames: int, *, seconds_per_frame: float, hidden_s: tuple[float, float], min_seen_s: float, min_after: int
) -> float:
    """Frames that `random_interruption` can hide or dim in a clip of so many. ValueError where they are too few."""
    room = num_frames - min_after - _first_hidden(min_seen_s, seconds_per_frame) - 1.0
    if room < _hold_range(hidden_s, seconds_per_frame, room)[0]:
        raise ValueError(
            f"data: {num_frames} frames of {seconds_per_frame:g} s are too short to hide {hidden_s[0]:g} s with "
            f"{min_seen_s:g} s before and {min_after} frames after; lower data.hidden_min_s, min_seen_s or frame_stride"
        )
    return room


def _first_hidden(min_seen_s: float, seconds_per_frame: float) -> float:
    """Frames of undisturbed history before an interruption, at least."""
    return max(min_seen_s / seconds_per_frame, 1.0)


def _hold_range(hidden_s: tuple[float, float], seconds_per_frame: float, room: float) -> tuple[float, float]:
    """Fewest and most frames for which nothing is seen, where there is room for `room` of them."""
    shortest = max(hidden_s[0] / seconds_per_frame, 1.0)
    return shortest, max(min(hidden_s[1] / seconds_per_frame, room), shortest)
