"""Causal chains: laws once more, by other means (see event_library.references).

Each stage is integrated by scipy from where the last one ended, up to the event that sets the next one off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from event_library.families.causal_chains.water import FloatSwitchPump, RotaryValveSupply, TimerValveTankLeds
from event_library.references.base import Array, Reference
from event_library.references.integrating import until

LONG_S = 1e3


def reached_s(rate: Callable[[float, float], float], start: float, stop: float) -> float:
    """When y' = rate(t, y) from `start` at 0 comes to `stop`."""

    def there(t: float, y: Array) -> float:
        return float(y[0] - stop)

    there.terminal = True  # type: ignore[attr-defined]
    run = solve_ivp(
        lambda t, y: [rate(t, float(y[0]))], (0.0, LONG_S), [start], method="DOP853", rtol=1e-11, atol=1e-13,
        events=there, max_step=1.0,
    )  # fmt: skip
    return float(run.t_events[0][0])


def since(start_s: float, t_s: Array) -> Array:
    """A stage's own clock: 0 until it begins."""
    return np.maximum(t_s - start_s, 0.0)


def gathered(flow: Callable[[float], float], knots: Sequence[float], end_s: float) -> float:
    """Integral of a flow from 0 to end_s by quadrature; knots: where its formula changes."""
    inside = [k for k in knots if 0 < k < end_s]
    return float(quad(flow, 0.0, end_s, points=inside or None, epsabs=1e-12, epsrel=1e-11, limit=200)[0])


def one(value: float) -> Array:
    return np.array([value])


def timer_valve_tank_leds(event: TimerValveTankLeds, t_s: Array) -> dict[str, Array]:
    """The countdown's ticks added up, then the tank integrated; each lamp when the level comes to it."""
    ticks = np.cumsum(np.full(event.num_steps, event.step_s))
    filled = until(lambda t, y: [event.fill_per_s], 0.0, 1.0, since(ticks[-1], t_s))
    lamps = [ticks[-1] + reached_s(lambda t, y: event.fill_per_s, 0.0, j / 5) for j in range(1, 6)]
    return {
        "display": event.num_steps - (t_s[:, None] >= ticks).sum(axis=1).astype(np.float64),
        "level": filled,
        "lamps": (t_s[:, None] >= np.array(lamps)).sum(axis=1).astype(np.float64),
        "trigger:valve_opens": one(ticks[-1]),
        **{f"trigger:lamp_{j}_lights": one(lit) for j, lit in enumerate(lamps, 1)},
    }


def rotary_valve_supply(event: RotaryValveSupply, t_s: Array) -> dict[str, Array]:
    """Flow in proportion to the handle's angle, by quadrature; full by root finding."""
    starts = np.arange(1, 4) * event.step_s

    def angle(t: float) -> float:
        return float(sum(np.interp(t, [start, start + 0.2], [0.0, np.pi / 6]) for start in starts))

    def flow(t: float) -> float:
        return event.fill_per_s * angle(t) / (np.pi / 2)

    def level(t: float) -> float:
        return event.start_frac + gathered(flow, [*starts, *starts + 0.2], t)

    return {
        "level": np.minimum([level(t) for t in t_s], 1.0),
        "handle": np.array([angle(t) for t in t_s]),
        **{f"trigger:turn_{k}": one(sum([event.step_s] * k)) for k in (1, 2, 3)},
        "trigger:full": one(brentq(lambda t: level(t) - 1, 0.0, 60.0, xtol=1e-12)),
    }


def float_switch_pump(event: FloatSwitchPump, t_s: Array) -> dict[str, Array]:
    """The switch looked at whenever the level comes to a mark, one run after the other."""
    now, level, on, switched = 0.0, event.start_frac, False, []
    while now <= t_s[-1]:
        mark, rate = (0.2, -event.fall_per_s) if on else (0.85, event.rise_per_s)
        now, level, on = now + (mark - level) / rate, mark, not on
        switched.append(now)
    return {"pump_lamp": ((t_s[:, None] >= np.array(switched)).sum(axis=1) % 2).astype(np.float64)}


REFERENCES: Mapping[str, Reference] = {
    "timer_valve_tank_leds": timer_valve_tank_leds,
    "rotary_valve_supply": rotary_valve_supply,
    "float_switch_pump": float_switch_pump,
}
