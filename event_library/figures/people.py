"""A toy-like person who walks, runs, sits, reaches and turns its head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from event_library.figures.rig import (
    LIMB_POINTS,
    SMOOTH_DEG,
    Array,
    Channels,
    Point,
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
from event_library.parts import Part, Rgb, join, moved

# shares of the height
HIP, ANKLE, HIP_Y = 0.43, 0.055, 0.062
THIGH = SHIN = 0.19
SHOULDER, SHOULDER_Y = 0.70, 0.125
UPPER_ARM = FORE_ARM = 0.15
NECK = 0.735  # of the head's origin
LEG_RADII = limb_radii(0.073, 0.057, 0.048)
ARM_RADII = limb_radii(0.037, 0.035, 0.040)
SEAT = ANKLE + SHIN - 0.06  # seat's top when the feet stand on the floor
WALK_STRIDE, RUN_STRIDE = 0.50, 0.95
WALK_DUTY, RUN_DUTY = 0.60, 0.32


@dataclass(frozen=True)
class PersonLook:
    """Colours of a person, linear RGB; a hat instead of bare hair when `hat_rgb` is given."""

    shirt_rgb: Rgb = (0.80, 0.05, 0.04)
    trousers_rgb: Rgb = (0.04, 0.10, 0.42)
    skin_rgb: Rgb = (0.85, 0.52, 0.34)
    hair_rgb: Rgb = (0.10, 0.045, 0.02)
    shoe_rgb: Rgb = (0.03, 0.03, 0.035)
    hat_rgb: Rgb | None = None


LOOKS = (
    PersonLook(),
    PersonLook((0.03, 0.35, 0.72), (0.30, 0.19, 0.10), (0.38, 0.19, 0.10), (0.012, 0.01, 0.01), (0.75, 0.72, 0.68)),
    PersonLook((0.90, 0.55, 0.02), (0.03, 0.26, 0.14), (0.88, 0.60, 0.44), (0.62, 0.30, 0.05), (0.30, 0.05, 0.03)),
    PersonLook((0.05, 0.45, 0.12), (0.10, 0.10, 0.12), (0.62, 0.36, 0.20), (0.03, 0.02, 0.015), (0.55, 0.25, 0.05)),
    PersonLook((0.45, 0.06, 0.50), (0.12, 0.20, 0.50), (0.86, 0.56, 0.42), (0.40, 0.06, 0.02), (0.04, 0.04, 0.05)),
    PersonLook((0.95, 0.45, 0.02), (0.05, 0.07, 0.16), hat_rgb=(0.95, 0.72, 0.03)),
)


def stride_length_m(height_m: float, running: bool = False) -> float:
    """Way per stride (two steps): a walker's `stride_phase` is its travelled way over this."""
    return (RUN_STRIDE if running else WALK_STRIDE) * height_m


def seat_height_m(height_m: float) -> float:
    """Height of a seat on which a sitting person's feet just stand on the floor."""
    return SEAT * height_m


