"""Causal chains: laws once more, by other means (see event_library.references).

Each stage is integrated by scipy from where the last one ended, up to the event that sets the next one off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from event_library.families.causal_chains.doors import KeycardDoor, PressurePlateDoorRobot
from event_library.families.causal_chains.fountain import SunriseSolarFountain
from event_library.families.causal_chains.heat import BallSwitchHeaterSnow, IceGateMarbles
from event_library.families.causal_chains.machines import GuardInterlockFlywheel, PullCordLamp
from event_library.families.causal_chains.rocket import FuseRocketLaunch
from event_library.families.causal_chains.rolling import DominoesReleaseCart, HourglassTipsSeesaw
from event_library.families.causal_chains.ropes import BalloonPinPop, CandleStringFlag
from event_library.families.causal_chains.sluice import RainBucketGate
from event_library.families.causal_chains.thermostat import ThermostatHeater
from event_library.families.causal_chains.water import FloatSwitchPump, RotaryValveSupply, TimerValveTankLeds
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated, until

LONG_S = 1e3


def reached_s(rate: Callable[[float, float], float], start: float, stop: float) -> float:
    """When y' = rate(t, y) from `start` at 0 comes to `stop`."""

    def there(t: float, y: Array) -> float:
        return float(y[0] - stop)

    there.terminal = True  # type: ignore[attr-defined]
    run = solve_ivp(
        lambda t, y: [rate(t, float(y[0]))], (0.0, LONG_S), [start], method="DOP853", rtol=1e-11, atol=1e-13,
        events=there, max_step=1.0,
    )  # fmt: skip
    return float(run.t_events[0][0])


def since(start_s: float, t_s: Array) -> Array:
    """A stage's own clock: 0 until it begins."""
    return np.maximum(t_s - start_s, 0.0)


def gathered(flow: Callable[[float], float], knots: Sequence[float], end_s: float) -> float:
    """Integral of a flow from 0 to end_s by quadrature; knots: where its formula changes."""
    inside = [k for k in knots if 0 < k < end_s]
    return float(quad(flow, 0.0, end_s, points=inside or None, epsabs=1e-12, epsrel=1e-11, limit=200)[0])


def one(value: float) -> Array:
    return np.array([value])


def timer_valve_tank_leds(event: TimerValveTankLeds, t_s: Array) -> dict[str, Array]:
    """The countdown's ticks added up, then the tank integrated; each lamp when the level comes to it."""
    ticks = np.cumsum(np.full(event.num_steps, event.step_s))
    filled = until(lambda t, y: [event.fill_per_s], 0.0, 1.0, since(ticks[-1], t_s))
    lamps = [ticks[-1] + reached_s(lambda t, y: event.fill_per_s, 0.0, j / 5) for j in range(1, 6)]
    return {
        "display": event.num_steps - (t_s[:, None] >= ticks).sum(axis=1).astype(np.float64),
        "level": filled,
        "lamps": (t_s[:, None] >= np.array(lamps)).sum(axis=1).astype(np.float64),
        "trigger:valve_opens": one(ticks[-1]),
        **{f"trigger:lamp_{j}_lights": one(lit) for j, lit in enumerate(lamps, 1)},
    }


def rotary_valve_supply(event: RotaryValveSupply, t_s: Array) -> dict[str, Array]:
    """Flow in proportion to the handle's angle, by quadrature; full by root finding."""
    starts = np.arange(1, 4) * event.step_s

    def angle(t: float) -> float:
        return float(sum(np.interp(t, [start, start + 0.2], [0.0, np.pi / 6]) for start in starts))

    def flow(t: float) -> float:
        return event.fill_per_s * angle(t) / (np.pi / 2)

    def level(t: float) -> float:
        return event.start_frac + gathered(flow, [*starts, *starts + 0.2], t)

    return {
        "level": np.minimum([level(t) for t in t_s], 1.0),
        "handle": np.array([angle(t) for t in t_s]),
        **{f"trigger:turn_{k}": one(sum([event.step_s] * k)) for k in (1, 2, 3)},
        "trigger:full": one(brentq(lambda t: level(t) - 1, 0.0, 60.0, xtol=1e-12)),
    }


