"""What every figure is built from: frames, sweeps of varying radius, two-bone limbs, gaits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library.channels import Channel, ChannelMap, Move, Rotate, Scale, Vertices, pose_matrix
from event_library.kit.faces import tube_faces
from event_library.parts import Material, Part, Rgb, lathe, sphere

Array = NDArray[np.float64]
Point = Sequence[float] | Array  # three coordinates, metres
Channels = dict[str, tuple[Channel, ...]]  # part name -> its channels in one instant

SMOOTH_DEG = 50.0


# ---- frames
def turned(axis: tuple[float, float, float], angle_rad: float) -> Array:
    """[4, 4] right-handed turn about a unit axis through the origin."""
    x, y, z = axis
    c, s = float(np.cos(angle_rad)), float(np.sin(angle_rad))
    d = 1 - c
    return np.array([
        [c + x * x * d, x * y * d - z * s, x * z * d + y * s, 0.0],
        [x * y * d + z * s, c + y * y * d, y * z * d - x * s, 0.0],
        [x * z * d - y * s, y * z * d + x * s, c + z * z * d, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ])  # fmt: skip


def shifted(x_m: float = 0.0, y_m: float = 0.0, z_m: float = 0.0) -> Array:
    """[4, 4] translation."""
    matrix = np.eye(4)
    matrix[:3, 3] = x_m, y_m, z_m
    return matrix


def frame(at_m: Point, heading_rad: float = 0.0, pitch_rad: float = 0.0, roll_rad: float = 0.0) -> Array:
    """[4, 4] event_from_figure of a figure at `at_m`, facing +x turned by its heading; pitch lifts the nose."""
    x, y, z = (float(v) for v in at_m)
    matrix = shifted(x, y, z) @ turned((0, 0, 1), heading_rad)
    if pitch_rad:
        matrix = matrix @ turned((0, -1, 0), pitch_rad)
    return matrix @ turned((1, 0, 0), roll_rad) if roll_rad else matrix


def placed(event_from_part: Array) -> tuple[Channel, ...]:
    """Channels that put a rigid part there."""
    rotation = np.asarray(trimesh.transformations.quaternion_from_matrix(event_from_part), dtype=np.float64)
    return Rotate(rotation), Move(event_from_part[:3, 3].copy())


def shaped(event_from_part: Array, vertices_m: Array) -> tuple[Channel, ...]:
    """Channels of a deforming part: its vertices [V, 3] in its own frame, and where that frame lies."""
    return (Vertices(vertices_m), *placed(event_from_part))


def sized(event_from_part: Array, factor: float | Point) -> tuple[Channel, ...]:
    """Channels of a rigid part scaled about its origin, evenly or per axis of its own."""
    return (Scale(np.ones(3) * np.asarray(factor, dtype=np.float64)), *placed(event_from_part))


def moved_by(matrix: Array, points_m: Array) -> Array:
    """Points [..., 3] carried by a [4, 4] matrix."""
    return np.asarray(points_m, dtype=np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def baked(parts: Iterable[Part], channels: ChannelMap) -> tuple[Part, ...]:
    """The parts frozen in the pose that the channels give: scenery that needs no channels any more."""
    made = []
    for part in parts:
        own = channels.get(part.name, ())
        vertices = next((c.vertices_m for c in own if isinstance(c, Vertices)), np.asarray(part.mesh.vertices))
        mesh = trimesh.Trimesh(moved_by(pose_matrix(tuple(own)), vertices), part.mesh.faces, process=False)
        made.append(dataclasses.replace(part, mesh=mesh))
    return tuple(made)


def set_down(parts: Iterable[Part], at_m: Point, heading_rad: float = 0.0) -> tuple[Part, ...]:
    """Parts built about their own origin, baked at a place of the event's frame."""
    everything = tuple(parts)
    return baked(everything, {part.name: placed(frame(at_m, heading_rad)) for part in everything})


def matter(rgb: Rgb, roughness: float = 0.5, metallic: float = 0.0) -> Material:
    """A plain opaque material."""
    return Material(rgb=rgb, roughness=roughness, metallic=metallic)


def glow(rgb: Rgb, strength: float) -> Material:
    """A surface that may light up (`Emission`), shown in its own colour."""
    return Material(rgb=rgb, roughness=0.3, emission_rgb=rgb, emission_strength=strength)


