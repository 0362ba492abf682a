"""Tree, conifer, grass, mushroom, apple, banana."""

from __future__ import annotations

import numpy as np
import trimesh

from event_library.figures.plants import leaf_mesh
from event_library.figures.rig import (
    SMOOTH_DEG,
    Array,
    Channels,
    Point,
    curve,
    ellipsoid,
    frame,
    lathe_along,
    matter,
    placed,
    shaped,
    shifted,
    sized,
    sweep,
    sweep_mesh,
    turned,
)
from event_library.kit.faces import repeated
from event_library.parts import Part, Rgb, join

BARK: Rgb = (0.20, 0.095, 0.035)
GOLDEN = 2.39996


def _part(name: str, suffix: str, mesh: trimesh.Trimesh, rgb: Rgb, carries: bool, roughness: float = 0.6) -> Part:
    return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, SMOOTH_DEG)


# ---- trees
TREE_CLUMPS = ((0.0, 0.0, 0.74, 0.25), (0.17, 0.06, 0.62, 0.19), (-0.17, 0.03, 0.64, 0.19), (0.02, -0.17, 0.62, 0.19),
               (-0.02, 0.17, 0.60, 0.18))  # fmt: skip


def tree(
    name: str,
    height_m: float,
    crown_rgb: Rgb = (0.06, 0.33, 0.05),
    num_fruit: int = 0,
    fruit_rgb: Rgb = (0.80, 0.02, 0.02),
    carries: bool = False,
) -> tuple[Part, ...]:
    """Broad tree. Parts {name}_trunk, {name}_crown and, with num_fruit, {name}_fruit; crown 0.7 heights wide."""
    h = height_m
    trunk = lathe_along(
        [(0, 0), (0.075 * h, 0), (0.050 * h, 0.06 * h), (0.040 * h, 0.30 * h), (0.045 * h, 0.48 * h), (0, 0.5 * h)],
        "z",
        14,
    )
    boughs = [sweep_mesh(np.array([(0, 0, 0.30), (0.6 * x, 0.6 * y, z - 0.08)]) * h, [0.030 * h, 0.016 * h], 8)
              for x, y, z, _ in TREE_CLUMPS[1:]]  # fmt: skip
    crown = join(*(ellipsoid(np.array([x, y, z]) * h, np.array([r, r, 0.92 * r]) * h) for x, y, z, r in TREE_CLUMPS))
    made = [
        _part(name, "trunk", join(trunk, *boughs), BARK, carries, 0.9),
        _part(name, "crown", crown, crown_rgb, carries, 0.9),
    ]
    if num_fruit:
        balls = [ellipsoid(p, np.full(3, 0.034 * h), 1) for p in tree_fruit_m(height_m, num_fruit)]
        made.append(_part(name, "fruit", join(*balls), fruit_rgb, carries, 0.3))
    return tuple(made)


def tree_fruit_m(height_m: float, num_fruit: int) -> Array:
    """[N, 3] places of fruit on the crown of a `tree`, spread evenly over its sides."""
    made = []
    for k in range(num_fruit):
        x, y, z, r = TREE_CLUMPS[k % len(TREE_CLUMPS)]
        turn, low = GOLDEN * k + np.arctan2(y, x), -0.25 + 0.5 * ((k * 0.618) % 1.0)
        out = np.array([np.cos(turn) * np.cos(low), np.sin(turn) * np.cos(low), 0.92 * np.sin(low)])
        made.append(np.array([x, y, z]) + 1.02 * r * out)
    return np.array(made) * height_m


def tree_channels(
    name: str,
    height_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    *,
    sway_rad: float = 0.0,
    crown: float = 1.0,
    fruit: bool = False,
) -> Channels:
    """Channels of a `tree` or `conifer`: swayed as a whole towards the heading, its crown scaled about 0.45 heights."""
    base = frame(at_m, heading_rad) @ turned((0, 1, 0), sway_rad)
    made: Channels = {
        f"{name}_trunk": placed(base),
        f"{name}_crown": sized(base @ shifted(0, 0, 0.45 * height_m * (1 - crown)), crown),
    }
    if fruit:
        made[f"{name}_fruit"] = made[f"{name}_crown"]
    return made


