"""Water set going by something else: a countdown, a servo, a float, a full bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Visible
from event_library.families.causal_chains.pieces import (
    LAMP_GREEN,
    cable,
    lamp,
    lamp_channels,
    lamp_is_on,
    rad,
    stream_channels,
    supply_pipe,
    valve_pivot_m,
)
from event_library.kit import dials, digits, furniture, machinery, streams, vessels
from event_library.kit.palette import BLUE, DARK, IRON, RED, WHITE, paint
from event_library.kit.shapes import at, rod
from event_library.laws import started
from event_library.parts import Assembly, Part
from event_library.readouts import top_height_m
from event_library.taxonomy import facts

DRY = 1e-4  # a vessel filled less than this is shown empty


def water_channels(name: str, share: float, full_m: float, floor: tuple[float, float, float]) -> ChannelMap:
    """Water filling `share` of a straight vessel; none is shown in an empty one."""
    (placed,) = vessels.column_channels(name, share * full_m, full_m, floor).values()
    return {name: (Visible(share > DRY), *placed)}


def level_seen(view: View, name: str, vessel: str, floor_m: float, full_m: float) -> float:
    """Share of the full height at which the water's top is seen; 0 when none is seen in the vessel that is."""
    points = view.points_m[name]
    if len(points):
        return (top_height_m(points, view.pixel_area_m2[name])[0] - floor_m) / full_m
    return 0.0 if any(len(view.points_m[f"{vessel}_{piece}"]) for piece in ("base", "rim")) else float("nan")


