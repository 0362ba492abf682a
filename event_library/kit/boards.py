"""Boards of cells and smooth fields, coloured per vertex, and the way back from what is seen to the cells.

Cells are indexed [row, column]: columns run along +x, rows away from the viewer (+y) on a lying board and upwards (+z)
on one that faces the front. Board parts carry a `per_vertex` material: give them a VertexColours channel on every frame
(the `..._channels` below do).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.channels import Channel, VertexColours, Vertices
from event_library.kit.faces import disc_faces, grid_faces, repeated
from event_library.kit.palette import DARK, WOOD
from event_library.kit.shapes import ORIGIN, Array, Facing, Place, placed
from event_library.parts import Material, Part

Channels = dict[str, tuple[Channel, ...]]

CELLS = Material(rgb=(0.5, 0.5, 0.5), roughness=0.6, per_vertex=True)
GLOWING_CELLS = Material(rgb=(0.5, 0.5, 0.5), roughness=0.6, per_vertex=True, emission_strength=1.0)
MAX_VERTICES = 2000


@dataclass(frozen=True)
class Grid:
    """Where a board of num_rows x num_columns cells lies: `place` is its middle, `size_m` (width, depth or height)."""

    num_rows: int
    num_columns: int
    size_m: tuple[float, float]
    place: Place = ORIGIN
    facing: Facing = "up"

    @property
    def pitch_m(self) -> tuple[float, float]:
        """Width and height of a cell."""
        return self.size_m[0] / self.num_columns, self.size_m[1] / self.num_rows

    def centres_m(self) -> Array:
        """[num_rows, num_columns, 3] middles of the cells in the event's frame."""
        u = (np.arange(self.num_columns) + 0.5) * self.pitch_m[0] - self.size_m[0] / 2
        v = (np.arange(self.num_rows) + 0.5) * self.pitch_m[1] - self.size_m[1] / 2
        flat = np.stack([*np.meshgrid(u, v), np.zeros((self.num_rows, self.num_columns))], axis=-1)
        return self.from_board(flat)

    def from_board(self, uvw_m: Array) -> Array:
        """[..., 3] points (along columns, along rows, out of the board) in the event's frame."""
        u, v, w = np.moveaxis(np.asarray(uvw_m, dtype=np.float64), -1, 0)
        turned = np.stack([u, v, w], axis=-1) if self.facing == "up" else np.stack([u, -w, v], axis=-1)
        return turned + np.asarray(self.place)

    def cells_of(self, points_m: Array) -> tuple[Array, Array]:
        """Rows and columns [P] (ints) of points [P, 3]; -1, -1 beside the board."""
        local = np.asarray(points_m, dtype=np.float64).reshape(-1, 3) - np.asarray(self.place)
        u, v = local[:, 0], local[:, 1] if self.facing == "up" else local[:, 2]
        column = np.floor((u + self.size_m[0] / 2) / self.pitch_m[0]).astype(np.int64)
        row = np.floor((v + self.size_m[1] / 2) / self.pitch_m[1]).astype(np.int64)
        on = (row >= 0) & (row < self.num_rows) & (column >= 0) & (column < self.num_columns)
        return np.where(on, row, -1), np.where(on, column, -1)

    def cell_means(self, points_m: Array, values: Array) -> Array:
        """[num_rows, num_columns, C] mean of values [P, C] seen at points [P, 3], nan where no point falls."""
        rows, columns = self.cells_of(points_m)
        values = np.asarray(values, dtype=np.float64)
        values = values[:, None] if values.ndim == 1 else values
        flat = (rows * self.num_columns + columns)[rows >= 0]
        num = self.num_rows * self.num_columns
        count = np.bincount(flat, minlength=num).astype(np.float64)
        count[count == 0] = np.nan
        sums = [np.bincount(flat, weights=values[rows >= 0, c], minlength=num) / count for c in range(values.shape[1])]
        return np.stack(sums, axis=-1).reshape(self.num_rows, self.num_columns, -1)


# ---- tiles: crisp cells
def tiles(
    name: str, grid: Grid, *, gap: float = 0.08, raised: bool = False, material: Material = CELLS
) -> tuple[Part, ...]:
    """Crisp coloured cells: one Part, or several `{name}_0`, `{name}_1` ... where the cells need over 2000 vertices.

    gap: share of a cell left free around each tile. Flat tiles have 4 vertices each (500 a Part); raised ones are
    boxes of 8 (250 a Part) whose heights `tiles_channels` sets.
    """
    if raised:
        heights = np.full((grid.num_rows, grid.num_columns), 0.1 * min(grid.pitch_m))
        vertices, faces, per = _raised_vertices(grid, gap, heights), _RAISED_FACES, 8
    else:
        vertices, faces, per = _flat_vertices(grid, gap), _FLAT_FACES, 4
    made = []
    for part_name, first, last in _bands(name, grid, per):
        joined = repeated(faces, per, last - first)
        mesh = trimesh.Trimesh(vertices[first * per : last * per], joined, process=False)
        made.append(Part(part_name, mesh, material, carries=True))
    return tuple(made)


