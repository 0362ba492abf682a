"""Causal chains: several events, one setting off the next."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.causal_chains.water import FloatSwitchPump, RotaryValveSupply, TimerValveTankLeds

TYPES: tuple[type[Event], ...] = (TimerValveTankLeds, RotaryValveSupply, FloatSwitchPump)
