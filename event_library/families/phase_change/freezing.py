"""What freezes: still water from above, a window pane, a supercooled bottle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh
from scipy.optimize import brentq
from scipy.special import erf

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, Move, Rotate, Vertices, quaternion_about
from event_library.kit import boards, fields, furniture, vessels
from event_library.kit.palette import CHROME, PALE_WOOD, SNOW, STEEL, WHITE, WOOD, liquid, paint
from event_library.kit.shapes import at, rod, solid_of_revolution
from event_library.laws import ease, started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import boundary_height_m, linear_rgb, pixel_pitch_m, top_m
from event_library.taxonomy import facts

CONDUCTIVITY_W_PER_M_K, HEAT_J_PER_KG_K, FUSION_J_PER_KG = 2.2, 2100.0, 3.34e5  # of ice
ICE_KG_PER_M3, WATER_KG_PER_M3 = 917.0, 1000.0
TANK_M = (0.17, 0.07)  # inside
MILKY_ICE = Material(rgb=(0.93, 0.97, 1.0), roughness=0.25)
COLD_WATER = liquid((0.06, 0.42, 0.80))


@dataclass(frozen=True, kw_only=True)
class StefanFreezingTank(Event):
    """Ice grows down from the top of still water at 0 C: s = 2 lambda sqrt(alpha tau), lambda exp(lambda^2) erf(lambda)
    = St / sqrt(pi), St = c dT / L (Neumann's solution; Carslaw & Jaeger 11.2). Stefan's sqrt(2 k dT tau / (rho L)) is
    its limit for small St, 1 to 3 % too much here. Ice takes more room than its water: the lid rises.
    """

    info = facts("stefan_freezing_tank")
    variables = (
        state("s", "m", 0.0035, flags="monotone bounded"),
        readout("ice_thickness", "m", 0.0035, min_delta=0.0075, flags="monotone bounded", label="lid of ice"),
    )
    accept_rules = (
        ("8 s freeze 0.035 to 0.085 m", lambda e: 0.035 <= e.growth_m_per_root_s * np.sqrt(8 * e.time_scale) <= 0.085),
    )  # fmt: skip

    undercooling_k: float = param("dT", "K", 10, 25)
    time_scale: float = param("time_scale", "s/s", 900, 3000)
    depth_m: float = param("Hw", "m", 0.09, 0.12)

    @property
    def growth_m_per_root_s(self) -> float:
        stefan = HEAT_J_PER_KG_K * self.undercooling_k / FUSION_J_PER_KG
        front = brentq(lambda x: x * np.exp(x * x) * erf(x) - stefan / np.sqrt(np.pi), 1e-6, 2.0, xtol=1e-15)
        return float(2 * front * np.sqrt(CONDUCTIVITY_W_PER_M_K / (ICE_KG_PER_M3 * HEAT_J_PER_KG_K)))

    @property
    def frozen_m(self) -> float:
        """Thickness of the ice when all is frozen."""
        return self.depth_m * WATER_KG_PER_M3 / ICE_KG_PER_M3

    def states(self, t_s: Array) -> dict[str, Array]:
        s = np.minimum(self.growth_m_per_root_s * np.sqrt(started(t_s) * self.time_scale), self.frozen_m)
        return {"s": s, "ice_thickness": s.copy()}

    @property
    def floor_m(self) -> float:
        return SNOW_M + vessels.FLOOR_M

    def assembly(self) -> Assembly:
        x, y = TANK_M
        drifts = parts.join(*(
            parts.moved(parts.sphere(1.0, 2).apply_scale((r, 0.7 * r, 0.9 * SNOW_M)), dx, dy, SNOW_M)
            for r, dx, dy in ((0.028, -0.075, 0.04), (0.022, 0.07, 0.045), (0.018, 0.08, -0.05), (0.015, -0.08, -0.05))
        ))  # fmt: skip
        return Assembly((
            vessels.liquid_box("water", TANK_M, self.depth_m, COLD_WATER),
            vessels.liquid_box("ice", TANK_M, self.frozen_m, MILKY_ICE),
            *vessels.square_tank("tank", TANK_M, vessels.FLOOR_M + self.frozen_m + 0.012, (0.0, 0.0, SNOW_M)),
            furniture.board("snow", (x + 0.04, y + 0.07, SNOW_M), material=SNOW, bevel_m=0.006),
            Part("drifts", drifts, SNOW, smooth_angle_deg=180),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        s = float(state["s"])
        below = self.depth_m - s * ICE_KG_PER_M3 / WATER_KG_PER_M3
        return {
            **vessels.column_channels("water", below, self.depth_m, (0.0, 0.0, self.floor_m)),
            **vessels.column_channels("ice", s, self.frozen_m, (0.0, 0.0, self.floor_m + max(below, 0.0))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"s": float(meshes["ice"].volume) / (TANK_M[0] * TANK_M[1])}

    def measure(self, view: View) -> dict[str, float]:
        """From the lid's top to its lower edge on the front pane."""
        if len(view.points_m["ice"]) == 0:
            return {"ice_thickness": 0.0 if len(view.points_m["water"]) else float("nan")}
        top = top_m(view, "ice")
        pitch = pixel_pitch_m(view.pixel_area_m2["ice"])
        water, ice = (p[p[:, 1] < 1e-3 - TANK_M[1] / 2] for p in (view.points_m["water"], view.points_m["ice"]))
        if len(water) == 0:  # frozen to the floor, or hidden
            frozen = len(ice) > 0 and float(ice[:, 2].min()) < self.floor_m + pitch
            return {"ice_thickness": top - self.floor_m if frozen else float("nan")}
        if len(ice) == 0:  # too thin to be met on its edge
            return {"ice_thickness": max(0.0, top - float(water[:, 2].max()) - pitch / 2)}
        return {"ice_thickness": top - boundary_height_m(water, ice, pitch)}


SNOW_M = 0.012

ROWS, COLUMNS = 52, 65
NIGHT, FROST = (0.012, 0.045, 0.20), (0.86, 0.91, 0.96)
FROSTED = 0.45  # of the white frame's luminance: about half-way from night to frost
SILL_M = 0.02


@dataclass(frozen=True, kw_only=True)
class FrostSpreading(Event):
    """Six-armed frost flowers grow from nuclei on the border of a pane: a point x freezes when
    min_j |x - x_j| (1 + 0.25 cos 6 (phi_j - phi_j0)) <= v tau (fronts of constant anisotropic speed)."""

    info = facts("frost_spreading")
    variables = (
        state("covered", "frac", 0.06, flags="monotone bounded"),
        readout("coverage", "frac", 0.06, min_delta=0.13, flags="monotone bounded", label="frosted share of the pane"),
    )
    accept_rules = (
        ("arms grow by 18 to 40 mm a second", lambda e: 0.018 <= e.speed_m_per_s * e.time_scale <= 0.040),
    )  # fmt: skip

    num_nuclei: int = param("n", "count", 8, 18)
    speed_m_per_s: float = param("v", "m/s", 1.0e-4, 2.0e-4)
    time_scale: float = param("time_scale", "s/s", 150, 300)
    width_m: float = param("W", "m", 0.4, 0.6)
    seed: int = seed_param()

    @property
    def grid(self) -> boards.Grid:
        high = 0.8 * self.width_m
        return boards.Grid(ROWS, COLUMNS, (self.width_m, high), (0.0, 0.0, SILL_M + high / 2 + 0.03), "front")

    def nuclei(self) -> Array:
        """[n, 3] x, z on the pane and heading of one arm: seeded around the border."""
        rng = np.random.Generator(np.random.PCG64(int(self.seed)))
        x, z = self.width_m / 2, 0.4 * self.width_m
        corners = np.array([(-x, -z), (x, -z), (x, z), (-x, z), (-x, -z)])
        spots = (np.arange(self.num_nuclei) + rng.uniform(0.1, 0.9, self.num_nuclei)) / self.num_nuclei
        border = np.interp(spots, [0.0, 1 / 3.6, 1.8 / 3.6, 2.8 / 3.6, 1.0], range(5))
        low = border.astype(int)
        on = corners[low] + (border - low)[:, None] * (corners[low + 1] - corners[low])
        return np.column_stack([on, rng.uniform(0.0, np.pi / 3, self.num_nuclei)])

    def states(self, t_s: Array) -> dict[str, Array]:
        reach = self.speed_m_per_s * self.time_scale * started(t_s)
        order = np.sort(_arrival_m(self).ravel())
        covered = np.searchsorted(order, reach, side="right") / order.size
        return {"covered": covered, "coverage": covered.copy()}

    def assembly(self) -> Assembly:
        grid, (_, _, middle) = self.grid, self.grid.place
        width, high = grid.size_m
        bars = parts.join(
            parts.moved(parts.box((0.012, 0.004, high)), 0.0, -0.003, middle),
            parts.moved(parts.box((width, 0.004, 0.012)), 0.0, -0.003, middle),
        )
        sill = furniture.board("sill", (width + 0.12, 0.09, SILL_M), (0.0, 0.0, 0.0), PALE_WOOD)
        return Assembly((
            boards.field_board("pane", grid, Material(rgb=NIGHT, roughness=0.35, per_vertex=True)),
            boards.base_board("night", grid, border_m=0.004, thick_m=0.012, material=paint(NIGHT, 0.3)),
            boards.frame("frame", grid, width_m=0.028, depth_m=0.010, material=paint(WHITE)),
            Part("bars", bars, paint(WHITE)),
            sill,
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        arrival = _arrival_m(self)
        reach = float(np.quantile(arrival, np.clip(state["covered"], 0.0, 1.0))) if state["covered"] > 0 else -1.0
        soft = self.width_m / COLUMNS
        crystals = 1 + 0.10 * fields.noise(self.grid.centres_m()[..., [0, 2]], 0.02, int(self.seed))
        frost = np.clip(np.array(FROST) * crystals[..., None], 0.0, 1.0)
        rgb = fields.mixed(NIGHT, frost, fields.front_share(arrival, reach, soft))
        return boards.field_board_channels("pane", self.grid, rgb)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}  # colours only

    def measure(self, view: View) -> dict[str, float]:
        pane, white = (linear_rgb(view.rgb[n]).mean(axis=1) for n in ("pane", "frame"))
        area = view.pixel_area_m2["pane"]
        if min(len(pane), len(white)) == 0:
            return {"coverage": float("nan")}
        return {"coverage": float(area[pane > FROSTED * np.median(white)].sum() / area.sum())}


@lru_cache(maxsize=16)
def _arrival_m(event: FrostSpreading) -> Array:
    """[ROWS, COLUMNS] how far a front must have gone to reach each vertex of the pane."""
    points = event.grid.centres_m()[..., [0, 2]] - np.array([0.0, event.grid.place[2]])
    nuclei = event.nuclei()
    offset = points[..., None, :] - nuclei[:, :2]
    bearing = np.arctan2(offset[..., 1], offset[..., 0]) - nuclei[:, 2]
    return np.asarray((np.linalg.norm(offset, axis=-1) * (1 + 0.25 * np.cos(6 * bearing))).min(axis=-1))


BOTTLE_RADIUS_M = 0.042
FILLED = 0.93  # water's height over the bottle's
STICK_M, KNOCK_RAD, BACK_RAD = 0.08, 0.95, 0.15  # mallet: length, tilt as it hits, tilt at rest
SLUSH = Material(rgb=(0.90, 0.94, 0.97), roughness=0.8)
SUPERCOOLED = liquid((0.30, 0.62, 0.85))


@dataclass(frozen=True, kw_only=True)
class SupercooledFreezing(Event):
    """A knock at t_tap sets off freezing at the top of supercooled water; the front runs down at a steady speed.

    At one undercooling dendrites grow at one speed (Langer & Mueller-Krumbhaar 1978); the slush behind is at 0 C.
    """

    info = facts("supercooled_freezing")
    variables = (
        state("x", "m", 0.012, flags="monotone bounded"),
        state("mallet", "rad", 0.05, domain="angle", flags="bounded"),
        readout("front_depth", "m", 0.012, min_delta=0.03, flags="monotone bounded", label="front below the surface"),
    )
    accept_rules = (
        ("all is frozen after 6 to 12 s", lambda e: 6 <= e.water_m / e.front_m_per_s + e.tap_s <= 12),
    )  # fmt: skip

    front_m_per_s: float = param("v", "m/s", 0.018, 0.035)
    tap_s: float = param("t_tap", "s", 0.4, 0.8)
    water_m: float = param("Hb", "m", 0.18, 0.24)

    def states(self, t_s: Array) -> dict[str, Array]:
        x = np.clip(self.front_m_per_s * (started(t_s) - self.tap_s), 0.0, self.water_m)
        swing = ease(started(t_s) / self.tap_s) ** 2 - ease((started(t_s) - self.tap_s) / 0.5)
        return {"x": x, "mallet": BACK_RAD + (KNOCK_RAD - BACK_RAD) * swing, "front_depth": x.copy()}

    def triggers(self) -> dict[str, float]:
        return {"tap": self.tap_s, "all_frozen": self.tap_s + self.water_m / self.front_m_per_s}

    def profile(self) -> Array:
        return vessels.bottle_profile(BOTTLE_RADIUS_M, self.water_m / FILLED)

    def pivot_m(self) -> tuple[float, float, float]:
        """Hinge of the mallet, whose head then meets the neck at KNOCK_RAD."""
        neck = vessels.FLOOR_M + 0.88 * self.water_m / FILLED
        reach = STICK_M * float(np.sin(KNOCK_RAD)) + 0.34 * BOTTLE_RADIUS_M + 0.010
        return -reach, 0.0, neck - STICK_M * float(np.cos(KNOCK_RAD))

    def assembly(self) -> Assembly:
        x, _, z = self.pivot_m()
        mallet = parts.join(
            rod((0, 0, 0), (0, 0, STICK_M), 0.0032), parts.moved(parts.sphere(0.009, 2), z_m=STICK_M),
            parts.moved(parts.sphere(0.006, 2)),
        )  # fmt: skip
        frozen = solid_of_revolution(_between(self.profile(), self.water_m / 2, self.water_m), 32, exact=True)
        return Assembly((
            vessels.liquid_in("water", self.profile(), self.water_m, SUPERCOOLED),
            Part("slush", frozen, SLUSH, carries=True, smooth_angle_deg=40),
            *vessels.turned_vessel("bottle", self.profile(), floor_m=vessels.FLOOR_M),
            Part("mallet", mallet, STEEL, carries=True, smooth_angle_deg=60),
            furniture.post("post", z, (x, 0.0, 0.0), CHROME, radius_m=0.005, foot_m=0.028),
            furniture.board("block", (0.02, 0.02, 0.012), (x, 0.0, 0.0), WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        x, floor = float(state["x"]), (0.0, 0.0, vessels.FLOOR_M)
        slush = solid_of_revolution(_between(self.profile(), self.water_m - x, self.water_m), 32, exact=True)
        return {
            **vessels.liquid_in_channels("water", self.profile(), self.water_m - x, floor),
            "slush": (Vertices(np.asarray(slush.vertices)), Move(at(*floor))),
            "mallet": (Rotate(quaternion_about((0.0, 1.0, 0.0), float(state["mallet"]))), Move(at(*self.pivot_m()))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        stick = np.asarray(meshes["mallet"].vertices).mean(axis=0) - self.pivot_m()
        return {
            "x": vessels.FLOOR_M + self.water_m - float(meshes["water"].bounds[1, 2]),
            "mallet": float(np.arctan2(stick[0], stick[2])),
        }

    def measure(self, view: View) -> dict[str, float]:
        """From the water's surface down to the white's lower edge."""
        slush, water = view.points_m["slush"], view.points_m["water"]
        surface = vessels.FLOOR_M + self.water_m
        if len(slush) == 0:
            return {"front_depth": 0.0 if len(water) else float("nan")}
        pitch = pixel_pitch_m(view.pixel_area_m2["slush"])
        if len(water) == 0:  # frozen to the floor, or hidden
            frozen = float(slush[:, 2].min()) < vessels.FLOOR_M + 2 * pitch
            return {"front_depth": surface - vessels.FLOOR_M if frozen else float("nan")}
        edge = boundary_height_m(water, slush, pitch)
        return {"front_depth": surface - (float(slush[:, 2].min()) if np.isnan(edge) else edge)}


def _between(profile_rz_m: Array, low_m: float, high_m: float) -> Array:
    """A vessel's profile between two heights; knots beyond them lie on their planes, so that their number stays."""
    z = np.clip(profile_rz_m[:, 1], low_m, max(high_m, low_m + 1e-6))
    return np.column_stack([np.interp(z, profile_rz_m[:, 1], profile_rz_m[:, 0]), z])
