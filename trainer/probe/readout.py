"""The sweep readout: event time of a picture, by comparison with pictures of known event time (DESIGN section 9).

Notation: sweep pictures S_k at event times tau_k; query Q; P_k = clip(gain * S_k + offset) the sweep as the query's
camera would show it; all means run over the pixels and channels of the region (the union of the carriers'
silhouettes over the sweep, dilated). Errors are in units of the sweep's own spread V = mean_k |P_k - mean P|^2, so that 1
is the error of knowing nothing and one threshold serves a faint candle and a bright pendulum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from trainer.probe.registration import Alignment, align, shifted

DILATION_PX = 2


@dataclass(frozen=True)
class SweepModel:
    """A clip's sweep, prepared for reading: everything that does not depend on the query."""

    pictures: NDArray[np.float64]  # [K, H, W, 3], 0..1
    event_time_s: NDArray[np.float64]  # [K], increasing
    region: NDArray[np.bool_]  # [H, W], where the state can be seen
    static: NDArray[np.bool_]  # [H, W], surroundings that no sweep picture changes

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of the sweep, [H, W, 3]."""
        return self.pictures.mean(0)


@dataclass(frozen=True)
class Evidence:
    """What a query shows, before any verdict. Errors in units of the sweep's spread V."""

    time_s: float  # event time of the best point on the sweep's polyline
    candidates_s: tuple[tuple[float, float], ...]  # intervals of event time that look the same, best included
    residual: float  # error of the best point on the polyline
    mixture_gain: float  # how much of V a mixture of arbitrary sweep pictures explains beyond that point
    sharpness: float  # gradient energy of the query over that of the best point, inside the region
    raw_residual: float  # mean squared error of the best point, full scale 1 (the un-normalised rule, for comparison)
    naive_time_s: float  # nearest sweep picture by plain squared error: the readout that this one replaces
    alignment: Alignment


def prepare(
    rgb: NDArray[np.uint8], segmentation: NDArray[np.uint16], event_time_s: NDArray[np.float64], carriers: Sequence[int]
) -> SweepModel:
    """Sweep [K, H, W, 3], its segmentation [K, H, W], times [K] and the carriers' ids -> what `measure` needs."""
    order = np.argsort(event_time_s)
    pictures = rgb[order].astype(np.float64) / 255
    union = np.isin(segmentation, list(carriers)).any(0)
    if not union.any():
        raise ValueError("no sweep picture shows a carrier: this sweep cannot be read; render the clip again")
    if len(order) < 3:
        raise ValueError(f"a sweep of {len(order)} pictures cannot be read; render at least 3")
    region = ndimage.binary_dilation(union, iterations=DILATION_PX)
    outside = ~ndimage.binary_dilation(union, iterations=DILATION_PX + 2)
    flicker = pictures.std(0).max(-1)
    limit = max(2 / 255, 2 * float(np.median(flicker[outside]))) if outside.any() else 0.0
    return SweepModel(pictures, np.asarray(event_time_s, float)[order], region, outside & (flicker <= limit))


def measure(model: SweepModel, query: NDArray[np.uint8]) -> Evidence:
    """Read one picture [H, W, 3] against the sweep."""
    if query.shape != model.pictures.shape[1:]:
        raise ValueError(f"the picture has shape {query.shape}, the sweep {model.pictures.shape[1:]}; resize it first")
    picture = query.astype(np.float64) / 255
    alignment = align(picture, model.mean, model.static)
    aligned = shifted(picture, alignment.shift_px)
    expected = np.clip(model.pictures * alignment.gain + alignment.offset, 0, 1)
    points = expected[:, model.region].reshape(len(expected), -1)  # [K, n]
    target = aligned[model.region].ravel()
    spread = float(((points - points.mean(0)) ** 2).mean())
    errors, fractions = _polyline(points, target)
    k = int(np.argmin(errors))
    best_picture = (1 - fractions[k]) * expected[k] + fractions[k] * expected[k + 1]
    times = model.event_time_s
    naive = ((model.pictures[:, model.region] - picture[model.region]) ** 2).mean((1, 2))
    hull = _hull_error(points, target)
    return Evidence(
        time_s=float(times[k] + fractions[k] * (times[k + 1] - times[k])),
        candidates_s=_candidates(times, errors, fractions, points, spread),
        residual=float(errors[k]) / spread,
        mixture_gain=max(0.0, float(errors[k]) - hull) / spread,
        sharpness=_gradient_energy(aligned, model.region) / _gradient_energy(best_picture, model.region),
        raw_residual=float(errors[k]),
        naive_time_s=float(times[np.argmin(naive)]),
        alignment=alignment,
    )


