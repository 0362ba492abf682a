"""Material change: cracking, cooking, folding, tearing, drying."""

from __future__ import annotations

from event_library.base import Event

TYPES: tuple[type[Event], ...] = ()
