"""Growth and decay: plants, moulds, rust, ripening, populations."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.growth_decay.colonies import MouldColonies, RustSpreading
from event_library.families.growth_decay.plants import (
    FlowerOpening,
    PlantWilting,
    SeedlingGrowing,
    SunflowerTracking,
)

TYPES: tuple[type[Event], ...] = (
    SeedlingGrowing,
    SunflowerTracking,
    MouldColonies,
    RustSpreading,
    PlantWilting,
    FlowerOpening,
)
