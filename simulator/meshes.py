"""All triangles of a stage in one table, and where its vertices are in one shot.

A triangle's row in the table is its identity over the whole clip: what a ray hit in one frame can be found again in the
next, however its body moves or deforms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from event_library.channels import ChannelMap
from simulator.stage import Body, Stage, world_vertices

Array = NDArray[np.float64]
NOTHING: Mapping[str, Any] = MappingProxyType({})
WORLD = "world"  # the group of what stands still; events and occluders have groups by their own names


@dataclass(frozen=True)
class Triangles:
    """Some triangles of a group, by themselves."""

    rows: NDArray[np.int64]  # [F] their rows in the stage's table
    vertices: NDArray[np.int64]  # [V] of the group's vertices, those that they use
    corners: NDArray[np.int64]  # [F, 3] into `vertices`


@dataclass(frozen=True)
class Group:
    """Bodies that are placed together: those of the world, of one event, or of one occluder."""

    bodies: tuple[Body, ...]
    vertices: slice  # of the stage's vertices
    faces: slice  # of the stage's triangles
    solid: Triangles
    shell: Triangles


class StageMeshes:
    """The stage's triangles, in the order of its bodies."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        bodies = stage.bodies
        num_vertices = np.array([len(b.part.mesh.vertices) for b in bodies], dtype=np.int64)
        num_faces = np.array([len(b.part.mesh.faces) for b in bodies], dtype=np.int64)
        self._first_vertex = np.concatenate([[0], np.cumsum(num_vertices)])
        first_face = self.faces_start = np.concatenate([[0], np.cumsum(num_faces)])  # [B + 1] first of every body, end
        own = [np.asarray(b.part.mesh.faces, dtype=np.int64).reshape(-1, 3) for b in bodies]
        self.faces = np.concatenate([faces + start for faces, start in zip(own, self._first_vertex, strict=False)])
        # [F + 1]: row -1 stands for "no triangle"
        self.instances = np.append(np.repeat([b.instance for b in bodies], num_faces), 0).astype(np.uint16)
        self.carries = np.append(np.repeat([b.part.carries for b in bodies], num_faces), False).astype(np.bool_)
        self.solid = np.repeat([b.part.in_rays and not b.part.see_through for b in bodies], num_faces).astype(np.bool_)
        self.shell = np.repeat([b.part.in_rays and b.part.see_through for b in bodies], num_faces).astype(np.bool_)
        self.groups: dict[str, Group] = {}
        for name, members in groupby(range(len(bodies)), key=lambda i: _group_of(bodies[i])):
            numbers = list(members)
            assert name not in self.groups, f"bodies of {name} must follow one another"
            low, high = numbers[0], numbers[-1] + 1
            vertices = slice(int(self._first_vertex[low]), int(self._first_vertex[high]))
            faces = slice(int(first_face[low]), int(first_face[high]))
            self.groups[name] = Group(
                tuple(bodies[low:high]),
                vertices,
                faces,
                solid=self._triangles(vertices, faces, self.solid),
                shell=self._triangles(vertices, faces, self.shell),
            )
        self._at_rest = np.concatenate([np.asarray(b.part.mesh.vertices, dtype=np.float64) for b in bodies])

    def _triangles(self, vertices: slice, faces: slice, wanted: NDArray[np.bool_]) -> Triangles:
        rows = np.flatnonzero(wanted[faces]) + faces.start
        used, corners = np.unique(self.faces[rows] - vertices.start, return_inverse=True)
        return Triangles(rows, used, corners.reshape(-1, 3))

    @property
    def rest_vertices(self) -> Array:
        """[V, 3] every vertex in its part's own frame, without channels."""
        return self._at_rest

    @property
    def first_vertices(self) -> NDArray[np.int64]:
        """[B + 1] first vertex of every body, and the end."""
        return self._first_vertex

    def placed(
        self, group: Group, channels: Mapping[str, ChannelMap] = NOTHING, occluders: Mapping[str, Array] = NOTHING
    ) -> Array:
        """[V of the group, 3] vertices in the world; nan for bodies that are not there."""
        found = []
        for body in group.bodies:
            vertices = world_vertices(body, channels, occluders)
            found.append(np.full((len(body.part.mesh.vertices), 3), np.nan) if vertices is None else vertices)
        return np.concatenate(found)


def _group_of(body: Body) -> str:
    return body.event or body.occluder or WORLD


def barycentric(points_m: Array, corners_m: Array) -> Array:
    """[N, 3] coordinates, adding up to 1, of points [N, 3] in the planes of triangles [N, 3 corners, 3]."""
    a, b, c = (corners_m[:, corner] for corner in range(3))
    across = np.cross(b - a, c - a)
    square = np.maximum(np.einsum("ni,ni->n", across, across), 1e-300)
    share_b = np.einsum("ni,ni->n", np.cross(points_m - a, c - a), across) / square
    share_c = np.einsum("ni,ni->n", np.cross(b - a, points_m - a), across) / square
    return np.stack([1 - share_b - share_c, share_b, share_c], axis=1)
