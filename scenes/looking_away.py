"""Solving look-aways: how far the camera turns or goes until nothing of an event, nor its shadows, is in sight."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.cameras import base_pose, looked_away
from scenes.errors import Problem
from scenes.framing import duration_s, out_of_sight
from scenes.lighting import vec3
from scenes.plan import InterruptionPlan
from scenes.staging import Staged
from scenes.windows import Request

Array = NDArray[np.float64]
PREFERRED_TURN_DEG = 115.0  # far enough that nothing the event reflects reaches what is seen instead
PREFERRED_TURN_EMITTER_DEG = 150.0
PREFERRED_PITCH_DEG = 75.0
STEEPEST_DEG = 80.0  # the camera never looks further up or down than this
FURTHEST_SHIFT = 8.0  # times the camera's distance
MARGIN_RAD = np.deg2rad(4.0)  # the influence box stays so far outside the picture
DIRECTIONS = {"yaw": ("left", "right"), "pitch": ("up", "down"), "translate": ("left", "right", "up")}


@dataclass(frozen=True)
class LookAway:
    """One look-away to be solved: its request and window, the hull [N, 3] to hide, and what stands in the way."""

    request: Request
    window: InterruptionPlan
    staged: Staged
    influence_m: Array
    boxes_m: Array  # [B, 2, 3] of the world's parts

    def solve(self, rng: np.random.Generator) -> InterruptionPlan:
        """The window with its motion. Raises Problem placed at a field of the request."""
        directions = self._directions(rng)
        wanted = [way for direction in directions for way in self._wanted(direction)]
        for way in wanted:
            if self._hides(way) and self._free(way):
                return way
        least = [w for d in directions if (w := next(self._least(d), None)) is not None]
        request, name = self.request, self.request.target
        if not least:
            ways = " or ".join(directions)
            raise Problem(
                f"no {request.motion} of the camera to the {ways} hides {name!r} and its shadow; "
                "move the camera back, narrow fov_deg, or use another kind or motion",
                ("direction",) if request.direction is not None else ("kind",),
            )
        if request.motion == "translate" and request.shift_m is not None:
            need_m = min(float(np.linalg.norm(way.shift_m)) for way in least)
            if any(self._hides(way) for way in wanted):
                raise Problem(
                    f"something stands in the camera's way within {request.shift_m:.3g} m; {need_m:.3g} m are free and "
                    f"hide {name!r}, or leave shift_m out",
                    ("shift_m",),
                )
            raise Problem(
                f"{request.shift_m:.3g} m do not hide {name!r} and its shadow; at least {need_m:.3g} m do, "
                "or leave shift_m out",
                ("shift_m",),
            )
        if request.motion != "translate" and request.turn_rad is not None:
            need_deg = np.ceil(np.rad2deg(min(abs(way.turn_rad) for way in least)))
            raise Problem(
                f"{np.rad2deg(request.turn_rad):.0f} deg do not hide {name!r} and its shadow; at least "
                f"{need_deg:.0f} deg do, or leave turn_deg out",
                ("turn_deg",),
            )
        return least[0]

    def _directions(self, rng: np.random.Generator) -> list[str]:
        possible = DIRECTIONS[self.request.motion]
        if self.request.direction is None:
            return [possible[int(i)] for i in rng.permutation(len(possible))]
        if self.request.direction not in possible:
            raise Problem(
                f"the camera cannot {self.request.motion} {self.request.direction}; "
                f"possible: {', '.join(possible)}, or another motion",
                ("direction",),
            )
        return [self.request.direction]

    def _wanted(self, direction: str) -> Iterator[InterruptionPlan]:
        """The way asked for, or the preferred one."""
        request = self.request
        if request.motion == "translate":
            if request.shift_m is not None:
                yield self._shifted(direction, request.shift_m)
        elif request.turn_rad is not None:
            yield self._turned(direction, request.turn_rad)
        else:
            emits = any(event.info.emits_light for event in self.staged.events.values())
            far = PREFERRED_TURN_EMITTER_DEG if emits else PREFERRED_TURN_DEG
            degrees = far if request.motion == "yaw" else min(PREFERRED_PITCH_DEG, self._steepest_deg(direction))
            yield self._turned(direction, float(np.deg2rad(degrees)))

    def _least(self, direction: str) -> Iterator[InterruptionPlan]:
        """Ways that hide the target, the shortest first."""
        if self.request.motion == "translate":
            steps = self.staged.camera.distance_m * np.arange(0.1, FURTHEST_SHIFT, 0.1)
            ways = (self._shifted(direction, float(step)) for step in steps)
        else:
            last = 180.0 if self.request.motion == "yaw" else self._steepest_deg(direction)
            ways = (self._turned(direction, float(np.deg2rad(d))) for d in np.arange(5.0, last + 1e-9, 1.0))
        for way in ways:
            if not self._free(way):
                return
            if self._hides(way):
                yield way

    def _steepest_deg(self, direction: str) -> float:
        """Greatest pitch from the base path that keeps the camera from tipping over."""
        down = max(-np.rad2deg(np.arcsin(pose[2, 2])) for pose in self._poses())
        return float(STEEPEST_DEG + down if direction == "up" else STEEPEST_DEG - down)

    def _turned(self, direction: str, turn_rad: float) -> InterruptionPlan:
        sign = 1.0 if direction in ("left", "up") else -1.0
        return self._with(turn_rad=sign * turn_rad)

    def _shifted(self, direction: str, shift_m: float) -> InterruptionPlan:
        right = self._poses()[2][:3, 0]
        along = {"right": right, "left": -right, "up": np.array([0.0, 0.0, 1.0])}[direction]
        return self._with(shift_m=vec3(shift_m * along))

    def _with(self, turn_rad: float = 0.0, shift_m: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> InterruptionPlan:
        return dataclasses.replace(self.window, motion=self.request.motion, turn_rad=turn_rad, shift_m=shift_m)

    def _poses(self) -> list[Array]:
        times = np.linspace(self.window.hidden_from_s, self.window.hidden_to_s, 5)
        return [base_pose(self.staged.camera, t, duration_s(self.staged.clip)) for t in times]

    def _hides(self, way: InterruptionPlan) -> bool:
        camera, clip = self.staged.camera, self.staged.clip
        return all(
            out_of_sight(self.influence_m, looked_away(pose, way, 1.0), camera, clip, float(MARGIN_RAD))
            for pose in self._poses()
        )

    def _free(self, way: InterruptionPlan) -> bool:
        """Whether nothing of the world stands where the camera goes."""
        shift = np.asarray(way.shift_m)
        length_m = float(np.linalg.norm(shift))
        if length_m == 0.0:
            return True
        gap_m = 0.05 * self.staged.camera.distance_m
        shares = np.linspace(0.0, 1.0, 2 + int(length_m / max(gap_m, 0.04)))
        for pose in self._poses():
            eyes = pose[:3, 3] + shares[:, None] * shift
            inside = (eyes[:, None] > self.boxes_m[:, 0] - gap_m) & (eyes[:, None] < self.boxes_m[:, 1] + gap_m)
            if inside.all(axis=2).any():
                return False
        return True
