"""`load_spec`: a YAML file -> SceneSpec, or SpecError with file, line, field, reason and fix. Never anything else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from event_library.base import Event, ParamSpec
from scenes.distributions import Value, parse_value
from scenes.errors import Place, Problem, Source, did_you_mean
from scenes.spec import EventSpec, SceneSpec
from scenes.yaml_reading import parse, read_text

EventTypes = Mapping[str, type[Event]]


def registered_types() -> EventTypes:
    """The event types of the library."""
    from event_library.registry import EVENT_TYPES

    return EVENT_TYPES


def load_spec(path: Path | str, event_types: EventTypes | None = None) -> SceneSpec:
    """Read and check one spec file. `event_types` defaults to the library's registry.

    Raises SpecError (one line per problem: `file:line: field: reason; fix`) for any file that is not a usable spec.
    """
    name = " ".join(str(path).split())
    return parse_spec(read_text(Path(path), name), name, event_types)


def parse_spec(text: str, name: str = "spec", event_types: EventTypes | None = None) -> SceneSpec:
    """As `load_spec`, of text; `name` stands for the file in errors."""
    tree, source = parse(text, name)
    try:
        spec = SceneSpec.model_validate(tree)
    except ValidationError as error:
        raise source.error(_problems(error)) from None
    types = registered_types() if event_types is None else event_types
    events, problems = [], []
    for i, event in enumerate(spec.events):
        bound, wrong = _bind_params(event, types)
        events.append(bound)
        problems += [problem.under("events", i) for problem in wrong]
    if problems:
        raise source.error(problems)
    return _with_source(spec.model_copy(update={"events": tuple(events)}), source)


def _with_source(spec: SceneSpec, source: Source) -> SceneSpec:
    spec._source = source
    return spec


def _bind_params(event: EventSpec, types: EventTypes) -> tuple[EventSpec, list[Problem]]:
    """The event with its params read as Values inside the type's ranges (still in YAML units)."""
    if event.type not in types:
        reason = f"unknown event type {event.type[:60]!r}{did_you_mean(event.type, types)}; see remind events list"
        return event, [Problem(reason, ("type",))]
    specs = {spec.yaml_name: spec for spec in types[event.type].param_specs()}
    params: dict[str, Value] = {}
    problems = []
    for name, raw in event.params.items():
        try:
            if name not in specs:
                raise Problem(f"unknown field{_param_hint(name, specs)}")
            params[name] = _param_value(raw, specs[name])
        except Problem as problem:
            problems.append(problem.under("params", name))
    return event.model_copy(update={"params": params}), problems


def _param_value(raw: Any, spec: ParamSpec) -> Value:
    low, high = spec.to_yaml(spec.low), spec.to_yaml(spec.high)
    return parse_value(raw, low=low, high=high, unit="deg" if spec.is_angle else spec.unit, integer=spec.integer)


def _param_hint(name: str, specs: Mapping[str, ParamSpec]) -> str:
    """Suggest by the taxonomy's symbol and by the radian name before going by spelling."""
    for yaml_name, spec in specs.items():
        if name in (spec.symbol, spec.name):
            unit = " (angles are written in degrees)" if name == spec.name else ""
            return f", did you mean {yaml_name!r}?{unit}"
    return did_you_mean(name, specs)


def _problems(error: ValidationError) -> list[Problem]:
    """All problems; a list is not called too short because its entries are wrong."""
    details = error.errors(include_url=False)
    wrong = [detail["loc"] for detail in details]
    kept = [detail for detail in details if detail["type"] != "too_short" or not _any_inside(detail["loc"], wrong)]
    return [_problem(detail) for detail in kept]


def _any_inside(place: Place, others: list[Place]) -> bool:
    return any(len(other) > len(place) and other[: len(place)] == place for other in others)


def _problem(detail: Any) -> Problem:
    """A pydantic error in our words, at our place."""
    place: Place = tuple(detail["loc"])
    context = detail.get("ctx", {})
    if detail["type"] == "problem":
        return Problem(context["message"], (*place, *context["place"]))
    return Problem(_reason(detail, place, context), place)


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


def _reason(detail: Any, place: Place, context: Mapping[str, Any]) -> str:
    if detail["type"] == "extra_forbidden":
        return f"unknown field{did_you_mean(str(place[-1]), _known_fields(place[:-1]))}"
    if place == ("version",) and detail["type"] != "missing":
        return f"version {detail['input']!r} is not known; this program reads version 1"
    return _REASONS.get(detail["type"], str(detail["msg"])).format(input=detail["input"], **context)


def _known_fields(place: Place) -> list[str]:
    """Names of the fields that the model at a place has."""
    model: Any = SceneSpec
    for step in place:
        if isinstance(step, str):
            model = _model_of(model.model_fields[step].annotation)
    return list(model.model_fields)


def _model_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return _model_of(annotation.__args__[0])
