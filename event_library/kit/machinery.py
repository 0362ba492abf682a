"""Moving machine elements: gears, pulleys, wheels, springs, ropes, pistons, levers. Wheels turn about y, seen from -y.

Wheel angles are clockwise as the viewer sees them. Deforming parts (springs, ropes, belts) keep their vertex count.
"""

from __future__ import annotations

import numpy as np
import trimesh

from event_library import parts
from event_library.channels import Channel, Move, Rotate, Vertices, quaternion_about
from event_library.kit import shapes
from event_library.kit.palette import BRASS, CORD, DARK, IRON, RED_PAINT, STEEL, WHITE_PAINT
from event_library.kit.shapes import ORIGIN, Array, Place, at, circle, extruded_ring, resampled, swept, turned
from event_library.parts import Material, Part

Channels = dict[str, tuple[Channel, ...]]

RING_POINTS = 10  # vertices of a gear's outline per tooth


# ---- turning about y
def wheel_channels(name: str, clockwise_rad: float, place: Place) -> Channels:
    """Any crank, lever or hand built about the origin, turned about y and put at `place`."""
    return {name: (Rotate(quaternion_about((0.0, 1.0, 0.0), clockwise_rad)), Move(at(*place)))}


def marked_wheel_channels(name: str, clockwise_rad: float, place: Place) -> Channels:
    """The same for both Parts of a gear, pulley, spoked wheel or cart wheel with its painted mark."""
    return wheel_channels(name, clockwise_rad, place) | wheel_channels(f"{name}_mark", clockwise_rad, place)


def gear(
    name: str, num_teeth: int, module_m: float, thick_m: float, *, bore_m: float | None = None,
    material: Material = BRASS, marked: Material | None = RED_PAINT,
) -> tuple[Part, ...]:  # fmt: skip
    """Spur gear about the origin (pitch radius num_teeth module_m / 2), a tooth pointing up at angle 0.

    `{name}` and, unless marked is None, `{name}_mark`: a painted tooth and spoke that show the turn
    (`marked_wheel_channels`). Gears with the same module mesh at the sum of their pitch radii (`meshing_rad`).
    """
    bore = 0.16 * num_teeth * module_m / 2 if bore_m is None else bore_m
    outer = _gear_outline(num_teeth, module_m)
    inner = circle(bore, len(outer), np.pi / 2)
    wheel = parts.moved(extruded_ring(outer, inner, thick_m), y_m=-thick_m / 2)
    made = [Part(name, wheel, material, carries=True)]
    if marked is not None:
        low, root, tip = 1.3 * bore, (num_teeth / 2 - 1.2) * module_m, (num_teeth / 2 + 0.95) * module_m
        spoke = parts.box((max(0.14 * root, module_m), 1.06 * thick_m, root - low))
        tooth = parts.box((0.8 * module_m, 1.06 * thick_m, tip - root))
        mark = parts.join(parts.moved(spoke, z_m=(root + low) / 2), parts.moved(tooth, z_m=(tip + root) / 2))
        made.append(Part(f"{name}_mark", mark, marked, carries=True))
    return tuple(made)


def meshing_rad(driver_rad: float, num_driver: int, num_driven: int, direction_rad: float = np.pi / 2) -> float:
    """Clockwise angle of a driven gear that meshes with its driver.

    direction_rad: clockwise angle from 12 o'clock of the direction driver -> driven (pi/2: driven on the right).
    """
    teeth_past = (driver_rad - direction_rad) * num_driver / (2 * np.pi)  # of the driver beyond the line of centres
    return float(direction_rad + np.pi + (0.5 - teeth_past) * 2 * np.pi / num_driven)


def _gear_outline(num_teeth: int, module_m: float) -> Array:
    """[10 num_teeth, 2] counter-clockwise outline in x and z with trapezoidal, slightly rounded teeth; one tooth up."""
    pitch = num_teeth * module_m / 2
    tooth = 2 * np.pi / num_teeth
    share = np.array([-0.5, -0.38, -0.30, -0.22, -0.13, -0.08, 0.08, 0.13, 0.22, 0.30])
    radius = pitch + module_m * np.array([-1.2, -1.2, -0.9, -0.1, 0.85, 1.0, 1.0, 0.85, -0.1, -0.9])
    angle = np.pi / 2 + (np.arange(num_teeth)[:, None] + share) * tooth
    r = np.broadcast_to(radius, angle.shape)
    return np.column_stack([(r * np.cos(angle)).ravel(), (r * np.sin(angle)).ravel()])


