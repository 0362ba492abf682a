"""Vessels that fill: a glass, a leaking tank, a stair of cups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh
from scipy.special import lambertw

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap
from event_library.kit import furniture, streams, vessels
from event_library.kit.palette import DARK, PALE_WOOD, PORCELAIN
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Part
from event_library.readouts import top_m
from event_library.taxonomy import facts

FREEBOARD_M = 0.006  # wall above the fill height
SPOUT_GAP_M = 0.03  # spout above the rim
TAP_REACH_M = 0.09


@dataclass(frozen=True, kw_only=True)
class TankFilling(Event):
    """A tap fills a straight glass until it is full: conservation of volume in a cylinder."""

    info = facts("tank_filling")
    variables = (
        state("h", "m", 0.005, flags="monotone bounded"),
        state("inflow", "m^3/s", 1e-6, flags="bounded"),
        readout("level", "m", 0.005, min_delta=0.012, flags="monotone bounded", label="water above the glass's floor"),
    )
    accept_rules = (
        ("filling takes 5 to 22 s", lambda e: 5 <= e.full_s <= 22),
    )  # fmt: skip

    inflow_m3_per_s: float = param("Q", "m^3/s", 4.0e-5, 1.0e-4)
    radius_m: float = param("R", "m", 0.03, 0.045)
    fill_height_m: float = param("H", "m", 0.14, 0.20)
    start_level_m: float = param("h0", "m", 0.01, 0.03)

    @property
    def area_m2(self) -> float:
        return float(np.pi * self.radius_m**2)

    @property
    def full_s(self) -> float:
        return (self.fill_height_m - self.start_level_m) * self.area_m2 / self.inflow_m3_per_s

    @property
    def spout_m(self) -> tuple[float, float, float]:
        return 0.0, 0.0, vessels.FLOOR_M + self.fill_height_m + FREEBOARD_M + SPOUT_GAP_M

    def states(self, t_s: Array) -> dict[str, Array]:
        rising = self.start_level_m + self.inflow_m3_per_s / self.area_m2 * started(t_s)
        h = np.minimum(rising, self.fill_height_m)
        running = (np.asarray(t_s) >= 0) & (rising < self.fill_height_m)
        return {"h": h, "inflow": np.where(running, self.inflow_m3_per_s, 0.0), "level": h.copy()}

    def triggers(self) -> dict[str, float]:
        return {"full": self.full_s}

    def assembly(self) -> Assembly:
        return Assembly((
            vessels.liquid_column("water", self.radius_m, self.fill_height_m),
            streams.jet("jet"),
            streams.splash("splash"),
            *vessels.glass("glass", self.radius_m, vessels.FLOOR_M + self.fill_height_m + FREEBOARD_M),
            *streams.tap("tap", self.spout_m, TAP_REACH_M, bend_rad=0.5),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        h, inflow = float(state["h"]), float(state["inflow"])
        surface = vessels.FLOOR_M + h
        return {
            **vessels.column_channels("water", h, self.fill_height_m, (0.0, 0.0, vessels.FLOOR_M)),
            **streams.falling_jet_channels("jet", inflow, self.spout_m, surface),
            **streams.splash_channels("splash", (0.0, 0.0, surface), inflow > 0),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"h": float(meshes["water"].volume) / self.area_m2}

    def measure(self, view: View) -> dict[str, float]:
        return {"level": top_m(view, "water") - vessels.FLOOR_M}


LEAK_STAND_M = 0.04  # the leaking tank stands on a block
MOUTH_M = 0.008  # how far its nozzle sticks out
SINK_M = 0.006  # floor of the tray under it


@dataclass(frozen=True, kw_only=True)
class LeakyTankBalance(Event):
    """Inflow against Torricelli's outflow, A h' = Q - Cd a sqrt(2 g h), solved exactly.

    With u = 1 - sqrt(h / h*), u exp(-u) decays exponentially, so u = -W0(...) (Lambert W: Corless et al. 1996).
    """

    info = facts("leaky_tank_balance")
    variables = (
        state("h", "m", 0.005, flags="monotone bounded"),
        readout("level", "m", 0.005, min_delta=0.012, flags="monotone bounded", label="water above the tank's floor"),
    )
    accept_rules = (
        ("the level at balance is 0.08 to 0.20 m", lambda e: 0.08 <= e.balance_m <= 0.20),
    )  # fmt: skip

    inflow_m3_per_s: float = param("Q", "m^3/s", 4.5e-5, 9.0e-5)
    radius_m: float = param("R", "m", 0.022, 0.032)
    hole_m: float = param("d", "m", 0.007, 0.010)
    contraction: float = param("Cd", "ratio", 0.60, 0.64)
    start_level_m: float = param("h0", "m", 0.005, 0.015)

    @property
    def leak_area_m2(self) -> float:
        return float(self.contraction * np.pi * self.hole_m**2 / 4)

    @property
    def balance_m(self) -> float:
        return float((self.inflow_m3_per_s / self.leak_area_m2) ** 2 / (2 * GRAVITY_M_PER_S2))

    def states(self, t_s: Array) -> dict[str, Array]:
        area = np.pi * self.radius_m**2
        rate = self.inflow_m3_per_s / area / (2 * self.balance_m)
        below = 1 - np.sqrt(self.start_level_m / self.balance_m)
        h = self.balance_m * (1 + lambertw(-below * np.exp(-below - rate * started(t_s))).real) ** 2
        return {"h": h, "level": h.copy()}

    @property
    def floor_m(self) -> float:
        return LEAK_STAND_M + vessels.FLOOR_M

    @property
    def spout_m(self) -> tuple[float, float, float]:
        return 0.0, 0.0, self.floor_m + self.balance_m + 2 * FREEBOARD_M + SPOUT_GAP_M

    @property
    def mouth_m(self) -> tuple[float, float, float]:
        return self.radius_m + MOUTH_M, 0.0, self.floor_m + self.hole_m / 2

    def assembly(self) -> Assembly:
        wall = 2.4 * self.radius_m
        drain = parts.moved(parts.cylinder(0.016, 0.001), 0.13, 0.0, SINK_M)
        return Assembly((
            vessels.liquid_column("water", self.radius_m, self.balance_m),
            streams.jet("inlet"),
            streams.jet("leak"),
            streams.splash("splash", 0.007),
            *vessels.glass("tank", self.radius_m, vessels.FLOOR_M + self.balance_m + 2 * FREEBOARD_M,
                           (0.0, 0.0, LEAK_STAND_M)),
            *streams.tap("tap", self.spout_m, 0.08, bend_rad=2.0),
            *streams.spout("nozzle", self.mouth_m, self.hole_m / 2 + 0.002, MOUTH_M),
            furniture.board("stand", (wall, wall, LEAK_STAND_M - SINK_M), (0.0, 0.0, SINK_M)),
            furniture.tray("sink", (0.28, 0.15), 0.012, (0.075, 0.0, 0.0), PORCELAIN, thick_m=SINK_M),
            Part("drain", drain, DARK),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        h = float(state["h"])
        speed = float(np.sqrt(2 * GRAVITY_M_PER_S2 * h))
        reach = self.mouth_m[0] + speed * streams.flight_s(self.mouth_m[2] - SINK_M)
        return {
            **vessels.column_channels("water", h, self.balance_m, (0.0, 0.0, self.floor_m)),
            **streams.falling_jet_channels("inlet", self.inflow_m3_per_s, self.spout_m, self.floor_m + h),
            **streams.parabolic_jet_channels(
                "leak", self.leak_area_m2 * speed, self.mouth_m, (speed, 0.0, 0.0), SINK_M
            ),
            **streams.splash_channels("splash", (reach, 0.0, SINK_M), True),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"h": float(meshes["water"].volume) / (np.pi * self.radius_m**2)}

    def measure(self, view: View) -> dict[str, float]:
        return {"level": top_m(view, "water") - self.floor_m}


CUP_RADIUS_M, CUP_M = 0.027, 0.045  # inside
STEP_M, STEP_RISE_M = 0.074, 0.042  # of the stairs
BASIN_M = 0.006  # tray floor under the stairs
SPILL_M_PER_S = 0.35


@dataclass(frozen=True, kw_only=True)
class OverflowCascade(Event):
    """Cups on stairs, each filled by what the one above spills: what has run in fills them one after another."""

    info = facts("overflow_cascade")
    variables = (
        state("fill", "frac", 0.05, domain="vector", flags="monotone bounded"),
        readout("total_fill", "count", 0.25, min_delta=0.8, flags="monotone bounded", label="sum of the cups' fills"),
        readout("full_cups", "count", 0.0, domain="count", flags="monotone bounded", label="cups that spill"),
    )

    num_cups: int = param("n", "count", 4, 6)
    cup_s: float = param("t_cup", "s", 1.2, 2.4)

    def states(self, t_s: Array) -> dict[str, Array]:
        poured = started(t_s) / self.cup_s
        fill = np.clip(poured[:, None] - np.arange(self.num_cups), 0.0, 1.0)
        full = (fill >= 1.0).sum(axis=1).astype(np.float64)
        return {"fill": fill, "total_fill": np.minimum(poured, self.num_cups), "full_cups": full}

    def triggers(self) -> dict[str, float]:
        return {f"cup_{k + 1}_spills": (k + 1) * self.cup_s for k in range(self.num_cups)}

    @property
    def inflow_m3_per_s(self) -> float:
        return float(np.pi * CUP_RADIUS_M**2 * CUP_M / self.cup_s)

    def feet_m(self) -> Array:
        """[n, 3] where the cups stand, the topmost first."""
        k = np.arange(self.num_cups)
        return np.column_stack(
            [(k - (self.num_cups - 1) / 2) * STEP_M, 0 * k, BASIN_M + (self.num_cups - k) * STEP_RISE_M]
        )

    def assembly(self) -> Assembly:
        feet, width = self.feet_m(), self.num_cups * STEP_M
        made: list[Part] = []
        for k, foot in enumerate(feet):
            made += vessels.glass(f"cup_{k}", CUP_RADIUS_M, vessels.FLOOR_M + CUP_M, tuple(foot), rim_m=0.001)
            made += [vessels.liquid_column(f"water_{k}", CUP_RADIUS_M, CUP_M), streams.jet(f"spill_{k}")]
        spout = (float(feet[0, 0]), 0.0, float(feet[0, 2]) + CUP_M + 0.04)
        size = (STEP_M, 2.6 * CUP_RADIUS_M, STEP_RISE_M)
        return Assembly((
            *made,
            streams.jet("inlet"),
            *streams.tap("tap", spout, 0.07, bend_rad=2.2),
            furniture.steps("stairs", self.num_cups, size, (-width / 2, 0.0, BASIN_M), PALE_WOOD, rising=False),
            furniture.tray("tray", (width + 0.06, 0.12), 0.01, (0.03, 0.0, 0.0), PORCELAIN, thick_m=BASIN_M),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        feet = self.feet_m() + np.array([0.0, 0.0, vessels.FLOOR_M])
        channels: dict[str, tuple[Channel, ...]] = {}
        surface = feet[:, 2] + CUP_M * np.asarray(state["fill"])
        landing = np.append(surface[1:], BASIN_M)
        for k, ((x, y, z), fill) in enumerate(zip(feet.tolist(), state["fill"], strict=True)):
            lip = (x + CUP_RADIUS_M, y, z + CUP_M - 0.002)
            spilling = bool(fill >= 1.0)
            channels |= vessels.column_channels(f"water_{k}", float(fill) * CUP_M, CUP_M, (x, y, z))
            channels |= streams.parabolic_jet_channels(
                f"spill_{k}", self.inflow_m3_per_s, lip, (SPILL_M_PER_S, 0.0, 0.0), float(landing[k]), running=spilling
            )
        top = (float(feet[0, 0]), 0.0, float(feet[0, 2]) + CUP_M + 0.04 - vessels.FLOOR_M)
        return {**channels, **streams.falling_jet_channels("inlet", self.inflow_m3_per_s, top, float(surface[0]))}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        held = sum(float(meshes[f"water_{k}"].volume) for k in range(self.num_cups))
        return {"total_fill": held / (np.pi * CUP_RADIUS_M**2 * CUP_M)}

    def measure(self, view: View) -> dict[str, float]:
        floors = self.feet_m()[:, 2] + vessels.FLOOR_M
        tops = [top_m(view, f"water_{k}") for k in range(self.num_cups)]
        fills = np.clip((np.array(tops) - floors) / CUP_M, 0.0, 1.0)
        for k in range(self.num_cups):
            glass = sum(len(view.points_m[f"cup_{k}_{piece}"]) for piece in ("wall", "rim", "base"))
            fills[k] = 0.0 if np.isnan(fills[k]) and glass else fills[k]
        spilling = [k + 1 for k in range(self.num_cups) if len(view.points_m[f"spill_{k}"])]
        none = 0 if np.isfinite(fills).all() else np.nan
        return {"total_fill": float(fills.sum()), "full_cups": float(max(spilling, default=none))}