# ---- meshes
def ellipsoid(centre_m: Point, half_m: Point, subdivisions: int = 2, pitch_rad: float = 0.0) -> trimesh.Trimesh:
    """Ellipsoid with half axes along x, y, z, then pitched nose up about its centre; 162 vertices at subdivision 2."""
    vertices, faces = _unit_sphere(subdivisions)
    place = turned((0, -1, 0), pitch_rad) if pitch_rad else np.eye(4)
    place[:3, 3] = np.asarray(centre_m, dtype=np.float64)
    shape = moved_by(place, vertices * np.asarray(half_m, dtype=np.float64))
    return trimesh.Trimesh(shape, faces.copy(), process=False)


@lru_cache(maxsize=8)
def _unit_sphere(subdivisions: int) -> tuple[Array, NDArray[np.int64]]:
    mesh = sphere(1.0, subdivisions)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def cone(base_m: Point, tip_m: Point, radius_m: float, num_sides: int = 10) -> trimesh.Trimesh:
    """Closed cone between two points."""
    return sweep_mesh(np.array([base_m, tip_m], dtype=np.float64), [radius_m, 0.02 * radius_m], num_sides, round_ends=0)


def lathe_along(profile_rs_m: Sequence[tuple[float, float]], axis: str = "x", num_sides: int = 20) -> trimesh.Trimesh:
    """Surface of revolution of (radius, position) points about the x, y or z axis."""
    mesh = lathe(np.array(profile_rs_m, dtype=np.float64), num_sides)
    if axis == "x":
        mesh.apply_transform(turned((0, 1, 0), np.pi / 2))
    if axis == "y":
        mesh.apply_transform(turned((1, 0, 0), -np.pi / 2))
    return mesh


def slab(outline_m: Array, thickness_m: float) -> trimesh.Trimesh:
    """Thin closed slab whose outline [P, 3] is star-shaped about its mean; for wings, leaves, petals, fins."""
    outline = np.asarray(outline_m, dtype=np.float64)
    middle = outline.mean(axis=0)
    after = np.roll(outline, -1, axis=0)
    normal = np.cross(outline - middle, after - middle).sum(axis=0)
    half = normal / np.linalg.norm(normal) * thickness_m / 2
    vertices = np.vstack([outline + 0.6 * half, outline - 0.6 * half, middle + half, middle - half])
    return trimesh.Trimesh(vertices, tube_faces(2, len(outline))[:, ::-1], process=False)


def leaf_outline(length_m: float, width_m: float, num_points: int = 14, sharp: float = 0.6) -> Array:
    """[P, 3] outline of a leaf, petal or wing in the xy plane, from its root at the origin along +x."""
    half = num_points // 2
    u = np.linspace(0, 1, half + 1)
    side = width_m / 2 * np.sin(np.pi * u**sharp)
    upper = np.column_stack([length_m * u, side])
    lower = np.column_stack([length_m * u, -side])[1:-1][::-1]
    flat = np.vstack([upper, lower])
    return np.column_stack([flat, np.zeros(len(flat))])


