"""What rolls once something has fallen or tipped: a cart behind dominoes, a ball on a seesaw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import trimesh
from scipy.optimize import brentq

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate, Scale, Vertices, Visible, quaternion_about
from event_library.families.causal_chains.pieces import rad
from event_library.families.mechanisms_clocks.clocks import SAND
from event_library.figures import vehicles
from event_library.kit import dials, furniture, heaps, vessels
from event_library.kit.palette import BRASS, IRON, PALE_WOOD, RED, RED_PAINT, STEEL, WOOD, hue, paint
from event_library.kit.shapes import at, rod, solid_of_revolution
from event_library.laws import GRAVITY_M_PER_S2, ode_values, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import split_of_row
from event_library.taxonomy import facts


@dataclass(frozen=True, kw_only=True)
class DominoesReleaseCart(Event):
    """A wave topples a row of dominoes; the last one, lying flat, has swung the chock out of a cart's way.

    The foremost domino tilts steadily until it touches the next; those behind lean on it, h sin(a_i - a_(i+1)) =
    sp cos a_(i+1) - d (van Leeuwen 2010, The domino effect). The cart then rolls with ac = g sin(slope).
    """

    info = facts("dominoes_release_cart")
    variables = (
        state("tilt", "rad", rad(8), domain="vector", flags="monotone bounded", label="of each domino"),
        state("s", "m", 0.05, flags="monotone bounded"),
        readout("cart_s", "m", 0.05, min_delta=0.12, flags="monotone bounded", label="way of the cart down the ramp"),
        readout("fallen", "count", 2.0, domain="count", flags="monotone bounded", label="dominoes beyond 45 degrees"),
    )
    accept_rules = (("the chock is out after 2.2 to 3.4 s", lambda e: 2.2 <= e.chock_s <= 3.4),)

    num_dominoes: int = param("n", "count", 8, 12)
    spacing_m: float = param("sp", "m", 0.045, 0.055)
    wave_m_per_s: float = param("vw", "m/s", 0.9, 1.3)
    acceleration_m_per_s2: float = param("ac", "m/s^2", 1.5, 2.5)
    ramp_m: float = param("Lr", "m", 0.6, 0.8)
    time_scale: float = param("time_scale", "s/s", 0.17, 0.26)

    THICK_M, WIDE_M, TALL_M = 0.014, 0.05, 0.095
    CART_M, LANE_Y_M, ROW_Y_M = 0.14, -0.06, 0.065
    PAST_M, BASE_M = 0.09, 0.02  # ramp beyond the cart's middle at either end, and under its foot
    REACH_M, SWING_RAD = 0.06, 1.3  # of the chock's lever
    TAIL_M = 0.055  # height of the lever above the deck

    @property
    def rate_rad_per_s(self) -> float:
        """Of the foremost domino."""
        touching = np.arcsin((self.spacing_m - self.THICK_M) / self.TALL_M)
        return float(touching * self.wave_m_per_s / self.spacing_m)

    @property
    def chock_s(self) -> float:
        """Clip time at which the last domino lies flat."""
        last_s = (self.num_dominoes - 1) * self.spacing_m / self.wave_m_per_s
        return (last_s + np.pi / 2 / self.rate_rad_per_s) / self.time_scale

    def states(self, t_s: Array) -> dict[str, Array]:
        tau, step_s = started(t_s) * self.time_scale, self.spacing_m / self.wave_m_per_s
        tilt = np.zeros((len(tau), self.num_dominoes))
        for k in reversed(range(self.num_dominoes)):
            last = k == self.num_dominoes - 1
            ahead = tilt[:, k + 1] if not last else np.zeros(len(tau))
            free = np.clip(self.rate_rad_per_s * (tau - k * step_s), 0.0, np.pi / 2)
            lean = ahead + np.arcsin((self.spacing_m * np.cos(ahead) - self.THICK_M) / self.TALL_M)
            tilt[:, k] = free if last else np.minimum(free, lean)
        since = np.maximum(tau - self.chock_s * self.time_scale, 0.0)
        s = np.minimum(self.acceleration_m_per_s2 * since**2 / 2, self.ramp_m)
        fallen = (tilt > np.pi / 4).sum(axis=1).astype(np.float64)
        return {"tilt": tilt, "s": s, "cart_s": s.copy(), "fallen": fallen}

    def triggers(self) -> dict[str, float]:
        roll_s = np.sqrt(2 * self.ramp_m / self.acceleration_m_per_s2)
        starts = self.spacing_m / self.wave_m_per_s / self.time_scale * np.arange(self.num_dominoes)
        return {
            **{f"domino_{k + 1}_starts": float(s) for k, s in enumerate(starts)},
            "chock_out": self.chock_s,
            "cart_at_foot": float(self.chock_s + roll_s / self.time_scale),
        }

    # ---- where things are
    @property
    def slope_rad(self) -> float:
        return float(np.arcsin(self.acceleration_m_per_s2 / GRAVITY_M_PER_S2))

    @property
    def _foot_m(self) -> tuple[float, float, float]:
        return -(self.ramp_m / 2 + self.PAST_M) * float(np.cos(self.slope_rad)), self.LANE_Y_M, self.BASE_M

    def _cart_m(self, s_m: float) -> Array:
        return furniture.ramp_point_m(self.PAST_M + self.ramp_m - s_m, self.slope_rad, self._foot_m)

    @property
    def _pivot_m(self) -> Array:
        """Of the lever, level with the cart's nose, between ramp and row."""
        up = self.PAST_M + self.ramp_m - self.CART_M / 2 - 0.016
        x, _, z = furniture.ramp_point_m(up, self.slope_rad, self._foot_m)
        return at(x, (self.LANE_Y_M + self.ROW_Y_M) / 2, z + 0.022)

    @property
    def _feet_m(self) -> Array:
        """[n, 3] leading lower edges of the dominoes."""
        x, _, z = self._pivot_m
        k = np.arange(self.num_dominoes)
        row = x - 0.032 - self.spacing_m * (self.num_dominoes - 1 - k)
        return np.column_stack([row, np.full(len(k), self.ROW_Y_M), np.full(len(k), z - self.TAIL_M)])

    def assembly(self) -> Assembly:
        feet, pivot = self._feet_m, self._pivot_m
        row = [
            Part(f"domino_{k}", self._domino(), paint(hue(0.85 * k / self.num_dominoes)), True)
            for k in range(self.num_dominoes)
        ]
        low, high, deck = feet[0, 0] - 0.05, feet[-1, 0] + 0.12, float(feet[0, 2])
        shelf = parts.join(
            parts.block((high - low, 0.08, 0.018), ((low + high) / 2, self.ROW_Y_M, deck - 0.018)),
            *(parts.block((0.02, 0.06, deck - 0.018), (x, self.ROW_Y_M, 0)) for x in (low + 0.03, high - 0.03)),
        )
        lever = parts.join(
            parts.moved(parts.box((0.012, 2 * self.REACH_M + 0.02, 0.014)), 0, 0, 0),
            parts.moved(parts.box((0.022, 0.03, 0.034)), 0, -self.REACH_M, -0.004),
        )
        long = self.ramp_m + 2 * self.PAST_M
        ramp = furniture.ramp("ramp", long, self.slope_rad, 0.10, self._foot_m)
        under = parts.block((long * np.cos(self.slope_rad), 0.10, self.BASE_M), (0.0, self.LANE_Y_M, 0))
        buffer = parts.block((0.02, 0.10, 0.075), (self._foot_m[0] + 0.008, self.LANE_Y_M, self.BASE_M))
        return Assembly((
            *row,
            *vehicles.wagon("cart", self.CART_M, RED),
            Part("chock", lever, RED_PAINT, carries=True),
            Part("pin", rod((pivot[0], pivot[1], 0.0), pivot + at(0, 0, 0.014), 0.007), STEEL, smooth_angle_deg=40),
            Part("shelf", shelf, WOOD),
            Part("ramp", parts.join(ramp.mesh, under, buffer), PALE_WOOD),
        ))  # fmt: skip

    def _domino(self) -> trimesh.Trimesh:
        """Standing behind its leading lower edge, which is the origin."""
        mesh = parts.bevelled_box((self.THICK_M, self.WIDE_M, self.TALL_M), 0.0015)
        return parts.moved(mesh, -self.THICK_M / 2, 0.0, self.TALL_M / 2)

    def channels(self, state: State) -> ChannelMap:
        tilt, s = np.asarray(state["tilt"]), float(state["s"])
        touched = np.arcsin((self.spacing_m - self.THICK_M) / self.TALL_M)
        swing = self.SWING_RAD * max(0.0, float((tilt[-1] - touched) / (np.pi / 2 - touched)))
        return {
            **{
                f"domino_{k}": (Rotate(quaternion_about((0.0, 1.0, 0.0), float(a))), Move(foot))
                for k, (a, foot) in enumerate(zip(tilt, self._feet_m, strict=True))
            },
            **vehicles.wagon_channels("cart", self.CART_M, self._cart_m(s), np.pi, s, pitch_rad=-self.slope_rad),
            "chock": (Rotate(quaternion_about((0.0, 0.0, 1.0), -swing)), Move(self._pivot_m)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, Any]:
        body = next(p for p in vehicles.wagon("cart", self.CART_M) if p.name == "cart_body").mesh.vertices
        gone = np.asarray(meshes["cart_body"].vertices).mean(axis=0) - self._cart_m(0.0)
        middle = np.asarray(body).mean(axis=0)
        downhill = at(-np.cos(self.slope_rad), 0.0, -np.sin(self.slope_rad))
        high = np.asarray(self._domino().vertices)[:, 2] > self.TALL_M / 2
        stands = (np.asarray(meshes[f"domino_{k}"].vertices) for k in range(self.num_dominoes))
        up = np.array([v[high].mean(axis=0) - v[~high].mean(axis=0) for v in stands])
        tilt = np.arctan2(up[:, 0], up[:, 2])
        return {"s": float(gone @ downhill - middle[0]), "tilt": tilt}

    def measure(self, view: View) -> dict[str, float]:
        """The cart by the middle of its outline; of the dominoes the split between lying and standing ones."""
        body = view.points_m["cart_body"]
        middle = (body[:, 0].min() + body[:, 0].max()) / 2 if len(body) else np.nan
        gone = (self._cart_m(0.0)[0] - middle) / np.cos(self.slope_rad)
        deck = self._feet_m[0, 2]
        lying = np.zeros(self.num_dominoes)
        for k in range(self.num_dominoes):
            points = view.points_m[f"domino_{k}"]
            if len(points):
                lying[k] = 1.0 if points[:, 2].max() - deck < 0.72 * self.TALL_M else -1.0
        return {"cart_s": float(gone), "fallen": split_of_row(lying)}


@dataclass(frozen=True, kw_only=True)
class HourglassTipsSeesaw(Event):
    """Sand trickles on a light seesaw with arms R; once it outweighs the block the beam tips and a ball rolls off.

    (ms + mb) R a'' = (ms - mb) g cos a from rest at -12 degrees to a stop at +12; then s = ab t^2 / 2 along a gutter.
    """

    info = facts("hourglass_tips_seesaw")
    variables = (
        state("ms", "kg", 0.004, flags="monotone bounded", label="sand in the pan"),
        state("angle", "rad", rad(4), domain="angle", flags="monotone bounded"),
        state("s", "m", 0.04, flags="monotone bounded"),
        readout("beam_angle", "rad", rad(4), min_delta=rad(12), domain="angle", flags="monotone bounded",
                label="tilt, positive with the sand down"),
        readout("ball_s", "m", 0.04, flags="monotone bounded", label="way of the ball along the gutter"),
    )  # fmt: skip
    accept_rules = (("the seesaw tips after 2 to 3.2 s", lambda e: 2.0 <= e.tip_s <= 3.2),)

    sand_kg_per_s: float = param("qs", "kg/s", 0.03, 0.06)
    block_kg: float = param("mb", "kg", 0.08, 0.16)
    acceleration_m_per_s2: float = param("ab", "m/s^2", 0.2, 0.4)
    gutter_m: float = param("Sb", "m", 0.22, 0.32)

    STOP_RAD, ARM_M = rad(12), 0.16
    PIVOT = at(-0.13, 0.0, 0.19)
    PAN_M, BALL_M, BEAM_M = 0.066, 0.021, 0.016  # radii of pan and ball, thickness of the beam
    SAND_KG_PER_M3, REPOSE_RAD = 1500.0, rad(32)
    STORE = 1.6  # sand in the glass at the start, in blocks
    WIDTH = 0.66  # radius of the glass cone over its height
    NECK_Z_M = 0.335

    @property
    def tip_s(self) -> float:
        return self.block_kg / self.sand_kg_per_s

    def start_values(self) -> tuple[float, ...]:
        return -self.STOP_RAD, 0.0, 0.0

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """Of angle, angular rate and time since balance."""
        angle, rate, since = values
        surplus = self.sand_kg_per_s * since
        push = GRAVITY_M_PER_S2 * surplus * math.cos(angle) / ((2 * self.block_kg + surplus) * self.ARM_M)
        return rate, push, 1.0

    @cached_property
    def tipping_s(self) -> float:
        """How long the beam takes from stop to stop."""

        def beyond(since_s: float) -> float:
            return float(ode_values(self, np.array([since_s]))[0, 0]) - self.STOP_RAD

        return float(brentq(beyond, 0.1, 1.2, xtol=1e-13))

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        mass = np.minimum(self.sand_kg_per_s * t, self.STORE * self.block_kg)
        angle = ode_values(self, np.clip(t - self.tip_s, 0.0, self.tipping_s))[:, 0]
        rolling = np.maximum(t - self.tip_s - self.tipping_s, 0.0)
        s = np.minimum(self.acceleration_m_per_s2 * rolling**2 / 2, self.gutter_m)
        return {"ms": mass, "angle": angle, "s": s, "beam_angle": angle.copy(), "ball_s": s.copy()}

    def triggers(self) -> dict[str, float]:
        off = self.tip_s + self.tipping_s
        return {
            "seesaw_starts": self.tip_s, "ball_leaves": off,
            "bell_rings": off + float(np.sqrt(2 * self.gutter_m / self.acceleration_m_per_s2)),
        }  # fmt: skip

    # ---- where things are
    def _on_beam(self, angle_rad: float, along_m: float, up_m: float) -> Array:
        c, s = np.cos(angle_rad), np.sin(angle_rad)
        return np.asarray(self.PIVOT + along_m * at(c, 0, -s) + up_m * at(s, 0, c))

    @property
    def _seat(self) -> tuple[float, float]:
        """Along and above the beam: the ball's middle beside the pan."""
        return self.ARM_M + self.PAN_M + 0.004 + self.BALL_M, self.BEAM_M / 2 + self.BALL_M

    def _ball_m(self, angle_rad: float, s_m: float) -> Array:
        slope = np.arcsin(1.4 * self.acceleration_m_per_s2 / GRAVITY_M_PER_S2)  # a rolling ball: 5/7 g sin
        return self._on_beam(angle_rad, *self._seat) + s_m * at(np.cos(slope), 0, -np.sin(slope))

    def assembly(self) -> Assembly:
        (x, _, z), arm, pan = self.PIVOT, self.ARM_M, self.PAN_M
        end = self._seat[0] + 0.012
        beam = parts.moved(parts.bevelled_box((arm + end + 0.03, 0.06, self.BEAM_M), 0.002), (end - arm - 0.03) / 2)
        bowl = np.array([(0.6 * pan, 0.0), (pan, 0.014), (pan + 0.002, 0.016), (0.5 * pan, 0.004)])
        dish = parts.moved(solid_of_revolution(bowl, 40), arm, 0, self.BEAM_M / 2)
        side = 0.06
        lump = parts.block((side, side, side), (-arm, 0, self.BEAM_M / 2))
        stand = parts.join(
            parts.block((0.20, 0.14, 0.012), (x, 0, 0)),
            *(parts.block((0.03, 0.012, z + 0.008), (x, s * 0.04, 0.0)) for s in (-1, 1)),
            rod((x, -0.05, z), (x, 0.05, z), 0.01),
        )
        floor = self.BALL_M + 0.002
        start, stop = (self._ball_m(self.STOP_RAD, d) - at(0, 0, floor) for d in (0.02, self.gutter_m + 0.03))
        rails = [rod(start + at(0, s * 0.013, 0.006), stop + at(0, s * 0.013, 0.006), 0.005) for s in (-1, 1)]
        legs = [
            parts.block((0.012, 0.03, float(p[2]) - 0.002), (float(p[0]), 0, 0))
            for p in (start + 0.12 * (stop - start), start + 0.9 * (stop - start))
        ]
        bx, bz = float(stop[0]), float(stop[2])
        bell = solid_of_revolution(np.array([(0.046, 0.0), (0.04, 0.016), (0.03, 0.046), (0.01, 0.056)]), 32)
        bell_foot = parts.join(
            parts.block((0.016, 0.05, bz + 0.01), (bx + 0.045, 0, 0)),
            parts.block((0.07, 0.09, 0.01), (bx + 0.045, 0, 0)),
        )
        nx = float(self._on_beam(0.0, arm * float(np.cos(self.STOP_RAD)), 0)[0])
        tall = 1.15 * self._store_m
        cone = np.array([(0.004, 0.004 / self.WIDTH), (self.WIDTH * tall, tall)])
        heap = np.array([(1e-6, 0.0), (self.WIDTH * self._store_m, self._store_m)])
        top = self.NECK_Z_M + tall
        frame = parts.join(
            parts.moved(parts.ring(1e-4, 1.25 * self.WIDTH * tall, 0.012, 0.003), nx, 0, top),
            *(rod((nx + s * 1.1 * self.WIDTH * tall, 0.06, 0.0), (nx + s * 1.1 * self.WIDTH * tall, 0.06, top), 0.006)
              for s in (-1, 1)),
            *(rod((nx + s * 1.1 * self.WIDTH * tall, 0.06, top + 0.004), (nx, 0, top + 0.004), 0.006) for s in (-1, 1)),
        )  # fmt: skip
        flag = parts.join(
            parts.block((0.007, 0.006, 0.12), (0, 0, 0)), parts.block((0.05, 0.003, 0.035), (0.025, 0, 0.055))
        )
        striped = Material(rgb=(0.80, 0.06, 0.03), roughness=0.3, pattern=Pattern("stripes", (0.9, 0.85, 0.8), 0.018))
        return Assembly((
            Part("beam", beam, paint((0.05, 0.22, 0.55)), carries=True),
            Part("pan", dish, STEEL, carries=True, smooth_angle_deg=40),
            Part("block", lump, BRASS, carries=True),
            heaps.sand_cone("sand", SAND),
            Part("ball", parts.sphere(self.BALL_M), striped, carries=True, smooth_angle_deg=180),
            Part("store", parts.moved(solid_of_revolution(heap, 48, exact=True), 0, 0, 0), SAND, True, 40),
            Part("stream", parts.cylinder(0.0035, 1.0, 12), SAND, carries=True, smooth_angle_deg=40),
            *vessels.turned_vessel("glass", cone, (nx, 0.0, self.NECK_Z_M)),
            Part("bell", parts.moved(bell, bx + 0.045, 0, bz + 0.012), BRASS, smooth_angle_deg=50),
            Part("flag", flag, paint(RED), carries=True),
            Part("bell_foot", bell_foot, IRON),
            Part("frame", frame, WOOD, smooth_angle_deg=40),
            Part("stand", stand, WOOD, smooth_angle_deg=30),
            Part("gutter", parts.join(*rails, *legs), PALE_WOOD, smooth_angle_deg=40),
        ))  # fmt: skip

    @property
    def _store_m(self) -> float:
        """Height of the sand in the glass at the start."""
        volume = self.STORE * self.block_kg / self.SAND_KG_PER_M3
        return float(np.cbrt(3 * volume / (np.pi * self.WIDTH**2)))

    def channels(self, state: State) -> ChannelMap:
        mass, angle, s = (float(state[name]) for name in ("ms", "angle", "s"))
        swung = (Rotate(quaternion_about((0.0, 1.0, 0.0), angle)), Move(self.PIVOT))
        volume = mass / self.SAND_KG_PER_M3
        low = self.BEAM_M / 2 + 0.004
        shape = heaps.sand_cone_channels("sand", volume, self.REPOSE_RAD, (0.0, 0.0, 0.0))["sand"][0]
        assert isinstance(shape, Vertices)
        left = 1 - mass / (self.STORE * self.block_kg)
        peak = self._on_beam(angle, self.ARM_M, low + float(heaps.sand_cone_size_m(volume, self.REPOSE_RAD)[1]))
        nx = float(self.PIVOT[0] + self.ARM_M * np.cos(self.STOP_RAD))
        neck = at(nx, 0, self.NECK_Z_M)
        end = self._ball_m(self.STOP_RAD, self.gutter_m)
        rung = s >= self.gutter_m
        return {
            **dict.fromkeys(("beam", "pan", "block"), swung),
            "sand": (Visible(mass > 1e-5), Vertices(shape.vertices_m + at(self.ARM_M, 0, low)), *swung),
            "ball": (Rotate(quaternion_about((0.0, 1.0, 0.0), s / self.BALL_M)), Move(self._ball_m(angle, s))),
            "store": (Visible(left > 1e-6), Scale(np.full(3, max(left, 1e-9) ** (1 / 3))), Move(neck)),
            "stream": (
                Visible(mass > 0 and left > 0),
                Scale(at(1, 1, self.NECK_Z_M - peak[2] + 0.003)),
                Move(at(nx, 0, peak[2])),
            ),
            "flag": (
                Rotate(quaternion_about((0.0, 1.0, 0.0), 0.0 if rung else 1.75)),
                Move(end + at(0.075, -0.035, 0.0)),
            ),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        ball = (meshes["ball"].bounds[0] + meshes["ball"].bounds[1]) / 2
        beam, rest = np.asarray(meshes["beam"].vertices), np.asarray(self.assembly().parts[0].mesh.vertices)
        a, b = int(np.argmin(rest[:, 0])), int(np.argmax(rest[:, 0]))
        found = {"angle": _down(beam[b] - beam[a]) - _down(rest[b] - rest[a])}
        start = self._ball_m(found["angle"], 0.0)
        found["s"] = float(np.linalg.norm(ball - start))
        found["ms"] = float(meshes["sand"].volume) * self.SAND_KG_PER_M3 if "sand" in meshes else 0.0
        return found

    def measure(self, view: View) -> dict[str, float]:
        beam, ball = view.points_m["beam"], view.points_m["ball"]
        tilt = -float(np.polyfit(beam[:, 0], beam[:, 2], 1)[0]) if len(beam) > 5 else np.nan
        angle = float(np.arctan(tilt))
        way = float((ball[:, 0].min() + ball[:, 0].max()) / 2 - self._ball_m(angle, 0.0)[0]) if len(ball) else np.nan
        return {"beam_angle": angle, "ball_s": max(way, 0.0)}


def _down(direction_m: Array) -> float:
    """Dip of a direction towards +x, radians."""
    return dials.clockwise_rad(direction_m) - np.pi / 2
