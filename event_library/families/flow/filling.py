"""Flow: filling, draining, spreading, wicking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, Variable, View, param
from event_library.channels import ChannelMap, Move, Scale, Vertices, Visible
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import top_height_m
from event_library.taxonomy import facts

FLOOR_M = 0.012  # top of the glass's thick base
FREEBOARD_M = 0.006  # wall above the fill height
SPOUT_GAP_M = 0.034  # spout above the rim
JET_SPEED_M_PER_S = 0.8  # of the water as it leaves the spout
NECK_M = 0.054  # radius of the tap's bend

WATER = Material(rgb=(0.06, 0.42, 0.90), kind="liquid")
GLASS = Material(rgb=(0.95, 0.97, 0.98), kind="shell", roughness=0.0)
GLASS_EDGE = Material(rgb=(0.62, 0.76, 0.80), roughness=0.15)
CHROME = Material(rgb=(0.66, 0.68, 0.71), roughness=0.3, metallic=0.6)
FOAM = Material(rgb=(0.75, 0.88, 0.95), roughness=0.4)


@dataclass(frozen=True, kw_only=True)
class TankFilling(Event):
    """A tap fills a straight glass: h(t) = min(h0 + Q t / (pi R^2), H)."""

    info = facts("tank_filling")
    variables = (
        Variable(name="h", unit="m", domain="scalar", tolerance=0.005, flags=("monotone", "bounded")),
        Variable(name="inflow", unit="m^3/s", domain="scalar", tolerance=1e-6, flags=("bounded",)),
        Variable(
            name="level", unit="m", domain="scalar", tolerance=0.005, min_delta=0.012, role="readout",
            flags=("monotone", "bounded"), label="water level above the glass floor",
        ),
    )  # fmt: skip
    accept_rules = (
        (
            "filling takes 5 to 22 s",
            lambda e: 5 <= (e.fill_height_m - e.start_level_m) / e.rise_m_per_s <= 22,
        ),
    )

    inflow_m3_per_s: float = param("Q", "m^3/s", 4.0e-5, 1.0e-4)
    radius_m: float = param("R", "m", 0.03, 0.045)
    fill_height_m: float = param("H", "m", 0.14, 0.20)
    start_level_m: float = param("h0", "m", 0.01, 0.03)

    @property
    def area_m2(self) -> float:
        return float(np.pi * self.radius_m**2)

    @property
    def rise_m_per_s(self) -> float:
        return self.inflow_m3_per_s / self.area_m2

    @property
    def spout_m(self) -> float:
        return FLOOR_M + self.fill_height_m + FREEBOARD_M + SPOUT_GAP_M

    def states(self, t_s: Array) -> dict[str, Array]:
        rising = self.start_level_m + self.rise_m_per_s * started(t_s)
        h = np.minimum(rising, self.fill_height_m)
        inflow = np.where((np.asarray(t_s) >= 0) & (rising < self.fill_height_m), self.inflow_m3_per_s, 0.0)
        return {"h": h, "inflow": inflow, "level": h.copy()}

    def assembly(self) -> Assembly:
        wall = parts.disc_prism_radius_m(self.area_m2) + 2e-4
        rim = FLOOR_M + self.fill_height_m + FREEBOARD_M
        glass = parts.lathe(np.array([(wall, FLOOR_M), (wall, rim)]), 64)
        bend = np.linspace(0.0, np.pi, 13)
        neck_x, neck_z = NECK_M * (1 + np.cos(bend)), self.spout_m + 0.018 + NECK_M * np.sin(bend)
        neck = np.column_stack([neck_x, np.zeros_like(bend), neck_z])
        post = np.array([(2 * NECK_M, 0.0, 0.0)])
        tap = parts.join(
            parts.tube(np.vstack([post, neck, [(0.0, 0.0, self.spout_m)]]), 0.0095, 16),
            parts.moved(parts.cylinder(0.013, 0.016, 24), z_m=self.spout_m),
            parts.moved(parts.cylinder(0.024, 0.012, 24), 2 * NECK_M),
            parts.moved(parts.cylinder(0.016, 0.05, 24), 2 * NECK_M, 0.0, 0.03),
            parts.tube(
                np.array([(2 * NECK_M, 0, 0.062), (2 * NECK_M + 0.03, 0, 0.075), (2 * NECK_M + 0.06, 0, 0.1)]),
                0.006,
            ),
        )
        return Assembly(
            parts=(
                Part(
                    "water",
                    parts.disc_prism(self.area_m2, self.fill_height_m),
                    WATER,
                    carries=True,
                    smooth_angle_deg=40,
                ),
                Part("jet", self._jet(self.start_level_m), WATER, carries=True, smooth_angle_deg=60),
                Part("splash", parts.torus(0.0085, 0.0025, 24, 8), FOAM, carries=True, smooth_angle_deg=60),
                Part("glass", glass, GLASS, smooth_angle_deg=40),
                Part(
                    "rim",
                    parts.moved(parts.torus(wall, 0.0014, 64, 8), z_m=rim),
                    GLASS_EDGE,
                    smooth_angle_deg=60,
                ),
                Part("base", parts.cylinder(wall, FLOOR_M - 2e-4, 64), GLASS_EDGE, smooth_angle_deg=40),
                Part("tap", tap, CHROME, smooth_angle_deg=40),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        surface = FLOOR_M + float(state["h"])
        running = Visible(float(state["inflow"]) > 0)
        return {
            "water": (
                Scale(np.array([1.0, 1.0, float(state["h"]) / self.fill_height_m])),
                Move(np.array([0.0, 0.0, FLOOR_M])),
            ),
            "jet": (running, Vertices(np.asarray(self._jet(float(state["h"])).vertices))),
            "splash": (running, Move(np.array([0.0, 0.0, surface]))),
        }

    def _jet(self, h: float) -> trimesh.Trimesh:
        """Falling jet from the spout to the surface; it thins as it speeds up (continuity, free fall)."""
        drop = np.linspace(0.0, self.spout_m - FLOOR_M - h, 9)
        speed = np.sqrt(JET_SPEED_M_PER_S**2 + 2 * GRAVITY_M_PER_S2 * drop)
        radius = np.sqrt(self.inflow_m3_per_s / (np.pi * speed))
        inner = np.column_stack([radius, self.spout_m - drop])
        ends = [(0.0, self.spout_m)], [(0.0, self.spout_m - drop[-1])]
        return parts.lathe(np.vstack([ends[0], inner, ends[1]])[::-1], 14)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"h": float(meshes["water"].volume) / self.area_m2}

    def measure(self, view: View) -> dict[str, float]:
        return {"level": top_height_m(view.points_m["water"], view.pixel_area_m2["water"])[0] - FLOOR_M}
