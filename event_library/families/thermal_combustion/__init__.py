"""Thermal and combustion: heating, cooling, glow, burning."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.thermal_combustion.candles import CandleBurningDown, CandleRowBurning
from event_library.families.thermal_combustion.conduction import HeatRodWaxPins
from event_library.families.thermal_combustion.lava_lamp import LavaLampCycle
from event_library.families.thermal_combustion.paper import PaperBurnFront
from event_library.families.thermal_combustion.smouldering import FuseBurning, IncenseAshColumn
from event_library.families.thermal_combustion.spreading import ForestFireCells, MatchRowFireSpread
from event_library.families.thermal_combustion.temperatures import (
    CoolingThermochromicMug,
    SteelPlateGlowCooling,
    ThermometerResponse,
)

TYPES: tuple[type[Event], ...] = (
    CoolingThermochromicMug,
    SteelPlateGlowCooling,
    LavaLampCycle,
    CandleBurningDown,
    CandleRowBurning,
    FuseBurning,
    MatchRowFireSpread,
    PaperBurnFront,
    ForestFireCells,
    ThermometerResponse,
    IncenseAshColumn,
    HeatRodWaxPins,
)