def person(name: str, height_m: float, look: PersonLook = LOOKS[0], carries: bool = True) -> tuple[Part, ...]:
    """Parts {name}_torso, _head, _hair, _face, _left_arm, _right_arm, _left_leg, _right_leg, _left_shoe, _right_shoe.

    Needs `person_channels` on every frame (or `rig.baked`). About 1100 vertices.
    """
    h = height_m

    def part(suffix: str, mesh: object, rgb: Rgb, roughness: float = 0.6) -> Part:
        return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, SMOOTH_DEG)  # type: ignore[arg-type]

    torso = lathe_along(
        [(0, -0.03 * h), (0.09 * h, -0.03 * h), (0.095 * h, -0.015 * h), (0.088 * h, 0.08 * h), (0.098 * h, 0.19 * h),
         (0.100 * h, 0.245 * h), (0.080 * h, 0.285 * h), (0.045 * h, 0.305 * h), (0, 0.31 * h)], "z", 16,
    )  # fmt: skip
    torso.apply_scale((0.80, 1.12, 1.0))
    sleeves = [
        ellipsoid((0, side * SHOULDER_Y * h, (SHOULDER - HIP - 0.010) * h), np.array([0.056, 0.055, 0.066]) * h, 2)
        for side in (-1, 1)
    ]
    skull = ellipsoid((0.005 * h, 0, 0.122 * h), (0.118 * h, 0.112 * h, 0.122 * h))
    nose = ellipsoid((0.122 * h, 0, 0.105 * h), (0.020 * h, 0.016 * h, 0.018 * h), 1)
    ears = [ellipsoid((0, side * 0.112 * h, 0.115 * h), (0.024 * h, 0.016 * h, 0.030 * h), 1) for side in (-1, 1)]
    eyes = [
        ellipsoid((0.109 * h, side * 0.044 * h, 0.138 * h), (0.013 * h, 0.017 * h, 0.024 * h), 1) for side in (-1, 1)
    ]
    angle = np.linspace(-0.55, 0.55, 7)
    smile = np.column_stack([0.106 * np.cos(angle) + 0.005, 0.1 * np.sin(angle), 0.062 + 0.05 * np.abs(angle) ** 2])
    mouth = sweep_mesh(smile * h, np.full(7, 0.008 * h), 6, 1)
    rest = _limbs(h, None, False, False, (0.0, 0.0), (None, None))
    shoe = ellipsoid((0.035 * h, 0, 0), (0.092 * h, 0.052 * h, 0.058 * h), 2)
    shoe.vertices[:, 2] = np.maximum(shoe.vertices[:, 2], -ANKLE * h)  # flat sole
    return (
        part("torso", join(torso, *sleeves), look.shirt_rgb),
        part("head", join(skull, nose, *ears), look.skin_rgb),
        part("hair", _hat(h) if look.hat_rgb else _hair(h), look.hat_rgb or look.hair_rgb),
        part("face", join(*eyes, mouth), (0.015, 0.010, 0.010), 0.25),
        *(part(f"{side}_arm", _mesh(rest[f"{side}_arm"], ARM_RADII * h), look.skin_rgb) for side in SIDES),
        *(part(f"{side}_leg", _mesh(rest[f"{side}_leg"], LEG_RADII * h), look.trousers_rgb) for side in SIDES),
        *(part(f"{side}_shoe", shoe.copy(), look.shoe_rgb, 0.4) for side in SIDES),
    )


SIDES = {"left": 1.0, "right": -1.0}


def _mesh(line: Array, radii: Array) -> object:
    return sweep_mesh(line, radii, 10)


def _hair(h: float) -> object:
    cap = ellipsoid((-0.012 * h, 0, 0.142 * h), (0.124 * h, 0.126 * h, 0.123 * h))
    v = cap.vertices
    low = 0.150 * h + 0.75 * (v[:, 0] - 0.02 * h)  # the hair line rises towards the forehead
    v[:, 2] = np.maximum(v[:, 2], np.minimum(low, 0.235 * h))
    return cap


def _hat(h: float) -> object:
    dome = lathe_along([(0.150 * h, 0.0), (0.152 * h, 0.012 * h), (0.126 * h, 0.018 * h), (0.118 * h, 0.070 * h),
                        (0.075 * h, 0.110 * h), (0, 0.122 * h)], "z", 18)  # fmt: skip
    peak = ellipsoid((0.10 * h, 0, 0.006 * h), (0.095 * h, 0.085 * h, 0.012 * h))
    return moved(join(dome, peak), 0, 0, 0.158 * h)


