"""Ground truth by casting rays (embree, robust) through pixel centres: ids, depth, triangles, amodal silhouettes.

Seen *through* shells for carriers: a pixel belongs to the water in a glass, not to the glass; elsewhere the shell is
what a viewer sees. Flames are not in the scene. Works without bpy; agrees pixel for pixel with Cycles' index pass.

Embree scenes are built once per event and moment and shared by every picture of that moment; the world's once at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from numpy.typing import NDArray

from event_library.channels import ChannelMap
from simulator.meshes import WORLD, Group, StageMeshes, Triangles
from simulator.stage import Shot, Stage

Array = NDArray[np.float64]
MOMENTS_KEPT = 3  # per event: this frame's, the next frame's, and one of a twin


@dataclass(frozen=True)
class Nearest:
    """The first triangles that rays meet."""

    face: NDArray[np.int64]  # [N] row of StageMeshes.faces; -1 for none
    distance: Array  # [N] in units of the ray's direction; inf for none


@dataclass(frozen=True)
class Hits:
    """What the rays of one picture met."""

    segmentation: NDArray[np.uint16]  # [H, W]; 0 is nothing
    depth_m: NDArray[np.float32]  # [H, W] along the camera axis, of the surface `segmentation` names; inf for nothing
    face: NDArray[np.int32]  # [H, W] row of StageMeshes.faces; -1 for nothing
    alone: Mapping[str, NDArray[np.uint16]]  # event -> [H, W] segmentation as if nothing else were there


@dataclass(frozen=True)
class _Picture:
    """The rays of one picture, in the world."""

    world_from_camera: Array  # [4, 4]
    intrinsics: Array  # [3, 3]
    directions: Array  # [H, W, 3], one unit deep along the camera axis

    def window(self, points_m: Array) -> tuple[slice, slice]:
        """Rows and columns outside which no ray meets the hull of the points [V, 3] (nan: not there)."""
        inside = (points_m[~np.isnan(points_m[:, 0])] - self.world_from_camera[:3, 3]) @ self.world_from_camera[:3, :3]
        height, width = self.directions.shape[:2]
        if len(inside) == 0 or (inside[:, 2] <= 0.0).all():
            return slice(0, 0), slice(0, 0)
        if inside[:, 2].min() < 1e-3 * inside[:, 2].max():
            return slice(0, height), slice(0, width)  # reaches behind the camera
        k = self.intrinsics
        uv = inside[:, :2] / inside[:, 2:] * (k[0, 0], k[1, 1]) + (k[0, 2], k[1, 2])
        low, high = np.floor(uv.min(axis=0)) - 1, np.ceil(uv.max(axis=0)) + 1
        rows, columns = np.clip((low[1], high[1]), 0, height), np.clip((low[0], high[0]), 0, width)
        return slice(int(rows[0]), int(rows[1])), slice(int(columns[0]), int(columns[1]))


class RayCaster:
    """Casts the pictures of one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.meshes = stage, StageMeshes(stage)
        clip, k = stage.plan.clip, stage.intrinsics
        u, v = np.meshgrid(np.arange(clip.width_px) + 0.5, np.arange(clip.height_px) + 0.5)
        # [H, W, 3] in the camera's axes, z = 1, so that the hit distance is the depth along the axis
        self.rays = np.stack([(u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1], np.ones_like(u)], axis=-1)
        groups = self.meshes.groups
        self._world = [_Placed(groups[WORLD], self.meshes.placed(groups[WORLD]))] if WORLD in groups else []
        self._moments: dict[str, dict[float, _Placed]] = {event: {} for event in stage.events}
        self._standing: dict[str, tuple[bytes, _Placed]] = {}  # occluder -> its last pose, where that puts it

    def cast(self, shot: Shot) -> Hits:
        """Everything that is in the picture."""
        picture = self._picture(shot)
        solid = [placed.solid_in(picture) for placed in self._world]
        shells, alone = [], {}
        for event in self.stage.events:
            placed = self._event(event, shot)
            solid.append(placed.solid_in(picture))
            shells.append(placed.shells_in(picture))
            alone[event] = self._segmentation(self._through_shells(solid[-1:], shells[-1:]))
        solid += [placed.solid_in(picture) for placed in self._occluders(shot)]
        return self._hits(self._through_shells(solid, shells), alone)

    def cast_event(self, shot: Shot, event: str) -> Hits:
        """One event by itself, as if nothing else were there (amodal)."""
        picture, placed = self._picture(shot), self._event(event, shot)
        nearest = self._through_shells([placed.solid_in(picture)], [placed.shells_in(picture)])
        return self._hits(nearest, {event: self._segmentation(nearest)})

    def vertices(self, shot: Shot) -> Array:
        """[V, 3] every vertex of the stage in the world; nan for what is not there."""
        found = np.empty_like(self.meshes.rest_vertices)
        for name, group in self.meshes.groups.items():
            if name == WORLD:
                found[group.vertices] = self._world[0].vertices
            elif name in self.stage.events:
                found[group.vertices] = self._event(name, shot).vertices
            else:
                found[group.vertices] = self.meshes.placed(group, occluders=shot.occluders)
        return found

    def channels(self, event: str, shot: Shot) -> ChannelMap:
        """The event's channels; only what they do to shapes and places is meant (its light may be dimmed)."""
        return self._event(event, shot).channels

    def first_solid(self, shot: Shot, origins_m: Array, directions: Array) -> Nearest:
        """What single rays [N, 3] meet first; shells do not stop them."""
        placed = [*self._world, *(self._event(event, shot) for event in self.stage.events), *self._occluders(shot)]
        return _first([p.solid.nearest(origins_m, directions) for p in placed], len(directions))

    def first_of_world(self, origins_m: Array, directions: Array) -> Nearest:
        """The same with nothing but the world's own bodies there."""
        return _first([p.solid.nearest(origins_m, directions) for p in self._world], len(directions))

    def _event(self, event: str, shot: Shot) -> _Placed:
        moments, time_s = self._moments[event], shot.event_times_s[event]
        if time_s not in moments:
            while len(moments) >= MOMENTS_KEPT:
                moments.pop(next(iter(moments)))
            law = self.stage.events[event]
            channels = law.channels(law.state_at(time_s))
            group = self.meshes.groups[event]
            moments[time_s] = _Placed(group, self.meshes.placed(group, {event: channels}), channels)
        return moments[time_s]

    def _occluders(self, shot: Shot) -> list[_Placed]:
        found = []
        for name, group in self.meshes.groups.items():
            if (pose := shot.occluders.get(name)) is not None:
                if name not in self._standing or self._standing[name][0] != pose.tobytes():
                    vertices = self.meshes.placed(group, occluders=shot.occluders)
                    self._standing[name] = pose.tobytes(), _Placed(group, vertices)
                found.append(self._standing[name][1])
        return found

    def _picture(self, shot: Shot) -> _Picture:
        pose = shot.world_from_camera
        return _Picture(pose, self.stage.intrinsics, self.rays @ pose[:3, :3].T)

    def _through_shells(self, solid: list[Nearest], shells: list[Nearest]) -> Nearest:
        """Shells count where they lie before everything solid that carries no state."""
        num_rays = self.rays.shape[0] * self.rays.shape[1]
        nearest, shell = _first(solid, num_rays), _first(shells, num_rays)
        in_front = (shell.distance < nearest.distance) & ~self.meshes.carries[nearest.face]
        return Nearest(
            np.where(in_front, shell.face, nearest.face), np.where(in_front, shell.distance, nearest.distance)
        )

    def _segmentation(self, nearest: Nearest) -> NDArray[np.uint16]:
        return self.meshes.instances[nearest.face].reshape(self.rays.shape[:2])

    def _hits(self, nearest: Nearest, alone: Mapping[str, NDArray[np.uint16]]) -> Hits:
        shape = self.rays.shape[:2]
        return Hits(
            self._segmentation(nearest),
            nearest.distance.reshape(shape).astype(np.float32),
            nearest.face.reshape(shape).astype(np.int32),
            alone,
        )


