"""Dials, clocks, thermometers, gauges and scales.

Dial angles are clockwise from 12 o'clock as the viewer sees them: from the front (-y) for `facing="front"`, from above
with 12 o'clock away from the viewer for `facing="up"`. Marks and hands lie in front of the face by a millimetre or two.
"""

from __future__ import annotations

import numpy as np
import trimesh

from event_library import parts
from event_library.channels import Channel, Move, Rotate, Scale, quaternion_about
from event_library.kit.palette import BOARD, DARK, GLASS, INK, RED_INK, RED_LIQUID, STEEL
from event_library.kit.shapes import ORIGIN, Array, Facing, Place, at, extruded, placed, turned
from event_library.parts import Material, Part

Channels = dict[str, tuple[Channel, ...]]

FULL_TURN = 2 * np.pi
GAUGE_SWEEP_RAD = (-2.3, 2.3)  # of a pressure or temperature gauge: 132 degrees to either side


# ---- round dials
def dial(
    name: str, radius_m: float, place: Place = ORIGIN, *, facing: Facing = "front",
    sweep_rad: tuple[float, float] = GAUGE_SWEEP_RAD, num_major: int = 6, num_minor: int = 4,
    face: Material = BOARD, ink: Material = INK, case: Material = STEEL,
) -> tuple[Part, ...]:  # fmt: skip
    """Round gauge about `place` (middle of its face): `{name}_case`, `{name}_face`, `{name}_marks`.

    num_major long marks over the sweep, both ends included, with num_minor short ones between neighbours. A sweep of a
    full turn leaves the last long mark out.
    """
    full = abs(sweep_rad[1] - sweep_rad[0] - FULL_TURN) < 1e-9
    steps = num_major if full else num_major - 1
    angles = sweep_rad[0] + (sweep_rad[1] - sweep_rad[0]) * np.arange(steps * (num_minor + 1) + (not full)) / (
        steps * (num_minor + 1)
    )
    marks = [
        radial_mark(angle, *((0.70, 0.045) if k % (num_minor + 1) == 0 else (0.79, 0.022)), radius_m)
        for k, angle in enumerate(angles)
    ]
    return (
        *_face(name, radius_m, place, facing, face, case),
        Part(f"{name}_marks", placed(parts.join(*marks), place, facing), ink),
    )


def clock_face(
    name: str, radius_m: float, place: Place = ORIGIN, *, facing: Facing = "front", face: Material = BOARD,
    ink: Material = INK, case: Material = DARK,
) -> tuple[Part, ...]:  # fmt: skip
    """Clock without hands: 12 bold marks, those at 12, 3, 6 and 9 longer. Add `hand`s."""
    marks = [
        radial_mark(FULL_TURN * hour / 12, *((0.66, 0.075) if hour % 3 == 0 else (0.74, 0.05)), radius_m)
        for hour in range(12)
    ]
    return (
        *_face(name, radius_m, place, facing, face, case),
        Part(f"{name}_marks", placed(parts.join(*marks), place, facing), ink),
    )


def _face(name: str, radius_m: float, place: Place, facing: Facing, face: Material, case: Material) -> tuple[Part, ...]:
    depth, rim = 0.16 * radius_m, 0.09 * radius_m
    disc = turned(parts.cylinder(radius_m, depth, 48), (1.0, 0.0, 0.0), np.pi / 2)  # front at y = -depth
    parts.moved(disc, y_m=depth)
    bezel = turned(parts.ring(radius_m - 0.2 * rim, radius_m + rim, 1.5 * depth, 0.25 * rim, 48), (1, 0, 0), np.pi / 2)
    parts.moved(bezel, y_m=depth)
    return (
        Part(f"{name}_case", placed(bezel, place, facing), case, smooth_angle_deg=40),
        Part(f"{name}_face", placed(disc, place, facing), face, smooth_angle_deg=40),
    )


