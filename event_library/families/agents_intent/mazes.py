"""A mouse that knows its maze."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap
from event_library.families.agents_intent.measuring import named, origin_m
from event_library.families.agents_intent.routes import heading_rad
from event_library.figures import animals
from event_library.kit import shapes
from event_library.kit.palette import PALE_WOOD, WOOD, YELLOW, paint
from event_library.laws import started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.taxonomy import facts

Cell = tuple[int, int]  # row (away from the viewer), column (to the right)
STEPS: tuple[Cell, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))  # north, east, south, west
CELL_M = 0.10
WALL_M = (0.014, 0.042)  # thickness, height
FLOOR_M = 0.012
MOUSE_M = 0.092
SHORT_OF_CHEESE = 0.75  # cells between the mouse's last place and the middle of the cheese
LAWN = Material(rgb=(0.16, 0.42, 0.20), roughness=0.95, pattern=Pattern("checker", (0.12, 0.34, 0.16), CELL_M))


@lru_cache(maxsize=64)
def maze(num_cells: int, seed: int) -> NDArray[np.bool_]:
    """[rows, columns, 4] whether the way to the north, east, south, west is open.

    Carved depth first from the near left corner; then 15 % of the walls that are left are taken away.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    ways = np.zeros((num_cells, num_cells, 4), dtype=np.bool_)

    def beside(cell: Cell, step: int) -> Cell | None:
        row, column = cell[0] + STEPS[step][0], cell[1] + STEPS[step][1]
        return (row, column) if 0 <= row < num_cells and 0 <= column < num_cells else None

    def open_up(cell: Cell, step: int) -> None:
        other = beside(cell, step)
        assert other is not None
        ways[*cell, step] = ways[*other, (step + 2) % 4] = True

    stack, seen = [(0, 0)], {(0, 0)}
    while stack:
        fresh = [s for s in range(4) if (n := beside(stack[-1], s)) is not None and n not in seen]
        if not fresh:
            stack.pop()
            continue
        step = fresh[int(rng.integers(len(fresh)))]
        open_up(stack[-1], step)
        ahead = beside(stack[-1], step)
        assert ahead is not None
        seen.add(ahead)
        stack.append(ahead)
    walls = [((r, c), s) for r in range(num_cells) for c in range(num_cells) for s in (0, 1)
             if beside((r, c), s) is not None and not ways[r, c, s]]  # fmt: skip
    for index in rng.permutation(len(walls))[: round(0.15 * len(walls))]:
        open_up(*walls[index])
    return ways


def steps_from(ways: NDArray[np.bool_], start: Cell) -> NDArray[np.int64]:
    """[rows, columns] fewest steps from a cell, breadth first."""
    steps = np.full(ways.shape[:2], -1, dtype=np.int64)
    steps[start] = 0
    queue = deque([start])
    while queue:
        row, column = queue.popleft()
        for step, (up, right) in enumerate(STEPS):
            if ways[row, column, step] and steps[row + up, column + right] < 0:
                steps[row + up, column + right] = steps[row, column] + 1
                queue.append((row + up, column + right))
    return steps


def farthest(ways: NDArray[np.bool_], start: Cell) -> Cell:
    """The cell with the longest shortest way from `start`, the first in reading order."""
    row, column = divmod(int(steps_from(ways, start).argmax()), ways.shape[1])
    return row, column


@lru_cache(maxsize=64)
def shortest_way(num_cells: int, seed: int) -> tuple[Cell, ...]:
    """From the cell farthest from the near left corner to the cell farthest from that; ties in the order of STEPS."""
    ways = maze(num_cells, seed)
    here = farthest(ways, (0, 0))
    left = steps_from(ways, farthest(ways, here))
    path = [here]
    while left[here] > 0:
        choices = ((here[0] + up, here[1] + right) for s, (up, right) in enumerate(STEPS) if ways[*here, s])
        here = next(cell for cell in choices if left[cell] == left[here] - 1)
        path.append(here)
    return tuple(path)


