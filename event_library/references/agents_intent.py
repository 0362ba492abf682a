"""Agents intent: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.sparse import lil_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.stats import beta

from event_library.families.agents_intent.chases import CatLaserDot
from event_library.families.agents_intent.climbers import SnailOnWall
from event_library.families.agents_intent.flocks import BoidsFlock
from event_library.families.agents_intent.grippers import BlockStackingGripper, RobotArmPickPlace
from event_library.families.agents_intent.housework import TableSetting, VacuumRobot
from event_library.families.agents_intent.insects import AntsCarrying, BeeTour, flower_bed
from event_library.families.agents_intent.lifts import ElevatorPassengers
from event_library.families.agents_intent.mazes import MouseInMaze, maze
from event_library.families.agents_intent.platoon import IdmPlatoon
from event_library.families.agents_intent.queues import QueueAdvancing
from event_library.families.agents_intent.roads import FourWayStop, VehicleGate
from event_library.families.agents_intent.walkers import GardenerWatering, PedestrianRoute
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated, until


def happened(at_s: Sequence[float] | Array, t_s: Array) -> Array:
    """[T] how many of the events at `at_s` are over at each time."""
    return np.searchsorted(np.sort(np.asarray(at_s)), t_s, side="right").astype(np.float64)


def eased(t_s: Array, start_s: float, lasts_s: float) -> Array:
    """The distribution function of Beta(2, 2) over a stretch of time: 3u^2 - 2u^3."""
    return np.asarray(beta.cdf(t_s, 2, 2, loc=start_s, scale=lasts_s))


def named(verb: str, at_s: Sequence[float] | Array) -> dict[str, Array]:
    """Trigger times of what happens once each, counted from 1."""
    return {f"trigger:{verb}_{k}": np.array([when]) for k, when in enumerate(at_s, 1)}


def block_stacking_gripper(event: BlockStackingGripper, t_s: Array) -> dict[str, Array]:
    """Block by block: when it is set down."""
    progress = until(lambda t, p: [1 / event.cycle_s], 0.0, event.num_blocks + 0.2, t_s)
    set_down = np.cumsum(np.full(event.num_blocks, event.cycle_s))
    return {"progress": progress, "placed": happened(set_down, t_s), **named("set_down", set_down)}


def robot_arm_pick_place(event: RobotArmPickPlace, t_s: Array) -> dict[str, Array]:
    """Cube by cube: when it is set down, after reaching, gripping and carrying."""
    progress = until(lambda t, p: [1 / event.cycle_s], 0.0, float(event.num_cubes), t_s)
    set_down = [(k + 0.25 + 0.1 + 0.35) * event.cycle_s for k in range(event.num_cubes)]
    return {"progress": progress, "moved": happened(set_down, t_s), **named("set_down", set_down)}


def queue_advancing(event: QueueAdvancing, t_s: Array) -> dict[str, Array]:
    """Figure by figure: the steps that it takes, one for each service before its own, and its way out."""
    served = np.cumsum(np.full(event.num_people, event.service_s))
    x = np.empty((len(t_s), event.num_people))
    for rank, own in enumerate(served):
        steps = [eased(t_s, done + 0.1 * (rank - k), 0.4) for k, done in enumerate(served[:rank])]
        out = np.interp(t_s, [own - 0.1, own - 0.1 + 1.25 / 1.4], [0.0, 1.25])
        x[:, rank] = 0.425 * (np.sum(steps, axis=0) - rank) + out
    return {"x": x, "served": happened(served, t_s), **named("served", served)}


def mouse_in_maze(event: MouseInMaze, t_s: Array) -> dict[str, Array]:
    """Dijkstra between all cells; of all shortest ways the first in the order north, east, south, west, grown whole."""
    m, ways = event.num_cells, maze(event.num_cells, event.seed)
    beside = (m, 1, -m, -1)
    graph = lil_matrix((m * m, m * m))
    for row, column, step in np.argwhere(ways):
        graph[row * m + column, row * m + column + beside[step]] = 1
    steps = dijkstra(graph.tocsr())
    start = int(steps[0].argmax())
    goal = int(steps[start].argmax())
    grown: list[tuple[int, ...]] = [(start,)]
    while grown[0][-1] != goal:
        grown = [
            (*path, path[-1] + beside[step]) for path in grown for step in range(4)
            if ways[*divmod(path[-1], m), step]
            and steps[path[-1] + beside[step], goal] == steps[path[-1], goal] - 1
        ]  # fmt: skip
    s = np.clip(t_s * event.speed_cells_per_s, 0.0, steps[start, goal] - 0.75)
    return {
        "s": s, "cell": np.array(grown[0], dtype=np.float64)[np.rint(s).astype(np.int64)],
        "trigger:at_cheese": np.array([(len(grown[0]) - 1.75) / event.speed_cells_per_s]),
    }  # fmt: skip


def cat_laser_dot(event: CatLaserDot, t_s: Array) -> dict[str, Array]:
    """The pursuit with the heading as a unit vector instead of an angle."""
    a, b, w, top, turn = (event.width_m, event.depth_m, event.loop_rad_per_s, event.top_speed_m_per_s,
                          event.turn_rad_per_s)  # fmt: skip

    def chased(t: float, y: Array) -> list[float]:
        place, ahead = y[:2], y[2:] / np.linalg.norm(y[2:])
        gap = np.array([a * np.cos(w * t + event.start_rad), b * np.sin(2 * w * t + 2 * event.start_rad)]) - place
        square = float(gap @ gap)
        speed = top * square / (square + 0.04)
        rate = turn * np.tanh(6 / turn * (ahead[0] * gap[1] - ahead[1] * gap[0]) / np.sqrt(square + 0.01))
        return [*(speed * ahead), -rate * ahead[1], rate * ahead[0]]

    start = np.array([0.0, -b])
    first = np.array([a * np.cos(event.start_rad), b * np.sin(2 * event.start_rad)]) - start
    run = integrated(chased, [*start, *(first / np.linalg.norm(first))], t_s)
    return {"cat": run[:2].T, "cat_x": run[0]}


def boids_flock(event: BoidsFlock, t_s: Array) -> dict[str, Array]:
    """Reynolds' rules in complex numbers, all pairs at once, integrated by scipy."""
    n = event.num_birds
    p0, v0 = (half[:, 0] + 1j * half[:, 1] for half in event.start())

    def flown(t: float, y: Array) -> Array:
        p, v = y[:n] + 1j * y[n : 2 * n], y[2 * n : 3 * n] + 1j * y[3 * n :]
        leader = event.circle_m * np.exp(1j * (event.rate_rad_per_s * t + event.start_rad))
        a = 2 * (leader - p) + 0.5 * (v.mean() - v) - (v - 1j * event.rate_rad_per_s * leader)
        gap = p[:, None] - p
        square = gap.real**2 + gap.imag**2
        a = a + (0.14 * gap * np.exp(-square / 0.5**2) / (square + 0.08**2)).sum(axis=1)
        return np.concatenate([v.real, v.imag, a.real, a.imag])

    run = integrated(flown, [*p0.real, *p0.imag, *v0.real, *v0.imag], t_s)
    p = run[:n] + 1j * run[n : 2 * n]
    middle = p.mean(axis=0)
    return {"flock_bearing": np.angle(middle) % (2 * np.pi), "spread": np.sqrt((np.abs(p - middle) ** 2).mean(axis=0))}


