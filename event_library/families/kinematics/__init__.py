"""Kinematics: rolling, sliding, flight, orbits, conveyors."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.kinematics.flight import BouncingBall, ProjectileLob
from event_library.families.kinematics.rolling import BallRollingToRest, BallThroughTunnel, BallUpRampReturn

TYPES: tuple[type[Event], ...] = (
    BallRollingToRest,
    ProjectileLob,
    BouncingBall,
    BallThroughTunnel,
    BallUpRampReturn,
)
