"""Where an event is, over time: points around its parts, in the world. Pure geometry of the law; no camera."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from event_library.base import Event
from event_library.channels import Channel, Vertices, pose_matrix, present

Array = NDArray[np.float64]
OUTLINE_POINTS = 400  # per part: more vertices are replaced by their bounding box


@dataclass(frozen=True)
class PartPoints:
    """Points whose convex hull holds one part at one instant, world frame."""

    part: str
    carries: bool
    points_m: Array  # [N, 3]


@dataclass(frozen=True)
class Occupancy:
    """An event's parts at some instants, in the world."""

    instants: tuple[tuple[PartPoints, ...], ...]

    @property
    def points_m(self) -> Array:
        """[N, 3] everything at every instant."""
        return np.vstack([part.points_m for parts in self.instants for part in parts])

    @property
    def box_m(self) -> Array:
        """[2, 3] least and greatest corner of all that the event ever occupies."""
        points = self.points_m
        return np.stack([points.min(axis=0), points.max(axis=0)])

    def moved(self, offset_m: Array) -> Occupancy:
        """The same event standing elsewhere."""
        return Occupancy(
            tuple(
                tuple(dataclasses.replace(part, points_m=part.points_m + offset_m) for part in parts)
                for parts in self.instants
            )
        )

    def carriers(self, instant: int) -> tuple[PartPoints, ...]:
        return tuple(part for part in self.instants[instant] if part.carries)


def occupancy(event: Event, world_from_event_44: Array, event_times_s: Array) -> Occupancy:
    """Points of all parts at some times of the event's own clock [T]."""
    states = event.states(np.asarray(event_times_s, dtype=np.float64))
    parts = _outlined_parts(event)
    instants = []
    for i in range(len(event_times_s)):
        channels = event.channels({name: value[i] for name, value in states.items()})
        instants.append(
            tuple(
                placed for part in parts if (placed := _placed(part, channels.get(part.part, ()), world_from_event_44))
            )
        )
    return Occupancy(tuple(instants))


@lru_cache(maxsize=32)  # the planner asks for the same event's parts at many times, and building them is slow
def _outlined_parts(event: Event) -> tuple[PartPoints, ...]:
    """The parts at rest, in their own frames."""
    return tuple(PartPoints(part.name, part.carries, _outline(part.mesh.vertices)) for part in event.assembly().parts)


def _placed(part: PartPoints, channels: tuple[Channel, ...], world_from_event_44: Array) -> PartPoints | None:
    if not present(channels):
        return None
    moved = next((_outline(c.vertices_m) for c in channels if isinstance(c, Vertices)), part.points_m)
    world_from_part = world_from_event_44 @ pose_matrix(channels)
    return PartPoints(part.part, part.carries, moved @ world_from_part[:3, :3].T + world_from_part[:3, 3])


def _outline(vertices_m: Array) -> Array:
    """The vertices themselves while they are few, else the corners of their bounding box."""
    vertices = np.asarray(vertices_m, dtype=np.float64)
    if len(vertices) <= OUTLINE_POINTS:
        return vertices
    return box_corners(np.stack([vertices.min(axis=0), vertices.max(axis=0)]))


def union_box(occupied: Iterable[Occupancy]) -> Array:
    """[2, 3] box around all of them."""
    boxes = np.array([found.box_m for found in occupied])
    return np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])


def hull_points(points_m: Array) -> Array:
    """[M, 3] those of the points [N, 3] that span their convex hull; all of them when they lie in a plane."""
    try:
        return np.asarray(points_m[ConvexHull(points_m).vertices])
    except QhullError:
        return points_m


def box_corners(box_m: Array) -> Array:
    """[8, 3] corners of a [2, 3] box."""
    return np.array([[box_m[i, 0], box_m[j, 1], box_m[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])


def inflated(box_m: Array, factor: float) -> Array:
    """[2, 3] box, larger by `factor` about its centre, never reaching below the lower of its floor and z = 0."""
    centre, half = box_m.mean(axis=0), (box_m[1] - box_m[0]) / 2 * factor
    grown = np.stack([centre - half, centre + half])
    grown[0, 2] = min(box_m[0, 2], 0.0)
    return grown
