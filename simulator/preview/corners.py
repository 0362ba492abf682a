"""All bodies of a stage as one list of triangle corners, so that a picture takes a handful of draw calls.

pyrender's own scene graph costs about a millisecond of Python for each part (docs/LOG.md), a hundred parts a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from event_library.parts import Part

Array = NDArray[np.float64]
Corners = NDArray[np.float32]  # [3 F, 3]


@dataclass(frozen=True)
class Shape:
    """How one part's vertices become corners: `smoothing` sums the normals of the faces that a corner blends."""

    faces: NDArray[np.int64]  # [F, 3]
    first: int  # its first corner among those of the stage
    smoothing: scipy.sparse.csr_matrix | None  # [3 F, F]; None is flat

    @classmethod
    def of(cls, part: Part, first: int) -> Shape:
        faces = np.asarray(part.mesh.faces, dtype=np.int64)
        vertices = np.asarray(part.mesh.vertices, dtype=np.float64)
        if part.smooth_angle_deg <= 0 or len(faces) == 0:
            return cls(faces, first, None)
        return cls(faces, first, _smoothing(vertices, faces, np.deg2rad(part.smooth_angle_deg)))

    @property
    def num_corners(self) -> int:
        return self.faces.size

    def positions(self, vertices_m: Array) -> Corners:
        """[3 F, 3]."""
        return vertices_m.astype(np.float32)[self.faces.ravel()]

    def normals(self, vertices_m: Array) -> Corners:
        """[3 F, 3], not of unit length: flat, or blended over faces that meet at less than the part's angle."""
        across = _area_vectors(vertices_m, self.faces)
        blended = np.repeat(across, 3, axis=0) if self.smoothing is None else self.smoothing @ across
        return blended.astype(np.float32)


def _area_vectors(vertices_m: Array, faces: NDArray[np.int64]) -> Array:
    """[F, 3] normals as long as twice the face's area."""
    a, b, c = (vertices_m[faces[:, i]] for i in range(3))
    return np.cross(b - a, c - a)


def _smoothing(vertices_m: Array, faces: NDArray[np.int64], angle_rad: float) -> scipy.sparse.csr_matrix:
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
