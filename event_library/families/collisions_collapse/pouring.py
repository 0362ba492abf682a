"""Balls that pile up in a box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts, rigid
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap
from event_library.families.collisions_collapse.looking import nothing_seen, parts_seen
from event_library.kit import palette, vessels
from event_library.kit.copies import copies, copies_channels, copy_centres, grain
from event_library.laws import started
from event_library.parts import Assembly, Part
from event_library.readouts import pixel_pitch_m
from event_library.taxonomy import facts

BOX_M = (0.20, 0.12)
TALL_M = 0.20
FLOOR_M = 0.012
LANES_M = ((-0.066, -0.022, 0.022, 0.066), (-0.026, 0.026))  # x and y of the chute's mouths, used in turn
START_M = 0.31  # height of a ball's middle when it is let go, inside the chute
MOUTH_M = 0.225
JITTER_M = 0.0015
DENSITY_KG_PER_M3 = 900.0
FRICTION = 0.4
CALM_S = 0.5  # physical, after the last ball has been let go
NUM_BANDS = 7  # across the front glass, of which each gives one height
BANDED = 7 / 9  # share of the front that they cover: the bars of the box hide its ends
HUES = (palette.RED, palette.YELLOW, palette.BLUE, palette.GREEN, palette.PINK)


@dataclass(frozen=True, kw_only=True)
class BallsPouring(Event):
    """Balls let go one by one fall into a box (MuJoCo, 2 ms), in slow motion: tau = time_scale t."""

    info = facts("balls_pouring")
    variables = (
        state("poses", "mixed", 0.003, domain="field", label="position and quaternion of each ball"),
        state("count", "count", 0.0, domain="count", flags="monotone bounded", label="balls let go"),
        readout("fill_height", "m", 0.012, min_delta=0.026, label="height of the balls along the front glass"),
    )
    accept_rules = (("the balls fit into the box", lambda e: e.num_balls * e.ball_radius_m**3 <= 70 * 0.019**3),)

    num_balls: int = param("N", "count", 55, 70)
    rate_per_s: float = param("rate", "1/s", 8, 11)
    ball_radius_m: float = param("rb", "m", 0.018, 0.020)
    time_scale: float = param("time_scale", "s/s", 0.34, 0.44)
    seed: int = seed_param()

    def release_ticks(self) -> Array:
        """[N] ticks of the bake at which the balls are let go; the first at once."""
        return np.round(np.arange(self.num_balls) / self.rate_per_s * self.time_scale / rigid.STEP_S).astype(np.int64)

    def bake(self) -> rigid.Bake:
        num, r, ticks = int(self.num_balls), self.ball_radius_m, self.release_ticks()
        rng = np.random.Generator(np.random.PCG64(int(self.seed)))
        lanes = rng.permutation(np.stack(np.meshgrid(*LANES_M), axis=-1).reshape(-1, 2))
        jitter = rng.uniform(-JITTER_M, JITTER_M, (num, 2))
        places = np.column_stack([np.resize(lanes, (num, 2)) + jitter, np.full(num, START_M - FLOOR_M)])
        wall, mass = 0.03, DENSITY_KG_PER_M3 * 4 / 3 * np.pi * r**3
        (x, y), high = BOX_M, 0.6
        walls = [rigid.static_box((wall, y + 2 * wall, high), (s * (x + wall) / 2, 0, high / 2)) for s in (-1, 1)]
        walls += [rigid.static_box((x + 2 * wall, wall, high), (0, s * (y + wall) / 2, high / 2)) for s in (-1, 1)]
        waiting = [rigid.free_ball(r, (2 + 0.1 * i, 2, START_M - FLOOR_M), mass, asleep=True) for i in range(num)]
        model = rigid.world([*walls, *waiting], FRICTION, cone="pyramidal")
        releases = [rigid.Release(int(ticks[i]), i, places[i], np.zeros(3)) for i in range(num)]
        made = rigid.run(model, np.zeros(model.nv), int(ticks[-1]) + round(CALM_S / rigid.STEP_S), releases)
        made.poses[..., 2] += FLOOR_M
        return made

    @property
    def allowed_overlap_m(self) -> float:
        return 0.4 * self.ball_radius_m

    def states(self, t_s: Array) -> dict[str, Array]:
        tau = started(t_s) * self.time_scale
        poses = rigid.baked(self).at(tau)
        out = tau[:, None] >= self.release_ticks() * rigid.STEP_S
        poses[~out, :3] = [0.0, 0.0, START_M]  # wait in the chute
        fill = np.array([self._surface_m(p[o, :3]) for p, o in zip(poses, out, strict=True)])
        return {"poses": poses, "count": out.sum(axis=1).astype(np.float64), "fill_height": fill}

    def triggers(self) -> dict[str, float]:
        return {"last_let_go": float(self.release_ticks()[-1]) * rigid.STEP_S / self.time_scale}

    @property
    def slice_m(self) -> float:
        """The upright plane, half a radius behind the front glass, in which the height of the pile is taken."""
        return self.ball_radius_m / 2 - BOX_M[1] / 2

    def _surface_m(self, centres_m: Array) -> float:
        """Mean over bands of x of the height, above the floor, of the highest ball in the slice."""
        spots = np.linspace(-0.5, 0.5, 8 * NUM_BANDS + 1)[1::2, None] * BANDED * BOX_M[0]
        away2 = (spots - centres_m[:, 0]) ** 2 + (self.slice_m - centres_m[:, 1]) ** 2
        lift = np.sqrt(np.maximum(self.ball_radius_m**2 - away2, 0.0))
        tops = np.where((away2 < self.ball_radius_m**2) & (centres_m[:, 2] < TALL_M), centres_m[:, 2] + lift, FLOOR_M)
        bands = tops.max(axis=1, initial=FLOOR_M).reshape(NUM_BANDS, -1).max(axis=1)
        return float(bands.mean()) - FLOOR_M

    def assembly(self) -> Assembly:
        ball = grain(self.ball_radius_m, 30)
        waiting = np.tile([0.0, 0.0, START_M], (int(self.num_balls), 1))
        flocks = [
            copies(f"balls_{k + 1}", ball, waiting[rows], palette.paint(rgb, 0.25), smooth_angle_deg=180)
            for k, (rgb, rows) in enumerate(zip(HUES, self._flocks(), strict=True))
        ]
        x, y = 0.21, 0.09
        chute = [parts.block((x, 0.006, 0.15), (0, s * y / 2, MOUTH_M)) for s in (-1, 1)]
        chute += [parts.block((0.006, y, 0.15), (s * x / 2, 0, MOUTH_M)) for s in (-1, 1)]
        chute += [parts.block((x, y, 0.01), (0, 0, MOUTH_M + 0.15))]
        posts = [parts.block((0.016, 0.016, MOUTH_M + 0.1), (s * 0.118, 0.075, 0)) for s in (-1, 1)]
        arms = [parts.block((0.016, 0.05, 0.016), (s * 0.112, 0.055, MOUTH_M + 0.06)) for s in (-1, 1)]
        return Assembly(
            parts=(
                *flocks,
                *vessels.square_tank("box", BOX_M, TALL_M, floor_m=FLOOR_M),
                Part("chute", parts.join(*chute), palette.STEEL),
                Part("stand", parts.join(*posts, *arms), palette.DARK),
            )
        )

    def _flocks(self) -> list[slice]:
        """Numbers of the balls of each colour."""
        return [slice(k, None, len(HUES)) for k in range(len(HUES))]

    def channels(self, state: State) -> ChannelMap:
        ball = grain(self.ball_radius_m, 30)
        found: dict[str, tuple[Channel, ...]] = {}
        for k, rows in enumerate(self._flocks()):
            poses = state["poses"][rows]
            found |= copies_channels(f"balls_{k + 1}", ball, poses[:, :3], poses[:, 3:])
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        ball = grain(self.ball_radius_m, 30)
        centres = np.vstack([copy_centres(meshes[f"balls_{k + 1}"], ball) for k in range(len(HUES))])
        away = np.linalg.norm(centres - [0.0, 0.0, START_M], axis=1)
        return {"fill_height": self._surface_m(centres[away > 1e-9])}

    def measure(self, view: View) -> dict[str, float]:
        """Mean over bands of x of the highest point seen before the slice; nothing there: the floor."""
        if nothing_seen(view):
            return {"fill_height": float("nan")}
        points, areas = parts_seen(view, [f"balls_{k + 1}" for k in range(len(HUES))])
        rows = (points[:, 1] <= self.slice_m) & (points[:, 2] < TALL_M)
        points = points[rows]
        above = 0.9 * pixel_pitch_m(areas[rows]) if rows.any() else 0.0  # a round top is cut by both rows and slice
        band = np.floor((points[:, 0] / BOX_M[0] / BANDED + 0.5) * NUM_BANDS).astype(np.int64)
        tops = [(points[band == k, 2] + above).max(initial=FLOOR_M) for k in range(NUM_BANDS)]
        return {"fill_height": float(np.mean(tops)) - FLOOR_M}
