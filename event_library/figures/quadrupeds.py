"""Cat, dog, mouse: four legs that walk, trot or gallop without sliding."""

from __future__ import annotations

from dataclasses import dataclass

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
    limb_line,
    limb_radii,
    matter,
    middle_joint_m,
    moved_by,
    placed,
    shaped,
    shifted,
    sweep,
    sweep_mesh,
    turned,
)
from event_library.parts import Part, Rgb, join

BLACK: Rgb = (0.012, 0.010, 0.010)
WHITE: Rgb = (0.80, 0.77, 0.72)
PINK: Rgb = (0.78, 0.30, 0.28)

WALK_STARTS = (0.25, 0.75, 0.0, 0.5)  # touch-down of left fore, right fore, left hind, right hind
GALLOP_STARTS = (0.50, 0.60, 0.0, 0.10)
WALK_DUTY, GALLOP_DUTY = 0.66, 0.36


@dataclass(frozen=True)
class _Build:
    """Shares of the length from nose to rump (tail apart). x is counted from above the middle of the feet."""

    fore_x: float = 0.17
    hind_x: float = -0.26
    half_width: float = 0.075
    root_z: float = 0.30
    foot_z: float = 0.038  # centre of a paw
    upper: float = 0.155
    lower: float = 0.155
    walk_stride: float = 0.36
    gallop_stride: float = 0.95
    head: tuple[float, float, float] = (0.27, 0.0, 0.43)
    radii: tuple[float, float, float] = (0.070, 0.048, 0.036)


CAT = _Build()
DOG = _Build(root_z=0.34, upper=0.18, lower=0.18, head=(0.27, 0.0, 0.49), radii=(0.070, 0.044, 0.034))


def cat_stride_m(length_m: float, running: bool = False) -> float:
    """Way per stride: `stride_phase` is the travelled way over this."""
    return (CAT.gallop_stride if running else CAT.walk_stride) * length_m


dog_stride_m = cat_stride_m


def cat(
    name: str,
    length_m: float,
    coat_rgb: Rgb = (0.85, 0.36, 0.06),
    stripe_rgb: Rgb = (0.42, 0.12, 0.015),
    carries: bool = True,
) -> tuple[Part, ...]:
    """Parts {name}_body, _stripes, _head, _face, _muzzle, _legs, _paws, _tail; length from nose to rump, tail apart."""
    m = length_m

    def part(suffix: str, mesh: object, rgb: Rgb, roughness: float = 0.7) -> Part:
        return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, SMOOTH_DEG)  # type: ignore[arg-type]

    spine = curve([(-0.31, 0, 0.33), (-0.12, 0, 0.36), (0.05, 0, 0.33), (0.20, 0, 0.37)], 9) * m
    girth = np.array([0.105, 0.120, 0.122, 0.120, 0.118, 0.118, 0.115, 0.105, 0.085]) * m
    bands = []
    for at in (2, 4, 6):
        ring = spine[at] + np.array([[-0.016, 0, 0], [0.016, 0, 0]]) * m
        bands.append(sweep_mesh(ring, [girth[at] * 1.03] * 2, 16, 1))
        bands[-1].vertices[:, 2] += 0.004 * m
        bands[-1].vertices[:, 0] = ring[:, 0].mean() + 0.75 * (bands[-1].vertices[:, 0] - ring[:, 0].mean())
    skull = ellipsoid((0, 0, 0), (0.125 * m, 0.140 * m, 0.118 * m))
    ears, inner = [], []
    for side in (-1, 1):
        base, tip = np.array([-0.01, 0.082 * side, 0.075]), np.array([-0.005, 0.120 * side, 0.205])
        ears.append(sweep_mesh(np.array([base, tip]) * m, [0.066 * m, 0.006 * m], 10, 0, 0.55))
        inner.append(sweep_mesh(np.array([base + np.array([0.028, 0, 0.006]), tip + np.array([0.010, 0, -0.028])]) * m,
                                [0.036 * m, 0.004 * m], 8, 0, 0.4))  # fmt: skip
    eyes = [ellipsoid((0.100 * m, s * 0.058 * m, 0.028 * m), (0.026 * m, 0.026 * m, 0.034 * m), 1) for s in (-1, 1)]
    nose = ellipsoid((0.150 * m, 0, -0.018 * m), (0.016 * m, 0.022 * m, 0.014 * m), 1)
    cheeks = [ellipsoid((0.098 * m, s * 0.032 * m, -0.050 * m), (0.050 * m, 0.046 * m, 0.040 * m), 1) for s in (-1, 1)]
    lines = _legs(CAT, m, None, False, np.eye(4), False)
    return (
        part("body", sweep_mesh(spine, girth, 16, 3), coat_rgb),
        part("stripes", join(*bands), stripe_rgb),
        part("head", join(skull, *ears), coat_rgb),
        part("face", join(*eyes, nose), BLACK, 0.2),
        part("muzzle", join(*cheeks, *inner), (0.86, 0.68, 0.60)),
        part("legs", join(*(sweep_mesh(line, _radii(CAT, m), 8) for line in lines)), coat_rgb),
        part("paws", join(*(ellipsoid(p, _paw(m), 1) for p in _paw_middles(CAT, m, lines))), WHITE),
        part("tail", sweep_mesh(_tail(m, 0.0, np.eye(4)), _tail_radii(m), 8), stripe_rgb),
    )


