"""A greenhouse whose heater a thermostat switches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Emission
from event_library.families.causal_chains.pieces import cable
from event_library.figures import plants, rig
from event_library.kit import dials
from event_library.kit.palette import (
    BLUE,
    DARK,
    GLASS,
    PALE_WOOD,
    SOIL,
    WHITE_PAINT,
    paint,
)
from event_library.kit.shapes import extruded, rod
from event_library.laws import started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import top_height_m
from event_library.taxonomy import facts


@dataclass(frozen=True, kw_only=True)
class ThermostatHeater(Event):
    """Newton's law with a switched source, T' = (Ta + P s - T) / tc, and a two-point switch at 22 and 34 C."""

    info = facts("thermostat_heater")
    variables = (
        state("T", "degC", 1.5, flags="periodic bounded"),
        state("s", "index", 0.0, domain="discrete", flags="periodic bounded"),
        readout("temperature", "degC", 1.5, min_delta=3.5, flags="periodic bounded", label="red column"),
        readout("heater", "index", 0.0, domain="discrete", flags="periodic bounded", label="bar glows"),
    )
    accept_rules = (
        ("the time constant is 3.5 to 6 s of the clip", lambda e: 3.5 <= e.constant_s <= 6.0),
    )  # fmt: skip

    constant_min: float = param("tc", "min", 25, 45)
    time_scale_min_per_s: float = param("time_scale", "min/s", 5, 12, default=7.5)

    ROOM_DEGC, RISE_K, LOW_DEGC, HIGH_DEGC = 10.0, 40.0, 22.0, 34.0
    SCALE_DEGC = (16.0, 38.0)  # ends of the thermometer's scale
    TUBE, TALL_M, BORE_M = (0.215, -0.03, 0.05), 0.25, 0.012

    @property
    def constant_s(self) -> float:
        return self.constant_min / self.time_scale_min_per_s

    @property
    def phases_s(self) -> tuple[float, float]:
        """How long it heats and how long it cools."""
        ends = self.LOW_DEGC, self.HIGH_DEGC
        hot, cold = (np.array([level - t for t in ends]) for level in (self.ROOM_DEGC + self.RISE_K, self.ROOM_DEGC))
        return self.constant_s * float(np.log(hot[0] / hot[1])), self.constant_s * float(np.log(cold[1] / cold[0]))

    def states(self, t_s: Array) -> dict[str, Array]:
        heating_s, cooling_s = self.phases_s
        into = started(t_s) % (heating_s + cooling_s)
        on = into < heating_s
        goal = np.where(on, self.ROOM_DEGC + self.RISE_K, self.ROOM_DEGC)
        start = np.where(on, self.LOW_DEGC, self.HIGH_DEGC)
        degc = goal + (start - goal) * np.exp(-np.where(on, into, into - heating_s) / self.constant_s)
        s = on.astype(np.float64)
        return {"T": degc, "s": s, "temperature": degc.copy(), "heater": s.copy()}

    def triggers(self) -> dict[str, float]:
        heating_s, cooling_s = self.phases_s
        offs = [heating_s + k * (heating_s + cooling_s) for k in range(4)]
        return {f"heater_off_{k + 1}": off for k, off in enumerate(offs)} | {
            f"heater_on_{k + 1}": off + cooling_s for k, off in enumerate(offs)
        }

    def _reading(self, degc: float) -> float:
        low, high = self.SCALE_DEGC
        return (degc - low) / (high - low)

    def assembly(self) -> Assembly:
        x, y, z = self.TUBE
        foot = z + 2 * self.BORE_M
        limits = [
            parts.moved(parts.torus(1.9 * self.BORE_M, 0.005, 32, 8), x, y, foot + self.TALL_M * self._reading(t))
            for t in (self.LOW_DEGC, self.HIGH_DEGC)
        ]
        glow = Material(rgb=(0.16, 0.15, 0.15), roughness=0.5, emission_rgb=(1.0, 0.22, 0.03), emission_strength=5.0)
        bar = parts.join(*(rod((-0.11, -0.05, h), (0.09, -0.05, h), 0.009) for h in (0.062, 0.088)))
        green = plants.plant("plant", 0.11, carries=False)
        return Assembly((
            *dials.thermometer("gauge", self.TALL_M, self.TUBE, bore_m=self.BORE_M),
            Part("limits", parts.join(*limits), paint(BLUE), smooth_angle_deg=60),
            Part("bar", bar, glow, carries=True, smooth_angle_deg=40),
            *greenhouse("house", (0.29, 0.20), 0.17, 0.26, -0.01),
            *rig.baked(green, plants.plant_channels("plant", 0.11, (-0.06, 0.03, 0.045), 0.6)),
            *(
                p
                for k, spot in enumerate([(0.05, 0.03, 0.045), (-0.005, 0.055, 0.045)])
                for p in rig.baked(
                    plants.flower(f"flower_{k}", 0.11, carries=False),
                    plants.flower_channels(f"flower_{k}", 0.11, spot, -1.5),
                )
            ),
            Part("foot", parts.block((0.07, 0.05, 0.022), (x, y + 0.02, 0.0)), DARK),
            cable("cable", [(x - 0.02, y + 0.02, 0.012), (0.17, -0.06, 0.0), (0.16, -0.06, 0.03), (0.09, -0.05, 0.06)]),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        return {
            **dials.thermometer_channels(
                "gauge", self._reading(float(state["T"])), self.TALL_M, self.TUBE, bore_m=self.BORE_M
            ),
            "bar": (Emission(5.0 * float(state["s"])),),
        }

    def _degc(self, top_z_m: float) -> float:
        low, high = self.SCALE_DEGC
        return low + (high - low) * (top_z_m - self.TUBE[2] - 2 * self.BORE_M) / self.TALL_M

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"T": self._degc(float(meshes["gauge_column"].bounds[1, 2]))}

    def measure(self, view: View) -> dict[str, float]:
        column, bar = view.points_m["gauge_column"], view.rgb["bar"]
        red = float(np.median(bar[:, 0])) if len(bar) else np.nan
        return {
            "temperature": self._degc(top_height_m(column, view.pixel_area_m2["gauge_column"])[0]),
            "heater": float(red > 0.75) if np.isfinite(red) else np.nan,
        }


def greenhouse(name: str, size_m: tuple[float, float], eaves_m: float, ridge_m: float, x_m: float) -> tuple[Part, ...]:
    """Glass house with a gable roof on a bed of soil: `{name}_glass`, `{name}_frame`, `{name}_base`, `{name}_soil`."""
    x, y, b = size_m[0] / 2, size_m[1] / 2, 0.006
    gable = np.array([(-y, 0.0), (y, 0.0), (y, eaves_m), (0.0, ridge_m), (-y, eaves_m)])
    panes = extruded(gable, 2 * x).apply_transform(rig.turned((0, 0, 1), np.pi / 2))
    corners = [(s, *p) for s in (-x, x) for p in ((-y, 0.04), (y, 0.04), (y, eaves_m), (0.0, ridge_m), (-y, eaves_m))]
    bars = [rod(corners[5 * s + k], corners[5 * s + (k + 1) % 5], b / 2, 6) for s in (0, 1) for k in range(5)]
    bars += [rod(corners[k], corners[5 + k], b / 2, 6) for k in range(5)]
    bars += [rod((0.0, s * y, 0.04), (0.0, s * y, eaves_m), b / 2, 6) for s in (-1, 1)]
    bars += [rod((0.0, s * y, eaves_m), (0.0, 0.0, ridge_m), b / 2, 6) for s in (-1, 1)]
    return (
        Part(f"{name}_glass", parts.moved(panes, x + x_m, 0.0), GLASS),
        Part(f"{name}_frame", parts.moved(parts.join(*bars), x_m), WHITE_PAINT, smooth_angle_deg=40),
        Part(f"{name}_base", parts.block((2 * x + 0.02, 2 * y + 0.02, 0.04), (x_m, 0, 0)), PALE_WOOD),
        Part(f"{name}_soil", parts.block((2 * x - 0.01, 2 * y - 0.01, 0.006), (x_m, 0, 0.04)), SOIL),
    )
