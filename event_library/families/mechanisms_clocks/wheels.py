"""Single wheels: a turntable, a Ferris wheel that stops at each cabin, a flywheel running down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate, quaternion_about
from event_library.families.mechanisms_clocks.turning import TURN, rad
from event_library.kit import dials
from event_library.kit.machinery import marked_wheel_channels, spoked_wheel, wheel_channels
from event_library.kit.palette import BLUE, GREEN, IRON, ORANGE, PURPLE, RED, STEEL, TEAL, WHITE, WOOD, YELLOW, paint
from event_library.kit.shapes import at, beam, cone, turned
from event_library.laws import ease, started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts


@dataclass(frozen=True, kw_only=True)
class Turntable(Event):
    """Steady turn: phi = p0 + w t, counter-clockwise as seen from above."""

    info = facts("turntable")
    variables = (
        state("phi", "rad", rad(12), domain="angle", flags="periodic", cycle=TURN),
        readout("cube_bearing", "rad", rad(12), min_delta=rad(35), domain="angle", flags="periodic", cycle=TURN,
                label="red cube, counter-clockwise from the right"),
    )  # fmt: skip

    rate_rad_per_s: float = angle_param("w", 18, 50, unit="rad/s")
    start_rad: float = angle_param("p0", 0, 360, default_deg=250)

    RADIUS_M = 0.2
    TOP_M = 0.05
    ORBIT_M = 0.125  # of the three things about the axle
    CUBE_M = 0.085

    def states(self, t_s: Array) -> dict[str, Array]:
        phi = (self.start_rad + self.rate_rad_per_s * started(t_s)) % TURN
        return {"phi": phi, "cube_bearing": phi.copy()}

    def assembly(self) -> Assembly:
        r, top, third = self.RADIUS_M, self.TOP_M, TURN / 3
        ticks = [
            turned(parts.block((0.03, 0.012, 0.003), (r - 0.025, 0, top)), (0, 0, 1), TURN * k / 12) for k in range(12)
        ]
        ball = parts.moved(parts.sphere(0.042), self.ORBIT_M * np.cos(third), self.ORBIT_M * np.sin(third), top + 0.042)
        tip = parts.moved(cone(0.045, 0.105), self.ORBIT_M * np.cos(third), -self.ORBIT_M * np.sin(third), top)
        disc = parts.ring(1e-4, r, top - 0.03, 0.004, 64)
        return Assembly((
            Part("cube", parts.block((self.CUBE_M,) * 3, (self.ORBIT_M, 0, top)), paint(RED), carries=True),
            Part("ball", ball, paint(BLUE), carries=True, smooth_angle_deg=60),
            Part("cone", tip, paint(YELLOW), carries=True, smooth_angle_deg=40),
            Part("ticks", parts.join(*ticks), paint((0.03, 0.03, 0.04)), carries=True),
            Part("disc", parts.moved(disc, z_m=0.03), paint(WHITE), smooth_angle_deg=40),
            Part("stand", parts.cylinder(0.09, 0.03, 40), WOOD, smooth_angle_deg=40),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        turn = (Rotate(quaternion_about((0.0, 0.0, 1.0), float(state["phi"]))),)
        return dict.fromkeys(("cube", "ball", "cone", "ticks", "disc"), turn)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, y, _ = meshes["cube"].vertices.mean(axis=0)
        return {"phi": float(np.arctan2(y, x)) % TURN}

    def measure(self, view: View) -> dict[str, float]:
        """The bearing at which the points seen lie best on a cube's faces (it may be half hidden by the others)."""
        points = view.points_m["cube"]
        if len(points) == 0:
            return {"cube_bearing": float("nan")}
        angle, half = np.deg2rad(np.arange(0.0, 360.0, 1.0))[:, None], self.CUBE_M / 2
        u = points[:, 0] * np.cos(angle) + points[:, 1] * np.sin(angle) - self.ORBIT_M
        v = points[:, 1] * np.cos(angle) - points[:, 0] * np.sin(angle)
        w = points[:, 2] - self.TOP_M - half
        off = np.abs(np.maximum(np.maximum(np.abs(u), np.abs(v)), np.abs(w)) - half).mean(axis=1)
        return {"cube_bearing": float(angle[np.argmin(off), 0])}


