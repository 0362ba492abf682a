"""Intervals and tests that respect that clips of one scene are not independent: whole scenes are the unit.

Interval: the expanded percentile bootstrap (Hesterberg 2015, The American Statistician 69(4)). Resample as many scenes
as there are, with replacement, take the mean of all values in them; the bounds are the quantiles alpha' and
1 - alpha' of 2000 such means, alpha' = Phi(-sqrt(n / (n - 1)) t_{n-1, 0.975}), n scenes. With many scenes this is the
plain percentile interval; with few it is wider, as a t interval is. Plain percentile and BCa (Efron 1987) are here
to be compared: docs/RESULTS.md says how often each holds the truth. Figures that were measured with several fold
assignments resample these as well, apart from the scenes (Owen 2007, Annals of Applied Statistics 1(2)).
Test of a difference: sign flips of whole scenes (Fisher 1935; exact up to 12 scenes). Many at once: Holm (1979).
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

NUM_RESAMPLES = 2000
NUM_FLIPS, EXACT_SCENES = 10_000, 12  # random sign flips; with at most so many scenes all 2^n instead
ALPHA = 0.025  # left out on each side
MAX_CONDITION = 1e9  # of sums of squares: beyond, slopes are not determined
Method = Literal["expanded", "percentile", "bca"]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval; NaN bounds where a single scene gives no interval."""

    mean: float
    low: float
    high: float
    num_values: int
    num_scenes: int


@dataclass(frozen=True)
class Difference:
    """Mean of (first - second) over what both have, its interval, and the two-sided p value of "no difference"."""

    first: str
    second: str
    estimate: Estimate
    p_value: float
    p_holm: float  # adjusted for all comparisons made together


def clustered_mean(
    values: Sequence[float], scenes: Sequence[Hashable], seed: int = 0, method: Method = "expanded"
) -> Estimate:
    """Mean of `values` and its 95 % bootstrap interval over resampled scenes (see the module)."""
    return clustered_ratio(values, [1.0] * len(values), scenes, seed, method)


def clustered_ratio(
    above: Sequence[float],
    below: Sequence[float],
    scenes: Sequence[Hashable],
    seed: int = 0,
    method: Method = "expanded",
) -> Estimate:
    """sum(above) / sum(below) and its 95 % bootstrap interval over resampled scenes: a slope, a share, a mean.

    below: not negative. Resamples with nothing below count as the ratio itself. ValueError when all are empty.
    """
    return crossed_ratio(np.array([above], np.float64), np.array([below], np.float64), scenes, seed, method)


def crossed_ratio(
    above_KN: Array, below_KN: Array, scenes: Sequence[Hashable], seed: int = 0, method: Method = "expanded"
) -> Estimate:
    """The same where every value was measured K times, with another fold assignment each: these are resampled as well.

    above_KN, below_KN: [K, N]. Of the K assignments K - 1 are drawn with replacement, since the mean of so many draws
    scatters as much as that of K assignments does (Rao and Wu 1988, JASA 83); with K = 1 there are scenes alone.
    """
    sums_KS, counts_KS = _by_scene(above_KN, scenes), _by_scene(below_KN, scenes)
    if not counts_KS.sum() > 0:
        raise ValueError("a ratio over nothing: every value below the line is 0")
    num_repeats, num_scenes = sums_KS.shape
    mean = float(sums_KS.sum() / counts_KS.sum())
    if num_scenes == 1:
        return Estimate(mean, float("nan"), float("nan"), len(scenes), 1)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, num_scenes, (NUM_RESAMPLES, num_scenes))
    repeats = rng.integers(0, num_repeats, (NUM_RESAMPLES, max(num_repeats - 1, 1)))
    totals = _resampled(counts_KS, drawn, repeats)
    means = np.where(totals > 0, _resampled(sums_KS, drawn, repeats) / np.where(totals > 0, totals, 1.0), mean)
    low, high = np.quantile(means, _levels(method, means, sums_KS.sum(0), counts_KS.sum(0)))
    return Estimate(mean, float(low), float(high), len(scenes), num_scenes)


def clustered_slopes(
    values: Sequence[float] | Array, features: Array, scenes: Sequence[Hashable], seed: int = 0
) -> list[Estimate]:
    """Least-squares slopes of `values` [n] on `features` [n, k] without intercept; expanded intervals over scenes.

    Resamples that leave the slopes undetermined are drawn but not counted. ValueError when the whole is undetermined.
    """
    data, target = np.asarray(features, np.float64), np.asarray(values, np.float64)
    products = [data[:, i] * data[:, j] for i in range(data.shape[1]) for j in range(data.shape[1])]
    squares = _by_scene(np.stack(products), scenes).T.reshape(-1, data.shape[1], data.shape[1])  # [scenes, k, k]
    moments = _by_scene(data.T * target, scenes).T  # [scenes, k]
    num_scenes, whole = len(squares), squares.sum(0)
    if np.linalg.cond(whole) > MAX_CONDITION:
        raise ValueError("slopes over features that are multiples of each other, or all 0")
    slopes = np.linalg.solve(whole, moments.sum(0))
    if num_scenes == 1:
        return [Estimate(float(slope), float("nan"), float("nan"), len(target), 1) for slope in slopes]
    drawn = np.random.default_rng(seed).integers(0, num_scenes, (NUM_RESAMPLES, num_scenes))
    grams, sides = squares[drawn].sum(1), moments[drawn].sum(1)
    fine = np.linalg.cond(grams) < MAX_CONDITION
    found = np.linalg.solve(grams[fine], sides[fine][..., None])[..., 0]
    low, high = np.quantile(found, _expanded_levels(num_scenes), axis=0)
    return [
        Estimate(float(slope), float(a), float(b), len(target), num_scenes)
        for slope, a, b in zip(slopes, low, high, strict=True)
    ]


