"""Undoing what is not state: a small shift and a per-channel affine colour, both seen on the static surroundings only.

Fitting them on the carriers would let a shift stand in for a moved water line and a gain for a changed level. So the
fit sees only pixels outside the sweep region that no sweep picture changes, and its gains are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

MAX_SHIFT_PX = 3
GAIN_LIMITS = (0.6, 1.6)
OFFSET_LIMIT = 0.15  # of full scale
SATURATED = 0.985
SEARCH_PIXELS = 1000  # evenly spread static pixels that decide on the whole-pixel shift
MIN_IMPROVEMENT = 0.8  # a shift is believed when it leaves less than this share of the unshifted error
PRIOR_STRENGTH = 1e-3  # variance (of full scale, squared) at which contrast outweighs the prior "gain 1, offset 0"

Picture = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Alignment:
    """How a query differs from the sweep apart from its state: query(x) = gain * sweep(x - shift) + offset."""

    shift_px: tuple[float, float]  # (down, right)
    gain: tuple[float, float, float]
    offset: tuple[float, float, float]
    error: float  # mean squared error on the static surroundings after the fit, full scale 1


def fit_affine(query: Picture, reference: Picture) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Per channel gain and offset with query ~ gain * reference + offset; both [n, 3]. Bounded ridge least squares.

    gain = (cov(q, r) + p) / (var(r) + p), p = `PRIOR_STRENGTH`: without contrast in the reference the gain is 1.
    """
    usable = (query < SATURATED).all(axis=1)
    if usable.sum() >= 16:
        query, reference = query[usable], reference[usable]
    mean_q, mean_r = query.mean(0), reference.mean(0)
    covariance = ((query - mean_q) * (reference - mean_r)).mean(0)
    gain = (covariance + PRIOR_STRENGTH) / (((reference - mean_r) ** 2).mean(0) + PRIOR_STRENGTH)
    gain = np.clip(gain, *GAIN_LIMITS)
    offset = np.clip(mean_q - gain * mean_r, -OFFSET_LIMIT, OFFSET_LIMIT)
    return gain, offset, float(((query - gain * reference - offset) ** 2).mean())


def affine_errors(queries: Picture, reference: Picture) -> NDArray[np.float64]:
    """[S] the errors of `fit_affine` of each of queries [S, n, 3] to reference [n, 3], from moments, all at once."""
    weights = (queries < SATURATED).all(axis=2).astype(np.float64)  # [S, n]
    weights[weights.sum(axis=1) < 16] = 1.0
    weights /= weights.sum(axis=1, keepdims=True)
    r, rr = weights @ reference, weights @ reference**2  # means, [S, 3]
    q, qq, qr = ((weights[:, None] @ v)[:, 0] for v in (queries, queries**2, queries * reference))
    gain = np.clip((qr - q * r + PRIOR_STRENGTH) / (rr - r**2 + PRIOR_STRENGTH), *GAIN_LIMITS)
    offset = np.clip(q - gain * r, -OFFSET_LIMIT, OFFSET_LIMIT)
    squares = qq + gain**2 * rr + offset**2 + 2 * (gain * offset * r - gain * qr - offset * q)
    return np.asarray(squares.mean(axis=1))


def align(query: Picture, reference: Picture, static: Mask) -> Alignment:
    """Best shift (within `MAX_SHIFT_PX`) and affine colour of `query` against `reference`, on `static` pixels."""
    m = MAX_SHIFT_PX
    inner = static.copy()
    inner[:m], inner[-m:], inner[:, :m], inner[:, -m:] = False, False, False, False
    if inner.sum() < 64:
        return Alignment((0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), float("inf"))
    rows, columns = np.nonzero(inner)
    some = np.linspace(0, len(rows) - 1, min(len(rows), SEARCH_PIXELS)).astype(int)
    rows, columns = rows[some], columns[some]
    steps = np.arange(-m, m + 1)
    moved = query[rows + steps[:, None, None], columns + steps[:, None]]  # [2m + 1 down, 2m + 1 right, n, 3]
    errors = affine_errors(moved.reshape(-1, *moved.shape[2:]), reference[rows, columns]).reshape(moved.shape[:2])
    i, j = (int(v) - m for v in np.unravel_index(np.argmin(errors), errors.shape))
    shift = (i + _parabola(errors[:, j + m], i + m), j + _parabola(errors[i + m], j + m))
    gain, offset, error = fit_affine(shifted(query, shift)[inner], reference[inner])
    unmoved = fit_affine(query[inner], reference[inner])
    if error > MIN_IMPROVEMENT * unmoved[2]:
        shift, (gain, offset, error) = (0.0, 0.0), unmoved
    return Alignment(shift, tuple(map(float, gain)), tuple(map(float, offset)), error)  # type: ignore[arg-type]


def shifted(picture: Picture, shift_px: tuple[float, float]) -> Picture:
    """The picture moved back by `shift_px` (down, right): cubic, edges repeated."""
    if shift_px == (0.0, 0.0):
        return picture
    channels = [
        ndimage.shift(picture[..., c], (-shift_px[0], -shift_px[1]), order=3, mode="nearest")
        for c in range(picture.shape[2])
    ]
    return np.clip(np.stack(channels, axis=2), 0, 1)


def _parabola(errors: NDArray[np.float64], i: int) -> float:
    """Offset of the minimum of the parabola through errors[i-1:i+2], within half a step; 0 at the border."""
    if i == 0 or i == len(errors) - 1:
        return 0.0
    left, mid, right = errors[i - 1 : i + 2]
    bend = left - 2 * mid + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend > 0 else 0.0
