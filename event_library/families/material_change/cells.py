"""Voronoi cells in a convex outline, by cutting it with half-planes: plates of mud, shards of china."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Polygon = Array  # [P, 2] corners, counter-clockwise
WALL = -1  # neighbour behind a side of the outline


@dataclass(frozen=True)
class Cell:
    """corners [P, 2] counter-clockwise; neighbours: which cell lies behind the side from corner k to k + 1."""

    corners: Polygon
    neighbours: tuple[int, ...]


def voronoi_cells(sites: Array, outline: Polygon) -> list[Cell]:
    """The cell of each site [N, 2]: all of the outline that is nearest to it."""
    cells = []
    for site in sites:
        cell = Cell(outline, (WALL,) * len(outline))
        for j in np.argsort(np.linalg.norm(sites - site, axis=1))[1:]:
            cell = _cut(cell, sites[j] - site, float((sites[j] ** 2).sum() - (site**2).sum()) / 2, int(j))
        cells.append(cell)
    return cells


def relaxed_cells(sites: Array, outline: Polygon, num_rounds: int) -> tuple[Array, list[Cell]]:
    """Sites moved to their cells' centroids `num_rounds` times (Lloyd), and their cells: fewer slivers."""
    for _ in range(num_rounds):
        sites = np.array([centroid(cell.corners) for cell in voronoi_cells(sites, outline)])
    return sites, voronoi_cells(sites, outline)


def centroid(corners: Polygon) -> Array:
    """[2] centroid of a polygon."""
    after = np.roll(corners, -1, axis=0)
    cross = corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]
    return np.asarray(((corners + after) * cross[:, None]).sum(axis=0) / (3 * cross.sum()))


def _cut(cell: Cell, normal: Array, offset: float, behind: int) -> Cell:
    """The part of a cell where p . normal <= offset; the new side has the neighbour `behind`."""
    height = cell.corners @ normal - offset
    if (height <= 0).all():
        return cell
    corners, neighbours = [], []
    num = len(cell.corners)
    for k in range(num):
        a, b = height[k], height[(k + 1) % num]
        p, q = cell.corners[k], cell.corners[(k + 1) % num]
        if a <= 0:
            corners.append(p)
            neighbours.append(cell.neighbours[k])
        if (a <= 0) != (b <= 0):
            corners.append(p + (q - p) * (a / (a - b)))
            neighbours.append(behind if a <= 0 else cell.neighbours[k])
    return Cell(np.array(corners), tuple(neighbours))
