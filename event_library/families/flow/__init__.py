"""Flow: filling, draining, spreading, wicking."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.flow.draining import FunnelDraining, TankDrainingTorricelli
from event_library.families.flow.filling import LeakyTankBalance, OverflowCascade, TankFilling

TYPES: tuple[type[Event], ...] = (
    TankFilling, TankDrainingTorricelli, FunnelDraining, OverflowCascade, LeakyTankBalance,
)  # fmt: skip