def tiles_channels(name: str, grid: Grid, rgb: Array, *, heights_m: Array | None = None, gap: float = 0.08) -> Channels:
    """Colours [num_rows, num_columns, 3] and, for raised tiles, heights [num_rows, num_columns] above the board."""
    flat_rgb = np.asarray(rgb, dtype=np.float64).reshape(-1, 3)
    if heights_m is None:
        return {
            part_name: (VertexColours(np.repeat(flat_rgb[first:last], 4, axis=0)),)
            for part_name, first, last in _bands(name, grid, 4)
        }
    vertices = _raised_vertices(grid, gap, np.asarray(heights_m, dtype=np.float64))
    return {
        part_name: (
            Vertices(vertices[first * 8 : last * 8]),
            VertexColours(np.repeat(flat_rgb[first:last], 8, axis=0)),
        )
        for part_name, first, last in _bands(name, grid, 8)
    }


def tile_names(name: str, grid: Grid, *, raised: bool = False) -> tuple[str, ...]:
    """Names of the Parts that `tiles` makes, e.g. to gather a view's points."""
    return tuple(part_name for part_name, _, _ in _bands(name, grid, 8 if raised else 4))


def base_board(name: str, grid: Grid, *, border_m: float, thick_m: float, material: Material = DARK) -> Part:
    """Bevelled slab under (or behind) a board, its face 0.3 mm below the cells."""
    x, y = grid.size_m[0] + 2 * border_m, grid.size_m[1] + 2 * border_m
    mesh = parts.moved(parts.bevelled_box((x, thick_m, y), 0.12 * thick_m), y_m=thick_m / 2 + 3e-4)
    return Part(name, placed(mesh, grid.place, grid.facing), material)


def frame(name: str, grid: Grid, *, width_m: float, depth_m: float, material: Material = WOOD) -> Part:
    """Four bars around a board, standing `depth_m` proud of it."""
    x, y, w = grid.size_m[0], grid.size_m[1], width_m
    bars = [parts.box((x + 2 * w, depth_m, w)) for _ in range(2)] + [parts.box((w, depth_m, y)) for _ in range(2)]
    for bar, (u, v) in zip(
        bars, ((0, (y + w) / 2), (0, -(y + w) / 2), ((x + w) / 2, 0), (-(x + w) / 2, 0)), strict=True
    ):
        parts.moved(bar, u, -depth_m / 2 + 0.01, v)
    return Part(name, placed(parts.moved(parts.join(*bars), y_m=-0.01), grid.place, grid.facing), material)


def grid_lines(name: str, grid: Grid, *, width_m: float, material: Material = DARK) -> Part:
    """Thin bars between the cells and around them."""
    x, y, w = grid.size_m[0], grid.size_m[1], width_m
    across = [parts.moved(parts.box((w, w / 2, y + w)), u) for u in np.linspace(-x / 2, x / 2, grid.num_columns + 1)]
    along = [parts.moved(parts.box((x + w, w / 2, w)), 0, 0, v) for v in np.linspace(-y / 2, y / 2, grid.num_rows + 1)]
    return Part(name, placed(parts.join(*across, *along), grid.place, grid.facing), material)


_FLAT_FACES = np.array([(0, 1, 2), (0, 2, 3)])
_RAISED_FACES = np.array([
    (4, 5, 6), (4, 6, 7), (0, 1, 5), (0, 5, 4), (1, 2, 6), (1, 6, 5), (2, 3, 7), (2, 7, 6), (3, 0, 4), (3, 4, 7)
])  # fmt: skip


def _corners(grid: Grid, gap: float) -> Array:
    """[cells, 4, 2] corners of the tiles on the board, counter-clockwise."""
    u = (np.arange(grid.num_columns) + 0.5) * grid.pitch_m[0] - grid.size_m[0] / 2
    v = (np.arange(grid.num_rows) + 0.5) * grid.pitch_m[1] - grid.size_m[1] / 2
    middle = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 1, 2)
    half = np.array(grid.pitch_m) * (1 - gap) / 2
    return middle + half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])


def _flat_vertices(grid: Grid, gap: float) -> Array:
    corners = _corners(grid, gap)
    return grid.from_board(np.concatenate([corners, np.zeros((*corners.shape[:2], 1))], axis=-1)).reshape(-1, 3)


