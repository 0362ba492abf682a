"""Bird, fish, monkey: wings that flap, a body that swims, arms on hinges."""

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
    slab,
    sweep_mesh,
    turned,
)
from event_library.parts import Part, Rgb, join

BLACK: Rgb = (0.012, 0.010, 0.010)
ORANGE: Rgb = (0.90, 0.33, 0.01)


def _part(name: str, suffix: str, mesh: trimesh.Trimesh, rgb: Rgb, carries: bool, roughness: float = 0.55) -> Part:
    return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, SMOOTH_DEG)


# ---- bird
BIRD_Z = 0.36  # of the body's middle above the feet, in lengths
BIRD_WING = np.array([0.06, 0.10, 0.10])  # root against the body's middle


def bird(
    name: str,
    length_m: float,
    rgb: Rgb = (0.05, 0.25, 0.75),
    breast_rgb: Rgb = (0.92, 0.62, 0.30),
    carries: bool = True,
) -> tuple[Part, ...]:
    """Parts {name}_body (with tail), _breast, _head, _eyes, _beak, _legs, _left_wing, _right_wing."""
    m = length_m
    line = np.array([(-0.30, 0, 0.02), (-0.18, 0, 0.0), (0.0, 0, 0.0), (0.14, 0, 0.04), (0.22, 0, 0.10)]) * m
    trunk = sweep_mesh(line, np.array([0.07, 0.15, 0.20, 0.185, 0.14]) * m, 14, 3)
    tail = slab(np.array([(-0.26, 0.07, 0.03), (-0.26, -0.07, 0.03), (-0.62, -0.15, 0.08), (-0.58, 0, 0.07),
                          (-0.62, 0.15, 0.08)]) * m, 0.03 * m)  # fmt: skip
    breast = ellipsoid((0.075 * m, 0, -0.055 * m), np.array([0.20, 0.158, 0.155]) * m, 2, 0.4)
    head = ellipsoid((0, 0, 0), np.array([0.155, 0.150, 0.150]) * m)
    eyes = [ellipsoid((0.095 * m, s * 0.105 * m, 0.045 * m), np.array([0.030, 0.026, 0.034]) * m, 1) for s in (-1, 1)]
    beak = sweep_mesh(np.array([(0.12, 0, -0.01), (0.27, 0, -0.045)]) * m, [0.062 * m, 0.006 * m], 8, 0)
    legs = []
    for side in (-1, 1):
        legs.append(sweep_mesh(np.array([(0, 0.07 * side, 0.20), (0, 0.08 * side, 0.022)]) * m, [0.020 * m] * 2, 8, 1))
        for turn in (-0.5, 0.0, 0.5, np.pi):
            toe = np.array([np.cos(turn), np.sin(turn), 0]) * 0.11
            ends = np.array([(0, 0.08 * side, 0.021), (toe[0], 0.08 * side + toe[1], 0.019)]) * m
            legs.append(sweep_mesh(ends, [0.018 * m] * 2, 6, 1))
    outline = np.array([(0.14, 0, 0), (0.15, 0.22, 0.01), (0.06, 0.46, 0.0), (-0.06, 0.62, -0.02), (-0.13, 0.55, -0.02),
                        (-0.19, 0.40, -0.01), (-0.22, 0.20, 0), (-0.18, 0, 0)])  # fmt: skip
    left = slab(outline * m, 0.040 * m)
    right = slab((outline * [1, -1, 1])[::-1] * m, 0.040 * m)
    dark = (0.55 * rgb[0], 0.55 * rgb[1], 0.55 * rgb[2])
    return (
        _part(name, "body", join(trunk, tail), rgb, carries),
        _part(name, "breast", breast, breast_rgb, carries),
        _part(name, "head", head, rgb, carries),
        _part(name, "eyes", join(*eyes), BLACK, carries, 0.15),
        _part(name, "beak", beak, ORANGE, carries),
        _part(name, "legs", join(*legs), ORANGE, carries),
        _part(name, "left_wing", left, dark, carries),
        _part(name, "right_wing", right, dark, carries),
    )


