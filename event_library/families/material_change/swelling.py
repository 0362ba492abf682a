"""Things that swell: a balloon on a pump, dough in a bowl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Colour, Vertices
from event_library.kit import digits, furniture, vessels
from event_library.kit.palette import CHROME, DARK, GREY, PALE_WOOD, WHITE, blend, paint
from event_library.kit.shapes import at, solid_of_revolution, swept
from event_library.laws import started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import sphere_centre_m
from event_library.taxonomy import facts

FULL_M = 0.15  # radius at which the pump stops
NOZZLE_M = 0.105  # top of the pump's nozzle
NECK_M = 0.016  # of the balloon between nozzle and ball
SLACK_RED, TIGHT_RED = (0.45, 0.008, 0.01), (0.95, 0.09, 0.08)


@dataclass(frozen=True, kw_only=True)
class BalloonInflating(Event):
    """A steady pump blows up a ball: R = (3 (V0 + Q t) / (4 pi))^(1/3), until R = 0.15 m (conservation of volume)."""

    info = facts("balloon_inflating")
    variables = (
        state("R", "m", 0.005, flags="monotone bounded"),
        readout("radius", "m", 0.005, min_delta=0.0105, flags="monotone bounded", label="radius of the balloon"),
    )
    accept_rules = (("the pump is still running after 8 s", lambda e: e.start_m3 + 8 * e.flow_m3_per_s <= e.full_m3),)

    start_m3: float = param("V0", "m^3", 0.0003, 0.0008)
    flow_m3_per_s: float = param("Q", "m^3/s", 0.0006, 0.0012)

    @property
    def full_m3(self) -> float:
        return 4 / 3 * np.pi * FULL_M**3

    def states(self, t_s: Array) -> dict[str, Array]:
        volume = np.minimum(self.start_m3 + self.flow_m3_per_s * started(t_s), self.full_m3)
        radius = np.cbrt(3 * volume / (4 * np.pi))
        return {"R": radius, "radius": radius.copy()}

    def triggers(self) -> dict[str, float]:
        return {"full": (self.full_m3 - self.start_m3) / self.flow_m3_per_s}

    def assembly(self) -> Assembly:
        body = parts.moved(parts.bevelled_box((0.19, 0.12, 0.07), 0.012), z_m=0.035)
        nozzle = parts.join(
            parts.moved(parts.cylinder(0.03, 0.012, 24), z_m=0.07),
            parts.moved(parts.cylinder(0.009, NOZZLE_M - 0.075, 20), z_m=0.08),
        )
        cable = np.array([(0.09, 0.02, 0.02), (0.11, 0.03, 0.006), (0.14, 0.08, 0.005), (0.15, 0.16, 0.005)])
        return Assembly((
            Part("balloon", balloon_mesh(0.06), paint(SLACK_RED, 0.2), carries=True, smooth_angle_deg=180),
            Part("pump", body, paint((0.05, 0.20, 0.42))),
            Part("nozzle", nozzle, CHROME, smooth_angle_deg=40),
            Part("cable", swept(cable, 0.004), DARK, smooth_angle_deg=60),
            digits.label("maker", "AIR", 0.03, (-0.03, -0.061, 0.035), material=paint(WHITE)),
            Part("knob", parts.moved(parts.sphere(0.012, 2), 0.06, -0.058, 0.035), paint(GREY), smooth_angle_deg=180),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        radius = float(state["R"])
        stretch = (radius - 0.04) / (FULL_M - 0.04)
        return {
            "balloon": (
                Vertices(np.asarray(balloon_mesh(radius).vertices)),
                Colour(blend(SLACK_RED, TIGHT_RED, stretch)),
            )
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"R": float(np.hypot(*meshes["balloon"].vertices[:, :2].T).max())}

    def measure(self, view: View) -> dict[str, float]:
        points = view.points_m["balloon"]
        upper = points[points[:, 2] > (points[:, 2].min() + points[:, 2].max()) / 2] if len(points) else points
        centre = sphere_centre_m(upper)
        return {"radius": float(np.median(np.linalg.norm(upper - centre, axis=1))) if len(upper) else np.nan}


def balloon_mesh(radius_m: float) -> trimesh.Trimesh:
    """Ball above a tapering neck, standing on the nozzle; its equator is a ring of vertices."""
    bow = np.deg2rad(np.arange(35, 181, 5))
    middle = NOZZLE_M + NECK_M + radius_m
    ball = np.column_stack([radius_m * np.sin(bow), middle - radius_m * np.cos(bow)])
    start = np.array([(0.0105, NOZZLE_M - 0.018), (0.0095, NOZZLE_M - 0.004), (0.011, NOZZLE_M + 0.4 * NECK_M)])
    return solid_of_revolution(np.vstack([start, ball]), 48)


BOWL = vessels.bowl_profile(0.125, 0.11, 0.06)
BOARD_M, GLASS_M = 0.018, 0.008  # top of the board, thickness of the bowl's floor
START_M3 = 1.0e-3
DOME = 0.42  # height of the free dome in its radius
DOUGH = Material(rgb=(0.80, 0.64, 0.40), roughness=0.75, pattern=Pattern("speckle", (0.62, 0.46, 0.25), 0.012))


@dataclass(frozen=True, kw_only=True)
class DoughRising(Event):
    """Yeast dough swells along a logistic curve: V / V0 = 1 + (E - 1) (S - S(0)) / (1 - S(0)) (Verhulst).

    In the bowl it takes the shape that holds just V: up to a level along the glass, above it an elliptic dome.
    """

    info = facts("dough_rising")
    variables = (
        state("V", "ratio", 0.12, flags="monotone bounded"),
        readout(
            "volume_ratio", "ratio", 0.12, min_delta=0.26, flags="monotone bounded", label="dough volume over its start"
        ),
    )
    accept_rules = (
        ("it rises fastest 2.8 to 4.8 s into the clip", lambda e: 2.8 <= e.fastest_min / e.time_scale_min_per_s <= 4.8),
    )

    swelling: float = param("E", "ratio", 1.9, 2.6)
    fastest_min: float = param("tm", "min", 35, 60, default=46)
    width_min: float = param("s", "min", 9, 15)
    time_scale_min_per_s: float = param("time_scale", "min/s", 9, 15)

    def states(self, t_s: Array) -> dict[str, Array]:
        tau = self.time_scale_min_per_s * started(t_s)
        rise = 0.5 + 0.5 * np.tanh((tau - self.fastest_min) / (2 * self.width_min))  # 1 / (1 + exp(-(tau - tm) / s))
        before = 0.5 - 0.5 * np.tanh(self.fastest_min / (2 * self.width_min))
        volume: Array = 1 + (self.swelling - 1) * (rise - before) / (1 - before)
        return {"V": volume, "volume_ratio": volume.copy()}

    def assembly(self) -> Assembly:
        place = (0.0, 0.0, BOARD_M)
        return Assembly((
            Part("dough", self._dough(1.0), DOUGH, carries=True, smooth_angle_deg=60),
            *vessels.turned_vessel("bowl", BOWL, place, floor_m=GLASS_M, rim_m=0.0022),
            furniture.board("board", (0.30, 0.26, BOARD_M), material=PALE_WOOD),
        ))  # fmt: skip

    def _dough(self, ratio: float) -> trimesh.Trimesh:
        """Closed dough of exactly ratio START_M3: bisection over the level at which the dome leaves the glass."""
        low, high = 0.0, float(BOWL[-1, 1])
        for _ in range(60):
            level = (low + high) / 2
            profile = _dough_profile(level)
            if float(vessels.profile_volume_m3(profile, np.inf)) < ratio * START_M3:
                low = level
            else:
                high = level
        return parts.moved(solid_of_revolution(_dough_profile((low + high) / 2), 48, exact=True), z_m=BOARD_M + GLASS_M)

    def channels(self, state: State) -> ChannelMap:
        return {"dough": (Vertices(np.asarray(self._dough(float(state["V"])).vertices)),)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"V": float(meshes["dough"].volume) / START_M3}

    def measure(self, view: View) -> dict[str, float]:
        """Volume of the round body through the visible surface: discs of the radius seen at each height."""
        points = view.points_m["dough"] - at(0.0, 0.0, BOARD_M + GLASS_M)
        if len(points) < 10:
            return {"volume_ratio": float("nan")}
        order = np.argsort(points[:, 2])
        height, radius = points[order, 2], np.hypot(points[order, 0], points[order, 1])
        height, radius = np.concatenate([[0.0], height]), np.concatenate([[BOWL[0, 0]], radius])
        volume = np.pi * float((np.diff(height) * (radius[1:] ** 2 + radius[:-1] ** 2) / 2).sum())
        return {"volume_ratio": volume / START_M3}


def _dough_profile(level_m: float) -> Array:
    """[P, 2] profile, P fixed: along the bowl to a level, then a dome."""
    z = np.minimum(np.linspace(0.0, float(BOWL[-1, 1]), 12), level_m)
    r = np.interp(z, BOWL[:, 1], BOWL[:, 0])
    bow = np.linspace(0.0, np.pi / 2, 14)[1:]
    dome = np.column_stack([r[-1] * np.cos(bow), level_m + DOME * r[-1] * np.sin(bow)])
    return np.vstack([np.column_stack([r, z]), dome])
