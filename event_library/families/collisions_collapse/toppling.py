"""A tower that is pushed over, a wall that is knocked down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts, rigid
from event_library.base import Array, Event, State, View, angle_param, param, readout, seed_param, state
from event_library.channels import ChannelMap, Move, Rotate, quaternion_about
from event_library.families.collisions_collapse.looking import highest_m, nothing_seen
from event_library.kit import palette
from event_library.kit.copies import rotation_matrices
from event_library.kit.shapes import rod, turned
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts

# ---- the tower
SIDE_M = 0.05
BEVEL_M = 0.004
WOOD_KG_PER_M3 = 600.0
POST_M = 0.19  # the rod's post behind the tower
ROD_M, ROD_THICK_M = 0.25, 0.011  # length and radius of the rod
ROD_KG = 2.0
SWEEP_RAD = 1.5  # how far the rod turns on after it reaches the tower, up to a stop
TOWER_HORIZON_S = 3.2  # physical

# ---- the wall
BRICK_M = (0.10, 0.05, 0.05)
BRICK_KG_PER_M3 = 1200.0
CONCRETE_KG_PER_M3 = 2100.0
PAD_M = 0.008  # thickness of the slab under the wall
HIT_M = 0.2  # height of the ball's middle at its lowest
HEADING_RAD = math.radians(50)  # of the swing: away from the viewer and to the right
WALL_HORIZON_S = 2.4  # physical
IN_PLACE_M = 0.025


@dataclass(frozen=True, kw_only=True)
class BlockTowerTopple(Event):
    """A heavy rod turning freely on a post pushes a tower over (MuJoCo, 2 ms), in slow motion: tau = time_scale t."""

    info = facts("block_tower_topple")
    variables = (
        state("poses", "mixed", 0.003, domain="field", label="position and quaternion of the rod and of each block"),
        state("on_floor", "count", 2.0, domain="count", label="blocks that touch the floor"),
        readout("tower_height", "m", 0.05, min_delta=0.13, label="top of the highest block"),
    )
    accept_rules = (("the rod starts within 140 degrees of the tower", lambda e: e.swing_rad <= 2.44),)

    num_blocks: int = param("n", "count", 7, 10)
    hit_s: float = param("t_hit", "s", 1.5, 2.2)
    rod_speed_m_per_s: float = param("v_rod", "m/s", 0.25, 0.5)
    friction: float = param("mu", "ratio", 0.4, 0.7)
    time_scale: float = param("time_scale", "s/s", 0.3, 0.45)
    seed: int = seed_param()

    @property
    def swing_rad(self) -> float:
        """By how much the rod turns until it reaches the tower."""
        return self.rod_speed_m_per_s / POST_M * self.hit_s * self.time_scale

    @property
    def touch_rad(self) -> float:
        """Heading of the rod when it reaches the tower's left rear edge (-90 degrees: towards the viewer)."""
        x, y = -SIDE_M / 2, SIDE_M / 2 - POST_M
        return math.atan2(y, x) - math.asin(ROD_THICK_M / math.hypot(x, y))

    @property
    def rod_height_m(self) -> float:
        return (math.ceil(0.7 * self.num_blocks) - 0.5) * SIDE_M

    def triggers(self) -> dict[str, float]:
        return {"rod_reaches_tower": self.hit_s}

    def bake(self) -> rigid.Bake:
        start, rate = self.touch_rad - self.swing_rad, self.rod_speed_m_per_s / POST_M
        jitter = np.random.Generator(np.random.PCG64(int(self.seed))).uniform(-0.003, 0.003, (int(self.num_blocks), 2))
        blocks = [
            rigid.free_box((SIDE_M,) * 3, (x, y, (k + 0.5) * SIDE_M), WOOD_KG_PER_M3) for k, (x, y) in enumerate(jitter)
        ]
        arm = (
            f'<body pos="0 {POST_M} {self.rod_height_m}" euler="0 0 {start:.9f}">'
            f'<joint type="hinge" axis="0 0 1" limited="true" range="-0.1 {self.swing_rad + SWEEP_RAD:.9f}"'
            ' solreflimit="0.01 1"/>'
            f'<geom type="capsule" fromto="0.03 0 0 {ROD_M} 0 0" size="{ROD_THICK_M}" mass="{ROD_KG}"/></body>'
        )
        model = rigid.world([arm, *blocks], self.friction, damping=1.2)
        qvel = np.zeros(model.nv)
        qvel[0] = rate
        return rigid.run(model, qvel, round(TOWER_HORIZON_S / rigid.STEP_S))

    @property
    def allowed_overlap_m(self) -> float:
        return 0.15 * SIDE_M

    def states(self, t_s: Array) -> dict[str, Array]:
        poses = rigid.baked(self).at(started(t_s) * self.time_scale)
        corners = np.asarray(_block().vertices)
        turns = rotation_matrices(poses[:, 1:, 3:].reshape(-1, 4)).reshape(len(poses), -1, 3, 3)
        heights = np.einsum("tnj,vj->tnv", turns[..., 2, :], corners) + poses[:, 1:, None, 2]
        return {
            "poses": poses,
            "on_floor": (heights.min(axis=2) < 0.1 * SIDE_M).sum(axis=1).astype(np.float64),
            "tower_height": heights.max(axis=(1, 2)),
        }

    def assembly(self) -> Assembly:
        post = parts.join(
            parts.moved(parts.cylinder(0.013, self.rod_height_m + 0.04, 20), 0, POST_M),
            parts.moved(parts.cylinder(0.06, 0.012, 32), 0, POST_M),
        )
        arm = parts.join(
            rod((0, 0, 0), (ROD_M, 0, 0), ROD_THICK_M, 16), parts.moved(parts.cylinder(0.022, 0.05, 20), z_m=-0.025)
        )
        return Assembly(
            parts=(
                Part("rod", arm, palette.BRASS, carries=True, smooth_angle_deg=40),
                *(
                    Part(name, _block(), palette.paint(palette.HUES[k % 5], 0.45), carries=True)
                    for k, name in enumerate(self._blocks())
                ),
                Part("post", post, palette.STEEL, smooth_angle_deg=40),
            )
        )

    def _blocks(self) -> list[str]:
        return [f"block_{k + 1}" for k in range(int(self.num_blocks))]

    def channels(self, state: State) -> ChannelMap:
        names = ["rod", *self._blocks()]
        return {name: (Rotate(pose[3:]), Move(pose[:3])) for name, pose in zip(names, state["poses"], strict=True)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"tower_height": max(float(meshes[name].bounds[1, 2]) for name in self._blocks())}

    def measure(self, view: View) -> dict[str, float]:
        return {"tower_height": highest_m(view, self._blocks())}


