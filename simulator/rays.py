"""Ground truth by casting rays (embree, robust) through pixel centres: ids, depth, amodal silhouettes.

Seen *through* shells for carriers: a pixel belongs to the water in a glass, not to the glass; elsewhere the shell is
what a viewer sees. Flames are not in the scene. Works without bpy; agrees pixel for pixel with Cycles' index pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from numpy.typing import NDArray

from event_library.channels import ChannelMap
from simulator.stage import Body, Shot, Stage, world_vertices

Array = NDArray[np.float64]
Nearest = tuple[NDArray[np.int64], Array]  # instance ids [N], distances [N]


@dataclass(frozen=True)
class Hits:
    """What the rays of one picture met."""

    segmentation: NDArray[np.uint16]  # [H, W]; 0 is nothing
    depth_m: NDArray[
        np.float32
    ]  # [H, W] along the camera axis, of the surface that `segmentation` names; inf for nothing


class RayCaster:
    """Casts the pictures of one stage; the world's own bodies are built once."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        clip, k = stage.plan.clip, stage.intrinsics
        u, v = np.meshgrid(np.arange(clip.width_px) + 0.5, np.arange(clip.height_px) + 0.5)
        # camera z = 1, so that the hit distance is the depth along the axis
        self._directions = np.stack([(u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1], np.ones_like(u)], axis=-1)
        static = (b for b in stage.bodies if b.event is None and b.occluder is None and b.part.in_rays)
        self._static = _Scene((b, world_vertices(b, {})) for b in static)
        self._occluders = [b for b in stage.bodies if b.occluder is not None]

    def cast(self, shot: Shot) -> Hits:
        """Everything that is in the picture."""
        opaque, shells = self._event_scenes(self.stage.channels(shot), list(self.stage.events))
        rays = self._rays(shot)
        before = _Scene((b, world_vertices(b, {}, shot.occluders)) for b in self._occluders)
        solid = [scene.nearest(*rays) for scene in (self._static, opaque, before)]
        return self._combine(solid, shells.nearest(*rays))

    def cast_event(self, shot: Shot, event: str) -> Hits:
        """One event by itself, as if nothing else were there (amodal)."""
        opaque, shells = self._event_scenes(self.stage.channels(shot), [event])
        rays = self._rays(shot)
        return self._combine([opaque.nearest(*rays)], shells.nearest(*rays))

    def _event_scenes(self, channels: dict[str, ChannelMap], events: list[str]) -> tuple[_Scene, _Scene]:
        bodies = [b for b in self.stage.bodies if b.event in events and b.part.in_rays]
        placed = [(b, world_vertices(b, channels)) for b in bodies]
        return (
            _Scene(p for p in placed if not p[0].part.see_through),
            _Scene(p for p in placed if p[0].part.see_through),
        )

    def _rays(self, shot: Shot) -> tuple[Array, Array]:
        pose = shot.world_from_camera
        directions = self._directions.reshape(-1, 3) @ pose[:3, :3].T
        return np.broadcast_to(pose[:3, 3], directions.shape), directions

    def _combine(self, opaque: list[Nearest], shell: Nearest) -> Hits:
        (ids, depth), *others = opaque
        for other_ids, other_depth in others:
            nearer = other_depth < depth
            ids, depth = np.where(nearer, other_ids, ids), np.where(nearer, other_depth, depth)
        carriers = [b.instance for b in self.stage.bodies if b.part.carries]
        in_front = (shell[1] < depth) & ~np.isin(ids, carriers)
        ids, depth = np.where(in_front, shell[0], ids), np.where(in_front, shell[1], depth)
        shape = self._directions.shape[:2]
        return Hits(ids.reshape(shape).astype(np.uint16), depth.reshape(shape).astype(np.float32))


class _Scene:
    """An embree scene whose geometries know their instance ids."""

    def __init__(self, placed: Iterable[tuple[Body, Array | None]]) -> None:
        self._scene = rtcore_scene.EmbreeScene(robust=True)
        instances = []
        for body, vertices in placed:
            if vertices is None or len(body.part.mesh.faces) == 0:
                continue
            TriangleMesh(self._scene, vertices.astype(np.float32), np.asarray(body.part.mesh.faces, dtype=np.int32))
            instances.append(body.instance)
        self._instances = np.array(instances, dtype=np.int64)

    def nearest(self, origins: Array, directions: Array) -> Nearest:
        """Instance id [N] (0 for none) and distance [N] in units of the direction (inf for none)."""
        ids, distance = np.zeros(len(directions), dtype=np.int64), np.full(len(directions), np.inf)
        if len(self._instances) == 0:
            return ids, distance
        found = self._scene.run(origins.astype(np.float32), directions.astype(np.float32), output=True)
        hit = found["geomID"] >= 0
        ids[hit] = self._instances[found["geomID"][hit]]
        distance[hit] = found["tfar"][hit]
        return ids, distance
