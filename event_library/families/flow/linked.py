"""Vessels joined by a hose or pipes: what leaves one arrives in the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Move
from event_library.kit import furniture, vessels
from event_library.kit.palette import BLUE, GLASS, GLASS_EDGE, OIL, PALE_WOOD, RED, RUBBER, STEEL, WATER, paint
from event_library.kit.shapes import at, bezier, cone, rod, swept, turned
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import top_m
from event_library.taxonomy import facts

HOSE_WALL_M = 0.0012


def hose(name: str, path_m: Array, bore_m: float, liquid: Material) -> tuple[Part, ...]:
    """Clear hose of inner radius `bore_m` along a path [P, 3], full of liquid."""
    wall = Part(f"{name}_wall", swept(path_m, bore_m + HOSE_WALL_M, 14), GLASS, smooth_angle_deg=50)
    return wall, Part(f"{name}_liquid", swept(path_m, bore_m, 12), liquid, smooth_angle_deg=50)


GAP_M = 0.03  # between the jars
DIP_M = 0.010  # hose ends above the jars' floors


@dataclass(frozen=True, kw_only=True)
class SiphonEqualising(Event):
    """A full siphon between two jars: the root of the level difference falls evenly (Torricelli; Cd for the hose)."""

    info = facts("siphon_equalising")
    variables = (
        state("h1", "m", 0.005, flags="monotone bounded"),
        state("h2", "m", 0.005, flags="monotone bounded"),
        readout("level_gap", "m", 0.008, min_delta=0.018, flags="monotone bounded", label="left level above the right"),
        readout("level_2", "m", 0.005, flags="monotone bounded", label="level of the right jar"),
    )
    accept_rules = (
        ("the levels meet after 5 to 15 s", lambda e: 5 <= e.level_s <= 15),
    )  # fmt: skip

    start_gap_m: float = param("D0", "m", 0.08, 0.15)
    left_radius_m: float = param("R1", "m", 0.040, 0.060)
    right_radius_m: float = param("R2", "m", 0.040, 0.060)
    bore_m: float = param("d", "m", 0.009, 0.014)
    contraction: float = param("Cd", "ratio", 0.55, 0.65)
    right_level_m: float = param("hb", "m", 0.02, 0.04)

    @property
    def level_s(self) -> float:
        hole = self.contraction * np.pi * self.bore_m**2 / 4
        areas = np.pi * np.array([self.left_radius_m, self.right_radius_m]) ** 2
        return float(np.sqrt(self.start_gap_m) / (hole * np.sqrt(GRAVITY_M_PER_S2 / 2) * (1 / areas).sum()))

    def states(self, t_s: Array) -> dict[str, Array]:
        gap = self.start_gap_m * np.maximum(0.0, 1 - started(t_s) / self.level_s) ** 2
        left, right = self.left_radius_m**2, self.right_radius_m**2
        moved = self.start_gap_m - gap
        h1 = self.right_level_m + self.start_gap_m - moved * right / (left + right)
        h2 = self.right_level_m + moved * left / (left + right)
        return {"h1": h1, "h2": h2, "level_gap": gap, "level_2": h2.copy()}

    @property
    def full_m(self) -> float:
        return self.start_gap_m + self.right_level_m

    def feet_m(self) -> tuple[float, float]:
        """x of the two jars' axes."""
        half = (2 * self.left_radius_m + 2 * self.right_radius_m + GAP_M) / 2
        return -half + self.left_radius_m, half - self.right_radius_m

    def assembly(self) -> Assembly:
        left, right = self.feet_m()
        tall = vessels.FLOOR_M + self.full_m + 0.015
        low, high, reach = vessels.FLOOR_M + DIP_M, tall + 0.005, 0.35 * (right - left)
        bow = bezier(at(left, 0, high, left, 0, high + reach, right, 0, high + reach, right, 0, high).reshape(4, 3), 21)
        path = np.vstack(
            [[(left, 0, low), (left, 0, (low + high) / 2)], bow, [(right, 0, (low + high) / 2), (right, 0, low)]]
        )
        return Assembly((
            vessels.liquid_column("water_1", self.left_radius_m, self.full_m),
            vessels.liquid_column("water_2", self.right_radius_m, self.full_m),
            *hose("hose", path, self.bore_m / 2, WATER),
            *vessels.glass("jar_1", self.left_radius_m, tall, (left, 0, 0)),
            *vessels.glass("jar_2", self.right_radius_m, tall, (right, 0, 0)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        left, right = self.feet_m()
        return {
            **vessels.column_channels("water_1", float(state["h1"]), self.full_m, (left, 0, vessels.FLOOR_M)),
            **vessels.column_channels("water_2", float(state["h2"]), self.full_m, (right, 0, vessels.FLOOR_M)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {
            "h1": float(meshes["water_1"].volume) / (np.pi * self.left_radius_m**2),
            "h2": float(meshes["water_2"].volume) / (np.pi * self.right_radius_m**2),
        }

    def measure(self, view: View) -> dict[str, float]:
        first, second = top_m(view, "water_1"), top_m(view, "water_2")
        return {"level_gap": first - second, "level_2": second - vessels.FLOOR_M}


TUBE_RADIUS_M, TUBE_STEP_M = 0.026, 0.085
PLINTH_M = 0.02
PIPE_BORE_M = 0.005  # inside radius


@dataclass(frozen=True, kw_only=True)
class ThreeVesselsEqualising(Event):
    """Three equal tubes in a row, joined by laminar pipes: h' = k L h with the path's Laplacian L.

    Solved in its modes (1, 1, 1), (1, 0, -1), (1, -2, 1) with rates 0, k, 3k.
    """

    info = facts("three_vessels_equalising")
    variables = (
        state("h1", "m", 0.006, flags="monotone bounded"),
        state("h2", "m", 0.006, flags="monotone bounded"),
        state("h3", "m", 0.006, flags="monotone bounded"),
        readout("left_level", "m", 0.006, min_delta=0.015, flags="monotone bounded", label="oil in the left tube"),
        readout("right_level", "m", 0.006, flags="monotone bounded", label="oil in the right tube"),
    )

    start_level_m: float = param("H0", "m", 0.15, 0.24)
    rate_per_s: float = param("k", "1/s", 0.14, 0.35)

    def states(self, t_s: Array) -> dict[str, Array]:
        slow, fast = np.exp(-self.rate_per_s * started(t_s)) / 2, np.exp(-3 * self.rate_per_s * started(t_s)) / 6
        h1, h2, h3 = (self.start_level_m * (1 / 3 + a * slow + b * fast) for a, b in ((1, 1), (0, -2), (-1, 1)))
        h3 = np.maximum(h3, 0.0)  # rounding at the start
        return {"h1": h1, "h2": h2, "h3": h3, "left_level": h1.copy(), "right_level": h3.copy()}

    def assembly(self) -> Assembly:
        tall = vessels.FLOOR_M + self.start_level_m + 0.015
        made: list[Part] = []
        for k, x in enumerate((-TUBE_STEP_M, 0.0, TUBE_STEP_M), start=1):
            foot = (x, 0.0, PLINTH_M)
            made += [vessels.liquid_column(f"oil_{k}", TUBE_RADIUS_M, self.start_level_m, OIL)]
            made += vessels.glass(f"tube_{k}", TUBE_RADIUS_M, tall, foot)
            marks = vessels.FLOOR_M + np.arange(0.03, self.start_level_m + 0.001, 0.03)
            made += [vessels.graduations(f"marks_{k}", TUBE_RADIUS_M, marks, foot)]
        pipe_z = PLINTH_M + vessels.FLOOR_M + PIPE_BORE_M + 0.002
        for k, x in enumerate((-TUBE_STEP_M / 2, TUBE_STEP_M / 2), start=1):
            half = TUBE_STEP_M / 2 - TUBE_RADIUS_M
            made += hose(f"pipe_{k}", np.array([(x - half, 0, pipe_z), (x + half, 0, pipe_z)]), PIPE_BORE_M, OIL)
        valve = parts.join(
            turned(parts.cylinder(0.010, 0.016, 20), (1, 0, 0), np.pi / 2),
            parts.block((0.008, 0.008, 0.014), (0, -0.008, 0.008)),
            parts.block((0.034, 0.008, 0.007), (0, -0.008, 0.021)),
        )  # fmt: skip
        return Assembly((
            *made,
            Part("valve", parts.moved(valve, -TUBE_STEP_M / 2, 0.0, pipe_z), paint(RED)),
            furniture.board("plinth", (2 * TUBE_STEP_M + 0.08, 0.09, PLINTH_M), material=PALE_WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        floor = PLINTH_M + vessels.FLOOR_M
        channels: dict[str, tuple[Channel, ...]] = {}
        for k, x in enumerate((-TUBE_STEP_M, 0.0, TUBE_STEP_M), start=1):
            channels |= vessels.column_channels(f"oil_{k}", float(state[f"h{k}"]), self.start_level_m, (x, 0.0, floor))
        return channels

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {f"h{k}": float(meshes[f"oil_{k}"].volume) / (np.pi * TUBE_RADIUS_M**2) for k in (1, 2, 3)}

    def measure(self, view: View) -> dict[str, float]:
        floor = PLINTH_M + vessels.FLOOR_M
        return {
            "left_level": top_m(view, "oil_1") - floor,
            "right_level": top_m(view, "oil_3") - floor,
        }


SYRINGE_X_M = 0.045  # of the syringes' axes, left and right of the middle
BARREL_Z_M = 0.052  # floor of both barrels
DEAD_M, PISTON_M, SPARE_M = 0.004, 0.008, 0.012  # liquid left below a piston pushed home; piston; barrel above it
HANDLE_M = 0.005


@dataclass(frozen=True, kw_only=True)
class HydraulicSyringes(Event):
    """A screw drive pushes one piston in; the liquid, incompressible, lifts the other by the ratio of the areas."""

    info = facts("hydraulic_syringes")
    variables = (
        state("x1", "m", 0.004, flags="monotone bounded"),
        state("x2", "m", 0.004, flags="monotone bounded"),
        readout("plunger_1", "m", 0.004, flags="monotone bounded", label="how far the left plunger is pushed in"),
        readout("plunger_2", "m", 0.004, min_delta=0.009, flags="monotone bounded", label="rise of the right plunger"),
    )
    accept_rules = (
        ("the driven plunger rises by 0.04 to 0.09 m", lambda e: 0.04 <= e.stroke_m * e.ratio <= 0.09),
    )  # fmt: skip

    push_m_per_s: float = param("v", "m/s", 0.006, 0.011)
    stroke_m: float = param("S", "m", 0.055, 0.070)
    left_bore_m: float = param("d1", "m", 0.024, 0.030)
    right_bore_m: float = param("d2", "m", 0.022, 0.030)

    @property
    def ratio(self) -> float:
        return (self.left_bore_m / self.right_bore_m) ** 2

    def states(self, t_s: Array) -> dict[str, Array]:
        x1 = np.minimum(self.push_m_per_s * started(t_s), self.stroke_m)
        x2 = x1 * self.ratio
        return {"x1": x1, "x2": x2, "plunger_1": x1.copy(), "plunger_2": x2.copy()}

    def triggers(self) -> dict[str, float]:
        return {"pushed_home": self.stroke_m / self.push_m_per_s}

    def handle_m(self, travel_m: float) -> float:
        """Height of a handle's underside when its piston is home."""
        return BARREL_Z_M + DEAD_M + PISTON_M + travel_m + SPARE_M + 0.006

    def _syringe(self, key: str, x: float, bore_m: float, travel_m: float) -> tuple[Part, ...]:
        """Barrel, flange, nozzle, liquid, plunger and handle, the moving ones built with the piston home at x = 0."""
        r, barrel = bore_m / 2, DEAD_M + PISTON_M + travel_m + SPARE_M
        foot, top = (x, 0.0, BARREL_Z_M - vessels.FLOOR_M), BARREL_Z_M + barrel
        nozzle = parts.join(
            parts.moved(turned(cone(r, 0.010, 0.005, 24), (1, 0, 0), np.pi), x, 0.0, BARREL_Z_M - 0.0005),
            rod((x, 0, BARREL_Z_M - 0.010), (x, 0, BARREL_Z_M - 0.022), 0.005),
        )
        flange = parts.moved(parts.ring(vessels.wall_radius_m(r), r + 0.009, 0.004, 0.0008), x, 0.0, top - 0.002)
        low = BARREL_Z_M + DEAD_M
        piston = parts.moved(parts.cylinder(r - 0.0004, PISTON_M, 32), z_m=low)
        shaft = rod((0, 0, low + PISTON_M), (0, 0, self.handle_m(travel_m)), 0.3 * r)
        handle = parts.moved(parts.cylinder(r + 0.006, HANDLE_M, 32), z_m=self.handle_m(travel_m))
        return (
            vessels.liquid_column(f"liquid_{key}", r, DEAD_M + travel_m),
            Part(f"plunger_{key}", parts.join(piston, shaft), RUBBER, carries=True, smooth_angle_deg=40),
            Part(f"handle_{key}", handle, paint(BLUE), carries=True, smooth_angle_deg=40),
            vessels.glass(f"barrel_{key}", r, vessels.FLOOR_M + barrel, foot)[0],
            Part(f"flange_{key}", flange, GLASS_EDGE, smooth_angle_deg=40),
            Part(f"nozzle_{key}", nozzle, GLASS_EDGE, smooth_angle_deg=40),
        )

    def assembly(self) -> Assembly:
        x, low, travel = SYRINGE_X_M, BARREL_Z_M - 0.02, self.stroke_m * self.ratio
        bow = bezier(at(-x, 0, low, -x, 0, 0.002, x, 0, 0.002, x, 0, low).reshape(4, 3), 21)
        post_x, rise = -2.1 * x, self.handle_m(self.stroke_m) + HANDLE_M + self.stroke_m
        frame = parts.join(
            parts.block((4.6 * x, 0.07, 0.006), (-0.55 * x, 0.0, 0.0)),
            parts.block((3.4 * x, 0.010, BARREL_Z_M + 0.3 * self.stroke_m), (0.0, 0.026, 0.0)),
            *(parts.block((0.006, 0.02, 0.008), (a + b, 0.016, BARREL_Z_M)) for a in (-x, x) for b in (-0.02, 0.02)),
        )  # fmt: skip
        screw = parts.join(
            rod((post_x, 0, 0.006), (post_x, 0, rise + 0.012), 0.004),
            parts.block((0.03, 0.03, 0.03), (post_x, 0, 0.006)),
        )  # fmt: skip
        arm = parts.join(
            parts.block((0.020, 0.020, 0.020), (post_x, 0, -0.004)),
            parts.block((-post_x - x + 0.012, 0.008, 0.008), ((post_x - x) / 2 + 0.006, 0, 0.0)),
        )
        return Assembly((
            *self._syringe("1", -x, self.left_bore_m, self.stroke_m),
            *self._syringe("2", x, self.right_bore_m, travel),
            Part("arm", arm, paint((0.85, 0.35, 0.02)), carries=True),
            *hose("hose", bow, 0.004, WATER),
            Part("frame", frame, PALE_WOOD),
            Part("screw", screw, STEEL, smooth_angle_deg=40),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        x, left, right = SYRINGE_X_M, self.stroke_m - float(state["x1"]), float(state["x2"])
        above = {"1": (-x, left, self.stroke_m), "2": (x, right, self.stroke_m * self.ratio)}
        channels: dict[str, tuple[Channel, ...]] = {
            "arm": (Move(at(0.0, 0.0, self.handle_m(self.stroke_m) + HANDLE_M + left)),)
        }
        for key, (at_x, lift, travel) in above.items():
            placed = (Move(at(at_x, 0.0, lift)),)
            channels |= {f"plunger_{key}": placed, f"handle_{key}": placed}
            channels |= vessels.column_channels(f"liquid_{key}", DEAD_M + lift, DEAD_M + travel, (at_x, 0, BARREL_Z_M))
        return channels

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        areas = np.pi * np.array([self.left_bore_m, self.right_bore_m]) ** 2 / 4
        left, right = (float(meshes[f"liquid_{k}"].volume) / a - DEAD_M for k, a in zip("12", areas, strict=True))
        return {"x1": self.stroke_m - left, "x2": right}

    def measure(self, view: View) -> dict[str, float]:
        left, right = top_m(view, "handle_1"), top_m(view, "handle_2")
        home_1, home_2 = self.handle_m(self.stroke_m) + HANDLE_M, self.handle_m(self.stroke_m * self.ratio) + HANDLE_M
        return {"plunger_1": home_1 + self.stroke_m - left, "plunger_2": right - home_2}
