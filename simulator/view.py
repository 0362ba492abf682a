"""What one frame's passes show of one event, in the event's own frame: the input of every type's `measure`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from event_library.base import View
from scenes.plan import EventPlan
from scenes.poses import standing_pose
from simulator.clip import Clip

Array = NDArray[np.float64]


def view_of(clip: Clip, event: EventPlan, frame: int) -> View:
    """Unprojects the visible pixels of every part of `event` at `frame` (needs depth and segmentation)."""
    return unproject(
        clip.segmentation[frame],
        clip.depth_m[frame],
        clip.rgb[frame],
        clip.cameras.intrinsics[frame],
        clip.cameras.camera_from_world[frame],
        event,
        {i: v["name"] for i, v in clip.instances.items() if v["event"] == event.id},
    )


def unproject(
    segmentation: NDArray[np.uint16],  # [H, W]
    depth_m: NDArray[np.float32],  # [H, W]
    rgb: NDArray[np.uint8],  # [H, W, 3]
    intrinsics: Array,  # [3, 3]
    camera_from_world: Array,  # [4, 4]
    event: EventPlan,
    names: dict[int, str],
) -> View:
    """The same from bare arrays; `names` maps the instance ids of the event to part names."""
    points: dict[str, Array] = {}
    areas: dict[str, Array] = {}
    colours: dict[str, Array] = {}
    event_from_camera = np.linalg.inv(camera_from_world @ standing_pose(event))
    for instance, name in names.items():
        v, u = np.nonzero((segmentation == instance) & np.isfinite(depth_m))
        depth: Array = depth_m[v, u].astype(np.float64)
        x = (u + 0.5 - intrinsics[0, 2]) / intrinsics[0, 0] * depth
        y = (v + 0.5 - intrinsics[1, 2]) / intrinsics[1, 1] * depth
        in_camera: Array = np.column_stack([x, y, depth, np.ones_like(depth)])
        points[name] = (in_camera @ event_from_camera.T)[:, :3]
        areas[name] = depth**2 / float(intrinsics[0, 0] * intrinsics[1, 1])
        colours[name] = rgb[v, u].astype(np.float64) / 255.0
    return View(points, areas, colours, event_from_camera[:3, 3])
