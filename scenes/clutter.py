"""Things that stand around the events: on the support, apart from each other and the camera, never before an event."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from scenes.cameras import base_pose
from scenes.errors import Problem
from scenes.framing import duration_s, inverse, path_times_s, picture_box
from scenes.occupancy import box_corners
from scenes.plan import CameraPlan, ClipPlan, PropPlan
from scenes.poses import standing_pose
from scenes.props import prop_parts
from scenes.room import ACCENTS, Extent

Array = NDArray[np.float64]
# kind -> usual size in metres; small things for tables, large ones for the floor
ON_TABLE = {"ball": 0.075, "book": 0.19, "mug": 0.095, "blocks": 0.09, "bottle": 0.21, "plant": 0.19}
ON_FLOOR = {"crate": 0.42, "ball": 0.28, "stool": 0.5, "plant": 0.7, "blocks": 0.36}
SEEDS = 3
TRIES = 400
CHOOSY_TRIES = 150  # the first tries also want the thing in the picture and the event clear of what stands behind it


@dataclass(frozen=True)
class Surroundings:
    """What clutter must respect: [2, 3] boxes of the events, the camera's base path, the support."""

    event_boxes_m: tuple[Array, ...]
    camera: CameraPlan
    clip: ClipPlan
    extent: Extent

    @cached_property
    def eyes_m(self) -> Array:
        """[N, 3] where the camera comes by."""
        times = path_times_s(self.camera, self.clip)
        return np.stack([base_pose(self.camera, t, duration_s(self.clip))[:3, 3] for t in times])


def clutter_props(count: int, around: Surroundings, rng: np.random.Generator) -> tuple[PropPlan, ...]:
    """`count` things; raises Problem when there is no room for them."""
    placed: list[PropPlan] = []
    boxes: list[Array] = []
    kinds = ON_TABLE if around.extent.on_table else ON_FLOOR
    order = [str(kind) for kind in rng.permutation(sorted(kinds))]
    views = _Views.of(around)
    for i in range(count):
        kind = order[i % len(order)]
        for attempt in range(TRIES):
            prop = _draw(f"clutter{i}", kind, kinds[kind], around, rng, shrink=1.0 - 0.5 * attempt / TRIES)
            box_m = prop_box_m(prop)
            if _stands_free(box_m, boxes, around) and views.allow(box_m, choosy=attempt < CHOOSY_TRIES):
                placed.append(prop)
                boxes.append(box_m)
                break
        else:
            raise Problem(f"no room for {count} things that hide nothing; ask for {i} or fewer")
    return tuple(placed)


def prop_box_m(prop: PropPlan) -> Array:
    """[2, 3] bounding box of a thing in the world."""
    matrix = standing_pose(prop)
    corners = prop.params["size_m"] * _unit_corners(prop.kind) @ matrix[:3, :3].T + matrix[:3, 3]
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


@cache
def _unit_corners(kind: str) -> Array:
    """[8, 3] corners of the box around a thing of size 1 m, whatever its seed; things grow in proportion."""
    parts = [p for seed in range(SEEDS) for p in prop_parts(kind, {"size_m": 1.0, "rgb": (0, 0, 0), "seed": seed})]
    bounds = np.stack([part.mesh.bounds for part in parts])
    return box_corners(np.stack([bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)]))


def _draw(
    name: str, kind: str, usual_m: float, around: Surroundings, rng: np.random.Generator, shrink: float
) -> PropPlan:
    extent = around.extent
    reference_m = 0.25 if extent.on_table else 1.6
    size_m = (
        usual_m * float(np.clip(extent.subject_m / reference_m, 0.7, 1.7)) * float(rng.uniform(0.85, 1.15)) * shrink
    )
    half_x, half_y = extent.support_half_m
    x, y = float(rng.uniform(-half_x, half_x)), float(rng.uniform(-half_y, half_y))
    params = {"size_m": size_m, "rgb": list(ACCENTS[int(rng.integers(len(ACCENTS)))]), "seed": int(rng.integers(SEEDS))}
    if kind == "ball" and extent.on_table:
        params["rgb"] = [0.75, 0.28, 0.04]
    return PropPlan(
        name=name, kind=kind, location_m=(x, y, 0.0), yaw_rad=float(rng.uniform(-np.pi, np.pi)), params=params
    )


def _stands_free(box_m: Array, others_m: list[Array], around: Surroundings) -> bool:
    """Wholly on the support, clear of the events by a gap, of other things, and of the camera's way."""
    half = np.array(around.extent.support_half_m)
    if np.any(box_m[0, :2] < -half) or np.any(box_m[1, :2] > half):
        return False
    gap_m = 0.06 * around.extent.subject_m + 0.01
    if any(_overlap(box_m, event, gap_m) for event in around.event_boxes_m):
        return False
    if any(_overlap(box_m, other, 0.25 * gap_m) for other in others_m):
        return False
    middle, camera = box_m.mean(axis=0), around.camera
    size_m = float(np.linalg.norm(box_m[1] - box_m[0]))
    return bool(np.all(np.linalg.norm(around.eyes_m - middle, axis=1) > 0.3 * camera.distance_m + size_m))


def _overlap(first_m: Array, second_m: Array, gap_m: float) -> bool:
    """Whether two boxes come nearer than `gap_m` in the plane; things never stand under or on an event."""
    return bool(np.all(first_m[0, :2] < second_m[1, :2] + gap_m) and np.all(second_m[0, :2] < first_m[1, :2] + gap_m))


@dataclass(frozen=True)
class _Views:
    """The events' boxes in the picture and their depth range, at each time of the camera's path."""

    around: Surroundings
    cameras: tuple[Array, ...]  # camera_from_world
    event_boxes: tuple[
        tuple[Array, float, float], ...
    ]  # per camera: all events' [2, 2] picture box, least, greatest depth

    @classmethod
    def of(cls, around: Surroundings) -> _Views:
        times = path_times_s(around.camera, around.clip)
        cameras = tuple(inverse(base_pose(around.camera, t, duration_s(around.clip))) for t in times)
        corners = np.vstack([box_corners(box) for box in around.event_boxes_m])
        seen = []
        for camera in cameras:
            box = picture_box(corners, camera, around.camera, around.clip)
            if box is None:
                raise Problem("the camera stands inside the events; move it back or leave distance_m out")
            depth = corners @ camera[2, :3] + camera[2, 3]
            seen.append((box, float(depth.min()), float(depth.max())))
        return cls(around, cameras, tuple(seen))

    def allow(self, box_m: Array, choosy: bool) -> bool:
        """Not before an event in any view; if `choosy` also well in the first view and not behind an event either."""
        corners = box_corners(box_m)
        size_px = np.array([self.around.clip.width_px, self.around.clip.height_px])
        for i, (camera, (event_box, _near, far)) in enumerate(zip(self.cameras, self.event_boxes, strict=True)):
            box = picture_box(corners, camera, self.around.camera, self.around.clip)
            if box is None:
                if choosy or np.any(corners @ camera[2, :3] + camera[2, 3] > 0):
                    return False
                continue
            margin = 0.02 * size_px
            hits = bool(np.all(box[0] < event_box[1] + margin) and np.all(event_box[0] < box[1] + margin))
            behind = float((corners @ camera[2, :3] + camera[2, 3]).min()) > far
            if hits and (choosy or not behind):
                return False
            middle = box.mean(axis=0)
            if choosy and i == 0 and (np.any(middle < 0) or np.any(middle > size_px)):
                return False
        return True
