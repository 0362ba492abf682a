"""Mechanisms and clocks: gears, linkages, clocks, schedules."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.mechanisms_clocks.clocks import AnalogClock, Hourglass
from event_library.families.mechanisms_clocks.gears import GearTrain, GenevaDrive
from event_library.families.mechanisms_clocks.linkages import AtwoodPulley, SliderCrank
from event_library.families.mechanisms_clocks.schedules import DrawerCycle, ElevatorSchedule, TrafficLightCycle
from event_library.families.mechanisms_clocks.walkers import SeesawWalker, WindupToy
from event_library.families.mechanisms_clocks.wheels import FerrisWheel, FlywheelSpinDown, Turntable

TYPES: tuple[type[Event], ...] = (
    AnalogClock,
    Hourglass,
    GearTrain,
    WindupToy,
    ElevatorSchedule,
    Turntable,
    TrafficLightCycle,
    FerrisWheel,
    SliderCrank,
    AtwoodPulley,
    GenevaDrive,
    FlywheelSpinDown,
    SeesawWalker,
    DrawerCycle,
)
