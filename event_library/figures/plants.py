"""Potted plant, flower, sunflower, seedling (trees, grass, fruit: `trees`).

Stems, leaves and petals change by Vertices of constant count: growth is a share of the full size, angles bend them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import trimesh

from event_library.figures.rig import (
    SMOOTH_DEG,
    Array,
    Channels,
    Point,
    ellipsoid,
    frame,
    lathe_along,
    leaf_outline,
    matter,
    moved_by,
    shaped,
    shifted,
    sized,
    slab,
    sweep,
    sweep_mesh,
    turned,
)
from event_library.parts import Part, Rgb, join

GREEN: Rgb = (0.05, 0.32, 0.04)
LEAF: Rgb = (0.08, 0.42, 0.05)
CLAY: Rgb = (0.62, 0.20, 0.07)
SOIL: Rgb = (0.06, 0.032, 0.015)
GOLDEN = 2.39996


def _part(name: str, suffix: str, mesh: trimesh.Trimesh, rgb: Rgb, carries: bool, roughness: float = 0.6) -> Part:
    return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, SMOOTH_DEG)


def pot(name: str, height_m: float, rgb: Rgb = CLAY, at_m: Point = (0, 0, 0)) -> tuple[Part, ...]:
    """Flower pot of radius 0.5 heights; soil at 0.88 heights. Parts {name}_pot, {name}_soil; static."""
    h = height_m
    x, y, z = (float(v) for v in at_m)
    shell = lathe_along(
        [
            (0, 0),
            (0.34 * h, 0),
            (0.43 * h, 0.74 * h),
            (0.50 * h, 0.75 * h),
            (0.50 * h, h),
            (0.44 * h, h),
            (0.42 * h, 0.80 * h),
            (0, 0.80 * h),
        ],
        "z",
        28,
    )
    soil = lathe_along([(0.43 * h, 0.85 * h), (0.3 * h, 0.89 * h), (0, 0.90 * h)], "z", 24)
    meshes = [mesh.apply_translation((x, y, z)) for mesh in (shell, soil)]
    return (
        Part(f"{name}_pot", meshes[0], matter(rgb, 0.7), False, 35.0),
        Part(f"{name}_soil", meshes[1], matter(SOIL, 0.9), False, 35.0),
    )


# ---- leaves on a stem
def leaf_mesh(length_m: float, width_m: float) -> trimesh.Trimesh:
    """Leaf from its root along +x, folded along the midrib and bent down towards the tip."""
    leaf = slab(leaf_outline(length_m, width_m, 14, 0.75), 0.035 * length_m)
    v = leaf.vertices
    v[:, 2] += 0.35 * np.abs(v[:, 1]) + 0.10 * length_m * np.sin(np.pi * v[:, 0] / length_m)
    return leaf


@lru_cache(maxsize=32)
def _leaf_m(length_m: float, width_m: float) -> Array:
    return np.asarray(leaf_mesh(length_m, width_m).vertices)


def _at_stem(line: Array, share: float) -> Array:
    """[3] point of a stem's line at a share of its length."""
    along = np.linspace(0, 1, len(line))
    return np.array([np.interp(share, along, line[:, k]) for k in range(3)])


def _stem_line(height_m: float, bend_rad: float, num_points: int = 10) -> Array:
    """[P, 3] stem from the origin, bent towards +x by an angle that grows to its top; its length stays."""
    angle = bend_rad * np.linspace(0, 1, num_points - 1) ** 1.3
    steps = np.column_stack([np.sin(angle), np.zeros(num_points - 1), np.cos(angle)]) * height_m / (num_points - 1)
    return np.vstack([np.zeros(3), np.cumsum(steps, axis=0)])


def _stem(line_m: Array, radii_m: Array) -> Array:
    """Vertices of a stem cut off at the ground."""
    vertices = sweep(line_m, radii_m, 8)
    vertices[:, 2] = np.maximum(vertices[:, 2], 0.0)
    return vertices


def _stem_mesh(line_m: Array, radii_m: Array) -> trimesh.Trimesh:
    return trimesh.Trimesh(_stem(line_m, radii_m), sweep_mesh(line_m, radii_m, 8).faces, process=False)


# ---- potted plant
NUM_LEAVES = 9


def _plant_shape(h: float, growth: float, wilt_rad: float, sway_rad: float) -> tuple[Array, Array, Array]:
    """(stem line, stem radii, leaf vertices) of a plant whose stem reaches h at growth 1."""
    tall = h * (0.12 + 0.88 * growth)
    line = _stem_line(tall, 0.55 * wilt_rad + sway_rad)
    radii = np.linspace(0.030, 0.014, len(line)) * h * (0.45 + 0.55 * growth)
    leaves = []
    for k in range(NUM_LEAVES):
        share = 0.28 + 0.72 * k / (NUM_LEAVES - 1)
        ripe = float(np.clip((growth * 1.35 - 0.75 * share) / 0.6, 0.03, 1.0))  # leaves come from below upwards
        leaf = _leaf_m(0.52 * h, 0.30 * h) * ripe * (1.05 - 0.35 * share)
        rise = 0.35 + 0.75 * (share if k < NUM_LEAVES - 1 else 1.2) - wilt_rad * (1.15 - 0.2 * share)
        turn = shifted(*_at_stem(line, share)) @ turned((0, 0, 1), GOLDEN * k) @ turned((0, -1, 0), max(rise, -1.45))
        leaves.append(moved_by(turn, leaf))
    return line, radii, np.vstack(leaves)


