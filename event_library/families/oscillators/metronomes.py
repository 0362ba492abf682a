"""Metronomes: one that ticks, five that fall into step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap, Move, Rotate, quaternion_about
from event_library.kit import shapes
from event_library.kit.palette import HUES, ORANGE, STEEL, WOOD, paint
from event_library.kit.shapes import at
from event_library.laws import ode_values, started
from event_library.parts import Assembly, Part, Rgb
from event_library.taxonomy import facts

TALL_M = 0.40  # the single metronome
NUM = 5
SPACING_M, SMALL_M = 0.25, 0.30  # between neighbours; height of each
PLANK_M = 0.04  # top of the moving board
SHIFT_M = 0.02  # of the board for a unit of mean sin(phi), against the arms
REACH_RAD = float(np.deg2rad(30))


def metronome(name: str, height_m: float, rgb: Rgb, weight: float = 0.15) -> tuple[Part, ...]:
    """Tapered `{name}_case`, `{name}_dial`, `{name}_arm` and its `{name}_weight` (size as a share of the height)."""
    h = height_m
    cap = parts.moved(shapes.cone(0.13 * h, 0.05 * h, 0.06 * h, 4), z_m=h)
    case = shapes.turned(parts.join(shapes.cone(0.36 * h, h, 0.17 * h, 4), cap), (0.0, 0.0, 1.0), np.pi / 4)
    case.apply_scale((1.0, 0.8, 1.0))
    foot = parts.block((0.56 * h, 0.46 * h, 0.05 * h), shapes.ORIGIN)
    face = _front(h) - 0.012 * h
    plate = shapes.extruded(np.array([(-0.15, 0.24), (0.15, 0.24), (0.095, 0.9), (-0.095, 0.9)]) * h, 0.02 * h)
    shapes.turned(plate, (1.0, 0.0, 0.0), -float(np.arctan(0.8 * 0.19 / np.sqrt(2))), (0.0, 0.0, 0.0))
    rod = shapes.rod((0, 0, -0.02 * h), (0, 0, 0.82 * h), 0.018 * h, 10)
    knob = shapes.turned(parts.cylinder(0.03 * h, 0.04 * h, 20), (1.0, 0.0, 0.0), np.pi / 2)
    w = weight * h
    shape = np.array([(-0.36, 0.0), (0.36, 0.0), (0.5, 0.8), (0.36, 1.0), (-0.36, 1.0), (-0.5, 0.8)]) * w
    slider = parts.moved(shapes.extruded(shape, 0.05 * h), y_m=-0.025 * h, z_m=0.5 * h)
    return (
        Part(f"{name}_case", parts.join(case, foot), WOOD),
        Part(f"{name}_dial", parts.moved(plate, y_m=face), paint((0.80, 0.76, 0.62), 0.6)),
        Part(f"{name}_arm", parts.join(rod, knob), STEEL, carries=True, smooth_angle_deg=40),
        Part(f"{name}_weight", slider, paint(rgb, 0.3), carries=True),
    )


def _front(height_m: float) -> float:
    """y of the foot of the case's front."""
    return -0.36 * height_m * 0.8 / math.sqrt(2)


def pivot_m(height_m: float, place: Array) -> Array:
    """Axis of the arm, in front of the case."""
    return place + at(0.0, _front(height_m) - 0.05 * height_m, 0.16 * height_m)


def metronome_channels(name: str, height_m: float, tilt_rad: float, place: Array) -> dict[str, tuple[Channel, ...]]:
    """Arm tilted to the right by `tilt_rad`, the whole metronome standing at `place`."""
    arm = (Rotate(quaternion_about((0.0, 1.0, 0.0), tilt_rad)), Move(pivot_m(height_m, place)))
    stands = (Move(place),)
    return {f"{name}_case": stands, f"{name}_dial": stands, f"{name}_arm": arm, f"{name}_weight": arm}


def weight_tilt_rad(points_m: Array, pivot: Array) -> float:
    """Tilt of an arm from points of its weight (vertices or visible ones), positive to the right; nan when unseen."""
    if len(points_m) == 0:
        return float("nan")
    middle = points_m.mean(axis=0) - pivot
    return float(np.arctan2(middle[0], middle[2]))


@dataclass(frozen=True, kw_only=True)
class MetronomeTicking(Event):
    """The escapement keeps the swing at its amplitude: theta = A sin(pi bpm / 60 t + p0), one beat a half swing."""

    info = facts("metronome_ticking")
    variables = (
        state("theta", "rad", float(np.deg2rad(5)), domain="angle", flags="periodic bounded"),
        readout("angle", "rad", float(np.deg2rad(5)), min_delta=float(np.deg2rad(16)), domain="angle",
                flags="periodic bounded", label="tilt of the arm, positive to the right"),
    )  # fmt: skip

    tempo_per_min: float = param("bpm", "1/min", 40, 66)
    amplitude_rad: float = angle_param("A", 25, 35)
    phase_rad: float = angle_param("p0", 0, 360)

    def states(self, t_s: Array) -> dict[str, Array]:
        beats = self.tempo_per_min / 60 * started(t_s) % 2.0
        theta = self.amplitude_rad * np.sin(np.pi * beats + self.phase_rad)
        return {"theta": theta, "angle": theta.copy()}

    def assembly(self) -> Assembly:
        return Assembly(metronome("metronome", TALL_M, ORANGE, 0.18))

    def channels(self, state: State) -> ChannelMap:
        return metronome_channels("metronome", TALL_M, float(state["theta"]), at(0.0, 0.0, 0.0))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        pivot = pivot_m(TALL_M, at(0.0, 0.0, 0.0))
        return {"theta": weight_tilt_rad(np.asarray(meshes["metronome_weight"].vertices), pivot)}

    def measure(self, view: View) -> dict[str, float]:
        pivot = pivot_m(TALL_M, at(0.0, 0.0, 0.0))
        return {"angle": weight_tilt_rad(view.points_m["metronome_weight"], pivot)}


