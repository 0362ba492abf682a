"""Water that rises and falls: a tide, a flood, puddles in the rain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr, ndtri

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, Move, VertexColours
from event_library.families.light_environment.diorama import rock
from event_library.figures.craft import boat, boat_channels
from event_library.kit import vessels
from event_library.kit.boards import CELLS
from event_library.kit.copies import copies, copies_channels
from event_library.kit.dials import banded_staff
from event_library.kit.faces import grid_faces
from event_library.kit.palette import BOARD, GREY_PAINT, RED_INK, SAND, liquid
from event_library.kit.shapes import at, extruded
from event_library.laws import started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import top_m
from event_library.taxonomy import facts

FLOOR_M = vessels.FLOOR_M
STONE = Material(rgb=(0.34, 0.32, 0.30), roughness=0.85, pattern=Pattern("speckle", (0.22, 0.20, 0.19), 0.03))
ROCK = Material(rgb=(0.11, 0.10, 0.10), roughness=0.8)
MURKY = liquid((0.42, 0.24, 0.07))


@dataclass(frozen=True, kw_only=True)
class TideRising(Event):
    """Principal lunar tide M2 alone: h = -A cos(2 pi (q0 + tau) / 12.42 h) about mean level. Model 1 : 6.67."""

    info = facts("tide_rising")
    variables = (
        state("h", "m", 0.15, flags="periodic bounded"),
        readout("level", "m", 0.15, min_delta=0.35, flags="periodic bounded", label="waterline about mean level"),
        readout("rocks_dry", "count", 1.0, domain="count", flags="periodic", label="rocks that stand out"),
    )

    amplitude_m: float = param("A", "m", 0.9, 1.6)
    start_h: float = param("q0", "h", 0, 1.5)
    rate_h_per_s: float = param("time_scale", "h/s", 0.5, 0.9)

    SCALE = 0.15
    SIZE_M = (1.05, 0.5)  # of the tank inside
    HEIGHT_M = 0.58
    MEAN_M = FLOOR_M + 0.28
    ROCKS = tuple(zip(np.linspace(-1.25, 1.25, 6).tolist(), (0.05, -0.12, 0.10, -0.08, 0.12, -0.03), strict=True))
    SLOPE = (-0.28, 0.53)  # x where the beach leaves the floor, and where it is as high as the tank

    def states(self, t_s: Array) -> dict[str, Array]:
        h = -self.amplitude_m * np.cos(2 * np.pi * (self.start_h + self.rate_h_per_s * started(t_s)) / 12.42)
        dry = (np.array([top for top, _ in self.ROCKS]) > h[:, None]).sum(axis=1)
        return {"h": h, "level": h.copy(), "rocks_dry": dry.astype(np.float64)}

    def assembly(self) -> Assembly:
        (x, y), (low, high) = self.SIZE_M, self.SLOPE
        up = self.HEIGHT_M - FLOOR_M - 0.02
        beach = np.array([(low, 0.0), (x / 2, 0.0), (x / 2, up), (high - 0.02, up)])
        posts = [
            part
            for k, (px, py) in enumerate(((-0.42, 0.06), (-0.27, -0.1)))
            for part in banded_staff(f"post_{k}", 0.575, 7, (px, py, FLOOR_M), width_m=0.05, colours=(BOARD, RED_INK))
        ]
        rocks = []
        for k, (top, ry) in enumerate(self.ROCKS):
            z = self.MEAN_M + self.SCALE * top
            rx = low + (z - 0.045 - FLOOR_M) / up * (high - 0.02 - low)
            stone = parts.moved(rock(0.12, k), rx, ry, z - 0.7 * 0.06)
            rocks.append(Part(f"rock_{k}", stone, ROCK, carries=True, smooth_angle_deg=40))
        return Assembly((
            vessels.liquid_box("water", self.SIZE_M, self.HEIGHT_M),
            *boat("boat", 0.24),
            *rocks,
            *posts,
            Part("beach", parts.moved(extruded(beach, y + 2e-4), 0, -y / 2 - 1e-4, FLOOR_M), SAND),
            *vessels.square_tank("tank", self.SIZE_M, self.HEIGHT_M + 0.03, edge_m=0.008),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        surface = self.MEAN_M + self.SCALE * float(state["h"])
        return {
            **vessels.column_channels("water", surface - FLOOR_M, self.HEIGHT_M, (0, 0, FLOOR_M)),
            **boat_channels("boat", 0.24, (-0.36, 0.12 - 0.23, surface), 0.1),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"h": (float(meshes["water"].bounds[1, 2]) - self.MEAN_M) / self.SCALE}

    def measure(self, view: View) -> dict[str, float]:
        surface = top_m(view, "water")
        dry = sum(len(view.points_m[f"rock_{k}"]) > 0 for k in range(len(self.ROCKS)))
        rocks = float("nan") if np.isnan(surface) else float(dry)
        return {"level": (surface - self.MEAN_M) / self.SCALE, "rocks_dry": rocks}


@dataclass(frozen=True, kw_only=True)
class FloodHydrograph(Event):
    """Gamma hydrograph (Nash 1957): h = hb + hp (t/tp exp(1 - t/tp))^n, crest hb + hp at tp. Model 1 : 5."""

    info = facts("flood_hydrograph")
    variables = (
        state("h", "m", 0.18, flags="bounded"),
        state("rising", "index", 0.0, domain="discrete", label="1 before the crest"),
        readout("level", "m", 0.18, min_delta=0.4, flags="bounded", label="waterline on the gauge board"),
    )

    base_m: float = param("hb", "m", 0.4, 0.7)
    surge_m: float = param("hp", "m", 1.4, 2.2)
    crest_s: float = param("tp", "s", 3.0, 4.6)
    shape: float = param("ng", "ratio", 3, 6)

    SCALE = 0.2
    SIZE_M = (1.0, 0.44)
    BANK_M = 0.70  # height of the deck over the river's bed

    def states(self, t_s: Array) -> dict[str, Array]:
        u = started(t_s) / self.crest_s
        h = self.base_m + self.surge_m * (u * np.exp(1 - u)) ** self.shape
        return {"h": h, "rising": (u < 1).astype(np.float64), "level": h.copy()}

    def triggers(self) -> dict[str, float]:
        return {"crest": self.crest_s}

    def assembly(self) -> Assembly:
        x, top = self.SIZE_M[0], self.BANK_M
        bow = np.linspace(np.pi, 0, 21)
        arch = np.column_stack([0.31 * np.cos(bow), 0.27 + 0.31 * np.sin(bow)])
        wall = [(-x / 2, 0.0), (-0.31, 0.0), *map(tuple, arch), (0.31, 0.0), (x / 2, 0.0), (x / 2, top), (-x / 2, top)]
        bridge = parts.moved(extruded(np.array(wall), 0.2), 0, 0.0, FLOOR_M)
        rails = [parts.block((x, 0.02, 0.06), (0, 0.012 + 0.17 * s, FLOOR_M + top)) for s in (0, 1)]
        return Assembly((
            vessels.liquid_box("water", self.SIZE_M, top, MURKY),
            *banded_staff("gauge", 0.64, 8, (-0.405, -0.022, FLOOR_M), width_m=0.09, colours=(BOARD, RED_INK)),
            Part("bridge", bridge, STONE),
            Part("rails", parts.join(*rails), GREY_PAINT),
            *vessels.square_tank("tank", self.SIZE_M, top - 0.02, edge_m=0.008),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        level = self.SCALE * float(state["h"])
        return vessels.column_channels("water", level, self.BANK_M, (0, 0, FLOOR_M))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"h": float(np.ptp(meshes["water"].bounds[:, 2])) / self.SCALE}

    def measure(self, view: View) -> dict[str, float]:
        surface = top_m(view, "water")
        return {"level": (surface - FLOOR_M) / self.SCALE}


@dataclass(frozen=True, kw_only=True)
class RainPuddles(Event):
    """Level-pool filling of ground with Gaussian heights (deviation sg), no run-off, no seepage.

    Water per area D0 + Pr tau = sg (u Phi(u) + phi(u)) fixes the level u sg and the flooded share Phi(u); the yard is
    damp at first (u = -2) and drains at its kerb (u = 1.5).
    """

    info = facts("rain_puddles")
    variables = (
        state("u", "ratio", 0.15, flags="monotone bounded", label="level over the deviation of the ground"),
        state("shower", "ratio", 0.2, cycle=1.0, label="phase of the falling streaks"),
        readout(
            "flooded", "frac", 0.06, min_delta=0.125, flags="monotone bounded", label="share of the yard under water"
        ),
    )
    accept_rules = (
        (
            "the rain of 8 s covers about half to nine tenths of the yard",
            lambda e: 0.45 <= e.rise_m_per_s * 8 / e.roughness_m <= 1.1,
        ),
    )

    roughness_m: float = param("sg", "m", 0.008, 0.014)
    rain_mm_per_h: float = param("Pr", "mm/h", 25, 60)
    time_scale: float = param("time_scale", "s/s", 60, 160)
    seed: int = seed_param()

    START_U, FULL_U = -2.0, 1.5
    SIZE_M = (1.5, 1.1)
    NODES = (44, 60)  # rows and columns
    NUM_DROPS = 70
    CLOUD_M = 0.5

    @property
    def rise_m_per_s(self) -> float:
        """Water that falls per area and second of the clip."""
        return self.rain_mm_per_h * 1e-3 / 3600 * self.time_scale

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        wanted = _pooled(np.array(self.START_U)) + self.rise_m_per_s * t / self.roughness_m
        low, high = np.full(len(t), self.START_U), np.full(len(t), self.FULL_U)
        for _ in range(60):
            middle = (low + high) / 2
            short = _pooled(middle) < wanted
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        u = np.where(t > 0, np.where(wanted >= _pooled(np.array(self.FULL_U)), self.FULL_U, low), self.START_U)
        return {"u": u, "shower": 1.7 * t % 1.0, "flooded": ndtr(u)}

    def assembly(self) -> Assembly:
        x, y = self.SIZE_M
        heights = _heights(int(self.seed), self.NODES)
        kerb = parts.join(
            *(parts.block((x + 0.1, 0.05, 0.09), (0, s * (y / 2 + 0.025), 0)) for s in (-1, 1)),
            *(parts.block((0.05, y, 0.09), (s * (x / 2 + 0.025), 0, 0)) for s in (-1, 1)),
        )
        return Assembly((
            Part("water", parts.moved(parts.box((x, y, 0.001)), z_m=-0.0005), PUDDLE, carries=True),
            Part("ground", self._ground(heights), CELLS, carries=True, smooth_angle_deg=60),
            copies("rain", parts.box((0.007, 0.007, 0.07)), self._drops(0.0), STREAK, carries=False),
            Part("kerb", kerb, STONE),
        ))  # fmt: skip

    def _ground(self, heights: Array) -> trimesh.Trimesh:
        """Heights [rows, columns] in deviations over the yard, the mean `ground_m` above the support."""
        rows, columns = heights.shape
        x, y = np.meshgrid(
            np.linspace(-0.5, 0.5, columns) * self.SIZE_M[0], np.linspace(-0.5, 0.5, rows) * self.SIZE_M[1]
        )
        z = self.ground_m + self.roughness_m * heights
        vertices = np.column_stack([x.ravel(), y.ravel(), z.ravel()])
        return trimesh.Trimesh(vertices, grid_faces(rows, columns), process=False)

    @property
    def ground_m(self) -> float:
        return 0.005 + 3.6 * self.roughness_m

    def _drops(self, phase: float) -> Array:
        rng = np.random.Generator(np.random.PCG64(7))
        spot = rng.uniform(-0.5, 0.5, (self.NUM_DROPS, 2)) * self.SIZE_M
        fallen = (rng.uniform(0, 1, self.NUM_DROPS) + phase) % 1.0
        return np.column_stack([spot, 0.13 + (self.CLOUD_M - 0.1) * (1 - fallen)])

    def channels(self, state: State) -> ChannelMap:
        heights = _heights(int(self.seed), self.NODES).ravel()
        shade = np.clip(0.075 + 0.02 * heights, 0.02, 0.15)[:, None] * np.array([1.0, 0.97, 0.93])
        level = self.ground_m + self.roughness_m * float(state["u"])
        return {
            "water": (Move(at(0, 0, level)),),
            "ground": (VertexColours(shade),),
            **copies_channels("rain", parts.box((0.007, 0.007, 0.07)), self._drops(float(state["shower"]))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        level = float(meshes["water"].bounds[1, 2])
        under = float((np.asarray(meshes["ground"].vertices)[:, 2] < level).mean())
        return {"u": (level - self.ground_m) / self.roughness_m, "flooded": under}

    def measure(self, view: View) -> dict[str, float]:
        wet, dry = (float(view.pixel_area_m2[name].sum()) for name in ("water", "ground"))
        return {"flooded": wet / (wet + dry) if wet + dry > 0 else float("nan")}


PUDDLE = Material(rgb=(0.10, 0.30, 0.55), roughness=0.06)
STREAK = Material(rgb=(0.75, 0.82, 0.92), kind="haze")


def _pooled(u: Array) -> Array:
    """Water per area over the deviation: u Phi(u) + phi(u)."""
    return np.asarray(u * ndtr(u) + np.exp(-u * u / 2) / np.sqrt(2 * np.pi))


@lru_cache(maxsize=16)
def _heights(seed: int, nodes: tuple[int, int]) -> Array:
    """[rows, columns] smooth noise whose ranks are those of a normal deviate, so that shares under water are exact."""
    noise = gaussian_filter(np.random.Generator(np.random.PCG64(seed)).normal(size=nodes), 4.0, mode="reflect")
    rank = np.empty(noise.size)
    rank[np.argsort(noise.ravel())] = (np.arange(noise.size) + 0.5) / noise.size
    return np.asarray(ndtri(rank)).reshape(nodes)
