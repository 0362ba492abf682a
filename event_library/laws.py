"""Laws shared by event types: event time, easing, and ordinary differential equations on fixed ticks."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

GRAVITY_M_PER_S2 = 9.81
TICK_S = 1 / 480  # step of every fixed-tick integration (taxonomy: integrators)
CHUNK_TICKS = 16 * 480  # ticks kept together in the cache: 16 s
REST_S = 900.0  # an ode stands still from here on: more than a spec's earliest start and the longest clip ask for


def started(t_s: Array) -> Array:
    """Event time with the time before the start folded onto it: nothing moves before 0."""
    return np.maximum(np.asarray(t_s, dtype=np.float64), 0.0)


def ease(share: Array) -> Array:
    """3u^2 - 2u^3 on u clipped to [0, 1] (taxonomy helper `sstep`)."""
    u = np.clip(share, 0.0, 1.0)
    return u * u * (3 - 2 * u)


def ease_inverse(value: float) -> float:
    """Share u in [0, 1] at which 3 u^2 - 2 u^3 has a value (trisection of the cubic)."""
    return 0.5 - float(np.sin(np.arcsin(1 - 2 * value) / 3))


class TickedOde(Protocol):
    """What an event of kind `ode` offers: hashable, with autonomous `rates` in plain floats."""

    def __hash__(self) -> int: ...

    def start_values(self) -> tuple[float, ...]: ...

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]: ...


def ode_values(event: TickedOde, t_s: Array) -> Array:
    """[T, D] solution at `t_s`: RK4 on fixed ticks from 0, cubic Hermite between two ticks.

    What is asked never shapes the answer: the ticks are the same for every `t_s`. Chunks are cached per event; from
    REST_S on the last values stay, so an ode type must have come to rest, or be bounded and uninteresting, by then.
    """
    tick = np.minimum(started(t_s), REST_S) / TICK_S
    low = np.minimum(np.floor(tick).astype(np.int64), int(REST_S / TICK_S) - 1)
    share = (tick - low)[:, None]
    values = np.empty((len(tick), len(event.start_values())))
    for chunk in np.unique(low // CHUNK_TICKS):
        rows = low // CHUNK_TICKS == chunk
        ticks, slopes = _chunk(event, int(chunk))
        at, u = low[rows] % CHUNK_TICKS, share[rows]
        values[rows] = (
            (1 + 2 * u) * (1 - u) ** 2 * ticks[at]
            + u * (1 - u) ** 2 * TICK_S * slopes[at]
            + u * u * (3 - 2 * u) * ticks[at + 1]
            + u * u * (u - 1) * TICK_S * slopes[at + 1]
        )
    return values


@lru_cache(maxsize=256)
def _chunk(event: TickedOde, chunk: int) -> tuple[Array, Array]:
    """Values and slopes [CHUNK_TICKS + 1, D] at the ticks of one chunk; each chunk goes on where the last one ended."""
    now = event.start_values() if chunk == 0 else tuple(_chunk(event, chunk - 1)[0][-1].tolist())
    values, slopes = [now], [event.rates(now)]
    for _ in range(CHUNK_TICKS):
        k1 = slopes[-1]
        k2 = event.rates(_stepped(now, k1, TICK_S / 2))
        k3 = event.rates(_stepped(now, k2, TICK_S / 2))
        k4 = event.rates(_stepped(now, k3, TICK_S))
        now = tuple(x + TICK_S / 6 * (a + 2 * b + 2 * c + d) for x, a, b, c, d in zip(now, k1, k2, k3, k4, strict=True))
        values.append(now)
        slopes.append(event.rates(now))
    return np.array(values), np.array(slopes)


def _stepped(values: tuple[float, ...], slopes: tuple[float, ...], step_s: float) -> tuple[float, ...]:
    return tuple(x + step_s * s for x, s in zip(values, slopes, strict=True))
