"""Ways along polylines: places, headings, arc lengths of places; tool paths from knot to knot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from event_library.base import Array
from event_library.kit import shapes
from event_library.laws import ease


def heading_rad(points_m: Array, length_m: float, ahead_m: float) -> float:
    """Heading of a walker at an arc length who looks from `ahead_m` behind to `ahead_m` before it: soft corners."""
    behind, before = shapes.along(points_m, np.array([length_m - ahead_m, length_m + ahead_m]))
    return float(np.arctan2(before[1] - behind[1], before[0] - behind[0]))


def tool_m(share: float, knots: Sequence[float], places_m: Sequence[Array]) -> Array:
    """[3] place of a tool between knots of a cycle: straight up and down at constant speed, eased across."""
    leg = int(np.clip(np.searchsorted(knots, share, side="right") - 1, 0, len(knots) - 2))
    u = float(np.clip((share - knots[leg]) / (knots[leg + 1] - knots[leg]), 0.0, 1.0))
    step = places_m[leg + 1] - places_m[leg]
    if np.abs(step[:2]).max() > 0:
        u = float(ease(np.asarray(u)))
    return places_m[leg] + u * step
