"""Things that stand around the events: on a ground, apart from each other and the camera, never before an event."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scenes.cameras import base_pose
from scenes.errors import Problem
from scenes.framing import duration_s, inverse, path_times_s, picture_box
from scenes.occupancy import box_corners
from scenes.plan import PropPlan
from scenes.poses import standing_pose
from scenes.props import prop_parts
from scenes.worlds.site import ACCENTS, Ground, Setting, Site

Array = NDArray[np.float64]
SEEDS = 3
TRIES = 400
CHOOSY_TRIES = 150  # the first tries also want the thing in the picture and the event clear of what stands behind it
ORANGE = [0.75, 0.28, 0.04]


def clutter_props(count: int, setting: Setting, site: Site, rng: np.random.Generator) -> tuple[PropPlan, ...]:
    """`count` things; raises Problem when there is no room for them."""
    order = [str(kind) for kind in rng.permutation(sorted(site.things))]
    if count == 0:
        return ()
    placed: list[PropPlan] = []
    boxes = [_prop_bounds_m(prop) for prop in site.props if _stands_about(prop, site)]
    grounds = [ground for ground in site.grounds if ground.clutter]
    views = _Views.of(setting)
    for i in range(count):
        kind = order[i % len(order)]
        for attempt in range(TRIES):
            # every other thing stands around the events, the others on what boards there are besides
            elsewhere = len(grounds) > 1 and (i % 2 == 1 or attempt > TRIES / 2)
            ground = grounds[int(rng.integers(1, len(grounds)))] if elsewhere else grounds[0]
            prop = _draw(f"clutter{i}", kind, ground, setting, site, rng, shrink=1.0 - 0.5 * attempt / TRIES)
            box_m = prop_box_m(prop)
            if _stands_free(box_m, boxes, ground, setting) and views.allow(box_m, choosy=attempt < CHOOSY_TRIES):
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


def _prop_bounds_m(prop: PropPlan) -> Array:
    """[2, 3] bounding box of any prop in the world."""
    matrix = standing_pose(prop)
    points = np.vstack([np.asarray(part.mesh.vertices) for part in prop_parts(prop.kind, prop.params)])
    points = points @ matrix[:3, :3].T + matrix[:3, 3]
    return np.stack([points.min(axis=0), points.max(axis=0)])


def _stands_about(prop: PropPlan, site: Site) -> bool:
    """Whether clutter could run into the prop: it stands on, or above, a ground that takes clutter."""
    box_m = _prop_bounds_m(prop)
    return any(
        ground.clutter
        and box_m[1, 2] > ground.z_m + 0.005
        and box_m[0, 2] > ground.z_m - 1e-6
        and box_m[0, 2] < ground.z_m + ground.headroom_m
        and bool(np.all(box_m[0, :2] < ground.high_m) and np.all(box_m[1, :2] > ground.low_m))
        for ground in site.grounds
    )


def _draw(
    name: str, kind: str, ground: Ground, setting: Setting, site: Site, rng: np.random.Generator, shrink: float
) -> PropPlan:
    size_m = site.things[kind] * site.thing_scale * float(rng.uniform(0.85, 1.15)) * shrink
    x, y = (float(rng.uniform(low, high)) for low, high in zip(ground.low_m, ground.high_m, strict=True))
    params = {"size_m": size_m, "rgb": list(ACCENTS[int(rng.integers(len(ACCENTS)))]), "seed": int(rng.integers(SEEDS))}
    if kind == "ball" and setting.subject_m <= 1.1:
        params["rgb"] = ORANGE
    yaw_rad = float(rng.uniform(-np.pi, np.pi))
    return PropPlan(name=name, kind=kind, location_m=(x, y, ground.z_m), yaw_rad=yaw_rad, params=params)


def _stands_free(box_m: Array, others_m: list[Array], ground: Ground, setting: Setting) -> bool:
    """Wholly on its ground and under what is above, clear of events by a gap, of things, and of the camera's way."""
    if np.any(box_m[0, :2] < ground.low_m) or np.any(box_m[1, :2] > ground.high_m):
        return False
    if box_m[1, 2] - box_m[0, 2] > ground.headroom_m - 0.005:
        return False
    gap_m = 0.06 * setting.subject_m + 0.01
    if any(_overlap(box_m, event, gap_m) for event in setting.event_boxes_m):
        return False
    if any(_overlap(box_m, other, 0.25 * gap_m) for other in others_m):
        return False
    middle = box_m.mean(axis=0)
    size_m = float(np.linalg.norm(box_m[1] - box_m[0]))
    return bool(np.all(np.linalg.norm(setting.eyes_m - middle, axis=1) > 0.3 * setting.camera.distance_m + size_m))


def _overlap(first_m: Array, second_m: Array, gap_m: float) -> bool:
    """Whether two boxes at about one height come nearer than `gap_m` in the plane; nothing stands under or on another.

    Boxes of different boards of a shelf are apart by more than the span counted as one height.
    """
    near_m = 0.1
    if first_m[0, 2] > second_m[1, 2] + near_m or second_m[0, 2] > first_m[1, 2] + near_m:
        return False
    return bool(np.all(first_m[0, :2] < second_m[1, :2] + gap_m) and np.all(second_m[0, :2] < first_m[1, :2] + gap_m))


@dataclass(frozen=True)
class _Views:
    """The events' boxes in the picture and their depth range, at each time of the camera's path."""

    setting: Setting
    cameras: tuple[Array, ...]  # camera_from_world
    event_boxes: tuple[
        tuple[Array, float, float], ...
    ]  # per camera: all events' [2, 2] picture box, least, greatest depth

    @classmethod
    def of(cls, setting: Setting) -> _Views:
        times = path_times_s(setting.camera, setting.clip)
        cameras = tuple(inverse(base_pose(setting.camera, t, duration_s(setting.clip))) for t in times)
        corners = np.vstack([box_corners(box) for box in setting.event_boxes_m])
        seen = []
        for camera in cameras:
            box = picture_box(corners, camera, setting.camera, setting.clip)
            if box is None:
                raise Problem("the camera stands inside the events; move it back or leave distance_m out")
            depth = corners @ camera[2, :3] + camera[2, 3]
            seen.append((box, float(depth.min()), float(depth.max())))
        return cls(setting, cameras, tuple(seen))

    def allow(self, box_m: Array, choosy: bool) -> bool:
        """Not before an event in any view; if `choosy` also well in the first view and not behind an event either."""
        corners = box_corners(box_m)
        size_px = np.array([self.setting.clip.width_px, self.setting.clip.height_px])
        for i, (camera, (event_box, _near, far)) in enumerate(zip(self.cameras, self.event_boxes, strict=True)):
            box = picture_box(corners, camera, self.setting.camera, self.setting.clip)
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
