"""Water that sloshes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap
from event_library.families.oscillators.ringing import let_go
from event_library.kit import vessels
from event_library.kit.palette import RED_INK
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Part
from event_library.readouts import top_height_m
from event_library.taxonomy import facts

NODES = 41  # of the surface across the tank
DEPTH = 0.34  # of the tank, shares of its width


@dataclass(frozen=True, kw_only=True)
class SloshingTank(Event):
    """Lowest standing gravity wave, linear (Lamb, Hydrodynamics 228): w^2 = g k tanh(k h), k = pi / W; slow motion."""

    info = facts("sloshing_tank")
    variables = (
        state("eta_left", "m", 0.012, flags="periodic bounded"),
        readout("left_wall_height", "m", 0.012, min_delta=0.03, flags="periodic bounded",
                label="waterline at the left wall above the rest line"),
    )  # fmt: skip
    accept_rules = (("the wave is low enough for the linear law", lambda e: e.amplitude_m <= 0.075 * e.width_m),)

    amplitude_m: float = param("A", "m", 0.04, 0.07)
    width_m: float = param("W", "m", 0.6, 1.0)
    level_m: float = param("hw", "m", 0.18, 0.28)
    damping_per_s: float = param("gam", "1/s", 0.03, 0.1)
    time_scale: float = param("time_scale", "s/s", 0.4, 0.6)

    @property
    def rate_rad_per_s(self) -> float:
        """At which the damped wave rings, in clip time."""
        k = np.pi / self.width_m
        return self.time_scale * float(
            np.sqrt(GRAVITY_M_PER_S2 * k * np.tanh(k * self.level_m) - self.damping_per_s**2)
        )

    @property
    def size_m(self) -> tuple[float, float]:
        return self.width_m, DEPTH * self.width_m

    def states(self, t_s: Array) -> dict[str, Array]:
        eta = self.amplitude_m * let_go(started(t_s), self.rate_rad_per_s, self.time_scale * self.damping_per_s)
        return {"eta_left": eta, "left_wall_height": eta.copy()}

    def assembly(self) -> Assembly:
        w, d = self.size_m
        z, thick = vessels.FLOOR_M + self.level_m, 0.012 * self.width_m
        line = parts.join(
            parts.moved(parts.box((w, 0.002, thick)), 0, -d / 2 - 0.004, z),
            *(parts.moved(parts.box((0.002, d, thick)), s * (w / 2 + 0.004), 0, z) for s in (-1, 1)),
        )
        height = vessels.FLOOR_M + self.level_m + 1.7 * self.amplitude_m
        return Assembly((
            vessels.sloshing_box("water", self.size_m, NODES),
            *vessels.square_tank("tank", self.size_m, height, edge_m=0.012 * self.width_m),
            Part("rest_line", line, RED_INK),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        heights = self.level_m + float(state["eta_left"]) * np.cos(np.linspace(0.0, np.pi, NODES))
        return vessels.sloshing_channels("water", self.size_m, heights, (0.0, 0.0, vessels.FLOOR_M))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        vertices = np.asarray(meshes["water"].vertices)
        left = vertices[vertices[:, 0] < vertices[:, 0].min() + 1e-6]
        return {"eta_left": float(left[:, 2].max()) - vessels.FLOOR_M - self.level_m}

    def measure(self, view: View) -> dict[str, float]:
        points = view.points_m["water"]
        left = points[:, 0] < (0.08 - 0.5) * self.width_m
        top, _ = top_height_m(points[left], view.pixel_area_m2["water"][left], 0.006)
        return {"left_wall_height": top - vessels.FLOOR_M - self.level_m}
