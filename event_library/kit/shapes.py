"""Meshes that `event_library.parts` lacks: sweeps, solids of revolution, extruded outlines, curves, turns.

Every builder has a vertex count that depends on its counts alone, never on lengths: results fit a Vertices channel.
"""

from __future__ import annotations

import itertools
import math
from typing import Literal

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library import parts
from event_library.kit.faces import grid_faces, tube_faces

Array = NDArray[np.float64]
Place = tuple[float, float, float]  # metres, in the event's frame
Facing = Literal["front", "up"]  # what an upright face built towards -y looks at: the viewer, or the sky

ORIGIN: Place = (0.0, 0.0, 0.0)


# ---- placing
def placed(mesh: trimesh.Trimesh, place: Place, facing: Facing = "front") -> trimesh.Trimesh:
    """The mesh laid on its back when it faces up, then moved to `place`; returns the same object."""
    if facing == "up":
        turned(mesh, (1.0, 0.0, 0.0), -np.pi / 2)
    return parts.moved(mesh, *place)


def turned(mesh: trimesh.Trimesh, axis: Place, angle_rad: float, about: Place = ORIGIN) -> trimesh.Trimesh:
    """The mesh turned right-handed about a line through `about`; returns the same object."""
    mesh.apply_transform(trimesh.transformations.rotation_matrix(angle_rad, axis, about))
    return mesh


def at(*xyz: float) -> Array:
    """[3] float64 array for channels."""
    return np.array(xyz, dtype=np.float64)


# ---- solids of revolution
def polygon_share(num_sides: int) -> float:
    """Area of a regular polygon over that of its circumscribed circle."""
    return float(num_sides / (2 * np.pi) * np.sin(2 * np.pi / num_sides))


def solid_of_revolution(profile_rz_m: Array, num_sides: int = 32, *, exact: bool = False) -> trimesh.Trimesh:
    """Closed solid about z of (radius, height) knots [P, 2] from bottom to top; P num_sides + 2 vertices.

    exact: radii are widened so that its volume is that of the round solid. Knots may coincide.
    """
    profile = np.asarray(profile_rz_m, dtype=np.float64)
    angle = 2 * np.pi * np.arange(num_sides) / num_sides
    radii = profile[:, 0] / (np.sqrt(polygon_share(num_sides)) if exact else 1.0)
    rings = np.stack(
        [
            radii[:, None] * np.cos(angle),
            radii[:, None] * np.sin(angle),
            np.broadcast_to(profile[:, 1:], (len(profile), num_sides)),
        ],
        axis=-1,
    )
    ends = np.array([(0.0, 0.0, profile[0, 1]), (0.0, 0.0, profile[-1, 1])])
    return trimesh.Trimesh(np.vstack([rings.reshape(-1, 3), ends]), tube_faces(len(profile), num_sides), process=False)


def cone(radius_m: float, height_m: float, top_radius_m: float = 0.0, num_sides: int = 32) -> trimesh.Trimesh:
    """Closed cone or frustum standing on z = 0."""
    return solid_of_revolution(np.array([(radius_m, 0.0), (max(top_radius_m, 1e-6), height_m)]), num_sides)


def ellipsoid(size_m: Place, subdivisions: int = 2) -> trimesh.Trimesh:
    """Ellipsoid of full extents `size_m` about the origin (162 vertices at 2 subdivisions, 42 at 1)."""
    mesh = parts.sphere(0.5, subdivisions)
    mesh.apply_scale(size_m)
    return mesh


def capsule(radius_m: float, height_m: float, num_sides: int = 24) -> trimesh.Trimesh:
    """Upright cylinder with round ends standing on z = 0, `height_m` over all."""
    bow = np.linspace(0.02, np.pi / 2, 6)
    low = np.column_stack([radius_m * np.sin(bow), radius_m * (1 - np.cos(bow))])
    high = np.column_stack([low[::-1, 0], height_m - low[::-1, 1]])
    return solid_of_revolution(np.vstack([low, high]), num_sides)