def _raised_vertices(grid: Grid, gap: float, heights_m: Array) -> Array:
    corners = _corners(grid, gap)
    low = np.concatenate([corners, np.zeros((*corners.shape[:2], 1))], axis=-1)
    high = np.concatenate([corners, np.broadcast_to(heights_m.reshape(-1, 1, 1), (len(corners), 4, 1))], axis=-1)
    return grid.from_board(np.concatenate([low, high], axis=1)).reshape(-1, 3)


def _bands(name: str, grid: Grid, per_cell: int) -> list[tuple[str, int, int]]:
    """Name, first and past-the-last cell of each Part."""
    num, most = grid.num_rows * grid.num_columns, MAX_VERTICES // per_cell
    if num <= most:
        return [(name, 0, num)]
    return [(f"{name}_{k}", k * most, min((k + 1) * most, num)) for k in range(-(-num // most))]


# ---- smooth fields: vertices shared between neighbours
def field_board(name: str, grid: Grid, material: Material = CELLS) -> Part:
    """Smooth coloured sheet with one vertex per cell, at its middle (so num_rows num_columns <= 2000)."""
    faces = grid_faces(grid.num_rows, grid.num_columns)
    mesh = trimesh.Trimesh(grid.centres_m().reshape(-1, 3), faces, process=False)
    return Part(name, mesh, material, carries=True, smooth_angle_deg=180)


def field_board_channels(name: str, grid: Grid, rgb: Array, *, heights_m: Array | None = None) -> Channels:
    """Colours [num_rows, num_columns, 3] and, if given, heights [num_rows, num_columns] out of the board."""
    colours = VertexColours(np.asarray(rgb, dtype=np.float64).reshape(-1, 3))
    if heights_m is None:
        return {name: (colours,)}
    flat = grid.centres_m()
    out = grid.from_board(np.array([0.0, 0.0, 1.0])) - np.asarray(grid.place)
    return {name: (Vertices((flat + np.asarray(heights_m)[..., None] * out).reshape(-1, 3)), colours)}


@dataclass(frozen=True)
class Disc:
    """A round board: a middle vertex and num_rings rings of num_spokes vertices, out to radius_m."""

    radius_m: float
    place: Place = ORIGIN
    facing: Facing = "up"
    num_rings: int = 20
    num_spokes: int = 64

    def nodes_m(self) -> Array:
        """[V, 2] board coordinates of the vertices: the middle, then ring by ring. Sample the field here."""
        r = self.radius_m * np.arange(1, self.num_rings + 1) / self.num_rings
        angle = 2 * np.pi * np.arange(self.num_spokes) / self.num_spokes
        rings = np.stack([r[:, None] * np.cos(angle), r[:, None] * np.sin(angle)], axis=-1).reshape(-1, 2)
        return np.vstack([[(0.0, 0.0)], rings])

    def on_board(self, points_m: Array) -> Array:
        """[P, 2] board coordinates of points [P, 3] of the event's frame."""
        local = np.asarray(points_m, dtype=np.float64).reshape(-1, 3) - np.asarray(self.place)
        return local[:, [0, 1]] if self.facing == "up" else local[:, [0, 2]]


def field_disc(name: str, disc: Disc, material: Material = CELLS) -> Part:
    """Smooth coloured disc; colours [V, 3] for `disc.nodes_m()` through `field_disc_channels`."""
    grid = Grid(1, 1, (1.0, 1.0), disc.place, disc.facing)
    nodes = disc.nodes_m()
    faces = disc_faces(disc.num_rings, disc.num_spokes)
    vertices = grid.from_board(np.column_stack([nodes, np.zeros(len(nodes))]))
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    return Part(name, mesh, material, carries=True, smooth_angle_deg=180)


def field_disc_channels(name: str, rgb: Array) -> Channels:
    """Colours [V, 3], one per node of the disc."""
    return {name: (VertexColours(np.asarray(rgb, dtype=np.float64)),)}


def sampled(field: Array, size_m: tuple[float, float], nodes_m: Array) -> Array:
    """[N, ...] bilinear values of a field [rows, columns, ...] of cells centred on the board, at nodes [N, 2]."""
    rows, columns = field.shape[:2]
    u = np.clip((nodes_m[:, 0] / size_m[0] + 0.5) * columns - 0.5, 0, columns - 1)
    v = np.clip((nodes_m[:, 1] / size_m[1] + 0.5) * rows - 0.5, 0, rows - 1)
    i, j = np.minimum(v.astype(np.int64), rows - 2), np.minimum(u.astype(np.int64), columns - 2)
    extra = (1,) * (field.ndim - 2)
    b, a = (v - i).reshape(-1, *extra), (u - j).reshape(-1, *extra)
    low = field[i, j] * (1 - a) + field[i, j + 1] * a
    high = field[i + 1, j] * (1 - a) + field[i + 1, j + 1] * a
    return np.asarray(low * (1 - b) + high * b)
