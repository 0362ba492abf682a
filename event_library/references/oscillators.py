"""Oscillators: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from event_library.families.oscillators.metronomes import MetronomeSync, MetronomeTicking
from event_library.families.oscillators.pendulums import PendulumSwing
from event_library.families.oscillators.rows import CoupledPendulums, NewtonsCradle, PendulumWave
from event_library.families.oscillators.springs import MassSpringBob, TorsionDisc
from event_library.families.oscillators.tanks import SloshingTank
from event_library.families.oscillators.traces import SandPendulumTrace
from event_library.families.oscillators.wild import DoublePendulum, MagneticPendulum
from event_library.references.base import Array, Reference
from event_library.references.integrating import Rates, integrated

G = 9.81
PIECE_S = 0.4  # of a chaotic run, from one state of the event's own to the next


def _bead(length_m: float, drag_per_s: float, angle_rad: float, t_s: Array) -> tuple[Array, Array]:
    """Angle and rate of a plane pendulum let go at rest, in Cartesian form: a bead on a circle, held by tension."""

    def rates(t: float, state: Array) -> list[float]:
        x, z, vx, vz = state
        pull = (vx * vx + vz * vz - G * z) / length_m**2  # tension / (mass * length)
        return [vx, vz, -pull * x - drag_per_s * vx, -pull * z - drag_per_s * vz - G]

    start = [length_m * np.sin(angle_rad), -length_m * np.cos(angle_rad), 0.0, 0.0]
    x, z, vx, vz = integrated(rates, start, t_s)
    return np.arctan2(x, -z), (vz * x - vx * z) / (x * x + z * z)


def pendulum_swing(event: PendulumSwing, t_s: Array) -> dict[str, Array]:
    angle, rate = _bead(event.length_m, 2 * event.damping_per_s, event.release_angle_rad, t_s)
    return {"angle": angle, "rate": rate}


def _ringing(start: float, own_per_s2: float, damping_per_s: float, t_s: Array) -> Array:
    """u'' + 2 gam u' + w0^2 u = 0 from rest."""
    return integrated(lambda t, u: [u[1], -2 * damping_per_s * u[1] - own_per_s2 * u[0]], [start, 0.0], t_s)[0]


def mass_spring_bob(event: MassSpringBob, t_s: Array) -> dict[str, Array]:
    """Weight, spring and drag on the hanging mass, in physical time, by the spring's length."""
    m, k, gam = event.mass_kg, event.spring_n_per_m, event.damping_per_s
    rest = 0.12 + m * G / k

    def rates(t: float, y: Array) -> list[float]:
        return [y[1], G - k / m * (y[0] - 0.12) - 2 * gam * y[1]]

    return {"z": rest - integrated(rates, [rest + event.amplitude_m, 0.0], t_s * event.time_scale)[0]}


def torsion_disc(event: TorsionDisc, t_s: Array) -> dict[str, Array]:
    own = (2 * np.pi / event.period_s) ** 2 + event.damping_per_s**2
    return {"phi": _ringing(event.twist_rad, own, event.damping_per_s, t_s)}


def metronome_ticking(event: MetronomeTicking, t_s: Array) -> dict[str, Array]:
    """The harmonic oscillator at the tempo's rate, from the place and the speed at the start."""
    rate, size = np.pi * event.tempo_per_min / 60, event.amplitude_rad
    start = [size * np.sin(event.phase_rad), size * rate * np.cos(event.phase_rad)]
    return {"theta": integrated(lambda t, y: [y[1], -(rate**2) * y[0]], start, t_s)[0]}


def newtons_cradle(event: NewtonsCradle, t_s: Array) -> dict[str, Array]:
    theta, _ = _bead(event.length_m, 2 * event.damping_per_s, -event.release_rad, t_s * event.time_scale)
    return {"left": np.where(theta < 0, theta, 0.0), "right": np.where(theta > 0, theta, 0.0)}


def coupled_pendulums(event: CoupledPendulums, t_s: Array) -> dict[str, Array]:
    """Two beads on circles; the spring pulls them together by kap times their distance across."""
    length, kap = event.length_m, event.coupling_per_s2

    def rates(t: float, state: Array) -> list[float]:
        found = []
        for (x, z, vx, vz), other in ((state[:4], state[4]), (state[4:], state[0])):
            push = kap * (other - x)
            pull = (vx * vx + vz * vz - G * z + push * x) / length**2
            found += [vx, vz, push - pull * x, -G - pull * z]
        return found

    a = event.release_rad
    run = integrated(rates, [length * np.sin(a), -length * np.cos(a), 0, 0, 0, -length, 0, 0], t_s)
    return {"th1": np.arctan2(run[0], -run[1]), "th2": np.arctan2(run[4], -run[5])}