def bird_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    wing_phase: float | None = None,
    *,
    peck_rad: float = 0.0,
    head_yaw_rad: float = 0.0,
    pitch_rad: float = 0.0,
    roll_rad: float = 0.0,
) -> Channels:
    """Channels of a `bird`; at_m is where its feet stand (or would stand, in the air).

    wing_phase: wing beats flown (.25: wings up); None has folded wings and legs down, as on the ground. peck_rad: the
    whole body bent down about the feet; 1.0 brings the beak to the ground.
    """
    base, m, flying = frame(at_m, heading_rad, pitch_rad, roll_rad), length_m, wing_phase is not None
    beat = 0.0 if wing_phase is None else float(np.sin(2 * np.pi * wing_phase))
    body = base @ shifted(0, 0, 0.20 * m) @ turned((0, 1, 0), peck_rad - (0.0 if flying else 0.25))
    body = body @ shifted(0, 0, ((BIRD_Z - 0.20) - 0.04 * beat) * m)
    head = body @ shifted(0.25 * m, 0, 0.20 * m) @ turned((0, 0, 1), head_yaw_rad)
    if not flying:
        head = head @ turned((0, -1, 0), 0.25 - 0.3 * peck_rad)
    channels: Channels = {f"{name}_{suffix}": placed(body) for suffix in ("body", "breast")}
    channels |= {f"{name}_{suffix}": placed(head) for suffix in ("head", "eyes", "beak")}
    legs = body @ shifted(-0.22 * m, 0, 0.02 * m) @ turned((0, 1, 0), 1.35) @ shifted(0, 0, -0.18 * m)
    channels[f"{name}_legs"] = placed(legs if flying else base)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        root = body @ shifted(*(BIRD_WING * [1, sign, 1] * m))
        if flying:
            wing = root @ turned((1, 0, 0), sign * (0.15 + 0.85 * beat)) @ turned((0, 1, 0), 0.25 * beat)
        else:  # folded back along the side
            wing = body @ shifted(0.13 * m, sign * 0.175 * m, 0.06 * m) @ turned((1, 0, 0), sign * -1.25)
            wing = wing @ turned((0, 0, 1), sign * 1.45) @ shifted(0, 0, 0)
        channels[f"{name}_{side}_wing"] = placed(wing)
    return channels


# ---- fish
def fish(
    name: str,
    length_m: float,
    rgb: Rgb = (0.95, 0.28, 0.01),
    band_rgb: Rgb = (0.85, 0.84, 0.80),
    carries: bool = True,
) -> tuple[Part, ...]:
    """Parts {name}_body, _fins, _bands, _eyes; at rest the middle of the body lies at the origin, fins upright."""
    meshes = _fish_meshes(length_m)
    dark = (0.75 * rgb[0], 0.45 * rgb[1], rgb[2])
    return (
        _part(name, "body", meshes["body"].copy(), rgb, carries, 0.3),
        _part(name, "fins", meshes["fins"].copy(), dark, carries, 0.4),
        _part(name, "bands", meshes["bands"].copy(), band_rgb, carries, 0.3),
        _part(name, "eyes", meshes["eyes"].copy(), BLACK, carries, 0.1),
    )


