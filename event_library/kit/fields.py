"""Seeded random fields and fronts: the raggedness of rust, frost, mould, burn lines, stains.

Everything is a pure function of points and a seed, so a field can be sampled at any vertex of any mesh.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from event_library.kit.shapes import Array


def noise(points_m: Array, size_m: float, seed: int, *, octaves: int = 3, period: int = 256) -> Array:
    """[...] smooth noise in about [-1, 1] at points [..., 2] or [..., 3]; its coarsest bumps are `size_m` apart."""
    points = np.asarray(points_m, dtype=np.float64)
    rng = np.random.Generator(np.random.PCG64(seed))
    shift = rng.uniform(0, period, (octaves, points.shape[-1]))
    table = rng.uniform(-1.0, 1.0, period)
    order = rng.permutation(period)
    total, weight = np.zeros(points.shape[:-1]), 0.0
    for octave in range(octaves):
        total = total + 0.5**octave * _one_octave(points * 2**octave / size_m + shift[octave], table, order)
        weight += 0.5**octave
    return np.asarray(1.5 * total / weight)


def _one_octave(at: Array, table: Array, order: NDArray[np.int64]) -> Array:
    """Value noise: random values at whole points, blended smoothly (5th-degree steps) between them."""
    low = np.floor(at).astype(np.int64)
    share = at - low
    blend = share**3 * (share * (6 * share - 15) + 10)
    total = np.zeros(at.shape[:-1])
    for corner in np.ndindex(*[2] * at.shape[-1]):
        hashed = np.zeros(at.shape[:-1], dtype=np.int64)
        weight = np.ones(at.shape[:-1])
        for axis, step in enumerate(corner):
            hashed = order[(hashed + low[..., axis] + step) % len(order)]
            weight = weight * (blend[..., axis] if step else 1 - blend[..., axis])
        total = total + weight * table[hashed]
    return total


def ragged_distance_m(points_m: Array, seeds_m: Array, rough: float, size_m: float, seed: int) -> Array:
    """[...] distance of points [..., D] to the nearest of seeds [S, D], roughened by a share `rough` of itself.

    A front of speed v reaches a point when v t passes this: compare, or feed `front_share`.
    """
    points = np.asarray(points_m, dtype=np.float64)
    apart = np.linalg.norm(points[..., None, :] - np.asarray(seeds_m, dtype=np.float64), axis=-1).min(axis=-1)
    return np.asarray(apart * (1 + rough * noise(points, size_m, seed)))


def front_share(distance_m: Array, reach_m: float, soft_m: float) -> Array:
    """[...] 1 behind a front that has gone `reach_m`, 0 ahead of it, smooth over `soft_m`."""
    u = np.clip((reach_m - np.asarray(distance_m)) / soft_m + 0.5, 0.0, 1.0)
    return np.asarray(u * u * (3 - 2 * u))


def spread_over(share: Array, covered: float) -> Array:
    """Level below which exactly a share `covered` of a field's samples [...] lies: thresholds that give a cover."""
    return np.asarray(np.quantile(np.asarray(share), min(max(covered, 0.0), 1.0)))


def mixed(first_rgb: Array | tuple[float, float, float], second_rgb: Array | tuple[float, float, float],
          share: Array) -> Array:  # fmt: skip
    """[..., 3] colours from first (share 0) to second (share 1) for shares [...]."""
    share = np.asarray(share, dtype=np.float64)[..., None]
    return np.asarray(np.asarray(first_rgb) * (1 - share) + np.asarray(second_rgb) * share)
