"""Phase change: melting, freezing, evaporating, boiling."""

from __future__ import annotations

from event_library.base import Event

TYPES: tuple[type[Event], ...] = ()
