"""Light environment: sun, sky, tide, snow, haze."""

from __future__ import annotations

from event_library.base import Event

TYPES: tuple[type[Event], ...] = ()
