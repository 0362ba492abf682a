"""A toy train, built about its middle on top of the rails, heading +x: `{name}_body` and `{name}_trim` each."""

from __future__ import annotations

import numpy as np
import trimesh

from event_library import parts
from event_library.kit import shapes
from event_library.kit.palette import DARK, RED, paint
from event_library.parts import Part, Rgb

WHEEL_M = 0.024


def engine(name: str) -> tuple[Part, ...]:
    """Steam engine: boiler, cab, chimney with a flared top, buffer beam."""
    boiler = shapes.turned(parts.cylinder(0.036, 0.125, 24), (0.0, 1.0, 0.0), np.pi / 2)
    body = parts.join(
        parts.block((0.19, 0.076, 0.018), (0, 0, 0.022)),
        parts.moved(boiler, -0.035, 0, 0.072),
        parts.block((0.062, 0.084, 0.1), (-0.062, 0, 0.036)),
        parts.block((0.012, 0.1, 0.024), (0.094, 0, 0.018)),
    )
    chimney = shapes.solid_of_revolution(np.array([(0.012, 0.0), (0.012, 0.035), (0.021, 0.05), (0.021, 0.056)]), 16)
    trim = parts.join(
        _wheels((-0.06, 0.0, 0.06)),
        parts.block((0.082, 0.1, 0.012), (-0.062, 0, 0.136)),
        parts.moved(chimney, 0.062, 0, 0.1),
        parts.moved(parts.sphere(0.018, 2), 0.012, 0, 0.108),
    )
    centred = -float(np.asarray(body.vertices)[:, 0].mean())  # the body's mean vertex lies over the track
    return (
        Part(f"{name}_body", parts.moved(body, centred), paint(RED), carries=True, smooth_angle_deg=35),
        Part(f"{name}_trim", parts.moved(trim, centred), DARK, carries=True, smooth_angle_deg=35),
    )


def wagon(name: str, rgb: Rgb) -> tuple[Part, ...]:
    """Open goods wagon with a rounded load."""
    body = parts.join(
        parts.block((0.13, 0.08, 0.014), (0, 0, 0.024)),
        *(parts.block((0.13, 0.008, 0.05), (0, s * 0.038, 0.03)) for s in (-1, 1)),
        *(parts.block((0.008, 0.08, 0.05), (s * 0.061, 0, 0.03)) for s in (-1, 1)),
    )
    trim = parts.join(
        _wheels((-0.04, 0.04)),
        parts.moved(shapes.ellipsoid((0.11, 0.066, 0.06)), 0, 0, 0.07),
        parts.block((0.04, 0.014, 0.01), (0.075, 0, 0.03)),
    )
    return (
        Part(f"{name}_body", body, paint(rgb), carries=True),
        Part(f"{name}_trim", trim, DARK, carries=True, smooth_angle_deg=35),
    )


def _wheels(axles_m: tuple[float, ...]) -> trimesh.Trimesh:
    wheels = [
        parts.moved(shapes.turned(parts.cylinder(WHEEL_M, 0.012, 20), (1.0, 0.0, 0.0), np.pi / 2), x, y, WHEEL_M)
        for x in axles_m
        for y in (-0.032, 0.044)
    ]
    return parts.join(*wheels)