def pulley(name: str, radius_m: float, thick_m: float, *, material: Material = STEEL,
           marked: Material | None = RED_PAINT) -> tuple[Part, ...]:  # fmt: skip
    """Grooved wheel about the origin; a rope of small radius runs at `radius_m`. `{name}_mark`: a painted spoke."""
    t, edge = thick_m / 2, 1.15 * radius_m
    profile = np.array([
        (0.12 * radius_m, -t), (edge, -t), (edge, -0.7 * t), (0.97 * radius_m, 0.0), (edge, 0.7 * t), (edge, t),
        (0.12 * radius_m, t), (0.12 * radius_m, -t),
    ])  # fmt: skip
    mesh = turned(parts.lathe(profile, 40), (1.0, 0.0, 0.0), np.pi / 2)
    made = [Part(name, mesh, material, carries=True, smooth_angle_deg=40)]
    if marked is not None:
        spoke = parts.box((0.16 * radius_m, 1.06 * thick_m, 0.8 * radius_m))
        made.append(Part(f"{name}_mark", parts.moved(spoke, z_m=0.6 * radius_m), marked, carries=True))
    return tuple(made)


def spoked_wheel(
    name: str, radius_m: float, thick_m: float, num_spokes: int = 6, *, rim_m: float | None = None,
    material: Material = IRON, marked: Material | None = WHITE_PAINT,
) -> tuple[Part, ...]:  # fmt: skip
    """Rim, hub and spokes about the origin; the spoke at 12 o'clock is a Part of its own, `{name}_mark`."""
    rim = 0.14 * radius_m if rim_m is None else rim_m
    outline = circle(radius_m, 48)
    hub = turned(
        parts.moved(parts.cylinder(0.16 * radius_m, 1.2 * thick_m, 24), z_m=-0.6 * thick_m), (1, 0, 0), np.pi / 2
    )
    pieces = [parts.moved(extruded_ring(outline, outline * (1 - rim / radius_m), thick_m), y_m=-thick_m / 2), hub]
    first = 1 if marked is not None else 0
    pieces += [_spoke(radius_m, rim, thick_m, 2 * np.pi * k / num_spokes) for k in range(first, num_spokes)]
    made = [Part(name, parts.join(*pieces), material, carries=True, smooth_angle_deg=30)]
    if marked is not None:
        made.append(Part(f"{name}_mark", _spoke(radius_m, rim, 1.1 * thick_m, 0.0), marked, carries=True))
    return tuple(made)


def _spoke(radius_m: float, rim_m: float, thick_m: float, clockwise_rad: float) -> trimesh.Trimesh:
    low, high = 0.14 * radius_m, radius_m - 0.5 * rim_m
    bar = parts.moved(parts.box((0.10 * radius_m, 0.7 * thick_m, high - low)), z_m=(low + high) / 2)
    return turned(bar, (0.0, 1.0, 0.0), clockwise_rad)


def cart_wheel(name: str, radius_m: float, thick_m: float) -> tuple[Part, ...]:
    """Tyre `{name}` and a pale bar `{name}_mark` that shows its turn; about the origin, axle along y."""
    tyre = turned(parts.moved(parts.cylinder(radius_m, thick_m, 28), z_m=-thick_m / 2), (1.0, 0.0, 0.0), np.pi / 2)
    bar = parts.box((0.3 * radius_m, 1.06 * thick_m, 1.5 * radius_m))
    return (
        Part(name, tyre, DARK, carries=True, smooth_angle_deg=40),
        Part(f"{name}_mark", bar, WHITE_PAINT, carries=True),
    )


def lever(name: str, length_m: float, width_m: float, *, material: Material = STEEL, knob: bool = True) -> Part:
    """Bar from its pivot at the origin up to length_m, with a hub and a round knob; turn it with `wheel_channels`."""
    bar = parts.moved(parts.box((width_m, 0.6 * width_m, length_m)), z_m=length_m / 2)
    hub = turned(parts.moved(parts.cylinder(1.3 * width_m, width_m, 20), z_m=-width_m / 2), (1.0, 0.0, 0.0), np.pi / 2)
    pieces = [bar, hub] + ([parts.moved(parts.sphere(1.2 * width_m, 2), z_m=length_m)] if knob else [])
    return Part(name, parts.join(*pieces), material, carries=True, smooth_angle_deg=30)


def link(
    name: str, length_m: float, width_m: float, *, thick_m: float | None = None, material: Material = STEEL
) -> Part:
    """Rod with an eye at each end, from the origin up to length_m; `link_channels` lays it between two points."""
    t = 0.4 * width_m if thick_m is None else thick_m
    eye = turned(parts.moved(parts.cylinder(0.8 * width_m, t, 20), z_m=-t / 2), (1.0, 0.0, 0.0), np.pi / 2)
    bar = parts.moved(parts.box((width_m, 0.9 * t, length_m)), z_m=length_m / 2)
    mesh = parts.join(bar, eye, parts.moved(eye.copy(), z_m=length_m))
    return Part(name, mesh, material, carries=True, smooth_angle_deg=30)