def float_switch_pump(event: FloatSwitchPump, t_s: Array) -> dict[str, Array]:
    """The switch looked at whenever the level comes to a mark, one run after the other; a broken line through them."""
    now, on, switched, marks = 0.0, False, list[float](), [event.start_frac]
    while now <= t_s[-1] or len(switched) < 8:
        mark, rate = (0.2, -event.fall_per_s) if on else (0.85, event.rise_per_s)
        now, on = now + (mark - marks[-1]) / rate, not on
        switched.append(now)
        marks.append(mark)
    return {
        "level": np.interp(t_s, [0.0, *switched], marks),
        "pump_lamp": ((t_s[:, None] >= np.array(switched)).sum(axis=1) % 2).astype(np.float64),
        **{f"trigger:pump_starts_{k + 1}": one(when) for k, when in enumerate(switched[:8:2])},
        **{f"trigger:pump_stops_{k + 1}": one(when) for k, when in enumerate(switched[1:8:2])},
    }


def ball_switch_heater_snow(event: BallSwitchHeaterSnow, t_s: Array) -> dict[str, Array]:
    """x' = v to the switch, then q' = (1 - q) / 0.5 and rs L h' = -qm q until no snow is left."""
    pressed = reached_s(lambda t, x: event.speed_m_per_s, 0.0, event.run_m)
    since_s = since(pressed, t_s)
    heat = integrated(lambda t, q: [(1 - q[0]) / 0.5], [0.0], since_s)[0]
    per_m = event.density_kg_per_m3 * 3.34e5

    def left(until_s: float) -> float:
        return event.snow_m - gathered(lambda u: event.flux_w_per_m2 / per_m * -np.expm1(-u / 0.5), [], until_s)

    return {
        "x": until(lambda t, x: [event.speed_m_per_s], 0.0, event.run_m, t_s),
        "heat": heat,
        "snow_height": np.array([max(left(u), 0.0) for u in since_s]),
        "lamp": (t_s >= pressed).astype(np.float64),
        "trigger:switch_pressed": one(pressed),
        "trigger:snow_gone": one(pressed + brentq(left, 0.0, 60.0, xtol=1e-12)),
    }


def thermostat_heater(event: ThermostatHeater, t_s: Array) -> dict[str, Array]:
    """T' integrated one phase after the other, each up to the mark at which the switch is thrown."""
    lag_s = event.constant_min / event.time_scale_min_per_s
    up = reached_s(lambda t, y: (10 + 40 - y) / lag_s, 22.0, 34.0)
    down = reached_s(lambda t, y: (10 - y) / lag_s, 34.0, 22.0)
    now, on, thrown, degc = 0.0, True, list[float](), np.empty(len(t_s))
    while now <= t_s[-1] or len(thrown) < 8:
        goal, first, lasts = (50.0, 22.0, up) if on else (10.0, 34.0, down)
        rows = (t_s >= now) & (t_s < now + lasts)
        degc[rows] = _towards(goal, first, lag_s, np.append(t_s[rows] - now, lasts))[:-1]
        now, on = now + lasts, not on
        thrown.append(now)
    return {
        "temperature": degc,
        "heater": 1.0 - (t_s[:, None] >= np.array(thrown)).sum(axis=1) % 2,
        **{f"trigger:heater_off_{k + 1}": one(when) for k, when in enumerate(thrown[:8:2])},
        **{f"trigger:heater_on_{k + 1}": one(when) for k, when in enumerate(thrown[1:8:2])},
    }


def _towards(goal: float, first: float, lag_s: float, t_s: Array) -> Array:
    return integrated(lambda t, y: [(goal - y[0]) / lag_s], [first], t_s)[0]


