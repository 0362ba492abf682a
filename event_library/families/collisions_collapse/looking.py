"""What the types of this family read from visible points."""

from __future__ import annotations

import numpy as np

from event_library.base import Array, View
from event_library.readouts import pixel_pitch_m


def middle_m(points_m: Array) -> Array:
    """[3] middle of the box around visible points [N, 3]; nan when nothing is seen.

    Exact to half a pixel where both ends of the thing are seen, since both are cut short alike.
    """
    if len(points_m) == 0:
        return np.full(3, np.nan)
    return (points_m.min(axis=0) + points_m.max(axis=0)) / 2


def parts_seen(view: View, names: list[str]) -> tuple[Array, Array]:
    """Points [N, 3] and pixel areas [N] of several parts together."""
    return np.vstack([view.points_m[n] for n in names]), np.concatenate([view.pixel_area_m2[n] for n in names])


def highest_m(view: View, names: list[str]) -> float:
    """Height of the highest visible point of some parts, half a pixel added; nan when none is seen."""
    points, areas = parts_seen(view, names)
    return float(points[:, 2].max()) + pixel_pitch_m(areas) / 2 if len(points) else float("nan")


def nothing_seen(view: View) -> bool:
    """Whether no part of the event is in the picture: then no count is 0."""
    return all(len(points) == 0 for points in view.points_m.values())