# ---- sweeps
def swept(points_m: Array, radius_m: float | Array, num_sides: int = 10) -> trimesh.Trimesh:
    """Closed tube along a polyline [P, 3] with one radius or [P]; P num_sides + 2 vertices, points may coincide."""
    points = np.asarray(points_m, dtype=np.float64)
    radii = np.broadcast_to(np.asarray(radius_m, dtype=np.float64), len(points))
    tangents = np.gradient(points, axis=0)
    lengths = np.linalg.norm(tangents, axis=1)
    usable = np.flatnonzero(lengths > 1e-12)
    if len(usable) == 0:
        tangents = np.tile([0.0, 0.0, 1.0], (len(points), 1))
    else:
        nearest = usable[np.abs(np.arange(len(points))[:, None] - usable).argmin(axis=1)]
        tangents = tangents[nearest] / lengths[nearest, None]
    normal = np.cross(tangents[0], np.eye(3)[np.argmin(np.abs(tangents[0]))])
    normals = np.empty_like(points)
    for row, tangent in enumerate(tangents):
        across = normal - tangent * (normal @ tangent)  # parallel transport: no twist
        if (size := math.sqrt(across @ across)) > 1e-9:
            normal = across / size
        normals[row] = normal
    angle = (2 * np.pi * np.arange(num_sides) / num_sides)[:, None]
    around = np.cos(angle) * normals[:, None] + np.sin(angle) * np.cross(tangents, normals)[:, None]  # [P, sides, 3]
    rings = points[:, None] + radii[:, None, None] * around
    vertices = np.vstack([rings.reshape(-1, 3), points[:1], points[-1:]])
    return trimesh.Trimesh(vertices, tube_faces(len(points), num_sides), process=False)


def rod(start_m: Place | Array, end_m: Place | Array, radius_m: float, num_sides: int = 12) -> trimesh.Trimesh:
    """Closed straight cylinder between two points; 2 num_sides + 2 vertices."""
    return swept(np.array([start_m, end_m], dtype=np.float64), radius_m, num_sides)


def beam(start_m: Place, end_m: Place, width_m: float, depth_m: float) -> trimesh.Trimesh:
    """Box between two points in the same xz plane, `width_m` across it in that plane and `depth_m` along y."""
    start, end = np.asarray(start_m, dtype=np.float64), np.asarray(end_m, dtype=np.float64)
    length = float(np.linalg.norm(end - start))
    mesh = parts.box((width_m, depth_m, length))
    turned(mesh, (0.0, 1.0, 0.0), float(np.arctan2(end[0] - start[0], end[2] - start[2])))
    return parts.moved(mesh, *((start + end) / 2))


def arrow(length_m: float, width_m: float, thick_m: float) -> trimesh.Trimesh:
    """Flat arrow in the xz plane from the origin to +z, facing -y, `width_m` at its head."""
    head, half, shaft = min(1.2 * width_m, 0.6 * length_m), width_m / 2, width_m / 5
    outline = [
        (-shaft, 0.0), (shaft, 0.0), (shaft, length_m - head), (half, length_m - head),
        (0.0, length_m), (-half, length_m - head), (-shaft, length_m - head),
    ]  # fmt: skip
    return extruded(np.array(outline), thick_m)


# ---- extrusions
def extruded(outline_m: Array, thick_m: float, *, flat: bool = False) -> trimesh.Trimesh:
    """Closed prism of a simple polygon [P, 2], either winding; 2 P vertices.

    Upright: outline in x and z, from y = 0 back to y = thick_m. flat: outline in x and y, from z = 0 up to thick_m.
    """
    outline = np.asarray(outline_m, dtype=np.float64)
    if _signed_area(outline) < 0:
        outline = outline[::-1]
    num = len(outline)
    cap = triangulated(outline)
    low = np.column_stack([outline, np.zeros(num)])
    faces = np.vstack([cap[:, ::-1], cap + num, grid_faces(2, num, closed_columns=True)])
    mesh = trimesh.Trimesh(np.vstack([low, low + at(0.0, 0.0, thick_m)]), faces, process=False)
    if not flat:  # x stays, y becomes z, the top becomes the front
        turned(mesh, (1.0, 0.0, 0.0), np.pi / 2)
        parts.moved(mesh, y_m=thick_m)
    return mesh


