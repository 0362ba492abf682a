"""Cars at a light: the intelligent-driver model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Visible
from event_library.families.agents_intent.measuring import figure_points_m, named, origin_m, unseen
from event_library.figures import buildings, furniture, vehicles
from event_library.figures.rig import moved_by, set_down, turned
from event_library.kit.palette import HUES, WHITE, paint
from event_library.laws import ode_values, started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts

SCALE = 0.05  # model metres per metre
LONG_M, GAP_M, FIRST_M = 4.5, 2.0, -1.0  # of a car, between bumpers at rest, front of the first car before its line
BRAKING_M_PER_S2 = 2.0
MOUTH_M, TUNNEL_M = 7.0, 5.0  # where the tunnel begins beyond the line, and its length
ROAD_M = (4.0, 0.08)  # width in real metres, thickness in the model
LIGHT_M = 0.27  # height of the light in the model
LIGHT_AT_M = (0.05, 0.19)
ROAD_RAD = 0.6  # the road leads to the back right, so that the light is seen from the front


@dataclass(frozen=True, kw_only=True)
class IdmPlatoon(Event):
    """Intelligent-driver model (Treiber, Hennecke, Helbing 2000), free leader from green on.

    a = am (1 - (v/v0)^4 - (s*/s)^2), s* = 2 + v T + v dv / (2 sqrt(2 am)); at rest with gaps of 2 m nobody moves.
    """

    info = facts("idm_platoon")
    variables = (
        state("x", "m", 0.5, domain="vector", flags="monotone", label="front of each car beyond the stop line"),
        state("v", "m/s", 0.5, domain="vector", label="speed of each car"),
        state("green", "count", 0.0, domain="discrete", label="whether the light is green"),
        readout("second_car_x", "m", 1.5, min_delta=4, flags="monotone bounded",
                label="second car's front, until its rear is in the tunnel"),
        readout("moving_cars", "count", 1.0, domain="count", flags="monotone bounded",
                label="cars that are 1 m beyond their places"),
    )  # fmt: skip

    num_cars: int = param("n", "count", 3, 4)
    acceleration_m_per_s2: float = param("am", "m/s^2", 1.6, 2.4)
    wanted_m_per_s: float = param("v0", "m/s", 9, 13)
    headway_s: float = param("T", "s", 0.9, 1.3)
    green_s: float = param("tg", "s", 0.6, 1.1)

    def triggers(self) -> dict[str, float]:
        return {"green": self.green_s}

    def _starts_m(self) -> Array:
        return FIRST_M - (LONG_M + GAP_M) * np.arange(self.num_cars)

    def start_values(self) -> tuple[float, ...]:
        """Front and speed of each car, first car first, at green."""
        return tuple(float(value) for x in self._starts_m() for value in (x, 0.0))

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        am, made = self.acceleration_m_per_s2, []
        for i in range(self.num_cars):
            x, v = values[2 * i : 2 * i + 2]
            held = 0.0
            if i:
                ahead, faster = values[2 * i - 2 : 2 * i]
                wished = GAP_M + v * self.headway_s + v * (v - faster) / (2 * (am * BRAKING_M_PER_S2) ** 0.5)
                held = (wished / (ahead - LONG_M - x)) ** 2
            made += [v, am * (1 - (v / self.wanted_m_per_s) ** 4 - held)]
        return tuple(made)

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        run = ode_values(self, t - self.green_s)
        x = run[:, ::2]
        moving = (x - self._starts_m() >= 1).sum(axis=1).astype(np.float64)
        return {
            "x": x, "v": run[:, 1::2], "green": (t >= self.green_s).astype(np.float64),
            "second_car_x": np.minimum(x[:, 1], MOUTH_M + LONG_M), "moving_cars": moving,
        }  # fmt: skip

    def assembly(self) -> Assembly:
        left, right = SCALE * (self._starts_m()[-1] - LONG_M - 1.5), SCALE * (MOUTH_M + TUNNEL_M + 0.5)
        length, middle, width = right - left, (left + right) / 2, SCALE * ROAD_M[0]
        high, inside, long = 0.15, SCALE * (MOUTH_M + TUNNEL_M / 2), SCALE * TUNNEL_M
        tunnel = parts.join(
            *(parts.block((long, 0.02, high), (inside, side * 0.11, 0)) for side in (-1, 1)),
            parts.block((long + 0.02, 0.26, 0.03), (inside, 0, high)),
            parts.block((0.02, 0.24, high), (inside + long / 2, 0, 0)),
        )  # fmt: skip
        posts = [
            parts.block((0.012, 0.012, 0.07), (SCALE * x, 0.15, 0.0)) for x in range(-25, 7, 5) if SCALE * x > left
        ]  # fmt: skip
        surroundings = (
            *furniture.road("road", length, width, (middle, 0, 0)),
            *buildings.traffic_light("light", LIGHT_M, (*LIGHT_AT_M, 0.0), np.pi + 0.35),
            Part("line", parts.block((0.02, width, 0.006), (SCALE * 0.3, 0, 0)), paint(WHITE)),
            Part("tunnel", tunnel, paint((0.32, 0.30, 0.28), 0.9)),
            Part("posts", parts.join(*posts), paint(WHITE)),
            Part("verge", parts.block((length, 0.42, 0.003), (middle, 0.02, 0)), paint((0.13, 0.36, 0.07), 0.95)),
        )
        cars = (part for i in range(self.num_cars) for part in vehicles.car(f"car{i}", SCALE * LONG_M, HUES[i]))
        return Assembly((*cars, *set_down(surroundings, (0.0, 0.0, 0.0), ROAD_RAD)))

    def channels(self, state: State) -> ChannelMap:
        lit = "green" if state["green"] else "red"
        channels: dict[str, tuple[Channel, ...]] = {**buildings.traffic_light_channels("light", [lit])}
        for i, x in enumerate(np.asarray(state["x"])):
            there = Visible(bool(x < MOUTH_M + LONG_M))
            travelled = SCALE * float(x)
            middle = min(travelled, SCALE * (MOUTH_M + LONG_M)) - SCALE * LONG_M / 2
            place = moved_by(turned((0, 0, 1), ROAD_RAD), np.array([middle, 0.0, 0.004]))
            own = vehicles.car_channels(f"car{i}", SCALE * LONG_M, place, ROAD_RAD, travelled)
            channels |= {name: (*own[name], there) for name in own}
        return channels

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        if "car1_body" not in meshes:
            return {"second_car_x": MOUTH_M + LONG_M}
        body = named(self.assembly().parts)["car1_body"]
        return {"second_car_x": float(_along_m(origin_m(body, meshes["car1_body"]))) + LONG_M / 2}

    def measure(self, view: View) -> dict[str, float]:
        """Fronts from the rear bumpers, which go into the tunnel last."""
        if unseen(view, "tunnel"):
            return {"second_car_x": float("nan")}
        fronts = []
        for i in range(self.num_cars):
            points = figure_points_m(view, f"car{i}")
            fronts.append(float(_along_m(points).min()) + LONG_M if len(points) else MOUTH_M + LONG_M)
        return {
            "second_car_x": fronts[1],
            "moving_cars": float(np.sum(np.array(fronts) - self._starts_m() >= 1)),
        }


def _along_m(points_m: Array) -> Any:
    """Real metres along the road, from the light on, of points [..., 3] of the event's frame."""
    return moved_by(turned((0, 0, 1), -ROAD_RAD), points_m)[..., 0] / SCALE
