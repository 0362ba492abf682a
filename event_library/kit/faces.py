"""Triangles between vertices that lie in rows, rings or copies: index arithmetic only, no coordinates."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Faces = NDArray[np.int64]  # [F, 3] vertex indices


def grid_faces(rows: int, columns: int, *, closed_rows: bool = False, closed_columns: bool = False) -> Faces:
    """Two triangles per cell of a grid of vertices [rows, columns], row after row, cut from (0, 0) to (1, 1).

    They wind from the columns to the rows: seen counter-clockwise when columns run right and rows up. closed_rows joins
    the last row to the first, closed_columns the last column to the first.
    """
    index = np.pad(np.arange(rows * columns).reshape(rows, columns), ((0, closed_rows), (0, closed_columns)), "wrap")
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    return np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)


def fan_faces(num: int, middle: int, first: int = 0) -> Faces:
    """A vertex `middle` joined to the ring of vertices first, first + 1 ... first + num - 1, and round to the first."""
    side = np.arange(num)
    return np.column_stack([np.full(num, middle), first + side, first + (side + 1) % num])


@cache
def tube_faces(num_rings: int, num_sides: int) -> Faces:
    """Rings joined into a tube, closed by fans about the last two vertices (start, end)."""
    end = num_rings * num_sides
    low, high = fan_faces(num_sides, end), fan_faces(num_sides, end + 1, end - num_sides)
    return np.vstack([grid_faces(num_rings, num_sides, closed_columns=True), low[:, ::-1], high])


def disc_faces(num_rings: int, num_spokes: int) -> Faces:
    """A middle vertex and rings of vertices about it, counter-clockwise from inside out."""
    rings = 1 + grid_faces(num_rings, num_spokes, closed_columns=True)
    return np.vstack([fan_faces(num_spokes, 0, 1), rings[:, ::-1]])


def bar_faces(num: int) -> Faces:
    """Closed bar between four lines of `num` vertices each that go round it, its ends included."""
    ends = num * np.array([(0, 2, 1), (0, 3, 2)])
    return np.vstack([grid_faces(4, num, closed_rows=True)[:, ::-1], ends, ends[:, ::-1] + num - 1])


def repeated(faces: ArrayLike, num_vertices: int, num: int) -> Faces:
    """The faces of `num` copies, one after the other, of a mesh with `num_vertices`."""
    return (np.asarray(faces) + num_vertices * np.arange(num)[:, None, None]).reshape(-1, 3)
