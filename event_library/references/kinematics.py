"""Kinematics: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from event_library.families.kinematics.conveyors import ConveyorBoxes
from event_library.families.kinematics.flight import BouncingBall, ProjectileLob
from event_library.families.kinematics.funnels import CoinFunnelSpiral
from event_library.families.kinematics.rolling import BallRollingToRest, BallThroughTunnel, BallUpRampReturn
from event_library.families.kinematics.rounds import KeplerOrbit, ToyTrainOval
from event_library.families.kinematics.sliding import AirPuckBox, BlockSlidingRamp, SphereSinkingSyrup
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
    slowed = lambda tau: event.speed_m_per_s + quad(lambda u: acceleration, 0, tau)[0]  # noqa: E731
    turns = brentq(slowed, 0, 20, xtol=1e-14)
    back = brentq(lambda tau: quad(slowed, 0, tau)[0], turns, 3 * turns, xtol=1e-14)
    return {
        "s": np.where(out, s, 0.0),
        "v": np.where(out, v * event.time_scale, 0.0),
        "trigger:turns_back": np.array([turns / event.time_scale]),
        "trigger:caught": np.array([back / event.time_scale]),
    }


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


def block_sliding_ramp(event: BlockSlidingRamp, t_s: Array) -> dict[str, Array]:
    """Newton's law with the weight in level and upright parts: the ramp's push follows from staying on the ramp."""
    along = np.array([np.cos(event.slope_rad), -np.sin(event.slope_rad)])
    normal = np.array([np.sin(event.slope_rad), np.cos(event.slope_rad)])
    # unknowns: acceleration along the ramp, push of the ramp, both per mass
    system = np.column_stack([along, -(normal - event.friction * along)])
    acceleration = np.linalg.solve(system, [0.0, -G])[0]
    s, _ = integrated(lambda t, y: [y[1], acceleration], [0.0, 0.0], t_s * event.time_scale)
    way = lambda tau: quad(lambda u: acceleration * u, 0, tau)[0]  # noqa: E731
    down = brentq(lambda tau: way(tau) - event.way_m, 0, 20, xtol=1e-14)
    return {"s": np.minimum(s, event.way_m), "trigger:at_stop": np.array([down / event.time_scale])}


def conveyor_boxes(event: ConveyorBoxes, t_s: Array) -> dict[str, Array]:
    """Box by box: when it reaches the belt's end."""
    ends_s = [(event.belt_m - 0.32 + i * event.gap_m) / event.speed_m_per_s for i in range(event.num_boxes)]
    return {
        "offset": integrated(lambda t, x: [event.speed_m_per_s], [0.0], t_s)[0],
        "binned": np.sum([t_s > end for end in ends_s], axis=0, dtype=np.float64),
    }


def toy_train_oval(event: ToyTrainOval, t_s: Array) -> dict[str, Array]:
    """The engine steered along straights and bends: position integrated, laps counted at the near left corner."""
    bend_m = np.pi * event.bend_m
    pieces = [event.straight_m, bend_m, event.straight_m, bend_m]
    arc, laps = np.empty(len(t_s)), np.empty(len(t_s))
    for i, t in enumerate(t_s):
        left, piece = event.start_m + event.speed_m_per_s * t, 0
        while left >= pieces[piece % 4]:
            left -= pieces[piece % 4]
            piece += 1
        arc[i], laps[i] = sum(pieces[: piece % 4]) + left, piece // 4
    return {"arc_position": arc, "laps": laps}


def kepler_orbit(event: KeplerOrbit, t_s: Array) -> dict[str, Array]:
    """Newton's inverse-square law integrated in Cartesian coordinates from perihelion on."""
    a, e = event.axis_m, event.eccentricity
    gm = 4 * np.pi**2 * a**3 / event.period_s**2  # Kepler's third law
    start = [a * (1 - e), 0.0, 0.0, np.sqrt(gm / a * (1 + e) / (1 - e))]

    def pulled(t: float, y: Array) -> list[float]:
        cube = (y[0] ** 2 + y[1] ** 2) ** 1.5
        return [y[2], y[3], -gm * y[0] / cube, -gm * y[1] / cube]

    since_s = event.start_rad / (2 * np.pi) * event.period_s
    x, y, _, _ = integrated(pulled, start, t_s + since_s)
    return {"nu": np.arctan2(y, x) % (2 * np.pi), "r": np.hypot(x, y)}


