"""Solving occluders: where something opaque stands so that all that a target touches is behind it, and its way there.

An occluder stands upright across the camera's view, between the camera and the nearest point of the target's influence
(its body and its shadows, as far as they are in the picture), on whatever supports it there, and comes from outside the
picture.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from scenes.cameras import base_pose, intrinsics
from scenes.errors import Problem
from scenes.framing import duration_s
from scenes.lighting import vec3
from scenes.plan import InterruptionPlan, OccluderPlan, Vec3
from scenes.poses import yaw_pose
from scenes.staging import Staged
from scenes.windows import Request

Array = NDArray[np.float64]
SHARES = (0.6, 0.75, 0.45, 0.32, 0.88, 0.22)  # of the way from the camera to the target, the first that is free
MARGIN = 1.08  # the occluder is so much larger than it needs be
WIDER = 1.03  # the picture counts as so much wider than it is
DIRECTIONS = {"board": ("left", "right", "up"), "curtain": ("left", "right", "up"), "crate": ("left", "right")}
COLOURS: tuple[Vec3, ...] = (
    (0.32, 0.06, 0.07), (0.07, 0.17, 0.35), (0.45, 0.3, 0.14), (0.12, 0.28, 0.2), (0.3, 0.3, 0.32),
)  # fmt: skip
WOODS: tuple[Vec3, ...] = ((0.5, 0.33, 0.17), (0.42, 0.25, 0.12), (0.55, 0.42, 0.25))  # of crates


@dataclass(frozen=True)
class _Frame:
    """Axes of upright planes across the view: x to the right, y away from the camera, z up; origin under the camera."""

    yaw_rad: float
    origin_m: Array  # [3], z = 0

    def local(self, points_m: Array) -> Array:
        """[N, 3] world points in these axes."""
        return (points_m - self.origin_m) @ yaw_pose(self.yaw_rad, np.zeros(3))[:3, :3]

    def world(self, point_m: Array) -> Array:
        return yaw_pose(self.yaw_rad, np.zeros(3))[:3, :3] @ point_m + self.origin_m

    def direction(self, vector_m: Array) -> Array:
        return yaw_pose(self.yaw_rad, np.zeros(3))[:3, :3] @ vector_m


@dataclass(frozen=True)
class Occlusion:
    """One occluder to be solved: request, window, hull [N, 3] to hide, and the boxes [B, 2, 3] of the world's parts."""

    request: Request
    window: InterruptionPlan
    staged: Staged
    influence_m: Array
    boxes_m: Array

    def solve(self, rng: np.random.Generator) -> InterruptionPlan:
        """The window with its occluder. Raises Problem placed at a field of the request."""
        directions = self._directions(rng)
        colours = WOODS if self.request.occluder == "crate" else COLOURS
        rgb = colours[int(rng.integers(len(colours)))]
        too_small: list[tuple[float, float]] = []
        for share in SHARES:
            for direction in directions:
                made = self._placed(share, direction, rgb, too_small)
                if made is not None:
                    return dataclasses.replace(self.window, occluder=made)
        if too_small:
            width_m, height_m = min(too_small)
            raise Problem(
                f"{self.request.size_m} m are too small to hide {self.request.target!r} and its shadow; at least "
                f"[{width_m:.3g}, {height_m:.3g}] m are needed, or leave size_m out",
                ("size_m",),
            )
        raise Problem(
            f"no room for a {self.request.occluder} between the camera and {self.request.target!r}; "
            "move the camera back, take less clutter, or use another kind",
            ("kind",),
        )

    def _directions(self, rng: np.random.Generator) -> list[str]:
        possible = DIRECTIONS[self.request.occluder]
        if self.request.direction is None:
            return [possible[int(i)] for i in rng.permutation(2)]  # from above only when asked for
        if self.request.direction not in possible:
            raise Problem(
                f"a {self.request.occluder} cannot come from there; possible: {', '.join(possible)}", ("direction",)
            )
        return [self.request.direction]

    def _placed(
        self, share: float, direction: str, rgb: Vec3, too_small: list[tuple[float, float]]
    ) -> OccluderPlan | None:
        """The occluder at one place, or None when it cannot be there."""
        frame = self._frame()
        holds = [(pose, frame.local(pose[None, :3, 3])[0]) for pose in self._poses(hold=True)]
        near = min(self._nearest(pose, frame) for pose, _ in holds)
        first = max(eye[1] for _, eye in holds)
        if not np.isfinite(near):
            near = first + self.staged.camera.distance_m  # never in the picture during the window: anywhere will do
        across = first + share * (near - first)
        if across - first < 0.06 * self.staged.camera.distance_m:
            return None
        areas = [area for pose, eye in holds if (area := self._area(pose, eye, frame, across)) is not None]
        if not areas:
            return None
        x0, _, x1, z1 = np.min(areas, axis=0)[:2].tolist() + np.max(areas, axis=0)[2:].tolist()
        middle = frame.world(np.array([(x0 + x1) / 2, across, 0.0]))
        base = self._support_z(middle)
        width, height = MARGIN * (x1 - x0), base + MARGIN * (z1 - base) - base
        if self.request.size_m is not None:
            if self.request.size_m[0] < x1 - x0 or self.request.size_m[1] < z1 - base:
                too_small.append((float(x1 - x0) * 1.001, float(z1 - base) * 1.001))
                return None
            width, height = self.request.size_m
        thick = 0.05 * min(width, height) if self.request.occluder != "crate" else 0.3 * (near - across)
        rest = np.array([(x0 + x1) / 2, across - thick / 2, base])
        enter, leave = self._ways(frame, direction, across, rest, width, height)
        placed = OccluderPlan(
            kind=self.request.occluder,
            size_m=(float(width), float(thick), float(height)),
            location_m=vec3(frame.world(rest)),
            yaw_rad=frame.yaw_rad,
            enter_m=vec3(frame.direction(enter)),
            exit_m=vec3(frame.direction(leave)),
            rgb=rgb,
        )
        return placed if self._free(frame, rest, placed.size_m, (enter, leave)) else None

    # ---- geometry of the view
    def _poses(self, *, hold: bool) -> list[Array]:
        window = self.window
        times = np.linspace(window.hidden_from_s, window.hidden_to_s, 5) if hold else [window.out_s, window.back_s]
        return [base_pose(self.staged.camera, float(t), duration_s(self.staged.clip)) for t in times]

    def _frame(self) -> _Frame:
        pose = self._poses(hold=True)[2]
        forward = pose[:2, 2]
        return _Frame(float(np.arctan2(-forward[0], forward[1])), np.array([pose[0, 3], pose[1, 3], 0.0]))

    def _tangents(self) -> tuple[float, float]:
        k = intrinsics(self.staged.camera, self.staged.clip)
        return WIDER * k[0, 2] / k[0, 0], WIDER * k[1, 2] / k[1, 1]

    def _nearest(self, pose: Array, frame: _Frame) -> float:
        """Least y (in the frame) of the hull's part that is in the picture; inf when none is. A linear programme."""
        seen = (self.influence_m - pose[:3, 3]) @ pose[:3, :3]
        tan_h, tan_v = self._tangents()
        x, y, z = seen.T
        sides = np.stack([x - tan_h * z, -x - tan_h * z, y - tan_v * z, -y - tan_v * z])
        n = len(seen)
        found = linprog(
            frame.local(self.influence_m)[:, 1],
            A_ub=sides,
            b_ub=np.zeros(4),
            A_eq=np.ones((1, n)),
            b_eq=[1.0],
            bounds=(0, None),
        )
        return float(found.fun) if found.status == 0 else float("inf")

    def _area(self, pose: Array, eye: Array, frame: _Frame, across: float) -> Array | None:
        """[x0, z0, x1, z1] on the plane y = across that hides the hull from this eye; None: it has no end there.

        Points beside or behind the eye count as the whole picture.
        """
        tan_h, tan_v = self._tangents()
        corners = np.array([[u, v, 1.0] for u in (-tan_h, tan_h) for v in (-tan_v, tan_v)]) @ pose[:3, :3].T
        rays = frame.local(corners + frame.origin_m)
        if rays[:, 1].min() <= 0.05:
            return None
        picture = eye + rays * ((across - eye[1]) / rays[:, 1])[:, None]
        points = frame.local(self.influence_m)
        ahead = points[:, 1] - eye[1]
        if ahead.min() <= 1e-3:
            area = picture
        else:
            area = eye + (points - eye) * ((across - eye[1]) / ahead)[:, None]
        low = np.maximum(area.min(axis=0), picture.min(axis=0))[[0, 2]]
        high = np.minimum(area.max(axis=0), picture.max(axis=0))[[0, 2]]
        return np.concatenate([low, high]) if (high > low).all() else None

    # ---- the way in and out
    def _ways(
        self, frame: _Frame, direction: str, across: float, rest: Array, width: float, height: float
    ) -> tuple[Array, Array]:
        """Where it comes from and where it goes, relative to its rest, in the frame's axes: just out of the picture."""
        tan_h, tan_v = self._tangents()
        reach = []
        for pose in self._poses(hold=False):
            eye = frame.local(pose[None, :3, 3])[0]
            corners = np.array([[u, v, 1.0] for u in (-tan_h, tan_h) for v in (-tan_v, tan_v)]) @ pose[:3, :3].T
            rays = frame.local(corners + frame.origin_m)
            far = eye + rays * ((across - eye[1]) / np.maximum(rays[:, 1], 0.05))[:, None]
            reach.append((far[:, 0].min(), far[:, 0].max(), far[:, 2].max()))
        left = min(r[0] for r in reach) - rest[0] - 0.56 * width
        right = max(r[1] for r in reach) - rest[0] + 0.56 * width
        up = max(r[2] for r in reach) - rest[2] + 0.05 * height
        ways = {"left": np.array([left, 0, 0]), "right": np.array([right, 0, 0]), "up": np.array([0, 0, up])}
        opposite = {"left": "right", "right": "left"}.get(direction, direction)
        return ways[direction], ways[opposite if self.request.occluder == "crate" else direction]

    def _support_z(self, middle_m: Array) -> float:
        """Height of what lies under the occluder's middle: a table, a floor (things that stand there don't count)."""
        low, high = self.boxes_m[:, 0], self.boxes_m[:, 1]
        under = (
            (low[:, :2] <= middle_m[:2]).all(axis=1) & (high[:, :2] >= middle_m[:2]).all(axis=1) & (high[:, 2] < 0.02)
        )
        return float(high[under, 2].max()) if under.any() else float(min(low[:, 2].min(), 0.0))

    def _free(self, frame: _Frame, rest: Array, size_m: Vec3, ways: tuple[Array, Array]) -> bool:
        """Whether its whole way is clear of events and of the world (what it stands on aside)."""
        half = np.array([size_m[0] / 2, size_m[1] / 2])
        stops = np.array([rest, rest + ways[0], rest + ways[1]])
        low = np.array([*(stops[:, :2].min(axis=0) - half), rest[2] + 0.01 * size_m[2]])
        high = np.array([*(stops[:, :2].max(axis=0) + half), stops[:, 2].max() + size_m[2]])
        boxes = np.concatenate([self.boxes_m, [found.box_m for found in self.staged.occupancies.values()]])
        return not any(_meet(frame, low, high, box) for box in boxes)


def _meet(frame: _Frame, low: Array, high: Array, box_m: Array) -> bool:
    """Whether an upright box [low, high] in the frame's axes and an axis-aligned box of the world overlap.

    Separating axes of two rectangles in plan, and the heights.
    """
    if box_m[1, 2] <= low[2] or box_m[0, 2] >= high[2]:
        return False
    plan = np.array([[x, y, 0.0] for x in box_m[:, 0] for y in box_m[:, 1]])
    local = frame.local(plan)[:, :2]
    if (local.max(axis=0) <= low[:2]).any() or (local.min(axis=0) >= high[:2]).any():
        return False
    swept = np.array([frame.world(np.array([x, y, 0.0])) for x in (low[0], high[0]) for y in (low[1], high[1])])[:, :2]
    return not ((swept.max(axis=0) <= box_m[0, :2]).any() or (swept.min(axis=0) >= box_m[1, :2]).any())
