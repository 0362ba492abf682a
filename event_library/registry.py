"""The event types there are: a literal tuple of families and what other packages add, in one read-only mapping."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from event_library.base import Event
from event_library.families import (
    agents_intent,
    causal_chains,
    collisions_collapse,
    flow,
    growth_decay,
    kinematics,
    light_environment,
    logic_digital,
    material_change,
    mechanisms_clocks,
    mixing_reaction,
    oscillators,
    phase_change,
    thermal_combustion,
)

ENTRY_POINTS = "remind_sim.event_types"  # each names one Event class of another package
FAMILIES: tuple[tuple[type[Event], ...], ...] = (
    flow.TYPES,
    phase_change.TYPES,
    thermal_combustion.TYPES,
    growth_decay.TYPES,
    kinematics.TYPES,
    oscillators.TYPES,
    mechanisms_clocks.TYPES,
    collisions_collapse.TYPES,
    mixing_reaction.TYPES,
    material_change.TYPES,
    light_environment.TYPES,
    agents_intent.TYPES,
    logic_digital.TYPES,
    causal_chains.TYPES,
)


def fold(kinds: Iterable[type[Event]]) -> Mapping[str, type[Event]]:
    """Id -> type; raises ValueError when two types share an id."""
    found: dict[str, type[Event]] = {}
    for kind in kinds:
        if (first := found.setdefault(kind.info.id, kind)) is not kind:
            raise ValueError(f"event type {kind.info.id!r} is defined by {first.__qualname__} and {kind.__qualname__}")
    return MappingProxyType(found)


def added_types(points: Iterable[Any] | None = None) -> tuple[type[Event], ...]:
    """Types that other installed packages add; raises ValueError, with the package's name, for what is none."""
    found = []
    for point in entry_points(group=ENTRY_POINTS) if points is None else points:
        kind = point.load()
        if not (inspect.isclass(kind) and issubclass(kind, Event)) or inspect.isabstract(kind):
            raise ValueError(f"entry point {point.name!r} = {point.value!r} is no concrete event type")
        found.append(kind)
    return tuple(found)


EVENT_TYPES: Mapping[str, type[Event]] = fold((*(kind for family in FAMILIES for kind in family), *added_types()))


def get_type(type_id: str) -> type[Event]:
    """The type with this id; raises ValueError that names near ids."""
    if type_id in EVENT_TYPES:
        return EVENT_TYPES[type_id]
    near = difflib.get_close_matches(type_id, EVENT_TYPES, n=1)
    hint = f", did you mean {near[0]!r}?" if near else f"; `remind events list` names all {len(EVENT_TYPES)}"
    raise ValueError(f"unknown event type {type_id!r}{hint}")
