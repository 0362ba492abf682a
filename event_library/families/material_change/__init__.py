"""Material change: cracking, cooking, folding, tearing, drying."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.material_change.cooking import BreadToasting, EggWhiteSetting
from event_library.families.material_change.drying import ClayDrying, MudCracking
from event_library.families.material_change.erosion import SandcastleErosion
from event_library.families.material_change.failing import FatigueCrack, RopeStrandFailure
from event_library.families.material_change.paper import OrigamiFolding, PaperCurling, PaperShredding
from event_library.families.material_change.popping import PopcornPopping
from event_library.families.material_change.sawing import LogBeingSawn
from event_library.families.material_change.shattering import PlateShattering
from event_library.families.material_change.swelling import BalloonInflating, DoughRising

TYPES: tuple[type[Event], ...] = (
    DoughRising,
    BreadToasting,
    BalloonInflating,
    MudCracking,
    FatigueCrack,
    PaperCurling,
    OrigamiFolding,
    RopeStrandFailure,
    SandcastleErosion,
    ClayDrying,
    PaperShredding,
    PopcornPopping,
    EggWhiteSetting,
    LogBeingSawn,
    PlateShattering,
)