def ice_gate_marbles(event: IceGateMarbles, t_s: Array) -> dict[str, Array]:
    """a' = -rm until nothing is left; marbles counted by the instants at which they pass."""
    opened = reached_s(lambda t, a: -event.melting_m_per_s, event.ice_m, event.flush_m)
    passed = opened + np.cumsum(np.append(0.0, np.full(event.num_marbles - 1, event.pace_s)))
    return {
        "ice_height": until(lambda t, a: [-event.melting_m_per_s], event.ice_m, 0.0, t_s),
        "marbles_out": (t_s[:, None] >= passed).sum(axis=1).astype(np.float64),
        **{f"trigger:marble_{k}_passes": one(when) for k, when in enumerate(passed, 1)},
        "trigger:ice_gone": one(reached_s(lambda t, a: -event.melting_m_per_s, event.ice_m, 0.0)),
    }


def rain_bucket_gate(event: RainBucketGate, t_s: Array) -> dict[str, Array]:
    """Speed of the gate 6 u (1 - u) and the outflow sqrt(p) g / td, both by quadrature."""
    full = reached_s(lambda t, b: 1 / event.bucket_s, 0.0, 1.0)
    knots = [full, full + 0.8]

    def gate(t: float) -> float:
        return quad(lambda v: 6 * v * (1 - v), 0.0, min(max((t - full) / 0.8, 0.0), 1.0))[0]

    def root(t: float) -> float:
        return 1 - gathered(gate, knots, t) / (2 * event.drain_s)

    return {
        "b": until(lambda t, b: [1 / event.bucket_s], 0.0, 1.0, t_s),
        "gate": np.array([gate(t) for t in t_s]),
        "basin_level": np.array([1 - max(root(t), 0.0) ** 2 for t in t_s]),
        "trigger:bucket_full": one(full),
        "trigger:gate_up": one(full + 0.8),
        "trigger:pond_empty": one(brentq(root, full, 60.0, xtol=1e-12)),
    }


def candle_string_flag(event: CandleStringFlag, t_s: Array) -> dict[str, Array]:
    """c' = 1 / tb until the string parts, then z' = v_f up to the mast's head."""
    parted = reached_s(lambda t, c: 1 / event.char_s, 0.0, 1.0)
    return {
        "c": until(lambda t, c: [1 / event.char_s], 0.0, 1.0, t_s),
        "flag_height": until(lambda t, z: [event.speed_m_per_s], 0.0, event.hoist_m, since(parted, t_s)),
        "string": (t_s < parted).astype(np.float64),
        "trigger:string_parts": one(parted),
        "trigger:flag_up": one(parted + reached_s(lambda t, z: event.speed_m_per_s, 0.0, event.hoist_m)),
    }


def balloon_pin_pop(event: BalloonPinPop, t_s: Array) -> dict[str, Array]:
    """4 pi R^2 R' = Q up to the pin; the lid's speed 6 u (1 - u) by quadrature."""
    start = float(np.cbrt(3 * event.start_m3 / (4 * np.pi)))

    def growth(t: float, radius: float) -> float:
        return event.flow_m3_per_s / (4 * np.pi * radius**2)

    burst = reached_s(growth, start, event.burst_m)
    turned = np.clip((t_s - burst - 0.2) / 0.7, 0.0, 1.0)
    lid = [np.deg2rad(100) * quad(lambda v: 6 * v * (1 - v), 0.0, u)[0] for u in turned]
    return {
        "R": until(lambda t, y: [growth(t, y[0])], start, event.burst_m, t_s),
        "lid_angle": np.array(lid),
        "balloon": (t_s < burst).astype(np.float64),
        "trigger:balloon_bursts": one(burst),
        "trigger:lid_starts": one(burst + 0.2),
        "trigger:lid_open": one(burst + 0.9),
    }


