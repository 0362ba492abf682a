"""Flow: filling, draining, spreading, wicking."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.flow.draining import FunnelDraining, TankDrainingTorricelli
from event_library.families.flow.filling import LeakyTankBalance, OverflowCascade, TankFilling
from event_library.families.flow.linked import HydraulicSyringes, SiphonEqualising, ThreeVesselsEqualising
from event_library.families.flow.spreading import PaperTowelWicking, SandPileGrowing, SyrupPuddleSpreading
from event_library.families.flow.tipping import TippingBucket

TYPES: tuple[type[Event], ...] = (
    TankFilling, TankDrainingTorricelli, FunnelDraining, SiphonEqualising, ThreeVesselsEqualising, OverflowCascade,
    TippingBucket, LeakyTankBalance, SandPileGrowing, SyrupPuddleSpreading, PaperTowelWicking, HydraulicSyringes,
)  # fmt: skip
