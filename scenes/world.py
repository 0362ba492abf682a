"""The world of a plan as parts: a pure function, the only door through which renderers see it."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from event_library.parts import Part
from scenes.plan import PropPlan, WorldPlan
from scenes.props import prop_parts

Array = NDArray[np.float64]


def world_parts(world: WorldPlan) -> tuple[tuple[Part, Array], ...]:
    """Every static part with its `world_from_part` [4, 4]; part names are `<prop>.<part>` and unique.

    Raises ValueError when the plan names a prop that does not exist.
    """
    placed = []
    for prop in world.props:
        matrix = world_from_prop(prop)
        for part in prop_parts(prop.kind, prop.params):
            placed.append((dataclasses.replace(part, name=f"{prop.name}.{part.name}"), matrix))
    return tuple(placed)


def world_from_prop(prop: PropPlan) -> Array:
    """[4, 4] yaw about z, then translation."""
    cos, sin = np.cos(prop.yaw_rad), np.sin(prop.yaw_rad)
    matrix = np.eye(4)
    matrix[:2, :2] = [[cos, -sin], [sin, cos]]
    matrix[:3, 3] = prop.location_m
    return matrix
