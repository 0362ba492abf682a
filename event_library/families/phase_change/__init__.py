"""Phase change: melting, freezing, evaporating, boiling."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.phase_change.evaporating import DropletArrayDrying, KettleBoilingAway, PuddleEvaporating
from event_library.families.phase_change.freezing import FrostSpreading, StefanFreezingTank, SupercooledFreezing
from event_library.families.phase_change.melting import (
    IceCubeMelting,
    IceOnHotPlate,
    PopsicleDripping,
    SnowmanMelting,
)

TYPES: tuple[type[Event], ...] = (
    IceCubeMelting, IceOnHotPlate, StefanFreezingTank, PuddleEvaporating, DropletArrayDrying, FrostSpreading,
    KettleBoilingAway, SnowmanMelting, PopsicleDripping, SupercooledFreezing,
)  # fmt: skip
