"""Flow: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from event_library.families.flow.filling import TankFilling
from event_library.references.base import Array, Reference
from event_library.references.integrating import until


def tank_filling(event: TankFilling, t_s: Array) -> dict[str, Array]:
    """dV/dt = Q until the volume reaches that of the full glass."""
    full = np.pi * event.radius_m**2 * event.fill_height_m
    start = np.pi * event.radius_m**2 * event.start_level_m
    volume = until(lambda t, v: [event.inflow_m3_per_s], start, full, t_s)
    return {"level": volume / (np.pi * event.radius_m**2)}


REFERENCES: Mapping[str, Reference] = {"tank_filling": tank_filling}
