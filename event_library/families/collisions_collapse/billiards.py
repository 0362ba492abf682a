"""The break of a rack of billiard balls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts, rigid
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, Move
from event_library.families.collisions_collapse.discs import Table, rolled
from event_library.kit import palette
from event_library.kit.boards import Grid, frame
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Part
from event_library.readouts import sphere_centre_m
from event_library.taxonomy import facts

BALL_M = 0.0285  # radius
TABLE_M = (0.74, 0.44)  # of a table for children
TOP_M = 0.05
APEX_M = 0.10  # of the rack, right of the middle
ROLLING_M_PER_S2 = 0.15
HORIZON_S = 1.6  # physical: more than 14 s of clip
SHADES = (
    palette.YELLOW,
    palette.BLUE,
    palette.RED,
    palette.PURPLE,
    palette.ORANGE,
    palette.BLACK,
    palette.PINK,
    palette.TEAL,
)
TABLE = Table(BALL_M, (TABLE_M[0] / 2, TABLE_M[1] / 2), ROLLING_M_PER_S2, 0.95, 0.8)


@dataclass(frozen=True, kw_only=True)
class BilliardsBreak(Event):
    """Hard discs, restitution 0.95, steady rolling resistance, event by event; in slow motion: tau = time_scale t."""

    info = facts("billiards_break")
    variables = (
        state("places", "m", 0.01, domain="field", label="x and y of the cue ball and of each object ball"),
        state("cue_x", "m", 0.05, label="cue ball along the table"),
        readout("spread", "m", 0.015, min_delta=0.03, label="mean distance of the object balls from their centroid"),
    )
    accept_rules = (("the cue ball arrives after 1.2 to 2.4 s", lambda e: 1.2 <= e.arrival_s <= 2.4),)

    num_rows: int = param("rows", "count", 3, 4)
    cue_speed_m_per_s: float = param("vc", "m/s", 1.5, 2.2)
    cue_distance_m: float = param("dc", "m", 0.30, 0.38)
    time_scale: float = param("time_scale", "s/s", 0.07, 0.11)
    seed: int = seed_param()

    @property
    def arrival_s(self) -> float:
        """Of the cue ball at the apex of the rack."""
        v, a = self.cue_speed_m_per_s, ROLLING_M_PER_S2
        return float((v - np.sqrt(v * v - 2 * a * (self.cue_distance_m - 2 * BALL_M))) / a / self.time_scale)

    @property
    def num_objects(self) -> int:
        return int(self.num_rows) * (int(self.num_rows) + 1) // 2

    def triggers(self) -> dict[str, float]:
        return {"break": self.arrival_s}

    def bake(self) -> rigid.Bake:
        rng = np.random.Generator(np.random.PCG64(int(self.seed)))
        step = 2 * BALL_M + 2e-4
        rack = [
            (APEX_M + k * step * np.sqrt(3) / 2, (j - k / 2) * step)
            for k in range(int(self.num_rows)) for j in range(k + 1)
        ]  # fmt: skip
        places = np.array([(APEX_M - self.cue_distance_m, 0.003), *rack])
        places[1:] += rng.uniform(-5e-5, 5e-5, (self.num_objects, 2))
        speeds = np.zeros_like(places)
        speeds[0, 0] = self.cue_speed_m_per_s
        return rolled(places, speeds, TABLE, HORIZON_S)

    @property
    def allowed_overlap_m(self) -> float:
        return 1e-4

    def states(self, t_s: Array) -> dict[str, Array]:
        places = rigid.baked(self).at(started(t_s) * self.time_scale)[..., :2]
        return {"places": places, "cue_x": places[:, 0, 0], "spread": _spread_m(places[:, 1:])}

    def assembly(self) -> Assembly:
        cloth = Grid(1, 1, TABLE_M, (0.0, 0.0, TOP_M), "up")
        spots = [parts.moved(parts.cylinder(0.006, 0.001, 12), x, 0, TOP_M) for x in (-0.2, APEX_M)]
        colours = [palette.WHITE, *(SHADES[k % len(SHADES)] for k in range(self.num_objects))]
        return Assembly(
            parts=(
                *(
                    Part(name, parts.sphere(BALL_M, 2), palette.paint(rgb, 0.15), carries=True, smooth_angle_deg=60)
                    for name, rgb in zip(self._names(), colours, strict=True)
                ),
                Part("cloth", parts.block((*TABLE_M, TOP_M), (0, 0, 0)), palette.paint((0.01, 0.20, 0.07), 0.9)),
                Part("spots", parts.join(*spots), palette.paint(palette.WHITE)),
                frame("cushions", cloth, width_m=0.045, depth_m=0.035),
            )
        )

    def _names(self) -> list[str]:
        return ["cue_ball", *(f"ball_{k + 1}" for k in range(self.num_objects))]

    def channels(self, state: State) -> ChannelMap:
        return {
            name: (Move(at(*place, TOP_M + BALL_M)),)
            for name, place in zip(self._names(), state["places"], strict=True)
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        middles = np.array([meshes[name].vertices.mean(axis=0)[:2] for name in self._names()])
        return {"cue_x": float(middles[0, 0]), "spread": float(_spread_m(middles[None, 1:])[0])}

    def measure(self, view: View) -> dict[str, float]:
        """From where the visible cap of each ball lies: the point under the ball's middle, as far as it can be told."""
        middles = []
        for name in self._names()[1:]:
            points = view.points_m[name]
            if len(points) >= 6:
                middles.append(sphere_centre_m(points)[:2])
            elif len(points):
                towards = view.eye_m - points.mean(axis=0)
                middles.append((points.mean(axis=0) - 0.7 * BALL_M * towards / np.linalg.norm(towards))[:2])
        return {"spread": float(_spread_m(np.array([middles]))[0]) if len(middles) > 2 else float("nan")}


def _spread_m(places_m: Array) -> Array:
    """[T] mean distance of places [T, N, 2] from their centroid."""
    return np.linalg.norm(places_m - places_m.mean(axis=1, keepdims=True), axis=2).mean(axis=1)
