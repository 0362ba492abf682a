"""Pendulums that run wild: a double one, one among magnets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate, quaternion_about
from event_library.kit import shapes
from event_library.kit.palette import BLUE, BOARD, GREEN, IRON, RED, STEEL, WOOD, YELLOW, paint
from event_library.kit.shapes import at
from event_library.laws import GRAVITY_M_PER_S2, ode_values
from event_library.parts import Assembly, Part
from event_library.readouts import sphere_centre_m
from event_library.taxonomy import facts

ARM_Y_M = (-0.10, -0.15)  # planes of the two arms of the double pendulum, in front of its wall
TIP_M = 0.23  # radius of the lower bob, shares of an arm

STRING_M = 0.45  # of the magnetic pendulum
RING_M, SOFT_M = 0.075, 0.03  # circle of the magnets; hm, which keeps their pull finite
MAGNET_BEARINGS_RAD = np.deg2rad([90.0, 210.0, 330.0])
PLATE_M = 0.03  # top of the board with the magnets
BOB_M = 0.042
PIVOT_Z_M = PLATE_M + 0.045 + BOB_M + STRING_M


@dataclass(frozen=True, kw_only=True)
class DoublePendulum(Event):
    """Two equal massless arms, a point mass at the end of each, no friction: Lagrange's equations, in slow motion."""

    info = facts("double_pendulum")
    variables = (
        state("th1", "rad", 0.1, domain="angle", cycle=2 * np.pi),
        state("th2", "rad", 0.1, domain="angle", cycle=2 * np.pi),
        state("w1", "rad/s", 0.5),
        state("w2", "rad/s", 0.5),
        readout("tip_x", "m", 0.06, min_delta=0.2, label="lower bob across, from the pivot"),
        readout("tip_z", "m", 0.06, label="lower bob above the pivot"),
    )

    length_m: float = param("Lp", "m", 0.3, 0.5)
    upper_rad: float = angle_param("th1_0", 95, 140)
    lower_rad: float = angle_param("th2_0", 95, 170)
    time_scale: float = param("time_scale", "s/s", 0.35, 0.55)

    @property
    def pivot_m(self) -> Array:
        return at(0.0, 0.0, (2 + TIP_M + 0.1) * self.length_m + 0.03)

    def start_values(self) -> tuple[float, ...]:
        return self.upper_rad, self.lower_rad, 0.0, 0.0

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """In clip time; angles from straight down, rates w physical."""
        th1, th2, w1, w2 = values
        g, arm, d = GRAVITY_M_PER_S2, self.length_m, th1 - th2
        cosine, sine = math.cos(d), math.sin(d)
        below = arm * (3 - math.cos(2 * d))
        a1 = -3 * g * math.sin(th1) - g * math.sin(th1 - 2 * th2) - 2 * sine * (w2 * w2 * arm + w1 * w1 * arm * cosine)
        a2 = 2 * sine * (2 * w1 * w1 * arm + 2 * g * math.cos(th1) + w2 * w2 * arm * cosine)
        scale = self.time_scale
        return scale * w1, scale * w2, scale * a1 / below, scale * a2 / below

    def states(self, t_s: Array) -> dict[str, Array]:
        th1, th2, w1, w2 = ode_values(self, t_s).T
        x = self.length_m * (np.sin(th1) + np.sin(th2))
        z = -self.length_m * (np.cos(th1) + np.cos(th2))
        return {"th1": th1, "th2": th2, "w1": w1, "w2": w2, "tip_x": x, "tip_z": z}

    def assembly(self) -> Assembly:
        size, pivot = self.length_m, self.pivot_m
        wall = parts.join(
            parts.block((4.4 * size, 0.04, pivot[2] + 2.1 * size), (0, 0.02, 0)),
            parts.block((4.4 * size, 0.28, 0.03), (0, -0.08, 0)),
        )
        pin = shapes.rod(pivot, pivot + at(0, ARM_Y_M[0] - 0.03, 0), 0.06 * size, 24)
        return Assembly((
            Part("upper_arm", _arm(size), paint(BLUE), carries=True, smooth_angle_deg=30),
            Part("lower_arm", _arm(size), paint(RED), carries=True, smooth_angle_deg=30),
            Part("elbow", _disc(0.13 * size), paint((0.08, 0.30, 0.75)), carries=True, smooth_angle_deg=40),
            Part("tip", parts.sphere(TIP_M * size), paint(YELLOW, 0.25), carries=True, smooth_angle_deg=60),
            Part("pin", pin, STEEL, smooth_angle_deg=40),
            Part("wall", wall, BOARD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        th1, th2, size = float(state["th1"]), float(state["th2"]), self.length_m
        elbow = self.pivot_m + size * at(np.sin(th1), 0.0, -np.cos(th1))
        tip = elbow + size * at(np.sin(th2), 0.0, -np.cos(th2))
        upper, lower = (Rotate(quaternion_about((0.0, 1.0, 0.0), -th)) for th in (th1, th2))
        front, more = at(0.0, ARM_Y_M[0], 0.0), at(0.0, ARM_Y_M[1], 0.0)
        return {
            "upper_arm": (upper, Move(self.pivot_m + front)),
            "lower_arm": (lower, Move(elbow + more)),
            "elbow": (Move(elbow + (front + more) / 2),),
            "tip": (Move(tip + more),),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, _, z = meshes["tip"].vertices.mean(axis=0) - self.pivot_m
        found = {"tip_x": float(x), "tip_z": float(z)}
        for name, arm in (("th1", "upper_arm"), ("th2", "lower_arm")):
            vertices = np.asarray(meshes[arm].vertices)
            top = np.asarray(_arm(self.length_m).vertices)[:, 2] > -self.length_m / 2
            hangs = vertices[~top].mean(axis=0) - vertices[top].mean(axis=0)
            found[name] = float(np.arctan2(hangs[0], -hangs[2]))
        return found

    def measure(self, view: View) -> dict[str, float]:
        x, _, z = sphere_centre_m(view.points_m["tip"]) - self.pivot_m
        return {"tip_x": float(x), "tip_z": float(z)}


def _arm(length_m: float) -> trimesh.Trimesh:
    """Flat bar hanging from its pivot."""
    return parts.block((0.13 * length_m, 0.03, length_m), (0.0, 0.0, -length_m))


def _disc(radius_m: float) -> trimesh.Trimesh:
    disc = shapes.turned(parts.cylinder(radius_m, 0.10, 28), (1.0, 0.0, 0.0), np.pi / 2)
    return parts.moved(disc, y_m=0.05)


@dataclass(frozen=True, kw_only=True)
class MagneticPendulum(Event):
    """p'' = -w0^2 p - gam p' + sum_j ks (m_j - p) / (|m_j - p|^2 + hm^2)^1.5, p the bob's place from above.

    The usual planar model (Peitgen, Juergens & Saupe, Chaos and Fractals, 12): small angles, three equal magnets.
    """

    info = facts("magnetic_pendulum")
    variables = (
        state("p", "m", 0.01, domain="vector"),
        state("v", "m/s", 0.05, domain="vector"),
        readout("tip_x", "m", 0.018, min_delta=0.045, label="of the bob across the board"),
        readout("tip_y", "m", 0.018, label="of the bob, away from the viewer"),
    )

    own_per_s: float = param("w0", "1/s", 1.8, 2.4)
    damping_per_s: float = param("gam", "1/s", 0.16, 0.28)
    pull_m3_per_s2: float = param("ks", "m^3/s^2", 0.0006, 0.0012)
    start_radius_m: float = param("r0", "m", 0.16, 0.21)
    start_bearing_rad: float = angle_param("b0", -45, 45)

    def start_values(self) -> tuple[float, ...]:
        r, b = self.start_radius_m, self.start_bearing_rad
        return r * math.cos(b), r * math.sin(b), 0.0, 0.0

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        x, y, vx, vy = values
        ax = -(self.own_per_s**2) * x - self.damping_per_s * vx
        ay = -(self.own_per_s**2) * y - self.damping_per_s * vy
        for mx, my in _MAGNETS:
            dx, dy = mx - x, my - y
            pull = self.pull_m3_per_s2 / (dx * dx + dy * dy + SOFT_M**2) ** 1.5
            ax, ay = ax + pull * dx, ay + pull * dy
        return vx, vy, ax, ay

    def states(self, t_s: Array) -> dict[str, Array]:
        values = ode_values(self, t_s)
        return {"p": values[:, :2], "v": values[:, 2:], "tip_x": values[:, 0].copy(), "tip_y": values[:, 1].copy()}

    def assembly(self) -> Assembly:
        half = 0.27
        magnets = [
            Part(name, parts.moved(parts.cylinder(0.04, 0.016, 32), x, y, PLATE_M), paint(rgb), smooth_angle_deg=40)
            for name, rgb, (x, y) in zip(("red", "green", "blue"), (RED, GREEN, BLUE), _MAGNETS, strict=True)
        ]
        stand = parts.join(
            parts.block((0.05, 0.04, PIVOT_Z_M + 0.03), (0, half - 0.03, 0)),
            parts.block((0.04, half, 0.03), (0, half / 2 - 0.03, PIVOT_Z_M)),
        )
        bob = parts.join(
            parts.moved(parts.sphere(BOB_M), z_m=-STRING_M),
            parts.moved(shapes.cone(0.001, 0.03, 0.02, 20), z_m=-STRING_M - BOB_M - 0.022),
        )
        rod = shapes.rod((0, 0, 0), (0, 0, -STRING_M + BOB_M), 0.005)
        return Assembly((
            Part("bob", bob, paint((0.80, 0.45, 0.02), 0.3), carries=True, smooth_angle_deg=50),
            Part("rod", rod, IRON, carries=True, smooth_angle_deg=40),
            *magnets,
            Part("board", parts.block((2 * half, 2 * half, PLATE_M), shapes.ORIGIN), paint((0.45, 0.47, 0.50), 0.7)),
            Part("stand", stand, WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        x, y = (float(c) for c in state["p"])
        far = math.hypot(x, y)
        tilt = math.asin(min(far / STRING_M, 1.0))
        axis = (-y / far, x / far, 0.0) if far > 1e-12 else (0.0, 1.0, 0.0)
        pose = (Rotate(quaternion_about(axis, -tilt)), Move(at(0.0, 0.0, PIVOT_Z_M)))
        return {"bob": pose, "rod": pose}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        foot = np.asarray(meshes["rod"].vertices)[-1] - at(0.0, 0.0, PIVOT_Z_M)  # middle of the rod's lower end
        x, y, _ = foot / np.linalg.norm(foot) * STRING_M
        return {"tip_x": float(x), "tip_y": float(y)}

    def measure(self, view: View) -> dict[str, float]:
        points = view.points_m["bob"]
        down = points[:, 2] < points[:, 2].min() + 0.012 if len(points) else np.zeros(0, dtype=bool)
        x, y, _ = sphere_centre_m(points[~down])  # without the iron tip
        return {"tip_x": float(x), "tip_y": float(y)}


_MAGNETS = tuple((RING_M * math.cos(b), RING_M * math.sin(b)) for b in MAGNET_BEARINGS_RAD)
