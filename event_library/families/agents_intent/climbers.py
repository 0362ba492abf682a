"""A snail on a garden wall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Colour, Emission, Move, Power, Visible
from event_library.families.agents_intent.measuring import named, origin_m
from event_library.figures import animals
from event_library.kit.palette import WHITE, blend, paint
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part
from event_library.taxonomy import facts

SNAIL_M = 0.30
FOOT_M = 0.165  # the snail's middle above the ground at h = 0
TOP_M = 0.36  # as high as it climbs
WALL_M = (0.50, 0.69, 0.08)  # width, height, depth; its front is the plane y = 0
BRICK_M = (0.115, 0.055)
LINE_M = 0.06  # from line to line
SKY_M = 0.16  # height of the strip of sky above the wall
SHELL_UP = 0.015  # of the shell's visible middle above the snail's, in lengths
STRETCH_M = 0.04  # way per stretch of the foot
DAY_RGB, NIGHT_RGB = (0.20, 0.48, 0.85), (0.008, 0.012, 0.05)
MORTAR = paint((0.45, 0.42, 0.37), 0.95)
SUN = Material(rgb=(1.0, 0.72, 0.15), emission_rgb=(1.0, 0.70, 0.15), emission_strength=3.0)
MOON = Material(rgb=(0.75, 0.78, 0.85), emission_rgb=(0.75, 0.82, 1.0), emission_strength=0.7)


@dataclass(frozen=True, kw_only=True)
class SnailOnWall(Event):
    """The snail of the well (Fibonacci 1202): up at u for the day Pd, down at w for the night Pn, to the top."""

    info = facts("snail_on_wall")
    variables = (
        state("h", "m", 0.01, flags="bounded", label="way above the start"),
        state("phase", "frac", 0.02, flags="bounded", label="share of the day (0 to 1) or of the night (1 to 2)"),
        state("stretches", "count", 0.2, flags="monotone", label="stretches of the foot"),
        readout("height", "m", 0.02, min_delta=0.05, flags="bounded", label="way above the start"),
    )

    climb_m_per_s: float = param("u", "m/s", 0.05, 0.08)
    slip_m_per_s: float = param("w", "m/s", 0.02, 0.04)
    day_s: float = param("Pd", "s", 1.6, 2.4)
    night_s: float = param("Pn", "s", 0.7, 1.1)

    def triggers(self) -> dict[str, float]:
        """On top at the end of the climb of the first day whose climb reaches it."""
        gain, climb = (
            self.climb_m_per_s * self.day_s - self.slip_m_per_s * self.night_s,
            self.climb_m_per_s * self.day_s,
        )
        days = max(int(np.ceil((TOP_M - climb) / gain)), 0)
        return {"on_top": days * (self.day_s + self.night_s) + (TOP_M - days * gain) / self.climb_m_per_s}

    def states(self, t_s: Array) -> dict[str, Array]:
        t, u, w = started(t_s), self.climb_m_per_s, self.slip_m_per_s
        climbing = np.minimum(t, self.triggers()["on_top"])
        days = np.floor(climbing / (self.day_s + self.night_s))
        r = climbing - days * (self.day_s + self.night_s)
        crept = u * (days * self.day_s + np.minimum(r, self.day_s))
        h = crept - w * (days * self.night_s + np.maximum(r - self.day_s, 0.0))
        clock = t % (self.day_s + self.night_s)
        phase = np.where(clock < self.day_s, clock / self.day_s, 1 + (clock - self.day_s) / self.night_s)
        return {"h": h, "phase": phase, "stretches": crept / STRETCH_M, "height": h.copy()}

    def assembly(self) -> Assembly:
        width, high, deep = WALL_M
        bricks = []
        for row in range(int(high / (BRICK_M[1] + 0.005))):
            shift = 0.5 * (row % 2)
            for k in range(-1, 5):
                left = max(-width / 2, -width / 2 + (k - shift) * (BRICK_M[0] + 0.005))
                right = min(width / 2, -width / 2 + (k - shift) * (BRICK_M[0] + 0.005) + BRICK_M[0])
                if right - left > 0.01:
                    z = row * (BRICK_M[1] + 0.005)
                    bricks.append(parts.block((right - left, 0.012, BRICK_M[1]), ((left + right) / 2, 0.006, z)))
        lines = []
        for k in range(9):
            wide = 0.09 if k % 2 else 0.15
            lines += [
                parts.block((wide, 0.004, 0.010), (side * (width / 2 - wide / 2), -0.002, FOOT_M + k * LINE_M))
                for side in (-1, 1)
            ]
        return Assembly(
            (
                *animals.snail("snail", SNAIL_M, (0.92, 0.68, 0.06), (0.72, 0.66, 0.48)),
                Part("bricks", parts.join(*bricks), paint((0.45, 0.13, 0.07), 0.9)),
                Part("mortar", parts.block((width, deep, high), (0, deep / 2 + 0.006, 0)), MORTAR),
                Part("coping", parts.block((width + 0.03, deep + 0.03, 0.03), (0, deep / 2, high)), MORTAR),
                Part("lines", parts.join(*lines), paint(WHITE)),
                Part("sky", parts.block((width, 0.01, SKY_M), (0, deep, high + 0.03)), paint(DAY_RGB, 0.9)),
                Part("sun", parts.sphere(0.034, 2), SUN, smooth_angle_deg=90),
                Part("moon", parts.sphere(0.026, 2), MOON, smooth_angle_deg=90),
                Part("lawn", parts.block((width + 0.03, 0.22, 0.01), (0, -0.02, 0)), paint((0.10, 0.30, 0.05), 0.95)),
            ),
            (Lamp("sunlight", (0.0, -0.4, 0.7), 0.0, (1.0, 0.80, 0.50), 0.05),),
        )  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        phase = float(state["phase"])
        day, share = phase < 1, phase % 1.0
        over = np.pi * (1 - share)
        sky = at(0.19 * np.cos(over), WALL_M[2] - 0.04, WALL_M[1] + 0.055 + 0.085 * np.sin(over))
        bright = float(np.sin(np.pi * share)) ** 0.5 if day else 0.0
        snail = animals.snail_channels(
            "snail", SNAIL_M, (0.0, 0.0, FOOT_M + float(state["h"])), np.pi / 2, float(state["stretches"]),
            pitch_rad=np.pi / 2,
        )  # fmt: skip
        return {
            **snail,
            "sky": (Colour(blend(NIGHT_RGB, DAY_RGB, bright)),),
            "sun": (Move(sky), Visible(day), Emission(3.0)),
            "moon": (Move(sky), Visible(not day), Emission(0.7)),
            "sunlight": (Move(at(1.2 * sky[0], -0.35, 0.55 + 0.2 * np.sin(over))), Power(6.0 * bright)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        """The shell sways half a stretch of the foot about the snail's middle; the stretch is read from the foot."""
        part = named(self.assembly().parts)
        foot = np.ptp(np.asarray(meshes["snail_body"].vertices)[:, 2]) / np.ptp(
            np.asarray(part["snail_body"].mesh.vertices)[:, 0]
        )
        shell = origin_m(part["snail_shell"], meshes["snail_shell"])[2]
        return {"h": float(shell - 0.5 * (foot - 1) * SNAIL_M) - FOOT_M}

    def measure(self, view: View) -> dict[str, float]:
        """From the visible middle of the shell, which seems a little above the snail's own."""
        shell = view.points_m["snail_shell"]
        if len(shell) < 4:
            return {"height": float("nan")}
        return {"height": float(shell[:, 2].mean()) - SHELL_UP * SNAIL_M - FOOT_M}
