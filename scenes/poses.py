"""How events and props stand in the world."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.plan import EventPlan, PropPlan


def standing_pose(placed: EventPlan | PropPlan) -> NDArray[np.float64]:
    """[4, 4] world_from_placed: a yaw about z, then the location."""
    cos, sin = np.cos(placed.yaw_rad), np.sin(placed.yaw_rad)
    pose = np.eye(4)
    pose[:2, :2] = [[cos, -sin], [sin, cos]]
    pose[:3, 3] = placed.location_m
    return pose
