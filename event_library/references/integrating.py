"""Integration by scipy at rtol 1e-10 for reference laws: differential laws, with or without an end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]
Rates = Callable[[float, Array], Sequence[float] | Array]


def integrated(rates: Rates, start: Sequence[float], t_s: Array) -> Array:
    """[D, T] solution of y' = rates(t, y), y(0) = start, at ascending times `t_s` >= 0."""
    run = solve_ivp(
        rates, (0.0, float(t_s[-1]) + 1e-9), list(start), method="DOP853", rtol=1e-10, atol=1e-13, dense_output=True
    )
    return np.asarray(run.sol(t_s))


def until(rate: Rates, start: float, stop: float, t_s: Array, *, end: float | None = None) -> Array:
    """[T] a scalar law from `start` until it reaches `stop`, where it stays; at `end` if the law has a corner there
    and `stop` lies just short of it."""

    def reached(t: float, y: Array) -> float:
        return float(y[0] - stop)

    reached.terminal = True  # type: ignore[attr-defined]
    run = solve_ivp(
        rate, (0.0, float(t_s[-1]) + 1e-9), [start], method="DOP853", rtol=1e-10, atol=1e-14,
        events=reached, dense_output=True,
    )  # fmt: skip
    ended = run.t[-1] if run.status == 1 else np.inf
    return np.where(t_s < ended, run.sol(np.minimum(t_s, run.t[-1]))[0], stop if end is None else end)
