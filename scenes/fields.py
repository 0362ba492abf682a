"""Field types of a scene spec: each reads one YAML value, says its legal range, and describes itself to editors.

This module and `scenes.spec` are the YAML border, the only places that know pydantic.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from scenes.distributions import FORMS, Value, parse_value, plain_number
from scenes.errors import Problem, did_you_mean


def as_pydantic(problem: Problem) -> PydanticCustomError:
    """A Problem as an error that pydantic places in the tree; `scenes.loading` takes it apart again."""
    return PydanticCustomError("problem", "{message}", {"message": problem.message, "place": problem.place})


class _Field(abc.ABC):
    """A pydantic annotation with one `read` and one JSON schema."""

    @abc.abstractmethod
    def read(self, raw: Any) -> Any:
        """The checked value. Raises Problem."""

    @abc.abstractmethod
    def schema(self) -> dict[str, Any]:
        """What an editor is told."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(raw: Any) -> Any:
            try:
                return self.read(raw)
            except Problem as problem:
                raise as_pydantic(problem) from None

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return self.schema()


@dataclass(frozen=True)
class Quantity(_Field):
    """A number in [low, high] `unit`, or a distribution inside it -> Value."""

    low: float
    high: float
    unit: str = ""
    integer: bool = False

    def read(self, raw: Any) -> Value:
        return parse_value(raw, low=self.low, high=self.high, unit=self.unit, integer=self.integer)

    def schema(self) -> dict[str, Any]:
        return quantity_schema(self.low, self.high, self.unit, self.integer)


def quantity_schema(low: float, high: float, unit: str, integer: bool) -> dict[str, Any]:
    """JSON schema of a number or distribution in [low, high]."""
    number = {"type": "integer" if integer else "number", "minimum": low, "maximum": high}
    pair = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    kinds = ["uniform_int", "choice"] if integer else list(FORMS)
    forms: list[dict[str, Any]] = []
    for kind in kinds:
        args = {"type": "array", "items": number, "minItems": 1} if kind == "choice" else pair
        if kind == "normal":
            args = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
        forms.append({"type": "object", "properties": {kind: args}, "required": [kind], "additionalProperties": False})
    text = f"{unit + ', ' if unit else ''}{low:g} to {high:g}; a number, [low, high], or a distribution"
    return {"description": text, "anyOf": [number, pair, *forms]}


@dataclass(frozen=True)
class Word:
    """One of some words, drawn when there are several."""

    options: tuple[str, ...]

    def sample(self, rng: np.random.Generator) -> str:
        return self.options[int(rng.integers(len(self.options)))]


@dataclass(frozen=True)
class Vocabulary(_Field):
    """A word out of `available` (or `{choice: [...]}` of several) -> Word; `planned` ones are refused by name."""

    available: tuple[str, ...]
    planned: tuple[str, ...] = ()
    drawable: bool = True

    def read(self, raw: Any) -> Word:
        if self.drawable and isinstance(raw, dict) and list(raw) == ["choice"]:
            words = raw["choice"]
            if not isinstance(words, list) or not words:
                raise Problem("expected choice: [a, b, ...]", ("choice",))
            return Word(tuple(self.word(w, "choice", i) for i, w in enumerate(words)))
        return Word((self.word(raw),))

    def word(self, raw: Any, *place: str | int) -> str:
        if isinstance(raw, str) and raw in self.available:
            return raw
        have = f"available: {', '.join(self.available)}"
        if isinstance(raw, str) and raw in self.planned:
            raise Problem(f"{raw!r} is not built yet; {have}", place)
        if not isinstance(raw, str):
            raise Problem(f"expected a word; {have}", place)
        hint = did_you_mean(raw, self.available)
        raise Problem(f"unknown {raw[:40]!r}" + (f"{hint} ({have})" if "mean" in hint else f"; {have}"), place)

    def schema(self) -> dict[str, Any]:
        word = {"enum": list(self.available)}
        if not self.drawable:
            return word
        choice = {
            "type": "object",
            "properties": {"choice": {"type": "array", "items": word, "minItems": 1}},
            "required": ["choice"],
            "additionalProperties": False,
        }
        return {"anyOf": [word, choice]}


@dataclass(frozen=True)
class Point(_Field):
    """A named spot (str), or `length` coordinates in metres -> tuple of floats. Names are checked by who knows them."""

    length: int
    limit_m: float = 20.0
    names: str = "a name"

    def read(self, raw: Any) -> str | tuple[float, ...]:
        if isinstance(raw, str):
            return raw
        if not isinstance(raw, list) or len(raw) != self.length:
            raise Problem(f"expected {self.names}, or {self.length} coordinates in metres")
        for i, number in enumerate(raw):
            try:
                plain_number(number)
            except Problem as problem:
                raise problem.under(i) from None
            if abs(number) > self.limit_m:
                raise Problem(f"{number:g} m is outside [-{self.limit_m:g}, {self.limit_m:g}] m", (i,))
        return tuple(float(number) for number in raw)

    def schema(self) -> dict[str, Any]:
        numbers = {"type": "array", "items": {"type": "number"}, "minItems": self.length, "maxItems": self.length}
        return {"anyOf": [{"type": "string"}, numbers], "description": f"{self.names}, or coordinates in metres"}


@dataclass(frozen=True)
class Resolution(_Field):
    """[width, height] in pixels, both even (video codecs need it) -> (width, height)."""

    low: int
    high: int

    def read(self, raw: Any) -> tuple[int, int]:
        if not isinstance(raw, list) or len(raw) != 2:
            raise Problem("expected [width, height] in pixels, e.g. [256, 256]")
        sides = []
        for i, side in enumerate(raw):
            try:
                number = parse_value(side, low=self.low, high=self.high, unit="px", integer=True)
            except Problem as problem:
                raise problem.under(i) from None
            if not number.fixed:
                raise Problem("a resolution cannot be drawn; all clips of a spec have one size", (i,))
            if number.args[0] % 2:
                raise Problem(
                    f"{number.args[0]:g} px is odd; video needs an even number, e.g. {number.args[0] + 1:g}", (i,)
                )
            sides.append(int(number.args[0]))
        return sides[0], sides[1]

    def schema(self) -> dict[str, Any]:
        side = {"type": "integer", "minimum": self.low, "maximum": self.high, "multipleOf": 2}
        return {"type": "array", "items": side, "minItems": 2, "maxItems": 2}


@dataclass(frozen=True)
class Size(_Field):
    """[width, height] in metres, both positive -> (width, height)."""

    high: float = 100.0

    def read(self, raw: Any) -> tuple[float, float]:
        if not isinstance(raw, list) or len(raw) != 2:
            raise Problem("expected [width, height] in metres, e.g. [0.5, 0.4]")
        for i, side in enumerate(raw):
            if not 0 < plain_number(side) <= self.high:
                raise Problem(f"{side:g} m is outside (0, {self.high:g}] m", (i,))
        return float(raw[0]), float(raw[1])

    def schema(self) -> dict[str, Any]:
        side = {"type": "number", "exclusiveMinimum": 0, "maximum": self.high}
        return {"type": "array", "items": side, "minItems": 2, "maxItems": 2}
