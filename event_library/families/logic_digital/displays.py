"""Screens and lamps that count: progress bar, countdown, chaser lights, binary counter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Power
from event_library.kit import copies, dials, digits
from event_library.kit.palette import DARK, GREY, ORANGE, RED, WHITE, paint
from event_library.kit.shapes import at, extruded, turned
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part
from event_library.readouts import pixel_pitch_m
from event_library.taxonomy import facts

BAR_M = (0.40, 0.085)  # full length and height of the progress bar
BAR_LEFT = (-0.20, -0.010, 0.21)  # middle of its left edge
SCREEN_RGB = (0.02, 0.05, 0.13)


@dataclass(frozen=True, kw_only=True)
class ProgressBar(Event):
    """A download at a steady rate: p = min(1, p0 + r t)."""

    info = facts("progress_bar")
    variables = (
        state("p", "frac", 0.05, flags="monotone bounded"),
        readout("progress", "frac", 0.05, min_delta=0.14, flags="monotone bounded", label="filled share of the bar"),
    )

    start_frac: float = param("p0", "frac", 0.02, 0.15)
    rate_per_s: float = param("r", "1/s", 0.07, 0.12)

    def states(self, t_s: Array) -> dict[str, Array]:
        share = np.minimum(self.start_frac + self.rate_per_s * started(t_s), 1.0)
        return {"p": share, "progress": share.copy()}

    def triggers(self) -> dict[str, float]:
        return {"complete": (1 - self.start_frac) / self.rate_per_s}

    def assembly(self) -> Assembly:
        screen = Material(rgb=SCREEN_RGB, roughness=0.3, emission_rgb=(0.05, 0.12, 0.32), emission_strength=0.55)
        stand = parts.join(
            parts.moved(parts.bevelled_box((0.20, 0.13, 0.014), 0.004), 0, 0.03, 0.007),
            parts.block((0.05, 0.02, 0.12), (0, 0.035, 0.01)),
        )
        trough = paint((0.30, 0.33, 0.40))
        glow = Material(rgb=(0.04, 0.45, 0.08), roughness=0.4, emission_rgb=(0.06, 0.85, 0.12), emission_strength=1.3)
        return Assembly((
            *dials.bar_gauge("bar", BAR_M, BAR_LEFT, along="x", depth_m=0.006, fill=glow, frame=trough),
            Part("case", parts.moved(parts.bevelled_box((0.52, 0.03, 0.32), 0.008), 0, 0.019, 0.24), DARK),
            Part("screen", parts.block((0.48, 0.002, 0.28), (0, 0.003, 0.10)), screen),
            Part("stand", stand, DARK),
            digits.label("title", "DOWNLOAD", 0.045, (0, 0.0015, 0.325), material=paint(WHITE, glow=0.9)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        return dials.bar_gauge_channels("bar", float(state["p"]), BAR_LEFT, along="x")

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"p": float(np.ptp(meshes["bar_fill"].vertices[:, 0])) / BAR_M[0]}

    def measure(self, view: View) -> dict[str, float]:
        points, areas = view.points_m["bar_fill"], view.pixel_area_m2["bar_fill"]
        if len(points) == 0:
            return {"progress": 0.0 if len(view.points_m["bar_frame"]) else float("nan")}
        return {"progress": (float(points[:, 0].max()) + pixel_pitch_m(areas) / 2 - BAR_LEFT[0]) / BAR_M[0]}


DIGIT_M = 0.22


@dataclass(frozen=True, kw_only=True)
class CountdownDisplay(Event):
    """A seven-segment display counts down by one every dt: N = max(0, N0 - floor(t / dt))."""

    info = facts("countdown_display")
    variables = (
        state("N", "count", 0.0, domain="count", flags="monotone bounded"),
        readout("number", "count", 0.0, min_delta=2.0, domain="count", flags="monotone bounded", label="number shown"),
    )
    accept_rules = (("it still counts after 7 s", lambda e: e.num_start * e.step_s >= 7),)

    num_start: int = param("N0", "count", 9, 30)
    step_s: float = param("dt", "s", 0.5, 1.0)

    def states(self, t_s: Array) -> dict[str, Array]:
        number = np.maximum(self.num_start - np.floor(started(t_s) / self.step_s), 0.0)
        return {"N": number, "number": number.copy()}

    def triggers(self) -> dict[str, float]:
        return {"zero": self.num_start * self.step_s}

    def assembly(self) -> Assembly:
        feet = [parts.block((0.05, 0.14, 0.03), (x, 0.045, 0.0)) for x in (-0.12, 0.12)]
        return Assembly((
            *digits.seven_segments("digit", 2, DIGIT_M, (0.0, 0.0, 0.03 + 0.725 * DIGIT_M), rgb=RED),
            Part("feet", parts.join(*feet), paint(GREY)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        return digits.seven_segments_channels("digit", 2, int(state["N"]), rgb=RED)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        text = digits.read_display("digit", 2, view.rgb, RED).strip()
        return {"number": float(text) if text.isdigit() else float("nan")}


RING_M, BULB_M, SIGN_Z_M = 0.20, 0.024, 0.30
LAMP_W = 0.9
LIT_RGB, UNLIT_RGB = (1.0, 0.60, 0.14), (0.05, 0.022, 0.008)


@dataclass(frozen=True, kw_only=True)
class ChaserLights(Event):
    """A lit bulb runs clockwise round a ring of M: lit = (i0 + floor(t / dt)) mod M."""

    info = facts("chaser_lights")
    variables = (
        state("lit", "index", 0.0, domain="discrete", flags="periodic bounded"),
        readout(
            "lit_angle", "rad", 0.17, min_delta=0.69, domain="angle", cycle=2 * np.pi, flags="periodic bounded",
            label="of the lit bulb, clockwise from the top",
        ),
    )  # fmt: skip

    num_bulbs: int = param("M", "count", 12, 18)
    step_s: float = param("dt", "s", 0.25, 0.5)
    first: int = param("i0", "index", 0, 11)

    def states(self, t_s: Array) -> dict[str, Array]:
        lit = np.mod(self.first + np.floor(started(t_s) / self.step_s), self.num_bulbs)
        return {"lit": lit, "lit_angle": 2 * np.pi * lit / self.num_bulbs}

    def bulbs_m(self) -> Array:
        """[M, 3] middles of the bulbs, clockwise from the top."""
        angle = 2 * np.pi * np.arange(self.num_bulbs) / self.num_bulbs
        return np.column_stack([RING_M * np.sin(angle), np.full(len(angle), -0.012), SIGN_Z_M + RING_M * np.cos(angle)])

    def assembly(self) -> Assembly:
        glass = Material(rgb=LIT_RGB, roughness=0.3, emission_strength=2.5, per_vertex=True)
        disc = turned(parts.cylinder(RING_M + 0.045, 0.03, 64), (1.0, 0.0, 0.0), -np.pi / 2)
        star = circle_star(0.115, 0.05)
        wedge = extruded(np.array([(-0.02, SIGN_Z_M + 0.285), (0.02, SIGN_Z_M + 0.285), (0.0, SIGN_Z_M + 0.25)]), 0.01)
        return Assembly(
            parts=(
                copies.copies("bulbs", parts.sphere(BULB_M, 2), self.bulbs_m(), glass, smooth_angle_deg=180),
                Part("sign", parts.moved(disc, 0.0, 0.0, SIGN_Z_M), paint((0.30, 0.015, 0.03)), smooth_angle_deg=40),
                Part("star", parts.moved(extruded(star, 0.008), 0, -0.008, SIGN_Z_M), paint((0.85, 0.55, 0.05))),
                Part("top_mark", wedge, paint(WHITE)),
                Part("post", parts.block((0.04, 0.03, SIGN_Z_M), (0, 0.03, 0)), DARK),
                Part("foot", parts.block((0.24, 0.14, 0.02), (0, 0.03, 0)), DARK),
            ),
            lamps=(Lamp("glow", (0.0, -0.06, SIGN_Z_M), LAMP_W, LIT_RGB, 0.02),),
        )

    def channels(self, state: State) -> ChannelMap:
        lit = int(state["lit"])
        rgb = np.tile(UNLIT_RGB, (int(self.num_bulbs), 1))
        rgb[lit] = LIT_RGB
        return {
            **copies.copies_colours("bulbs", parts.sphere(BULB_M, 2), rgb),
            "glow": (Power(LAMP_W), Move(self.bulbs_m()[lit] - at(0.0, 0.055, 0.0))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        points, bright = view.points_m["bulbs"], view.rgb["bulbs"].max(axis=1) > 0.85
        if not bright.any():
            return {"lit_angle": float("nan")}
        x, _, z = points[bright].mean(axis=0)
        return {"lit_angle": float(np.arctan2(x, z - SIGN_Z_M)) % (2 * np.pi)}


COUNTER_LAMP_M, COUNTER_Z_M = 0.052, 0.16


def circle_star(outer_m: float, inner_m: float, num_points: int = 5) -> Array:
    """[2 num_points, 2] outline of a star with one point up."""
    angle = np.pi / 2 + np.pi * np.arange(2 * num_points) / num_points
    radius = np.where(np.arange(2 * num_points) % 2 == 0, outer_m, inner_m)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


@dataclass(frozen=True, kw_only=True)
class BinaryCounterLamps(Event):
    """Lamps count up in binary: c = (c0 + floor(t / dt)) mod 2^nb; the rightmost lamp is bit 0."""

    info = facts("binary_counter_lamps")
    variables = (
        state("c", "count", 0.0, domain="count", flags="periodic bounded"),
        readout("count", "count", 0.0, min_delta=2.0, domain="count", flags="periodic bounded", label="number lit"),
    )

    num_lamps: int = param("nb", "count", 4, 5)
    step_s: float = param("dt", "s", 0.5, 0.9)
    num_first: int = param("c0", "count", 0, 15)

    def states(self, t_s: Array) -> dict[str, Array]:
        number = np.mod(self.num_first + np.floor(started(t_s) / self.step_s), 2**self.num_lamps)
        return {"c": number, "count": number.copy()}

    def _places_m(self) -> Array:
        """[nb, 3] lamps from left to right."""
        x = (np.arange(self.num_lamps) - (self.num_lamps - 1) / 2) * 2.6 * COUNTER_LAMP_M
        return np.column_stack([x, np.zeros(len(x)), np.full(len(x), COUNTER_Z_M)])

    def assembly(self) -> Assembly:
        num = int(self.num_lamps)
        labels = [
            digits.label(f"weight_{i}", str(2 ** (num - 1 - i)), 0.035, (x, -0.001, 0.045), material=paint(WHITE))
            for i, (x, _, _) in enumerate(self._places_m())
        ]
        width = (num - 1) * 2.6 * COUNTER_LAMP_M + 3.2 * COUNTER_LAMP_M
        return Assembly(
            parts=(
                *digits.lamp_row("lamp", num, COUNTER_LAMP_M, (0.0, 0.0, COUNTER_Z_M), rgb=ORANGE),
                *labels,
                Part("foot", parts.block((width, 0.08, 0.075), (0.0, 0.04, 0.0)), DARK),
            ),
            lamps=tuple(
                Lamp(f"glow_{i}", (x, -0.07, COUNTER_Z_M), 0.35, (1.0, 0.45, 0.1), 0.02)
                for i, (x, _, _) in enumerate(self._places_m())
            ),
        )

    def channels(self, state: State) -> ChannelMap:
        num = int(self.num_lamps)
        lit = [bool(int(state["c"]) >> (num - 1 - i) & 1) for i in range(num)]
        return {
            **digits.lamp_row_channels("lamp", lit, rgb=ORANGE),
            **{f"glow_{i}": (Power(0.35 if on else 0.0),) for i, on in enumerate(lit)},
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        number = 0
        for i in range(int(self.num_lamps)):
            seen = view.rgb[f"lamp_{i}"]
            if len(seen) == 0:
                return {"count": float("nan")}
            number = 2 * number + int(np.median(seen.max(axis=1)) > 0.75)
        return {"count": float(number)}
