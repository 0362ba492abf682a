"""A hole that burns its way through a sheet of paper."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, Move, Power, VertexColours, Vertices, Visible
from event_library.kit import boards, flames, palette, shapes
from event_library.kit.faces import grid_faces
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part
from event_library.readouts import footprints_m2
from event_library.taxonomy import facts

NUM_COLUMNS, NUM_ROWS = 96, 64
NUM_SAMPLES = 160  # along each spoke
BANDS_M = (0.0, 0.0025, 0.005, 0.009, 0.015)  # rings of the sheet beyond the glowing rim
BAND_RGB = ((0.012, 0.010, 0.009), (0.02, 0.015, 0.012), (0.10, 0.05, 0.02), (0.50, 0.36, 0.18), (0.85, 0.83, 0.76))
RIM_M = 0.0035  # width of the glow
SHEET_Z, SLATE_M = 0.03, 0.016  # lower edge of the sheet; margin of the slate behind it


@dataclass(frozen=True, kw_only=True)
class PaperBurnFront(Event):
    """Eikonal |grad Ta| = 1 / v(x) from the lit point (Huygens; Sethian 1996, fast marching): burnt where Ta <= t.

    The speed varies by +-35 % in seeded smooth patches, except in the lit spot itself. Along each of the spokes from
    the lit point the front is where Ta first reaches t; the hole is the polygon of these points.
    """

    info = facts("paper_burn_front")
    variables = (
        state("front", "m", 0.004, domain="vector", flags="monotone bounded", label="edge of the hole, spoke by spoke"),
        readout("burnt_fraction", "frac", 0.05, min_delta=0.11, flags="monotone bounded", label="share of the sheet"),
    )

    speed_m_per_s: float = param("v0", "m/s", 0.010, 0.018)
    width_m: float = param("W", "m", 0.18, 0.24)
    seed: int = seed_param()

    @property
    def size_m(self) -> tuple[float, float]:
        return self.width_m, 0.67 * self.width_m

    @cached_property
    def lit_m(self) -> Array:
        """[2] lit point, from the sheet's middle."""
        rng = np.random.Generator(np.random.PCG64(self.seed))
        return np.asarray(rng.uniform(-0.18, 0.18, 2) * np.array(self.size_m))

    def _speed(self, places_m: Array) -> Array:
        """[...] m/s at board coordinates [..., 2]."""
        rng = np.random.Generator(np.random.PCG64([self.seed, 1]))
        waves = rng.normal(size=(6, 2)) * 2 * np.pi / (0.45 * self.width_m)
        phases = rng.uniform(0, 2 * np.pi, 6)
        noise = np.cos(places_m @ waves.T + phases).sum(axis=-1) / 6
        away = np.linalg.norm(places_m - self.lit_m, axis=-1) / self._spot_m
        return np.asarray(self.speed_m_per_s * (1 + 0.7 * np.clip(noise, -0.5, 0.5) * np.clip(away - 1, 0.0, 1.0)))

    @property
    def _spot_m(self) -> float:
        return 0.06 * self.width_m

    @cached_property
    def spokes_rad(self) -> Array:
        """[S] directions from the lit point, those of the four corners among them."""
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * np.array(self.size_m) / 2 - self.lit_m
        even = np.linspace(-np.pi, np.pi, 92, endpoint=False)
        return np.sort(np.concatenate([even, np.arctan2(corners[:, 1], corners[:, 0])]))

    @cached_property
    def edge_m(self) -> Array:
        """[S] distance from the lit point to the sheet's edge."""
        way = np.column_stack([np.cos(self.spokes_rad), np.sin(self.spokes_rad)])
        room = np.where(way > 0, np.array(self.size_m) / 2 - self.lit_m, np.array(self.size_m) / 2 + self.lit_m)
        return np.asarray((room / np.maximum(np.abs(way), 1e-12)).min(axis=1))

    def _arrivals(self, num_columns: int) -> tuple[Array, Array]:
        """Distances and arrival times [S, NUM_SAMPLES] along the spokes, from a grid num_columns wide."""
        num_rows = num_columns * NUM_ROWS // NUM_COLUMNS
        grid = boards.Grid(num_rows, num_columns, self.size_m)
        centres = grid.centres_m()[..., :2]
        away = np.linalg.norm(centres - self.lit_m, axis=-1)
        known = np.where(away < self._spot_m, away / self.speed_m_per_s, np.inf)
        times = _marched(known, 1 / self._speed(centres), grid.pitch_m)
        way = np.column_stack([np.cos(self.spokes_rad), np.sin(self.spokes_rad)])
        reach = self.edge_m[:, None] * np.linspace(0.0, 1.0, NUM_SAMPLES)
        places = self.lit_m + reach[..., None] * way[:, None]
        along = boards.sampled(times, self.size_m, places.reshape(-1, 2)).reshape(reach.shape)
        exact = reach < self._spot_m
        along[exact] = reach[exact] / self.speed_m_per_s
        return reach, np.maximum.accumulate(along, axis=1)

    @cached_property
    def _front_table(self) -> tuple[Array, Array]:
        return self._arrivals(NUM_COLUMNS)

    def _burnt(self, front_m: Array) -> Array:
        """[...] share of the sheet inside the hole's polygon [..., S]."""
        turn = np.diff(self.spokes_rad, append=self.spokes_rad[0] + 2 * np.pi)
        areas = front_m * np.roll(front_m, -1, axis=-1) * np.sin(turn) / 2
        return np.asarray(areas.sum(axis=-1) / (self.size_m[0] * self.size_m[1]))

    def states(self, t_s: Array) -> dict[str, Array]:
        front = _reached(*self._front_table, started(t_s))
        return {"front": front, "burnt_fraction": self._burnt(front)}

    def refinements(self, t_s: Array) -> tuple[Array, Array, Array]:
        coarse, middle, fine = (
            self._burnt(_reached(*self._arrivals(factor * NUM_COLUMNS // 2), t_s)) for factor in (1, 2, 4)
        )
        return coarse, middle, fine

    def _ring(self, front_m: Array, beyond_m: float, curl_m: float) -> Array:
        """[S, 3] points of the sheet `beyond_m` from the front, lifted towards the viewer."""
        r = np.minimum(front_m + beyond_m, self.edge_m)
        x, z = self.lit_m[0] + r * np.cos(self.spokes_rad), self.lit_m[1] + r * np.sin(self.spokes_rad)
        lift = np.where(r < self.edge_m, curl_m, 0.0)
        return np.column_stack([x, -lift, z + SHEET_Z + self.size_m[1] / 2])

    def _rim(self, front_m: Array) -> Array:
        return np.vstack([self._ring(front_m, 0.0, 0.004), self._ring(front_m, RIM_M, 0.003)])

    def _sheet(self, front_m: Array) -> Array:
        curls = (0.003, 0.0025, 0.002, 0.001, 0.0)
        rings = [self._ring(front_m, RIM_M + b, c) for b, c in zip(BANDS_M, curls, strict=True)]
        return np.vstack([*rings, self._ring(front_m, 10.0, 0.0)])

    def assembly(self) -> Assembly:
        (wide, high), num = self.size_m, len(self.spokes_rad)
        start = np.full(num, 1e-4)
        paper = Material(rgb=(0.8, 0.8, 0.8), roughness=0.9, per_vertex=True)
        slate = parts.block((wide + 2 * SLATE_M, 0.01, high + 2 * SLATE_M), (0, 0.009, SHEET_Z - SLATE_M))
        feet = [parts.block((0.014, 0.07, SHEET_Z - SLATE_M + 0.03), (s * 0.42 * wide, 0.025, 0)) for s in (-1, 1)]
        pins = [
            parts.moved(parts.sphere(0.0045, 2), side * (wide / 2 - 0.006), -0.002, z)
            for side in (-1, 1)
            for z in (SHEET_Z + 0.006, SHEET_Z + high - 0.006)
        ]
        glow = palette.paint((1.0, 0.30, 0.04), glow=3.0)
        return Assembly(
            (
                Part("sheet", _banded(self._sheet(start), num), paper, True),
                Part("rim", _banded(self._rim(start), num), glow, True),
                flames.flames("flames", num // 6, 0.02, stout=1.6),
                Part("slate", slate, palette.paint((0.05, 0.055, 0.065), 0.8)),
                Part("stand", parts.join(*feet), palette.WOOD),
                Part("pins", parts.join(*pins), palette.paint(palette.RED)),
            ),
            (Lamp("light", (0.0, -0.06, SHEET_Z + high / 2), 0.4, flames.FIRE_RGB, 0.03),),
        )

    def channels(self, state: State) -> ChannelMap:
        front = np.maximum(np.asarray(state["front"]), 1e-4)
        shades = np.repeat(np.vstack([BAND_RGB, BAND_RGB[-1:]]), len(front), axis=0)
        burning = front < self.edge_m - 1e-9
        feet = self._ring(front, 0.0, 0.005)[::6][: len(front) // 6]
        sizes = np.where(burning[::6], 0.7 + 0.3 * np.sin(7.0 * np.arange(len(burning[::6])) + 400 * front[::6]), 0.0)
        left = float(burning.mean())
        return {
            "sheet": (Vertices(self._sheet(front)), VertexColours(shades), Visible(left > 0)),
            "rim": (Vertices(self._rim(front)), Visible(left > 0)),
            **flames.flames_channels("flames", 0.02, feet, sizes[: len(feet)], stout=1.6),
            "light": (Power(0.35 * left), Move(shapes.at(self.lit_m[0], -0.07, SHEET_Z + self.size_m[1] / 2))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        left = 0.0
        for name in {"sheet", "rim"} & set(meshes):
            a, b, c = np.moveaxis(np.asarray(meshes[name].triangles)[..., [0, 2]], 1, 0)
            left += float(np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum()) / 2
        return {"burnt_fraction": 1 - left / (self.size_m[0] * self.size_m[1])}

    def measure(self, view: View) -> dict[str, float]:
        """Paper against the slate that shows through the hole, inside the sheet's outline."""
        areas = {}
        for name in ("sheet", "rim", "slate"):
            seen = view.points_m[name]
            over = (np.abs(seen[:, 0]) < self.size_m[0] / 2) & (
                np.abs(seen[:, 2] - SHEET_Z - self.size_m[1] / 2) < self.size_m[1] / 2
            )
            weights = footprints_m2(seen, view.pixel_area_m2[name], view.eye_m, (0.0, 1.0, 0.0))
            areas[name] = float(weights[over].sum())
        total = sum(areas.values())
        return {"burnt_fraction": areas["slate"] / total if total else float("nan")}


def _reached(distances_m: Array, arrivals_s: Array, t_s: Array) -> Array:
    """[T, S] how far the front has come along each spoke."""
    return np.stack([np.interp(t_s, a, d) for d, a in zip(distances_m, arrivals_s, strict=True)], axis=1)


def _banded(vertices_m: Array, num: int) -> trimesh.Trimesh:
    """Closed rings of `num` points joined one to the next, towards -y."""
    faces = grid_faces(len(vertices_m) // num, num, closed_columns=True)[:, ::-1]
    return trimesh.Trimesh(vertices_m, faces, process=False)


def _marched(known_s: Array, slowness: Array, pitch_m: tuple[float, float]) -> Array:
    """Arrival times [rows, columns] by fast marching, second order where possible, from finite `known_s`."""
    times = known_s.copy()
    rows, columns = times.shape
    done = np.isfinite(known_s)

    def earlier(p: int, q: int, down: int, right: int) -> tuple[float, float]:
        """Time and distance upwind of a cell along one axis; two settled cells in a row give a second-order slope."""
        step = pitch_m[0] if right else pitch_m[1]
        best = (np.inf, step)
        for sign in (-1, 1):
            i, j = p + sign * down, q + sign * right
            if not (0 <= i < rows and 0 <= j < columns and done[i, j]) or times[i, j] >= best[0]:
                continue
            best = (float(times[i, j]), step)
            k, m = i + sign * down, j + sign * right
            if 0 <= k < rows and 0 <= m < columns and done[k, m] and times[k, m] <= times[i, j]:
                best = (float(4 * times[i, j] - times[k, m]) / 3, 2 * step / 3)
        return best

    heap: list[tuple[float, int, int]] = []
    settled = [(int(i), int(j)) for i, j in np.argwhere(done)]
    while settled:
        i, j = settled.pop()
        for p, q in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= p < rows and 0 <= q < columns and not done[p, q]:
                new = _upwind(*earlier(p, q, 0, 1), *earlier(p, q, 1, 0), float(slowness[p, q]))
                if new < times[p, q]:
                    times[p, q] = new
                    heapq.heappush(heap, (new, p, q))
        while heap and not settled:
            _, p, q = heapq.heappop(heap)
            if not done[p, q]:
                done[p, q] = True
                settled.append((p, q))
    return times


def _upwind(a: float, dx: float, b: float, dy: float, slowness: float) -> float:
    """Time T at a cell from the earlier ones along x and y: ((T - a) / dx)^2 + ((T - b) / dy)^2 = slowness^2."""
    alone = min(a + dx * slowness, b + dy * slowness)
    if not (np.isfinite(a) and np.isfinite(b)):
        return float(alone)
    u, v = 1 / dx**2, 1 / dy**2
    p, q, r = u + v, u * a + v * b, u * a * a + v * b * b - slowness**2
    root = q * q - p * r
    both = (q + np.sqrt(max(root, 0.0))) / p
    return float(both) if root >= 0 and both >= max(a, b) else float(alone)
