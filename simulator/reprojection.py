"""Flow, depth and cameras of a clip against one another: what must agree, computed from arrays alone.

Pixels have their centres at +.5; flow is in pixels, u to the right and v down, from one frame to the next. A check
never uses the geometry that the arrays were made from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

Array = NDArray[np.float64]
STILL_DEPTH_SHARE = 0.01  # slack of the depth at the landing pixel, of what stands still
MOVING_DEPTH_SHARE = 0.05  # of what moves: its own way towards or from the camera in one frame is not known


@dataclass(frozen=True)
class FlowResidual:
    """How well the flow of one frame agrees with the next frame.

    still_px: greatest difference, in pixels, between the flow and what depth and cameras say, where the world stands
    still. lost_share: of the points that land inside the next picture, those that should be nearer than everything
    within a pixel of there (of moving ones, where their part is not seen): the flow contradicts the depth. Points that
    something hides are no evidence.
    """

    still_px: float
    num_still: int
    lost_share: float
    num_landed: int


def flow_from_depth(depth_m: Array, intrinsics: Array, camera_from_world: Array, next_camera: Array) -> Array:
    """[H, W, 2] flow of a world that stands still; nan where the point comes to lie behind the next camera.

    depth_m [H, W]: inf (nothing hit) lies infinitely far away and flows by the camera's turn alone.
    intrinsics [3, 3], the same in both frames; camera_from_world and next_camera [4, 4].
    """
    return _landed(depth_m, intrinsics, camera_from_world, next_camera)[0]


def flow_residual(
    flow_px: Array, depth_m: Array, next_depth_m: Array, ids: NDArray[np.uint16], next_ids: NDArray[np.uint16],
    still: NDArray[np.bool_], intrinsics: Array, camera_from_world: Array, next_camera: Array,
) -> FlowResidual:  # fmt: skip
    """Checks one frame's flow [H, W, 2] against the next frame's depth and segmentation.

    ids, next_ids [H, W] segmentations; still [H, W] where what is seen belongs to the world and stands still, nothing
    hit included; the rest as in `flow_from_depth`.
    """
    expected, reached_m = _landed(depth_m, intrinsics, camera_from_world, next_camera)
    compared = still & np.isfinite(expected).all(axis=-1) & np.isfinite(flow_px).all(axis=-1)
    differences = np.linalg.norm(flow_px[compared] - expected[compared], axis=-1)
    height, width = depth_m.shape
    rows, columns = np.nonzero(np.isfinite(flow_px).all(axis=-1) & np.isfinite(depth_m))
    landing = np.floor(flow_px[rows, columns] + np.stack([columns, rows], axis=1) + 0.5).astype(np.int64)
    inside = (landing >= 0).all(axis=1) & (landing < (width, height)).all(axis=1)
    rows, columns, (to_column, to_row) = rows[inside], columns[inside], landing[inside].T
    at_rest = still[rows, columns]
    expected_m = np.where(at_rest, reached_m[rows, columns], depth_m[rows, columns])
    slack = np.where(at_rest, STILL_DEPTH_SHARE, MOVING_DEPTH_SHARE)
    nearest_m = minimum_filter(next_depth_m, size=3, mode="nearest")[to_row, to_column]
    shown = ~at_rest & _around(next_ids, to_row, to_column, ids[rows, columns])
    lost = (expected_m * (1 + slack) < nearest_m) & ~shown
    return FlowResidual(
        float(differences.max()) if len(differences) else 0.0,
        int(compared.sum()),
        float(lost.mean()) if len(lost) else 0.0,
        len(lost),
    )


def warped_ids_kept(
    flow_px: Array, ids: NDArray[np.uint16], next_ids: NDArray[np.uint16], co_visible: NDArray[np.bool_]
) -> float:
    """Share of the co-visible pixels [H, W] that land on, or within a pixel of, what they show; 1 when there are none.

    A pixel is co-visible when its point is inside the next picture and nothing hides it there.
    """
    rows, columns = np.nonzero(co_visible)
    to_column, to_row = np.floor(flow_px[rows, columns] + np.stack([columns, rows], axis=1) + 0.5).astype(np.int64).T
    return float(_around(next_ids, to_row, to_column, ids[rows, columns]).mean()) if len(rows) else 1.0


def _around(
    picture: NDArray[np.uint16], rows: NDArray[np.int64], columns: NDArray[np.int64], ids: NDArray[np.uint16]
) -> NDArray[np.bool_]:
    """[N] whether the id is seen in the 3x3 pixels around (row, column)."""
    padded = np.pad(picture, 1, mode="edge")
    return np.any([padded[rows + i, columns + j] == ids for i in range(3) for j in range(3)], axis=0)


def _landed(depth_m: Array, intrinsics: Array, camera_from_world: Array, next_camera: Array) -> tuple[Array, Array]:
    """[H, W, 2] flow of a still world, [H, W] depth in the next camera."""
    height, width = depth_m.shape
    k = np.asarray(intrinsics, dtype=np.float64)
    next_from_camera = np.asarray(next_camera, dtype=np.float64) @ np.linalg.inv(camera_from_world)
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = np.stack([(u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1], np.ones_like(u)], axis=-1)
    there = np.isfinite(depth_m)
    scale = np.where(there, depth_m, 1.0).astype(np.float64)[..., None]
    points = (rays * scale) @ next_from_camera[:3, :3].T + np.where(there, 1.0, 0.0)[..., None] * next_from_camera[
        :3, 3
    ]
    ahead = points[..., 2] > 0
    z = np.where(ahead, points[..., 2], np.nan)
    flow = np.stack([points[..., 0] / z * k[0, 0] + k[0, 2] - u, points[..., 1] / z * k[1, 1] + k[1, 2] - v], axis=-1)
    return flow, np.where(there, z, np.inf)
