"""What stands outdoors. Light meshes: a tree has about a thousand faces."""

from __future__ import annotations

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library.figures import buildings, furniture, trees
from event_library.kit.copies import copies
from event_library.kit.faces import repeated
from event_library.parts import Material, Part, Pattern, Rgb, block, cylinder, join, lathe, sphere
from scenes.props.shaping import Params, at, material, three
from scenes.seeding import generator

BARK: Rgb = (0.14, 0.075, 0.035)
LEAVES: tuple[Rgb, ...] = ((0.07, 0.2, 0.035), (0.045, 0.15, 0.045), (0.13, 0.23, 0.04))
BLOSSOM: tuple[Rgb, ...] = ((0.75, 0.12, 0.1), (0.8, 0.6, 0.06), (0.75, 0.7, 0.75), (0.35, 0.15, 0.6))


def tree(params: Params) -> tuple[Part, ...]:
    """A broad tree, `size_m` high, 0.75 heights wide; `seed` shapes its crown."""
    h, rng = params["size_m"], generator(int(params["seed"]), "tree")
    trunk = lathe(h * np.array([(1e-4, 0), (0.06, 0), (0.035, 0.08), (0.028, 0.4), (1e-4, 0.42)]), 10)
    clumps = []
    for x, y, z, r in ((0, 0, 0.78, 0.22), (0.16, 0.05, 0.58, 0.2), (-0.15, 0.08, 0.6, 0.2), (0.02, -0.17, 0.56, 0.19),
                       (-0.04, 0.16, 0.52, 0.19)):  # fmt: skip
        radius = r * h * float(rng.uniform(0.85, 1.0))
        clumps.append(at(_leafy(radius, rng), (x * h, y * h, z * h)))
    return (
        Part("trunk", trunk, Material(BARK, roughness=0.9), smooth_angle_deg=40),
        Part("crown", join(*clumps), _foliage(params, 0.02 * h)),
    )


def conifer(params: Params) -> tuple[Part, ...]:
    """A fir of three tiers, `size_m` high."""
    h = params["size_m"]
    return tuple(
        Part(part.name, part.mesh, _foliage(params, 0.02 * h) if part.name == "fir_crown" else part.material)
        for part in trees.conifer("fir", h)
    )


def bush(params: Params) -> tuple[Part, ...]:
    """A round bush, `size_m` high, 1.2 heights wide; `seed` shapes it and may let it blossom."""
    h, seed = params["size_m"], int(params["seed"])
    rng = generator(seed, "bush")
    spots = ((0.0, 0.0, 0.54, 0.46), (0.26, 0.08, 0.24, 0.34), (-0.24, 0.12, 0.26, 0.36), (0.0, -0.24, 0.22, 0.32))
    clumps = [at(_leafy(r * h * 0.98, rng), (x * h, y * h, z * h)) for x, y, z, r in spots]
    for clump in clumps:
        clump.vertices[:, 2] = np.maximum(clump.vertices[:, 2], 0.0)
    parts = [Part("leaves", join(*clumps), _foliage(params, 0.05 * h))]
    if seed % 2:
        on = np.array(spots)[rng.integers(len(spots), size=26)]
        out = rng.normal(size=(26, 3)) * (1, 1, 0.8)
        out[:, 2] = np.abs(out[:, 2]) + 0.2
        places = on[:, :3] + 0.96 * on[:, 3:] * out / np.linalg.norm(out, axis=1, keepdims=True)
        parts.append(_heads("blossom", h * places, 0.04 * h, seed))
    return tuple(parts)


def hedge(params: Params) -> tuple[Part, ...]:
    """A clipped hedge, `size_m` [3]."""
    width, depth, height = three(params["size_m"])
    return (Part("hedge", block((width, depth, height), (0, 0, 0)), _foliage(params, 0.05 * height)),)


