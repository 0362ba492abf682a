"""Growth by steps: a snow crystal, rings of precipitate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap
from event_library.families.mixing_reaction.dishes import LIQUID, dish_disc, log_ratio, petri_dish
from event_library.kit import palette
from event_library.kit.boards import field_disc, field_disc_channels
from event_library.kit.copies import copies, copies_channels, copies_colours
from event_library.laws import ease, started
from event_library.parts import Assembly, Part
from event_library.readouts import pixel_pitch_m
from event_library.taxonomy import facts

# ---- snow crystal
GRID = 44  # cells from the middle of the hexagonal grid to its border
LAST_RADIUS = 38  # the crystal stops growing here
MOST_STEPS = 4000
PITCH_M = 0.0023  # between neighbouring cells
FLOCK = 700  # tiles a part
ICE, FROST = (0.55, 0.78, 0.95), (0.95, 0.97, 1.0)

# ---- Liesegang rings
GEL_M = 0.055
BAND = 0.07  # half width of a ring over its radius
AMBER, WHITE = (0.72, 0.30, 0.04), (0.92, 0.92, 0.88)


@dataclass(frozen=True, kw_only=True)
class SnowflakeGrowth(Event):
    """Reiter's automaton (2005): vapour relaxes on a hexagonal grid, cells at or beside ice keep it and gain gamma."""

    info = facts("snowflake_growth")
    variables = (
        state("step", "count", 1.0, flags="monotone", label="steps of the automaton"),
        readout(
            "radius", "count", 2.0, min_delta=6.0, flags="monotone bounded", domain="count", label="cells to a tip"
        ),
    )
    costly_rules = True
    accept_rules = (("it takes 6 to 16 s to grow out", lambda e: 6 <= e.growing_s <= 16),)

    vapour_ratio: float = param("beta", "ratio", 0.40, 0.55)
    gain_ratio: float = param("gamma", "ratio", 0.001, 0.004)
    steps_per_s: float = param("sps", "1/s", 30, 70)

    @property
    def growing_s(self) -> float:
        return float(_frozen(self)[1][-1]) / self.steps_per_s

    def states(self, t_s: Array) -> dict[str, Array]:
        step = np.floor(started(t_s) * self.steps_per_s)
        cells, when = _frozen(self)
        reached = np.maximum.accumulate(_distance(cells))
        radius = reached[np.searchsorted(when, step, side="right") - 1]
        return {"step": step, "radius": radius.astype(np.float64)}

    def _places_m(self) -> Array:
        cells, _ = _frozen(self)
        x = PITCH_M * (cells[:, 0] + cells[:, 1] / 2)
        return np.column_stack([x, PITCH_M * np.sqrt(3) / 2 * cells[:, 1], np.full(len(cells), 0.0125)])

    def assembly(self) -> Assembly:
        places, snow = (
            self._places_m(),
            parts.Material(rgb=ICE, roughness=0.25, per_vertex=True, emission_strength=0.15),
        )
        radius = PITCH_M * (LAST_RADIUS + 4)
        plate = parts.moved(parts.cylinder(radius, 0.011, 48), 0.0, 0.0)
        return Assembly(
            parts=(
                *(copies(name, _tile(), places[rows], snow) for name, rows in self._flocks()),
                Part("plate", plate, palette.paint((0.015, 0.02, 0.05), 0.35), smooth_angle_deg=40),
                Part("rim", parts.ring(radius, radius + 0.006, 0.014, 0.002, 64), palette.STEEL, smooth_angle_deg=40),
            )
        )

    def _flocks(self) -> list[tuple[str, slice]]:
        num = len(_frozen(self)[0])
        return [(f"ice_{k}", slice(k * FLOCK, min((k + 1) * FLOCK, num))) for k in range(-(-num // FLOCK))]

    def channels(self, state: State) -> ChannelMap:
        cells, when = _frozen(self)
        there = when <= float(state["step"])
        places = self._places_m()
        found: dict[str, tuple[Channel, ...]] = {}
        tint = palette.ramp((_distance(cells) % 6) / 5, (FROST, ICE))  # ridges across the arms
        for name, rows in self._flocks():
            (shape,) = copies_channels(name, _tile(), places[rows], None, there[rows].astype(np.float64))[name]
            (colour,) = copies_colours(name, _tile(), tint[rows])[name]
            found[name] = (shape, colour)
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        corners = np.vstack([np.asarray(meshes[name].vertices).reshape(-1, 6, 3) for name, _ in self._flocks()])
        there = np.ptp(corners[..., 0], axis=1) > 0.01 * PITCH_M
        return {"radius": float(_tip_cells(corners[there].mean(axis=1)).max())}

    def measure(self, view: View) -> dict[str, float]:
        """Hexagonal distance of the outermost visible ice, less half a cell, plus half a pixel."""
        points = np.vstack([view.points_m[name] for name, _ in self._flocks()])
        areas = np.concatenate([view.pixel_area_m2[name] for name, _ in self._flocks()])
        if len(points) == 0:
            return {"radius": float("nan")}
        slack = (pixel_pitch_m(areas) / 2 if len(points) > 8 else 0.0) / PITCH_M - 0.5
        return {"radius": float(_tip_cells(points).max()) + slack}


def _tip_cells(points_m: Array) -> Array:
    """[N] hexagonal distance from the middle in cells."""
    s = points_m[:, 1] / (PITCH_M * np.sqrt(3) / 2)
    q = points_m[:, 0] / PITCH_M - s / 2
    return np.maximum(np.maximum(np.abs(q), np.abs(s)), np.abs(q + s))


@cache
def _tile() -> trimesh.Trimesh:
    """A flat hexagon, a little smaller than a cell, facing up."""
    angle = np.pi / 6 + np.pi / 3 * np.arange(6)
    corners = 0.57 * PITCH_M * np.column_stack([np.cos(angle), np.sin(angle), np.zeros(6)])
    return trimesh.Trimesh(corners, [(0, k, k + 1) for k in range(1, 5)], process=False)


def _distance(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    q, s = cells.T
    return np.maximum(np.maximum(np.abs(q), np.abs(s)), np.abs(q + s))


@lru_cache(maxsize=16)
def _frozen(event: SnowflakeGrowth) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[n, 2] cells (axial coordinates from the middle) in the order in which they freeze, and the step [n] of each."""
    size = 2 * GRID + 1
    axis = np.arange(size) - GRID
    q, s = np.meshgrid(axis, axis, indexing="ij")
    far = np.maximum(np.maximum(np.abs(q), np.abs(s)), np.abs(q + s))
    border = far >= GRID
    vapour = np.full((size, size), event.vapour_ratio)
    vapour[GRID, GRID] = 1.0
    when = np.where(vapour >= 1, 0, -1)
    for step in range(1, MOST_STEPS):
        ice = vapour >= 1
        kept = ice.copy()
        for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)):
            kept |= np.roll(ice, (i, j), axis=(0, 1))
        free = np.where(kept, 0.0, vapour)
        around = sum(
            np.roll(free, (i, j), axis=(0, 1)) for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1))
        )
        vapour = free + 0.5 * (around / 6 - free) + np.where(kept, vapour + event.gain_ratio, 0.0)
        vapour[border] = event.vapour_ratio
        new = (vapour >= 1) & (when < 0)
        when[new] = step
        if new.any() and far[new].max() >= LAST_RADIUS:
            break
    rows = np.argwhere((when >= 0) & (far <= LAST_RADIUS))
    steps = when[tuple(rows.T)]
    order = np.argsort(steps, kind="stable")
    return rows[order] - GRID, steps[order]


@dataclass(frozen=True, kw_only=True)
class LiesegangRings(Event):
    """Time law x^2 = K tau (Morse & Pierce 1903) and spacing law x_m = x0 (1 + p)^m (Jablczynski 1923)."""

    info = facts("liesegang_rings")
    variables = (
        state(
            "reach", "ratio", 0.02, flags="monotone bounded", label="radius that the salt has reached, in dish radii"
        ),
        state("rings", "count", 0.0, domain="count", flags="monotone bounded", label="rings so far"),
        readout(
            "outer_radius", "m", 0.003, min_delta=0.008, flags="monotone bounded", label="of the outermost ring, or 0"
        ),
    )
    accept_rules = (("4.2 to 5.4 cm are reached after 8 s", lambda e: 0.042 <= e.front_m(np.array(8.0)) <= 0.054),)

    first_m: float = param("x0", "m", 0.012, 0.015)
    spacing_ratio: float = param("p", "ratio", 0.22, 0.30)
    front_m2_per_s: float = param("Kd", "m^2/s", 4e-9, 9e-9)
    time_scale_h_per_s: float = param("time_scale", "h/s", 8, 16)

    def front_m(self, t_s: Array) -> Array:
        return np.minimum(np.sqrt(self.front_m2_per_s * 3600 * self.time_scale_h_per_s * t_s), GEL_M)

    def radii_m(self) -> Array:
        """[M] of all rings that fit into the dish."""
        num = int(np.log(GEL_M / self.first_m / (1 + BAND)) / np.log(1 + self.spacing_ratio)) + 1
        return self.first_m * (1 + self.spacing_ratio) ** np.arange(num)

    def triggers(self) -> dict[str, float]:
        pace = self.front_m2_per_s * 3600 * self.time_scale_h_per_s
        return {f"ring_{m + 1}": float(x**2 / pace) for m, x in enumerate(self.radii_m())}

    def states(self, t_s: Array) -> dict[str, Array]:
        front, radii = self.front_m(started(t_s)), self.radii_m()
        rings = (front[:, None] >= radii).sum(axis=1)
        outer = np.where(rings > 0, radii[np.maximum(rings - 1, 0)], 0.0)
        return {"reach": front / GEL_M, "rings": rings.astype(np.float64), "outer_radius": outer}

    def assembly(self) -> Assembly:
        drop = parts.sphere(0.5 * self.first_m)
        drop.apply_scale((1.0, 1.0, 0.35))
        return Assembly(
            parts=(
                field_disc("gel", dish_disc(GEL_M, 66, 60), LIQUID),
                Part("drop", parts.moved(drop, z_m=0.010), palette.paint((0.75, 0.85, 0.95), 0.1), smooth_angle_deg=60),
                *petri_dish("dish", GEL_M, palette.DARK),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        disc, front = dish_disc(GEL_M, 66, 60), GEL_M * float(state["reach"])
        r = GEL_M * np.arange(disc.num_rings + 1)[:, None] / disc.num_rings
        radii = self.radii_m()
        fresh = ease((front - radii) / (0.01 * radii))  # a ring whitens while the front goes on by 1 % of its radius
        white = (fresh * np.exp(-(((r - radii) / (BAND * radii)) ** 4))).max(axis=1)
        shares = np.concatenate([white[:1], np.repeat(white[1:], disc.num_spokes)])
        return field_disc_channels("gel", palette.ramp(shares, (AMBER, WHITE)))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Half height of the outer edge of whiteness, told from blue over red, less half a band."""
        points = view.points_m["gel"]
        if len(points) < 100:
            return {"outer_radius": float("nan")}
        r, white = np.hypot(points[:, 0], points[:, 1]), np.exp(log_ratio(view, "gel", 2, 0))
        spots = np.arange(0.75 * self.first_m, 0.98 * GEL_M, 0.0003)
        near = np.exp(-(((r[:, None] - spots) / (0.25 * pixel_pitch_m(view.pixel_area_m2["gel"]))) ** 2))
        profile = (near * white[:, None]).sum(axis=0) / np.maximum(near.sum(axis=0), 1e-9)
        bright = np.flatnonzero(profile > np.quantile(profile, 0.05) + 0.08)
        if len(bright) == 0:
            return {"outer_radius": 0.0}
        bare = float(profile[bright[-1] :].min())
        crest = float(profile[max(bright[-1] - 20, 0) : bright[-1] + 1].max())
        edge = spots[np.flatnonzero(profile > (bare + crest) / 2)[-1]]
        return {"outer_radius": float(edge) / (1 + BAND)}
