"""Pendulums side by side: a cradle, a coupled pair, a graded row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import Channel, ChannelMap, Vertices
from event_library.families.oscillators.ringing import (
    pendulum_length_m,
    pendulum_rates,
    pendulum_swing_rad,
    swung,
    tilt_rad,
)
from event_library.kit import shapes
from event_library.kit.palette import BLUE, CHROME, CORD, DARK, RED, STEEL, WOOD, hue, paint
from event_library.kit.shapes import at
from event_library.laws import GRAVITY_M_PER_S2, ode_values, started
from event_library.parts import Assembly, Part
from event_library.readouts import sphere_centre_m
from event_library.taxonomy import facts

TOLERANCE_RAD = float(np.deg2rad(4))

CRADLE_BALL_M = 0.034
CRADLE_DEPTH_M = 0.09  # from the plane of the balls to either rail
CRADLE_BASE_M = 0.03

BOB = 0.15  # radius of a coupled bob, shares of the pendulum's length
APART = 1.0  # between the pivots
LINK = 0.45  # of the spring below the pivots

WAVE_BOB_M = 0.05
WAVE_STEP_M = 0.08  # from one pendulum of the row to the next
UNLIKE_A_WAVE = 0.2  # share of the tilts' square sum that the best wave may leave


@dataclass(frozen=True, kw_only=True)
class NewtonsCradle(Event):
    """Equal elastic balls hand on their speed at once, so both end balls share one pendulum's swing, a side each.

    theta'' = -(g / L) sin(theta) - 2 gam theta' in slow-motion time; left ball min(theta, 0), right ball max(theta, 0).
    """

    info = facts("newtons_cradle")
    variables = (
        state("left", "rad", TOLERANCE_RAD, domain="angle", flags="periodic bounded"),
        state("right", "rad", TOLERANCE_RAD, domain="angle", flags="periodic bounded"),
        readout("end_angle", "rad", TOLERANCE_RAD, min_delta=float(np.deg2rad(14)), domain="angle",
                flags="periodic bounded", label="left tilt plus right tilt, positive to the right"),
    )  # fmt: skip

    length_m: float = param("Lp", "m", 0.15, 0.25)
    release_rad: float = angle_param("A", 27, 40)
    damping_per_s: float = param("gam", "1/s", 0.02, 0.06)
    time_scale: float = param("time_scale", "s/s", 0.25, 0.45)

    @property
    def rail_m(self) -> float:
        return CRADLE_BASE_M + 0.03 + CRADLE_BALL_M + self.length_m

    def pivot_m(self, ball: int) -> Array:
        return at((ball - 2) * 2.004 * CRADLE_BALL_M, 0.0, self.rail_m)

    def start_values(self) -> tuple[float, ...]:
        return -self.release_rad, 0.0

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        scale = self.time_scale
        own = GRAVITY_M_PER_S2 / self.length_m * scale**2
        return pendulum_rates(values[0], values[1], own, 2 * self.damping_per_s * scale)

    def states(self, t_s: Array) -> dict[str, Array]:
        theta = ode_values(self, t_s)[:, 0]
        return {"left": np.minimum(theta, 0.0), "right": np.maximum(theta, 0.0), "end_angle": theta}

    def assembly(self) -> Assembly:
        half, top = 5.5 * CRADLE_BALL_M, self.rail_m
        legs = [(x, y) for x in (-half, half) for y in (-CRADLE_DEPTH_M, CRADLE_DEPTH_M)]
        frame = parts.join(
            *(shapes.rod((x, y, 0.01), (x, y, top), 0.007) for x, y in legs),
            *(shapes.rod((-half, y, top), (half, y, top), 0.007) for y in (-CRADLE_DEPTH_M, CRADLE_DEPTH_M)),
        )
        base = parts.moved(
            parts.bevelled_box((2 * half + 0.05, 2 * CRADLE_DEPTH_M + 0.05, CRADLE_BASE_M), 0.005),
            z_m=CRADLE_BASE_M / 2,
        )
        balls = []
        for k in range(5):
            ends = k in (0, 4)
            ball = parts.moved(parts.sphere(CRADLE_BALL_M), z_m=-self.length_m)
            wires = parts.join(
                *(shapes.rod((0, y, 0), (0, 0, -self.length_m + 0.9 * CRADLE_BALL_M), 0.0022, 6)
                  for y in (-CRADLE_DEPTH_M, CRADLE_DEPTH_M))
            )  # fmt: skip
            balls += [
                Part(f"ball_{k}", ball, CHROME, carries=ends, smooth_angle_deg=60),
                Part(f"wire_{k}", wires, DARK, carries=ends),
            ]
        return Assembly((*balls, Part("frame", frame, STEEL, smooth_angle_deg=40), Part("base", base, WOOD)))

    def channels(self, state: State) -> ChannelMap:
        tilts = (float(state["left"]), 0.0, 0.0, 0.0, float(state["right"]))
        found: dict[str, tuple[Channel, ...]] = {}
        for k, tilt in enumerate(tilts):
            found[f"ball_{k}"] = found[f"wire_{k}"] = swung(tilt, self.pivot_m(k))
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {
            side: tilt_rad(meshes[f"ball_{k}"].vertices.mean(axis=0), self.pivot_m(k))
            for side, k in (("left", 0), ("right", 4))
        }

    def measure(self, view: View) -> dict[str, float]:
        ends = [tilt_rad(sphere_centre_m(view.points_m[f"ball_{k}"]), self.pivot_m(k)) for k in (0, 4)]
        return {"end_angle": ends[0] + ends[1]}


@dataclass(frozen=True, kw_only=True)
class CoupledPendulums(Event):
    """Two equal pendulums, a weak level spring between the rods, exact in the angles; only the left one is let go.

    th1'' = -w0^2 sin(th1) + kap (sin(th2) - sin(th1)) cos(th1), likewise th2. Small swings beat with the mode rates
    wb - D and wb + D, D = pi / (2 Tx): Tx is their time of full transfer (French, Vibrations and Waves, chapter 5).
    """

    info = facts("coupled_pendulums")
    variables = (
        state("th1", "rad", TOLERANCE_RAD, domain="angle"),
        state("th2", "rad", TOLERANCE_RAD, domain="angle"),
        state("w1", "rad/s", 0.2),
        state("w2", "rad/s", 0.2),
        readout("angle_left", "rad", TOLERANCE_RAD, min_delta=float(np.deg2rad(9)), domain="angle",
                label="tilt of the red pendulum, positive to the right"),
        readout("angle_right", "rad", TOLERANCE_RAD, domain="angle", label="tilt of the blue pendulum"),
    )  # fmt: skip

    transfer_s: float = param("Tx", "s", 3.5, 6.0)
    mean_rate_rad_per_s: float = angle_param("wb", 241, 343, unit="rad/s")
    release_rad: float = angle_param("A", 20, 28)

    @property
    def own_per_s2(self) -> float:
        """w0^2 = g / L, the square of the slow mode's rate."""
        return (self.mean_rate_rad_per_s - np.pi / (2 * self.transfer_s)) ** 2

    @property
    def coupling_per_s2(self) -> float:
        """kap = k h^2 / (m L^2) of a spring k at h below the pivots: the fast mode's rate squared is w0^2 + 2 kap."""
        return ((self.mean_rate_rad_per_s + np.pi / (2 * self.transfer_s)) ** 2 - self.own_per_s2) / 2

    @property
    def length_m(self) -> float:
        return GRAVITY_M_PER_S2 / self.own_per_s2

    def pivot_m(self, side: int) -> Array:
        return at(side * APART / 2, 0.0, 1.27) * self.length_m

    def start_values(self) -> tuple[float, ...]:
        return self.release_rad, 0.0, 0.0, 0.0

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        th1, th2, w1, w2 = values
        own, pull = self.own_per_s2, self.coupling_per_s2 * (math.sin(th2) - math.sin(th1))
        return w1, w2, -own * math.sin(th1) + pull * math.cos(th1), -own * math.sin(th2) - pull * math.cos(th2)

    def states(self, t_s: Array) -> dict[str, Array]:
        th1, th2, w1, w2 = ode_values(self, t_s).T
        return {"th1": th1, "th2": th2, "w1": w1, "w2": w2, "angle_left": th1.copy(), "angle_right": th2.copy()}

    def assembly(self) -> Assembly:
        size, top = self.length_m, float(self.pivot_m(1)[2])
        stand = parts.join(
            parts.block((2.2 * size, 0.5 * size, 0.05 * size), (0, 0.05 * size, 0)),
            *(parts.block((0.07 * size, 0.07 * size, top), (s * 1.05 * size, 0.12 * size, 0)) for s in (-1, 1)),
            parts.block((2.17 * size, 0.08 * size, 0.08 * size), (0, 0.12 * size, top - 0.02 * size)),
            *(shapes.rod(self.pivot_m(s) + at(0, 0.12 * size, 0), self.pivot_m(s) - at(0, 0.04 * size, 0), 0.025 * size)
              for s in (-1, 1)),
        )  # fmt: skip
        made = []
        for side, rgb in ((-1, RED), (1, BLUE)):
            name = _SIDES[side]
            rod = shapes.rod((0, 0, 0), (0, 0, -(1 - BOB) * size), 0.016 * size)
            bob = parts.moved(parts.sphere(BOB * size), z_m=-size)
            made += [
                Part(f"rod_{name}", rod, STEEL, carries=True, smooth_angle_deg=40),
                Part(f"bob_{name}", bob, paint(rgb, 0.25), carries=True, smooth_angle_deg=60),
            ]
        spring = self._spring(0.0, 0.0)
        return Assembly(
            (*made, Part("spring", spring, CHROME, carries=True, smooth_angle_deg=60), Part("stand", stand, WOOD))
        )

    def _spring(self, th1: float, th2: float) -> trimesh.Trimesh:
        """Coil from rod to rod, hooked on at LINK of their length."""
        size, turn = self.length_m, np.linspace(0.0, 2 * np.pi * 12, 12 * 12 + 1)
        ends = [
            self.pivot_m(side) + LINK * size * at(np.sin(th), -0.02, -np.cos(th)) for side, th in ((-1, th1), (1, th2))
        ]
        along = ends[1] - ends[0]
        up = at(-along[2], 0.0, along[0]) / np.hypot(along[0], along[2])
        coil = np.outer(np.cos(turn), up) + np.outer(np.sin(turn), [0.0, 1.0, 0.0])
        path = ends[0] + np.outer(np.linspace(0.03, 0.97, len(turn)), along) + 0.045 * size * coil
        return shapes.swept(np.vstack([ends[:1], path, ends[1:]]), 0.010 * size, 6)

    def channels(self, state: State) -> ChannelMap:
        th1, th2 = float(state["th1"]), float(state["th2"])
        left, right = swung(th1, self.pivot_m(-1)), swung(th2, self.pivot_m(1))
        spring = (Vertices(np.asarray(self._spring(th1, th2).vertices)),)
        return {"rod_left": left, "bob_left": left, "rod_right": right, "bob_right": right, "spring": spring}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {
            f"th{1 if side < 0 else 2}": tilt_rad(meshes[f"bob_{name}"].vertices.mean(axis=0), self.pivot_m(side))
            for side, name in _SIDES.items()
        }

    def measure(self, view: View) -> dict[str, float]:
        return {
            f"angle_{name}": tilt_rad(sphere_centre_m(view.points_m[f"bob_{name}"]), self.pivot_m(side))
            for side, name in _SIDES.items()
        }