def radial_mark(angle_rad: float, inner: float, width: float, radius_m: float, outer: float = 0.92) -> trimesh.Trimesh:
    """One bar on a front-facing dial at a clockwise angle; inner, outer end and width in radii."""
    long, thick = (outer - inner) * radius_m, 0.02 * radius_m
    bar = parts.moved(parts.box((width * radius_m, thick, long)), 0, -thick / 2, inner * radius_m + long / 2)
    return turned(bar, (0.0, 1.0, 0.0), angle_rad)


def dial_arc(
    name: str, radius_m: float, from_rad: float, to_rad: float, place: Place = ORIGIN, *, facing: Facing = "front",
    inner: float = 0.70, outer: float = 0.92, material: Material = RED_INK,
) -> Part:  # fmt: skip
    """Coloured sector band on a dial (red zone, target) between two clockwise angles."""
    angle = np.linspace(from_rad, to_rad, 24)
    direction = np.column_stack([np.sin(angle), np.cos(angle)])
    outline = np.vstack([outer * radius_m * direction, inner * radius_m * direction[::-1]])
    mesh = parts.moved(extruded(outline, 0.008 * radius_m), y_m=-0.008 * radius_m)
    return Part(name, placed(mesh, place, facing), material)


def hand(
    name: str, length_m: float, width_m: float, *, facing: Facing = "front", lift_m: float | None = None,
    tail: float = 0.2, material: Material = DARK,
) -> Part:  # fmt: skip
    """Tapered pointer with a hub, its pivot at the origin, `lift_m` (4.5 % of its length) off the face."""
    w, back, thick = width_m / 2, -tail * length_m, 0.5 * width_m
    lift = 0.045 * length_m if lift_m is None else lift_m
    outline = np.array(
        [(-0.7 * w, back), (0.7 * w, back), (w, 0.0), (0.35 * w, length_m), (-0.35 * w, length_m), (-w, 0)]
    )
    hub = turned(parts.cylinder(1.1 * width_m, 1.3 * thick, 20), (1.0, 0.0, 0.0), np.pi / 2)
    mesh = parts.join(parts.moved(extruded(outline, thick), y_m=-thick), hub)
    return Part(name, placed(parts.moved(mesh, y_m=-lift), ORIGIN, facing), material, carries=True, smooth_angle_deg=30)


def hand_channels(name: str, clockwise_rad: float, place: Place, *, facing: Facing = "front") -> Channels:
    """The hand turned about the dial's middle."""
    turn = ((0.0, 1.0, 0.0), clockwise_rad) if facing == "front" else ((0.0, 0.0, 1.0), -clockwise_rad)
    return {name: (Rotate(quaternion_about(*turn)), Move(at(*place)))}


def clockwise_rad(direction_m: Array, facing: Facing = "front") -> float:
    """Dial angle in (-pi, pi] of a direction [3] from the pivot (say, to the middle of the points of a hand seen)."""
    return float(np.arctan2(direction_m[0], direction_m[2] if facing == "front" else direction_m[1]))


def hand_angle_rad(points_m: Array, place: Place, facing: Facing = "front") -> float:
    """Dial angle of a hand with a short tail from its vertices or its visible points [P, 3]; nan when none is seen.

    Points count by their distance from the pivot, so that hub and tail weigh little.
    """
    if len(points_m) == 0:
        return float("nan")
    offset = np.asarray(points_m) - np.asarray(place)
    plane = offset[:, [0, 2]] if facing == "front" else offset[:, [0, 1]]
    weight = np.linalg.norm(plane, axis=1) ** 2
    return float(np.arctan2(*(plane * weight[:, None]).sum(axis=0)))


def gauge_rad(share: float) -> float:
    """Dial angle of a gauge's hand that shows a share of the whole scale."""
    low, high = GAUGE_SWEEP_RAD
    return low + share * (high - low)


def gauge_share(points_m: Array, place: Place) -> float:
    """Share of the whole scale that a gauge's hand shows, from its vertices or its visible points; nan if unseen."""
    low, high = GAUGE_SWEEP_RAD
    return (hand_angle_rad(points_m, place) - low) / (high - low)


