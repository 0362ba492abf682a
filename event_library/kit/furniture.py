"""What events stand on, hang from and lie in: boards, trays, stands, frames, ramps, belts, houses of small things."""

from __future__ import annotations

import numpy as np
import trimesh

from event_library import parts
from event_library.channels import Channel, Colour, Emission, Move, Power, Rotate, Scale, Vertices, quaternion_about
from event_library.kit.copies import copies, copies_channels, quaternions_about
from event_library.kit.palette import (
    CERAMIC_BLUE,
    CHROME,
    DARK,
    GREY_PAINT,
    IRON,
    PALE_WOOD,
    RED_PAINT,
    RUBBER,
    STEEL,
    WAX,
    WOOD,
    paint,
)
from event_library.kit.shapes import ORIGIN, Array, Place, at, beam, capsule, extruded, rod, solid_of_revolution, turned
from event_library.parts import Lamp, Material, Part

Channels = dict[str, tuple[Channel, ...]]


# ---- boards, plates, trays
def board(
    name: str, size_m: tuple[float, float, float], place: Place = ORIGIN, material: Material = WOOD, *,
    bevel_m: float = 0.003,
) -> Part:  # fmt: skip
    """Bevelled slab standing on `place` (middle of its underside)."""
    x, y, z = place
    return Part(name, parts.moved(parts.bevelled_box(size_m, bevel_m), x, y, z + size_m[2] / 2), material)


def plate(name: str, radius_m: float, place: Place = ORIGIN, material: Material = CERAMIC_BLUE, *,
          rim_m: float | None = None, floor: float = 0.64) -> Part:  # fmt: skip
    """Round plate with a raised rim; its floor, flat to a share of the radius, lies 0.07 radius_m above `place`."""
    r, rise = radius_m, 0.22 * radius_m if rim_m is None else rim_m
    profile = np.array([
        (0.0, 0.0), ((floor - 0.04) * r, 0.0), (0.97 * r, 0.8 * rise), (r, 0.93 * rise), (0.97 * r, rise),
        (floor * r, 0.07 * r), (0.0, 0.07 * r),
    ])  # fmt: skip
    return Part(name, parts.moved(parts.lathe(profile, 48), *place), material, smooth_angle_deg=50)


def tray(
    name: str, size_m: tuple[float, float], wall_m: float, place: Place = ORIGIN, material: Material = PALE_WOOD, *,
    thick_m: float = 0.006, front: bool = True,
) -> Part:  # fmt: skip
    """Open box: inner size (x, y), walls `wall_m` above its floor, which lies thick_m above `place`."""
    x, y, t = size_m[0], size_m[1], thick_m
    pieces = [
        parts.block((x + 2 * t, y + 2 * t, t), (0, 0, 0)),
        *(parts.block((t, y + 2 * t, wall_m), (s * (x + t) / 2, 0, t)) for s in (-1, 1)),
        *(parts.block((x, t, wall_m), (0, s * (y + t) / 2, t)) for s in ((-1, 1) if front else (1,))),
    ]
    return Part(name, parts.moved(parts.join(*pieces), *place), material)


def table(name: str, size_m: tuple[float, float], height_m: float, place: Place = ORIGIN, material: Material = WOOD, *,
          thick_m: float = 0.03) -> Part:  # fmt: skip
    """Four-legged table or bench with its top at place z + height_m."""
    x, y = size_m
    leg = 0.06 * min(size_m) + 0.2 * thick_m
    pieces = [parts.block((x, y, thick_m), (0, 0, height_m - thick_m))]
    pieces += [
        parts.block((leg, leg, height_m - thick_m), (sx * (x / 2 - leg), sy * (y / 2 - leg), 0))
        for sx in (-1, 1) for sy in (-1, 1)
    ]  # fmt: skip
    return Part(name, parts.moved(parts.join(*pieces), *place), material)


def steps(name: str, num: int, size_m: tuple[float, float, float], place: Place = ORIGIN,
          material: Material = PALE_WOOD, *, rising: bool = True) -> Part:  # fmt: skip
    """Staircase of `num` solid steps along +x from `place`; size_m: tread, width, rise of one step."""
    tread, width, rise = size_m
    pieces = [
        parts.block((tread, width, rise * (k + 1 if rising else num - k)), ((k + 0.5) * tread, 0, 0))
        for k in range(num)
    ]
    return Part(name, parts.moved(parts.join(*pieces), *place), material)


