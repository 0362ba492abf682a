"""Light and environment: sun, sky, tide, snow, haze."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.light_environment.optics import LighthouseBeam, MirrorReflection
from event_library.families.light_environment.skies import MoonPhase, SolarEclipse, SunsetColour
from event_library.families.light_environment.suns import DayNightStreet, SunShadowSweep
from event_library.families.light_environment.waters import FloodHydrograph, RainPuddles, TideRising
from event_library.families.light_environment.weather import CloudShadowCrossing, FogClearing, SnowAccumulating

TYPES: tuple[type[Event], ...] = (
    SunShadowSweep,
    SunsetColour,
    DayNightStreet,
    TideRising,
    SnowAccumulating,
    RainPuddles,
    FogClearing,
    MoonPhase,
    CloudShadowCrossing,
    LighthouseBeam,
    SolarEclipse,
    FloodHydrograph,
    MirrorReflection,
)