def person_channels(
    name: str,
    height_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    stride_phase: float | None = None,
    *,
    running: bool = False,
    sitting: bool = False,
    arm_raise_rad: tuple[float | None, float | None] = (None, None),
    hands_m: tuple[Point | None, Point | None] = (None, None),
    head_yaw_rad: float = 0.0,
    head_pitch_rad: float = 0.0,
    lean_rad: float = 0.0,
    pitch_rad: float = 0.0,
) -> Channels:
    """Channels of all parts of a `person` of the same name and height.

    at_m: [3] ground under the hips. stride_phase: strides walked (way / stride_length_m), None stands still.
    sitting: on a seat of `seat_height_m` above at_m, legs bent. arm_raise_rad: (left, right) 0 hanging, pi/2 forward,
    pi up; None swings with the gait. hands_m: (left, right) points in the event's frame that the hands reach for.
    lean_rad: trunk bent forward. pitch_rad: the whole body tipped backward about the feet (-pi/2: lies on its face).
    """
    h, base = height_m, frame(at_m, heading_rad, pitch_rad)
    into = np.linalg.inv(base)
    own = tuple(None if p is None else moved_by(into, np.asarray(p, dtype=np.float64)) for p in hands_m)
    hip = _hip_m(h, stride_phase, running, sitting)
    lines = _limbs(h, stride_phase, running, sitting, _raises(stride_phase, running, sitting, arm_raise_rad),
                   (own[0], own[1]), lean_rad)  # fmt: skip
    torso = base @ _torso(h, hip, stride_phase, running, lean_rad)
    head = torso @ shifted(0, 0, (NECK - HIP) * h) @ turned((0, 0, 1), head_yaw_rad)
    head = head @ turned((0, -1, 0), head_pitch_rad + 0.7 * (lean_rad + (0.12 if running else 0.0)))
    channels: Channels = {f"{name}_torso": placed(torso)}
    for suffix in ("head", "hair", "face"):
        channels[f"{name}_{suffix}"] = placed(head)
    for side in SIDES:
        arm, leg = lines[f"{side}_arm"], lines[f"{side}_leg"]
        channels[f"{name}_{side}_arm"] = shaped(base, sweep(arm, ARM_RADII * h, 10))
        channels[f"{name}_{side}_leg"] = shaped(base, sweep(leg, LEG_RADII * h, 10))
        tip = _foot_pitch(stride_phase, running, sitting, side)
        channels[f"{name}_{side}_shoe"] = placed(base @ shifted(*leg[-1]) @ turned((0, 1, 0), tip))
    return channels


def hand_m(channels: Channels, name: str, side: str = "right") -> Array:
    """[3] where a hand is, in the event's frame, from the channels of `person_channels`: for what it carries."""
    from event_library.channels import Vertices, pose_matrix

    own = channels[f"{name}_{side}_arm"]
    vertices = next(c.vertices_m for c in own if isinstance(c, Vertices))
    ring = vertices[(LIMB_POINTS + 1) * 10 : (LIMB_POINTS + 2) * 10]  # after two rings of the round end
    return moved_by(pose_matrix(own), ring.mean(axis=0))


# ---- the pose
def _hip_m(h: float, phase: float | None, running: bool, sitting: bool) -> Array:
    """[3] middle of the hips against the ground point below."""
    if sitting:
        return np.array([0.0, 0.0, (SEAT + 0.06) * h])
    if phase is None:
        return np.array([0.0, 0.0, HIP * h])
    wave = float(np.cos(4 * np.pi * (phase - (RUN_DUTY if running else WALK_DUTY) / 2)))  # high over a standing foot
    if running:
        return np.array([0.0, 0.0, (0.393 - 0.018 * wave) * h])  # low over it: the runner's legs are springs
    return np.array([0.0, 0.0, (0.408 + 0.011 * wave) * h])


def _torso(h: float, hip: Array, phase: float | None, running: bool, lean_rad: float) -> Array:
    """[4, 4] figure_from_torso; origin between the hips."""
    lean = lean_rad + (0.0 if phase is None else 0.17 if running else 0.04)
    twist = 0.0 if phase is None else 0.10 * float(np.sin(2 * np.pi * phase))
    return shifted(*hip) @ turned((0, 1, 0), lean) @ turned((0, 0, 1), twist)


