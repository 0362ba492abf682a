"""Mechanisms clocks: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.integrate import quad

from event_library.families.mechanisms_clocks.clocks import AnalogClock, Hourglass
from event_library.families.mechanisms_clocks.gears import GearTrain, GenevaDrive
from event_library.families.mechanisms_clocks.linkages import AtwoodPulley, SliderCrank
from event_library.families.mechanisms_clocks.schedules import DrawerCycle, ElevatorSchedule, TrafficLightCycle
from event_library.families.mechanisms_clocks.walkers import SeesawWalker, WindupToy
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


def _steady(rate_rad_per_s: float) -> Callable[[float], float]:
    return lambda t: rate_rad_per_s


def analog_clock(event: AnalogClock, t_s: Array) -> dict[str, Array]:
    """Two hands turned at their own rates, from where the start time puts them."""
    rate = 2 * np.pi / 3600 * event.time_scale
    return {
        "minute_angle": turned(lambda t: rate, 2 * np.pi * (event.start_h - int(event.start_h)), t_s),
        "hour_angle": turned(lambda t: rate / 12, 2 * np.pi * event.start_h / 12, t_s),
    }


def hourglass(event: Hourglass, t_s: Array) -> dict[str, Array]:
    """Height of the sand in the upper cone, pi (k h)^2 dh/dt = -V0 / Tg with V0 = pi k^2 h0^3 / 3, as a share of h0."""
    h = until(lambda t, y: [-1 / (3 * event.run_s * y[0] ** 2)], 1.0, 1e-4, t_s, end=0.0)
    return {"lower_fraction": 1 - h**3, "f": h**3}


def gear_train(event: GearTrain, t_s: Array) -> dict[str, Array]:
    """Equal speeds of the pitch circles where they touch. At rest gear 1's painted tooth points up; every next gear's
    lies as many teeth from the touch, and half a tooth (a space meets each tooth), as its driver's."""
    start, teeth = [0.0], (event.num_1, event.num_2, event.num_3)
    for touch_deg, driver, driven in zip((170.0, 70.0), teeth, teeth[1:], strict=False):
        phase = (np.deg2rad(touch_deg) - start[-1]) / (2 * np.pi) * driver  # teeth from the painted one to the touch
        start.append(np.deg2rad(touch_deg + 180) + (phase + 0.5) * 2 * np.pi / driven)
    rim = event.rate_rad_per_s * event.num_1  # speed of every pitch circle, in half modules a second
    rates = (rim / event.num_1, -rim / event.num_2, rim / event.num_3)
    phi = [turned(_steady(w), phi0, t_s) for w, phi0 in zip(rates, start, strict=True)]
    return {"phi": np.column_stack(phi), "phi_1": phi[0], "phi_3": phi[2]}


def geneva_drive(event: GenevaDrive, t_s: Array) -> dict[str, Array]:
    """The wheel's angular velocity, d out / d psi = (c cos psi - 1) / (c^2 - 2 c cos psi + 1), summed up."""
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
    w, phi = integrated(lambda t, y: [-y[0] / event.decay_s, y[0]], [event.start_rate_rad_per_s, event.start_rad], t_s)
    return {"speed": w, "angle": phi % (2 * np.pi)}


def windup_toy(event: WindupToy, t_s: Array) -> dict[str, Array]:
    """x' = v0 - x / tr (the spring loses what the way took) until 5 % of the speed is left."""
    reach = event.start_speed_m_per_s * event.decay_s
    x = until(lambda t, y: [event.start_speed_m_per_s - y[0] / event.decay_s], 0.0, 0.95 * reach, t_s)
    key = 4 * np.pi * (1 - x / reach) % (2 * np.pi)
    return {"x": x, "key": key, "trigger:stopped": np.array([-event.decay_s * np.log(0.05)])}


def elevator_schedule(event: ElevatorSchedule, t_s: Array) -> dict[str, Array]:
    """The controller as a machine that looks at its lamps: serve the next one above, else the next one below."""
    lit = set(event.stops())
    floor, now_s = float(event.start_floor), 0.0
    z, door, lamps = np.full(len(t_s), floor), np.zeros(len(t_s)), np.zeros((len(t_s), 5))
    while lit:
        above = [f for f in lit if f > floor]
        target = min(above) if above else max(lit)
        run_s = event.floor_s * abs(target - floor)
        for i, t in enumerate(t_s):
            if t >= now_s:
                u = min((t - now_s) / run_s, 1.0)
                z[i] = floor + (target - floor) * quad(lambda v: 6 * v * (1 - v), 0, u)[0]
            lamps[i, target] = t < now_s + run_s
        now_s, floor = now_s + run_s + event.dwell_s, float(target)
        # opening at 5 /s for 0.2 s from the arrival, shutting as fast until the run goes on
        door += 5 * (np.clip(t_s - now_s + event.dwell_s, 0.0, 0.2) - np.clip(t_s - now_s + 0.2, 0.0, 0.2))
        lit.remove(target)
    return {"floor_position": z, "door": door, "lamps": lamps, "trigger:idle": np.array([now_s])}


