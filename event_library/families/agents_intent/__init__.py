"""Agents intent: procedural characters, vehicles and robots with goals."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.agents_intent.grippers import BlockStackingGripper, RobotArmPickPlace
from event_library.families.agents_intent.queues import QueueAdvancing

TYPES: tuple[type[Event], ...] = (RobotArmPickPlace, QueueAdvancing, BlockStackingGripper)
