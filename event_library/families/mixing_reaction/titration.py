"""Colour changes by the drop and by the clock, in glassware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Colour, Rotate, quaternion_about
from event_library.families.mixing_reaction.samples import sample
from event_library.kit import palette, streams, vessels
from event_library.kit.furniture import retort_stand
from event_library.kit.palette import blend
from event_library.laws import ease, started
from event_library.parts import Assembly, Part
from event_library.readouts import linear_rgb, mixing_share
from event_library.taxonomy import facts

# ---- titration
DROP_M3 = 5e-7
MOLAR = 0.1  # mol/L, of both solutions
CLEAR, PINK = (0.72, 0.86, 0.92), (0.90, 0.04, 0.36)
STIRRER_M = 0.035  # height of the stirrer on which the flask stands
FLASK_M, FLASK_TALL_M = 0.055, 0.13
TUBE_M = 0.011  # radius of the burette
TIP_M = 0.20  # height of its tip
COLUMN_M = 0.19  # length of its scale
SCALE_DROPS = 24  # drops in the full burette
STIR_RAD_PER_S = 9.0
VIAL_M = 0.014

# ---- clock reaction
BEAKER_M, BEAKER_TALL_M, FILL_M = 0.028, 0.115, 0.09
COLOURLESS, STARCH_BLUE = (0.78, 0.86, 0.86), (0.015, 0.02, 0.10)
FLIP_S = 0.08


@dataclass(frozen=True, kw_only=True)
class TitrationEndpoint(Event):
    """Strong acid and base with water's own ions, phenolphthalein of pKa 9.4 (Skoog, Analytical Chemistry, ch. 14)."""

    info = facts("titration_endpoint")
    variables = (
        state("n", "count", 0.0, domain="count", flags="monotone bounded", label="drops let in"),
        state("waiting", "ratio", 0.02, label="share of the time to the next drop that has gone by"),
        state("stirred", "rad", 0.1, domain="angle", cycle=2 * np.pi, label="turn of the stirrer bar"),
        state("pH", "ratio", 0.1, flags="monotone bounded"),
        readout("pink", "ratio", 0.2, min_delta=0.5, flags="monotone bounded", label="share of the full colour"),
        readout("burette_level", "count", 1.5, domain="count", flags="monotone bounded", label="drops delivered"),
    )
    accept_rules = (("the end point comes after 3 to 5.2 s", lambda e: 3.0 <= e.num_needed * e.drop_s <= 5.2),)

    num_needed: int = param("n_e", "count", 12, 20)
    drop_s: float = param("t_d", "s", 0.22, 0.36, default=0.26)

    def triggers(self) -> dict[str, float]:
        return {"end_point": self.num_needed * self.drop_s}

    def states(self, t_s: Array) -> dict[str, Array]:
        turns = started(t_s) / self.drop_s
        n = np.minimum(np.floor(turns), float(SCALE_DROPS))
        acid = (self.num_needed - 0.5) * DROP_M3
        excess = MOLAR * (acid - n * DROP_M3) / (acid + n * DROP_M3)
        # the larger root, and for an excess of base the other way round: no digits lost
        root = np.sqrt(excess**2 + 4e-14)
        hydrogen = np.where(excess > 0, (excess + root) / 2, 2e-14 / (root - excess))
        ph = -np.log10(hydrogen)
        return {
            "n": n, "waiting": np.where(n < SCALE_DROPS, turns - n, 0.0),
            "stirred": STIR_RAD_PER_S * started(t_s) % (2 * np.pi), "pH": ph,
            "pink": 1 / (1 + 10 ** (9.4 - ph)), "burette_level": n.copy(),
        }  # fmt: skip

    def assembly(self) -> Assembly:
        profile = vessels.flask_profile(FLASK_M, FLASK_TALL_M, 0.018)
        foot = (0.0, 0.0, STIRRER_M)
        target = parts.moved(
            parts.ring(TUBE_M + 0.0005, TUBE_M + 0.004, 0.006, 0.001, 32),
            0,
            0,
            self._level_z_m(self.num_needed) - 0.003,
        )
        plate = parts.join(
            parts.block((0.13, 0.13, STIRRER_M - 0.002), (0, 0, 0)),
            parts.moved(parts.cylinder(0.056, 0.002, 32), z_m=STIRRER_M - 0.002),
        )
        knob = parts.moved(parts.cylinder(0.012, 0.012, 20), 0, -0.068, 0.012)
        marks = np.arange(0.0, SCALE_DROPS + 1, 4)
        tall = TIP_M + 0.02 + COLUMN_M
        return Assembly(
            parts=(
                vessels.liquid_in("solution", profile, 0.05, palette.liquid(CLEAR)),
                vessels.liquid_column("alkali", TUBE_M, COLUMN_M, palette.liquid((0.10, 0.55, 0.85))),
                streams.drop("drop", 0.005),
                Part("bar", self._bar(), palette.paint(palette.WHITE)),
                *vessels.turned_vessel("flask", profile, foot, floor_m=0.003),
                *vessels.glass("burette", TUBE_M, COLUMN_M + 0.025, (0, 0, TIP_M + 0.012), floor_m=0.008),
                vessels.graduations("scale", TUBE_M, np.array([self._level_z_m(k) for k in marks]), span_rad=1.6),
                Part("target", target, palette.paint(palette.RED), smooth_angle_deg=40),
                *streams.syringe_needle("tip", (0, 0, TIP_M), 0.02),
                retort_stand("stand", tall + 0.05, tall - 0.03, -0.10, (0.11, 0.03, 0.0)),
                Part("stirrer", plate, palette.paint((0.75, 0.76, 0.78))),
                Part("knob", knob, palette.DARK, smooth_angle_deg=40),
                *sample("clear", CLEAR, VIAL_M, 0.05, (-0.115, -0.03, 0.0)),
                *sample("pink", PINK, VIAL_M, 0.05, (-0.078, -0.03, 0.0)),
            )
        )

    @staticmethod
    def _bar() -> trimesh.Trimesh:
        return parts.bevelled_box((0.045, 0.010, 0.010), 0.002)

    @staticmethod
    def _level_z_m(drops: float) -> float:
        """Height of the burette's meniscus."""
        return TIP_M + 0.02 + COLUMN_M * (1 - drops / SCALE_DROPS)

    def channels(self, state: State) -> ChannelMap:
        profile, foot = vessels.flask_profile(FLASK_M, FLASK_TALL_M, 0.018), (0.0, 0.0, STIRRER_M + 0.003)
        drops, left_s = float(state["n"]), (1 - float(state["waiting"])) * self.drop_s
        level = 0.040 + 0.0006 * drops
        high = TIP_M - 0.008 - float(streams.fallen_m(max(0.19 - left_s, 0.0)))
        column = vessels.column_channels(
            "alkali", self._level_z_m(drops) - TIP_M - 0.02, COLUMN_M, (0, 0, TIP_M + 0.02)
        )
        shape = vessels.liquid_in_channels("solution", profile, level, foot)["solution"]
        hanging = drops < SCALE_DROPS and high > foot[2] + level + 0.004
        found: dict[str, tuple[Channel, ...]] = {
            **column, "solution": (*shape, Colour(blend(CLEAR, PINK, float(state["pink"])))),
            **streams.drop_channels("drop", (0, 0, high), min(1.0, 0.4 + float(state["waiting"])), visible=hanging),
        }  # fmt: skip
        turn = Rotate(quaternion_about((0.0, 0.0, 1.0), float(state["stirred"])))
        (move,) = (
            c for c in streams.drop_channels("bar", (0, 0, foot[2] + 0.006))["bar"] if type(c).__name__ == "Move"
        )
        return found | {"bar": (turn, move)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        full = np.pi * TUBE_M**2 * COLUMN_M
        end = np.asarray(meshes["bar"].vertices)
        x, y, _ = end[np.asarray(self._bar().vertices)[:, 0] > 0].mean(axis=0)
        return {"n": SCALE_DROPS * (1 - float(meshes["alkali"].volume) / full), "stirred": float(np.arctan2(y, x))}

    def measure(self, view: View) -> dict[str, float]:
        share = mixing_share(view.rgb["solution"], view.rgb["clear_sample"], view.rgb["pink_sample"])
        found = {"pink": float(np.clip(share, 0.0, 1.0))}  # what is clearer than the clear sample is clear
        points = view.points_m["alkali"]
        if len(points) > 8:
            half = float(np.sqrt(np.median(view.pixel_area_m2["alkali"]))) / 2
            top = float(points[:, 2].max()) + half
            found["burette_level"] = SCALE_DROPS * (1 - (top - TIP_M - 0.02) / COLUMN_M)
        return found


@dataclass(frozen=True, kw_only=True)
class IodineClockRow(Event):
    """Induction time goes as 1 / concentration: beaker i of a geometric dilution flips at t_first rho^i."""

    info = facts("iodine_clock_row")
    variables = (
        state("dark", "ratio", 0.05, domain="vector", label="how dark each beaker is"),
        readout(
            "dark_count", "count", 1.0, min_delta=2.0, domain="count", flags="monotone bounded", label="dark beakers"
        ),
    )
    accept_rules = (("the last one flips after 6 to 11 s", lambda e: 6 <= e.flips_s()[-1] <= 11),)

    num_beakers: int = param("n", "count", 7, 9)
    first_s: float = param("t_first", "s", 0.6, 1.0)
    dilution_ratio: float = param("rho", "ratio", 1.28, 1.42)

    def flips_s(self) -> Array:
        """[n] when each beaker turns."""
        return self.first_s * self.dilution_ratio ** np.arange(self.num_beakers)

    def triggers(self) -> dict[str, float]:
        return {f"beaker_{i + 1}_turns": float(t) for i, t in enumerate(self.flips_s())}

    def states(self, t_s: Array) -> dict[str, Array]:
        since = started(t_s)[:, None] - self.flips_s()
        return {"dark": ease(since / FLIP_S), "dark_count": (since >= 0).sum(axis=1).astype(np.float64)}

    def assembly(self) -> Assembly:
        made: list[Part] = []
        for i, x in enumerate(self._places_m()):
            foot = (float(x), 0.0, 0.012)
            made += [vessels.liquid_column(f"solution_{i + 1}", BEAKER_M, FILL_M, palette.liquid(COLOURLESS))]
            made += vessels.glass(f"beaker_{i + 1}", BEAKER_M, BEAKER_TALL_M, foot)
            strong = 0.012 + 0.05 * self.dilution_ratio ** (-float(i))
            bar = parts.block((strong, 0.003, 0.011), (float(x), -0.0465, 0.0))
            made += [Part(f"label_{i + 1}", bar, palette.RED_INK)]
        wide = float(np.ptp(self._places_m())) + 0.08
        return Assembly((*made, Part("board", parts.block((wide, 0.09, 0.012), (0, 0, 0)), palette.PALE_WOOD)))

    def _places_m(self) -> Array:
        return (np.arange(self.num_beakers) - (self.num_beakers - 1) / 2) * 0.066

    def channels(self, state: State) -> ChannelMap:
        found: dict[str, tuple[Channel, ...]] = {}
        for i, (x, dark) in enumerate(zip(self._places_m(), state["dark"], strict=True)):
            name, floor = f"solution_{i + 1}", (float(x), 0.0, 0.012 + vessels.FLOOR_M)
            column = vessels.column_channels(name, FILL_M, FILL_M, floor)[name]
            found[name] = (*column, Colour(blend(COLOURLESS, STARCH_BLUE, float(dark))))
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Beakers whose liquid is far darker than the brightest part of the picture's board under them."""
        light = float(np.median(linear_rgb(view.rgb["board"])[:, 0])) if len(view.rgb["board"]) else float("nan")
        seen = [view.rgb[f"solution_{i + 1}"] for i in range(int(self.num_beakers))]
        dark = [float(np.median(linear_rgb(rgb)[:, 0])) < 0.25 * light for rgb in seen if len(rgb)]
        return {"dark_count": float(sum(dark)) if light == light else float("nan")}
