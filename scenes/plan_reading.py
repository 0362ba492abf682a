"""Plain JSON values -> frozen dataclasses, by their annotations: types, ranges, lengths, and no field too many."""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

MAX_NUMBER = 1e6  # where a field names no range of its own
MAX_TEXT = 200
MAX_ITEMS = 64


@dataclass(frozen=True)
class Between:
    """Range of a number, or of the length of a list; both ends belong to it."""

    low: float
    high: float

    def check(self, value: Any, place: str) -> None:
        if isinstance(value, tuple):
            if not self.low <= len(value) <= self.high:
                raise ValueError(f"{place}: has {len(value)} entries; {self.low:g} to {self.high:g} are possible")
        elif not self.low <= value <= self.high:
            nearest = min(max(value, self.low), self.high)
            raise ValueError(
                f"{place}: {value:g} is outside [{self.low:g}, {self.high:g}]; nearest legal value {nearest:g}"
            )


@dataclass(frozen=True)
class Each:
    """Range of every number of a tuple."""

    low: float
    high: float

    def check(self, value: Any, place: str) -> None:
        for i, number in enumerate(value):
            Between(self.low, self.high).check(number, f"{place}[{i}]")


@dataclass(frozen=True)
class Matching:
    """Text of one form."""

    form: re.Pattern[str]
    words: str

    def check(self, value: Any, place: str) -> None:
        if not self.form.match(value):
            raise ValueError(f"{place}: {value[:60]!r}: expected {self.words}")


@dataclass(frozen=True)
class OneOf:
    """A word of a closed vocabulary."""

    words: tuple[str, ...]

    def check(self, value: Any, place: str) -> None:
        if value not in self.words:
            raise ValueError(f"{place}: unknown {value[:60]!r}; known: {', '.join(self.words)}")


def build(kind: Any, data: Any, place: str) -> Any:
    """Rebuild a frozen dataclass from plain JSON values. Raises ValueError, `place: reason`, for whatever is wrong."""
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, data, place)
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        value = build(args[0], data, place)
        for rule in args[1:]:
            rule.check(value, place)
        return value
    if origin is types.UnionType:  # `X | None`
        return None if data is None else build(args[0], data, place)
    if origin is tuple:
        return _tuple(args, data, place)
    if origin is Literal:
        if not isinstance(data, str) or data not in args:
            raise ValueError(f"{place}: expected one of {', '.join(map(str, args))}")
        return data
    if origin is dict:
        return _dict(args[1], data, place)
    return _plain(data, place) if kind is Any else _scalar(kind, data, place)


def _scalar(kind: Any, data: Any, place: str) -> Any:
    names = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
    fits = isinstance(data, int | float if kind is float else kind) and (kind is bool or not isinstance(data, bool))
    if not fits:
        raise ValueError(f"{place}: expected {names[kind]}, got {_shown(data)}")
    if kind in (int, float):
        return (
            _number(data, place, MAX_NUMBER if kind is float else 2**63) if kind is int else float(_number(data, place))
        )
    if kind is str and len(data) > MAX_TEXT:
        raise ValueError(f"{place}: {len(data)} characters; at most {MAX_TEXT}")
    return data


def _number(data: Any, place: str, limit: float = MAX_NUMBER) -> Any:
    if not (math.isfinite(data) if isinstance(data, float) else True) or not -limit <= data <= limit:
        raise ValueError(f"{place}: {_shown(data)} is too large; at most {limit:g}")
    return data


def _plain(data: Any, place: str) -> Any:
    """A number, a short text, true or false, or a list of such: what builders of props take."""
    if isinstance(data, list):
        if len(data) > MAX_ITEMS:
            raise ValueError(f"{place}: has {len(data)} entries; at most {MAX_ITEMS}")
        return [_plain_scalar(value, f"{place}[{i}]") for i, value in enumerate(data)]
    return _plain_scalar(data, place)


def _plain_scalar(data: Any, place: str) -> Any:
    for kind in (bool, int, float, str):
        if isinstance(data, kind):
            return _scalar(kind, data, place)
    raise ValueError(f"{place}: expected a number, text or a list of them, got {_shown(data)}")


def _dict(kind: Any, data: Any, place: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"{place}: expected an object, got {_shown(data)}")
    if len(data) > MAX_ITEMS:
        raise ValueError(f"{place}: has {len(data)} fields; at most {MAX_ITEMS}")
    return {name: build(kind, value, f"{place}.{name[:60]}") for name, value in data.items()}


@cache
def _fields(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """Hints of a dataclass's fields, and the names of those that must be given."""
    hints = typing.get_type_hints(kind, include_extras=True)
    required = {f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING}
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}, frozenset(required)


def _dataclass(kind: Any, data: Any, place: str) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"{place}: expected an object, got {_shown(data)}")
    hints, required = _fields(kind)
    if unknown := set(data) - set(hints):
        raise ValueError(f"{place}: unknown field {min(unknown)[:60]!r}; remove it")
    if missing := required - set(data):
        raise ValueError(f"{place}: missing field {min(missing)!r}")
    return kind(**{name: build(hints[name], value, f"{place}.{name}") for name, value in data.items()})


def _tuple(args: tuple[Any, ...], data: Any, place: str) -> Any:
    if not isinstance(data, list):
        raise ValueError(f"{place}: expected a list, got {_shown(data)}")
    if args[-1] is Ellipsis:
        return tuple(build(args[0], v, f"{place}[{i}]") for i, v in enumerate(data))
    if len(data) != len(args):
        raise ValueError(f"{place}: expected {len(args)} values, got {len(data)}")
    return tuple(build(a, v, f"{place}[{i}]") for i, (a, v) in enumerate(zip(args, data, strict=True)))


def _shown(data: Any) -> str:
    """A wrong value in few characters."""
    if isinstance(data, dict | list):
        return f"{'an object' if isinstance(data, dict) else 'a list'} of {len(data)}"
    if isinstance(data, int) and abs(data) > 10**30:
        return "a huge number"
    return repr(data) if len(repr(data)) <= 60 else f"{repr(data)[:57]}..."
