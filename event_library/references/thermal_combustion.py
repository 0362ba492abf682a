"""Thermal combustion: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from event_library.families.thermal_combustion.candles import CandleBurningDown, CandleRowBurning
from event_library.families.thermal_combustion.conduction import HeatRodWaxPins
from event_library.families.thermal_combustion.lava_lamp import LavaLampCycle
from event_library.families.thermal_combustion.smouldering import FuseBurning, IncenseAshColumn
from event_library.families.thermal_combustion.spreading import ForestFireCells, MatchRowFireSpread
from event_library.families.thermal_combustion.temperatures import (
    CoolingThermochromicMug,
    SteelPlateGlowCooling,
    ThermometerResponse,
)
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated, until


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


def cooling_thermochromic_mug(event: CoolingThermochromicMug, t_s: Array) -> dict[str, Array]:
    """dT/dtau = -(T - Ta) / tc and, for the dye, dp/dtau = -p (1 - p) / 6 dT/dtau."""

    def rates(tau: float, y: Array) -> list[float]:
        falling = -(y[0] - event.room_degc) / event.constant_s
        return [falling, -y[1] * (1 - y[1]) / 6 * falling]

    clear = 1 / (1 + np.exp((event.start_degc - event.change_degc) / 6))
    temperature, pigment = integrated(rates, [event.start_degc, clear], t_s * event.time_scale)
    crossed = brentq(
        lambda t: (
            integrated(rates, [event.start_degc, clear], np.array([t * event.time_scale]))[0, 0] - event.change_degc
        ),
        0.5,
        20.0,
        xtol=1e-9,
    )
    return {"temperature": temperature, "pigment": pigment, "trigger:colour_changes": np.array([crossed])}


def thermometer_response(event: ThermometerResponse, t_s: Array) -> dict[str, Array]:
    """tl dT/dt = Tw - T."""
    return {
        "temperature": integrated(lambda t, y: [(event.bath_degc - y[0]) / event.lag_s], [event.start_degc], t_s)[0]
    }


def steel_plate_glow_cooling(event: SteelPlateGlowCooling, t_s: Array) -> dict[str, Array]:
    """Energy balance of one square metre of sheet in physical time, by scipy."""
    capacity = 7850.0 * 650.0 * event.thick_m

    def rates(tau: float, y: Array) -> list[float]:
        flux = event.emissivity * 5.67e-8 * (y[0] ** 4 - 293.0**4) + 12.0 * (y[0] - 293.0)
        return [-2 * flux / capacity]

    return {"temperature": integrated(rates, [event.start_k], t_s * event.time_scale)[0]}


def lava_lamp_cycle(event: LavaLampCycle, t_s: Array) -> dict[str, Array]:
    """Height as the integral of the blob's speed, 6 v (1 - v) / travel on the way, stage by stage."""
    wait, travel, rise = event.dwell_s, event.travel_s, event.rise_m
    heights, directions = [], []
    for t in t_s:
        left = t - np.floor(t / (2 * (wait + travel))) * 2 * (wait + travel)
        gone = [min(max(left - start, 0.0), travel) / travel for start in (wait, 2 * wait + travel)]
        up, down = (quad(lambda v: 6 * v * (1 - v), 0.0, share)[0] for share in gone)
        heights.append(rise * (up - down))
        directions.append(1.0 if 0 < gone[0] < 1 else -1.0 if 0 < gone[1] < 1 else 0.0)
    return {"blob_height": np.array(heights), "direction": np.array(directions)}


def heat_rod_wax_pins(event: HeatRodWaxPins, t_s: Array) -> dict[str, Array]:
    """The same profile as an integral, (2 / sqrt pi) int exp(-u^2) du; the instant of each pin by bisection."""

    def excess(x_m: float, tau_s: float) -> float:
        end = x_m / (2 * np.sqrt(event.diffusivity_m2_per_s * tau_s))
        return 1 - float(quad(lambda u: 2 / np.sqrt(np.pi) * np.exp(-u * u), 0.0, end, epsabs=1e-12)[0])

    falls = [
        brentq(lambda t, x=x: excess(x, t * event.time_scale) - event.melting_share, 1e-3, 100.0, xtol=1e-10)
        for x in event.spacing_m * np.arange(1, event.num_pins + 1)
    ]
    fallen = (t_s[:, None] >= np.array(falls)).sum(axis=1).astype(np.float64)
    return {"pins_fallen": fallen, **{f"trigger:pin_{i}_drops": np.array([fall]) for i, fall in enumerate(falls, 1)}}


def match_row_fire_spread(event: MatchRowFireSpread, t_s: Array) -> dict[str, Array]:
    """Match by match: each sets fire to the next one step later."""
    ignited, burning, caught = np.zeros(len(t_s)), np.zeros(len(t_s)), event.first_s
    for i in range(event.num_matches):
        caught = event.first_s + event.step_s * i
        ignited += t_s >= caught
        burning += (t_s >= caught) & (t_s - caught < event.burning_s)
    return {
        "ignited": ignited,
        "burning": burning,
        "trigger:last_catches_fire": np.array([caught]),
        "trigger:last_flame_out": np.array([caught + event.burning_s]),
    }


def forest_fire_cells(event: ForestFireCells, t_s: Array) -> dict[str, Array]:
    """A tree burns at the step that is its shortest way, from tree to tree, from the left column."""
    num = event.num_cells
    tree = np.random.Generator(np.random.PCG64(event.seed)).random((num, num)) < event.density
    index = np.arange(num * num).reshape(num, num)
    pairs = np.vstack([
        np.column_stack([index[:, :-1][tree[:, :-1] & tree[:, 1:]], index[:, 1:][tree[:, :-1] & tree[:, 1:]]]),
        np.column_stack([index[:-1][tree[:-1] & tree[1:]], index[1:][tree[:-1] & tree[1:]]]),
    ])  # fmt: skip
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(num * num, num * num))
    way = dijkstra(graph, directed=False, indices=index[:, 0][tree[:, 0]], unweighted=True, min_only=True)
    steps = np.floor(t_s / event.step_s)
    ash = np.array([(way[tree.ravel()] < step).sum() / tree.sum() for step in steps])
    return {"ash_fraction": ash, "trigger:burnt_out": np.array([event.step_s * (way[np.isfinite(way)].max() + 1)])}


REFERENCES: Mapping[str, Reference] = {
    "cooling_thermochromic_mug": cooling_thermochromic_mug,
    "steel_plate_glow_cooling": steel_plate_glow_cooling,
    "lava_lamp_cycle": lava_lamp_cycle,
    "candle_burning_down": candle_burning_down,
    "candle_row_burning": candle_row_burning,
    "fuse_burning": fuse_burning,
    "match_row_fire_spread": match_row_fire_spread,
    "forest_fire_cells": forest_fire_cells,
    "thermometer_response": thermometer_response,
    "incense_ash_column": incense_ash_column,
    "heat_rod_wax_pins": heat_rod_wax_pins,
}
