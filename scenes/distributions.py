"""A number of a spec: fixed, or a distribution that each sampled plan draws from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes.errors import Problem, did_you_mean

FORMS: Mapping[str, str] = {
    "uniform": "[low, high]",
    "uniform_int": "[low, high]",
    "loguniform": "[low, high]",
    "normal": "[mean, standard deviation]",
    "choice": "[a, b, ...]",
}
MAX_CHOICES = 64
NORMAL_TRIES = 200


@dataclass(frozen=True)
class Value:
    """A number or a distribution of numbers inside [low, high] (inclusive).

    `kind` is `fixed` (one argument) or a key of FORMS. Draws of `normal` are repeated until they fall inside.
    """

    kind: str
    args: tuple[float, ...]
    low: float = -math.inf
    high: float = math.inf
    integer: bool = False

    @property
    def fixed(self) -> bool:
        return self.kind == "fixed"

    @property
    def greatest(self) -> float:
        """No draw is above this."""
        return self.high if self.kind == "normal" else max(self.args)

    def sample(self, rng: np.random.Generator) -> float:
        """One draw; an int when the quantity is an integer."""
        drawn = self._draw(rng)
        return int(round(drawn)) if self.integer else float(drawn)

    def _draw(self, rng: np.random.Generator) -> float:
        match self.kind:
            case "fixed":
                return self.args[0]
            case "uniform":
                return float(rng.uniform(self.args[0], self.args[1]))
            case "uniform_int":
                return int(rng.integers(int(self.args[0]), int(self.args[1]) + 1))
            case "loguniform":
                low, high = self.args
                return min(max(float(np.exp(rng.uniform(np.log(low), np.log(high)))), low), high)
            case "choice":
                return self.args[int(rng.integers(len(self.args)))]
        draws = rng.normal(self.args[0], self.args[1], size=NORMAL_TRIES)
        inside = draws[(draws >= self.low) & (draws <= self.high)]
        return float(inside[0]) if len(inside) else float(np.clip(self.args[0], self.low, self.high))


def fixed(number: float) -> Value:
    """A value without randomness, for defaults."""
    return Value("fixed", (number,))


def uniform(low: float, high: float) -> Value:
    """Evenly between two bounds, for defaults."""
    return Value("uniform", (low, high))


def parse_value(raw: Any, *, low: float, high: float, unit: str = "", integer: bool = False) -> Value:
    """Read `0.9`, `[low, high]` (short for uniform) or `{uniform: [low, high]}`; raises Problem with a fix.

    `low`, `high`: inclusive legal range in `unit`; every number that could be drawn must lie inside.
    """
    limits = Limits(low, high, unit, integer)
    if isinstance(raw, list):
        raw = {"uniform_int" if integer else "uniform": raw}
    if not isinstance(raw, dict):
        return Value("fixed", (limits.number(raw),), low, high, integer)
    if len(raw) != 1:
        raise Problem(f"a distribution has exactly one of {', '.join(FORMS)}; got {len(raw)} fields")
    kind, args = next(iter(raw.items()))
    if kind not in FORMS:
        raise Problem(f"unknown distribution{did_you_mean(str(kind), FORMS)}", (str(kind),))
    try:
        return Value(kind, _arguments(kind, args, limits), low, high, integer)
    except Problem as problem:
        raise problem.under(kind) from None


@dataclass(frozen=True)
class Limits:
    """Legal range of one quantity."""

    low: float
    high: float
    unit: str
    integer: bool

    def number(self, raw: Any) -> float:
        """A legal number, or Problem naming the nearest legal value."""
        value = plain_number(raw)
        if self.integer and value != round(value):
            raise Problem(f"expected a whole number, got {value:g}")
        margin = 1e-9 * max(abs(self.low), abs(self.high))
        if not self.low - margin <= value <= self.high + margin:
            nearest = min(max(value, self.low), self.high)
            unit = f" {self.unit}" if self.unit else ""
            raise Problem(
                f"{value:g}{unit} is outside [{self.low:g}, {self.high:g}]{unit}; nearest legal value {nearest:g}"
            )
        return int(value) if self.integer else float(min(max(value, self.low), self.high))


def plain_number(raw: Any) -> float:
    """A finite number that is no bool and no text."""
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        kinds: dict[type, str] = {
            str: "text",
            bool: "true/false",
            type(None): "nothing",
            dict: "fields",
            list: "a list",
        }
        shown = f" {raw!r}"[:40] if isinstance(raw, str) else ""
        raise Problem(f"expected a number or a distribution, got {kinds.get(type(raw), type(raw).__name__)}{shown}")
    if not math.isfinite(raw):
        raise Problem(f"expected a finite number, got {raw}")
    return raw


def _arguments(kind: str, args: Any, limits: Limits) -> tuple[float, ...]:
    if not isinstance(args, list) or not args:
        raise Problem(f"expected {FORMS[kind]}")
    if kind == "choice":
        if len(args) > MAX_CHOICES:
            raise Problem(f"{len(args)} choices; at most {MAX_CHOICES}")
        return _each(args, limits)
    if len(args) != 2:
        raise Problem(f"expected {FORMS[kind]}, got {len(args)} value(s)")
    if limits.integer and kind != "uniform_int":
        raise Problem(f"a whole number cannot be drawn from {kind}; write {{uniform_int: [low, high]}}")
    if kind == "normal":
        mean, deviation = limits.number(args[0]), plain_number(args[1])
        if not 0 < deviation < 1e12:
            raise Problem(f"standard deviation {deviation:g} must be positive", (1,))
        return mean, float(deviation)
    whole = Limits(limits.low, limits.high, limits.unit, limits.integer or kind == "uniform_int")
    low, high = _each(args, whole)
    if low > high:
        raise Problem(f"low {low:g} is above high {high:g}; write [{high:g}, {low:g}]")
    if kind == "loguniform" and low <= 0:
        raise Problem(f"loguniform needs positive bounds, got {low:g}")
    return low, high


def _each(args: list[Any], limits: Limits) -> tuple[float, ...]:
    numbers = []
    for i, arg in enumerate(args):
        try:
            numbers.append(limits.number(arg))
        except Problem as problem:
            raise problem.under(i) from None
    return tuple(numbers)
