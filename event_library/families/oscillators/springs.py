"""A weight on a spring, a disc on a wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate, Vertices, quaternion_about
from event_library.families.oscillators.ringing import let_go
from event_library.kit import dials, shapes
from event_library.kit.palette import BOARD, BRASS, IRON, RED, RED_INK, WOOD, paint
from event_library.kit.shapes import at
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Part
from event_library.readouts import top_height_m
from event_library.taxonomy import facts

WEIGHT_M = (0.052, 0.10)  # radius, height
HOOK_M = 0.03  # from the spring's end to the weight's top
FREE_SPRING_M = 0.12  # length of the spring without load
GROUND_M = 0.03  # top of the stand's foot
NUM_COILS = 11

DISC_M, DISC_THICK_M = 0.17, 0.03
DISC_Z_M = 0.10  # underside of the disc
ARM_M = 0.36  # height of the arm that holds the wire


@dataclass(frozen=True, kw_only=True)
class MassSpringBob(Event):
    """Hooke's law with weak linear drag from rest, in slow motion: z = -A u(tau), w^2 = k/m - gam^2 (see `let_go`)."""

    info = facts("mass_spring_bob")
    variables = (
        state("z", "m", 0.015, flags="periodic bounded"),
        readout("height", "m", 0.015, min_delta=0.035, flags="periodic bounded", label="of the weight above its rest"),
    )
    accept_rules = (
        ("the spring never goes slack", lambda e: e.amplitude_m <= 0.95 * e.stretch_m),
        ("one swing takes 1.4 to 4 s", lambda e: 1.4 <= 2 * np.pi / e.rate_rad_per_s <= 4),
    )

    mass_kg: float = param("m", "kg", 0.4, 0.6)
    spring_n_per_m: float = param("k", "N/m", 25, 45)
    amplitude_m: float = param("A", "m", 0.06, 0.1)
    damping_per_s: float = param("gam", "1/s", 0.02, 0.2)
    time_scale: float = param("time_scale", "s/s", 0.25, 0.4)

    @property
    def stretch_m(self) -> float:
        """Of the spring under the weight at rest."""
        return self.mass_kg * GRAVITY_M_PER_S2 / self.spring_n_per_m

    @property
    def rate_rad_per_s(self) -> float:
        """In clip time."""
        return self.time_scale * float(np.sqrt(self.spring_n_per_m / self.mass_kg - self.damping_per_s**2))

    @property
    def rest_m(self) -> float:
        """Height of the weight's top at rest."""
        return GROUND_M + 0.02 + self.amplitude_m + WEIGHT_M[1]

    @property
    def beam_m(self) -> float:
        """Height of the spring's upper end."""
        return self.rest_m + HOOK_M + FREE_SPRING_M + self.stretch_m

    def states(self, t_s: Array) -> dict[str, Array]:
        z = -self.amplitude_m * let_go(started(t_s), self.rate_rad_per_s, self.time_scale * self.damping_per_s)
        return {"z": z, "height": z.copy()}

    def assembly(self) -> Assembly:
        top, back = self.beam_m, 0.10
        stand = parts.join(
            parts.block((0.30, 0.26, GROUND_M), (0, 0.03, 0)),
            parts.block((0.035, 0.03, top + 0.03), (-0.125, back, 0)),
            parts.block((0.035, 0.03, top + 0.03), (0.125, back, 0)),
            parts.block((0.285, 0.035, 0.035), (0, back, top + 0.02)),
            parts.block((0.03, back + 0.03, 0.03), (0, back / 2 - 0.01, top)),
        )
        board = parts.block((0.215, 0.012, top - GROUND_M - 0.02), (0, back, GROUND_M))
        front = back - 0.007
        num = int(self.amplitude_m / 0.02) + 1
        marks = dials.scale_marks(
            "marks",
            0.04 * num,
            2 * num,
            (0.062, front, self.rest_m - 0.02 * num),
            every=num,
            mark_m=0.04,
            thick_m=0.005,
        )
        zero = parts.moved(parts.box((0.20, 0.003, 0.006)), 0, front, self.rest_m)
        weight = parts.join(
            shapes.solid_of_revolution(
                np.array([(0.93, -1.0), (1.0, -0.94), (1.0, -0.06), (0.93, 0.0)]) * WEIGHT_M, 40
            ),
        )
        hook = shapes.swept(
            shapes.bezier(np.array([(0, 0, -0.004), (0, 0, 0.02), (0.012, 0, 0.02), (0, 0, HOOK_M)]), 12), 0.004, 8
        )
        return Assembly((
            Part("weight", weight, BRASS, carries=True, smooth_angle_deg=40),
            Part("hook", hook, IRON, carries=True, smooth_angle_deg=60),
            Part("spring", _spring(0.0, 0.2), IRON, carries=True, smooth_angle_deg=60),
            Part("stand", stand, WOOD),
            Part("board", board, BOARD),
            marks,
            Part("zero", zero, RED_INK),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        top = self.rest_m + float(state["z"])
        here = Move(at(0.0, 0.0, top))
        spring = Vertices(np.asarray(_spring(top + HOOK_M, self.beam_m).vertices))
        return {"weight": (here,), "hook": (here,), "spring": (spring,)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"z": float(meshes["weight"].bounds[1, 2]) - self.rest_m}

    def measure(self, view: View) -> dict[str, float]:
        return {"height": top_height_m(view.points_m["weight"], view.pixel_area_m2["weight"])[0] - self.rest_m}


def _spring(low_m: float, high_m: float) -> trimesh.Trimesh:
    """Coil spring of a fixed number of turns between two heights, hung from straight ends."""
    turn = np.linspace(0.0, 2 * np.pi * NUM_COILS, 14 * NUM_COILS + 1)
    share = np.linspace(0.06, 0.94, len(turn))
    radius = 0.026 * np.minimum(
        1.0, 4 * np.minimum(np.linspace(0, NUM_COILS, len(turn)), np.linspace(NUM_COILS, 0, len(turn)))
    )
    path = np.column_stack([radius * np.cos(turn), radius * np.sin(turn), low_m + (high_m - low_m) * share])
    return shapes.swept(np.vstack([[(0, 0, low_m)], path, [(0, 0, high_m)]]), 0.0055, 6)


@dataclass(frozen=True, kw_only=True)
class TorsionDisc(Event):
    """A twisted wire turns a disc back, with weak linear drag: phi = ph0 u(t) of period Tp (see `let_go`)."""

    info = facts("torsion_disc")
    variables = (
        state("phi", "rad", float(np.deg2rad(12)), domain="angle", flags="periodic bounded"),
        readout("bearing", "rad", float(np.deg2rad(12)), min_delta=float(np.deg2rad(40)), domain="angle",
                cycle=2 * np.pi, flags="periodic bounded", label="of the painted sector, 0 at the viewer"),
    )  # fmt: skip

    twist_rad: float = angle_param("ph0", 100, 170)
    period_s: float = param("Tp", "s", 5, 9)
    damping_per_s: float = param("gam", "1/s", 0.01, 0.05)

    def states(self, t_s: Array) -> dict[str, Array]:
        phi = self.twist_rad * let_go(started(t_s), 2 * np.pi / self.period_s, self.damping_per_s)
        return {"phi": phi, "bearing": phi.copy()}

    def assembly(self) -> Assembly:
        fan = np.linspace(-0.45, 0.45, 15) - np.pi / 2
        wedge = 0.97 * DISC_M * np.vstack([[(0.0, 0.0)], np.column_stack([np.cos(fan), np.sin(fan)])])
        sector = parts.moved(shapes.extruded(wedge, 0.003, flat=True), z_m=DISC_THICK_M - 0.001)
        disc = shapes.solid_of_revolution(
            np.array([(0.97, 0.0), (1.0, 0.2), (1.0, 0.8), (0.97, 1.0)]) * [DISC_M, DISC_THICK_M], 64
        )
        hub = parts.moved(shapes.cone(0.02, 0.03, 0.006, 24), z_m=DISC_THICK_M)
        post_y = DISC_M + 0.05
        stand = parts.join(
            parts.cylinder(DISC_M + 0.07, 0.025, 64),
            parts.block((0.05, 0.04, ARM_M), (0, post_y, 0)),
            parts.block((0.05, post_y + 0.04, 0.03), (0, post_y / 2, ARM_M)),
        )
        ticks = [dials.radial_mark(a, 0.84, 0.03, DISC_M + 0.07, 0.98) for a in np.arange(24) * np.pi / 12]
        marks = shapes.placed(parts.join(*ticks), (0.0, 0.0, 0.0255), "up")
        wire = shapes.rod((0.0, 0.0, DISC_Z_M + DISC_THICK_M), (0.0, 0.0, ARM_M), 0.003)
        return Assembly((
            Part("disc", parts.join(disc, hub), paint((0.75, 0.73, 0.66), 0.5), carries=True, smooth_angle_deg=40),
            Part("sector", sector, paint(RED, 0.5), carries=True),
            Part("wire", wire, IRON),
            Part("stand", stand, paint((0.10, 0.16, 0.22), 0.5), smooth_angle_deg=40),
            Part("marks", marks, paint((0.8, 0.8, 0.75), 0.8)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        pose = (Rotate(quaternion_about((0.0, 0.0, 1.0), float(state["phi"]))), Move(at(0.0, 0.0, DISC_Z_M)))
        return {"disc": pose, "sector": pose}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, y, _ = meshes["sector"].vertices.mean(axis=0)
        return {"phi": float(np.arctan2(x, -y))}

    def measure(self, view: View) -> dict[str, float]:
        x, y, _ = view.points_m["sector"].T
        far = np.hypot(x, y)
        return {"bearing": float(np.arctan2((x * far).sum(), -(y * far).sum())) if len(x) else float("nan")}
