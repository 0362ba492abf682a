"""Mechanisms and clocks: gears, linkages, clocks, schedules."""

from __future__ import annotations

from event_library.base import Event

TYPES: tuple[type[Event], ...] = ()
