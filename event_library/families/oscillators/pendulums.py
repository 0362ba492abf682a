"""Oscillators: pendulums, springs, waves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap
from event_library.families.oscillators.ringing import pendulum_rates, swung, tilt_rad
from event_library.kit.faces import grid_faces
from event_library.kit.palette import BOARD, INK, RED_INK
from event_library.laws import GRAVITY_M_PER_S2, ode_values
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import sphere_centre_m
from event_library.taxonomy import facts

TOLERANCE_RAD = float(np.deg2rad(3.5))

# shares of the pendulum's length
BALL = 0.15
CLEARANCE = 0.10  # under the ball at rest, base plank included
BOARD_Y = 0.19  # front of the backdrop behind the plane of swing
SCALE_RADIUS = 0.78  # of the protractor's arc about the pivot

WOOD = Material(rgb=(0.36, 0.20, 0.09), roughness=0.6, pattern=Pattern("wood", (0.26, 0.13, 0.05), 0.03))
CORD = Material(rgb=(0.05, 0.04, 0.04), roughness=0.7)
BALL_PAINT = Material(rgb=(0.80, 0.10, 0.03), roughness=0.25)
BRASS = Material(rgb=(0.80, 0.58, 0.22), roughness=0.3, metallic=0.9)


@dataclass(frozen=True, kw_only=True)
class PendulumSwing(Event):
    """A heavy ball on a string, released from rest at th0; exact in the angle, weakly damped."""

    info = facts("pendulum_swing")
    variables = (
        state("theta", "rad", TOLERANCE_RAD, domain="angle", flags="periodic bounded"),
        state("rate", "rad/s", 0.05, flags="periodic bounded"),
        readout("angle", "rad", TOLERANCE_RAD, min_delta=float(np.deg2rad(9)), domain="angle", flags="periodic bounded",
                label="tilt of the string, positive to the right"),
    )  # fmt: skip

    length_m: float = param("Lp", "m", 0.8, 2.2)
    release_angle_rad: float = angle_param("th0", 14, 25)
    damping_per_s: float = param("gam", "1/s", 0.01, 0.05)

    @property
    def pivot_m(self) -> Array:
        return np.array([0.0, 0.0, self.length_m * (1 + BALL + CLEARANCE)])

    def start_values(self) -> tuple[float, ...]:
        return self.release_angle_rad, 0.0

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        theta, rate = values
        return pendulum_rates(theta, rate, GRAVITY_M_PER_S2 / self.length_m, 2 * self.damping_per_s)

    def states(self, t_s: Array) -> dict[str, Array]:
        theta, rate = ode_values(self, t_s).T
        return {"theta": theta, "rate": rate, "angle": theta.copy()}

    def assembly(self) -> Assembly:
        size = self.length_m
        pivot = float(self.pivot_m[2])
        stand = parts.join(
            parts.block((1.56 * size, 0.5 * size, 0.05 * size), (0, 0.06 * size, 0)),
            *(parts.block((0.07 * size, 0.07 * size, pivot), (side * 0.72 * size, 0.06 * size, 0)) for side in (-1, 1)),
            parts.block((1.56 * size, 0.09 * size, 0.07 * size), (0, 0.06 * size, pivot)),
            parts.block((0.05 * size, 0.12 * size, 0.03 * size), (0, 0.01 * size, pivot - 0.01 * size)),
        )
        board_z = 0.05 * size
        board = parts.block((1.37 * size, 0.02 * size, pivot - board_z), (0, (BOARD_Y + 0.01) * size, board_z))
        ball = parts.moved(parts.sphere(BALL * size), z_m=-size)
        string = parts.moved(parts.cylinder(0.010 * size, size * (1 - BALL), 12), z_m=-size * (1 - BALL))
        cap = parts.moved(parts.cylinder(0.025 * size, 0.03 * size, 16), z_m=-size * (1 - BALL) - 0.012 * size)
        return Assembly(
            parts=(
                Part("string", string, CORD, carries=True, smooth_angle_deg=40),
                Part("ball", ball, BALL_PAINT, carries=True, smooth_angle_deg=60),
                Part("cap", cap, BRASS, carries=True, smooth_angle_deg=40),
                Part("stand", stand, WOOD),
                Part("board", board, BOARD),
                Part("scale", self._scale(), INK),
                Part("zero", self._tick(0.0, 0.16, 0.026), RED_INK),
            )
        )

    def _scale(self) -> trimesh.Trimesh:
        """Protractor on the board: an arc and a tick every 5 degrees, a long one every 10."""
        degrees = [d for d in range(-30, 31, 5) if d != 0]
        ticks = [
            self._tick(np.deg2rad(d), 0.13 if d % 10 == 0 else 0.07, 0.018 if d % 10 == 0 else 0.011) for d in degrees
        ]
        angles = np.linspace(np.deg2rad(-32), np.deg2rad(32), 33)
        inner, outer = (
            np.column_stack([r * np.sin(angles), np.zeros(33), -r * np.cos(angles)]) * self.length_m
            for r in (SCALE_RADIUS - 0.009, SCALE_RADIUS + 0.009)
        )
        arc = trimesh.Trimesh(np.vstack([outer, inner]), grid_faces(2, 33), process=False)
        arc.apply_translation(self.pivot_m + np.array([0.0, (BOARD_Y - 0.004) * self.length_m, 0.0]))
        return parts.join(arc, *ticks)

    def _tick(self, angle_rad: float, length: float, width: float) -> trimesh.Trimesh:
        """One radial mark of the protractor, outwards from its arc (shares of the pendulum's length)."""
        size = self.length_m
        tick = parts.block((width * size, 0.003 * size, length * size), (0, 0, -(SCALE_RADIUS + length) * size))
        tick.apply_transform(trimesh.transformations.rotation_matrix(-angle_rad, [0, 1, 0]))
        return parts.moved(tick, 0.0, (BOARD_Y - 0.003) * size, float(self.pivot_m[2]))

    def channels(self, state: State) -> ChannelMap:
        return dict.fromkeys(("string", "ball", "cap"), swung(float(state["theta"]), self.pivot_m))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"theta": tilt_rad(meshes["string"].vertices.mean(axis=0), self.pivot_m)}

    def measure(self, view: View) -> dict[str, float]:
        return {"angle": tilt_rad(sphere_centre_m(view.points_m["ball"]), self.pivot_m)}
