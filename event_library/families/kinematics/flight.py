"""Things in free flight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap
from event_library.families.kinematics import balls
from event_library.kit import dials, shapes
from event_library.kit.palette import ORANGE, RED, WHITE, WOOD, YELLOW, paint
from event_library.kit.shapes import at
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.taxonomy import facts

LAWN = Material(rgb=(0.05, 0.22, 0.03), roughness=0.95, pattern=Pattern("stripes", (0.09, 0.33, 0.05), 0.12))
TILES = Material(rgb=(0.70, 0.68, 0.62), roughness=0.4, pattern=Pattern("checker", (0.25, 0.27, 0.30), 0.12))
SLAB_M = 0.02

BAG_M = 0.10  # radius of the beanbag
SLING_M = 0.22  # height of the release above the lying bag
TUMBLE_RAD_PER_S = 7.0  # physical

BOUNCER_M = 0.12  # radius: a basketball's
LOWEST_HOP_M = 5e-4  # the ball lies still instead of a lower hop


@dataclass(frozen=True, kw_only=True)
class ProjectileLob(Event):
    """Galilei's parabola in slow motion, dragless: x = v0 cos(th) tau, z = z0 + v0 sin(th) tau - g tau^2 / 2."""

    info = facts("projectile_lob")
    variables = (
        state("x", "m", 0.05, flags="monotone bounded"),
        state("z", "m", 0.05, flags="bounded"),
        readout("distance", "m", 0.05, min_delta=0.16, flags="monotone bounded", label="along the lawn from the sling"),
        readout("height", "m", 0.05, flags="bounded", label="above where it will lie"),
    )
    accept_rules = (("the bag flies 3.2 to 4.6 s", lambda e: 3.2 <= e.flight_s <= 4.6),)

    speed_m_per_s: float = param("v0", "m/s", 2.4, 3.0)
    elevation_rad: float = angle_param("theta", 56, 68)
    time_scale: float = param("time_scale", "s/s", 0.12, 0.18)

    @property
    def flight_s(self) -> float:
        """Clip time of touching the ground."""
        up = self.speed_m_per_s * float(np.sin(self.elevation_rad))
        return float(up + np.sqrt(up**2 + 2 * GRAVITY_M_PER_S2 * SLING_M)) / GRAVITY_M_PER_S2 / self.time_scale

    @property
    def range_m(self) -> float:
        return self.speed_m_per_s * float(np.cos(self.elevation_rad)) * self.flight_s * self.time_scale

    def states(self, t_s: Array) -> dict[str, Array]:
        tau = np.minimum(started(t_s), self.flight_s) * self.time_scale
        x = self.speed_m_per_s * np.cos(self.elevation_rad) * tau
        z = SLING_M + self.speed_m_per_s * np.sin(self.elevation_rad) * tau - GRAVITY_M_PER_S2 * tau**2 / 2
        return {"x": x, "z": z, "distance": x.copy(), "height": z.copy()}

    def triggers(self) -> dict[str, float]:
        return {"landed": self.flight_s}

    def assembly(self) -> Assembly:
        left, right = -3.0 * BAG_M, self.range_m + 1.7 * BAG_M
        lawn = parts.block((right - left, 3.6 * BAG_M, SLAB_M), ((left + right) / 2, 0, 0))
        lines = dials.floor_marks(
            "lines", 0.2 * int(self.range_m / 0.2 + 0.5), int(self.range_m / 0.2 + 0.5),
            (0.0, 1.8 * BAG_M, SLAB_M), every=1, mark_m=3.6 * BAG_M, thick_m=0.014, material=paint(WHITE, 0.9),
        )  # fmt: skip
        made = (
            *balls.gored_ball("bag", BAG_M, RED, YELLOW),
            Part("lawn", lawn, LAWN),
            lines,
            Part("catapult", _catapult(), WOOD),
        )
        for part in made[2:]:
            parts.moved(part.mesh, -self.range_m / 2)
        return Assembly(made)

    def channels(self, state: State) -> ChannelMap:
        centre = at(state["x"] - self.range_m / 2, 0.0, SLAB_M + BAG_M + state["z"])
        tau = float(state["x"]) / (self.speed_m_per_s * float(np.cos(self.elevation_rad)))
        return balls.ball_channels("bag", centre, TUMBLE_RAD_PER_S * tau)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, _, z = balls.mesh_centre_m(meshes, "bag")
        return {"x": float(x) + self.range_m / 2, "z": float(z) - SLAB_M - BAG_M}

    def measure(self, view: View) -> dict[str, float]:
        x, _, z = balls.ball_centre_m(view, "bag")
        return {"distance": float(x) + self.range_m / 2, "height": float(z) - SLAB_M - BAG_M}


