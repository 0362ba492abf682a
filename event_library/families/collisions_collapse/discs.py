"""Hard discs that roll on a table: exact parabolas between collisions, found by stepping and bisection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from event_library import rigid

Array = NDArray[np.float64]
Index = NDArray[np.signedinteger[Any]]

LOOK_S = 5e-4  # how often contacts are looked for
HALVINGS = 48


@dataclass(frozen=True)
class Table:
    """Discs of one radius and mass on a table [2] centred on the origin."""

    radius_m: float
    half_size_m: tuple[float, float]
    deceleration_m_per_s2: float  # along the velocity
    restitution: float  # of two discs; no friction between them
    cushion_restitution: float


def rolled(places_m: Array, velocities_m_per_s: Array, table: Table, until_s: float) -> rigid.Bake:
    """Poses of all discs (z is the radius) at ticks of rigid.STEP_S; energy per kilogram of each."""
    i, j = np.triu_indices(len(places_m), 1)
    p, v, start_s = places_m.copy(), velocities_m_per_s.copy(), 0.0
    every = round(rigid.STEP_S / LOOK_S)
    poses = np.zeros((round(until_s / rigid.STEP_S) + 1, len(p), 7))
    poses[..., 2], poses[..., 3] = table.radius_m, 1.0
    energy, deepest = np.empty(len(poses)), 0.0
    before_s = 0.0
    bounced: list[tuple[float, tuple[int, int]]] = []
    for look in range((len(poses) - 1) * every + 1):
        now_s = look * LOOK_S
        while True:
            q, w = _moved(p, v, now_s - start_s, table)
            bad = _touching(q, w, i, j, table)
            if not bad:
                break
            first_s, first = now_s, bad[0]
            for pair in bad:  # the earliest of those that touch by now
                low, high = max(before_s, start_s), now_s
                for _ in range(HALVINGS):
                    middle = (low + high) / 2
                    if pair in _touching(*_moved(p, v, middle - start_s, table), i, j, table):
                        high = middle
                    else:
                        low = middle
                if high <= first_s:
                    first_s, first = high, pair
            p, v = _moved(p, v, first_s - start_s, table)
            start_s = first_s
            _bounce(p, v, first, table)
            bounced.append((first_s, (first[0], max(first[1], -1))))
        before_s = now_s
        deepest = max(deepest, float((2 * table.radius_m - np.linalg.norm(q[i] - q[j], axis=1)).max()))
        if look % every == 0:
            poses[look // every, :, :2], energy[look // every] = q, (w**2).sum() / 2
    return rigid.Bake(poses, energy, max(deepest, 0.0), rigid.onsets(bounced))


def _moved(p: Array, v: Array, after_s: float, table: Table) -> tuple[Array, Array]:
    """Places and velocities after a time without a collision."""
    speed = np.linalg.norm(v, axis=1, keepdims=True)
    heading = v / np.maximum(speed, 1e-300)
    t = np.minimum(after_s, speed / table.deceleration_m_per_s2)
    return (
        p + heading * (speed * t - table.deceleration_m_per_s2 / 2 * t * t),
        heading * np.maximum(speed - table.deceleration_m_per_s2 * t, 0.0),
    )


def _touching(p: Array, v: Array, i: Index, j: Index, table: Table) -> list[tuple[int, int]]:
    """Pairs of discs (a, b), and discs with cushions (a, -1 - 2 axis - side), that touch and approach."""
    apart, closing = p[i] - p[j], v[i] - v[j]
    hit = ((apart**2).sum(axis=1) <= 4 * table.radius_m**2) & ((apart * closing).sum(axis=1) < -1e-12)
    found = [(int(i[k]), int(j[k])) for k in np.flatnonzero(hit)]
    limit = np.array(table.half_size_m) - table.radius_m
    out = (np.abs(p) >= limit) & (p * v > 0)
    return found + [(int(a), -1 - int(axis)) for a, axis in np.argwhere(out)]


def _bounce(p: Array, v: Array, pair: tuple[int, int], table: Table) -> None:
    a, b = pair
    if b < 0:
        v[a, -1 - b] *= -table.cushion_restitution
        return
    normal = (p[a] - p[b]) / np.linalg.norm(p[a] - p[b])
    kick = (1 + table.restitution) / 2 * ((v[a] - v[b]) @ normal) * normal
    v[a], v[b] = v[a] - kick, v[b] + kick
