"""Each law once more, by other means than the event's own: what `check_event` compares with.

Closed forms and ODEs: the differential law integrated by scipy at rtol 1e-10. Automata: a rule that shares nothing with
the event's. Rigid bodies have no entry: they are checked by energy, contacts and a second bake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from event_library.families.flow import TankFilling
from event_library.families.logic_digital import TowerOfHanoi
from event_library.families.oscillators import PendulumSwing
from event_library.families.thermal_combustion import CandleBurningDown

Array = NDArray[np.float64]
Reference = Callable[[Any, Array], dict[str, Array]]  # (event, t_s ascending from >= 0) -> some of its variables


def tank_filling(event: TankFilling, t_s: Array) -> dict[str, Array]:
    """dV/dt = Q until the volume reaches that of the full glass."""
    full = np.pi * event.radius_m**2 * event.fill_height_m
    start = np.pi * event.radius_m**2 * event.start_level_m
    volume = _until(lambda t, v: [event.inflow_m3_per_s], start, full, t_s)
    return {"level": volume / (np.pi * event.radius_m**2)}


def candle_burning_down(event: CandleBurningDown, t_s: Array) -> dict[str, Array]:
    """dh/dtau = -v until the flame is out, in physical time tau."""
    height = _until(lambda tau, h: [-event.burn_rate_m_per_s], event.start_height_m, 0.005, t_s * event.time_scale)
    return {"height": height}


def pendulum_swing(event: PendulumSwing, t_s: Array) -> dict[str, Array]:
    """The plane pendulum in Cartesian form: a bead on a circle, held by the string's tension (no angle anywhere)."""
    length, gamma, gravity = event.length_m, event.damping_per_s, 9.81

    def bead(t: float, state: Array) -> list[float]:
        x, z, vx, vz = state
        pull = (vx * vx + vz * vz - gravity * z) / length**2  # tension / (mass * length)
        return [vx, vz, -pull * x - 2 * gamma * vx, -pull * z - 2 * gamma * vz - gravity]

    start = [length * np.sin(event.release_angle_rad), -length * np.cos(event.release_angle_rad), 0.0, 0.0]
    run = solve_ivp(
        bead, (0.0, float(t_s[-1]) + 1e-9), start, method="DOP853", rtol=1e-10, atol=1e-12, dense_output=True
    )
    x, z, vx, vz = run.sol(t_s)
    return {"angle": np.arctan2(x, -z), "rate": (vz * x - vx * z) / (x * x + z * z)}


def tower_of_hanoi(event: TowerOfHanoi, t_s: Array) -> dict[str, Array]:
    """Disc d moves at every odd multiple of 2^d, always one peg on in the same direction (the binary-counter rule)."""
    num = event.num_discs
    moves = np.minimum(t_s // event.move_s, 2**num - 1)
    pegs = np.zeros((len(t_s), num))
    for disc in range(num):
        steps = (moves + 2**disc) // 2 ** (disc + 1)  # how often this disc has moved
        direction = -1 if (num - disc) % 2 else 1
        pegs[:, disc] = (direction * steps) % 3
    return {"moves": moves, "pegs": pegs}


def _until(rate: Callable[[float, Array], list[float]], start: float, stop: float, times: Array) -> Array:
    """Integrate a scalar law from `start` until it reaches `stop`, where it stays; sampled at ascending `times`."""

    def reached(t: float, y: Array) -> float:
        return float(y[0] - stop)

    reached.terminal = True  # type: ignore[attr-defined]
    run = solve_ivp(
        rate, (0.0, float(times[-1]) + 1e-9), [start], method="DOP853", rtol=1e-10, atol=1e-14,
        events=reached, dense_output=True,
    )  # fmt: skip
    ended = run.t[-1] if run.status == 1 else np.inf
    return np.where(times < ended, run.sol(np.minimum(times, run.t[-1]))[0], stop)


REFERENCES: Mapping[str, Reference] = MappingProxyType(
    {
        "tank_filling": tank_filling,
        "candle_burning_down": candle_burning_down,
        "pendulum_swing": pendulum_swing,
        "tower_of_hanoi": tower_of_hanoi,
    }
)
