"""Corners and the body table of one stage on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL

from simulator.preview.corners import Shape

Array = NDArray[np.float64]


class Buffers:
    def __init__(self, shapes: Sequence[Shape], vertices_m: Sequence[Array], table: NDArray[np.float32]) -> None:
        """table: [B, ROW_TEXELS, 4], one row for each shape."""
        pairs = list(zip(shapes, vertices_m, strict=True))
        num_corners = [s.num_corners for s in shapes]
        rows = np.repeat(np.arange(len(shapes)), num_corners)
        self._array = int(GL.glGenVertexArrays(1))
        GL.glBindVertexArray(self._array)
        self._positions = _attribute(0, np.vstack([s.positions(v) for s, v in pairs]), GL.GL_DYNAMIC_DRAW)
        self._normals = _attribute(1, np.vstack([s.normals(v) for s, v in pairs]), GL.GL_DYNAMIC_DRAW)
        self._colours = _attribute(2, np.zeros((sum(num_corners), 3)), GL.GL_DYNAMIC_DRAW)
        self._rows = _attribute(3, rows[:, None], GL.GL_STATIC_DRAW)
        self._table = int(GL.glGenBuffers(1))
        self._texture = int(GL.glGenTextures(1))
        GL.glBindBuffer(GL.GL_TEXTURE_BUFFER, self._table)
        GL.glBufferData(GL.GL_TEXTURE_BUFFER, table.nbytes, table, GL.GL_DYNAMIC_DRAW)
        GL.glBindTexture(GL.GL_TEXTURE_BUFFER, self._texture)
        GL.glTexBuffer(GL.GL_TEXTURE_BUFFER, GL.GL_RGBA32F, self._table)

    def send_vertices(self, shape: Shape, vertices_m: Array) -> None:
        _send(self._positions, shape.first, shape.positions(vertices_m))
        _send(self._normals, shape.first, shape.normals(vertices_m))

    def send_colours(self, shape: Shape, rgb: Array) -> None:
        """rgb: [V, 3], or [3] for all vertices alike."""
        colours = rgb[shape.faces.ravel()] if np.ndim(rgb) == 2 else np.broadcast_to(rgb, (shape.num_corners, 3))
        _send(self._colours, shape.first, colours.astype(np.float32))

    def send_table(self, table: NDArray[np.float32]) -> None:
        GL.glBindBuffer(GL.GL_TEXTURE_BUFFER, self._table)
        GL.glBufferSubData(GL.GL_TEXTURE_BUFFER, 0, table.nbytes, table)

    def bind(self) -> None:
        GL.glBindVertexArray(self._array)
        GL.glActiveTexture(GL.GL_TEXTURE0)
        GL.glBindTexture(GL.GL_TEXTURE_BUFFER, self._texture)

    def delete(self) -> None:
        GL.glDeleteVertexArrays(1, [self._array])
        GL.glDeleteTextures([self._texture])
        GL.glDeleteBuffers(5, [self._positions, self._normals, self._colours, self._rows, self._table])


def _attribute(place: int, values: Array, usage: Any) -> int:
    """A vertex attribute of float32 rows."""
    data = np.ascontiguousarray(values, dtype=np.float32)
    buffer = int(GL.glGenBuffers(1))
    GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffer)
    GL.glBufferData(GL.GL_ARRAY_BUFFER, data.nbytes, data, usage)
    GL.glEnableVertexAttribArray(place)
    GL.glVertexAttribPointer(place, data.shape[1], GL.GL_FLOAT, False, 0, None)
    return buffer


def _send(buffer: int, first: int, rows: NDArray[np.float32]) -> None:
    rows = np.ascontiguousarray(rows)
    GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffer)
    GL.glBufferSubData(GL.GL_ARRAY_BUFFER, first * rows.itemsize * rows.shape[1], rows.nbytes, rows)
