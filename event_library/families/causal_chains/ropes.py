"""Strings that hold something until they part: one over a flame, one on a balloon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Vertices, Visible
from event_library.families.causal_chains.pieces import STRING_M, rad, round_m
from event_library.families.material_change.swelling import NECK_M, NOZZLE_M, SLACK_RED, TIGHT_RED, balloon_mesh
from event_library.families.thermal_combustion.candles import lit_candle, lit_candle_channels
from event_library.kit import copies, furniture, machinery, sheets
from event_library.kit.palette import BLUE, DARK, IRON, PALE_WOOD, RED, STEEL, WHITE, WOOD, YELLOW, paint
from event_library.kit.shapes import at, rod, swept
from event_library.laws import ease, started
from event_library.parts import Assembly, Part
from event_library.readouts import top_height_m
from event_library.taxonomy import facts


@dataclass(frozen=True, kw_only=True)
class CandleStringFlag(Event):
    """A flame chars a string through in tb; the weight that hung on it sinks and hoists a flag at a steady speed.

    Steady because a brake in the pulley balances the weight (without it: free fall in a quarter of a second).
    """

    info = facts("candle_string_flag")
    variables = (
        state("c", "frac", 0.1, flags="monotone bounded", label="charred share of the string's radius"),
        state("z", "m", 0.03, flags="monotone bounded"),
        readout("flag_height", "m", 0.03, min_delta=0.065, flags="monotone bounded", label="rise of the flag"),
        readout("string", "index", 0.0, domain="discrete", flags="monotone bounded", label="1 whole, 0 parted"),
    )

    char_s: float = param("tb", "s", 2.4, 3.6)
    speed_m_per_s: float = param("v_f", "m/s", 0.08, 0.14)
    hoist_m: float = param("Hf", "m", 0.28, 0.36)

    PEG, FLAME_X_M = at(-0.27, 0.0, 0.03), -0.215
    A, B, PULLEY_M = at(-0.03, 0.0, 0.52), at(0.03, 0.0, 0.52), 0.016
    YOKE_Z_M, FLAG_Z_M, FLAG_M = 0.46, 0.05, (0.16, 0.11)
    FLAME_M, CANDLE_M = 0.05, 0.017
    CHAR_M = 0.017  # half length of the charred piece

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        z = np.clip(self.speed_m_per_s * (t - self.char_s), 0.0, self.hoist_m)
        whole = (t < self.char_s).astype(np.float64)
        return {"c": np.minimum(t / self.char_s, 1.0), "z": z, "flag_height": z.copy(), "string": whole}

    def triggers(self) -> dict[str, float]:
        return {"string_parts": self.char_s, "flag_up": self.char_s + self.hoist_m / self.speed_m_per_s}

    @property
    def _slope(self) -> tuple[Array, Array]:
        """Where the string leaves the pulley on the left, and its direction from the peg."""
        away = self.PEG - self.A
        angle = np.arctan2(away[2], away[0]) - np.arccos(self.PULLEY_M / np.linalg.norm(away))
        tangent = self.A + self.PULLEY_M * at(np.cos(angle), 0, np.sin(angle))
        return tangent, (tangent - self.PEG) / np.linalg.norm(tangent - self.PEG)

    @property
    def _burn_m(self) -> Array:
        """[3] where the flame meets the string."""
        _, along = self._slope
        return np.asarray(self.PEG + along * (self.FLAME_X_M - self.PEG[0]) / along[0])

    def assembly(self) -> Assembly:
        candle, light = lit_candle("candle", self.CANDLE_M, self._candle_m, self.FLAME_M, 0.6)
        x = float(self.B[0]) + self.PULLEY_M
        mast = parts.join(
            rod((x, 0.016, 0.0), (x, 0.016, 0.55), 0.007),
            rod((-0.055, 0.016, 0.52), (x + 0.01, 0.016, 0.52), 0.006),
            *(rod((s * 0.03, 0.016, 0.52), (s * 0.03, -0.012, 0.52), 0.005) for s in (-1, 1)),
            parts.moved(parts.sphere(0.012, 2), x, 0.016, 0.555),
        )
        load = machinery.weight("weight", 0.03, 0.06)
        yoke = parts.join(load.mesh, rod((-0.02, 0, 0), (0.02, 0, 0), 0.005))
        peg = parts.join(
            parts.block((0.05, 0.04, 0.016), (self.PEG[0], 0, 0.01)), rod(self.PEG - at(0, 0, 0.02), self.PEG, 0.005)
        )
        return Assembly((
            sheets.sheet("flag", self._flag(0.0), paint(RED, 0.8)),
            Part("weight", yoke, load.material, carries=True, smooth_angle_deg=40),
            machinery.rope("stub", STRING_M, 6),
            machinery.rope("line", STRING_M, 24),
            machinery.rope("halyard", STRING_M, 24),
            Part("char", swept(self._charred, STRING_M, 8), paint((0.02, 0.015, 0.012), 0.95), True, 60),
            *candle,
            *machinery.pulley("pulley_a", self.PULLEY_M, 0.012, marked=None),
            *machinery.pulley("pulley_b", self.PULLEY_M, 0.012, marked=None),
            Part("mast", mast, paint(WHITE), smooth_angle_deg=40),
            Part("peg", peg, STEEL, smooth_angle_deg=30),
            furniture.board("board", (0.56, 0.16, 0.01), (-0.03, 0.0, 0.0), WOOD),
        ), (light,))  # fmt: skip

    @property
    def _candle_m(self) -> float:
        """Height of the candle: its flame's middle touches the string."""
        return float(self._burn_m[2]) - 0.01 - 0.2 * self.CANDLE_M - 0.55 * self.FLAME_M

    @property
    def _charred(self) -> Array:
        _, along = self._slope
        return np.asarray(self._burn_m + np.outer(np.linspace(-self.CHAR_M, self.CHAR_M, 7), along))

    def _flag(self, z_m: float) -> Array:
        points = sheets.flag_points(*self.FLAG_M, 60 * z_m, amplitude_m=0.018, waves=1.2)
        return np.asarray(points + at(float(self.B[0]) + self.PULLEY_M + 0.004, 0.0, self.FLAG_Z_M + z_m))

    def channels(self, state: State) -> ChannelMap:
        c, z, whole = float(state["c"]), float(state["z"]), bool(state["string"])
        (tangent, along), r = self._slope, self.PULLEY_M
        weight = at(0.0, 0.0, self.YOKE_Z_M - z)
        turn = float(np.arctan2(tangent[2] - self.A[2], tangent[0] - self.A[0]))
        upper = self._burn_m + self.CHAR_M * along
        left = np.linalg.norm(tangent - upper) - z
        start = [upper] if whole else [at(self.A[0] - r, 0, max(self.A[2] - left, 0.02))]
        line = np.vstack([*start, round_m(self.A, r, turn if whole else np.pi, 0.0), weight + at(self.A[0] + r, 0, 0)])
        top = at(self.B[0] + r, 0.0, self.FLAG_Z_M + z + self.FLAG_M[1])
        yoke = weight + at(self.B[0] - r, 0, 0)
        halyard = np.vstack([yoke, round_m(self.B, r, np.pi, 0.0), top, top - at(0, 0, 0.1)])
        fallen = np.array([self.PEG, (-0.245, -0.025, 0.018), (-0.205, -0.062, 0.014), (-0.17, -0.066, 0.014)])
        stub = np.array([self.PEG, self._burn_m - self.CHAR_M * along]) if whole else fallen
        thin = swept(self._charred, STRING_M * max(1 - c, 1e-3) * np.ones(7), 8)
        return {
            **sheets.sheet_channels("flag", self._flag(z)),
            "weight": (Move(weight),),
            **machinery.rope_channels("stub", stub, STRING_M, 6),
            **machinery.rope_channels("line", line, STRING_M, 24),
            **machinery.rope_channels("halyard", halyard, STRING_M, 24),
            "char": (Visible(whole), Vertices(np.asarray(thin.vertices))),
            **lit_candle_channels(
                "candle", self.CANDLE_M, self._candle_m, self.FLAME_M, (self.FLAME_X_M, 0.0, 0.01), 0.6, True
            ),
            **machinery.wheel_channels("pulley_a", z / r, (self.A[0], 0.0, self.A[2])),
            **machinery.wheel_channels("pulley_b", z / r, (self.B[0], 0.0, self.B[2])),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        found = {"z": float(meshes["flag"].bounds[0, 2]) - self.FLAG_Z_M}
        if "char" in meshes:
            ring = np.asarray(meshes["char"].vertices)[24:32]
            found["c"] = 1 - float(np.linalg.norm(ring - ring.mean(axis=0), axis=1).mean()) / STRING_M
        return found

    def measure(self, view: View) -> dict[str, float]:
        """The string is whole while it is seen sloping between candle and pulley, which the flag never hides."""
        line, flag = view.points_m["line"], view.points_m["flag"]
        top = top_height_m(flag, view.pixel_area_m2["flag"])[0]
        sloping = (line[:, 0] < self.A[0] - self.PULLEY_M - 0.02).sum()
        return {
            "flag_height": top - self.FLAG_Z_M - self.FLAG_M[1],
            "string": float(sloping >= 2) if len(flag) else np.nan,
        }


@dataclass(frozen=True, kw_only=True)
class BalloonPinPop(Event):
    """A pump blows a balloon up to a pin (R^3 = 3 (V0 + Q t) / (4 pi)); burst, its thread lets a box lid swing open."""

    info = facts("balloon_pin_pop")
    variables = (
        state("R", "m", 0.005, flags="monotone bounded"),
        state("lid", "rad", rad(15), domain="angle", flags="monotone bounded"),
        readout("lid_angle", "rad", rad(15), min_delta=rad(60), domain="angle", flags="monotone bounded",
                label="how far the lid is open"),
        readout("balloon", "index", 0.0, domain="discrete", flags="monotone bounded", label="1 whole, 0 burst"),
    )  # fmt: skip
    accept_rules = (("the balloon bursts after 2.2 to 3.5 s", lambda e: 2.2 <= e.burst_s <= 3.5),)

    start_m3: float = param("V0", "m^3", 0.0008, 0.0015)
    flow_m3_per_s: float = param("Q", "m^3/s", 0.0005, 0.001, default=0.00095)
    burst_m: float = param("Rp", "m", 0.088, 0.105)

    DELAY_S, SWING_S, OPEN_RAD = 0.2, 0.7, rad(100)
    PUMP_X_M = -0.14
    BOX, BOX_M, HINGE = (0.135, 0.0, 0.0), (0.13, 0.12, 0.10), (0.135, 0.06, 0.10)
    PULLEY, PULLEY_M, LOAD_Z_M = at(0.232, 0.0, 0.30), 0.015, 0.215
    BALL_M = 0.036

    @property
    def burst_s(self) -> float:
        return float((4 / 3 * np.pi * self.burst_m**3 - self.start_m3) / self.flow_m3_per_s)

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        volume = self.start_m3 + self.flow_m3_per_s * np.minimum(t, self.burst_s)
        lid = self.OPEN_RAD * ease((t - self.burst_s - self.DELAY_S) / self.SWING_S)
        whole = (t < self.burst_s).astype(np.float64)
        return {"R": np.cbrt(3 * volume / (4 * np.pi)), "lid": lid, "lid_angle": lid.copy(), "balloon": whole}

    def triggers(self) -> dict[str, float]:
        return {
            "balloon_bursts": self.burst_s,
            "lid_starts": self.burst_s + self.DELAY_S,
            "lid_open": self.burst_s + self.DELAY_S + self.SWING_S,
        }

    def _edge_m(self, open_rad: float) -> Array:
        """[3] where the rope holds the lid: its front edge, on the right."""
        reach = self.BOX_M[1] - 0.01
        return at(0.19, self.HINGE[1] - reach * np.cos(open_rad), self.HINGE[2] + 0.012 + reach * np.sin(open_rad))

    def assembly(self) -> Assembly:
        x, tip = self.PUMP_X_M, NOZZLE_M + NECK_M + 2 * self.burst_m
        pump = parts.moved(parts.bevelled_box((0.12, 0.11, 0.07), 0.012), x, 0.0, 0.035)
        nozzle = parts.join(
            parts.moved(parts.cylinder(0.028, 0.012, 24), x, 0.0, 0.07),
            parts.moved(parts.cylinder(0.009, NOZZLE_M - 0.075, 20), x, 0.0, 0.08),
        )
        wide, deep, tall = self.BOX_M
        walls = [parts.block((wide, 0.008, tall), (0, s * (deep / 2 - 0.004), 0)) for s in (-1, 1)]
        walls += [parts.block((0.008, deep - 0.016, tall), (s * (wide / 2 - 0.004), 0, 0)) for s in (-1, 1)]
        box = parts.moved(parts.join(*walls, parts.block((wide, deep, 0.006), (0, 0, 0))), *self.BOX)
        pin = parts.join(
            rod((x, 0.0, tip + 0.05), (x, 0.0, tip + 0.02), 0.005),
            trimesh.creation.cone(0.005, 0.022, sections=12).apply_transform(
                trimesh.transformations.rotation_matrix(np.pi, (1, 0, 0))
            ).apply_translation((x, 0.0, tip + 0.022)),
            parts.moved(parts.sphere(0.014, 2), x, 0.0, tip + 0.055),
        )  # fmt: skip
        px, _, pz = self.PULLEY.tolist()
        post = parts.join(
            parts.block((0.014, 0.014, pz), (px, 0.03, 0)), parts.block((0.07, 0.06, 0.01), (px, 0.02, 0)),
            rod((px, 0.03, pz - 0.004), (px, -0.01, pz - 0.004), 0.004),
        )  # fmt: skip
        eyes = [parts.moved(parts.sphere(0.009, 1), *p) for p in ((-0.022, -0.02, 0.012), (0.022, -0.02, 0.012))]
        shred = sheets.petal(0.06, 0.035, cup=0.4)
        spots = np.array([(-0.05, -0.09, 0.03), (-0.20, -0.10, 0.03), (-0.12, -0.13, 0.03), (-0.02, -0.03, 0.03)])
        flat = copies.quaternions_times(
            copies.quaternions_about((0.0, 0.0, 1.0), np.array([0.4, 2.0, 3.6, 5.2])),
            copies.quaternions_about((1.0, 0.0, 0.0), np.full(4, -1.45)),
        )
        return Assembly((
            Part("balloon", parts.moved(balloon_mesh(0.06), x), paint(TIGHT_RED, 0.2), True, 180),
            copies.copies("shreds", shred, spots, paint(SLACK_RED, 0.5), rotations_wxyz=flat, smooth_angle_deg=180),
            furniture.lid("lid", (wide, deep, 0.012), paint(BLUE)),
            Part("toy", parts.sphere(self.BALL_M), paint(YELLOW), carries=True, smooth_angle_deg=180),
            Part("eyes", parts.join(*(parts.moved(e, y_m=-0.009) for e in eyes)), DARK, True, 180),
            machinery.spring("spring", 0.02, 6, 0.0025),
            machinery.weight("load", 0.022, 0.05),
            machinery.rope("rope", 0.003, 16),
            machinery.rope("thread", 0.003, 12, material=paint((0.80, 0.78, 0.70), 0.8)),
            *machinery.pulley("pulley", self.PULLEY_M, 0.012, marked=None),
            Part("pump", pump, paint((0.05, 0.20, 0.42))),
            Part("nozzle", nozzle, STEEL, smooth_angle_deg=40),
            furniture.retort_stand("stand", tip + 0.09, tip + 0.055, 0.125, (x - 0.125, 0.0, 0.0)),
            Part("pin", pin, STEEL, smooth_angle_deg=40),
            Part("box", box, PALE_WOOD),
            Part("post", post, IRON),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        lid, whole = float(state["lid"]), bool(state["balloon"])
        edge, r, p = self._edge_m(lid), self.PULLEY_M, self.PULLEY
        onto = p - at(r, 0, 0)
        dropped = float(np.linalg.norm(self._edge_m(0.0) - onto) - np.linalg.norm(edge - onto))
        load = p + at(r, 0, self.LOAD_Z_M - p[2] - dropped)
        toy = at(self.BOX[0], 0.0, 0.012 + self.BALL_M + 0.085 * float(ease(np.asarray(lid / self.OPEN_RAD))))
        seat = toy - at(0, 0, 0.9 * self.BALL_M)
        taut = [(self.PUMP_X_M + 0.012, -0.004, NOZZLE_M + 0.004), (0.135, -0.085, 0.006), (0.135, -0.064, 0.108)]
        slack = [(-0.03, -0.07, 0.004), (0.04, -0.11, 0.004), (0.09, -0.075, 0.004), (0.135, -0.085, 0.006)]
        return {
            "balloon": (
                Visible(whole),
                Vertices(np.asarray(parts.moved(balloon_mesh(float(state["R"])), self.PUMP_X_M).vertices)),
            ),
            "shreds": (Visible(not whole),),
            **furniture.lid_channels("lid", lid, self.HINGE),
            "toy": (Move(toy),),
            "eyes": (Move(toy + at(0.0, -0.009, 0.006)),),
            **machinery.spring_channels("spring", at(self.BOX[0], 0, 0.006), seat, 0.02, 6, 0.0025),
            "load": (Move(load),),
            **machinery.rope_channels("rope", np.vstack([edge, round_m(p, r, np.pi, 0.0), load]), 0.003, 16),
            **machinery.rope_channels("thread", np.array(taut if whole else slack), 0.003, 12),
            **machinery.wheel_channels("pulley", dropped / r, (p[0], p[1], p[2])),
        }  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        front = np.asarray(meshes["lid"].vertices)
        rest = np.asarray(furniture.lid("lid", (self.BOX_M[0], self.BOX_M[1], 0.012)).mesh.vertices)
        a, b = int(np.argmin(rest[:, 1])), int(np.argmax(rest[:, 1]))
        along, before = front[a] - front[b], rest[a] - rest[b]
        found = {"lid": float(np.arctan2(along[2], -along[1]) - np.arctan2(before[2], -before[1]))}
        if "balloon" in meshes:
            ball = np.asarray(meshes["balloon"].vertices) - at(self.PUMP_X_M, 0, 0)
            found["R"] = float(np.hypot(ball[:, 0], ball[:, 1]).max())
        return found

    def measure(self, view: View) -> dict[str, float]:
        """The lid's bearing from its hinge; points count by their distance from it."""
        offset = view.points_m["lid"] - at(*self.HINGE)
        far = (offset[:, 1:] * np.linalg.norm(offset[:, 1:], axis=1, keepdims=True)).sum(axis=0)
        angle = float(np.arctan2(far[1], -far[0])) if len(offset) else float("nan")
        there = float(len(view.points_m["balloon"]) > 0) if len(view.points_m["pump"]) else float("nan")
        return {"lid_angle": angle, "balloon": there}
