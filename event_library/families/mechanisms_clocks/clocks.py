"""Time shown: a clock's hands, an hourglass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Scale, Vertices, Visible
from event_library.families.mechanisms_clocks.turning import TURN, rad, silhouette_bearing_rad
from event_library.kit import dials, vessels
from event_library.kit.palette import BOARD, DARK, RED, WOOD, paint
from event_library.kit.shapes import at, solid_of_revolution
from event_library.laws import started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.taxonomy import facts

WALLPAPER = Material(rgb=(0.16, 0.34, 0.36), roughness=0.9, pattern=Pattern("stripes", (0.12, 0.27, 0.29), 0.03))
MAHOGANY = Material(rgb=(0.10, 0.022, 0.015), roughness=0.35)
SAND = Material(rgb=(0.82, 0.40, 0.08), roughness=0.95, pattern=Pattern("speckle", (0.66, 0.28, 0.05), 0.004))


@dataclass(frozen=True, kw_only=True)
class AnalogClock(Event):
    """Both hands from one time of day h = start + tau: a turn an hour, a turn in twelve."""

    info = facts("analog_clock")
    variables = (
        state("minute", "rad", rad(8), domain="angle", flags="periodic", cycle=TURN),
        state("hour", "rad", rad(5), domain="angle", flags="periodic", cycle=TURN),
        readout("minute_angle", "rad", rad(8), min_delta=rad(24), domain="angle", flags="periodic", cycle=TURN,
                label="long hand, clockwise from 12"),
        readout("hour_angle", "rad", rad(5), domain="angle", flags="periodic", cycle=TURN,
                label="short hand, clockwise from 12"),
    )  # fmt: skip

    time_scale: float = param("time_scale", "s/s", 120, 400)
    start_h: float = param("h0", "h", 0, 12, default=10.15)

    RADIUS_M = 0.15
    HOUR = 0.62  # length of the short hand over the radius
    MIDDLE = (0.0, 0.0, 0.19)

    def states(self, t_s: Array) -> dict[str, Array]:
        hours = self.start_h + self.time_scale * started(t_s) / 3600
        minute, hour = hours % 1 * TURN, hours / 12 % 1 * TURN
        return {"minute": minute, "hour": hour, "minute_angle": minute.copy(), "hour_angle": hour.copy()}

    def assembly(self) -> Assembly:
        r = self.RADIUS_M
        return Assembly((
            *dials.clock_face("clock", r, self.MIDDLE, face=BOARD),
            dials.hand("hour_hand", self.HOUR * r, 0.2 * r, lift_m=0.003, tail=0.15, material=DARK),
            dials.hand("minute_hand", 0.84 * r, 0.12 * r, lift_m=0.018, tail=0.15, material=paint(RED)),
            Part("wall", parts.block((0.37, 0.03, 0.37), (0, 0.052, 0)), WALLPAPER),
            Part("skirting", parts.block((0.37, 0.045, 0.02), (0, 0.05, 0)), WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        return {
            **dials.hand_channels("minute_hand", float(state["minute"]), self.MIDDLE),
            **dials.hand_channels("hour_hand", float(state["hour"]), self.MIDDLE),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {n: dials.hand_angle_rad(meshes[f"{n}_hand"].vertices, self.MIDDLE) % TURN for n in ("minute", "hour")}

    def measure(self, view: View) -> dict[str, float]:
        """The long hand covers part of the short one, whose outline is therefore fitted."""
        r = self.RADIUS_M
        flat = {name: (view.points_m[name] - self.MIDDLE)[:, [0, 2]] for name in ("hour_hand", "clock_face")}
        hour = silhouette_bearing_rad(flat["hour_hand"], flat["clock_face"], (0.2 * r, self.HOUR * r), 0.22 * r)
        minute = dials.hand_angle_rad(view.points_m["minute_hand"], self.MIDDLE) % TURN
        return {"minute_angle": minute, "hour_angle": hour}


@dataclass(frozen=True, kw_only=True)
class Hourglass(Event):
    """Sand leaves at a steady rate, whatever its head (Beverloo et al. 1961): f = 1 - t / Tg of it is still above.

    Two cones of glass: above the level is Hb f^(1/3); below a heap at the angle of repose, cut off by the glass.
    """

    info = facts("hourglass")
    variables = (
        state("f", "frac", 0.06, flags="monotone bounded", label="share of the sand still above"),
        readout("lower_fraction", "frac", 0.06, min_delta=0.13, flags="monotone bounded",
                label="share of the sand in the lower bulb"),
    )  # fmt: skip

    run_s: float = param("Tg", "s", 8, 15)
    sand_height_m: float = param("Hb", "m", 0.06, 0.09)

    SLOPE = float(np.tan(np.deg2rad(32)))  # of the heap: angle of repose of dry sand
    WIDTH = 0.66  # radius of a bulb over its height
    SPARE = 1.2  # height of a bulb over that of its sand
    BORE_M = 0.0045
    FLOOR_M = 0.022  # top of the wooden foot

    @property
    def bulb_m(self) -> tuple[float, float]:
        """Radius and height of a bulb."""
        height = self.SPARE * self.sand_height_m
        return self.WIDTH * height, height

    @property
    def sand_m3(self) -> float:
        return float(np.pi / 3 * self.WIDTH**2 * self.sand_height_m**3)

    def heap_profile(self, apex_m: float) -> Array:
        """[3, 2] (radius, height) of the heap: floor rim, where it leaves the glass, apex."""
        radius, height = self.bulb_m
        if apex_m <= radius * self.SLOPE:
            foot = apex_m / self.SLOPE
            return np.array([(foot, 0.0), (foot, 0.0), (0.0, apex_m)])
        r = (height - apex_m) / (height / radius - self.SLOPE)
        return np.array([(radius, 0.0), (r, apex_m - r * self.SLOPE), (0.0, apex_m)])

    def heap_share(self, apex_m: float) -> float:
        """Share of the sand in a heap of this apex height."""
        return float(vessels.profile_volume_m3(self.heap_profile(apex_m), apex_m)) / self.sand_m3

    def heap_apex_m(self, share: float) -> float:
        low, high = 1e-5, self.bulb_m[1] - 1e-4
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if self.heap_share(middle) < share else (low, middle)
        return low

    def states(self, t_s: Array) -> dict[str, Array]:
        f = np.maximum(0.0, 1 - started(t_s) / self.run_s)
        return {"f": f, "lower_fraction": 1 - f}

    def triggers(self) -> dict[str, float]:
        return {"run_out": self.run_s}

    def assembly(self) -> Assembly:
        radius, height = self.bulb_m
        neck = self.FLOOR_M + height
        cone = np.array([(self.BORE_M, self.BORE_M / self.WIDTH), (radius, height)])
        tip = np.array([(1e-6, 0.0), (self.WIDTH * self.sand_height_m, self.sand_height_m)])
        posts = [
            parts.moved(parts.cylinder(0.006, 2 * height, 16), 1.22 * radius * x, 1.22 * radius * y, self.FLOOR_M)
            for x, y in ((-1, 0), (1, 0), (0, 1))
        ]
        discs = [parts.ring(1e-4, 1.38 * radius, self.FLOOR_M - 2e-4, 0.004) for _ in range(2)]
        parts.moved(discs[1], z_m=neck + height + 2e-4)
        lower = np.column_stack([cone[::-1, 0], height - cone[::-1, 1]])
        return Assembly((
            Part("sand", solid_of_revolution(tip, 64, exact=True), SAND, carries=True, smooth_angle_deg=40),
            Part("heap", self._heap(0.5), SAND, carries=True, smooth_angle_deg=25),
            Part("stream", parts.cylinder(0.7 * self.BORE_M, 1.0, 12), SAND, carries=True, smooth_angle_deg=40),
            *vessels.turned_vessel("upper", cone, (0.0, 0.0, neck)),
            *vessels.turned_vessel("lower", lower, (0.0, 0.0, self.FLOOR_M)),
            Part("frame", parts.join(*discs, *posts), MAHOGANY, smooth_angle_deg=40),
        ))  # fmt: skip

    def _heap(self, share: float) -> trimesh.Trimesh:
        return solid_of_revolution(self.heap_profile(self.heap_apex_m(share)), 64, exact=True)

    def channels(self, state: State) -> ChannelMap:
        f = float(state["f"])
        neck, apex = self.FLOOR_M + self.bulb_m[1], self.FLOOR_M + self.heap_apex_m(1 - f)
        return {
            "sand": (Scale(np.full(3, max(f, 1e-9) ** (1 / 3))), Move(at(0, 0, neck))),
            "heap": (Vertices(np.asarray(self._heap(1 - f).vertices)), Move(at(0, 0, self.FLOOR_M))),
            "stream": (Visible(f > 0), Scale(at(1, 1, neck - apex + 0.004)), Move(at(0, 0, apex))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {
            "f": float(meshes["sand"].volume) / self.sand_m3,
            "lower_fraction": float(meshes["heap"].volume) / self.sand_m3,
        }

    def measure(self, view: View) -> dict[str, float]:
        """Every point of the heap's free surface gives its apex: z + r tan(repose)."""
        heap = view.points_m["heap"]
        if len(heap) == 0:
            return {"lower_fraction": 0.0 if len(view.points_m["sand"]) else float("nan")}
        apex = float((heap[:, 2] - self.FLOOR_M + np.hypot(heap[:, 0], heap[:, 1]) * self.SLOPE).max())
        return {"lower_fraction": self.heap_share(min(apex, self.bulb_m[1] - 1e-4))}
