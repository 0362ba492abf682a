"""Each law once more, by other means than the event's own: what `check_event` compares with.

Closed forms and ODEs: the differential law integrated by scipy at rtol 1e-10, or an analytic answer. Automata: a rule
that shares nothing with the event's. Composites: the stages one by one; names `trigger:<name>` [1] are compared with
`Event.triggers`. Rigid bodies and PDEs have no entry: energy, contacts and refinement speak for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType

from event_library.references import (
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
from event_library.references.base import Reference

ENTRY_POINTS = "remind_sim.event_references"  # name: the event type's id; value: a Reference of another package


def _all() -> dict[str, Reference]:
    found: dict[str, Reference] = {}
    for family in (
        flow,
        phase_change,
        thermal_combustion,
        growth_decay,
        kinematics,
        oscillators,
        mechanisms_clocks,
        collisions_collapse,
        mixing_reaction,
        material_change,
        light_environment,
        agents_intent,
        logic_digital,
        causal_chains,
    ):
        found |= family.REFERENCES
    return found | {point.name: point.load() for point in entry_points(group=ENTRY_POINTS)}


REFERENCES: Mapping[str, Reference] = MappingProxyType(_all())
