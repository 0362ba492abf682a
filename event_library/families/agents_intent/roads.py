"""Toy traffic: a four-way stop, an automatic barrier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap, Colour, Emission, Visible
from event_library.families.agents_intent.measuring import figure_points_m, named, origin_m, unseen
from event_library.figures import buildings, vehicles
from event_library.figures.rig import glow, moved_by, set_down, turned
from event_library.kit.palette import DARK, HUES, RED, WHITE, YELLOW, paint
from event_library.laws import started
from event_library.parts import Assembly, Part, Rgb
from event_library.taxonomy import facts

ASPHALT = paint((0.07, 0.07, 0.075), 0.9)
GRASS = paint((0.13, 0.36, 0.07), 0.95)
HEDGE = paint((0.30, 0.30, 0.32), 0.85)

CAR_M = 0.27
LANE_M = 0.16
LINE_M = 0.36  # middle of a car that stands at its stop line, from the middle of the crossing
TUNNEL_M = (0.52, 0.86)  # from where to where the tunnels reach
DEEP_M = TUNNEL_M[1] - CAR_M / 2 - 0.02  # a car whose middle is farther out is out of sight
ROOF_M = 0.16
ROAD_M = 0.01
BRAKE_S = 0.7  # the last stretch to the line, evenly slowed
REACTION_S = 0.4

VAN_M = 1.1
HALT_M = -0.85  # where the van waits, measured as the van's middle; the arm is at 0
PASSED_M = 1.2  # from here on the barrier falls
PARKED_M = 2.0
BRAKE_M_PER_S2, THRUST_M_PER_S2 = 0.9, 0.7
OPEN_RAD = float(np.deg2rad(85))
ENOUGH_RAD = float(np.deg2rad(75))
LANE_Y_M = -0.15  # of the van
ARM_M = 1.0
HINGE_Y_M = 0.42
PAVED_M = 0.02
ROAD_RAD = -0.6  # the road comes from the back left, so that the arm is seen from the side
AMBER: Rgb = (1.0, 0.45, 0.02)


@lru_cache(maxsize=64)
def arm_order(seed: int, num: int) -> tuple[int, ...]:
    """Arm (0 to 3: from the left, the front, the right, the back) of each car: round and round in a drawn order."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(4)
    return tuple(int(order[i % 4]) for i in range(num))


