"""Robot arm with inverse kinematics, gantry with a gripper, wheeled robot with arms."""

from __future__ import annotations

import numpy as np
import trimesh

from event_library.channels import Move, Scale
from event_library.figures.rig import (
    SMOOTH_DEG,
    Array,
    Channels,
    Point,
    ellipsoid,
    frame,
    glow,
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
from event_library.figures.vehicles import wheel, wheel_frame
from event_library.parts import Part, Rgb, bevelled_box, block, cylinder, join, moved

DARK: Rgb = (0.05, 0.05, 0.06)
STEEL: Rgb = (0.55, 0.57, 0.60)
ORANGE: Rgb = (0.90, 0.30, 0.01)


def _part(name: str, suffix: str, mesh: trimesh.Trimesh, rgb: Rgb, carries: bool, metallic: float = 0.0) -> Part:
    return Part(f"{name}_{suffix}", mesh, matter(rgb, 0.35, metallic), carries, 40.0)


# ---- robot arm
SHOULDER_Z, LINK, HAND = 0.26, 0.50, 0.20  # shares of the reach: shoulder height, each link, wrist to finger tips


def robot_arm(name: str, reach_m: float, rgb: Rgb = ORANGE, carries: bool = True) -> tuple[Part, ...]:
    """Arm of two links of half the reach each, on a turning base, the gripper always pointing down.

    Parts {name}_base, _turret, _upper, _elbow, _fore, _palm, _left_finger, _right_finger.
    """
    r = reach_m
    foot = lathe_along(
        [(0, 0), (0.17 * r, 0), (0.17 * r, 0.03 * r), (0.13 * r, 0.05 * r), (0.12 * r, 0.10 * r), (0, 0.10 * r)],
        "z",
        28,
    )
    turret = join(
        moved(cylinder(0.11 * r, 0.06 * r, 28), 0, 0, 0.10 * r),
        *(
            _plate((0, s * 0.075 * r, 0.155 * r), (0, s * 0.075 * r, SHOULDER_Z * r), 0.075 * r, 0.03 * r)
            for s in (-1, 1)
        ),
    )
    upper = _plate((0, 0, 0), (LINK * r, 0, 0), 0.062 * r, 0.10 * r)
    fore = _plate((0, 0, 0), (LINK * r, 0, 0), 0.046 * r, 0.07 * r)
    pin = lathe_along([(0, -0.085 * r), (0.045 * r, -0.085 * r), (0.045 * r, 0.085 * r), (0, 0.085 * r)], "y", 20)
    palm = join(
        moved(cylinder(0.032 * r, 0.085 * r, 16), 0, 0, -0.085 * r),
        moved(bevelled_box((0.06 * r, 0.17 * r, 0.035 * r), 0.006 * r), 0, 0, -0.095 * r),
    )
    wrist = lathe_along([(0, -0.05 * r), (0.04 * r, -0.05 * r), (0.04 * r, 0.05 * r), (0, 0.05 * r)], "y", 20)
    finger = block((0.04 * r, 0.014 * r, 0.095 * r), (0, 0, -HAND * r))
    return (
        _part(name, "base", foot, DARK, carries),
        _part(name, "turret", turret, rgb, carries),
        _part(name, "upper", upper, rgb, carries),
        _part(name, "elbow", pin, DARK, carries),
        _part(name, "fore", fore, (0.80, 0.80, 0.78), carries),
        _part(name, "palm", join(palm, wrist), DARK, carries),
        _part(name, "left_finger", finger, STEEL, carries, 0.5),
        _part(name, "right_finger", finger.copy(), STEEL, carries, 0.5),
    )


def _plate(a_m: Point, b_m: Point, radius_m: float, thick_m: float) -> trimesh.Trimesh:
    """Bar with round ends between two points of equal y, flat sides towards y."""
    start, end = np.asarray(a_m, dtype=np.float64), np.asarray(b_m, dtype=np.float64)
    along = (end - start) / np.linalg.norm(end - start)
    up = np.cross(along, [0.0, 1.0, 0.0])
    half = np.linspace(-np.pi / 2, np.pi / 2, 10)
    caps = [end + radius_m * (np.outer(np.cos(half), along) + np.outer(np.sin(half), up)),
            start + radius_m * (np.outer(-np.cos(half), along) + np.outer(-np.sin(half), up))]  # fmt: skip
    outline, middle = np.vstack(caps), (start + end) / 2
    rings = []
    for y, share in ((-1, 0.9), (-0.8, 1.0), (0.8, 1.0), (1, 0.9)):
        rings.append(middle + share * (outline - middle) + np.array([0, y * thick_m / 2, 0]))
    return trimesh.Trimesh(np.vstack(rings)).convex_hull


def arm_angles_rad(reach_m: float, target_m: Point) -> tuple[float, float, float]:
    """(turn of the base, rise of the upper link, bend of the elbow) that bring the finger tips to a target.

    target_m: [3] in the arm's own frame. The nearest pose when the target is out of reach.
    """
    x, y, z = (float(v) for v in target_m)
    out, up = np.hypot(x, y), z + (HAND - SHOULDER_Z) * reach_m
    link = LINK * reach_m
    distance = float(np.clip(np.hypot(out, up), 1e-6, 2 * link * (1 - 1e-12)))
    half = float(np.arccos(distance / (2 * link)))  # elbow above the line from shoulder to wrist
    return float(np.arctan2(y, x)), float(np.arctan2(up, out)) + half, 2 * half


def arm_reaches(reach_m: float, target_m: Point) -> bool:
    """Whether the finger tips can be at a target, [3] in the arm's own frame."""
    x, y, z = (float(v) for v in target_m)
    return bool(np.hypot(np.hypot(x, y), z + (HAND - SHOULDER_Z) * reach_m) <= 2 * LINK * reach_m)


def robot_arm_channels(
    name: str,
    reach_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    target_m: Point = (0.5, 0.0, 0.2),
    *,
    half_gap_m: float | None = None,
    hand_turn_rad: float = 0.0,
    angles_rad: tuple[float, float, float] | None = None,
) -> Channels:
    """Channels of a `robot_arm` whose finger tips are at target_m, [3] in the event's frame.

    half_gap_m: from the middle to each finger (default: half open). hand_turn_rad: turn of the gripper about its axis,
    against the event's x axis. angles_rad: (base, upper link, elbow) set directly instead of target_m.
    """
    base, r = frame(at_m, heading_rad), reach_m
    own = moved_by(np.linalg.inv(base), np.asarray(target_m, dtype=np.float64))
    turn, rise, bend = angles_rad or arm_angles_rad(r, own)
    turret = base @ turned((0, 0, 1), turn)
    upper = turret @ shifted(0, 0, SHOULDER_Z * r) @ turned((0, -1, 0), rise)
    fore = upper @ shifted(LINK * r, 0, 0) @ turned((0, -1, 0), -bend)
    wrist = moved_by(fore, np.array([LINK * r, 0, 0]))
    hand = shifted(*wrist) @ turned((0, 0, 1), hand_turn_rad)
    gap = (0.03 * r if half_gap_m is None else half_gap_m) + 0.007 * r
    return {
        f"{name}_base": placed(base),
        f"{name}_turret": placed(turret),
        f"{name}_upper": placed(upper),
        f"{name}_elbow": placed(fore),
        f"{name}_fore": placed(fore),
        f"{name}_palm": placed(hand),
        f"{name}_left_finger": placed(hand @ shifted(0, gap, 0)),
        f"{name}_right_finger": placed(hand @ shifted(0, -gap, 0)),
    }


# ---- gantry
def gantry(
    name: str,
    span_m: float,
    rail_m: float,
    grip_depth_m: float,
    open_m: float,
    rgb: Rgb = ORANGE,
    carries: bool = True,
) -> tuple[Part, ...]:
    """Gripper hanging from a rail along x. Parts {name}_frame (two posts, rail; scenery), _carriage, _rod, _palm,
    _left_finger, _right_finger.

    span_m: between the posts. rail_m: height of the rail. grip_depth_m: from the palm down to the middle of what it
    grips. open_m: half gap of the open fingers.
    """
    thick = 0.15 * open_m + 0.004
    posts = [block((0.02, 0.035, rail_m), (side * (span_m / 2 + 0.01), 0, 0)) for side in (-1, 1)]
    feet = [block((0.05, 0.12, 0.012), (side * (span_m / 2 + 0.01), 0, 0)) for side in (-1, 1)]
    rail = block((span_m + 0.04, 0.035, 0.022), (0, 0, rail_m))
    palm = moved(bevelled_box((2 * (open_m + thick), 0.034, 0.026), 0.004), z_m=grip_depth_m + 0.013)
    finger = block((thick, 0.03, grip_depth_m * 1.15), (0, 0, -0.15 * grip_depth_m))
    return (
        _part(name, "frame", join(*posts, *feet, rail), STEEL, False, 0.5),
        _part(name, "carriage", bevelled_box((0.06, 0.05, 0.04), 0.005), rgb, carries),
        _part(name, "rod", cylinder(0.007, 1.0, 16), STEEL, carries, 0.5),
        _part(name, "palm", palm, rgb, carries),
        _part(name, "left_finger", finger, DARK, carries),
        _part(name, "right_finger", finger.copy(), DARK, carries),
    )


def gantry_channels(
    name: str, rail_m: float, grip_depth_m: float, open_m: float, grip_m: Point, half_gap_m: float, y_m: float = 0.0
) -> Channels:
    """Channels of a `gantry` standing at the event's origin (frame and all at depth y_m).

    grip_m: (x, z) of the middle of what it grips. half_gap_m: from there to each finger, at most open_m.
    """
    x, z = (float(v) for v in grip_m)
    top = z + grip_depth_m + 0.026
    side = half_gap_m + (0.15 * open_m + 0.004) / 2
    return {
        f"{name}_frame": (Move(np.array([0.0, y_m, 0.0])),),
        f"{name}_carriage": (Move(np.array([x, y_m, rail_m + 0.011])),),
        f"{name}_rod": (Scale(np.array([1.0, 1.0, max(rail_m - top, 1e-3)])), Move(np.array([x, y_m, top]))),
        f"{name}_palm": (Move(np.array([x, y_m, z])),),
        f"{name}_left_finger": (Move(np.array([x - side, y_m, z])),),
        f"{name}_right_finger": (Move(np.array([x + side, y_m, z])),),
    }


# ---- wheeled robot
ROBOT_WHEEL = 0.16
ROBOT_SHOULDER = np.array([0.02, 0.245, 0.55])
ROBOT_ARM = 0.21  # each of the two bones
ROBOT_ARM_RADII = limb_radii(0.034, 0.028, 0.028)


def robot(name: str, height_m: float, rgb: Rgb = (0.02, 0.42, 0.55), carries: bool = True) -> tuple[Part, ...]:
    """A wheeled robot. Parts {name}_body, _chest, _head, _visor, _eyes (may glow), _tyres, _hubs, _caster, _left_arm,
    _right_arm, _left_hand, _right_hand. Wheel radius 0.16 heights."""
    m = height_m
    body = moved(bevelled_box((0.34 * m, 0.40 * m, 0.44 * m), 0.06 * m), 0, 0, 0.40 * m)
    neck = moved(cylinder(0.06 * m, 0.08 * m, 16), 0, 0, 0.60 * m)
    chest = [moved(bevelled_box((0.03 * m, 0.26 * m, 0.16 * m), 0.01 * m), 0.17 * m, 0, 0.44 * m)]
    head = moved(bevelled_box((0.28 * m, 0.38 * m, 0.26 * m), 0.06 * m), 0, 0, 0.14 * m)
    face = moved(bevelled_box((0.03 * m, 0.29 * m, 0.17 * m), 0.012 * m), 0.135 * m, 0, 0.14 * m)
    stalk = moved(cylinder(0.010 * m, 0.08 * m, 8), 0, 0, 0.26 * m)
    knob = ellipsoid((0, 0, 0.355 * m), np.full(3, 0.028 * m), 1)
    ears = lathe_along([(0, -0.225 * m), (0.055 * m, -0.225 * m), (0.055 * m, 0.225 * m), (0, 0.225 * m)], "y", 16)
    eyes = [ellipsoid((0.150 * m, s * 0.072 * m, 0.15 * m), np.array([0.014, 0.036, 0.042]) * m, 1) for s in (-1, 1)]
    tyre, hub = wheel(ROBOT_WHEEL * m, 0.09 * m)
    pairs = [join(*(moved(mesh.copy(), 0, s * 0.225 * m, 0) for s in (-1, 1))) for mesh in (tyre, hub)]
    caster = ellipsoid((-0.15 * m, 0, 0.07 * m), np.full(3, 0.07 * m), 2)
    line = np.linspace((0, 0, 0), (0, 0, -2 * ROBOT_ARM * m), 7)
    arm = sweep_mesh(line, ROBOT_ARM_RADII * m, 9)
    claws = [
        sweep_mesh(
            np.array([(0, s * 0.03, 0), (0, s * 0.055, -0.05), (0, s * 0.022, -0.095)]) * m, np.full(3, 0.016 * m), 7, 1
        )
        for s in (-1, 1)
    ]
    hand = join(ellipsoid((0, 0, 0), np.full(3, 0.045 * m), 1), *claws)
    return (
        _part(name, "body", body, rgb, carries),
        _part(name, "chest", join(*chest, neck, _antenna(stalk, knob, m)), (0.80, 0.80, 0.78), carries),
        _part(name, "head", join(head, ears), rgb, carries),
        _part(name, "visor", face, DARK, carries),
        Part(f"{name}_eyes", join(*eyes), glow((0.15, 0.85, 1.0), 1.5), carries, SMOOTH_DEG),
        _part(name, "tyres", pairs[0], (0.014, 0.014, 0.016), carries),
        _part(name, "hubs", pairs[1], (0.85, 0.55, 0.03), carries),
        _part(name, "caster", caster, DARK, carries),
        *(_part(name, f"{side}_arm", arm.copy(), (0.35, 0.36, 0.38), carries) for side in ("left", "right")),
        *(_part(name, f"{side}_hand", hand.copy(), ORANGE, carries) for side in ("left", "right")),
    )


def _antenna(stalk: trimesh.Trimesh, knob: trimesh.Trimesh, m: float) -> trimesh.Trimesh:
    """The antenna on top of the head, in the body's frame."""
    return moved(join(stalk, knob), 0, 0, 0.66 * m)


def robot_channels(
    name: str,
    height_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    travelled_m: float = 0.0,
    *,
    hands_m: tuple[Point | None, Point | None] = (None, None),
    arm_raise_rad: tuple[float, float] = (0.25, 0.25),
    head_yaw_rad: float = 0.0,
) -> Channels:
    """Channels of a `robot`; hands_m: (left, right) points in the event's frame; arm_raise_rad: straight arms."""
    base, m = frame(at_m, heading_rad), height_m
    into = np.linalg.inv(base)
    head = base @ shifted(0, 0, 0.66 * m) @ turned((0, 0, 1), head_yaw_rad)
    axle = placed(base @ wheel_frame((0.03 * m, 0, ROBOT_WHEEL * m), travelled_m, ROBOT_WHEEL * m))
    made: Channels = {f"{name}_{suffix}": placed(base) for suffix in ("body", "chest", "caster")}
    made |= {f"{name}_{suffix}": placed(head) for suffix in ("head", "visor", "eyes")}
    made |= {f"{name}_tyres": axle, f"{name}_hubs": axle}
    for side, sign, goal, up in zip(("left", "right"), (1.0, -1.0), hands_m, arm_raise_rad, strict=True):
        shoulder = ROBOT_SHOULDER * [1, sign, 1] * m
        if goal is None:
            hand = shoulder + 1.85 * ROBOT_ARM * m * np.array([np.sin(up), 0.08 * sign, -np.cos(up)])
        else:
            hand = moved_by(into, np.asarray(goal, dtype=np.float64))
        elbow = middle_joint_m(shoulder, hand, ROBOT_ARM * m, ROBOT_ARM * m, (-0.5, 0.6 * sign, -1.0))
        made[f"{name}_{side}_arm"] = shaped(base, sweep(limb_line(shoulder, elbow, hand), ROBOT_ARM_RADII * m, 9))
        made[f"{name}_{side}_hand"] = placed(base @ shifted(*hand) @ _pointing(hand - elbow))
    return made


def _pointing(along: Array) -> Array:
    """[4, 4] turn of -z onto a direction."""
    turn: Array = trimesh.geometry.align_vectors([0, 0, -1], along / np.linalg.norm(along))
    return turn
