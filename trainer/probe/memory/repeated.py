"""Nested cross-validation over several fold assignments, because with few scenes a figure depends on the folds.

R2 of K assignments: 1 - sum of errors / sum of spreads, both over rows and assignments (Burman 1989, Biometrika 76;
Kim 2009, Computational Statistics & Data Analysis 53). Its interval resamples scenes and assignments
(`trainer.probe.bootstrap.crossed_ratio`). Repeats share their scenes: they make the dependence on folds small, and
add no evidence. What training sets overlap is in no such interval (Dietterich 1998, Neural Computation 10; Nadeau and
Bengio 2003, Machine Learning 52), and no unbiased estimate of it exists (Bengio and Grandvalet 2004, JMLR 5).
Arrays: K assignments, N rows, O outputs of a target, D features.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trainer.probe.bootstrap import Estimate, crossed_ratio
from trainer.probe.memory.nested import OutOfFold, Target, chosen, nested_ridge
from trainer.seeding import derive_seed

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Repeated:
    """A target at the same rows, as read with each of K fold assignments."""

    readings: tuple[OutOfFold, ...]

    @property
    def errors_KN(self) -> Array:
        return np.stack([r.errors for r in self.readings])

    @property
    def spreads_KN(self) -> Array:
        return np.stack([r.spreads for r in self.readings])

    @property
    def fold_sd(self) -> float | None:
        """Standard deviation of R2 from one assignment to another; None for a single one."""
        return float(np.std([r.r2 for r in self.readings], ddof=1)) if len(self.readings) > 1 else None

    def r2(self, scenes: Sequence[Hashable]) -> Estimate:
        """R2 over all assignments, with its interval over scenes and assignments."""
        return r2_of(self.errors_KN, self.spreads_KN, scenes)

    def of(self, predict: Callable[[OutOfFold], Array]) -> Repeated:
        """The same rows and folds, predicted otherwise: [N, O] of each assignment."""
        return Repeated(tuple(r.of(predict(r)) for r in self.readings))


def r2_of(errors_KN: Array, spreads_KN: Array, scenes: Sequence[Hashable]) -> Estimate:
    """1 - sum of errors / sum of spreads, with its interval."""
    lost = crossed_ratio(errors_KN, spreads_KN, scenes)
    return replace(lost, mean=1.0 - lost.mean, low=1.0 - lost.high, high=1.0 - lost.low)


def fold_seeds(seed: int, name: str, repeats: int) -> list[int]:
    """Of each assignment; more repeats begin with the same ones."""
    return [derive_seed(seed, "cache probe folds", name, k) for k in range(repeats)]


def repeated_ridge(
    sites: Sequence[Array],
    targets: Mapping[str, Target],
    scenes: Sequence[Hashable],
    *,
    budget: int,
    seeds: Sequence[int],
) -> list[dict[str, Repeated]]:
    """`nested_ridge` with the folds of every seed; one mapping for each site."""
    runs = [nested_ridge(sites, targets, scenes, budget=budget, seed=seed) for seed in seeds]
    return [
        {name: Repeated(tuple(run[place][name] for run in runs)) for name in targets} for place in range(len(sites))
    ]


def chosen_of_each(candidates: Sequence[Repeated]) -> tuple[Repeated, list[int]]:
    """`chosen` for each assignment by itself; the numbers chosen in all their outer folds."""
    found = [chosen(readings) for readings in zip(*(c.readings for c in candidates), strict=True)]
    return Repeated(tuple(best for best, _ in found)), [pick for _, picks in found for pick in picks]
