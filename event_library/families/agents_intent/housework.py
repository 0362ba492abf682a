"""Robots at home: a vacuum cleaner, a waiter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Move, Rotate, Vertices, Visible, quaternion_about
from event_library.families.agents_intent.measuring import named, origin_m, standing_m, unseen
from event_library.families.agents_intent.routes import heading_rad
from event_library.figures import craft, robots
from event_library.kit import furniture, shapes
from event_library.kit.palette import PORCELAIN, RED, WOOD, YELLOW, paint
from event_library.kit.shapes import at
from event_library.laws import ease, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import footprints_m2
from event_library.taxonomy import facts

LANE_M = 0.32
CLEANER_M = 0.165  # radius
DUSTY_M, CLEAN_M = 0.020, 0.022  # heights of the dusty and of the clean floor
DUST = Material(rgb=(0.23, 0.21, 0.19), roughness=1.0, pattern=Pattern("speckle", (0.34, 0.32, 0.29), 0.06))
PARQUET = Material(rgb=(0.62, 0.36, 0.13), roughness=0.3, pattern=Pattern("stripes", (0.54, 0.30, 0.10), 0.16))

TABLE_M, TABLE_Z_M = 0.44, 0.24  # radius, height
WAITER_M = 0.52
ROUND_M = 0.61  # radius of the robot's way round the table
PLACE_M = 0.325  # of plates from the table's middle
FIRST_RAD, LAST_RAD = np.deg2rad(-18), np.deg2rad(198)  # seats lie at the sides and the back, seen from the viewer
PLATE_M, CUP_M, NAPKIN_M = 0.072, (0.032, 0.075), 0.070
BESIDE_RAD = 0.33  # cup and napkin beside the plate
DRIVE, FETCH = 0.6, 0.35  # shares of a step: driving to a new seat, taking an item from the store


@dataclass(frozen=True, kw_only=True)
class VacuumRobot(Event):
    """Back and forth in lanes of 0.32 m, s = v tau: every metre cleans a fresh 0.32 m^2, A = 0.32 (s + 0.32).

    The cleaner's footprint is a square of one lane (D-shaped machines reach corners); it starts with that square clean.
    """

    info = facts("vacuum_robot")
    variables = (
        state("s", "m", 0.05, flags="monotone bounded", label="way of the robot"),
        readout("cleaned", "frac", 0.06, min_delta=0.15, flags="monotone bounded", label="clean share of the floor"),
    )
    accept_rules = (("the room takes 7 to 12 s", lambda e: 7 <= e.way_m / (e.speed_m_per_s * e.time_scale) <= 12),)

    room_m: float = param("Lx", "m", 2.2, 2.8)
    num_lanes: int = param("k", "count", 5, 6)
    speed_m_per_s: float = param("v", "m/s", 0.25, 0.35)
    time_scale: float = param("time_scale", "s/s", 4, 8)

    @property
    def way_m(self) -> float:
        return self.num_lanes * self.room_m - LANE_M

    @property
    def _floor_m2(self) -> float:
        return self.room_m * self.num_lanes * LANE_M

    def states(self, t_s: Array) -> dict[str, Array]:
        s = np.minimum(self.speed_m_per_s * self.time_scale * started(t_s), self.way_m)
        return {"s": s, "cleaned": LANE_M * (s + LANE_M) / self._floor_m2}

    def triggers(self) -> dict[str, float]:
        return {"done": self.way_m / (self.speed_m_per_s * self.time_scale)}

    @property
    def _path_m(self) -> Array:
        """[2 lanes, 2] from the near left corner to and fro towards the back."""
        half = self.room_m / 2 - LANE_M / 2
        lanes = (np.arange(self.num_lanes) - (self.num_lanes - 1) / 2) * LANE_M
        ends = [((-half, y), (half, y)) if k % 2 == 0 else ((half, y), (-half, y)) for k, y in enumerate(lanes)]
        return np.array(ends).reshape(-1, 2)

    def _clean_m(self, s_m: float) -> Array:
        """[4 lanes, 3] corners of the clean rectangle of each lane; not yet reached ones have no area."""
        path, corners = self._path_m, []
        for k in range(self.num_lanes):
            y = path[2 * k, 1]
            since = s_m - k * self.room_m + (LANE_M if k else 0.0)  # way since the turn into this lane began
            side, run = (-1.0, 1.0) if k % 2 == 0 else (1.0, -1.0)
            wall = side * self.room_m / 2
            deep = LANE_M if k == 0 else float(np.clip(since, 0.0, LANE_M))
            length = LANE_M + max(since - (LANE_M if k else 0.0), 0.0)
            a, b = wall, wall + run * min(length, self.room_m)
            low, high = y - LANE_M / 2, y - LANE_M / 2 + deep
            corners += [(min(a, b), low), (max(a, b), low), (max(a, b), high), (min(a, b), high)]
        return np.column_stack([np.array(corners), np.full(len(corners), CLEAN_M)])

    def assembly(self) -> Assembly:
        deep = self.num_lanes * LANE_M
        quads = np.vstack([np.array([(0, 1, 2), (0, 2, 3)]) + 4 * k for k in range(self.num_lanes)])
        walls = [
            parts.block((self.room_m + 0.12, 0.06, 0.16), (0, deep / 2 + 0.03, 0)),
            *(parts.block((0.06, deep, 0.16), (side * (self.room_m / 2 + 0.03), 0, 0)) for side in (-1, 1)),
            parts.block((self.room_m + 0.12, 0.06, 0.04), (0, -deep / 2 - 0.03, 0)),
        ]
        return Assembly((
            *craft.vacuum("robot", CLEANER_M),
            Part("clean", trimesh.Trimesh(self._clean_m(self.way_m), quads, process=False), PARQUET, carries=True),
            Part("dusty", parts.block((self.room_m, deep, DUSTY_M), (0, 0, 0)), DUST, carries=True),
            Part("walls", parts.join(*walls), paint((0.62, 0.62, 0.58), 0.9)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        s, path = float(state["s"]), self._path_m
        x, y = shapes.along(path, np.array([s]))[0]
        return {
            **craft.vacuum_channels("robot", CLEANER_M, (x, y, CLEAN_M), heading_rad(path, s, 0.12), 6 * s),
            "clean": (Vertices(self._clean_m(s)),),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        body = named(self.assembly().parts)["robot_body"]
        return {
            "s": shapes.arc_length_m(self._path_m, origin_m(body, meshes["robot_body"])[:2]),
            "cleaned": float(meshes["clean"].area) / self._floor_m2,
        }

    def measure(self, view: View) -> dict[str, float]:
        """Share of the visible floor; what the robot hides counts half."""
        if unseen(view, "clean", "dusty"):
            return {"cleaned": float("nan")}
        seen = {
            name: float(footprints_m2(view.points_m[name], view.pixel_area_m2[name], view.eye_m, (0, 0, 1)).sum())
            for name in ("clean", "dusty")
        }
        hidden = max(self._floor_m2 - sum(seen.values()), 0.0)
        return {"cleaned": (seen["clean"] + hidden / 2) / self._floor_m2}


@dataclass(frozen=True, kw_only=True)
class TableSetting(Event):
    """A fixed order: item k (plate, cup, napkin of seat 1, plate of seat 2 ...) is on the table at (k + 1) Ti."""

    info = facts("table_setting")
    variables = (
        state("progress", "count", 0.05, flags="monotone bounded", label="steps of the robot"),
        readout("placed", "count", 1.0, min_delta=2, domain="count", flags="monotone bounded",
                label="items on the table"),
        readout("seat", "index", 0.0, domain="discrete", flags="monotone bounded", label="seat nearest to the robot"),
    )  # fmt: skip

    num_seats: int = param("S", "count", 4, 5)
    step_s: float = param("Ti", "s", 0.65, 1.0)

    def states(self, t_s: Array) -> dict[str, Array]:
        most = 3.0 * self.num_seats
        progress = np.minimum(started(t_s) / self.step_s, most + FETCH)
        seat = np.clip(np.floor((progress - DRIVE / 2) / 3), 0, self.num_seats - 1)
        return {"progress": progress, "placed": np.minimum(np.floor(progress), most), "seat": seat}

    def triggers(self) -> dict[str, float]:
        return {f"placed_{k}": k * self.step_s for k in range(1, 3 * self.num_seats + 1)}

    def _seat_rad(self, seat: float) -> float:
        return float(FIRST_RAD + (LAST_RAD - FIRST_RAD) * seat / (self.num_seats - 1))

    def _robot_rad(self, progress: float) -> float:
        """Bearing of the robot from the table's middle: it drives on in the first part of every third step."""
        seat = min(int(progress / 3), self.num_seats - 1)
        share = float(ease(np.asarray((progress - 3 * seat) / DRIVE))) if seat else 1.0
        return self._seat_rad(max(seat - 1, 0)) + share * (self._seat_rad(seat) - self._seat_rad(max(seat - 1, 0)))

    def _place_m(self, k: int) -> Array:
        """Where item k stands on the table."""
        seat, kind = divmod(k, 3)
        bearing = self._seat_rad(seat) + (0.0, BESIDE_RAD, -BESIDE_RAD)[kind]
        return at(PLACE_M * np.cos(bearing), PLACE_M * np.sin(bearing), TABLE_Z_M)

    def _items(self, progress: float) -> tuple[int, Array]:
        """Which item is in the robot's hand (-1 for none) and where the hand's load is."""
        k, u = int(progress), progress % 1.0
        bearing = self._robot_rad(progress)
        store = at(0.50 * np.cos(bearing), 0.50 * np.sin(bearing), TABLE_Z_M + 0.10)
        if k >= 3 * self.num_seats:
            return -1, store
        begin = DRIVE if k % 3 == 0 and k > 0 else FETCH
        if u < begin:
            last = self._place_m(k - 1) + at(0.0, 0.0, 0.04) if k % 3 else store
            return -1, last + float(ease(np.asarray(u / FETCH))) * (store - last)
        share = float(ease(np.asarray((u - begin) / (1 - begin))))
        arch = at(0.0, 0.0, 0.06 * np.sin(np.pi * share))
        return k, store + share * (self._place_m(k) - store) + arch

    def assembly(self) -> Assembly:
        cup = np.array([(0.0, 0.0), (0.7, 0.0), (1.0, 1.0), (0.88, 1.0), (0.62, 0.12), (0.0, 0.12)]) * CUP_M
        kinds = (
            furniture.plate("plate", PLATE_M, material=PORCELAIN).mesh, parts.lathe(cup, 24),
            parts.moved(parts.bevelled_box((NAPKIN_M, NAPKIN_M, 0.008), 0.002), z_m=0.004),
        )  # fmt: skip
        looks = (PORCELAIN, paint(YELLOW), paint(RED, 0.9))
        items = [
            Part(f"item{k}", kinds[k % 3].copy(), looks[k % 3], carries=True, smooth_angle_deg=40 if k % 3 < 2 else 0.0)
            for k in range(3 * self.num_seats)
        ]
        mats = []
        for seat in range(self.num_seats):
            mat = parts.block((0.18, 0.28, 0.003), (PLACE_M, 0.0, TABLE_Z_M - 0.002 + 8e-4 * (seat % 2)))
            mats.append(shapes.turned(mat, (0.0, 0.0, 1.0), self._seat_rad(seat)))
        top = parts.moved(parts.cylinder(TABLE_M, 0.03, 48), z_m=TABLE_Z_M - 0.03)
        leg = parts.join(parts.cylinder(0.05, TABLE_Z_M - 0.03, 20), parts.cylinder(0.22, 0.02, 32))
        rug = parts.lathe(np.array([(0.0, 0.006), (ROUND_M + 0.2, 0.006), (ROUND_M + 0.2, 0.0), (0.0, 0.0)]), 56)
        return Assembly((
            *robots.robot("robot", WAITER_M), *items,
            Part("table", parts.join(top, leg), WOOD), Part("mats", parts.join(*mats), paint((0.10, 0.26, 0.16), 0.95)),
            Part("rug", rug, paint((0.30, 0.30, 0.36), 0.95)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        progress = float(state["progress"])
        bearing, (held, load) = self._robot_rad(progress), self._items(progress)
        floor = at(ROUND_M * np.cos(bearing), ROUND_M * np.sin(bearing), 0.006)
        channels: dict[str, tuple[Channel, ...]] = {}
        for k in range(3 * self.num_seats):
            turn = Rotate(quaternion_about((0.0, 0.0, 1.0), self._seat_rad(k // 3)))
            there = Visible(k <= held or k < int(progress))
            channels[f"item{k}"] = (turn, Move(load if k == held else self._place_m(k)), there)
        travelled = ROUND_M * (bearing - FIRST_RAD)
        return channels | robots.robot_channels(
            "robot", WAITER_M, floor, bearing + np.pi / 2, travelled, hands_m=(load + at(0.0, 0.0, 0.05), None)
        )

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        items, rest = range(3 * self.num_seats), named(self.assembly().parts)
        there = [k for k in items if f"item{k}" in meshes]
        off = [np.linalg.norm(origin_m(rest[f"item{k}"], meshes[f"item{k}"]) - self._place_m(k)) for k in there]
        return {"placed": float(np.sum(np.array(off) < 1e-12))}

    def measure(self, view: View) -> dict[str, float]:
        if unseen(view, "table"):
            return {"placed": float("nan")}
        placed = sum(len(view.points_m[f"item{k}"]) > 0 for k in range(3 * self.num_seats))
        x, y = standing_m(view.points_m["robot_body"], view.eye_m, 0.2 * WAITER_M)
        if np.isnan(x):
            return {"placed": float(placed)}
        off = [abs((np.arctan2(y, x) - self._seat_rad(j) + np.pi) % (2 * np.pi) - np.pi) for j in range(self.num_seats)]
        return {"placed": float(placed), "seat": float(np.argmin(off))}
