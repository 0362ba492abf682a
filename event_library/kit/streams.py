"""Moving liquid and vapour: jets, taps, drops, splashes, bubbles, steam."""

from __future__ import annotations

import numpy as np
import trimesh

from event_library import parts
from event_library.channels import Channel, Move, Opacity, Scale, Vertices, Visible
from event_library.kit.copies import copies, copies_channels, grain
from event_library.kit.palette import CHROME, FOAM, STEAM, WATER
from event_library.kit.shapes import Array, Place, at, cone, solid_of_revolution, swept
from event_library.laws import GRAVITY_M_PER_S2
from event_library.parts import Material, Part

Channels = dict[str, tuple[Channel, ...]]

JET_SPEED_M_PER_S = 0.8  # of water as it leaves a tap
JET_RINGS, JET_SIDES = 9, 14
PUFF_OPACITY = 0.4  # of one puff where it faces the viewer: a plume of many still shows what is behind


# ---- jets
def jet(name: str, material: Material = WATER) -> Part:
    """A stream of liquid; `falling_jet_channels` or `parabolic_jet_channels` gives it its shape (176 vertices)."""
    return Part(
        name, _jet_mesh(np.array([(0, 0, 0.1), (0, 0, 0.0)]), 0.005), material, carries=True, smooth_angle_deg=60
    )


def falling_jet_channels(
    name: str, flow_m3_per_s: float, top: Place, bottom_z_m: float, *, speed_m_per_s: float = JET_SPEED_M_PER_S,
    running: bool | None = None,
) -> Channels:  # fmt: skip
    """Straight down from the spout at `top`, thinning as it speeds up (continuity, free fall). Gone when not running.

    running: default whether the flow is positive.
    """
    drop = np.linspace(0.0, max(top[2] - bottom_z_m, 1e-4), JET_RINGS)
    speed = np.sqrt(speed_m_per_s**2 + 2 * GRAVITY_M_PER_S2 * drop)
    path = np.column_stack([np.full(JET_RINGS, top[0]), np.full(JET_RINGS, top[1]), top[2] - drop])
    return _jet_channels(name, path, flow_m3_per_s, speed, running)


def parabolic_jet_channels(
    name: str, flow_m3_per_s: float, hole: Place, velocity_m_per_s: Place, bottom_z_m: float, *,
    running: bool | None = None,
) -> Channels:  # fmt: skip
    """Free flight from a hole with a given velocity down to the height `bottom_z_m`, thinning as it speeds up."""
    time_s = np.linspace(0.0, flight_s(hole[2] - bottom_z_m, velocity_m_per_s[2]), JET_RINGS)[:, None]
    velocity = np.asarray(velocity_m_per_s) - at(0.0, 0.0, GRAVITY_M_PER_S2) * time_s
    path = np.asarray(hole) + (np.asarray(velocity_m_per_s) + velocity) / 2 * time_s
    return _jet_channels(name, path, flow_m3_per_s, np.maximum(np.linalg.norm(velocity, axis=1), 0.05), running)


def flight_s(drop_m: float, upward_m_per_s: float = 0.0) -> float:
    """Time of free flight down to `drop_m` below the start."""
    root = upward_m_per_s**2 + 2 * GRAVITY_M_PER_S2 * max(drop_m, 0.0)
    return max(float((upward_m_per_s + np.sqrt(root)) / GRAVITY_M_PER_S2), 1e-4)


def _jet_channels(name: str, path_m: Array, flow: float, speed: Array, running: bool | None) -> Channels:
    on = flow > 0 if running is None else running
    radius = np.sqrt(max(flow, 1e-9) / (np.pi * speed))
    return {name: (Visible(bool(on)), Vertices(np.asarray(_jet_mesh(path_m, radius).vertices)))}


def _jet_mesh(path_m: Array, radius_m: float | Array) -> trimesh.Trimesh:
    if len(path_m) != JET_RINGS:
        path_m = np.linspace(path_m[0], path_m[-1], JET_RINGS)
    return swept(path_m, radius_m, JET_SIDES)


