"""Nested cross-validation grouped by scene: nothing of a scene that is predicted was ever seen, by any choice.

Outer folds give the predictions that are scored. Inside the training scenes of each, inner folds choose the penalty,
separately for each target, and give the R2 by which a layer may be chosen. What is regressed out of a target, and the
scaling and the principal components of the features, are fitted on the training rows of whichever fold is at hand.
Arrays: N rows, D features, O outputs of a target, C columns of all targets, P penalties.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.probe.memory.ridge import PENALTIES, RidgePath, least_squares, with_one

OUTER, INNER = 5, 4  # folds, where there are as many scenes

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """What is to be predicted at each row; `known`: what is first regressed out of it (with an intercept)."""

    values_NO: Array
    known_NQ: Array | None = None

    def split(self, train: Indices, test: Indices) -> tuple[Array, Array]:
        """Of the training and of the test rows; regressed out by the training rows alone."""
        if self.known_NQ is None:
            return self.values_NO[train], self.values_NO[test]
        fit = least_squares(self.known_NQ[train], self.values_NO[train])
        rest = self.values_NO - with_one(self.known_NQ) @ fit
        return rest[train], rest[test]


@dataclass(frozen=True, kw_only=True, eq=False)
class OutOfFold:
    """A target at every row, as predicted from other scenes."""

    truth_NO: Array
    predicted_NO: Array
    mean_NO: Array  # of the training rows: what is predicted by knowing nothing
    fold_N: Indices
    validated: Array  # [folds] R2 in the inner folds at the penalty chosen there

    @property
    def errors(self) -> Array:
        """[N] squared error, summed over outputs."""
        return np.asarray(((self.truth_NO - self.predicted_NO) ** 2).sum(1))

    @property
    def spreads(self) -> Array:
        """[N] squared distance from the training mean, summed over outputs."""
        return np.asarray(((self.truth_NO - self.mean_NO) ** 2).sum(1))

    @property
    def r2(self) -> float:
        """1 - sum of errors / sum of spreads: 0 for a probe that knows nothing, below 0 for one that is misled."""
        return 1.0 - float(self.errors.sum() / self.spreads.sum())

    def of(self, predicted_NO: Array) -> OutOfFold:
        """The same rows and folds, predicted otherwise."""
        return OutOfFold(
            truth_NO=self.truth_NO,
            predicted_NO=predicted_NO,
            mean_NO=self.mean_NO,
            fold_N=self.fold_N,
            validated=self.validated,
        )


@dataclass(frozen=True, eq=False)
class _Fold:
    train: Indices
    test: Indices
    train_NC: Array
    test_NC: Array
    inner: tuple[_Fold, ...] = ()


def scene_folds(scenes: Sequence[Hashable], count: int, rng: np.random.Generator) -> Indices:
    """[N] fold of each row: whole scenes dealt out in random order to `count` folds, or one a scene if fewer."""
    order = {scene: place for place, scene in enumerate(dict.fromkeys(scenes))}
    fold_of = rng.permutation(len(order)) % min(count, len(order))
    return np.array([fold_of[order[scene]] for scene in scenes], dtype=np.intp)


def nested_ridge(
    sites: Sequence[Array], targets: Mapping[str, Target], scenes: Sequence[Hashable], *, budget: int, seed: int = 0
) -> list[dict[str, OutOfFold]]:
    """Every target predicted from each of `sites` ([N, D] features of the same rows); one mapping for each site.

    budget: principal components read of a site. ValueError for fewer than three scenes.
    """
    if len(set(scenes)) < 3:
        raise ValueError(f"{len(set(scenes))} scenes: nested cross-validation by scene takes at least three")
    rng = np.random.default_rng(seed)
    fold_N = scene_folds(scenes, OUTER, rng)
    folds = [_fold(targets, scenes, fold_N == k, rng, depth=2) for k in range(int(fold_N.max()) + 1)]
    slices, start = {}, 0
    for name, target in targets.items():
        slices[name] = slice(start, start + target.values_NO.shape[1])
        start += target.values_NO.shape[1]
    return [_site(np.asarray(site, np.float64), folds, fold_N, slices, budget) for site in sites]


def chosen(candidates: Sequence[OutOfFold]) -> tuple[OutOfFold, list[int]]:
    """For each outer fold the candidate (of the same rows and folds) that its inner folds rated best; their numbers."""
    picks = np.argmax([c.validated for c in candidates], axis=0)
    first = candidates[0]
    predicted = np.stack([c.predicted_NO for c in candidates])[picks[first.fold_N], np.arange(len(first.fold_N))]
    return first.of(predicted), picks.tolist()


def regression(target: Target, folds_N: Indices) -> Array:
    """[N, O] a target's values as ordinary least squares predicts them from its `known` of the other folds."""
    assert target.known_NQ is not None, "nothing is known"
    predicted = np.empty_like(target.values_NO)
    for k in range(int(folds_N.max()) + 1):
        train, test = folds_N != k, folds_N == k
        predicted[test] = with_one(target.known_NQ[test]) @ least_squares(
            target.known_NQ[train], target.values_NO[train]
        )
    return predicted


def _fold(
    targets: Mapping[str, Target],
    scenes: Sequence[Hashable],
    is_test: NDArray[np.bool_],
    rng: np.random.Generator,
    depth: int,
    among: Indices | None = None,
) -> _Fold:
    """One fold with its targets as columns; the outer ones (depth 2) with inner ones of their training rows."""
    among = np.arange(len(scenes)) if among is None else among
    train, test = among[~is_test], among[is_test]
    parts = [target.split(train, test) for target in targets.values()]
    inner: tuple[_Fold, ...] = ()
    if depth > 1:
        within = [scenes[i] for i in train]
        number = scene_folds(within, INNER, rng)
        inner = tuple(_fold(targets, scenes, number == k, rng, depth - 1, train) for k in range(int(number.max()) + 1))
    aims = [np.concatenate(part, axis=1) for part in zip(*parts, strict=True)]
    return _Fold(train, test, aims[0], aims[1], inner)


def _site(
    features_ND: Array, folds: Sequence[_Fold], fold_N: Indices, slices: Mapping[str, slice], budget: int
) -> dict[str, OutOfFold]:
    num_columns = folds[0].test_NC.shape[1]
    truth, predicted, mean = (np.empty((len(fold_N), num_columns)) for _ in range(3))
    validated = {name: np.empty(len(folds)) for name in slices}
    for number, fold in enumerate(folds):
        errors, spreads = np.zeros((len(PENALTIES), num_columns)), np.zeros(num_columns)
        for inner in fold.inner:
            made = RidgePath.fit(features_ND[inner.train], inner.train_NC, budget).predict(features_ND[inner.test])
            errors += ((made - inner.test_NC) ** 2).sum(1)
            spreads += ((inner.train_NC.mean(0) - inner.test_NC) ** 2).sum(0)
        made = RidgePath.fit(features_ND[fold.train], fold.train_NC, budget).predict(features_ND[fold.test])
        truth[fold.test], mean[fold.test] = fold.test_NC, fold.train_NC.mean(0)
        for name, part in slices.items():
            total = errors[:, part].sum(1)
            best = int(np.argmin(total))
            predicted[fold.test, part] = made[best][:, part]
            validated[name][number] = 1.0 - total[best] / max(float(spreads[part].sum()), 1e-300)
    return {
        name: OutOfFold(
            truth_NO=truth[:, part],
            predicted_NO=predicted[:, part],
            mean_NO=mean[:, part],
            fold_N=fold_N,
            validated=validated[name],
        )
        for name, part in slices.items()
    }
