"""Two-coloured balls whose gores meet at poles on the y axis, so that a viewer in front sees them roll along x."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, View
from event_library.channels import Channel, Move, Rotate, quaternion_about
from event_library.kit.palette import WHITE, paint
from event_library.parts import Part, Rgb
from event_library.readouts import sphere_centre_m

Channels = dict[str, tuple[Channel, ...]]

GORE_PAIRS = 2  # a quarter turn swaps the colours, half a turn brings them back
CYCLE_RAD = 2 * np.pi / GORE_PAIRS


def gored_ball(name: str, radius_m: float, rgb: Rgb, second_rgb: Rgb = WHITE) -> tuple[Part, ...]:
    """`{name}_a` and `{name}_b`: alternate gores of one ball about the origin; the first `a` gore looks up at rest."""
    bow = np.linspace(-np.pi / 2, np.pi / 2, 13)
    mesh = parts.lathe(radius_m * np.column_stack([np.abs(np.cos(bow)), np.sin(bow)]), 24)
    mesh.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
    x, _, z = mesh.triangles_center.T
    first = np.cos(GORE_PAIRS * np.arctan2(x, z)) > 0
    made = []
    for label, rows, colour in (("a", first, rgb), ("b", ~first, second_rgb)):
        used, faces = np.unique(mesh.faces[rows], return_inverse=True)
        gores = trimesh.Trimesh(mesh.vertices[used], faces.reshape(-1, 3), process=False)
        made.append(Part(f"{name}_{label}", gores, paint(colour, 0.3), carries=True, smooth_angle_deg=60))
    return tuple(made)


def ball_channels(name: str, centre_m: Array, roll_rad: float) -> Channels:
    """The ball at `centre_m`, turned by `roll_rad` about +y (as it rolls towards +x)."""
    pose = (Rotate(quaternion_about((0.0, 1.0, 0.0), roll_rad)), Move(centre_m))
    return {f"{name}_a": pose, f"{name}_b": pose}


def mesh_centre_m(meshes: Mapping[str, trimesh.Trimesh], name: str) -> Array:
    """[3] centre from the meshes: the gores of one colour lie symmetrically about it."""
    return np.asarray(meshes[f"{name}_a"].vertices).mean(axis=0)


def mesh_roll_rad(meshes: Mapping[str, trimesh.Trimesh], name: str) -> float:
    """Turn of the gores in [0, CYCLE_RAD) from the meshes."""
    return _gores_rad(
        {label: np.asarray(meshes[f"{name}_{label}"].vertices) for label in "ab"}, mesh_centre_m(meshes, name)
    )


def ball_points_m(view: View, name: str) -> Array:
    """[N, 3] visible points of both colours."""
    return np.vstack([view.points_m[f"{name}_a"], view.points_m[f"{name}_b"]])


def ball_centre_m(view: View, name: str) -> Array:
    """[3] centre of the ball through its visible points; nan when too little is seen."""
    return sphere_centre_m(ball_points_m(view, name))


def ball_roll_rad(view: View, name: str, centre_m: Array) -> float:
    """Turn of the gores in [0, CYCLE_RAD) as seen; nan where they aren't."""
    return _gores_rad({label: view.points_m[f"{name}_{label}"] for label in "ab"}, centre_m)


def _gores_rad(points_m: Mapping[str, Array], centre_m: Array) -> float:
    """The first circular moment of one colour against the other's."""
    total = 0j
    for label, sign in (("a", 1.0), ("b", -1.0)):
        x, _, z = (points_m[label] - centre_m).T
        total += sign * ((x * x + z * z) * np.exp(1j * GORE_PAIRS * np.arctan2(x, z))).sum()
    return float(np.angle(total) % (2 * np.pi)) / GORE_PAIRS if total != 0 else float("nan")
