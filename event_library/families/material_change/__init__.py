"""Material change: cracking, cooking, folding, tearing, drying."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.material_change.cooking import BreadToasting, EggWhiteSetting
from event_library.families.material_change.swelling import BalloonInflating, DoughRising

TYPES: tuple[type[Event], ...] = (DoughRising, BreadToasting, BalloonInflating, EggWhiteSetting)
