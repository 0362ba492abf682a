"""Ant, beetle (ladybird), bee, caterpillar, snail. Lengths are those of the body along x."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import trimesh

from event_library.figures.rig import (
    SMOOTH_DEG,
    Array,
    Channels,
    Point,
    curve,
    ellipsoid,
    foot_path,
    frame,
    lathe_along,
    leaf_outline,
    limb_line,
    limb_radii,
    matter,
    middle_joint_m,
    moved_by,
    placed,
    shaped,
    shifted,
    slab,
    sweep,
    sweep_mesh,
    turned,
)
from event_library.kit.faces import grid_faces
from event_library.parts import Material, Part, Rgb, join

BLACK: Rgb = (0.012, 0.010, 0.010)
TRIPOD = (
    0.0,
    0.5,
    0.5,
    0.0,
    0.0,
    0.5,
)  # touch-down of left fore, right fore, left mid, right mid, left hind, right hind
TRIPOD_DUTY = 0.55
INSECT_STRIDE = 0.42


def _part(name: str, suffix: str, mesh: trimesh.Trimesh, rgb: Rgb, carries: bool, roughness: float = 0.35) -> Part:
    return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, SMOOTH_DEG)


def insect_stride_m(length_m: float) -> float:
    """Way per stride of ant and beetle: `stride_phase` is the travelled way over this."""
    return INSECT_STRIDE * length_m


def _six_legs(m: float, roots: Array, feet: Array, phase: float | None, thick: float) -> Array:
    """Vertices of six legs, [6 * 90, 3], walking in tripods. roots, feet: [3, 3] of the left side, in lengths."""
    made = []
    for index, start in enumerate(TRIPOD):
        mirror = np.array([1.0, 1.0 if index % 2 == 0 else -1.0, 1.0])
        root, foot = roots[index // 2] * mirror * m, feet[index // 2] * mirror * m
        if phase is not None:
            dx, dz, _ = foot_path(phase - start, INSECT_STRIDE * m, 0.08 * m, TRIPOD_DUTY)
            foot = foot + np.array([dx, 0, dz])
        reach = float(np.linalg.norm((feet[index // 2] - roots[index // 2]) * m))
        knee = middle_joint_m(root, foot, 0.56 * reach, 0.72 * reach, (0, 0.25 * mirror[1], 1.0))
        made.append(sweep(limb_line(root, knee, foot), limb_radii(thick, 0.85 * thick, 0.55 * thick) * m, 7, 1))
    return np.vstack(made)


def _six_leg_mesh(m: float, roots: Array, feet: Array, thick: float) -> trimesh.Trimesh:
    line = np.linspace((0, 0, 0), (0, 0, -m), 7)
    one = sweep_mesh(line, limb_radii(thick, 0.85 * thick, 0.55 * thick) * m, 7, 1)
    mesh = join(*(one.copy() for _ in range(6)))
    return trimesh.Trimesh(_six_legs(m, roots, feet, None, thick), mesh.faces, process=False)


# ---- ant
ANT_ROOTS = np.array([(0.12, 0.06, 0.19), (0.03, 0.07, 0.18), (-0.06, 0.06, 0.19)])
ANT_FEET = np.array([(0.34, 0.34, 0.017), (0.04, 0.42, 0.017), (-0.30, 0.38, 0.017)])


def ant(name: str, length_m: float, rgb: Rgb = (0.30, 0.045, 0.012), carries: bool = True) -> tuple[Part, ...]:
    """Parts {name}_abdomen, _body (thorax, head, feelers, jaws), _eyes, _legs."""
    m = length_m
    abdomen = ellipsoid((-0.30 * m, 0, 0.23 * m), (0.21 * m, 0.15 * m, 0.145 * m), 2, -0.12)
    waist = ellipsoid((-0.085 * m, 0, 0.20 * m), (0.05 * m, 0.045 * m, 0.05 * m), 1)
    thorax = ellipsoid((0.05 * m, 0, 0.215 * m), (0.13 * m, 0.085 * m, 0.085 * m), 2, 0.1)
    head = ellipsoid((0.27 * m, 0, 0.245 * m), (0.125 * m, 0.125 * m, 0.105 * m), 2)
    feelers, jaws = [], []
    for side in (-1, 1):
        line = np.array([(0.34, 0.05 * side, 0.30), (0.40, 0.12 * side, 0.44), (0.44, 0.14 * side, 0.45),
                         (0.56, 0.19 * side, 0.36)]) * m  # fmt: skip
        feelers.append(sweep_mesh(line, np.full(4, 0.017 * m), 7, 1))
        jaw = curve([(0.36, 0.06 * side, 0.20), (0.44, 0.10 * side, 0.19), (0.47, 0.01 * side, 0.18)], 5) * m
        jaws.append(sweep_mesh(jaw, np.linspace(0.026, 0.010, 5) * m, 7, 1))
    eyes = [ellipsoid((0.315 * m, s * 0.090 * m, 0.275 * m), (0.038 * m, 0.030 * m, 0.042 * m), 1) for s in (-1, 1)]
    return (
        _part(name, "abdomen", abdomen, (0.35 * rgb[0], 0.35 * rgb[1], 0.35 * rgb[2]), carries, 0.25),
        _part(name, "body", join(waist, thorax, head, *feelers, *jaws), rgb, carries),
        _part(name, "eyes", join(*eyes), BLACK, carries, 0.15),
        _part(name, "legs", _six_leg_mesh(m, ANT_ROOTS, ANT_FEET, 0.026), rgb, carries),
    )


def ant_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    stride_phase: float | None = None,
    *,
    pitch_rad: float = 0.0,
) -> Channels:
    """Channels of an `ant` (stride_phase: way / insect_stride_m; None stands still); at_m is the ground below it."""
    base = frame(at_m, heading_rad, pitch_rad)
    legs = _six_legs(length_m, ANT_ROOTS, ANT_FEET, stride_phase, 0.026)
    return {
        **{f"{name}_{suffix}": placed(base) for suffix in ("abdomen", "body", "eyes")},
        f"{name}_legs": shaped(base, legs),
    }


def ant_load_m(length_m: float, at_m: Point, heading_rad: float = 0.0, pitch_rad: float = 0.0) -> Array:
    """[3] place between the jaws, where an ant holds what it carries."""
    return moved_by(frame(at_m, heading_rad, pitch_rad), np.array([0.50, 0, 0.20]) * length_m)


# ---- beetle
BEETLE_ROOTS = np.array([(0.20, 0.22, 0.12), (0.0, 0.28, 0.12), (-0.20, 0.24, 0.12)])
BEETLE_FEET = np.array([(0.36, 0.48, 0.020), (0.0, 0.56, 0.020), (-0.34, 0.50, 0.020)])


def beetle(name: str, length_m: float, shell_rgb: Rgb = (0.80, 0.02, 0.015), carries: bool = True) -> tuple[Part, ...]:
    """A ladybird. Parts {name}_body, _eyes, _left_shell, _right_shell, _left_spots, _right_spots, _legs."""
    m = length_m
    belly = ellipsoid((-0.03 * m, 0, 0.20 * m), (0.42 * m, 0.33 * m, 0.12 * m))
    collar = ellipsoid((0.30 * m, 0, 0.24 * m), (0.14 * m, 0.24 * m, 0.15 * m))
    head = ellipsoid((0.42 * m, 0, 0.20 * m), (0.11 * m, 0.15 * m, 0.11 * m), 1)
    feelers = [
        sweep_mesh(curve([(0.48, 0.06 * s, 0.26), (0.58, 0.10 * s, 0.36), (0.64, 0.16 * s, 0.34)], 5) * m,
                   np.full(5, 0.018 * m), 7, 1) for s in (-1, 1)
    ]  # fmt: skip
    eyes = [ellipsoid((0.40 * m, s * 0.15 * m, 0.29 * m), (0.055 * m, 0.05 * m, 0.06 * m), 1) for s in (-1, 1)]
    shells, spots = {}, {}
    for side, sign in (("left", 1), ("right", -1)):
        shells[side], spots[side] = _wing_case(m, sign)
    return (
        _part(name, "body", join(belly, collar, head, *feelers), BLACK, carries),
        _part(name, "eyes", join(*eyes), (0.8, 0.78, 0.7), carries),
        *(_part(name, f"{side}_shell", shells[side], shell_rgb, carries, 0.2) for side in shells),
        *(_part(name, f"{side}_spots", spots[side], BLACK, carries, 0.25) for side in spots),
        _part(name, "legs", _six_leg_mesh(m, BEETLE_ROOTS, BEETLE_FEET, 0.034), BLACK, carries),
    )


HINGE = np.array([0.24, 0.0, 0.30])  # of the wing cases, in lengths


def _wing_case(m: float, sign: int) -> tuple[trimesh.Trimesh, trimesh.Trimesh]:
    """One half of the domed shell and its spots, about the hinge."""
    half = np.array([0.46, 0.38, 0.36])
    centre = np.array([-0.10, 0, 0.17])
    u, w = np.meshgrid(np.linspace(0.02, np.pi - 0.02, 19), np.linspace(-0.12, np.pi / 2, 12))
    seam = sign * np.maximum(np.sin(u) * np.cos(w), 0.02)
    grid = np.stack([np.cos(u) * np.cos(w), seam, np.sin(w)], axis=-1).reshape(-1, 3) * half
    faces = grid_faces(12, 19)
    dome = trimesh.Trimesh((grid + centre - HINGE) * m, faces if sign < 0 else faces[:, ::-1], process=False)
    dots = []
    for longitude, latitude, size in ((0.75, 0.55, 0.085), (1.75, 0.75, 0.095), (2.45, 0.35, 0.08)):
        out = np.array(
            [np.cos(longitude) * np.cos(latitude), sign * np.sin(longitude) * np.cos(latitude), np.sin(latitude)]
        )
        normal = out / half
        normal /= np.linalg.norm(normal)
        spot = ellipsoid((0, 0, 0), np.array([size, size, 0.022]) * m, 2)
        spot.apply_transform(trimesh.geometry.align_vectors([0, 0, 1], normal))
        dots.append(spot.apply_translation((out * half + centre - HINGE) * m))
    return dome, join(*dots)


def beetle_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    stride_phase: float | None = None,
    *,
    wing_open_rad: float = 0.0,
    pitch_rad: float = 0.0,
) -> Channels:
    """Channels of a `beetle`; wing_open_rad spreads and lifts the two halves of the shell (0 to about 1)."""
    base, m = frame(at_m, heading_rad, pitch_rad), length_m
    channels: Channels = {f"{name}_{suffix}": placed(base) for suffix in ("body", "eyes")}
    for side, sign in (("left", 1), ("right", -1)):
        turn = turned((0, 0, 1), -sign * wing_open_rad) @ turned((0, 1, 0), 0.6 * wing_open_rad)
        channels[f"{name}_{side}_shell"] = placed(base @ shifted(*(HINGE * m)) @ turn)
        channels[f"{name}_{side}_spots"] = channels[f"{name}_{side}_shell"]
    channels[f"{name}_legs"] = shaped(base, _six_legs(m, BEETLE_ROOTS, BEETLE_FEET, stride_phase, 0.034))
    return channels


# ---- bee
WING_ROOT = np.array([0.08, 0.05, 0.24])


def bee(name: str, length_m: float, rgb: Rgb = (0.95, 0.58, 0.01), carries: bool = True) -> tuple[Part, ...]:
    """Parts {name}_body, _bands (bands, head, feelers, sting), _eyes, _left_wing, _right_wing."""
    m = length_m

    def radius(x: float) -> float:
        return 0.29 * float(np.sqrt(max(0.0, 1 - ((x + 0.05) / 0.42) ** 2)))

    profile = [(radius(x) * m, x * m) for x in np.linspace(-0.47, 0.37, 17)]
    bands = []
    for left, right in ((-0.36, -0.25), (-0.14, -0.02), (0.09, 0.19)):
        xs = np.linspace(left, right, 5)
        ring = [
            (radius(left) * m, left * m),
            *(((radius(x) + 0.010) * m, x * m) for x in xs),
            (radius(right) * m, right * m),
        ]
        bands.append(lathe_along(ring, "x", 20))
    head = ellipsoid((0.38 * m, 0, 0.02 * m), (0.15 * m, 0.19 * m, 0.18 * m))
    sting = sweep_mesh(np.array([(-0.44, 0, 0), (-0.60, 0, -0.02)]) * m, [0.05 * m, 0.005 * m], 8, 0)
    feelers = [
        sweep_mesh(curve([(0.44, 0.07 * s, 0.15), (0.50, 0.10 * s, 0.30), (0.62, 0.16 * s, 0.34)], 5) * m,
                   np.full(5, 0.020 * m), 7, 1) for s in (-1, 1)
    ]  # fmt: skip
    eyes = [ellipsoid((0.455 * m, s * 0.105 * m, 0.06 * m), (0.06 * m, 0.065 * m, 0.085 * m), 1) for s in (-1, 1)]
    wing = slab(leaf_outline(0.52 * m, 0.34 * m, 16, 0.8), 0.014 * m)
    wing.apply_transform(turned((0, 0, 1), np.pi / 2 + 0.45))
    right_wing = wing.copy()
    right_wing.apply_transform(np.diag([1.0, -1.0, 1.0, 1.0]))
    right_wing.invert()
    film = Material(rgb=(0.72, 0.80, 0.88), roughness=0.2)
    return (
        _part(name, "body", lathe_along(profile, "x", 20), rgb, carries, 0.6),
        _part(name, "bands", join(*bands, head, sting, *feelers), BLACK, carries, 0.5),
        _part(name, "eyes", join(*eyes), (0.85, 0.85, 0.80), carries, 0.15),
        Part(f"{name}_left_wing", wing, film, carries, 30.0),
        Part(f"{name}_right_wing", right_wing, film, carries, 30.0),
    )


def bee_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    wing_phase: float = 0.25,
    *,
    pitch_rad: float = 0.0,
    roll_rad: float = 0.0,
) -> Channels:
    """Channels of a `bee`; at_m is the middle of its body in the air, wing_phase counts wing beats (.25: wings up)."""
    base = frame(at_m, heading_rad, pitch_rad, roll_rad)
    angle = 0.35 + 0.65 * float(np.sin(2 * np.pi * wing_phase))
    channels: Channels = {f"{name}_{suffix}": placed(base) for suffix in ("body", "bands", "eyes")}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        root = shifted(*(WING_ROOT * [1, sign, 1] * length_m))
        channels[f"{name}_{side}_wing"] = placed(base @ root @ turned((1, 0, 0), sign * angle))
    return channels


# ---- caterpillar
NUM_SEGMENTS = 8
CATERPILLAR_STRIDE = 0.22
MOVING_SHARE = 0.45


def caterpillar_stride_m(length_m: float) -> float:
    """Way per wave that runs through the body: `stride_phase` is the travelled way over this."""
    return CATERPILLAR_STRIDE * length_m


def _segments_m(m: float, phase: float) -> Array:
    """[8, 3] middles from tail to head in the creeping frame; each stands still on the ground, then hops."""
    radius, made = 0.085 * m, []
    for index in range(NUM_SEGMENTS):
        u = phase - 0.09 * index + 1e-12
        w = (u % 1.0 - (1 - MOVING_SHARE)) / MOVING_SHARE
        share = max(0.0, w)
        stepped = np.floor(u) + share * share * (3 - 2 * share)
        x = (index / (NUM_SEGMENTS - 1) - 0.5) * 0.80 * m + CATERPILLAR_STRIDE * m * (stepped - u + 0.5)
        made.append((x, 0.0, radius + 0.14 * m * float(np.sin(np.pi * share)) ** 2))
    return np.array(made)


def caterpillar(name: str, length_m: float, rgb: Rgb = (0.22, 0.55, 0.03), carries: bool = True) -> tuple[Part, ...]:
    """Parts {name}_light and _dark (segments by turns), _head, _face."""
    m = length_m
    middles = _segments_m(m, 0.0)
    ball = ellipsoid((0, 0, 0), np.array([0.082, 0.085, 0.085]) * m)
    light = join(*(ball.copy().apply_translation(p) for p in middles[1:-1:2]))
    dark = join(*(ball.copy().apply_translation(p) for p in middles[:-1:2]))
    head = ellipsoid((0, 0, 0), np.array([0.10, 0.105, 0.105]) * m)
    feelers = [sweep_mesh(curve([(0, 0.04 * s, 0.09), (0.02, 0.06 * s, 0.16), (0.05, 0.09 * s, 0.19)], 4) * m,
                          np.array([0.012, 0.012, 0.014, 0.022]) * m, 7, 1) for s in (-1, 1)]  # fmt: skip
    eyes = [ellipsoid((0.083 * m, s * 0.042 * m, 0.030 * m), np.array([0.018, 0.022, 0.03]) * m, 1) for s in (-1, 1)]
    return (
        _part(name, "light", light, rgb, carries, 0.5),
        _part(name, "dark", dark, (0.35 * rgb[0], 0.45 * rgb[1], 0.4 * rgb[2]), carries, 0.5),
        _part(name, "head", join(head, *feelers), (0.80, 0.10, 0.02), carries, 0.5),
        _part(name, "face", join(*eyes), BLACK, carries, 0.2),
    )


def caterpillar_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    stride_phase: float | None = None,
    *,
    pitch_rad: float = 0.0,
) -> Channels:
    """Channels of a `caterpillar`: a hump runs from tail to head (stride_phase: way / caterpillar_stride_m)."""
    base, m = frame(at_m, heading_rad, pitch_rad), length_m
    middles = _segments_m(m, stride_phase or 0.0)
    ball = np.asarray(ellipsoid((0, 0, 0), np.array([0.082, 0.085, 0.085]) * m).vertices)
    head = placed(base @ shifted(*(middles[-1] + [0.02 * m, 0, 0.045 * m])))
    return {
        f"{name}_light": shaped(base, np.vstack([ball + p for p in middles[1:-1:2]])),
        f"{name}_dark": shaped(base, np.vstack([ball + p for p in middles[:-1:2]])),
        f"{name}_head": head,
        f"{name}_face": head,
    }


# ---- snail
def snail(
    name: str,
    length_m: float,
    shell_rgb: Rgb = (0.50, 0.22, 0.06),
    body_rgb: Rgb = (0.72, 0.52, 0.22),
    carries: bool = True,
) -> tuple[Part, ...]:
    """Parts {name}_body (foot, head, stalks), _eyes, _shell; length of the stretched foot."""
    m = length_m
    body, eyes = _snail_body(m)
    turns = np.linspace(0, 2.6 * 2 * np.pi, 40)
    growth = np.exp(-0.155 * turns)
    away, tube = 0.205 * growth, 0.118 * growth + 0.004
    line = np.column_stack([away * np.cos(turns - 0.9), -0.085 * (1 - growth), -away * np.sin(turns - 0.9)]) * m
    shell = sweep_mesh(line, tube * m, 12, 1)
    shell.apply_translation((-0.10 * m, 0.04 * m, 0.36 * m))
    return (
        _part(name, "body", body.copy(), body_rgb, carries, 0.35),
        _part(name, "eyes", eyes.copy(), BLACK, carries, 0.2),
        _part(name, "shell", shell, shell_rgb, carries, 0.3),
    )


@lru_cache(maxsize=16)
def _snail_body(m: float) -> tuple[trimesh.Trimesh, trimesh.Trimesh]:
    line = np.array([(-0.50, 0, 0.030), (-0.35, 0, 0.050), (-0.15, 0, 0.072), (0.08, 0, 0.085), (0.24, 0, 0.095),
                     (0.34, 0, 0.150), (0.40, 0, 0.215)]) * m  # fmt: skip
    foot = sweep_mesh(line, np.array([0.025, 0.06, 0.085, 0.09, 0.088, 0.080, 0.074]) * m, 12, 2)
    foot.vertices[:, 2] = np.maximum(foot.vertices[:, 2], 0.0)
    stalks, eyes = [], []
    for side in (-1, 1):
        tip = np.array([0.52, 0.085 * side, 0.40])
        stalks.append(sweep_mesh(np.array([(0.41, 0.035 * side, 0.25), tip]) * m, [0.024 * m, 0.016 * m], 8, 1))
        stalks.append(sweep_mesh(np.array([(0.45, 0.03 * side, 0.19), (0.52, 0.05 * side, 0.16)]) * m,
                                 [0.018 * m, 0.012 * m], 6, 1))  # fmt: skip
        eyes.append(ellipsoid(tip * m, np.full(3, 0.032 * m), 1))
    return join(foot, *stalks), join(*eyes)


def snail_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    stride_phase: float | None = None,
    *,
    hidden_share: float = 0.0,
    pitch_rad: float = 0.0,
) -> Channels:
    """Channels of a `snail`: the foot stretches and shortens once per stride; hidden_share 1: drawn into the shell."""
    base, m = frame(at_m, heading_rad, pitch_rad), length_m
    pulse = 0.0 if stride_phase is None else 0.06 * float(np.sin(2 * np.pi * stride_phase))
    keep = 1.0 - 0.75 * hidden_share
    own = np.array([keep * (1 + pulse), 1.0, 1.0 - 0.45 * hidden_share])
    body, eyes = (np.asarray(mesh.vertices) * own for mesh in _snail_body(m))
    sunk = -0.11 * m * hidden_share
    return {
        f"{name}_body": shaped(base, body),
        f"{name}_eyes": shaped(base, eyes),
        f"{name}_shell": placed(base @ shifted(0.5 * pulse * m, 0, max(sunk, -0.035 * m))),
    }