@dataclass(frozen=True, kw_only=True)
class TimerValveTankLeds(Event):
    """A countdown of N0 steps opens a valve, a tank fills at a steady rate and lamp j lights where the level is j/5."""

    info = facts("timer_valve_tank_leds")
    variables = (
        state("n", "count", 0.0, domain="count", flags="monotone bounded"),
        state("l", "frac", 0.07, flags="monotone bounded"),
        state("inflow", "index", 0.0, domain="discrete", flags="bounded"),
        readout("level", "frac", 0.07, min_delta=0.2, flags="monotone bounded", label="waterline over full height"),
        readout("display", "count", 0.0, domain="count", flags="monotone bounded", label="number shown"),
        readout("lamps", "count", 0.0, domain="count", flags="monotone bounded", label="level lamps lit"),
    )
    accept_rules = (("the countdown takes 1.6 to 2.8 s", lambda e: 1.6 <= e.open_s <= 2.8),)

    num_steps: int = param("N0", "count", 3, 5)
    step_s: float = param("dt", "s", 0.45, 0.7)
    fill_per_s: float = param("rf", "1/s", 0.16, 0.3)

    TANK_M, FULL_M = (0.17, 0.12), 0.19
    MOUTH = (0.05, 0.0, 0.245)
    VALVE_X_M, TIMER = -0.075, (-0.15, -0.06, 0.105)
    FLOOR = (0.05, 0.0, vessels.FLOOR_M)

    @property
    def open_s(self) -> float:
        return self.num_steps * self.step_s

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        left = np.maximum(self.num_steps - np.floor(t / self.step_s + 1e-9), 0.0)
        level = np.clip(self.fill_per_s * (t - self.open_s), 0.0, 1.0)
        running = ((left == 0) & (level < 1)).astype(np.float64)
        lamps = np.floor(5 * level + 1e-9)
        return {
            "n": left, "l": level, "inflow": running, "level": level.copy(), "display": left.copy(), "lamps": lamps
        }  # fmt: skip

    def triggers(self) -> dict[str, float]:
        lamps = {f"lamp_{j}_lights": self.open_s + j / 5 / self.fill_per_s for j in range(1, 6)}
        return {"valve_opens": self.open_s, **lamps}

    def assembly(self) -> Assembly:
        x, y, z = self.TIMER
        middle = (x + 0.31, -0.05, vessels.FLOOR_M + 0.6 * self.FULL_M)
        box = parts.block((0.02, 0.02, z), (x, y + 0.06, 0.0))
        return Assembly((
            vessels.liquid_box("water", self.TANK_M, self.FULL_M),
            *vessels.square_tank("tank", self.TANK_M, self.FULL_M + 0.02, (self.MOUTH[0], 0.0, 0.0)),
            streams.jet("jet"),
            streams.splash("jet_splash", 0.011),
            *supply_pipe("supply", self.MOUTH, -0.19, self.VALVE_X_M),
            *digits.seven_segments("timer", 1, 0.13, self.TIMER),
            Part("stand", parts.join(box, parts.block((0.10, 0.09, 0.008), (x, y + 0.05, 0))), IRON),
            cable("cable", [(x, y + 0.04, z + 0.06), (x, y + 0.05, 0.26), (self.VALVE_X_M, 0.0, 0.30)]),
            *digits.lamp_row("lamps", 5, 0.013, middle, pitch_m=self.FULL_M / 5, vertical=True, rgb=LAMP_GREEN),
            Part("post", parts.block((0.02, 0.015, 0.05), (middle[0], middle[1] + 0.012, 0.0)), DARK),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        level, running = float(state["l"]), bool(state["inflow"])
        flow = self.fill_per_s * self.FULL_M * self.TANK_M[0] * self.TANK_M[1]
        opened = float(np.pi / 2 * (state["n"] == 0))
        return {
            **water_channels("water", level, self.FULL_M, self.FLOOR),
            **stream_channels("jet", flow, self.MOUTH, vessels.FLOOR_M + level * self.FULL_M, running),
            **machinery.wheel_channels("supply_handle", opened, valve_pivot_m(self.MOUTH, self.VALVE_X_M)),
            **digits.seven_segments_channels("timer", 1, int(state["n"]), glow=1.5),
            **digits.lamp_row_channels("lamps", np.arange(1, 6) <= state["lamps"], rgb=LAMP_GREEN),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        held = float(meshes["water"].volume) if "water" in meshes else 0.0
        return {"l": held / (self.TANK_M[0] * self.TANK_M[1] * self.FULL_M)}

    def measure(self, view: View) -> dict[str, float]:
        shown = digits.read_display("timer", 1, view.rgb, threshold=0.7)
        return {
            "level": level_seen(view, "water", "tank", vessels.FLOOR_M, self.FULL_M),
            "display": float(shown) if shown.isdigit() else float("nan"),
            "lamps": float(sum(lamp_is_on(view.rgb[f"lamps_{j}"]) for j in range(5))),
        }


@dataclass(frozen=True, kw_only=True)
class RotaryValveSupply(Event):
    """A servo turns a valve by 30 degrees at ts, 2 ts and 3 ts; what runs in is proportional to its angle.

    Each turn takes 0.2 s at a steady rate, so the level is l0 + (rq / 3) sum_k I(t - k ts), I the integral of the ramp.
    """

    info = facts("rotary_valve_supply")
    variables = (
        state("angle", "rad", rad(10), domain="angle", flags="monotone bounded"),
        state("l", "frac", 0.06, flags="monotone bounded"),
        readout("level", "frac", 0.06, min_delta=0.13, flags="monotone bounded", label="waterline over full height"),
        readout("handle", "rad", rad(10), domain="angle", flags="monotone bounded", label="turn of the red handle"),
    )

    step_s: float = param("ts", "s", 0.8, 1.5)
    fill_per_s: float = param("rq", "1/s", 0.14, 0.24)
    start_frac: float = param("l0", "frac", 0.03, 0.1)

    NUM_STEPS, TURN_S = 3, 0.2
    RADIUS_M, FULL_M = 0.062, 0.16
    MOUTH = (0.07, 0.0, 0.215)
    VALVE_X_M = -0.045
    FLOOR = (0.07, 0.0, vessels.FLOOR_M)

    def states(self, t_s: Array) -> dict[str, Array]:
        since = started(t_s)[:, None] - self.step_s * np.arange(1, self.NUM_STEPS + 1)
        turned = np.clip(since / self.TURN_S, 0.0, 1.0)
        poured = self.TURN_S * turned**2 / 2 + np.maximum(since - self.TURN_S, 0.0)
        angle = np.pi / 2 / self.NUM_STEPS * turned.sum(axis=1)
        level = np.minimum(self.start_frac + self.fill_per_s / self.NUM_STEPS * poured.sum(axis=1), 1.0)
        return {"angle": angle, "l": level, "level": level.copy(), "handle": angle.copy()}

    def triggers(self) -> dict[str, float]:
        turns = {f"turn_{k}": k * self.step_s for k in range(1, self.NUM_STEPS + 1)}
        rest = (1 - self.start_frac) / self.fill_per_s  # it is full long after the last turn
        return {**turns, "full": rest + 2 * self.step_s + self.TURN_S / 2}

    def assembly(self) -> Assembly:
        pivot = valve_pivot_m(self.MOUTH, self.VALVE_X_M)
        servo = parts.moved(parts.bevelled_box((0.07, 0.05, 0.09), 0.006), pivot[0], 0.0, pivot[2] - 0.075)
        marks = vessels.FLOOR_M + self.FULL_M * np.arange(1, 6) / 5
        return Assembly((
            vessels.liquid_column("water", self.RADIUS_M, self.FULL_M),
            *vessels.glass("jar", self.RADIUS_M, self.FULL_M + 0.018, (self.MOUTH[0], 0.0, 0.0)),
            vessels.graduations("marks", self.RADIUS_M, marks, (self.MOUTH[0], 0.0, 0.0)),
            streams.jet("jet"),
            streams.splash("jet_splash", 0.011),
            *supply_pipe("supply", self.MOUTH, -0.15, self.VALVE_X_M),
            dials.protractor(
                "scale", 0.088, (pivot[0], pivot[1] + 0.012, pivot[2]), from_rad=0.0, to_rad=np.pi / 2, num_steps=3,
                every=3, downwards=False,
            ),
            Part("servo", servo, paint(BLUE)),
            digits.label("servo_label", "SERVO", 0.014, (pivot[0], -0.026, pivot[2] - 0.075), material=paint(WHITE)),
            cable("cable", [(pivot[0], 0.02, pivot[2] - 0.12), (pivot[0], 0.1, 0.0), (-0.18, 0.1, 0.0)]),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        level, angle = float(state["l"]), float(state["angle"])
        flow = self.fill_per_s * angle / (np.pi / 2) * self.FULL_M * np.pi * self.RADIUS_M**2
        surface = vessels.FLOOR_M + level * self.FULL_M
        return {
            **water_channels("water", level, self.FULL_M, self.FLOOR),
            **stream_channels("jet", 3 * flow, self.MOUTH, surface, flow > 0 and level < 1),
            **machinery.wheel_channels("supply_handle", angle, valve_pivot_m(self.MOUTH, self.VALVE_X_M)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        bar = np.asarray(meshes["supply_handle"].vertices)[:8]
        pivot = valve_pivot_m(self.MOUTH, self.VALVE_X_M)
        return {
            "l": float(meshes["water"].volume) / (np.pi * self.RADIUS_M**2 * self.FULL_M),
            "angle": dials.clockwise_rad(bar.mean(axis=0) - pivot),
        }

    def measure(self, view: View) -> dict[str, float]:
        pivot = valve_pivot_m(self.MOUTH, self.VALVE_X_M)
        return {
            "level": level_seen(view, "water", "jar", vessels.FLOOR_M, self.FULL_M),
            "handle": dials.hand_angle_rad(view.points_m["supply_handle"], pivot),
        }


@dataclass(frozen=True, kw_only=True)
class FloatSwitchPump(Event):
    """A two-point controller: the pump starts at level 0.85 and stops at 0.2; a sawtooth of two steady rates."""

    info = facts("float_switch_pump")
    variables = (
        state("l", "frac", 0.07, flags="periodic bounded"),
        state("pump", "index", 0.0, domain="discrete", flags="periodic bounded"),
        readout("level", "frac", 0.07, min_delta=0.15, flags="periodic bounded", label="waterline over full height"),
        readout("pump_lamp", "index", 0.0, domain="discrete", flags="periodic bounded", label="lamp of the pump"),
    )

    rise_per_s: float = param("rf", "1/s", 0.16, 0.3)
    fall_per_s: float = param("rd", "1/s", 0.2, 0.4)
    start_frac: float = param("l0", "frac", 0.15, 0.45)

    HIGH, LOW = 0.85, 0.2
    TANK_M, FULL_M = (0.19, 0.13), 0.19
    TAP = (-0.05, 0.0, 0.25)
    PIVOT, ARM_M, BALL_M = (0.085, 0.0, vessels.FLOOR_M + 0.10), 0.12, 0.021
    DRAIN = (0.185, 0.0, 0.12)
    FLOOR = (0.0, 0.0, vessels.FLOOR_M)

    @property
    def rising_s(self) -> float:
        return (self.HIGH - self.LOW) / self.rise_per_s

    @property
    def falling_s(self) -> float:
        return (self.HIGH - self.LOW) / self.fall_per_s

    @property
    def first_s(self) -> float:
        """When the pump starts for the first time."""
        return (self.HIGH - self.start_frac) / self.rise_per_s

    def states(self, t_s: Array) -> dict[str, Array]:
        since = started(t_s) - self.first_s
        into = since % (self.falling_s + self.rising_s)
        pump = (since >= 0) & (into < self.falling_s)
        refilled = self.LOW + self.rise_per_s * (into - self.falling_s)
        level = np.where(pump, self.HIGH - self.fall_per_s * into, refilled)
        level = np.where(since < 0, self.HIGH + self.rise_per_s * since, level)
        on = pump.astype(np.float64)
        return {"l": level, "pump": on, "level": level.copy(), "pump_lamp": on.copy()}

    def triggers(self) -> dict[str, float]:
        starts = [self.first_s + k * (self.falling_s + self.rising_s) for k in range(4)]
        return {f"pump_starts_{k + 1}": s for k, s in enumerate(starts)} | {
            f"pump_stops_{k + 1}": s + self.falling_s for k, s in enumerate(starts)
        }

    def assembly(self) -> Assembly:
        x, _, z = self.DRAIN
        pump = parts.join(
            parts.moved(parts.bevelled_box((0.075, 0.07, 0.05), 0.008), 0.15, 0.0, 0.025),
            rod((0.15, 0.0, 0.05), (0.15, 0.0, z + 0.012), 0.009),
            rod((0.15, 0.0, z + 0.012), (x, 0.0, z + 0.012), 0.009),
            rod((x, 0.0, z + 0.016), (x, 0.0, z), 0.009),
            rod((0.09, 0.0, 0.02), (0.13, 0.0, 0.02), 0.009),
        )  # fmt: skip
        wall = parts.moved(parts.box((0.02, 0.024, 0.03)), self.PIVOT[0] + 0.004, 0.0, self.PIVOT[2])
        return Assembly((
            vessels.liquid_box("water", self.TANK_M, self.FULL_M),
            *vessels.square_tank("tank", self.TANK_M, self.FULL_M + 0.02),
            Part("float", parts.sphere(self.BALL_M), paint(RED), carries=True, smooth_angle_deg=180),
            machinery.link("arm", self.ARM_M, 0.009),
            Part("hinge", wall, IRON),
            streams.jet("inlet"),
            streams.splash("inlet_splash", 0.009),
            *streams.tap("tap", self.TAP, 0.08, bend_rad=2.6),
            streams.jet("outlet"),
            Part("pump", pump, paint((0.04, 0.16, 0.36)), smooth_angle_deg=30),
            *lamp("lamp", 0.017, (0.15, -0.036, 0.032), LAMP_GREEN),
            furniture.tray("sink", (0.075, 0.09), 0.012, (0.235, 0.0, 0.0), paint((0.25, 0.26, 0.28)), thick_m=0.004),
            Part("grate", parts.moved(parts.cylinder(0.022, 0.0015), 0.235, 0.0, 0.004), DARK),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        level, on = float(state["l"]), bool(state["pump"])
        surface = vessels.FLOOR_M + level * self.FULL_M
        px, _, pz = self.PIVOT
        drop = surface + 0.006 - pz
        ball = (px - float(np.sqrt(self.ARM_M**2 - drop**2)), 0.0, surface + 0.006)
        area = self.TANK_M[0] * self.TANK_M[1] * self.FULL_M
        pumped = (self.rise_per_s + self.fall_per_s) * area
        return {
            **water_channels("water", level, self.FULL_M, self.FLOOR),
            "float": (Move(at(*ball)),),
            **machinery.link_channels("arm", self.PIVOT, ball),
            **stream_channels("inlet", self.rise_per_s * area, self.TAP, surface, True),
            **streams.parabolic_jet_channels("outlet", pumped / 6, self.DRAIN, (0.30, 0.0, -0.2), 0.004, running=on),
            **lamp_channels("lamp", on, LAMP_GREEN),
        }  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"l": float(meshes["water"].volume) / (self.TANK_M[0] * self.TANK_M[1] * self.FULL_M)}

    def measure(self, view: View) -> dict[str, float]:
        return {
            "level": level_seen(view, "water", "tank", vessels.FLOOR_M, self.FULL_M),
            "pump_lamp": lamp_is_on(view.rgb["lamp_0"]),
        }
