"""A tree read from YAML against a pydantic model: every problem in our words, with file, line and field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from scenes.errors import Place, Problem, Source, did_you_mean

M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], tree: Mapping[str, Any], source: Source) -> M:
    """The tree as that model. Raises SpecError, one line per problem."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise source.error(_problems(error, model)) from None


def _problems(error: ValidationError, root: type[BaseModel]) -> list[Problem]:
    """All problems; a list is not called too short because its entries are wrong."""
    details = error.errors(include_url=False)
    wrong = [detail["loc"] for detail in details]
    kept = [detail for detail in details if detail["type"] != "too_short" or not _any_inside(detail["loc"], wrong)]
    return [_problem(detail, root) for detail in kept]


def _any_inside(place: Place, others: list[Place]) -> bool:
    return any(len(other) > len(place) and other[: len(place)] == place for other in others)


def _problem(detail: Any, root: type[BaseModel]) -> Problem:
    """A pydantic error in our words, at our place."""
    place: Place = tuple(detail["loc"])
    context = detail.get("ctx", {})
    if detail["type"] == "problem":
        return Problem(context["message"], (*place, *context["place"]))
    return Problem(_reason(detail, place, context, root), place)


_REASONS = {
    "missing": "missing; add it",
    "string_pattern_mismatch": "expected letters, digits, _ and - (at most 64, no space)",
    "too_short": "needs at least one entry",
    "too_long": "has too many entries; at most {max_length}",
    "model_type": "expected fields (name: value lines)",
    "dict_type": "expected fields (name: value lines)",
    "tuple_type": "expected a list (- ... lines or [a, b])",
    "string_type": "expected text; quote it if it looks like a number",
    "int_type": "expected a whole number",
    "bool_type": "expected true or false",
    "less_than_equal": "{input} is too large; nearest legal value {le}",
    "greater_than_equal": "{input} is too small; nearest legal value {ge}",
}


def _reason(detail: Any, place: Place, context: Mapping[str, Any], root: type[BaseModel]) -> str:
    if detail["type"] == "extra_forbidden":
        return f"unknown field{did_you_mean(str(place[-1]), _known_fields(root, place[:-1]))}"
    if place == ("version",) and detail["type"] != "missing":
        return f"version {detail['input']!r} is not known; this program reads version 1"
    return _REASONS.get(detail["type"], str(detail["msg"])).format(input=detail["input"], **context)


def _known_fields(root: type[BaseModel], place: Place) -> list[str]:
    """Names of the fields that the model at a place has."""
    model: Any = root
    for step in place:
        if isinstance(step, str) and step in model.model_fields:  # else a key of a mapping or a number in a list
            model = _model_of(model.model_fields[step].annotation)
    return list(model.model_fields)


def _model_of(annotation: Any) -> Any:
    """The first model in an annotation such as `dict[str, Arm]` or `tuple[EventSpec, ...] | None`; None without one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_of, getattr(annotation, "__args__", ()))), None)
