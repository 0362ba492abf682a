"""Logic and digital: displays, automata, puzzles, games."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.logic_digital.hanoi import TowerOfHanoi

TYPES: tuple[type[Event], ...] = (TowerOfHanoi,)