def splash(name: str, radius_m: float = 0.0085, material: Material = FOAM) -> Part:
    """Foamy ring where a jet meets the surface; see `splash_channels`."""
    return Part(name, parts.torus(radius_m, 0.3 * radius_m, 24, 8), material, carries=True, smooth_angle_deg=60)


def splash_channels(name: str, place: Place, running: bool) -> Channels:
    """The splash lies at `place` while the jet runs."""
    return {name: (Visible(running), Move(at(*place)))}


# ---- taps and spouts
def tap(name: str, spout: Place, reach_m: float = 0.11, *, bend_rad: float = 0.0) -> tuple[Part, ...]:
    """Kitchen tap: a swan neck whose mouth is at `spout`, on a post `reach_m` away towards `bend_rad` (0: +x)."""
    r = reach_m / 2
    bend = np.linspace(0.0, np.pi, 13)
    height = spout[2]
    neck = np.column_stack([r * (1 + np.cos(bend)), np.zeros_like(bend), height + 0.018 + r * np.sin(bend)])
    lever = np.array([(reach_m, 0, 0.062), (reach_m + 0.03, 0, 0.075), (reach_m + 0.06, 0, 0.1)])
    mesh = parts.join(
        swept(np.vstack([[(reach_m, 0.0, 0.0)], neck, [(0.0, 0.0, height)]]), 0.0095, 16),
        parts.moved(parts.cylinder(0.013, 0.016, 24), z_m=height),
        parts.moved(parts.cylinder(0.024, 0.012, 24), reach_m),
        parts.moved(parts.cylinder(0.016, 0.05, 24), reach_m, 0.0, 0.03),
        swept(lever, 0.006, 10),
    )
    mesh.apply_transform(trimesh.transformations.rotation_matrix(bend_rad, (0, 0, 1)))
    return (Part(name, parts.moved(mesh, spout[0], spout[1]), CHROME, smooth_angle_deg=40),)


def spout(name: str, mouth: Place, radius_m: float = 0.008, length_m: float = 0.03, *, towards: Place = (1.0, 0.0, 0.0),
          material: Material = CHROME) -> tuple[Part, ...]:  # fmt: skip
    """Short nozzle in a wall: ends at `mouth`, pointing along the unit vector `towards`."""
    end = np.asarray(mouth)
    path = np.array([end - length_m * np.asarray(towards), end])
    return (Part(name, swept(path, radius_m, 16), material, smooth_angle_deg=40),)


def syringe_needle(name: str, tip: Place, length_m: float = 0.05) -> tuple[Part, ...]:
    """Upright dropper: a thin glassless tube that ends at `tip` with a wider body above (burette, pipette)."""
    mesh = parts.join(
        parts.moved(cone(0.0012, 0.4 * length_m, 0.004, 12), *tip),
        parts.moved(parts.cylinder(0.006, 0.6 * length_m, 16), tip[0], tip[1], tip[2] + 0.4 * length_m),
    )
    return (Part(name, mesh, CHROME, smooth_angle_deg=40),)


# ---- drops
def drop(name: str, radius_m: float, material: Material = WATER) -> Part:
    """One drop (tear shape, volume close to that of the ball), about its middle; see `drop_channels`."""
    bow = np.linspace(0.15, np.pi - 0.02, 11)
    tail = 1 + 0.75 * np.clip((bow - np.pi / 2) / (np.pi / 2), 0, 1) ** 2
    profile = radius_m * np.column_stack(
        [np.sin(bow) * np.where(bow > np.pi / 2, 1 / tail**1.5, 1), -np.cos(bow) * tail]
    )
    return Part(name, solid_of_revolution(profile, 16), material, carries=True, smooth_angle_deg=80)


def drop_channels(name: str, place: Place, size: float = 1.0, *, visible: bool = True) -> Channels:
    """The drop at `place`, `size` times as large as built."""
    return {name: (Visible(visible and size > 0), Scale(np.full(3, max(size, 1e-3))), Move(at(*place)))}