def cat_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    stride_phase: float | None = None,
    *,
    running: bool = False,
    sitting: bool = False,
    head_yaw_rad: float = 0.0,
    head_pitch_rad: float = 0.0,
    tail_phase: float | None = None,
    pitch_rad: float = 0.0,
) -> Channels:
    """Channels of all parts of a `cat` of the same name and length.

    at_m: [3] ground under its middle. stride_phase: strides walked (way / cat_stride_m), None stands still. sitting:
    rump on the ground. tail_phase: wags of the tail (default: it follows the stride). pitch_rad: nose up, for a leap.
    """
    base, build, m = frame(at_m, heading_rad, pitch_rad), CAT, length_m
    body = _trunk(build, m, stride_phase, running, sitting)
    lines = _legs(build, m, stride_phase, running, body, sitting)
    head = _head(build, m, body, head_yaw_rad, head_pitch_rad)
    wag = (stride_phase or 0.0) if tail_phase is None else tail_phase
    legs = np.vstack([sweep(line, _radii(build, m), 8) for line in lines])
    paw = np.asarray(ellipsoid((0, 0, 0), _paw(m), 1).vertices)
    paws = np.vstack([paw + middle for middle in _paw_middles(build, m, lines)])
    return {
        **{f"{name}_{suffix}": placed(base @ body) for suffix in ("body", "stripes")},
        **{f"{name}_{suffix}": placed(base @ head) for suffix in ("head", "face", "muzzle")},
        f"{name}_legs": shaped(base, legs),
        f"{name}_paws": shaped(base, paws),
        f"{name}_tail": shaped(base, sweep(_tail(m, wag, body), _tail_radii(m), 8)),
    }


