"""Agents intent: procedural characters, vehicles and robots with goals."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.agents_intent.chases import CatLaserDot
from event_library.families.agents_intent.flocks import BoidsFlock
from event_library.families.agents_intent.grippers import BlockStackingGripper, RobotArmPickPlace
from event_library.families.agents_intent.mazes import MouseInMaze
from event_library.families.agents_intent.queues import QueueAdvancing
from event_library.families.agents_intent.walkers import GardenerWatering, PedestrianRoute

TYPES: tuple[type[Event], ...] = (
    RobotArmPickPlace,
    MouseInMaze,
    CatLaserDot,
    QueueAdvancing,
    PedestrianRoute,
    BoidsFlock,
    BlockStackingGripper,
    GardenerWatering,
)
