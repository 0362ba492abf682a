"""How events, props and occluders stand in the world."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.plan import EventPlan, PropPlan

Array = NDArray[np.float64]


def standing_pose(placed: EventPlan | PropPlan) -> Array:
    """[4, 4] world_from_placed: a yaw about z, then the location."""
    return yaw_pose(placed.yaw_rad, np.asarray(placed.location_m))


def yaw_pose(yaw_rad: float, location_m: Array) -> Array:
    """[4, 4] a yaw about z, then the location."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    pose = np.eye(4)
    pose[:2, :2] = [[cos, -sin], [sin, cos]]
    pose[:3, 3] = location_m
    return pose
