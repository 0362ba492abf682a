"""What a camera sees of a set of points: fitting the distance, in or out of the picture, covered pixels."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from scenes.cameras import base_pose, intrinsics, project
from scenes.errors import Problem
from scenes.plan import CameraPlan, ClipPlan

Array = NDArray[np.float64]
EDGE = 0.97  # a subject further out than this share of the half picture is not plainly in it
GRID_PX = 64  # EventInfo.min_visible_px counts pixels of a picture of this size


def fitted_distance_m(points_m: Array, camera: CameraPlan, clip: ClipPlan, fill: float) -> float:
    """Least distance d at which all points stay within the share `fill` of the picture, along the path.

    The camera's directions do not depend on d and its place is look_at + d e(t), so a point is seen at a + d b with
    a, b free of d, and |a_x + d b_x| <= fill tan(fov / 2) (a_z + d b_z) gives d at once. Raises Problem when no
    distance does (a pan that turns too far).
    """
    tan_h = np.tan(camera.fov_rad / 2)
    limits = fill * np.array([tan_h, tan_h * clip.height_px / clip.width_px])
    unit = dataclasses.replace(camera, distance_m=1.0)
    look_at = np.asarray(camera.look_at_m)
    distance_m = 0.0
    for t_s in path_times_s(camera, clip):
        pose = base_pose(unit, t_s, duration_s(clip))
        a, b = (points_m - look_at) @ pose[:3, :3], (look_at - pose[:3, 3]) @ pose[:3, :3]
        for sign in (1.0, -1.0):
            slope = limits * b[2] - sign * b[:2]
            if slope.min() <= 1e-6:
                raise Problem(
                    "turns so far that its subject leaves the picture; less sweep_deg, or a wider fov_deg",
                    ("camera", "sweep_deg"),
                )
            distance_m = max(distance_m, float(((sign * a[:, :2] - limits * a[:, 2:]) / slope).max()))
        distance_m = max(distance_m, float((1e-3 - a[:, 2].min()) / b[2]))
    return distance_m


def reach(points_m: Array, camera: CameraPlan, clip: ClipPlan) -> float:
    """How far from the centre the points come over the base path, in half pictures: 1 touches the edge; inf: behind."""
    matrix = intrinsics(camera, clip)
    half = np.array([clip.width_px / 2, clip.height_px / 2])
    worst = 0.0
    for t_s in path_times_s(camera, clip):
        uv, depth = project(points_m, inverse(base_pose(camera, t_s, duration_s(clip))), matrix)
        if depth.min() <= 1e-6:
            return float("inf")
        worst = max(worst, float((np.abs(uv - half) / half).max()))
    return worst


def path_times_s(camera: CameraPlan, clip: ClipPlan) -> list[float]:
    """Clip times that span the base path."""
    if camera.path == "static":
        return [0.0]
    end_s = duration_s(clip) / 2 if camera.loop else duration_s(clip)
    return [float(t) for t in np.linspace(0.0, end_s, 7)]


def duration_s(clip: ClipPlan) -> float:
    return clip.num_frames / clip.fps


def inverse(pose: Array) -> Array:
    """[4, 4] inverse of a rigid pose."""
    result = np.eye(4)
    result[:3, :3] = pose[:3, :3].T
    result[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return result


def out_of_sight(
    points_m: Array, world_from_camera: Array, camera: CameraPlan, clip: ClipPlan, margin_rad: float
) -> bool:
    """Whether one side of the view (widened by `margin_rad`), or the camera's own plane, has all the points outside it.

    True means that the points' whole convex hull is out of the picture.
    """
    inside = (points_m - world_from_camera[:3, 3]) @ world_from_camera[
        :3, :3
    ]  # camera axes: x right, y down, z forward
    half_h = camera.fov_rad / 2
    half_v = np.arctan(np.tan(half_h) * clip.height_px / clip.width_px)
    distance = np.linalg.norm(inside, axis=1)
    slack = distance * np.sin(margin_rad)
    x, y, z = inside.T
    sides = (
        x * np.cos(half_h) - z * np.sin(half_h),
        -x * np.cos(half_h) - z * np.sin(half_h),
        y * np.cos(half_v) - z * np.sin(half_v),
        -y * np.cos(half_v) - z * np.sin(half_v),
        -z,
    )
    return any(bool(np.all(side > slack)) for side in sides)


def picture_box(points_m: Array, camera_from_world: Array, camera: CameraPlan, clip: ClipPlan) -> Array | None:
    """[2, 2] least and greatest u, v of the points; None when one of them is not in front of the camera."""
    uv, depth = project(points_m, camera_from_world, intrinsics(camera, clip))
    if depth.min() <= 1e-6:
        return None
    return np.stack([uv.min(axis=0), uv.max(axis=0)])


def covered_px(hulls_m: list[Array], camera_from_world: Array, camera: CameraPlan, clip: ClipPlan) -> int:
    """Pixels of a 64 x 64 picture that the convex hulls cover together, nothing hiding them (an upper estimate)."""
    matrix = np.diag([GRID_PX / clip.width_px, GRID_PX / clip.height_px, 1.0]) @ intrinsics(camera, clip)
    centres = np.arange(GRID_PX) + 0.5
    u, v = np.meshgrid(centres, centres)
    covered = np.zeros((GRID_PX, GRID_PX), dtype=bool)
    for points_m in hulls_m:
        uv, depth = project(points_m, camera_from_world, matrix)
        if depth.min() > 1e-6:
            covered |= _inside_hull(uv, u, v)
    return int(covered.sum())


def _inside_hull(uv: Array, u: Array, v: Array) -> NDArray[np.bool_]:
    hull = convex_hull(uv)
    inside = np.ones(u.shape, dtype=bool)
    for a, b in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        inside &= (b[0] - a[0]) * (v - a[1]) - (b[1] - a[1]) * (u - a[0]) >= 0
    return inside


def convex_hull(points: Array) -> Array:
    """Corners [M, 2] of the convex hull of points [N, 2], in the turning sense that keeps the inside positive."""
    ordered = sorted(set(map(tuple, points.tolist())))
    halves = []
    for run in (ordered, ordered[::-1]):
        chain: list[tuple[float, ...]] = []
        for point in run:
            while len(chain) >= 2 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        halves.append(chain[:-1])
    return np.array(halves[0] + halves[1]).reshape(-1, 2)


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
