"""The world of a plan as parts: a pure function, the only door through which renderers see it."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from event_library.parts import Part
from scenes.plan import WorldPlan
from scenes.poses import standing_pose
from scenes.props import prop_parts

Array = NDArray[np.float64]


def world_parts(world: WorldPlan) -> tuple[tuple[Part, Array], ...]:
    """Every static part with its `world_from_part` [4, 4]; part names are `<prop>.<part>` and unique.

    Raises ValueError when the plan names a prop that does not exist.
    """
    placed = []
    for prop in world.props:
        matrix = standing_pose(prop)
        for part in prop_parts(prop.kind, prop.params):
            placed.append((dataclasses.replace(part, name=f"{prop.name}.{part.name}"), matrix))
    return tuple(placed)


def world_boxes(world: WorldPlan) -> Array:
    """[B, 2, 3] axis-aligned boxes around all static parts, in the world."""
    boxes = []
    for part, matrix in world_parts(world):
        points = np.asarray(part.mesh.vertices) @ matrix[:3, :3].T + matrix[:3, 3]
        boxes.append(np.stack([points.min(axis=0), points.max(axis=0)]))
    return np.array(boxes).reshape(-1, 2, 3)
