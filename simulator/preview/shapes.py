"""All bodies of a stage as one list of points and triangles, so that a picture takes a handful of draw calls.

pyrender's own scene graph costs about a millisecond of Python for each part (docs/LOG.md), a hundred parts a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from event_library.parts import Part

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Points = NDArray[np.float32]  # [P, 3]


@dataclass(frozen=True)
class Shape:
    """One part's mesh as points: a vertex of a smooth part is one point for each normal that its faces give it.

    `smoothing` sums the normals of the faces that a point blends. None is flat: points are vertices, without normals.
    """

    faces: Index  # [F, 3] vertices
    triangles: Index  # [F, 3] points
    vertex_of: Index  # [P]
    smoothing: scipy.sparse.csr_matrix | None  # [P, F]

    @classmethod
    def of(cls, part: Part) -> Shape:
        faces = np.asarray(part.mesh.faces, dtype=np.int64)
        vertices = np.asarray(part.mesh.vertices, dtype=np.float64)
        if part.smooth_angle_deg <= 0:
            return cls(faces, faces, np.arange(len(vertices)), None)
        corners = _smoothing(vertices, faces, np.deg2rad(part.smooth_angle_deg))
        normals = corners @ _area_vectors(vertices, faces)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
        keys = np.column_stack([faces.ravel(), np.round(1e3 * normals).astype(np.int64)])
        points, of_point, of_corner = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return cls(faces, of_corner.reshape(faces.shape), points[:, 0], corners[of_point])

    @property
    def num_points(self) -> int:
        return len(self.vertex_of)

    def positions(self, vertices_m: Array) -> Points:
        return self.spread(vertices_m)

    def normals(self, vertices_m: Array) -> Points:
        """Not of unit length; zero for flat parts, whose normals the shader takes from the surface."""
        if self.smoothing is None:
            return np.zeros((self.num_points, 3), dtype=np.float32)
        return np.asarray(self.smoothing @ _area_vectors(vertices_m, self.faces), dtype=np.float32)

    def spread(self, of_vertices: Array) -> Points:
        """Values of vertices [V, 3] as values of points."""
        values = of_vertices.astype(np.float32)
        return values if self.smoothing is None else values[self.vertex_of]


def _area_vectors(vertices_m: Array, faces: Index) -> Array:
    """[F, 3] normals as long as twice the face's area."""
    a, b, c = (vertices_m[faces[:, i]] for i in range(3))
    (x, y, z), (u, v, w) = (b - a).T, (c - a).T
    return np.column_stack([y * w - z * v, z * u - x * w, x * v - y * u])  # np.cross takes five times as long


def _smoothing(vertices_m: Array, faces: Index, angle_rad: float) -> scipy.sparse.csr_matrix:
    """Corner x face: 1 where the face shares the corner's vertex and turns from the corner's face by less than the
    angle, at rest; faces without an area go with all."""
    num, across = len(faces), _area_vectors(vertices_m, faces)
    length = np.linalg.norm(across, axis=1, keepdims=True)
    unit = np.where(length > 0, across / np.maximum(length, 1e-300), 0.0)
    corner_of, face_of = np.arange(3 * num), np.repeat(np.arange(num), 3)
    ones = np.ones(3 * num)
    vertex_from_face = scipy.sparse.csr_matrix((ones, (faces.ravel(), face_of)), shape=(len(vertices_m), num))
    corner_from_vertex = scipy.sparse.csr_matrix((ones, (corner_of, faces.ravel())), shape=(3 * num, len(vertices_m)))
    pairs = (corner_from_vertex @ vertex_from_face).tocoo()
    turn = np.einsum("ij,ij->i", unit[face_of[pairs.row]], unit[pairs.col])
    flat = (length[face_of[pairs.row], 0] == 0) | (length[pairs.col, 0] == 0)
    kept = (turn >= np.cos(angle_rad)) | flat
    return scipy.sparse.csr_matrix((np.ones(kept.sum()), (pairs.row[kept], pairs.col[kept])), shape=(3 * num, num))
