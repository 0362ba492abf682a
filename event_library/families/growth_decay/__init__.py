"""Growth and decay: plants, moulds, rust, ripening, populations."""

from __future__ import annotations

from event_library.base import Event

TYPES: tuple[type[Event], ...] = ()
