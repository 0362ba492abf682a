"""Boxes on a belt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Visible
from event_library.kit import copies, shapes
from event_library.kit.palette import HUES, STEEL, WOOD, paint
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts

BOX_M = 0.13
BELT_M = 0.24  # height of its upper side
RIDE_M = BELT_M + BOX_M / 2 + 0.004  # height of a riding box's middle
LEAD_M = 0.32  # where the first box is at the start; 0 is the mouth of the machine on the left
FALL_S = 0.4
SLATS_M = 0.12  # from one slat of the belt to the next
BIN_M = 0.30  # inner side
HOUSING_M = 0.20  # length of the machine that the boxes come out of
COLOURS = (*HUES[:7], (0.02, 0.25, 0.60))


@dataclass(frozen=True, kw_only=True)
class ConveyorBoxes(Event):
    """Constant speed: x_i = x_lead - i gap + v t; past the belt's end a box falls into the bin within 0.4 s."""

    info = facts("conveyor_boxes")
    variables = (
        state("offset", "m", 0.05, flags="monotone"),
        readout("lead_travel", "m", 0.05, min_delta=0.18, flags="monotone", label="way of the belt and of all boxes"),
        readout("binned", "count", 1.0, domain="count", flags="monotone bounded", label="boxes past the belt's end"),
    )
    accept_rules = (
        (
            "boxes still ride after 8 s",
            lambda e: e.belt_m + (e.num_boxes - 1) * e.gap_m - LEAD_M >= 8 * e.speed_m_per_s,
        ),
    )

    speed_m_per_s: float = param("v", "m/s", 0.1, 0.18)
    gap_m: float = param("gap", "m", 0.18, 0.26)
    belt_m: float = param("Lb", "m", 0.75, 0.95)
    num_boxes: int = param("n", "count", 5, 8)

    def states(self, t_s: Array) -> dict[str, Array]:
        offset = self.speed_m_per_s * started(t_s)
        starts = LEAD_M - self.gap_m * np.arange(self.num_boxes)
        binned = (starts + offset[:, None] > self.belt_m).sum(axis=1).astype(np.float64)
        return {"offset": offset, "lead_travel": offset.copy(), "binned": binned}

    @property
    def _left_m(self) -> float:
        """x of the machine's mouth: belt and bin are centred on the origin."""
        return -(self.belt_m + BIN_M + 0.06 - HOUSING_M) / 2

    def assembly(self) -> Assembly:
        left, deep = self._left_m, BOX_M + 0.08
        belt = parts.join(
            parts.block(
                (self.belt_m + HOUSING_M, deep, 0.04), (left + (self.belt_m - HOUSING_M) / 2, 0, BELT_M - 0.04)
            ),
            _roller(left + self.belt_m, deep),
        )
        sides = [
            parts.block(
                (self.belt_m + 0.01, 0.02, 0.05), (left + self.belt_m / 2, s * (deep / 2 + 0.011), BELT_M - 0.045)
            )
            for s in (-1, 1)
        ]
        legs = [
            parts.block((0.03, 0.03, BELT_M - 0.04), (left + x, s * (deep / 2 - 0.02), 0))
            for x in (0.12, self.belt_m - 0.08)
            for s in (-1, 1)
        ]
        housing = parts.join(
            parts.block((HOUSING_M, 0.02, BELT_M + 0.24), (left - HOUSING_M / 2, -deep / 2 - 0.03, 0)),
            parts.block((HOUSING_M, 0.02, BELT_M + 0.24), (left - HOUSING_M / 2, deep / 2 + 0.03, 0)),
            parts.block((HOUSING_M, deep + 0.08, 0.03), (left - HOUSING_M / 2, 0, BELT_M + 0.24)),
            parts.block((0.02, deep + 0.08, BELT_M + 0.24), (left - HOUSING_M, 0, 0)),
            parts.block((0.012, deep + 0.04, 0.06), (left - 0.006, 0, BELT_M + 0.18)),
        )
        x, wall = left + self.belt_m + 0.04 + BIN_M / 2, 0.015
        bin_ = parts.join(
            parts.block((BIN_M, BIN_M, wall), (x, 0, 0)),
            *(
                parts.block((wall, BIN_M + 2 * wall, h), (x + s * (BIN_M + wall) / 2, 0, 0))
                for s, h in ((-1, 0.13), (1, 0.19))
            ),
            parts.block((BIN_M, wall, 0.19), (x, (BIN_M + wall) / 2, 0)),
            parts.block((BIN_M, wall, 0.06), (x, -(BIN_M + wall) / 2, 0)),
        )
        boxes = [
            Part(f"box_{i}", parts.bevelled_box((BOX_M, BOX_M, BOX_M), 0.006), paint(COLOURS[i], 0.5), carries=True)
            for i in range(self.num_boxes)
        ]
        return Assembly((
            *boxes,
            copies.copies("slats", _slat(deep), self._slats_m(0.0), paint((0.30, 0.30, 0.30), 0.7)),
            Part("belt", belt, paint((0.05, 0.05, 0.055), 0.8), smooth_angle_deg=35),
            Part("stand", parts.join(*sides, *legs), STEEL),
            Part("machine", housing, paint((0.20, 0.32, 0.38), 0.4)),
            Part("bin", bin_, WOOD),
        ))  # fmt: skip

    def _slats_m(self, offset_m: float) -> Array:
        """[N, 3] slats that wander along the belt and begin again inside the machine."""
        num = int((self.belt_m + HOUSING_M - 0.04) / SLATS_M)
        x = (np.arange(num) * SLATS_M + offset_m) % (num * SLATS_M) + self.belt_m - num * SLATS_M
        return np.column_stack([self._left_m + x, np.zeros(num), np.full(num, BELT_M)])

    def _box_m(self, index: int, offset_m: float) -> Array:
        """Middle of a box: on the belt, falling, or in its place in the bin (four to a layer)."""
        past = LEAD_M - index * self.gap_m + offset_m - self.belt_m
        riding = at(self._left_m + self.belt_m + min(past, 0.0), 0.0, RIDE_M)
        share = min(max(past / self.speed_m_per_s / FALL_S, 0.0), 1.0)
        layer, place = divmod(index, 4)
        spot = at(*(0.5 * (BOX_M + 0.01) * np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)][place])), 0.0)
        lying = at(self._left_m + self.belt_m + 0.04 + BIN_M / 2, 0.0, 0.016 + BOX_M * (layer + 0.5)) + spot
        return riding + (lying - riding) * np.array([1 - (1 - share) ** 2, share, share**2])

    def channels(self, state: State) -> ChannelMap:
        offset = float(state["offset"])
        out = LEAD_M - self.gap_m * np.arange(self.num_boxes) + offset > BOX_M / 2 + 0.02 - HOUSING_M
        boxes = {f"box_{i}": (Visible(bool(out[i])), Move(self._box_m(i, offset))) for i in range(self.num_boxes)}
        return {**boxes, **copies.copies_channels("slats", _slat(BOX_M + 0.08), self._slats_m(offset))}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        found = self._travel_m({n: m.vertices.mean(axis=0) for n, m in meshes.items() if n.startswith("box_")}, 1e-6)
        return {} if np.isnan(found) else {"offset": found}

    def _travel_m(self, middles: Mapping[str, Array], slack_m: float) -> float:
        """From the box farthest back on the belt; nan when none rides."""
        for i in reversed(range(self.num_boxes)):
            if f"box_{i}" in middles and middles[f"box_{i}"][2] >= RIDE_M - slack_m:
                return float(middles[f"box_{i}"][0]) - self._left_m - LEAD_M + i * self.gap_m
        return float("nan")

    def measure(self, view: View) -> dict[str, float]:
        """Middles between the extremes of boxes seen whole; a box whose middle lies past the belt's end is binned."""
        middles, binned = {}, 0
        for i in range(self.num_boxes):
            points = view.points_m[f"box_{i}"]
            if len(points) == 0:
                continue
            middle = (points.min(axis=0) + points.max(axis=0)) / 2
            binned = max(binned, i + 1) if middle[0] > self._left_m + self.belt_m + 0.01 else binned
            if np.ptp(points[:, 0]) > 0.75 * BOX_M and middle[2] > BELT_M:
                middles[f"box_{i}"] = middle + at(0.0, 0.0, BOX_M)
        return {
            "lead_travel": self._travel_m(middles, 0.0),
            "binned": float(binned) if len(view.points_m["bin"]) else float("nan"),
        }


def _slat(deep_m: float) -> trimesh.Trimesh:
    return parts.box((0.03, deep_m, 0.006))


def _roller(x_m: float, deep_m: float) -> trimesh.Trimesh:
    roller = shapes.turned(parts.cylinder(0.02, deep_m, 24), (1.0, 0.0, 0.0), np.pi / 2)
    return parts.moved(roller, x_m, deep_m / 2, BELT_M - 0.02)
