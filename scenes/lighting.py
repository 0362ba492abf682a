"""Lamps of the world. Power grows with distance squared, so that exposure does not hang on size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.occupancy import box_corners
from scenes.plan import LightPlan, Vec3

Array = NDArray[np.float64]


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


PRESETS = {
    "studio": Preset(1.6, (1.0, 0.96, 0.9), 56, 38, 0.9, (0.95, 0.97, 1.0), (0.42, 0.43, 0.45)),
    "window": Preset(2.1, (1.0, 0.87, 0.7), 44, 62, 0.45, (0.8, 0.88, 1.0), (0.29, 0.32, 0.38)),
    "dim": Preset(0.39, (1.0, 0.8, 0.6), 56, 40, 0.18, (0.7, 0.8, 1.0), (0.11, 0.125, 0.16)),
}


def lamps(
    preset: Preset,
    strength: float,
    subject_m: Array,
    reach_m: float,
    room_m: float,
    camera_azimuth_rad: float,
    side: int,
) -> tuple[LightPlan, ...]:
    """Key from beside the camera (`side` -1 left, +1 right) and a wide soft lamp overhead.

    subject_m: point lit [3]; reach_m: distance of the key lamp; room_m: half the room's width.
    """
    azimuth = camera_azimuth_rad + side * np.deg2rad(preset.key_azimuth_deg)
    elevation = np.deg2rad(preset.key_elevation_deg)
    direction = np.array([np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])
    overhead = subject_m + np.array([0.0, 0.0, 1.1 * room_m])
    return (
        _lamp(
            "key",
            subject_m + reach_m * direction,
            subject_m,
            0.35 * reach_m,
            preset.key_irradiance * strength,
            preset.key_rgb,
        ),
        _lamp("ceiling", overhead, subject_m, 0.9 * room_m, preset.ceiling_irradiance * strength, preset.ceiling_rgb),
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


def shadow_points(box_m: Array, lights: tuple[LightPlan, ...], ground_z_m: float, furthest_m: float) -> Array:
    """[N, 3] corners of the shadows that a box throws on the ground under the lamps, penumbra included.

    A lamp wider than it is far from being a point (the overhead one) leaves only a faint shade around the box and
    counts by its middle. Shadows are cut off `furthest_m` from the box's middle, where the walls stand.
    """
    centre = box_m.mean(axis=0)
    points = []
    for light in lights:
        sources = _lamp_points(light) if light.name == "key" else np.array([light.location_m])
        for source in sources:
            points.append(_projected(box_corners(box_m), source, ground_z_m))
    shadows = np.vstack(points)
    away = shadows[:, :2] - centre[:2]
    length = np.linalg.norm(away, axis=1, keepdims=True)
    shadows[:, :2] = centre[:2] + away * np.minimum(1.0, furthest_m / np.maximum(length, 1e-9))
    return shadows


def _lamp_points(light: LightPlan) -> Array:
    """[5, 3] middle and rim of a lamp, as a horizontal square that holds it at any tilt."""
    middle, half = np.asarray(light.location_m), light.size_m / np.sqrt(2)
    rim = np.array([(0, 0, 0), (half, 0, 0), (-half, 0, 0), (0, half, 0), (0, -half, 0)])
    return middle + rim


def _projected(corners_m: Array, source_m: Array, ground_z_m: float) -> Array:
    """Corners pushed away from a point source down to the ground; from a source that is not above them, very far."""
    drop = source_m[2] - corners_m[:, 2]
    factor = np.where(drop > 1e-6, (source_m[2] - ground_z_m) / np.maximum(drop, 1e-6), 1e3)
    return np.column_stack(
        [
            source_m[:2] + (corners_m[:, :2] - source_m[:2]) * factor[:, None],
            np.full(len(corners_m), ground_z_m),
        ]
    )
