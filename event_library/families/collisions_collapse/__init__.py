"""Collisions and collapse: impacts, toppling, granular pours."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.collisions_collapse.billiards import BilliardsBreak
from event_library.families.collisions_collapse.bowling import BowlingPins
from event_library.families.collisions_collapse.dominoes import DominoChain
from event_library.families.collisions_collapse.galton import GaltonBoard
from event_library.families.collisions_collapse.glides import CartsCoupling, HeadOnCollision
from event_library.families.collisions_collapse.marble_run import MarbleRun
from event_library.families.collisions_collapse.pouring import BallsPouring
from event_library.families.collisions_collapse.pucks import PuckObliqueCollision
from event_library.families.collisions_collapse.stairs import BallDownStairs
from event_library.families.collisions_collapse.toppling import BlockTowerTopple, WreckingBall

TYPES: tuple[type[Event], ...] = (
    DominoChain,
    BlockTowerTopple,
    BilliardsBreak,
    HeadOnCollision,
    PuckObliqueCollision,
    BowlingPins,
    GaltonBoard,
    MarbleRun,
    BallDownStairs,
    CartsCoupling,
    BallsPouring,
    WreckingBall,
)
