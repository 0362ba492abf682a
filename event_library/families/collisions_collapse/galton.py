"""Balls through pegs into bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap
from event_library.families.collisions_collapse.looking import nothing_seen
from event_library.kit import palette
from event_library.kit.copies import copies, copies_channels, copy_centres, grain
from event_library.kit.shapes import turned
from event_library.laws import started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts

BALL_M = 0.013  # radius
ABREAST = 3  # balls that lie side by side in a bin
PITCH_M = 6.5 * BALL_M  # of pegs in a row, and of bins
ROW_M = 2.6 * BALL_M  # from one row of pegs to the next
LAYER_M = 1.9 * BALL_M  # of balls in a bin
FLOOR_M = 0.02
EARLY = 10  # balls that have landed before the start
DROP_ROWS = 2  # row times of the drop from the last row into the bin


@dataclass(frozen=True, kw_only=True)
class GaltonBoard(Event):
    """Galton's quincunx: each row sends a ball left or right by a fair seeded bit; arrivals are on schedule."""

    info = facts("galton_board")
    variables = (
        state("bins", "count", 0.0, domain="vector", label="balls in each bin"),
        state("balls", "m", 0.005, domain="field", label="x and z of every ball"),
        readout("landed", "count", 4.0, min_delta=12.0, domain="count", flags="monotone bounded", label="balls landed"),
    )

    num_balls: int = param("N", "count", 60, 80)
    num_rows: int = param("m", "count", 5, 6)
    release_s: float = param("dt", "s", 0.10, 0.16)
    row_s: float = param("t_row", "s", 0.09, 0.13)
    seed: int = seed_param()

    @property
    def bin_top_m(self) -> float:
        """Top of the dividers: the fullest bin just fits."""
        return FLOOR_M + LAYER_M * (max(_slots(self)[:, 1].max() // ABREAST + 2, 6))

    @property
    def first_peg_m(self) -> float:
        return self.bin_top_m + 0.01 + ROW_M * (self.num_rows - 1)

    def slot_places_m(self, bins: Array, order: Array) -> Array:
        """[..., 2] x and z of the ball that is the `order`-th in its bin: layer on layer."""
        x = (bins - self.num_rows / 2) * PITCH_M + (order % ABREAST - (ABREAST - 1) / 2) * 2.05 * BALL_M
        return np.stack([x, FLOOR_M + BALL_M + LAYER_M * (order // ABREAST)], axis=-1)

    def landing_s(self) -> Array:
        """[N] when each ball lands; the early ones have landed at the start."""
        later = np.arange(self.num_balls - EARLY) * self.release_s + (self.num_rows + DROP_ROWS) * self.row_s
        return np.concatenate([np.full(EARLY, -1.0), later])

    def states(self, t_s: Array) -> dict[str, Array]:
        down = started(t_s)[:, None] >= self.landing_s()
        bins = _slots(self)[:, 0]
        counts = np.stack([down[:, bins == k].sum(axis=1) for k in range(self.num_rows + 1)], axis=1)
        return {
            "bins": counts.astype(np.float64),
            "balls": self._places_m(started(t_s)),
            "landed": down.sum(axis=1).astype(np.float64),
        }

    def triggers(self) -> dict[str, float]:
        return {"last_lands": float(self.landing_s()[-1])}

    def _places_m(self, t_s: Array) -> Array:
        """[T, N, 2] x and z of every ball; those not yet released wait in the mouth of the funnel."""
        slots, bits = _slots(self), _bits(self)
        rest = self.slot_places_m(slots[:, 0], slots[:, 1])
        since = t_s[:, None] - np.concatenate(
            [np.full(EARLY, -1e9), np.arange(self.num_balls - EARLY) * self.release_s]
        )
        row = np.clip(since / self.row_s, 0.0, self.num_rows + DROP_ROWS)
        k = np.minimum(row.astype(np.int64), self.num_rows - 1)
        right = np.concatenate([np.zeros((len(bits), 1)), np.cumsum(bits, axis=1)], axis=1)
        each = np.arange(len(bits))
        before, after = (right[each, k] - k / 2) * PITCH_M, (right[each, k + 1] - (k + 1) / 2) * PITCH_M
        u = row - k
        hop = np.where(k == 0, 0.0, 0.35 * ROW_M) * 4 * u * (1 - u)
        x = before + (after - before) * u
        z = self.first_peg_m + 2 * BALL_M - ROW_M * (k + u) + hop
        falling = row > self.num_rows  # from below the last row to the slot, ever faster
        share = np.clip((row - self.num_rows) / DROP_ROWS, 0.0, 1.0)
        last_x = (right[:, -1] - self.num_rows / 2) * PITCH_M
        last_z = self.first_peg_m + 2 * BALL_M - ROW_M * self.num_rows
        x = np.where(falling, last_x + (rest[:, 0] - last_x) * share, x)
        z = np.where(falling, last_z + (rest[:, 1] - last_z) * share**2, z)
        done = row >= self.num_rows + DROP_ROWS
        return np.where(done[..., None], rest, np.stack([x, z], axis=-1))

    def assembly(self) -> Assembly:
        m, top, peg_z = int(self.num_rows), self.bin_top_m, self.first_peg_m
        half = (m + 1) * PITCH_M / 2
        pegs = [
            turned(parts.cylinder(0.35 * BALL_M, 2.6 * BALL_M, 10), (1, 0, 0), np.pi / 2, (0, 0, 0))
            for _ in range(m * (m + 1) // 2)
        ]
        spots = [((j - k / 2) * PITCH_M, peg_z - ROW_M * k) for k in range(m) for j in range(k + 1)]
        for peg, (x, z) in zip(pegs, spots, strict=True):
            parts.moved(peg, x, 1.3 * BALL_M, z)
        walls = [parts.block((0.004, 2.6 * BALL_M, top - FLOOR_M), (x, 0, FLOOR_M))
                 for x in np.arange(m + 2) * PITCH_M - half]  # fmt: skip
        tall = peg_z + 0.12
        mouth = [turned(parts.box((0.008, 2.6 * BALL_M, 0.10)), (0, 1, 0), s * 0.75, (0, 0, 0)) for s in (-1, 1)]
        for side, plate in zip((-1, 1), mouth, strict=True):
            parts.moved(plate, side * (0.036 + 1.1 * BALL_M), 0, peg_z + 0.037 + 3.4 * BALL_M)
        frame = [
            parts.block((2 * half + 0.05, 3.4 * BALL_M, FLOOR_M), (0, 0, 0)),
            *(parts.block((0.016, 3.4 * BALL_M, tall), (s * (half + 0.016), 0, 0)) for s in (-1, 1)),
            parts.block((2 * half + 0.05, 3.4 * BALL_M, 0.016), (0, 0, tall)),
        ]
        back = parts.block((2 * half + 0.02, 0.006, tall), (0, 1.5 * BALL_M, 0))
        whole = parts.join(*frame)
        ball, places = grain(BALL_M, 45), self._at_depth(self._places_m(np.zeros(1))[0])
        return Assembly(
            parts=(
                *(
                    copies(name, ball, places[rows], palette.paint(palette.RED, 0.25), smooth_angle_deg=180)
                    for name, rows in self._flocks()
                ),
                Part("back", back, palette.BOARD),
                Part("pegs", parts.join(*pegs), palette.DARK, smooth_angle_deg=40),
                Part("dividers", parts.join(*walls), palette.STEEL),
                Part("funnel", parts.join(*mouth), palette.STEEL),
                Part("frame", whole, palette.WOOD),
            )
        )

    def _flocks(self) -> tuple[tuple[str, slice], ...]:
        """The balls in two parts."""
        half = int(self.num_balls) // 2
        return ("early_balls", slice(0, half)), ("late_balls", slice(half, None))

    @staticmethod
    def _at_depth(places_m: Array) -> Array:
        return np.stack([places_m[:, 0], np.zeros(len(places_m)), places_m[:, 1]], axis=1)

    def channels(self, state: State) -> ChannelMap:
        places, ball = self._at_depth(np.asarray(state["balls"])), grain(BALL_M, 45)
        found: dict[str, tuple[Channel, ...]] = {}
        for name, rows in self._flocks():
            found |= copies_channels(name, ball, places[rows])
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        ball = grain(BALL_M, 45)
        centres = np.vstack([copy_centres(meshes[name], ball) for name, _ in self._flocks()])
        slots = _slots(self)
        rest = self.slot_places_m(slots[:, 0], slots[:, 1])
        return {"landed": float((np.abs(centres[:, [0, 2]] - rest).max(axis=1) < 1e-6).sum())}

    def measure(self, view: View) -> dict[str, float]:
        """Places in the bins, from below, that have the point of a ball nearest to them; one in three may be hidden."""
        points = np.vstack([view.points_m[name] for name, _ in self._flocks()])[:, [0, 2]]
        if nothing_seen(view):
            return {"landed": float("nan")}
        order, found = np.arange(self.num_balls + 2.0), 0
        for k in range(int(self.num_rows) + 1):
            places = self.slot_places_m(np.full(len(order), k), order)
            away = np.linalg.norm(points[:, None, :] - places[None, :, :], axis=2)
            taken = np.isin(order, away.argmin(axis=1)[away.min(axis=1, initial=1.0) < BALL_M])
            found += int(np.argmax(~taken[:-2] & ~taken[1:-1] & ~taken[2:]))
        return {"landed": float(found)}


@lru_cache(maxsize=16)
def _bits(event: GaltonBoard) -> Array:
    """[N, m] 1 for a turn to the right."""
    rng = np.random.Generator(np.random.PCG64(int(event.seed)))
    return rng.integers(0, 2, (int(event.num_balls), int(event.num_rows))).astype(np.float64)


@lru_cache(maxsize=16)
def _slots(event: GaltonBoard) -> Array:
    """[N, 2] bin of each ball and how many came into it before."""
    bins = _bits(event).sum(axis=1).astype(np.int64)
    order = [int((bins[:i] == bins[i]).sum()) for i in range(len(bins))]
    return np.stack([bins, np.array(order)], axis=1)
