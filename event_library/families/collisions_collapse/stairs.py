"""A ball on a staircase."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts, rigid
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate
from event_library.kit import palette
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import sphere_centre_m
from event_library.taxonomy import facts

BALL_M = 0.275  # radius of an exercise ball
TREAD_M, RISE_M, WIDE_M = 0.30, 0.16, 0.7
LANDING_M = 0.9  # floor between the foot of the stairs and the wall
SHELL = 2 / 3  # moment of inertia of a thin shell over m r^2
FRICTION = 0.6
FINE_STEPS = 20  # time steps within a tick of the bake
SLOW_M_PER_S = 0.15  # an impact below this does not rebound
ROLLING_M_PER_S2 = 0.25  # of the soft ball on a floor
HORIZON_S = 6.0  # physical; the ball lies long before

BALL = Material(rgb=(0.80, 0.05, 0.08), roughness=0.35, pattern=Pattern("stripes", (0.92, 0.80, 0.12), 0.15))


@dataclass(frozen=True, kw_only=True)
class BallDownStairs(Event):
    """Moreau's time stepping of a ball in a plane: Newton's restitution, Coulomb friction with spin (Glocker 2001)."""

    info = facts("ball_down_stairs")
    variables = (
        state("pose", "mixed", 0.01, domain="field", label="position and quaternion"),
        readout(
            "steps_down", "count", 1.0, min_delta=2.0, domain="count", flags="monotone bounded",
            label="step under the ball's middle, the top being 0",
        ),
    )  # fmt: skip

    num_steps: int = param("n", "count", 6, 8)
    speed_m_per_s: float = param("vb", "m/s", 0.7, 1.2)
    restitution_ratio: float = param("er", "ratio", 0.3, 0.6)
    time_scale: float = param("time_scale", "s/s", 0.3, 0.45)

    @property
    def half_m(self) -> float:
        """The staircase is centred on the origin: its top edge is this far left."""
        return (self.num_steps * TREAD_M + LANDING_M) / 2

    def bake(self) -> rigid.Bake:
        """Plane motion at ticks of rigid.STEP_S; energy per kilogram."""
        step = rigid.STEP_S / FINE_STEPS
        x, z, vx, vz, spin = -0.03, BALL_M, self.speed_m_per_s, 0.0, self.speed_m_per_s / BALL_M
        turned, rows, energy, deepest = 0.0, [], [], 0.0
        touched: list[tuple[float, tuple[int, int]]] = []
        for tick in range(round(HORIZON_S / rigid.STEP_S) + 1):
            rows.append((x, z, turned))
            energy.append(
                (vx * vx + vz * vz + SHELL * (BALL_M * spin) ** 2) / 2
                + GRAVITY_M_PER_S2 * (z + self.num_steps * RISE_M)
            )
            for _ in range(FINE_STEPS):
                vz -= GRAVITY_M_PER_S2 * step
                for gap, nx, nz in self._contacts(x, z):
                    deepest = max(deepest, -gap)
                    touched.append((tick * rigid.STEP_S, (0, -1)))
                    vx, vz, spin = self._impact(vx, vz, spin, nx, nz, step)
                x, z, turned = x + vx * step, z + vz * step, turned + spin * step
        poses = np.zeros((len(rows), 1, 7))
        path = np.array(rows)
        poses[:, 0, 0], poses[:, 0, 2] = path[:, 0] - self.half_m, path[:, 1] + self.num_steps * RISE_M
        poses[:, 0, 3], poses[:, 0, 5] = np.cos(path[:, 2] / 2), np.sin(path[:, 2] / 2)
        return rigid.Bake(poses, np.array(energy), deepest, rigid.onsets(touched, [(0, -1)]))

    def _contacts(self, x: float, z: float) -> list[tuple[float, float, float]]:
        """Gap and normal (x, z) of what the ball touches: treads, noses and the wall at the end."""
        found = []
        last = int(self.num_steps)
        at = min(max(math.floor(x / TREAD_M) + 1, 0), last)  # step under the ball's middle; 0 is the top landing
        if (gap := z + at * RISE_M - BALL_M) <= 0:
            found.append((gap, 0.0, 1.0))
        for k in range(max(at - 3, 0), at):  # noses to the left, higher up
            dx, dz = x - k * TREAD_M, z + k * RISE_M
            away = math.hypot(dx, dz)
            if away <= BALL_M and dx > 0 and dz > -RISE_M:
                found.append((away - BALL_M, dx / away, dz / away))
        if (gap := last * TREAD_M + LANDING_M - BALL_M - x) <= 0:
            found.append((gap, -1.0, 0.0))
        return found

    def _impact(
        self, vx: float, vz: float, spin: float, nx: float, nz: float, step: float
    ) -> tuple[float, float, float]:
        """Velocities after a contact with normal (nx, nz); the tangent is (nz, -nx), spin is positive to the right."""
        normal = vx * nx + vz * nz
        if normal >= 0:
            return vx, vz, spin
        push = -normal * (1 + (self.restitution_ratio if -normal > SLOW_M_PER_S else 0.0))
        slip = vx * nz - vz * nx - spin * BALL_M
        grip = min(max(-slip / (1 + 1 / SHELL), -FRICTION * push), FRICTION * push)
        drag = 0.0
        if nz == 1.0 and -normal <= SLOW_M_PER_S:  # rolling on the flat
            rate = vx * nz + grip
            drag = -math.copysign(min(ROLLING_M_PER_S2 * step, abs(rate)), rate)
        vx, vz = vx + push * nx + (grip + drag) * nz, vz + push * nz - (grip + drag) * nx
        return vx, vz, spin - grip / (SHELL * BALL_M) + drag / BALL_M

    @property
    def allowed_overlap_m(self) -> float:
        return 0.005

    def states(self, t_s: Array) -> dict[str, Array]:
        poses = rigid.baked(self).at(started(t_s) * self.time_scale)[:, 0]
        return {"pose": poses, "steps_down": self._step_under(poses[:, 0])}

    def _step_under(self, x_m: Array) -> Array:
        return np.clip(np.floor((x_m + self.half_m) / TREAD_M) + 1, 0.0, float(self.num_steps))

    def assembly(self) -> Assembly:
        num, left = int(self.num_steps), -self.half_m
        steps = [parts.block((0.45, WIDE_M, num * RISE_M), (left - 0.225, 0, 0))]
        steps += [
            parts.block((TREAD_M, WIDE_M, (num - k) * RISE_M), (left + (k - 0.5) * TREAD_M, 0, 0))
            for k in range(1, num)
        ]
        noses = [
            parts.block((0.045, WIDE_M + 0.006, 0.03), (left + k * TREAD_M - 0.0215, 0, (num - k) * RISE_M - 0.0285))
            for k in range(num)
        ]
        right = left + num * TREAD_M + LANDING_M
        wall = parts.block((0.06, WIDE_M, 0.5), (right + 0.03, 0, 0))
        return Assembly(
            parts=(
                Part("ball", parts.sphere(BALL_M), BALL, carries=True, smooth_angle_deg=60),
                Part("stairs", parts.join(*steps), palette.paint((0.55, 0.55, 0.53), 0.8)),
                Part("noses", parts.join(*noses), palette.paint(palette.BLUE)),
                Part("wall", wall, palette.WOOD),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        return {"ball": (Rotate(state["pose"][3:]), Move(state["pose"][:3]))}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"steps_down": float(self._step_under(meshes["ball"].vertices.mean(axis=0)[:1])[0])}

    def measure(self, view: View) -> dict[str, float]:
        return {"steps_down": float(self._step_under(sphere_centre_m(view.points_m["ball"])[:1])[0])}