def pendulum_wave(event: PendulumWave, t_s: Array) -> dict[str, Array]:
    """Beads on circles, all in one run."""
    length = event.lengths_m

    def rates(t: float, state: Array) -> Array:
        x, z, vx, vz = state.reshape(4, -1)
        pull = (vx * vx + vz * vz - G * z) / length**2
        return np.concatenate([vx, vz, -pull * x, -pull * z - G])

    a, rest = event.release_rad, np.zeros(2 * len(length))
    run = integrated(rates, [*(length * np.sin(a)), *(-length * np.cos(a)), *rest], t_s)
    x, z = run.reshape(4, len(length), -1)[:2]
    return {"theta": np.arctan2(x, -z).T}


def sloshing_tank(event: SloshingTank, t_s: Array) -> dict[str, Array]:
    """w^2 as potential over kinetic energy of the mode (Rayleigh), summed over the water; then a damped oscillator."""
    k, h, w = np.pi / event.width_m, event.level_m, event.width_m
    nodes, weights = np.polynomial.legendre.leggauss(60)
    x, z = (nodes + 1) / 2 * w, (nodes + 1) / 2 * h
    stiffness = G * (np.cos(k * x) ** 2 * weights).sum() * w / 2
    # velocities of the potential cos(kx) cosh(kz) / (k sinh(kh)), whose surface rises by cos(kx)
    across = np.outer(np.sin(k * x), np.cosh(k * z)) / np.sinh(k * h)
    up = np.outer(np.cos(k * x), np.sinh(k * z)) / np.sinh(k * h)
    inertia = (np.outer(weights, weights) * (across**2 + up**2)).sum() * w * h / 4
    gam = event.damping_per_s
    eta = _ringing(event.amplitude_m, stiffness / inertia, gam, t_s * event.time_scale)
    return {"eta_left": eta}


def sand_pendulum_trace(event: SandPendulumTrace, t_s: Array) -> dict[str, Array]:
    """Two damped oscillators integrated; the length of their path added up chord by chord until the sand ends."""
    gam = event.damping_per_s
    wx, wy = 2 * np.pi / event.across_period_s, 2 * np.pi / event.away_period_s

    def rates(t: float, s: Array) -> list[float]:
        pull = [-2 * gam * v - (w * w + gam * gam) * u for u, v, w in ((s[0], s[1], wx), (s[2], s[3], wy))]
        return [s[1], pull[0], s[3], pull[1]]

    y0, turn = event.away_m * np.sin(event.phase_rad), event.away_m * wy * np.cos(event.phase_rad)
    start = [event.across_m, -gam * event.across_m, y0, turn - gam * y0]
    run, drawn = integrated(rates, start, t_s), np.minimum(t_s, 16.0)
    times = np.union1d(drawn, np.linspace(0.0, 16.0, 60001))
    path = integrated(rates, start, times)[[0, 2]]
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=1)))])
    return {"x": run[0], "y": run[2], "trace": length[np.searchsorted(times, drawn)]}


def metronome_sync(event: MetronomeSync, t_s: Array) -> dict[str, Array]:
    """Each arm pulled by the mean of all, as unit vectors in the plane (no angle anywhere)."""
    own, pull, num = np.array(event.own_rates_rad_per_s), event.coupling_per_s, 5

    def rates(t: float, y: Array) -> list[float]:
        c, s = y[:num], y[num:]
        turn = own + pull * (s.mean() * c - c.mean() * s)
        return [*(-turn * s), *(turn * c)]

    phases = np.array(event.start_values())
    run = integrated(rates, [*np.cos(phases), *np.sin(phases)], t_s)
    return {
        "coherence": np.hypot(run[:num].mean(axis=0), run[num:].mean(axis=0)),
        "arm_spread": np.deg2rad(30) * np.ptp(run[num:], axis=0),
    }


