"""A zigzag marble run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate, quaternion_about
from event_library.kit import palette
from event_library.kit.shapes import at, rod
from event_library.laws import GRAVITY_M_PER_S2, ease, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import sphere_centre_m
from event_library.taxonomy import facts

BALL_M = 0.052  # radius of the marble as it is drawn
PITCH_M = 0.155  # from one track to the next
TURN_S = 0.15  # of the drop to the next track
FLAG_S = 0.3  # in which a flag swings down
FLOOR_M = 0.05  # lowest point of the marble's middle above the foot, less its radius

STRIPED = Material(rgb=palette.RED, roughness=0.2, pattern=Pattern("stripes", palette.WHITE, 0.05))


@dataclass(frozen=True, kw_only=True)
class MarbleRun(Event):
    """A ball rolls without slipping, a = (5/7) g sin(theta), on track after track; a turn leaves it the share rho."""

    info = facts("marble_run")
    variables = (
        state("along", "count", 0.1, flags="monotone bounded", label="tracks run, with the share of the present one"),
        state("drop", "ratio", 0.02, flags="bounded", label="share of the drop to the next track, 0 on a track"),
        state("flags", "rad", 0.1, domain="vector", label="how far the flag at the end of each track has swung"),
        readout("progress", "count", 0.3, min_delta=0.9, flags="monotone bounded", label="tracks run"),
    )

    num_tracks: int = param("n", "count", 4, 5)
    length_m: float = param("Ls", "m", 0.5, 0.6)
    slope_rad: float = angle_param("theta", 2.4, 4.0)
    kept_ratio: float = param("rho", "ratio", 0.25, 0.45)

    def legs(self) -> Array:
        """[n, 3] start of each track's run [s], entry speed [m/s] and time on it [s]."""
        pull, rows, begin, speed = 5 / 7 * GRAVITY_M_PER_S2 * np.sin(self.slope_rad), [], 0.0, 0.0
        for _ in range(int(self.num_tracks)):
            end_speed = float(np.sqrt(speed**2 + 2 * pull * self.length_m))
            rows.append((begin, speed, (end_speed - speed) / pull))
            begin, speed = begin + rows[-1][2] + TURN_S, self.kept_ratio * end_speed
        return np.array(rows)

    def triggers(self) -> dict[str, float]:
        return {f"end_of_track_{k + 1}": float(begin + time) for k, (begin, _, time) in enumerate(self.legs())}

    def states(self, t_s: Array) -> dict[str, Array]:
        legs, t = self.legs(), started(t_s)
        pull = 5 / 7 * GRAVITY_M_PER_S2 * np.sin(self.slope_rad)
        since = t[:, None] - legs[:, 0]
        u = np.clip(since, 0.0, legs[:, 2])
        shares = np.where(since < legs[:, 2], (legs[:, 1] * u + pull * u**2 / 2) / self.length_m, 1.0)
        past = np.clip((since - legs[:, 2]) / TURN_S, 0.0, 1.0)
        drop = np.where((past > 0) & (past < 1), past, 0.0).sum(axis=1)
        flags = np.pi / 2 * ease((since - legs[:, 2]) / FLAG_S)
        along = shares.sum(axis=1)
        landed = np.where(past[:, -1] >= 1, 1.0, drop)
        return {"along": along, "drop": landed, "flags": flags, "progress": along.copy()}

    # ---- the frame: x along the tracks, tracks fall to the right and to the left in turn
    def place_m(self, track: Array, share: Array) -> Array:
        """[..., 3] the ball's middle at a share of a track (0: top one)."""
        side = np.where(np.asarray(track) % 2 == 0, 1.0, -1.0)
        x = side * self.length_m * (np.asarray(share) - 0.5) * np.cos(self.slope_rad)
        top = FLOOR_M + BALL_M + PITCH_M * (self.num_tracks - np.asarray(track)) - 0.02
        z = top - self.length_m * np.asarray(share) * np.sin(self.slope_rad)
        return np.stack([x, np.zeros_like(x), z], axis=-1)

    def _ball_m(self, along: float, drop: float) -> Array:
        track = min(int(along), self.num_tracks - 1)
        if drop == 0.0:
            return self.place_m(np.array(track), np.array(along - track))
        done = max(round(along), 1)
        top = self.place_m(np.array(done - 1), np.array(1.0))
        below = np.array([top[0], 0.0, FLOOR_M + BALL_M - 0.02])
        if done < self.num_tracks:
            below = self.place_m(np.array(done), np.array(0.0))
        return top + (below - top) * [1.0, 1.0, drop**2] * [drop, 0.0, 1.0]

    def assembly(self) -> Assembly:
        num, half = int(self.num_tracks), self.length_m / 2 + BALL_M + 0.012
        tall = FLOOR_M + PITCH_M * num + 0.13
        rails, flags = [], []
        for k in range(num):
            start, end = self.place_m(np.array([k, k]), np.array([0.0, 1.0]))
            side = 1.0 if k % 2 == 0 else -1.0
            start, end = start - [side * BALL_M, 0, 0], end - [side * 0.9 * BALL_M, 0, 0]
            for y in (-0.55, 0.55):
                down = np.array([0.0, y * BALL_M, -BALL_M * np.sqrt(1 - 0.55**2) - 0.005])
                rails.append(rod(start + down, end + down, 0.006, 10))
            post = (side * (half + 0.02), -0.02, float(end[2]) + 0.01)
            flags.append(Part(f"flag_{k + 1}", self._flag(), palette.paint(palette.HUES[k + 1]), carries=True))
            rails.append(rod((post[0], 0.01, post[2]), (post[0], -0.03, post[2]), 0.008, 10))
        cup_x = (1.0 if num % 2 else -1.0) * self.length_m / 2 * np.cos(self.slope_rad)
        cup = parts.moved(parts.ring(BALL_M + 0.006, BALL_M + 0.016, 0.045, 0.003), float(cup_x), 0.0, 0.03)
        frame = [
            parts.block((2 * half + 0.09, 0.16, 0.03), (0, 0, 0)),
            *(parts.block((0.022, 0.11, tall), (s * (half + 0.011), 0, 0)) for s in (-1, 1)),
        ]
        back = parts.block((2 * half, 0.008, tall - 0.03), (0, BALL_M + 0.012, 0.03))
        return Assembly(
            parts=(
                Part("marble", parts.sphere(BALL_M), STRIPED, carries=True, smooth_angle_deg=60),
                *flags,
                Part("rails", parts.join(*rails), palette.STEEL, smooth_angle_deg=40),
                Part("cup", cup, palette.BRASS, smooth_angle_deg=40),
                Part("frame", parts.join(*frame), palette.WOOD),
                Part("back", back, palette.BOARD),
            )
        )

    @staticmethod
    def _flag() -> trimesh.Trimesh:
        """A paddle that stands up from its pivot."""
        arm = parts.block((0.012, 0.006, 0.05), (0, -0.03, 0))
        return parts.join(arm, parts.block((0.055, 0.008, 0.055), (0, -0.03, 0.045)))

    def channels(self, state: State) -> ChannelMap:
        ball = self._ball_m(float(state["along"]), float(state["drop"]))
        half = self.length_m / 2 + BALL_M + 0.032
        found: dict[str, tuple[Rotate, Move]] = {}
        for k, angle in enumerate(state["flags"]):
            side = 1.0 if k % 2 == 0 else -1.0
            z = float(self.place_m(np.array(k), np.array(1.0))[2]) + 0.01
            turn = quaternion_about((0.0, 1.0, 0.0), side * float(angle))
            found[f"flag_{k + 1}"] = (Rotate(turn), Move(at(side * half, 0.0, z)))
        rolled = quaternion_about((0.0, 1.0, 0.0), float(ball[0]) / BALL_M)
        return found | {"marble": (Rotate(rolled), Move(ball))}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"along": self._along(meshes["marble"].vertices.mean(axis=0))}

    def measure(self, view: View) -> dict[str, float]:
        return {"progress": self._along(sphere_centre_m(view.points_m["marble"]))}

    def _along(self, middle_m: Array) -> float:
        """Tracks run, from where the ball's middle is: the nearest spot of a track, or an end while it falls."""
        if np.isnan(middle_m).any():
            return float("nan")
        share = np.linspace(0.0, 1.0, 4001)
        best, found = np.inf, 0.0
        for track in range(int(self.num_tracks)):
            off = np.linalg.norm(self.place_m(np.full(len(share), track), share) - middle_m, axis=1)
            if off.min() < best:
                best, found = float(off.min()), track + float(share[off.argmin()])
        above = self.place_m(np.arange(float(self.num_tracks)), np.ones(self.num_tracks))
        if best > 0.3 * BALL_M:  # between two tracks
            higher = [k for k in range(int(self.num_tracks)) if above[k, 2] > middle_m[2]]
            found = float(len(higher))
        return found