def _first(found: list[Nearest], num_rays: int) -> Nearest:
    """The nearer of several answers to the same rays; of equals the first."""
    if not found:
        return Nearest(np.full(num_rays, -1), np.full(num_rays, np.inf))
    first, *others = found
    face, distance = first.face, first.distance
    for other in others:
        nearer = other.distance < distance
        face, distance = np.where(nearer, other.face, face), np.where(nearer, other.distance, distance)
    return Nearest(face, distance)


@dataclass(frozen=True)
class _Placed:
    """One group where it is at one moment; keeps what its last picture's rays met."""

    group: Group
    vertices: Array  # [V of the group, 3]; nan for bodies that are not there
    channels: ChannelMap = field(default_factory=dict)
    _seen: dict[bool, tuple[bytes, Nearest]] = field(default_factory=dict)

    @cached_property
    def solid(self) -> _Scene:
        return _Scene(self.vertices, self.group.solid)

    @cached_property
    def shells(self) -> _Scene:
        return _Scene(self.vertices, self.group.shell)

    def solid_in(self, picture: _Picture) -> Nearest:
        return self._in(picture, shells=False)

    def shells_in(self, picture: _Picture) -> Nearest:
        return self._in(picture, shells=True)

    def _in(self, picture: _Picture, *, shells: bool) -> Nearest:
        key = picture.world_from_camera.tobytes()
        if shells not in self._seen or self._seen[shells][0] != key:
            self._seen[shells] = key, self._cast(picture, shells=shells)
        return self._seen[shells][1]

    def _cast(self, picture: _Picture, *, shells: bool) -> Nearest:
        shape = picture.directions.shape[:2]
        face, distance = np.full(shape, -1), np.full(shape, np.inf)
        window = picture.window(self.vertices)
        directions = picture.directions[window]
        if directions.size and len((self.group.shell if shells else self.group.solid).rows):
            scene, flat = self.shells if shells else self.solid, directions.reshape(-1, 3)
            near = scene.nearest(np.broadcast_to(picture.world_from_camera[:3, 3], flat.shape), flat)
            face[window], distance[window] = (a.reshape(directions.shape[:2]) for a in (near.face, near.distance))
        return Nearest(face.ravel(), distance.ravel())


class _Scene:
    """An embree scene whose triangles know their rows in StageMeshes.faces."""

    def __init__(self, vertices: Array, triangles: Triangles) -> None:
        """vertices: [V of the group, 3], nan for bodies that are not there."""
        points, corners = vertices[triangles.vertices], triangles.corners
        there = ~np.isnan(points[corners[:, 0], 0])
        self._rows = triangles.rows[there]
        self._scene = rtcore_scene.EmbreeScene(robust=True)
        if len(self._rows):  # no more points than needed: embreex copies them one by one, a microsecond each
            TriangleMesh(self._scene, points.astype(np.float32), corners[there].astype(np.int32))

    def nearest(self, origins: Array, directions: Array) -> Nearest:
        """What rays [N, 3] meet first."""
        face, distance = np.full(len(directions), -1), np.full(len(directions), np.inf)
        if len(self._rows) == 0 or len(directions) == 0:
            return Nearest(face, distance)
        found = self._scene.run(origins.astype(np.float32), directions.astype(np.float32), output=True)
        hit = found["geomID"] >= 0
        face[hit] = self._rows[found["primID"][hit]]
        distance[hit] = found["tfar"][hit]
        return Nearest(face, distance)