def fence(params: Params) -> tuple[Part, ...]:
    """A picket fence, `size_m` [2] long and high."""
    length, h = (float(v) for v in params["size_m"])
    wide = 0.16 * h
    outline = np.array([(-wide / 2, 0), (wide / 2, 0), (wide / 2, 0.86 * h), (0, h), (-wide / 2, 0.86 * h)])
    picket = trimesh.Trimesh([(a, 0.03 * h * y, z) for y in (-1, 1) for a, z in outline]).convex_hull
    spots = np.linspace(-(length - wide) / 2, (length - wide) / 2, max(2, min(400, round(length / (0.3 * h)))))
    rails = [block((length, 0.05 * h, 0.09 * h), (0, 0.055 * h, z * h)) for z in (0.22, 0.66)]
    return (
        copies("pickets", picket, spots[:, None] * np.array([1.0, 0.0, 0.0]), material(params), carries=False),
        Part("rails", join(*rails), material(params)),
    )


def brick_wall(params: Params) -> tuple[Part, ...]:
    """A garden wall with a coping, `size_m` [3]; pattern brick."""
    width, depth, height = three(params["size_m"])
    coping = block((width, 1.3 * depth, 0.07 * height), (0, 0, 0.93 * height))
    return (
        Part("wall", block((width, depth, 0.93 * height), (0, 0, 0)), material(params)),
        Part("coping", coping, Material((0.4, 0.38, 0.35), roughness=0.9)),
    )


def house(params: Params) -> tuple[Part, ...]:
    """A house that faces -y, `size_m` wide; its walls take the pattern (brick), its roof is tiled."""
    width = params["size_m"]
    made = []
    for part in buildings.house("house", width, 2, 3, heading_rad=-np.pi / 2):
        if part.name == "house_walls":
            made.append(Part(part.name, part.mesh, material(params)))
        elif part.name == "house_roof":
            tiles = Pattern("stripes", (0.2, 0.06, 0.04), 0.02 * width)
            made.append(Part(part.name, part.mesh, Material((0.3, 0.09, 0.06), roughness=0.8, pattern=tiles)))
        else:
            made.append(Part(part.name, part.mesh, part.material, smooth_angle_deg=part.smooth_angle_deg))
    return tuple(made)


def rock(params: Params) -> tuple[Part, ...]:
    """A boulder about `size_m` across; `seed` shapes it."""
    return furniture.rock("rock", params["size_m"], int(params["seed"]))


def bench(params: Params) -> tuple[Part, ...]:
    """A park bench that faces -y, `size_m` long."""
    return furniture.bench("bench", params["size_m"], heading_rad=-np.pi / 2)


def tufts(params: Params) -> tuple[Part, ...]:
    """Tufts of grass with a few flowers, scattered over a disc of diameter `size_m` [0], up to `size_m` [1] high."""
    (spread, height), rng = params["size_m"], generator(int(params["seed"]), "tufts")
    num = int(params["count"])
    radius, angle = spread / 2 * np.sqrt(rng.uniform(0, 0.94, num)), rng.uniform(0, 2 * np.pi, num)
    feet = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(num)])
    blades = _blades(np.repeat(feet, 4, axis=0), height * rng.uniform(0.5, 0.95, 4 * num), rng)
    parts = [Part("blades", blades, Material((0.12, 0.26, 0.04), roughness=0.8))]
    heads = feet[rng.uniform(size=num) < 0.12] + (0, 0, 0.88 * height)
    if len(heads):
        parts.append(_heads("flowers", heads, 0.1 * height, int(params["seed"])))
    return tuple(parts)


