"""Lumps and heaps: drops on a surface, puddles, sand cones, melting blocks, ground with a height field.

All are closed, stand on z = 0 of their own frame and keep their vertex count; `..._channels` put them at a place.
"""

from __future__ import annotations

import numpy as np
import trimesh

from event_library.channels import Channel, Move, Vertices
from event_library.kit.boards import Grid
from event_library.kit.faces import fan_faces, grid_faces
from event_library.kit.palette import ICE, SAND, WATER
from event_library.kit.shapes import Array, Place, at, solid_of_revolution
from event_library.parts import Material, Part

Channels = dict[str, tuple[Channel, ...]]

SMALLEST_M = 1e-5  # a vanished lump keeps this much


# ---- drops and puddles
def cap(name: str, material: Material = WATER) -> Part:
    """Sessile drop, dome or mound; `cap_channels` sizes it."""
    return Part(name, _cap_mesh(0.01, 0.005), material, carries=True, smooth_angle_deg=60)


def cap_channels(name: str, base_radius_m: float, height_m: float, place: Place) -> Channels:
    """Spherical cap of this base and height with exactly its volume (`cap_volume_m3`)."""
    mesh = _cap_mesh(max(base_radius_m, SMALLEST_M), max(height_m, SMALLEST_M))
    return {name: (Vertices(np.asarray(mesh.vertices)), Move(at(*place)))}


def cap_volume_m3(base_radius_m: float | Array, height_m: float | Array) -> Array:
    """pi h (3 a^2 + h^2) / 6."""
    a, h = np.asarray(base_radius_m, dtype=np.float64), np.asarray(height_m, dtype=np.float64)
    return np.asarray(np.pi * h * (3 * a * a + h * h) / 6)


def cap_size_m(volume_m3: float | Array, contact_rad: float) -> tuple[Array, Array]:
    """Base radius and height of a cap with a volume and a contact angle."""
    slope = np.tan(contact_rad / 2)  # height over base radius
    radius = np.cbrt(6 * np.asarray(volume_m3, dtype=np.float64) / (np.pi * slope * (3 + slope**2)))
    return radius, radius * slope


def puddle(name: str, material: Material = WATER) -> Part:
    """Flat pool with a round rim; `puddle_channels` sizes it."""
    return Part(name, _puddle_mesh(0.01, 0.002), material, carries=True, smooth_angle_deg=60)


def puddle_channels(name: str, radius_m: float, thick_m: float, place: Place) -> Channels:
    """Pool of a radius and a thickness whose volume is exactly pi radius_m^2 thick_m."""
    mesh = _puddle_mesh(max(radius_m, SMALLEST_M), max(thick_m, 0.1 * SMALLEST_M))
    return {name: (Vertices(np.asarray(mesh.vertices)), Move(at(*place)))}


def _cap_mesh(a: float, h: float) -> trimesh.Trimesh:
    sphere = (a * a + h * h) / (2 * h)
    bow = np.linspace(np.arccos(np.clip((sphere - h) / sphere, -1.0, 1.0)), 0.02, 12)
    profile = np.column_stack([sphere * np.sin(bow), sphere * np.cos(bow) - (sphere - h)])
    return _with_volume(profile, float(cap_volume_m3(a, h)))


def _puddle_mesh(radius: float, thick: float) -> trimesh.Trimesh:
    bow = np.linspace(0.0, np.pi / 2, 7)
    rim = min(2.0 * thick, 0.5 * radius)
    edge = np.column_stack([radius - rim + rim * np.cos(bow), thick * np.sin(bow)])
    return _with_volume(np.vstack([edge, [(0.5 * (radius - rim), thick)]]), float(np.pi * radius**2 * thick))


def _with_volume(profile_rz_m: Array, volume_m3: float) -> trimesh.Trimesh:
    """Solid of revolution whose radii are stretched until it has the volume."""
    mesh = solid_of_revolution(profile_rz_m, 40)
    mesh.apply_scale([*[float(np.sqrt(volume_m3 / mesh.volume))] * 2, 1.0])
    return mesh


# ---- sand
def sand_cone(name: str, material: Material = SAND) -> Part:
    """Heap of sand; `sand_cone_channels` sizes it."""
    return Part(name, _cone_mesh(0.01, 0.005), material, carries=True, smooth_angle_deg=60)


def sand_cone_channels(name: str, volume_m3: float, repose_rad: float, place: Place) -> Channels:
    """Cone of this volume at the angle of repose, its tip a little blunt (volume exact, height within 1 %)."""
    radius, height = sand_cone_size_m(max(volume_m3, 1e-12), repose_rad)
    return {name: (Vertices(np.asarray(_cone_mesh(float(radius), float(height)).vertices)), Move(at(*place)))}


