"""Lamps of rooms, sun and sky outdoors. A lamp's power grows with its distance squared: exposure hangs on no size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenes.plan import LightPlan, SkyPlan, Vec3
from scenes.worlds.site import Ground, Site

Array = NDArray[np.float64]
SUN_M = 1e5  # as far away as the sun is for shadows


@dataclass(frozen=True)
class Preset:
    """Irradiances are W/m2 on a surface that faces the lamp at the subject (3.1 makes white about full white)."""

    key_irradiance: float
    key_rgb: Vec3
    key_elevation_deg: float
    key_azimuth_deg: float  # as seen from the subject, away from the camera's side: 0 is behind the camera
    ceiling_irradiance: float
    ceiling_rgb: Vec3
    ambient_rgb: Vec3


@dataclass(frozen=True)
class SkyPreset:
    """Sun and sky. The sun stands within these elevations and so far from behind the camera, on either side."""

    kind: Literal["clear", "overcast"]
    sun_irradiance: float
    sun_rgb: Vec3
    sun_elevation_deg: tuple[float, float]
    sun_azimuth_deg: tuple[float, float]
    sun_angle_deg: float
    sky_strength: float
    ambient_rgb: Vec3  # mean radiance of the sky


PRESETS = {
    "studio": Preset(1.6, (1.0, 0.96, 0.9), 56, 38, 0.9, (0.95, 0.97, 1.0), (0.42, 0.43, 0.45)),
    "window": Preset(2.1, (1.0, 0.87, 0.7), 44, 62, 0.45, (0.8, 0.88, 1.0), (0.29, 0.32, 0.38)),
    "dim": Preset(0.39, (1.0, 0.8, 0.6), 56, 40, 0.18, (0.7, 0.8, 1.0), (0.11, 0.125, 0.16)),
}
SKY_PRESETS = {
    "day": SkyPreset("clear", 2.7, (1.0, 0.94, 0.84), (36, 56), (25, 75), 0.9, 0.038, (0.28, 0.36, 0.5)),
    "evening": SkyPreset("clear", 3.0, (1.0, 0.7, 0.42), (20, 27), (35, 80), 1.2, 0.055, (0.3, 0.33, 0.42)),
    "overcast": SkyPreset("overcast", 0.5, (1.0, 0.98, 0.95), (45, 60), (20, 80), 25.0, 1.0, (0.66, 0.69, 0.73)),
}


def lamps(
    preset: Preset,
    strength: float,
    subject_m: Array,
    reach_m: float,
    site: Site,
    camera_azimuth_rad: float,
    side: int,
) -> tuple[LightPlan, ...]:
    """Key from beside the camera (`side` -1 left, +1 right) and the room's wide soft lamp overhead.

    subject_m: point lit [3]; reach_m: distance of the key lamp.
    """
    assert site.overhead_m is not None, "a world under the sky has no lamps"
    elevation_deg = preset.key_elevation_deg if site.key_elevation_deg is None else site.key_elevation_deg
    turn = min(preset.key_azimuth_deg, 180.0 if site.key_elevation_deg is None else 40.0)
    azimuth, elevation = camera_azimuth_rad + side * np.deg2rad(turn), np.deg2rad(elevation_deg)
    direction = np.array([np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])
    key, overhead = subject_m + reach_m * direction, np.asarray(site.overhead_m)
    wide_m = 0.45 * (site.high_m[0] - site.low_m[0])
    key_w, ceiling_w = preset.key_irradiance * strength, preset.ceiling_irradiance * strength
    return (
        _lamp("key", key, subject_m, 0.35 * reach_m, key_w, preset.key_rgb),
        _lamp("ceiling", overhead, subject_m, wide_m, ceiling_w, preset.ceiling_rgb),
    )


def sky(preset: SkyPreset, strength: float, camera_azimuth_rad: float, side: int, rng: np.random.Generator) -> SkyPlan:
    """Sun and sky with the sun beside the camera (`side` -1 left, +1 right)."""
    away = float(rng.uniform(*preset.sun_azimuth_deg))
    return SkyPlan(
        kind=preset.kind,
        strength=preset.sky_strength * strength,
        sun_elevation_rad=float(np.deg2rad(rng.uniform(*preset.sun_elevation_deg))),
        sun_azimuth_rad=float(camera_azimuth_rad + side * np.deg2rad(away)),
        sun_w_per_m2=preset.sun_irradiance * strength,
        sun_rgb=preset.sun_rgb,
        sun_angle_rad=float(np.deg2rad(preset.sun_angle_deg)),
    )


def _lamp(name: str, location_m: Array, target_m: Array, size_m: float, irradiance: float, rgb: Vec3) -> LightPlan:
    """A Lambertian square lamp whose power gives `irradiance` at its target: E = P / (pi d^2) on its axis."""
    distance_m = float(np.linalg.norm(location_m - target_m))
    power_w = float(np.pi * distance_m**2 * irradiance)
    return LightPlan(
        name=name, location_m=vec3(location_m), target_m=vec3(target_m), size_m=float(size_m), power_w=power_w, rgb=rgb
    )


def vec3(values: Array) -> Vec3:
    x, y, z = (float(v) for v in values)
    return x, y, z


def shadow_points(box_m: Array, lights: tuple[LightPlan, ...], sky: SkyPlan | None, site: Site) -> Array:
    """[N, 3] points of the shadows that a box throws on the grounds and walls of its site, penumbra included.

    A lower ground counts when a shadow reaches over the edge of the one above it. The box counts by 26 points of its
    surface, so that a shadow that bends from the ground up a wall stays inside the points' hull but for a little. The
    wide overhead lamp leaves only a faint shade around the box and counts by its middle.
    """
    corners = _surface(box_m)
    sources = [source for light in lights for source in _sources(light)]
    if sky is not None:
        sources.append(box_m.mean(axis=0) + SUN_M * np.asarray(sky.towards_sun))
    found = []
    for ground in site.grounds:
        points = np.vstack([_projected(corners, source, ground.z_m, site) for source in sources])
        found.append(points)
        if not _passes(points, ground):
            break
    return np.vstack(found)


def _sources(light: LightPlan) -> Array:
    """[N, 3] the middle of a lamp; of the key also its rim, as a horizontal square that holds it at any tilt."""
    if light.name != "key":
        return np.array([light.location_m])
    half = light.size_m / np.sqrt(2)
    rim = np.array([(0, 0, 0), (half, 0, 0), (-half, 0, 0), (0, half, 0), (0, -half, 0)])
    return np.asarray(light.location_m) + rim


def _surface(box_m: Array) -> Array:
    """[26, 3] corners of a box and the middles of its edges and faces."""
    steps = np.array([(x, y, z) for x in (0, 1, 2) for y in (0, 1, 2) for z in (0, 1, 2) if (x, y, z) != (1, 1, 1)])
    return box_m[0] + (box_m[1] - box_m[0]) * steps / 2


def _passes(points_m: Array, ground: Ground) -> bool:
    """Whether some of the points lie beyond the ground's edges."""
    plan = points_m[:, :2]
    return bool(np.any(plan < ground.low_m) or np.any(plan > ground.high_m))


def _projected(points_m: Array, source_m: Array, ground_z_m: float, site: Site) -> Array:
    """Points pushed away from a point source until they meet the ground or a wall."""
    way = points_m - source_m
    with np.errstate(divide="ignore", invalid="ignore"):
        down = np.where(way[:, 2] < -1e-9, (ground_z_m - points_m[:, 2]) / way[:, 2], np.inf)
        low = np.where(way[:, :2] < -1e-9, (np.asarray(site.low_m) - points_m[:, :2]) / way[:, :2], np.inf)
        high = np.where(way[:, :2] > 1e-9, (np.asarray(site.high_m) - points_m[:, :2]) / way[:, :2], np.inf)
    further = np.minimum(down, np.minimum(low, high).min(axis=1))
    return points_m + np.maximum(further, 0.0)[:, None] * way
