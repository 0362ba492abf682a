"""Model landscapes: a ground, a painted sky that shines by itself, and lamps as far-off suns."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Event
from event_library.channels import Channel, VertexColours
from event_library.kit.faces import grid_faces
from event_library.kit.shapes import Array, Place
from event_library.parts import Material, Part, Rgb

SKY = Material(rgb=(0.5, 0.5, 0.5), roughness=1.0, per_vertex=True, emission_strength=0.75)
LAWN = Material(rgb=(0.07, 0.30, 0.04), roughness=0.95)
SEA = Material(rgb=(0.02, 0.13, 0.30), roughness=0.25)


def sky(name: str, width_m: float, height_m: float, foot: Place, *, num_rows: int = 9, carries: bool = True) -> Part:
    """Upright sheet that faces the viewer, two vertices a row from `foot` up; colours by `sky_channels`."""
    x, y, z = foot
    rows = np.linspace(z, z + height_m, num_rows)
    vertices = np.array([(x + s * width_m / 2, y, h) for h in rows for s in (-1, 1)])
    return Part(name, trimesh.Trimesh(vertices, grid_faces(num_rows, 2), process=False), SKY, carries, 180.0)


def sky_channels(name: str, rgb: Array, num_rows: int = 9) -> dict[str, tuple[Channel, ...]]:
    """Colours of the rows: [3] for all alike, or [R, 3] knots from the foot up."""
    knots = np.atleast_2d(np.asarray(rgb, dtype=np.float64))
    at = np.linspace(0, 1, num_rows)
    rows = np.column_stack([np.interp(at, np.linspace(0, 1, len(knots)), k) for k in knots.T])
    return {name: (VertexColours(np.repeat(np.clip(rows, 0, 1), 2, axis=0)),)}


def shining(name: str, mesh: trimesh.Trimesh, *, carries: bool = True, smooth_angle_deg: float = 0.0) -> Part:
    """Any mesh in the sky's own material: seen in the colours given by `evenly`, hardly changed by lamps."""
    return Part(name, mesh, SKY, carries, smooth_angle_deg)


def evenly(name: str, mesh: trimesh.Trimesh, rgb: Array | Rgb) -> dict[str, tuple[Channel, ...]]:
    """One colour for a part of `shining`."""
    return {name: (VertexColours(np.tile(np.asarray(rgb, dtype=np.float64), (len(mesh.vertices), 1))),)}


def backing(width_m: float, height_m: float, y_m: float) -> Part:
    """The wooden board that carries a sky, just behind it."""
    mesh = parts.block((width_m + 0.03, 0.02, height_m + 0.015), (0, y_m + 0.012, 0))
    return Part("backing", mesh, Material(rgb=(0.20, 0.13, 0.08), roughness=0.7))


def rock(size_m: float, seed: int, *, flat: float = 0.7) -> trimesh.Trimesh:
    """Boulder about its middle: a ball with dents, highest point on the z axis at flat * size_m / 2."""
    mesh = parts.sphere(1.0, 2)
    rng = np.random.Generator(np.random.PCG64(seed))
    way = rng.normal(size=(6, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    dents = np.maximum(np.asarray(mesh.vertices) @ way.T - 0.55, 0.0).sum(axis=1)
    up = np.maximum(np.asarray(mesh.vertices)[:, 2], 0.0)
    scale = (1 - 0.55 * dents * (1 - up**4))[:, None] * np.array([1.0, 1.0, flat]) * size_m / 2
    mesh.vertices = np.asarray(mesh.vertices) * scale
    return mesh


@lru_cache(maxsize=32)
def meshes_at_rest(event: Event) -> dict[str, trimesh.Trimesh]:
    """The parts' meshes by name, built once an event: for colours that need to know how many vertices there are."""
    return {part.name: part.mesh for part in event.assembly().parts}