def plant(name: str, height_m: float, leaf_rgb: Rgb = LEAF, carries: bool = True) -> tuple[Part, ...]:
    """Leafy plant without its pot. Parts {name}_stem, {name}_leaves; height of the stem when full grown."""
    line, radii, leaves = _plant_shape(height_m, 1.0, 0.0, 0.0)
    faces = join(*(leaf_mesh(0.52 * height_m, 0.30 * height_m) for _ in range(NUM_LEAVES))).faces
    return (
        _part(name, "stem", _stem_mesh(line, radii), GREEN, carries),
        _part(name, "leaves", trimesh.Trimesh(leaves, faces, process=False), leaf_rgb, carries, 0.45),
    )


def plant_channels(
    name: str,
    height_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    growth: float = 1.0,
    *,
    wilt_rad: float = 0.0,
    sway_rad: float = 0.0,
) -> Channels:
    """Channels of a `plant` rooted at at_m. growth: share of the full size, 0 to 1. wilt_rad: droop of stem and leaves
    (0 fresh, about 1.6 limp). sway_rad: bend of the top towards the heading."""
    base = frame(at_m, heading_rad)
    line, radii, leaves = _plant_shape(height_m, growth, wilt_rad, sway_rad)
    return {f"{name}_stem": shaped(base, _stem(line, radii)), f"{name}_leaves": shaped(base, leaves)}


# ---- flower
def _petals(h: float, num: int, long: float, wide: float, open_rad: float) -> Array:
    """Vertices of all petals about the top of the stem, along +z when closed and flat when open (pi/2)."""
    petal = _petal_m(h, long, wide)
    root = 0.045 * h
    made = []
    for k in range(num):
        tilt = (
            turned((0, 0, 1), 2 * np.pi * k / num)
            @ shifted(root, 0, 0)
            @ turned((0, 1, 0), open_rad - np.pi / 2 - 0.12)
        )
        made.append(moved_by(tilt, petal))
    return np.vstack(made)


@lru_cache(maxsize=32)
def _petal_m(h: float, long: float, wide: float) -> Array:
    return np.asarray(_petal(h, long, wide).vertices)


def _petal(h: float, long: float, wide: float) -> trimesh.Trimesh:
    petal = slab(leaf_outline(long * h, wide * h, 14, 1.15), 0.016 * h)
    v = petal.vertices
    v[:, 2] += 0.8 * v[:, 1] ** 2 / (wide * h)  # a shallow spoon
    return petal


def flower(
    name: str,
    height_m: float,
    petal_rgb: Rgb = (0.80, 0.03, 0.12),
    num_petals: int = 8,
    petal_long: float = 0.26,
    petal_wide: float = 0.19,
    centre_rgb: Rgb = (0.95, 0.60, 0.02),
    centre_radius: float = 0.075,
    carries: bool = True,
) -> tuple[Part, ...]:
    """Flower. Parts {name}_stem, _leaves, _petals, _centre; petal sizes and centre in heights."""
    h = height_m
    line, leaves = _flower_shape(h, 1.0, 0.0)
    petal = _petal(h, petal_long, petal_wide)
    faces = join(*(petal.copy() for _ in range(num_petals))).faces
    shape = _petals(h, num_petals, petal_long, petal_wide, 1.3)
    leaf_faces = join(*(leaf_mesh(0.36 * h, 0.15 * h) for _ in range(3))).faces
    return (
        _part(name, "stem", _stem_mesh(line, np.full(10, 0.020 * h)), GREEN, carries),
        _part(name, "leaves", trimesh.Trimesh(leaves, leaf_faces, process=False), LEAF, carries),
        _part(name, "petals", trimesh.Trimesh(shape, faces, process=False), petal_rgb, carries, 0.5),
        _part(
            name,
            "centre",
            ellipsoid((0, 0, 0.01 * h), np.array([1, 1, 0.6]) * centre_radius * h),
            centre_rgb,
            carries,
            0.8,
        ),
    )


def _flower_shape(h: float, growth: float, bend_rad: float) -> tuple[Array, Array]:
    line = _stem_line(h * max(growth, 0.05), bend_rad)
    leaves = []
    for k in range(3):
        share = 0.22 + 0.16 * k
        turn = shifted(*_at_stem(line, share)) @ turned((0, 0, 1), 0.6 + 2.2 * k) @ turned((0, -1, 0), 0.65)
        leaves.append(moved_by(turn, _leaf_m(0.36 * h, 0.15 * h) * max(growth, 0.05)))
    return line, np.vstack(leaves)


