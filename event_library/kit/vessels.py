"""Vessels and the liquid standing in them.

A vessel is a few static Parts named `{name}_wall`, `{name}_rim`, `{name}_base`. A liquid is one closed Part whose
volume is exactly that of the round thing; `place` of a liquid is where its floor is, and its channels put it there.
"""

from __future__ import annotations

import numpy as np
import trimesh

from event_library import parts
from event_library.channels import Channel, Move, Scale, Vertices
from event_library.kit.faces import bar_faces, grid_faces
from event_library.kit.palette import GLASS, GLASS_EDGE, INK, PORCELAIN, WATER
from event_library.kit.shapes import (
    ORIGIN,
    Array,
    Place,
    along,
    at,
    length_m,
    polygon_share,
    solid_of_revolution,
    swept,
)
from event_library.parts import Material, Part

Channels = dict[str, tuple[Channel, ...]]

NUM_SIDES = 64  # of round vessels and their liquids
CLEARANCE_M = 2e-4  # between a liquid and its wall
FLOOR_M = 0.008  # default thickness of a vessel's bottom
SHALLOWEST_M = 1e-6  # an empty column keeps this much, so that its matrix can be inverted


# ---- round and square vessels with straight walls
def glass(
    name: str, radius_m: float, height_m: float, place: Place = ORIGIN, *, floor_m: float = FLOOR_M,
    rim_m: float = 0.0014, material: Material = GLASS, edge: Material = GLASS_EDGE,
) -> tuple[Part, ...]:  # fmt: skip
    """Tumbler, jar, beaker or cylinder: wall, rim and base; `height_m` over all, liquid stands on place z + floor_m.

    radius_m: of the liquid inside (its area is exactly pi radius_m^2, see `liquid_column`).
    """
    wall = wall_radius_m(radius_m)
    return (
        Part(f"{name}_wall", _shell([(wall, floor_m), (wall, height_m)], place), material, smooth_angle_deg=40),
        Part(f"{name}_rim", _rim(wall, height_m, rim_m, place), edge, smooth_angle_deg=60),
        Part(f"{name}_base", _plug(wall, floor_m, place), edge, smooth_angle_deg=40),
    )


def wall_radius_m(radius_m: float) -> float:
    """Circumradius of the wall around a liquid of area pi radius_m^2."""
    return parts.disc_prism_radius_m(float(np.pi * radius_m**2), NUM_SIDES) + CLEARANCE_M


def square_tank(
    name: str, size_m: tuple[float, float], height_m: float, place: Place = ORIGIN, *, floor_m: float = FLOOR_M,
    edge_m: float = 0.003,
) -> tuple[Part, ...]:  # fmt: skip
    """Aquarium: four clear walls, a frame of edge bars and a base; inner size (x, y), `height_m` over all."""
    x, y = size_m[0] / 2 + CLEARANCE_M, size_m[1] / 2 + CLEARANCE_M
    corners = np.array([(-x, -y), (x, -y), (x, y), (-x, y)])
    vertices = np.vstack([np.column_stack([corners, np.full(4, z)]) for z in (floor_m, height_m)])
    walls = trimesh.Trimesh(vertices, grid_faces(2, 4, closed_columns=True), process=False)
    e = edge_m
    bars = [
        parts.block((e, e, height_m), (cx + np.sign(cx) * e / 2, cy + np.sign(cy) * e / 2, 0)) for cx, cy in corners
    ]
    bars += [parts.block((2 * x + 2 * e, e, e), (0, s * (y + e / 2), height_m - e)) for s in (-1, 1)]
    bars += [parts.block((e, 2 * y + 2 * e, e), (s * (x + e / 2), 0, height_m - e)) for s in (-1, 1)]
    base = parts.block((2 * x + 2 * e, 2 * y + 2 * e, floor_m - CLEARANCE_M), (0, 0, 0))
    return (
        Part(f"{name}_wall", parts.moved(walls, *place), GLASS),
        Part(f"{name}_rim", parts.moved(parts.join(*bars), *place), GLASS_EDGE),
        Part(f"{name}_base", parts.moved(base, *place), GLASS_EDGE),
    )


