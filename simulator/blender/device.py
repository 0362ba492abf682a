"""Cycles on the best device there is: a GPU of any maker where Blender finds one, else the CPU."""

from __future__ import annotations

import bpy

_BACKENDS = ("OPTIX", "CUDA", "HIP", "ONEAPI", "METAL")


def use_best_device(scene: bpy.types.Scene) -> str:
    """Switch Cycles to a GPU if one answers; returns its name, or "CPU"."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for backend in _BACKENDS:
        try:
            preferences.compute_device_type = backend
        except TypeError:  # this build of Blender does not know the backend
            continue
        preferences.refresh_devices()
        devices = [d for d in preferences.devices if d.type == backend]
        if devices:
            for device in preferences.devices:
                device.use = device.type == backend
            scene.cycles.device = "GPU"
            return f"{backend} {devices[0].name}"
    preferences.compute_device_type = "NONE"
    scene.cycles.device = "CPU"
    return "CPU"