def sphere_sinking_syrup(event: SphereSinkingSyrup, t_s: Array) -> dict[str, Array]:
    """Weight less lift against the drag force, inertia left out (it is over in milliseconds)."""
    q = event.radius_m / 0.040
    drag = 6 * np.pi * event.viscosity_pa_s * event.radius_m * ((1 - 0.475 * q) / (1 - q)) ** 4
    weight = event.excess_kg_per_m3 * 4 / 3 * np.pi * event.radius_m**3 * G
    return {"z": until(lambda t, z: [-weight / drag], event.way_m, 0.0, t_s)}


def coin_funnel_spiral(event: CoinFunnelSpiral, t_s: Array) -> dict[str, Array]:
    """Newton's law in Cartesian coordinates with the surface's push from the twice differentiated constraint."""
    hole, c, drag = 0.09, event.well_m2, 1 / (2 * event.td_s)
    gravity = np.array([0.0, 0.0, -G / 1.5])

    def rolling(t: float, y: Array) -> list[float]:
        (px, py, vx, vy), rho = y, float(np.hypot(y[0], y[1]))
        slope = np.array([-c * px / rho**3, -c * py / rho**3, 1.0])  # gradient of z + c / rho
        velocity = np.array([vx, vy, -(slope[0] * vx + slope[1] * vy)])
        along = (px * vx + py * vy) / rho
        bend = 3 * c * along**2 / rho**3 - c * (vx**2 + vy**2) / rho**3  # second derivative of c / rho but for a
        free = gravity - drag * velocity
        acceleration = free - slope * (slope @ free + bend) / (slope @ slope)
        return [vx, vy, float(acceleration[0]), float(acceleration[1])]

    def dropped(t: float, y: Array) -> float:
        return float(np.hypot(y[0], y[1])) - hole

    dropped.terminal = True  # type: ignore[attr-defined]
    start = [
        event.start_radius_m,
        0.0,
        -event.start_radius_m / event.td_s,
        event.start_radius_m * event.start_rate_rad_per_s,
    ]
    run = solve_ivp(
        rolling,
        (0.0, float(t_s[-1])),
        start,
        method="DOP853",
        rtol=1e-11,
        atol=1e-13,
        events=dropped,
        dense_output=True,
    )
    there = t_s < (run.t[-1] if run.status == 1 else np.inf)
    x, y, vx, vy = run.sol(np.minimum(t_s, run.t[-1]))
    r2 = x * x + y * y
    return {
        "r": np.where(there, np.sqrt(r2), hole),
        "phi": np.where(there, np.arctan2(y, x) % (2 * np.pi), 0.0),
        "omega": np.where(there, (x * vy - y * vx) / r2, 0.0),
    }


def air_puck_box(event: AirPuckBox, t_s: Array) -> dict[str, Array]:
    """From cushion to cushion, the speed turned round at each."""

    def bounced(start: float, speed: float, width: float) -> Array:
        found, now, place, rows = np.empty(len(t_s)), 0.0, start, 0
        while rows < len(t_s):
            hit = now + ((width - place) if speed > 0 else place) / abs(speed)
            while rows < len(t_s) and t_s[rows] <= hit:
                found[rows] = place + speed * (t_s[rows] - now)
                rows += 1
            now, place, speed = hit, width if speed > 0 else 0.0, -speed
        return found

    return {
        "x": bounced(event.start_x_m, event.speed_x_m_per_s, event.width_m),
        "y": bounced(event.start_y_m, event.speed_y_m_per_s, event.depth_m),
    }


REFERENCES: Mapping[str, Reference] = {
    "ball_rolling_to_rest": ball_rolling_to_rest,
    "block_sliding_ramp": block_sliding_ramp,
    "projectile_lob": projectile_lob,
    "bouncing_ball": bouncing_ball,
    "conveyor_boxes": conveyor_boxes,
    "toy_train_oval": toy_train_oval,
    "kepler_orbit": kepler_orbit,
    "sphere_sinking_syrup": sphere_sinking_syrup,
    "ball_through_tunnel": ball_through_tunnel,
    "coin_funnel_spiral": coin_funnel_spiral,
    "air_puck_box": air_puck_box,
    "ball_up_ramp_return": ball_up_ramp_return,
}