def dominoes_release_cart(event: DominoesReleaseCart, t_s: Array) -> dict[str, Array]:
    """Each domino's tilt by root finding: its top corner lies on the back of the next one; the cart integrated."""
    step_s, h, d = event.spacing_m / event.wave_m_per_s, event.TALL_M, event.THICK_M

    def outside(tilt: float, ahead: float) -> float:
        """Distance of the top corner from the back of the next domino, whose foot is one spacing on."""
        corner = np.array([h * np.sin(tilt) - event.spacing_m, h * np.cos(tilt)])
        return float(-corner @ [np.cos(ahead), -np.sin(ahead)] - d)

    touching = brentq(outside, 0.0, 1.5, args=(0.0,), xtol=1e-14)
    tilts = np.zeros((len(t_s), event.num_dominoes))
    for row, tau in zip(tilts, t_s * event.time_scale, strict=True):
        front = min(int(tau / step_s), event.num_dominoes - 1)
        row[front] = min(touching * (tau / step_s - front), np.pi / 2)
        for k in reversed(range(front)):
            row[k] = brentq(outside, row[k + 1] - 0.5, row[k + 1] + 1.5, args=(row[k + 1],), xtol=1e-14)
    flat = sum([step_s] * (event.num_dominoes - 1)) + step_s * np.pi / 2 / touching
    speed = event.acceleration_m_per_s2
    rolled = integrated(lambda t, y: [y[1], speed], [0.0, 0.0], since(flat, t_s * event.time_scale))[0]
    foot = brentq(lambda t: speed * t * t / 2 - event.ramp_m, 0.0, 5.0, xtol=1e-14)
    return {
        "tilt": tilts,
        "fallen": (np.rad2deg(tilts) > 45).sum(axis=1).astype(np.float64),
        "cart_s": np.minimum(rolled, event.ramp_m),
        **{
            f"trigger:domino_{k + 1}_starts": one(sum([step_s] * k) / event.time_scale)
            for k in range(event.num_dominoes)
        },
        "trigger:chock_out": one(flat / event.time_scale),
        "trigger:cart_at_foot": one((flat + foot) / event.time_scale),
    }


def hourglass_tips_seesaw(event: HourglassTipsSeesaw, t_s: Array) -> dict[str, Array]:
    """The beam's equation of motion with the sand's weight on it, in full time; the stop as an event of scipy."""
    tips = reached_s(lambda t, m: event.sand_kg_per_s, 0.0, event.block_kg)

    def rates(t: float, y: Array) -> list[float]:
        sand = event.sand_kg_per_s * (tips + t)
        pull = (sand - event.block_kg) * 9.81 * np.cos(y[0]) * 0.16
        return [y[1], pull / ((sand + event.block_kg) * 0.16**2)]

    def stopped(t: float, y: Array) -> float:
        return float(y[0] - np.deg2rad(12))

    stopped.terminal = True  # type: ignore[attr-defined]
    run = solve_ivp(
        rates, (0.0, 5.0), [-np.deg2rad(12), 0.0], method="DOP853", rtol=1e-11, atol=1e-13, events=stopped,
        dense_output=True,
    )  # fmt: skip
    off = tips + run.t[-1]
    rolled = integrated(lambda t, y: [y[1], event.acceleration_m_per_s2], [0.0, 0.0], since(off, t_s))[0]
    rings = brentq(lambda t: event.acceleration_m_per_s2 * t * t / 2 - event.gutter_m, 0.0, 9.0, xtol=1e-14)
    return {
        "ms": until(lambda t, m: [event.sand_kg_per_s], 0.0, 1.6 * event.block_kg, t_s),
        "beam_angle": run.sol(np.clip(t_s - tips, 0.0, run.t[-1]))[0],
        "ball_s": np.minimum(rolled, event.gutter_m),
        "trigger:seesaw_starts": one(tips),
        "trigger:ball_leaves": one(off),
        "trigger:bell_rings": one(off + rings),
    }


