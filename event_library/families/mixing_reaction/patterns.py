"""Patterns that a chemical dish makes by itself: spots that split, rings of excitation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap
from event_library.families.mixing_reaction.dishes import LIQUID, dish_disc, log_ratio, petri_dish
from event_library.kit.boards import field_disc, field_disc_channels, sampled
from event_library.kit.palette import ramp
from event_library.laws import started
from event_library.parts import Assembly
from event_library.readouts import footprints_m2, linear_rgb
from event_library.taxonomy import facts

Cells = NDArray[np.int64]

DISH_M = 0.09
NUM_RINGS, NUM_SPOKES = 40, 108
SEEN = 0.93  # share of the radius within which patterns are counted: the white rim shines into the rest

# ---- Gray-Scott
SIZE = 96  # cells of unit size along the square that the dish touches
U_SPREAD, V_SPREAD = 0.16, 0.08
HORIZON_S = 12.0  # of clip; the pattern stays from then on
KEPT_STEPS = 25  # between two kept fields
PALE, DARK = (0.88, 0.72, 0.28), (0.05, 0.10, 0.42)

# ---- excitable medium
CELLS = 96
REACH2 = 5  # a cell is set off by an excited one within sqrt 5 cells: waves of 12 corners, nearly round
BAKED_STEPS = 200  # from here on the dish repeats itself every period of the pacemakers
FRESH, RESTED, EXCITED, TIRED = (0.52, 0.035, 0.02), (0.85, 0.33, 0.10), (0.05, 0.16, 0.85), (0.45, 0.10, 0.45)


@dataclass(frozen=True, kw_only=True)
class GrayScottSpots(Event):
    """Gray & Scott 1984, parameters as Pearson 1993: explicit steps on a periodic grid, baked once."""

    info = facts("gray_scott_spots")
    variables = (
        state("steps", "count", 1.0, flags="monotone bounded", label="time in units of the reaction"),
        state("coverage", "ratio", 0.04, label="dark share of the dish"),
        readout("spread_radius", "ratio", 0.04, min_delta=0.08, label="rms radius of the dark pattern, in half widths"),
    )

    feed_ratio: float = param("F", "ratio", 0.030, 0.040)
    kill_ratio: float = param("kk", "ratio", 0.060, 0.063)
    steps_per_s: float = param("sps", "1/s", 350, 600)
    seed: int = seed_param()

    def states(self, t_s: Array) -> dict[str, Array]:
        steps = np.minimum(started(t_s), HORIZON_S) * self.steps_per_s
        fields, at = _spots(self), np.arange(len(_spots(self))) * KEPT_STEPS
        spread, cover = np.array([_spread_and_cover(f) for f in _spots(self)]).T if len(fields) else (at, at)
        return {"steps": steps, "coverage": np.interp(steps, at, cover), "spread_radius": np.interp(steps, at, spread)}

    def start(self, spacing: float) -> tuple[Array, Array]:
        """u and v at first on a grid of that spacing: some soft round patches near the middle."""
        rng = np.random.Generator(np.random.PCG64(int(self.seed)))
        angle, reach = rng.uniform(0, 2 * np.pi, 5), 11 * np.sqrt(rng.uniform(0, 1, 5))
        x = (np.arange(round(SIZE / spacing)) + 0.5) * spacing - SIZE / 2
        xx, yy = np.meshgrid(x, x)
        patch = np.zeros_like(xx)
        for a, r in zip(angle, reach, strict=True):
            away2 = (xx - r * np.cos(a)) ** 2 + (yy - r * np.sin(a)) ** 2
            patch = np.maximum(patch, np.exp(-((away2 / 16) ** 2)))
        return 1 - 0.5 * patch, 0.25 * patch

    def run(self, spacing: float, step: float, until: float, kept: float) -> Array:
        """[K, n, n] v after 0, kept, 2 kept ... units of time."""
        u, v = self.start(spacing)
        found = [v.copy()]
        for _ in range(round(until / kept)):
            for _ in range(round(kept / step)):
                u, v = _reacted(u, v, self.feed_ratio, self.kill_ratio, step, spacing)
            found.append(v.copy())
        return np.array(found)

    def refinements(self, t_s: Array) -> tuple[Array, Array, Array]:
        """The probe on grids of spacing 2, 1 and 1/2 with steps of 2, 1 and 1/4."""
        steps = np.asarray(t_s) * self.steps_per_s
        until = float(np.ceil(steps.max() / 100) * 100)
        runs = []
        for spacing, step in ((2.0, 2.0), (1.0, 1.0), (0.5, 0.25)):
            spread = [_spread_and_cover(f)[0] for f in self.run(spacing, step, until, 100)]
            runs.append(np.interp(steps, np.arange(len(spread)) * 100.0, spread))
        return runs[0], runs[1], runs[2]

    def assembly(self) -> Assembly:
        disc = dish_disc(DISH_M, NUM_RINGS, NUM_SPOKES)
        return Assembly((field_disc("dish", disc, LIQUID), *petri_dish("rim", DISH_M)))

    def channels(self, state: State) -> ChannelMap:
        kept = float(state["steps"]) / KEPT_STEPS
        fields = _spots(self)
        low = min(int(kept), len(fields) - 2)
        field = fields[low] + (kept - low) * (fields[low + 1] - fields[low])
        nodes = dish_disc(DISH_M, NUM_RINGS, NUM_SPOKES).nodes_m()
        dark = sampled(_darkness(field), (2 * DISH_M, 2 * DISH_M), nodes)
        return field_disc_channels("dish", ramp(dark, (PALE, DARK)))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Darkness from how blue each spot is beside how red it is."""
        linear = linear_rgb(view.rgb["dish"])
        if len(linear) < 50:
            return {"spread_radius": float("nan")}
        share = linear[:, 2] / np.maximum(linear[:, 0] + linear[:, 2], 1e-6)
        pale = float(np.quantile(share, 0.05)) + 0.01  # somewhere it is bare; what the surface mirrors makes it paler
        dark = DARK[2] / (DARK[0] + DARK[2])
        # share = (b0 + d (b1 - b0)) / (s0 + d (s1 - s0)) of a blend d, solved for d
        s0, s1 = PALE[0] + PALE[2], DARK[0] + DARK[2]
        blend = s0 * (share - pale) / (s0 * (share - pale) + s1 * (dark - share))
        weight = np.where(blend > 0.12, np.clip(blend, 0.0, 1.0), 0.0)
        weight *= footprints_m2(view.points_m["dish"], view.pixel_area_m2["dish"], view.eye_m, (0.0, 0.0, 1.0))
        r2 = (dish_disc(DISH_M, 1, 3).on_board(view.points_m["dish"]) ** 2).sum(axis=1) / DISH_M**2
        weight[r2 > SEEN**2] = 0.0
        return {"spread_radius": float(np.sqrt((weight * r2).sum() / max(weight.sum(), 1e-12)))}


