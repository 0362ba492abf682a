"""Potted plants: one that grows, one that wilts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import Channel, ChannelMap, Colour, Move, Vertices
from event_library.figures import plants
from event_library.kit import palette, shapes
from event_library.laws import ease, started
from event_library.parts import Assembly, Material, Part, join, sphere
from event_library.readouts import top_height_m
from event_library.taxonomy import facts

STEM = Material(rgb=(0.22, 0.48, 0.08), roughness=0.6)
LEAF = Material(rgb=(0.06, 0.36, 0.05), roughness=0.5)
FRESH_RGB, LIMP_RGB = (0.06, 0.34, 0.05), (0.34, 0.27, 0.07)
SOIL_SHARE = 0.895  # height of the soil over that of the pot


def farthest_m(points_m: Array, root_m: Array) -> Array:
    """[3] from a root to the visible point that is farthest from it: the tip of a leaf or petal."""
    offsets = np.asarray(points_m) - root_m
    return np.asarray(offsets[np.linalg.norm(offsets, axis=1).argmax()])


def arc_m(length_m: float, tilt_rad: float, num: int = 12) -> Array:
    """[num, 2] (out, up) points of a circular arc from the origin whose chord is tilted by `tilt_rad` from upright.

    It leaves the ground at 0.4 and ends at 1.6 of that tilt; its length stays.
    """
    way = np.linspace(0.0, 1.0, num)
    start, turn = 0.4 * tilt_rad, max(1.2 * tilt_rad, 1e-6)
    out = (np.cos(start) - np.cos(start + turn * way)) / turn
    up = (np.sin(start + turn * way) - np.sin(start)) / turn
    return length_m * np.column_stack([out, up])


@dataclass(frozen=True, kw_only=True)
class SeedlingGrowing(Event):
    """Logistic growth in height (Verhulst 1838); the seed leaves open between 30 and 80 % of the final height."""

    info = facts("seedling_growing")
    variables = (
        state("h", "m", 0.008, flags="monotone bounded"),
        readout("height", "m", 0.008, min_delta=0.016, flags="monotone bounded", label="stem tip above the soil"),
        readout("leaf_angle", "rad", float(np.deg2rad(12)), domain="angle", label="each leaf from their middle"),
    )
    accept_rules = (("it grows fastest 2.2 to 4.8 s into the clip", lambda e: 2.2 <= e.fastest_s <= 4.8),)

    final_m: float = param("Hm", "m", 0.10, 0.18)
    start_m: float = param("h0", "m", 0.008, 0.015)
    rate_per_day: float = param("r", "1/day", 0.5, 0.9)
    time_scale_day_per_s: float = param("time_scale", "day/s", 0.8, 1.6)

    POT_M, LEAF_M = 0.065, 0.062
    GROUND_M = SOIL_SHARE * POT_M

    @property
    def fastest_s(self) -> float:
        return float(np.log(self.final_m / self.start_m - 1) / (self.rate_per_day * self.time_scale_day_per_s))

    def states(self, t_s: Array) -> dict[str, Array]:
        days = self.time_scale_day_per_s * started(t_s)
        h = self.final_m / (1 + (self.final_m / self.start_m - 1) * np.exp(-self.rate_per_day * days))
        opened = np.deg2rad(70) * ease((h / self.final_m - 0.3) / 0.5)
        return {"h": h, "height": h.copy(), "leaf_angle": opened}

    def _stem_line(self, h: float) -> Array:
        way = np.append(np.linspace(0.0, 0.97, 13), 1.0)
        sway = 0.09 * h * (1 - np.cos(2 * np.pi * np.minimum(way / 0.97, 1.0))) / 2
        return np.column_stack([sway, np.zeros(14), self.GROUND_M + h * way])

    def _radii(self, h: float) -> Array:
        return np.linspace(1.0, 0.75, 14) * (0.0026 + 0.016 * h)

    def assembly(self) -> Assembly:
        stem = shapes.swept(self._stem_line(self.final_m), self._radii(self.final_m), 10)
        leaf = plants.leaf_mesh(self.LEAF_M, 0.6 * self.LEAF_M)
        return Assembly(
            (
                Part("stem", stem, STEM, carries=True, smooth_angle_deg=60),
                *(Part(f"leaf_{k}", leaf.copy(), LEAF, carries=True, smooth_angle_deg=50) for k in (0, 1)),
                *plants.pot("pot", self.POT_M),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        h, opened = float(state["h"]), float(state["leaf_angle"])
        size = 0.28 + 0.72 * h / self.final_m
        nod = np.deg2rad(50) * (1 - float(ease(np.array(h / self.final_m / 0.35))))  # the hook that breaks the soil
        found: dict[str, tuple[Channel, ...]] = {
            "stem": (Vertices(np.asarray(shapes.swept(self._stem_line(h), self._radii(h), 10).vertices)),)
        }
        for k, side in ((0, 1.0), (1, -1.0)):
            leaf = plants.leaf_mesh(size * self.LEAF_M, 0.6 * size * self.LEAF_M)
            if side < 0:
                shapes.turned(leaf, (0.0, 0.0, 1.0), np.pi)
            shapes.turned(leaf, (0.0, 1.0, 0.0), nod - side * (np.pi / 2 - opened))
            tip = shapes.at(side * 0.002, 0.0, self.GROUND_M + h)
            found[f"leaf_{k}"] = (Vertices(np.asarray(leaf.vertices)), Move(tip))
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"h": float(meshes["stem"].vertices[-1, 2]) - self.GROUND_M}

    def measure(self, view: View) -> dict[str, float]:
        top, _ = top_height_m(view.points_m["stem"], view.pixel_area_m2["stem"])
        found = {"height": top - self.GROUND_M}
        leaves = [view.points_m[f"leaf_{k}"] for k in (0, 1)]
        if min(len(leaf) for leaf in leaves) >= 4:
            root = shapes.at(0.0, 0.0, top)
            first, second = (farthest_m(leaf, root) for leaf in leaves)
            cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
            found["leaf_angle"] = float(np.arccos(np.clip(cosine, -1.0, 1.0))) / 2
        return found


@dataclass(frozen=True, kw_only=True)
class PlantWilting(Event):
    """Loss of turgor: every stem sinks outwards, theta = theta_m (1 - exp(-(tau / tw)^2)) beyond its first lean.

    A Weibull curve of shape 2 (slow start, then collapse) fitted by eye to time-lapses; no standard law exists.
    """

    info = facts("plant_wilting")
    variables = (
        state("theta", "rad", float(np.deg2rad(7)), domain="angle", flags="monotone bounded"),
        readout("stem_bend", "rad", float(np.deg2rad(7)), domain="angle", min_delta=float(np.deg2rad(16)),
                flags="monotone bounded", label="tilt of the stems from upright"),
    )  # fmt: skip
    accept_rules = (("it has sunk to 63 % after 3.5 to 6.5 s", lambda e: 3.5 <= e.half_h / e.scale_h_per_s <= 6.5),)

    sink_rad: float = angle_param("theta_m", 70, 100)
    half_h: float = param("tw", "h", 7, 12)
    scale_h_per_s: float = param("time_scale", "h/s", 1.4, 2.4)

    NUM, STEM_M, LEAF_M, POT_M = 7, 0.15, 0.07, 0.11
    LEAN_RAD = float(np.deg2rad(14))  # of the fresh stems
    GROUND_M = SOIL_SHARE * POT_M
    BUD_M = 0.0095
    SIDES_RAD = 2 * np.pi * np.arange(NUM) / NUM - np.pi / 2 + 0.2

    def states(self, t_s: Array) -> dict[str, Array]:
        hours = self.scale_h_per_s * started(t_s)
        theta = self.sink_rad * -np.expm1(-((hours / self.half_h) ** 2))
        return {"theta": theta, "stem_bend": self.LEAN_RAD + theta}

    def _base_m(self, k: int) -> Array:
        side = self.SIDES_RAD[k]
        return shapes.at(0.012 * np.cos(side), 0.012 * np.sin(side), self.GROUND_M - 0.002)

    def _line_m(self, k: int, tilt_rad: float) -> Array:
        out, up = arc_m(self.STEM_M * (1.0 - 0.12 * (k % 2)), tilt_rad).T
        side = self.SIDES_RAD[k]
        return self._base_m(k) + np.column_stack([out * np.cos(side), out * np.sin(side), up])

    def _stems(self, tilt_rad: float) -> trimesh.Trimesh:
        radii = np.linspace(0.0042, 0.0026, 12)
        return join(*(shapes.swept(self._line_m(k, tilt_rad), radii, 8) for k in range(self.NUM)))

    def _leaves(self, tilt_rad: float) -> trimesh.Trimesh:
        """Three leaves a stem, which hang with it."""
        droop = min(1.15 * tilt_rad - 0.55, 1.35)  # below the horizontal
        cos, sin = np.cos(droop), np.sin(droop)
        made = []
        for k in range(self.NUM):
            line = self._line_m(k, tilt_rad)
            for node, twist, size in ((5, 0.9, 0.85), (7, -0.9, 1.0), (10, 0.0, 0.9)):
                leaf = plants.leaf_mesh(size * self.LEAF_M, 0.5 * size * self.LEAF_M)
                x, y, z = np.asarray(leaf.vertices).T
                out, up, turn = cos * x + sin * z, cos * z - sin * x, float(self.SIDES_RAD[k]) + twist
                hung = np.column_stack(
                    [out * np.cos(turn) - y * np.sin(turn), out * np.sin(turn) + y * np.cos(turn), up]
                )
                made.append(trimesh.Trimesh(hung + line[node], leaf.faces, process=False))
        return join(*made)

    def assembly(self) -> Assembly:
        bud = Material(rgb=(0.85, 0.16, 0.35), roughness=0.5)
        return Assembly(
            (
                Part("stems", self._stems(self.LEAN_RAD), STEM, carries=True, smooth_angle_deg=60),
                Part("leaves", self._leaves(self.LEAN_RAD), LEAF, carries=True, smooth_angle_deg=50),
                *(Part(f"bud_{k}", sphere(self.BUD_M, 2), bud, True, 180) for k in range(self.NUM)),
                *plants.pot("pot", self.POT_M),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        tilt = self.LEAN_RAD + float(state["theta"])
        dull = 0.75 * float(state["theta"]) / self.sink_rad
        return {
            "stems": (Vertices(np.asarray(self._stems(tilt).vertices)),),
            "leaves": (
                Vertices(np.asarray(self._leaves(tilt).vertices)),
                Colour(palette.blend(FRESH_RGB, LIMP_RGB, dull)),
            ),
            **{f"bud_{k}": (Move(self._line_m(k, tilt)[-1]),) for k in range(self.NUM)},
        }

    def _tilt_rad(self, k: int, tip_m: Array) -> float:
        x, y, z = tip_m - self._base_m(k)
        return float(np.arctan2(x * np.cos(self.SIDES_RAD[k]) + y * np.sin(self.SIDES_RAD[k]), z))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        tilts = [self._tilt_rad(k, meshes[f"bud_{k}"].bounds.mean(axis=0)) for k in range(self.NUM)]
        return {"theta": float(np.mean(tilts)) - self.LEAN_RAD}

    def measure(self, view: View) -> dict[str, float]:
        tilts = [
            self._tilt_rad(k, view.points_m[f"bud_{k}"].mean(axis=0))
            for k in range(self.NUM)
            if len(view.points_m[f"bud_{k}"]) >= 2
        ]
        return {"stem_bend": float(np.median(tilts)) if tilts else float("nan")}
