"""Small workers: ants between crumbs and nest, a bee from flower to flower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap, Colour
from event_library.families.agents_intent.measuring import axes_m, figure_points_m, named, unseen
from event_library.figures import animals, plants
from event_library.figures.rig import baked
from event_library.kit import copies, furniture, shapes
from event_library.kit.palette import DARK, PORCELAIN, SAND, WHITE, paint
from event_library.kit.shapes import at
from event_library.laws import ease, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import linear_rgb
from event_library.taxonomy import facts

ANT_M = 0.082
CRUMB_M = 0.015  # radius
GROUND_M = 0.01
HAND_OVER_S = 0.3  # a crumb's way from the heap into the jaws, from the jaws into the hole
NUM_KNOTS = 720
PLATE_M = 0.115  # radius
LAWN = Material(rgb=(0.20, 0.36, 0.10), roughness=0.95)
CRUMB = Material(rgb=(0.85, 0.62, 0.25), roughness=0.9)
MEADOW = Material(rgb=(0.10, 0.33, 0.05), roughness=0.95, pattern=Pattern("checker", (0.13, 0.38, 0.07), 0.12))

MEADOW_M = (1.2, 0.8)
FLOWER_M = 0.20
LONG, WIDE = 0.47, 0.34  # of petals, in heights of the flower
BEE_M = 0.18
BESIDE_M = at(0.0, 0.10, 0.28)  # the bee's middle against the foot of the flower that it is at
HOP_M = 0.10
BEATS_PER_S = 9.0
FULL_RGB, EMPTY_RGB = (0.95, 0.55, 0.01), (0.10, 0.035, 0.012)


@lru_cache(maxsize=8)
def _unit_loop() -> Array:
    """[NUM_KNOTS + 1, 2] ellipse of length 1 from its left end counter-clockwise: home along the front."""
    turn = np.pi + 2 * np.pi * np.arange(NUM_KNOTS + 1) / NUM_KNOTS
    ellipse = np.column_stack([np.cos(turn), 0.55 * np.sin(turn)])
    return ellipse / shapes.length_m(ellipse)


@dataclass(frozen=True, kw_only=True)
class AntsCarrying(Event):
    """M ants in file on a loop of 2 La, each takes a crumb as it passes the heap: taken = floor(M v t / (2 La))."""

    info = facts("ants_carrying")
    variables = (
        state("rounds", "count", 0.02, flags="monotone", label="rounds of each ant"),
        state("taken", "count", 0.0, domain="count", flags="monotone bounded", label="crumbs taken"),
        state("delivered", "count", 0.0, domain="count", flags="monotone bounded", label="crumbs in the nest"),
        readout("heap_left", "count", 1.0, min_delta=2, domain="count", flags="monotone bounded",
                label="crumbs in the heap"),
    )  # fmt: skip
    accept_rules = (("0.8 to 1.8 crumbs a second", lambda e: 0.8 <= e.speed_m_per_s / e.spacing_m <= 1.8),)

    num_ants: int = param("M", "count", 5, 7)
    speed_m_per_s: float = param("v", "m/s", 0.07, 0.13)
    half_loop_m: float = param("La", "m", 0.28, 0.34)
    num_crumbs: int = param("N0", "count", 12, 18)

    @property
    def spacing_m(self) -> float:
        return 2 * self.half_loop_m / self.num_ants

    def states(self, t_s: Array) -> dict[str, Array]:
        way = self.speed_m_per_s * started(t_s)
        most = float(self.num_crumbs)
        taken = np.minimum(np.floor(way / self.spacing_m), most)
        delivered = np.clip(np.floor((way - self.half_loop_m) / self.spacing_m), 0.0, most)
        return {
            "rounds": way / (2 * self.half_loop_m),
            "taken": taken,
            "delivered": delivered,
            "heap_left": most - taken,
        }

    def triggers(self) -> dict[str, float]:
        last_m = self.num_crumbs * self.spacing_m
        return {
            "heap_gone": last_m / self.speed_m_per_s,
            "last_delivered": (last_m + self.half_loop_m) / self.speed_m_per_s,
        }

    def _on_loop(self, way_m: float) -> tuple[Array, float]:
        """Place [2] and heading at an arc length of the loop, 0 beside the heap."""
        loop = 2 * self.half_loop_m * _unit_loop()
        behind, here, before = shapes.along(loop, (way_m + np.array([-0.006, 0.0, 0.006])) % (2 * self.half_loop_m))
        return here, float(np.arctan2(before[1] - behind[1], before[0] - behind[0]))

    def _ant(self, j: int, way_m: float) -> tuple[Array, float]:
        """Ant j reaches the heap after (j + 1) spacings."""
        return self._on_loop(way_m - (j + 1) * self.spacing_m)

    @property
    def _ends_x_m(self) -> tuple[float, float]:
        """Middle of the plate of crumbs, and of the nest."""
        reach = 2 * self.half_loop_m * float(_unit_loop()[:, 0].max())
        return -reach - PLATE_M - 0.045, reach + 0.075

    def _heap_m(self) -> Array:
        """[N0, 3] places of the crumbs on their plate; those nearest to the trail go first."""
        spots = copies.scattered_positions(self.num_crumbs, 0.86 * PLATE_M, 3)
        spots = spots[np.argsort(-spots[:, 0])]
        return spots + at(self._ends_x_m[0], 0.0, GROUND_M + 0.012 + CRUMB_M)

    def _crumbs(self, way_m: float) -> tuple[Array, Array]:
        """[N0, 3] places and [N0] scales of all crumbs."""
        places, scales = self._heap_m(), np.ones(self.num_crumbs)
        glide_m = HAND_OVER_S * self.speed_m_per_s
        hole = at(self._ends_x_m[1], 0.0, 0.05)
        for k in range(self.num_crumbs):
            since = way_m - (k + 1) * self.spacing_m
            if since < 0:
                continue
            place, heading = self._ant(k % self.num_ants, way_m)
            jaws = animals.ant_load_m(ANT_M, (*place, GROUND_M), heading)
            home = since - self.half_loop_m
            places[k] += float(ease(np.asarray(since / glide_m))) * (jaws - places[k])
            if home > 0:
                share = float(ease(np.asarray(home / glide_m)))
                places[k] += share * (hole - places[k])
                scales[k] = 1 - share
        return places, scales

    def assembly(self) -> Assembly:
        heap_x, nest_x = self._ends_x_m
        trail = parts.lathe(np.array([(0.90, 0.0), (0.90, 0.0012), (1.10, 0.0012), (1.10, 0.0)]), 72)
        widest = 2 * self.half_loop_m * np.abs(_unit_loop()).max(axis=0)
        trail.apply_scale((widest[0], widest[1], 1.0))
        profile = np.array([(0.085, 0.0), (0.07, 0.02), (0.035, 0.05), (0.022, 0.055), (0.018, 0.045), (0.0, 0.04)])
        middle, length = (heap_x + nest_x) / 2, nest_x - heap_x + PLATE_M + 0.13
        return Assembly((
            *(part for j in range(self.num_ants) for part in animals.ant(f"ant{j}", ANT_M)),
            copies.copies("crumbs", _crumb(), self._heap_m(), CRUMB, smooth_angle_deg=20),
            furniture.plate("plate", PLATE_M + 0.02, (heap_x, 0.0, GROUND_M), PORCELAIN, rim_m=0.012),
            Part("nest", parts.moved(parts.lathe(profile, 28), nest_x, 0.0, GROUND_M), SAND, smooth_angle_deg=40),
            Part("hole", parts.moved(parts.cylinder(0.019, 0.003, 20), nest_x, 0.0, GROUND_M + 0.043), DARK),
            Part("trail", parts.moved(trail, z_m=GROUND_M), paint((0.72, 0.58, 0.36), 0.95)),
            Part("ground", parts.block((length, 2.5 * PLATE_M, GROUND_M), (middle, 0, 0)), LAWN),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        way = float(state["rounds"]) * 2 * self.half_loop_m
        channels: dict[str, tuple[Channel, ...]] = {}
        for j in range(self.num_ants):
            place, heading = self._ant(j, way)
            phase = way / animals.insect_stride_m(ANT_M) + 0.3 * j
            channels |= animals.ant_channels(f"ant{j}", ANT_M, (*place, GROUND_M), heading, phase)
        places, scales = self._crumbs(way)
        return {**channels, **copies.copies_channels("crumbs", _crumb(), places, scales=scales)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        off = np.linalg.norm(copies.copy_centres(meshes["crumbs"], _crumb()) - self._heap_m(), axis=1)
        return {"heap_left": float((off < 1e-9).sum())}

    def measure(self, view: View) -> dict[str, float]:
        """Crumbs of which something is seen at their places on the plate."""
        if unseen(view, "plate"):
            return {"heap_left": float("nan")}
        points, heap = view.points_m["crumbs"], self._heap_m()
        if len(points) == 0:
            return {"heap_left": 0.0}
        nearest = copies.nearest_copies(points, heap)
        close = np.linalg.norm(points - heap[nearest], axis=1) < 1.05 * CRUMB_M
        return {"heap_left": float(len(np.unique(nearest[close])))}


@lru_cache(maxsize=1)
def _crumb() -> trimesh.Trimesh:
    return parts.sphere(CRUMB_M, 1)


@lru_cache(maxsize=256)
def flower_bed(num_flowers: int, seed: int) -> Array:
    """[n, 2] flowers at least 0.23 m apart, dart by dart."""
    rng = np.random.Generator(np.random.PCG64(seed))
    bed = [np.array([-1.0, -1.0])]
    while len(bed) <= num_flowers:
        dart = rng.uniform(-0.5, 0.5, 2) * MEADOW_M
        if min(np.linalg.norm(dart - place) for place in bed) >= 0.23:
            bed.append(dart)
    return np.array(bed[1:])


@dataclass(frozen=True, kw_only=True)
class BeeTour(Event):
    """Nearest-neighbour foraging: on to the nearest flower still full (leg d / v, eased), then td there."""

    info = facts("bee_tour")
    variables = (
        state("p", "m", 0.03, domain="vector", label="place over the meadow"),
        state("heading", "rad", 0.2, domain="angle", cycle=2 * np.pi, label="direction of flight"),
        state("hop", "frac", 0.1, flags="bounded", label="height of flight, 0 at a flower"),
        state("beats", "count", 0.1, flags="monotone", label="wing beats"),
        state("emptied", "count", 0.0, domain="field", label="whether each flower has been visited"),
        readout("visited", "count", 0.0, min_delta=2, domain="count", flags="monotone bounded", label="brown flowers"),
        readout("bee_x", "m", 0.05, label="bee across the meadow"),
    )
    accept_rules = (("no choice between flowers is nearly tied", lambda e: e.closest_call_m >= 0.01),)

    num_flowers: int = param("n", "count", 7, 10, default=7)
    speed_m_per_s: float = param("v", "m/s", 0.45, 0.75)
    dwell_s: float = param("td", "s", 0.3, 0.5)
    seed: int = seed_param()

    def tour(self) -> tuple[tuple[int, ...], float]:
        """The order of the flowers, and by how much the nearest choice was nearer than the next."""
        bed, here = flower_bed(self.num_flowers, self.seed), -np.array(MEADOW_M) / 2
        left, order, closest = list(range(self.num_flowers)), [], np.inf
        while left:
            away = np.linalg.norm(bed[left] - here, axis=1)
            nearest = np.sort(away)[:2]
            closest = min(closest, float(np.ptp(nearest)) if len(nearest) > 1 else np.inf)
            order.append(left.pop(int(away.argmin())))
            here = bed[order[-1]]
        return tuple(order), closest

    @property
    def closest_call_m(self) -> float:
        return self.tour()[1]

    def _stops(self) -> tuple[Array, Array]:
        """[n + 1, 2] places from the corner on, and [n] arrivals."""
        stops = np.vstack([-np.array(MEADOW_M) / 2, flower_bed(self.num_flowers, self.seed)[list(self.tour()[0])]])
        legs_s = np.linalg.norm(np.diff(stops, axis=0), axis=1) / self.speed_m_per_s
        return stops, np.cumsum(legs_s + self.dwell_s) - self.dwell_s

    def triggers(self) -> dict[str, float]:
        return {f"flower_{k}": float(a) for k, a in enumerate(self._stops()[1])}

    def states(self, t_s: Array) -> dict[str, Array]:
        t, (stops, arrivals) = started(t_s), self._stops()
        steps = np.diff(stops, axis=0)
        legs_s = np.linalg.norm(steps, axis=1) / self.speed_m_per_s
        u = np.clip((t[:, None] - arrivals + legs_s) / legs_s, 0.0, 1.0)
        p = stops[0] + ease(u) @ steps
        leg = np.minimum((u > 0).sum(axis=1).clip(1) - 1, len(steps) - 1)
        been = t[:, None] >= arrivals
        emptied = np.zeros_like(u)
        emptied[:, list(self.tour()[0])] = been
        return {
            "p": p, "heading": np.arctan2(steps[leg, 1], steps[leg, 0]) % (2 * np.pi),
            "hop": np.sin(np.pi * u).sum(axis=1), "beats": BEATS_PER_S * t, "emptied": emptied,
            "visited": been.sum(axis=1).astype(np.float64), "bee_x": p[:, 0].copy(),
        }  # fmt: skip

    def assembly(self) -> Assembly:
        flowers: list[Part] = []
        for k, (x, y) in enumerate(flower_bed(self.num_flowers, self.seed)):
            one = plants.flower(f"f{k}", FLOWER_M, WHITE, 8, LONG, WIDE, FULL_RGB, 0.24)
            turn = plants.flower_channels(
                f"f{k}", FLOWER_M, (x, y, GROUND_M), -np.pi / 2, face_rad=0.45, petal_long=LONG, petal_wide=WIDE
            )
            flowers += baked(one, turn)
        x, y = MEADOW_M
        return Assembly((
            *animals.bee("bee", BEE_M), *flowers,
            Part("meadow", parts.block((x + 0.2, y + 0.2, GROUND_M), (0, 0, 0)), MEADOW),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        place = np.append(np.asarray(state["p"]), 0.0) + BESIDE_M + at(0.0, 0.0, HOP_M * float(state["hop"]))
        beats = float(state["beats"])
        place[2] += 0.004 * float(np.sin(2 * np.pi * beats / 5))
        bee = animals.bee_channels("bee", BEE_M, place, float(state["heading"]), beats)
        spent = np.asarray(state["emptied"])
        centres = {
            f"f{k}_centre": (Colour(np.array(EMPTY_RGB if spent[k] else FULL_RGB)),) for k in range(self.num_flowers)
        }
        return {**bee, **centres}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        pose = axes_m(named(self.assembly().parts)["bee_body"], meshes["bee_body"])
        return {"bee_x": float(pose[3, 0]), "heading": float(np.arctan2(pose[0, 1], pose[0, 0]))}

    def measure(self, view: View) -> dict[str, float]:
        """The darkest pixel of a brown centre is much darker than the white petals round it."""
        if unseen(view, *(f"f{k}_petals" for k in range(self.num_flowers))):
            return {"visited": float("nan")}
        visited = 0
        for k in range(self.num_flowers):
            centre, petals = view.rgb[f"f{k}_centre"], view.rgb[f"f{k}_petals"]
            if len(centre) and len(petals):
                visited += bool(linear_rgb(centre)[:, 0].min() < 0.55 * np.median(linear_rgb(petals)[:, 0]))
        bee = figure_points_m(view, "bee")
        return {"visited": float(visited)} | ({"bee_x": float(bee[:, 0].mean())} if len(bee) else {})
