"""What melts and boils stands on these."""

from __future__ import annotations

import numpy as np

from event_library import parts
from event_library.kit import furniture
from event_library.kit.palette import DARK, IRON, PORCELAIN
from event_library.kit.shapes import turned
from event_library.parts import Part

STOVE_M = 0.042  # top of the hot plate


def stove(name: str, radius_m: float) -> tuple[Part, ...]:
    """Small enamelled stove with one iron hot plate, its top at STOVE_M, and a knob on its front."""
    wide = 2 * radius_m + 0.05
    knob = turned(parts.cylinder(0.011, 0.014, 24), (1.0, 0.0, 0.0), np.pi / 2)
    return (
        furniture.board(f"{name}_body", (wide, wide, STOVE_M - 0.008), material=PORCELAIN, bevel_m=0.006),
        Part(f"{name}_plate", parts.moved(parts.cylinder(radius_m, 0.010, 48), z_m=STOVE_M - 0.010), IRON, False, 40),
        Part(f"{name}_knob", parts.moved(knob, 0.3 * wide, -wide / 2, 0.5 * STOVE_M), DARK, smooth_angle_deg=40),
    )
