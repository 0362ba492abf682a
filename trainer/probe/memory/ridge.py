"""Ridge regression (Hoerl and Kennard 1970) on the leading principal components, for a whole grid of penalties at once.

    z = (x - mean) / std          of the training rows; columns that never vary are left out
    Z = U S V^T                   singular value decomposition; the `budget` greatest singular values are kept
    y^(x) = mean y + z V w,       w = diag(s / (s^2 + alpha m)) U^T (y - mean y),   m = mean of the kept s^2

The decomposition is made from the eigenvectors of the smaller of Z Z^T and Z^T Z, which is 2 to 5 times faster.
w minimises |y - mean y - Z V w|^2 + alpha m |w|^2. With a budget of at least the rank it is plain ridge. Whatever a
picture or a layer has, no more than `budget` numbers of it are read: that is what makes probes comparable.
Arrays: N rows, D features, r <= budget components, O outputs, P penalties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PENALTIES = np.logspace(-4, 4, 17)  # alpha: relative to the mean variance of the kept components
SMALLEST = 1e-6  # singular values below this share of the greatest are rounding (their squares are computed)

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RidgePath:
    """One fit for every penalty."""

    columns: NDArray[np.intp]  # [D'] those that vary
    mean_D: Array
    scale_D: Array
    components_Dr: Array
    weights_PrO: Array
    offset_O: Array

    @classmethod
    def fit(cls, features_ND: Array, targets_NO: Array, budget: int, penalties: Array = PENALTIES) -> RidgePath:
        """On training rows alone."""
        columns = np.flatnonzero(np.ptp(features_ND, axis=0) > 0)
        chosen = features_ND[:, columns]
        mean, scale = chosen.mean(0), chosen.std(0)
        standard = (chosen - mean) / scale
        squares, right_Dr = _components(standard, budget)
        offset = targets_NO.mean(0)
        aims = right_Dr.T @ (standard.T @ (targets_NO - offset))  # [r, O] S U^T (y - mean y)
        unit = float(squares.mean()) if len(squares) else 1.0
        shrink = 1.0 / (squares + penalties[:, None] * unit)  # [P, r]
        return cls(columns, mean, scale, right_Dr, shrink[:, :, None] * aims, offset)

    def predict(self, features_ND: Array) -> Array:
        """[P, N, O]."""
        standard = (features_ND[:, self.columns] - self.mean_D) / self.scale_D
        return np.asarray(standard @ self.components_Dr @ self.weights_PrO + self.offset_O)


def _components(standard_ND: Array, budget: int) -> tuple[Array, Array]:
    """s^2 [r] and V [D, r] of the greatest `budget` singular values."""
    wide = standard_ND.shape[0] < standard_ND.shape[1]
    squares, vectors = np.linalg.eigh(standard_ND @ standard_ND.T if wide else standard_ND.T @ standard_ND)
    squares, vectors = squares[::-1][:budget], vectors[:, ::-1][:, :budget]
    kept = squares > SMALLEST**2 * squares[:1].sum()
    squares, vectors = squares[kept], vectors[:, kept]
    return squares, standard_ND.T @ vectors / np.sqrt(squares) if wide else vectors


def least_squares(known_NQ: Array, targets_NO: Array) -> Array:
    """[Q + 1, O] ordinary least squares with an intercept (first row); of several solutions the shortest."""
    return np.asarray(np.linalg.lstsq(with_one(known_NQ), targets_NO, rcond=None)[0])


def with_one(known_NQ: Array) -> Array:
    """[N, 1 + Q] with a column of ones before."""
    return np.concatenate([np.ones((len(known_NQ), 1)), known_NQ], axis=1)
