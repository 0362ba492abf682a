"""Thin things that bend: paper, strips, ribbons, flags, petals. All keep their vertex count."""

from __future__ import annotations

import numpy as np
import trimesh

from event_library.channels import Channel, VertexColours, Vertices
from event_library.kit.faces import grid_faces
from event_library.kit.palette import PAPER
from event_library.kit.shapes import Array
from event_library.parts import Material, Part

Channels = dict[str, tuple[Channel, ...]]


# ---- surfaces given point by point
def sheet(name: str, points_m: Array, material: Material = PAPER, *, smooth_angle_deg: float = 180.0) -> Part:
    """Open surface through a grid of points [R, C, 3], seen from both sides; `sheet_channels` bends it."""
    rows, columns = points_m.shape[:2]
    mesh = trimesh.Trimesh(np.asarray(points_m).reshape(-1, 3), grid_faces(rows, columns), process=False)
    return Part(name, mesh, material, carries=True, smooth_angle_deg=smooth_angle_deg)


def sheet_channels(name: str, points_m: Array, rgb: Array | None = None) -> Channels:
    """New points [R, C, 3] and, for a `per_vertex` material, colours [R, C, 3]."""
    shape = Vertices(np.asarray(points_m, dtype=np.float64).reshape(-1, 3))
    return {name: (shape,) if rgb is None else (shape, VertexColours(np.asarray(rgb).reshape(-1, 3)))}


def flat_points(width_m: float, height_m: float, rows: int, columns: int) -> Array:
    """[R, C, 3] upright sheet in the xz plane: x over the middle, z from 0 up."""
    x, z = np.meshgrid(np.linspace(-width_m / 2, width_m / 2, columns), np.linspace(0.0, height_m, rows))
    return np.stack([x, np.zeros_like(x), z], axis=-1)


def flag_points(
    width_m: float, height_m: float, phase_rad: float, *, amplitude_m: float, waves: float = 1.5, rows: int = 8,
    columns: int = 24,
) -> Array:  # fmt: skip
    """[R, C, 3] flag fixed at x = 0 (the mast), waving in y, z from 0 up; the wave runs out along +x with the phase."""
    points = flat_points(width_m, height_m, rows, columns)
    share = points[..., 0] / width_m + 0.5
    points[..., 0] = share * width_m
    points[..., 1] = (
        amplitude_m * share * np.sin(2 * np.pi * waves * share - phase_rad + 0.4 * points[..., 2] / height_m)
    )
    return points


# ---- strips with thickness
def strip(
    name: str, path_xz_m: Array, width_m: float, thick_m: float, material: Material = PAPER, *, carries: bool = True
) -> Part:
    """Closed band along a path [N, 2] in the xz plane, `width_m` along y about y = 0; `strip_channels` bends it."""
    num = len(path_xz_m)
    low, high = np.array([(0, 1, 2), (0, 2, 3)]), np.array([(2, 1, 0), (3, 2, 0)]) + 4 * (num - 1)
    faces = np.vstack([low, grid_faces(num, 4, closed_columns=True)[:, ::-1], high])
    mesh = trimesh.Trimesh(_strip_vertices(path_xz_m, width_m, thick_m), faces, process=False)
    if mesh.volume < 0:
        mesh.invert()
    return Part(name, mesh, material, carries=carries, smooth_angle_deg=40)


def strip_channels(name: str, path_xz_m: Array, width_m: float, thick_m: float) -> Channels:
    """The band along a new path of as many points."""
    return {name: (Vertices(_strip_vertices(path_xz_m, width_m, thick_m)),)}


def arc_path_m(length_m: float, bend_rad: float, num: int = 25, *, start_rad: float = np.pi / 2) -> Array:
    """[N, 2] path from the origin of constant curvature and given length that turns left by `bend_rad` in all.

    start_rad: its first direction, counter-clockwise from +x in the xz plane (pi/2: straight up).
    """
    heading = start_rad + bend_rad * (np.arange(num - 1) + 0.5) / (num - 1)
    half = bend_rad / (num - 1) / 2
    chord = length_m / (num - 1) * (np.sin(half) / half if abs(half) > 1e-9 else 1.0)
    step = chord * np.column_stack([np.cos(heading), np.sin(heading)])
    return np.vstack([[(0.0, 0.0)], np.cumsum(step, axis=0)])


def _strip_vertices(path_xz_m: Array, width_m: float, thick_m: float) -> Array:
    path = np.asarray(path_xz_m, dtype=np.float64)
    tangent = np.gradient(path, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-12)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) * thick_m / 2
    corners = []
    for y, sign in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        at = path + sign * normal
        corners.append(np.column_stack([at[:, 0], np.full(len(path), y * width_m / 2), at[:, 1]]))
    return np.stack(corners, axis=1).reshape(-1, 3)


# ---- petals and leaves
def petal(length_m: float, width_m: float, *, cup: float = 0.25, num: int = 7) -> trimesh.Trimesh:
    """Pointed oval from its base at the origin up +z, its face to -y, hollow by `cup` of its width; 5 num vertices.

    Use it with `copies.copies` (leaves on a twig) or one by one.
    """
    share = np.linspace(0.0, 1.0, num)
    half = width_m / 2 * np.sin(np.pi * share**0.8) ** 0.8
    across = np.linspace(-1.0, 1.0, 5)
    x = half[:, None] * across
    y = cup * width_m * (across**2 * np.sin(np.pi * share)[:, None] + 0.8 * share[:, None] ** 2)
    z = np.broadcast_to(length_m * share[:, None], x.shape)
    return trimesh.Trimesh(np.stack([x, y, z], axis=-1).reshape(-1, 3), grid_faces(num, 5), process=False)
