"""Oscillators: pendulums, springs, waves, synchronisation."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.oscillators.metronomes import MetronomeSync, MetronomeTicking
from event_library.families.oscillators.pendulums import PendulumSwing
from event_library.families.oscillators.rows import CoupledPendulums, NewtonsCradle, PendulumWave
from event_library.families.oscillators.springs import MassSpringBob, TorsionDisc
from event_library.families.oscillators.tanks import SloshingTank
from event_library.families.oscillators.traces import SandPendulumTrace
from event_library.families.oscillators.wild import DoublePendulum, MagneticPendulum

TYPES: tuple[type[Event], ...] = (
    PendulumSwing,
    MassSpringBob,
    MetronomeTicking,
    NewtonsCradle,
    CoupledPendulums,
    DoublePendulum,
    PendulumWave,
    TorsionDisc,
    SloshingTank,
    SandPendulumTrace,
    MetronomeSync,
    MagneticPendulum,
)