def _raises(
    phase: float | None, running: bool, sitting: bool, wanted: tuple[float | None, float | None]
) -> tuple[float, float]:
    """(left, right) shoulder angles: given, or the swing against the leg of the same side."""
    swing = 0.0
    if phase is not None:
        duty = RUN_DUTY if running else WALK_DUTY
        swing = (0.85 if running else 0.55) * float(np.cos(2 * np.pi * (phase + (1 - duty) / 2)))
    rest = 0.45 if sitting else 0.04
    left, right = wanted
    return (rest - swing if left is None else left), (rest + swing if right is None else right)


def _limbs(
    h: float,
    phase: float | None,
    running: bool,
    sitting: bool,
    raises_rad: tuple[float, float],
    hands_m: tuple[Array | None, Array | None],
    lean_rad: float = 0.0,
) -> dict[str, Array]:
    """Centre lines [7, 3] of arms and legs in the figure's frame."""
    hip = _hip_m(h, phase, running, sitting)
    torso = _torso(h, hip, phase, running, lean_rad)
    lines = {}
    for (side, sign), raise_rad, hand in zip(SIDES.items(), raises_rad, hands_m, strict=True):
        foot, knee_out = _ankle_m(h, phase, running, sitting, sign), (1.0, 0.12 * sign, 0.25)
        root = hip + np.array([0.0, sign * HIP_Y * h, 0.0])
        lines[f"{side}_leg"] = limb_line(root, middle_joint_m(root, foot, THIGH * h, SHIN * h, knee_out), foot)
        shoulder = moved_by(torso, np.array([0.0, sign * SHOULDER_Y, SHOULDER - HIP]) * h)
        bend = 0.25 if phase is None else 1.5 if running else 0.45
        if hand is None:
            out = np.array([0.0, 0.18 * sign, 0.0])
            upper = _arm_direction(raise_rad) + out
            lower = _arm_direction(raise_rad + bend * max(0.15, float(np.cos(raise_rad / 2)))) + 0.2 * out
            elbow = shoulder + UPPER_ARM * h * upper / np.linalg.norm(upper)
            hand = elbow + FORE_ARM * h * lower / np.linalg.norm(lower)
        else:
            elbow = middle_joint_m(shoulder, hand, UPPER_ARM * h, FORE_ARM * h, (-0.4, 0.7 * sign, -1.0))
        lines[f"{side}_arm"] = limb_line(shoulder, elbow, hand)
    return lines


def _arm_direction(raise_rad: float) -> Array:
    return np.array([np.sin(raise_rad), 0.0, -np.cos(raise_rad)])


def _step(phase: float, sign: float) -> float:
    return phase if sign > 0 else phase + 0.5


def _ankle_m(h: float, phase: float | None, running: bool, sitting: bool, sign: float) -> Array:
    y = sign * HIP_Y * h
    if sitting:
        return np.array([THIGH * h, y, ANKLE * h])
    if phase is None:
        return np.array([0.0, 1.1 * y, ANKLE * h])
    stride, lift, duty = (RUN_STRIDE, 0.14, RUN_DUTY) if running else (WALK_STRIDE, 0.055, WALK_DUTY)
    x, z, _ = foot_path(_step(phase, sign), stride * h, lift * h, duty)
    return np.array([x, 0.8 * y, ANKLE * h + z])


def _foot_pitch(phase: float | None, running: bool, sitting: bool, side: str) -> float:
    """Toe-down angle of a shoe: toes hang early in the swing, lift before the heel lands; flat on the ground."""
    if phase is None or sitting:
        return 0.0
    duty = RUN_DUTY if running else WALK_DUTY
    u = _step(phase, SIDES[side]) % 1.0
    if u < duty:
        return 0.0
    w = (u - duty) / (1 - duty)
    return (0.9 if running else 0.5) * float(np.sin(2 * np.pi * w**0.8) * np.sin(np.pi * w))