# ---- stands and frames
def post(name: str, height_m: float, place: Place = ORIGIN, material: Material = STEEL, *, radius_m: float = 0.006,
         foot_m: float = 0.04) -> Part:  # fmt: skip
    """Round upright on a disc foot."""
    mesh = parts.join(parts.cylinder(foot_m, 0.2 * foot_m, 32), parts.cylinder(radius_m, height_m, 16))
    return Part(name, parts.moved(mesh, *place), material, smooth_angle_deg=40)


def gantry(
    name: str, width_m: float, height_m: float, place: Place = ORIGIN, material: Material = WOOD, *,
    bar_m: float | None = None, depth_m: float | None = None,
) -> Part:  # fmt: skip
    """Two feet, two posts, a crossbar along x: things hang from its underside, at place z + height_m.

    width_m: clear width between the posts. bar_m: thickness of the bars (default 5 % of the height).
    """
    b = 0.05 * height_m if bar_m is None else bar_m
    d = 6 * b if depth_m is None else depth_m
    side = (width_m + b) / 2
    pieces = [parts.block((width_m + 4 * b, 1.2 * b, b), (0, 0, height_m))]
    for s in (-1, 1):
        pieces += [
            parts.block((b, b, height_m), (s * side, 0, 0)),
            parts.block((1.4 * b, d, 0.6 * b), (s * side, 0, 0)),
        ]
    return Part(name, parts.moved(parts.join(*pieces), *place), material)


def retort_stand(
    name: str, height_m: float, arm_z_m: float, reach_m: float, place: Place = ORIGIN, material: Material = IRON
) -> Part:
    """Laboratory stand at `place` with an arm at height arm_z_m reaching `reach_m` along +x (negative: -x)."""
    r = 0.02 * height_m
    mesh = parts.join(
        parts.moved(parts.bevelled_box((0.5 * height_m, 0.35 * height_m, 0.04 * height_m), 0.008 * height_m),
                    z_m=0.02 * height_m),
        parts.cylinder(r, height_m, 16),
        rod((0.0, 0.0, arm_z_m), (reach_m, 0.0, arm_z_m), 0.7 * r),
        parts.moved(parts.box((4 * r, 4 * r, 4 * r)), z_m=arm_z_m),
    )  # fmt: skip
    return Part(name, parts.moved(mesh, *place), material, smooth_angle_deg=40)


def a_frame(name: str, height_m: float, spread_m: float, depth_m: float, place: Place = ORIGIN,
            material: Material = STEEL, *, bar_m: float | None = None) -> Part:  # fmt: skip
    """Two A-shaped trestles, depth_m apart, whose tops carry an axle along y at place z + height_m (Ferris wheel)."""
    b = 0.04 * height_m if bar_m is None else bar_m
    pieces = []
    for y in (-depth_m / 2, depth_m / 2):
        legs = [beam((s * spread_m / 2, 0.0, 0.0), (0.0, 0.0, height_m), b, b) for s in (-1, 1)]
        tie = parts.box((0.52 * spread_m, b, b))
        pieces += [parts.moved(leg, y_m=y) for leg in legs] + [parts.moved(tie, 0.0, y, 0.45 * height_m)]
    pieces.append(rod((0.0, -0.55 * depth_m, height_m), (0.0, 0.55 * depth_m, height_m), 0.6 * b))
    mesh = parts.join(*pieces)
    return Part(name, parts.moved(mesh, place[0], place[1], place[2] - min(0.0, float(mesh.bounds[0, 2]))), material)


# ---- ramps and belts
def ramp(name: str, length_m: float, angle_rad: float, width_m: float, place: Place = ORIGIN,
         material: Material = PALE_WOOD) -> Part:  # fmt: skip
    """Solid wedge: its slope runs `length_m` from its foot at `place` up along +x (see `ramp_point_m`)."""
    run, rise = length_m * np.cos(angle_rad), length_m * np.sin(angle_rad)
    mesh = extruded(np.array([(0.0, 0.0), (run, 0.0), (run, rise)]), width_m)
    return Part(name, parts.moved(mesh, place[0], place[1] - width_m / 2, place[2]), material)