def _catapult() -> trimesh.Trimesh:
    """Onager whose arm has just struck the crossbar: frame, arm and cup, left of x = 0."""
    r, y = BAG_M, 1.0 * BAG_M
    cup = at(-0.95 * r, 0.0, SLAB_M + SLING_M + 0.55 * r)
    frame = [
        *(shapes.beam((-2.8 * r, s * y, SLAB_M + 0.02), (0.2 * r, s * y, SLAB_M + 0.02), 0.04, 0.03) for s in (-1, 1)),
        *(shapes.beam((-1.3 * r, s * y, SLAB_M), (-1.3 * r, s * y, SLAB_M + 0.19), 0.035, 0.03) for s in (-1, 1)),
        *(shapes.beam((-2.6 * r, s * y, SLAB_M), (-1.3 * r, s * y, SLAB_M + 0.18), 0.025, 0.025) for s in (-1, 1)),
        shapes.rod((-1.15 * r, -y, SLAB_M + 0.19), (-1.15 * r, y, SLAB_M + 0.19), 0.02),
        shapes.rod((-2.2 * r, -y, SLAB_M + 0.04), (-2.2 * r, y, SLAB_M + 0.04), 0.018),
        shapes.rod((-2.2 * r, 0.0, SLAB_M + 0.04), cup, 0.018),
        shapes.rod(cup, cup + at(0.35 * r, 0.0, 0.25 * r), 0.055, 20),
    ]
    return parts.join(*frame)


@dataclass(frozen=True, kw_only=True)
class BouncingBall(Event):
    """Newton's impact law: each bounce keeps the share e of the speed: flight n has apex h0 e^(2n); tau = scale t."""

    info = facts("bouncing_ball")
    variables = (
        state("z", "m", 0.04, flags="bounded"),
        state("bounces", "count", 0.0, domain="count", flags="monotone bounded"),
        readout("height", "m", 0.04, min_delta=0.16, flags="bounded", label="the ball's foot above the floor"),
    )
    accept_rules = (("bouncing takes 5 to 12 s", lambda e: 5 <= e.rest_s <= 12),)

    drop_m: float = param("h0", "m", 0.7, 1.1)
    restitution: float = param("e", "ratio", 0.74, 0.86)
    time_scale: float = param("time_scale", "s/s", 0.4, 0.7)

    @property
    def rest_s(self) -> float:
        return float(_bounces(self)[0][-1]) / self.time_scale

    def states(self, t_s: Array) -> dict[str, Array]:
        times, speeds = _bounces(self)
        tau = started(t_s) * self.time_scale
        num = np.searchsorted(times, tau, side="right")
        fallen = self.drop_m - GRAVITY_M_PER_S2 * tau**2 / 2
        since = tau - times[np.maximum(num - 1, 0)]
        hop = speeds[np.maximum(num - 1, 0)] * since - GRAVITY_M_PER_S2 * since**2 / 2
        z = np.where(num == 0, fallen, np.where(num == len(times), 0.0, np.maximum(hop, 0.0)))
        return {"z": z, "bounces": num.astype(np.float64), "height": z.copy()}

    def triggers(self) -> dict[str, float]:
        return {"first_bounce": float(_bounces(self)[0][0]) / self.time_scale}

    def assembly(self) -> Assembly:
        floor = parts.block((0.72, 0.48, SLAB_M), shapes.ORIGIN)
        ruler = dials.banded_staff(
            "ruler",
            0.1 * round(self.drop_m / 0.1 + 2),
            round(self.drop_m / 0.1 + 2),
            (0.24, 0.05, SLAB_M),
            width_m=0.06,
        )
        return Assembly(
            (*balls.gored_ball("ball", BOUNCER_M, ORANGE, (0.35, 0.03, 0.02)), Part("floor", floor, TILES), *ruler)
        )

    def channels(self, state: State) -> ChannelMap:
        return balls.ball_channels("ball", at(0.0, 0.0, SLAB_M + BOUNCER_M + state["z"]), 0.4)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"z": float(balls.mesh_centre_m(meshes, "ball")[2]) - SLAB_M - BOUNCER_M}

    def measure(self, view: View) -> dict[str, float]:
        return {"height": float(balls.ball_centre_m(view, "ball")[2]) - SLAB_M - BOUNCER_M}


@lru_cache(maxsize=64)
def _bounces(event: BouncingBall) -> tuple[Array, Array]:
    """Physical times of all bounces and the speeds after them; after the last one the ball lies still."""
    e = event.restitution
    num = int(np.ceil(np.log(LOWEST_HOP_M / event.drop_m) / (2 * np.log(e))))
    speeds = np.sqrt(2 * GRAVITY_M_PER_S2 * event.drop_m) * e ** np.arange(1, num + 1)
    first = np.sqrt(2 * event.drop_m / GRAVITY_M_PER_S2)
    times = first + np.concatenate([[0.0], np.cumsum(2 * speeds[:-1] / GRAVITY_M_PER_S2)])
    return times, speeds