_SIDES = {-1: "left", 1: "right"}


@dataclass(frozen=True, kw_only=True)
class PendulumWave(Event):
    """Pendulum k makes exactly N0 + k swings in Tc, lengths tuned for the amplitude (Flaten & Parendo 2001).

    Undamped and exact in the angle (Jacobi's elliptic functions). The pattern at Tc - t is that at t, so the phase step
    between neighbours, 2 pi t / Tc, counts up to half a turn and back.
    """

    info = facts("pendulum_wave")
    variables = (
        state("theta", "rad", TOLERANCE_RAD, domain="vector", flags="periodic bounded"),
        readout("phase_step", "rad", float(np.deg2rad(10)), min_delta=float(np.deg2rad(30)), domain="angle",
                flags="periodic bounded", label="phase between neighbours, folded to [0, pi]"),
    )  # fmt: skip

    accept_rules = (("the longest pendulum is 0.5 to 0.85 m long", lambda e: 0.5 <= e.lengths_m[0] <= 0.85),)

    cycle_s: float = param("Tc", "s", 16, 24)
    least_swings: int = param("N0", "index", 10, 14)
    num_pendulums: int = param("K", "count", 8, 11)
    release_rad: float = angle_param("A", 18, 26)

    @property
    def swings(self) -> Array:
        """[K] swings in a cycle, front to back."""
        return self.least_swings + np.arange(self.num_pendulums, dtype=np.float64)

    @property
    def lengths_m(self) -> Array:
        return np.array([
            pendulum_length_m(self.cycle_s / n, self.release_rad, GRAVITY_M_PER_S2) for n in self.swings
        ])  # fmt: skip

    def pivots_m(self) -> Array:
        """[K, 3] along the beam, the longest pendulum in front."""
        num = self.num_pendulums
        y = (np.arange(num) - (num - 1) / 2) * WAVE_STEP_M
        return np.column_stack([np.zeros(num), y, np.full(num, float(self.lengths_m[0]) + WAVE_BOB_M + 0.05)])

    def states(self, t_s: Array) -> dict[str, Array]:
        share = started(t_s) / self.cycle_s % 1.0
        theta = pendulum_swing_rad(self.swings * share[:, None], self.release_rad)
        return {"theta": theta, "phase_step": np.pi - np.abs(2 * np.pi * share - np.pi)}

    def assembly(self) -> Assembly:
        lengths, pivots = self.lengths_m, self.pivots_m()
        front, back, top = float(pivots[0, 1]) - 0.05, float(pivots[-1, 1]) + 0.05, float(pivots[0, 2])
        wide = float(lengths[0]) * np.sin(self.release_rad) + WAVE_BOB_M + 0.06
        stand = parts.join(
            parts.block((2 * wide + 0.04, back - front + 0.08, 0.02), (0, (front + back) / 2, 0)),
            parts.block((0.024, back - front, 0.024), (0, (front + back) / 2, top)),
            *(shapes.beam((s * wide, back, 0.01), (0.0, back, top + 0.02), 0.026, 0.026) for s in (-1, 1)),
            *(shapes.beam((s * wide, front, 0.01), (0.0, front, top + 0.02), 0.026, 0.026) for s in (-1, 1)),
        )
        made = []
        for k, length in enumerate(lengths):
            strings = [shapes.rod((0, y, 0), (0, 0, -length), 0.0022, 6) for y in (-0.03, 0.03)]
            bob = parts.moved(parts.sphere(WAVE_BOB_M, 2), z_m=-length)
            made += [
                Part(f"bob_{k}", bob, paint(hue(0.85 * k / len(lengths)), 0.25), carries=True, smooth_angle_deg=60),
                Part(f"strings_{k}", parts.join(*strings), CORD),
            ]
        return Assembly((*made, Part("stand", stand, WOOD)))

    def channels(self, state: State) -> ChannelMap:
        found: dict[str, tuple[Channel, ...]] = {}
        for k, (theta, pivot) in enumerate(zip(state["theta"], self.pivots_m(), strict=True)):
            found[f"bob_{k}"] = found[f"strings_{k}"] = swung(float(theta), pivot)
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, Any]:
        tilts = self._tilts_rad({n: m.vertices.mean(axis=0) for n, m in meshes.items()})
        return {"theta": tilts, "phase_step": self._phase_step(tilts, 7201)}

    def measure(self, view: View) -> dict[str, float]:
        tilts = self._tilts_rad({n: _bob_centre_m(p) for n, p in view.points_m.items()})
        return {"phase_step": self._phase_step(tilts, 181)}

    def _tilts_rad(self, centres_m: Mapping[str, Array]) -> Array:
        """[K] tilt of each pendulum, nan where its bob isn't seen."""
        return np.array([tilt_rad(centres_m[f"bob_{k}"], pivot) for k, pivot in enumerate(self.pivots_m())])

    def _phase_step(self, tilts: Array, num: int) -> float:
        """Step whose wave cos((N0 + k) step) fits the tilts of the bobs seen best, its height left free.

        nan when that leaves too much: the bobs seen then draw no such wave.
        """
        seen = np.isfinite(tilts)
        if seen.sum() < 5:
            return float("nan")
        steps = np.linspace(0.0, np.pi, num)
        waves = np.cos(np.outer(steps, self.swings[seen]))
        heights = (waves @ tilts[seen]) / (waves**2).sum(axis=1)
        left = ((tilts[seen] - heights[:, None] * waves) ** 2).sum(axis=1)
        left[heights <= 0] = np.inf
        best = int(np.argmin(left))
        return float(steps[best]) if left[best] <= UNLIKE_A_WAVE * (tilts[seen] ** 2).sum() else float("nan")


def _bob_centre_m(points_m: Array) -> Array:
    """Centre of a bob, or roughly so where other bobs cover most of it."""
    if len(points_m) >= 6:
        return sphere_centre_m(points_m)
    return points_m.mean(axis=0) if len(points_m) else np.full(3, np.nan)
