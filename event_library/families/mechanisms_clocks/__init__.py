"""Mechanisms and clocks: gears, linkages, clocks, schedules."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.mechanisms_clocks.clocks import AnalogClock, Hourglass
from event_library.families.mechanisms_clocks.gears import GearTrain, GenevaDrive
from event_library.families.mechanisms_clocks.wheels import FerrisWheel, FlywheelSpinDown, Turntable

TYPES: tuple[type[Event], ...] = (
    AnalogClock,
    Hourglass,
    GearTrain,
    GenevaDrive,
    Turntable,
    FerrisWheel,
    FlywheelSpinDown,
)
