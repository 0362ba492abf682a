"""Logic digital: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from event_library.families.logic_digital.hanoi import TowerOfHanoi
from event_library.references.base import Array, Reference


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


REFERENCES: Mapping[str, Reference] = {"tower_of_hanoi": tower_of_hanoi}
