"""Thermal and combustion: heating, cooling, glow, burning."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.thermal_combustion.candles import CandleBurningDown, CandleRowBurning
from event_library.families.thermal_combustion.smouldering import FuseBurning, IncenseAshColumn

TYPES: tuple[type[Event], ...] = (CandleBurningDown, CandleRowBurning, FuseBurning, IncenseAshColumn)
