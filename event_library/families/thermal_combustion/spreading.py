"""Fire that jumps from one thing to the next: a row of matches, a forest of toy trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh
from scipy.spatial import cKDTree

from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, Move, Power, VertexColours, Vertices
from event_library.families.thermal_combustion.candles import CORE
from event_library.kit import copies, flames, furniture, palette, shapes
from event_library.kit.faces import fan_faces
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part
from event_library.taxonomy import facts

PER_VERTEX = Material(rgb=(0.5, 0.5, 0.5), roughness=0.8, per_vertex=True)
CHAR_RGB = (0.018, 0.016, 0.015)


@dataclass(frozen=True, kw_only=True)
class MatchRowFireSpread(Event):
    """Match i catches fire at t0 + (i - 1) dt, burns for t_b and curls by 60 deg (1 - exp(-(t - t_i) / t_b))."""

    info = facts("match_row_fire_spread")
    variables = (
        state("stage", "index", 0.0, domain="vector", flags="monotone bounded", label="0 fresh, 1 burning, 2 burnt"),
        state("burnt_share", "frac", 0.02, domain="vector", flags="monotone bounded"),
        state("curl", "rad", 0.05, domain="vector", flags="monotone bounded"),
        readout(
            "ignited", "count", 1.0, min_delta=3.0, domain="count", flags="monotone bounded", label="no longer fresh"
        ),
        readout("burning", "count", 1.0, domain="count", flags="bounded", label="matches in flames"),
    )

    accept_rules = (("the fire takes 5 to 9 s to the end", lambda e: 5 <= e.step_s * (e.num_matches - 1) <= 9),)

    num_matches: int = param("n", "count", 12, 18)
    step_s: float = param("dt_ign", "s", 0.35, 0.60)
    burning_s: float = param("t_b", "s", 1.2, 2.2)
    first_s: float = param("t0", "s", 0.2, 0.4)

    STICK_M, HALF_M, PITCH_M, BASE_M = 0.046, 0.0022, 0.0098, 0.014  # length, half thickness, spacing, foot board
    FLAME_M, RINGS = 0.026, 7

    @cached_property
    def ignites_s(self) -> Array:
        return self.first_s + self.step_s * np.arange(self.num_matches)

    @cached_property
    def places_m(self) -> Array:
        """[n] x of the matches."""
        return self.PITCH_M * (np.arange(self.num_matches) - (self.num_matches - 1) / 2)

    def states(self, t_s: Array) -> dict[str, Array]:
        since = started(t_s)[:, None] - self.ignites_s
        stage = (since >= 0).astype(np.float64) + (since >= self.burning_s)
        return {
            "stage": stage,
            "burnt_share": np.clip(since / self.burning_s, 0.0, 1.0),
            "curl": np.pi / 3 * -np.expm1(-np.maximum(since, 0.0) / self.burning_s),
            "ignited": (stage > 0).sum(axis=1).astype(np.float64),
            "burning": (stage == 1).sum(axis=1).astype(np.float64),
        }

    def triggers(self) -> dict[str, float]:
        return {
            "last_catches_fire": float(self.ignites_s[-1]),
            "last_flame_out": float(self.ignites_s[-1] + self.burning_s),
        }

    def _line_m(self, i: int, curl_rad: float) -> Array:
        """[RINGS, 3] middle line of match i, an arc towards or away from the viewer."""
        way = np.linspace(0.0, self.STICK_M, self.RINGS)
        bend = max(curl_rad, 1e-6) / self.STICK_M
        side = (1 - np.cos(bend * way)) / bend * (1 if i % 2 else -1)
        return np.column_stack([np.full(self.RINGS, self.places_m[i]), side, self.BASE_M + np.sin(bend * way) / bend])

    def _sticks(self, curl: Array) -> list[trimesh.Trimesh]:
        return [shapes.swept(self._line_m(i, float(a)), self.HALF_M * 1.3, 4) for i, a in enumerate(curl)]

    def _head(self) -> trimesh.Trimesh:
        return shapes.ellipsoid((0.0078, 0.0078, 0.0115), 1)

    def assembly(self) -> Assembly:
        num = self.num_matches
        sticks = trimesh.util.concatenate(self._sticks(np.zeros(num)))
        assert isinstance(sticks, trimesh.Trimesh)
        nowhere = np.zeros((num, 3))
        size = (num * self.PITCH_M + 0.014, 0.05, self.BASE_M)
        return Assembly(
            (
                Part("sticks", sticks, PER_VERTEX, carries=True),
                copies.copies("fresh_heads", self._head(), nowhere, palette.RED_PAINT, smooth_angle_deg=60),
                copies.copies("burnt_heads", self._head(), nowhere, palette.paint(CHAR_RGB, 0.9), smooth_angle_deg=60),
                flames.flames("cores", num, 0.7 * self.FLAME_M, CORE, stout=1.5),
                flames.flames("flames", num, self.FLAME_M, stout=1.9),
                furniture.board("base", size, material=palette.WOOD),
            ),
            (Lamp("light", (0.0, -0.02, 0.1), 0.1, flames.FIRE_RGB, 0.01),),
        )  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        stage, share, curl = (np.asarray(state[name]) for name in ("stage", "burnt_share", "curl"))
        lines = [self._line_m(i, float(a)) for i, a in enumerate(curl)]
        tops = np.array([line[-1] for line in lines])
        burning = stage == 1
        feet = np.array(
            [
                shapes.along(line, np.array([(1 - 0.6 * s) * self.STICK_M]))[0]
                for line, s in zip(lines, share, strict=True)
            ]
        )
        down = 1 - np.linspace(0.0, 1.0, self.RINGS)  # 0 at the head
        charred = np.clip(6 * (0.85 * share[:, None] - down), 0.0, 1.0)
        charred = np.hstack([np.repeat(charred, 4, axis=1), charred[:, :1], charred[:, -1:]]).reshape(-1)
        colours = palette.ramp(charred, ((0.78, 0.58, 0.32), (0.25, 0.12, 0.05), CHAR_RGB))
        sizes = np.where(burning, np.minimum(1.0, 0.7 + 3 * share) * np.minimum(1.0, 2 * (1 - share) + 0.7), 0.0)
        middle = feet[burning].mean(axis=0) if burning.any() else np.zeros(3)
        return {
            "sticks": (
                Vertices(np.vstack([m.vertices for m in self._sticks(curl)])),
                VertexColours(colours),
            ),
            **copies.copies_channels("fresh_heads", self._head(), tops, None, (stage == 0) * 1.0),
            **copies.copies_channels("burnt_heads", self._head(), tops, None, (stage > 0) * 0.75),
            **flames.flames_channels("cores", 0.7 * self.FLAME_M, feet, burning * 1.0, stout=1.5),
            **flames.flames_channels("flames", self.FLAME_M, feet, sizes, stout=1.9),
            "light": (Power(0.22 * float(np.sqrt(sizes.sum()))), Move(middle + shapes.at(0.0, -0.03, 0.04))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        heads = np.asarray(meshes["fresh_heads"].vertices).reshape(self.num_matches, -1, 3)
        return {"ignited": float((np.ptp(heads[..., 2], axis=1) < 1e-9).sum())}

    def measure(self, view: View) -> dict[str, float]:
        if len(view.points_m["sticks"]) == 0:
            return {"ignited": float("nan")}
        fresh, cores = view.points_m["fresh_heads"], view.points_m["cores"]
        ahead = np.abs(self.places_m - fresh[:, 0].min()).argmin() if len(fresh) else self.num_matches
        burning = np.unique(np.abs(self.places_m - cores[:, :1]).argmin(axis=1)) if len(cores) else np.empty(0)
        return {"ignited": float(ahead), "burning": float(len(burning))}


@dataclass(frozen=True, kw_only=True)
class ForestFireCells(Event):
    """Deterministic spread on a random forest (Drossel & Schwabl 1992 without growth or lightning).

    Each step a burning tree turns to ash and sets fire to the trees beside it (4 neighbours); the left column starts.
    """

    info = facts("forest_fire_cells")
    variables = (
        state("cell", "index", 0.0, domain="field", flags="bounded", label="0 empty, 1 tree, 2 burning, 3 ash"),
        readout(
            "ash_fraction", "frac", 0.05, min_delta=0.11, flags="monotone bounded", label="burnt share of the trees"
        ),
        readout("front_column", "count", 2.0, domain="count", flags="bounded", label="mean column of the flames"),
    )
    costly_rules = True
    accept_rules = (("the fire runs for 6 to 12 s", lambda e: 6 <= e.step_s * (len(e.history) - 1) <= 12),)

    num_cells: int = param("N", "count", 18, 26)
    density: float = param("p", "frac", 0.72, 0.88)
    step_s: float = param("dt", "s", 0.26, 0.40)
    seed: int = seed_param()

    SIDE_M, BOARD_M = 0.40, 0.012

    @cached_property
    def history(self) -> Array:
        """[K, N, N] cells after each step until nothing burns any more; rows go to the back, columns to the right."""
        num = self.num_cells
        now = (np.random.Generator(np.random.PCG64(self.seed)).random((num, num)) < self.density).astype(np.float64)
        now[:, 0] *= 2
        found = [now]
        while (now == 2).any():
            fire = np.pad(now == 2, 1)
            beside = fire[:-2, 1:-1] | fire[2:, 1:-1] | fire[1:-1, :-2] | fire[1:-1, 2:]
            now = np.where(now == 2, 3.0, np.where((now == 1) & beside, 2.0, now))
            found.append(now)
        return np.array(found)

    @cached_property
    def trees_m(self) -> Array:
        """[num_trees, 3] feet of the trees, row by row."""
        at = np.argwhere(self.history[0] > 0)
        pitch = self.SIDE_M / self.num_cells
        x, y = (at[:, 1] + 0.5) * pitch - self.SIDE_M / 2, (at[:, 0] + 0.5) * pitch - self.SIDE_M / 2
        return np.column_stack([x, y, np.full(len(at), self.BOARD_M)])

    def states(self, t_s: Array) -> dict[str, Array]:
        step = np.minimum(np.floor(started(t_s) / self.step_s), len(self.history) - 1).astype(np.int64)
        ash = (self.history == 3).sum(axis=(1, 2)) / (self.history[0] > 0).sum()
        burning = (self.history == 2).sum(axis=1)  # [K, N] by column
        columns = (burning * np.arange(self.num_cells)).sum(axis=1) / np.maximum(burning.sum(axis=1), 1)
        columns[-1] = columns[-2]  # where it went out
        return {"cell": self.history[step], "ash_fraction": ash[step], "front_column": columns[step]}

    def triggers(self) -> dict[str, float]:
        return {"burnt_out": self.step_s * (len(self.history) - 1)}

    def _tree(self, height: float, wide: float) -> trimesh.Trimesh:
        """Five-sided spire of a size in pitches."""
        pitch = self.SIDE_M / self.num_cells
        ring = np.column_stack([shapes.circle(wide * pitch / 2, 5), np.zeros(5)])
        faces = np.vstack([fan_faces(5, 5), [(0, 2, 1), (0, 3, 2), (0, 4, 3)]])
        return trimesh.Trimesh(np.vstack([ring, [(0.0, 0.0, height * pitch)]]), faces, process=False)

    @property
    def _num_flames(self) -> int:
        return int((self.history == 2).sum(axis=(1, 2)).max())

    def assembly(self) -> Assembly:
        trees, burning = self.trees_m, np.zeros((self._num_flames, 3))
        return Assembly(
            (
                copies.copies("trees", self._tree(1.5, 1.0), trees, PER_VERTEX),
                copies.copies("ash", self._tree(0.55, 1.15), trees, palette.paint(CHAR_RGB, 0.95)),
                copies.copies("fire", self._tree(1.5, 1.0), burning, palette.paint((1.0, 0.30, 0.03), glow=2.5)),
                flames.flames("tongues", self._num_flames, self._flame_m, stout=1.8),
                furniture.board(
                    "ground",
                    (self.SIDE_M + 0.03, self.SIDE_M + 0.03, self.BOARD_M),
                    material=palette.paint((0.11, 0.10, 0.04), 0.9),
                ),
            ),
            (Lamp("light", (0.0, 0.0, 0.12), 0.5, flames.FIRE_RGB, 0.04),),
        )

    @property
    def _flame_m(self) -> float:
        return 2.4 * self.SIDE_M / self.num_cells

    def channels(self, state: State) -> ChannelMap:
        cells = np.asarray(state["cell"])
        stage = cells[self.history[0] > 0]
        places = self.trees_m
        shade = 1 + 0.3 * np.sin(77.0 * np.arange(len(places)))  # no two trees alike
        greens = shade[:, None] * np.array([0.05, 0.24, 0.05])
        fire = np.zeros((self._num_flames, 3))
        burning = places[stage == 2]
        fire[: len(burning)] = burning
        lit = (np.arange(len(fire)) < len(burning)).astype(np.float64)
        middle = burning.mean(axis=0) if len(burning) else np.zeros(3)
        tree = self._tree(1.5, 1.0)
        return {
            "trees": (
                *copies.copies_channels("trees", tree, places, None, (stage == 1) * shade**0.3)["trees"],
                *copies.copies_colours("trees", tree, greens)["trees"],
            ),
            **copies.copies_channels("ash", self._tree(0.55, 1.15), places, None, (stage == 3) * 1.0),
            **copies.copies_channels("fire", tree, fire, None, lit),
            **flames.flames_channels("tongues", self._flame_m, fire, lit, stout=1.8),
            "light": (Power(0.35 * float(np.sqrt(len(burning)))), Move(middle + shapes.at(0.0, 0.0, 0.09))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        burnt = np.asarray(meshes["ash"].vertices).reshape(len(self.trees_m), -1, 3)
        return {"ash_fraction": float((np.ptp(burnt[..., 2], axis=1) > 1e-9).mean())}

    def measure(self, view: View) -> dict[str, float]:
        """Trees are told apart by where they stand; each counts once, however much of it is seen."""
        nearest = cKDTree(self.trees_m[:, :2])
        seen = {n: np.unique(nearest.query(view.points_m[n][:, :2])[1]) for n in ("trees", "fire", "ash")}
        total = len(np.unique(np.concatenate(list(seen.values()))))
        found = {"ash_fraction": len(seen["ash"]) / total if total else float("nan")}
        if len(seen["fire"]):
            pitch = self.SIDE_M / self.num_cells
            found["front_column"] = float((self.trees_m[seen["fire"], 0].mean() + self.SIDE_M / 2) / pitch - 0.5)
        return found
