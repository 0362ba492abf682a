"""Thermal combustion: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from event_library.families.thermal_combustion.candles import CandleBurningDown, CandleRowBurning
from event_library.families.thermal_combustion.smouldering import FuseBurning, IncenseAshColumn
from event_library.references.base import Array, Reference
from event_library.references.integrating import until


def candle_burning_down(event: CandleBurningDown, t_s: Array) -> dict[str, Array]:
    """dh/dtau = -v until the flame is out, in physical time tau."""
    height = until(lambda tau, h: [-event.burn_rate_m_per_s], event.start_height_m, 0.005, t_s * event.time_scale)
    return {"height": height}


def candle_row_burning(event: CandleRowBurning, t_s: Array) -> dict[str, Array]:
    """Each candle integrated by itself in physical time; its flame goes out when nothing but the stump is left."""
    heights, found = [], {}
    for i in range(5):
        start = event.lowest_m + i * (event.highest_m - event.lowest_m) / 4
        rate = event.burn_rate_m_per_s * (0.8, 1.0, 1.2, 0.9, 1.1)[i]
        heights.append(until(lambda tau, h, rate=rate: [-rate], start, 0.004, t_s * event.time_scale))  # type: ignore[misc]
        found[f"trigger:flame_{i}_out"] = np.array([(start - 0.004) / rate / event.time_scale])
    lit = sum((h > 0.004 + 1e-12).astype(np.float64) for h in heights)
    return {"height_sum": np.sum(heights, axis=0), "lit_count": np.asarray(lit), **found}


def fuse_burning(event: FuseBurning, t_s: Array) -> dict[str, Array]:
    """ds/dt = v until the cord is used up."""
    burnt = until(lambda t, s: [event.speed_m_per_s], 0.0, event.length_m, t_s)
    return {"burnt_length": burnt, "trigger:burnt_out": np.array([event.length_m / event.speed_m_per_s])}


def incense_ash_column(event: IncenseAshColumn, t_s: Array) -> dict[str, Array]:
    """ds/dtau = v in physical time; pieces by counting the instants of their fall."""
    burnt = until(lambda tau, s: [event.burn_rate_m_per_s], 0.0, event.length_m, t_s * event.time_scale)
    falls = np.arange(event.piece_m, event.length_m + 1e-12, event.piece_m) / event.burn_m_per_s
    pieces = (t_s[:, None] >= falls - 1e-9).sum(axis=1).astype(np.float64)
    triggers = {f"trigger:piece_{k}_falls": np.array([fall]) for k, fall in enumerate(falls, 1)}
    return {"ember_position": burnt, "ash_pieces": pieces, "ash_length": burnt - pieces * event.piece_m, **triggers}


REFERENCES: Mapping[str, Reference] = {
    "candle_burning_down": candle_burning_down,
    "candle_row_burning": candle_row_burning,
    "fuse_burning": fuse_burning,
    "incense_ash_column": incense_ash_column,
}