# ---- thermometers and bar gauges
def thermometer(
    name: str, height_m: float, place: Place = ORIGIN, *, bore_m: float = 0.006, num_marks: int = 11,
    liquid: Material = RED_LIQUID, board: Material = BOARD,
) -> tuple[Part, ...]:  # fmt: skip
    """Upright thermometer with its bulb at `place`: board with marks, tube, bulb, and the column `{name}_column`.

    The column starts at the bulb's middle + 2 bore_m (reading 0) and can reach `height_m` above that; place z should be
    at least 2 bore_m above the support. Set it with `thermometer_channels`.
    """
    foot = 2 * bore_m
    tube = parts.moved(parts.lathe(np.array([(1.35 * bore_m, 0.0), (1.35 * bore_m, height_m)]), 24), z_m=foot)
    cap = parts.moved(parts.sphere(1.35 * bore_m, 2), z_m=foot + height_m)
    back = parts.block((9 * bore_m, 0.6 * bore_m, height_m + 4 * bore_m), (0, 2.2 * bore_m, 0))
    marks = [
        parts.moved(parts.box(((4.2 if k % 5 == 0 else 2.6) * bore_m, 0.3 * bore_m, 0.006 * height_m)),
                    (-2.1 if k % 5 == 0 else -2.9) * bore_m, 1.85 * bore_m, foot + height_m * k / (num_marks - 1))
        for k in range(num_marks)
    ]  # fmt: skip
    column = parts.disc_prism(float(np.pi * bore_m**2), height_m, 24)
    return (
        Part(f"{name}_board", parts.moved(back, *place), board),
        Part(f"{name}_marks", parts.moved(parts.join(*marks), *place), INK),
        Part(f"{name}_bulb", parts.moved(parts.sphere(2 * bore_m, 2), *place), _opaque(liquid), True, 60),
        Part(f"{name}_tube", parts.moved(parts.join(tube, cap), *place), GLASS, smooth_angle_deg=40),
        Part(f"{name}_column", column, _opaque(liquid), carries=True, smooth_angle_deg=40),
    )


def thermometer_channels(
    name: str, reading: float, height_m: float, place: Place = ORIGIN, *, bore_m: float = 0.006
) -> Channels:
    """Column at a share `reading` in [0, 1] of its height."""
    foot = at(place[0], place[1], place[2] + 2 * bore_m)
    return {f"{name}_column": (Scale(at(1.0, 1.0, max(reading, 1e-5))), Move(foot))}


def _opaque(liquid: Material) -> Material:
    return Material(rgb=liquid.rgb, roughness=0.3)


def bar_gauge(
    name: str, size_m: tuple[float, float], place: Place = ORIGIN, *, along: str = "z", depth_m: float = 0.01,
    fill: Material = RED_INK, frame: Material = DARK,
) -> tuple[Part, ...]:  # fmt: skip
    """Front-facing bar `{name}_fill` in a trough `{name}_frame`; size (x, z) of the full bar.

    `place` is the bar's end where it is empty (middle of that edge): its foot for along="z", its left end for "x".
    """
    x, z = size_m
    edge = 0.12 * min(size_m)
    middle = (0.0, 0.0, z / 2) if along == "z" else (x / 2, 0.0, 0.0)
    back = parts.moved(parts.box((x + 2 * edge, depth_m, z + 2 * edge)), middle[0], 0.6 * depth_m, middle[2])
    rails = [parts.moved(parts.box((edge, 1.4 * depth_m, z + 2 * edge)), middle[0] + s * (x + edge) / 2, 0.0, middle[2])
             for s in (-1, 1)]  # fmt: skip
    rails += [parts.moved(parts.box((x, 1.4 * depth_m, edge)), middle[0], 0.0, middle[2] + s * (z + edge) / 2)
              for s in (-1, 1)]  # fmt: skip
    bar = parts.moved(parts.box((x, depth_m, z)), middle[0], -0.1 * depth_m, middle[2])
    return (
        Part(f"{name}_frame", parts.moved(parts.join(back, *rails), *place), frame),
        Part(f"{name}_fill", bar, fill, carries=True),
    )


