"""House with lighting windows, lighthouse, tower, door in a wall, street furniture, traffic light, barrier, strips.

Static parts are built in place: `at_m` and `heading_rad` are arguments of the builder and no channels are needed. What
turns (door leaf, barrier boom, lighthouse beam) has its own `..._channels`. Fronts face +x at heading 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import trimesh

from event_library.figures.rig import (
    Array,
    Channels,
    Point,
    ellipsoid,
    frame,
    glow,
    lathe_along,
    matter,
    moved_by,
    placed,
    set_down,
    shifted,
    slab,
    sweep_mesh,
    turned,
)
from event_library.kit.faces import grid_faces
from event_library.parts import Material, Part, Rgb, bevelled_box, block, box, cylinder, join, moved

WARM: Rgb = (1.0, 0.72, 0.30)
WOOD: Rgb = (0.42, 0.22, 0.08)
IRON: Rgb = (0.04, 0.045, 0.05)
STONE: Rgb = (0.36, 0.35, 0.33)
PALE: Rgb = (0.82, 0.80, 0.76)
RED: Rgb = (0.75, 0.03, 0.02)


def _part(
    name: str, suffix: str, mesh: trimesh.Trimesh, rgb: Rgb, carries: bool = False, roughness: float = 0.6
) -> Part:
    return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, 35.0)


# ---- house
def house(
    name: str,
    width_m: float,
    num_floors: int = 2,
    num_columns: int = 3,
    wall_rgb: Rgb = (0.80, 0.58, 0.32),
    roof_rgb: Rgb = (0.52, 0.07, 0.035),
    at_m: Point = (0, 0, 0),
    heading_rad: float = 0.0,
    flat_roof: bool = False,
    carries: bool = True,
) -> tuple[Part, ...]:
    """House whose front shows num_floors x num_columns openings; the lower middle one is the door (odd columns).

    Parts {name}_walls, _roof, _frames, _door, and one pane {name}_window_{k} each, k counting from the lower left as
    seen from in front: dark until you give it `Emission`. width_m is that of the front; one floor is 0.36 widths high.
    """
    w, depth, floor = width_m, 0.62 * width_m, 0.36 * width_m
    tall = num_floors * floor
    x = depth / 2
    walls = [block((depth, w, tall), (0, 0, 0))]
    if flat_roof:
        roof = join(block((depth + 0.06 * w, 1.06 * w, 0.05 * w), (0, 0, tall)),
                    block((0.2 * w, 0.2 * w, 0.10 * w), (-0.1 * w, 0.2 * w, tall + 0.04 * w)))  # fmt: skip
    else:
        ridge = tall + 0.36 * w
        gable = trimesh.Trimesh([(s * depth / 2, y * w / 2, tall) for s in (-1, 1) for y in (-1, 1)]
                                + [(0, y * w / 2, ridge - 0.02 * w) for y in (-1, 1)]).convex_hull  # fmt: skip
        walls.append(gable)
        eave, drop = depth / 2 + 0.07 * w, 0.07 * w * 0.36 / 0.31
        sides = [
            slab(np.array([(0, -0.56 * w, ridge), (0, 0.56 * w, ridge), (s * eave, 0.56 * w, tall - drop),
                           (s * eave, -0.56 * w, tall - drop)]), 0.045 * w) for s in (-1, 1)
        ]  # fmt: skip
        chimney = block((0.09 * w, 0.12 * w, 0.26 * w), (-0.14 * w, 0.26 * w, tall + 0.16 * w))
        roof = join(*sides, chimney)
    panes, frames, doors = [], [], []
    for row in range(num_floors):
        for column in range(num_columns):
            y = ((column + 0.5) / num_columns - 0.5) * 0.92 * w
            wide = min(0.58 * 0.92 * w / num_columns, 0.22 * w)
            if row == 0 and num_columns % 2 == 1 and column == num_columns // 2:
                doors.append(block((0.03 * w, wide, 0.27 * w), (x, y, 0)))
                frames.append(block((0.02 * w, wide + 0.05 * w, 0.295 * w), (x, y, 0)))
                frames.append(block((0.10 * w, wide + 0.09 * w, 0.022 * w), (x + 0.04 * w, y, 0)))
                continue
            base = row * floor + 0.115 * w
            frames += _window_frame(x, y, base, wide, 0.19 * w, w)
            panes.append(block((0.024 * w, wide, 0.19 * w), (x, y, base)))
    made = [
        _part(name, "walls", join(*walls), wall_rgb, False, 0.8),
        _part(name, "roof", roof, roof_rgb, False, 0.7),
        _part(name, "frames", join(*frames), PALE),
    ]
    if doors:
        made.append(_part(name, "door", join(*doors), (0.04, 0.16, 0.10)))
    made += [Part(f"{name}_window_{k}", pane, _pane(), carries) for k, pane in enumerate(panes)]
    return set_down(made, at_m, heading_rad)


def _pane() -> Material:
    """Dark glass that shines warm with `Emission` (1 to 2 reads well by day)."""
    return Material(rgb=(0.045, 0.07, 0.10), roughness=0.15, emission_rgb=WARM, emission_strength=0.0)


def _window_frame(x: float, y: float, base: float, wide: float, tall: float, w: float) -> list[trimesh.Trimesh]:
    e = 0.022 * w
    return [
        block((0.03 * w, wide + 2 * e, e), (x, y, base - e)),
        block((0.03 * w, wide + 2 * e, e), (x, y, base + tall)),
        *(block((0.03 * w, e, tall), (x, y + s * (wide + e) / 2, base)) for s in (-1, 1)),
        block((0.03 * w, 0.5 * e, tall), (x, y, base)),
        block((0.05 * w, wide + 4 * e, 0.7 * e), (x + 0.01 * w, y, base - 1.6 * e)),
    ]  # fmt: skip


# ---- towers
def lighthouse(name: str, height_m: float, at_m: Point = (0, 0, 0), carries: bool = True) -> tuple[Part, ...]:
    """Parts {name}_tower, _bands, _cap, _lantern (may glow), all static, and _beam about the lantern (flame: glows, no
    shadow), which `lighthouse_channels` turns."""
    h = height_m

    def radius(z: float) -> float:
        return 0.155 - 0.085 * z / 0.74

    tower = lathe_along(
        [
            (0, 0),
            (0.21 * h, 0),
            (0.21 * h, 0.04 * h),
            (radius(0.04) * h, 0.05 * h),
            (radius(0.74) * h, 0.74 * h),
            (0, 0.74 * h),
        ],
        "z",
        28,
    )
    bands = []
    for low in (0.13, 0.37, 0.61):
        ring = [((radius(z) + d) * h, z * h) for z, d in ((low, 0), (low, 0.005), (low + 0.12, 0.005), (low + 0.12, 0))]
        bands.append(lathe_along(ring, "z", 28))
    gallery = lathe_along([(0, 0.735 * h), (0.105 * h, 0.735 * h), (0.11 * h, 0.765 * h), (0, 0.765 * h)], "z", 24)
    rail = [
        lathe_along(
            [(0.100 * h, 0.80 * h), (0.108 * h, 0.80 * h), (0.108 * h, 0.808 * h), (0.100 * h, 0.808 * h)], "z", 24
        )
    ]
    dome = lathe_along(
        [(0.095 * h, 0.885 * h), (0.06 * h, 0.945 * h), (0.015 * h, 0.975 * h), (0.012 * h, h), (0, h)], "z", 24
    )
    door = block((0.02 * h, 0.075 * h, 0.13 * h), (0.148 * h, 0, 0.04 * h))
    lantern = moved(cylinder(0.058 * h, 0.125 * h, 20), 0, 0, 0.765 * h)
    cone = lathe_along([(0.02 * h, 0.05 * h), (0.13 * h, 1.0 * h)], "x", 20)
    ray = Material(rgb=WARM, kind="flame", emission_rgb=(1.0, 0.85, 0.5), emission_strength=1.2)
    static = (
        _part(name, "tower", tower, PALE),
        _part(name, "bands", join(*bands, dome), RED),
        _part(name, "cap", join(gallery, *rail, door), IRON),
        Part(f"{name}_lantern", lantern, glow(WARM, 4.0), carries, 35.0),
    )
    return (*set_down(static, at_m), Part(f"{name}_beam", cone, ray, False, 50.0))


def lighthouse_lamp_m(height_m: float, at_m: Point = (0, 0, 0)) -> Array:
    """[3] middle of the lantern: put a Lamp there when its light must fall on things."""
    return np.asarray(at_m, dtype=np.float64) + np.array([0, 0, 0.828 * height_m])


def lighthouse_channels(name: str, height_m: float, beam_rad: float, at_m: Point = (0, 0, 0)) -> Channels:
    """Turns the beam of a `lighthouse` to an angle about z."""
    return {f"{name}_beam": placed(frame(lighthouse_lamp_m(height_m, at_m), beam_rad))}


def tower(
    name: str,
    height_m: float,
    rgb: Rgb = (0.45, 0.43, 0.40),
    flag_rgb: Rgb = RED,
    at_m: Point = (0, 0, 0),
    heading_rad: float = 0.0,
) -> tuple[Part, ...]:
    """Round castle tower with battlements. Parts {name}_stone, _holes (door, slits), _flag; static."""
    h = height_m
    wall = lathe_along(
        [
            (0, 0),
            (0.24 * h, 0),
            (0.20 * h, 0.10 * h),
            (0.19 * h, 0.70 * h),
            (0.235 * h, 0.76 * h),
            (0.235 * h, 0.84 * h),
            (0.19 * h, 0.84 * h),
            (0.19 * h, 0.80 * h),
            (0, 0.80 * h),
        ],
        "z",
        28,
    )
    teeth = [
        block((0.05 * h, 0.085 * h, 0.075 * h), (0.212 * h, 0, 0.835 * h)).apply_transform(
            turned((0, 0, 1), np.pi / 4 * k + 0.39)
        )
        for k in range(8)
    ]
    holes = [block((0.05 * h, 0.12 * h, 0.17 * h), (0.20 * h, 0, 0)),
             lathe_along([(0, 0.175 * h), (0.06 * h, 0.175 * h), (0.06 * h, 0.228 * h), (0, 0.228 * h)], "x", 20)
             .apply_translation((0, 0, 0.17 * h))]  # fmt: skip
    for turn in (-0.9, 0.0, 0.9):
        holes.append(
            block((0.02 * h, 0.035 * h, 0.12 * h), (0.187 * h, 0, 0.46 * h)).apply_transform(turned((0, 0, 1), turn))
        )
    pole = moved(cylinder(0.009 * h, 0.24 * h, 8), 0, 0, 0.78 * h)
    flag = slab(np.array([(0, 0.008, 0.90), (0, 0.20, 0.955), (0, 0.008, 1.01)]) * h, 0.010 * h)
    return set_down(
        (
            _part(name, "stone", join(wall, *teeth), rgb, False, 0.85),
            _part(name, "holes", join(*holes, pole), (0.035, 0.028, 0.025)),
            _part(name, "flag", flag, flag_rgb),
        ),
        at_m,
        heading_rad,
    )


# ---- door in a wall
DOOR_WIDE, DOOR_TALL = 0.46, 0.90  # of the wall's height


def door_in_wall(
    name: str,
    height_m: float,
    wall_width_m: float,
    wall_rgb: Rgb = (0.70, 0.62, 0.48),
    door_rgb: Rgb = (0.05, 0.28, 0.45),
    at_m: Point = (0, 0, 0),
    heading_rad: float = 0.0,
    carries: bool = True,
) -> tuple[Part, ...]:
    """Wall in the plane x = 0 with an opening in its middle. Parts {name}_wall, _frame (static), _leaf, _knob
    (`door_channels`). The opening is 0.46 x 0.83 wall heights."""
    h, wide, tall, thick = height_m, DOOR_WIDE * height_m, 0.83 * height_m, 0.07 * height_m
    side = (wall_width_m - wide) / 2
    wall = [block((thick, side, h), (0, s * (wide + side) / 2, 0)) for s in (-1, 1)]
    wall.append(block((thick, wide, h - tall), (0, 0, tall)))
    e = 0.035 * h
    trim = [block((1.3 * thick, e, tall + e), (0, s * (wide + e) / 2, 0)) for s in (-1, 1)]
    trim.append(block((1.3 * thick, wide + 2 * e, e), (0, 0, tall)))
    leaf = [block((0.5 * thick, 0.98 * wide, 0.985 * tall), (0, -0.5 * wide, 0.005 * tall))]
    for low in (0.10, 0.54):
        leaf.append(block((0.66 * thick, 0.62 * wide, 0.34 * tall), (0, -0.5 * wide, low * tall)))
    knobs = [ellipsoid((s * 0.55 * thick, -0.88 * wide, 0.46 * tall), np.full(3, 0.026 * h), 1) for s in (-1, 1)]
    static = (_part(name, "wall", join(*wall), wall_rgb, False, 0.85), _part(name, "frame", join(*trim), PALE))
    return (
        *set_down(static, at_m, heading_rad),
        _part(name, "leaf", join(*leaf), door_rgb, carries, 0.45),
        _part(name, "knob", join(*knobs), (0.80, 0.55, 0.10), carries, 0.25),
    )


def door_channels(
    name: str, height_m: float, open_rad: float, at_m: Point = (0, 0, 0), heading_rad: float = 0.0
) -> Channels:
    """Opens a `door_in_wall` towards +x about its hinge at +y (0 shut, pi/2 at right angles)."""
    hinge = frame(at_m, heading_rad) @ shifted(0, DOOR_WIDE * height_m / 2, 0) @ turned((0, 0, 1), open_rad)
    return {f"{name}_leaf": placed(hinge), f"{name}_knob": placed(hinge)}


# ---- lights
def street_lamp(
    name: str, height_m: float, at_m: Point = (0, 0, 0), heading_rad: float = 0.0, carries: bool = True
) -> tuple[Part, ...]:
    """Lamp post leaning out towards the heading. Parts {name}_post, {name}_bulb (may glow; 0 now); static.

    `street_lamp_light_m` tells where to put the Lamp.
    """
    h = height_m
    line = np.array([(0, 0, 0.02), (0, 0, 0.5), (0, 0, 0.80), (0.02, 0, 0.91), (0.10, 0, 0.965), (0.20, 0, 0.965)]) * h
    post = sweep_mesh(line, np.array([0.030, 0.022, 0.019, 0.018, 0.017, 0.017]) * h, 10, 1)
    foot = lathe_along([(0, 0), (0.065 * h, 0), (0.055 * h, 0.04 * h), (0.03 * h, 0.10 * h), (0, 0.10 * h)], "z", 16)
    shade = lathe_along(
        [(0, 0.985 * h), (0.035 * h, 0.975 * h), (0.085 * h, 0.925 * h), (0.075 * h, 0.925 * h)], "z", 20
    )
    bulb = ellipsoid((0.22 * h, 0, 0.918 * h), np.array([0.058, 0.058, 0.04]) * h)
    post.vertices[:, 2] = np.maximum(post.vertices[:, 2], 0)
    return set_down(
        (
            _part(name, "post", join(post, foot, moved(shade, 0.22 * h)), IRON, False, 0.4),
            Part(
                f"{name}_bulb", bulb, Material(rgb=(0.75, 0.72, 0.62), roughness=0.2, emission_rgb=WARM), carries, 50.0
            ),
        ),
        at_m,
        heading_rad,
    )


def street_lamp_light_m(height_m: float, at_m: Point = (0, 0, 0), heading_rad: float = 0.0) -> Array:
    """[3] just below the bulb."""
    return moved_by(frame(at_m, heading_rad), np.array([0.22, 0, 0.85]) * height_m)


TRAFFIC_RGB: dict[str, Rgb] = {"red": (0.85, 0.015, 0.01), "amber": (0.95, 0.42, 0.01), "green": (0.01, 0.70, 0.14)}
DIM = 0.10


def traffic_light(
    name: str, height_m: float, at_m: Point = (0, 0, 0), heading_rad: float = 0.0, carries: bool = True
) -> tuple[Part, ...]:
    """Parts {name}_post, {name}_red, _amber, _green: dark lenses; light one with `traffic_light_channels`. Static."""
    h = height_m
    post = join(moved(cylinder(0.028 * h, 0.56 * h, 14), 0, 0, 0), moved(cylinder(0.09 * h, 0.03 * h, 20)),
                moved(bevelled_box((0.12 * h, 0.19 * h, 0.48 * h), 0.025 * h), 0, 0, 0.76 * h))  # fmt: skip
    lenses, hoods = {}, []
    for colour, z in zip(TRAFFIC_RGB, (0.90, 0.76, 0.62), strict=True):
        lenses[colour] = ellipsoid((0.062 * h, 0, z * h), np.array([0.018, 0.058, 0.058]) * h)
        arc = np.linspace(-0.2, np.pi + 0.2, 9)
        rim = [np.column_stack([np.full(9, x * h), r * h * np.cos(arc), z * h + r * h * np.sin(arc)])
               for x, r in ((0.055, 0.068), (0.115, 0.068), (0.115, 0.062), (0.055, 0.062))]  # fmt: skip
        hoods.append(_grid(rim))
    made = [_part(name, "post", join(post, *hoods), (0.035, 0.037, 0.04), False, 0.5)]
    for colour, mesh in lenses.items():
        rgb = TRAFFIC_RGB[colour]
        dark = (DIM * rgb[0], DIM * rgb[1], DIM * rgb[2])
        made.append(Part(f"{name}_{colour}", mesh, Material(rgb=dark, roughness=0.25, emission_rgb=rgb), carries, 50.0))
    return set_down(made, at_m, heading_rad)


def _grid(lines: Sequence[Array]) -> trimesh.Trimesh:
    """Closed band through lines of equal length, the last joined to the first."""
    faces = grid_faces(len(lines), len(lines[0]), closed_rows=True)[:, ::-1]
    return trimesh.Trimesh(np.vstack(lines), faces, process=False)


def traffic_light_channels(name: str, lit: Sequence[str], strength: float = 2.5) -> Channels:
    """Lights the named lenses ("red", "amber", "green") and darkens the others."""
    from event_library.channels import Colour, Emission

    made: Channels = {}
    for colour, rgb in TRAFFIC_RGB.items():
        on = colour in lit
        made[f"{name}_{colour}"] = (Colour(np.array(rgb) * (1.0 if on else DIM)), Emission(strength if on else 0.0))
    return made


# ---- barrier
def barrier(
    name: str, length_m: float, at_m: Point = (0, 0, 0), heading_rad: float = 0.0, carries: bool = True
) -> tuple[Part, ...]:
    """Gate whose boom reaches along the heading. Parts {name}_post (static), {name}_boom, {name}_stripes.

    The hinge lies 0.24 lengths above the ground.
    """
    m = length_m
    post = join(
        block((0.10 * m, 0.10 * m, 0.26 * m), (0, 0.065 * m, 0)),
        block((0.16 * m, 0.16 * m, 0.03 * m), (0, 0.06 * m, 0)),
        lathe_along(
            [(0, -0.03 * m), (0.035 * m, -0.03 * m), (0.035 * m, 0.10 * m), (0, 0.10 * m)], "y", 18
        ).apply_translation((0, 0, BARRIER_HINGE * m)),
    )
    boom = box((0.98 * m, 0.030 * m, 0.050 * m)).apply_translation((0.49 * m, 0, 0))
    weight = box((0.12 * m, 0.05 * m, 0.09 * m)).apply_translation((-0.10 * m, 0, 0))
    bands = [box((0.11 * m, 0.033 * m, 0.053 * m)).apply_translation((x * m, 0, 0)) for x in (0.16, 0.38, 0.60, 0.82)]
    return (
        *set_down((_part(name, "post", post, (0.08, 0.08, 0.09)),), at_m, heading_rad),
        _part(name, "boom", join(boom, weight), PALE, carries),
        _part(name, "stripes", join(*bands), RED, carries),
    )


BARRIER_HINGE = 0.24


def barrier_channels(
    name: str, length_m: float, raised_rad: float, at_m: Point = (0, 0, 0), heading_rad: float = 0.0
) -> Channels:
    """Raises the boom of a `barrier` (0 shut, about 1.4 open)."""
    boom = frame(at_m, heading_rad) @ shifted(0, 0, BARRIER_HINGE * length_m) @ turned((0, -1, 0), raised_rad)
    return {f"{name}_boom": placed(boom), f"{name}_stripes": placed(boom)}