def fallen_m(time_s: Array | float) -> Array:
    """Distance of free fall from rest after times [...]; 0 before."""
    return np.asarray(GRAVITY_M_PER_S2 / 2 * np.maximum(np.asarray(time_s, dtype=np.float64), 0.0) ** 2)


# ---- many at once: bubbles, drops, rain
def balls(name: str, num: int, radius_m: float, material: Material = FOAM) -> Part:
    """`num` small balls in one Part (bubbles, drops, beads), all at the origin and of no size until placed."""
    return copies(
        name, grain(radius_m, num), np.zeros((num, 3)), material, scales=np.full(num, 1e-3), smooth_angle_deg=180
    )


def balls_channels(name: str, radius_m: float, places_m: Array, sizes: Array | None = None) -> Channels:
    """Balls at [N, 3], `sizes` [N] times `radius_m` (0 hides)."""
    return copies_channels(name, grain(radius_m, len(places_m)), places_m, None, sizes)


def rising_places(
    num: int, time_s: float, rise_m_per_s: float, foot: Place, radius_m: float, height_m: float, seed: int,
    *, wobble_m: float = 0.002,
) -> tuple[Array, Array]:  # fmt: skip
    """Bubbles that keep rising in a column: places [num, 3] and sizes [num] at a time; the same for the same seed.

    They start anew at the foot (height `foot` z) when they reach `height_m` above it; each has its own track within
    `radius_m`, its own phase and size.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    angle, reach = rng.uniform(0, 2 * np.pi, num), radius_m * np.sqrt(rng.uniform(0, 1, num))
    phase = (rng.permutation(num) + rng.uniform(0, 1, num)) / num  # evenly spread, in no order
    size = rng.uniform(0.6, 1.0, num)
    risen = (phase + time_s * rise_m_per_s / max(height_m, 1e-6)) % 1.0
    sway = wobble_m * np.sin(2 * np.pi * (3 * risen + phase))
    places = np.column_stack([reach * np.cos(angle) + sway, reach * np.sin(angle), risen * height_m]) + np.asarray(foot)
    return places, size * np.minimum(1.0, 8 * risen + 0.3)


# ---- vapour
def puffs(name: str, num: int, radius_m: float, material: Material = STEAM) -> Part:
    """Soft puffs of steam or smoke in one Part (kind haze: left out of the truth rays); see `puffs_channels`."""
    return copies(
        name, parts.sphere(radius_m, 1), np.zeros((num, 3)), material, scales=np.full(num, 1e-3), carries=False,
        smooth_angle_deg=180,
    )  # fmt: skip


def puffs_channels(
    name: str, num: int, radius_m: float, foot: Place, time_s: float, *, height_m: float = 0.12,
    rise_m_per_s: float = 0.06, spread_m: float = 0.02, strength: float = 1.0, seed: int = 0,
) -> Channels:  # fmt: skip
    """A plume of puffs that rise from `foot` and widen, shrinking away at the top; `strength` in [0, 1] thins it.

    It reads as one plume when the puffs overlap: num * radius_m of at least 2 height_m.
    """
    places, _ = rising_places(num, time_s, rise_m_per_s, (0.0, 0.0, 0.0), 1.0, height_m, seed, wobble_m=0.15)
    risen = places[:, 2] / height_m
    width = (0.25 + risen) * spread_m
    spots = np.column_stack([places[:, 0] * width, places[:, 1] * width, places[:, 2]]) + np.asarray(foot)
    sizes = (0.35 + 0.9 * risen) * np.clip(4 * (1 - risen), 1e-3, 1) * np.clip(6 * risen, 0.05, 1)
    placed = copies_channels(name, parts.sphere(radius_m, 1), spots, None, sizes)[name]
    thin = Opacity(PUFF_OPACITY * min(max(strength, 0.0), 1.0))
    return {name: (Visible(strength > 0), thin, *placed)}
