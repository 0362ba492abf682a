"""Potted plants: one that grows, one that wilts, one that opens its flower, one that follows the sun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import Channel, ChannelMap, Colour, Move, Power, Vertices
from event_library.figures import plants
from event_library.figures.rig import leaf_outline, slab
from event_library.kit import palette, shapes
from event_library.laws import ease, started
from event_library.parts import Assembly, Lamp, Material, Part, join, moved, sphere
from event_library.readouts import sphere_centre_m, top_height_m
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


@dataclass(frozen=True, kw_only=True)
class FlowerOpening(Event):
    """Logistic opening (van Doorn & van Meeteren 2003): phi = 8 + 77 / (1 + exp(-(tau - tm) / s)) degrees."""

    info = facts("flower_opening")
    variables = (
        state("phi", "rad", float(np.deg2rad(7)), domain="angle", flags="monotone bounded"),
        readout("petal_angle", "rad", float(np.deg2rad(7)), domain="angle", min_delta=float(np.deg2rad(16)),
                flags="monotone bounded", label="petals from the flower's axis"),
    )  # fmt: skip
    accept_rules = (("half open 2.8 to 4.6 s into the clip", lambda e: 2.8 <= e.middle_h / e.scale_h_per_s <= 4.6),)

    middle_h: float = param("tm", "h", 2.6, 4.4)
    spread_h: float = param("s", "h", 0.5, 1.0)
    scale_h_per_s: float = param("time_scale", "h/s", 0.8, 1.1)
    num_petals: int = param("petals", "count", 5, 9)

    POT_M, STEM_M, PETAL_M, HINGE_M = 0.07, 0.075, 0.095, 0.006
    TOP_M = SOIL_SHARE * POT_M + STEM_M  # where the petals are hinged

    def states(self, t_s: Array) -> dict[str, Array]:
        late = (self.scale_h_per_s * started(t_s) - self.middle_h) / self.spread_h
        phi = np.deg2rad(8) + np.deg2rad(77) / (1 + np.exp(-np.minimum(late, 500.0)))
        return {"phi": phi, "petal_angle": phi.copy()}

    @property
    def sides_rad(self) -> Array:
        return 2 * np.pi * np.arange(self.num_petals) / self.num_petals - np.pi / 2

    def _hinge_m(self, k: int) -> Array:
        side = self.sides_rad[k]
        return shapes.at(self.HINGE_M * np.cos(side), self.HINGE_M * np.sin(side), self.TOP_M)

    def _petal(self, phi_rad: float, side_rad: float) -> trimesh.Trimesh:
        """A spoon from its root at the origin, `phi_rad` from upright."""
        width = min(0.62, 2.9 / self.num_petals) * self.PETAL_M
        petal = slab(leaf_outline(self.PETAL_M, width, 18, 1.25), 0.003)
        vertices = np.asarray(petal.vertices)
        vertices[:, 2] += 0.9 * vertices[:, 1] ** 2 / width
        vertices[:, 2] -= 0.10 * self.PETAL_M * np.sin(np.pi * vertices[:, 0] / self.PETAL_M)  # a bellied bud
        petal.vertices = vertices
        shapes.turned(petal, (0.0, 1.0, 0.0), phi_rad - np.pi / 2)
        return shapes.turned(petal, (0.0, 0.0, 1.0), side_rad)

    def assembly(self) -> Assembly:
        ground = SOIL_SHARE * self.POT_M
        petal = Material(rgb=(0.85, 0.10, 0.32), roughness=0.5)
        stem = shapes.rod((0, 0, ground - 0.004), (0, 0, self.TOP_M), 0.0045, 12)
        cup = moved(shapes.ellipsoid((0.028, 0.028, 0.020)), z_m=self.TOP_M - 0.004)
        leaves = []
        for side in (0.3, 3.6):
            leaf = shapes.turned(plants.leaf_mesh(0.075, 0.03), (0.0, 1.0, 0.0), -0.5)
            leaves.append(moved(shapes.turned(leaf, (0.0, 0.0, 1.0), side), 0.0, 0.0, ground + 0.02))
        heart = moved(shapes.ellipsoid((0.030, 0.030, 0.022)), z_m=self.TOP_M + 0.010)
        return Assembly(
            (
                *(
                    Part(f"petal_{k}", self._petal(0.14, side), petal, carries=True, smooth_angle_deg=60)
                    for k, side in enumerate(self.sides_rad)
                ),
                Part("heart", heart, Material(rgb=(0.92, 0.60, 0.04), roughness=0.9), smooth_angle_deg=180),
                Part("stem", join(stem, cup, *leaves), STEM, smooth_angle_deg=50),
                *plants.pot("pot", self.POT_M, (0.10, 0.25, 0.50)),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        return {
            f"petal_{k}": (
                Vertices(np.asarray(self._petal(float(state["phi"]), float(side)).vertices)),
                Move(self._hinge_m(k)),
            )
            for k, side in enumerate(self.sides_rad)
        }

    def _open_rad(self, k: int, points_m: Array) -> float:
        x, y, z = farthest_m(points_m, self._hinge_m(k))
        return float(np.arctan2(x * np.cos(self.sides_rad[k]) + y * np.sin(self.sides_rad[k]), z))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        spokes = [
            farthest_m(meshes[f"petal_{k}"].vertices[[9, 27]].mean(axis=0)[None], self._hinge_m(k)) for k in (0, 1)
        ]
        return {"phi": float(np.mean([np.arctan2(np.hypot(x, y), z) for x, y, z in spokes]))}

    def measure(self, view: View) -> dict[str, float]:
        front = [k for k in range(self.num_petals) if np.sin(self.sides_rad[k]) < 0.35]
        seen = [(k, view.points_m[f"petal_{k}"]) for k in front if len(view.points_m[f"petal_{k}"]) >= 4]
        return {"petal_angle": float(np.median([self._open_rad(k, p) for k, p in seen])) if seen else float("nan")}


@dataclass(frozen=True, kw_only=True)
class SunflowerTracking(Event):
    """A head that follows the sun's azimuth with a lag: d psi / d tau = (S - psi) / TL, S moving at w from -80 to +80.

    First-order lag, as fitted to growing heads (Lang & Begg 1979; Vandenbrink et al. 2014).
    """

    info = facts("sunflower_tracking")
    variables = (
        state("S", "rad", float(np.deg2rad(8)), domain="angle", flags="monotone bounded"),
        state("psi", "rad", float(np.deg2rad(8)), domain="angle", flags="monotone bounded"),
        readout("head_azimuth", "rad", float(np.deg2rad(8)), domain="angle", min_delta=float(np.deg2rad(17)),
                flags="monotone bounded", label="where the head faces, 0 to the viewer, positive to the right"),
        readout("sun_azimuth", "rad", float(np.deg2rad(8)), domain="angle", flags="monotone bounded"),
    )  # fmt: skip

    sweep_rad_per_h: float = angle_param("w", 13, 16, unit="rad/h")
    lag_h: float = param("TL", "h", 0.6, 1.6)
    scale_h_per_s: float = param("time_scale", "h/s", 0.8, 1.3)

    END_RAD = float(np.deg2rad(80))
    HEIGHT_M, POT_M, FACE_RAD = 0.25, 0.07, 1.15  # FACE_RAD: of the head from the zenith
    ORBIT_M, SUN_Z, SUN_M = 0.20, 0.38, 0.024

    @property
    def noon_h(self) -> float:
        """When the sun stops."""
        return 2 * self.END_RAD / self.sweep_rad_per_h

    def states(self, t_s: Array) -> dict[str, Array]:
        hours = self.scale_h_per_s * started(t_s)
        moving = np.minimum(hours, self.noon_h)
        sun = -self.END_RAD + self.sweep_rad_per_h * moving
        behind = -self.sweep_rad_per_h * self.lag_h * np.expm1(-moving / self.lag_h)
        psi = sun - behind * np.exp(-(hours - moving) / self.lag_h)
        return {"S": sun, "psi": psi, "head_azimuth": psi.copy(), "sun_azimuth": sun.copy()}

    def triggers(self) -> dict[str, float]:
        return {"sun_stops": self.noon_h / self.scale_h_per_s}

    def assembly(self) -> Assembly:
        angle = np.linspace(-1.05 * self.END_RAD, 1.05 * self.END_RAD, 33)
        rail = np.column_stack([
            self.ORBIT_M * np.sin(angle), -self.ORBIT_M * np.cos(angle), np.full(33, self.SUN_Z + self.SUN_M + 0.004)
        ])  # fmt: skip
        glow = Material(rgb=(1.0, 0.8, 0.3), emission_rgb=(1.0, 0.75, 0.3), emission_strength=6.0)
        return Assembly(
            (
                *plants.sunflower("flower", self.HEIGHT_M),
                Part("sun", sphere(self.SUN_M, 3), glow, carries=True, smooth_angle_deg=180),
                Part("rail", shapes.swept(rail, 0.0022, 8), palette.IRON, smooth_angle_deg=60),
                *plants.pot("pot", self.POT_M),
            ),
            (Lamp("light", (0.0, 0.0, 0.3), 1.7, (1.0, 0.85, 0.6), self.SUN_M),),
        )

    def channels(self, state: State) -> ChannelMap:
        sun, psi = float(state["S"]), float(state["psi"])
        at = shapes.at(self.ORBIT_M * np.sin(sun), -self.ORBIT_M * np.cos(sun), self.SUN_Z)
        root = (0.0, 0.0, SOIL_SHARE * self.POT_M - 0.003)
        return {
            **plants.sunflower_channels("flower", self.HEIGHT_M, root, psi - np.pi / 2, self.FACE_RAD),
            "sun": (Move(at),),
            "light": (Power(1.7), Move(at - shapes.at(0.0, 0.0, 0.02))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, y, _ = meshes["sun"].bounds.mean(axis=0)
        return {
            "psi": _faced_rad(np.asarray(meshes["flower_petals"].vertices)),
            "S": float(np.arctan2(x, -y)),
        }

    def measure(self, view: View) -> dict[str, float]:
        head = np.vstack([view.points_m["flower_petals"], view.points_m["flower_centre"]])
        facing = _faced_rad(head) if len(head) >= 8 else float("nan")
        found = {"head_azimuth": facing}
        if len(view.points_m["sun"]) >= 6:
            x, y, _ = sphere_centre_m(view.points_m["sun"])
            found["sun_azimuth"] = float(np.arctan2(x, -y))
        return found


def _faced_rad(points_m: Array) -> float:
    """Azimuth, 0 to the viewer and positive to the right, of the upward normal of the plane through points [N, 3]."""
    normal = np.linalg.svd(points_m - points_m.mean(axis=0), full_matrices=False)[2][2]
    normal = normal * np.sign(normal[2])
    return float(np.arctan2(normal[0], -normal[1]))