# ---- sweeps: a rounded tube of varying radius along a line; vertex count depends on the counts alone
def sweep(
    points_m: Array, radii_m: Sequence[float] | Array, num_sides: int = 10, round_ends: int = 2, flatten: float = 1.0
) -> Array:
    """Vertices [(P + 2 round_ends) num_sides + 2, 3] of a tube along [P, 3] points with radii [P].

    Round ends add half an ellipsoid beyond the first and the last point. `flatten` scales the tube's upright
    half axis against its sideways one.
    """
    line, radii = np.asarray(points_m, dtype=np.float64), np.asarray(radii_m, dtype=np.float64)
    tangents = np.gradient(line, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    if round_ends:
        share = np.arange(1, round_ends + 1) / (round_ends + 0.35) * np.pi / 2
        out, thin = np.sin(share)[:, None], np.cos(share)
        head = line[0] - tangents[0] * radii[0] * out[::-1]
        tail = line[-1] + tangents[-1] * radii[-1] * out
        ends = np.array([line[0] - tangents[0] * radii[0], line[-1] + tangents[-1] * radii[-1]])
        line = np.vstack([head, line, tail])
        radii = np.concatenate([radii[0] * thin[::-1], radii, radii[-1] * thin])
        tangents = np.vstack(
            [np.repeat(tangents[:1], round_ends, 0), tangents, np.repeat(tangents[-1:], round_ends, 0)]
        )
    else:
        ends = line[[0, -1]]
    angle = np.linspace(0, 2 * np.pi, num_sides, endpoint=False)
    sides = _carried_along(tangents)
    a, b = tangents, sides
    ups = np.column_stack([
        a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
        a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
        a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
    ])  # fmt: skip
    around = np.cos(angle)[None, :, None] * sides[:, None] + flatten * np.sin(angle)[None, :, None] * ups[:, None]
    rings = line[:, None] + radii[:, None, None] * around
    return np.vstack([rings.reshape(-1, 3), ends])


def _carried_along(tangents: Array) -> Array:
    """[P, 3] unit vectors across the tangents, the first level, carried on without twist (in plain floats: fast)."""
    x, y, _ = tangents[0]
    side = (-float(y), float(x), 0.0) if x * x + y * y > 1e-12 else (0.0, 1.0, 0.0)
    made = []
    for tx, ty, tz in tangents.tolist():
        along = side[0] * tx + side[1] * ty + side[2] * tz
        sx, sy, sz = side[0] - along * tx, side[1] - along * ty, side[2] - along * tz
        length = (sx * sx + sy * sy + sz * sz) ** 0.5
        side = (sx / length, sy / length, sz / length)
        made.append(side)
    return np.array(made)


def sweep_mesh(
    points_m: Array, radii_m: Sequence[float] | Array, num_sides: int = 10, round_ends: int = 2, flatten: float = 1.0
) -> trimesh.Trimesh:
    """Closed mesh of `sweep`, same vertices."""
    vertices = sweep(points_m, radii_m, num_sides, round_ends, flatten)
    return trimesh.Trimesh(vertices, tube_faces((len(vertices) - 2) // num_sides, num_sides), process=False)


def curve(knots_m: Sequence[Point] | Array, num_points: int) -> Array:
    """[num_points, 3] along the Bezier curve of the given knots."""
    points = np.asarray(knots_m, dtype=np.float64)
    u = np.linspace(0, 1, num_points)[:, None]
    levels = [np.repeat(p[None], num_points, 0) for p in points]
    while len(levels) > 1:
        levels = [(1 - u) * a + u * b for a, b in pairwise(levels)]
    return levels[0]


# ---- limbs of two bones
def middle_joint_m(root_m: Point, tip_m: Point, upper_m: float, lower_m: float, pole: Point) -> Array:
    """[3] knee or elbow of a limb from root to tip, bent towards `pole`; beyond reach the limb stretches evenly."""
    root, tip = np.asarray(root_m, dtype=np.float64), np.asarray(tip_m, dtype=np.float64)
    gap = tip - root
    distance = max(float(np.linalg.norm(gap)), 1e-9)
    along = gap / distance
    if distance >= upper_m + lower_m:
        middle: Array = root + gap * upper_m / (upper_m + lower_m)
        return middle
    distance = max(distance, abs(upper_m - lower_m) + 1e-9)
    share = (upper_m**2 - lower_m**2 + distance**2) / (2 * distance)
    out = np.asarray(pole, dtype=np.float64) - along * float(np.dot(pole, along))
    out /= max(float(np.linalg.norm(out)), 1e-9)
    bent: Array = root + share * along + np.sqrt(max(upper_m**2 - share**2, 0.0)) * out
    return bent


LIMB_POINTS = 7


def limb_line(root_m: Point, middle_m: Point, tip_m: Point) -> Array:
    """[7, 3] centre line of a limb, rounded at the knee."""
    root, middle, tip = (np.asarray(p, dtype=np.float64) for p in (root_m, middle_m, tip_m))
    upper, lower = middle - root, tip - middle
    knee = curve([middle - 0.3 * upper, middle, middle + 0.3 * lower], 3)
    return np.vstack([root, root + 0.4 * upper, knee, tip - 0.4 * lower, tip])


def limb_radii(root_m: float, middle_m: float, tip_m: float) -> Array:
    """[7] radii that go with `limb_line`."""
    return np.interp([0, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0], [0, 0.5, 1], [root_m, middle_m, tip_m])


# ---- gaits
def foot_path(phase: float, stride_m: float, lift_m: float, duty: float) -> tuple[float, float, bool]:
    """(x, z, on the ground) of one foot against its hip, at a share of its own stride from touch-down.

    On the ground for the share `duty` of the stride, moving back evenly: a body that travels `stride_m` per stride
    never slides.
    """
    u, reach = phase % 1.0, stride_m * duty / 2
    if u < duty:
        return reach - stride_m * u, 0.0, True
    w = (u - duty) / (1 - duty)
    ease = w * w * (3 - 2 * w)
    return reach * (2 * ease - 1), lift_m * float(np.sin(np.pi * w)), False