def _block() -> trimesh.Trimesh:
    return parts.bevelled_box((SIDE_M,) * 3, BEVEL_M)


@dataclass(frozen=True, kw_only=True)
class WreckingBall(Event):
    """A ball on a rigid chain swings into a dry brick wall (MuJoCo, 2 ms), in slow motion: tau = time_scale t."""

    info = facts("wrecking_ball")
    variables = (
        state("poses", "mixed", 0.003, domain="field", label="position and quaternion of the pendulum and each brick"),
        state("ball_side", "index", 0.0, domain="discrete", label="1 once the ball is past the wall's front"),
        readout(
            "bricks_in_place", "ratio", 0.15, min_delta=0.3, label="share of the bricks within 2.5 cm of their start"
        ),
    )
    accept_rules = (("the ball arrives after 1.3 to 2.8 s", lambda e: 1.3 <= e.arrival_s <= 2.8),)

    chain_m: float = param("Lc", "m", 0.6, 0.85)
    ball_kg: float = param("mb", "kg", 3.0, 6.0)
    release_rad: float = angle_param("th0", 40, 65)
    num_bricks_wide: int = param("nx", "count", 5, 7)
    num_bricks_high: int = param("ny", "count", 6, 8)
    time_scale: float = param("time_scale", "s/s", 0.22, 0.34)
    seed: int = seed_param()

    @property
    def arrival_s(self) -> float:
        """A quarter of the period, to second order in the angle."""
        quarter = np.pi / 2 * np.sqrt(self.chain_m / GRAVITY_M_PER_S2) * (1 + self.release_rad**2 / 16)
        return float(quarter / self.time_scale)

    @property
    def ball_radius_m(self) -> float:
        return float((3 * self.ball_kg / (4 * np.pi * CONCRETE_KG_PER_M3)) ** (1 / 3))

    @property
    def wall_m(self) -> float:
        """From the ball at its lowest to the middle of the wall, along the swing."""
        return self.ball_radius_m + BRICK_M[1] / 2

    def bricks(self) -> Array:
        """[n, 4] length, then middle (x, y, z), of every brick: running bond, half bricks at the ends of odd rows."""
        rng = np.random.Generator(np.random.PCG64(int(self.seed)))
        wide, rows = int(self.num_bricks_wide), []
        for row in range(int(self.num_bricks_high)):
            lengths = [1.0] * wide if row % 2 == 0 else [0.5, *[1.0] * (wide - 1), 0.5]
            ends = np.cumsum(lengths) * BRICK_M[0]
            for share, end in zip(lengths, ends, strict=True):
                across = end - share * BRICK_M[0] / 2 - wide * BRICK_M[0] / 2
                off = rng.uniform(-0.001, 0.001)
                ahead = self.wall_m + off
                x = ahead * math.sin(HEADING_RAD) + across * math.cos(HEADING_RAD)
                y = ahead * math.cos(HEADING_RAD) - across * math.sin(HEADING_RAD)
                rows.append((share * BRICK_M[0] - 0.0012, x, y, PAD_M + (row + 0.5) * BRICK_M[2]))
        return np.array(rows)

    def bake(self) -> rigid.Bake:
        bricks = [
            rigid.free_box((long, *BRICK_M[1:]), place, BRICK_KG_PER_M3, yaw_rad=-HEADING_RAD, asleep=True)
            for long, *place in self.bricks()
        ]
        pendulum = (  # built hanging; turned about the axis to the left of its heading, it starts behind
            f'<body pos="0 0 {HIT_M + self.chain_m}" quat="{_text(self._tilt(self.release_rad))}">'
            f'<joint type="hinge" axis="{math.cos(HEADING_RAD):.9f} {-math.sin(HEADING_RAD):.9f} 0"/>'
            f'<geom type="sphere" pos="0 0 {-self.chain_m}" size="{self.ball_radius_m}" mass="{self.ball_kg}"/></body>'
        )
        slab = rigid.static_box((9.0, 9.0, 1.0), (0.0, 0.0, PAD_M - 0.5))
        model = rigid.world([slab, pendulum, *bricks], 0.6, floor=False, cone="pyramidal", damping=1.2)
        return rigid.run(model, np.zeros(model.nv), round(WALL_HORIZON_S / rigid.STEP_S))

    @staticmethod
    def _tilt(angle_rad: float) -> Array:
        """Turn that swings the hanging ball back by an angle."""
        return quaternion_about((math.cos(HEADING_RAD), -math.sin(HEADING_RAD), 0.0), -angle_rad)

    @property
    def allowed_overlap_m(self) -> float:
        return 0.35 * BRICK_M[1]

    def states(self, t_s: Array) -> dict[str, Array]:
        poses = rigid.baked(self).at(started(t_s) * self.time_scale)
        off = np.linalg.norm(poses[:, 1:, :3] - self.bricks()[:, 1:], axis=2)
        ball = rotation_matrices(poses[:, 0, 3:]) @ [0.0, 0.0, -self.chain_m]
        ahead = ball @ [math.sin(HEADING_RAD), math.cos(HEADING_RAD), 0.0]
        return {
            "poses": poses,
            "ball_side": (ahead > self.wall_m - BRICK_M[1] / 2).astype(np.float64),
            "bricks_in_place": (off <= IN_PLACE_M).mean(axis=1),
        }

    def triggers(self) -> dict[str, float]:
        return rigid.baked(self).set_going("impact", range(1, 1 + len(self.bricks())), self.time_scale)

    def assembly(self) -> Assembly:
        top, length, r = HIT_M + self.chain_m, self.chain_m, self.ball_radius_m
        links = []
        for k, z in enumerate(np.arange(r + 0.012, length - 0.01, 0.042)):
            link = parts.torus(0.018, 0.006, 12, 6)
            link.apply_scale((1.0, 0.65, 1.0))
            links.append(
                parts.moved(turned(turned(link, (0, 1, 0), np.pi / 2), (0, 0, 1), k % 2 * np.pi / 2), z_m=-length + z)
            )
        ball = parts.join(
            parts.moved(parts.sphere(r), z_m=-length), parts.moved(parts.cylinder(0.022, 0.03), z_m=r - length)
        )
        mast = np.array([-math.cos(HEADING_RAD), math.sin(HEADING_RAD), 0.0]) * 0.5
        crane = parts.join(
            parts.block((0.07, 0.07, top + 0.10), (mast[0], mast[1], 0)),
            rod((*(1.3 * mast)[:2], top + 0.06), (*(-0.08 * mast)[:2], top + 0.06), 0.03, 4),
            rod((*mast[:2], top + 0.24), (*(0.05 * mast)[:2], top + 0.07), 0.008, 6),
            rod((*mast[:2], top + 0.24), (*(1.3 * mast)[:2], top + 0.07), 0.008, 6),
            parts.block((0.05, 0.05, 0.16), (mast[0], mast[1], top + 0.09)),
        )
        weight = parts.block((0.12, 0.12, 0.12), (1.3 * mast[0], 1.3 * mast[1], top - 0.02))
        foot = parts.block((0.24, 0.24, 0.03), (mast[0], mast[1], 0))
        slab = parts.moved(parts.cylinder(0.62, PAD_M, 48), 0.1, 0.1)
        return Assembly(
            parts=(
                Part("ball", ball, palette.IRON, carries=True, smooth_angle_deg=40),
                Part("chain", parts.join(*links), palette.STEEL, carries=True, smooth_angle_deg=60),
                *(
                    Part(name, parts.bevelled_box((long, *BRICK_M[1:]), 0.003), self._clay(k), carries=True)
                    for k, (name, long) in enumerate(zip(self._names(), self.bricks()[:, 0], strict=True))
                ),
                Part("crane", crane, palette.paint(palette.YELLOW), smooth_angle_deg=20),
                Part("weight", parts.join(weight, foot), palette.DARK),
                Part("slab", slab, palette.paint((0.42, 0.41, 0.38), 0.9), smooth_angle_deg=40),
            )
        )

    @staticmethod
    def _clay(number: int) -> parts.Material:
        return palette.paint(((0.50, 0.13, 0.07), (0.62, 0.22, 0.10), (0.42, 0.09, 0.06))[number % 3], 0.8)

    def _names(self) -> list[str]:
        return [f"brick_{k + 1}" for k in range(len(self.bricks()))]

    def channels(self, state: State) -> ChannelMap:
        names = ["ball", *self._names()]
        found = {name: (Rotate(pose[3:]), Move(pose[:3])) for name, pose in zip(names, state["poses"], strict=True)}
        return found | {"chain": found["ball"]}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        start = self.bricks()[:, 1:]
        off = [np.linalg.norm(meshes[n].vertices.mean(axis=0) - at) for n, at in zip(self._names(), start, strict=True)]
        return {"bricks_in_place": float((np.array(off) <= IN_PLACE_M).mean())}

    def measure(self, view: View) -> dict[str, float]:
        """Share of the bricks that are seen with their faces where they were at first."""
        back = rotation_matrices(quaternion_about((0.0, 0.0, 1.0), HEADING_RAD)[None])[0]
        if nothing_seen(view):
            return {"bricks_in_place": float("nan")}
        stay = 0
        for name, (long, *middle) in zip(self._names(), self.bricks(), strict=True):
            beyond = np.abs((view.points_m[name] - middle) @ back.T) - np.array([long, *BRICK_M[1:]]) / 2
            stay += len(beyond) > 0 and float(np.median(np.abs(beyond.max(axis=1)))) < 0.45 * IN_PLACE_M
        return {"bricks_in_place": stay / len(self._names())}


def _text(values: Array) -> str:
    return " ".join(f"{v:.9f}" for v in values)
