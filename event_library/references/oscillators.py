"""Oscillators: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from event_library.families.oscillators.pendulums import PendulumSwing
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated


def pendulum_swing(event: PendulumSwing, t_s: Array) -> dict[str, Array]:
    """The plane pendulum in Cartesian form: a bead on a circle, held by the string's tension (no angle anywhere)."""
    length, gamma, gravity = event.length_m, event.damping_per_s, 9.81

    def bead(t: float, state: Array) -> list[float]:
        x, z, vx, vz = state
        pull = (vx * vx + vz * vz - gravity * z) / length**2  # tension / (mass * length)
        return [vx, vz, -pull * x - 2 * gamma * vx, -pull * z - 2 * gamma * vz - gravity]

    start = [length * np.sin(event.release_angle_rad), -length * np.cos(event.release_angle_rad), 0.0, 0.0]
    x, z, vx, vz = integrated(bead, start, t_s)
    return {"angle": np.arctan2(x, -z), "rate": (vz * x - vx * z) / (x * x + z * z)}


REFERENCES: Mapping[str, Reference] = {"pendulum_swing": pendulum_swing}
