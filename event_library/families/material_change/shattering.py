"""A plate that is pushed off a table and breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap, Move, Rotate, Visible, quaternion_about
from event_library.families.material_change.cells import Cell, centroid, relaxed_cells
from event_library.kit import furniture
from event_library.kit.palette import DARK, PALE_WOOD, WHITE, paint
from event_library.kit.shapes import at, circle, extruded
from event_library.laws import GRAVITY_M_PER_S2, ease, started
from event_library.parts import Assembly, Material, Part
from event_library.taxonomy import facts

PLATE_M, THICK_M = 0.13, 0.010
LAYING_S = 0.16  # a shard takes so long to lie down
ACROSS = (0.0, 1.0, 0.0)
SPIN_RAD_PER_S = float(np.deg2rad(200))
FRICTION = 0.4
SLIDE_M_PER_S = (0.4, 1.2)  # of the shards as they part
ROBOT_M = 0.085  # radius of the robot
CHINA = Material(rgb=(0.05, 0.22, 0.62), roughness=0.2)


@dataclass(frozen=True, kw_only=True)
class PlateShattering(Event):
    """Pushed to the edge, tipped and in free fall, broken on impact: the stages of the facts, in slow motion.

    The plate hits when its lower rim meets the floor. Its shards, cells of a Voronoi net, drop from where they are and
    slide out by Coulomb friction: r_j = r_j0 + v_j s - mu g s^2 / 2 until they stand.
    """

    info = facts("plate_shattering")
    variables = (
        state("x", "m", 0.05, label="the plate's foot, from the table's edge"),
        state("z", "m", 0.1, label="height of the plate's foot above the floor"),
        state("tilt", "rad", 0.2, domain="angle", flags="monotone bounded"),
        state("broken_s", "s", 0.05, flags="monotone bounded", label="time since the impact, 0 before"),
        readout("plate_height", "m", 0.1, min_delta=0.22, flags="monotone bounded", label="of the china, on the mean"),
    )
    accept_rules = (
        (
            "it reaches the edge 1.6 to 2.8 s into the clip",
            lambda e: 1.6 <= e.way_m / e.push_m_per_s / e.time_scale <= 2.8,
        ),
    )

    way_m: float = param("x0", "m", 0.18, 0.28)
    push_m_per_s: float = param("vp", "m/s", 0.35, 0.55)
    table_m: float = param("Ht", "m", 0.42, 0.58)
    num_shards: int = param("n", "count", 9, 16)
    time_scale: float = param("time_scale", "s/s", 0.22, 0.34)
    seed: int = seed_param()

    def _stages_s(self) -> tuple[float, float]:
        """Physical times of the edge and of the impact (bisection: rim on the floor)."""
        low, high = 0.0, float(np.sqrt(2 * self.table_m / GRAVITY_M_PER_S2))
        for _ in range(60):
            middle = (low + high) / 2
            rim = self.table_m - GRAVITY_M_PER_S2 / 2 * middle**2 - PLATE_M * np.sin(SPIN_RAD_PER_S * middle)
            low, high = (middle, high) if rim > 0 else (low, middle)
        return self.way_m / self.push_m_per_s, low

    def triggers(self) -> dict[str, float]:
        edge, flight = self._stages_s()
        impact_m = self.table_m - GRAVITY_M_PER_S2 / 2 * flight**2
        _, speeds = _shards(int(self.num_shards), int(self.seed))
        lying = max(float(np.sqrt(2 * impact_m / GRAVITY_M_PER_S2)), LAYING_S)
        still = edge + flight + max(lying, float(speeds.max()) / (FRICTION * GRAVITY_M_PER_S2))
        moments = {"edge": edge, "impact": edge + flight, "shards_at_rest": still}
        return {name: tau / self.time_scale for name, tau in moments.items()}

    def states(self, t_s: Array) -> dict[str, Array]:
        edge, flight = self._stages_s()
        tau = started(t_s) * self.time_scale
        air, broken = np.clip(tau - edge, 0.0, flight), np.maximum(tau - edge - flight, 0.0)
        impact_m = self.table_m - GRAVITY_M_PER_S2 / 2 * flight**2
        z = np.where(
            broken > 0,
            np.maximum(impact_m - GRAVITY_M_PER_S2 / 2 * broken**2, 0.0),
            self.table_m - GRAVITY_M_PER_S2 / 2 * air**2,
        )
        return {
            "x": np.minimum(self.push_m_per_s * tau - self.way_m, self.push_m_per_s * flight),
            "z": z,
            "tilt": SPIN_RAD_PER_S * air,
            "broken_s": np.minimum(broken, 1.0),
            "plate_height": z.copy(),
        }

    def assembly(self) -> Assembly:
        cells, _ = _shards(int(self.num_shards), int(self.seed))
        shards = [
            Part(
                f"shard_{j}",
                parts.moved(extruded(0.97 * (c.corners - centroid(c.corners)), THICK_M, flat=True), z_m=-THICK_M / 2),
                CHINA,
                carries=True,
            )
            for j, c in enumerate(cells)
        ]
        long = self.way_m + PLATE_M + 2 * ROBOT_M + 0.04
        robot = parts.join(
            parts.moved(parts.cylinder(ROBOT_M, 0.055, 40), z_m=0.006),
            parts.moved(parts.cylinder(0.04, 0.02, 24), z_m=0.06),
        )
        bumper = parts.moved(parts.bevelled_box((0.018, 0.15, 0.03), 0.004), ROBOT_M, 0, 0.022)
        eyes = parts.join(*(parts.moved(parts.sphere(0.013, 2), 0.07, y, 0.055) for y in (-0.035, 0.035)))
        return Assembly((
            Part("plate", _plate_mesh(), CHINA, carries=True, smooth_angle_deg=50),
            *shards,
            Part("robot", robot, paint((0.80, 0.35, 0.04)), carries=True, smooth_angle_deg=40),
            Part("eyes", eyes, paint(WHITE), carries=True, smooth_angle_deg=180),
            Part("bumper", bumper, DARK, carries=True),
            furniture.table("table", (long, 0.36), self.table_m, (-long / 2, 0.0, 0.0), PALE_WOOD, thick_m=0.025),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        x, z, tilt, since = (float(state[name]) for name in ("x", "z", "tilt", "broken_s"))
        broken = since > 0
        pusher = (Move(at(min(x, 0.0) - PLATE_M - ROBOT_M - 0.018, 0.0, self.table_m)),)
        found: dict[str, tuple[Channel, ...]] = dict.fromkeys(("robot", "eyes", "bumper"), pusher)
        found["plate"] = (Visible(not broken), Rotate(quaternion_about(ACROSS, tilt)), Move(at(x, 0.0, z)))
        cells, speeds = _shards(int(self.num_shards), int(self.seed))
        for j, (cell, speed) in enumerate(zip(cells, speeds, strict=True)):
            u, v = centroid(cell.corners)
            slid_s = min(since, speed / (FRICTION * GRAVITY_M_PER_S2))
            slide = (speed - FRICTION * GRAVITY_M_PER_S2 / 2 * slid_s) * slid_s / np.hypot(u, v)
            laid = float(ease(np.array(since / LAYING_S)))
            leaning = tilt * (1 - laid)
            reach = (
                np.abs(cell.corners[:, 0] - u).max() * np.sin(leaning) + THICK_M / 2
            )  # the lowest corner stays above
            height = max((PLATE_M - u) * np.sin(tilt) - GRAVITY_M_PER_S2 / 2 * since**2, reach)
            place = at(x + u * (np.cos(tilt) * (1 - laid) + laid + slide), v * (1 + slide), height)
            found[f"shard_{j}"] = (Visible(broken), Rotate(quaternion_about(ACROSS, leaning)), Move(place))
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        """Of the whole plate: its axis is that of its vertices' odd principal moment."""
        if "plate" not in meshes:
            return {}
        vertices = np.asarray(meshes["plate"].vertices)
        axis = np.linalg.svd(vertices - vertices.mean(axis=0), full_matrices=False)[2][2]
        axis *= np.sign(axis[2])
        foot = vertices.mean(axis=0) - axis * np.asarray(_plate_mesh().vertices)[:, 2].mean()
        return {"x": float(foot[0]), "z": float(foot[2]), "tilt": float(np.arctan2(axis[0], axis[2]))}

    def measure(self, view: View) -> dict[str, float]:
        """Mean height of the china that is seen, whole or in shards."""
        points = np.vstack(
            [view.points_m["plate"], *(view.points_m[f"shard_{j}"] for j in range(int(self.num_shards)))]
        )
        return {"plate_height": float(points[:, 2].mean()) if len(points) else float("nan")}


def _plate_mesh() -> trimesh.Trimesh:
    return furniture.plate("plate", PLATE_M, rim_m=0.02).mesh


@lru_cache(maxsize=32)
def _shards(num: int, seed: int) -> tuple[list[Cell], Array]:
    """Cells of the plate's disc, and the speed at which each slides out."""
    rng = np.random.Generator(np.random.PCG64(seed))
    sites = 0.7 * PLATE_M * rng.uniform(-1, 1, (num, 2))
    _, cells = relaxed_cells(sites, circle(PLATE_M, 24), num_rounds=1)
    return cells, rng.uniform(*SLIDE_M_PER_S, num)