def nearest(candidates_s: Sequence[tuple[float, float]], reference_s: float) -> float:
    """The member of the set that is nearest to a reference time."""
    members = [min(max(reference_s, low), high) for low, high in candidates_s]
    return min(members, key=lambda t: abs(t - reference_s))


def _polyline(points: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Errors [K-1] and fractions [K-1] of the nearest points on the segments P_k -> P_{k+1}.

    fraction = clip(<Q - P_k, P_{k+1} - P_k> / |P_{k+1} - P_k|^2, 0, 1): exact where neighbouring pictures blend linearly, as
    anti-aliased edges do that move by less than a pixel.
    """
    steps = points[1:] - points[:-1]
    length = (steps**2).sum(1)
    offset = target - points[:-1]
    fractions = np.clip((offset * steps).sum(1) / np.maximum(length, 1e-12), 0, 1)
    return ((offset - fractions[:, None] * steps) ** 2).mean(1), fractions


def _hull_error(points: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    """min_w |Q - sum_k w_k P_k|^2, w >= 0, sum w = 1: the best mixture of any sweep pictures (Frank-Wolfe with pairwise steps)."""
    centred = points - target
    gram = centred @ centred.T / points.shape[1]
    weights = np.zeros(len(points))
    weights[np.argmin(np.diag(gram))] = 1.0
    for _ in range(600):
        gradient = gram @ weights
        used = np.flatnonzero(weights)
        good, bad = int(np.argmin(gradient)), int(used[np.argmax(gradient[used])])
        slope = gradient[bad] - gradient[good]
        bend = gram[good, good] - 2 * gram[good, bad] + gram[bad, bad]
        if slope <= 1e-9 or bend <= 0:
            break
        step = min(slope / bend, weights[bad])
        weights[good] += step
        weights[bad] -= step
        if step == 0.0:
            break
    return float(weights @ gram @ weights)


SAME_LOOK = 0.02  # of V: pictures whose errors differ by less than this look the same


def _candidates(
    times: NDArray[np.float64],
    errors: NDArray[np.float64],
    fractions: NDArray[np.float64],
    points: NDArray[np.float64],
    spread: float,
) -> tuple[tuple[float, float], ...]:
    """Intervals of event time whose pictures explain the query as well as the best one does, within `SAME_LOOK`.

    Within a run of good segments only pictures that look the same as each other (plateaus) widen the interval; a
    moving state gives a single point, its local minimum.
    """
    good = errors <= errors.min() + SAME_LOOK * spread * 0.5
    still = ((points[1:] - points[:-1]) ** 2).mean(1) <= SAME_LOOK * spread * 0.5
    labels, count = ndimage.label(good)
    found = []
    for label in range(1, count + 1):
        run = np.flatnonzero(labels == label)
        k = int(run[np.argmin(errors[run])])
        low = high = float(times[k] + fractions[k] * (times[k + 1] - times[k]))
        for i in run[run <= k][::-1]:
            if not still[i]:
                break
            low = min(low, float(times[i]))
        for i in run[run >= k]:
            if not still[i]:
                break
            high = max(high, float(times[i + 1]))
        found.append((low, high))
    return tuple(found)


def _gradient_energy(picture: NDArray[np.float64], region: NDArray[np.bool_]) -> float:
    """Mean squared finite difference inside the region: falls with blur, rises with noise."""
    down = (np.diff(picture, axis=0)[:, :-1] ** 2).sum(-1)
    right = (np.diff(picture, axis=1)[:-1] ** 2).sum(-1)
    inside = region[:-1, :-1]
    return float((down + right)[inside].mean()) + 1e-9