def traffic_light_cycle(event: TrafficLightCycle, t_s: Array) -> dict[str, Array]:
    """A timer that counts each phase down, one after the other."""
    lasts = (event.green_s, event.amber_s, event.red_s)
    phase, left = np.zeros(len(t_s)), np.zeros(len(t_s))
    for i, t in enumerate(t_s):
        now, rest = 0, t + event.start_s
        while rest >= lasts[now]:
            rest, now = rest - lasts[now], (now + 1) % 3
        phase[i], left[i] = now, 1 - rest / lasts[now]
    return {"lit_lens": phase, "left": left, "progress": (phase + 1 - left) % 3}


def slider_crank(event: SliderCrank, t_s: Array) -> dict[str, Array]:
    """The piston is where circles of the rod's length about the pin cut the axle's line: Newton's method."""
    phi = turned(lambda t: event.rate_rad_per_s, event.start_rad, t_s)
    pin_x, pin_z = event.crank_m * np.cos(phi), event.crank_m * np.sin(phi)
    x = pin_x + event.rod_m
    for _ in range(30):
        x -= ((x - pin_x) ** 2 + pin_z**2 - event.rod_m**2) / (2 * (x - pin_x))
    return {"crank_angle": phi, "piston_x": x}


def atwood_pulley(event: AtwoodPulley, t_s: Array) -> dict[str, Array]:
    """Newton's law for both weights and the pulley (tensions eliminated by a linear solve), integrated until caught."""
    m, heavy, g = event.mass_kg, event.mass_kg + event.surplus_kg, 9.81
    # unknowns: acceleration, tension left, tension right
    system = np.array([[m, -1.0, 0.0], [heavy, 0.0, 1.0], [event.pulley_kg, 1.0, -1.0]])
    a = np.linalg.solve(system, [-m * g, heavy * g, 0.0])[0]
    z = integrated(lambda t, y: [y[1], a], [0.0, 0.0], t_s)[0]
    return {"height_gap": 2 * np.minimum(z, event.drop_m), "trigger:caught": np.array([(2 * event.drop_m / a) ** 0.5])}


def seesaw_walker(event: SeesawWalker, t_s: Array) -> dict[str, Array]:
    """Second order in the tilt, I theta'' = torque - I' theta', from the moment of balance."""
    m, v, held = event.beetle_kg, event.speed_m_per_s, event.weight_kg * event.weight_at_m
    balance = held / m
    half = event.half_beam_m + event.OVERHANG_M
    still = event.BEAM_KG * (2 * half) ** 2 / 12 + event.weight_kg * event.weight_at_m**2
    start_s = (event.half_beam_m + balance) / v
    off_s = 2 * event.half_beam_m / v - start_s  # the beetle stops at the end

    def tipping(u: float, y: Array) -> list[float]:
        s, speed = (balance + v * u, v) if u < off_s else (event.half_beam_m, 0.0)
        torque = 9.81 * np.cos(y[0]) * (m * s - held) - 2 * m * s * speed * y[1]
        return [y[1], torque / (still + m * s * s)]

    u = np.clip(t_s - start_s, 0.0, 4.0)
    order = np.argsort(u, kind="stable")
    early, late = u[u < off_s], u[u >= off_s]
    first = integrated(tipping, [-np.deg2rad(10), 0.0], np.append(np.sort(early), off_s))
    rest = integrated(lambda w, y: tipping(w + off_s, y), first[:, -1].tolist(), np.sort(late) - off_s)
    theta = np.empty(len(u))
    free = np.concatenate([first[0, :-1], rest[0]])  # as if there were no right stop
    theta[order] = np.where(np.maximum.accumulate(free) < np.deg2rad(10), free, np.deg2rad(10))
    return {"tilt": theta, "trigger:balance": np.array([start_s])}


def drawer_cycle(event: DrawerCycle, t_s: Array) -> dict[str, Array]:
    """Speeds -6 u (1 - u) / tm while shutting and +6 u (1 - u) / tm while opening, stage by stage."""
    share = np.zeros(len(t_s))
    for i, t in enumerate(t_s):
        opened, rest = 1.0, t + event.start_s
        for sign in (-1, 0, 1, 0) * 40:
            lasts = event.move_s if sign else event.wait_s
            u = min(rest / lasts, 1.0)
            opened += sign * quad(lambda v: 6 * v * (1 - v), 0, u)[0] if sign and u < 1 else sign
            rest -= lasts
            if rest < 0:
                break
        share[i] = opened
    return {"open_share": share}


REFERENCES: Mapping[str, Reference] = {
    "analog_clock": analog_clock,
    "hourglass": hourglass,
    "gear_train": gear_train,
    "geneva_drive": geneva_drive,
    "turntable": turntable,
    "ferris_wheel": ferris_wheel,
    "flywheel_spin_down": flywheel_spin_down,
    "windup_toy": windup_toy,
    "elevator_schedule": elevator_schedule,
    "traffic_light_cycle": traffic_light_cycle,
    "slider_crank": slider_crank,
    "atwood_pulley": atwood_pulley,
    "seesaw_walker": seesaw_walker,
    "drawer_cycle": drawer_cycle,
}
