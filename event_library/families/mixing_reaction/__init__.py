"""Mixing and reaction: diffusion, colour reactions, patterns, foams."""

from __future__ import annotations

from event_library.base import Event
from event_library.families.mixing_reaction.chromatography import PaperChromatography
from event_library.families.mixing_reaction.crystals import LiesegangRings, SnowflakeGrowth
from event_library.families.mixing_reaction.diffusion import DyeDropDiffusing, DyeVortexWinding
from event_library.families.mixing_reaction.patterns import BzTargetWaves, GrayScottSpots
from event_library.families.mixing_reaction.settling import BeerFoamCollapse, EffervescentTablet, SedimentSettling
from event_library.families.mixing_reaction.stirring import BatterStirring
from event_library.families.mixing_reaction.titration import IodineClockRow, TitrationEndpoint

TYPES: tuple[type[Event], ...] = (
    DyeDropDiffusing,
    DyeVortexWinding,
    TitrationEndpoint,
    GrayScottSpots,
    BzTargetWaves,
    PaperChromatography,
    SnowflakeGrowth,
    BeerFoamCollapse,
    EffervescentTablet,
    SedimentSettling,
    IodineClockRow,
    LiesegangRings,
    BatterStirring,
)
