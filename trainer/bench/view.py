"""Whether a picture shows the view of the return, and where a foreign camera puts it.

A model that is told about the camera by a prompt alone turns back a little too far or too early. What registration
allows (3 px) is for codecs; here the picture may be moved by up to `MAX_MOVE_PX`, decided on the static surroundings
alone, so that no move can stand in for a state. What then still does not resemble the surroundings is another view, and
is not read: R^2 = 1 - error / variance (the lesser of the picture's and the surroundings') is 1 for renders of the same
view and below 0.45 for other views and other clips (docs/RESULTS.md, Benchmark).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from trainer.probe.readout import SweepModel
from trainer.probe.registration import MAX_SHIFT_PX, MIN_IMPROVEMENT, SEARCH_PIXELS, affine_errors, align

MAX_MOVE_PX = 10
MIN_VIEW = 0.5
ROUNDING = 1e-12  # errors below this (of full scale, squared) are alike


def recentred(picture: NDArray[np.uint8], sweep: SweepModel) -> NDArray[np.uint8]:
    """The picture [H, W, 3] moved onto the sweep's view; unchanged where registration does as well."""
    move = coarse_move(picture.astype(np.float64) / 255, sweep.mean, sweep.static)
    if max(map(abs, move)) <= MAX_SHIFT_PX:
        return picture
    return np.asarray(ndimage.shift(picture, (-move[0], -move[1], 0), order=0, mode="nearest"))


def coarse_move(
    query: NDArray[np.float64], reference: NDArray[np.float64], static: NDArray[np.bool_]
) -> tuple[int, int]:
    """How far (down, right) in whole pixels the query is from the reference; (0, 0) unless moving helps clearly."""
    m = MAX_MOVE_PX
    inner = static.copy()
    inner[:m], inner[-m:], inner[:, :m], inner[:, -m:] = False, False, False, False
    rows, columns = np.nonzero(inner)
    if len(rows) < 64:
        return 0, 0
    some = np.linspace(0, len(rows) - 1, min(len(rows), SEARCH_PIXELS)).astype(int)
    rows, columns = rows[some], columns[some]
    steps = np.arange(-m, m + 1)
    moved = query[rows + steps[:, None, None], columns + steps[:, None]]  # [2m + 1 down, 2m + 1 right, n, 3]
    errors = affine_errors(moved.reshape(-1, *moved.shape[2:]), reference[rows, columns]).reshape(moved.shape[:2])
    errors = np.maximum(errors, ROUNDING)
    i, j = (int(v) for v in np.unravel_index(np.argmin(errors), errors.shape))
    return (i - m, j - m) if errors[i, j] < MIN_IMPROVEMENT * errors[m, m] else (0, 0)


def view_share(picture: NDArray[np.uint8], sweep: SweepModel) -> float:
    """R^2 of the static surroundings after registration and affine colour; 1 where there are none to look at."""
    seen = picture.astype(np.float64) / 255
    alignment = align(seen, sweep.mean, sweep.static)
    if not np.isfinite(alignment.error):
        return 1.0
    variances = [float(((p - p.mean(0)) ** 2).mean()) for p in (sweep.mean[sweep.static], seen[sweep.static])]
    return 1.0 - alignment.error / max(min(variances), 1e-9)