def _reacted(u: Array, v: Array, feed: float, kill: float, step: float, spacing: float) -> tuple[Array, Array]:
    """One explicit step on a periodic grid with the 5-point Laplacian."""
    eaten = u * v * v
    u_new = u + step * (U_SPREAD / spacing**2 * _laplacian(u) - eaten + feed * (1 - u))
    return u_new, v + step * (V_SPREAD / spacing**2 * _laplacian(v) + eaten - (feed + kill) * v)


def _laplacian(f: Array) -> Array:
    total = -4 * f
    total[1:] += f[:-1]
    total[:-1] += f[1:]
    total[0] += f[-1]
    total[-1] += f[0]
    total[:, 1:] += f[:, :-1]
    total[:, :-1] += f[:, 1:]
    total[:, 0] += f[:, -1]
    total[:, -1] += f[:, 0]
    return total


def _darkness(v: Array) -> Array:
    """How dark the dish looks at a concentration of v."""
    return np.clip((v - 0.08) / 0.2, 0.0, 1.0)


def _spread_and_cover(v: Array) -> tuple[float, float]:
    """rms radius of the darkness in half widths, and mean darkness, inside the counted part."""
    x = (np.arange(len(v)) + 0.5) / len(v) * 2 - 1
    r2 = x[:, None] ** 2 + x**2
    dark = np.where(r2 < SEEN**2, _darkness(v), 0.0)
    return float(np.sqrt((dark * r2).sum() / max(dark.sum(), 1e-12))), float(dark.sum() / (r2 < SEEN**2).sum())


@lru_cache(maxsize=8)
def _spots(event: GrayScottSpots) -> Array:
    return event.run(1.0, 1.0, float(np.ceil(HORIZON_S * event.steps_per_s / KEPT_STEPS) * KEPT_STEPS), KEPT_STEPS)


