"""What several oscillators share: laws in closed form, and the pendulum's rates and poses."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ellipj, ellipk

from event_library.base import Array
from event_library.channels import Channel, Move, Rotate, quaternion_about


def let_go(t_s: Array, rate_rad_per_s: float, damping_per_s: float) -> Array:
    """u(t) of u'' + 2 gam u' + (w^2 + gam^2) u = 0 from rest at u = 1; w is the rate at which it rings.

    exp(-gam t) (cos(w t) + gam / w sin(w t)): unlike exp(-gam t) cos(w t) it starts without a push.
    """
    turn = rate_rad_per_s * t_s
    return np.exp(-damping_per_s * t_s) * (np.cos(turn) + damping_per_s / rate_rad_per_s * np.sin(turn))


def pendulum_swing_rad(cycles: Array, amplitude_rad: float) -> Array:
    """Angle of an undamped pendulum after so many swings to and fro, let go at `amplitude_rad`; exact (Jacobi's cd)."""
    modulus = float(np.sin(amplitude_rad / 2))
    _, cn, dn, _ = ellipj(4 * ellipk(modulus**2) * (np.asarray(cycles) % 1.0), modulus**2)
    return np.asarray(2 * np.arcsin(modulus * cn / dn))


def pendulum_length_m(period_s: float, amplitude_rad: float, gravity_m_per_s2: float) -> float:
    """Length of the pendulum that takes `period_s` at this amplitude: T = 4 K(sin(A / 2)) sqrt(L / g)."""
    return gravity_m_per_s2 * float(period_s / (4 * ellipk(np.sin(amplitude_rad / 2) ** 2))) ** 2


def swung(tilt_rad: float, pivot_m: Array) -> tuple[Channel, ...]:
    """Pose of a part built about its pivot, hanging down, tilted to the right by `tilt_rad`."""
    return Rotate(quaternion_about((0.0, 1.0, 0.0), -tilt_rad)), Move(pivot_m)


def tilt_rad(point_m: Array, pivot_m: Array) -> float:
    """Tilt from straight down, positive to the right, of a pivot's pendulum through a point."""
    x, _, z = point_m - pivot_m
    return float(np.arctan2(x, -z))


def pendulum_rates(theta: float, rate: float, own_per_s2: float, drag_per_s: float) -> tuple[float, float]:
    """Newton's law of the pendulum, exact in the angle, with linear drag."""
    return rate, -drag_per_s * rate - own_per_s2 * math.sin(theta)
