"""nerfstudio: OUT/<clip>/transforms.json, images/, depth/; `ns-train METHOD --data OUT/<clip>` reads it.

Cameras are OpenGL there (x right, y up, looking along -z), pixel centres at +.5 as here. Depth is 16-bit PNG in
millimetres along the camera axis, 0 where there is none (nerfstudio's own default unit, 0.001 m). Frames whose
picture shows nothing (dark, fog, black, dropped, corrupt) are left out and listed under `left_out`; file names keep the
clip's frame numbers and `time` (0..1 over the whole clip) keeps the gap. Frames in which a target is out of view stay.
Format: https://docs.nerf.studio/quickstart/data_conventions.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.clip import Clip
from simulator.export.pictures import MILLIMETRES, blank_frames, depth_in_mm, left_out, whole, write_png

Array = NDArray[np.float64]
OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])


def export_nerfstudio(clips: Sequence[Clip], out: Path) -> list[Path]:
    """One folder a clip. Raises ValueError for a clip whose cameras are unknown."""
    for clip in clips:
        if not clip.cameras_known:
            raise ValueError(
                f"{clip.path}: its cameras are unknown, and nerfstudio is about cameras; import it with them"
            )
    return [_export_clip(clip, out / clip.clip_id) for clip in clips]


def _export_clip(clip: Clip, folder: Path) -> Path:
    blank = blank_frames(clip)
    shown = [frame for frame in range(clip.num_frames) if frame not in blank]
    if not shown:
        raise ValueError(f"{clip.path}: no frame of it shows anything")
    has_depth = "depth_m" in clip.manifest["arrays"]
    with whole(folder) as draft:
        frames = []
        for frame in shown:
            entry = {"file_path": f"images/{frame:05d}.png"}
            write_png(draft / entry["file_path"], clip.rgb[frame])
            if has_depth:
                entry["depth_file_path"] = f"depth/{frame:05d}.png"
                write_png(draft / entry["depth_file_path"], depth_in_mm(clip.depth_m[frame]))
            frames.append({**entry, **_camera(clip, frame)})
        _share_intrinsics(document := _document(clip, blank), frames)
        document["frames"] = frames
        (draft / "transforms.json").write_text(json.dumps(document, indent=1) + "\n")
    return folder / "transforms.json"


def _document(clip: Clip, blank: dict[int, str]) -> dict[str, Any]:
    height, width = clip.rgb.shape[1:3]
    return {
        "camera_model": "OPENCV",
        "w": width,
        "h": height,
        "k1": 0.0,
        "k2": 0.0,
        "p1": 0.0,
        "p2": 0.0,
        "depth_unit_scale_factor": 1.0 / MILLIMETRES,
        "scene_scale_m": clip.cameras.scene_scale_m,
        "clip_id": clip.clip_id,
        "fps": clip.fps,
        "left_out": left_out(blank),
    }


def _camera(clip: Clip, frame: int) -> dict[str, Any]:
    k = clip.cameras.intrinsics[frame]
    return {
        "fl_x": float(k[0, 0]),
        "fl_y": float(k[1, 1]),
        "cx": float(k[0, 2]),
        "cy": float(k[1, 2]),
        "transform_matrix": opengl_pose(clip.cameras.camera_from_world[frame]).tolist(),
        "time": frame / max(clip.num_frames - 1, 1),
    }


def opengl_pose(camera_from_world: Array) -> Array:
    """[4, 4] world_from_camera with OpenGL axes of a rigid [4, 4] `camera_from_world` with OpenCV axes."""
    rotation, translation = camera_from_world[:3, :3], camera_from_world[:3, 3]
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3], world_from_camera[:3, 3] = rotation.T, -rotation.T @ translation
    return world_from_camera @ OPENGL_FROM_OPENCV


def _share_intrinsics(document: dict[str, Any], frames: list[dict[str, Any]]) -> None:
    """Numbers that all frames have in common go to the top, where other readers of this format look for them."""
    for name in ("fl_x", "fl_y", "cx", "cy"):
        if len({entry[name] for entry in frames}) == 1:
            document[name] = frames[0][name]
            for entry in frames:
                del entry[name]
