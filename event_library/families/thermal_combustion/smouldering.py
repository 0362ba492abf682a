"""Glowing points that eat their way along a line: a fuse and an incense stick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, Move, Power, Vertices, Visible
from event_library.kit import copies, flames, furniture, shapes
from event_library.kit.palette import CLAY, WOOD, paint
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part
from event_library.taxonomy import facts

PALE_CORD = Material(rgb=(0.82, 0.68, 0.42), roughness=0.8)
CHAR = Material(rgb=(0.02, 0.018, 0.016), roughness=0.95)
ASH = Material(rgb=(0.42, 0.41, 0.40), roughness=1.0)
EMBER_RGB = (1.0, 0.30, 0.06)


def nearest_arc_m(path_m: Array, points_m: Array) -> Array:
    """[N] arc length at the point of a finely divided path [P, 3] that is nearest to each point [N, 3]."""
    steps = np.linalg.norm(np.diff(path_m, axis=0), axis=1)
    reached = np.concatenate([[0.0], np.cumsum(steps)])
    nearest = np.linalg.norm(points_m[:, None] - path_m, axis=-1).argmin(axis=1)
    return np.asarray(reached[nearest])


@dataclass(frozen=True, kw_only=True)
class FuseBurning(Event):
    """A spark eats along a cord at constant speed (safety fuses are sold by it): s = min(v t, L).

    The cord lies in a sine-generated curve (Langbein & Leopold 1966), which never crosses itself.
    """

    info = facts("fuse_burning")
    variables = (
        state("s", "m", 0.012, flags="monotone bounded"),
        readout("burnt_length", "m", 0.012, min_delta=0.03, flags="monotone bounded", label="cord burnt"),
    )
    accept_rules = (("the cord burns for 6 to 14 s", lambda e: 6 <= e.length_m / e.speed_m_per_s <= 14),)

    speed_m_per_s: float = param("v", "m/s", 0.015, 0.035)
    length_m: float = param("L", "m", 0.18, 0.30)
    seed: int = seed_param()

    CORD_M, BOARD_M, NUM = 0.0035, 0.012, 120

    @cached_property
    def path_m(self) -> Array:
        """[601, 3] middle line of the cord, `length_m` long, winding from left to right on the board."""
        rng = np.random.Generator(np.random.PCG64(self.seed))
        swing, turns = rng.uniform(1.1, 1.6), rng.uniform(1.2, 1.9)
        mirrored = rng.choice([-1.0, 1.0])
        u = np.linspace(0.0, 1.0, 601)
        heading = mirrored * swing * np.sin(2 * np.pi * turns * u + rng.uniform(-0.4, 0.4))
        middle = (heading[1:] + heading[:-1]) / 2
        steps = np.column_stack([np.cos(middle), np.sin(middle)]) * self.length_m / 600
        line = np.vstack([[(0.0, 0.0)], np.cumsum(steps, axis=0)])
        line -= (line.min(axis=0) + line.max(axis=0)) / 2
        return np.column_stack([line, np.full(601, self.BOARD_M + self.CORD_M)])

    def states(self, t_s: Array) -> dict[str, Array]:
        s = np.minimum(self.speed_m_per_s * started(t_s), self.length_m)
        return {"s": s, "burnt_length": s.copy()}

    def triggers(self) -> dict[str, float]:
        return {"burnt_out": self.length_m / self.speed_m_per_s}

    def _cord(self, from_m: float, to_m: float, radius_m: float) -> trimesh.Trimesh:
        line = shapes.along(self.path_m, np.linspace(from_m, max(to_m, from_m + 1e-6), self.NUM))
        return shapes.swept(line, radius_m, 8)

    def assembly(self) -> Assembly:
        low, high = self.path_m.min(axis=0), self.path_m.max(axis=0)
        size = (high[0] - low[0] + 0.03, max(high[1] - low[1] + 0.03, 0.10), self.BOARD_M)
        return Assembly(
            (
                furniture.board("board", size, material=WOOD),
                Part("cord", self._cord(0.0, self.length_m, self.CORD_M), PALE_CORD, carries=True, smooth_angle_deg=60),
                Part("ash", self._cord(0.0, 1e-6, 0.7 * self.CORD_M), CHAR, carries=True, smooth_angle_deg=60),
                flames.ember("spark", 1.7 * self.CORD_M, (1.0, 0.55, 0.15), 8.0),
                flames.flame("flare", 0.022, stout=2.2),
                flames.smoke("smoke", 8, 0.006),
            ),
            (Lamp("light", (0.0, 0.0, 0.03), 0.25, flames.FIRE_RGB, 0.006),),
        )

    def channels(self, state: State) -> ChannelMap:
        s = float(state["s"])
        x, y, z = (float(c) for c in shapes.along(self.path_m, np.array([s]))[0])
        lit = s < self.length_m
        flicker = 0.85 + 0.15 * np.sin(900.0 * s)
        return {
            "cord": (Visible(lit), Vertices(np.asarray(self._cord(s, self.length_m, self.CORD_M).vertices))),
            "ash": (Visible(s > 1e-5), Vertices(np.asarray(self._cord(0.0, s, 0.7 * self.CORD_M).vertices))),
            **flames.ember_channels("spark", (x, y, z), float(lit)),
            **flames.flame_channels("flare", (x, y, z), flicker * lit),
            **flames.smoke_channels("smoke", 8, 0.006, (x, y, z + 0.01), 20.0 * s, 0.7 * lit),
            "light": (Power(0.25 * flicker * lit), Move(shapes.at(x, y, z + 0.02))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        if "cord" not in meshes:
            return {"s": self.length_m}
        rings = np.asarray(meshes["cord"].vertices)[:-2].reshape(self.NUM, 8, 3).mean(axis=1)
        return {"s": self.length_m - shapes.length_m(rings)}

    def measure(self, view: View) -> dict[str, float]:
        spark, ash = view.points_m["spark"], view.points_m["ash"]
        if len(spark):
            return {"burnt_length": float(nearest_arc_m(self.path_m, spark).mean())}
        return {"burnt_length": float(nearest_arc_m(self.path_m, ash).max()) if len(ash) else float("nan")}


@dataclass(frozen=True, kw_only=True)
class IncenseAshColumn(Event):
    """An ember eats down a slanted stick; its ash breaks off whenever it is Lc long: s = min(v tau, L)."""

    info = facts("incense_ash_column")
    variables = (
        state("s", "m", 0.006, flags="monotone bounded"),
        state("ash_length", "m", 0.006, flags="bounded"),
        readout("ember_position", "m", 0.006, min_delta=0.013, flags="monotone bounded", label="burnt off the stick"),
        readout("ash_pieces", "count", 0.0, domain="count", flags="monotone bounded", label="pieces on the tray"),
    )
    accept_rules = (("a piece falls each 1.8 to 3.6 s", lambda e: 1.8 <= e.piece_m / e.burn_m_per_s <= 3.6),)

    burn_rate_m_per_s: float = param("v", "m/s", 4.0e-5, 6.0e-5)
    time_scale: float = param("time_scale", "s/s", 120.0, 260.0)
    piece_m: float = param("Lc", "m", 0.018, 0.026)
    length_m: float = param("L", "m", 0.12, 0.16)

    STICK_M, TRAY_M, SLANT_RAD = 0.003, 0.006, 0.75
    FOOT = (-0.055, 0.02, 0.030)  # where the stick enters its holder

    @property
    def burn_m_per_s(self) -> float:
        return self.burn_rate_m_per_s * self.time_scale

    @property
    def num_pieces(self) -> int:
        """How many break off before the stick is gone."""
        return int(self.length_m / self.piece_m + 1e-9)

    @property
    def along(self) -> Array:
        return shapes.at(np.cos(self.SLANT_RAD), 0.0, np.sin(self.SLANT_RAD))

    def states(self, t_s: Array) -> dict[str, Array]:
        s = np.minimum(self.burn_m_per_s * started(t_s), self.length_m)
        pieces = np.minimum(np.floor(s / self.piece_m + 1e-9), self.num_pieces)
        return {"s": s, "ash_length": s - pieces * self.piece_m, "ember_position": s.copy(), "ash_pieces": pieces}

    def triggers(self) -> dict[str, float]:
        return {f"piece_{k}_falls": k * self.piece_m / self.burn_m_per_s for k in range(1, self.num_pieces + 1)}

    def _point_m(self, burnt_m: float) -> Array:
        return np.asarray(self.FOOT) + (self.length_m - burnt_m) * self.along

    @property
    def slots_m(self) -> Array:
        """[num_pieces, 3] where the pieces come to lie: in front of where the tip was when each broke off."""
        x = self.FOOT[0] + (self.length_m - self.piece_m * np.arange(1, self.num_pieces + 1)) * self.along[0]
        return np.column_stack([x, np.full_like(x, -0.018), np.full_like(x, self.TRAY_M + self.STICK_M)])

    @cached_property
    def _piece(self) -> trimesh.Trimesh:
        knots = np.linspace(-0.5, 0.5, 7) * self.piece_m
        wavy = np.column_stack([0.0006 * np.sin(900 * knots), knots, np.zeros(7)])
        return shapes.swept(wavy, self.STICK_M * np.array([0.8, 1, 0.9, 1, 0.85, 1, 0.8]), 8)

    def assembly(self) -> Assembly:
        holder = parts.block((0.03, 0.03, self.FOOT[2] - self.TRAY_M), (self.FOOT[0], self.FOOT[1], self.TRAY_M))
        return Assembly(
            (
                furniture.tray("tray", (0.19, 0.11), 0.008, material=paint((0.03, 0.035, 0.05), 0.4)),
                Part("holder", holder, CLAY),
                Part(
                    "stick",
                    shapes.rod((0, 0, 0), (0, 0, 1), 0.8 * self.STICK_M),
                    paint((0.45, 0.20, 0.08), 0.8),
                    True,
                    40,
                ),
                Part("ash", shapes.rod((0, 0, 0), (0, 0, 1), self.STICK_M), ASH, True, 40),
                copies.copies("pieces", self._piece, self.slots_m, ASH),
                flames.ember("ember", 1.35 * self.STICK_M, EMBER_RGB, 5.0),
                flames.smoke("smoke", 10, 0.007),
            ),
            (Lamp("light", (0.0, 0.0, 0.1), 0.03, (1.0, 0.35, 0.1), 0.006),),
        )

    def channels(self, state: State) -> ChannelMap:
        s, ash = float(state["s"]), float(state["ash_length"])
        foot, tip, end = self._point_m(self.length_m), self._point_m(s), self._point_m(s - ash)
        lit = s < self.length_m
        shown = (np.arange(self.num_pieces) < state["ash_pieces"]).astype(np.float64)
        x, y, z = (float(c) for c in tip)
        return {
            "stick": (Visible(lit), *_stretched(foot, tip, 0.8 * self.STICK_M)),
            "ash": (Visible(ash > 1e-5), *_stretched(tip, end, self.STICK_M)),
            **copies.copies_channels("pieces", self._piece, self.slots_m, None, shown),
            **flames.ember_channels("ember", (x, y, z), float(lit)),
            **flames.smoke_channels("smoke", 10, 0.007, (x, y, z + 0.004), 12.0 * s, float(lit)),
            "light": (Power(0.03 * lit), Move(shapes.at(x, y - 0.01, z))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        sizes = {n: np.ptp(meshes[n].vertices @ self.along) for n in ("stick", "ash") if n in meshes}
        return {"s": self.length_m - float(sizes.get("stick", 0.0)), "ash_length": float(sizes.get("ash", 0.0))}

    def measure(self, view: View) -> dict[str, float]:
        if len(view.points_m["tray"]) == 0:
            return {"ember_position": float("nan")}
        lying = view.points_m["pieces"]
        found = {"ash_pieces": float(len(np.unique(copies.nearest_copies(lying, self.slots_m)))) if len(lying) else 0.0}
        ember = view.points_m["ember"]
        if len(ember) == 0:
            return {"ember_position": self.length_m if len(view.points_m["stick"]) == 0 else float("nan"), **found}
        return {"ember_position": self.length_m - float(((ember - self.FOOT) @ self.along).mean()), **found}


def _stretched(start_m: Array, end_m: Array, radius_m: float) -> tuple[Vertices]:
    last = end_m if np.linalg.norm(end_m - start_m) > 1e-6 else start_m + shapes.at(0.0, 0.0, 1e-6)
    return (Vertices(np.asarray(shapes.rod(start_m, last, radius_m).vertices)),)
