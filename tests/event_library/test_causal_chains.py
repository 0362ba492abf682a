"""What the references of automata, which must agree to the bit, leave out: levels and instants of switches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from event_library.base import Event
from event_library.families.causal_chains.thermostat import ThermostatHeater
from event_library.families.causal_chains.water import FloatSwitchPump

RUN_S = 30.0


def two_point_s(
    rates: tuple[float, float], marks: tuple[float, float], start: float, relax: float
) -> tuple[np.ndarray, ...]:
    """Times, values and instants of a quantity with y' = rate - relax y that is switched over at two marks."""
    now, value, rising = 0.0, start, True
    times, values, switched = [0.0], [start], []
    while now < RUN_S:
        mark = marks[int(rising)]

        def there(t: float, y: np.ndarray, mark: float = mark) -> float:
            return float(y[0] - mark)

        there.terminal = True  # type: ignore[attr-defined]
        rate = rates[int(rising)]
        run = solve_ivp(
            lambda t, y, rate=rate: [rate - relax * y[0]], (now, now + 100), [value], method="DOP853", rtol=1e-11,
            atol=1e-12, max_step=0.2, events=there,
        )  # fmt: skip
        times += run.t[1:].tolist()
        values += run.y[0][1:].tolist()
        now, value, rising = float(run.t[-1]), mark, not rising
        switched.append(now)
    return np.array(times), np.array(values), np.array(switched)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", [FloatSwitchPump, ThermostatHeater])
def test_two_point_controllers_between_their_marks(kind: type[Event], seed: int) -> None:
    event = kind.sample(np.random.default_rng(seed))
    if isinstance(event, FloatSwitchPump):
        found = two_point_s((-event.fall_per_s, event.rise_per_s), (0.2, 0.85), event.start_frac, 0.0)
        instants = [event.triggers()[f"pump_{verb}_{k}"] for k in (1, 2) for verb in ("starts", "stops")]
    else:
        assert isinstance(event, ThermostatHeater)
        lag = event.constant_s
        found = two_point_s((10 / lag, 50 / lag), (22.0, 34.0), 22.0, 1 / lag)
        instants = [event.triggers()[f"heater_{verb}_{k}"] for k in (1, 2) for verb in ("off", "on")]
    times, values, switched = found
    inside = np.abs(times[:, None] - switched).min(axis=1) > 1e-6
    probe = event.probe_variable().name
    assert np.abs(event.states(times[inside])[probe] - values[inside]).max() < 1e-7 * np.ptp(values)
    assert np.abs(switched[:4] - instants).max() < 1e-7
