"""Flow: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from event_library.families.flow.draining import FunnelDraining, TankDrainingTorricelli
from event_library.families.flow.filling import LeakyTankBalance, OverflowCascade, TankFilling
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated, until

G = 9.81


def tank_filling(event: TankFilling, t_s: Array) -> dict[str, Array]:
    """dV/dt = Q until the volume reaches that of the full glass."""
    area = np.pi * event.radius_m**2
    full, start = area * event.fill_height_m, area * event.start_level_m
    volume = until(lambda t, v: [event.inflow_m3_per_s], start, full, t_s)
    return {"level": volume / area, "trigger:full": np.asarray((full - start) / event.inflow_m3_per_s)}


def tank_draining_torricelli(event: TankDrainingTorricelli, t_s: Array) -> dict[str, Array]:
    """A dh/dt = -Cd a sqrt(2 g h), as y = sqrt(h) (free of the root's corner), until nothing is left."""
    speed = event.contraction * (event.hole_m / (2 * event.radius_m)) ** 2 * np.sqrt(2 * G)
    root = until(lambda t, y: [-speed / 2], np.sqrt(event.start_level_m), 0.0, t_s)
    basin = event.basin_m[0] * event.basin_m[1]
    gathered = np.pi * event.radius_m**2 * (event.start_level_m - root**2) / basin
    drop = event.mouth_m[2] - 0.005 - gathered
    return {"level": root**2, "jet_reach": np.sqrt(2 * G) * root * np.sqrt(2 * drop / G)}


def funnel_draining(event: FunnelDraining, t_s: Array) -> dict[str, Array]:
    """dV/dt = -Cd a sqrt(2 g h), h from V = pi/3 tan(alpha)^2 h^3, until nothing is left."""
    slope, leak = np.tan(event.half_angle_rad), event.contraction * np.pi * event.bore_m**2 / 4
    height = lambda v: np.cbrt(3 * np.maximum(v, 0.0) / (np.pi * slope**2))  # noqa: E731
    start = np.pi / 3 * slope**2 * event.start_level_m**3
    power = until(lambda t, w: [-5 / 6 * leak * np.sqrt(2 * G) * (height(1.0) ** 0.5)], start ** (5 / 6), 0.0, t_s)
    volume = power ** (6 / 5)  # w = V^(5/6): dw/dt is constant because h^(1/2) goes with V^(1/6)
    return {"level": height(volume), "flask_fill": 1 - volume / start}


def overflow_cascade(event: OverflowCascade, t_s: Array) -> dict[str, Array]:
    """What has run in, handed down cup by cup."""
    left, fills = t_s / event.cup_s, []
    for _ in range(event.num_cups):
        fills.append(np.minimum(left, 1.0))
        left = left - fills[-1]
    fill = np.stack(fills, axis=1)
    return {"fill": fill, "total_fill": fill.sum(axis=1), "full_cups": np.isclose(fill, 1.0, atol=1e-12).sum(axis=1)}


def leaky_tank_balance(event: LeakyTankBalance, t_s: Array) -> dict[str, Array]:
    """A dh/dt = Q - Cd a sqrt(2 g h)."""
    area, hole = np.pi * event.radius_m**2, event.contraction * np.pi * event.hole_m**2 / 4
    rates = lambda t, h: [(event.inflow_m3_per_s - hole * np.sqrt(2 * G * h[0])) / area]  # noqa: E731
    return {"level": integrated(rates, [event.start_level_m], t_s)[0]}


REFERENCES: Mapping[str, Reference] = {
    "tank_filling": tank_filling,
    "tank_draining_torricelli": tank_draining_torricelli,
    "funnel_draining": funnel_draining,
    "overflow_cascade": overflow_cascade,
    "leaky_tank_balance": leaky_tank_balance,
}
