"""Static surroundings: fence, bench, table, chair, road and railway strips, rocks. Built in place, no channels."""

from __future__ import annotations

import numpy as np
import trimesh

from event_library.figures.rig import Point, matter, set_down, turned
from event_library.parts import Part, Pattern, Rgb, bevelled_box, block, cylinder, join, moved, sphere

WOOD: Rgb = (0.45, 0.24, 0.09)
IRON: Rgb = (0.05, 0.055, 0.06)
PALE: Rgb = (0.82, 0.80, 0.76)


def _part(name: str, suffix: str, mesh: trimesh.Trimesh, rgb: Rgb, roughness: float = 0.7) -> Part:
    return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), False, 35.0)


def fence(
    name: str, length_m: float, height_m: float, rgb: Rgb = PALE, at_m: Point = (0, 0, 0), heading_rad: float = 0.0
) -> tuple[Part, ...]:
    """Picket fence along its heading, centred. Part {name}_fence."""
    h, wide = height_m, 0.16 * height_m
    count = max(2, int(round(length_m / (0.30 * h))))
    pieces = [block((length_m, 0.05 * h, 0.09 * h), (0, 0.05 * h, z * h)) for z in (0.22, 0.66)]
    for x in np.linspace(-length_m / 2 + wide / 2, length_m / 2 - wide / 2, count):
        outline = np.array([(-wide / 2, 0), (wide / 2, 0), (wide / 2, 0.86 * h), (0, h), (-wide / 2, 0.86 * h)])
        corners = [(x + a, y * 0.03 * h, z) for y in (-1, 1) for a, z in outline]
        pieces.append(trimesh.Trimesh(corners).convex_hull)
    return set_down((_part(name, "fence", join(*pieces), rgb),), at_m, heading_rad)


def bench(
    name: str, length_m: float, rgb: Rgb = WOOD, at_m: Point = (0, 0, 0), heading_rad: float = 0.0
) -> tuple[Part, ...]:
    """Park bench facing its heading; seat at 0.27 lengths. Parts {name}_planks, {name}_legs."""
    m = length_m
    planks = [block((0.075 * m, m, 0.025 * m), (x * m, 0, 0.245 * m)) for x in (-0.10, 0.0, 0.10)]
    for z in (0.36, 0.46):
        back = moved(bevelled_box((0.025 * m, m, 0.075 * m), 0.005 * m), -0.165 * m - 0.12 * (z - 0.36) * m, 0, z * m)
        planks.append(back)
    legs = []
    for y in (-0.38, 0.38):
        legs += [block((0.03 * m, 0.035 * m, 0.25 * m), (x * m, y * m, 0)) for x in (-0.12, 0.12)]
        legs.append(block((0.28 * m, 0.035 * m, 0.025 * m), (-0.01 * m, y * m, 0.222 * m)))
        legs.append(block((0.025 * m, 0.035 * m, 0.28 * m), (-0.15 * m, y * m, 0.22 * m)))
    return set_down(
        (_part(name, "planks", join(*planks), rgb), _part(name, "legs", join(*legs), IRON, 0.4)), at_m, heading_rad
    )


def table(
    name: str,
    height_m: float,
    length_m: float,
    width_m: float,
    rgb: Rgb = WOOD,
    at_m: Point = (0, 0, 0),
    heading_rad: float = 0.0,
) -> tuple[Part, ...]:
    """Table, top surface at height_m, length along its heading. Part {name}_table."""
    h, thick = height_m, 0.06 * height_m
    top = moved(bevelled_box((length_m, width_m, thick), 0.2 * thick), 0, 0, h - thick / 2)
    legs = [block((0.08 * h, 0.08 * h, h - thick), (sx * (length_m / 2 - 0.09 * h), sy * (width_m / 2 - 0.09 * h), 0))
            for sx in (-1, 1) for sy in (-1, 1)]  # fmt: skip
    apron = [
        block((length_m - 0.2 * h, 0.03 * h, 0.09 * h), (0, s * (width_m / 2 - 0.09 * h), h - thick - 0.09 * h))
        for s in (-1, 1)
    ]
    return set_down((_part(name, "table", join(top, *legs, *apron), rgb, 0.5),), at_m, heading_rad)


def chair(
    name: str, height_m: float, rgb: Rgb = (0.55, 0.16, 0.05), at_m: Point = (0, 0, 0), heading_rad: float = 0.0
) -> tuple[Part, ...]:
    """Chair facing its heading: seat at 0.5 heights, 0.46 heights wide. Part {name}_chair."""
    h = height_m
    seat = moved(bevelled_box((0.46 * h, 0.46 * h, 0.05 * h), 0.012 * h), 0, 0, 0.475 * h)
    pieces = [block((0.045 * h, 0.045 * h, 0.46 * h), (x * h, y * h, 0)) for x in (-0.19, 0.19) for y in (-0.19, 0.19)]
    pieces += [block((0.045 * h, 0.045 * h, 0.52 * h), (-0.205 * h, y * h, 0.48 * h)) for y in (-0.19, 0.19)]
    pieces += [block((0.03 * h, 0.40 * h, 0.09 * h), (-0.205 * h, 0, z * h)) for z in (0.64, 0.80, 0.90)]
    return set_down((_part(name, "chair", join(seat, *pieces), rgb, 0.5),), at_m, heading_rad)