def graduations(
    name: str, radius_m: float, heights_m: Array, place: Place = ORIGIN, *, span_rad: float = 0.7,
    facing_rad: float = -np.pi / 2, material: Material = INK, thick_m: float = 0.0012,
) -> Part:  # fmt: skip
    """Printed level marks on the front of a round vessel: one short arc per height [N] above place z."""
    angle = facing_rad + np.linspace(-span_rad / 2, span_rad / 2, 9)
    r = wall_radius_m(radius_m) + thick_m / 2
    arcs = [
        swept(np.column_stack([r * np.cos(angle), r * np.sin(angle), np.full(9, h)]), thick_m / 2, 6) for h in heights_m
    ]
    return Part(name, parts.moved(parts.join(*arcs), *place), material)


# ---- vessels turned from a profile
def turned_vessel(
    name: str, profile_rz_m: Array, place: Place = ORIGIN, *, floor_m: float = 0.0, rim_m: float = 0.0014,
    material: Material = GLASS, edge: Material = GLASS_EDGE,
) -> tuple[Part, ...]:  # fmt: skip
    """Wall of an inner profile [P, 2] of (radius, height above the floor), bottom to top, with a rim and a base.

    The profile is the one given to `liquid_in`. A floor_m of 0 leaves the bottom open (funnels).
    """
    profile = np.asarray(profile_rz_m, dtype=np.float64)
    wall = np.column_stack([_wall_radii(profile[:, 0]), profile[:, 1] + floor_m])
    made = [
        Part(f"{name}_wall", _shell(wall, place), material, smooth_angle_deg=50),
        Part(f"{name}_rim", _rim(wall[-1, 0], wall[-1, 1], rim_m, place), edge, smooth_angle_deg=60),
    ]
    if floor_m > 0:
        made.append(Part(f"{name}_base", _plug(wall[0, 0], floor_m, place), edge, smooth_angle_deg=40))
    return tuple(made)


def cone_profile(half_angle_rad: float, height_m: float, bore_m: float = 0.003) -> Array:
    """[2, 2] inner profile of a funnel's cone with its tip (cut at radius `bore_m`) down."""
    low = bore_m / np.tan(half_angle_rad)
    return np.array([(bore_m, low), (height_m * np.tan(half_angle_rad), height_m)])


def flask_profile(base_radius_m: float, height_m: float, neck_radius_m: float | None = None) -> Array:
    """[8, 2] inner profile of an Erlenmeyer flask: rounded foot, cone, straight neck (the top 30 %)."""
    r, n = base_radius_m, 0.3 * base_radius_m if neck_radius_m is None else neck_radius_m
    low = 0.1 * r
    shoulder = 0.68 * height_m
    return np.array([
        (0.93 * r, 0.0), (0.985 * r, 0.3 * low), (r, low), (r + (n - r) * 0.9, 0.9 * shoulder),
        (n * 1.08, shoulder), (n, shoulder + 0.04 * height_m), (n, 0.97 * height_m), (1.15 * n, height_m),
    ])  # fmt: skip


def round_flask_profile(bulb_radius_m: float, height_m: float, neck_radius_m: float | None = None) -> Array:
    """[17, 2] inner profile of a round-bottomed flask with a straight neck."""
    n = 0.3 * bulb_radius_m if neck_radius_m is None else neck_radius_m
    top = np.arccos(-np.sqrt(1 - (n / bulb_radius_m) ** 2))
    bow = np.linspace(0.25, top, 15)
    bulb = np.column_stack([bulb_radius_m * np.sin(bow), bulb_radius_m * (np.cos(0.25) - np.cos(bow))])
    return np.vstack([bulb, [(n, 0.97 * height_m), (1.15 * n, height_m)]])


def bottle_profile(radius_m: float, height_m: float, neck_radius_m: float | None = None) -> Array:
    """[11, 2] inner profile of a bottle: straight body (the lower 58 %), round shoulder, neck."""
    n = 0.34 * radius_m if neck_radius_m is None else neck_radius_m
    bow = np.linspace(0.0, np.pi / 2, 6)
    shoulder = np.column_stack([
        n + (radius_m - n) * np.cos(bow) ** 0.8, height_m * (0.58 + 0.17 * np.sin(bow))
    ])  # fmt: skip
    foot = [(0.94 * radius_m, 0.0), (radius_m, 0.03 * height_m)]
    return np.vstack([foot, shoulder, [(n, 0.93 * height_m), (1.2 * n, 0.94 * height_m), (1.2 * n, height_m)]])