@dataclass(frozen=True, kw_only=True)
class MetronomeSync(Event):
    """Kuramoto's phases, to which Pantaleone (2002) reduces metronomes on a moving board; arms at 30 deg sin(phi)."""

    info = facts("metronome_sync")
    variables = (
        state("phi", "rad", 0.2, domain="vector"),
        state("coherence", "frac", 0.1),
        readout("arm_spread", "rad", float(np.deg2rad(6)), min_delta=float(np.deg2rad(14)),
                label="greatest less least tilt of the five arms"),
    )  # fmt: skip

    tempo_per_s: float = param("f", "1/s", 0.45, 0.65)
    coupling_per_s: float = param("Kc", "1/s", 0.6, 0.95)
    spread: float = param("spread", "frac", 0.0, 0.03)
    seed: int = seed_param()

    def start_values(self) -> tuple[float, ...]:
        return _drawn(int(self.seed))[0]

    @property
    def own_rates_rad_per_s(self) -> tuple[float, ...]:
        return tuple(2 * math.pi * self.tempo_per_s * (1 + self.spread * d) for d in _drawn(int(self.seed))[1])

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        own, pull = self.own_rates_rad_per_s, self.coupling_per_s / NUM
        return tuple(
            w + pull * sum(math.sin(other - phi) for other in values) for w, phi in zip(own, values, strict=True)
        )

    def states(self, t_s: Array) -> dict[str, Array]:
        phi = ode_values(self, t_s)
        tilts = REACH_RAD * np.sin(phi)
        return {"phi": phi, "coherence": np.abs(np.exp(1j * phi).mean(axis=1)), "arm_spread": np.ptp(tilts, axis=1)}

    def assembly(self) -> Assembly:
        length = (NUM - 1) * SPACING_M + 0.6 * SMALL_M + 0.02
        rollers = [
            parts.moved(shapes.turned(parts.cylinder(0.014, 0.24, 20), (1.0, 0.0, 0.0), np.pi / 2), x, 0.12, 0.014)
            for x in (-0.3, 0.3)
        ]
        board = parts.block((length, 0.26, PLANK_M - 0.028), (0, 0, 0))
        return Assembly((
            *(part for i in range(NUM) for part in metronome(f"m{i}", SMALL_M, HUES[i], 0.23)),
            Part("board", board, paint((0.16, 0.30, 0.42), 0.5)),
            Part("rollers", parts.join(*rollers), STEEL, smooth_angle_deg=40),
        ))  # fmt: skip

    def _places_m(self, phi: Array) -> Array:
        """[NUM, 3] where the metronomes stand: the board shifts against the mean arm."""
        x = (np.arange(NUM) - (NUM - 1) / 2) * SPACING_M - SHIFT_M * float(np.sin(phi).mean())
        return np.column_stack([x, np.zeros(NUM), np.full(NUM, PLANK_M)])

    def channels(self, state: State) -> ChannelMap:
        phi = np.asarray(state["phi"])
        places = self._places_m(phi)
        found: dict[str, tuple[Channel, ...]] = {"board": (Move(at(places[NUM // 2, 0], 0.0, 0.028)),)}
        for i, (angle, place) in enumerate(zip(REACH_RAD * np.sin(phi), places, strict=True)):
            found |= metronome_channels(f"m{i}", SMALL_M, float(angle), place)
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"arm_spread": _spread_rad({n: np.asarray(m.vertices) for n, m in meshes.items()})}

    def measure(self, view: View) -> dict[str, float]:
        return {"arm_spread": _spread_rad(view.points_m)}


def _spread_rad(points_m: Mapping[str, Array]) -> float:
    """Greatest less least tilt; how far the board has moved is the mean shift of the cases that stand on it."""
    rest = (np.arange(NUM) - (NUM - 1) / 2) * SPACING_M
    cases = [points_m[f"m{i}_case"][:, 0] for i in range(NUM)]
    if min(len(x) for x in cases) == 0:
        return float("nan")
    shift = float(np.mean([(x.min() + x.max()) / 2 for x in cases] - rest))
    tilts = [
        weight_tilt_rad(points_m[f"m{i}_weight"], pivot_m(SMALL_M, at(x + shift, 0.0, PLANK_M)))
        for i, x in enumerate(rest)
    ]
    return float(max(tilts) - min(tilts))


@cache
def _drawn(seed: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Start phases with 0.12 < R < 0.32, and relative detunings in [-1, 1]."""
    rng = np.random.Generator(np.random.PCG64(seed))
    while True:
        phases = rng.uniform(0.0, 2 * np.pi, NUM)
        if 0.12 < abs(np.exp(1j * phases).mean()) < 0.32:
            return tuple(phases.tolist()), tuple(rng.uniform(-1.0, 1.0, NUM).tolist())