def extruded_ring(outer_m: Array, inner_m: Array, thick_m: float, *, flat: bool = False) -> trimesh.Trimesh:
    """Closed prism between two counter-clockwise outlines [P, 2] of equally many points; 4 P vertices."""
    num = len(outer_m)
    path = ((outer_m, 0.0), (outer_m, thick_m), (inner_m, thick_m), (inner_m, 0.0))  # outside, top, inside, bottom
    vertices = np.vstack([np.column_stack([outline, np.full(num, z)]) for outline, z in path])
    mesh = trimesh.Trimesh(vertices, grid_faces(4, num, closed_rows=True, closed_columns=True), process=False)
    if not flat:
        turned(mesh, (1.0, 0.0, 0.0), np.pi / 2)
        parts.moved(mesh, y_m=thick_m)
    return mesh


def triangulated(outline_m: Array) -> NDArray[np.int64]:
    """[P - 2, 3] counter-clockwise triangles of a simple counter-clockwise polygon [P, 2], by cutting ears."""
    left, faces = list(range(len(outline_m))), []
    while len(left) > 3:
        for k in range(len(left)):
            trio = [left[k - 1], left[k], left[(k + 1) % len(left)]]
            a, b, c = outline_m[trio]
            rest = [i for i in left if i not in trio]
            if _cross(b - a, c - b) > 1e-15 and not _any_inside(a, b, c, outline_m[rest]):
                break
        else:
            trio, k = [left[0], left[1], left[2]], 1  # only slivers are left
        faces.append(trio)
        left.pop(k)
    return np.array([*faces, left], dtype=np.int64)


def _cross(u: Array, v: Array) -> Array:
    return np.asarray(u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0])


def _any_inside(a: Array, b: Array, c: Array, points: Array) -> bool:
    inside = (_cross(b - a, points - a) >= 0) & (_cross(c - b, points - b) >= 0) & (_cross(a - c, points - c) >= 0)
    return bool(inside.any())


def _signed_area(outline: Array) -> float:
    return float(_cross(outline, np.roll(outline, -1, axis=0)).sum() / 2)


# ---- curves
def circle(radius_m: float, num: int = 32, start_rad: float = 0.0) -> Array:
    """[num, 2] counter-clockwise points of a circle."""
    angle = start_rad + 2 * np.pi * np.arange(num) / num
    return radius_m * np.column_stack([np.cos(angle), np.sin(angle)])


def bezier(control_m: Array, num: int = 24) -> Array:
    """[num, 3] points of the Bezier curve of [C, 3] control points (de Casteljau)."""
    u = np.linspace(0.0, 1.0, num)[:, None]
    layer = [np.broadcast_to(p, (num, len(p))) for p in np.asarray(control_m, dtype=np.float64)]
    while len(layer) > 1:
        layer = [a + u * (b - a) for a, b in itertools.pairwise(layer)]
    return np.array(layer[0])


def along(points_m: Array, lengths_m: Array) -> Array:
    """[N, D] points of a polyline [P, D] at arc lengths [N], held at its ends."""
    points = np.asarray(points_m, dtype=np.float64)
    reached = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return np.column_stack([np.interp(lengths_m, reached, axis) for axis in points.T])


def length_m(points_m: Array) -> float:
    """Arc length of a polyline [P, D]."""
    return float(np.linalg.norm(np.diff(np.asarray(points_m, dtype=np.float64), axis=0), axis=1).sum())


def arc_length_m(points_m: Array, place_m: Array) -> float:
    """Arc length of the point of a polyline [P, D] that is nearest to a place [D]."""
    start, step = points_m[:-1], np.diff(points_m, axis=0)
    length = np.linalg.norm(step, axis=1)
    share = np.clip(((place_m - start) * step).sum(axis=1) / length**2, 0.0, 1.0)
    nearest = int(np.argmin(np.linalg.norm(start + share[:, None] * step - place_m, axis=1)))
    return float(length[:nearest].sum() + share[nearest] * length[nearest])


def resampled(points_m: Array, num: int) -> Array:
    """[num, D] points equally spaced along a polyline."""
    return along(points_m, np.linspace(0.0, length_m(points_m), num))