def stool(name: str, height_m: float, rgb: Rgb = WOOD, at_m: Point = (0, 0, 0)) -> tuple[Part, ...]:
    """Round stool whose seat is height_m high: set it to `seat_height_m` of a sitting person. Part {name}_stool."""
    h = height_m
    seat = moved(cylinder(0.55 * h, 0.16 * h, 24), 0, 0, 0.84 * h)
    legs = [
        cylinder(0.07 * h, 0.86 * h, 10)
        .apply_translation((0.38 * h, 0, 0))
        .apply_transform(turned((0, 0, 1), k * np.pi / 2))
        for k in range(4)
    ]
    return set_down((_part(name, "stool", join(seat, *legs), rgb),), at_m)


def road(
    name: str, length_m: float, width_m: float, at_m: Point = (0, 0, 0), heading_rad: float = 0.0, num_dashes: int = 6
) -> tuple[Part, ...]:
    """Strip of road along its heading, centred, 2 % of its width thick. Parts {name}_asphalt, {name}_lines."""
    thick = 0.02 * width_m
    asphalt = block((length_m, width_m, thick), (0, 0, 0))
    pitch = length_m / num_dashes
    lines = [
        block((0.5 * pitch, 0.05 * width_m, 1.15 * thick), ((k + 0.5) * pitch - length_m / 2, 0, 0))
        for k in range(num_dashes)
    ]
    lines += [block((length_m, 0.035 * width_m, 1.15 * thick), (0, s * 0.46 * width_m, 0)) for s in (-1, 1)]
    return set_down(
        (_part(name, "asphalt", asphalt, (0.07, 0.07, 0.075), 0.9), _part(name, "lines", join(*lines), PALE)),
        at_m,
        heading_rad,
    )


def railway(
    name: str, length_m: float, gauge_m: float, at_m: Point = (0, 0, 0), heading_rad: float = 0.0
) -> tuple[Part, ...]:
    """Straight track along its heading, centred; rail tops 0.30 gauges up. Parts {name}_ballast, _sleepers, _rails."""
    g = gauge_m
    count = max(2, int(round(length_m / (0.55 * g))))
    slope = [(-0.95, 0), (0.95, 0), (0.80, 0.12), (-0.80, 0.12)]
    bed = trimesh.Trimesh([(s * length_m / 2, y * g, z * g) for s in (-1, 1) for y, z in slope]).convex_hull
    places = (np.arange(count) + 0.5) * length_m / count - length_m / 2
    sleepers = [block((0.20 * g, 1.45 * g, 0.10 * g), (x, 0, 0.07 * g)) for x in places]
    rails = [block((length_m, 0.07 * g, 0.14 * g), (0, s * g / 2, 0.16 * g)) for s in (-1, 1)]
    return set_down(
        (
            _part(name, "ballast", bed, (0.30, 0.28, 0.26), 0.95),
            _part(name, "sleepers", join(*sleepers), (0.16, 0.085, 0.035), 0.9),
            Part(f"{name}_rails", join(*rails), matter((0.50, 0.51, 0.53), 0.3, 0.7), False),
        ),
        at_m,
        heading_rad,
    )


def rock(
    name: str, size_m: float, seed: int = 0, rgb: Rgb = (0.30, 0.29, 0.28), at_m: Point = (0, 0, 0)
) -> tuple[Part, ...]:
    """Boulder about size_m across, flat-bottomed; the seed chooses its shape. Part {name}_rock."""
    rng = np.random.default_rng(seed)
    mesh = sphere(1.0, 3)
    v = np.asarray(mesh.vertices).copy()
    bumps = np.zeros(len(v))
    for frequency, strength in ((1.6, 0.20), (3.1, 0.09), (6.0, 0.035)):
        way = rng.normal(size=(3, 3)) * frequency
        bumps += strength * np.sin(v @ way + rng.uniform(0, 6.28, 3)).mean(axis=1) * 1.7
    cuts = rng.normal(size=(7, 3))
    cuts /= np.linalg.norm(cuts, axis=1, keepdims=True)
    v = v * (1 + bumps[:, None])
    for cut, depth in zip(cuts, rng.uniform(0.72, 0.9, 7), strict=True):  # broken faces
        over = v @ cut - depth
        v = v - np.where(over > 0, 0.85 * over, 0)[:, None] * cut
    v = v * np.array([0.5, 0.42, 0.36]) * size_m
    v[:, 2] = np.maximum(v[:, 2] + 0.22 * size_m, 0.0)
    mesh.vertices = v
    material = matter(rgb, 0.95)
    shade = (0.72 * rgb[0], 0.72 * rgb[1], 0.72 * rgb[2])
    speckled = type(material)(rgb=rgb, roughness=0.95, pattern=Pattern("speckle", shade, 0.18 * size_m))
    return set_down((Part(f"{name}_rock", mesh, speckled, False, 28.0),), at_m)