def flower_channels(
    name: str,
    height_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    open_rad: float = 1.3,
    *,
    growth: float = 1.0,
    bend_rad: float = 0.0,
    face_rad: float = 0.6,
    num_petals: int = 8,
    petal_long: float = 0.26,
    petal_wide: float = 0.19,
) -> Channels:
    """Channels of a `flower` with the same petals. open_rad: 0 a closed bud, pi/2 flat. growth: share of its size.

    bend_rad: of the stem towards the heading. face_rad: further tilt of the blossom towards the heading.
    """
    base, h = frame(at_m, heading_rad), height_m
    line, leaves = _flower_shape(h, growth, bend_rad)
    size = 0.35 + 0.65 * growth
    top = base @ shifted(*line[-1]) @ turned((0, 1, 0), bend_rad + face_rad)
    petals = _petals(h, num_petals, petal_long, petal_wide, open_rad) * size
    return {
        f"{name}_stem": shaped(base, _stem(line, np.full(10, 0.020 * h * size))),
        f"{name}_leaves": shaped(base, leaves),
        f"{name}_petals": shaped(top, petals),
        f"{name}_centre": sized(top, size * (0.45 + 0.55 * min(1.0, open_rad / 1.2))),
    }


SUNFLOWER_PETALS = 18


def sunflower(name: str, height_m: float, carries: bool = True) -> tuple[Part, ...]:
    """Sunflower; parts as of `flower`."""
    return flower(
        name, height_m, (0.95, 0.58, 0.01), SUNFLOWER_PETALS, 0.20, 0.075, (0.10, 0.04, 0.012), 0.125, carries
    )


def sunflower_channels(
    name: str,
    height_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    face_rad: float = 1.1,
    *,
    open_rad: float = 1.5,
    growth: float = 1.0,
) -> Channels:
    """Channels of a `sunflower`: its face is turned to the heading and tilted face_rad from the zenith."""
    bend = min(0.35 * face_rad, 0.4)
    made = flower_channels(
        name, height_m, at_m, heading_rad, open_rad, growth=growth, bend_rad=bend, face_rad=face_rad - bend,
        num_petals=SUNFLOWER_PETALS, petal_long=0.20, petal_wide=0.075,
    )  # fmt: skip
    top = (
        frame(at_m, heading_rad) @ shifted(*_flower_shape(height_m, growth, bend)[0][-1]) @ turned((0, 1, 0), face_rad)
    )
    petals = _petals(height_m, SUNFLOWER_PETALS, 0.20, 0.075, open_rad) * [1.45, 1.45, 1.0] * (0.35 + 0.65 * growth)
    return {**made, f"{name}_petals": shaped(top, petals)}


# ---- seedling
def seedling(name: str, height_m: float, carries: bool = True) -> tuple[Part, ...]:
    """Shoot with two seed leaves. Parts {name}_stem, {name}_leaves."""
    line, radii, leaves = _seedling_shape(height_m, 1.0)
    faces = join(*(_seed_leaf(height_m) for _ in range(2))).faces
    return (
        _part(name, "stem", _stem_mesh(line, radii), (0.30, 0.55, 0.12), carries),
        _part(name, "leaves", trimesh.Trimesh(leaves, faces, process=False), (0.10, 0.50, 0.05), carries),
    )


def _seed_leaf(h: float) -> trimesh.Trimesh:
    return ellipsoid((0.24 * h, 0, 0), np.array([0.25, 0.15, 0.035]) * h, 2)


def _seedling_shape(h: float, growth: float) -> tuple[Array, Array, Array]:
    """A hook that breaks the soil, straightens, and opens its two leaves."""
    g = float(np.clip(growth, 0.02, 1.0))
    hook = 2.6 * (1 - min(1.0, g / 0.6))
    line = _stem_line(h * (0.15 + 0.85 * g), hook)
    spread = 1.35 * max(0.0, (g - 0.35) / 0.65)  # each leaf from upright
    size = 0.25 + 0.75 * g
    leaf = np.asarray(_seed_leaf(h).vertices) * size
    top = shifted(*line[-1]) @ turned((0, 1, 0), hook)
    sides = [top @ turned((0, 0, 1), side) @ turned((0, -1, 0), np.pi / 2 - spread) for side in (np.pi / 2, -np.pi / 2)]
    return line, np.linspace(0.055, 0.035, 10) * h * size, np.vstack([moved_by(turn, leaf) for turn in sides])


def seedling_channels(
    name: str, height_m: float, at_m: Point, heading_rad: float = 0.0, growth: float = 1.0
) -> Channels:
    """Channels of a `seedling`: a hook at growth 0, upright with open leaves at 1."""
    base = frame(at_m, heading_rad)
    line, radii, leaves = _seedling_shape(height_m, growth)
    return {f"{name}_stem": shaped(base, _stem(line, radii)), f"{name}_leaves": shaped(base, leaves)}
