"""Agents intent: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import lil_matrix
from scipy.sparse.csgraph import dijkstra

from event_library.families.agents_intent.chases import CatLaserDot
from event_library.families.agents_intent.flocks import BoidsFlock
from event_library.families.agents_intent.grippers import BlockStackingGripper, RobotArmPickPlace
from event_library.families.agents_intent.mazes import MouseInMaze, maze
from event_library.families.agents_intent.queues import QueueAdvancing
from event_library.families.agents_intent.walkers import GardenerWatering, PedestrianRoute
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated


def happened(at_s: Sequence[float] | Array, t_s: Array) -> Array:
    """[T] how many of the events at `at_s` are over at each time."""
    return np.searchsorted(np.sort(np.asarray(at_s)), t_s, side="right").astype(np.float64)


def block_stacking_gripper(event: BlockStackingGripper, t_s: Array) -> dict[str, Array]:
    """Block by block: when it is set down."""
    return {"placed": happened(np.cumsum(np.full(event.num_blocks, event.cycle_s)), t_s)}


def robot_arm_pick_place(event: RobotArmPickPlace, t_s: Array) -> dict[str, Array]:
    """Cube by cube: when it is set down, after reaching, gripping and carrying."""
    return {"moved": happened([(k + 0.25 + 0.1 + 0.35) * event.cycle_s for k in range(event.num_cubes)], t_s)}


def queue_advancing(event: QueueAdvancing, t_s: Array) -> dict[str, Array]:
    """Figure by figure: when its service ends."""
    return {"served": happened(np.cumsum(np.full(event.num_people, event.service_s)), t_s)}


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
    grown = [(start,)]
    while grown[0][-1] != goal:
        grown = [
            (*path, path[-1] + beside[step]) for path in grown for step in range(4)
            if ways[*divmod(path[-1], m), step]
            and steps[path[-1] + beside[step], goal] == steps[path[-1], goal] - 1
        ]  # fmt: skip
    s = np.clip(t_s * event.speed_cells_per_s, 0.0, steps[start, goal] - 0.75)
    return {"s": s, "cell": np.array(grown[0], dtype=np.float64)[np.rint(s).astype(np.int64)]}


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
    """Reynolds' rules in complex numbers, pair by pair, integrated by scipy."""
    n = event.num_birds
    p0, v0 = (half[:, 0] + 1j * half[:, 1] for half in event.start())

    def flown(t: float, y: Array) -> Array:
        p, v = y[:n] + 1j * y[n : 2 * n], y[2 * n : 3 * n] + 1j * y[3 * n :]
        leader = event.circle_m * np.exp(1j * (event.rate_rad_per_s * t + event.start_rad))
        a = 2 * (leader - p) + 0.5 * (v.mean() - v) - (v - 1j * event.rate_rad_per_s * leader)
        for k in range(1, n):
            gap = p - np.roll(p, k)
            a = a + 0.14 * gap * np.exp(-(np.abs(gap) ** 2) / 0.5**2) / (np.abs(gap) ** 2 + 0.08**2)
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
    return {"s": np.interp(t_s, times, [0.0, event.bench_way_m, event.bench_way_m, whole])}


def gardener_watering(event: GardenerWatering, t_s: Array) -> dict[str, Array]:
    """Pot by pot: to it, pour; half its droop is gone tr ln 2 later."""
    now, upright, nearest = 0.4 - event.walk_s, [], []
    for _ in range(event.num_pots):
        nearest.append(now + event.walk_s / 2)
        now += event.walk_s + event.pour_s
        upright.append(now + event.recovery_s * np.log(2))
    return {"upright": happened(upright, t_s), "gardener_pot": happened(nearest[1:], t_s)}


REFERENCES: Mapping[str, Reference] = {
    "robot_arm_pick_place": robot_arm_pick_place,
    "mouse_in_maze": mouse_in_maze,
    "cat_laser_dot": cat_laser_dot,
    "queue_advancing": queue_advancing,
    "pedestrian_route": pedestrian_route,
    "boids_flock": boids_flock,
    "block_stacking_gripper": block_stacking_gripper,
    "gardener_watering": gardener_watering,
}
