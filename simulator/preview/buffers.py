"""Points, triangles and the body table of one stage on the device."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL

from simulator.preview.shapes import Shape

Array = NDArray[np.float64]


class Buffers:
    """Shapes are drawn by their number, in the order given."""

    def __init__(self, shapes: Sequence[Shape], vertices_m: Sequence[Array], table: NDArray[np.float32]) -> None:
        """table: [B, ROW_TEXELS, 4], one row for each shape."""
        self._shapes = shapes
        pairs = list(zip(shapes, vertices_m, strict=True))
        num_points = [s.num_points for s in shapes]
        self._first_point = np.concatenate([[0], np.cumsum(num_points)])
        self._first_index = np.concatenate([[0], np.cumsum([s.triangles.size for s in shapes])])
        triangles = np.vstack([s.triangles + first for s, first in zip(shapes, self._first_point, strict=False)])
        indices = np.ascontiguousarray(triangles, dtype=np.uint32)
        rows = np.repeat(np.arange(len(shapes)), num_points)
        self._array = int(GL.glGenVertexArrays(1))
        GL.glBindVertexArray(self._array)
        self._positions = _attribute(0, np.vstack([s.positions(v) for s, v in pairs]), GL.GL_DYNAMIC_DRAW)
        self._normals = _attribute(1, np.vstack([s.normals(v) for s, v in pairs]), GL.GL_DYNAMIC_DRAW)
        self._colours = _attribute(2, np.zeros((sum(num_points), 3)), GL.GL_DYNAMIC_DRAW)
        self._rows = _attribute(3, rows[:, None], GL.GL_STATIC_DRAW)
        self._indices = int(GL.glGenBuffers(1))
        GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, self._indices)
        GL.glBufferData(GL.GL_ELEMENT_ARRAY_BUFFER, indices.nbytes, indices, GL.GL_STATIC_DRAW)
        self._table = int(GL.glGenBuffers(1))
        self._texture = int(GL.glGenTextures(1))
        GL.glBindBuffer(GL.GL_TEXTURE_BUFFER, self._table)
        GL.glBufferData(GL.GL_TEXTURE_BUFFER, table.nbytes, table, GL.GL_DYNAMIC_DRAW)
        GL.glBindTexture(GL.GL_TEXTURE_BUFFER, self._texture)
        GL.glTexBuffer(GL.GL_TEXTURE_BUFFER, GL.GL_RGBA32F, self._table)

    def send_vertices(self, shape: int, vertices_m: Array) -> None:
        self._send(self._positions, shape, self._shapes[shape].positions(vertices_m))
        if self._shapes[shape].smoothing is not None:
            self._send(self._normals, shape, self._shapes[shape].normals(vertices_m))

    def send_colours(self, shape: int, rgb: Array) -> None:
        """rgb: [V, 3], or [3] for all vertices alike."""
        num_vertices = self._shapes[shape].vertex_of.max() + 1
        self._send(self._colours, shape, self._shapes[shape].spread(np.broadcast_to(rgb, (num_vertices, 3))))

    def _send(self, buffer: int, shape: int, values: NDArray[np.float32]) -> None:
        values = np.ascontiguousarray(values)
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffer)
        GL.glBufferSubData(GL.GL_ARRAY_BUFFER, int(self._first_point[shape]) * 12, values.nbytes, values)

    def send_table(self, table: NDArray[np.float32]) -> None:
        GL.glBindBuffer(GL.GL_TEXTURE_BUFFER, self._table)
        GL.glBufferSubData(GL.GL_TEXTURE_BUFFER, 0, table.nbytes, table)

    def bind(self) -> None:
        GL.glBindVertexArray(self._array)
        GL.glActiveTexture(GL.GL_TEXTURE0)
        GL.glBindTexture(GL.GL_TEXTURE_BUFFER, self._texture)

    def draw(self, shapes: Sequence[int]) -> None:
        """One call for all, in rising order of their numbers; neighbours are one range."""
        if not shapes:
            return
        numbers = np.asarray(shapes)
        breaks = np.flatnonzero(np.diff(numbers) != 1)
        first = self._first_index[numbers[np.concatenate([[0], breaks + 1])]]
        beyond = self._first_index[numbers[np.concatenate([breaks, [len(numbers) - 1]])] + 1]
        for start, end in zip(first, beyond, strict=True):
            GL.glDrawElements(GL.GL_TRIANGLES, int(end - start), GL.GL_UNSIGNED_INT, ctypes.c_void_p(4 * int(start)))

    def delete(self) -> None:
        GL.glDeleteVertexArrays(1, [self._array])
        GL.glDeleteTextures([self._texture])
        GL.glDeleteBuffers(6, [self._positions, self._normals, self._colours, self._rows, self._indices, self._table])


def _attribute(place: int, values: Array, usage: Any) -> int:
    """A vertex attribute of float32 rows."""
    data = np.ascontiguousarray(values, dtype=np.float32)
    buffer = int(GL.glGenBuffers(1))
    GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffer)
    GL.glBufferData(GL.GL_ARRAY_BUFFER, data.nbytes, data, usage)
    GL.glEnableVertexAttribArray(place)
    GL.glVertexAttribPointer(place, data.shape[1], GL.GL_FLOAT, False, 0, None)
    return buffer
