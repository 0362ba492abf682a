"""A lift and its passengers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap, Move
from event_library.families.agents_intent.measuring import figure_points_m, named, origin_m, unseen
from event_library.figures import people
from event_library.figures.people import PersonLook
from event_library.kit.palette import HUES, ORANGE, paint
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts

NUM_FLOORS, CAPACITY = 4, 4
FLOOR_M = 0.275  # from floor to floor
SLAB_M = 0.024
PERSON_M = 0.22
DOOR_X_M = -0.26  # edge between shaft and floors
SHAFT_X_M = -0.44  # middle of the shaft
CABIN_M = 0.32
PLACE_M = 0.085  # from person to person


@dataclass(frozen=True)
class Stop:
    """One stop of the lift: who leaves and who boards, each with a place in the cabin."""

    at_s: float
    floor: int
    leaving: tuple[int, ...]
    boarding: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ElevatorPassengers(Event):
    """LOOK: keep the direction while a call or a ride goal lies ahead, else turn; tf a floor, td a stop (Knuth 2.2.5).

    Leaving takes the first half of a stop, boarding the second; a passenger has arrived when it is out of the cabin.
    """

    info = facts("elevator_passengers")
    variables = (
        state("cabin", "count", 0.05, flags="bounded", label="floor of the cabin"),
        state("where", "index", 0.0, domain="field", label="waiting 0, riding 1 or arrived 2, per passenger"),
        state("x", "m", 0.02, domain="vector", label="place of each passenger"),
        state("level", "count", 0.05, domain="vector", label="floor of each passenger"),
        readout("arrived", "count", 0.0, min_delta=1, domain="count", flags="monotone bounded",
                label="passengers on the floor of their colour"),
        readout("cabin_floor", "count", 0.4, flags="bounded", label="height of the cabin in floors"),
    )  # fmt: skip

    num_people: int = param("n", "count", 4, 6)
    floor_s: float = param("tf", "s", 0.5, 0.8)
    stop_s: float = param("td", "s", 0.6, 0.9)
    seed: int = seed_param()

    def trips(self) -> tuple[tuple[int, int], ...]:
        """(origin, goal) of each passenger, never the same."""
        rng = np.random.Generator(np.random.PCG64(self.seed))
        origins = rng.integers(0, NUM_FLOORS, self.num_people)
        goals = (origins + rng.integers(1, NUM_FLOORS, self.num_people)) % NUM_FLOORS
        return tuple((int(a), int(b)) for a, b in zip(origins, goals, strict=True))

    def triggers(self) -> dict[str, float]:
        return {
            f"arrived_{i}": stop.at_s + self.stop_s / 4 for stop in _ride(self)[0] for i in stop.leaving
        }  # fmt: skip

    def states(self, t_s: Array) -> dict[str, Array]:
        t, (stops, times, floors) = started(t_s), _ride(self)
        cabin = np.interp(t, times, floors)
        x, where = np.empty((len(t), self.num_people)), np.zeros((len(t), self.num_people))
        level = np.empty_like(x)
        for i, (origin, goal) in enumerate(self.trips()):
            on, off = (next(s for s in stops if i in group(s)) for group in (_boarding, _leaving))
            board_s, leave_s = (
                on.at_s + self.stop_s * np.array([0.5, 0.75, 1.0]),
                off.at_s + self.stop_s * np.array([0.0, 0.25, 0.5]),
            )
            first, inside, last = self._places_m(i)
            x[:, i] = np.interp(t, [*board_s, *leave_s], [first, DOOR_X_M, inside, inside, DOOR_X_M, last])
            where[:, i] = (t >= board_s[1]).astype(np.float64) + (t >= leave_s[1])
            level[:, i] = np.where(t < board_s[2], origin, np.where(t > leave_s[0], goal, cabin))
        arrived = (where == 2).sum(axis=1).astype(np.float64)
        return {"cabin": cabin, "where": where, "x": x, "level": level, "arrived": arrived, "cabin_floor": cabin.copy()}

    def _places_m(self, i: int) -> tuple[float, float, float]:
        """x where passenger i waits, rides and stands in the end."""
        stops, trips = _ride(self)[0], self.trips()
        ahead = sum(origin == trips[i][0] for origin, _ in trips[:i])
        there = [j for s in stops for j in s.leaving if trips[j][1] == trips[i][1]].index(i)
        aboard: list[int | None] = [None] * CAPACITY
        for stop in stops:
            aboard = [None if j in stop.leaving else j for j in aboard]
            for j in stop.boarding:
                aboard[aboard.index(None)] = j
            if i in aboard:
                break
        inside = SHAFT_X_M + (aboard.index(i) - (CAPACITY - 1) / 2) * 0.068
        return DOOR_X_M + 0.09 + PLACE_M * ahead, inside, 0.46 - PLACE_M * there

    def assembly(self) -> Assembly:
        figures: list[Part] = []
        for i, (_, goal) in enumerate(self.trips()):
            red, green, blue = HUES[goal]
            body = people.LOOKS[i % 5]
            look = PersonLook(HUES[goal], (red / 2, green / 2, blue / 2), body.skin_rgb, body.hair_rgb)
            figures += people.person(f"p{i}", PERSON_M, look)
        left, right, top = SHAFT_X_M - CABIN_M / 2 - 0.03, 0.54, NUM_FLOORS * FLOOR_M + SLAB_M
        slabs, edges, walls = [], [], []
        for floor in range(NUM_FLOORS):
            slab = parts.block((right - DOOR_X_M, 0.24, SLAB_M), ((right + DOOR_X_M) / 2, 0.02, floor * FLOOR_M))
            edge = parts.block(
                (right - DOOR_X_M, 0.012, 1.6 * SLAB_M), ((right + DOOR_X_M) / 2, -0.106, floor * FLOOR_M)
            )
            wall = parts.block((right - DOOR_X_M, 0.012, FLOOR_M), ((right + DOOR_X_M) / 2, 0.146, floor * FLOOR_M))
            slabs.append(slab)
            edges.append(Part(f"edge_{floor}", edge, paint(HUES[floor])))
            red, green, blue = HUES[floor]
            walls.append(
                Part(f"wall_{floor}", wall, paint((0.6 + 0.3 * red, 0.6 + 0.3 * green, 0.6 + 0.3 * blue), 0.9))
            )
        shell = [
            parts.block((right - left + 0.06, 0.28, 0.03), ((left + right) / 2, 0.02, top - 0.03)),
            *(parts.block((0.03, 0.26, top), (x, 0.02, 0)) for x in (left - 0.015, right + 0.015)),
            parts.block((DOOR_X_M - left, 0.012, top), ((left + DOOR_X_M) / 2, 0.146, 0)),
            parts.block((DOOR_X_M - left, 0.24, 0.5 * SLAB_M), ((left + DOOR_X_M) / 2, 0.02, 0)),
        ]  # fmt: skip
        cabin = parts.join(
            parts.block((CABIN_M, 0.20, 0.014), (0, 0.02, -0.014)),
            parts.block((CABIN_M, 0.20, 0.02), (0, 0.02, 0.235)),
            parts.block((0.016, 0.20, 0.25), (-CABIN_M / 2 + 0.008, 0.02, -0.005)),
            parts.block((CABIN_M, 0.012, 0.25), (0, 0.125, -0.005)),
        )  # fmt: skip
        return Assembly((
            *figures, Part("cabin", cabin, paint(ORANGE), carries=True), *edges, *walls,
            Part("slabs", parts.join(*slabs), paint((0.52, 0.48, 0.42), 0.9)),
            Part("house", parts.join(*shell), paint((0.55, 0.56, 0.58), 0.9)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        channels: dict[str, tuple[Channel, ...]] = {
            "cabin": (Move(at(SHAFT_X_M, 0.0, SLAB_M + FLOOR_M * float(state["cabin"]))),)
        }
        for i, (x, level, where) in enumerate(zip(state["x"], state["level"], state["where"], strict=True)):
            first, inside, last = self._places_m(i)
            stands = min(abs(x - place) for place in (first, inside, last)) < 1e-9
            heading = np.pi if where == 0 or (where == 1 and not stands and level == self.trips()[i][0]) else 0.0
            if where == 2 and stands:
                heading = -np.pi / 2
            walking = -0.04 if not stands else 0.0
            sign = -1.0 if heading == np.pi else 1.0
            channels |= people.person_channels(
                f"p{i}", PERSON_M, (x, walking, SLAB_M + FLOOR_M * level), heading,
                None if stands else sign * x / people.stride_length_m(PERSON_M),
            )  # fmt: skip
        return channels

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        rest = named(self.assembly().parts)
        arrived = 0
        for i, (_, goal) in enumerate(self.trips()):
            x, _, z = origin_m(rest[f"p{i}_torso"], meshes[f"p{i}_torso"])
            arrived += bool(x >= DOOR_X_M and abs(z - SLAB_M - FLOOR_M * goal - people.HIP * PERSON_M) < 0.1)
        height = float(meshes["cabin"].bounds[0, 2]) + 0.014
        return {"cabin": (height - SLAB_M) / FLOOR_M, "arrived": float(arrived)}

    def measure(self, view: View) -> dict[str, float]:
        """Arrived is who stands beside the shaft on the floor of its own colour."""
        if unseen(view, "slabs"):
            return {"arrived": float("nan")}
        arrived = 0
        for i, (_, goal) in enumerate(self.trips()):
            points = figure_points_m(view, f"p{i}")
            if len(points):
                x, _, z = points.mean(axis=0)
                arrived += bool(x >= DOOR_X_M and abs(z - SLAB_M - FLOOR_M * goal - 0.5 * PERSON_M) < FLOOR_M / 2)
        cabin = view.points_m["cabin"][:, 2]
        middle = (cabin.min() + cabin.max()) / 2 - SLAB_M - 0.12 if len(cabin) else float("nan")
        return {"arrived": float(arrived), "cabin_floor": float(middle / FLOOR_M)}


def _leaving(stop: Stop) -> tuple[int, ...]:
    return stop.leaving


def _boarding(stop: Stop) -> tuple[int, ...]:
    return stop.boarding


@lru_cache(maxsize=64)
def _ride(event: ElevatorPassengers) -> tuple[tuple[Stop, ...], Array, Array]:
    """All stops, and the knots (times, floors) of the cabin's way."""
    trips = event.trips()
    waiting, riding = set(range(len(trips))), set[int]()
    now, floor, ahead = 0.0, 0, 1
    stops, times, floors = [], [0.0], [0.0]
    while True:
        leaving = tuple(sorted(i for i in riding if trips[i][1] == floor))
        riding -= set(leaving)
        boarding = tuple(sorted(i for i in waiting if trips[i][0] == floor))[: CAPACITY - len(riding)]
        riding |= set(boarding)
        waiting -= set(boarding)
        if leaving or boarding:
            stops.append(Stop(now, floor, leaving, boarding))
            now += event.stop_s
            times.append(now)
            floors.append(float(floor))
        wanted = {trips[i][0] for i in waiting} | {trips[i][1] for i in riding}
        if not wanted:
            return tuple(stops), np.array(times), np.array(floors)
        if not any((goal - floor) * ahead > 0 for goal in wanted):
            ahead = -ahead
        floor += ahead
        now += event.floor_s
        times.append(now)
        floors.append(float(floor))
