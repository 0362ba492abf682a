"""Logic digital: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from itertools import accumulate, combinations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.ndimage import binary_dilation

from event_library.families.logic_digital.automata import GameOfLife, LangtonsAnt
from event_library.families.logic_digital.displays import (
    BinaryCounterLamps,
    ChaserLights,
    CountdownDisplay,
    ProgressBar,
)
from event_library.families.logic_digital.games import KnightTour, TicTacToeGame
from event_library.families.logic_digital.hanoi import TowerOfHanoi
from event_library.families.logic_digital.shuffling import BubbleSortBars, CupShuffle
from event_library.families.logic_digital.tiles import FloodFillTiles
from event_library.references.base import Array, Reference
from event_library.references.integrating import until


def tower_of_hanoi(event: TowerOfHanoi, t_s: Array) -> dict[str, Array]:
    """Disc d moves at every odd multiple of 2^d, always one peg on in the same direction (the binary-counter rule)."""
    num = event.num_discs
    moves = np.minimum(t_s // event.move_s, 2**num - 1)
    pegs = np.zeros((len(t_s), num))
    for disc in range(num):
        steps = (moves + 2**disc) // 2 ** (disc + 1)  # how often this disc has moved
        direction = -1 if (num - disc) % 2 else 1
        pegs[:, disc] = (direction * steps) % 3
    return {"moves": moves, "pegs": pegs}


def progress_bar(event: ProgressBar, t_s: Array) -> dict[str, Array]:
    """dp/dt = r until all is there."""
    progress = until(lambda t, p: [event.rate_per_s], event.start_frac, 1.0, t_s)
    return {
        "progress": progress,
        "trigger:complete": np.array([quad(lambda p: 1 / event.rate_per_s, event.start_frac, 1.0)[0]]),
    }


def flood_fill_tiles(event: FloodFillTiles, t_s: Array) -> dict[str, Array]:
    """The blue tiles dilated once a step into the free ones, over and over."""
    free = ~event.blocked()
    blue = np.zeros((16, 16), dtype=bool)
    blue[0, 0] = True
    boards = [blue]
    for _ in range(256):
        boards.append(binary_dilation(boards[-1], mask=free))
    steps = np.minimum(t_s // event.step_s, 256).astype(int)
    shown = np.array(boards)[steps]
    return {"blue": shown.astype(np.float64), "filled": shown.sum(axis=(1, 2)) / free.sum()}


def _ticks(t_s: Array, step_s: float) -> NDArray[np.int64]:
    """How many multiples of a step have passed, by search."""
    ticks: NDArray[np.int64] = np.searchsorted(np.arange(1, int(t_s.max() / step_s) + 2) * step_s, t_s, side="right")
    return ticks


def countdown_display(event: CountdownDisplay, t_s: Array) -> dict[str, Array]:
    """Numbers taken from a list, one a tick."""
    numbers = np.array([*range(event.num_start, -1, -1)], dtype=np.float64)
    return {
        "number": numbers[np.minimum(_ticks(t_s, event.step_s), event.num_start)],
        "trigger:zero": np.array([event.num_start * event.step_s]),
    }


def chaser_lights(event: ChaserLights, t_s: Array) -> dict[str, Array]:
    """A ring that is rotated by one place a tick."""
    ring = deque(range(int(event.num_bulbs)))
    ring.rotate(-int(event.first))
    lit = []
    for _ in range(int(_ticks(t_s, event.step_s).max()) + 1):
        lit.append(ring[0])
        ring.rotate(-1)
    return {"lit": np.array(lit, dtype=np.float64)[_ticks(t_s, event.step_s)]}


def binary_counter_lamps(event: BinaryCounterLamps, t_s: Array) -> dict[str, Array]:
    """A ripple counter: bit j toggles when bit j - 1 falls."""
    bits = [event.num_first >> j & 1 for j in range(event.num_lamps)]
    numbers = []
    for _ in range(int(_ticks(t_s, event.step_s).max()) + 1):
        numbers.append(sum(bit << j for j, bit in enumerate(bits)))
        for j in range(event.num_lamps):
            bits[j] ^= 1
            if bits[j]:
                break
    return {"count": np.array(numbers, dtype=np.float64)[_ticks(t_s, event.step_s)]}


def game_of_life(event: GameOfLife, t_s: Array) -> dict[str, Array]:
    """Life on a set of live cells: neighbours are counted cell by cell."""
    live = {(int(r), int(c)) for r, c in np.argwhere(event.boards()[0])}
    boards = []
    for _ in range(int(_ticks(t_s, 1 / event.rate_per_s).max()) + 1):
        board = np.zeros((24, 24))
        for cell in live:
            board[cell] = 1.0
        boards.append(board)
        near = Counter((r + i, c + j) for r, c in live for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
        born = {cell for cell, num in near.items() if num == 3 or (num == 2 and cell in live)}
        live = {(r, c) for r, c in born if 0 <= r < 24 and 0 <= c < 24}
    generation = _ticks(t_s, 1 / event.rate_per_s)
    return {"generation": generation.astype(np.float64), "cells": np.array(boards)[generation]}


def langtons_ant(event: LangtonsAnt, t_s: Array) -> dict[str, Array]:
    """The ant on a set of black cells in the complex plane: black multiplies its direction by i, white by -i."""
    here, direction = 0j, 1j * (-1j) ** event.heading
    black: set[complex] = set()
    floors = []
    for _ in range(int(_ticks(t_s, 1 / event.rate_per_s).max()) + 1):
        floor = np.zeros((11, 11))
        for cell in black:
            floor[int(cell.imag) + 5, int(cell.real) + 5] = 1.0
        floors.append(floor)
        direction *= 1j if here in black else -1j
        black ^= {here}
        here += direction
        here = complex((here.real + 5) % 11 - 5, (here.imag + 5) % 11 - 5)
    steps = _ticks(t_s, 1 / event.rate_per_s)
    return {"steps": steps.astype(np.float64), "tiles": np.array(floors)[steps]}


def tic_tac_toe_game(event: TicTacToeGame, t_s: Array) -> dict[str, Array]:
    """Values of all boards worked out backwards, from full to empty; the game then follows them."""
    lines = [{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {0, 3, 6}, {1, 4, 7}, {2, 5, 8}, {0, 4, 8}, {2, 4, 6}]

    def children(board: str) -> list[str]:
        mark = "X" if board.count("X") == board.count("O") else "O"
        return [board[:c] + mark + board[c + 1 :] for c in range(9) if board[c] == "."]

    layers = [{"........."}]
    for _ in range(9):
        layers.append({child for board in layers[-1] for child in children(board)})
    values: dict[str, int] = {}
    for layer in reversed(layers):
        for board in layer:
            won = [m for m in "XO" if any(all(board[c] == m for c in line) for line in lines)]
            later = [values[child] for child in children(board)]
            turn = max if board.count("X") == board.count("O") else min
            values[board] = (1 if won[0] == "X" else -1) if won else turn(later) if later else 0
    boards = ["." * event.first + "X" + "." * (8 - event.first)]
    while "." in boards[-1]:
        options = children(boards[-1])
        wanted = (max if boards[-1].count("X") == boards[-1].count("O") else min)(values[o] for o in options)
        boards.append(next(o for o in options if values[o] == wanted))
    played = np.minimum(_ticks(t_s, event.move_s), 8)
    cells = np.array([[{"X": 1.0, "O": -1.0, ".": 0.0}[c] for c in board] for board in boards])[played]
    return {"marks": np.abs(cells).sum(axis=1), "cells": cells, "trigger:full": np.array([event.move_s * 8])}


def knight_tour(event: KnightTour, t_s: Array) -> dict[str, Array]:
    """Warnsdorff's rule on the board's graph, squares taken out as they are visited."""
    graph = {
        a: {b for b in range(36) if sorted((abs(a // 6 - b // 6), abs(a % 6 - b % 6))) == [1, 2]} for a in range(36)
    }
    square, tour = int(event.start), []
    while True:
        tour.append(square)
        ways = graph.pop(square)
        for other in graph.values():
            other.discard(square)
        if not ways:
            break
        square = sorted(ways, key=lambda s: (len(graph[s]), s))[0]
    hops = np.minimum(_ticks(t_s, event.hop_s), len(tour) - 1)
    return {"visited": hops + 1.0, "square": np.array(tour, dtype=np.float64)[hops]}


def bubble_sort_bars(event: BubbleSortBars, t_s: Array) -> dict[str, Array]:
    """What k comparisons do at once: each place gets the lesser of its right neighbour and the greatest up to it."""
    num, start = int(event.num_bars), event.start_order().tolist()
    found = []
    for t in t_s:
        order, left = list(start), float(t) / event.compare_s + 0.4  # a swap shows from 0.6 of its comparison on
        for last in range(num - 1, 0, -1):
            compared = int(min(left, last)) if left >= 1 else 0
            greatest = list(accumulate(order[: compared + 1], max))
            order[: compared + 1] = [
                *(min(g, x) for g, x in zip(greatest, order[1 : compared + 1], strict=False)),
                greatest[-1],
            ]
            left -= last
            if left < 1:
                break
        found.append(sum(a > b for a, b in combinations(order, 2)))
    done = sum(event.compare_s for last in range(1, num) for _ in range(last))
    return {"inversions": np.array(found, dtype=np.float64), "trigger:done": np.array([done])}


def cup_shuffle(event: CupShuffle, t_s: Array) -> dict[str, Array]:
    """The ball's path through the swaps, each at its half way."""
    halves = [0.8 + (k + 0.4) * event.swap_s for k in range(50) if 0.8 + (k + 0.8) * event.swap_s <= 7.8]
    slot, slots = int(event.ball), [int(event.ball)]
    for k in range(len(halves)):
        pair = (0, 1) if k % 2 == 0 else (1, 2)
        slot = sum(pair) - slot if slot in pair else slot
        slots.append(slot)
    swaps = np.searchsorted(halves, t_s, side="right")
    return {
        "ball_slot": np.array(slots, dtype=np.float64)[swaps],
        "swaps": swaps.astype(np.float64),
        "trigger:reveal": np.array([7.8 + 0.6]),  # a pause after the last swap's latest end
    }


REFERENCES: Mapping[str, Reference] = {
    "binary_counter_lamps": binary_counter_lamps,
    "bubble_sort_bars": bubble_sort_bars,
    "chaser_lights": chaser_lights,
    "countdown_display": countdown_display,
    "cup_shuffle": cup_shuffle,
    "flood_fill_tiles": flood_fill_tiles,
    "game_of_life": game_of_life,
    "knight_tour": knight_tour,
    "langtons_ant": langtons_ant,
    "progress_bar": progress_bar,
    "tic_tac_toe_game": tic_tac_toe_game,
    "tower_of_hanoi": tower_of_hanoi,
}
