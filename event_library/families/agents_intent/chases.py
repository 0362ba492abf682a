"""A cat after a red dot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move
from event_library.families.agents_intent.measuring import axes_m, figure_points_m, named
from event_library.figures import animals
from event_library.kit.palette import WHITE, paint
from event_library.kit.shapes import at
from event_library.laws import ode_values
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.taxonomy import facts

CAT_M = 0.78
CARPET_M = 0.02
EAGER_M = 0.2  # half speed at this distance from the dot
AIM_PER_S = 6.0
NEAR_M = 0.1  # closer than this the cat loses sight of the dot under its nose
CARPET = Material(rgb=(0.05, 0.24, 0.22), roughness=0.95, pattern=Pattern("checker", (0.08, 0.32, 0.29), 0.3))
LASER = Material(rgb=(1.0, 0.02, 0.01), emission_rgb=(1.0, 0.03, 0.02), emission_strength=6.0)


@dataclass(frozen=True, kw_only=True)
class CatLaserDot(Event):
    """Pursuit: the cat turns to the dot, psi' = wm tanh(6 sin(error) / wm), and runs, v = vm d^2 / (d^2 + 0.2^2).

    The dot loops, (A cos phi, B sin 2 phi) with phi = w t + p0. Saturations are smooth (cf. Nahin, Chases and Escapes).
    """

    info = facts("cat_laser_dot")
    variables = (
        state("cat", "m", 0.05, domain="vector", label="place on the carpet"),
        state("psi", "rad", 0.1, domain="angle", cycle=2 * np.pi, label="heading"),
        state("strides", "count", 0.1, flags="monotone", label="strides run"),
        state("dot", "m", 0.05, domain="vector", label="laser dot"),
        readout("cat_x", "m", 0.18, min_delta=0.4, label="cat across the carpet"),
        readout("dot_x", "m", 0.15, label="dot across the carpet"),
    )

    width_m: float = param("A", "m", 0.8, 1.1)
    depth_m: float = param("B", "m", 0.5, 0.7)
    loop_rad_per_s: float = param("w", "rad/s", 0.55, 0.85)
    start_rad: float = angle_param("p0", 0, 360)
    top_speed_m_per_s: float = param("vm", "m/s", 0.9, 1.4)
    turn_rad_per_s: float = param("wm", "rad/s", 2.5, 4.0)

    def dot_m(self, phase_rad: Array | float) -> Array:
        return np.stack([self.width_m * np.cos(phase_rad), self.depth_m * np.sin(2 * np.asarray(phase_rad))], axis=-1)

    def start_values(self) -> tuple[float, ...]:
        """x, y, heading, way run, phase of the dot: at the near edge, facing the dot."""
        x, y = self.dot_m(self.start_rad)
        return 0.0, -self.depth_m, float(np.arctan2(y + self.depth_m, x)), 0.0, self.start_rad

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        x, y, psi, _, phase = values
        dx = self.width_m * float(np.cos(phase)) - x
        dy = self.depth_m * float(np.sin(2 * phase)) - y
        c, s, square = float(np.cos(psi)), float(np.sin(psi)), dx * dx + dy * dy
        aim = AIM_PER_S * (c * dy - s * dx) / (square + NEAR_M**2) ** 0.5
        speed = self.top_speed_m_per_s * square / (square + EAGER_M**2)
        turn = self.turn_rad_per_s * float(np.tanh(aim / self.turn_rad_per_s))
        return speed * c, speed * s, turn, speed, self.loop_rad_per_s

    def states(self, t_s: Array) -> dict[str, Array]:
        run = ode_values(self, np.asarray(t_s, dtype=np.float64))
        dot, strides = self.dot_m(run[:, 4]), run[:, 3] / animals.cat_stride_m(CAT_M, running=True)
        return {
            "cat": run[:, :2], "psi": run[:, 2] % (2 * np.pi), "strides": strides, "dot": dot,
            "cat_x": run[:, 0].copy(), "dot_x": dot[:, 0].copy(),
        }  # fmt: skip

    def assembly(self) -> Assembly:
        x, y = 2 * self.width_m + 0.7, 2 * self.depth_m + 0.8
        return Assembly((
            *animals.cat("cat", CAT_M),
            Part("dot", parts.cylinder(0.07, 0.008, 24), LASER, carries=True),
            Part("carpet", parts.block((x, y, CARPET_M), (0, 0, 0)), CARPET),
            Part("fringe", parts.block((x + 0.1, y - 0.06, 0.6 * CARPET_M), (0, 0, 0)), paint(WHITE, 0.9)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        x, y = np.asarray(state["cat"])
        dot = np.asarray(state["dot"])
        return {
            **animals.cat_channels(
                "cat", CAT_M, (x, y, CARPET_M), float(state["psi"]), float(state["strides"]), running=True
            ),
            "dot": (Move(at(*dot, CARPET_M)),),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, Any]:
        pose = axes_m(named(self.assembly().parts)["cat_body"], meshes["cat_body"])
        return {
            "psi": float(np.arctan2(pose[0, 1], pose[0, 0])),
            "cat": pose[3, :2],
            "dot": meshes["dot"].bounds.mean(axis=0)[:2],
        }

    def measure(self, view: View) -> dict[str, float]:
        """The dot is left out while the cat covers it."""
        cat, dot = figure_points_m(view, "cat"), view.points_m["dot"]
        found = {"cat_x": float(cat[:, 0].mean()) if len(cat) else float("nan")}
        return found | ({"dot_x": float(dot[:, 0].mean())} if len(dot) else {})
