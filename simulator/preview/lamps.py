"""Lamps of the world and of events as the shader takes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from event_library.channels import Channel
from scenes.plan import LightPlan, SkyPlan
from simulator.stage import EventLamp

SUN_M = 1e5
Lamp = NDArray[np.float32]  # [3, 4]: (position, size), (direction or 0, 0), (W RGB / pi, 0)


def world_lamp(light: LightPlan, level: float) -> Lamp:
    """A square Lambertian lamp: on its axis the irradiance is P / (pi d^2)."""
    aim = np.asarray(light.target_m) - np.asarray(light.location_m)
    lamp = np.zeros((3, 4), dtype=np.float32)
    lamp[0, :3], lamp[0, 3] = light.location_m, light.size_m
    lamp[1, :3] = aim / np.linalg.norm(aim)
    lamp[2, :3] = np.asarray(light.rgb) * (light.power_w * level / np.pi**2)
    return lamp


def sun_lamp(sky: SkyPlan, level: float) -> Lamp:
    """The sun as a lamp so far away that its light is parallel; it throws no shadows here."""
    lamp = np.zeros((3, 4), dtype=np.float32)
    lamp[0, :3] = SUN_M * np.asarray(sky.towards_sun)
    lamp[1, :3] = -np.asarray(sky.towards_sun)
    lamp[2, :3] = np.asarray(sky.sun_rgb) * (sky.sun_w_per_m2 * level * SUN_M**2 / np.pi)
    return lamp


def event_lamp(lamp: EventLamp, own: tuple[Channel, ...]) -> Lamp | None:
    """A glowing ball: the irradiance is P / (4 pi d^2) all round; None when it is off."""
    power_w, location_m = lamp.shining(own)
    if power_w <= 0.0:
        return None
    found = np.zeros((3, 4), dtype=np.float32)
    found[0, :3] = location_m
    found[0, 3] = lamp.lamp.radius_m
    found[2, :3] = np.asarray(lamp.lamp.rgb) * (power_w / np.pi**2)
    return found
