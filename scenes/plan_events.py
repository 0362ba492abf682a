"""The events of a plan as the event library knows them: every type, parameter and rule is checked here."""

from __future__ import annotations

from event_library.base import Event
from scenes.errors import did_you_mean
from scenes.loading import EventTypes, registered_types
from scenes.plan import EventPlan, ScenePlan


def events_of(plan: ScenePlan, event_types: EventTypes | None = None) -> dict[str, Event]:
    """Id -> event, whose laws are sound for these parameters: in their ranges, with every accept rule holding.
    Parameters that the plan leaves out have their type's defaults.

    Raises ValueError, `field: reason; fix`. `event_types` defaults to the library's registry.
    """
    types = registered_types() if event_types is None else event_types
    return {event.id: _event(event, f"plan.events[{i}]", types) for i, event in enumerate(plan.events)}


def _event(event: EventPlan, place: str, types: EventTypes) -> Event:
    if event.type not in types:
        hint = did_you_mean(event.type, types)
        raise ValueError(f"{place}.type: unknown event type {event.type!r}{hint}; see remind events list")
    kind = types[event.type]
    specs = {spec.name: spec for spec in kind.param_specs()}
    if unknown := set(event.params) - set(specs):
        name = min(unknown)
        raise ValueError(f"{place}.params.{name[:60]}: unknown field{did_you_mean(name, specs)}")
    values: dict[str, float] = {}
    for name, value in event.params.items():
        if specs[name].integer and value != round(value):
            raise ValueError(f"{place}.params.{name}: expected a whole number, got {value:g}")
        values[name] = int(value) if specs[name].integer else value
    try:
        made = kind(**values)
    except ValueError as error:
        raise ValueError(f"{place}.params: {error}") from None
    if reason := made.rejection():
        raise ValueError(f"{place}.params: {reason}; sample the plan anew from its spec")
    return made
