"""What the turning things of this family share. They lie in the xz plane and face the viewer (-y).

Bearings are counter-clockwise from +x as the viewer sees them, unless a dial's clockwise angle is meant.
"""

from __future__ import annotations

import numpy as np

from event_library import parts
from event_library.channels import Move, Rotate, quaternion_about
from event_library.kit.palette import WOOD
from event_library.kit.shapes import Array, Place, at
from event_library.parts import Material, Part

TURN = float(2 * np.pi)


def rad(degrees: float) -> float:
    return float(np.deg2rad(degrees))


def spun(place: Place, bearing_rad: float) -> tuple[Rotate, Move]:
    """Channels of a wheel built about the origin: turned counter-clockwise, its middle at `place`."""
    return Rotate(quaternion_about((0.0, 1.0, 0.0), -bearing_rad)), Move(at(*place))


def bearing_rad(points_m: Array, place: Place) -> float:
    """Counter-clockwise bearing in [0, 2 pi) of what is seen of a mark on a wheel about `place`; nan when unseen.

    Points count by their distance from the axle.
    """
    if len(points_m) == 0:
        return float("nan")
    offset = np.asarray(points_m)[:, [0, 2]] - np.asarray(place)[[0, 2]]
    x, z = (offset * np.linalg.norm(offset, axis=1, keepdims=True)).sum(axis=0)
    return float(np.arctan2(z, x)) % TURN


def silhouette_bearing_rad(hand_m: Array, others_m: Array, reach_m: tuple[float, float], width_m: float) -> float:
    """Clockwise angle of a partly covered, tapered pointer about the origin, from points [P, 2] (x, z) on and off it.

    hand_m are seen on the pointer, others_m on what lies behind it; reach_m is how far it goes back and forth. The best
    angle has the fewest points on the wrong side of its outline; the middle of the best ones counts.
    """
    if len(hand_m) == 0:
        return float("nan")
    angle = np.deg2rad(np.arange(0.0, 360.0, 1.0))[:, None]

    def inside(points: Array) -> Array:
        forth = points[:, 0] * np.sin(angle) + points[:, 1] * np.cos(angle)
        across = np.abs(points[:, 0] * np.cos(angle) - points[:, 1] * np.sin(angle))
        half = width_m / 2 * (1 - 0.65 * np.clip(forth / reach_m[1], 0, 1))
        return np.asarray((across < half) & (forth > -reach_m[0]) & (forth < reach_m[1]))

    wrong = (~inside(hand_m)).sum(axis=1) + inside(others_m).sum(axis=1)
    best = angle[wrong == wrong.min(), 0]
    return float(np.arctan2(np.sin(best).mean(), np.cos(best).mean())) % TURN


def panel(width_m: float, height_m: float, y_m: float, material: Material, x_m: float = 0.0) -> tuple[Part, ...]:
    """Upright board on a wooden foot behind a mechanism: its front at y_m, standing on the support."""
    foot = parts.bevelled_box((width_m + 0.04, 0.16, 0.02), 0.003)
    return (
        Part("panel", parts.block((width_m, 0.014, height_m - 0.02), (x_m, y_m + 0.007, 0.02)), material),
        Part("foot", parts.moved(foot, x_m, y_m - 0.04, 0.01), WOOD),
    )
