"""A coin that spirals into a funnel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate, Visible
from event_library.kit import shapes
from event_library.kit.palette import BRASS, paint
from event_library.kit.shapes import at
from event_library.laws import GRAVITY_M_PER_S2, ode_values
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts

HOLE_M = 0.09  # radius at which the coin drops out of sight
RIM_M = 0.31  # radius of the funnel
COIN_M, COIN_THICK_M = 0.085, 0.036
ROLLING = 1.5  # inertia of a rolling disc over that of a sliding one, along its path


@dataclass(frozen=True, kw_only=True)
class CoinFunnelSpiral(Event):
    """A coin in a well z = -c / r with weak drag: Lagrange's equations of a point on the true surface.

    Rolling adds half its mass to its inertia. c gives the circular rate w0 at r0; drag 1 / (2 td) per second makes r
    shrink about as exp(-t / td) and the rate grow as r^-1.5. The coin's lean and its spin are left out.
    """

    info = facts("coin_funnel_spiral")
    variables = (
        state("r", "m", 0.012, flags="monotone bounded"),
        state("phi", "rad", 0.3, domain="angle", cycle=2 * np.pi),
        state("omega", "rad/s", 0.6),
        readout("radius", "m", 0.018, min_delta=0.036, flags="monotone bounded", label="of the coin's track"),
    )  # fmt: skip
    accept_rules = (
        ("the coin is in after 7.5 to 13 s", lambda e: 7.5 <= e.td_s * np.log(e.start_radius_m / HOLE_M) <= 13),
    )

    start_radius_m: float = param("r0", "m", 0.23, 0.27)
    start_rate_rad_per_s: float = angle_param("w0", 86, 126, unit="rad/s")
    td_s: float = param("td", "s", 7.5, 12)

    @property
    def well_m2(self) -> float:
        """c of the surface z = -c / r."""
        return ROLLING * self.start_rate_rad_per_s**2 * self.start_radius_m**3 / GRAVITY_M_PER_S2

    def start_values(self) -> tuple[float, ...]:
        return self.start_radius_m, -self.start_radius_m / self.td_s, 0.0, self.start_rate_rad_per_s

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        r, fall, _, omega = values
        if r <= 0.9 * HOLE_M:  # gone for long
            return 0.0, 0.0, 0.0, 0.0
        slope, bend = self.well_m2 / r**2, -2 * self.well_m2 / r**3
        drag = 1 / (2 * self.td_s)
        push = r * omega**2 - slope * bend * fall**2 - GRAVITY_M_PER_S2 / ROLLING * slope
        return fall, push / (1 + slope**2) - drag * fall, omega, -2 * fall * omega / r - drag * omega

    def states(self, t_s: Array) -> dict[str, Array]:
        r, _, phi, omega = ode_values(self, t_s).T
        there = r > HOLE_M
        r = np.maximum(r, HOLE_M)
        return {
            "r": r,
            "phi": np.where(there, phi % (2 * np.pi), 0.0),  # 0 when it is gone
            "omega": np.where(there, omega, 0.0),
            "radius": r.copy(),
        }

    def assembly(self) -> Assembly:
        r = np.concatenate([[HOLE_M - 0.004], np.geomspace(HOLE_M, RIM_M, 22)])
        wall = np.column_stack([r, self.height_m(r)])
        outer = np.array([(RIM_M + 0.02, wall[-1, 1] + 0.006), (RIM_M + 0.02, wall[-1, 1] - 0.02)])
        skirt = np.array([(0.15, 0.02), (0.18, 0.0), (0.13, 0.0), (HOLE_M - 0.004, wall[0, 1] - 0.02)])
        bowl = parts.lathe(np.vstack([wall, outer, skirt, wall[:1]]), 48)
        turn = np.linspace(0.0, 2 * np.pi, 49)
        rings = []
        for radius in (0.11, 0.16, 0.21, 0.26, 0.3):
            lift = self.height_m(np.array([radius]))[0] + 0.002
            rings.append(
                shapes.swept(
                    np.column_stack([radius * np.cos(turn), radius * np.sin(turn), np.full(49, lift)]), 0.004, 5
                )
            )
        ray = np.geomspace(HOLE_M, RIM_M, 12)
        spokes = [
            shapes.swept(np.column_stack([ray * np.cos(a), ray * np.sin(a), self.height_m(ray) + 0.002]), 0.003, 5)
            for a in np.arange(12) * np.pi / 6
        ]
        face = np.array([(0.76, -0.3), (0.8, -0.5), (0.97, -0.5), (1.0, -0.42)])  # radius, height; then mirrored
        coin = shapes.solid_of_revolution(np.vstack([face, face[::-1] * [1, -1]]) * [COIN_M, COIN_THICK_M], 32)
        return Assembly((
            Part("coin", coin, BRASS, carries=True, smooth_angle_deg=40),
            Part("funnel", bowl, paint((0.62, 0.66, 0.70), 0.4), smooth_angle_deg=40),
            Part("rings", parts.join(*rings), paint((0.05, 0.12, 0.40), 0.6), smooth_angle_deg=60),
            Part("spokes", parts.join(*spokes), paint((0.05, 0.12, 0.40), 0.6), smooth_angle_deg=60),
        ))  # fmt: skip

    def height_m(self, r: Array) -> Array:
        """Of the funnel's surface above the support."""
        return 0.04 + self.well_m2 / HOLE_M - self.well_m2 / r

    def _coin_place(self, r: float) -> tuple[float, float]:
        """Distance from the axis and height of the coin's middle: it stands square on the surface."""
        slope = self.well_m2 / r**2
        cosine = 1 / math.sqrt(1 + slope**2)
        return r - COIN_M * slope * cosine, float(self.height_m(np.array([r]))[0]) + COIN_M * cosine

    def channels(self, state: State) -> ChannelMap:
        r, phi = float(state["r"]), float(state["phi"])
        out, up = self._coin_place(r)
        outward, along = at(np.cos(phi), np.sin(phi), 0.0), at(-np.sin(phi), np.cos(phi), 0.0)
        slope = self.well_m2 / r**2
        normal = (at(0.0, 0.0, 1.0) - slope * outward) / math.sqrt(1 + slope**2)
        frame = np.eye(4)
        frame[:3, :3] = np.column_stack([normal, along, np.cross(normal, along)])
        turn = trimesh.transformations.quaternion_from_matrix(frame)
        return {"coin": (Visible(r > HOLE_M), Rotate(np.asarray(turn)), Move(out * outward + at(0.0, 0.0, up)))}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        if "coin" not in meshes:
            return {"r": HOLE_M, "phi": 0.0}
        middle = meshes["coin"].vertices.mean(axis=0)
        return {"r": self._track_m(middle), "phi": float(np.arctan2(middle[1], middle[0]))}

    def _track_m(self, middle: Array) -> float:
        """Track radius of a coin whose middle is seen at a place: the foot of the perpendicular on the funnel."""
        r = np.geomspace(HOLE_M * 0.95, RIM_M, 4001)
        off = np.hypot(np.hypot(middle[0], middle[1]) - r, middle[2] - self.height_m(r))
        return float(r[np.argmin(off)])

    def measure(self, view: View) -> dict[str, float]:
        points = view.points_m["coin"]
        if len(points) == 0:  # it is gone, if there is a funnel to be seen without it
            return {"radius": HOLE_M if len(view.points_m["funnel"]) else float("nan")}
        return {"radius": self._track_m((points.min(axis=0) + points.max(axis=0)) / 2)}
