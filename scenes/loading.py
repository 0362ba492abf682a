"""`load_spec`: a YAML file -> SceneSpec, or SpecError with file, line, field, reason and fix. Never anything else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from event_library.base import Event, ParamSpec
from scenes.checking import checked
from scenes.distributions import Value, parse_value
from scenes.errors import Problem, Source, did_you_mean
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
    spec = checked(SceneSpec, tree, source)
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
