"""Logic digital: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import binary_dilation

from event_library.families.logic_digital.displays import ProgressBar
from event_library.families.logic_digital.hanoi import TowerOfHanoi
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
    return {"progress": until(lambda t, p: [event.rate_per_s], event.start_frac, 1.0, t_s)}


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


REFERENCES: Mapping[str, Reference] = {
    "tower_of_hanoi": tower_of_hanoi,
    "progress_bar": progress_bar,
    "flood_fill_tiles": flood_fill_tiles,
}
