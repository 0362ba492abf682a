"""Mechanisms clocks: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.integrate import quad

from event_library.families.mechanisms_clocks.clocks import AnalogClock, Hourglass
from event_library.families.mechanisms_clocks.gears import GearTrain, GenevaDrive
from event_library.families.mechanisms_clocks.wheels import FerrisWheel, FlywheelSpinDown, Turntable
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated, until


def turned(rate_rad_per_s: Callable[[float], float], start_rad: float, t_s: Array) -> Array:
    """[T] bearing in [0, 2 pi) of a unit vector that is turned at a rate: x' = -w y, y' = w x."""

    def turning(t: float, v: Array) -> list[float]:
        w = rate_rad_per_s(t)
        return [-w * v[1], w * v[0]]

    x, y = integrated(turning, [np.cos(start_rad), np.sin(start_rad)], t_s)
    return np.arctan2(y, x) % (2 * np.pi)


def analog_clock(event: AnalogClock, t_s: Array) -> dict[str, Array]:
    """Two hands turned at their own rates, from where the start time puts them."""
    rate = 2 * np.pi / 3600 * event.time_scale
    return {
        "minute_angle": turned(lambda t: rate, 2 * np.pi * (event.start_h - int(event.start_h)), t_s),
        "hour_angle": turned(lambda t: rate / 12, 2 * np.pi * event.start_h / 12, t_s),
    }


def hourglass(event: Hourglass, t_s: Array) -> dict[str, Array]:
    """Height of the sand in the upper cone from dV/dt = pi (k h)^2 dh/dt = -V0 / Tg; in h^3, so that it ends gently."""
    full = event.sand_height_m**3
    cubed = until(lambda t, h3: [-full / event.run_s], full, 0.0, t_s)
    return {"lower_fraction": 1 - cubed / full, "trigger:run_out": np.array([event.run_s])}


def gear_train(event: GearTrain, t_s: Array) -> dict[str, Array]:
    """Equal speeds of the pitch circles where they touch, from the bearings at rest."""
    start = event.states(np.zeros(1))["phi"][0]
    rim = event.rate_rad_per_s * event.num_1  # speed of every pitch circle, in half modules a second
    rates = (rim / event.num_1, -rim / event.num_2, rim / event.num_3)
    phi = [turned(lambda t, w=w: w, phi0, t_s) for w, phi0 in zip(rates, start, strict=True)]
    return {"phi": np.column_stack(phi), "phi_1": phi[0], "phi_3": phi[2]}


def geneva_drive(event: GenevaDrive, t_s: Array) -> dict[str, Array]:
    """The wheel's angular velocity, d out / d psi = (c cos psi - 1) / (c^2 - 2 c cos psi + 1), summed over the turns."""
    c = 1 / np.sin(np.pi / event.num_slots)
    engaged = np.pi / 2 - np.pi / event.num_slots

    def gone(psi: float) -> float:
        end = min(psi, engaged)
        ratio = quad(lambda a: (c * np.cos(a) - 1) / (c * c - 2 * c * np.cos(a) + 1), -engaged, end, epsabs=1e-12)[0]
        return float(ratio) if end > -engaged else 0.0

    whole = np.floor(t_s / event.turn_s)
    step = gone(np.pi)
    part = np.array([gone(psi) for psi in 2 * np.pi * (t_s / event.turn_s - whole) - np.pi])
    total = whole * step + part
    return {"output_angle": total - 2 * np.pi * np.floor(total / (2 * np.pi) + 1e-9)}  # rests at whole turns too


def turntable(event: Turntable, t_s: Array) -> dict[str, Array]:
    return {"cube_bearing": turned(lambda t: event.rate_rad_per_s, event.start_rad, t_s)}


def ferris_wheel(event: FerrisWheel, t_s: Array) -> dict[str, Array]:
    """The speed 6 u (1 - u) / t_m of each move, summed move by move."""
    phi = np.full(len(t_s), event.start_rad)
    for move in range(int(t_s[-1] / (event.move_s + event.wait_s)) + 1):
        u = np.clip((t_s - move * (event.move_s + event.wait_s)) / event.move_s, 0, 1)
        phi += [2 * np.pi / event.num_cabins * quad(lambda v: 6 * v * (1 - v), 0, end)[0] for end in u]
    return {"red_cabin": phi % (2 * np.pi)}


def flywheel_spin_down(event: FlywheelSpinDown, t_s: Array) -> dict[str, Array]:
    """w' = -w / tr and phi' = w, integrated together."""
    w, phi = integrated(
        lambda t, y: [-y[0] / event.decay_s, y[0]], [event.start_rate_rad_per_s, event.start_rad], t_s
    )
    return {"speed": w, "angle": phi % (2 * np.pi)}


REFERENCES: Mapping[str, Reference] = {
    "analog_clock": analog_clock,
    "hourglass": hourglass,
    "gear_train": gear_train,
    "geneva_drive": geneva_drive,
    "turntable": turntable,
    "ferris_wheel": ferris_wheel,
    "flywheel_spin_down": flywheel_spin_down,
}
