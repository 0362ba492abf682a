"""Fruit that changes colour: a banana that ripens, an apple that browns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, VertexColours
from event_library.kit import furniture, palette, shapes
from event_library.kit.faces import grid_faces
from event_library.laws import started
from event_library.parts import Assembly, Material, Part, Rgb
from event_library.readouts import linear_rgb, paint_share
from event_library.taxonomy import facts

SKIN = Material(rgb=(0.5, 0.5, 0.5), roughness=0.6, per_vertex=True)


# ---- banana
RINGS, SIDES = 72, 30
GREEN: Rgb = (0.10, 0.36, 0.03)
YELLOW: Rgb = (0.72, 0.50, 0.03)
BROWN: Rgb = (0.060, 0.026, 0.012)
PLATE_M = 0.102
FLOOR_M = 0.07 * PLATE_M


@cache
def _banana() -> trimesh.Trimesh:
    """A banana with five faint edges, lying on the plate's floor, bent towards the viewer."""
    u = np.linspace(0.0, 1.0, RINGS)
    bend = np.deg2rad(55) * (2 * u - 1)
    line = 0.105 * np.column_stack([np.sin(bend), 0.85 - np.cos(bend), np.zeros(RINGS)])
    radius = 0.0195 * np.clip(np.minimum(u / 0.16, (1 - u) / 0.12), 0.0, 1.0) ** 0.45 + 0.004
    mesh = shapes.swept(line, radius, SIDES)
    sides = 1 + 0.05 * np.cos(5 * 2 * np.pi * np.arange(SIDES) / SIDES)
    rings = np.asarray(mesh.vertices)[:-2].reshape(RINGS, SIDES, 3)
    rings = line[:, None] + (rings - line[:, None]) * sides[None, :, None]
    mesh.vertices = np.vstack([rings.reshape(-1, 3), mesh.vertices[-2:]])
    return parts.moved(mesh, 0.0, 0.012, FLOOR_M - float(mesh.bounds[0, 2]))


@cache
def _spot_ranks() -> Array:
    """[V] in (0, 1): a vertex turns brown when the brown share passes it. Every patch has its even share."""
    rng = np.random.Generator(np.random.PCG64(0))
    places = np.asarray(_banana().vertices)[:-2]
    waves = rng.normal(size=(40, 3)) * 2 * np.pi / 0.036
    noise = np.cos(places @ waves.T + rng.uniform(0, 2 * np.pi, 40)).sum(axis=1).reshape(RINGS, SIDES)
    ranks = np.empty((RINGS, SIDES))
    for top in range(0, RINGS, 12):
        for left in range(0, SIDES, 10):
            patch = (slice(top, top + 12), slice(left, left + 10))
            order = noise[patch].ravel().argsort().argsort()
            ranks[patch] = ((order + 0.5) / order.size).reshape(ranks[patch].shape)
    return np.concatenate([ranks.ravel(), [0.5, 0.5]])