def bowl_profile(radius_m: float, depth_m: float, floor_radius_m: float | None = None) -> Array:
    """[9, 2] inner profile of a bowl or dish: flat floor, round side."""
    f = 0.45 * radius_m if floor_radius_m is None else floor_radius_m
    bow = np.linspace(0.0, np.pi / 2, 9)
    return np.column_stack([f + (radius_m - f) * np.sin(bow), depth_m * (1 - np.cos(bow))])


def funnel(
    name: str, half_angle_rad: float, height_m: float, place: Place, *, bore_m: float = 0.004, stem_m: float = 0.05
) -> tuple[Part, ...]:
    """Glass funnel with its (virtual) tip at `place`: cone up to place z + height_m, stem `stem_m` down.

    Liquid of height h in it: `liquid_in` with `cone_profile`, or a uniform Scale of a cone.
    """
    profile = cone_profile(half_angle_rad, height_m, bore_m)
    stem = np.array([(bore_m, -stem_m), (bore_m, 0.0)])
    return turned_vessel(name, np.vstack([stem, profile]), place)


def dish(name: str, radius_m: float, depth_m: float, place: Place = ORIGIN, *, wall_m: float = 0.003,
         material: Material = PORCELAIN) -> tuple[Part, ...]:  # fmt: skip
    """Shallow bowl with a solid wall and a flat floor at place z + wall_m (opaque unless the material is a shell)."""
    inner = bowl_profile(radius_m, depth_m, 0.8 * radius_m)
    outer = np.column_stack([inner[:, 0] + wall_m, inner[:, 1]])
    lip = [(radius_m + wall_m / 2, depth_m + 1.3 * wall_m)]
    profile = np.vstack([[(0.0, 0.0)], outer, lip, (inner + np.array([0.0, wall_m]))[::-1], [(0.0, wall_m)]])
    mesh = parts.moved(parts.lathe(profile, 48), *place)
    return (Part(f"{name}_wall", mesh, material, smooth_angle_deg=50),)


def _wall_radii(radii_m: Array) -> Array:
    return np.asarray(radii_m) / np.sqrt(polygon_share(NUM_SIDES)) + CLEARANCE_M


def _shell(profile_rz_m: Array | list[tuple[float, float]], place: Place) -> trimesh.Trimesh:
    return parts.moved(parts.lathe(np.asarray(profile_rz_m), NUM_SIDES), *place)


def _rim(radius_m: float, height_m: float, thick_m: float, place: Place) -> trimesh.Trimesh:
    x, y, z = place
    return parts.moved(parts.torus(radius_m, thick_m, NUM_SIDES, 8), x, y, z + height_m)


def _plug(radius_m: float, height_m: float, place: Place) -> trimesh.Trimesh:
    return parts.moved(parts.cylinder(radius_m, height_m - CLEARANCE_M, NUM_SIDES), *place)


# ---- liquid of straight vessels: one prism, scaled
def liquid_column(name: str, radius_m: float, full_m: float, material: Material = WATER) -> Part:
    """Closed prism of exactly pi radius_m^2 x full_m, standing at the origin until `column_channels` places it."""
    mesh = parts.disc_prism(float(np.pi * radius_m**2), full_m, NUM_SIDES)
    return Part(name, mesh, material, carries=True, smooth_angle_deg=40)


def liquid_box(name: str, size_m: tuple[float, float], full_m: float, material: Material = WATER) -> Part:
    """The same for a square tank of inner size (x, y)."""
    return Part(name, parts.block((*size_m, full_m), ORIGIN), material, carries=True)


def column_channels(name: str, level_m: float, full_m: float, floor: Place) -> Channels:
    """Level `level_m` of a column or box built `full_m` high, standing on the point `floor`."""
    share = max(level_m, SHALLOWEST_M) / full_m
    return {name: (Scale(at(1.0, 1.0, share)), Move(at(*floor)))}


def sloshing_box(name: str, size_m: tuple[float, float], num_across: int = 24, material: Material = WATER) -> Part:
    """Closed box of water whose top follows heights [num_across] along x; see `sloshing_channels`."""
    mesh = _slosh_mesh(size_m, np.full(num_across, size_m[0]))
    return Part(name, mesh, material, carries=True, smooth_angle_deg=30)


def sloshing_channels(name: str, size_m: tuple[float, float], heights_m: Array, floor: Place) -> Channels:
    """Surface heights [num_across] above the floor, from -x to +x, equally spaced; the volume is the trapezoid sum."""
    return {name: (Vertices(np.asarray(_slosh_mesh(size_m, heights_m).vertices)), Move(at(*floor)))}


