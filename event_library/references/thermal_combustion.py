"""Thermal combustion: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

from event_library.families.thermal_combustion.candles import CandleBurningDown
from event_library.references.base import Array, Reference
from event_library.references.integrating import until


def candle_burning_down(event: CandleBurningDown, t_s: Array) -> dict[str, Array]:
    """dh/dtau = -v until the flame is out, in physical time tau."""
    height = until(lambda tau, h: [-event.burn_rate_m_per_s], event.start_height_m, 0.005, t_s * event.time_scale)
    return {"height": height}


REFERENCES: Mapping[str, Reference] = {"candle_burning_down": candle_burning_down}