def dog(
    name: str,
    length_m: float,
    coat_rgb: Rgb = (0.36, 0.17, 0.06),
    patch_rgb: Rgb = (0.82, 0.78, 0.70),
    carries: bool = True,
) -> tuple[Part, ...]:
    """Parts {name}_body, _collar, _head, _face, _muzzle, _legs, _paws, _tail."""
    m = length_m

    def part(suffix: str, mesh: object, rgb: Rgb, roughness: float = 0.7) -> Part:
        return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, SMOOTH_DEG)  # type: ignore[arg-type]

    spine = np.vstack([curve([(-0.30, 0, 0.37), (0, 0, 0.38), (0.15, 0, 0.36)], 7), [(0.235, 0, 0.45)]]) * m
    girth = np.array([0.090, 0.100, 0.102, 0.105, 0.112, 0.118, 0.112, 0.070]) * m
    band = np.array([(0.215, 0, 0.415), (0.235, 0, 0.445)]) * m
    skull = ellipsoid((0.0, 0, 0.02 * m), (0.115 * m, 0.105 * m, 0.105 * m))
    flaps = []
    for side in (-1, 1):
        flaps.append(ellipsoid((-0.015 * m, side * 0.112 * m, -0.012 * m), (0.050 * m, 0.024 * m, 0.098 * m)))
    snout = sweep_mesh(np.array([(0.06, 0, -0.015), (0.155, 0, -0.030)]) * m, [0.066 * m, 0.050 * m], 12)
    nose = ellipsoid((0.205 * m, 0, -0.008 * m), (0.022 * m, 0.026 * m, 0.020 * m), 1)
    eyes = [ellipsoid((0.090 * m, s * 0.050 * m, 0.050 * m), (0.020 * m, 0.020 * m, 0.026 * m), 1) for s in (-1, 1)]
    lines = _legs(DOG, m, None, False, np.eye(4), False)
    return (
        part("body", sweep_mesh(spine, girth, 14, 3), coat_rgb),
        part("collar", sweep_mesh(band, [0.092 * m, 0.085 * m], 14, 1), (0.75, 0.02, 0.03)),
        part("head", join(skull, *flaps), coat_rgb),
        part("face", join(*eyes, nose), BLACK, 0.2),
        part("muzzle", snout, patch_rgb),
        part("legs", join(*(sweep_mesh(line, _radii(DOG, m), 8) for line in lines)), coat_rgb),
        part("paws", join(*(ellipsoid(p, _paw(m), 1) for p in _paw_middles(DOG, m, lines))), patch_rgb),
        part("tail", sweep_mesh(_dog_tail(m, 0.0, np.eye(4)), _tail_radii(m), 8), coat_rgb),
    )


def dog_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    stride_phase: float | None = None,
    *,
    running: bool = False,
    sitting: bool = False,
    head_yaw_rad: float = 0.0,
    head_pitch_rad: float = 0.0,
    tail_phase: float | None = None,
    pitch_rad: float = 0.0,
) -> Channels:
    """As `cat_channels`; tail_phase counts wags to and fro."""
    base, build, m = frame(at_m, heading_rad, pitch_rad), DOG, length_m
    body = _trunk(build, m, stride_phase, running, sitting)
    lines = _legs(build, m, stride_phase, running, body, sitting)
    head = _head(build, m, body, head_yaw_rad, head_pitch_rad)
    wag = (stride_phase or 0.0) if tail_phase is None else tail_phase
    paw = np.asarray(ellipsoid((0, 0, 0), _paw(m), 1).vertices)
    return {
        **{f"{name}_{suffix}": placed(base @ body) for suffix in ("body", "collar")},
        **{f"{name}_{suffix}": placed(base @ head) for suffix in ("head", "face", "muzzle")},
        f"{name}_legs": shaped(base, np.vstack([sweep(line, _radii(build, m), 8) for line in lines])),
        f"{name}_paws": shaped(base, np.vstack([paw + middle for middle in _paw_middles(build, m, lines)])),
        f"{name}_tail": shaped(base, sweep(_dog_tail(m, wag, body), _tail_radii(m), 8)),
    }


# ---- mouse
MOUSE_STRIDE = 0.5
MOUSE_FEET = ((0.20, 0.10), (0.20, -0.10), (-0.22, 0.14), (-0.22, -0.14))


def mouse_stride_m(length_m: float) -> float:
    """Way per stride: `stride_phase` is the travelled way over this."""
    return MOUSE_STRIDE * length_m


