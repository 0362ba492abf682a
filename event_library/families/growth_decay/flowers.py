"""Potted flowers: one that opens, one that follows the sun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Power, Vertices
from event_library.families.growth_decay.plants import SOIL_SHARE, STEM, farthest_m
from event_library.figures import plants
from event_library.figures.rig import leaf_outline, slab
from event_library.kit import palette, shapes
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part, join, moved, sphere
from event_library.readouts import sphere_centre_m
from event_library.taxonomy import facts


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
