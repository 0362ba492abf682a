"""Growth and decay: plants, moulds, rust, ripening, populations."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.growth_decay.colonies import MouldColonies, RustSpreading
from event_library.families.growth_decay.flowers import FlowerOpening, SunflowerTracking
from event_library.families.growth_decay.fruit import AppleSliceBrowning, BananaRipening
from event_library.families.growth_decay.plants import PlantWilting, SeedlingGrowing
from event_library.families.growth_decay.pond import LotkaVolterraPond
from event_library.families.growth_decay.trees import AutumnTreeShedding, LsystemTree

TYPES: tuple[type[Event], ...] = (
    SeedlingGrowing,
    SunflowerTracking,
    MouldColonies,
    BananaRipening,
    AppleSliceBrowning,
    RustSpreading,
    PlantWilting,
    FlowerOpening,
    LsystemTree,
    AutumnTreeShedding,
    LotkaVolterraPond,
)
