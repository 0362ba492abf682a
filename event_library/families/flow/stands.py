"""The stand that holds a vessel over the event's axis."""

from __future__ import annotations

import numpy as np

from event_library import parts
from event_library.kit import furniture
from event_library.kit.shapes import turned
from event_library.parts import Part


def stand_towards_axis(name: str, height_m: float, arm_z_m: float, reach_m: float, bearing_rad: float) -> Part:
    """Retort stand `reach_m` from the z axis, seen under `bearing_rad` from it (pi/2: behind), its arm ending on it."""
    made = furniture.retort_stand(name, height_m, arm_z_m, reach_m)
    turned(made.mesh, (0.0, 0.0, 1.0), bearing_rad + np.pi)
    parts.moved(made.mesh, reach_m * np.cos(bearing_rad), reach_m * np.sin(bearing_rad))
    return made