def sand_cone_size_m(volume_m3: float | Array, repose_rad: float) -> tuple[Array, Array]:
    """Base radius and height of a cone of sand."""
    radius = np.cbrt(3 * np.asarray(volume_m3, dtype=np.float64) / (np.pi * np.tan(repose_rad)))
    return radius, radius * np.tan(repose_rad)


def _cone_mesh(radius: float, height: float) -> trimesh.Trimesh:
    share = np.array([1.0, 0.75, 0.5, 0.25, 0.1, 0.03, 0.005])
    return _with_volume(np.column_stack([radius * share, height * (1 - share)]), float(np.pi / 3 * radius**2 * height))


# ---- blocks with round edges
def rounded_box(size_m: Place, rounding_m: float, num: int = 3) -> trimesh.Trimesh:
    """Box standing on z = 0 with edges rounded by rounding_m (at most half its least side); 296 vertices at num 3.

    The same vertex count for every size and rounding: ice that melts, dough that rises, a tablet, a cushion.
    """
    half = np.asarray(size_m, dtype=np.float64) / 2
    r = min(rounding_m, 0.999 * float(half.min()))
    n = 2 * num + 2
    lattice = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    lattice = lattice[((lattice == 0) | (lattice == n - 1)).any(axis=1)]
    side = np.where(lattice <= num, -1.0, 1.0)
    steps = np.where(lattice <= num, num - lattice, lattice - num - 1)  # 0 in the flat middle, num at the outside
    outward = side * np.tan(np.pi / 4 * steps / num)
    vertices = side * (half - r) + r * outward / np.linalg.norm(outward, axis=1, keepdims=True)
    index = {tuple(cell): k for k, cell in enumerate(lattice.tolist())}
    faces = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for face_side in (0, n - 1):
            for i in range(n - 1):
                for j in range(n - 1):
                    corner = [[0, 0, 0] for _ in range(4)]
                    for c, (di, dj) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1))):
                        corner[c][axis], corner[c][u], corner[c][v] = face_side, i + di, j + dj
                    a, b, c_, d = (index[tuple(c)] for c in corner)
                    faces += [(a, b, c_), (a, c_, d)] if face_side else [(a, c_, b), (a, d, c_)]
    return trimesh.Trimesh(vertices + at(0.0, 0.0, half[2]), np.array(faces), process=False)


def melting_block(name: str, size_m: Place, rounding_m: float = 0.002, material: Material = ICE) -> Part:
    """A block that `melting_block_channels` shrinks and rounds."""
    return Part(name, rounded_box(size_m, rounding_m), material, carries=True, smooth_angle_deg=50)


def melting_block_channels(name: str, size_m: Place, rounding_m: float, place: Place) -> Channels:
    """Block of full extents `size_m` and rounding, standing on `place`; its volume is `rounded_box(...).volume`."""
    size = tuple(max(s, SMALLEST_M) for s in size_m)
    return {
        name: (Vertices(np.asarray(rounded_box((size[0], size[1], size[2]), rounding_m).vertices)), Move(at(*place)))
    }


# ---- ground
def ground(name: str, grid: Grid, heights_m: Array, material: Material = SAND) -> Part:
    """Closed solid under a height field [num_rows, num_columns] at the cells' middles, down to the grid's plane."""
    rows, columns = grid.num_rows, grid.num_columns
    edge = _edge(rows, columns)
    low, num = rows * columns + np.arange(len(edge)), len(edge)
    faces = np.vstack([
        grid_faces(rows, columns), np.concatenate([low, edge])[grid_faces(2, num, closed_columns=True)],
        fan_faces(num, low[-1] + 1, low[0])[:, ::-1],
    ])  # fmt: skip
    mesh = trimesh.Trimesh(_ground_vertices(grid, heights_m), faces, process=False)
    return Part(name, mesh, material, carries=True, smooth_angle_deg=40)


def ground_channels(name: str, grid: Grid, heights_m: Array) -> Channels:
    """New heights [num_rows, num_columns]."""
    return {name: (Vertices(_ground_vertices(grid, heights_m)),)}


def _ground_vertices(grid: Grid, heights_m: Array) -> Array:
    flat = grid.centres_m()
    top = flat.copy()
    top[..., 2] += np.maximum(np.asarray(heights_m, dtype=np.float64), SMALLEST_M)
    edge = flat.reshape(-1, 3)[_edge(grid.num_rows, grid.num_columns)]
    return np.vstack([top.reshape(-1, 3), edge, [grid.place]])


def _edge(rows: int, columns: int) -> Array:
    """Indices (ints) of the boundary vertices, counter-clockwise from above."""
    index = np.arange(rows * columns).reshape(rows, columns)
    return np.concatenate([index[0, :-1], index[:-1, -1], index[-1, :0:-1], index[:0:-1, 0]])
