"""How values of a state variable compare, for each kind of variable: change, distance, time, flags (DESIGN section 9).

A kind is a domain (scalar, angle, count: an ordered number; discrete: a label; vector [n]; field [...]) and perhaps a
cycle. N: number of values compared, T: length of a known series; values are [N] or, for vectors and fields, [N, ...].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from trainer.probe.metrics import difference, evolution_ratio

Array = NDArray[np.float64]

NUMBERS = ("scalar", "angle", "count", "discrete")  # domains of one number per instant
ORDERED = ("scalar", "angle", "count")  # of these, those whose differences mean something
STEPWISE = ("count", "discrete")  # between two known moments the value is one of theirs
DOMAINS = (*NUMBERS, "vector", "field")
FLAGS = ("monotone", "bounded", "conserved", "periodic")
SAME_VALUE = 1e-3  # of the series' extent: values that differ by less are one value


@dataclass(frozen=True)
class Kind:
    """What of a variable decides how its values compare. Raises ValueError for a domain that is not known."""

    domain: str
    tolerance: float
    min_delta: float | None = None
    cycle: float | None = None
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.domain not in DOMAINS:
            raise ValueError(f"domain {self.domain!r} is not known; it is one of {', '.join(DOMAINS)}")

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Kind:
        """From a variable's entry in `Clip.variables`."""
        return cls(
            str(meta["domain"]), float(meta["tolerance"]), meta["min_delta"], meta["cycle"], tuple(meta["flags"])
        )

    @property
    def still_limit(self) -> float:
        """A change below this did not count as moved: min_delta, else the tolerance, else (both 0) half a step."""
        return self.min_delta or self.tolerance or 0.5

    def change(self, later: Array | float, earlier: Array | float) -> Array:
        """later - earlier, the shorter way round where the variable wraps; of labels 1 where they differ, else 0."""
        if self.domain == "discrete":
            return (np.abs(difference(later, earlier, self.cycle)) > 0.5).astype(np.float64)
        return difference(later, earlier, self.cycle)

    def distance(self, a: Array, b: Array) -> Array:
        """[N] how far apart: |change|; vector: Euclidean norm; field: root mean square over its elements."""
        change = self.change(a, b)
        if self.domain in NUMBERS:
            return np.abs(change)
        squares = (change**2).reshape(len(change), -1)
        return np.sqrt(squares.sum(1) if self.domain == "vector" else squares.mean(1))

    def at(self, times_s: Array, values: Array, when_s: Array) -> Array:
        """[N, ...] a known series ([T] rising times, [T, ...] values) at times [N]; the ends go on for ever.

        Linear between known moments, the shorter way round where it wraps; counts and labels take the nearer one's.
        """
        when = np.clip(np.asarray(when_s, np.float64), times_s[0], times_s[-1])
        left = np.clip(np.searchsorted(times_s, when, side="right") - 1, 0, max(len(times_s) - 2, 0))
        right = np.minimum(left + 1, len(times_s) - 1)
        span = np.where(right > left, times_s[right] - times_s[left], 1.0)
        share = (when - times_s[left]) / span
        if self.domain in STEPWISE:
            return np.asarray(values[np.where(share < 0.5, left, right)])
        share = share.reshape(-1, *[1] * (values.ndim - 1))
        found = values[left] + share * difference(values[right], values[left], self.cycle)
        low = values.min()
        if self.cycle is not None and np.ptp(values) < self.cycle:
            return np.asarray(low + (found - low) % self.cycle)
        return np.asarray(found)

    def time_of(
        self, times_s: Array, values: Array, value: Array | float, reference_s: float, slack: float = 0.0
    ) -> float:
        """Event time at which a known series ([T] rising times, [T, ...] values) is nearest to `value` by `distance`.

        Exact for a series that is linear between its moments. Of several such times (local minima within `slack`, at
        least 1e-3 of the series' extent, of the least distance) and of a stretch that stands still, the one nearest to
        `reference_s`.
        """
        aim = np.broadcast_to(np.asarray(value, np.float64), values.shape[1:])[None]
        if self.domain in STEPWISE or len(times_s) == 1:
            middles = (times_s[1:] + times_s[:-1]) / 2
            low, high = np.concatenate([times_s[:1], middles]), np.concatenate([middles, times_s[-1:]])
            found, distances = np.clip(reference_s, low, high), self.distance(values, aim)
        else:
            steps = difference(values[1:], values[:-1], self.cycle).reshape(len(values) - 1, -1)
            offsets = difference(aim, values[:-1], self.cycle).reshape(len(values) - 1, -1)
            lengths, spans = (steps**2).sum(1), np.diff(times_s)
            shares = np.clip((offsets * steps).sum(1) / np.where(lengths > 0, lengths, 1.0), 0, 1)
            wanted = np.clip((reference_s - times_s[:-1]) / spans, 0, 1)
            shares = np.where(lengths > 0, shares, wanted)
            found = times_s[:-1] + shares * spans
            distances = self.distance(self.at(times_s, values, found), aim)
        extent = float(self.distance(values, values[:1]).max())
        same = SAME_VALUE * extent
        labels, count = ndimage.label(distances <= distances.min() + max(slack, same))
        best = [found[(labels == n) & (distances <= distances[labels == n].min() + same)] for n in range(1, count + 1)]
        close = np.concatenate(best)
        return float(close[np.argmin(np.abs(close - reference_s))])

    # ---- figures
    def evolution_ratio(self, measured: Array, frames: Sequence[int], t_h: int, series: Array) -> float | None:
        """Slope of measured ([N], at `frames`) on true change since frame `t_h`; None where it is not defined.

        Defined for ordered numbers that only rise or only fall over the true `series` [T], that change since `t_h`,
        and by at most half a cycle (`metrics.evolution_ratio`).
        """
        if self.domain not in ORDERED or not len(frames):
            return None
        steps, true_change = self.change(series[1:], series[:-1]), self.change(series[list(frames)], series[t_h])
        one_way = bool((steps >= 0).all() or (steps <= 0).all())
        turned = abs(float(steps[t_h : max(frames)].sum()))
        if not one_way or not true_change.any() or (self.cycle is not None and turned > self.cycle / 2):
            return None
        return evolution_ratio(self.change(measured, series[t_h]), true_change)

    def stability(self, measured: Array, true: Array, start: Array) -> float | None:
        """Of the frames [N] at which the truth lies within `still_limit` of `start`: the share at which the measured
        value does too. None without any such frame."""
        still = self.distance(true, start[None]) < self.still_limit
        return float((self.distance(measured, start[None])[still] < self.still_limit).mean()) if still.any() else None

    def relative_error(self, measured: Array, true: Array, start: Array) -> Array:
        """[N] distance to the truth over the distance that the truth came from `start` (at least `still_limit`).

        Truth 0, a state that stood still 1, if it moved by more than the limit. Without unit; fit for fields.
        """
        scale = np.maximum(self.distance(true, start[None]), self.still_limit)
        return self.distance(measured, true) / scale

    def kept_flags(self, times_s: Array, values: Array, known_s: Array, truth: Array) -> dict[str, float]:
        """Share of measured frames ([N] rising times, [N, ...] values) that keep each of the variable's flags.

        Give or take the tolerance; arrays keep a flag when all elements do. A flag that these frames cannot break or
        keep is left out (one period must lie between two frames). Of monotone labels (stages) the numbers are compared.
        monotone: no step against the direction of the known series ([T] times, [T, ...] truth); bounded: within its
        range; conserved: its first value; periodic: what was measured one period before (`period_s` of the truth).
        """
        kept = {}
        for flag in (f for f in FLAGS if f in self.flags and len(values)):
            share = getattr(self, f"_{flag}")(times_s, values, known_s, truth)
            if share is not None:
                kept[flag] = share
        return kept

    def _monotone(self, times_s: Array, values: Array, known_s: Array, truth: Array) -> float | None:
        direction = np.sign(difference(truth[1:], truth[:-1], self.cycle).sum(0))
        steps = difference(values[1:], values[:-1], self.cycle) * direction
        broken = (steps < -self.tolerance).any(tuple(range(1, steps.ndim)))
        return float(1 - broken.sum() / len(values))

    def _bounded(self, times_s: Array, values: Array, known_s: Array, truth: Array) -> float | None:
        low, high = truth.min(0) - self.tolerance, truth.max(0) + self.tolerance
        return float(((values >= low) & (values <= high)).reshape(len(values), -1).all(1).mean())

    def _conserved(self, times_s: Array, values: Array, known_s: Array, truth: Array) -> float | None:
        return float((self.distance(values, truth[:1]) <= self.tolerance).mean())

    def _periodic(self, times_s: Array, values: Array, known_s: Array, truth: Array) -> float | None:
        period_s = self.period_s(known_s, truth)
        if period_s is None:
            return None
        later = times_s - period_s >= times_s[0]
        if not later.any():
            return None
        before = self.at(times_s, values, times_s[later] - period_s)
        return float((self.distance(values[later], before) <= 2 * self.tolerance).mean())

    def period_s(self, known_s: Array, truth: Array) -> float | None:
        """The least lag after which the known series is back, within the tolerance and a twentieth of its extent, at
        whatever it was; None when it never moves or holds less than one and a half such lags."""
        extent = float(self.distance(truth, truth[:1]).max())
        if extent <= 2 * self.tolerance:
            return None
        moved = False
        for lag in known_s[1:] - known_s[0]:
            moved |= bool(self.distance(self.at(known_s, truth, known_s[:1] + lag), truth[:1])[0] > extent / 2)
            if not moved or 1.5 * lag > known_s[-1] - known_s[0]:
                continue
            later = known_s[known_s - lag >= known_s[0]]
            apart = self.distance(self.at(known_s, truth, later), self.at(known_s, truth, later - lag))
            if apart.max() <= self.tolerance + extent / 20:
                return float(lag)
        return None