def fuse_rocket_launch(event: FuseRocketLaunch, t_s: Array) -> dict[str, Array]:
    """s' = v along the fuse; z'' = a from 0.3 s after its end until the rocket is gone."""
    lit = reached_s(lambda t, s: event.speed_m_per_s, 0.0, event.fuse_m)
    flight = integrated(lambda t, y: [y[1], event.acceleration_m_per_s2], [0.0, 0.0], since(lit + 0.3, t_s))[0]
    gone = brentq(lambda t: event.acceleration_m_per_s2 * t * t / 2 - 0.8, 0.0, 9.0, xtol=1e-14)
    return {
        "fuse_left": event.fuse_m - until(lambda t, s: [event.speed_m_per_s], 0.0, event.fuse_m, t_s),
        "rocket_z": np.minimum(flight, 0.8),
        "thrust": (t_s >= lit).astype(np.float64),
        "trigger:ignition": one(lit),
        "trigger:lift_off": one(lit + 0.3),
        "trigger:gone": one(lit + 0.3 + gone),
    }


def pressure_plate_door_robot(event: PressurePlateDoorRobot, t_s: Array) -> dict[str, Array]:
    """Belt, door and robot at their speeds, each from the instant at which the one before it has come far enough."""
    pressed = reached_s(lambda t, x: event.belt_m_per_s, 0.0, event.ride_m)
    go = pressed + reached_s(lambda t, g: 1 / event.lift_s, 0.0, 0.8)
    up = pressed + reached_s(lambda t, g: 1 / event.lift_s, 0.0, 1.0)
    return {
        "x": until(lambda t, x: [event.belt_m_per_s], 0.0, event.ride_m, t_s),
        "door": until(lambda t, g: [1 / event.lift_s], 0.0, 1.0, since(pressed, t_s)),
        "robot_s": until(lambda t, s: [event.robot_m_per_s], 0.0, event.goal_m, since(go, t_s)),
        "trigger:plate_pressed": one(pressed),
        "trigger:robot_starts": one(go),
        "trigger:door_up": one(up),
        "trigger:robot_arrives": one(go + reached_s(lambda t, s: event.robot_m_per_s, 0.0, event.goal_m)),
    }


def keycard_door(event: KeycardDoor, t_s: Array) -> dict[str, Array]:
    """The walk leg by leg and the door's speed 6 u (1 - u) by quadrature."""

    def walk(way_m: float) -> float:
        return reached_s(lambda t, x: event.walk_m_per_s, 0.0, way_m)

    reader = walk(event.reader_m)
    on = reader + 0.3 + event.slide_s
    shut = on + walk(1.0)

    def moved(from_s: float, t: float) -> float:
        u = min(max((t - from_s) / event.slide_s, 0.0), 1.0)
        return float(quad(lambda v: 6 * v * (1 - v), 0.0, u)[0])

    first = until(lambda t, x: [event.walk_m_per_s], 0.0, event.reader_m, t_s)
    second = until(lambda t, x: [event.walk_m_per_s], 0.0, 1.9, since(on, t_s))
    return {
        "figure_x": first + second,
        "door_open": np.array([moved(reader + 0.3, t) - moved(shut, t) for t in t_s]),
        "lamp": ((t_s >= reader + 0.3) & (t_s < shut)).astype(np.float64),
        "trigger:at_reader": one(reader),
        "trigger:lamp_green": one(reader + 0.3),
        "trigger:walks_on": one(on),
        "trigger:door_shuts": one(shut),
        "trigger:door_shut": one(shut + event.slide_s),
    }


