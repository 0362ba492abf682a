"""Machines switched by a guard and by a cord."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Emission, Move, Rotate, quaternion_about
from event_library.families.causal_chains.pieces import direction, lamp, lamp_channels, lamp_is_on, rad
from event_library.figures import fliers
from event_library.kit import dials, furniture, machinery
from event_library.kit.palette import (
    BLUE,
    BRASS,
    GLASS,
    IRON,
    ORANGE,
    RED,
    STEEL,
    WOOD,
    YELLOW,
    paint,
)
from event_library.kit.shapes import at, extruded, rod, swept
from event_library.laws import ease, ease_inverse, started
from event_library.parts import Assembly, Material, Part
from event_library.taxonomy import facts


@dataclass(frozen=True, kw_only=True)
class GuardInterlockFlywheel(Event):
    """A guard lifted past 10 degrees cuts the motor: w' = -w / td without power, (w_on - w) / tu with it.

    The guard opens by 80 degrees from `to`, stays for `hold` and shuts likewise, each in 0.8 s.
    """

    info = facts("guard_interlock_flywheel")
    variables = (
        state("g", "rad", rad(12), domain="angle", flags="bounded"),
        state("w", "rad/s", rad(25), flags="bounded"),
        state("phi", "rad", rad(20), domain="angle", cycle=2 * np.pi, label="turn of the wheel"),
        state("power", "index", 0.0, domain="discrete", flags="bounded"),
        readout("speed", "rad/s", rad(25), min_delta=rad(55), flags="bounded", label="needle of the speed gauge"),
        readout("guard_angle", "rad", rad(12), domain="angle", flags="bounded", label="how far the guard is open"),
        readout("motor_lamp", "index", 0.0, domain="discrete", flags="bounded", label="lamp of the motor"),
    )

    lift_s: float = param("to", "s", 1.2, 1.8)
    hold_s: float = param("hold", "s", 2.0, 3.0)
    on_rad_per_s: float = angle_param("w_on", 150, 240, unit="rad/s")
    coast_s: float = param("td", "s", 0.8, 1.5)
    run_up_s: float = param("tu", "s", 0.7, 1.2)

    SWING_S, OPEN_RAD, TRIP_RAD = 0.8, rad(80), rad(10)
    RADIUS_M, AXLE = 0.15, (-0.12, 0.0, 0.20)
    GUARD_M = 0.18  # radius of the guard, hinged at its left end
    GAUGE, GAUGE_M, FULL_RAD_PER_S = (0.25, 0.0, 0.15), 0.105, rad(270)

    @property
    def cut_s(self) -> tuple[float, float]:
        """When the motor loses its power and when it gets it back."""
        trip = self.SWING_S * ease_inverse(self.TRIP_RAD / self.OPEN_RAD)
        return self.lift_s + trip, self.lift_s + self.SWING_S + self.hold_s + self.SWING_S - trip

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        shut_s = self.lift_s + self.SWING_S + self.hold_s
        g = self.OPEN_RAD * (ease((t - self.lift_s) / self.SWING_S) - ease((t - shut_s) / self.SWING_S))
        off_s, on_s = self.cut_s
        coasting, running = np.clip(t - off_s, 0.0, on_s - off_s), np.maximum(t - on_s, 0.0)
        left, missing = np.exp(-coasting / self.coast_s), np.exp(-running / self.run_up_s)
        gap = self.on_rad_per_s * (1 - np.exp(-(on_s - off_s) / self.coast_s))  # to make up when the power is back
        w = np.where(t < on_s, self.on_rad_per_s * left, self.on_rad_per_s - gap * missing)
        turned = self.on_rad_per_s * (np.minimum(t, off_s) + self.coast_s * (1 - left) + running)
        phi = (turned - gap * self.run_up_s * (1 - missing)) % (2 * np.pi)
        power = ((t < off_s) | (t >= on_s)).astype(np.float64)
        return {
            "g": g, "w": w, "phi": phi, "power": power, "speed": w.copy(), "guard_angle": g.copy(),
            "motor_lamp": power.copy(),
        }  # fmt: skip

    def triggers(self) -> dict[str, float]:
        off_s, on_s = self.cut_s
        open_s = self.lift_s + self.SWING_S
        return {
            "guard_starts_to_open": self.lift_s, "power_off": off_s, "guard_open": open_s,
            "guard_starts_to_shut": open_s + self.hold_s, "power_on": on_s,
            "guard_shut": open_s + self.hold_s + self.SWING_S,
        }  # fmt: skip

    @property
    def _hinge(self) -> tuple[float, float, float]:
        x, _, z = self.AXLE
        return x - self.GUARD_M, -0.045, z

    def assembly(self) -> Assembly:
        (x, _, z), r = self.AXLE, self.GUARD_M
        arc = np.linspace(0.0, np.pi, 25)
        half = np.column_stack([r + r * np.cos(arc), r * np.sin(arc)])
        edge = swept(np.column_stack([half[:, 0], np.zeros(25), half[:, 1]]), 0.009, 10)
        edges = [parts.moved(edge.copy(), y_m=y) for y in (0.0, 0.09)]
        bars = [rod((0.0, y, 0.0), (2 * r, y, 0.0), 0.008) for y in (0.0, 0.09)]
        ties = [rod((r + r * c, 0.0, r * s), (r + r * c, 0.09, r * s), 0.006) for c, s in ((0.7, 0.714), (-0.7, 0.714))]
        pane = parts.moved(extruded(half, 0.003), y_m=-0.0015)
        knob = parts.join(
            rod((2 * r, 0.0, 0.0), (2 * r + 0.04, 0.0, 0.0), 0.007), parts.moved(parts.sphere(0.021, 2), 2 * r + 0.05)
        )
        gx, _, gz = self.GAUGE
        hinge_x, hinge_y, _ = self._hinge
        stand = parts.join(
            parts.block((0.70, 0.20, 0.022), (0.03, 0.02, 0)),
            parts.block((0.06, 0.025, z + 0.03), (x, 0.05, 0)),
            parts.block((0.04, 0.02, gz), (gx, 0.03, 0)),
            parts.block((0.03, 0.12, z - 0.01), (hinge_x - 0.005, hinge_y + 0.05, 0)),
            rod((hinge_x, hinge_y - 0.015, z), (hinge_x, hinge_y + 0.11, z), 0.012),
            rod((x, -0.03, z), (x, 0.06, z), 0.016),
        )
        return Assembly((
            *machinery.spoked_wheel("wheel", self.RADIUS_M, 0.04, 5, rim_m=0.03),
            Part("guard", parts.join(*edges, *bars, *ties), paint(YELLOW), carries=True, smooth_angle_deg=50),
            Part("pane", pane, GLASS),
            Part("knob", knob, paint(RED), carries=True, smooth_angle_deg=50),
            *dials.dial("gauge", self.GAUGE_M, self.GAUGE, num_major=7, num_minor=0),
            dials.hand("needle", 0.85 * self.GAUGE_M, 0.28 * self.GAUGE_M, material=paint(ORANGE), lift_m=0.004),
            *lamp("lamp", 0.022, (gx, -0.02, 0.33)),
            Part("lamp_post", parts.block((0.02, 0.015, 0.33 - gz), (gx, 0.012, gz)), STEEL),
            Part("stand", stand, paint((0.10, 0.20, 0.30)), smooth_angle_deg=30),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        low, high = dials.GAUGE_SWEEP_RAD
        needle = low + (high - low) * float(state["w"]) / self.FULL_RAD_PER_S
        lifted = (Rotate(quaternion_about((0.0, 1.0, 0.0), -float(state["g"]))), Move(at(*self._hinge)))
        return {
            **machinery.marked_wheel_channels("wheel", float(state["phi"]), self.AXLE),
            **dict.fromkeys(("guard", "pane", "knob"), lifted),
            **dials.hand_channels("needle", needle, self.GAUGE),
            **lamp_channels("lamp", bool(state["power"])),
        }

    def _guard_rad(self, knob_m: Array) -> float:
        return float(np.arctan2(knob_m[2] - self._hinge[2], knob_m[0] - self._hinge[0]))

    def _speed(self, needle_m: Array) -> float:
        low, high = dials.GAUGE_SWEEP_RAD
        return (dials.hand_angle_rad(needle_m, self.GAUGE) - low) / (high - low) * self.FULL_RAD_PER_S

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {
            "g": self._guard_rad(np.asarray(meshes["knob"].vertices)[-162:].mean(axis=0)),
            "w": self._speed(np.asarray(meshes["needle"].vertices)),
            "phi": dials.hand_angle_rad(meshes["wheel_mark"].vertices, self.AXLE) % (2 * np.pi),
        }

    def measure(self, view: View) -> dict[str, float]:
        knob = view.points_m["knob"]
        return {
            "speed": self._speed(view.points_m["needle"]),
            "guard_angle": self._guard_rad(knob.mean(axis=0)) if len(knob) else float("nan"),
            "motor_lamp": lamp_is_on(view.rgb["lamp_0"]),
        }


@dataclass(frozen=True, kw_only=True)
class PullCordLamp(Event):
    """A clockwork monkey pulls a cord every Tp, ten times: n = floor((t - t0) / Tp) + 1; lamp on iff n is odd."""

    info = facts("pull_cord_lamp")
    variables = (
        state("n", "count", 0.0, domain="count", flags="monotone bounded"),
        state("arm", "rad", rad(3), domain="angle", flags="bounded", label="how far the arm is pulled down"),
        state("on", "index", 0.0, domain="discrete", flags="bounded"),
        readout("beads", "count", 0.0, min_delta=1.0, domain="count", flags="monotone bounded",
                label="beads on the right of the wire"),
        readout("lamp", "index", 0.0, domain="discrete", flags="bounded", label="lamp shines"),
    )  # fmt: skip

    first_s: float = param("t0", "s", 0.3, 0.7)
    period_s: float = param("Tp", "s", 0.9, 1.5)

    NUM_PULLS, PULL_S, PULL_RAD = 10, 0.5, rad(40)  # then the spring has run down
    TALL_M, SEAT = 0.26, (-0.13, 0.0, 0.03)
    RAISED_RAD, HEADING_RAD = rad(125), rad(-35)
    LAMP_M = 0.47  # height of the shade's foot
    WIRE, BEAD_M = (-0.22, 0.35, -0.15, 0.055), 0.02  # x from, x to, y, z; radius of a bead
    POWER_W = 40.0

    def states(self, t_s: Array) -> dict[str, Array]:
        since = started(t_s) - self.first_s
        n = np.clip(np.floor(since / self.period_s) + 1, 0.0, self.NUM_PULLS)
        into = since - np.maximum(n - 1, 0.0) * self.period_s
        down = np.sin(np.pi * np.clip(into / self.PULL_S, 0.0, 1.0)) ** 2
        on = n % 2
        return {"n": n, "arm": self.PULL_RAD * down, "on": on, "beads": n.copy(), "lamp": on.copy()}

    def triggers(self) -> dict[str, float]:
        return {f"pull_{k + 1}": self.first_s + k * self.period_s for k in range(self.NUM_PULLS)}

    def _hand_m(self, arm_rad: float) -> Array:
        return fliers.monkey_hand_m(self.TALL_M, self.SEAT, self.HEADING_RAD, "left", self.RAISED_RAD - arm_rad)

    @property
    def _ends_m(self) -> tuple[Array, Array]:
        """[10] x of every bead at the left and at the right; bead 0 moves first and lies outermost on the right."""
        packed = self.BEAD_M * (1 + 2.05 * np.arange(self.NUM_PULLS))
        return self.WIRE[0] + packed[::-1], self.WIRE[1] - packed

    def assembly(self) -> Assembly:
        hand = self._hand_m(0.0)
        x, y = float(hand[0]), float(hand[1])
        bulb, light = furniture.bulb(
            "bulb", 0.028, (x + 0.05, y, self.LAMP_M + 0.012), power_w=self.POWER_W, hanging=True
        )
        stand = parts.join(
            parts.moved(parts.cylinder(0.055, 0.012, 32), x + 0.20, y + 0.11),
            rod((x + 0.20, y + 0.11, 0.0), (x + 0.20, y + 0.11, self.LAMP_M + 0.10), 0.007),
            rod((x + 0.20, y + 0.11, self.LAMP_M + 0.09), (x + 0.05, y, self.LAMP_M + 0.09), 0.006),
        )
        shade = parts.lathe(np.array([(0.105, 0.0), (0.045, 0.085)]), 40)  # open: the bulb shines out below
        glow = Material(rgb=(0.13, 0.20, 0.10), roughness=0.6, emission_rgb=(1.0, 0.62, 0.22), emission_strength=1.4)
        low, high, wy, wz = self.WIRE
        wire = parts.join(
            rod((low - 0.01, wy, wz), (high + 0.01, wy, wz), 0.003),
            *(parts.block((0.014, 0.03, wz + 0.035), (e, wy, 0)) for e in (low - 0.015, high + 0.015)),
            parts.block((high - low + 0.06, 0.06, 0.012), ((low + high) / 2, wy, 0)),
        )
        return Assembly((
            *fliers.monkey("monkey", self.TALL_M),
            *(
                Part(f"bead_{k}", parts.sphere(self.BEAD_M, 2), paint(YELLOW if k < 5 else BLUE), True, 180)
                for k in range(self.NUM_PULLS)
            ),
            Part("shade", parts.moved(shade, x + 0.05, y, self.LAMP_M), glow, carries=True, smooth_angle_deg=40),
            *bulb,
            machinery.rope("cord", 0.005, 2),
            Part("cord_knob", parts.sphere(0.012, 2), BRASS, carries=True, smooth_angle_deg=180),
            Part("stand", stand, IRON, smooth_angle_deg=40),
            Part("wire", wire, WOOD, smooth_angle_deg=40),
            furniture.board("box", (0.15, 0.14, self.SEAT[2]), (self.SEAT[0], self.SEAT[1], 0.0), paint(RED)),
        ), (light,))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        arm, on = float(state["arm"]), bool(state["on"])
        hand = self._hand_m(arm)
        top = at(float(self._hand_m(0.0)[0]) + 0.008, float(self._hand_m(0.0)[1]), self.LAMP_M + 0.01)
        left, right = self._ends_m
        beads = np.where(np.arange(self.NUM_PULLS) < state["n"], right, left)
        return {
            **fliers.monkey_channels(
                "monkey", self.TALL_M, self.SEAT, self.HEADING_RAD, (self.RAISED_RAD - arm, 0.4), head_pitch_rad=0.25
            ),
            **{f"bead_{k}": (Move(at(x, *self.WIRE[2:])),) for k, x in enumerate(beads)},
            "shade": (Emission(1.4 * on),),
            **furniture.bulb_channels("bulb", float(on), power_w=self.POWER_W),
            **machinery.rope_channels("cord", np.array([top, hand - at(0, 0, 0.012)]), 0.005, 2),
            "cord_knob": (Move(hand - at(0, 0, 0.018)),),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x = np.array([meshes[f"bead_{k}"].bounds[:, 0].mean() for k in range(self.NUM_PULLS)])
        left, right = self._ends_m
        arm = np.asarray(meshes["monkey_left_arm"].vertices)
        rest = next(p for p in fliers.monkey("monkey", self.TALL_M) if p.name == "monkey_left_arm").mesh.vertices
        hanging = np.linalg.lstsq(np.column_stack([rest, np.ones(len(rest))]), arm, rcond=None)[0][2]
        ahead = float(-hanging @ direction(self.HEADING_RAD))  # the arm is spread by 0.15 about the heading
        return {
            "n": float((np.abs(x - right) < np.abs(x - left)).sum()),
            "arm": self.RAISED_RAD - float(np.arctan2(ahead, hanging[2] / np.cos(0.15))) % (2 * np.pi),
        }

    def measure(self, view: View) -> dict[str, float]:
        """Beads are asked which of their two ends they are at; those that aren't seen lie between their neighbours."""
        left, right = self._ends_m
        seen = {k: view.points_m[f"bead_{k}"][:, 0] for k in range(self.NUM_PULLS)}
        moved = [k for k, x in seen.items() if len(x) and np.median(x) > (left[k] + right[k]) / 2]
        waiting = [k for k, x in seen.items() if len(x) and np.median(x) <= (left[k] + right[k]) / 2]
        from_left, from_right = min(waiting, default=self.NUM_PULLS), max(moved, default=-1) + 1
        shade = view.rgb["shade"]
        return {
            "beads": (from_left + from_right) / 2 if moved or waiting else float("nan"),
            "lamp": float(np.median(shade[:, 0]) > 0.8) if len(shade) else float("nan"),
        }
