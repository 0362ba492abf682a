"""Two bodies on one straight line: they bounce off each other, or couple."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move
from event_library.families.collisions_collapse.looking import middle_m
from event_library.kit import palette
from event_library.kit.shapes import at, cone, extruded, turned
from event_library.laws import started
from event_library.parts import Assembly, Material, Part
from event_library.taxonomy import facts

GLIDER_M = 0.24  # length of a glider
CATCH_M = 0.72  # where a glider's middle is when the catch at an end of the track holds it
RIDGE_M = 0.10  # height of the track's ridge

WAGON_M = 0.30  # length of a wagon over its couplers
ROLLING_M_PER_S2 = 0.020  # deceleration by rolling resistance
RAILS_M = 1.95
RAIL_TOP_M = 0.035


@dataclass(frozen=True, kw_only=True)
class HeadOnCollision(Event):
    """1-D collision with restitution e (Newton's rule, momentum kept); catches hold a glider at the track's ends."""

    info = facts("head_on_collision")
    variables = (
        state("x1", "m", 0.05),
        state("x2", "m", 0.05),
        readout("x_blue", "m", 0.05, min_delta=0.12, flags="bounded", label="middle of the blue glider"),
        readout("x_red", "m", 0.05, flags="bounded", label="middle of the red glider"),
    )
    accept_rules = (
        ("they meet after 2 to 3.4 s", lambda e: 2.0 <= e.meeting_s <= 3.4),
        ("the impact lets the blue one run faster than 6 cm/s", lambda e: e.speeds_after_m_per_s[1] > 0.06),
    )

    red_mass_kg: float = param("m1", "kg", 0.2, 0.6)
    blue_mass_kg: float = param("m2", "kg", 0.2, 0.6)
    red_speed_m_per_s: float = param("v1", "m/s", 0.12, 0.20)
    blue_speed_m_per_s: float = param("v2", "m/s", 0.015, 0.05)
    restitution_ratio: float = param("e", "ratio", 0.8, 1.0)
    gap_m: float = param("gap", "m", 0.65, 0.85)

    @property
    def meeting_s(self) -> float:
        return (self.gap_m - GLIDER_M) / (self.red_speed_m_per_s + self.blue_speed_m_per_s)

    @property
    def speeds_after_m_per_s(self) -> tuple[float, float]:
        """Velocities of red and blue after the impact, to the right."""
        m1, m2, v1, v2 = self.red_mass_kg, self.blue_mass_kg, self.red_speed_m_per_s, self.blue_speed_m_per_s
        momentum, kick = m1 * v1 - m2 * v2, self.restitution_ratio * (v1 + v2)
        return (momentum - m2 * kick) / (m1 + m2), (momentum + m1 * kick) / (m1 + m2)

    def triggers(self) -> dict[str, float]:
        return {"impact": self.meeting_s}

    def states(self, t_s: Array) -> dict[str, Array]:
        before = np.minimum(started(t_s), self.meeting_s)
        after = started(t_s) - before
        u1, u2 = self.speeds_after_m_per_s
        x2 = np.minimum(self.gap_m / 2 - self.blue_speed_m_per_s * before + u2 * after, CATCH_M)
        x1 = np.clip(-self.gap_m / 2 + self.red_speed_m_per_s * before + u1 * after, -CATCH_M, CATCH_M - GLIDER_M)
        return {"x1": x1, "x2": x2, "x_red": x1.copy(), "x_blue": x2.copy()}

    def assembly(self) -> Assembly:
        long = 2 * CATCH_M + GLIDER_M
        ridge = extruded(np.array([(-0.075, 0.022), (0.075, 0.022), (0.012, RIDGE_M), (-0.012, RIDGE_M)]), long)
        turned(ridge, (0, 0, 1), np.pi / 2)
        parts.moved(ridge, x_m=long / 2)
        ends = [parts.block((0.03, 0.17, 0.16), (side * (long / 2 + 0.015), 0, 0)) for side in (-1, 1)]
        feet = [parts.block((0.08, 0.2, 0.022), (side * 0.3 * long, 0, 0)) for side in (-1, 1)]
        ticks = [parts.block((0.008, 0.004, 0.03), (x, -0.071, 0.03)) for x in np.arange(-0.8, 0.81, 0.1)]
        for tick in ticks:
            turned(tick, (1, 0, 0), -0.68, (0, -0.071, 0.03))
        return Assembly(
            parts=(
                *self._glider("red", palette.RED, self.red_mass_kg),
                *self._glider("blue", palette.BLUE, self.blue_mass_kg),
                Part("track", ridge, palette.paint((0.42, 0.45, 0.50), 0.6)),
                Part("ticks", parts.join(*ticks), palette.INK),
                Part("ends", parts.join(*ends, *feet), palette.DARK),
            )
        )

    def _glider(self, name: str, rgb: parts.Rgb, mass_kg: float) -> tuple[Part, Part]:
        """A saddle over the ridge, and on it its load: one weight for each 0.1 kg, in two stacks."""
        saddle = np.array([
            (-0.115, 0.035), (-0.10, 0.03), (-0.024, RIDGE_M + 0.004), (0.024, RIDGE_M + 0.004), (0.10, 0.03),
            (0.115, 0.035), (0.036, RIDGE_M + 0.05), (-0.036, RIDGE_M + 0.05),
        ])  # fmt: skip
        body = turned(extruded(saddle, GLIDER_M), (0, 0, 1), np.pi / 2)
        parts.moved(body, x_m=GLIDER_M / 2)
        top, num = RIDGE_M + 0.05, max(round(mass_kg / 0.1), 2)
        weights = [
            parts.moved(parts.cylinder(0.052, 0.028, 24), -0.058 + 0.116 * (k % 2), 0, top + 0.031 * (k // 2))
            for k in range(num)
        ]
        return (
            Part(name, body, palette.paint(rgb), carries=True, smooth_angle_deg=20),
            Part(f"{name}_load", parts.join(*weights), palette.BRASS, carries=True, smooth_angle_deg=40),
        )

    def channels(self, state: State) -> ChannelMap:
        red, blue = (Move(at(float(state[x]), 0, 0)) for x in ("x1", "x2"))
        return {"red": (red,), "red_load": (red,), "blue": (blue,), "blue_load": (blue,)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {name: float(meshes[part].bounds[:, 0].mean()) for name, part in (("x1", "red"), ("x2", "blue"))}

    def measure(self, view: View) -> dict[str, float]:
        return {f"x_{colour}": float(middle_m(view.points_m[colour])[0]) for colour in ("red", "blue")}


@dataclass(frozen=True, kw_only=True)
class CartsCoupling(Event):
    """A wagon catches up with one at rest and couples: momentum m1 v = (m1 + m2) v'; rolling resistance slows both."""

    info = facts("carts_coupling")
    variables = (
        state("x1", "m", 0.05, flags="monotone bounded"),
        state("x2", "m", 0.05, flags="monotone bounded"),
        state("coupled", "index", 0.0, domain="discrete", flags="monotone"),
        readout("x_grey", "m", 0.05, min_delta=0.13, flags="monotone bounded", label="middle of the grey wagon"),
    )
    accept_rules = (
        ("they meet after 1.5 to 3 s", lambda e: 1.5 <= e.meeting_s <= 3.0),
        ("the wagons stay on the rails", lambda e: e.gap_m + e.stretch_m <= 1.55),
        ("the grey wagon is carried on by 35 cm or more", lambda e: e.stretch_m >= 0.35),
    )

    speed_m_per_s: float = param("v", "m/s", 0.20, 0.30, default=0.27)
    gap_m: float = param("gap", "m", 0.65, 0.90, default=0.70)
    red_mass_kg: float = param("m1", "kg", 0.5, 1.5, default=1.2)
    grey_mass_kg: float = param("m2", "kg", 0.5, 1.5)

    @property
    def meeting_s(self) -> float:
        """First root of v t - a t^2 / 2 = gap - wagon length; inf when it stops short."""
        root = self.speed_m_per_s**2 - 2 * ROLLING_M_PER_S2 * (self.gap_m - WAGON_M)
        return (self.speed_m_per_s - float(np.sqrt(root))) / ROLLING_M_PER_S2 if root > 0 else float("inf")

    @property
    def common_speed_m_per_s(self) -> float:
        """Just after coupling."""
        share = self.red_mass_kg / (self.red_mass_kg + self.grey_mass_kg)
        return share * (self.speed_m_per_s - ROLLING_M_PER_S2 * self.meeting_s)

    @property
    def stretch_m(self) -> float:
        """How far both go on."""
        return self.common_speed_m_per_s**2 / (2 * ROLLING_M_PER_S2)

    def triggers(self) -> dict[str, float]:
        return {"coupling": self.meeting_s}

    def states(self, t_s: Array) -> dict[str, Array]:
        before = np.minimum(started(t_s), self.meeting_s)
        after = np.minimum(started(t_s) - before, self.common_speed_m_per_s / ROLLING_M_PER_S2)
        on = self.common_speed_m_per_s * after - ROLLING_M_PER_S2 / 2 * after**2
        x1 = self.speed_m_per_s * before - ROLLING_M_PER_S2 / 2 * before**2 + on
        x2 = self.gap_m + on
        coupled = (started(t_s) >= self.meeting_s).astype(np.float64)
        return {"x1": x1, "x2": x2, "coupled": coupled, "x_grey": x2.copy()}

    def assembly(self) -> Assembly:
        rails = [parts.block((RAILS_M, 0.012, 0.02), (self._shift_m(RAILS_M / 2 - 0.22), s * 0.07, 0.015))
                 for s in (-1, 1)]  # fmt: skip
        sleepers = [
            parts.block((0.03, 0.22, 0.015), (self._shift_m(x), 0, 0)) for x in np.arange(-0.18, RAILS_M - 0.2, 0.1)
        ]
        return Assembly(
            parts=(
                *self._wagon("red", palette.paint(palette.RED), self.red_mass_kg),
                *self._wagon("grey", palette.paint((0.36, 0.38, 0.42)), self.grey_mass_kg),
                Part("rails", parts.join(*rails), palette.STEEL),
                Part("sleepers", parts.join(*sleepers), palette.WOOD),
            )
        )

    def _shift_m(self, x_m: float) -> float:
        """Where x lies in the picture: the run is centred on the origin."""
        return x_m - 0.755

    def _wagon(self, name: str, body: Material, mass_kg: float) -> tuple[Part, ...]:
        """Open wagon with wheels, magnets at both ends and a load of one crate for each quarter kilogram."""
        z = RAIL_TOP_M
        tub = parts.join(
            parts.block((0.25, 0.15, 0.012), (0, 0, z + 0.03)),
            *(parts.block((0.25, 0.01, 0.075), (0, s * 0.07, z + 0.042)) for s in (-1, 1)),
            *(parts.block((0.01, 0.13, 0.075), (s * 0.12, 0, z + 0.042)) for s in (-1, 1)),
        )
        wheels = [
            parts.moved(turned(parts.cylinder(0.028, 0.014, 20), (1, 0, 0), np.pi / 2), x, s * 0.07 + 0.007, z + 0.028)
            for x in (-0.08, 0.08) for s in (-1, 1)
        ]  # fmt: skip
        magnets = [turned(cone(0.016, (WAGON_M - 0.25) / 2, 0.022, 16), (0, 1, 0), s * np.pi / 2) for s in (-1, 1)]
        for side, magnet in zip((-1, 1), magnets, strict=True):
            parts.moved(magnet, side * 0.125, 0, z + 0.05)
        crates = [
            parts.block((0.068, 0.1, 0.07), (-0.074 + 0.074 * (k % 3), 0, z + 0.042 + 0.072 * (k // 3)))
            for k in range(max(round(mass_kg / 0.25), 1))
        ]
        return (
            Part(name, tub, body, carries=True),
            Part(f"{name}_wheels", parts.join(*wheels, *magnets), palette.DARK, carries=True, smooth_angle_deg=40),
            Part(f"{name}_load", parts.join(*crates), palette.PALE_WOOD, carries=True),
        )

    def channels(self, state: State) -> ChannelMap:
        found: dict[str, tuple[Move]] = {}
        for name, x in (("red", "x1"), ("grey", "x2")):
            move = Move(at(self._shift_m(float(state[x])), 0, 0))
            found |= dict.fromkeys((name, f"{name}_wheels", f"{name}_load"), (move,))
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        shift = self._shift_m(0.0)
        return {x: float(meshes[name].bounds[:, 0].mean()) - shift for name, x in (("red", "x1"), ("grey", "x2"))}

    def measure(self, view: View) -> dict[str, float]:
        return {"x_grey": float(middle_m(view.points_m["grey"])[0]) - self._shift_m(0.0)}
