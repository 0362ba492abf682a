"""Kinematics: rolling, sliding, flight, orbits, conveyors."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.kinematics.conveyors import ConveyorBoxes
from event_library.families.kinematics.flight import BouncingBall, ProjectileLob
from event_library.families.kinematics.funnels import CoinFunnelSpiral
from event_library.families.kinematics.rolling import BallRollingToRest, BallThroughTunnel, BallUpRampReturn
from event_library.families.kinematics.rounds import KeplerOrbit, ToyTrainOval
from event_library.families.kinematics.sliding import AirPuckBox, BlockSlidingRamp, SphereSinkingSyrup

TYPES: tuple[type[Event], ...] = (
    BallRollingToRest,
    BlockSlidingRamp,
    ProjectileLob,
    BouncingBall,
    ConveyorBoxes,
    ToyTrainOval,
    KeplerOrbit,
    SphereSinkingSyrup,
    BallThroughTunnel,
    CoinFunnelSpiral,
    AirPuckBox,
    BallUpRampReturn,
)