@dataclass(frozen=True, kw_only=True)
class FourWayStop(Event):
    """First come, first served: st_i = max(arr_i + 0.4, st_{i-1} + tc); a car brakes to its line and pulls away evenly.

    Way about the line (line to line 2 x 0.36 m): -a (arr - t)^2 / 2 before (constant speed earlier than 0.7 s before),
    + a (t - st)^2 / 2 for tc, then constant speed, a = 4 x 0.36 / tc^2.
    """

    info = facts("four_way_stop")
    variables = (
        state("way", "m", 0.05, domain="vector", flags="bounded", label="way of each car beyond its stop line"),
        readout("cleared", "count", 0.0, min_delta=1, domain="count", flags="monotone bounded",
                label="cars past the crossing"),
    )  # fmt: skip

    costly_rules = True
    accept_rules = (("cars in one lane keep apart", lambda e: e.least_headway_m >= 1.1 * CAR_M),)

    num_cars: int = param("n", "count", 6, 8, default=6)
    gap_s: float = param("ga", "s", 0.6, 1.1)
    crossing_s: float = param("tc", "s", 0.9, 1.4)
    seed: int = seed_param()

    def schedule_s(self) -> tuple[Array, Array]:
        """[n] arrivals and [n] starts."""
        arrivals = 0.3 + self.gap_s * np.arange(self.num_cars)
        starts: list[float] = []
        for arrival in arrivals:
            earliest = starts[-1] + self.crossing_s if starts else 0.0
            starts.append(max(float(arrival) + REACTION_S, earliest))
        return arrivals, np.array(starts)

    @property
    def least_headway_m(self) -> float:
        """Between middles of cars from the same arm, once the second one is out of the tunnel."""
        way = self.states(np.linspace(0.0, float(self.schedule_s()[1][-1]), 200))["way"]
        return float(np.where(way[:, 4:] > LINE_M - DEEP_M, way[:, :-4] - way[:, 4:], np.inf).min())

    def triggers(self) -> dict[str, float]:
        return {f"start_{i}": float(s) for i, s in enumerate(self.schedule_s()[1])}

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)[:, None]
        arrivals, starts = self.schedule_s()
        pull = 4 * LINE_M / self.crossing_s**2
        left, gone = np.maximum(arrivals - t, 0.0), np.maximum(t - starts, 0.0)
        braking, pulling = np.minimum(left, BRAKE_S), np.minimum(gone, self.crossing_s)
        before = pull * (braking**2 / 2 + BRAKE_S * (left - braking))
        after = pull * (pulling**2 / 2 + self.crossing_s * (gone - pulling))
        cleared = (t >= starts + self.crossing_s).sum(axis=1).astype(np.float64)
        return {"way": np.clip(after - before, LINE_M - TUNNEL_M[1], LINE_M + TUNNEL_M[1]), "cleared": cleared}

    def _pose(self, i: int, way_m: float) -> tuple[float, float, float]:
        """x, y, heading of car i; it keeps to the right."""
        arm = arm_order(self.seed, self.num_cars)[i]
        heading = (0.0, np.pi / 2, np.pi, -np.pi / 2)[arm]
        c, s = np.cos(heading), np.sin(heading)
        along, beside = way_m - LINE_M, -LANE_M / 2
        return float(c * along - s * beside), float(s * along + c * beside), heading

    def assembly(self) -> Assembly:
        half, wide = TUNNEL_M[1] + 0.02, 2 * LANE_M
        arm = half - LANE_M
        roads = parts.join(
            parts.block((2 * half, wide, ROAD_M), (0, 0, 0)),
            *(parts.block((wide, arm, ROAD_M), (0, side * (LANE_M + arm / 2), 0)) for side in (-1, 1)),
        )
        lines: list[trimesh.Trimesh] = []
        walls: list[trimesh.Trimesh] = []
        signs: list[trimesh.Trimesh] = []
        poles: list[trimesh.Trimesh] = []
        for quarter in range(4):
            turn = trimesh.transformations.rotation_matrix(quarter * np.pi / 2, (0, 0, 1))
            stop = parts.block((0.03, LANE_M - 0.02, ROAD_M + 2e-3), (-LANE_M - 0.04, -LANE_M / 2, 0))
            dashes = [parts.block((0.06, 0.014, ROAD_M + 2e-3), (-x, 0, 0)) for x in (0.28, 0.40, 0.50)]
            length = TUNNEL_M[1] - TUNNEL_M[0]
            middle = -(TUNNEL_M[0] + TUNNEL_M[1]) / 2
            tunnel = [
                *(parts.block((length, 0.03, ROOF_M), (middle, side * (LANE_M + 0.015), 0)) for side in (-1, 1)),
                parts.block((length, wide + 0.06, 0.02), (middle, 0, ROOF_M)),
                parts.block((0.02, wide + 0.06, ROOF_M), (-TUNNEL_M[1], 0, 0)),
            ]
            pole = parts.moved(parts.cylinder(0.007, 0.16, 8), -LANE_M - 0.05, -LANE_M - 0.035)
            plate = parts.cylinder(0.045, 0.012, 8)
            plate.apply_transform(trimesh.transformations.rotation_matrix(-np.pi / 2, (0, 1, 0)))
            parts.moved(plate, -LANE_M - 0.056, -LANE_M - 0.035, 0.17)
            for pieces, made in ((lines, [stop, *dashes]), (walls, tunnel), (poles, [pole]), (signs, [plate])):
                pieces += [mesh.apply_transform(turn) for mesh in made]
        return Assembly((
            *(part for i in range(self.num_cars) for part in vehicles.car(f"car{i}", CAR_M, HUES[i])),
            Part("roads", roads, ASPHALT), Part("lines", parts.join(*lines), paint(WHITE)),
            Part("tunnels", parts.join(*walls), HEDGE), Part("poles", parts.join(*poles), DARK),
            Part("signs", parts.join(*signs), paint(RED)),
            Part("lawn", parts.block((2 * half, 2 * half, 0.6 * ROAD_M), (0, 0, 0)), GRASS),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        channels: dict[str, tuple[Channel, ...]] = {}
        for i, way in enumerate(np.asarray(state["way"])):
            x, y, heading = self._pose(i, float(way))
            there = Visible(bool(abs(way - LINE_M) < DEEP_M))
            own = vehicles.car_channels(f"car{i}", CAR_M, (x, y, ROAD_M), heading, float(way))
            channels |= {name: (*own[name], there) for name in own}
        return channels

    def _cleared(self, places_m: list[Array | None]) -> float:
        """Cars come and go in order: one out of sight is gone when a later one, or none at all, is to be seen."""
        seen = [i for i, place in enumerate(places_m) if place is not None]
        if not seen:
            return float(self.num_cars)
        past = [place is not None and _along_m(place) >= LINE_M for place in places_m]
        return float(min(seen) + sum(past))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        rest = named(self.assembly().parts)
        bodies = [f"car{i}_body" for i in range(self.num_cars)]
        return {"cleared": self._cleared([origin_m(rest[b], meshes[b])[:2] if b in meshes else None for b in bodies])}

    def measure(self, view: View) -> dict[str, float]:
        if unseen(view, "tunnels"):
            return {"cleared": float("nan")}
        seen = [figure_points_m(view, f"car{i}")[:, :2] for i in range(self.num_cars)]
        return {"cleared": self._cleared([(p.min(axis=0) + p.max(axis=0)) / 2 if len(p) else None for p in seen])}


def _along_m(place_m: Array) -> float:
    """Way beyond the middle of the crossing of a car that keeps to the right, from where it is."""
    x, y = (float(v) for v in place_m)
    return (x if y < 0 else -x) if abs(x) > abs(y) else (y if x > 0 else -y)


@dataclass(frozen=True, kw_only=True)
class VehicleGate(Event):
    """A van brakes evenly to the line before a barrier, waits until it stands at 75 deg, pulls away and parks beyond.

    The barrier turns at a constant rate: up to 85 deg once x >= -ds, down once x >= 1.2. Kinematics of even braking.
    """

    info = facts("vehicle_gate")
    variables = (
        state("x", "m", 0.05, flags="monotone bounded", label="van's middle, the arm is at 0"),
        state("angle", "rad", 0.05, domain="angle", flags="bounded", label="rise of the arm"),
        state("sensed", "count", 0.0, domain="discrete", label="whether the sensor's lamp is on"),
        readout("van_x", "m", 0.35, min_delta=0.9, flags="monotone bounded", label="van against the kerb"),
        readout(
            "barrier_angle", "rad", float(np.deg2rad(12)), domain="angle", flags="bounded", label="rise of the arm"
        ),
    )

    start_m: float = param("x0", "m", 2.0, 2.6)
    speed_m_per_s: float = param("v", "m/s", 0.7, 1.0)
    sensor_m: float = param("ds", "m", 1.4, 1.8)
    rate_rad_per_s: float = angle_param("wr", 40, 70, unit="rad/s")

    def _braked(self, t_s: Array, start_m: float, stop_m: float, from_rest: bool) -> Array:
        """Way from start to stop at speed v, braked evenly at its end, and pulled away evenly when from rest."""
        v = self.speed_m_per_s
        up_s = v / THRUST_M_PER_S2 if from_rest else 0.0
        up_m, down_m = v * up_s / 2, v**2 / (2 * BRAKE_M_PER_S2)
        even_s = (stop_m - start_m - up_m - down_m) / v
        t = np.maximum(t_s, 0.0)
        up, even = np.minimum(t, up_s), np.clip(t - up_s, 0.0, even_s)
        down = np.clip(t - up_s - even_s, 0.0, v / BRAKE_M_PER_S2)
        way = (THRUST_M_PER_S2 * up**2 / 2 if from_rest else 0.0) + v * even + v * down - BRAKE_M_PER_S2 * down**2 / 2
        return np.asarray(start_m + way)

    def _reached_s(self, place_m: float, start_m: float, from_rest: bool) -> float:
        """When the middle of the van is at a place that it passes at full speed."""
        v = self.speed_m_per_s
        return (place_m - start_m) / v + (v / (2 * THRUST_M_PER_S2) if from_rest else 0.0)

    def triggers(self) -> dict[str, float]:
        sensed = self._reached_s(-self.sensor_m, -self.start_m, False)
        v = self.speed_m_per_s
        halted = (HALT_M + self.start_m) / v + v / (2 * BRAKE_M_PER_S2)
        off = max(halted, sensed + ENOUGH_RAD / self.rate_rad_per_s)
        passed = off + self._reached_s(PASSED_M, HALT_M, True)
        swing_s = OPEN_RAD / self.rate_rad_per_s
        way_s = self._reached_s(PARKED_M, HALT_M, True) + v / (2 * BRAKE_M_PER_S2)
        return {
            "sensed": sensed, "arm_up": sensed + swing_s, "halted": halted, "off": off, "passed": passed,
            "arm_starts_down": passed, "arm_down": passed + swing_s, "parked": off + way_s,
        }  # fmt: skip

    def states(self, t_s: Array) -> dict[str, Array]:
        t, when = started(t_s), self.triggers()
        x = np.where(
            t < when["off"], self._braked(t, -self.start_m, HALT_M, False),
            self._braked(t - when["off"], HALT_M, PARKED_M, True),
        )  # fmt: skip
        up = np.minimum(self.rate_rad_per_s * np.maximum(t - when["sensed"], 0.0), OPEN_RAD)
        angle = np.maximum(up - self.rate_rad_per_s * np.maximum(t - when["passed"], 0.0), 0.0)
        sensed = ((t >= when["sensed"]) & (t < when["passed"])).astype(np.float64)
        return {"x": x, "angle": angle, "sensed": sensed, "van_x": x.copy(), "barrier_angle": angle.copy()}

    def assembly(self) -> Assembly:
        left, right = -self.start_m - 0.65, PARKED_M + 0.65
        length, middle = right - left, (left + right) / 2
        kerbs = [parts.block((length, 0.06, 0.05), (middle, y, 0)) for y in (-0.62, 0.62)]
        marks = [
            parts.block((0.05, 0.10, 0.052), (x, -0.62, 0)) for x in np.arange(np.ceil(left / 0.5), right / 0.5) * 0.5
        ]
        stop = parts.block((0.07, 0.6, PAVED_M + 2e-3), (HALT_M + VAN_M / 2 + 0.06, LANE_Y_M, 0))
        post = parts.join(
            parts.block((0.07, 0.07, 0.42), (-self.sensor_m + VAN_M / 2, 0.62, 0)),
            parts.block((0.11, 0.11, 0.05), (-self.sensor_m + VAN_M / 2, 0.62, 0)),
        )
        lamp = parts.moved(parts.sphere(0.065, 2), -self.sensor_m + VAN_M / 2, 0.62, 0.46)
        dashes = [parts.block((0.25, 0.03, PAVED_M + 1e-3), (x, 0.22, 0)) for x in np.arange(left + 0.3, right, 0.55)]
        surroundings = (
            Part("lamp", lamp, glow(AMBER, 0.0), carries=True, smooth_angle_deg=60),
            Part("sensor", post, DARK),
            Part("road", parts.block((length, 1.2, PAVED_M), (middle, 0, 0)), ASPHALT),
            Part("kerbs", parts.join(*kerbs), paint((0.55, 0.55, 0.53), 0.8)),
            Part("marks", parts.join(*marks), paint(YELLOW)),
            Part("stop", parts.join(stop, *dashes), paint(WHITE)),
        )
        return Assembly((
            *vehicles.van("van", VAN_M),
            *buildings.barrier("gate", ARM_M, _on_road(0.0, HINGE_Y_M), ROAD_RAD - np.pi / 2),
            *set_down(surroundings, (0.0, 0.0, 0.0), ROAD_RAD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        x, sensed = float(state["x"]), bool(state["sensed"])
        arm = buildings.barrier_channels(
            "gate", ARM_M, float(state["angle"]), _on_road(0.0, HINGE_Y_M), ROAD_RAD - np.pi / 2
        )
        return {
            **vehicles.van_channels("van", VAN_M, _on_road(x, LANE_Y_M), ROAD_RAD, x),
            **arm,
            "lamp": (Colour(np.array(AMBER) * (1.0 if sensed else 0.1)), Emission(2.5 if sensed else 0.0)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        rest = named(self.assembly().parts)
        hinge = origin_m(rest["gate_boom"], meshes["gate_boom"])
        boom = _to_road(np.asarray(meshes["gate_boom"].vertices).mean(axis=0) - hinge)
        return {
            "x": float(_to_road(origin_m(rest["van_body"], meshes["van_body"]))[0]),
            "angle": float(np.arctan2(boom[2], -boom[1])),
        }

    def measure(self, view: View) -> dict[str, float]:
        """The arm's rise from where its stripes are about the hinge."""
        van, stripes = _to_road(figure_points_m(view, "van")), _to_road(view.points_m["gate_stripes"])
        found = {"van_x": float((van[:, 0].min() + van[:, 0].max()) / 2) if len(van) else float("nan")}
        if len(stripes):
            _, y, z = stripes.mean(axis=0)
            hinge_z = PAVED_M + buildings.BARRIER_HINGE * ARM_M
            found["barrier_angle"] = float(np.arctan2(z - hinge_z, HINGE_Y_M - y))
        return found


def _on_road(x_m: float, y_m: float) -> Array:
    """[3] a place on the road, x along it and y across it, in the event's frame."""
    return moved_by(turned((0, 0, 1), ROAD_RAD), np.array([x_m, y_m, PAVED_M]))


def _to_road(points_m: Array) -> Array:
    """Points [..., 3] of the event's frame along and across the road."""
    return moved_by(turned((0, 0, 1), -ROAD_RAD), points_m)
