"""Many copies of one small mesh in one Part: grains, marbles, dominoes, leaves, bubbles, bricks.

The copies lie one after the other in the vertex order; `copies_channels` gives all their poses at once. A copy of
scale 0 is gone (it shrinks to a point at its position: park it inside the scene, the framing counts it). Keep
num * vertices of one <= 2000 (`grain` helps), or spread the copies over several Parts.
"""

from __future__ import annotations

import numpy as np
import trimesh

from event_library import parts
from event_library.channels import Channel, VertexColours, Vertices
from event_library.kit.faces import repeated
from event_library.kit.shapes import Array
from event_library.parts import Material, Part

Channels = dict[str, tuple[Channel, ...]]

MAX_VERTICES = 2000


def grain(radius_m: float, num: int) -> trimesh.Trimesh:
    """The roundest ball of which `num` copies stay within a Part's vertices (42 or 12 each; shade it smooth)."""
    return parts.sphere(radius_m, 1 if num * 42 <= MAX_VERTICES else 0)


def copies(
    name: str, mesh: trimesh.Trimesh, positions_m: Array, material: Material, *, rotations_wxyz: Array | None = None,
    scales: Array | None = None, carries: bool = True, smooth_angle_deg: float = 0.0,
) -> Part:  # fmt: skip
    """One Part of N copies of `mesh` (about its own origin) at [N, 3] positions; see `copied_vertices` for the rest."""
    faces = repeated(mesh.faces, len(mesh.vertices), len(positions_m))
    joined = trimesh.Trimesh(copied_vertices(mesh, positions_m, rotations_wxyz, scales), faces, process=False)
    return Part(name, joined, material, carries=carries, smooth_angle_deg=smooth_angle_deg)


def copies_channels(
    name: str, mesh: trimesh.Trimesh, positions_m: Array, rotations_wxyz: Array | None = None,
    scales: Array | None = None,
) -> Channels:  # fmt: skip
    """Poses of all copies in one instant; same N as when built."""
    return {name: (Vertices(copied_vertices(mesh, positions_m, rotations_wxyz, scales)),)}


def copied_vertices(
    mesh: trimesh.Trimesh, positions_m: Array, rotations_wxyz: Array | None = None, scales: Array | None = None
) -> Array:
    """[N V, 3] vertices of N copies: scaled [N] or [N, 3], turned by unit quaternions [N, 4], moved [N, 3]."""
    positions = np.asarray(positions_m, dtype=np.float64)
    local = np.broadcast_to(np.asarray(mesh.vertices, dtype=np.float64), (len(positions), len(mesh.vertices), 3))
    if scales is not None:
        factor = np.asarray(scales, dtype=np.float64)
        local = local * (factor[:, None, None] if factor.ndim == 1 else factor[:, None, :])
    if rotations_wxyz is not None:
        local = np.einsum("nij,nvj->nvi", rotation_matrices(rotations_wxyz), local)
    return (local + positions[:, None, :]).reshape(-1, 3)


def copies_colours(name: str, mesh: trimesh.Trimesh, rgb: Array) -> Channels:
    """One colour [N, 3] per copy; the Part's material must be `per_vertex`."""
    return {name: (VertexColours(np.repeat(np.asarray(rgb, dtype=np.float64), len(mesh.vertices), axis=0)),)}


def copy_centres(mesh: trimesh.Trimesh, of_one: trimesh.Trimesh) -> Array:
    """[N, 3] mean vertex of each copy in a joined mesh: for `carrier_dimensions`."""
    return np.asarray(np.asarray(mesh.vertices).reshape(-1, len(of_one.vertices), 3).mean(axis=1))


def nearest_copies(points_m: Array, centres_m: Array) -> Array:
    """[P] index of the copy whose centre [N, 3] is nearest to each visible point [P, 3] (ints)."""
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(centres_m).query(points_m)[1])


# ---- rotations, many at once
def rotation_matrices(rotations_wxyz: Array) -> Array:
    """[N, 3, 3] of unit quaternions [N, 4]."""
    w, x, y, z = np.asarray(rotations_wxyz, dtype=np.float64).T
    return np.stack([
        np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], axis=-1),
        np.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], axis=-1),
        np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], axis=-1),
    ], axis=1)  # fmt: skip


def quaternions_about(axis: Array | tuple[float, float, float], angles_rad: Array) -> Array:
    """[N, 4] turns by angles [N] about one unit axis [3] or one each [N, 3]."""
    half = np.asarray(angles_rad, dtype=np.float64)[:, None] / 2
    axes = np.broadcast_to(np.asarray(axis, dtype=np.float64), (len(half), 3))
    return np.hstack([np.cos(half), np.sin(half) * axes])


def quaternions_times(first: Array, second: Array) -> Array:
    """[N, 4] the turn `second` followed by the turn `first`."""
    a, b = np.asarray(first), np.asarray(second)
    w = a[..., :1] * b[..., :1] - (a[..., 1:] * b[..., 1:]).sum(axis=-1, keepdims=True)
    v = a[..., :1] * b[..., 1:] + b[..., :1] * a[..., 1:] + np.cross(a[..., 1:], b[..., 1:])
    return np.concatenate([w, v], axis=-1)


def random_quaternions(num: int, rng: np.random.Generator) -> Array:
    """[num, 4] uniformly random rotations."""
    drawn = rng.normal(size=(num, 4))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


# ---- where copies lie
def packed_positions(num: int, radius_m: float, half_size_m: tuple[float, float], seed: int) -> Array:
    """[num, 3] centres of balls dropped one by one into a box of half size (x, y) on z = 0: a loose heap.

    Each lies on what is below it (hexagonal layers with a little jitter), so balls overlap by at most a few percent.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    step, rise = 2.02 * radius_m, 1.66 * radius_m
    found: list[tuple[float, float, float]] = []
    layer = 0
    while len(found) < num:
        shift = (layer % 2) * step / 2
        ys = np.arange(
            -half_size_m[1] + radius_m + (layer % 2) * step * 0.29, half_size_m[1] - radius_m / 2, step * 0.87
        )
        spots = [
            (x, y, radius_m + layer * rise)
            for row, y in enumerate(ys)
            for x in np.arange(-half_size_m[0] + radius_m + (shift + row % 2 * step / 2) % step,
                               half_size_m[0] - radius_m / 2, step)
        ]  # fmt: skip
        assert spots, "the box is narrower than a ball"
        found += [spots[i] for i in rng.permutation(len(spots))[: num - len(found)]]
        layer += 1
    return np.array(found) + rng.uniform(-0.02, 0.02, (num, 3)) * radius_m * [1.0, 1.0, 0.0]


def scattered_positions(num: int, radius_m: float, seed: int, *, height_m: float = 0.0) -> Array:
    """[num, 3] evenly scattered spots in a disc (sunflower spiral with jitter), inner ones first."""
    rng = np.random.Generator(np.random.PCG64(seed))
    k = np.arange(num) + 0.5
    r, angle = radius_m * np.sqrt(k / num), k * np.pi * (3 - np.sqrt(5))
    spots = np.column_stack([r * np.cos(angle), r * np.sin(angle), np.full(num, height_m)])
    jitter = rng.uniform(-0.25, 0.25, (num, 2)) * radius_m / np.sqrt(num)
    spots[:, :2] += jitter
    return spots
