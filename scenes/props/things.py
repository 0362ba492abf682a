"""Small things that stand about: what clutter is made of."""

from __future__ import annotations

import numpy as np
import trimesh

from event_library.parts import Material, Part, box, cylinder, join, lathe, sphere, torus
from scenes.props.shaping import DARK_WOOD, LEAF, SOIL, Params, at, material


def ball(params: Params) -> tuple[Part, ...]:
    """A ball (an orange, a playing ball) of diameter `size_m`."""
    radius = params["size_m"] / 2
    return (Part("ball", at(sphere(radius, 3), (0, 0, radius)), material(params), smooth_angle_deg=60),)


def book(params: Params) -> tuple[Part, ...]:
    """A closed book lying flat, `size_m` along its longer side."""
    size = params["size_m"]
    length, width, thick = size, 0.7 * size, 0.16 * size
    cover = 0.12 * thick
    pages = at(box((0.96 * length, 0.94 * width, thick - 2 * cover)), (0, -0.02 * width, thick / 2))
    parts = [Part("pages", pages, Material((0.75, 0.7, 0.58), roughness=0.9))]
    for name, z in (("lower", cover / 2), ("upper", thick - cover / 2)):
        parts.append(Part(name, at(box((length, width, cover)), (0, 0, z)), material(params)))
    spine = at(box((length, cover, thick)), (0, width / 2 - cover / 2, thick / 2))
    return (*parts, Part("spine", spine, material(params)))


def mug(params: Params) -> tuple[Part, ...]:
    """A mug with a handle, `size_m` high."""
    h = params["size_m"]
    r, wall = 0.4 * h, 0.05 * h
    profile = np.array([(1e-4, 0), (r, 0), (r, h), (r - wall, h), (r - wall, wall), (1e-4, wall)])
    handle = torus(0.26 * h, 0.05 * h, num_major=24, num_minor=8)
    handle.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (1, 0, 0)))
    parts = (("body", lathe(profile, 28)), ("handle", at(handle, (r + 0.08 * h, 0, 0.52 * h))))
    return tuple(Part(name, mesh, material(params), smooth_angle_deg=40) for name, mesh in parts)


def blocks(params: Params) -> tuple[Part, ...]:
    """Three toy blocks, one on top of two, `size_m` high together."""
    side = params["size_m"] / 2
    colours = ((0.65, 0.08, 0.06), (0.08, 0.22, 0.6), (0.75, 0.5, 0.05))
    spots = ((-0.56, 0.0, 0.5, 0.1), (0.56, 0.06, 0.5, -0.15), (0.02, 0.02, 1.5, 0.4))
    parts = []
    for i, (rgb, (x, y, z, yaw)) in enumerate(zip(colours, spots, strict=True)):
        mesh = box((side, side, side))
        mesh.apply_transform(trimesh.transformations.rotation_matrix(yaw, (0, 0, 1)))
        parts.append(Part(f"block{i}", at(mesh, (x * side, y * side, z * side)), Material(rgb, roughness=0.45)))
    return tuple(parts)


def bottle(params: Params) -> tuple[Part, ...]:
    """A closed opaque bottle, `size_m` high."""
    h = params["size_m"]
    profile = [(1e-4, 0), (0.13, 0), (0.145, 0.02), (0.145, 0.56), (0.12, 0.66), (0.05, 0.76), (0.05, 0.9), (1e-4, 0.9)]
    body = lathe(h * np.array(profile), 24)
    cap = at(cylinder(0.058 * h, 0.1 * h, 20), (0, 0, 0.9 * h))
    return (
        Part("body", body, material(params), smooth_angle_deg=35),
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
        Part("pot", pot, material(params), smooth_angle_deg=35),
        Part("soil", at(cylinder(0.18 * h, 0.02 * h, 20), (0, 0, 0.35 * h)), Material(SOIL, roughness=1.0)),
        Part("leaves", join(*leaves), Material(LEAF, roughness=0.5)),
    )


def crate(params: Params) -> tuple[Part, ...]:
    """A wooden crate with battens, `size_m` high."""
    h = params["size_m"]
    core = at(box((0.94 * h, 0.94 * h, 0.96 * h)), (0, 0, h / 2))
    battens = [at(box((h, h, 0.12 * h)), (0, 0, z * h)) for z in (0.06, 0.94)] + [
        at(box((0.12 * h, 0.12 * h, h)), (x * 0.44 * h, y * 0.44 * h, h / 2)) for x in (-1, 1) for y in (-1, 1)
    ]
    return (
        Part("core", core, material(params)),
        Part("battens", join(*battens), Material(DARK_WOOD, roughness=0.7)),
    )


def stool(params: Params) -> tuple[Part, ...]:
    """A three-legged stool, `size_m` high."""
    h = params["size_m"]
    seat = at(cylinder(0.36 * h, 0.08 * h, 28), (0, 0, 0.92 * h))
    legs = []
    for i in range(3):
        angle = 2 * np.pi * i / 3
        legs.append(at(cylinder(0.035 * h, 0.93 * h, 10), (0.26 * h * np.cos(angle), 0.26 * h * np.sin(angle), 0)))
    return (
        Part("seat", seat, material(params), smooth_angle_deg=35),
        Part("legs", join(*legs), Material(DARK_WOOD, roughness=0.6), smooth_angle_deg=35),
    )


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
    return at(leaf, (0, 0, 0.36 * height_m))
