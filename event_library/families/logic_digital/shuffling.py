"""Things that change places: bars sorted by a robot, cups shuffled over a ball."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Move
from event_library.figures import robots
from event_library.kit.palette import BLUE, RED, WOOD, YELLOW, hue, paint
from event_library.kit.shapes import at
from event_library.laws import ease, started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts

Order = NDArray[np.int64]

PITCH_M, BAR_M, BOARD_M = 0.088, 0.062, 0.016
ROBOT_M, ROBOT_Y_M = 0.30, 0.22
ARC_M = 0.075  # how far the two bars of a swap step out of the row
ROLLING = 0.2  # share of a comparison in which the robot comes; then the swap runs


@dataclass(frozen=True, kw_only=True)
class BubbleSortBars(Event):
    """Bubble sort with shrinking passes (Knuth, TAOCP 3, 5.2.2): one comparison every tc, a swap where left > right.

    A swap runs over the last 0.8 tc along half circles; the order changes when the two bars are abreast, half way.
    """

    info = facts("bubble_sort_bars")
    variables = (
        state("order", "index", 0.0, domain="vector", label="bar in each place, by size"),
        state("bars", "m", 0.01, domain="field", label="x and y of each bar, smallest first"),
        state("robot", "m", 0.02, label="x of the robot"),
        readout(
            "inversions",
            "count",
            1.0,
            min_delta=2.0,
            domain="count",
            flags="monotone bounded",
            label="pairs out of order",
        ),
    )
    accept_rules = (
        (
            "at least two fifths of the pairs are out of order",
            lambda e: 5 * _inversions(e.start_order()) >= e.num_bars * (e.num_bars - 1),
        ),
    )

    num_bars: int = param("n", "count", 6, 8)
    compare_s: float = param("tc", "s", 0.3, 0.45)
    seed: int = param("seed", "seed", 0, 99999, default=5)

    def start_order(self) -> Order:
        return np.random.Generator(np.random.PCG64(int(self.seed))).permutation(int(self.num_bars))

    def states(self, t_s: Array) -> dict[str, Array]:
        orders, pairs, swaps = _sort(int(self.num_bars), int(self.seed))
        beats = np.minimum(started(t_s) / self.compare_s, len(pairs))
        done = np.floor(beats).astype(int)
        now, share = np.minimum(done, len(pairs) - 1), beats - done
        turn = np.clip((share - ROLLING) / (1 - ROLLING), 0.0, 1.0)
        turn[done == len(pairs)] = 0.0
        crossed = swaps[now] & (turn >= 0.5)
        shown = np.where(crossed[:, None], orders[np.minimum(done + 1, len(pairs))], orders[done])
        num = int(self.num_bars)
        slots = (np.arange(num) - (num - 1) / 2) * PITCH_M
        bars = np.zeros((len(beats), num, 2))
        rows = np.arange(len(beats))
        for slot in range(num):
            bars[rows, orders[done][:, slot], 0] = slots[slot]
        angle = np.pi * np.where(swaps[now], ease(turn), 0.0)
        middle = (slots[pairs[now]] + slots[pairs[now] + 1]) / 2
        for side, sign in ((0, -1.0), (1, 1.0)):
            bar = orders[done][rows, pairs[now] + side]
            bars[rows, bar, 0] = middle + sign * PITCH_M / 2 * np.cos(angle)
            bars[rows, bar, 1] = sign * ARC_M * np.sin(angle)
        before = (slots[pairs[np.maximum(now - 1, 0)]] + slots[pairs[np.maximum(now - 1, 0)] + 1]) / 2
        robot = np.where(done == len(pairs), middle, before + (middle - before) * ease(share / ROLLING))
        inversions = np.array([_inversions(order) for order in shown], dtype=np.float64)
        return {"order": shown.astype(np.float64), "bars": bars, "robot": robot, "inversions": inversions}

    def triggers(self) -> dict[str, float]:
        return {"done": self.num_bars * (self.num_bars - 1) // 2 * self.compare_s}

    def _height_m(self, bar: int) -> float:
        return 0.06 + 0.17 * (bar + 1) / int(self.num_bars)

    def assembly(self) -> Assembly:
        num = int(self.num_bars)
        bars = [
            Part(
                f"bar_{k}",
                parts.moved(parts.bevelled_box((BAR_M, BAR_M, self._height_m(k)), 0.004), z_m=self._height_m(k) / 2),
                paint(hue(0.82 * k / (num - 1))), carries=True,
            )
            for k in range(num)
        ]  # fmt: skip
        base = parts.moved(parts.bevelled_box((num * PITCH_M + 0.10, 0.50, BOARD_M), 0.004), 0, 0.09, BOARD_M / 2)
        return Assembly((*bars, *robots.robot("robot", ROBOT_M), Part("board", base, WOOD)))

    def channels(self, state: State) -> ChannelMap:
        found: dict[str, tuple[Channel, ...]] = {
            f"bar_{k}": (Move(at(x, y, BOARD_M)),) for k, (x, y) in enumerate(np.asarray(state["bars"]))
        }
        x, lifted = float(state["robot"]), float(np.abs(np.asarray(state["bars"])[:, 1]).max()) / ARC_M
        return {
            **found,
            **robots.robot_channels(
                "robot", ROBOT_M, (x, ROBOT_Y_M, BOARD_M), 0.0, x, arm_raise_rad=(0.25, 0.3 + 1.2 * lifted),
                head_yaw_rad=-1.35,
            ),
        }  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {
            "robot": float(meshes["robot_body"].bounds[:, 0].mean()),
            "inversions": self._seen_inversions(
                [float(meshes[f"bar_{k}"].bounds[:, 0].mean()) for k in range(self.num_bars)]
            ),
        }

    def _seen_inversions(self, x_m: list[float]) -> float:
        """Pairs of which the taller bar is on the left; x_m: of each bar, smallest first."""
        return float(_inversions(np.argsort(np.array(x_m), kind="stable")))

    def measure(self, view: View) -> dict[str, float]:
        seen = [view.points_m[f"bar_{k}"][:, 0] for k in range(int(self.num_bars))]
        if any(len(x) == 0 for x in seen):
            return {"inversions": float("nan")}
        return {"inversions": self._seen_inversions([float((x.min() + x.max()) / 2) for x in seen])}


def _inversions(order: Order) -> int:
    return int(np.triu(np.asarray(order)[:, None] > np.asarray(order)[None, :], 1).sum())


@lru_cache(maxsize=64)
def _sort(num: int, seed: int) -> tuple[Order, Order, NDArray[np.bool_]]:
    """Orders [C + 1, num] after each comparison, its left place [C], whether it swaps [C]."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(num).tolist()
    orders, pairs, swaps = [list(order)], [], []
    for last in range(num - 1, 0, -1):
        for left in range(last):
            swap = order[left] > order[left + 1]
            if swap:
                order[left], order[left + 1] = order[left + 1], order[left]
            orders.append(list(order))
            pairs.append(left)
            swaps.append(swap)
    return np.array(orders), np.array(pairs), np.array(swaps)