def guard_interlock_flywheel(event: GuardInterlockFlywheel, t_s: Array) -> dict[str, Array]:
    """The trip found on the guard's curve; then w' and the turning of a unit vector, phase by phase, by scipy."""

    def swung(u: float) -> float:
        return 80 * quad(lambda v: 6 * v * (1 - v), 0.0, min(max(u, 0.0), 1.0))[0]

    trip = 0.8 * brentq(lambda u: swung(u) - 10, 0.0, 1.0, xtol=1e-15)
    shut = event.lift_s + 0.8 + event.hold_s
    off, back = event.lift_s + trip, shut + 0.8 - trip
    guard = [np.deg2rad(swung((t - event.lift_s) / 0.8) - swung((t - shut) / 0.8)) for t in t_s]
    start, full, values = [event.on_rad_per_s, 0.0], event.on_rad_per_s, np.empty((2, len(t_s)))
    for begin, end, goal, lag in ((0.0, off, full, event.run_up_s), (off, back, 0.0, event.coast_s),
                                  (back, LONG_S, full, event.run_up_s)):  # fmt: skip
        rows = (t_s >= begin) & (t_s < end)
        stops = np.append(t_s[rows] - begin, min(end, t_s[-1] + 1) - begin)
        run = integrated(lambda t, y, goal=goal, lag=lag: [(goal - y[0]) / lag, y[0]], start, stops)  # type: ignore[misc]
        values[:, rows], start = run[:, :-1], [float(v) for v in run[:, -1]]
    return {
        "guard_angle": np.array(guard),
        "speed": values[0],
        "phi": values[1] % (2 * np.pi),
        "power": ((t_s < off) | (t_s >= back)).astype(np.float64),
        "trigger:guard_starts_to_open": one(off - trip),
        "trigger:guard_open": one(off - trip + 0.8),
        "trigger:guard_starts_to_shut": one(back + trip - 0.8),
        "trigger:guard_shut": one(back + trip),
        "trigger:power_off": one(off),
        "trigger:power_on": one(back),
    }


def pull_cord_lamp(event: PullCordLamp, t_s: Array) -> dict[str, Array]:
    """Pulls counted, the lamp toggled one by one; the arm swings once through a cosine a pull."""
    beads, lamp, arm = np.zeros(len(t_s)), np.zeros(len(t_s)), np.zeros(len(t_s))
    pulls = np.cumsum([event.first_s, *[event.period_s] * 9])
    for pull in pulls:
        done = t_s >= pull
        beads, lamp = beads + done, np.where(done, 1 - lamp, lamp)
        arm += np.deg2rad(20) * (1 - np.cos(2 * np.pi * np.clip((t_s - pull) / 0.5, 0.0, 1.0)))
    return {
        "beads": beads, "lamp": lamp, "arm": arm,
        **{f"trigger:pull_{k}": one(pull) for k, pull in enumerate(pulls, 1)},
    }  # fmt: skip


def sunrise_solar_fountain(event: SunriseSolarFountain, t_s: Array) -> dict[str, Array]:
    """The sun's direction turned as a vector; its upward part is what a level panel catches."""
    zenith = (np.pi / 2 - event.start_rad) / event.rise_rad_per_s
    start = [np.cos(event.start_rad), np.sin(event.start_rad)]
    rate = event.rise_rad_per_s
    across, up = integrated(lambda t, v: [-rate * v[1], rate * v[0]], start, np.minimum(t_s, zenith))
    begins = brentq(lambda t: np.sin(event.start_rad + rate * t) - 0.1, 0.0, zenith, xtol=1e-14)
    return {
        "elevation": np.arctan2(up, across),
        "jet_height": event.jet_m * np.maximum((up - 0.1) / 0.9, 0.0),
        "trigger:pump_starts": one(begins),
    }


REFERENCES: Mapping[str, Reference] = {
    "timer_valve_tank_leds": timer_valve_tank_leds,
    "rotary_valve_supply": rotary_valve_supply,
    "float_switch_pump": float_switch_pump,
    "ball_switch_heater_snow": ball_switch_heater_snow,
    "thermostat_heater": thermostat_heater,
    "ice_gate_marbles": ice_gate_marbles,
    "rain_bucket_gate": rain_bucket_gate,
    "candle_string_flag": candle_string_flag,
    "balloon_pin_pop": balloon_pin_pop,
    "dominoes_release_cart": dominoes_release_cart,
    "hourglass_tips_seesaw": hourglass_tips_seesaw,
    "fuse_rocket_launch": fuse_rocket_launch,
    "pressure_plate_door_robot": pressure_plate_door_robot,
    "keycard_door": keycard_door,
    "guard_interlock_flywheel": guard_interlock_flywheel,
    "pull_cord_lamp": pull_cord_lamp,
    "sunrise_solar_fountain": sunrise_solar_fountain,
}
