"""Beams and images: a lighthouse, a car seen only in a mirror."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Emission, Move, Power, Rotate, quaternion_about
from event_library.families.light_environment.diorama import SEA, rock
from event_library.figures.buildings import lighthouse, lighthouse_channels
from event_library.figures.vehicles import car, car_channels
from event_library.kit.palette import GLASS, WOOD
from event_library.kit.shapes import at, extruded
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part, Pattern
from event_library.taxonomy import facts

TURN = float(2 * np.pi)


@dataclass(frozen=True, kw_only=True)
class LighthouseBeam(Event):
    """Steady turn b = b0 + w t (counter-clockwise from above); a rock is lit while its bearing is within 8 deg of b."""

    info = facts("lighthouse_beam")
    variables = (
        state("b", "rad", float(np.deg2rad(14)), domain="angle", flags="periodic", cycle=TURN),
        state("lit", "index", 0.0, domain="vector", label="each rock"),
        readout("beam_bearing", "rad", float(np.deg2rad(14)), min_delta=float(np.deg2rad(40)), domain="angle",
                flags="periodic", cycle=TURN, label="of the lit patch of sea, from the right"),
    )  # fmt: skip

    rate_rad_per_s: float = angle_param("w", 22, 55, unit="rad/s")
    start_rad: float = angle_param("b0", 0, 360, default_deg=200)

    SEA_M = 0.03  # top of the sea
    RADIUS_M = 0.62
    TOWER_M = 0.44
    ROCKS_M = 0.5  # of the ring of rocks
    HALF_RAD = float(np.deg2rad(8))

    def states(self, t_s: Array) -> dict[str, Array]:
        b = (self.start_rad + self.rate_rad_per_s * started(t_s)) % TURN
        off = (b[:, None] - TURN * np.arange(8) / 8 + np.pi) % TURN - np.pi
        return {"b": b, "lit": (np.abs(off) < self.HALF_RAD).astype(np.float64), "beam_bearing": b.copy()}

    def assembly(self) -> Assembly:
        bow = np.linspace(-self.HALF_RAD, self.HALF_RAD, 9)
        edge = np.column_stack([np.cos(bow), np.sin(bow)])
        patch = extruded(np.vstack([0.2 * edge[::-1], 0.6 * edge]), 0.003, flat=True)
        island = parts.moved(rock(0.3, 21, flat=0.35), z_m=self.SEA_M)
        island.vertices[:, 2] = np.maximum(island.vertices[:, 2], 0.004)
        rocks = []
        for k in range(8):
            way = TURN * k / 8
            mesh = parts.moved(rock(0.13, k), self.ROCKS_M * np.cos(way), self.ROCKS_M * np.sin(way), self.SEA_M + 0.01)
            mesh.vertices[:, 2] = np.maximum(mesh.vertices[:, 2], 0.004)
            rocks.append(Part(f"rock_{k}", mesh, LIT_ROCK, carries=True, smooth_angle_deg=40))
        return Assembly((
            Part("patch", patch, PATCH, carries=True),
            *rocks,
            *lighthouse("tower", self.TOWER_M, (0, 0, self.SEA_M + 0.04)),
            Part("island", island, Material(rgb=(0.06, 0.08, 0.05), roughness=0.9), smooth_angle_deg=40),
            Part("sea", parts.cylinder(self.RADIUS_M, self.SEA_M, 64), SEA, smooth_angle_deg=40),
        ), lamps=(Lamp("beam", (0.4, 0, 0.2), 1.6, (1.0, 0.85, 0.5), 0.02),))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        b = float(state["b"])
        spot = at(0.36 * np.cos(b), 0.36 * np.sin(b), 0.17)
        return {
            **lighthouse_channels("tower", self.TOWER_M, b, (0, 0, self.SEA_M + 0.04)),
            "patch": (Rotate(quaternion_about((0, 0, 1), b)), Move(at(0, 0, self.SEA_M))),
            "beam": (Power(1.6), Move(spot)),
            **{f"rock_{k}": (Emission(0.5 * float(lit)),) for k, lit in enumerate(np.asarray(state["lit"]))},
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"b": self._bearing(np.asarray(meshes["patch"].vertices))}

    def measure(self, view: View) -> dict[str, float]:
        patch = view.points_m["patch"]
        return {"beam_bearing": self._bearing(patch) if len(patch) else float("nan")}

    def _bearing(self, points_m: Array) -> float:
        return float(np.arctan2(points_m[:, 1].mean(), points_m[:, 0].mean())) % TURN


PATCH = Material(rgb=(0.9, 0.75, 0.4), roughness=0.6, emission_rgb=(1.0, 0.80, 0.42), emission_strength=0.55)
LIT_ROCK = Material(rgb=(0.20, 0.18, 0.17), roughness=0.9, emission_rgb=(1.0, 0.78, 0.42), emission_strength=0.0)


@dataclass(frozen=True, kw_only=True)
class MirrorReflection(Event):
    """Car on a straight track: x = A tri(t / Tp + p0), its image in a plane mirror at y = yw lies at (x, 2 yw - y).

    Truth rays know no mirrors: the world behind the glass is built, the mirror image of all that stands before it.
    """

    info = facts("mirror_reflection")
    variables = (
        state("x", "m", 0.07, flags="periodic bounded"),
        state("heading", "index", 0.0, domain="discrete", flags="periodic", label="1 to the right, -1 to the left"),
        readout(
            "image_x", "m", 0.07, min_delta=0.18, flags="periodic bounded", label="middle of the car in the mirror"
        ),
    )

    amplitude_m: float = param("A", "m", 0.3, 0.42)
    period_s: float = param("Tp", "s", 5, 9)
    start: float = param("p0", "frac", 0, 1, default=0.1)

    CAR_M = 0.40
    MIRROR_M = 0.36  # y of the glass; the track runs at y = 0
    SCREEN_M = (-0.14, 0.31)  # y and height of the screen
    GLASS_M = (0.03, 0.42)  # lower and upper edge of the mirror
    FLOOR_M = 0.012

    def states(self, t_s: Array) -> dict[str, Array]:
        u = started(t_s) / self.period_s + self.start
        fall = u - np.floor(u + 0.5)
        x = self.amplitude_m * (4 * np.abs(fall) - 1)
        return {"x": x, "heading": np.where(fall >= 0, 1.0, -1.0), "image_x": x.copy()}

    def _half_m(self) -> float:
        """Half width of the mirror."""
        return self.amplitude_m + 0.27

    def assembly(self) -> Assembly:
        half, y, (low, high) = self._half_m(), self.MIRROR_M, self.GLASS_M
        screen_y, screen_high = self.SCREEN_M
        far = 2 * y - screen_y
        outer, floor = half + 0.06, self.FLOOR_M
        screen = parts.block((2 * half - 0.06, 0.016, screen_high), (0, screen_y, floor))
        frame = parts.join(
            *(parts.block((0.06, 0.03, high + 0.05), (s * (half + 0.03), y, floor)) for s in (-1, 1)),
            parts.block((2 * half, 0.03, low), (0, y, floor)),
            parts.block((2 * half, 0.03, 0.05), (0, y, high)),
        )
        wall = parts.block((2 * outer, 0.02, 0.15), (0, y + 0.01, high + 0.05))
        case = parts.join(
            *(parts.block((0.012, far - y, high - 0.02), (s * (outer - 0.006), (far + y) / 2, floor)) for s in (-1, 1)),
            parts.block((2 * outer, 0.012, high - 0.02), (0, far + 0.03, floor)),
        )
        pane = parts.block((2 * half, 0.001, high - low), (0, y + 0.004, floor + low))
        return Assembly((
            *car("image", self.CAR_M),
            *car("car", self.CAR_M, carries=False),
            Part("screen", screen, SCREEN),
            Part("screen_image", parts.moved(screen.copy(), y_m=2 * (y - screen_y)), SCREEN),
            Part("frame", frame, GILT),
            Part("glass", pane, GLASS),
            Part("wall", wall, WOOD),
            Part("case", case, Material(rgb=(0.50, 0.52, 0.50), roughness=0.9)),
            Part("floor", parts.block((2 * outer, far + 0.36, floor), (0, (far - 0.28) / 2, 0)), CHEQUERED),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        x = float(state["x"])
        return {
            **car_channels("car", self.CAR_M, (x, 0.0, self.FLOOR_M), 0.0, x),
            **car_channels("image", self.CAR_M, (x, 2 * self.MIRROR_M, self.FLOOR_M), 0.0, x),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"x": float(meshes["image_body"].bounds[:, 0].mean())}

    def measure(self, view: View) -> dict[str, float]:
        seen = view.points_m["image_body"][:, 0]
        return {"image_x": float(seen.min() + seen.max()) / 2 if len(seen) else float("nan")}


SCREEN = Material(rgb=(0.08, 0.22, 0.42), roughness=0.8)
GILT = Material(rgb=(0.62, 0.40, 0.10), roughness=0.35, metallic=0.5)
CHEQUERED = Material(rgb=(0.78, 0.76, 0.70), roughness=0.6, pattern=Pattern("checker", (0.16, 0.16, 0.18), 0.13))
