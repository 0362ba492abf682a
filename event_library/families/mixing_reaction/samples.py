"""Colour samples to compare a liquid with in the same picture."""

from __future__ import annotations

import numpy as np

from event_library import parts
from event_library.base import View
from event_library.kit import palette, vessels
from event_library.kit.shapes import Place
from event_library.parts import Part, Rgb
from event_library.readouts import linear_rgb


def sample(name: str, rgb: Rgb, radius_m: float, height_m: float, place: Place) -> tuple[Part, ...]:
    """A corked vial of liquid of a colour: `{name}_sample`, `{name}_vial_...` and `{name}_cork`.

    The liquid counts as a carrier, so that it is seen through its glass as the liquid beside it is.
    """
    x, y, z = place
    full = vessels.liquid_column(f"{name}_sample", radius_m, height_m, palette.liquid(rgb))
    cork = parts.moved(parts.cylinder(0.95 * radius_m, 0.014, 24), x, y, z + vessels.FLOOR_M + height_m + 0.006)
    return (
        Part(full.name, parts.moved(full.mesh, x, y, z + vessels.FLOOR_M), full.material, True, 40),
        *vessels.glass(f"{name}_vial", radius_m, vessels.FLOOR_M + height_m + 0.016, place),
        Part(f"{name}_cork", cork, palette.CORD, smooth_angle_deg=40),
    )


def middle_ratio(view: View, name: str, over: int, under: int) -> float:
    """Median of one linear colour channel over another along the middle of an upright round thing; nan unseen.

    Its upper half only: its flanks mirror the room, and what lies at its bottom shimmers through.
    """
    points = view.points_m[name]
    if len(points) == 0:
        return float("nan")
    off = np.abs(points[:, 0] - np.median(points[:, 0]))
    rows = (off <= 0.4 * off.max()) & (points[:, 2] >= np.median(points[:, 2]))
    linear = np.maximum(linear_rgb(view.rgb[name])[rows], 1e-4)
    return float(np.median(linear[:, over] / linear[:, under]))
