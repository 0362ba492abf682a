"""Logic and digital: displays, automata, puzzles, games."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.logic_digital.automata import GameOfLife, LangtonsAnt
from event_library.families.logic_digital.displays import (
    BinaryCounterLamps,
    ChaserLights,
    CountdownDisplay,
    ProgressBar,
)
from event_library.families.logic_digital.games import KnightTour, TicTacToeGame
from event_library.families.logic_digital.hanoi import TowerOfHanoi
from event_library.families.logic_digital.shuffling import BubbleSortBars, CupShuffle
from event_library.families.logic_digital.tiles import FloodFillTiles

TYPES: tuple[type[Event], ...] = (
    ProgressBar,
    CountdownDisplay,
    GameOfLife,
    BubbleSortBars,
    TowerOfHanoi,
    KnightTour,
    LangtonsAnt,
    ChaserLights,
    BinaryCounterLamps,
    TicTacToeGame,
    CupShuffle,
    FloodFillTiles,
)