def _slosh_mesh(size_m: tuple[float, float], heights_m: Array) -> trimesh.Trimesh:
    num = len(heights_m)
    x = np.linspace(-size_m[0] / 2, size_m[0] / 2, num)
    rows = [
        np.column_stack([x, np.full(num, s * size_m[1] / 2), z])
        for s, z in ((-1, np.zeros(num)), (1, np.zeros(num)), (1, heights_m), (-1, heights_m))
    ]
    mesh = trimesh.Trimesh(np.vstack(rows), bar_faces(num), process=False)
    if mesh.volume < 0:
        mesh.invert()
    return mesh


# ---- liquid in a turned vessel: vertices that hold an exact volume
def liquid_in(name: str, profile_rz_m: Array, level_m: float | None = None, material: Material = WATER) -> Part:
    """Closed liquid filling a `turned_vessel` profile up to a height (default: to the top), at the origin."""
    top = float(np.asarray(profile_rz_m)[-1, 1]) if level_m is None else level_m
    mesh = solid_of_revolution(_filled(profile_rz_m, top), NUM_SIDES // 2, exact=True)
    return Part(name, mesh, material, carries=True, smooth_angle_deg=40)


def liquid_in_channels(name: str, profile_rz_m: Array, level_m: float, floor: Place) -> Channels:
    """Level `level_m` (in the profile's own heights) of `liquid_in`; `floor`: where the profile's height 0 is."""
    mesh = solid_of_revolution(_filled(profile_rz_m, level_m), NUM_SIDES // 2, exact=True)
    return {name: (Vertices(np.asarray(mesh.vertices)), Move(at(*floor)))}


def profile_volume_m3(profile_rz_m: Array, level_m: float | Array) -> Array:
    """Volume of a round vessel's liquid at heights [...]: a sum of frustums, exact for the mesh of `liquid_in`."""
    profile = np.asarray(profile_rz_m, dtype=np.float64)
    levels = np.asarray(level_m, dtype=np.float64)
    z = np.minimum(profile[:, 1], levels[..., None])
    r = np.interp(z, profile[:, 1], profile[:, 0])
    a, b = r[..., :-1], r[..., 1:]
    return np.asarray((np.pi / 3 * np.diff(z, axis=-1) * (a * a + a * b + b * b)).sum(axis=-1))


def profile_level_m(profile_rz_m: Array, volume_m3: float | Array) -> Array:
    """Height at which the vessel holds a volume [...], clamped to its profile; inverse of `profile_volume_m3`."""
    profile = np.asarray(profile_rz_m, dtype=np.float64)
    wanted = np.asarray(volume_m3, dtype=np.float64)
    low, high = np.full(wanted.shape, profile[0, 1]), np.full(wanted.shape, profile[-1, 1])
    for _ in range(60):
        middle = (low + high) / 2
        short = profile_volume_m3(profile, middle) < wanted
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return (low + high) / 2


def _filled(profile_rz_m: Array, level_m: float) -> Array:
    """The profile cut at a level; knots above it lie on the surface, so that their number stays."""
    profile = np.asarray(profile_rz_m, dtype=np.float64)
    level = min(max(level_m, profile[0, 1] + SHALLOWEST_M), profile[-1, 1])
    z = np.minimum(profile[:, 1], level)
    return np.column_stack([np.interp(z, profile[:, 1], profile[:, 0]), z])


# ---- liquid in a hose
def liquid_in_hose(name: str, path_m: Array, bore_m: float, material: Material = WATER, num: int = 24) -> Part:
    """Closed thread of liquid along a hose's path [P, 3], `bore_m` in radius."""
    return Part(name, swept(_stretch(path_m, 0.0, 1.0, num), bore_m, 10), material, carries=True, smooth_angle_deg=50)


def liquid_in_hose_channels(
    name: str, path_m: Array, bore_m: float, from_share: float, to_share: float, num: int = 24
) -> Channels:
    """The thread from one share of the path's length to another."""
    mesh = swept(_stretch(path_m, from_share, to_share, num), bore_m, 10)
    return {name: (Vertices(np.asarray(mesh.vertices)),)}


def _stretch(path_m: Array, from_share: float, to_share: float, num: int) -> Array:
    return along(path_m, np.linspace(from_share, max(to_share, from_share + 1e-6), num) * length_m(path_m))
