"""An oblique hit on an air table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move
from event_library.families.collisions_collapse.looking import middle_m
from event_library.kit import palette
from event_library.kit.boards import Grid, frame, grid_lines
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts

DRAG_PER_S = 0.45  # of the blue puck on its film of air; the red one's is this over the mass ratio
TABLE_M = (1.5, 0.9)
MIDDLE_X_M = 0.1  # the table's middle is this far left of the blue puck's start
TOP_M = 0.06  # of the table


@dataclass(frozen=True, kw_only=True)
class PuckObliqueCollision(Event):
    """Smooth discs with restitution e: the impulse is along the line of centres; the air film's drag is linear."""

    info = facts("puck_oblique_collision")
    variables = (
        state("p1", "m", 0.05, domain="vector"),
        state("p2", "m", 0.05, domain="vector"),
        readout("blue_travel", "m", 0.06, min_delta=0.12, flags="monotone bounded", label="blue puck from its cross"),
    )
    accept_rules = (
        ("not a graze", lambda e: abs(e.offset_m) <= 1.2 * e.radius_m),
        ("they meet after 1.2 to 2.8 s", lambda e: 1.2 <= e.meeting_s <= 2.8),
        ("the blue puck glides on by 25 to 50 cm", lambda e: 0.25 <= math.hypot(*e.kicks[1]) / DRAG_PER_S <= 0.5),
        ("both stay on the table", lambda e: bool(np.all(np.abs(e.resting_places) + e.radius_m <= [0.65, 0.44]))),
    )

    speed_m_per_s: float = param("v", "m/s", 0.28, 0.45, default=0.31)
    offset_m: float = param("b", "m", -0.09, 0.09, default=0.05)
    radius_m: float = param("Rp", "m", 0.08, 0.10)
    distance_m: float = param("d0", "m", 0.50, 0.60)
    mass_ratio: float = param("q", "ratio", 0.8, 2.0)
    restitution_ratio: float = param("e", "ratio", 0.85, 1.0)

    @property
    def reach_m(self) -> float:
        """Along the red puck's path, from the blue centre back to where the red centre is when they touch."""
        return float(np.sqrt(4 * self.radius_m**2 - self.offset_m**2))

    @property
    def red_drag_per_s(self) -> float:
        return DRAG_PER_S / self.mass_ratio

    @property
    def meeting_s(self) -> float:
        """When v (1 - exp(-k t)) / k = d0 - reach; inf when it stops short."""
        left = 1 - self.red_drag_per_s * (self.distance_m - self.reach_m) / self.speed_m_per_s
        return -float(np.log(left)) / self.red_drag_per_s if left > 0 else float("inf")

    @property
    def kicks(self) -> tuple[Array, Array]:
        """Velocities [2] of red and blue just after the impact."""
        normal = np.array([self.reach_m, -self.offset_m]) / (2 * self.radius_m)
        speed = self.speed_m_per_s - self.red_drag_per_s * (self.distance_m - self.reach_m)
        impulse = (1 + self.restitution_ratio) / (1 + self.mass_ratio) * speed * normal[0] * normal
        return np.array([speed, 0.0]) - impulse, self.mass_ratio * impulse

    @property
    def resting_places(self) -> Array:
        """[2, 2] where red and blue come to rest, from the table's middle."""
        red, blue = self.kicks
        ends = [np.array([-self.reach_m, self.offset_m]) + red / self.red_drag_per_s, blue / DRAG_PER_S]
        return np.array(ends) + np.array([MIDDLE_X_M, 0.0])

    def triggers(self) -> dict[str, float]:
        return {"impact": self.meeting_s}

    def states(self, t_s: Array) -> dict[str, Array]:
        before = np.minimum(started(t_s), self.meeting_s)
        after = started(t_s) - before
        red, blue = self.kicks
        k1, k2 = self.red_drag_per_s, DRAG_PER_S
        come = self.speed_m_per_s * (1 - np.exp(-k1 * before)) / k1 - self.distance_m
        p1 = np.stack([come, np.full_like(come, self.offset_m)], axis=1) + np.outer((1 - np.exp(-k1 * after)) / k1, red)
        p2 = np.outer((1 - np.exp(-k2 * after)) / k2, blue)
        return {"p1": p1, "p2": p2, "blue_travel": np.linalg.norm(p2, axis=1)}

    def assembly(self) -> Assembly:
        table = Grid(6, 10, TABLE_M, (-MIDDLE_X_M, 0.0, TOP_M), "up")
        cross = parts.join(parts.box((0.09, 0.018, 0.002)), parts.box((0.018, 0.09, 0.002)))
        legs = parts.block((TABLE_M[0], TABLE_M[1], TOP_M), (-MIDDLE_X_M, 0, 0))
        return Assembly(
            parts=(
                self._puck("red", palette.RED, 0.03 * self.mass_ratio),
                self._puck("blue", palette.BLUE, 0.03),
                Part("table", legs, palette.paint((0.80, 0.84, 0.86), 0.25)),
                grid_lines("lines", table, width_m=0.006, material=palette.paint((0.45, 0.55, 0.62))),
                frame("rim", table, width_m=0.04, depth_m=0.03),
                Part("cross", parts.moved(cross, z_m=TOP_M + 0.003), palette.RED_INK),
            )
        )

    def _puck(self, name: str, rgb: parts.Rgb, thick_m: float) -> Part:
        """Its thickness shows its mass; a pale ring on its top."""
        r = self.radius_m
        mesh = parts.join(
            parts.cylinder(r, thick_m, 48), parts.moved(parts.ring(0.45 * r, 0.6 * r, 0.008, 0.002), z_m=thick_m - 1e-4)
        )
        return Part(name, mesh, palette.paint(rgb), carries=True, smooth_angle_deg=30)

    def channels(self, state: State) -> ChannelMap:
        return {name: (Move(at(*state[place], TOP_M + 0.004)),) for name, place in (("red", "p1"), ("blue", "p2"))}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"blue_travel": float(np.linalg.norm(meshes["blue"].bounds.mean(axis=0)[:2]))}

    def measure(self, view: View) -> dict[str, float]:
        return {"blue_travel": float(np.linalg.norm(middle_m(view.points_m["blue"])[:2]))}
