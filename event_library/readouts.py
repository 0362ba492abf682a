"""Readouts measured from the visible surface of one frame. Nothing here knows a law, a plan or a camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from event_library.base import View

Array = NDArray[np.float64]

NEARLY_FLAT_M = 5e-4  # points within this of the highest one lie on the same top


def pixel_pitch_m(pixel_area_m2: Array) -> float:
    """Side of one pixel at the surface's depth."""
    return float(np.sqrt(np.median(pixel_area_m2)))


def top_height_m(points_m: Array, pixel_area_m2: Array, flat_m: float = NEARLY_FLAT_M) -> tuple[float, float]:
    """Height of the top of an upright thing and how far off it may be [m]; nan when the thing isn't seen.

    flat_m: how far the top's own surface rises and falls. From above, several pixels see the top and give it exactly.
    Level with it, only the side is seen: the edge then lies half a pixel above the highest pixel centre on average.
    """
    if len(points_m) == 0:
        return float("nan"), float("nan")
    highest = float(points_m[:, 2].max())
    on_top = points_m[:, 2] > highest - flat_m
    if on_top.sum() >= 2 and np.ptp(points_m[on_top, 1]) > NEARLY_FLAT_M:
        return highest, 0.0
    half = pixel_pitch_m(pixel_area_m2) / 2
    return highest + half, half


def sphere_centre_m(points_m: Array) -> Array:
    """[3] centre of the sphere through visible surface points, by linear least squares; nan when fewer than 6 are seen.

    The visible cap leans towards the camera, so its centroid would be biased by up to two thirds of the radius.
    """
    if len(points_m) < 6:
        return np.full(3, np.nan)
    middle = points_m.mean(axis=0)
    offset = points_m - middle
    system = np.column_stack([2 * offset, np.ones(len(offset))])
    solution = np.linalg.lstsq(system, (offset**2).sum(axis=1), rcond=None)[0]
    return middle + solution[:3]


def linear_rgb(rgb: Array) -> Array:
    """Display-referred colours [..., 3] as light, so that ratios between two parts of one picture mean something."""
    return np.asarray(rgb, dtype=np.float64) ** 2.2


def mixing_share(rgb: Array, first_rgb: Array, second_rgb: Array) -> float:
    """How much of the second stuff is in a mixture, from the display colours [N, 3] seen of the mixture and of both.

    Medians are split as a first + b second in linear light, so that brighter or dimmer light on the mixture drops out;
    the answer is b / (a + b), nan when one of the three isn't seen.
    """
    if min(len(rgb), len(first_rgb), len(second_rgb)) == 0:
        return float("nan")
    mixture, first, second = (linear_rgb(np.median(seen, axis=0)) for seen in (rgb, first_rgb, second_rgb))
    a, b = np.linalg.lstsq(np.column_stack([first, second]), mixture, rcond=None)[0]
    return float(b / (a + b)) if a + b > 0 else float("nan")


def boundary_height_m(lower_m: Array, upper_m: Array, pitch_m: float) -> float:
    """Height of the line between a lower and an upper thing in one upright plane, from visible points [N, 3] of both.

    Column by column (x in steps of `pitch_m`, a pixel's side) half-way between the highest lower and the lowest upper
    point; nan when no column shows both.
    """
    if len(lower_m) == 0 or len(upper_m) == 0:
        return float("nan")
    below, above = (np.round(points[:, 0] / pitch_m).astype(np.int64) for points in (lower_m, upper_m))
    both = np.intersect1d(below, above)
    middles = [(lower_m[below == c, 2].max() + upper_m[above == c, 2].min()) / 2 for c in both]
    return float(np.median(middles)) if middles else float("nan")


def footprints_m2(points_m: Array, pixel_area_m2: Array, eye_m: Array, normal: tuple[float, float, float]) -> Array:
    """[N] area that each pixel covers on a flat surface with a unit normal, perspective and tilt undone.

    Exact up to the angle between a pixel's ray and the camera's axis (1 % over a subject); shares of areas on one
    board lose even that.
    """
    rays = np.asarray(points_m) - eye_m
    return np.asarray(pixel_area_m2 * np.linalg.norm(rays, axis=1) / np.maximum(np.abs(rays @ normal), 1e-9))


def paint_share(
    rgb: Array, white_rgb: Array, first: tuple[float, float, float], second: tuple[float, float, float],
    white: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> float:  # fmt: skip
    """`mixing_share` of two paints with known linear colours, beside something pale of linear colour `white`."""
    if len(white_rgb) == 0:
        return float("nan")
    light = linear_rgb(np.median(white_rgb, axis=0)) / np.asarray(white)
    swatches = [(light * np.asarray(paint))[None] ** (1 / 2.2) for paint in (first, second)]
    return mixing_share(rgb, *swatches)


def disc_radius_m(points_m: Array, pixel_area_m2: Array, ground_m: Array) -> float:
    """Radius of a round thing about the event's axis; 0 when its ground is seen in its stead, nan when neither is.

    The edge lies beyond the outermost pixel centre: by 0.15 of a pixel on average, as many pixels share the edge.
    """
    if len(points_m) == 0:
        return 0.0 if len(ground_m) else float("nan")
    return float(np.hypot(points_m[:, 0], points_m[:, 1]).max()) + 0.15 * pixel_pitch_m(pixel_area_m2)


def top_m(view: View, part: str) -> float:
    """`top_height_m` of one part without its margin: the surface of a column of liquid, the top of a piston."""
    return top_height_m(view.points_m[part], view.pixel_area_m2[part])[0]


def split_of_row(votes: Array) -> float:
    """How many of a row that turns from its start on have turned: the split that most of its members agree with.

    votes: +1 seen turned, -1 seen not yet turned, 0 not seen. Splits that tie are averaged; nan when none is seen.
    """
    agreeing = np.concatenate([[0.0], np.cumsum(votes)])
    return float(np.flatnonzero(agreeing == agreeing.max()).mean()) if np.any(votes) else float("nan")