@lru_cache(maxsize=16)
def _fish_meshes(m: float) -> dict[str, trimesh.Trimesh]:
    xs = np.array([-0.34, -0.30, -0.22, -0.10, 0.02, 0.14, 0.26, 0.36, 0.43, 0.46])
    tall = np.array([0.0, 0.055, 0.105, 0.175, 0.215, 0.215, 0.180, 0.115, 0.045, 0.0])

    def ring(left: float, right: float, over: float) -> trimesh.Trimesh:
        inner = np.linspace(left, right, 6)
        profile = [(float(np.interp(x, xs, tall)) + over, x) for x in inner]
        profile = [(profile[0][0] - 2 * over, left), *profile, (profile[-1][0] - 2 * over, right)]
        mesh = lathe_along(profile, "x", 18)
        return mesh

    body = lathe_along(list(zip(tall, xs, strict=True)), "x", 18)
    bands = join(ring(0.185, 0.265, 0.008), ring(-0.07, 0.02, 0.008), ring(-0.27, -0.225, 0.008))
    for mesh in (body, bands):
        mesh.apply_scale((1, 0.52, 1))
    tail = np.array([(-0.30, 0, 0.04), (-0.42, 0, 0.13), (-0.54, 0, 0.20), (-0.50, 0, 0.0), (-0.54, 0, -0.20),
                     (-0.42, 0, -0.13), (-0.30, 0, -0.04)])  # fmt: skip
    back = np.array(
        [(0.20, 0, 0.18), (0.10, 0, 0.30), (-0.04, 0, 0.31), (-0.18, 0, 0.22), (-0.20, 0, 0.11), (0, 0, 0.17)]
    )
    belly = np.array([(0.02, 0, -0.18), (-0.06, 0, -0.29), (-0.14, 0, -0.28), (-0.18, 0, -0.12)])
    side = [
        np.array([(0.14, 0.1 * s, -0.02), (0.06, 0.2 * s, 0.01), (-0.02, 0.24 * s, -0.06), (0.05, 0.16 * s, -0.12)])
        for s in (-1, 1)
    ]
    fins = join(*(slab(outline * m, 0.022 * m) for outline in (tail, back, belly, *side)))
    eyes = [ellipsoid((0.335 * m, s * 0.062 * m, 0.045 * m), np.array([0.034, 0.018, 0.036]) * m, 1) for s in (-1, 1)]
    for mesh in (body, bands):
        mesh.apply_scale(m)
    return {"body": body, "fins": fins, "bands": bands, "eyes": join(*eyes)}


def fish_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    swim_phase: float = 0.0,
    *,
    sway: float = 1.0,
    pitch_rad: float = 0.0,
    roll_rad: float = 0.0,
) -> Channels:
    """Channels of a `fish`: a wave runs from head to tail, swim_phase counts tail beats, `sway` scales it.

    at_m: middle of the body. roll_rad pi: belly up.
    """
    base = frame(at_m, heading_rad, pitch_rad, roll_rad)
    channels: Channels = {}
    for suffix, mesh in _fish_meshes(length_m).items():
        vertices = np.array(mesh.vertices)
        share = 0.46 - vertices[:, 0] / length_m  # 0 at the nose, 1 at the tail
        vertices[:, 1] += sway * length_m * (0.015 + 0.11 * share**2) * np.sin(2 * np.pi * (0.8 * share - swim_phase))
        channels[f"{name}_{suffix}"] = shaped(base, vertices)
    return channels


# ---- monkey
MONKEY_SHOULDER = np.array([0.02, 0.20, 0.50])  # left; in heights
MONKEY_ARM = 0.40


