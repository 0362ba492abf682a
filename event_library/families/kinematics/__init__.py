"""Kinematics: rolling, sliding, flight, orbits, conveyors."""

from __future__ import annotations

from event_library.base import Event

TYPES: tuple[type[Event], ...] = ()
