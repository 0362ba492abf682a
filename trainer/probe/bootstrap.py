"""Intervals that respect that clips of one scene are not independent: whole scenes are resampled."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

NUM_RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval; NaN bounds where a single scene gives no interval."""

    mean: float
    low: float
    high: float
    num_values: int
    num_scenes: int


def clustered_mean(values: Sequence[float], scenes: Sequence[Hashable], seed: int = 0) -> Estimate:
    """Mean of `values` and its percentile bootstrap interval (2.5 %, 97.5 %) over resampled scenes.

    A resample draws as many scenes as there are, with replacement, and takes the mean of all values in them.
    """
    if len(values) != len(scenes) or not len(values):
        raise ValueError(
            f"{len(values)} values and {len(scenes)} scenes: give one scene for each of at least one value"
        )
    names = {scene: i for i, scene in enumerate(dict.fromkeys(scenes))}
    index = np.array([names[scene] for scene in scenes])
    data = np.asarray(values, np.float64)
    sums = np.bincount(index, weights=data, minlength=len(names))
    counts = np.bincount(index, minlength=len(names))
    mean = float(data.mean())
    if len(names) == 1:
        return Estimate(mean, float("nan"), float("nan"), len(data), 1)
    drawn = np.random.default_rng(seed).integers(0, len(names), (NUM_RESAMPLES, len(names)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(mean, float(low), float(high), len(data), len(names))