def ramp_point_m(along_m: float, angle_rad: float, place: Place = ORIGIN, lift_m: float = 0.0) -> Array:
    """[3] point `along_m` up the slope from its foot and `lift_m` off it (a ball's radius, half a block)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.asarray(place) + at(along_m * c - lift_m * s, 0.0, along_m * s + lift_m * c)


def conveyor(
    name: str, length_m: float, width_m: float, height_m: float, place: Place = ORIGIN, *, num_slats: int = 24,
    slat: Material = GREY_PAINT,
) -> tuple[Part, ...]:  # fmt: skip
    """Belt along x about `place`, its top at place z + height_m: legs, belt, rollers `_roller_0/1`, moving slats.

    length_m: between the rollers' axles. Slats on the belt show its motion (`conveyor_channels`); goods ride at
    place z + height_m.
    """
    r = _roller_m(height_m)
    body = _stadium(length_m, r - 0.0012, np.linspace(0.0, 1.0, 48, endpoint=False))[:, :2]
    belt = parts.moved(extruded(body, width_m), 0.0, -width_m / 2, height_m - r)
    legs = [
        parts.block((0.7 * r, 0.05 * width_m, height_m - 0.3 * r), (sx * 0.38 * length_m, sy * 0.56 * width_m, 0.0))
        for sx in (-1, 1) for sy in (-1, 1)
    ]  # fmt: skip
    rails = [
        parts.moved(parts.box((length_m, 0.05 * width_m, 0.9 * r)), 0, s * 0.56 * width_m, height_m - r)
        for s in (-1, 1)
    ]
    one, num = _slat(width_m, r), num_slats
    positions, turns = _slats(length_m, height_m, 0.0, num, place)
    rollers = [
        Part(f"{name}_roller_{k}", _roller(0.8 * r, 1.24 * width_m), CHROME, smooth_angle_deg=40) for k in (0, 1)
    ]
    return (
        Part(f"{name}_belt", parts.moved(belt, *place), RUBBER, smooth_angle_deg=40),
        Part(f"{name}_frame", parts.moved(parts.join(*legs, *rails), *place), STEEL),
        *rollers,
        copies(f"{name}_slats", one, positions, slat, rotations_wxyz=turns),
    )


def conveyor_channels(
    name: str, travel_m: float, length_m: float, width_m: float, height_m: float, place: Place = ORIGIN, *,
    num_slats: int = 24,
) -> Channels:  # fmt: skip
    """Belt moved on by `travel_m` (top towards +x)."""
    r = _roller_m(height_m)
    positions, turns = _slats(length_m, height_m, travel_m, num_slats, place)
    spin = Rotate(quaternion_about((0.0, 1.0, 0.0), travel_m / r))
    axles = {
        f"{name}_roller_{k}": (spin, Move(np.asarray(place) + at((k - 0.5) * length_m, 0.0, height_m - r)))
        for k in (0, 1)
    }
    return {**axles, **copies_channels(f"{name}_slats", _slat(width_m, r), positions, turns)}


def _roller_m(height_m: float) -> float:
    return 0.25 * height_m


def _roller(radius_m: float, width_m: float) -> trimesh.Trimesh:
    drum = turned(parts.moved(parts.cylinder(radius_m, width_m, 24), z_m=-width_m / 2), (1.0, 0.0, 0.0), np.pi / 2)
    spoke = parts.box((0.4 * radius_m, 1.01 * width_m, 1.7 * radius_m))
    return parts.join(drum, spoke)


def _slat(width_m: float, roller_m: float) -> trimesh.Trimesh:
    return parts.moved(parts.box((0.3 * roller_m, 0.98 * width_m, 0.0012)), z_m=-0.0008)


def _slats(length_m: float, height_m: float, travel_m: float, num: int, place: Place) -> tuple[Array, Array]:
    r = _roller_m(height_m)
    around = 2 * length_m + 2 * np.pi * r
    loop = _stadium(length_m, r, (np.arange(num) / num + travel_m / around) % 1.0)
    positions = np.column_stack([loop[:, 0], np.zeros(num), loop[:, 1] + height_m - r]) + np.asarray(place)
    return positions, quaternions_about((0.0, 1.0, 0.0), loop[:, 2])


def _stadium(length_m: float, radius_m: float, share: Array) -> Array:
    """[N, 3] x, z and clockwise tilt at shares of a stadium's outline, from the top left, clockwise seen from -y."""
    half, arc = length_m / 2, np.pi * radius_m
    s = share * 2 * (length_m + arc)
    turn = np.clip((s - length_m) / radius_m, 0, np.pi) + np.clip((s - 2 * length_m - arc) / radius_m, 0, np.pi)
    x = -half + np.minimum(s, length_m) - np.clip(s - length_m - arc, 0, length_m)
    return np.column_stack([x + radius_m * np.sin(turn), radius_m * np.cos(turn), turn])