def mouse(name: str, length_m: float, coat_rgb: Rgb = (0.33, 0.32, 0.34), carries: bool = True) -> tuple[Part, ...]:
    """Parts {name}_body, _ears (pink, with the nose), _eyes, _feet, _tail; length from nose to rump, tail apart."""
    m = length_m

    def part(suffix: str, mesh: object, rgb: Rgb, roughness: float = 0.6) -> Part:
        return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, SMOOTH_DEG)  # type: ignore[arg-type]

    profile = [(0, -0.50), (0.15, -0.47), (0.25, -0.34), (0.275, -0.18), (0.255, 0.0), (0.205, 0.16),
               (0.140, 0.30), (0.070, 0.42), (0.030, 0.47), (0, 0.48)]  # fmt: skip
    body = lathe_along([(r * m, x * m) for r, x in profile], "x", 18)
    body.apply_scale((1, 0.95, 1.0))
    body.apply_translation((0, 0, 0.28 * m))
    outer: list[trimesh.Trimesh] = []
    inner: list[trimesh.Trimesh] = []
    for side in (-1, 1):
        turn = (
            shifted(0.14 * m, side * 0.155 * m, 0.46 * m)
            @ turned((0, 0, 1), side * -0.5)
            @ turned((1, 0, 0), -0.3 * side)
        )
        for made, half, x in ((outer, (0.028, 0.135, 0.135), 0.0), (inner, (0.016, 0.098, 0.098), 0.022)):
            ear = ellipsoid((x * m, 0, 0), np.array(half) * m, 2)
            ear.apply_transform(turn)
            made.append(ear)
    nose = ellipsoid((0.48 * m, 0, 0.27 * m), (0.035 * m,) * 3, 1)
    eyes = [ellipsoid((0.335 * m, s * 0.098 * m, 0.335 * m), (0.030 * m, 0.026 * m, 0.034 * m), 1) for s in (-1, 1)]
    foot = ellipsoid((0.02 * m, 0, 0.034 * m), (0.085 * m, 0.05 * m, 0.034 * m), 1)
    feet = [foot.copy().apply_translation((x * m, y * m, 0)) for x, y in MOUSE_FEET]
    return (
        part("body", join(body, *outer), coat_rgb),
        part("ears", join(nose, *inner), PINK),
        part("eyes", join(*eyes), BLACK, 0.15),
        part("feet", join(*feet), PINK),
        part("tail", sweep_mesh(_mouse_tail(m, 0.0), np.linspace(0.034, 0.014, 12) * m, 8), PINK),
    )


def mouse_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    stride_phase: float | None = None,
    *,
    pitch_rad: float = 0.0,
) -> Channels:
    """Channels of a `mouse`: a scurrying trot (stride_phase: way / mouse_stride_m; None stands still)."""
    base, m = frame(at_m, heading_rad, pitch_rad), length_m
    phase = stride_phase or 0.0
    bob = 0.0 if stride_phase is None else 0.02 * m * (1 + float(np.cos(4 * np.pi * phase)))
    foot = np.asarray(ellipsoid((0.02 * m, 0, 0.034 * m), (0.085 * m, 0.05 * m, 0.034 * m), 1).vertices)
    feet = []
    for (x, y), start in zip(MOUSE_FEET, (0.0, 0.5, 0.5, 0.0), strict=True):
        dx, dz = (0.0, 0.0) if stride_phase is None else foot_path(phase - start, MOUSE_STRIDE * m, 0.06 * m, 0.5)[:2]
        feet.append(foot + np.array([x * m + dx, y * m, dz]))
    body = placed(base @ shifted(0, 0, bob))
    tail = sweep(_mouse_tail(m, phase), np.linspace(0.034, 0.014, 12) * m, 8)
    return {
        **{f"{name}_{suffix}": body for suffix in ("body", "ears", "eyes")},
        f"{name}_feet": shaped(base, np.vstack(feet)),
        f"{name}_tail": shaped(base, tail),
    }


def _mouse_tail(m: float, phase: float) -> Array:
    u = np.linspace(0, 1, 12)
    side = 0.16 * u * np.sin(2 * np.pi * (0.9 * u - phase))
    return np.column_stack([-0.44 - 0.72 * u, side, 0.05 + 0.15 * (1 - u) ** 2 + 0.10 * u**3]) * m


# ---- shared
def _radii(build: _Build, m: float) -> Array:
    return limb_radii(*build.radii) * m


