"""Camera of a plan as a pure function of clip time. OpenCV axes (x right, y down, z forward).

Transforms read right to left.

A loop, and every look-away, comes back to bitwise the same matrix: outside its window an interruption contributes
nothing at all, and the way back retraces the way out through the same floats.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scenes.plan import CameraPlan, ClipPlan, InterruptionPlan, ScenePlan

Array = NDArray[np.float64]


def intrinsics(camera: CameraPlan, clip: ClipPlan) -> Array:
    """[3, 3] pinhole matrix, pixel centres at +.5, square pixels, principal point in the middle."""
    focal_px = clip.width_px / 2 / np.tan(camera.fov_rad / 2)
    return np.array([[focal_px, 0, clip.width_px / 2], [0, focal_px, clip.height_px / 2], [0, 0, 1]])


def world_from_camera(plan: ScenePlan, t_s: float) -> Array:
    """[4, 4] camera pose at clip time `t_s`, interruptions included."""
    pose = base_pose(plan.camera, t_s, plan.clip.num_frames / plan.clip.fps)
    for interruption in plan.interruptions:
        if interruption.kind == "look_away" and (share := envelope(interruption, t_s)) != 0.0:
            pose = looked_away(pose, interruption, share)
    return pose


def looked_away(pose: Array, interruption: InterruptionPlan, share: float) -> Array:
    """[4, 4] the pose turned or shifted by the share [0, 1] of a look-away; the original is left alone."""
    away = pose.copy()
    turn_rad = interruption.turn_rad * share
    if interruption.motion == "yaw":
        away[:3, :3] = _turn("z", turn_rad) @ pose[:3, :3]
    elif interruption.motion == "pitch":
        away[:3, :3] = pose[:3, :3] @ _turn("x", turn_rad)
    else:
        away[:3, 3] = pose[:3, 3] + share * np.asarray(interruption.shift_m)
    return away


def camera_from_world(plan: ScenePlan, t_s: float) -> Array:
    """[4, 4] exact rigid inverse of `world_from_camera`."""
    pose = world_from_camera(plan, t_s)
    inverse = np.eye(4)
    inverse[:3, :3] = pose[:3, :3].T
    inverse[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return inverse


def light_level(plan: ScenePlan, t_s: float) -> float:
    """Share of every lamp and of the background that is on at clip time `t_s`: 1 lit, 0 pitch dark."""
    return _left_on(plan, t_s, events=False)


def event_light_level(plan: ScenePlan, t_s: float) -> float:
    """The same for what glows in the events: only a lights_off with `event_lights` takes it out."""
    return _left_on(plan, t_s, events=True)


def _left_on(plan: ScenePlan, t_s: float, *, events: bool) -> float:
    level = 1.0
    for interruption in plan.interruptions:
        if interruption.kind == "lights_off" and (interruption.event_lights or not events):
            level *= 1.0 - envelope(interruption, t_s)
    return level


def envelope(interruption: InterruptionPlan, t_s: float) -> float:
    """How far an interruption has gone at `t_s`: 0 outside [out_s, back_s], 1 while hidden, smooth between."""
    if interruption.hidden_from_s <= t_s <= interruption.hidden_to_s:
        return 1.0
    if t_s <= interruption.out_s or t_s >= interruption.back_s:
        return 0.0
    if t_s < interruption.hidden_from_s:
        share = (t_s - interruption.out_s) / (interruption.hidden_from_s - interruption.out_s)
    else:
        share = (interruption.back_s - t_s) / (interruption.back_s - interruption.hidden_to_s)
    return float(share * share * (3 - 2 * share))


def base_pose(camera: CameraPlan, t_s: float, duration_s: float) -> Array:
    """[4, 4] world_from_camera of the base path alone."""
    share = progress(camera, t_s, duration_s)
    azimuth_rad, elevation_rad, distance_m = camera.azimuth_rad, camera.elevation_rad, camera.distance_m
    if camera.path in ("orbit", "arc"):
        azimuth_rad += camera.sweep_rad * share
        elevation_rad += camera.rise_rad * share
    elif camera.path == "dolly":
        distance_m *= 1.0 - camera.travel_share * share
    horizontal_m = distance_m * np.cos(elevation_rad)
    target = np.asarray(camera.look_at_m, dtype=np.float64)
    offset = np.array(
        [
            horizontal_m * np.sin(azimuth_rad),
            -horizontal_m * np.cos(azimuth_rad),
            distance_m * np.sin(elevation_rad),
        ]
    )
    pose = look_at(target + offset, target)
    if camera.path == "pan":
        pose[:3, :3] = _turn("z", camera.sweep_rad * (share - 0.5)) @ pose[:3, :3]
    return pose


def progress(camera: CameraPlan, t_s: float, duration_s: float) -> float:
    """How far along its path the camera is, [0, 1]: steady, or for a loop out and back with a rest at either end."""
    if not camera.loop:
        return t_s / duration_s
    # out and back over the middle of the clip; the first and the last sixth stand still at the same floats
    share = min(t_s, duration_s - t_s) / duration_s
    rise = min(max((share - 1 / 6) / (1 / 2 - 1 / 6), 0.0), 1.0)
    return rise * rise * (3 - 2 * rise)


def look_at(eye_m: Array, target_m: Array) -> Array:
    """[4, 4] world_from_camera of a camera at `eye_m` that looks at `target_m` with world z up in the picture."""
    forward = _unit(target_m - eye_m)
    right = _unit(_cross(forward, np.array([0.0, 0.0, 1.0])))
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = right, _cross(forward, right), forward, eye_m
    return pose


def _unit(vector: Array) -> Array:
    return vector / math.sqrt(vector.dot(vector))


def _cross(a: Array, b: Array) -> Array:
    """np.cross of two vectors [3], to the bit, without its 50 microseconds of generality."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def project(points_m: Array, camera_from_world_44: Array, intrinsics_33: Array) -> tuple[Array, Array]:
    """Pixel coordinates [N, 2] and depth along the camera axis [N] of world points [N, 3]."""
    inside = points_m @ camera_from_world_44[:3, :3].T + camera_from_world_44[:3, 3]
    depth = inside[:, 2]
    safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)
    uv = inside[:, :2] / safe[:, None]
    uv = uv * [intrinsics_33[0, 0], intrinsics_33[1, 1]] + [intrinsics_33[0, 2], intrinsics_33[1, 2]]
    return uv, depth


def _turn(axis: str, angle_rad: float) -> Array:
    """[3, 3] right-handed turn about x or z."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    if axis == "z":
        return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    return np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
