"""Flow: filling, draining, spreading, wicking."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.flow.filling import TankFilling

TYPES: tuple[type[Event], ...] = (TankFilling,)