def pedestrian_route(event: PedestrianRoute, t_s: Array) -> dict[str, Array]:
    """A time table: bench, off again, gate."""
    legs = np.diff(event.path_m, axis=0)
    whole = float(np.hypot(*legs.T).sum())
    bench_s = event.bench_way_m / event.speed_m_per_s
    times = np.array([0.0, bench_s, bench_s + event.pause_s, whole / event.speed_m_per_s + event.pause_s])
    return {
        "s": np.interp(t_s, times, [0.0, event.bench_way_m, event.bench_way_m, whole]),
        **{f"trigger:{n}": times[k : k + 1] for k, n in enumerate(("at_bench", "walks_on", "arrives"), 1)},
    }


def gardener_watering(event: GardenerWatering, t_s: Array) -> dict[str, Array]:
    """Pot by pot: to it, pour; half its droop is gone tr ln 2 later."""
    now, upright, nearest, droops, watered = 0.4 - event.walk_s, [], [], [], {}
    x = 0.21 * (eased(t_s, 0.0, 0.4) - 1)
    for pot in range(event.num_pots):
        nearest.append(now + event.walk_s / 2)
        x += 0.42 * eased(t_s, now, event.walk_s) if pot else 0.0
        now += event.walk_s + event.pour_s
        dry_s = np.maximum(t_s - now, 0.0)
        droops.append(integrated(lambda t, a: [-a[0] / event.recovery_s], [np.deg2rad(80)], dry_s)[0])
        watered[f"trigger:watered_{pot}"] = np.array([now])
        upright.append(now + event.recovery_s * np.log(2))
    return {
        "x": x, "droop": np.stack(droops, axis=1), "upright": happened(upright, t_s),
        "gardener_pot": happened(nearest[1:], t_s), **watered,
    }  # fmt: skip