def link_channels(name: str, start: Place | Array, end: Place | Array) -> Channels:
    """A link, lever or arrow built from the origin up, with its foot at `start` and pointing at `end` (same y)."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    angle = float(np.arctan2(b[0] - a[0], b[2] - a[2]))
    return {name: (Rotate(quaternion_about((0.0, 1.0, 0.0), angle)), Move(a))}


# ---- springs and ropes
def spring(
    name: str, radius_m: float, num_turns: int = 10, wire_m: float = 0.0015, *, material: Material = STEEL
) -> Part:
    """Helix between two points; `spring_channels` stretches it. 12 points a turn, up to 25 turns in a Part."""
    mesh = _helix((0.0, 0.0, 0.0), (0.0, 0.0, 8.0 * wire_m * num_turns), radius_m, num_turns, wire_m)
    return Part(name, mesh, material, carries=True, smooth_angle_deg=180)


def spring_channels(
    name: str, start: Place | Array, end: Place | Array, radius_m: float, num_turns: int = 10, wire_m: float = 0.0015
) -> Channels:
    """The spring from `start` to `end` with its turns evenly spread and short straight ends on its axis."""
    return {name: (Vertices(np.asarray(_helix(start, end, radius_m, num_turns, wire_m).vertices)),)}


def _helix(start: Place | Array, end: Place | Array, radius_m: float, num_turns: int, wire_m: float) -> trimesh.Trimesh:
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    length = float(np.linalg.norm(b - a))
    axis = (b - a) / max(length, 1e-9)
    side = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    side /= np.linalg.norm(side)
    angle = np.linspace(0.0, 2 * np.pi * num_turns, 12 * num_turns + 1)[:, None]
    rise = 0.06 + 0.88 * angle / angle[-1]
    coil = a + axis * length * rise + radius_m * (np.cos(angle) * side + np.sin(angle) * np.cross(axis, side))
    return swept(np.vstack([a, a + axis * 0.05 * length, coil, b - axis * 0.05 * length, b]), wire_m, 6)


def rope(name: str, radius_m: float, num_points: int = 2, *, material: Material = CORD) -> Part:
    """Rope through num_points points (2: straight between its ends); `rope_channels` lays it."""
    path = np.column_stack([np.zeros(num_points), np.zeros(num_points), np.linspace(0.0, 0.1, num_points)])
    return Part(name, swept(path, radius_m, 8), material, carries=True, smooth_angle_deg=60)


def rope_channels(name: str, points_m: Array, radius_m: float, num_points: int = 2) -> Channels:
    """The rope along a path [P, 3], resampled to the points it was built with."""
    points = np.asarray(points_m, dtype=np.float64)
    path = points if len(points) == num_points else resampled(points, num_points)
    return {name: (Vertices(np.asarray(swept(path, radius_m, 8).vertices)),)}


def catenary_m(start: Place | Array, end: Place | Array, length_m: float, num: int = 17) -> Array:
    """[num, 3] points of a rope hanging between two points: a parabola of exactly this length (straight if taut)."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    u = np.linspace(0.0, 1.0, num)[:, None]
    low, high = 0.0, length_m
    for _ in range(50):
        sag = (low + high) / 2
        path = a + (b - a) * u - at(0.0, 0.0, 4 * sag) * u * (1 - u)
        low, high = (sag, high) if shapes.length_m(path) < length_m else (low, sag)
    return path


def over_pulley_m(left: Place, right: Place, centre: Place, radius_m: float, num_arc: int = 9) -> Array:
    """[num_arc + 2, 3] path of a rope from a weight at `left` up, over the pulley and down to `right` (vertical)."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, num_arc)
    x, y, z = centre
    arc = np.column_stack([x + radius_m * np.sin(angle), np.full(num_arc, y), z + radius_m * np.cos(angle)])
    return np.vstack([[(x - radius_m, y, left[2])], arc, [(x + radius_m, y, right[2])]])


# ---- weights and pistons
def weight(name: str, radius_m: float, height_m: float, *, material: Material = BRASS, place: Place = ORIGIN) -> Part:
    """Cylindrical weight with a hook, hanging from the origin (its eye): the body is below. `place` shifts the mesh."""
    eye = 0.35 * radius_m
    body = parts.moved(parts.ring(1e-4, radius_m, height_m, 0.12 * radius_m, 32), z_m=-height_m - 2 * eye)
    hook = turned(parts.torus(0.7 * eye, 0.25 * eye, 20, 8), (1.0, 0.0, 0.0), np.pi / 2)
    mesh = parts.join(body, parts.moved(hook, z_m=-eye))
    return Part(name, parts.moved(mesh, *place), material, carries=True, smooth_angle_deg=40)


def piston(name: str, radius_m: float, thick_m: float, rod_m: float, *, material: Material = DARK) -> Part:
    """Piston disc on z = 0 with its rod up to rod_m and a T-handle (a syringe's plunger); move it with Move."""
    mesh = parts.join(
        parts.cylinder(radius_m, thick_m, 32), parts.cylinder(0.22 * radius_m, rod_m, 16),
        parts.moved(parts.bevelled_box((1.9 * radius_m, 0.9 * radius_m, 0.25 * radius_m), 0.05 * radius_m), z_m=rod_m),
    )  # fmt: skip
    return Part(name, mesh, material, carries=True, smooth_angle_deg=40)
