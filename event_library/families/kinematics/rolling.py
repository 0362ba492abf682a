"""Balls that roll: to rest, through a tunnel, up a slope and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap
from event_library.families.kinematics import balls
from event_library.kit import dials, shapes
from event_library.kit.palette import BLUE, ORANGE, PALE_WOOD, RED, WHITE, WOOD, YELLOW, paint
from event_library.kit.shapes import at
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.taxonomy import facts

FELT = Material(rgb=(0.03, 0.22, 0.10), roughness=0.95)
CHALK = paint(WHITE, 0.8)
CARDBOARD = Material(rgb=(0.45, 0.28, 0.13), roughness=0.85, pattern=Pattern("stripes", (0.38, 0.22, 0.09), 0.05))
PLANK_M = 0.03  # thickness of the boards that balls roll on

TUNNEL_BALL_M = 0.10  # radius
MOUTH_M = 0.24  # where the tunnel begins, measured as the ball's x
BEYOND_M = 0.38  # groove behind the tunnel
RAMP_BALL_M = 0.10


@dataclass(frozen=True, kw_only=True)
class BallRollingToRest(Event):
    """Rolling resistance slows a ball evenly: x = v0 t - a t^2 / 2 until v0 / a (Coulomb's law of rolling friction)."""

    info = facts("ball_rolling_to_rest")
    variables = (
        state("x", "m", 0.05, flags="monotone bounded"),
        state("roll", "rad", 0.5, domain="angle", cycle=balls.CYCLE_RAD, flags="monotone bounded"),
        readout("position", "m", 0.05, min_delta=0.13, flags="monotone bounded", label="way from the start"),
        readout("stripe_angle", "rad", float(np.deg2rad(30)), domain="angle", cycle=balls.CYCLE_RAD,
                label="turn of the ball's gores"),
    )  # fmt: skip
    accept_rules = (
        ("rolling takes 4.5 to 9 s", lambda e: 4.5 <= e.speed_m_per_s / e.slowing_m_per_s2 <= 9),
        ("the ball stops within 1.1 m", lambda e: e.reach_m <= 1.1),
    )

    speed_m_per_s: float = param("v0", "m/s", 0.25, 0.45)
    slowing_m_per_s2: float = param("a", "m/s^2", 0.04, 0.09)
    radius_m: float = param("R", "m", 0.09, 0.12)

    @property
    def reach_m(self) -> float:
        return self.speed_m_per_s**2 / (2 * self.slowing_m_per_s2)

    def states(self, t_s: Array) -> dict[str, Array]:
        ts = np.minimum(started(t_s), self.speed_m_per_s / self.slowing_m_per_s2)
        x = self.speed_m_per_s * ts - self.slowing_m_per_s2 * ts**2 / 2
        roll = x / self.radius_m
        return {"x": x, "roll": roll, "position": x.copy(), "stripe_angle": roll % balls.CYCLE_RAD}

    def assembly(self) -> Assembly:
        length, width = self.reach_m + 3.6 * self.radius_m, 3.4 * self.radius_m
        rails = [
            parts.block((length + 0.06, 0.03, PLANK_M + 0.03), (0, width / 2 + 0.015, 0)),
            *(parts.block((0.03, width, PLANK_M + 0.03), (s * (length / 2 + 0.015), 0, 0)) for s in (-1, 1)),
        ]
        marks = dials.floor_marks(
            "marks", 0.1 * round(self.reach_m / 0.1), round(self.reach_m / 0.1),
            (-self.reach_m / 2, -1.1 * self.radius_m, PLANK_M), mark_m=0.07, thick_m=0.014, material=CHALK,
        )  # fmt: skip
        felt = Part("felt", parts.block((length, width, PLANK_M), shapes.ORIGIN), FELT)
        return Assembly(
            (*balls.gored_ball("ball", self.radius_m, RED), felt, marks, Part("rails", parts.join(*rails), WOOD))
        )

    def channels(self, state: State) -> ChannelMap:
        centre = at(state["x"] - self.reach_m / 2, 0.0, PLANK_M + self.radius_m)
        return balls.ball_channels("ball", centre, float(state["roll"]))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x = float(balls.mesh_centre_m(meshes, "ball")[0]) + self.reach_m / 2
        return {"x": x, "roll": balls.mesh_roll_rad(meshes, "ball")}

    def measure(self, view: View) -> dict[str, float]:
        centre = balls.ball_centre_m(view, "ball")
        return {
            "position": float(centre[0]) + self.reach_m / 2,
            "stripe_angle": balls.ball_roll_rad(view, "ball", centre),
        }


@dataclass(frozen=True, kw_only=True)
class BallThroughTunnel(Event):
    """A ball rolls without slowing: x = x0 + v t; the tunnel hides it but not its law. It stops at the groove's end."""

    info = facts("ball_through_tunnel")
    variables = (
        state("x", "m", 0.05, flags="monotone bounded"),
        readout("position", "m", 0.18, min_delta=0.36, flags="monotone bounded",
                label="way along the groove; unseen means halfway through the tunnel"),
    )  # fmt: skip
    accept_rules = (("the ball is out of sight for 1 to 2.2 s", lambda e: 1 <= e.unseen_s <= 2.2),)

    speed_m_per_s: float = param("v", "m/s", 0.15, 0.22)
    start_m: float = param("x0", "m", 0.0, 0.08)
    tunnel_m: float = param("Lc", "m", 0.44, 0.54)

    @property
    def end_m(self) -> float:
        return MOUTH_M + self.tunnel_m + BEYOND_M

    @property
    def unseen_s(self) -> float:
        return (self.tunnel_m - 2 * TUNNEL_BALL_M) / self.speed_m_per_s

    def states(self, t_s: Array) -> dict[str, Array]:
        x = np.minimum(self.start_m + self.speed_m_per_s * started(t_s), self.end_m)
        return {"x": x, "position": x.copy()}

    def assembly(self) -> Assembly:
        r, length = TUNNEL_BALL_M, self.end_m + 2.3 * TUNNEL_BALL_M
        groove = parts.join(
            parts.block((length, 2.6 * r, PLANK_M), shapes.ORIGIN),
            *(parts.block((length, 0.2 * r, PLANK_M + 0.35 * r), (0, s * 1.2 * r, 0)) for s in (-1, 1)),
            *(parts.block((0.03, 2.6 * r, PLANK_M + 0.8 * r), (s * (length / 2 + 0.015), 0, 0)) for s in (-1, 1)),
        )
        bow = np.linspace(0.0, np.pi, 25)
        arch = np.column_stack([np.cos(bow), np.sin(bow)])
        feet = np.array([(1.0, 0.0)]), np.array([(-1.0, 0.0)])
        outline = np.vstack([
            feet[0] * 1.5 * r, 1.5 * r * arch + [0, r], feet[1] * 1.5 * r,
            feet[1] * 1.36 * r, 1.36 * r * arch[::-1] + [0, r], feet[0] * 1.36 * r,
        ])  # fmt: skip
        tunnel = shapes.turned(shapes.extruded(outline, self.tunnel_m), (0.0, 0.0, 1.0), -np.pi / 2)
        return Assembly((
            *balls.gored_ball("ball", r, YELLOW, ORANGE),
            Part("groove", groove, PALE_WOOD),
            Part("tunnel", parts.moved(tunnel, MOUTH_M - self.end_m / 2), CARDBOARD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        centre = at(state["x"] - self.end_m / 2, 0.0, PLANK_M + TUNNEL_BALL_M)
        return balls.ball_channels("ball", centre, float(state["x"]) / TUNNEL_BALL_M)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"x": float(balls.mesh_centre_m(meshes, "ball")[0]) + self.end_m / 2}

    def measure(self, view: View) -> dict[str, float]:
        """Whole ball: its centre. Partly covered: from the side that sticks out. Unseen: the tunnel's middle."""
        x = balls.ball_points_m(view, "ball")[:, 0] + self.end_m / 2
        middle = MOUTH_M + self.tunnel_m / 2
        if len(x) == 0:
            return {"position": middle if len(view.points_m["tunnel"]) else float("nan")}
        if np.ptp(x) > 1.5 * TUNNEL_BALL_M:
            return {"position": float(balls.ball_centre_m(view, "ball")[0]) + self.end_m / 2}
        return {"position": float(x.min() + TUNNEL_BALL_M if x.mean() < middle else x.max() - TUNNEL_BALL_M)}


@dataclass(frozen=True, kw_only=True)
class BallUpRampReturn(Event):
    """A solid ball rolls up and back without slipping: s = v0 tau - a tau^2 / 2, a = (5/7) g sin(theta), tau slow."""

    info = facts("ball_up_ramp_return")
    variables = (
        state("s", "m", 0.05, flags="bounded"),
        state("v", "m/s", 0.05, flags="bounded"),
        readout("position", "m", 0.05, min_delta=0.14, flags="bounded", label="way up the slope from its foot"),
    )
    accept_rules = (
        ("up and back takes 4.6 to 6.4 s", lambda e: 4.6 <= e.return_s <= 6.4),
        ("the ball turns 0.5 to 0.95 m up", lambda e: 0.5 <= e.top_m <= 0.95),
    )

    speed_m_per_s: float = param("v0", "m/s", 1.1, 1.7)
    slope_rad: float = angle_param("theta", 8, 14)
    time_scale: float = param("time_scale", "s/s", 0.28, 0.42)

    @property
    def pull_m_per_s2(self) -> float:
        return 5 / 7 * GRAVITY_M_PER_S2 * float(np.sin(self.slope_rad))

    @property
    def return_s(self) -> float:
        """Clip time of coming back to the foot."""
        return 2 * self.speed_m_per_s / self.pull_m_per_s2 / self.time_scale

    @property
    def top_m(self) -> float:
        return self.speed_m_per_s**2 / (2 * self.pull_m_per_s2)

    @property
    def upward(self) -> Array:
        return at(np.cos(self.slope_rad), 0.0, np.sin(self.slope_rad))

    @property
    def foot_m(self) -> Array:
        """Where the ball's centre is at s = 0."""
        normal = at(-np.sin(self.slope_rad), 0.0, np.cos(self.slope_rad))
        return at(-self.top_m / 2, 0.0, PLANK_M) + RAMP_BALL_M * normal

    def states(self, t_s: Array) -> dict[str, Array]:
        tau = np.minimum(started(t_s), self.return_s) * self.time_scale
        s = np.maximum(self.speed_m_per_s * tau - self.pull_m_per_s2 * tau**2 / 2, 0.0)
        caught = (np.asarray(t_s) >= self.return_s) | (np.asarray(t_s) < 0)
        v = np.where(caught, 0.0, (self.speed_m_per_s - self.pull_m_per_s2 * tau) * self.time_scale)
        return {"s": s, "v": v, "position": s.copy()}

    def triggers(self) -> dict[str, float]:
        return {"turns_back": self.return_s / 2, "caught": self.return_s}

    def assembly(self) -> Assembly:
        r, length = RAMP_BALL_M, self.top_m + 1.6 * RAMP_BALL_M
        run, rise = length * self.upward[0], length * self.upward[2]
        depth = 3.2 * r
        wedge = shapes.extruded(np.array([(0, 0), (run, 0), (run, PLANK_M + rise), (0, PLANK_M)]), depth)
        marks = [
            shapes.turned(parts.box((0.016, 0.1, 0.002)), (0, 1, 0), -self.slope_rad)
            for _ in range(int(self.top_m / 0.1) + 1)
        ]
        for k, mark in enumerate(marks):
            parts.moved(mark, *(at(0.0, 0.06 - depth / 2, PLANK_M) + 0.1 * k * self.upward))
        catch = parts.join(
            parts.block((2.2 * r, depth, PLANK_M), (-1.1 * r, 0, 0)),
            parts.block((0.25 * r, depth, PLANK_M + 1.2 * r), (-1.25 * r, 0, 0)),
            *(parts.block((1.4 * r, 0.03, PLANK_M + 0.5 * r), (-0.6 * r, s * (depth / 2 - 0.015), 0)) for s in (-1, 1)),
        )
        shift = -self.top_m / 2
        return Assembly((
            *balls.gored_ball("ball", r, BLUE),
            Part("ramp", parts.moved(wedge, shift, -depth / 2), PALE_WOOD),
            Part("marks", parts.moved(parts.join(*marks), shift), paint((0.05, 0.05, 0.08), 0.8)),
            Part("catch", parts.moved(catch, shift), WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        s = float(state["s"])
        return balls.ball_channels("ball", self.foot_m + s * self.upward, s / RAMP_BALL_M)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"s": float((balls.mesh_centre_m(meshes, "ball") - self.foot_m) @ self.upward)}

    def measure(self, view: View) -> dict[str, float]:
        return {"position": float((balls.ball_centre_m(view, "ball") - self.foot_m) @ self.upward)}
