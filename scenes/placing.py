"""Where several events stand on the support."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from scenes.errors import Problem
from scenes.spec import EventSpec

Array = NDArray[np.float64]


def standing_places(events: Iterable[EventSpec], boxes_m: Mapping[str, Array]) -> dict[str, tuple[float, float]]:
    """Event id -> x, y. `boxes_m` are [2, 3] boxes of events that stand at the origin.

    `left` and `right` go outwards from what stands there already. Raises Problem when events run into each other.
    """
    events = list(events)
    largest_m = max(float((box[1] - box[0]).max()) for box in boxes_m.values())
    gap_m = 0.15 * largest_m
    places: dict[str, tuple[float, float]] = {}
    centred = [e.id for e in events if e.at == "centre"]
    left_m = min((boxes_m[i][0, 0] for i in centred), default=gap_m / 2)
    right_m = max((boxes_m[i][1, 0] for i in centred), default=-gap_m / 2)
    for event in events:
        box = boxes_m[event.id]
        if event.at == "left":
            places[event.id] = (float(left_m - gap_m - box[1, 0]), 0.0)
            left_m = left_m - gap_m - (box[1, 0] - box[0, 0])
        elif event.at == "right":
            places[event.id] = (float(right_m + gap_m - box[0, 0]), 0.0)
            right_m = right_m + gap_m + (box[1, 0] - box[0, 0])
        elif isinstance(event.at, tuple):
            places[event.id] = event.at
        else:
            places[event.id] = (0.0, 0.0)
    _refuse_collisions(events, boxes_m, places)
    return places


def _refuse_collisions(
    events: list[EventSpec], boxes_m: Mapping[str, Array], places: Mapping[str, tuple[float, float]]
) -> None:
    for i, later in enumerate(events):
        for earlier in events[:i]:
            first = boxes_m[earlier.id] + np.array([*places[earlier.id], 0.0])
            second = boxes_m[later.id] + np.array([*places[later.id], 0.0])
            if np.all(first[0] < second[1]) and np.all(second[0] < first[1]):
                raise Problem(
                    f"{later.id!r} runs into {earlier.id!r}; stand them apart (left, right, or [x, y])",
                    ("events", i, "at"),
                )
