"""The camera descriptor c_f of PM-RoPE.

Shapes: F frames. Cameras are OpenCV (x right, y down, z forward); `camera_from_world` maps world points, metres.
"""

from __future__ import annotations

import numpy as np

DESCRIPTOR_DIM = 14  # translation (3), rotation (9), log fx, log fy


def camera_descriptors(
    camera_from_world: np.ndarray, intrinsics: np.ndarray, *, scene_scale_m: float, width_px: int
) -> np.ndarray:
    """[F, 14] float32: camera f's position and axes in the frame of the clip's first camera, and its focal lengths.

    camera_from_world: [F, 4, 4]; intrinsics: [F, 3, 3] px; scene_scale_m: the one scale stored with the clip.
    Pass the *whole* clip, then slice: row 0 is the origin. No statistic of the frames at hand enters, so a chunk of
    a clip gets the rows it has in the full clip, and a change of world frame changes nothing.
    """
    if not scene_scale_m > 0:
        raise ValueError(f"cameras.scene_scale_m: {scene_scale_m} must be positive (metres to the look-at point)")
    camera_from_world = np.asarray(camera_from_world, dtype=np.float64)
    intrinsics = np.asarray(intrinsics, dtype=np.float64)
    rotation = camera_from_world[:, :3, :3]
    translation = camera_from_world[:, :3, 3]
    first_rotation_camera = rotation[0] @ rotation.transpose(0, 2, 1)
    position_m = translation[0] - np.einsum("fij,fj->fi", first_rotation_camera, translation)
    focal = np.log(np.stack([intrinsics[:, 0, 0], intrinsics[:, 1, 1]], axis=1) / width_px)
    rows = [position_m / scene_scale_m, first_rotation_camera.reshape(-1, 9), focal]
    return np.concatenate(rows, axis=1).astype(np.float32)
