"""Collisions collapse: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from event_library.families.collisions_collapse.galton import GaltonBoard
from event_library.families.collisions_collapse.glides import CartsCoupling, HeadOnCollision
from event_library.families.collisions_collapse.marble_run import MarbleRun
from event_library.families.collisions_collapse.pucks import PuckObliqueCollision
from event_library.references.base import Array, Reference
from event_library.references.integrating import Rates


def head_on_collision(event: HeadOnCollision, t_s: Array) -> dict[str, Array]:
    """Centre of mass, which goes on evenly, and distance, which shrinks and from contact on grows e times as fast."""
    m1, m2 = event.red_mass_kg, event.blue_mass_kg
    share, closing = m2 / (m1 + m2), event.red_speed_m_per_s + event.blue_speed_m_per_s
    start = event.gap_m * (share - 0.5)
    centre = start + (m1 * event.red_speed_m_per_s - m2 * event.blue_speed_m_per_s) / (m1 + m2) * t_s
    left = event.gap_m - 0.24 - closing * t_s
    apart = 0.24 + np.where(left > 0, left, -event.restitution_ratio * left)
    x_red, x_blue = centre - share * apart, centre + (1 - share) * apart
    impact = brentq(lambda t: event.gap_m - 0.24 - closing * t, 0.0, 1e3, xtol=1e-13)
    return {
        "x_red": np.clip(x_red, -0.72, 0.48), "x_blue": np.minimum(x_blue, 0.72), "trigger:impact": np.array([impact])
    }  # fmt: skip


def carts_coupling(event: CartsCoupling, t_s: Array) -> dict[str, Array]:
    """x'' = -0.02 m/s^2 while it moves; coupling keeps the momentum."""
    coast: Rates = lambda t, y: [y[1], -0.02]  # noqa: E731
    end_s = float(t_s[-1]) + 1.0
    alone = _run(coast, [0.0, event.speed_m_per_s], end_s, lambda t, y: y[0] - (event.gap_m - 0.3))
    meeting_s, speed = float(alone.t[-1]), float(alone.y[1, -1])
    common = speed * event.red_mass_kg / (event.red_mass_kg + event.grey_mass_kg)
    both = _run(coast, [event.gap_m, common], end_s, lambda t, y: y[1])
    x_grey = np.where(t_s < meeting_s, event.gap_m, both.sol(np.clip(t_s - meeting_s, 0, both.t[-1]))[0])
    return {"x_grey": x_grey, "trigger:coupling": np.array([meeting_s])}


def puck_oblique_collision(event: PuckObliqueCollision, t_s: Array) -> dict[str, Array]:
    """v' = -k v until the centres are 2 R apart; then momentum, restitution and no change across the normal, solved."""
    k1, k2 = 0.45 / event.mass_ratio, 0.45

    def glide(t: float, y: Array) -> list[float]:
        return [y[2], y[3], -k1 * y[2], -k1 * y[3]]

    start = [-event.distance_m, event.offset_m, event.speed_m_per_s, 0.0]
    alone = _run(glide, start, 30.0, lambda t, y: np.hypot(y[0], y[1]) - 2 * event.radius_m)
    x, y, vx, vy = alone.y[:, -1]
    n, q = -np.array([x, y]) / np.hypot(x, y), event.mass_ratio
    across = np.array([-n[1], n[0]])
    zero = np.zeros(2)
    system = np.vstack([
        np.hstack([q * np.eye(2), np.eye(2)]), np.hstack([-n, n]), np.hstack([zero, across]),
    ])  # fmt: skip
    known = np.array([q * vx, q * vy, event.restitution_ratio * np.array([vx, vy]) @ n, 0.0])
    blue = np.linalg.solve(system, known)[2:]
    speed = float(np.hypot(*blue))
    slide = solve_ivp(lambda t, s: [speed * np.exp(-k2 * t)], (0, 130.0), [0.0], method="DOP853", rtol=1e-10,
                      atol=1e-13, dense_output=True)  # fmt: skip
    return {
        "blue_travel": slide.sol(np.maximum(t_s - alone.t[-1], 0.0))[0],
        "trigger:impact": np.array([alone.t[-1]]),
    }


def galton_board(event: GaltonBoard, t_s: Array) -> dict[str, Array]:
    """Ball by ball: a walk of +-1 steps says where each lands, its schedule when."""
    steps = np.random.Generator(np.random.PCG64(event.seed)).integers(0, 2, (event.num_balls, event.num_rows))
    bins = np.zeros((len(t_s), event.num_rows + 1))
    for ball, turns in enumerate(steps):
        at = -event.num_rows
        for turn in turns:
            at += 2 if turn else 0
        column = (at + event.num_rows) // 2
        lands_s = (ball - 10) * event.release_s + (event.num_rows + 2) * event.row_s if ball >= 10 else 0.0
        bins[t_s >= lands_s, column] += 1
    return {"landed": bins.sum(axis=1), "bins": bins, "trigger:last_lands": np.array([lands_s])}


def marble_run(event: MarbleRun, t_s: Array) -> dict[str, Array]:
    """7/5 s'' = g sin(theta) on each track, integrated; 0.15 s to the next."""
    pull = 5 / 7 * 9.81 * np.sin(event.slope_rad)
    progress, begin_s, speed, ends = np.zeros(len(t_s)), 0.0, 0.0, {}
    for track in range(event.num_tracks):
        leg = _run(lambda t, y: [y[1], pull], [0.0, speed], 30.0, lambda t, y: y[0] - event.length_m)
        since = np.clip(t_s - begin_s, 0.0, leg.t[-1])
        progress += np.where(t_s - begin_s < leg.t[-1], leg.sol(since)[0] / event.length_m, 1.0)
        ends[f"trigger:end_of_track_{track + 1}"] = np.array([begin_s + leg.t[-1]])
        begin_s += leg.t[-1] + 0.15
        speed = event.kept_ratio * float(leg.y[1, -1])
    return {"progress": progress, **ends}


def _run(rates, start, end_s, until):  # type: ignore[no-untyped-def]
    """scipy's solution until a function of (t, y) reaches 0."""
    until.terminal = True
    return solve_ivp(rates, (0.0, end_s), start, method="DOP853", rtol=1e-11, atol=1e-14, events=until,
                     dense_output=True)  # fmt: skip


REFERENCES: Mapping[str, Reference] = {
    "head_on_collision": head_on_collision,
    "carts_coupling": carts_coupling,
    "puck_oblique_collision": puck_oblique_collision,
    "galton_board": galton_board,
    "marble_run": marble_run,
}