def conifer(name: str, height_m: float, rgb: Rgb = (0.02, 0.20, 0.07), carries: bool = False) -> tuple[Part, ...]:
    """Fir of three tiers. Parts {name}_trunk, {name}_crown; move with `tree_channels`."""
    h = height_m
    trunk = lathe_along([(0, 0), (0.055 * h, 0), (0.045 * h, 0.25 * h), (0, 0.25 * h)], "z", 12)
    tiers = [
        lathe_along(
            [(0, (low + 0.03) * h), (r * h, low * h), (0.30 * r * h, (low + 0.24) * h), (0, (low + 0.34) * h)], "z", 16
        )
        for low, r in ((0.16, 0.27), (0.38, 0.21), (0.60, 0.15))
    ]
    top = lathe_along([(0.05 * h, 0.82 * h), (0.02 * h, 0.94 * h), (0, h)], "z", 12)
    return (_part(name, "trunk", trunk, BARK, carries, 0.9), _part(name, "crown", join(*tiers, top), rgb, carries, 0.9))


# ---- small growth
def grass(
    name: str, height_m: float, rgb: Rgb = (0.10, 0.42, 0.04), num_blades: int = 14, carries: bool = False
) -> tuple[Part, ...]:
    """A tuft. Part {name}_grass."""
    one = sweep_mesh(np.linspace((0, 0, 0), (0, 0, 1), 5), np.full(5, 0.1), 6, 1)
    faces = repeated(one.faces, len(one.vertices), num_blades)
    tuft = trimesh.Trimesh(_blades(height_m, num_blades, 1.0, 0.0), faces, process=False)
    return (_part(name, "grass", tuft, rgb, carries, 0.7),)


def _blades(h: float, num: int, growth: float, sway_rad: float) -> Array:
    """Vertices of all blades, cut off at the ground."""
    girth = np.array([0.028, 0.030, 0.026, 0.018, 0.004]) * h * (0.4 + 0.6 * growth)
    blades = []
    for k in range(num):
        turn, away = GOLDEN * k, 0.16 * np.sqrt((k + 0.5) / num)
        out = np.array([np.cos(turn), np.sin(turn), 0])
        tall = (1.0 - 1.4 * away) * growth * (0.85 + 0.15 * ((k * 0.618) % 1.0))
        tip = out * (away + (0.10 + 1.5 * away) * tall) + np.array([np.sin(sway_rad) * tall, 0, tall])
        line = curve([out * away, out * away + np.array([0, 0, 0.6 * tall]), tip], 5)
        blades.append(sweep(line * h, girth, 6, 1, 0.5))
    vertices = np.vstack(blades)
    vertices[:, 2] = np.maximum(vertices[:, 2], 0.0)
    return vertices


def grass_channels(
    name: str,
    height_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    growth: float = 1.0,
    *,
    sway_rad: float = 0.0,
    num_blades: int = 14,
) -> Channels:
    """Channels of `grass`: growth share of its height, blades bent towards the heading."""
    blades = _blades(height_m, num_blades, max(growth, 0.02), sway_rad)
    return {f"{name}_grass": shaped(frame(at_m, heading_rad), blades)}


def mushroom(
    name: str, height_m: float, cap_rgb: Rgb = (0.75, 0.02, 0.015), dots: bool = True, carries: bool = True
) -> tuple[Part, ...]:
    """Toadstool. Parts {name}_stalk, {name}_cap and, with dots, {name}_dots; cap 0.9 heights wide."""
    h = height_m
    stalk = lathe_along(
        [(0, 0), (0.15 * h, 0), (0.17 * h, 0.05 * h), (0.11 * h, 0.30 * h), (0.12 * h, 0.62 * h), (0, 0.66 * h)],
        "z",
        18,
    )
    cap = lathe_along(
        [
            (0, 0.56 * h),
            (0.30 * h, 0.53 * h),
            (0.43 * h, 0.50 * h),
            (0.46 * h, 0.55 * h),
            (0.41 * h, 0.72 * h),
            (0.28 * h, 0.90 * h),
            (0.13 * h, 0.985 * h),
            (0, h),
        ],
        "z",
        26,
    )
    made = [
        _part(name, "stalk", stalk, (0.82, 0.76, 0.64), carries, 0.8),
        _part(name, "cap", cap, cap_rgb, carries, 0.4),
    ]
    if dots:
        spots = []
        for k, (turn, r, z, tilt) in enumerate(
            [(GOLDEN * k, *((0.41, 0.72, 1.05) if k % 2 else (0.29, 0.89, 0.72))) for k in range(8)]
            + [(0.0, 0.0, 0.995, 0.0)]
        ):
            spot = ellipsoid((0, 0, 0), np.array([0.062, 0.062, 0.018]) * h * (1.0 if k % 2 else 0.85), 1)
            spot.apply_transform(turned((0, 0, 1), turn) @ shifted(r * h, 0, z * h) @ turned((0, 1, 0), tilt))
            spots.append(spot)
        made.append(_part(name, "dots", join(*spots), (0.85, 0.82, 0.76), carries, 0.6))
    return tuple(made)


