"""Trees: one that forks generation after generation, one that loses its leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap, VertexColours, Vertices, Visible
from event_library.kit import copies, furniture, palette, shapes
from event_library.kit.faces import fan_faces, grid_faces, repeated
from event_library.laws import started
from event_library.parts import Assembly, Material, Part
from event_library.taxonomy import facts

BARK = Material(rgb=(0.20, 0.095, 0.035), roughness=0.9)
LEAVES = Material(rgb=(0.5, 0.5, 0.5), roughness=0.8, per_vertex=True)
LAWN = Material(rgb=(0.10, 0.26, 0.05), roughness=0.95, pattern=parts.Pattern("speckle", (0.07, 0.19, 0.03), 0.02))


# ---- rewriting
@dataclass(frozen=True, kw_only=True)
class LsystemTree(Event):
    """Parallel rewriting (Lindenmayer 1968): every Tg each tip forks into b shoots, rho times as long, at +-beta.

    New shoots burst with a fifth of their length and grow steadily until the next fork.
    """

    info = facts("lsystem_tree")
    variables = (
        state("n", "count", 0.0, domain="count", flags="monotone bounded"),
        state("f", "frac", 0.05, flags="bounded"),
        readout(
            "generation", "count", 0.0, min_delta=1.0, domain="count", flags="monotone bounded", label="fork levels"
        ),
        readout("height", "ratio", 0.2, flags="monotone bounded", label="top of the wood over the trunk's full length"),
    )
    accept_rules = (("at most 800 tips", lambda e: e.num_shoots**e.num_levels <= 800),)

    period_s: float = param("Tg", "s", 1.2, 1.9)
    num_shoots: int = param("b", "count", 2, 3, default=2)
    shrink: float = param("rho", "ratio", 0.68, 0.80)
    fork_rad: float = angle_param("beta", 22, 38)
    num_levels: int = param("n_max", "count", 5, 6)

    TRUNK_M, GIRTH_M, BUD, LEAF_M = 0.30, 0.020, 0.2, 0.08
    GROUND_M = 0.02

    @cached_property
    def segments(self) -> tuple[tuple[Array, Array], ...]:
        """Per generation: starts and full vectors, each [b^k, 3]; the children of shoot i are b i to b i + b - 1."""
        starts, ways, sides = np.zeros((1, 3)), np.array([[0.0, 0.0, self.TRUNK_M]]), np.array([[1.0, 0.0, 0.0]])
        found = [(starts, ways)]
        for _ in range(self.num_levels):
            length = np.linalg.norm(ways, axis=1, keepdims=True)
            along = ways / length
            across = np.cross(along, sides)
            turns = 2 * np.pi * np.arange(self.num_shoots) / self.num_shoots
            out = np.cos(turns)[:, None] * sides[:, None] + np.sin(turns)[:, None] * across[:, None]  # [m, b, 3]
            new = np.cos(self.fork_rad) * along[:, None] + np.sin(self.fork_rad) * out
            starts = np.repeat(starts + ways, self.num_shoots, axis=0)
            ways = (self.shrink * length[:, None] * new).reshape(-1, 3)
            along = ways / np.linalg.norm(ways, axis=1, keepdims=True)
            sides = np.repeat(across, self.num_shoots, axis=0)  # the next fork lies across this one
            sides = sides - (sides * along).sum(axis=1, keepdims=True) * along
            sides /= np.linalg.norm(sides, axis=1, keepdims=True)
            found.append((starts, ways))
        return tuple(found)

    def _grown(self, level: int, f: float) -> float:
        return self.BUD + (1 - self.BUD) * f

    def states(self, t_s: Array) -> dict[str, Array]:
        age = started(t_s) / self.period_s
        n = np.minimum(np.floor(age), self.num_levels)
        f = np.minimum(age - n, 1.0)
        tops = np.array([[(s[:, 2] + g * w[:, 2]).max() for g in (self.BUD, 1.0)] for s, w in self.segments])
        level = n.astype(np.int64)
        low, high = tops[level].T
        before = np.concatenate([[0.0], np.maximum.accumulate(tops[:, 1])])[level]
        height = np.maximum(low + (high - low) * f, before) / self.TRUNK_M
        return {"n": n, "f": f, "generation": n.copy(), "height": height}

    def triggers(self) -> dict[str, float]:
        return {f"fork_{k}": k * self.period_s for k in range(1, self.num_levels + 1)}

    def _wood(self, level: int, share: float) -> trimesh.Trimesh:
        """All shoots of one generation at a share of their length: tapered prisms."""
        starts, ways = self.segments[level]
        sides = 8 if level == 0 else 5 if level < 4 else 3
        girth = self.GIRTH_M * 0.72**level
        along = ways / np.linalg.norm(ways, axis=1, keepdims=True)
        u = np.cross(along, np.where(np.abs(along[:, :1]) < 0.8, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]))
        u /= np.linalg.norm(u, axis=1, keepdims=True)
        v = np.cross(along, u)
        angle = 2 * np.pi * np.arange(sides) / sides
        ring = np.cos(angle)[:, None] * u[:, None] + np.sin(angle)[:, None] * v[:, None]  # [m, sides, 3]
        low = starts[:, None] + girth * ring
        high = (starts + share * ways)[:, None] + 0.72 * girth * ring
        vertices = np.concatenate([low, high], axis=1).reshape(-1, 3) + shapes.at(0.0, 0.0, self.GROUND_M)
        faces = repeated(grid_faces(2, sides, closed_columns=True), 2 * sides, len(starts))
        return trimesh.Trimesh(vertices, faces, process=False)

    def _leaf(self) -> trimesh.Trimesh:
        h = self.LEAF_M
        corners = np.array(
            [(0, 0, -0.2 * h), (0.45 * h, -0.15 * h, 0.35 * h), (0, 0, h), (-0.45 * h, -0.15 * h, 0.35 * h)]
        )
        return trimesh.Trimesh(corners, [(0, 1, 2), (0, 2, 3)], process=False)

    def assembly(self) -> Assembly:
        num_tips = self.num_shoots**self.num_levels
        leaves = copies.copies("leaves", self._leaf(), np.zeros((num_tips, 3)), palette.LEAF)
        lawn = parts.cylinder(0.16, self.GROUND_M, 40)
        return Assembly(
            (
                *(
                    Part(f"wood_{k}", self._wood(k, 1.0), BARK, carries=True, smooth_angle_deg=60)
                    for k in range(self.num_levels + 1)
                ),
                leaves,
                Part("lawn", lawn, LAWN, smooth_angle_deg=40),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        n, f = int(state["n"]), float(state["f"])
        found: dict[str, tuple[Channel, ...]] = {}
        for k in range(self.num_levels + 1):
            share = 1.0 if k < n else self._grown(k, f)
            found[f"wood_{k}"] = (Visible(k <= n), Vertices(np.asarray(self._wood(k, share).vertices)))
        starts, ways = self.segments[n]
        num = self.num_shoots**self.num_levels
        places, sizes = np.zeros((num, 3)), np.zeros(num)
        places[: len(starts)] = starts + self._grown(n, f) * ways + [0.0, 0.0, self.GROUND_M]
        sizes[: len(starts)] = (0.6 + 0.4 * f) * (1.2 * 0.75**n + 0.35)
        turns = copies.quaternions_about((0.0, 1.0, 0.0), 0.9 * np.sin(2.4 * np.arange(num)))
        return {**found, **copies.copies_channels("leaves", self._leaf(), places, turns, sizes)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        levels = [name for name in meshes if name.startswith("wood_")]
        return {"n": len(levels) - 1.0}

    def measure(self, view: View) -> dict[str, float]:
        seen = [k for k in range(self.num_levels + 1) if len(view.points_m[f"wood_{k}"])]
        if not seen:
            return {"generation": float("nan")}
        top = max(float(view.points_m[f"wood_{k}"][:, 2].max()) for k in seen)
        return {"generation": float(max(seen)), "height": (top - self.GROUND_M) / self.TRUNK_M}


# ---- autumn
NUM_BOUGHS = 9


@dataclass(frozen=True, kw_only=True)
class AutumnTreeShedding(Event):
    """Logistic leaf fall (Dixon 1976): leaf j of N goes at tau_j = tm + s ln(u / (1 - u)), u = (j - 1/2) / N.

    Leaves redden over three days, done two days before they go; each sways down for one second of the clip.
    """

    info = facts("autumn_tree_shedding")
    variables = (
        state("fallen", "frac", 0.05, domain="vector", flags="monotone bounded", label="each leaf's way to the ground"),
        state("red", "frac", 0.1, domain="vector", flags="monotone bounded"),
        readout("leaves_left", "frac", 0.08, min_delta=0.17, flags="monotone bounded", label="share still on the tree"),
        state("ground_cover", "frac", 0.10, flags="monotone bounded", label="share lying on the lawn"),
    )
    accept_rules = (
        ("half have gone 3.2 to 5 s into the clip", lambda e: 3.2 <= e.middle_day / e.scale_day_per_s <= 5),
    )

    num_leaves: int = param("N", "count", 60, 100)
    middle_day: float = param("tm", "day", 8, 12)
    spread_day: float = param("s", "day", 1.8, 3.0)
    scale_day_per_s: float = param("time_scale", "day/s", 1.8, 3.0)
    seed: int = seed_param()

    CROWN_M, CROWN_Z, LAWN_M, LEAF_M = (0.155, 0.035, 0.125), 0.265, 0.012, 0.019
    FALL_S = 1.0

    @cached_property
    def homes_m(self) -> Array:
        """[N, 3] places on the tree, spread over a crown that is flat to the viewer (an espalier)."""
        spots = copies.scattered_positions(self.num_leaves, 1.0, self.seed)
        depth = 0.8 * np.sin(2.4 * np.arange(self.num_leaves))
        flat = np.column_stack([spots[:, 0], depth, spots[:, 1]])
        return np.asarray(flat * np.array(self.CROWN_M) + [0.0, 0.0, self.CROWN_Z])

    @cached_property
    def lawn_m(self) -> Array:
        """[N, 3] places on the lawn."""
        spots = copies.scattered_positions(self.num_leaves, 1.0, self.seed + 1)
        order = np.random.Generator(np.random.PCG64([self.seed, 1])).permutation(self.num_leaves)
        flat = spots[order] * np.array([0.20, 0.075, 1.0]) + [0.0, -0.09, self.LAWN_M + 0.0015]
        return flat + np.outer(np.arange(self.num_leaves), [0.0, 0.0, 4e-5])  # one upon the other

    @cached_property
    def goes_s(self) -> Array:
        """[N] clip time at which each leaf lets go, in seeded order."""
        u = (np.arange(1, self.num_leaves + 1) - 0.5) / self.num_leaves
        days = self.middle_day + self.spread_day * np.log(u / (1 - u))
        order = np.random.Generator(np.random.PCG64([self.seed, 2])).permutation(self.num_leaves)
        return np.asarray(days[order] / self.scale_day_per_s)

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)[:, None]
        fallen = np.clip((t - self.goes_s) / self.FALL_S, 0.0, 1.0)
        red = np.clip(((t - self.goes_s) * self.scale_day_per_s + 5.0) / 3.0, 0.0, 1.0)
        return {
            "fallen": fallen,
            "red": red,
            "leaves_left": (t < self.goes_s).mean(axis=1),
            "ground_cover": (fallen >= 1).mean(axis=1),
        }

    def _leaf(self) -> trimesh.Trimesh:
        """A five-pointed maple leaf facing the viewer."""
        angle = np.pi / 2 + 2 * np.pi * np.arange(10) / 10
        reach = self.LEAF_M * np.where(np.arange(10) % 2 == 0, 1.0, 0.55)
        rim = np.column_stack([reach * np.cos(angle), np.zeros(10), reach * np.sin(angle)])
        return trimesh.Trimesh(np.vstack([rim, [(0.0, -0.003, 0.0)]]), fan_faces(10, 10), process=False)

    def assembly(self) -> Assembly:
        homes = self.homes_m
        leaves = copies.copies("leaves", self._leaf(), homes, LEAVES)
        fork = shapes.at(0.0, 0.0, self.CROWN_Z - 0.09)
        wood = [shapes.swept(np.array([(0, 0, 0), (0.004, 0, 0.08), fork]), np.array([0.017, 0.012, 0.010]), 12)]
        fan = np.linspace(-0.35, np.pi + 0.35, NUM_BOUGHS)
        ends = np.column_stack([0.88 * np.cos(fan), 0.2 * np.sin(3 * fan), 0.88 * np.sin(fan)]) * self.CROWN_M
        ends += shapes.at(0.0, 0.0, self.CROWN_Z)
        for end in ends:
            middle = fork + 0.45 * (end - fork) + shapes.at(0.0, 0.0, 0.015)
            wood.append(shapes.swept(np.array([fork, middle, end]), np.array([0.008, 0.0045, 0.0015]), 8))
            near = homes[np.argsort(np.linalg.norm(homes - end, axis=1))[:4]]
            wood += [shapes.rod(middle + 0.3 * (end - middle), home, 0.0012, 5) for home in near]
        lawn = furniture.board("lawn", (0.44, 0.23, self.LAWN_M), (0.0, -0.06, 0.0), LAWN)
        return Assembly((leaves, Part("wood", parts.join(*wood), BARK, smooth_angle_deg=60), lawn))

    def channels(self, state: State) -> ChannelMap:
        way = np.asarray(state["fallen"])[:, None]
        k = np.arange(self.num_leaves)
        sway = 0.025 * np.sin(2 * np.pi * (1.6 * way[:, 0] + 0.13 * k)) * 4 * way[:, 0] * (1 - way[:, 0])
        blown = np.hstack([way, np.sqrt(way), way])  # out of the crown first
        places = self.homes_m * (1 - blown) + self.lawn_m * blown + np.column_stack([sway, 0 * sway, 0 * sway])
        lie = copies.quaternions_about((1.0, 0.0, 0.0), -np.pi / 2 * way[:, 0])  # faces up on the ground
        tilt = copies.quaternions_about((0.0, 1.0, 0.0), 0.7 * np.sin(1.7 * k))
        turns = copies.quaternions_times(lie, tilt)
        reds = np.where((k % 3 == 0)[:, None], [[0.80, 0.30, 0.02]], [[0.62, 0.05, 0.02]])
        share = np.asarray(state["red"])[:, None]
        colours = np.array([[0.10, 0.34, 0.04]]) * (1 - share) + reds * share
        leaf = self._leaf()
        return {
            "leaves": (
                *copies.copies_channels("leaves", leaf, places, turns)["leaves"],
                VertexColours(np.repeat(colours, len(leaf.vertices), axis=0)),
            )
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        middles = np.asarray(meshes["leaves"].vertices).reshape(self.num_leaves, -1, 3)[:, :10].mean(axis=1)
        return {
            "leaves_left": float((np.linalg.norm(middles - self.homes_m, axis=1) < 1e-6).mean()),
            "ground_cover": float((np.linalg.norm(middles - self.lawn_m, axis=1) < 1e-6).mean()),
        }

    def measure(self, view: View) -> dict[str, float]:
        """Places on the tree where a leaf is seen; each counts once. Leaves in the air are out of the crown's depth."""
        seen = view.points_m["leaves"]
        if len(seen) == 0:
            return {"leaves_left": float("nan")}
        index = copies.nearest_copies(seen, self.homes_m)
        off = np.abs(seen - self.homes_m[index])
        close = (np.linalg.norm(off, axis=1) < self.LEAF_M) & (off[:, 1] < 0.003)
        return {"leaves_left": len(np.unique(index[close])) / self.num_leaves}