def monkey(
    name: str,
    height_m: float,
    coat_rgb: Rgb = (0.22, 0.09, 0.03),
    face_rgb: Rgb = (0.80, 0.50, 0.28),
    carries: bool = True,
) -> tuple[Part, ...]:
    """A sitting monkey. Parts {name}_body (legs, tail), _belly (feet), _head, _face, _eyes, _left_arm, _right_arm.

    The arms are rigid and hinge at the shoulders; hands are at `monkey_hand_m`.
    """
    m = height_m
    trunk = sweep_mesh(
        np.array([(0, 0, 0.192), (0.0, 0, 0.34), (0.02, 0, 0.50)]) * m, np.array([0.19, 0.185, 0.13]) * m, 14, 3
    )
    limbs, feet = [], []
    for side in (-1, 1):
        root, foot = np.array([0.04, 0.13 * side, 0.12]), np.array([0.34, 0.20 * side, 0.075])
        knee = middle_joint_m(root, foot, 0.22, 0.22, (0.2, 0.5 * side, 1))
        limbs.append(sweep_mesh(limb_line(root, knee, foot) * m, limb_radii(0.085, 0.072, 0.062) * m, 9))
        feet.append(ellipsoid(np.array([0.40, 0.205 * side, 0.062]) * m, np.array([0.11, 0.065, 0.060]) * m, 2))
    tail = curve(
        [(-0.15, 0, 0.10), (-0.40, 0, 0.0), (-0.60, 0, 0.25), (-0.30, 0, 0.50), (-0.25, 0, 0.26), (-0.38, 0, 0.28)], 16
    )
    tail[:, 2] = np.maximum(tail[:, 2], 0.04)
    belly = ellipsoid((0.075 * m, 0, 0.30 * m), np.array([0.135, 0.145, 0.18]) * m)
    skull = ellipsoid((0, 0, 0), np.array([0.18, 0.185, 0.185]) * m)
    face = [ellipsoid((0.085 * m, s * 0.062 * m, 0.035 * m), np.array([0.11, 0.085, 0.090]) * m) for s in (-1, 1)]
    face.append(ellipsoid((0.12 * m, 0, -0.065 * m), np.array([0.105, 0.125, 0.085]) * m))
    face += [ellipsoid((0.0, s * 0.205 * m, 0.02 * m), np.array([0.035, 0.075, 0.085]) * m) for s in (-1, 1)]
    eyes = [ellipsoid((0.182 * m, s * 0.058 * m, 0.045 * m), np.array([0.022, 0.026, 0.034]) * m, 1) for s in (-1, 1)]
    angle = np.linspace(-0.9, 0.9, 7)
    smile = np.column_stack([0.11 + 0.105 * np.cos(angle), 0.11 * np.sin(angle), -0.085 - 0.025 * np.cos(angle)]) * m
    arm = limb_line((0, 0, 0), (-0.03 * m, 0, -0.20 * m), (0.0, 0, -MONKEY_ARM * m))
    limb = sweep_mesh(arm, limb_radii(0.066, 0.056, 0.056) * m, 9)
    hand = ellipsoid((0, 0, -MONKEY_ARM * m), np.full(3, 0.075 * m), 1)
    return (
        _part(
            name, "body", join(trunk, *limbs, sweep_mesh(tail * m, np.full(16, 0.036 * m), 8)), coat_rgb, carries, 0.8
        ),
        _part(name, "belly", join(belly, *feet), face_rgb, carries, 0.8),
        _part(name, "head", skull, coat_rgb, carries, 0.8),
        _part(name, "face", join(*face), face_rgb, carries, 0.8),
        _part(name, "eyes", join(*eyes, sweep_mesh(smile, np.full(7, 0.010 * m), 6, 1)), BLACK, carries, 0.15),
        *(
            _part(name, f"{side}_arm", join(limb.copy(), hand.copy()), coat_rgb, carries, 0.8)
            for side in ("left", "right")
        ),
    )


def _monkey_arm(m: float, sign: float, raise_rad: float, out_rad: float) -> Array:
    shoulder = shifted(*(MONKEY_SHOULDER * [1, sign, 1] * m))
    return shoulder @ turned((1, 0, 0), sign * out_rad) @ turned((0, -1, 0), raise_rad)


def monkey_channels(
    name: str,
    height_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    arm_raise_rad: tuple[float, float] = (0.5, 0.5),
    *,
    arm_out_rad: tuple[float, float] = (0.15, 0.15),
    head_yaw_rad: float = 0.0,
    head_pitch_rad: float = 0.0,
) -> Channels:
    """Channels of a `monkey`; arm_raise_rad (left, right): 0 hanging, pi/2 forward, pi up; arm_out_rad: sideways."""
    base, m = frame(at_m, heading_rad), height_m
    head = base @ shifted(0.05 * m, 0, 0.79 * m) @ turned((0, 0, 1), head_yaw_rad) @ turned((0, -1, 0), head_pitch_rad)
    channels: Channels = {f"{name}_{suffix}": placed(base) for suffix in ("body", "belly")}
    channels |= {f"{name}_{suffix}": placed(head) for suffix in ("head", "face", "eyes")}
    for side, sign, up, out in zip(("left", "right"), (1.0, -1.0), arm_raise_rad, arm_out_rad, strict=True):
        channels[f"{name}_{side}_arm"] = placed(base @ _monkey_arm(m, sign, up, out))
    return channels


def monkey_hand_m(
    height_m: float, at_m: Point, heading_rad: float, side: str, raise_rad: float, out_rad: float = 0.15
) -> Array:
    """[3] middle of a monkey's hand in the event's frame."""
    arm = _monkey_arm(height_m, 1.0 if side == "left" else -1.0, raise_rad, out_rad)
    return moved_by(frame(at_m, heading_rad) @ arm, np.array([0, 0, -MONKEY_ARM * height_m]))
