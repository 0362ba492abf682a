"""Points that keep their place on an object, followed over the clip (as TAP-Vid's, exact and from object space)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.cameras import project
from scenes.seeding import generator
from simulator.clip import Tracks
from simulator.meshes import barycentric
from simulator.rays import RayCaster
from simulator.stage import Shot
from simulator.timeline import truth_shots

Array = NDArray[np.float64]
NUM_POINTS = 256
CARRIER_SHARE = 0.75  # of an event's points
WORLD_CANDIDATES = 8  # rays cast for each world point wanted
ON_SURFACE = 2e-5  # of the distance: how far before a point its own surface may be met (float32 rays)


class PointTracks:
    """Chosen once, then followed frame by frame with `add`; `tracks` gives the result.

    Half of the points lie on the solid parts of the events, evenly by event, three quarters of those on its carriers,
    by area of the parts at rest. The others lie on the world, by area in the picture: each is what a random ray of
    a random frame meets when no event is there. Parts that are seen through, flames and haze have none, and
    occluders neither. The draw depends on the plan alone.
    """

    def __init__(self, caster: RayCaster) -> None:
        self._caster, self._meshes = caster, caster.meshes
        plan = caster.stage.plan
        rng = generator(plan.render.seed, "tracks")
        world = self._on_world(rng, truth_shots(plan), NUM_POINTS // 2)
        events = [self._on_event(rng, e, n) for e, n in self._shares(NUM_POINTS - len(world[0])).items()]
        self._face = np.concatenate([*(face for face, _ in events), world[0]])
        self._weights = np.concatenate([*(weights for _, weights in events), world[1]])  # [N, 3] barycentric
        shape = (plan.clip.num_frames, len(self._face))
        self._uv, self._depth = np.full((*shape, 2), np.nan, np.float32), np.full(shape, np.nan, np.float32)
        self._world, self._visible = np.full((*shape, 3), np.nan, np.float32), np.zeros(shape, dtype=np.bool_)

    def add(self, frame: int, shot: Shot, vertices_m: Array) -> None:
        """Where the points are in one frame; vertices_m [V, 3] in the world."""
        if len(self._face) == 0:
            return
        clip, pose = self._caster.stage.plan.clip, shot.world_from_camera
        points = self._at(vertices_m)
        camera_from_world = np.eye(4)
        camera_from_world[:3, :3], camera_from_world[:3, 3] = pose[:3, :3].T, -pose[:3, :3].T @ pose[:3, 3]
        uv, depth = project(points, camera_from_world, self._caster.stage.intrinsics)
        with np.errstate(invalid="ignore"):
            inside = (depth > 0) & (uv >= 0).all(axis=1) & (uv < (clip.width_px, clip.height_px)).all(axis=1)
        uv[~(depth > 0)] = np.nan
        self._uv[frame], self._depth[frame], self._world[frame] = uv, depth, points
        rays = points[inside] - pose[:3, 3]
        met = self._caster.first_solid(shot, np.broadcast_to(pose[:3, 3], rays.shape), rays)
        self._visible[frame, inside] = (met.distance >= 1 - ON_SURFACE) | (met.face == self._face[inside])

    def tracks(self) -> Tracks:
        faces = self._meshes.faces[self._face]
        first = np.searchsorted(self._meshes.faces_start, self._face, side="right") - 1
        return Tracks(
            uv_px=self._uv,
            depth_m=self._depth,
            visible=self._visible,
            world_m=self._world,
            instance=self._meshes.instances[self._face],
            object_m=np.einsum("nk,nki->ni", self._weights, self._meshes.rest_vertices[faces]),
            triangle=(self._face - self._meshes.faces_start[first]).astype(np.int32),
            barycentric=self._weights,
        )

    def _at(self, vertices_m: Array) -> Array:
        return np.einsum("nk,nki->ni", self._weights, vertices_m[self._meshes.faces[self._face]])

    def _shares(self, num_points: int) -> dict[str, int]:
        """Points of every event that has something solid."""
        solid = [e for e in self._caster.stage.events if self._meshes.solid[self._meshes.groups[e].faces].any()]
        return {e: (num_points + i) // len(solid) for i, e in enumerate(solid)}

    def _on_event(self, rng: np.random.Generator, event: str, num_points: int) -> tuple[NDArray[np.int64], Array]:
        rows = np.arange(len(self._meshes.faces))[self._meshes.groups[event].faces]
        rows = rows[self._meshes.solid[rows]]
        carriers, others = rows[self._meshes.carries[rows]], rows[~self._meshes.carries[rows]]
        on_carriers = int(round(num_points * CARRIER_SHARE)) if len(others) else num_points
        on_carriers = on_carriers if len(carriers) else 0
        face = np.concatenate(
            [self._draw(rng, carriers, on_carriers), self._draw(rng, others, num_points - on_carriers)]
        )
        root, share = np.sqrt(rng.random(num_points)), rng.random(num_points)  # uniform in a triangle
        return face, np.stack([1 - root, root * (1 - share), root * share], axis=1)

    def _draw(self, rng: np.random.Generator, rows: NDArray[np.int64], num_points: int) -> NDArray[np.int64]:
        """Triangles by area at rest; evenly where none has any."""
        if num_points == 0:
            return np.empty(0, dtype=np.int64)
        a, b, c = (self._meshes.rest_vertices[self._meshes.faces[rows, corner]] for corner in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        chances = area / area.sum() if area.sum() > 0 else None
        return rng.choice(rows, size=num_points, p=chances)

    def _on_world(
        self, rng: np.random.Generator, shots: list[Shot], num_points: int
    ) -> tuple[NDArray[np.int64], Array]:
        clip, k = self._caster.stage.plan.clip, self._caster.stage.intrinsics
        num_rays = WORLD_CANDIDATES * num_points
        uv = rng.random((num_rays, 2)) * (clip.width_px, clip.height_px)
        poses = np.stack([shot.world_from_camera for shot in shots])[rng.integers(len(shots), size=num_rays)]
        inside = np.append((uv - k[:2, 2]) / (k[0, 0], k[1, 1]), np.ones((num_rays, 1)), axis=1)
        rays = np.einsum("nij,nj->ni", poses[:, :3, :3], inside)
        met = self._caster.first_of_world(poses[:, :3, 3], rays)
        chosen = np.flatnonzero(met.face >= 0)[:num_points]
        face = met.face[chosen]
        points = poses[chosen, :3, 3] + rays[chosen] * met.distance[chosen, None]
        return face, barycentric(points, self._caster.vertices(shots[0])[self._meshes.faces[face]])