def paired_differences(
    models: Mapping[str, Mapping[Any, float]], scenes: Mapping[Any, Hashable], seed: int = 0
) -> list[Difference]:
    """Every two models compared on the clips that both have, Holm over all of these comparisons.

    models: name -> clip -> figure; scenes: clip -> scene. ValueError when two models share no clip.
    """
    found = []
    for (first, a), (second, b) in itertools.combinations(models.items(), 2):
        shared = [clip for clip in a if clip in b]
        if not shared:
            raise ValueError(f"{first} and {second} share no clip: probe both on the same data set")
        apart, where = [a[clip] - b[clip] for clip in shared], [scenes[clip] for clip in shared]
        found.append((first, second, clustered_mean(apart, where, seed), sign_flip_p(apart, where, seed)))
    adjusted = holm([p for *_, p in found])
    return [Difference(*row, p_holm) for row, p_holm in zip(found, adjusted, strict=True)]


def sign_flip_p(values: Sequence[float], scenes: Sequence[Hashable], seed: int = 0) -> float:
    """Two-sided p value of "values scatter evenly about 0", by flipping the signs of whole scenes.

    The share of flips whose |sum| is at least the observed one; all 2^n for n <= 12 scenes (so p >= 2^(1 - n)), else
    10 000 random ones and the observed.
    """
    (sums,) = _by_scene(np.array([values], np.float64), scenes)
    if len(sums) <= EXACT_SCENES:
        flips = np.array(list(itertools.product((-1.0, 1.0), repeat=len(sums))))
    else:
        random = np.random.default_rng(seed).integers(0, 2, (NUM_FLIPS, len(sums))) * 2.0 - 1.0
        flips = np.concatenate([np.ones((1, len(sums))), random])
    return float((np.abs(flips @ sums) >= abs(sums.sum()) - 1e-12 * np.abs(sums).sum()).mean())


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order given: p~_(i) = max_{j <= i} min(1, (m - j + 1) p_(j))."""
    order, adjusted, worst = np.argsort(p_values, kind="stable"), [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * float(p_values[index])))
        adjusted[index] = worst
    return adjusted


def _by_scene(values_KN: Array, scenes: Sequence[Hashable]) -> Array:
    """[K, S] sums of the values in each scene."""
    num_values = values_KN.shape[1]
    if num_values != len(scenes) or not num_values:
        raise ValueError(f"{num_values} values and {len(scenes)} scenes: give one scene for each of at least one value")
    names = {scene: i for i, scene in enumerate(dict.fromkeys(scenes))}
    index = np.array([names[scene] for scene in scenes])
    return np.stack([np.bincount(index, weights=row) for row in values_KN])


def _resampled(values_KS: Array, drawn_BS: NDArray[np.int64], repeats_BM: NDArray[np.int64]) -> Array:
    """[B] sums over the scenes drawn, over the repeats drawn."""
    sums_BK = np.stack([row[drawn_BS].sum(1) for row in values_KS], axis=1)
    return np.asarray(np.take_along_axis(sums_BK, repeats_BM, axis=1).sum(1))


def _levels(method: Method, means: Array, sums: Array, counts: Array) -> tuple[float, float]:
    """Which two quantiles of the resampled means are the bounds."""
    if method == "percentile":
        return ALPHA, 1 - ALPHA
    n = len(sums)
    if method == "expanded":
        return _expanded_levels(n)
    mean = sums.sum() / counts.sum()
    below = (np.sign(np.round(mean - means, 12)).mean() + 1) / 2  # ties count half
    bias = stats.norm.ppf(np.clip(below, 1 / len(means), 1 - 1 / len(means)))
    left_out = (sums.sum() - sums) / (counts.sum() - counts)
    apart = left_out.mean() - left_out
    scatter = float((apart**2).sum())
    acceleration = float((apart**3).sum()) / (6 * scatter**1.5) if scatter > 0 else 0.0
    shifted = [bias + stats.norm.ppf(q) for q in (ALPHA, 1 - ALPHA)]
    low, high = (float(stats.norm.cdf(bias + z / (1 - acceleration * z))) for z in shifted)
    return low, high


def _expanded_levels(num_scenes: int) -> tuple[float, float]:
    level = float(stats.norm.cdf(-np.sqrt(num_scenes / (num_scenes - 1)) * stats.t.ppf(1 - ALPHA, num_scenes - 1)))
    return level, 1 - level