@dataclass(frozen=True, kw_only=True)
class MouseInMaze(Event):
    """A mouse runs the breadth-first shortest way (Lee 1961) to the cheese: s = min(v t, L)."""

    info = facts("mouse_in_maze")
    variables = (
        state("s", "count", 0.1, flags="monotone bounded", label="cells run"),
        state("cell", "index", 0.0, domain="discrete", label="row * columns + column of the cell that it is in"),
        readout("path_position", "count", 0.7, min_delta=3, flags="monotone bounded", label="cells along the way"),
    )
    accept_rules = (("the way takes at least 6 s", lambda e: e.way_cells >= 6 * e.speed_cells_per_s),)

    num_cells: int = param("m", "count", 6, 8)
    speed_cells_per_s: float = param("v", "cells/s", 1.6, 2.6)
    seed: int = seed_param()

    @property
    def way_cells(self) -> float:
        return len(shortest_way(self.num_cells, self.seed)) - 1 - SHORT_OF_CHEESE

    def _middle_m(self, cells: Array) -> Array:
        """[..., 2] middles of cells (row, column)."""
        return (np.asarray(cells)[..., ::-1] - (self.num_cells - 1) / 2) * CELL_M

    @property
    def _path_m(self) -> Array:
        return self._middle_m(np.array(shortest_way(self.num_cells, self.seed), dtype=np.float64))

    def states(self, t_s: Array) -> dict[str, Array]:
        s = np.minimum(self.speed_cells_per_s * started(t_s), self.way_cells)
        way = np.array(shortest_way(self.num_cells, self.seed))
        row, column = way[np.floor(s + 0.5).astype(np.int64)].T
        return {"s": s, "cell": (row * self.num_cells + column).astype(np.float64), "path_position": s.copy()}

    def triggers(self) -> dict[str, float]:
        return {"at_cheese": self.way_cells / self.speed_cells_per_s}

    def assembly(self) -> Assembly:
        ways, side = maze(self.num_cells, self.seed), self.num_cells * CELL_M
        thick, high = WALL_M
        walls = [parts.block((thick, side + thick, high), (-side / 2, 0, FLOOR_M)),
                 parts.block((side + thick, thick, high), (0, -side / 2, FLOOR_M))]  # fmt: skip
        for row, column in np.ndindex(self.num_cells, self.num_cells):
            x, y = self._middle_m(np.array([row, column]))
            if not ways[row, column, 0]:
                walls.append(parts.block((CELL_M + thick, thick, high), (x, y + CELL_M / 2, FLOOR_M)))
            if not ways[row, column, 1]:
                walls.append(parts.block((thick, CELL_M + thick, high), (x + CELL_M / 2, y, FLOOR_M)))
        wedge = shapes.extruded(np.array([(-0.030, 0.0), (0.026, -0.024), (0.026, 0.024)]), 0.032, flat=True)
        holes = [parts.moved(parts.sphere(r, 1), *p) for r, p in (
            (0.008, (0.012, -0.018, 0.018)), (0.006, (-0.008, -0.010, 0.012)), (0.007, (0.014, 0.004, 0.030)),
        )]  # fmt: skip
        for piece in (wedge, *holes):
            piece.apply_translation((*self._path_m[-1], FLOOR_M))
        return Assembly((
            *animals.mouse("mouse", MOUSE_M),
            Part("walls", parts.join(*walls), PALE_WOOD),
            Part("floor", parts.block((side, side, FLOOR_M), (0, 0, 0)), LAWN),
            Part("rim", parts.block((side + 0.05, side + 0.05, 0.6 * FLOOR_M), (0, 0, 0)), WOOD),
            Part("cheese", wedge, paint(YELLOW)),
            Part("holes", parts.join(*holes), paint((0.55, 0.32, 0.01)), smooth_angle_deg=60),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        path, way = self._path_m, float(state["s"]) * CELL_M
        x, y = shapes.along(path, np.array([way]))[0]
        return animals.mouse_channels(
            "mouse", MOUSE_M, (x, y, FLOOR_M), heading_rad(path, way, 0.4 * CELL_M),
            way / animals.mouse_stride_m(MOUSE_M),
        )  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        body = named(self.assembly().parts)["mouse_body"]
        return {"s": shapes.arc_length_m(self._path_m, origin_m(body, meshes["mouse_body"])[:2]) / CELL_M}

    def measure(self, view: View) -> dict[str, float]:
        points = np.vstack([view.points_m[f"mouse_{suffix}"] for suffix in ("body", "ears")])
        if len(points) == 0:
            return {"path_position": float("nan")}
        return {"path_position": shapes.arc_length_m(self._path_m, points[:, :2].mean(axis=0)) / CELL_M}
