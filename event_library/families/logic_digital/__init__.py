"""Logic and digital: displays, automata, puzzles, games."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.logic_digital.displays import ProgressBar
from event_library.families.logic_digital.hanoi import TowerOfHanoi
from event_library.families.logic_digital.tiles import FloodFillTiles

TYPES: tuple[type[Event], ...] = (ProgressBar, TowerOfHanoi, FloodFillTiles)
