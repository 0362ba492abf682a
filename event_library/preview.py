"""A look at one event without a renderer: rays cast at its meshes, shaded by facing. For checks and galleries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh
from numpy.typing import NDArray
from trimesh.ray.ray_pyembree import RayMeshIntersector

from event_library.base import Event, State, View, placed_meshes
from event_library.channels import Channel, Colour, Emission, VertexColours
from event_library.parts import Assembly, Part, join

Array = NDArray[np.float64]
Index = NDArray[np.int64]

FOV_RAD = float(np.deg2rad(40))
FRAME_SHARE = 0.6  # of the frame's width that the event fills (taxonomy: visibility_64px)
NUM_INSTANTS = 9
BACKGROUND = np.array([0.62, 0.63, 0.65])


@dataclass(frozen=True)
class Preview:
    view: View
    rgb: Array  # [H, W, 3] display-referred
    carrier_px: int


def look(
    event: Event,
    state: State,
    *,
    num_px: int = 64,
    azimuth_rad: float = 0.2,
    elevation_rad: float | None = None,
) -> Preview:
    """A square picture of the event from in front (-y), framed on all that it occupies in a clip of its usual length.

    Carriers are seen through shells; flames and haze are not in the rays. Without `elevation_rad`: the middle of what
    suits the type.
    """
    if elevation_rad is None:
        elevation_rad = float(np.deg2rad(np.mean(event.info.elevation_deg)))
    assembly, channels = built(event), event.channels(state)
    meshes = placed_meshes(assembly, channels)
    low, high = occupied_box_m(event)
    eye, right, down, forward = _camera((low + high) / 2, float((high - low).max()), azimuth_rad, elevation_rad)
    centre = (np.arange(num_px) + 0.5 - num_px / 2) / (num_px / 2) * np.tan(FOV_RAD / 2)
    u, v = np.meshgrid(centre, centre)
    rays = (forward + u[..., None] * right + v[..., None] * down).reshape(-1, 3)  # camera z = 1: distance is depth
    seen = [p for p in assembly.parts if p.name in meshes and p.in_rays]
    solid, glass = [p for p in seen if not p.see_through], [p for p in seen if p.see_through]
    owner, depth, facing, face = _first_hit([meshes[p.name] for p in solid], eye, rays)
    rgb = np.tile(BACKGROUND, (len(rays), 1))
    points, areas, colours = {}, {}, {}
    first_face = 0
    for index, part in enumerate(solid):
        rows = owner == index
        rgb[rows] = _shaded(part, channels.get(part.name, ()), face[rows] - first_face, facing[rows])
        first_face += len(part.mesh.faces)
        points[part.name] = eye + depth[rows, None] * rays[rows]
        areas[part.name] = (depth[rows] * (centre[1] - centre[0])) ** 2
        colours[part.name] = rgb[rows]
    if glass:
        over, near, edge, _ = _first_hit([meshes[p.name] for p in glass], eye, rays)
        rows = (over >= 0) & ~(near > depth)
        rgb[rows] = rgb[rows] * (0.55 + 0.4 * edge[rows, None])
    for part in assembly.parts:
        if part.name not in points:
            points[part.name], areas[part.name], colours[part.name] = np.empty((0, 3)), np.empty(0), np.empty((0, 3))
    carrier_px = sum(len(points[p.name]) for p in assembly.parts if p.carries)
    return Preview(View(points, areas, colours, eye), rgb.reshape(num_px, num_px, 3), carrier_px)


@lru_cache(maxsize=8)
def built(event: Event) -> Assembly:
    """The event's assembly, kept: many looks at one event build it once. Not to be changed."""
    return event.assembly()


@lru_cache(maxsize=64)
def occupied_box_m(event: Event) -> tuple[Array, Array]:
    """Least and greatest corner [3] of all parts over a clip of the type's usual length."""
    assembly = built(event)
    states = event.states(np.linspace(0.0, event.info.typical_duration_s, NUM_INSTANTS))
    corners = []
    for i in range(NUM_INSTANTS):
        placed = placed_meshes(assembly, event.channels({name: value[i] for name, value in states.items()}))
        corners += [m.bounds for m in placed.values()]
    stacked = np.vstack(corners)
    return stacked.min(axis=0), stacked.max(axis=0)


def _shaded(part: Part, own: tuple[Channel, ...], faces: Index, facing: Array) -> Array:
    """[N, 3] display-referred colours of hit faces: lamp at the camera, plus what the material emits."""
    material, strength = part.material, part.material.emission_strength
    base: Array = np.broadcast_to(np.asarray(material.rgb, dtype=np.float64), (len(faces), 3))
    glow: Array = np.broadcast_to(np.asarray(material.emission_rgb, dtype=np.float64), (len(faces), 3))
    for channel in own:
        match channel:
            case Colour(rgb):
                base = np.broadcast_to(rgb, base.shape)
            case VertexColours(rgb):
                base = glow = np.asarray(rgb)[np.asarray(part.mesh.faces)[faces]].mean(axis=1)
            case Emission(value):
                strength = value
    shade = base * (0.35 + 0.65 * facing[:, None]) + strength * glow
    return np.asarray(np.clip(shade, 0.0, 1.0) ** (1 / 2.2))


def _camera(centre: Array, extent_m: float, azimuth_rad: float, elevation_rad: float) -> tuple[Array, ...]:
    """Eye and the OpenCV axes right, down, forward of a camera that sees `extent_m` over FRAME_SHARE of its width."""
    distance = extent_m / FRAME_SHARE / 2 / np.tan(FOV_RAD / 2)
    back = np.array([
        np.sin(azimuth_rad) * np.cos(elevation_rad),
        -np.cos(azimuth_rad) * np.cos(elevation_rad),
        np.sin(elevation_rad),
    ])  # fmt: skip
    forward = -back
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return centre + distance * back, right, np.cross(forward, right), forward


def _first_hit(meshes: list[trimesh.Trimesh], eye: Array, rays: Array) -> tuple[Index, Array, Array, Index]:
    """Per ray: index of the mesh hit (-1 none), depth along the camera axis (inf none), cosine to the surface, face."""
    if not meshes:
        nowhere = np.full(len(rays), -1)
        return nowhere, np.full(len(rays), np.inf), np.zeros(len(rays)), nowhere
    whole = join(*meshes)
    owners = np.repeat(np.arange(len(meshes)), [len(m.faces) for m in meshes])
    face = RayMeshIntersector(whole).intersects_first(np.broadcast_to(eye, rays.shape), rays)
    hit = face >= 0
    normal, corner = whole.face_normals[face[hit]], whole.triangles[face[hit], 0]
    owner, depth, facing = np.full(len(rays), -1), np.full(len(rays), np.inf), np.zeros(len(rays))
    across = (rays[hit] * normal).sum(axis=1)
    owner[hit] = owners[face[hit]]
    depth[hit] = ((corner - eye) * normal).sum(axis=1) / across  # the plane in float64: embree's own depth is float32
    facing[hit] = np.abs(across) / np.linalg.norm(rays[hit], axis=1)
    return owner, depth, facing, face
