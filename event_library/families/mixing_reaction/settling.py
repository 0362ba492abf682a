"""Layers in a glass: foam that sinks in, mud that settles, a tablet that dissolves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Colour, Move, Scale, Visible
from event_library.families.mixing_reaction.samples import middle_ratio, sample
from event_library.kit import palette, streams, vessels
from event_library.kit.palette import blend
from event_library.kit.shapes import at, swept
from event_library.laws import started
from event_library.parts import Assembly, Part, Pattern
from event_library.readouts import boundary_height_m, pixel_pitch_m, top_height_m
from event_library.taxonomy import facts

FLOOR_M = vessels.FLOOR_M
MUG_M, BEER_M = 0.045, 0.085  # radius of the mug, height of the beer when the foam has gone
RISE = 0.15  # of the beer, per height of foam lost
HEAD = parts.Material(rgb=(0.93, 0.91, 0.84), roughness=0.7, pattern=Pattern("speckle", (0.80, 0.76, 0.64), 0.004))

JAR_M = 0.042
BED = 0.2  # share of the height that the mud fills in the end
MUDDY = parts.Material(rgb=(0.36, 0.19, 0.07), roughness=0.45)
SILT = parts.Material(rgb=(0.10, 0.05, 0.02), roughness=0.9, pattern=Pattern("speckle", (0.17, 0.09, 0.04), 0.006))
CLEARED = palette.liquid((0.62, 0.80, 0.88))

GLASS_M, WATER_M = 0.042, 0.10
TABLET_M, TABLET_THICK_M = 0.026, 0.012
CLEAR, ORANGE = (0.70, 0.84, 0.92), (0.95, 0.34, 0.03)
NUM_BUBBLES, BUBBLE_M = 40, 0.0022
VIAL_M, QUARTERS = 0.014, 4


@dataclass(frozen=True, kw_only=True)
class BeerFoamCollapse(Event):
    """Foam decays exponentially (Leike 2002); the beer in it drains into the glass."""

    info = facts("beer_foam_collapse")
    variables = (
        state("foam", "m", 0.0035, flags="monotone"),
        readout("foam_height", "m", 0.0035, min_delta=0.008, flags="monotone", label="white band"),
    )
    accept_rules = (("the decay takes 3.5 to 7 s", lambda e: 3.5 <= e.decay_s / e.time_scale <= 7),)

    head_m: float = param("H0", "m", 0.045, 0.07)
    decay_s: float = param("tf", "s", 120, 280)
    time_scale: float = param("time_scale", "s/s", 25, 60)

    def states(self, t_s: Array) -> dict[str, Array]:
        foam = self.head_m * np.exp(-started(t_s) * self.time_scale / self.decay_s)
        return {"foam": foam, "foam_height": foam.copy()}

    def _full_m(self) -> float:
        """Height of beer and foam at first."""
        return BEER_M - RISE * self.head_m + self.head_m

    def assembly(self) -> Assembly:
        rim = FLOOR_M + self._full_m() + 0.006
        bow = np.linspace(-1.0, 1.0, 15) * np.pi / 2
        side = vessels.wall_radius_m(MUG_M)
        path = np.column_stack([side - 0.002 + 0.034 * np.cos(bow), np.zeros(15), 0.5 * rim + 0.3 * rim * np.sin(bow)])
        return Assembly(
            parts=(
                vessels.liquid_column("beer", MUG_M, BEER_M, palette.liquid((0.90, 0.42, 0.03))),
                vessels.liquid_column("foam", MUG_M, self.head_m, HEAD),
                *vessels.glass("mug", MUG_M, rim, rim_m=0.002),
                Part("handle", swept(path, 0.006, 12), palette.GLASS_EDGE, smooth_angle_deg=60),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        foam = float(state["foam"])
        beer = BEER_M - RISE * foam
        return {
            **vessels.column_channels("beer", beer, BEER_M, (0, 0, FLOOR_M)),
            **vessels.column_channels("foam", foam, self.head_m, (0, 0, FLOOR_M + beer)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"foam": float(meshes["foam"].volume) / (np.pi * MUG_M**2)}

    def measure(self, view: View) -> dict[str, float]:
        foam, areas = view.points_m["foam"], view.pixel_area_m2["foam"]
        if len(foam) < 4:
            return {"foam_height": float("nan")}
        front = foam[foam[:, 1] < -0.3 * MUG_M]
        return {
            "foam_height": top_height_m(foam, areas)[0]
            - boundary_height_m(_front(view, "beer", MUG_M), front, pixel_pitch_m(areas))
        }


def _front(view: View, name: str, radius_m: float) -> Array:
    """Points on the near side of what stands in a round glass."""
    points = view.points_m[name]
    return points[points[:, 1] < -0.3 * radius_m]


@dataclass(frozen=True, kw_only=True)
class SedimentSettling(Event):
    """Kynch 1952: mud of one concentration settles at speed v into a bed that is five times as dense."""

    info = facts("sediment_settling")
    variables = (
        state("z", "m", 0.006, flags="monotone bounded", label="top of the muddy water"),
        state("hs", "m", 0.004, flags="monotone bounded", label="top of the bed"),
        readout("interface", "m", 0.006, min_delta=0.016, flags="monotone bounded", label="top of the brown zone"),
        readout("bed", "m", 0.004, flags="monotone bounded", label="dark layer at the bottom"),
    )
    accept_rules = (("settling takes 6 to 13 s", lambda e: 6 <= e.settling_s <= 13),)

    height_m: float = param("H", "m", 0.10, 0.14)
    speed_m_per_s: float = param("v", "m/s", 0.00015, 0.0004)
    time_scale: float = param("time_scale", "s/s", 20, 70)

    @property
    def settling_s(self) -> float:
        return (1 - BED) * self.height_m / (self.speed_m_per_s * self.time_scale)

    def triggers(self) -> dict[str, float]:
        return {"settled": self.settling_s}

    def states(self, t_s: Array) -> dict[str, Array]:
        done = np.minimum(started(t_s) / self.settling_s, 1.0)
        z, hs = self.height_m * (1 - (1 - BED) * done), BED * self.height_m * done
        return {"z": z, "hs": hs, "interface": z.copy(), "bed": hs.copy()}

    def assembly(self) -> Assembly:
        tall = FLOOR_M + self.height_m + 0.018
        lid = parts.moved(parts.ring(0.001, JAR_M + 0.003, 0.014, 0.002, 48), z_m=tall - 0.002)
        return Assembly(
            parts=(
                vessels.liquid_column("clear", JAR_M, self.height_m, CLEARED),
                vessels.liquid_column("mud", JAR_M, self.height_m, MUDDY),
                vessels.liquid_column("silt", JAR_M, self.height_m, SILT),
                *vessels.glass("jar", JAR_M, tall),
                Part("lid", lid, palette.BRASS, smooth_angle_deg=40),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        z, hs, full = float(state["z"]), float(state["hs"]), self.height_m
        found: dict[str, tuple[Channel, ...]] = {}
        for name, low, high in (("silt", 0.0, hs), ("mud", hs, z), ("clear", z, full)):
            column = vessels.column_channels(name, high - low, full, (0, 0, FLOOR_M + low))[name]
            found[name] = (*column, Visible(high - low > 2e-5))
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        area = np.pi * JAR_M**2
        deep = {n: float(meshes[n].volume) / area if n in meshes else 0.0 for n in ("silt", "mud")}
        return {"hs": deep["silt"], "z": deep["silt"] + deep["mud"]}

    def measure(self, view: View) -> dict[str, float]:
        seen = {name: _front(view, name, JAR_M) for name in ("silt", "mud", "clear")}
        areas = np.concatenate([view.pixel_area_m2[name] for name in seen])
        if len(areas) == 0:
            return {"interface": float("nan")}
        pitch = pixel_pitch_m(areas)
        found = {}
        brown = np.vstack([seen["silt"], seen["mud"]])
        if len(seen["clear"]) < 4:  # nothing has cleared yet
            found["interface"] = float(brown[:, 2].max()) + pitch / 2 - FLOOR_M
        else:
            found["interface"] = boundary_height_m(brown, seen["clear"], pitch) - FLOOR_M
        if len(seen["silt"]) >= 4:
            above = np.vstack([seen["mud"], seen["clear"]])
            found["bed"] = boundary_height_m(seen["silt"], above, pitch) - FLOOR_M
        return found


@dataclass(frozen=True, kw_only=True)
class EffervescentTablet(Event):
    """Every face dissolves at one speed: linear size 1 - tau / td (Hixson & Crowell 1931), dissolved 1 - size^3."""

    info = facts("effervescent_tablet")
    variables = (
        state("size", "ratio", 0.08, flags="monotone bounded", label="linear size of the tablet over that at first"),
        state("fizz", "s", 0.1, label="event time, by which the bubbles rise"),
        readout("tint", "ratio", 0.075, min_delta=0.15, flags="monotone bounded", label="share of the full orange"),
    )
    accept_rules = (("dissolving takes 6 to 11 s", lambda e: 6 <= e.dissolving_s / e.time_scale <= 11),)

    dissolving_s: float = param("td", "s", 30, 60)
    time_scale: float = param("time_scale", "s/s", 3, 8)

    def triggers(self) -> dict[str, float]:
        return {"dissolved": self.dissolving_s / self.time_scale}

    def states(self, t_s: Array) -> dict[str, Array]:
        size = np.maximum(1 - started(t_s) * self.time_scale / self.dissolving_s, 0.0)
        return {"size": size, "fizz": started(t_s) % 1000.0, "tint": 1 - size**3}

    def assembly(self) -> Assembly:
        tablet = parts.moved(parts.ring(0.0006, TABLET_M, TABLET_THICK_M, 0.002, 40), z_m=0.0)
        foam = streams.balls("froth", NUM_BUBBLES, BUBBLE_M)
        made: list[Part] = []
        for k in range(QUARTERS + 1):
            made += sample(f"quarter_{k}", _rgb(k / QUARTERS), VIAL_M, 0.06, (0.076 + 0.034 * k, 0.0, 0.0))
        return Assembly(
            parts=(
                vessels.liquid_column("water", GLASS_M, WATER_M, palette.liquid(CLEAR)),
                Part("tablet", tablet, palette.paint((0.95, 0.42, 0.05), 0.8), smooth_angle_deg=30),
                streams.balls("bubbles", NUM_BUBBLES, BUBBLE_M, palette.paint((0.95, 0.97, 1.0), 0.1)),
                foam,
                *vessels.glass("glass", GLASS_M, FLOOR_M + WATER_M + 0.025),
                *made,
            )
        )

    def channels(self, state: State) -> ChannelMap:
        size, fizz = float(state["size"]), float(state["fizz"])
        fizzing = np.arange(NUM_BUBBLES) < NUM_BUBBLES * size**2
        rise = streams.rising_places(
            NUM_BUBBLES, fizz, 0.06, (0, 0, FLOOR_M), TABLET_M, WATER_M - BUBBLE_M, 3, wobble_m=0.004
        )
        burst = streams.rising_places(NUM_BUBBLES, fizz, 0.004, (0, 0, 0), 0.9 * GLASS_M, 0.006, 5, wobble_m=0.0)
        froth = burst[0] * [1, 1, 0] + at(0, 0, FLOOR_M + WATER_M)
        water = vessels.column_channels("water", WATER_M, WATER_M, (0, 0, FLOOR_M))["water"]
        return {
            "water": (*water, Colour(np.array(_rgb(1 - size**3)))),
            "tablet": (Visible(size > 0), Scale(np.full(3, max(size, 1e-3))), Move(at(0, 0, FLOOR_M + 0.0005))),
            **streams.balls_channels("bubbles", BUBBLE_M, rise[0], np.where(fizzing, rise[1], 1e-3)),
            **streams.balls_channels("froth", BUBBLE_M, froth, np.where(fizzing, 1.5 * burst[1], 1e-3)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"size": float(np.ptp(meshes["tablet"].vertices[:, 2])) / TABLET_THICK_M if "tablet" in meshes else 0.0}

    def measure(self, view: View) -> dict[str, float]:
        """Blue over red of the water, placed between those of samples with no to four quarters of the tablet."""
        names = ["water", *(f"quarter_{k}_sample" for k in range(QUARTERS + 1))]
        water, *samples = (np.sqrt(middle_ratio(view, name, 2, 0)) for name in names)
        quarters = np.interp(-water, -np.array(samples), np.arange(QUARTERS + 1))
        return {"tint": float(quarters) / QUARTERS}


def _rgb(tint: float) -> parts.Rgb:
    red, green, blue = (float(c) for c in blend(CLEAR, ORANGE, tint))
    return red, green, blue