def bar_gauge_channels(name: str, share: float, place: Place = ORIGIN, *, along: str = "z") -> Channels:
    """Bar filled to a share in [0, 1]."""
    share = max(share, 1e-4)
    factor = at(1.0, 1.0, share) if along == "z" else at(share, 1.0, 1.0)
    return {f"{name}_fill": (Scale(factor), Move(at(*place)))}


# ---- straight scales and protractors
def scale_marks(
    name: str, length_m: float, num_steps: int, place: Place = ORIGIN, *, along: str = "z", every: int = 5,
    mark_m: float = 0.02, thick_m: float = 0.002, material: Material = INK,
) -> Part:  # fmt: skip
    """Ruler marks only, facing the front: num_steps + 1 of them from `place` up ("z") or to the right ("x").

    Every `every`-th is longer; marks reach `mark_m` to the right of, or down from, the line through `place`.
    """
    marks = []
    for k in range(num_steps + 1):
        long = mark_m * (1.0 if k % every == 0 else 0.6)
        where = length_m * k / num_steps
        if along == "z":
            marks.append(parts.moved(parts.box((long, thick_m, thick_m)), long / 2, 0, where))
        else:
            marks.append(parts.moved(parts.box((thick_m, thick_m, long)), where, 0, -long / 2))
    return Part(name, parts.moved(parts.join(*marks), *place), material)


def floor_marks(
    name: str, length_m: float, num_steps: int, place: Place = ORIGIN, *, every: int = 5, mark_m: float = 0.05,
    thick_m: float = 0.004, material: Material = INK,
) -> Part:  # fmt: skip
    """Marks painted on the ground along +x from `place`, reaching `mark_m` towards the viewer (-y)."""
    marks = [
        parts.block((thick_m * (1.6 if k % every == 0 else 1.0), mark_m * (1.0 if k % every == 0 else 0.6), 6e-4),
                    (length_m * k / num_steps, -mark_m * (0.5 if k % every == 0 else 0.3), 0.0))
        for k in range(num_steps + 1)
    ]  # fmt: skip
    return Part(name, parts.moved(parts.join(*marks), *place), material)


def banded_staff(
    name: str, height_m: float, num_bands: int, place: Place = ORIGIN, *, width_m: float = 0.03,
    colours: tuple[Material, Material] = (BOARD, RED_INK),
) -> tuple[Part, ...]:  # fmt: skip
    """Upright staff in two colours: `{name}_light` and `{name}_dark`, equal bands (gauge board, depth pole)."""
    band = height_m / num_bands
    pieces = [parts.block((width_m, 0.3 * width_m, band), (0, 0, k * band)) for k in range(num_bands)]
    return tuple(
        Part(f"{name}_{label}", parts.moved(parts.join(*pieces[first::2]), *place), material)
        for label, first, material in (("light", 0, colours[0]), ("dark", 1, colours[1]))
        if pieces[first::2]
    )


def protractor(
    name: str, radius_m: float, pivot: Place = ORIGIN, *, from_rad: float = -0.6, to_rad: float = 0.6,
    num_steps: int = 12, every: int = 2, downwards: bool = True, material: Material = INK,
) -> Part:  # fmt: skip
    """Arc with marks outwards about a pivot, facing the front; angles from straight down (or up), right positive."""
    sign = -1.0 if downwards else 1.0
    angle = np.linspace(from_rad, to_rad, 33)
    direction = np.column_stack([np.sin(angle), sign * np.cos(angle)])
    band = np.vstack([1.012 * radius_m * direction, 0.988 * radius_m * direction[::-1]])
    pieces = [parts.moved(extruded(band, 0.004 * radius_m), y_m=-0.004 * radius_m)]
    for k, a in enumerate(np.linspace(from_rad, to_rad, num_steps + 1)):
        long, width = (0.16, 0.024) if k % every == 0 else (0.09, 0.014)
        mark = parts.box((width * radius_m, 0.004 * radius_m, long * radius_m))
        parts.moved(mark, 0, -0.002 * radius_m, sign * (1 + long / 2) * radius_m)
        pieces.append(turned(mark, (0.0, 1.0, 0.0), sign * float(a)))
    return Part(name, parts.moved(parts.join(*pieces), *pivot), material)