SLOT_M, CUP_M, TALL_M, BALL_M = 0.165, 0.056, 0.115, 0.030
TOP_M, LIFT_M = 0.02, 0.12
FIRST_S, LAST_S, REVEAL_S, LIFTING_S = 0.8, 7.8, 8.4, 0.4
CUPS = (RED, BLUE, YELLOW)


@dataclass(frozen=True, kw_only=True)
class CupShuffle(Event):
    """The shell game: swap k = 1, 2 ... starts at 0.8 + (k - 1) Ts and takes 0.8 Ts along half circles.

    Odd swaps change the left pair, even ones the right pair, until 7.8 s; the ball stays under its cup. Its cup is
    lowered over it at the start, and all are lifted at 8.4 s. A swap counts from its half way on.
    """

    info = facts("cup_shuffle")
    variables = (
        state("cups", "m", 0.01, domain="field", label="x, y and height of each cup"),
        state("swaps", "count", 0.0, domain="count", flags="monotone bounded"),
        readout(
            "ball_slot",
            "index",
            0.0,
            min_delta=1.0,
            domain="discrete",
            flags="bounded",
            label="slot of the ball, 0 left",
        ),
    )

    ball: int = param("b0", "index", 0, 2)
    swap_s: float = param("Ts", "s", 0.6, 0.95)

    @property
    def num_swaps(self) -> int:
        return int((LAST_S - FIRST_S + 0.2 * self.swap_s) / self.swap_s)

    def states(self, t_s: Array) -> dict[str, Array]:
        time_s = started(t_s)
        beats = np.clip((time_s - FIRST_S) / self.swap_s, 0.0, self.num_swaps)
        done = np.minimum(np.floor(beats), self.num_swaps - 1).astype(int)
        turn = np.pi * ease((beats - done) / 0.8)
        slots = cup_slots(self.num_swaps)
        cups = np.zeros((len(time_s), 3, 3))
        rows = np.arange(len(time_s))
        for cup in range(3):
            cups[:, cup, 0] = (slots[done, cup] - 1) * SLOT_M
        left = done % 2  # the pair's left slot
        for side, sign in ((0, -1.0), (1, 1.0)):
            cup = np.argmax(slots[done] == (left + side)[:, None], axis=1)
            cups[rows, cup, 0] = (left - 0.5 + sign * np.cos(turn) / 2) * SLOT_M
            cups[rows, cup, 1] = sign * 0.62 * SLOT_M * np.sin(turn)
        cups[:, :, 2] = (LIFT_M * ease((time_s - REVEAL_S) / LIFTING_S))[:, None]
        cups[:, int(self.ball), 2] += LIFT_M * (1 - ease((time_s - 0.1) / 0.5))
        swaps = np.clip(np.floor((time_s - FIRST_S) / self.swap_s + 0.6), 0, self.num_swaps)
        return {"cups": cups, "swaps": swaps, "ball_slot": slots[swaps.astype(int), int(self.ball)].astype(np.float64)}

    def triggers(self) -> dict[str, float]:
        return {"reveal": REVEAL_S}

    def assembly(self) -> Assembly:
        r, wall = CUP_M, 0.006
        profile = np.array([
            (r, 0.0), (1.06 * r, 0.003), (1.06 * r, 0.012), (r, 0.016), (0.74 * r, TALL_M - 0.006), (0.66 * r, TALL_M),
            (0.0, TALL_M), (0.0, TALL_M - wall), (0.66 * r - wall, TALL_M - wall), (r - wall, 0.0), (r, 0.0),
        ])  # fmt: skip
        table = parts.moved(parts.bevelled_box((0.56, 0.36, TOP_M), 0.005), z_m=TOP_M / 2)
        return Assembly((
            *(Part(f"cup_{k}", parts.lathe(profile, 40), paint(rgb, 0.3), carries=True, smooth_angle_deg=40)
              for k, rgb in enumerate(CUPS)),
            Part("ball", parts.sphere(BALL_M), paint((0.10, 0.75, 0.12)), carries=True, smooth_angle_deg=180),
            Part("table", table, paint((0.10, 0.06, 0.05), 0.7)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        cups = np.asarray(state["cups"])
        x, y, _ = cups[int(self.ball)]
        return {
            **{f"cup_{k}": (Move(place + at(0.0, 0.0, TOP_M)),) for k, place in enumerate(cups)},
            "ball": (Move(at(x, y, TOP_M + BALL_M)),),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, Any]:
        lows, highs = np.array([meshes[f"cup_{k}"].bounds for k in range(3)]).transpose(1, 0, 2)
        return {"cups": np.column_stack([(lows + highs)[:, :2] / 2, lows[:, 2] - TOP_M])}

    def measure(self, view: View) -> dict[str, float]:
        """Slot nearest to the ball, or while it is hidden to the cup that was put over it."""
        points = view.points_m["ball"]
        if len(points) < 2:
            points = view.points_m[f"cup_{int(self.ball)}"]
        if len(points) == 0:
            return {"ball_slot": float("nan")}
        middle = float(points[:, 0].min() + points[:, 0].max()) / 2
        return {"ball_slot": float(np.clip(np.round(middle / SLOT_M) + 1, 0, 2))}


@lru_cache(maxsize=16)
def cup_slots(num_swaps: int) -> Order:
    """[num_swaps + 1, 3] slot of each cup after each swap."""
    slots = [np.arange(3)]
    for swap in range(num_swaps):
        left = swap % 2
        change = {left: left + 1, left + 1: left}
        slots.append(np.array([change.get(int(s), int(s)) for s in slots[-1]]))
    return np.array(slots)
