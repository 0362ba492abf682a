"""Candles: one that burns down, and a row that goes out one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh

from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap, Emission, Opacity, Visible
from event_library.kit import flames, furniture, streams
from event_library.kit.palette import CERAMIC_BLUE, SMOKE, WAX, WOOD
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part
from event_library.readouts import top_height_m
from event_library.taxonomy import facts

TRANSLUCENCE = 0.12  # wax lit from within by its flame
LIT_WAX = Material(rgb=WAX.rgb, roughness=WAX.roughness, emission_rgb=(1.0, 0.52, 0.18), emission_strength=TRANSLUCENCE)
CORE = Material(rgb=(1.0, 0.8, 0.4), emission_rgb=(1.0, 0.72, 0.32), emission_strength=5.0)  # of a flame, opaque


def lit_candle(
    name: str, radius_m: float, height_m: float, flame_m: float, strength: float
) -> tuple[tuple[Part, ...], Lamp]:
    """Candle, its flame `{name}_flame` with a bright core that the truth rays meet, and its lamp `{name}_light`."""
    made = (
        *furniture.candle(name, radius_m, height_m, material=LIT_WAX),
        flames.flame(f"{name}_flame", flame_m, stout=1.3),
        flames.flame(f"{name}_core", 0.6 * flame_m, CORE, stout=1.5),
    )
    return made, flames.flame_lamp(f"{name}_light", flame_m, strength=strength)


def lit_candle_channels(
    name: str,
    radius_m: float,
    height_m: float,
    flame_m: float,
    foot: tuple[float, float, float],
    strength: float,
    lit: bool,
) -> dict[str, tuple[Channel, ...]]:
    """The candle burnt down to a crest `height_m` above its foot, its flame on or out."""
    x, y, z = foot
    own = furniture.candle_channels(name, radius_m, height_m, foot)
    own[f"{name}_wax"] = (*own[f"{name}_wax"], Emission(TRANSLUCENCE if lit else 0.0))
    wick = (x, y, z + height_m + 0.2 * radius_m)
    own |= flames.flame_channels(
        f"{name}_flame", wick, float(lit), lamp=f"{name}_light", length_m=flame_m, strength=strength
    )
    own |= flames.flame_channels(f"{name}_core", wick, float(lit))
    return own


@dataclass(frozen=True, kw_only=True)
class CandleBurningDown(Event):
    """A lit candle grows shorter at a steady rate: h = max(hmin, h0 - v tau), tau = time_scale t.

    Steady as the wick feeds on the melt (measured: Faraday, Chemical History of a Candle; regression .05 to .09 mm/s).
    """

    info = facts("candle_burning_down")
    variables = (
        state("h", "m", 0.003, flags="monotone bounded"),
        readout("height", "m", 0.003, min_delta=0.009, flags="monotone bounded", label="candle height above the plate"),
    )
    accept_rules = (
        ("burning down takes 6 to 15 s", lambda e: 6 <= (e.start_height_m - e.STUMP_M) / e.sink_m_per_s <= 15),
    )

    start_height_m: float = param("h0", "m", 0.06, 0.09)
    burn_rate_m_per_s: float = param("v", "m/s", 5.0e-5, 9.0e-5)
    time_scale: float = param("time_scale", "s/s", 60.0, 150.0)

    STUMP_M = 0.005  # hmin: the flame goes out here
    RADIUS_M, FLAME_M, PLATE_M = 0.0125, 0.033, 0.058
    FLOOR_M = 0.07 * PLATE_M  # of the plate, on which the candle stands

    @property
    def sink_m_per_s(self) -> float:
        return self.burn_rate_m_per_s * self.time_scale

    def states(self, t_s: Array) -> dict[str, Array]:
        h = np.maximum(self.STUMP_M, self.start_height_m - self.sink_m_per_s * started(t_s))
        return {"h": h, "height": h.copy()}

    def assembly(self) -> Assembly:
        made, lamp = lit_candle("candle", self.RADIUS_M, self.start_height_m, self.FLAME_M, 0.8)
        return Assembly((*made, furniture.plate("plate", self.PLATE_M, material=CERAMIC_BLUE)), (lamp,))

    def channels(self, state: State) -> ChannelMap:
        h = float(state["h"])
        foot = (0.0, 0.0, self.FLOOR_M)
        return lit_candle_channels("candle", self.RADIUS_M, h, self.FLAME_M, foot, 0.8, h > self.STUMP_M)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"h": float(np.ptp(meshes["candle_wax"].vertices[:, 2]))}

    def measure(self, view: View) -> dict[str, float]:
        top, _ = top_height_m(view.points_m["candle_wax"], view.pixel_area_m2["candle_wax"])
        return {"height": top - self.FLOOR_M}


@dataclass(frozen=True, kw_only=True)
class CandleRowBurning(Event):
    """Five candles of graded height, each with its own steady rate (as `candle_burning_down`), go out one by one."""

    info = facts("candle_row_burning")
    variables = (
        state("h", "m", 0.003, domain="vector", flags="monotone bounded"),
        state("out_for", "s", 0.1, domain="vector", flags="bounded"),
        readout("lit_count", "count", 0.0, domain="count", flags="monotone bounded", label="burning flames"),
        readout("height_sum", "m", 0.012, min_delta=0.04, flags="monotone bounded", label="the five heights together"),
    )

    lowest_m: float = param("hlo", "m", 0.025, 0.035)
    highest_m: float = param("hhi", "m", 0.07, 0.09)
    burn_rate_m_per_s: float = param("v", "m/s", 6.0e-5, 8.0e-5)
    time_scale: float = param("time_scale", "s/s", 100.0, 160.0)
    seed: int = seed_param()

    NUM, STUMP_M, SMOKE_S = 5, 0.004, 1.0  # a wick smokes for 1 s after its flame
    RADIUS_M, FLAME_M, PITCH_M, SHELF_M = 0.011, 0.03, 0.034, 0.014

    @property
    def start_heights_m(self) -> Array:
        return self.lowest_m + (self.highest_m - self.lowest_m) * np.arange(self.NUM) / (self.NUM - 1)

    @property
    def sink_m_per_s(self) -> Array:
        return self.burn_rate_m_per_s * self.time_scale * (0.8 + 0.1 * (2 * np.arange(self.NUM) % 5))

    @property
    def burning_s(self) -> Array:
        return (self.start_heights_m - self.STUMP_M) / self.sink_m_per_s

    @cached_property
    def feet_m(self) -> Array:
        """[5, 3] where each candle stands: shuffled from left to right."""
        place = np.random.Generator(np.random.PCG64(self.seed)).permutation(self.NUM) - (self.NUM - 1) / 2
        return np.column_stack([self.PITCH_M * place, np.zeros(self.NUM), np.full(self.NUM, self.SHELF_M)])

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)[:, None]
        h = np.maximum(self.STUMP_M, self.start_heights_m - self.sink_m_per_s * t)
        out_for = np.clip(t - self.burning_s, 0.0, self.SMOKE_S)
        lit = (t < self.burning_s).sum(axis=1).astype(np.float64)
        return {"h": h, "out_for": out_for, "lit_count": lit, "height_sum": h.sum(axis=1)}

    def triggers(self) -> dict[str, float]:
        return {f"flame_{i}_out": float(s) for i, s in enumerate(self.burning_s)}

    def assembly(self) -> Assembly:
        made = [
            lit_candle(f"candle_{i}", self.RADIUS_M, h, self.FLAME_M, 0.3) for i, h in enumerate(self.start_heights_m)
        ]
        smoke = [streams.puffs(f"smoke_{i}", 6, 0.006, SMOKE) for i in range(self.NUM)]
        length = self.NUM * self.PITCH_M + 0.02
        shelf = furniture.board("shelf", (length, 0.06, self.SHELF_M), material=WOOD)
        return Assembly((*(p for some, _ in made for p in some), *smoke, shelf), tuple(lamp for _, lamp in made))

    def channels(self, state: State) -> ChannelMap:
        found: dict[str, tuple[Channel, ...]] = {}
        for i, (h, out_for) in enumerate(zip(state["h"], state["out_for"], strict=True)):
            x, y, z = (float(c) for c in self.feet_m[i])
            lit = bool(h > self.STUMP_M)
            found |= lit_candle_channels(f"candle_{i}", self.RADIUS_M, float(h), self.FLAME_M, (x, y, z), 0.3, lit)
            puffs = streams.puffs_channels(f"smoke_{i}", 6, 0.006, (x, y, z + h + 0.006), float(out_for), height_m=0.05)
            smoking = 0.0 < out_for < self.SMOKE_S
            thinning = Opacity(float(0.7 * (1 - out_for / self.SMOKE_S)))
            found[f"smoke_{i}"] = (*puffs[f"smoke_{i}"], Visible(bool(smoking)), thinning)
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        heights = [float(np.ptp(meshes[f"candle_{i}_wax"].vertices[:, 2])) for i in range(self.NUM)]
        return {"height_sum": sum(heights)}

    def measure(self, view: View) -> dict[str, float]:
        tops = [
            top_height_m(view.points_m[f"candle_{i}_wax"], view.pixel_area_m2[f"candle_{i}_wax"])[0]
            for i in range(self.NUM)
        ]
        lit = sum(len(view.points_m[f"candle_{i}_core"]) > 0 for i in range(self.NUM))
        if len(view.points_m["shelf"]) == 0:
            return {"height_sum": float("nan")}
        return {"lit_count": float(lit), "height_sum": sum(tops) - self.NUM * self.SHELF_M}