# ---- hinged and sliding things
def lid(name: str, size_m: tuple[float, float, float], material: Material = PALE_WOOD) -> Part:
    """Flat lid (x, y, thickness) whose hinge is its back lower edge, along x at the origin; closed it reaches to -y."""
    mesh = parts.moved(parts.bevelled_box(size_m, 0.15 * size_m[2]), 0.0, -size_m[1] / 2, size_m[2] / 2)
    return Part(name, mesh, material, carries=True)


def lid_channels(name: str, open_rad: float, hinge: Place) -> Channels:
    """Lid swung open by `open_rad` about its hinge (0: closed, pi/2: upright)."""
    return {name: (Rotate(quaternion_about((1.0, 0.0, 0.0), -open_rad)), Move(at(*hinge)))}


def door(name: str, size_m: tuple[float, float, float], material: Material = WOOD) -> Part:
    """Door (width x, thickness y, height z) hinged on its left edge at the origin; `door_channels` swings it."""
    w, t, h = size_m
    knob = parts.moved(parts.sphere(0.6 * t, 2), 0.88 * w, -0.9 * t, 0.48 * h)
    mesh = parts.join(parts.moved(parts.bevelled_box(size_m, 0.15 * t), w / 2, 0.0, h / 2), knob)
    return Part(name, mesh, material, carries=True)


def door_channels(name: str, open_rad: float, hinge: Place) -> Channels:
    """Door opened by `open_rad` away from the viewer."""
    return {name: (Rotate(quaternion_about((0.0, 0.0, 1.0), open_rad)), Move(at(*hinge)))}


def screw(name: str, radius_m: float, length_m: float, place: Place = ORIGIN, material: Material = STEEL) -> Part:
    """Slotted screw head up at `place`, its shank `length_m` down (threads as rings)."""
    rings = [(radius_m * (0.5 if k % 2 else 0.62), -length_m * (1 - k / 12)) for k in range(12)]
    profile = np.array([(0.1 * radius_m, -length_m), *rings[1:], (0.5 * radius_m, 0.0)])
    slot = parts.moved(parts.box((1.7 * radius_m, 0.25 * radius_m, 0.05 * radius_m)), z_m=0.55 * radius_m)
    head = solid_of_revolution(np.array([
        (radius_m, 0.0), (radius_m, 0.25 * radius_m), (0.75 * radius_m, 0.5 * radius_m), (1e-4, 0.55 * radius_m)
    ]), 24)  # fmt: skip
    mesh = parts.join(solid_of_revolution(profile, 16), head, slot)
    return Part(name, parts.moved(mesh, *place), material, smooth_angle_deg=40)


# ---- candle and bulb
LIT_WAX = Material(rgb=WAX.rgb, roughness=WAX.roughness, emission_rgb=(1.0, 0.52, 0.18), emission_strength=0.12)
MELTED_RIM = np.array([  # (radius / candle radius, share of .29 radius below the crest)
    (1.0, 1.0), (1.06, 0.72), (1.06, 0.39), (0.97, 0.11), (0.84, 0.0), (0.68, 0.19), (0.4, 0.39), (0.02, 0.44),
])  # fmt: skip


