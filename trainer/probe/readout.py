"""The sweep readout: event time of a picture, by comparison with pictures of known event time (DESIGN section 9).

Notation: sweep pictures S_k at event times tau_k; query Q; P_k = clip(gain * S_k + offset) the sweep as the query's
camera would show it; all means run over the pixels and channels of the region (the union of the carriers'
silhouettes over the sweep, dilated), each pixel weighted by v / (v + 0.1 mean v) with v its variance over the sweep, so
that what never changes (a shell, a textured wall seen between falling dominoes) does not drown what does.
Errors are in units of V = min(mean_k |P_k - mean P|^2, |P(t_r) - P(t_h)|^2 / 2): 1 is about the error of knowing
nothing, and one threshold serves a faint candle and a bright pendulum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from trainer.probe.registration import Alignment, align, shifted

DILATION_PX = 2
SMOOTHING_PX = 0.5  # both sides are smoothed by this before they are compared: edges of 8-sample renders are noisy
BOX_MARGIN_PX = 4
NEIGHBOURS = 3  # sweep pictures on each side that lend a pixel their value while it does not change
CHANGED = 2.0  # noise standard deviations at which a pixel counts as changed
WEIGHT_FLOOR = 0.1  # of the mean variance: a pixel that varies this little counts half
SAME_LOOK = (0.01, 0.1)  # of V, and of the best error: what differs by less than their sum looks the same


@dataclass(frozen=True)
class SweepModel:
    """A clip's sweep, prepared for reading: everything that does not depend on the query."""

    pictures: NDArray[np.float64]  # [K, H, W, 3], 0..1
    event_time_s: NDArray[np.float64]  # [K], increasing
    region: NDArray[np.bool_]  # [H, W], where the state can be seen
    static: NDArray[np.bool_]  # [H, W], surroundings that no sweep picture changes
    t_h_s: float  # event time at the last frame before hiding
    t_r_s: float  # event time at the frame of return

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
    unit: float  # V: mean squared difference of weighted colours (0..1); sweeps of two clips have two of them
    mixture_gain: float  # how much of V a mixture of arbitrary sweep pictures explains beyond that point
    sharpness: float  # gradient energy of the query over that of the best point, inside the region
    naive_time_s: float  # nearest sweep picture by plain squared error: the readout that this one replaces
    alignment: Alignment


def prepare(
    rgb: NDArray[np.uint8],
    segmentation: NDArray[np.uint16],
    event_time_s: NDArray[np.float64],
    carriers: Sequence[int],
    window_s: tuple[float, float],
) -> SweepModel:
    """Sweep [K, H, W, 3], its segmentation [K, H, W], times [K], carriers' ids and event times (t_h, t_r)."""
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
    times = np.asarray(event_time_s, np.float64)[order]
    static = outside & (flicker <= limit)
    return SweepModel(without_noise(pictures), times, region, static, *window_s)


def measure(model: SweepModel, query: NDArray[np.uint8]) -> Evidence:
    """Read one picture [H, W, 3] against the sweep."""
    if query.shape != model.pictures.shape[1:]:
        raise ValueError(f"the picture has shape {query.shape}, the sweep {model.pictures.shape[1:]}; resize it first")
    picture = query.astype(np.float64) / 255
    alignment = align(picture, model.mean, model.static)
    box = box_of(model.region)
    region, sweep = model.region[box], model.pictures[:, *box]
    aligned = shifted(picture, alignment.shift_px)[box]
    expected = np.clip(sweep * alignment.gain + alignment.offset, 0, 1)
    points = _smooth(expected)[:, region]  # [K, n, 3]
    target = _smooth(aligned[None])[0, region]  # [n, 3]
    variance = points.var(0).mean(-1)
    weight = np.sqrt(variance / (variance + WEIGHT_FLOOR * variance.mean() + 1e-12))[:, None]
    points, target = (points * weight).reshape(len(points), -1), (target * weight).ravel()
    times = model.event_time_s
    spread = _spread(points, times, model)
    errors, fractions = _polyline(points, target)
    k = int(np.argmin(errors))
    best_picture = (1 - fractions[k]) * expected[k] + fractions[k] * expected[k + 1]
    naive = ((sweep[:, region] - picture[box][region]) ** 2).mean((1, 2))
    hull = _hull_error(points, target)
    return Evidence(
        time_s=float(times[k] + fractions[k] * (times[k + 1] - times[k])),
        candidates_s=_candidates(times, errors / spread, fractions, points / np.sqrt(spread)),
        residual=float(errors[k]) / spread,
        unit=spread,
        mixture_gain=max(0.0, float(errors[k]) - hull) / spread,
        sharpness=_gradient_energy(aligned, region) / _gradient_energy(best_picture, region),
        naive_time_s=float(times[np.argmin(naive)]),
        alignment=alignment,
    )


def nearest(candidates_s: Sequence[tuple[float, float]], reference_s: float) -> float:
    """The member of the set that is nearest to a reference time."""
    members = [min(max(reference_s, low), high) for low, high in candidates_s]
    return min(members, key=lambda t: abs(t - reference_s))