@dataclass(frozen=True, kw_only=True)
class FerrisWheel(Event):
    """One place further (eased) every t_m + t_w: phi = p0 + (2 pi / n) (k + 3u^2 - 2u^3); the cabins hang upright."""

    info = facts("ferris_wheel")
    variables = (
        state("phi", "rad", rad(16), domain="angle", flags="periodic", cycle=TURN),
        readout("red_cabin", "rad", rad(16), min_delta=rad(38), domain="angle", flags="periodic", cycle=TURN,
                label="red cabin about the axle, clockwise from the top"),
    )  # fmt: skip

    num_cabins: int = param("n", "count", 6, 9)
    move_s: float = param("t_m", "s", 0.9, 1.4)
    wait_s: float = param("t_w", "s", 0.4, 0.8)
    start_rad: float = angle_param("p0", 0, 360, default_deg=40)

    RADIUS_M = 0.44
    AXLE = (0.0, 0.0, 0.66)
    HANG_M = 0.085  # from a cabin's pin to the middle of its box
    COLOURS = (RED, YELLOW, BLUE, TEAL, PURPLE, YELLOW, BLUE, GREEN, TEAL)

    def states(self, t_s: Array) -> dict[str, Array]:
        period = self.move_s + self.wait_s
        turns = started(t_s) / period
        step = np.floor(turns)
        phi = self.start_rad + TURN / self.num_cabins * (step + ease((turns - step) * period / self.move_s))
        return {"phi": phi % TURN, "red_cabin": phi % TURN}

    def assembly(self) -> Assembly:
        r, (_, _, axle) = self.RADIUS_M, self.AXLE
        rims = [parts.moved(turned(parts.torus(r, 0.011, 64, 8), (1, 0, 0), np.pi / 2), y_m=s * 0.075) for s in (-1, 1)]
        spokes = [
            parts.moved(turned(parts.block((0.014, 0.012, r), (0, 0, 0)), (0, 1, 0), self._bearing(k)), y_m=s * 0.075)
            for k in range(self.num_cabins)
            for s in (-1, 1)
        ]
        hub = turned(parts.moved(parts.cylinder(0.045, 0.24, 24), z_m=-0.12), (1, 0, 0), np.pi / 2)
        legs = [
            beam((x, 0, 0.02), (0, 0, axle), 0.022, 0.022).apply_translation((0, s * 0.13, 0))
            for x in (-0.33, 0.33)
            for s in (-1, 1)
        ]
        foot = parts.moved(parts.bevelled_box((0.86, 0.36, 0.03), 0.004), z_m=0.015)
        cabins = [
            Part(f"cabin_{k}", self._cabin(), paint(self.COLOURS[k]), carries=True) for k in range(self.num_cabins)
        ]
        return Assembly((
            *cabins,
            Part("wheel", parts.join(*rims, *spokes, hub), paint(WHITE), carries=True, smooth_angle_deg=40),
            Part("legs", parts.join(*legs), STEEL),
            Part("foot", foot, paint((0.10, 0.26, 0.08))),
        ))  # fmt: skip

    def _cabin(self) -> trimesh.Trimesh:
        """Tub with a roof on two posts, hanging from its pin at the origin."""
        low = self.HANG_M + 0.06
        tub = parts.block((0.15, 0.12, 0.075), (0, 0, -low))
        roof = cone(0.105, 0.05, 0.02, 4)
        posts = [parts.block((0.012, 0.012, 0.12), (s * 0.065, 0, -low)) for s in (-1, 1)]
        return parts.join(tub, parts.moved(turned(roof, (0, 0, 1), np.pi / 4), z_m=-low + 0.115), *posts)

    def _bearing(self, cabin: int) -> float:
        return TURN * cabin / self.num_cabins

    def channels(self, state: State) -> ChannelMap:
        phi = float(state["phi"])
        bearings = [phi + self._bearing(k) for k in range(self.num_cabins)]
        return {
            **wheel_channels("wheel", phi, self.AXLE),
            **{
                f"cabin_{k}": (Move(at(*self.AXLE) + self.RADIUS_M * at(np.sin(b), 0, np.cos(b))),)
                for k, b in enumerate(bearings)
            },
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        pin = meshes["cabin_0"].vertices[0] - np.asarray(self._cabin().vertices)[0] - self.AXLE
        return {"phi": dials.clockwise_rad(pin) % TURN}

    def measure(self, view: View) -> dict[str, float]:
        """From the middle of the red cabin's outline, up to its pin."""
        points = view.points_m["cabin_0"]
        if len(points) == 0:
            return {"red_cabin": float("nan")}
        middle = (points.min(axis=0) + points.max(axis=0)) / 2 - self.AXLE
        return {"red_cabin": dials.clockwise_rad(middle + at(0, 0, self.HANG_M - 0.01)) % TURN}


@dataclass(frozen=True, kw_only=True)
class FlywheelSpinDown(Event):
    """Drag that grows with speed: w = w0 exp(-t / tr), angle = p0 + w0 tr (1 - exp(-t / tr)); a gauge shows the speed.

    Dry friction in the bearing, which would stop the last slow turn, is left out.
    """

    info = facts("flywheel_spin_down")
    variables = (
        state("w", "rad/s", rad(20), flags="monotone"),
        state("phi", "rad", rad(20), domain="angle", cycle=TURN),
        readout("speed", "rad/s", rad(20), min_delta=rad(42), flags="monotone", label="needle of the speed gauge"),
        readout("angle", "rad", rad(20), domain="angle", cycle=TURN, label="white spoke, clockwise from up"),
    )

    start_rate_rad_per_s: float = angle_param("w0", 150, 260, unit="rad/s")
    decay_s: float = param("tr", "s", 2.5, 4.5)
    start_rad: float = angle_param("p0", 0, 360, default_deg=60)

    RADIUS_M = 0.18
    AXLE = (-0.14, 0.0, 0.22)
    GAUGE = (0.19, 0.0, 0.22)
    GAUGE_M = 0.125
    FULL_RAD_PER_S = rad(300)

    def states(self, t_s: Array) -> dict[str, Array]:
        left = np.exp(-started(t_s) / self.decay_s)
        w = self.start_rate_rad_per_s * left
        phi = (self.start_rad + self.start_rate_rad_per_s * self.decay_s * (1 - left)) % TURN
        return {"w": w, "phi": phi, "speed": w.copy(), "angle": phi.copy()}

    def assembly(self) -> Assembly:
        x, _, z = self.AXLE
        gx, _, gz = self.GAUGE
        stand = parts.join(
            parts.block((0.64, 0.14, 0.022), (0.02, 0.02, 0)),
            parts.block((0.05, 0.02, z + 0.02), (x, 0.045, 0)),
            parts.block((0.04, 0.02, gz), (gx, 0.03, 0)),
        )
        axle = parts.moved(turned(parts.cylinder(0.016, 0.1, 20), (1, 0, 0), np.pi / 2), x, 0.05, z)
        return Assembly((
            *spoked_wheel("wheel", self.RADIUS_M, 0.05, 6, rim_m=0.035),
            *dials.dial("gauge", self.GAUGE_M, self.GAUGE, num_major=7, num_minor=0),
            dials.dial_arc("red_zone", self.GAUGE_M, 1.2, 2.3, self.GAUGE),
            dials.hand("needle", 0.85 * self.GAUGE_M, 0.26 * self.GAUGE_M, material=paint(ORANGE), lift_m=0.004),
            Part("stand", stand, WOOD),
            Part("axle", axle, IRON, smooth_angle_deg=40),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        needle = dials.gauge_rad(float(state["w"]) / self.FULL_RAD_PER_S)
        wheel = marked_wheel_channels("wheel", float(state["phi"]), self.AXLE)
        return {**wheel, **dials.hand_channels("needle", needle, self.GAUGE)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        speed, angle = self._readings({n: np.asarray(m.vertices) for n, m in meshes.items()})
        return {"w": speed, "phi": angle}

    def measure(self, view: View) -> dict[str, float]:
        speed, angle = self._readings(view.points_m)
        return {"speed": speed, "angle": angle}

    def _readings(self, points_m: Mapping[str, Array]) -> tuple[float, float]:
        shown = dials.gauge_share(points_m["needle"], self.GAUGE)
        angle = dials.hand_angle_rad(points_m["wheel_mark"], self.AXLE) % TURN
        return shown * self.FULL_RAD_PER_S, angle
