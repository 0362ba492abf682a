"""Board games: noughts and crosses, a knight's tour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Move, Visible
from event_library.kit import boards
from event_library.kit.palette import BLUE, DARK, PALE_WOOD, RED, WOOD, paint
from event_library.kit.shapes import at, extruded, solid_of_revolution
from event_library.laws import ease, started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import split_of_row
from event_library.taxonomy import facts

FIELD = boards.Grid(3, 3, (0.48, 0.48), (0.0, 0.0, 0.022))
MARK_M, DROP_M, DROP_S = 0.052, 0.10, 0.3
LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
Board = tuple[int, ...]  # 9 cells: 0 empty, 1 cross, -1 nought


@dataclass(frozen=True, kw_only=True)
class TicTacToeGame(Event):
    """Perfect play by both (minimax, ties by the lowest cell) after a cross at c0: marks = min(9, 1 + floor(t / tm)).

    Cells are numbered from the far left, row by row. The first mark lies there; each later one drops in within 0.3 s.
    """

    info = facts("tic_tac_toe_game")
    variables = (
        state("ages", "s", 0.05, domain="vector", label="time since each mark came, at most 0.3; -1 before"),
        state("cells", "index", 0.0, domain="vector", label="1 cross, -1 nought, 0 empty"),
        readout(
            "marks", "count", 0.0, min_delta=1.0, domain="count", flags="monotone bounded", label="marks on the board"
        ),
    )

    first: int = param("c0", "index", 0, 8)
    move_s: float = param("tm", "s", 0.85, 1.3)

    def states(self, t_s: Array) -> dict[str, Array]:
        time_s = started(t_s)
        marks = np.minimum(1 + np.floor(time_s / self.move_s), 9.0)
        since = time_s[:, None] - self.move_s * np.arange(9)
        there = np.arange(9) < marks[:, None]
        ages = np.where(there, np.clip(since, 0.0, DROP_S), -1.0)
        ages[:, 0] = DROP_S
        cells = np.zeros((len(time_s), 9))
        cells[:, list(perfect_game(int(self.first)))] = np.where(there, np.where(np.arange(9) % 2 == 0, 1.0, -1.0), 0.0)
        return {"ages": ages, "cells": cells, "marks": marks}

    def triggers(self) -> dict[str, float]:
        return {"full": 8 * self.move_s}

    def assembly(self) -> Assembly:
        bars = [parts.block((0.155, 0.03, 0.018), (0, 0, 0)) for _ in range(2)]
        for bar, turn in zip(bars, (1, -1), strict=True):
            bar.apply_transform(trimesh.transformations.rotation_matrix(turn * np.pi / 4, (0, 0, 1)))
        cross = parts.join(*bars)
        nought = parts.moved(parts.torus(MARK_M, 0.015, 40, 12), z_m=0.015)
        marks = [
            Part(
                f"mark_{k}",
                (nought if k % 2 else cross).copy(),
                paint(BLUE if k % 2 else RED),
                carries=True,
                smooth_angle_deg=40,
            )
            for k in range(9)
        ]
        return Assembly((
            *marks,
            boards.base_board("board", FIELD, border_m=0.025, thick_m=0.02, material=PALE_WOOD),
            Part("lines", _grid_bars(), DARK),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        centres = FIELD.centres_m()[::-1].reshape(9, 3)  # row 0 is the far one
        found: dict[str, tuple[Channel, ...]] = {}
        for k, (cell, age) in enumerate(zip(perfect_game(int(self.first)), state["ages"], strict=True)):
            above = DROP_M * (1 - float(ease(np.array(age / DROP_S))))
            found[f"mark_{k}"] = (Visible(bool(age >= 0)), Move(centres[cell] + at(0.0, 0.0, above)))
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"marks": float(sum(name.startswith("mark_") for name in meshes))}

    def measure(self, view: View) -> dict[str, float]:
        seen = sum(len(view.points_m[f"mark_{k}"]) > 0 for k in range(9))
        return {"marks": float(seen) if seen else float("nan")}


def _grid_bars() -> trimesh.Trimesh:
    x, y, z = FIELD.place
    step = FIELD.pitch_m[0] / 2
    return parts.join(
        *(parts.block((0.010, 0.47, 0.006), (x + s * step, y, z)) for s in (-1, 1)),
        *(parts.block((0.47, 0.010, 0.006), (x, y + s * step, z)) for s in (-1, 1)),
    )


@cache
def _value(board: Board, player: int) -> int:
    """Outcome for the crosses under perfect play: 1, 0 or -1."""
    for line in LINES:
        total = sum(board[cell] for cell in line)
        if abs(total) == 3:
            return total // 3
    if all(board):
        return 0
    values = [_value(_played(board, cell, player), -player) for cell in range(9) if not board[cell]]
    return max(values) if player > 0 else min(values)


def _played(board: Board, cell: int, player: int) -> Board:
    return (*board[:cell], player, *board[cell + 1 :])


@lru_cache(maxsize=9)
def perfect_game(first: int) -> tuple[int, ...]:
    """Cells in the order in which they are taken; perfect play is a draw, so all nine are."""
    board, player, taken = _played((0,) * 9, first, 1), -1, [first]
    while not all(board):
        free = [cell for cell in range(9) if not board[cell]]
        best = max(free, key=lambda c: (player * _value(_played(board, c, player), -player), -c))
        board, player = _played(board, best, player), -player
        taken.append(best)
    return tuple(taken)


TOUR = boards.Grid(6, 6, (0.54, 0.54), (0.0, 0.0, 0.021))
TILE_M, HOP_M, FLIGHT = 0.004, 0.07, 0.6  # thickness of a tile, height of a hop, share of a move in the air
LIGHT_RGB, DARK_RGB = (0.80, 0.72, 0.55), (0.36, 0.22, 0.11)
TAKEN_RGB, TAKEN_DARK_RGB = (0.03, 0.42, 0.80), (0.01, 0.22, 0.55)
KNIGHT_M = 0.030  # radius of the knight's foot
LEAPS = ((1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2))
HORSE = np.array([
    (-0.020, 0.0), (0.022, 0.0), (0.016, 0.022), (0.020, 0.042), (0.018, 0.060), (0.008, 0.074), (0.004, 0.086),
    (-0.001, 0.076), (-0.014, 0.070), (-0.034, 0.052), (-0.036, 0.043), (-0.028, 0.040), (-0.012, 0.046),
    (-0.006, 0.038), (-0.016, 0.022),
])  # fmt: skip


@lru_cache(maxsize=36)
def warnsdorff(start: int) -> tuple[int, ...]:
    """Squares of the tour from `start`: on to the free square with the fewest ways on; ends where none is free."""
    tour = [start]

    def ways(square: int) -> list[int]:
        row, column = divmod(square, 6)
        spots = [(row + a, column + b) for a, b in LEAPS]
        return [6 * r + c for r, c in spots if 0 <= r < 6 and 0 <= c < 6 and 6 * r + c not in tour]

    while free := ways(tour[-1]):
        tour.append(min(free, key=lambda square: (len(ways(square)), square)))
    return tuple(tour)


@dataclass(frozen=True, kw_only=True)
class KnightTour(Event):
    """A knight tours a 6 x 6 board by Warnsdorff's rule (1823), ties to the lowest square: visited = 1 + floor(t / th).

    A square is coloured as the knight lands on it. Squares count from the near left, row by row.
    """

    info = facts("knight_tour")
    variables = (
        state("knight", "m", 0.02, domain="vector", label="where the knight's foot is"),
        state("square", "index", 0.0, domain="discrete"),
        readout(
            "visited", "count", 0.0, min_delta=2.0, domain="count", flags="monotone bounded", label="coloured tiles"
        ),
    )
    accept_rules = (("the tour takes in at least 30 squares", lambda e: len(warnsdorff(int(e.start))) >= 30),)

    hop_s: float = param("th", "s", 0.45, 0.75)
    start: int = param("seed", "index", 0, 35, default=0)

    def states(self, t_s: Array) -> dict[str, Array]:
        tour = np.array(warnsdorff(int(self.start)))
        beats = np.minimum(started(t_s) / self.hop_s, len(tour) - 1)
        done = np.floor(beats).astype(int)
        share = ease((beats - done - (1 - FLIGHT)) / FLIGHT)
        centres = TOUR.centres_m().reshape(36, 3) + at(0.0, 0.0, TILE_M)
        here, there = centres[tour[done]], centres[tour[np.minimum(done + 1, len(tour) - 1)]]
        hop = np.column_stack([np.zeros((len(share), 2)), 4 * HOP_M * share * (1 - share)])
        knight = here + (there - here) * share[:, None] + hop
        return {"knight": knight, "square": tour[done].astype(np.float64), "visited": 1.0 + done}

    def assembly(self) -> Assembly:
        r = KNIGHT_M
        foot = [(r, 0.0), (r, 0.008), (0.85 * r, 0.012), (0.72 * r, 0.02), (0.8 * r, 0.026), (0.3 * r, 0.027)]
        head = parts.moved(extruded(HORSE, 0.024), 0, -0.012, 0.024)
        eyes = parts.join(*(parts.moved(parts.sphere(0.004, 1), -0.008, y, 0.084) for y in (-0.012, 0.012)))
        paintwork = Material(rgb=(0.70, 0.05, 0.04), roughness=0.25)
        return Assembly((
            *boards.tiles("tile", TOUR, raised=True, gap=0.04),
            Part("knight_foot", solid_of_revolution(np.array(foot), 28), paintwork, carries=True, smooth_angle_deg=40),
            Part("knight_head", head, paintwork, carries=True),
            Part("knight_eyes", eyes, DARK, carries=True),
            boards.base_board("base", TOUR, border_m=0.025, thick_m=0.02, material=WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        tour = warnsdorff(int(self.start))
        taken = np.zeros(36, dtype=bool)
        taken[list(tour[: int(state["visited"])])] = True
        light: Array = (np.indices((6, 6)).sum(axis=0) % 2 == 1)[..., None]
        rgb = np.where(
            taken.reshape(6, 6)[..., None],
            np.where(light, TAKEN_RGB, TAKEN_DARK_RGB),
            np.where(light, LIGHT_RGB, DARK_RGB),
        )
        place = (Move(np.asarray(state["knight"])),)
        return {
            **boards.tiles_channels("tile", TOUR, rgb, heights_m=np.full((6, 6), TILE_M), gap=0.04),
            **{f"knight_{name}": place for name in ("foot", "head", "eyes")},
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, Any]:
        low, high = meshes["knight_foot"].bounds
        return {"knight": np.array([*(low + high)[:2] / 2, low[2]])}

    def measure(self, view: View) -> dict[str, float]:
        """The split of the tour that agrees with the most tiles seen blue or not; the knight stands on its first."""
        names = boards.tile_names("tile", TOUR, raised=True)
        points, rgb = (np.vstack([table[n] for n in names]) for table in (view.points_m, view.rgb))
        blue = TOUR.cell_means(points, (rgb[:, 2] > 1.25 * rgb[:, 0]).astype(np.float64))[..., 0].ravel()
        later = blue[list(warnsdorff(int(self.start))[1:])]
        return {"visited": 1.0 + split_of_row(np.where(np.isnan(later), 0.0, np.where(later > 0.3, 1.0, -1.0)))}