def box_of(region: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns of the region, with a margin for smoothing: nothing else need be touched."""
    bounds = []
    for axis in (1, 0):
        used = np.flatnonzero(region.any(axis))
        bounds.append(slice(max(0, int(used[0]) - BOX_MARGIN_PX), int(used[-1]) + BOX_MARGIN_PX + 1))
    return bounds[0], bounds[1]


def _smooth(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, H, W, 3], each smoothed by a Gaussian of `SMOOTHING_PX`."""
    return np.asarray(ndimage.gaussian_filter(pictures, (0, SMOOTHING_PX, SMOOTHING_PX, 0)))


def without_noise(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    """A sweep [K, H, W, 3] with less render noise: each pixel is averaged over the times beside it that look alike.

    Weights exp(-d^2 / 2) with d the colour difference over `CHANGED` noise standard deviations of this pixel. The
    noise is taken from the lower quartile of the pixel's steps in time (a state passes a pixel seldom, noise is always
    there): sigma = quartile_k |S_{k+1} - S_k| / 0.3186 / sqrt(2), root mean square over channels.
    """
    steps = np.quantile(np.abs(np.diff(pictures, axis=0)), 0.25, axis=0) / 0.3186 / np.sqrt(2)
    variance = (steps**2).mean(-1) * CHANGED**2 + 1e-9  # [H, W]
    total, weights = pictures.copy(), np.ones(pictures.shape[:3])
    for gap in range(1, min(NEIGHBOURS, len(pictures) - 1) + 1):
        near = np.exp(-((pictures[gap:] - pictures[:-gap]) ** 2).mean(-1) / variance / 2)
        for here, there in ((slice(None, -gap), slice(gap, None)), (slice(gap, None), slice(None, -gap))):
            total[here] += near[..., None] * pictures[there]
            weights[here] += near
    return total / weights[..., None]


def _spread(points: NDArray[np.float64], times: NDArray[np.float64], model: SweepModel) -> float:
    """V of the module's docstring, and at least a tenth of its first term."""
    whole = float(((points - points.mean(0)) ** 2).mean())
    at_h, at_r = (int(np.argmin(abs(times - t))) for t in (model.t_h_s, model.t_r_s))
    half_step = float(((points[at_h] - points[at_r]) ** 2).mean()) / 2
    return max(min(whole, half_step), whole / 10, 1e-9)


def _polyline(points: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Errors and fractions [K-1] of the nearest points on the segments P_k -> P_{k+1}.

    fraction = clip(<Q - P_k, P_{k+1} - P_k> / |P_{k+1} - P_k|^2, 0, 1): exact where neighbouring pictures blend
    linearly, as anti-aliased edges do that move by less than a pixel.
    """
    steps = points[1:] - points[:-1]
    lengths = (steps**2).mean(1)
    offset = target - points[:-1]
    fractions = np.clip((offset * steps).mean(1) / np.maximum(lengths, 1e-12), 0, 1)
    return ((offset - fractions[:, None] * steps) ** 2).mean(1), fractions


def _hull_error(points: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    """min_w |Q - sum_k w_k P_k|^2, w >= 0, sum w = 1: the best mixture of sweep pictures (pairwise Frank-Wolfe)."""
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


def _candidates(
    times: NDArray[np.float64],
    errors: NDArray[np.float64],
    fractions: NDArray[np.float64],
    points: NDArray[np.float64],
) -> tuple[tuple[float, float], ...]:
    """Intervals of event time that explain the query as well as the best one does; errors in units of V.

    A segment qualifies when its error, less what blending its ends can cost (f (1 - f) |P_{k+1} - P_k|^2: the ghost of
    a part that jumps further than its width), is within `SAME_LOOK` of the best. Each run of such segments gives its
    local minimum, widened over the sweep pictures beside it that differ from it by no more than the same tolerance
    (a plateau, or a change that render noise hides).
    """
    lengths = ((points[1:] - points[:-1]) ** 2).mean(1)
    tolerance = SAME_LOOK[0] + SAME_LOOK[1] * float(errors.min())
    good = errors - fractions * (1 - fractions) * lengths <= errors.min() + tolerance
    labels, count = ndimage.label(good)
    found = []
    for label in range(1, count + 1):
        run = np.flatnonzero(labels == label)
        k = int(run[np.argmin(errors[run])])
        low = high = float(times[k] + fractions[k] * (times[k + 1] - times[k]))
        here = (1 - fractions[k]) * points[k] + fractions[k] * points[k + 1]
        same = ((points - here) ** 2).mean(1) <= tolerance
        i, j = k, k + 1
        while i >= 0 and same[i]:
            low, i = float(times[i]), i - 1
        while j < len(times) and same[j]:
            high, j = float(times[j]), j + 1
        found.append((low, high))
    return tuple(found)


def _gradient_energy(picture: NDArray[np.float64], region: NDArray[np.bool_]) -> float:
    """Mean squared finite difference inside the region: falls with blur, rises with noise."""
    down = (np.diff(picture, axis=0)[:, :-1] ** 2).sum(-1)
    right = (np.diff(picture, axis=1)[:-1] ** 2).sum(-1)
    inside = region[:-1, :-1]
    return float((down + right)[inside].mean()) + 1e-9