def candle(name: str, radius_m: float, height_m: float, *, material: Material = LIT_WAX) -> tuple[Part, ...]:
    """Wax `{name}_wax` (crest height_m above its foot) and `{name}_wick`, at the origin; `candle_channels` places them.

    Add a `flames.flame` on the wick (foot at the crest + 0.2 radius_m).
    """
    wick = rod((0.0, 0.0, -0.15 * radius_m), (0.1 * radius_m, 0.0, 0.6 * radius_m), 0.08 * radius_m, 8)
    return (
        Part(f"{name}_wax", _wax(radius_m, height_m), material, carries=True, smooth_angle_deg=50),
        Part(f"{name}_wick", wick, paint((0.03, 0.025, 0.02), 0.9), carries=True),
    )


def candle_channels(name: str, radius_m: float, height_m: float, foot: Place = ORIGIN, *, lit: bool = True) -> Channels:
    """Candle burnt down to a crest `height_m` above its foot; only the stem below the melted rim shortens.

    lit: the wax glows a little from within.
    """
    crest = np.asarray(foot) + at(0.0, 0.0, height_m)
    return {
        f"{name}_wax": (
            Vertices(np.asarray(_wax(radius_m, height_m).vertices)),
            Move(at(*foot)),
            Emission(LIT_WAX.emission_strength if lit else 0.0),
        ),
        f"{name}_wick": (Move(crest),),
    }


def _wax(radius_m: float, height_m: float) -> trimesh.Trimesh:
    rim = np.column_stack([MELTED_RIM[:, 0] * radius_m, height_m - 0.29 * radius_m * MELTED_RIM[:, 1]])
    return solid_of_revolution(np.vstack([[(radius_m, 0.0)], rim]), 32)


def bulb(
    name: str, radius_m: float, place: Place = ORIGIN, *, power_w: float = 2.0, rgb: parts.Rgb = (1.0, 0.80, 0.45),
    hanging: bool = False,
) -> tuple[tuple[Part, ...], Lamp]:  # fmt: skip
    """Lamp bulb centred on `place`: Parts `{name}_globe`, `{name}_socket` and its Lamp `{name}_light`.

    hanging: socket above instead of below.
    """
    s = 1.0 if hanging else -1.0
    neck = solid_of_revolution(np.array([
        (0.55 * radius_m, 0.75 * radius_m), (0.55 * radius_m, 1.5 * radius_m), (0.3 * radius_m, 1.7 * radius_m)
    ]), 24)  # fmt: skip
    if s < 0:
        turned(neck, (1.0, 0.0, 0.0), np.pi)
    glow = Material(rgb=(0.9, 0.88, 0.8), roughness=0.2, emission_rgb=rgb, emission_strength=4.0)
    made = (
        Part(f"{name}_globe", parts.moved(parts.sphere(radius_m, 3), *place), glow, carries=True, smooth_angle_deg=180),
        Part(f"{name}_socket", parts.moved(neck, *place), DARK, smooth_angle_deg=40),
    )
    return made, Lamp(f"{name}_light", place, power_w, rgb, 1.1 * radius_m)  # around the globe: inside it would be dark


def bulb_channels(name: str, share: float, *, power_w: float = 2.0, glow: float = 4.0) -> Channels:
    """Bulb dimmed to a share of its power: glow of the globe and light of the lamp."""
    colour = Colour(np.full(3, 0.25 + 0.6 * min(max(share, 0.0), 1.0)))
    return {f"{name}_globe": (colour, Emission(glow * share)), f"{name}_light": (Power(power_w * share),)}


def button(name: str, radius_m: float, material: Material = RED_PAINT) -> Part:
    """Round push button standing on the origin, 0.8 radii tall; press it with `button_channels`."""
    return Part(name, capsule(radius_m, 2 * radius_m, 24), material, carries=True, smooth_angle_deg=60)


def button_channels(name: str, pressed: float, radius_m: float, place: Place) -> Channels:
    """Pushed in by a share in [0, 1] of its stroke (half a radius)."""
    lowered = at(place[0], place[1], place[2])
    return {name: (Scale(at(1.0, 1.0, 0.4 - 0.25 * min(max(pressed, 0.0), 1.0))), Move(lowered))}