def _paw(m: float) -> Array:
    return np.array([0.058, 0.044, 0.037]) * m


def _paw_middles(build: _Build, m: float, lines: list[Array]) -> list[Array]:
    return [line[-1] + [0.014 * m, 0, 0] for line in lines]


def _trunk(build: _Build, m: float, phase: float | None, running: bool, sitting: bool) -> Array:
    """[4, 4] figure_from_body: bobbing, rocking in the gallop, upright when sitting."""
    if sitting:
        hip = shifted(build.hind_x * m, 0, 0.145 * m) @ turned((0, -1, 0), 0.80)
        return hip @ shifted(-build.hind_x * m, 0, -(build.root_z + 0.03) * m)
    if phase is None:
        return np.eye(4)
    if running:
        rock = 0.16 * float(np.sin(2 * np.pi * (phase - 0.30)))
        lift = 0.035 * float(np.cos(2 * np.pi * (phase - 0.88)))
        return shifted(0, 0, lift * m) @ turned((0, -1, 0), rock)
    return shifted(0, 0, 0.008 * m * float(np.cos(4 * np.pi * phase)))


def _head(build: _Build, m: float, body: Array, yaw_rad: float, pitch_rad: float) -> Array:
    """[4, 4] figure_from_head: carried by the body but kept level."""
    neck = moved_by(body, np.array(build.head) * m)
    return shifted(*neck) @ turned((0, 0, 1), yaw_rad) @ turned((0, -1, 0), pitch_rad)


def _legs(build: _Build, m: float, phase: float | None, running: bool, body: Array, sitting: bool) -> list[Array]:
    """Centre lines [7, 3] of left fore, right fore, left hind, right hind leg in the figure's frame."""
    starts, duty = (GALLOP_STARTS, GALLOP_DUTY) if running else (WALK_STARTS, WALK_DUTY)
    stride, lift = (build.gallop_stride, 0.13) if running else (build.walk_stride, 0.06)
    lines = []
    for index, start in enumerate(starts):
        fore, side = index < 2, 1 if index % 2 == 0 else -1
        x, y = (build.fore_x if fore else build.hind_x), side * build.half_width
        root = moved_by(body, np.array([x, 0.85 * y, build.root_z]) * m)
        foot = np.array([x * m, 1.05 * y * m, build.foot_z * m])
        if sitting:
            foot = np.array([(x + 0.17 if not fore else x - 0.10) * m, (1.05 if fore else 1.6) * y * m, foot[2]])
        elif phase is not None:
            dx, dz, _ = foot_path(phase - start, stride * m, lift * m, duty)
            foot = foot + np.array([dx, 0, dz])
        pole = (-1.0, 0, 0.1) if fore else (1.0, 0, 0.3)
        knee = middle_joint_m(root, foot, build.upper * m, build.lower * m, pole)
        lines.append(limb_line(root, knee, foot))
    return lines


def _tail_radii(m: float) -> Array:
    return np.linspace(0.042, 0.030, 12) * m


def _tail(m: float, phase: float, body: Array) -> Array:
    """[12, 3] a cat's tail, up and curled, swaying."""
    sway = 0.10 * float(np.sin(2 * np.pi * phase))
    root = moved_by(body, np.array([-0.38, 0, 0.36]) * m)
    knots = [(0, 0, 0), (-0.20, 0, 0.02), (-0.30, 0.6 * sway, 0.16), (-0.16, sway, 0.34), (-0.24, 1.6 * sway, 0.46)]
    return root + curve(knots, 12) * m


def _dog_tail(m: float, phase: float, body: Array) -> Array:
    """[12, 3] a dog's tail, raised, wagging."""
    wag = 0.16 * float(np.sin(2 * np.pi * phase))
    root = moved_by(body, np.array([-0.36, 0, 0.40]) * m)
    return (
        root + curve([(0, 0, 0), (-0.10, 0.1 * wag, 0.04), (-0.16, 0.6 * wag, 0.16), (-0.13, 1.5 * wag, 0.27)], 12) * m
    )