def _in_pieces(rates: Rates, states: Array, from_s: Array, t_s: Array) -> Array:
    """[D, T] a chaotic law, integrated to each time from the event's own state a little earlier, or from its start."""
    runs = [integrated(rates, s, np.array([b - a]))[:, 0] for s, a, b in zip(states, from_s, t_s, strict=True)]
    return np.array(runs).T


def double_pendulum(event: DoublePendulum, t_s: Array) -> dict[str, Array]:
    """Two beads and two rods in Cartesian form: tensions from the twice differentiated lengths."""
    arm, scale = event.length_m, event.time_scale
    earlier = np.maximum(t_s - PIECE_S, 0.0)
    own = event.states(earlier)
    u1, u2 = (np.column_stack([np.sin(own[n]), -np.cos(own[n])]) * arm for n in ("th1", "th2"))
    v1, v2 = (
        np.column_stack([np.cos(own[n]), np.sin(own[n])]) * (arm * own[w])[:, None]
        for n, w in (("th1", "w1"), ("th2", "w2"))
    )
    starts = np.hstack([u1, u1 + u2, v1, v1 + v2])
    starts[t_s <= PIECE_S] = [
        arm * np.sin(event.upper_rad), -arm * np.cos(event.upper_rad),
        arm * (np.sin(event.upper_rad) + np.sin(event.lower_rad)),
        -arm * (np.cos(event.upper_rad) + np.cos(event.lower_rad)), 0.0, 0.0, 0.0, 0.0,
    ]  # fmt: skip

    def rates(t: float, y: Array) -> Sequence[float]:
        p, v = y[:4].reshape(2, 2), y[4:].reshape(2, 2)
        first, second = p[0], p[1] - p[0]
        fall = np.array([0.0, -G])
        # a1 = fall - l1 first + l2 second, a2 = fall - l2 second; both rods keep their lengths
        system = np.array([[-(first @ first), first @ second], [first @ second, -2 * (second @ second)]])
        relative = v[1] - v[0]
        l1, l2 = np.linalg.solve(system, [-(v[0] @ v[0]) - first @ fall, -(relative @ relative)])
        a1, a2 = fall - l1 * first + l2 * second, fall - l2 * second
        return [scale * float(c) for c in (*v[0], *v[1], *a1, *a2)]

    run = _in_pieces(rates, starts, earlier, t_s)
    return {"tip_x": run[2], "tip_z": run[3]}


def magnetic_pendulum(event: MagneticPendulum, t_s: Array) -> dict[str, Array]:
    """Motion in the complex plane, driven by the gradient of the potential taken by complex differences."""
    own, drag, pull = event.own_per_s, event.damping_per_s, event.pull_m3_per_s2
    magnets = 0.075 * np.exp(1j * np.deg2rad([90.0, 210.0, 330.0]))

    def potential(x: complex, y: complex) -> complex:
        wells = [pull / ((x - m.real) ** 2 + (y - m.imag) ** 2 + 0.03**2) ** 0.5 for m in magnets]
        return own**2 * (x * x + y * y) / 2 - sum(wells)

    def rates(t: float, s: Array) -> list[float]:
        x, y, vx, vy = (float(c) for c in s)
        step = 1e-20
        ax, ay = -potential(x + 1j * step, y).imag / step, -potential(x, y + 1j * step).imag / step
        return [vx, vy, ax - drag * vx, ay - drag * vy]

    earlier = np.maximum(t_s - PIECE_S, 0.0)
    states = event.states(earlier)
    start = event.start_radius_m * np.exp(1j * event.start_bearing_rad)
    values = np.hstack([states["p"], states["v"]])
    values[t_s <= PIECE_S] = [start.real, start.imag, 0.0, 0.0]
    return {"p": _in_pieces(rates, values, earlier, t_s)[:2].T}


REFERENCES: Mapping[str, Reference] = {
    "pendulum_swing": pendulum_swing,
    "mass_spring_bob": mass_spring_bob,
    "metronome_ticking": metronome_ticking,
    "newtons_cradle": newtons_cradle,
    "coupled_pendulums": coupled_pendulums,
    "double_pendulum": double_pendulum,
    "pendulum_wave": pendulum_wave,
    "torsion_disc": torsion_disc,
    "sloshing_tank": sloshing_tank,
    "sand_pendulum_trace": sand_pendulum_trace,
    "metronome_sync": metronome_sync,
    "magnetic_pendulum": magnetic_pendulum,
}
