"""Thermal and combustion: heating, cooling, glow, burning."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.thermal_combustion.candles import CandleBurningDown

TYPES: tuple[type[Event], ...] = (CandleBurningDown,)