@dataclass(frozen=True, kw_only=True)
class BzTargetWaves(Event):
    """Greenberg & Hastings 1978 with a wide, nearly round neighbourhood (Gerhardt, Schuster & Tyson 1990)."""

    info = facts("bz_target_waves")
    variables = (
        state("step", "count", 0.0, domain="count", flags="monotone"),
        state("rings", "count", 0.0, domain="count", flags="monotone", label="rings started from each point"),
        readout(
            "excited_reach", "ratio", 0.08, min_delta=0.16, flags="monotone bounded",
            label="share of the dish that a ring has crossed",
        ),
    )  # fmt: skip

    num_tired: int = param("kr", "count", 4, 5)
    num_period_steps: int = param("Ps", "count", 9, 11)
    step_s: float = param("dt", "s", 0.16, 0.26)
    seed: int = seed_param()

    def pacemakers(self) -> Cells:
        """[2, 2] row and column of two cells about 40 apart, inside the dish."""
        rng = np.random.Generator(np.random.PCG64(int(self.seed)))
        angle, half = rng.uniform(0, np.pi), rng.uniform(18, 24)
        way = half * np.array([np.sin(angle), np.cos(angle)])
        shift = rng.uniform(-4, 4, 2)
        return np.round(CELLS / 2 + np.array([way, -way]) + shift).astype(np.int64)

    def states(self, t_s: Array) -> dict[str, Array]:
        step = np.floor(started(t_s) / self.step_s)
        crossed = np.array([_inside(c).mean() for c in _waves(self)[1]])
        return {
            "step": step,
            "rings": np.floor(step / self.num_period_steps) + 1,
            "excited_reach": crossed[np.minimum(step, BAKED_STEPS).astype(np.int64)],
        }

    def assembly(self) -> Assembly:
        disc = dish_disc(DISH_M, NUM_RINGS, NUM_SPOKES)
        return Assembly((field_disc("dish", disc, LIQUID), *petri_dish("rim", DISH_M)))

    def channels(self, state: State) -> ChannelMap:
        step, period = int(state["step"]), int(self.num_period_steps)
        at = step if step <= BAKED_STEPS else BAKED_STEPS - period + (step - BAKED_STEPS) % period
        cells, crossed = (baked[at] for baked in _waves(self))
        tired = ramp(np.maximum(cells - 1, 0) / self.num_tired, (TIRED, RESTED))
        rgb = np.where((cells > 1)[..., None], tired, np.where(crossed[..., None], RESTED, FRESH))
        rgb = np.where((cells == 1)[..., None], EXCITED, rgb)
        nodes = dish_disc(DISH_M, NUM_RINGS, NUM_SPOKES).nodes_m()
        return field_disc_channels("dish", sampled(rgb, (2 * DISH_M, 2 * DISH_M), nodes))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Liquid that no ring has crossed is a deep red of its own."""
        if len(view.rgb["dish"]) < 50:
            return {"excited_reach": float("nan")}
        crossed = (log_ratio(view, "dish", 1, 0) > np.log(0.24)) | (log_ratio(view, "dish", 2, 0) > np.log(0.8))
        area = footprints_m2(view.points_m["dish"], view.pixel_area_m2["dish"], view.eye_m, (0.0, 0.0, 1.0))
        area[np.hypot(*dish_disc(DISH_M, 1, 3).on_board(view.points_m["dish"]).T) > SEEN * DISH_M] = 0.0
        return {"excited_reach": float((crossed * area).sum() / area.sum())}


def _inside(field: Array) -> Array:
    """The counted cells, as one row."""
    x = (np.arange(CELLS) + 0.5) / CELLS * 2 - 1
    return np.asarray(field[x[:, None] ** 2 + x**2 < SEEN**2])


@lru_cache(maxsize=8)
def _waves(event: BzTargetWaves) -> tuple[Cells, NDArray[np.bool_]]:
    """[K, n, n] state of each cell (0 rest, 1 excited, 2 ... tired) and whether it has ever been excited."""
    around = [(i, j) for i in range(-2, 3) for j in range(-2, 3) if 0 < i * i + j * j <= REACH2]
    rows, columns = event.pacemakers().T
    cells = np.zeros((CELLS, CELLS), dtype=np.int64)
    crossed = np.zeros((CELLS, CELLS), dtype=bool)
    kept: list[tuple[Cells, NDArray[np.bool_]]] = []
    for step in range(BAKED_STEPS + 1):
        if step:
            wide = np.pad(cells == 1, 2)
            lit = np.zeros_like(crossed)
            for i, j in around:
                lit |= wide[2 + i : 2 + i + CELLS, 2 + j : 2 + j + CELLS]
            aged = np.where(cells > 0, (cells + 1) % (event.num_tired + 2), 0)
            cells = np.where((cells == 0) & lit, 1, aged)
        if step % event.num_period_steps == 0:
            cells[rows, columns] = 1
        crossed = crossed | (cells == 1)
        kept.append((cells.copy(), crossed))
    return np.array([c for c, _ in kept]), np.array([c for _, c in kept])