def ants_carrying(event: AntsCarrying, t_s: Array) -> dict[str, Array]:
    """Ant by ant and round by round: when it is at the heap, and half a loop later at the nest."""
    round_s = 2 * event.half_loop_m / event.speed_m_per_s
    at_heap_s = [
        (ant + 1) / event.num_ants * round_s + turn * round_s
        for turn in range(-(-event.num_crumbs // event.num_ants)) for ant in range(event.num_ants)
    ][: event.num_crumbs]  # fmt: skip
    taken, delivered = happened(at_heap_s, t_s), happened(np.array(at_heap_s) + round_s / 2, t_s)
    return {
        "taken": taken, "delivered": delivered, "heap_left": event.num_crumbs - taken,
        "trigger:heap_gone": np.array([max(at_heap_s)]),
        "trigger:last_delivered": np.array([max(at_heap_s) + round_s / 2]),
    }  # fmt: skip


def elevator_passengers(event: ElevatorPassengers, t_s: Array) -> dict[str, Array]:
    """The lift floor by floor with lists of people: sweeps up and down that end where no call is left.

    Each person's way is a list of times and places, noted as the lift calls.
    """
    trips = event.trips()
    people, places = list(range(len(trips))), [-1] * 4
    waiting, there = Counter[int](), Counter[int]()
    ways: list[list[tuple[float, float]]] = []
    for origin, _ in trips:
        ways.append([(0.0, -0.17 + 0.085 * waiting[origin])])
        waiting[origin] += 1
    floor, step, now, knots = 0, 1, 0.0, [(0.0, 0.0)]
    arrivals, boarded, left = (np.zeros(len(trips)) for _ in range(3))
    while True:
        out = sorted(p for p in places if p >= 0 and trips[p][1] == floor)
        places = [-1 if p in out else p for p in places]
        on = [p for p in people if trips[p][0] == floor][: places.count(-1)]
        for p in out:
            left[p], arrivals[p] = now, now + event.stop_s / 4
            last = 0.46 - 0.085 * there[floor]
            ways[p] += [(now, ways[p][-1][1]), (arrivals[p], -0.26), (now + event.stop_s / 2, last)]
            there[floor] += 1
        for p in on:
            people.remove(p)
            inside = -0.542 + 0.068 * places.index(-1)
            places[places.index(-1)] = p
            boarded[p] = now + event.stop_s
            ways[p] += [(now + event.stop_s / 2, ways[p][0][1]), (now + event.stop_s * 0.75, -0.26)]
            ways[p].append((boarded[p], inside))
        now += event.stop_s if out or on else 0.0
        knots.append((now, floor))
        calls = [trips[p][0] for p in people] + [trips[p][1] for p in places if p >= 0]
        if not calls:
            break
        if all((call - floor) * step <= 0 for call in calls):
            step = -step
        floor, now = floor + step, now + event.floor_s
        knots.append((now, floor))
    cabin = np.interp(t_s, *np.array(knots, dtype=np.float64).T)
    level = np.stack([
        np.select([t_s < boarded[p], t_s > left[p]], [origin, goal], cabin) for p, (origin, goal) in enumerate(trips)
    ], axis=1)  # fmt: skip
    return {
        "cabin": cabin, "level": level, "arrived": happened(arrivals, t_s),
        "x": np.stack([np.interp(t_s, *np.array(way, dtype=np.float64).T) for way in ways], axis=1),
        **{f"trigger:arrived_{p}": np.array([when]) for p, when in enumerate(arrivals)},
    }  # fmt: skip


def four_way_stop(event: FourWayStop, t_s: Array) -> dict[str, Array]:
    """First come, first served with a crossing that is either free or not; ways as areas under the speeds."""
    free_s, ends, ways, starts = 0.0, [], [], {}
    pull = 4 * 0.36 / event.crossing_s**2
    for i in range(event.num_cars):
        arrives = 0.3 + i * event.gap_s
        start = max(free_s, arrives + 0.4)
        free_s = start + event.crossing_s
        knots = [arrives - 0.7, arrives, start, free_s]
        fine = np.unique([*t_s, *knots])
        speed = np.interp(fine, knots, [0.7 * pull, 0.0, 0.0, event.crossing_s * pull])
        way = cumulative_trapezoid(speed, fine, initial=0.0)
        ways.append(np.clip(way[np.searchsorted(fine, t_s)] - way[np.searchsorted(fine, arrives)], -0.5, 1.22))
        starts[f"trigger:start_{i}"] = np.array([start])
        ends.append(free_s)
    return {"way": np.stack(ways, axis=1), "cleared": happened(ends, t_s), **starts}


def idm_platoon(event: IdmPlatoon, t_s: Array) -> dict[str, Array]:
    """Speeds and gaps instead of places, integrated by scipy from green on."""
    n, am = event.num_cars, event.acceleration_m_per_s2

    def driven(t: float, y: Array) -> Array:
        v, gap = y[:n], y[n : 2 * n - 1]
        wished = 2 + v[1:] * event.headway_s + v[1:] * (v[1:] - v[:-1]) / (2 * np.sqrt(2 * am))
        held = np.concatenate([[0.0], (wished / gap) ** 2])
        return np.concatenate([am * (1 - (v / event.wanted_m_per_s) ** 4 - held), v[:-1] - v[1:], v[:1]])

    run = integrated(driven, [0.0] * n + [2.0] * (n - 1) + [-1.0], np.maximum(t_s - event.green_s, 0.0))
    x = np.vstack([run[-1], run[-1] - np.cumsum(run[n:-1] + 4.5, axis=0)])
    return {"x": x.T, "v": run[:n].T, "second_car_x": np.minimum(x[1], 11.5),
            "trigger:green": np.array([event.green_s])}  # fmt: skip


def vehicle_gate(event: VehicleGate, t_s: Array) -> dict[str, Array]:
    """The van from its squared speed over the way: v^2 = 2 a s (Torricelli); times from mean speeds, stage by stage."""
    v, rate = event.speed_m_per_s, event.rate_rad_per_s
    brake_m, pull_m = v * v / 1.8, v * v / 1.4
    sensed = (event.start_m - event.sensor_m) / v
    halted = (event.start_m - 0.85 - brake_m) / v + 2 * brake_m / v
    off = max(halted, sensed + np.deg2rad(75) / rate)
    passed = off + 2 * pull_m / v + (1.2 + 0.85 - pull_m) / v
    knots_s = np.cumsum([0, (event.start_m - 0.85 - brake_m) / v, 2 * brake_m / v])
    knots_s = np.append(knots_s, off + np.cumsum([0, 2 * pull_m / v, (2.85 - pull_m - brake_m) / v, 2 * brake_m / v]))
    fine = np.unique(np.concatenate([t_s, knots_s]))
    speed = np.interp(fine, knots_s, [v, v, 0, 0, v, v, 0])
    x = -event.start_m + np.concatenate([[0], np.cumsum(np.diff(fine) * (speed[1:] + speed[:-1]) / 2)])
    high = np.deg2rad(85)
    arm_s = {"sensed": sensed, "arm_up": sensed + high / rate, "arm_starts_down": passed,
             "arm_down": passed + high / rate}  # fmt: skip
    arm = np.interp(t_s, list(arm_s.values()), [0, high, high, 0])
    return {
        "x": x[np.searchsorted(fine, t_s)], "angle": arm, "trigger:parked": np.array(knots_s[-1]),
        **{f"trigger:{name}": np.array(when) for name, when in arm_s.items()},
        "trigger:halted": np.array(halted), "trigger:off": np.array(off), "trigger:passed": np.array(passed),
    }  # fmt: skip


def vacuum_robot(event: VacuumRobot, t_s: Array) -> dict[str, Array]:
    """Area of the union of the rectangles that a square of one lane sweeps: cells between all edges, counted once."""
    length, lanes = event.room_m - 0.32, event.num_lanes
    path = np.array([(x * length, 0.32 * k) for k in range(lanes) for x in ((0, 1) if k % 2 == 0 else (1, 0))])
    areas = []
    for t in t_s:
        left = t * event.speed_m_per_s * event.time_scale
        boxes: list[list[float]] = []
        for a, b in itertools.pairwise(path):
            way = float(np.abs(b - a).sum())
            end = a + (b - a) * np.clip(left / way, 0.0, 1.0)
            if left > 0 or not boxes:
                boxes.append([*(np.minimum(a, end) - 0.16), *(np.maximum(a, end) + 0.16)])
            left -= way
        corners = np.array(boxes)
        xs, ys = (np.unique(np.round(corners[:, axis::2], 12)) for axis in (0, 1))
        x, y = np.meshgrid((xs[1:] + xs[:-1]) / 2, (ys[1:] + ys[:-1]) / 2)
        inside = [(x > x0) & (x < x1) & (y > y0) & (y < y1) for x0, y0, x1, y1 in boxes]
        areas.append(float((np.any(inside, axis=0) * np.outer(np.diff(ys), np.diff(xs))).sum()))
    way = float(np.abs(np.diff(path, axis=0)).sum())
    return {
        "cleaned": np.array(areas) / (0.32 * lanes * event.room_m),
        "trigger:done": np.array([way / event.speed_m_per_s / event.time_scale]),
    }


def bee_tour(event: BeeTour, t_s: Array) -> dict[str, Array]:
    """The whole table of distances, columns struck out one by one."""
    bed = np.vstack([[-0.6, -0.4], flower_bed(event.num_flowers, event.seed)])
    away = np.hypot(*(bed[:, None] - bed[None]).transpose(2, 0, 1))
    here, now, arrivals = 0, 0.0, []
    p = np.tile(bed[0], (len(t_s), 1))
    for _ in range(event.num_flowers):
        away[:, here] = np.inf
        nearest = int(away[here].argmin())
        leg_s = away[here, nearest] / event.speed_m_per_s
        p += np.outer(eased(t_s, now, leg_s), bed[nearest] - bed[here])
        now += leg_s
        arrivals.append(now)
        here, now = nearest, now + event.dwell_s
    return {
        "p": p, "bee_x": p[:, 0], "visited": happened(arrivals, t_s),
        **{f"trigger:flower_{k}": np.array([when]) for k, when in enumerate(arrivals)},
    }  # fmt: skip


def snail_on_wall(event: SnailOnWall, t_s: Array) -> dict[str, Array]:
    """Day after day until it is on top: a broken line through evenings and mornings."""
    now, h, knots = 0.0, 0.0, [(0.0, 0.0)]
    while True:
        climbed = h + event.climb_m_per_s * event.day_s
        if climbed >= 0.36:
            top_s = now + (0.36 - h) / event.climb_m_per_s
            break
        knots.append((now + event.day_s, climbed))
        now, h = now + event.day_s + event.night_s, climbed - event.slip_m_per_s * event.night_s
        knots.append((now, h))
    times, heights = zip(*knots, (top_s, 0.36), strict=True)
    return {"h": np.interp(t_s, times, heights), "trigger:on_top": np.array(top_s)}


def table_setting(event: TableSetting, t_s: Array) -> dict[str, Array]:
    """Item by item; the robot is nearer to the next seat from the middle of its drive on."""
    steps = np.arange(3 * event.num_seats)
    drives = [(3 * j + 0.3) * event.step_s for j in range(1, event.num_seats)]
    placed = np.cumsum(np.full(len(steps), event.step_s))
    return {
        "placed": happened((steps + 1) * event.step_s, t_s), "seat": happened(drives, t_s), **named("placed", placed)
    }  # fmt: skip


REFERENCES: Mapping[str, Reference] = {
    "robot_arm_pick_place": robot_arm_pick_place,
    "mouse_in_maze": mouse_in_maze,
    "ants_carrying": ants_carrying,
    "elevator_passengers": elevator_passengers,
    "cat_laser_dot": cat_laser_dot,
    "queue_advancing": queue_advancing,
    "four_way_stop": four_way_stop,
    "idm_platoon": idm_platoon,
    "pedestrian_route": pedestrian_route,
    "vehicle_gate": vehicle_gate,
    "boids_flock": boids_flock,
    "vacuum_robot": vacuum_robot,
    "bee_tour": bee_tour,
    "block_stacking_gripper": block_stacking_gripper,
    "snail_on_wall": snail_on_wall,
    "table_setting": table_setting,
    "gardener_watering": gardener_watering,
}
