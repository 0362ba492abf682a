"""Oscillators: pendulums, springs, waves, synchronisation."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.oscillators.pendulums import PendulumSwing

TYPES: tuple[type[Event], ...] = (PendulumSwing,)
