"""Builders of the world's static things: a name and some numbers -> parts. Props stand on z = 0 of their own frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import trimesh

from event_library.parts import Material, Part, Pattern, Rgb, box, cylinder, lathe, sphere, torus

Params = Mapping[str, Any]
DARK_WOOD: Rgb = (0.16, 0.08, 0.04)
SOIL: Rgb = (0.05, 0.03, 0.02)
LEAF: Rgb = (0.06, 0.22, 0.05)


def prop_parts(kind: str, params: Params) -> tuple[Part, ...]:
    """Parts of one prop in its own frame. Raises ValueError for an unknown kind or a missing number."""
    if kind not in PROPS:
        raise ValueError(f"unknown prop {kind!r}; known: {', '.join(sorted(PROPS))}")
    try:
        return PROPS[kind](params)
    except KeyError as missing:
        raise ValueError(f"prop {kind!r} needs the parameter {missing}") from None


def slab(params: Params) -> tuple[Part, ...]:
    """A box `size_m` [3] with its lower face on z = 0; optional pattern, pattern_rgb, pattern_size_m, roughness."""
    return (Part("slab", _standing(box(_three(params["size_m"]))), _material(params)),)


def table(params: Params) -> tuple[Part, ...]:
    """A table with its top face on z = 0 (all else is below): `size_m` [3] is width, depth and height."""
    width, depth, height = _three(params["size_m"])
    thick = min(0.04, height / 8)
    leg = 1.6 * thick
    parts = [Part("top", _at(box((width, depth, thick)), (0, 0, -thick / 2)), _material(params))]
    for i, (x, y) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1))):
        mesh = box((leg, leg, height - thick))
        at = (x * (width / 2 - leg), y * (depth / 2 - leg), -(height + thick) / 2)
        parts.append(Part(f"leg{i}", _at(mesh, at), Material(DARK_WOOD, roughness=0.6)))
    return tuple(parts)


def picture(params: Params) -> tuple[Part, ...]:
    """A framed picture that hangs in the xz plane and faces -y: `size_m` [2] is width and height."""
    width, height = params["size_m"]
    depth, rim = 0.02 * width, 0.08 * width
    frame = _at(box((width, depth, height)), (0, 0, height / 2))
    canvas = _at(box((width - 2 * rim, depth, height - 2 * rim)), (0, -0.3 * depth, height / 2))
    return (Part("frame", frame, Material(DARK_WOOD, roughness=0.4)), Part("canvas", canvas, _material(params)))


def ball(params: Params) -> tuple[Part, ...]:
    """A ball (an orange, a playing ball) of diameter `size_m`."""
    radius = params["size_m"] / 2
    return (Part("ball", _at(sphere(radius, 3), (0, 0, radius)), _material(params), smooth_angle_deg=60),)


def book(params: Params) -> tuple[Part, ...]:
    """A closed book lying flat, `size_m` along its longer side."""
    size = params["size_m"]
    length, width, thick = size, 0.7 * size, 0.16 * size
    cover = 0.12 * thick
    pages = _at(box((0.96 * length, 0.94 * width, thick - 2 * cover)), (0, -0.02 * width, thick / 2))
    parts = [Part("pages", pages, Material((0.75, 0.7, 0.58), roughness=0.9))]
    for name, z in (("lower", cover / 2), ("upper", thick - cover / 2)):
        parts.append(Part(name, _at(box((length, width, cover)), (0, 0, z)), _material(params)))
    spine = _at(box((length, cover, thick)), (0, width / 2 - cover / 2, thick / 2))
    return (*parts, Part("spine", spine, _material(params)))


def mug(params: Params) -> tuple[Part, ...]:
    """A mug with a handle, `size_m` high."""
    h = params["size_m"]
    r, wall = 0.4 * h, 0.05 * h
    profile = np.array([(1e-4, 0), (r, 0), (r, h), (r - wall, h), (r - wall, wall), (1e-4, wall)])
    handle = torus(0.26 * h, 0.05 * h, num_major=24, num_minor=8)
    handle.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (1, 0, 0)))
    parts = (("body", lathe(profile, 28)), ("handle", _at(handle, (r + 0.08 * h, 0, 0.52 * h))))
    return tuple(Part(name, mesh, _material(params), smooth_angle_deg=40) for name, mesh in parts)


def blocks(params: Params) -> tuple[Part, ...]:
    """Three toy blocks, one on top of two, `size_m` high together."""
    side = params["size_m"] / 2
    colours = ((0.65, 0.08, 0.06), (0.08, 0.22, 0.6), (0.75, 0.5, 0.05))
    spots = ((-0.56, 0.0, 0.5, 0.1), (0.56, 0.06, 0.5, -0.15), (0.02, 0.02, 1.5, 0.4))
    parts = []
    for i, (rgb, (x, y, z, yaw)) in enumerate(zip(colours, spots, strict=True)):
        mesh = box((side, side, side))
        mesh.apply_transform(trimesh.transformations.rotation_matrix(yaw, (0, 0, 1)))
        parts.append(Part(f"block{i}", _at(mesh, (x * side, y * side, z * side)), Material(rgb, roughness=0.45)))
    return tuple(parts)


def bottle(params: Params) -> tuple[Part, ...]:
    """A closed opaque bottle, `size_m` high."""
    h = params["size_m"]
    profile = [(1e-4, 0), (0.13, 0), (0.145, 0.02), (0.145, 0.56), (0.12, 0.66), (0.05, 0.76), (0.05, 0.9), (1e-4, 0.9)]
    body = lathe(h * np.array(profile), 24)
    cap = _at(cylinder(0.058 * h, 0.1 * h, 20), (0, 0, 0.9 * h))
    return (
        Part("body", body, _material(params), smooth_angle_deg=35),
        Part("cap", cap, Material((0.8, 0.78, 0.72), roughness=0.4), smooth_angle_deg=35),
    )


def plant(params: Params) -> tuple[Part, ...]:
    """A pot with leaves, `size_m` high; `seed` turns the leaves."""
    h = params["size_m"]
    pot = lathe(
        h
        * np.array(
            [(1e-4, 0), (0.14, 0), (0.2, 0.34), (0.23, 0.34), (0.23, 0.4), (0.19, 0.4), (0.18, 0.35), (1e-4, 0.35)]
        ),
        24,
    )
    turn = 0.7 * float(params.get("seed", 0))
    leaves = [_leaf(h, turn + i * 2.399, 0.25 + 0.09 * (i % 7)) for i in range(14)]
    return (
        Part("pot", pot, _material(params), smooth_angle_deg=35),
        Part("soil", _at(cylinder(0.18 * h, 0.02 * h, 20), (0, 0, 0.35 * h)), Material(SOIL, roughness=1.0)),
        Part("leaves", _joined(leaves), Material(LEAF, roughness=0.5)),
    )


def crate(params: Params) -> tuple[Part, ...]:
    """A wooden crate with battens, `size_m` high."""
    h = params["size_m"]
    core = _at(box((0.94 * h, 0.94 * h, 0.96 * h)), (0, 0, h / 2))
    battens = [_at(box((h, h, 0.12 * h)), (0, 0, z * h)) for z in (0.06, 0.94)] + [
        _at(box((0.12 * h, 0.12 * h, h)), (x * 0.44 * h, y * 0.44 * h, h / 2)) for x in (-1, 1) for y in (-1, 1)
    ]
    return (
        Part("core", core, _material(params)),
        Part("battens", _joined(battens), Material(DARK_WOOD, roughness=0.7)),
    )


def stool(params: Params) -> tuple[Part, ...]:
    """A three-legged stool, `size_m` high."""
    h = params["size_m"]
    seat = _at(cylinder(0.36 * h, 0.08 * h, 28), (0, 0, 0.92 * h))
    legs = []
    for i in range(3):
        angle = 2 * np.pi * i / 3
        legs.append(_at(cylinder(0.035 * h, 0.93 * h, 10), (0.26 * h * np.cos(angle), 0.26 * h * np.sin(angle), 0)))
    return (
        Part("seat", seat, _material(params), smooth_angle_deg=35),
        Part("legs", _joined(legs), Material(DARK_WOOD, roughness=0.6), smooth_angle_deg=35),
    )


def cabinet(params: Params) -> tuple[Part, ...]:
    """A low cabinet with two doors that faces -y: `size_m` [3]."""
    width, depth, height = _three(params["size_m"])
    parts = [Part("body", _standing(box((width, depth, height))), _material(params))]
    for i, x in enumerate((-0.25, 0.25)):
        door = _at(box((0.44 * width, 0.04 * depth, 0.84 * height)), (x * width, -depth / 2, height / 2))
        parts.append(Part(f"door{i}", door, Material((0.62, 0.56, 0.46), roughness=0.5)))
    return tuple(parts)


PROPS: Mapping[str, Callable[[Params], tuple[Part, ...]]] = {
    "slab": slab,
    "table": table,
    "picture": picture,
    "ball": ball,
    "book": book,
    "mug": mug,
    "blocks": blocks,
    "bottle": bottle,
    "plant": plant,
    "crate": crate,
    "stool": stool,
    "cabinet": cabinet,
}


def _material(params: Params) -> Material:
    pattern = None
    if "pattern" in params:
        pattern = Pattern(params["pattern"], _three(params["pattern_rgb"]), float(params["pattern_size_m"]))
    return Material(_three(params["rgb"]), roughness=float(params.get("roughness", 0.6)), pattern=pattern)


def _leaf(height_m: float, turn_rad: float, lean: float) -> trimesh.Trimesh:
    """A folded kite that leans outwards from the pot, thin but closed."""
    length, width = 0.58 * height_m, 0.075 * height_m
    points = np.array([(0, 0, 0), (0.5, 1, 0.1), (1, 0, 0), (0.5, -1, 0.1), (0.5, 0, -0.08)]) * [length, width, width]
    faces = [[0, 4, 1], [1, 4, 2], [2, 4, 3], [3, 4, 0], [0, 1, 2], [0, 2, 3]]
    leaf = trimesh.Trimesh(points, faces, process=False)
    about = trimesh.transformations.rotation_matrix
    leaf.apply_transform(about(-(np.pi / 2 - lean), (0, 1, 0)))
    leaf.apply_translation((0.02 * height_m, 0, 0))
    leaf.apply_transform(about(turn_rad, (0, 0, 1)))
    return _at(leaf, (0, 0, 0.36 * height_m))


def _joined(meshes: list[trimesh.Trimesh]) -> trimesh.Trimesh:
    """One mesh of several."""
    joined = trimesh.util.concatenate(meshes)
    assert isinstance(joined, trimesh.Trimesh)
    return joined


def _standing(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    return _at(mesh, (0, 0, -float(mesh.bounds[0, 2])))


def _at(mesh: trimesh.Trimesh, offset_m: tuple[float, float, float]) -> trimesh.Trimesh:
    mesh.apply_translation(offset_m)
    return mesh


def _three(values: Any) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z
