"""Collisions and collapse: impacts, toppling, granular pours."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.collisions_collapse.dominoes import DominoChain

TYPES: tuple[type[Event], ...] = (DominoChain,)
