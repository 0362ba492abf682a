"""Things that walk: a wind-up robot, a beetle on a seesaw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, pose_matrix
from event_library.families.mechanisms_clocks.turning import TURN, rad
from event_library.figures.insects import beetle, beetle_channels, insect_stride_m
from event_library.figures.rig import frame, placed, shifted
from event_library.figures.rig import turned as turn_44
from event_library.kit.machinery import wheel_channels
from event_library.kit.palette import BLUE, BRASS, DARK, PALE_WOOD, RED, STEEL, TEAL, YELLOW, paint
from event_library.kit.shapes import at, extruded, rod, turned
from event_library.laws import GRAVITY_M_PER_S2, ode_values, started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts


@dataclass(frozen=True, kw_only=True)
class WindupToy(Event):
    """Speed follows what is left of the spring: x = v0 tr (1 - exp(-t / tr)); at 5 % of v0 friction holds it.

    The key in its back unwinds two turns, in step with the way.
    """

    info = facts("windup_toy")
    variables = (
        state("way", "m", 0.035, flags="monotone bounded"),
        state("key", "rad", rad(40), domain="angle", cycle=TURN, label="what is left of its turns, modulo one"),
        readout("x", "m", 0.035, min_delta=0.08, flags="monotone bounded", label="way along the marked track"),
        readout("key_bearing", "rad", rad(40), domain="angle", cycle=TURN, label="red wing of the key about its shaft"),
    )
    accept_rules = (("the walk is at most 0.8 m long", lambda e: e.start_speed_m_per_s * e.decay_s <= 0.8),)

    start_speed_m_per_s: float = param("v0", "m/s", 0.1, 0.18)
    decay_s: float = param("tr", "s", 3.5, 6.5)

    HEADING_RAD = rad(-20)  # a little towards the viewer, so that its face is seen
    START = (-0.38, 0.13)
    HIP_M = 0.15
    BODY_M = (0.17, 0.22, 0.17)
    SWING_RAD = rad(20)
    STRIDE_M = 0.2
    KEY_M = (-0.15, 0.0, 0.10)  # middle of the key's wings above the hips

    @property
    def stop_s(self) -> float:
        return self.decay_s * math.log(20)

    def states(self, t_s: Array) -> dict[str, Array]:
        left = np.exp(-np.minimum(started(t_s), self.stop_s) / self.decay_s)
        x = self.start_speed_m_per_s * self.decay_s * (1 - left)
        key = 2 * TURN * left % TURN
        return {"way": x, "key": key, "x": x.copy(), "key_bearing": key.copy()}

    def triggers(self) -> dict[str, float]:
        return {"stopped": self.stop_s}

    def assembly(self) -> Assembly:
        long, _, high = self.BODY_M
        head = parts.join(
            parts.moved(parts.bevelled_box((0.11, 0.14, 0.10), 0.012), z_m=high + 0.055),
            rod((0, 0, high + 0.10), (0, 0, high + 0.15), 0.006),
            parts.moved(parts.sphere(0.014, 2), z_m=high + 0.155),
            rod((0, -0.1, high + 0.055), (0, 0.1, high + 0.055), 0.016),
        )
        eyes = [parts.moved(parts.sphere(0.02, 2), 0.056, s * 0.034, high + 0.07) for s in (-1, 1)]
        mouth = parts.moved(parts.box((0.006, 0.07, 0.014)), 0.056, 0, high + 0.03)
        arms = parts.join(*(parts.moved(parts.box((0.05, 0.034, 0.13)), 0.02, s * 0.13, 0.09) for s in (-1, 1)))
        chest = parts.moved(parts.box((0.006, 0.12, 0.08)), long / 2, 0, 0.10)
        shaft = turned(parts.cylinder(0.011, 0.075, 16), (0, 1, 0), np.pi / 2)
        wing = turned(parts.moved(parts.cylinder(0.042, 0.014, 28), z_m=-0.007), (0, 1, 0), np.pi / 2)
        body = parts.moved(parts.bevelled_box(self.BODY_M, 0.014), z_m=high / 2 - 0.02)
        track = parts.join(*(parts.block((0.03, 0.36, 0.002), (0.1 * k, 0, 0)) for k in range(-1, 10)))
        return Assembly((
            Part("body", body, paint(TEAL), carries=True),
            Part("head", head, paint(TEAL), carries=True, smooth_angle_deg=40),
            Part("eyes", parts.join(*eyes), paint(YELLOW), carries=True, smooth_angle_deg=60),
            Part("face", parts.join(mouth, chest), paint(RED), carries=True),
            Part("arms", arms, STEEL, carries=True),
            Part("left_leg", self._leg(1), STEEL, carries=True),
            Part("right_leg", self._leg(-1), STEEL, carries=True),
            Part("key", parts.join(shaft, parts.moved(wing.copy(), z_m=-0.045)), BRASS, carries=True),
            Part("key_wing", parts.moved(wing, z_m=0.045), paint(RED), carries=True),
            Part("track", self._on_track(track), paint((0.03, 0.05, 0.25))),
        ))  # fmt: skip

    def _leg(self, side: int) -> trimesh.Trimesh:
        """About the hip; the sole is HIP_M below."""
        shin = parts.block((0.05, 0.06, self.HIP_M - 0.03), (0, side * 0.055, -self.HIP_M + 0.03))
        return parts.join(shin, parts.block((0.11, 0.075, 0.034), (0.015, side * 0.055, -self.HIP_M)))

    def _on_track(self, mesh: trimesh.Trimesh) -> trimesh.Trimesh:
        return mesh.apply_transform(frame((*self.START, 0.0), self.HEADING_RAD))

    def channels(self, state: State) -> ChannelMap:
        x = float(state["way"])
        swing = self.SWING_RAD * math.sin(TURN * x / self.STRIDE_M)
        legs = {
            f"{name}_leg": turn_44((0, 1, 0), side * swing) for name, side in (("left", 1), ("right", -1))
        }  # about the hips
        soles = [
            float((np.asarray(self._leg(side).vertices) @ legs[f"{name}_leg"][:3, :3].T)[:, 2].min())
            for name, side in (("left", 1), ("right", -1))
        ]
        way = at(math.cos(self.HEADING_RAD), math.sin(self.HEADING_RAD))
        hips = frame((*(np.array(self.START) + x * way), -min(soles)), self.HEADING_RAD)
        key = placed(hips @ shifted(*self.KEY_M) @ turn_44((1, 0, 0), float(state["key"])))
        trunk = placed(hips)
        return {
            **dict.fromkeys(("body", "head", "eyes", "face", "arms"), trunk),
            **{name: placed(hips @ leg) for name, leg in legs.items()},
            "key": key,
            "key_wing": key,
        }

    def _along(self, points_m: Array) -> Array:
        offset = np.asarray(points_m)[:, :2] - self.START
        return np.asarray(offset @ [math.cos(self.HEADING_RAD), math.sin(self.HEADING_RAD)])

    def _key_rad(self, points_m: Array, hips_m: float) -> float:
        across = (np.asarray(points_m)[:, :2] - self.START) @ [-math.sin(self.HEADING_RAD), math.cos(self.HEADING_RAD)]
        up = np.asarray(points_m)[:, 2] - hips_m - self.KEY_M[2]
        return math.atan2(-float(across.mean()), float(up.mean())) % TURN

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        body = np.asarray(meshes["body"].vertices)
        along, high = self._along(body), self.BODY_M[2]
        hips = float(body[:, 2].min() + body[:, 2].max()) / 2 - (high / 2 - 0.02)
        way = float(along.min() + along.max()) / 2
        return {"way": way, "key": self._key_rad(meshes["key_wing"].vertices, hips)}

    def measure(self, view: View) -> dict[str, float]:
        body, wing = view.points_m["body"], view.points_m["key_wing"]
        if len(body) == 0:
            return {"x": float("nan")}
        along = self._along(body)
        found = {"x": float(along.min() + along.max()) / 2}
        if len(wing) >= 4:
            found["key_bearing"] = self._key_rad(wing, self.HIP_M)
        return found


@dataclass(frozen=True, kw_only=True)
class SeesawWalker(Event):
    """Angular momentum of beam, weight and beetle about the pivot: d(I theta')/dt = g cos(theta) (m s - M d).

    The beam lies on its left stop until the beetle passes s = M d / m, tips ever faster and stays on the right stop.
    """

    info = facts("seesaw_walker")
    variables = (
        state("s", "m", 0.08, flags="monotone bounded", label="beetle along the beam, from the pivot to the right"),
        state("theta", "rad", rad(4), domain="angle", flags="monotone bounded"),
        readout("tilt", "rad", rad(4), min_delta=rad(12), domain="angle", flags="monotone bounded",
                label="slope of the beam, right end down"),
        readout("beetle_s", "m", 0.08, flags="monotone bounded"),
    )  # fmt: skip
    accept_rules = (
        ("the beam tips after 2.2 to 4.4 s", lambda e: 2.2 <= e.balance_s <= 4.4),
        ("the balance point is well on the beam", lambda e: e.balance_m <= 0.75 * e.half_beam_m),
    )

    speed_m_per_s: float = param("v", "m/s", 0.16, 0.26)
    half_beam_m: float = param("Lb", "m", 0.45, 0.6)
    beetle_kg: float = param("m", "kg", 0.2, 0.3)
    weight_kg: float = param("M", "kg", 0.1, 0.2)
    weight_at_m: float = param("d", "m", 0.15, 0.3)

    STOP_RAD = rad(10)
    BEAM_KG = 0.5
    THICK_M = 0.03
    BEETLE_M = 0.26
    OVERHANG_M = 0.1

    @property
    def balance_m(self) -> float:
        return self.weight_kg * self.weight_at_m / self.beetle_kg

    @property
    def balance_s(self) -> float:
        return (self.half_beam_m + self.balance_m) / self.speed_m_per_s

    @property
    def pivot_m(self) -> float:
        """Height at which the beam's lower edges touch the support at either stop."""
        half = self.half_beam_m + self.OVERHANG_M
        return half * math.sin(self.STOP_RAD) + self.THICK_M / 2 * math.cos(self.STOP_RAD)

    @property
    def still_kg_m2(self) -> float:
        beam = self.BEAM_KG / 3 * (self.half_beam_m + self.OVERHANG_M) ** 2
        return beam + self.weight_kg * self.weight_at_m**2

    def start_values(self) -> tuple[float, ...]:
        """Tilt, angular momentum and time as the beetle is at the balance point."""
        return -self.STOP_RAD, 0.0, 0.0

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        theta, momentum, since_s = values
        if theta >= self.STOP_RAD:  # it lies on its right stop
            return 0.0, 0.0, 1.0
        s = min(self.balance_m + self.speed_m_per_s * since_s, self.half_beam_m)
        inertia = self.still_kg_m2 + self.beetle_kg * s * s
        torque = GRAVITY_M_PER_S2 * math.cos(theta) * self.beetle_kg * (s - self.balance_m)
        return momentum / inertia, torque, 1.0

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        s = np.minimum(self.speed_m_per_s * t - self.half_beam_m, self.half_beam_m)
        tipping = ode_values(self, np.clip(t - self.balance_s, 0.0, 4.0))[:, 0]
        theta = np.minimum(tipping, self.STOP_RAD)
        return {"s": s, "theta": theta, "tilt": theta.copy(), "beetle_s": s.copy()}

    def triggers(self) -> dict[str, float]:
        return {"balance": self.balance_s}

    def assembly(self) -> Assembly:
        half, t = self.half_beam_m + self.OVERHANG_M, self.THICK_M
        marks = [parts.box((0.012, 0.004, t)) for _ in range(11)]
        for k, mark in enumerate(marks):
            parts.moved(mark, self.half_beam_m * (k - 5) / 5, -0.093)
        strap = parts.moved(parts.box((0.03, 0.2, t + 0.01)), -self.weight_at_m)
        weight_block = parts.moved(parts.bevelled_box((0.11, 0.06, 0.065), 0.006), -self.weight_at_m, -0.12, 0.01)
        wedge = extruded(np.array([(-0.09, 0.0), (0.09, 0.0), (0.0, self.pivot_m - t / 2)]), 0.16)
        return Assembly((
            Part("beam", parts.box((2 * half, 0.18, t)), PALE_WOOD, carries=True),
            Part("marks", parts.join(*marks), DARK, carries=True),
            Part("weight", parts.join(weight_block, strap), paint(BLUE), carries=True),
            *beetle("beetle", self.BEETLE_M),
            Part("wedge", parts.moved(wedge, y_m=-0.08), STEEL),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        s, theta = float(state["s"]), float(state["theta"])
        pivot = (0.0, 0.0, self.pivot_m)
        beam = wheel_channels("beam", theta, pivot)["beam"]
        spot = pose_matrix(beam) @ [s, 0.0, self.THICK_M / 2, 1.0]
        phase = (s + self.half_beam_m) / insect_stride_m(self.BEETLE_M)
        return {
            "beam": beam,
            "marks": beam,
            "weight": beam,
            **beetle_channels("beetle", self.BEETLE_M, spot[:3], 0.0, phase, pitch_rad=-theta),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        corners = np.asarray(meshes["beam"].vertices)
        along = corners[corners[:, 0] > 0].mean(axis=0) - corners[corners[:, 0] < 0].mean(axis=0)
        along /= np.linalg.norm(along)
        beetle_at = np.asarray(meshes["beetle_body"].vertices).mean(axis=0) - (0.0, 0.0, self.pivot_m)
        ahead = float(beetle("beetle", self.BEETLE_M)[0].mesh.vertices[:, 0].mean())  # of its body from its feet
        return {"theta": -math.atan2(along[2], along[0]), "s": float(beetle_at @ along) - ahead}

    def measure(self, view: View) -> dict[str, float]:
        beam = view.points_m["beam"]
        if len(beam) < 3:
            return {"tilt": float("nan")}
        flat = beam[:, [0, 2]] - beam[:, [0, 2]].mean(axis=0)
        along = np.linalg.svd(flat, full_matrices=False)[2][0]
        along = along * np.sign(along[0])
        found = {"tilt": -math.atan2(along[1], along[0])}
        shell = np.vstack([view.points_m["beetle_left_shell"], view.points_m["beetle_right_shell"]])
        if len(shell) >= 4:
            spot = np.array([shell[:, 0].mean(), shell[:, 2].mean() - self.pivot_m])
            found["beetle_s"] = float(spot @ along)
        return found
