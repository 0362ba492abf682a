"""A round white dish whose liquid is a field of colours, and what its picture tells."""

from __future__ import annotations

import numpy as np

from event_library import parts
from event_library.base import Array, View
from event_library.kit.boards import Disc
from event_library.kit.palette import PORCELAIN
from event_library.parts import Material, Part, Rgb
from event_library.readouts import linear_rgb

SURFACE_M = 0.010  # of the liquid above the support
LIQUID = Material(rgb=(0.5, 0.5, 0.5), roughness=0.35, per_vertex=True)


def dish_disc(radius_m: float, num_rings: int, num_spokes: int) -> Disc:
    """Where the liquid's surface lies."""
    return Disc(radius_m, (0.0, 0.0, SURFACE_M), "up", num_rings, num_spokes)


def petri_dish(name: str, radius_m: float, material: Material = PORCELAIN) -> tuple[Part, Part]:
    """A low wall around the liquid, and a floor under it."""
    wall = parts.ring(radius_m, radius_m + 0.045 * radius_m, 0.016, 0.001, 64)
    floor = parts.cylinder(radius_m, SURFACE_M - 0.001, 64)
    return (
        Part(f"{name}_wall", wall, material, smooth_angle_deg=40),
        Part(f"{name}_floor", floor, material, smooth_angle_deg=40),
    )


def log_ratio(view: View, part: str, over: int, under: int) -> Array:
    """[N] ln of one linear colour channel over another: what light falls on the dish drops out."""
    linear = np.maximum(linear_rgb(view.rgb[part]), 1e-4)
    return np.log(linear[:, over] / linear[:, under])


def dyed(clear: Rgb, absorbance: tuple[float, float, float], amount: Array) -> Array:
    """[..., 3] Beer-Lambert: a pale ground seen through dye of amount [...]."""
    return np.asarray(clear) * np.exp(-np.asarray(absorbance) * np.asarray(amount)[..., None])
