"""What the rays' triangles tell beyond ids and depth: normals, and forward flow from one frame to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.meshes import StageMeshes, barycentric
from simulator.rays import Hits

Array = NDArray[np.float64]


def camera_normals(
    hits: Hits, meshes: StageMeshes, vertices_m: Array, rays: Array, world_from_camera: Array
) -> NDArray[np.float16]:
    """[H, W, 3] unit normals of the triangles that were hit, in camera axes (x right, y down, z forward); 0 for none.

    They are the geometric (flat) normals, also of parts that are shaded smooth, and face the viewer: their dot product
    with the ray is never positive. Each component is within 3e-4 of the exact one (float16).
    vertices_m [V, 3] in the world; rays [H, W, 3] in the camera's axes.
    """
    hit = np.unique(hits.face)
    hit = hit[hit >= 0]
    a, b, c = (vertices_m[meshes.faces[hit, corner]] for corner in range(3))
    across = np.cross(b - a, c - a)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-300)
    table = np.append(across @ world_from_camera[:3, :3], np.zeros((1, 3)), axis=0).astype(np.float32)
    row = np.full(len(meshes.faces) + 1, len(hit))
    row[hit] = np.arange(len(hit))
    normals = table[row[hits.face]]
    normals[np.einsum("hwi,hwi->hw", normals, rays) > 0] *= -1
    return normals.astype(np.float16)


def forward_flow(
    hits: Hits, meshes: StageMeshes, now_m: Array, next_m: Array, rays: Array, intrinsics: Array,
    world_from_camera: Array, world_from_next: Array,
) -> NDArray[np.float32]:  # fmt: skip
    """[H, W, 2] where the point seen at each pixel centre goes in the next frame, pixels, u to the right, v down.

    The point keeps its place in its triangle (barycentric coordinates), however the body moves or deforms. Where
    nothing is hit the background lies infinitely far away. nan: the part is not there in the next frame, or the point
    comes to lie behind the next camera. Points that go out of the picture, or behind something, keep their flow.
    now_m, next_m [V, 3] vertices in the world; rays [H, W, 3] in the camera's axes.
    """
    shape = hits.face.shape
    moved = (now_m != next_m).any(axis=1)
    moving = np.append(moved[meshes.faces].any(axis=1), False)[hits.face].ravel()
    flow = np.zeros((moving.size, 2))
    turned = not np.array_equal(world_from_camera, world_from_next)
    wanted = np.flatnonzero(moving | turned)  # what stands still before a still camera flows by exactly 0
    face, depth_m = hits.face.ravel()[wanted], hits.depth_m.ravel()[wanted].astype(np.float64)
    in_camera, there = rays.reshape(-1, 3)[wanted], face >= 0
    points = in_camera * np.where(there, depth_m, 1.0)[:, None] @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
    own = moving[wanted]
    corners = meshes.faces[face[own]]
    points[own] = np.einsum("nk,nki->ni", barycentric(points[own], now_m[corners]), next_m[corners])
    points -= np.where(there[:, None], world_from_next[:3, 3], world_from_camera[:3, 3])
    after = points @ world_from_next[:3, :3]
    z = np.where(after[:, 2] > 0, after[:, 2], np.nan)
    focal = np.array([intrinsics[0, 0], intrinsics[1, 1]])
    flow[wanted] = (after[:, :2] / z[:, None] - in_camera[:, :2]) * focal
    return flow.reshape(*shape, 2).astype(np.float32)
