"""Kinematics: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from event_library.families.kinematics.flight import BouncingBall, ProjectileLob
from event_library.families.kinematics.rolling import BallRollingToRest, BallThroughTunnel, BallUpRampReturn
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated, until

G = 9.81


def ball_rolling_to_rest(event: BallRollingToRest, t_s: Array) -> dict[str, Array]:
    """The speed integrated until 0; the way from the work of the resistance, a x = (v0^2 - v^2) / 2."""
    slowing = event.slowing_m_per_s2
    speed = until(lambda t, v: [-slowing], event.speed_m_per_s, 0.0, t_s)
    x = (event.speed_m_per_s**2 - speed**2) / (2 * slowing)
    return {"x": x, "roll": x / event.radius_m}


def ball_through_tunnel(event: BallThroughTunnel, t_s: Array) -> dict[str, Array]:
    return {"x": until(lambda t, x: [event.speed_m_per_s], event.start_m, event.end_m, t_s)}


def ball_up_ramp_return(event: BallUpRampReturn, t_s: Array) -> dict[str, Array]:
    """Newton and Euler with the friction that keeps a solid ball (I = 2/5 m r^2) from slipping, in physical time."""
    mass, radius = 0.3, 0.1
    inertia = 2 / 5 * mass * radius**2
    # unknowns: acceleration up the slope, spin-up, friction up the slope; rolling means spin = -acceleration / radius
    system = np.array([[mass, 0.0, -1.0], [0.0, inertia, radius], [1.0, -radius, 0.0]])
    acceleration = np.linalg.solve(system, [-mass * G * np.sin(event.slope_rad), 0.0, 0.0])[0]
    s, v = integrated(lambda t, y: [y[1], acceleration], [0.0, event.speed_m_per_s], t_s * event.time_scale)
    out = s > 0
    out[0] = t_s[0] == 0
    return {"s": np.where(out, s, 0.0), "v": np.where(out, v * event.time_scale, 0.0)}


def projectile_lob(event: ProjectileLob, t_s: Array) -> dict[str, Array]:
    """Free fall integrated; the landing found on the integrated path."""
    angle, speed = event.elevation_rad, event.speed_m_per_s
    start = [0.0, 0.22, speed * np.cos(angle), speed * np.sin(angle)]

    def path(tau: Array) -> Array:
        return integrated(lambda t, y: [y[2], y[3], 0.0, -G], start, tau)

    landed = float(brentq(lambda tau: path(np.array([tau]))[1, 0], 0.1, 3.0, xtol=1e-13))
    x, z, _, _ = path(np.minimum(t_s * event.time_scale, landed))
    return {"x": x, "z": z, "trigger:landed": np.array(landed / event.time_scale)}


def bouncing_ball(event: BouncingBall, t_s: Array) -> dict[str, Array]:
    """Flight by flight: fall integrated to the floor, speed turned and cut by e, until a hop stays below 0.5 mm."""
    tau, z, count = t_s * event.time_scale, np.zeros(len(t_s)), np.zeros(len(t_s))
    now, height, speed, first = 0.0, event.drop_m, 0.0, np.nan

    def floor(t: float, y: Array) -> float:
        return float(y[0])

    floor.terminal, floor.direction = True, -1.0  # type: ignore[attr-defined]
    while height > 0 or speed**2 / (2 * G) > 5e-4 * (1 + 1e-9):
        flight = solve_ivp(
            lambda t, y: [y[1], -G], (0.0, 5.0), [max(height, 1e-15), speed], events=floor, rtol=1e-12, atol=1e-15,
            dense_output=True, max_step=0.05,
        )  # fmt: skip
        ends = float(flight.t[-1])
        rows = (tau >= now) & (tau < now + ends)
        if rows.any():
            z[rows] = flight.sol(tau[rows] - now)[0]
        now += ends
        count[tau >= now] += 1
        first = now if np.isnan(first) else first
        height, speed = 0.0, -event.restitution * float(flight.y[1, -1])
    return {"z": z, "bounces": count, "trigger:first_bounce": np.array(first / event.time_scale)}


REFERENCES: Mapping[str, Reference] = {
    "ball_rolling_to_rest": ball_rolling_to_rest,
    "projectile_lob": projectile_lob,
    "bouncing_ball": bouncing_ball,
    "ball_through_tunnel": ball_through_tunnel,
    "ball_up_ramp_return": ball_up_ramp_return,
}
