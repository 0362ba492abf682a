"""Cellular automata: Conway's Life and Langton's ant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import trimesh

from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap
from event_library.figures import insects
from event_library.kit import boards
from event_library.kit.palette import DARK, WOOD
from event_library.laws import ease, started
from event_library.parts import Assembly
from event_library.taxonomy import facts

SIDE, LAST_GENERATION = 24, 600
LIFE = boards.Grid(SIDE, SIDE, (0.66, 0.66), (0.0, 0.0, 0.021))
ALIVE_M, DEAD_M = 0.014, 0.003
ALIVE_RGB, DEAD_RGB = (0.95, 0.62, 0.03), (0.035, 0.045, 0.07)
MATCHED = 60  # generations among which a picture is looked for
MISFIT = 0.4  # of the cells alive in both: a picture that misses every generation by more shows none of them
PATTERNS = (  # start patterns 0 to 2: (row, column) of live cells from their corner; then where that corner lies
    (((0, 1), (1, 0), (1, 1), (2, 1), (2, 2)), ((11, 11),)),
    (((0, 0), (0, 1), (0, 2), (1, 2), (2, 1)), ((19, 2), (15, 8), (20, 12))),
    (((0, 0), (0, 1), (0, 4), (0, 5), (0, 6), (1, 3), (2, 1)), ((11, 8),)),
)


@dataclass(frozen=True, kw_only=True)
class GameOfLife(Event):
    """Conway's Life (B3/S23; Gardner 1970) on 24 x 24 cells with a dead border: generation = floor(rate t).

    It stops at generation 600, minutes after any clip.
    """

    info = facts("game_of_life")
    variables = (
        state("cells", "index", 0.0, domain="field", label="1 where a cell lives"),
        state("alive", "count", 3.0, domain="count"),
        readout("generation", "count", 1.0, min_delta=4.0, domain="count", label="which generation the tiles show"),
    )
    costly_rules = True
    accept_rules = (("no picture comes twice in 32 generations", lambda e: len(set(_pictures(e)[:32])) == 32),)

    pattern: int = param("pattern", "index", 0, 3, default=0)
    rate_per_s: float = param("rate", "1/s", 2.0, 3.5)
    seed: int = seed_param()

    def states(self, t_s: Array) -> dict[str, Array]:
        generation = np.minimum(np.floor(self.rate_per_s * started(t_s)), LAST_GENERATION)
        cells = self.boards()[generation.astype(int)].astype(np.float64)
        return {"cells": cells, "alive": cells.sum(axis=(1, 2)), "generation": generation}

    def boards(self) -> Array:
        """[LAST_GENERATION + 1, SIDE, SIDE] bool."""
        return _life(int(self.pattern), int(self.seed) if self.pattern == 3 else 0)

    def assembly(self) -> Assembly:
        return Assembly((
            *boards.tiles("tile", LIFE, raised=True, gap=0.12),
            boards.base_board("base", LIFE, border_m=0.02, thick_m=0.02, material=WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        alive = np.asarray(state["cells"]) > 0.5
        rgb = np.where(alive[..., None], ALIVE_RGB, DEAD_RGB)
        return boards.tiles_channels("tile", LIFE, rgb, heights_m=np.where(alive, ALIVE_M, DEAD_M), gap=0.12)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        names = boards.tile_names("tile", LIFE, raised=True)
        tops = np.concatenate([np.asarray(meshes[n].vertices).reshape(-1, 8, 3)[:, 4:, 2].mean(axis=1) for n in names])
        return {"alive": float((tops > LIFE.place[2] + (ALIVE_M + DEAD_M) / 2).sum())}

    def measure(self, view: View) -> dict[str, float]:
        """The generation after the start pattern whose board differs least from the cells seen; nan when none fits."""
        points = np.vstack([view.points_m[name] for name in boards.tile_names("tile", LIFE, raised=True)])
        raised = points[:, 2] > LIFE.place[2] + (ALIVE_M + DEAD_M) / 2
        cells = LIFE.cell_means(points, raised.astype(np.float64))[..., 0]
        seen = ~np.isnan(cells)
        if seen.sum() < 50:
            return {"generation": float("nan")}
        return {"generation": best_match(misfits(self.boards()[:MATCHED], cells))}


def misfits(boards_: Array, shares: Array) -> Array:
    """[K, 2] of boards [K, rows, columns] against the shares seen (nan: not seen): cells off, and the most allowed.

    The bound is Dice's: a share of the cells that are set in the board and in the picture together.
    """
    seen, found = ~np.isnan(shares), np.nan_to_num(shares)
    off = (np.abs(boards_ - found) * seen).sum(axis=(1, 2))
    return np.column_stack([off, 1.0 + MISFIT * ((boards_ * seen).sum(axis=(1, 2)) + found.sum())])


def best_match(misfit: Array, extra: Array | float = 0.0) -> float:
    """Index of the least of `misfits` (plus what else is off); nan when two are as good or even the best is too bad."""
    total = misfit[:, 0] + extra
    best = np.flatnonzero(total <= total.min() + 1e-9)
    fits = len(best) == 1 and misfit[best[0], 0] <= misfit[best[0], 1]
    return float(best[0]) if fits else float("nan")


@lru_cache(maxsize=16)
def _life(pattern: int, seed: int) -> Array:
    board = np.zeros((SIDE + 2, SIDE + 2), dtype=np.int64)  # with its dead border
    if pattern == 3:
        board[9:17, 9:17] = np.random.Generator(np.random.PCG64(seed)).uniform(size=(8, 8)) < 0.4
    else:
        shape, corners = PATTERNS[pattern]
        for top, left in corners:
            for row, column in shape:
                board[1 + top - row, 1 + left + column] = 1
    found = [board[1:-1, 1:-1].astype(bool)]
    for _ in range(LAST_GENERATION):
        inner = board[1:-1, 1:-1]
        near = sum(
            board[1 + i : SIDE + 1 + i, 1 + j : SIDE + 1 + j]
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
            if (i, j) != (0, 0)
        )
        alive = (near == 3) | ((near == 2) & (inner == 1))
        board[1:-1, 1:-1] = alive
        found.append(alive)
    return np.array(found)


def _pictures(event: GameOfLife) -> list[bytes]:
    return [board.tobytes() for board in event.boards()[:MATCHED]]


CELLS, LAST_STEP = 11, 2000
ANT = boards.Grid(CELLS, CELLS, (0.66, 0.66), (0.0, 0.0, 0.021))
WHITE_RGB, BLACK_RGB, TILE_M = (0.82, 0.80, 0.74), (0.03, 0.03, 0.035), 0.004
BEETLE_M = 0.105
MATCHED_STEPS = 160
TURNING = 0.35  # share of a step in which the beetle turns; then it walks


@dataclass(frozen=True, kw_only=True)
class LangtonsAnt(Event):
    """Langton's ant (1986) on an 11 x 11 torus: on white turn right, on black left, flip the tile, step on.

    A tile flips as the beetle reaches the next one. It stops after 2000 steps, minutes after any clip.
    """

    info = facts("langtons_ant")
    variables = (
        state("tiles", "index", 0.0, domain="field", label="1 where a tile is black"),
        state("beetle", "m", 0.05, domain="vector", label="x and y"),
        state("heading", "rad", 0.3, domain="angle", cycle=2 * np.pi, label="of the beetle, from x"),
        state("black", "count", 2.0, domain="count"),
        readout("steps", "count", 1.0, min_delta=8.0, domain="count", label="which step the floor and the beetle show"),
    )

    rate_per_s: float = param("rate", "1/s", 4, 8)
    heading: int = param("heading", "index", 0, 3, default=1)

    def states(self, t_s: Array) -> dict[str, Array]:
        beats = np.minimum(self.rate_per_s * started(t_s), LAST_STEP)
        steps = np.floor(beats)
        floors, cells, turns = _ant(int(self.heading))
        now, share = steps.astype(int), beats - steps
        then = np.minimum(now + 1, LAST_STEP)
        pitch = ANT.pitch_m[0]
        angle = np.pi / 2 * (turns[now] + (turns[then] - turns[now]) * ease(share / TURNING))
        ahead = ease((share - TURNING) / (1 - TURNING))
        way = np.stack([np.cos(np.pi / 2 * turns[then]), np.sin(np.pi / 2 * turns[then])], axis=1) * ahead[:, None]
        place = ((cells[now] - (CELLS - 1) / 2) + way) * pitch
        tiles = floors[now].astype(np.float64)
        return {"tiles": tiles, "beetle": place, "heading": angle, "black": tiles.sum(axis=(1, 2)), "steps": steps}

    def assembly(self) -> Assembly:
        return Assembly((
            *boards.tiles("tile", ANT, raised=True, gap=0.06),
            boards.base_board("base", ANT, border_m=0.02, thick_m=0.02, material=DARK),
            *insects.beetle("beetle", BEETLE_M),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        place, steps = np.asarray(state["beetle"]), int(state["steps"])
        left_m = (_ant(int(self.heading))[1][steps] - (CELLS - 1) / 2) * ANT.pitch_m[0]
        way = steps * ANT.pitch_m[0] + float(np.linalg.norm(place - left_m))
        rgb = np.where(np.asarray(state["tiles"])[..., None] > 0.5, BLACK_RGB, WHITE_RGB)
        at_m = (float(place[0]), float(place[1]), ANT.place[2] + TILE_M)
        return {
            **boards.tiles_channels("tile", ANT, rgb, heights_m=np.full((CELLS, CELLS), TILE_M), gap=0.06),
            **insects.beetle_channels(
                "beetle", BEETLE_M, at_m, float(state["heading"]), way / insects.insect_stride_m(BEETLE_M)
            ),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, Any]:
        """Where and how the body lies, by the way from its middle to that of the eyes."""
        rest = {part.name: np.asarray(part.mesh.vertices).mean(axis=0) for part in insects.beetle("beetle", BEETLE_M)}
        (x, y, _), (eyes_x, eyes_y, _) = (
            np.asarray(meshes[f"beetle_{n}"].vertices).mean(axis=0) for n in ("body", "eyes")
        )
        ahead = rest["beetle_eyes"] - rest["beetle_body"]
        heading = np.arctan2(eyes_y - y, eyes_x - x) - np.arctan2(ahead[1], ahead[0])
        turn = np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]])
        return {"beetle": np.array([x, y]) - turn @ rest["beetle_body"][:2], "heading": float(heading)}

    def measure(self, view: View) -> dict[str, float]:
        """The step whose floor differs least from the tiles seen, and whose tile is nearest to the beetle."""
        names = boards.tile_names("tile", ANT, raised=True)
        points, rgb = (np.vstack([table[n] for n in names]) for table in (view.points_m, view.rgb))
        tiles = ANT.cell_means(points, (rgb.max(axis=1) < 0.45).astype(np.float64))[..., 0]
        body = np.vstack([p for name, p in view.points_m.items() if name.startswith("beetle")])
        seen = ~np.isnan(tiles)
        if len(body) < 3 or seen.sum() < 30:
            return {"steps": float("nan")}
        floors, cells, _ = _ant(int(self.heading))
        place = body[:, :2].mean(axis=0) / ANT.pitch_m[0] + (CELLS - 1) / 2
        away = np.linalg.norm(cells[:MATCHED_STEPS] - place, axis=1)
        return {"steps": best_match(misfits(floors[:MATCHED_STEPS], tiles), np.minimum(away, 3.0))}


@lru_cache(maxsize=4)
def _ant(heading: int) -> tuple[Array, Array, Array]:
    """Floors [K + 1, CELLS, CELLS] (bool), cells [K + 1, 2] (column, row), quarter turns [K + 1] from +x, unwrapped.

    heading: 0 N (away from the viewer), 1 E, 2 S, 3 W.
    """
    floor = np.zeros((CELLS, CELLS), dtype=bool)
    column, row, turn = CELLS // 2, CELLS // 2, 1 - heading
    floors, cells, turns = [floor.copy()], [(column, row)], [turn]
    for _ in range(LAST_STEP):
        turn += 1 if floor[row, column] else -1
        floor[row, column] ^= True
        column = (column + (1, 0, -1, 0)[turn % 4]) % CELLS
        row = (row + (0, 1, 0, -1)[turn % 4]) % CELLS
        floors.append(floor.copy())
        cells.append((column, row))
        turns.append(turn)
    return np.array(floors), np.array(cells, dtype=np.float64), np.array(turns, dtype=np.float64)
