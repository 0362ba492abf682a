"""Agents intent: procedural characters, vehicles and robots with goals."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.agents_intent.chases import CatLaserDot
from event_library.families.agents_intent.climbers import SnailOnWall
from event_library.families.agents_intent.flocks import BoidsFlock
from event_library.families.agents_intent.grippers import BlockStackingGripper, RobotArmPickPlace
from event_library.families.agents_intent.housework import TableSetting, VacuumRobot
from event_library.families.agents_intent.insects import AntsCarrying, BeeTour
from event_library.families.agents_intent.lifts import ElevatorPassengers
from event_library.families.agents_intent.mazes import MouseInMaze
from event_library.families.agents_intent.platoon import IdmPlatoon
from event_library.families.agents_intent.queues import QueueAdvancing
from event_library.families.agents_intent.roads import FourWayStop, VehicleGate
from event_library.families.agents_intent.walkers import GardenerWatering, PedestrianRoute

TYPES: tuple[type[Event], ...] = (
    RobotArmPickPlace,
    MouseInMaze,
    AntsCarrying,
    ElevatorPassengers,
    CatLaserDot,
    QueueAdvancing,
    FourWayStop,
    IdmPlatoon,
    PedestrianRoute,
    VehicleGate,
    BoidsFlock,
    VacuumRobot,
    BeeTour,
    BlockStackingGripper,
    SnailOnWall,
    TableSetting,
    GardenerWatering,
)