def flower_pot(params: Params) -> tuple[Part, ...]:
    """A clay pot of flowers, `size_m` high."""
    h, seed = params["size_m"], int(params["seed"])
    rng = generator(seed, "flower_pot")
    pot = lathe(
        h * np.array([(1e-4, 0), (0.2, 0), (0.27, 0.42), (0.3, 0.42), (0.3, 0.5), (0.26, 0.5), (1e-4, 0.46)]), 20
    )
    leaves = at(_leafy(0.3 * h, rng), (0, 0, 0.66 * h))
    turn, out = 2.4 * np.arange(9), (0.1 + 0.02 * np.arange(9)) * h
    places = np.column_stack([out * np.cos(turn), out * np.sin(turn), (0.94 - 0.015 * np.arange(9)) * h])
    return (
        Part("pot", pot, Material((0.42, 0.17, 0.09), roughness=0.8), smooth_angle_deg=35),
        Part("leaves", leaves, Material(LEAVES[seed % 3], roughness=0.9)),
        _heads("flowers", places, 0.055 * h, seed),
    )


def watering_can(params: Params) -> tuple[Part, ...]:
    """A watering can, `size_m` high."""
    h = params["size_m"]
    body = cylinder(0.34 * h, 0.66 * h, 24)
    spout = cylinder(0.05 * h, 0.7 * h, 12)
    spout.apply_transform(trimesh.transformations.rotation_matrix(0.75, (0, 1, 0)))
    rose = cylinder(0.1 * h, 0.05 * h, 16)
    rose.apply_transform(trimesh.transformations.rotation_matrix(0.75, (0, 1, 0)))
    handle = [block((0.07 * h, 0.09 * h, 0.3 * h), (x * 0.26 * h, 0, 0.62 * h)) for x in (-1, 1)]
    handle.append(block((0.59 * h, 0.09 * h, 0.08 * h), (0, 0, 0.92 * h)))
    parts = [body, at(spout, (0.28 * h, 0, 0.16 * h)), at(rose, (0.28 * h + 0.47 * h, 0, 0.66 * h)), *handle]
    return (Part("can", join(*parts), material(params), smooth_angle_deg=35),)


def _foliage(params: Params, size_m: float) -> Material:
    rgb = LEAVES[int(params.get("seed", 0)) % len(LEAVES)]
    return Material(rgb, roughness=0.95, pattern=Pattern("grass", (0.4 * rgb[0], 0.4 * rgb[1], 0.4 * rgb[2]), size_m))


def _leafy(radius_m: float, rng: np.random.Generator) -> trimesh.Trimesh:
    """A ball with bumps, within its radius."""
    mesh = sphere(1.0, 2)
    mesh.vertices *= (radius_m * rng.uniform(0.8, 1.0, len(mesh.vertices)))[:, None]
    return mesh


def _heads(name: str, places_m: NDArray[np.float64], radius_m: float, seed: int) -> Part:
    """Flower heads [N, 3], all of one colour."""
    colour = Material(BLOSSOM[seed % len(BLOSSOM)], roughness=0.7)
    return copies(name, sphere(radius_m, 0), places_m, colour, carries=False)


def _blades(feet_m: NDArray[np.float64], tall_m: NDArray[np.float64], rng: np.random.Generator) -> trimesh.Trimesh:
    """Blades of grass [N], three triangles each, bent outwards."""
    num = len(feet_m)
    turn, lean = rng.uniform(0, 2 * np.pi, num), rng.uniform(0.1, 0.4, num)
    way = np.column_stack([np.cos(turn), np.sin(turn), np.zeros(num)]) * tall_m[:, None]
    side = 0.045 * np.column_stack([-way[:, 1], way[:, 0], np.zeros(num)])
    out, up = lean[:, None] * way, tall_m[:, None] * np.array([0.0, 0.0, 1.0])
    middle, tip = feet_m + 0.35 * out + 0.6 * up, feet_m + out + up
    points = np.stack([feet_m - side, feet_m + side, middle - side, middle + side, tip], axis=1).reshape(-1, 3)
    return trimesh.Trimesh(points, repeated(np.array([[0, 1, 3], [0, 3, 2], [2, 3, 4]]), 5, num), process=False)