@dataclass(frozen=True, kw_only=True)
class BananaRipening(Event):
    """Two first-order reactions in series (Levenspiel, ch. 8): green -k1-> yellow -k2-> brown; brown comes as spots."""

    info = facts("banana_ripening")
    variables = (
        state("G", "frac", 0.08, flags="monotone bounded"),
        state("Y", "frac", 0.08, flags="bounded"),
        state("B", "frac", 0.07, flags="monotone bounded"),
        readout("brown_fraction", "frac", 0.07, min_delta=0.14, flags="monotone bounded", label="share of brown spots"),
        readout("green_fraction", "frac", 0.08, flags="monotone bounded", label="how green the peel is"),
    )

    accept_rules = (("no more than 70 % brown after 8 s", lambda e: e.state_at(8.0)["B"] <= 0.70),)

    unripe_per_day: float = param("k1", "1/day", 0.35, 0.60)
    spoil_per_day: float = param("k2", "1/day", 0.14, 0.24)
    time_scale_day_per_s: float = param("time_scale", "day/s", 1.0, 1.8, default=1.05)

    def states(self, t_s: Array) -> dict[str, Array]:
        days = self.time_scale_day_per_s * started(t_s)
        first, second = self.unripe_per_day, self.spoil_per_day
        green = np.exp(-first * days)
        yellow = first / (first - second) * (np.exp(-second * days) - green)
        brown = 1 - green - yellow
        return {"G": green, "Y": yellow, "B": brown, "brown_fraction": brown.copy(), "green_fraction": green.copy()}

    def assembly(self) -> Assembly:
        mesh = _banana()
        ends = [np.asarray(mesh.vertices)[-2], np.asarray(mesh.vertices)[-1]]
        out = (ends[0] - ends[1]) / np.linalg.norm(ends[0] - ends[1])
        stalk = shapes.swept(np.array([ends[0] - 0.002 * out, ends[0] + 0.012 * out + [0, -0.004, 0.002]]), 0.0045, 10)
        tip = parts.moved(parts.sphere(0.0042, 2), *ends[1])
        return Assembly(
            (
                Part("peel", mesh, SKIN, carries=True, smooth_angle_deg=60),
                Part("ends", parts.join(stalk, tip), palette.paint((0.10, 0.06, 0.02), 0.8), smooth_angle_deg=50),
                furniture.plate("plate", PLATE_M, material=palette.PORCELAIN),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        green, yellow, brown = (float(state[name]) for name in ("G", "Y", "B"))
        peel = palette.blend(YELLOW, GREEN, green / max(green + yellow, 1e-12))
        spotted = np.clip((brown - _spot_ranks()) / 0.02 + 0.5, 0.0, 1.0)[:, None]
        return {"peel": (VertexColours(peel * (1 - spotted) + np.asarray(BROWN) * spotted),)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Spots are half as bright as the brightest peel at their height; the hue of the rest tells how green it is."""
        peel, plate, points = view.rgb["peel"], view.rgb["plate"], view.points_m["peel"]
        if min(len(peel), len(plate)) < 10:
            return {"brown_fraction": float("nan")}
        bright = linear_rgb(peel)[:, 1]
        level = np.abs(points[:, None, 2] - points[None, :, 2]) < 0.003
        around = np.array([np.quantile(bright[row], 0.95) for row in level])
        clear = bright > 0.42 * np.maximum(around, 0.5 * np.quantile(bright, 0.95))
        areas = view.pixel_area_m2["peel"]
        found = {"brown_fraction": float(areas[~clear].sum() / areas.sum())}
        if clear.sum() >= 8:
            green = paint_share(peel[clear], plate, YELLOW, GREEN, palette.PORCELAIN.rgb)
            found["green_fraction"] = green * (1 - found["brown_fraction"])
        return found


# ---- apple
CREAM: Rgb = (0.64, 0.54, 0.28)
RUSSET: Rgb = (0.22, 0.085, 0.022)
FULL = 0.85  # share of russet when fully browned
CUT_ROWS, CUT_COLUMNS = 25, 17


@cache
def _apple_profile() -> Array:
    """[CUT_ROWS, 2] (radius, height above the board) of an apple, bottom dimple to top dimple."""
    a = np.linspace(-np.pi / 2, np.pi / 2, CUT_ROWS)
    radius = 0.044 * np.cos(a) ** 0.62 * (1 + 0.10 * np.sin(a))
    height = 0.040 * np.sin(a) - 0.010 * np.exp(-((radius / 0.014) ** 2)) * np.sign(a)
    return np.column_stack([radius, height - height.min()])


@dataclass(frozen=True, kw_only=True)
class AppleSliceBrowning(Event):
    """First-order enzymatic browning (polyphenol oxidase; Martinez & Whitaker 1995): b = 1 - exp(-k tau)."""

    info = facts("apple_slice_browning")
    variables = (
        state("b", "frac", 0.08, flags="monotone bounded"),
        readout("browning", "frac", 0.08, min_delta=0.16, flags="monotone bounded", label="from cream to brown"),
    )
    accept_rules = (
        ("0.12 to 0.30 of the rest browns each second", lambda e: 0.12 <= e.rate_per_s * e.time_scale <= 0.30),
    )

    rate_per_s: float = param("k", "1/s", 1.1e-3, 2.2e-3)
    time_scale: float = param("time_scale", "s/s", 90, 200)

    BOARD_M, LEAN_RAD = 0.012, 0.18

    def states(self, t_s: Array) -> dict[str, Array]:
        b = -np.expm1(-self.rate_per_s * self.time_scale * started(t_s))
        return {"b": b, "browning": b.copy()}

    def _set_up(self, mesh: trimesh.Trimesh) -> trimesh.Trimesh:
        """Leaned back on the board."""
        shapes.turned(mesh, (1.0, 0.0, 0.0), -self.LEAN_RAD)
        return parts.moved(mesh, z_m=self.BOARD_M + 0.006)

    def assembly(self) -> Assembly:
        profile = _apple_profile()
        across = np.linspace(-1.0, 1.0, CUT_COLUMNS)
        cut = np.stack(
            [
                0.96 * profile[:, :1] * across,
                np.full((CUT_ROWS, CUT_COLUMNS), -3e-4),
                np.repeat(profile[:, 1:], CUT_COLUMNS, 1),
            ],
            axis=-1,
        )
        turn = np.linspace(0.0, np.pi, 25)
        back = np.stack(
            [profile[:, :1] * np.cos(turn), profile[:, :1] * np.sin(turn), np.repeat(profile[:, 1:], 25, 1)], axis=-1
        )
        plane = np.stack([profile[:, :1] * across, 0 * cut[..., 1], np.repeat(profile[:, 1:], CUT_COLUMNS, 1)], axis=-1)
        skin = parts.join(_sheet(back), _sheet(plane))
        around = 2 * np.pi * np.arange(24) / 24
        outline = np.column_stack([0.011 * np.cos(around), 0.016 * np.sin(around)])
        core = parts.moved(shapes.extruded(outline, 0.001), 0.0, -0.0012, 0.040)
        seeds = [
            parts.moved(
                shapes.turned(shapes.ellipsoid((0.005, 0.003, 0.010)), (0, 1, 0), 0.35 * s), 0.0055 * s, -0.0018, 0.04
            )
            for s in (-1, 1)
        ]
        stem = shapes.swept(np.array([(0, 0.002, 0.066), (0.001, 0.002, 0.078), (0.005, 0.002, 0.090)]), 0.0018, 8)
        chart: dict[str, list[trimesh.Trimesh]] = {"cream": [], "russet": []}
        for side in (-1, 1):  # cream above on one card, below on the other
            for paint, z in (("cream", 0.029 + 0.026 * (side < 0)), ("russet", 0.029 + 0.026 * (side > 0))):
                chart[paint].append(parts.moved(parts.box((0.026, 0.002, 0.026)), 0.066 * side, 0.0, z))
        patches = {paint: self._set_up(parts.join(*pieces)) for paint, pieces in chart.items()}
        return Assembly(
            (
                Part("flesh", self._set_up(_sheet(cut)), SKIN, carries=True),
                Part("skin", self._set_up(skin), palette.paint((0.55, 0.02, 0.03), 0.3), smooth_angle_deg=60),
                Part("core", self._set_up(core), palette.paint((0.62, 0.58, 0.28), 0.8)),
                Part("seeds", self._set_up(parts.join(*seeds)), palette.DARK, smooth_angle_deg=180),
                Part("stem", self._set_up(stem), palette.WOOD, smooth_angle_deg=60),
                Part("cream", patches["cream"], palette.paint(CREAM, SKIN.roughness)),
                Part("russet", patches["russet"], palette.paint(RUSSET, SKIN.roughness)),
                furniture.board("board", (0.18, 0.09, self.BOARD_M), (0.0, 0.015, 0.0), palette.WOOD),
            )
        )  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        faint = 0.03 * np.sin(2.4 * np.arange(CUT_ROWS * CUT_COLUMNS) ** 1.2)[:, None]
        return {"flesh": (VertexColours(palette.blend(CREAM, RUSSET, FULL * float(state["b"])) * (1 + faint)),)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Colour of the flesh on the way from the chart's cream to its russet, seen in the same light beside it."""
        cream, russet = (_both_sides(view, name) for name in ("cream", "russet"))
        if len(view.rgb["flesh"]) == 0:
            return {"browning": float("nan")}
        way = russet - cream
        flesh = linear_rgb(np.median(view.rgb["flesh"], axis=0))
        return {"browning": float((flesh - cream) @ way / (way @ way)) / FULL}


def _both_sides(view: View, name: str) -> Array:
    """[3] light of a paint of the chart, left and right of the apple counting alike; nan when one isn't seen."""
    right = view.points_m[name][:, 0] > 0
    if right.all() or not right.any():
        return np.full(3, np.nan)
    return np.mean([linear_rgb(np.median(view.rgb[name][side], axis=0)) for side in (right, ~right)], axis=0)


def _sheet(grid_m: Array) -> trimesh.Trimesh:
    """Open sheet through a grid of points [R, C, 3]."""
    return trimesh.Trimesh(grid_m.reshape(-1, 3), grid_faces(*grid_m.shape[:2]), process=False)
