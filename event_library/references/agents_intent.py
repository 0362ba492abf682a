"""Agents intent: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from event_library.families.agents_intent.grippers import BlockStackingGripper, RobotArmPickPlace
from event_library.families.agents_intent.queues import QueueAdvancing
from event_library.references.base import Array, Reference


def happened(at_s: Sequence[float] | Array, t_s: Array) -> Array:
    """[T] how many of the events at `at_s` are over at each time."""
    return np.searchsorted(np.sort(np.asarray(at_s)), t_s, side="right").astype(np.float64)


def block_stacking_gripper(event: BlockStackingGripper, t_s: Array) -> dict[str, Array]:
    """Block by block: when it is set down."""
    return {"placed": happened(np.cumsum(np.full(event.num_blocks, event.cycle_s)), t_s)}


def robot_arm_pick_place(event: RobotArmPickPlace, t_s: Array) -> dict[str, Array]:
    """Cube by cube: when it is set down, after reaching, gripping and carrying."""
    return {"moved": happened([(k + 0.25 + 0.1 + 0.35) * event.cycle_s for k in range(event.num_cubes)], t_s)}


def queue_advancing(event: QueueAdvancing, t_s: Array) -> dict[str, Array]:
    """Figure by figure: when its service ends."""
    return {"served": happened(np.cumsum(np.full(event.num_people, event.service_s)), t_s)}


REFERENCES: Mapping[str, Reference] = {
    "robot_arm_pick_place": robot_arm_pick_place,
    "queue_advancing": queue_advancing,
    "block_stacking_gripper": block_stacking_gripper,
}
