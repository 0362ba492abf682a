"""Shared materials and colours (linear RGB), so that the same stuff looks the same in every event."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

from event_library.parts import Material, Pattern, Rgb

Array = NDArray[np.float64]

# ---- colours that stay apart at 64 px
RED: Rgb = (0.75, 0.04, 0.03)
ORANGE: Rgb = (0.90, 0.28, 0.02)
YELLOW: Rgb = (0.92, 0.62, 0.03)
GREEN: Rgb = (0.05, 0.45, 0.08)
TEAL: Rgb = (0.02, 0.42, 0.42)
BLUE: Rgb = (0.03, 0.14, 0.70)
PURPLE: Rgb = (0.28, 0.05, 0.50)
PINK: Rgb = (0.85, 0.22, 0.40)
BROWN: Rgb = (0.24, 0.11, 0.04)
WHITE: Rgb = (0.88, 0.88, 0.86)
GREY: Rgb = (0.30, 0.31, 0.33)
BLACK: Rgb = (0.025, 0.025, 0.03)
HUES: tuple[Rgb, ...] = (RED, YELLOW, BLUE, GREEN, ORANGE, PURPLE, TEAL, PINK)

# ---- glass and liquids
GLASS = Material(rgb=(0.95, 0.97, 0.98), kind="shell", roughness=0.0)
GLASS_EDGE = Material(rgb=(0.62, 0.76, 0.80), roughness=0.15)
WATER = Material(rgb=(0.06, 0.42, 0.90), kind="liquid")
RED_LIQUID = Material(rgb=(0.85, 0.06, 0.05), kind="liquid")
GREEN_LIQUID = Material(rgb=(0.05, 0.65, 0.15), kind="liquid")
OIL = Material(rgb=(0.95, 0.62, 0.05), kind="liquid")
SYRUP = Material(rgb=(0.80, 0.30, 0.03), kind="liquid")
FOAM = Material(rgb=(0.75, 0.88, 0.95), roughness=0.4)
STEAM = Material(rgb=(0.92, 0.93, 0.95), kind="haze")
SMOKE = Material(rgb=(0.10, 0.10, 0.11), kind="haze")
ICE = Material(rgb=(0.70, 0.86, 0.95), roughness=0.12)
SNOW = Material(rgb=(0.90, 0.92, 0.96), roughness=0.9)

# ---- metals
CHROME = Material(rgb=(0.66, 0.68, 0.71), roughness=0.3, metallic=0.6)
STEEL = Material(rgb=(0.55, 0.57, 0.60), roughness=0.3, metallic=0.7)
IRON = Material(rgb=(0.14, 0.14, 0.15), roughness=0.45, metallic=0.6)
BRASS = Material(rgb=(0.80, 0.58, 0.22), roughness=0.3, metallic=0.9)
COPPER = Material(rgb=(0.80, 0.36, 0.20), roughness=0.3, metallic=0.9)

# ---- everything else
WOOD = Material(rgb=(0.42, 0.24, 0.10), roughness=0.55, pattern=Pattern("wood", (0.30, 0.16, 0.06), 0.02))
PALE_WOOD = Material(rgb=(0.70, 0.52, 0.30), roughness=0.5, pattern=Pattern("wood", (0.60, 0.42, 0.22), 0.02))
BOARD = Material(rgb=(0.85, 0.83, 0.76), roughness=0.8)
PAPER = Material(rgb=(0.88, 0.87, 0.82), roughness=0.9)
PORCELAIN = Material(rgb=(0.86, 0.86, 0.84), roughness=0.2)
CLAY = Material(rgb=(0.50, 0.20, 0.10), roughness=0.7)
INK = Material(rgb=(0.04, 0.05, 0.10), roughness=0.8)
RED_INK = Material(rgb=(0.75, 0.05, 0.04), roughness=0.8)
DARK = Material(rgb=(0.06, 0.06, 0.07), roughness=0.5)
RUBBER = Material(rgb=(0.04, 0.04, 0.045), roughness=0.75)
CORD = Material(rgb=(0.55, 0.42, 0.25), roughness=0.8)
SAND = Material(rgb=(0.72, 0.50, 0.24), roughness=0.95, pattern=Pattern("speckle", (0.55, 0.36, 0.15), 0.006))
SOIL = Material(rgb=(0.08, 0.045, 0.025), roughness=0.95, pattern=Pattern("speckle", (0.14, 0.08, 0.04), 0.01))
LEAF = Material(rgb=(0.06, 0.30, 0.05), roughness=0.6)
WAX = Material(rgb=(0.90, 0.84, 0.70), roughness=0.45)
CERAMIC_BLUE = Material(rgb=(0.16, 0.30, 0.42), roughness=0.25, pattern=Pattern("speckle", (0.10, 0.20, 0.30), 0.012))


def paint(rgb: Rgb, roughness: float = 0.35, *, glow: float = 0.0) -> Material:
    """Plain opaque paint; `glow` is an emission strength in its own colour."""
    return Material(rgb=rgb, roughness=roughness, emission_rgb=rgb, emission_strength=glow)


RED_PAINT = paint(RED)
WHITE_PAINT = paint(WHITE)
GREY_PAINT = paint(GREY)


def liquid(rgb: Rgb) -> Material:
    """Tinted liquid."""
    return Material(rgb=rgb, kind="liquid")


def hue(share: float, saturation: float = 0.9, value: float = 0.85) -> Rgb:
    """Colour around the wheel for a share in [0, 1): 0 red, 1/3 green, 2/3 blue. Use up to .85 for a graded row."""
    red, green, blue = colorsys.hsv_to_rgb(share % 1.0, saturation, value)
    return red**2.2, green**2.2, blue**2.2


def ramp(values: Array, stops: tuple[Rgb, ...], knots: tuple[float, ...] | None = None) -> Array:
    """[..., 3] colours of values between the stops; knots default to equal steps over [0, 1]. Clamped at the ends."""
    at = np.linspace(0.0, 1.0, len(stops)) if knots is None else np.asarray(knots, dtype=np.float64)
    table = np.asarray(stops, dtype=np.float64)
    return np.stack([np.interp(values, at, table[:, axis]) for axis in range(3)], axis=-1)


def blend(first: Rgb, second: Rgb, share: float) -> Array:
    """[3] colour between two colours, share clamped to [0, 1]."""
    share = min(max(share, 0.0), 1.0)
    return np.asarray(first) * (1 - share) + np.asarray(second) * share
