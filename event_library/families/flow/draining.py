"""Vessels that run empty: a cylinder with a hole, a funnel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Scale
from event_library.kit import streams, vessels
from event_library.kit.palette import DARK, RED_LIQUID, WOOD
from event_library.kit.shapes import at, solid_of_revolution
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Part
from event_library.readouts import top_m
from event_library.taxonomy import facts

STAND_M = 0.075  # the draining cylinder stands on a block
BASIN_FLOOR_M, BASIN_GAP_M = 0.005, 0.010  # the basin beside it
BASIN_RISE_M = 0.035  # of its level by all the water
MOUTH_M = 0.008  # how far the hole's nozzle sticks out


@dataclass(frozen=True, kw_only=True)
class TankDrainingTorricelli(Event):
    """Water leaves a cylinder through a hole at its base: sqrt(h) falls evenly (Torricelli; discharge coefficient Cd).

    The jet leaves at sqrt(2 g h) and flies a parabola to the water it has gathered in the basin.
    """

    info = facts("tank_draining_torricelli")
    variables = (
        state("h", "m", 0.005, flags="monotone bounded"),
        readout("level", "m", 0.005, min_delta=0.015, flags="monotone bounded", label="water above the hole"),
        readout("jet_reach", "m", 0.010, flags="bounded", label="from the nozzle to where the jet lands"),
    )
    accept_rules = (
        ("emptying takes 5 to 18 s", lambda e: 5 <= e.empty_s <= 18),
    )  # fmt: skip

    start_level_m: float = param("h0", "m", 0.12, 0.18)
    radius_m: float = param("R", "m", 0.030, 0.042)
    hole_m: float = param("d", "m", 0.010, 0.016)
    contraction: float = param("Cd", "ratio", 0.60, 0.65)

    @property
    def area_m2(self) -> float:
        return float(np.pi * self.radius_m**2)

    @property
    def empty_s(self) -> float:
        narrow = (2 * self.radius_m / self.hole_m) ** 2
        return float(np.sqrt(2 * self.start_level_m / GRAVITY_M_PER_S2) * narrow / self.contraction)

    def states(self, t_s: Array) -> dict[str, Array]:
        h = self.start_level_m * np.maximum(0.0, 1 - started(t_s) / self.empty_s) ** 2
        return {"h": h, "level": h.copy(), "jet_reach": 2 * np.sqrt(h * self.drop_m(h))}

    def triggers(self) -> dict[str, float]:
        return {"empty": self.empty_s}

    @property
    def mouth_m(self) -> tuple[float, float, float]:
        return self.radius_m + MOUTH_M, 0.0, STAND_M + vessels.FLOOR_M + self.hole_m / 2

    @property
    def basin_m(self) -> tuple[float, float]:
        """Inner length and width of the basin."""
        length = 2 * np.sqrt(self.start_level_m * STAND_M) + 0.03
        return float(length), float(self.start_level_m * self.area_m2 / (length * BASIN_RISE_M))

    def gathered_m(self, h: Array | float) -> Array:
        """Depth of the water in the basin."""
        return np.asarray(BASIN_RISE_M * (1 - np.asarray(h) / self.start_level_m))

    def drop_m(self, h: Array | float) -> Array:
        """From the nozzle down to the water in the basin."""
        return np.asarray(self.mouth_m[2] - BASIN_FLOOR_M - self.gathered_m(h))

    @property
    def basin_place_m(self) -> tuple[float, float, float]:
        return self.radius_m + BASIN_GAP_M + self.basin_m[0] / 2, 0.0, 0.0

    def assembly(self) -> Assembly:
        tall = vessels.FLOOR_M + self.start_level_m + 0.012
        wide = 2.5 * self.radius_m
        stand = parts.moved(
            parts.bevelled_box((wide, wide, STAND_M), 0.003), (2 * self.radius_m - wide) / 2, 0, STAND_M / 2
        )
        return Assembly((
            vessels.liquid_column("water", self.radius_m, self.start_level_m),
            vessels.liquid_box("gathered", self.basin_m, BASIN_RISE_M),
            streams.jet("jet"),
            streams.splash("splash", 0.009),
            *vessels.glass("tank", self.radius_m, tall, (0.0, 0.0, STAND_M)),
            *streams.spout("nozzle", self.mouth_m, self.hole_m / 2 + 0.002, MOUTH_M),
            *vessels.square_tank("basin", self.basin_m, BASIN_FLOOR_M + BASIN_RISE_M + 0.008, self.basin_place_m,
                                 floor_m=BASIN_FLOOR_M),
            Part("stand", stand, WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        h = float(state["h"])
        gathered, (x, y, z) = float(self.gathered_m(h)), self.basin_place_m
        speed = float(np.sqrt(2 * GRAVITY_M_PER_S2 * h))
        flow = self.contraction * np.pi * self.hole_m**2 / 4 * speed
        surface, running = z + BASIN_FLOOR_M + gathered, h > 1e-4
        landing = (self.mouth_m[0] + float(state["jet_reach"]), y, surface)
        return {
            **vessels.column_channels("water", h, self.start_level_m, (0.0, 0.0, STAND_M + vessels.FLOOR_M)),
            **vessels.column_channels("gathered", gathered, BASIN_RISE_M, (x, y, BASIN_FLOOR_M)),
            **streams.parabolic_jet_channels("jet", flow, self.mouth_m, (speed, 0.0, 0.0), surface, running=running),
            **streams.splash_channels("splash", landing, running),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        found = {"h": float(meshes["water"].volume) / self.area_m2}
        if "splash" in meshes:
            found["jet_reach"] = float(meshes["splash"].bounds[:, 0].mean()) - self.mouth_m[0]
        return found

    def measure(self, view: View) -> dict[str, float]:
        floor_m = STAND_M + vessels.FLOOR_M
        found = {"level": top_m(view, "water") - floor_m}
        ring = view.points_m["splash"]
        if len(ring) > 1:
            found["jet_reach"] = float(ring[:, 0].min() + ring[:, 0].max()) / 2 - self.mouth_m[0]
        return found


STEM_M = 0.045
NECK_M = 0.017  # inside radius of the flask's neck


@dataclass(frozen=True, kw_only=True)
class FunnelDraining(Event):
    """A conical funnel empties through the bore at its tip: h^(5/2) falls evenly (Torricelli in a cone).

    The stem below the bore is wider and does not run full, so it adds no head.
    """

    info = facts("funnel_draining")
    variables = (
        state("h", "m", 0.004, flags="monotone bounded"),
        readout("level", "m", 0.004, flags="monotone bounded", label="liquid above the funnel's tip"),
        readout("flask_fill", "frac", 0.06, min_delta=0.15, flags="monotone bounded", label="flask up to its ring"),
    )
    accept_rules = (
        ("emptying takes 6 to 13 s", lambda e: 6 <= e.empty_s <= 13),
    )  # fmt: skip

    start_level_m: float = param("h0", "m", 0.08, 0.13)
    half_angle_rad: float = angle_param("alpha", 24, 34)
    bore_m: float = param("d", "m", 0.006, 0.010)
    contraction: float = param("Cd", "ratio", 0.58, 0.64)

    @property
    def leak_m3_per_s_root_m(self) -> float:
        """Outflow over sqrt(h)."""
        return float(self.contraction * np.pi * self.bore_m**2 / 4 * np.sqrt(2 * GRAVITY_M_PER_S2))

    @property
    def empty_s(self) -> float:
        area_over_h2 = np.pi * np.tan(self.half_angle_rad) ** 2
        return float(self.start_level_m**2.5 * area_over_h2 / (2.5 * self.leak_m3_per_s_root_m))

    def states(self, t_s: Array) -> dict[str, Array]:
        share = np.maximum(0.0, 1 - started(t_s) / self.empty_s) ** 0.4
        h = self.start_level_m * share
        return {"h": h, "level": h.copy(), "flask_fill": 1 - share**3}

    def triggers(self) -> dict[str, float]:
        return {"empty": self.empty_s}

    def volume_m3(self, h: float) -> float:
        return float(np.pi / 3 * np.tan(self.half_angle_rad) ** 2 * h**3)

    def flask(self) -> tuple[Array, float]:
        """Inner profile of a flask that the funnel's liquid fills to its ring, and the ring's height."""
        radius = (self.volume_m3(self.start_level_m) / 1.75) ** (1 / 3)
        profile = vessels.flask_profile(radius, 2.1 * radius, NECK_M)
        return profile, float(vessels.profile_level_m(profile, self.volume_m3(self.start_level_m)))

    @property
    def tip_m(self) -> tuple[float, float, float]:
        return 0.0, 0.0, vessels.FLOOR_M + float(self.flask()[0][-1, 1]) + 0.016

    def assembly(self) -> Assembly:
        profile, mark = self.flask()
        neck, cone = self.tip_m[2] - 0.016, np.array([(1e-5, 0.0), (np.tan(self.half_angle_rad), 1.0)])
        ring = parts.torus(float(np.interp(mark, profile[:, 1], profile[:, 0])) + 0.0008, 0.0012, 64, 8)
        stopper = parts.moved(parts.ring(0.0085, NECK_M + 0.005, 0.014, 0.001), z_m=neck - 0.003)
        liquid = solid_of_revolution(cone * self.start_level_m, vessels.NUM_SIDES, exact=True)
        return Assembly((
            Part("liquid", liquid, RED_LIQUID, carries=True, smooth_angle_deg=40),
            vessels.liquid_in("gathered", profile, material=RED_LIQUID),
            streams.jet("stream", RED_LIQUID),
            *vessels.funnel("funnel", self.half_angle_rad, 1.15 * self.start_level_m, self.tip_m, bore_m=0.007,
                            stem_m=STEM_M),
            *vessels.turned_vessel("flask", profile, floor_m=vessels.FLOOR_M),
            Part("mark", parts.moved(ring, z_m=vessels.FLOOR_M + mark), DARK),
            Part("stopper", stopper, WOOD, smooth_angle_deg=40),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        h = float(state["h"])
        profile, _ = self.flask()
        level = float(vessels.profile_level_m(profile, self.volume_m3(self.start_level_m) - self.volume_m3(h)))
        stem = (0.0, 0.0, self.tip_m[2])
        return {
            "liquid": (Scale(np.full(3, max(h, 1e-6) / self.start_level_m)), Move(at(*self.tip_m))),
            **vessels.liquid_in_channels("gathered", profile, level, (0.0, 0.0, vessels.FLOOR_M)),
            **streams.falling_jet_channels(
                "stream", self.leak_m3_per_s_root_m * h**0.5, stem, vessels.FLOOR_M + level, running=h > 1e-3
            ),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        gathered = float(meshes["gathered"].volume) / self.volume_m3(self.start_level_m)
        return {"h": float(np.ptp(meshes["liquid"].vertices[:, 2])), "flask_fill": gathered}

    def measure(self, view: View) -> dict[str, float]:
        profile, mark = self.flask()
        level, flask = (top_m(view, n) for n in ("liquid", "gathered"))
        filled, full = vessels.profile_volume_m3(profile, np.array([flask - vessels.FLOOR_M, mark]))
        found = {"flask_fill": float(filled / full)}
        return found if np.isnan(level) else {**found, "level": level - self.tip_m[2]}