def mushroom_channels(
    name: str, height_m: float, at_m: Point, heading_rad: float = 0.0, growth: float = 1.0, *, dots: bool = True
) -> Channels:
    """Channels of a `mushroom`: growth share of its size; the cap spreads as it grows."""
    base = frame(at_m, heading_rad)
    g = max(growth, 0.03)
    cap = sized(base, (g * (0.45 + 0.55 * g), g * (0.45 + 0.55 * g), g))
    made: Channels = {f"{name}_stalk": sized(base, (g**0.8, g**0.8, g)), f"{name}_cap": cap}
    return {**made, f"{name}_dots": cap} if dots else made


def apple(name: str, radius_m: float, rgb: Rgb = (0.75, 0.02, 0.02), carries: bool = True) -> tuple[Part, ...]:
    """About its middle. Parts {name}_apple, {name}_stalk (with a leaf)."""
    r = radius_m
    angle = np.linspace(-np.pi / 2, np.pi / 2, 19)
    dent = 0.28 * np.exp(-((np.pi / 2 - angle) ** 2) / 0.12) - 0.16 * np.exp(-((np.pi / 2 + angle) ** 2) / 0.08)
    profile = np.column_stack([np.cos(angle) * (1 + 0.10 * np.sin(angle)), 0.95 * np.sin(angle) - dent]) * r
    profile[[0, -1], 0] = 0.0
    stalk = sweep_mesh(
        curve([(0, 0, 0.62), (0.0, 0, 0.95), (0.14, 0, 1.25)], 5) * r, np.linspace(0.06, 0.075, 5) * r, 7, 1
    )
    leaf = leaf_mesh(0.62 * r, 0.34 * r).apply_transform(
        shifted(0.03 * r, 0, 0.95 * r) @ turned((0, 0, 1), 2.2) @ turned((0, -1, 0), 0.35)
    )
    fruit = lathe_along([(float(a), float(b)) for a, b in profile], "z", 24)
    return (
        Part(f"{name}_apple", fruit, matter(rgb, 0.25), carries, 60.0),
        _part(name, "stalk", join(stalk, leaf), (0.14, 0.22, 0.03), carries),
    )


def banana(name: str, length_m: float, rgb: Rgb = (0.92, 0.66, 0.03), carries: bool = True) -> tuple[Part, ...]:
    """Lying on its back, tips up, about its middle on the ground. Parts {name}_banana, {name}_tips."""
    m = length_m
    angle = np.linspace(-0.95, 0.95, 15)
    line = np.column_stack([0.60 * np.sin(angle), np.zeros(15), 0.60 * (1 - np.cos(angle)) + 0.105]) * m
    girth = np.interp(np.abs(angle), [0, 0.5, 0.8, 0.95], [0.105, 0.098, 0.065, 0.032]) * m
    ends = [
        sweep_mesh(np.array([line[0], line[0] + 0.8 * (line[0] - line[1])]), [0.034 * m, 0.026 * m], 8, 1),
        sweep_mesh(np.array([line[-1], line[-1] + 1.4 * (line[-1] - line[-2])]), [0.034 * m, 0.030 * m], 8, 1),
    ]
    return (
        Part(f"{name}_banana", sweep_mesh(line, girth, 12, 1), matter(rgb, 0.45), carries, 60.0),
        _part(name, "tips", join(*ends), (0.10, 0.06, 0.02), carries),
    )


def fruit_channels(
    name: str,
    parts: tuple[Part, ...],
    at_m: Point,
    heading_rad: float = 0.0,
    pitch_rad: float = 0.0,
    roll_rad: float = 0.0,
) -> Channels:
    """Channels of an `apple` or `banana`, or of any rigid group of parts, at a place of the event's frame."""
    at = placed(frame(at_m, heading_rad, pitch_rad, roll_rad))
    return {part.name: at for part in parts if part.name.startswith(name)}
