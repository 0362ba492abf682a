"""The scene that all systems render, as plain arrays in one file: meshes, poses of every frame, camera, lamp."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from scenes.cameras import look_at

FOV_RAD = 0.8
LAMP_M, LAMP_SIZE_M, LAMP_W = (2.5, -2.0, 5.0), 1.5, 700.0
AMBIENT = 0.35
COLOURS = ((0.5, 0.5, 0.5), (0.7, 0.15, 0.1), (0.1, 0.5, 0.2), (0.1, 0.2, 0.7), (0.8, 0.6, 0.1))
MOVING = 1  # body that moves


def write_scene(path: Path, side_px: int, num_frames: int, samples: int) -> None:
    """One .npz: v0 .. v4, f0 .. f4, poses [T, 5, 4, 4], cameras [T, 4, 4] (OpenCV axes), intrinsics, settings."""
    cube = trimesh.creation.box(extents=(1.0, 1.0, 1.0))
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.6)
    meshes = [trimesh.creation.box(extents=(12.0, 12.0, 0.1)), cube, cube, cube, ball]
    places = ((0.0, 0.0, -0.05), (-1.4, -0.6, 0.5), (1.3, -0.4, 0.5), (0.2, 1.5, 0.5), (0.0, -1.2, 0.6))
    poses = np.tile(np.eye(4), (num_frames, len(meshes), 1, 1))
    poses[:, :, :3, 3] = places
    poses[:, MOVING, 1, 3] += np.linspace(0.0, 1.5, num_frames)
    angles = np.linspace(0.0, 0.8, num_frames)
    eyes = np.stack([7 * np.sin(angles), -7 * np.cos(angles), np.full(num_frames, 4.0)], axis=-1)
    cameras = np.stack([look_at(eye, np.array([0.0, 0.0, 0.4])) for eye in eyes])
    focal = side_px / 2 / np.tan(FOV_RAD / 2)
    arrays = {f"v{i}": np.asarray(mesh.vertices) for i, mesh in enumerate(meshes)}
    arrays |= {f"f{i}": np.asarray(mesh.faces) for i, mesh in enumerate(meshes)}
    np.savez(
        path, poses=poses, cameras=cameras, colours=np.array(COLOURS), side_px=side_px, samples=samples, focal_px=focal,
        lamp_m=LAMP_M, lamp_size_m=LAMP_SIZE_M, lamp_w=LAMP_W, ambient=AMBIENT, fov_rad=FOV_RAD, moving=MOVING, **arrays
    )  # fmt: skip
