"""People on foot: a walk across a square, a round with the watering can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, Vertices
from event_library.families.agents_intent.measuring import figure_points_m, named, origin_m, standing_m
from event_library.families.agents_intent.routes import heading_rad
from event_library.figures import furniture, people, plants
from event_library.figures.people import PersonLook
from event_library.figures.rig import frame, placed, turned
from event_library.kit import shapes, streams
from event_library.kit.palette import CLAY, RED, WATER, YELLOW, paint
from event_library.kit.shapes import at
from event_library.laws import ease, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.taxonomy import facts

FEET_TOGETHER = 0.3  # share of a stride

WALKER_M = 1.8
SQUARE_M = (5.2, 4.2)
PAVING_M = 0.02
PAVING = Material(rgb=(0.50, 0.47, 0.42), roughness=0.9, pattern=Pattern("checker", (0.44, 0.41, 0.37), 0.6))

GARDENER_M = 0.84
PITCH_M = 0.42  # between pots: one whole stride
BEHIND_M = 0.36  # the gardener walks behind the pots
POT_M, PLANT_M = 0.20, 0.44
LIMP_RAD = float(np.deg2rad(80))
UPRIGHT_RAD = float(np.deg2rad(40))
LEAD_S = 0.4
CAN = 1.35  # size of the can
RING = 8  # vertices of one ring of a stem


@dataclass(frozen=True, kw_only=True)
class PedestrianRoute(Event):
    """A walk at constant speed with one rest: s = v t up to the bench at sb, there for tp, then s = v (t - tp)."""

    info = facts("pedestrian_route")
    variables = (
        state("s", "m", 0.1, flags="monotone bounded", label="way walked"),
        readout("way", "m", 0.5, min_delta=1.5, flags="monotone bounded", label="way along the path"),
    )
    accept_rules = (
        ("the path is 7 to 10 m long", lambda e: 7 <= shapes.length_m(e.path_m) <= 10),
        ("the bench stands clear of the path", lambda e: e.bench_clearance_m >= 0.45),
    )

    speed_m_per_s: float = param("v", "m/s", 1.1, 1.5)
    bench_way_m: float = param("sb", "m", 2.6, 4.4, default=3.9)
    pause_s: float = param("tp", "s", 0.7, 1.2)
    seed: int = seed_param()

    @property
    def path_m(self) -> Array:
        """[4, 2] from the fountain to the gate: to the front, to the back, to the front."""
        draw = np.random.Generator(np.random.PCG64(self.seed)).uniform
        return np.array([
(-1.9, 0.8), (draw(-1.4, -0.4), draw(-1.6, -1.1)), (draw(0.3, 1.1), draw(0.9, 1.5)), (2.2, draw(-1.5, -0.6))
        ])  # fmt: skip

    @property
    def _bench(self) -> tuple[Array, float]:
        """Where the bench stands beside the path, and its heading towards it."""
        along = heading_rad(self.path_m, self.bench_way_m, 0.5)
        away = np.array([-np.sin(along), np.cos(along)])
        if away[1] < 0:
            away = -away
        place = shapes.along(self.path_m, np.array([self.bench_way_m]))[0] + 0.62 * away
        return place, float(np.arctan2(-away[1], -away[0]))

    @property
    def bench_clearance_m(self) -> float:
        path = shapes.resampled(self.path_m, 200)
        return float(np.linalg.norm(path - self._bench[0], axis=1).min())

    def states(self, t_s: Array) -> dict[str, Array]:
        t, reached_s = started(t_s), self.bench_way_m / self.speed_m_per_s
        walked = np.minimum(t, reached_s) + np.maximum(t - reached_s - self.pause_s, 0.0)
        s = np.minimum(self.speed_m_per_s * walked, shapes.length_m(self.path_m))
        return {"s": s, "way": s.copy()}

    def triggers(self) -> dict[str, float]:
        bench_s = self.bench_way_m / self.speed_m_per_s
        arrives_s = shapes.length_m(self.path_m) / self.speed_m_per_s + self.pause_s
        return {"at_bench": bench_s, "walks_on": bench_s + self.pause_s, "arrives": arrives_s}

    def assembly(self) -> Assembly:
        place, heading = self._bench
        legs = [
            parts.join(
                shapes.turned(
                    parts.block((float(np.linalg.norm(b - a)), 0.34, 0.008), (0, 0, 0)), (0.0, 0.0, 1.0),
                    float(np.arctan2(*(b - a)[::-1])),
                ).apply_translation((*(a + b) / 2, PAVING_M)),
                parts.cylinder(0.17, 0.0095, 20).apply_translation((*b, PAVING_M)),
            )
            for a, b in zip(self.path_m[:-1], self.path_m[1:], strict=True)
        ]  # fmt: skip
        x, y = -1.9, 1.5
        basin = parts.moved(parts.ring(0.42, 0.54, 0.32, 0.02), x, y, PAVING_M)
        bowl = parts.lathe(np.array([(0.0, 0.7), (0.1, 0.72), (0.27, 0.84), (0.27, 0.87), (0.0, 0.87)]), 24)
        column = parts.moved(parts.join(parts.cylinder(0.08, 0.75, 16), bowl), x, y, PAVING_M)
        arc = shapes.bezier(np.array([(0.0, 0.0, 0.86), (0.2, 0.0, 1.5), (0.38, 0.0, 0.25)]), 10)
        jets = [shapes.turned(shapes.swept(arc, 0.025, 8), (0.0, 0.0, 1.0), k * np.pi / 3) for k in range(6)]
        water = parts.moved(parts.join(parts.cylinder(0.42, 0.24, 32), *jets), x, y, PAVING_M)
        gate_y = float(self.path_m[-1, 1])
        pillars = [parts.block((0.24, 0.24, 2.1), (2.40, gate_y + side * 0.55, PAVING_M)) for side in (-1, 1)]
        lintel = parts.block((0.32, 1.5, 0.22), (2.40, gate_y, 2.1))
        stone = paint((0.42, 0.40, 0.38), 0.9)
        return Assembly((
            *people.person("walker", WALKER_M, PersonLook((0.03, 0.22, 0.60), (0.10, 0.10, 0.12), hat_rgb=RED)),
            *furniture.bench("bench", 1.2, at_m=(*place, PAVING_M), heading_rad=heading),
            Part("square", parts.block((*SQUARE_M, PAVING_M), (0.0, 0.0, 0.0)), PAVING),
            Part("path", parts.join(*legs), paint((0.75, 0.55, 0.25), 0.9)),
            Part("basin", parts.join(basin, column), stone),
            Part("water", water, paint(WATER.rgb, 0.15), smooth_angle_deg=40),
            Part("gate", parts.join(*pillars, lintel), paint((0.30, 0.09, 0.05), 0.8)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        s, path = float(state["s"]), self.path_m
        x, y = shapes.along(path, np.array([s]))[0]
        at_bench = abs(s - self.bench_way_m) < 1e-9
        rests = at_bench or s > shapes.length_m(path) - 1e-9
        heading = heading_rad(path, s, 0.25)
        towards = float((self._bench[1] + np.pi - heading + np.pi) % (2 * np.pi) - np.pi)
        return people.person_channels(
            "walker", WALKER_M, (x, y, PAVING_M + 0.008), heading,
            None if rests else s / people.stride_length_m(WALKER_M),
            head_yaw_rad=float(np.clip(towards, -1.2, 1.2)) if at_bench else 0.0,
        )  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        trunk = named(self.assembly().parts)["walker_torso"]
        return {"s": shapes.arc_length_m(self.path_m, origin_m(trunk, meshes["walker_torso"])[:2])}

    def measure(self, view: View) -> dict[str, float]:
        place = standing_m(view.points_m["walker_torso"], view.eye_m, 0.2)
        return {"way": float("nan") if np.isnan(place).any() else shapes.arc_length_m(self.path_m, place)}


@dataclass(frozen=True, kw_only=True)
class GardenerWatering(Event):
    """Pot i is watered at w_i = 0.4 + i (tw + tp) + tp; its plant stands up: droop 80 deg exp(-(t - w_i) / tr)."""

    info = facts("gardener_watering")
    variables = (
        state("x", "m", 0.05, flags="monotone bounded", label="place of the gardener along the row"),
        state("droop", "rad", 0.1, domain="vector", flags="bounded", label="bend of each plant"),
        state("pouring", "frac", 0.1, flags="bounded", label="tilt of the can"),
        readout("upright", "count", 1.0, min_delta=2, domain="count", flags="monotone bounded",
                label="plants less than 40 deg bent"),
        readout("gardener_pot", "index", 1.0, domain="discrete", flags="monotone bounded", label="pot it is at"),
    )  # fmt: skip

    num_pots: int = param("n", "count", 4, 5, default=5)
    walk_s: float = param("tw", "s", 0.5, 0.8)
    pour_s: float = param("tp", "s", 0.5, 0.7)
    recovery_s: float = param("tr", "s", 0.6, 1.1)

    def watered_s(self) -> Array:
        """[n] end of each pour."""
        return LEAD_S + np.arange(self.num_pots) * (self.walk_s + self.pour_s) + self.pour_s

    def triggers(self) -> dict[str, float]:
        return {f"watered_{i}": float(w) for i, w in enumerate(self.watered_s())}

    def states(self, t_s: Array) -> dict[str, Array]:
        t, watered = started(t_s)[:, None], self.watered_s()
        arrives = watered - self.pour_s
        legs = ease((t - arrives[1:] + self.walk_s) / self.walk_s).sum(axis=1)
        x = PITCH_M * (legs - 0.5 * (1 - ease(t[:, 0] / LEAD_S)))
        since = np.clip((t - arrives) / self.pour_s, 0.0, 1.0)
        tilt = np.minimum(np.minimum(since, 1 - since) * 4, 1.0).max(axis=1)
        droop = LIMP_RAD * np.exp(-np.maximum(t - watered, 0.0) / self.recovery_s)
        return {
            "x": x, "droop": droop, "pouring": tilt,
            "upright": (droop < UPRIGHT_RAD).sum(axis=1).astype(np.float64),
            "gardener_pot": np.maximum(np.floor(x / PITCH_M + 0.5), 0.0),
        }  # fmt: skip

    def _pot_m(self, i: int) -> tuple[float, float, float]:
        return (i - (self.num_pots - 1) / 2) * PITCH_M, 0.0, 0.02

    def assembly(self) -> Assembly:
        made: list[Part] = []
        for i in range(self.num_pots):
            made += plants.pot(f"pot{i}", POT_M, at_m=self._pot_m(i))
            made += plants.plant(f"plant{i}", PLANT_M)
        spout = parts.join(
            shapes.rod((0.0, -0.05, -0.09), (0.0, -0.17, 0.0), 0.011, 10),
            shapes.swept(np.array([(0.0, -0.165, 0.0), (0.0, -0.185, 0.012)]), np.array([0.014, 0.028]), 12),
        )
        knots = np.array([(0.0, 0.05, -0.06), (0.0, 0.09, 0.04), (0.0, -0.06, 0.04), (0.0, -0.05, -0.03)])
        handle = shapes.swept(shapes.bezier(knots, 12), 0.009, 8)
        can = parts.join(parts.moved(shapes.cone(0.06, 0.11, 0.052, 24), 0.0, 0.0, -0.13), spout, handle)
        can.apply_scale(CAN)
        look = PersonLook((0.10, 0.35, 0.12), (0.05, 0.10, 0.35), hat_rgb=(0.80, 0.55, 0.20))
        length = PITCH_M * self.num_pots
        return Assembly((
            *people.person("gardener", GARDENER_M, look),
            *made, Part("can", can, paint(YELLOW), carries=True, smooth_angle_deg=40), streams.jet("water"),
            Part("shelf", parts.block((length, 0.26, 0.02), (0, 0, 0)), CLAY),
            Part("lawn", parts.block((length + 0.25, 0.7, 0.01), (-0.05, 0.2, 0)), paint((0.14, 0.34, 0.06), 0.95)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        x, tilt = float(state["x"]), float(state["pouring"])
        left = self._pot_m(0)[0]
        hand = at(left + x, 0.24, 0.48)
        can = frame(hand) @ turned((1, 0, 0), 0.75 * tilt)
        spout = (can @ np.array([0.0, -0.185 * CAN, 0.012 * CAN, 1.0]))[:3]
        stands = abs(x / PITCH_M - round(x / PITCH_M)) < 1e-9
        channels = people.person_channels(
            "gardener", GARDENER_M, (left + x, BEHIND_M, 0.01), 0.0, None if stands else x / PITCH_M + FEET_TOGETHER,
            hands_m=(None, hand), head_yaw_rad=-0.7,
        )  # fmt: skip
        for i, droop in enumerate(np.asarray(state["droop"])):
            px, py, pz = self._pot_m(i)
            channels |= plants.plant_channels(
                f"plant{i}", PLANT_M, (px, py, pz + 0.88 * POT_M), wilt_rad=float(droop), sway_rad=0.45 * float(droop)
            )
        soil = self._pot_m(0)[2] + 0.88 * POT_M
        pour = streams.falling_jet_channels("water", 1e-4, tuple(spout), soil, running=tilt > 0.9)
        return {**channels, "can": placed(can), **pour}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        """The droop of a plant is the bend of the last piece of its stem."""
        bends = []
        for i in range(self.num_pots):
            rings = np.asarray(meshes[f"plant{i}_stem"].vertices)[10 * RING : 12 * RING].reshape(2, RING, 3)
            dx, _, dz = rings[1].mean(axis=0) - rings[0].mean(axis=0)
            bends.append(np.arctan2(dx, dz))
        trunk = named(self.assembly().parts)["gardener_torso"]
        x = origin_m(trunk, meshes["gardener_torso"])[0] - self._pot_m(0)[0]
        return {"x": float(x), "upright": float(np.sum(np.array(bends) < UPRIGHT_RAD))}

    def measure(self, view: View) -> dict[str, float]:
        """A plant is upright when its leaves hang less to the right than those of one bent by 40 deg would."""
        bent = plants.plant_channels("p", PLANT_M, (0, 0, 0), wilt_rad=UPRIGHT_RAD, sway_rad=0.45 * UPRIGHT_RAD)
        limit = float(next(c.vertices_m for c in bent["p_leaves"] if isinstance(c, Vertices))[:, 0].mean())
        leans = [view.points_m[f"plant{i}_leaves"][:, 0] - self._pot_m(i)[0] for i in range(self.num_pots)]
        if not any(map(len, leans)):
            return {"upright": float("nan")}
        gardener = figure_points_m(view, "gardener")
        pot = round(float(gardener[:, 0].mean() - self._pot_m(0)[0]) / PITCH_M) if len(gardener) else np.nan
        return {
            "upright": float(sum(len(x) > 0 and x.mean() < limit for x in leans)),
            "gardener_pot": float(np.maximum(pot, 0.0)),
        }
