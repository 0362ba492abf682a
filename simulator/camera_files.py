"""Cameras of a video from files: nerfstudio's transforms.json or the cameras.json of a clip."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")
_OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True, kw_only=True)
class CameraTrack:
    """One camera a frame. OpenCV axes, pixel centres at +.5; lengths in whatever unit the file has."""

    intrinsics: Array  # [T, 3, 3]
    camera_from_world: Array  # [T, 4, 4], rigid
    scene_scale_m: float  # first camera to its look-at point

    def taken(self, frames: Sequence[int]) -> CameraTrack:
        """Of these frames only."""
        picked = list(frames)
        return CameraTrack(
            intrinsics=self.intrinsics[picked],
            camera_from_world=self.camera_from_world[picked],
            scene_scale_m=self.scene_scale_m,
        )

    def cropped(self, box: tuple[float, float, float, float], size_px: tuple[int, int]) -> CameraTrack:
        """Of pictures cropped to `box` (left, top, right, bottom) and resized to (width, height)."""
        left, top, right, bottom = box
        resize = np.diag([size_px[0] / (right - left), size_px[1] / (bottom - top), 1.0])
        crop = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]])
        return CameraTrack(
            intrinsics=resize @ crop @ self.intrinsics,
            camera_from_world=self.camera_from_world,
            scene_scale_m=self.scene_scale_m,
        )

    def to_dict(self) -> dict[str, Any]:
        """As cameras.json of a clip, without its windows."""
        return {
            "convention": "OpenCV axes (x right, y down, z forward), pixel centres at +.5",
            "intrinsics": self.intrinsics.tolist(),
            "camera_from_world": self.camera_from_world.tolist(),
            "scene_scale_m": self.scene_scale_m,
        }


def still_camera(num_frames: int, width_px: int, height_px: int) -> CameraTrack:
    """A stand-in where nothing is known: at the origin, not moving, the focal length as long as the picture is wide."""
    focal = float(width_px)
    k = np.array([[focal, 0.0, width_px / 2], [0.0, focal, height_px / 2], [0.0, 0.0, 1.0]])
    return CameraTrack(
        intrinsics=np.tile(k, (num_frames, 1, 1)),
        camera_from_world=np.tile(np.eye(4), (num_frames, 1, 1)),
        scene_scale_m=1.0,
    )


def read_cameras(path: Path, width_px: int, height_px: int) -> CameraTrack:
    """Cameras for pictures of this size. Raises ValueError that names the file, what is wrong and what to do."""
    try:
        data = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error}); give a transforms.json or a cameras.json") from None
    keys = data if isinstance(data, dict) else {}
    try:
        if "frames" in keys:
            track = _nerfstudio(path, data, width_px, height_px)
        elif "camera_from_world" in keys:
            track = _own(path, data)
        else:
            raise ValueError(f"{path}: neither `frames` (nerfstudio) nor `camera_from_world` (cameras.json) in it")
    except KeyError as error:
        raise ValueError(f"{path}: {error} is missing; a camera needs its focal lengths, centre and pose") from None
    except TypeError as error:
        raise ValueError(f"{path}: something in it has the wrong shape ({error})") from None
    _check(path, track)
    return track


def _own(path: Path, data: dict[str, Any]) -> CameraTrack:
    return CameraTrack(
        intrinsics=_stack(path, "intrinsics", data["intrinsics"], 3),
        camera_from_world=_stack(path, "camera_from_world", data["camera_from_world"], 4),
        scene_scale_m=_number(f"{path}", data, "scene_scale_m"),
    )


def _number(place: str, fields: Mapping[str, Any], name: str) -> float:
    """Raises ValueError, with the place, for anything but a finite number; KeyError where there is none."""
    value = fields[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise ValueError(f"{place}: {name} is {str(value)[:40]!r}; give a finite number")
    return float(value)


def _stack(path: Path, name: str, matrices: Any, side: int) -> Array:
    """[T, side, side] from a list of lists. Raises ValueError for anything else."""
    try:
        stack = np.asarray(matrices, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{path}: {name}: not lists of numbers") from None
    if len(stack.shape) != 3 or stack.shape[1:] != (side, side) or not np.isfinite(stack).all():
        raise ValueError(f"{path}: {name}: {list(stack.shape)} numbers; expected [T, {side}, {side}], all finite")
    return stack


def _nerfstudio(path: Path, data: dict[str, Any], width_px: int, height_px: int) -> CameraTrack:
    """In order of file names, those with numbers by their numbers: frame_9 comes before frame_10."""
    frames = sorted(data["frames"], key=lambda frame: _by_number(str(frame["file_path"])))
    intrinsics, poses = [], []
    for frame in frames:
        numbers, place = {**data, **frame}, f"{path}: {frame['file_path']}"
        size = (numbers.get("w", width_px), numbers.get("h", height_px))
        if size != (width_px, height_px):
            raise ValueError(
                f"{path}: cameras of {size[0]}x{size[1]} pictures, the video is {width_px}x{height_px}; "
                f"give the video that the cameras were made of"
            )
        if bent := [name for name in _DISTORTION if name in numbers and abs(_number(place, numbers, name)) > 1e-9]:
            raise ValueError(f"{path}: {bent[0]} is {numbers[bent[0]]}: undistort the video first, clips are pinhole")
        fl_x, cx, cy = (_number(place, numbers, name) for name in ("fl_x", "cx", "cy"))
        fl_y = _number(place, {"fl_y": fl_x, **numbers}, "fl_y")
        intrinsics.append([[fl_x, 0.0, cx], [0.0, fl_y, cy], [0.0, 0.0, 1.0]])
        poses.append(frame["transform_matrix"])
    world_from_camera = _stack(path, "transform_matrix", poses, 4) @ _OPENCV_FROM_OPENGL
    rotation = world_from_camera[:, :3, :3].transpose(0, 2, 1)
    camera_from_world = np.tile(np.eye(4), (len(frames), 1, 1))
    camera_from_world[:, :3, :3] = rotation
    camera_from_world[:, :3, 3] = -np.einsum("fij,fj->fi", rotation, world_from_camera[:, :3, 3])
    given = data.get("scene_scale_m") is not None
    return CameraTrack(
        intrinsics=_stack(path, "fl_x, fl_y, cx, cy", intrinsics, 3),
        camera_from_world=camera_from_world,
        scene_scale_m=_number(f"{path}", data, "scene_scale_m") if given else look_at_distance(world_from_camera),
    )


def _by_number(name: str) -> str:
    """A key that sorts names as text, but the whole numbers in them by size."""
    return re.sub("[0-9]+", lambda digits: digits[0].zfill(20), name)


def look_at_distance(world_from_camera: Array) -> float:
    """First camera to the point that is nearest to all optical axes; 1 where the axes are parallel or it lies behind.

    world_from_camera: [T, 4, 4], OpenCV axes.
    """
    centres, axes = world_from_camera[:, :3, 3], world_from_camera[:, :3, 2]
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]  # projects onto the plane across each axis
    total = across.sum(axis=0)
    if np.linalg.eigvalsh(total)[0] < 1e-4 * len(axes):
        return 1.0
    point = np.linalg.solve(total, np.einsum("fij,fj->i", across, centres))
    distance = float((point - centres[0]) @ axes[0])
    return distance if distance > 0 else 1.0


def _check(path: Path, track: CameraTrack) -> None:
    if len(track.intrinsics) != len(track.camera_from_world):
        raise ValueError(f"{path}: {len(track.intrinsics)} intrinsics and {len(track.camera_from_world)} poses")
    if not 0 < track.scene_scale_m < np.inf:
        raise ValueError(f"{path}: scene_scale_m is {track.scene_scale_m}; give a length above 0")
    if (track.intrinsics[:, [0, 1], [0, 1]] <= 0).any():
        raise ValueError(f"{path}: a focal length is not above 0 pixels")
    rotation = track.camera_from_world[:, :3, :3]
    off = np.abs(rotation @ rotation.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    if off.max() > 1e-3 or (np.linalg.det(rotation) < 0).any():
        worst = int(off.argmax())
        raise ValueError(f"{path}: camera {worst} is not a rotation and a translation (off by {off[worst]:.2g})")
