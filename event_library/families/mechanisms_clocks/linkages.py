"""Linked motions: a slider-crank, two weights over a pulley."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move
from event_library.families.mechanisms_clocks.turning import TURN, bearing_rad, rad, spun
from event_library.kit.machinery import (
    link,
    link_channels,
    marked_wheel_channels,
    over_pulley_m,
    pulley,
    rope,
    rope_channels,
    weight,
)
from event_library.kit.palette import BLUE, BRASS, IRON, RED, STEEL, WOOD, YELLOW, paint
from event_library.kit.shapes import Place, at, turned
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts


@dataclass(frozen=True, kw_only=True)
class SliderCrank(Event):
    """Steady crank phi = p0 + w t; piston x = r cos phi + sqrt(l^2 - r^2 sin^2 phi), in line with the axle."""

    info = facts("slider_crank")
    variables = (
        state("phi", "rad", rad(16), domain="angle", flags="periodic", cycle=TURN),
        state("x", "m", 0.015, flags="periodic"),
        readout("crank_angle", "rad", rad(16), min_delta=rad(45), domain="angle", flags="periodic", cycle=TURN,
                label="painted spoke, counter-clockwise from the piston's side"),
        readout("piston_x", "m", 0.015, flags="periodic", label="middle of the piston from the axle"),
    )  # fmt: skip

    rate_rad_per_s: float = angle_param("w", 40, 95, unit="rad/s")
    crank_m: float = param("r", "m", 0.05, 0.08)
    rod_m: float = param("l", "m", 0.17, 0.24)
    start_rad: float = angle_param("p0", 0, 360, default_deg=60)

    PISTON_M = (0.06, 0.06, 0.07)
    ROD_Y_M = -0.045  # plane of the rod, in front of wheel and piston

    @property
    def axle(self) -> Place:
        reach = 1.3 * self.crank_m + self.rod_m + self.crank_m + 0.06
        return 1.3 * self.crank_m - reach / 2, 0.0, 1.3 * self.crank_m + 0.04

    def states(self, t_s: Array) -> dict[str, Array]:
        phi = (self.start_rad + self.rate_rad_per_s * started(t_s)) % TURN
        x = self.crank_m * np.cos(phi) + np.sqrt(self.rod_m**2 - (self.crank_m * np.sin(phi)) ** 2)
        return {"phi": phi, "x": x, "crank_angle": phi.copy(), "piston_x": x.copy()}

    def assembly(self) -> Assembly:
        r, (cx, _, cz) = self.crank_m, self.axle
        long, wide, high = self.PISTON_M
        disc = turned(parts.cylinder(1.3 * r, 0.024, 48), (1, 0, 0), np.pi / 2)
        spoke = parts.moved(parts.box((1.3 * r, 0.008, 0.04)), 0.55 * r, self.ROD_Y_M - 0.012)
        pin = parts.moved(turned(parts.cylinder(0.009, 0.05, 20), (1, 0, 0), np.pi / 2), r, -0.012)
        low, high_x = cx + self.rod_m - r - long / 2 - 0.012, cx + self.rod_m + r + long / 2 + 0.012
        middle, length = (low + high_x) / 2, high_x - low
        cylinder = parts.join(
            parts.block((length, wide / 2 + 0.006, 0.012), (middle, wide / 4 + 0.003, cz - high / 2 - 0.013)),
            parts.block((length, wide / 2 + 0.006, 0.012), (middle, wide / 4 + 0.003, cz + high / 2 + 0.001)),
            parts.block((length, 0.012, high + 0.026), (middle, wide / 2 + 0.008, cz - high / 2 - 0.013)),
            parts.block(
                (0.014, wide / 2 + 0.006, high + 0.026), (high_x + 0.007, wide / 4 + 0.003, cz - high / 2 - 0.013)
            ),
        )
        left, width = cx - 1.3 * r - 0.02, 2.3 * r + self.rod_m + 0.12
        base = parts.join(
            parts.block((width, 0.14, 0.02), (left + width / 2, 0.01, 0)),
            parts.block((0.04, 0.02, cz), (cx, 0.036, 0)),
            parts.block((0.8 * length, 0.05, cz - high / 2 - 0.013), (middle, 0.01, 0)),
        )
        return Assembly((
            Part("crank", parts.moved(disc, y_m=0.001), IRON, carries=True, smooth_angle_deg=40),
            Part("spoke", spoke, paint(YELLOW), carries=True),
            Part("pin", pin, BRASS, carries=True, smooth_angle_deg=40),
            link("rod", self.rod_m, 0.02, thick_m=0.01),
            Part("piston", parts.bevelled_box(self.PISTON_M, 0.004), paint(RED), carries=True),
            Part("cylinder", cylinder, STEEL),
            Part("base", base, WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        phi, x = float(state["phi"]), float(state["x"])
        turn, middle = spun(self.axle, phi), at(*self.axle)
        pin = middle + at(self.crank_m * np.cos(phi), self.ROD_Y_M, self.crank_m * np.sin(phi))
        return {
            "crank": turn,
            "spoke": turn,
            "pin": turn,
            "piston": (Move(middle + at(x, 0, 0)),),
            **link_channels("rod", pin, middle + at(x, self.ROD_Y_M, 0)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {
            "phi": bearing_rad(meshes["pin"].vertices, self.axle),
            "x": float(meshes["piston"].bounds[:, 0].mean()) - self.axle[0],
        }

    def measure(self, view: View) -> dict[str, float]:
        piston = view.points_m["piston"]
        if len(piston) == 0:
            return {"crank_angle": float("nan")}
        x = float(piston[:, 0].min() + piston[:, 0].max()) / 2 - self.axle[0]
        return {"crank_angle": bearing_rad(view.points_m["spoke"], self.axle), "piston_x": x}


@dataclass(frozen=True, kw_only=True)
class AtwoodPulley(Event):
    """Atwood's machine (1784): a = g dm / (2 m + dm + I / r^2), z = a t^2 / 2 until the heavy one is down.

    Cord weightless, bearing without friction; the catch takes all speed at once.
    """

    info = facts("atwood_pulley")
    variables = (
        state("z", "m", 0.035, flags="monotone bounded", label="way of each weight"),
        readout("height_gap", "m", 0.07, min_delta=0.2, flags="monotone bounded", label="left weight above right one"),
    )
    accept_rules = (("the fall takes 4.2 to 7 s", lambda e: 4.2 <= e.fall_s <= 7),)

    mass_kg: float = param("m", "kg", 0.45, 0.6)
    surplus_kg: float = param("dmass", "kg", 0.003, 0.01, default=0.005)
    pulley_kg: float = param("Ip", "kg", 0.05, 0.15)
    drop_m: float = param("Zmax", "m", 0.45, 0.65)

    RADIUS_M = 0.15
    WEIGHT_M = (0.115, 0.24)  # radius and height
    HUNG_M = 0.24 + 2 * 0.35 * 0.115  # from eye to underside
    PAD_M = 0.05  # top of the catch

    @property
    def acceleration_m_per_s2(self) -> float:
        return GRAVITY_M_PER_S2 * self.surplus_kg / (2 * self.mass_kg + self.surplus_kg + self.pulley_kg)

    @property
    def fall_s(self) -> float:
        return float(np.sqrt(2 * self.drop_m / self.acceleration_m_per_s2))

    @property
    def rest_m(self) -> float:
        """Height of both eyes at the start."""
        return self.PAD_M + self.HUNG_M + self.drop_m

    @property
    def axle(self) -> Place:
        return 0.0, 0.0, self.rest_m + self.drop_m + 0.06 + self.RADIUS_M

    def states(self, t_s: Array) -> dict[str, Array]:
        z = np.minimum(self.acceleration_m_per_s2 / 2 * started(t_s) ** 2, self.drop_m)
        return {"z": z, "height_gap": 2 * z}

    def triggers(self) -> dict[str, float]:
        return {"caught": self.fall_s}

    def assembly(self) -> Assembly:
        r, (_, _, top) = self.RADIUS_M, self.axle
        stand = parts.join(
            parts.moved(parts.bevelled_box((0.76, 0.4, 0.03), 0.004), z_m=0.015),
            parts.block((0.07, 0.05, top + 0.06), (0, 0.17, 0)),
            parts.moved(turned(parts.cylinder(0.02, 0.2, 20), (1, 0, 0), np.pi / 2), 0, 0.16, top),
        )
        pads = [parts.moved(parts.cylinder(0.13, 0.02, 32), s * r, 0, 0.03) for s in (-1, 1)]
        return Assembly((
            weight("light", *self.WEIGHT_M, material=paint(BLUE)),
            weight("heavy", *self.WEIGHT_M, material=paint(RED)),
            *pulley("pulley", r, 0.06, material=BRASS, marked=paint((0.02, 0.02, 0.02))),
            rope("cord", 0.009, 11),
            Part("stand", stand, WOOD),
            Part("pads", parts.join(*pads), IRON, smooth_angle_deg=40),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        z, r = float(state["z"]), self.RADIUS_M
        left, right = (-r, 0.0, self.rest_m + z), (r, 0.0, self.rest_m - z)
        return {
            "light": (Move(at(*left)),),
            "heavy": (Move(at(*right)),),
            **marked_wheel_channels("pulley", z / r, self.axle),
            **rope_channels("cord", over_pulley_m(left, right, self.axle, r), 0.009, 11),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        gap = float(meshes["light"].bounds[0, 2] - meshes["heavy"].bounds[0, 2])
        return {"z": gap / 2}

    def measure(self, view: View) -> dict[str, float]:
        light, heavy = (view.points_m[name][:, 2] for name in ("light", "heavy"))
        if len(light) == 0 or len(heavy) == 0:
            return {"height_gap": float("nan")}
        return {"height_gap": float(light.min() + light.max() - heavy.min() - heavy.max()) / 2}
