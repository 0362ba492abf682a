"""A fountain on a solar panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import Channel, ChannelMap, Move, Power
from event_library.families.causal_chains.pieces import cable, rad
from event_library.figures import rig, trees
from event_library.kit import streams
from event_library.kit.palette import (
    BRASS,
    IRON,
    STEEL,
    WATER,
    paint,
)
from event_library.kit.shapes import at, rod
from event_library.laws import GRAVITY_M_PER_S2, ease, started
from event_library.parts import Assembly, Lamp, Material, Part, Pattern
from event_library.taxonomy import facts


@dataclass(frozen=True, kw_only=True)
class SunriseSolarFountain(Event):
    """A level solar panel gives sin(elevation) of its power; with over a tenth a pump lifts water by the rest.

    z = Hj (sin el - 0.1) / 0.9, the head that the surplus power keeps up. The sun stops at the zenith.
    """

    info = facts("sunrise_solar_fountain")
    variables = (
        state("el", "rad", rad(6), domain="angle", flags="monotone bounded"),
        state("z", "m", 0.02, flags="monotone bounded"),
        readout("jet_height", "m", 0.02, min_delta=0.045, flags="monotone bounded", label="top of the fountain"),
        readout("elevation", "rad", rad(6), domain="angle", flags="monotone bounded", label="bearing of the sun"),
    )

    start_rad: float = angle_param("el0", -6, 4)
    rise_rad_per_s: float = angle_param("w", 6, 10, unit="rad/s")
    jet_m: float = param("Hj", "m", 0.22, 0.32)

    IDLE = 0.1  # share of power that the pump needs to start
    ORBIT_M, GARDEN_M, SUN_M = 0.46, 0.10, 0.042
    SUN_Y_M, POWER_W = 0.02, 25.0
    BASIN, BASIN_M, NUM_JETS = (-0.13, -0.02), 0.13, 6
    NOZZLE_Z_M = 0.135

    def states(self, t_s: Array) -> dict[str, Array]:
        el = np.minimum(self.start_rad + self.rise_rad_per_s * started(t_s), np.pi / 2)
        z = self.jet_m * np.maximum(np.sin(el) - self.IDLE, 0.0) / (1 - self.IDLE)
        return {"el": el, "z": z, "jet_height": z.copy(), "elevation": el.copy()}

    def triggers(self) -> dict[str, float]:
        idle = float(np.arcsin(self.IDLE))
        return {"pump_starts": (idle - self.start_rad) / self.rise_rad_per_s}

    def _sun_m(self, el_rad: float) -> Array:
        """On a circle about the foot of the garden's middle; the horizon is the garden's ground."""
        return at(self.ORBIT_M * np.cos(el_rad), self.SUN_Y_M, self.GARDEN_M + self.ORBIT_M * np.sin(el_rad))

    def assembly(self) -> Assembly:
        (bx, by), g, r = self.BASIN, self.GARDEN_M, self.BASIN_M
        lawn = Material(rgb=(0.07, 0.26, 0.04), roughness=0.95, pattern=Pattern("speckle", (0.04, 0.18, 0.03), 0.02))
        soil = parts.block((0.72, 0.34, g - 0.012), (-0.02, 0.0, 0.0))
        wall = parts.moved(parts.ring(r, r + 0.018, 0.04, 0.004, 48), bx, by, g - 0.002)
        pool = parts.moved(parts.cylinder(r, 0.027, 48), bx, by, g - 0.001)
        nozzle = parts.moved(parts.cylinder(0.013, self.NOZZLE_Z_M - g, 20), bx, by, g)
        tilt = rig.turned((1, 0, 0), 0.5)
        panel = parts.box((0.13, 0.10, 0.008)).apply_transform(tilt)
        cells = [
            parts.moved(parts.box((0.027, 0.04, 0.002)), -0.045 + 0.03 * i, -0.022 + 0.044 * j, 0.005)
            for i in range(4) for j in range(2)
        ]  # fmt: skip
        grid = parts.join(*cells).apply_transform(tilt)
        px, py, pz = 0.17, -0.07, g + 0.075
        leg = rod((px, py, g - 0.005), (px, py, pz), 0.008)
        sun = Material(rgb=(1.0, 0.75, 0.3), emission_rgb=(1.0, 0.56, 0.12), emission_strength=1.8)
        bush = [
            p for k, (x, y) in enumerate([(0.05, 0.11), (-0.32, 0.10)]) for p in _tree(f"tree_{k}", (x, y, g - 0.006))
        ]
        return Assembly((
            *(streams.jet(f"jet_{k}") for k in range(self.NUM_JETS)),
            Part("sun", parts.sphere(self.SUN_M), sun, carries=True, smooth_angle_deg=180),
            Part("pool", pool, WATER),
            Part("basin", wall, paint((0.55, 0.53, 0.50), 0.8), smooth_angle_deg=40),
            Part("nozzle", nozzle, BRASS, smooth_angle_deg=40),
            Part("panel", parts.moved(panel, px, py, pz), STEEL),
            Part("cells", parts.moved(grid, px, py, pz), paint((0.02, 0.05, 0.22), 0.15)),
            Part("leg", leg, IRON, smooth_angle_deg=40),
            cable("cable", [(px, py, g + 0.03), (px - 0.03, py - 0.05, g), (0.06, -0.10, g - 0.004), (0.0, -0.04, g)]),
            *bush,
            Part("lawn", parts.block((0.72, 0.34, 0.012), (-0.02, 0.0, g - 0.012)), lawn),
            Part("soil", soil, paint((0.20, 0.11, 0.05), 0.95)),
        ), (Lamp("sunlight", (0.0, 0.0, 0.5), self.POWER_W, (1.0, 0.80, 0.52), 1.15 * self.SUN_M),))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        el, z = float(state["el"]), float(state["z"])
        upward = float(np.sqrt(2 * GRAVITY_M_PER_S2 * z))
        flight_s = max(2 * upward / GRAVITY_M_PER_S2, 1e-6)
        outward = min(0.75 * self.BASIN_M, 0.5 * z) / flight_s
        jets: dict[str, tuple[Channel, ...]] = {}
        for k in range(self.NUM_JETS):
            angle = 2 * np.pi * (k + 0.5) / self.NUM_JETS
            velocity = (outward * float(np.cos(angle)), outward * float(np.sin(angle)), upward)
            jets |= streams.parabolic_jet_channels(
                f"jet_{k}", 3.2e-5, (*self.BASIN, self.NOZZLE_Z_M), velocity, self.NOZZLE_Z_M, running=z > 1e-4
            )
        sun = self._sun_m(el)
        risen = float(ease(np.asarray((el + rad(3)) / rad(12))))
        return {
            **jets,
            "sun": (Move(sun),),
            "sunlight": (Move(sun), Power(self.POWER_W * risen)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        sun = (meshes["sun"].bounds[0] + meshes["sun"].bounds[1]) / 2
        found = {"el": float(np.arctan2(sun[2] - self.GARDEN_M, sun[0])), "z": 0.0}
        if "jet_0" in meshes:
            rings = np.asarray(meshes["jet_0"].vertices)[:-2].reshape(streams.JET_RINGS, -1, 3)
            found["z"] = float(rings.mean(axis=1)[:, 2].max()) - self.NOZZLE_Z_M
        return found

    def measure(self, view: View) -> dict[str, float]:
        jets = [view.points_m[f"jet_{k}"][:, 2] for k in range(self.NUM_JETS)]
        tops, still = np.concatenate(jets), 0.0 if len(view.points_m["basin"]) else float("nan")
        sun = view.points_m["sun"].mean(axis=0) if len(view.points_m["sun"]) else np.full(3, np.nan)
        return {
            "jet_height": max(float(tops.max()) - self.NOZZLE_Z_M, 0.0) if len(tops) else still,
            "elevation": float(np.arctan2(sun[2] - self.GARDEN_M, sun[0])),
        }


def _tree(name: str, place: tuple[float, float, float]) -> tuple[Part, ...]:
    made = trees.conifer(name, 0.15)
    return rig.baked(made, trees.tree_channels(name, 0.15, place))
