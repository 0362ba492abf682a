"""The event types there are: a literal tuple of family modules, folded into one read-only mapping."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from event_library.base import Event
from event_library.families import collisions_collapse, flow, logic_digital, oscillators, thermal_combustion

FAMILIES: tuple[ModuleType, ...] = (flow, thermal_combustion, oscillators, collisions_collapse, logic_digital)


def types_of(module: ModuleType) -> list[type[Event]]:
    """Concrete event types that a module defines, in the order of its text."""
    return [
        kind
        for kind in vars(module).values()
        if inspect.isclass(kind)
        and issubclass(kind, Event)
        and not inspect.isabstract(kind)
        and kind.__module__ == module.__name__
    ]


def fold(modules: tuple[ModuleType, ...]) -> Mapping[str, type[Event]]:
    """Id -> type over all modules; raises ValueError when two types share an id."""
    found: dict[str, type[Event]] = {}
    for kind in (kind for module in modules for kind in types_of(module)):
        if (first := found.setdefault(kind.info.id, kind)) is not kind:
            raise ValueError(f"event type {kind.info.id!r} is defined by {first.__qualname__} and {kind.__qualname__}")
    return MappingProxyType(found)


EVENT_TYPES: Mapping[str, type[Event]] = fold(FAMILIES)


def get_type(type_id: str) -> type[Event]:
    """The type with this id; raises ValueError that names near ids."""
    if type_id in EVENT_TYPES:
        return EVENT_TYPES[type_id]
    near = difflib.get_close_matches(type_id, EVENT_TYPES, n=1)
    hint = f", did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(EVENT_TYPES))}"
    raise ValueError(f"unknown event type {type_id!r}{hint}")
