"""What can come before a target: builders from an OccluderPlan to parts, and where it stands at an instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library.parts import Material, Part, Pattern, Rgb, bevelled_box, block, box, join, moved
from scenes.cameras import envelope
from scenes.plan import InterruptionPlan, OccluderPlan, ScenePlan
from scenes.poses import yaw_pose

Array = NDArray[np.float64]
EDGE_SHARE = 0.06  # of the shorter side: width of frames, battens and folds


def occluder_name(index: int) -> str:
    """Name of the occluder of a plan's interruption number `index`, as in `Shot.occluders` and body keys."""
    return f"occluder{index}"


def occluder_parts(plan: OccluderPlan) -> tuple[Part, ...]:
    """Parts in the occluder's own frame: base centred on the origin, broad side to -y. ValueError for unknown kinds."""
    if plan.kind not in OCCLUDERS:
        raise ValueError(f"unknown occluder {plan.kind!r}; known: {', '.join(OCCLUDERS)}")
    return OCCLUDERS[plan.kind](*plan.size_m, plan.rgb)


def occluder_poses(plan: ScenePlan, t_s: float) -> dict[str, Array]:
    """Name -> [4, 4] world_from_occluder of those that are there at clip time `t_s`."""
    return {
        occluder_name(i): _pose(interruption, interruption.occluder, t_s)
        for i, interruption in enumerate(plan.interruptions)
        if interruption.occluder is not None and envelope(interruption, t_s) > 0.0
    }


def _pose(interruption: InterruptionPlan, occluder: OccluderPlan, t_s: float) -> Array:
    away = occluder.enter_m if t_s < interruption.hidden_from_s else occluder.exit_m
    share = 1.0 - envelope(interruption, t_s)
    return yaw_pose(occluder.yaw_rad, np.asarray(occluder.location_m) + share * np.asarray(away))


def _board(width_m: float, thick_m: float, height_m: float, rgb: Rgb) -> tuple[Part, ...]:
    """A stiff board in a frame, standing on two feet."""
    rim = EDGE_SHARE * min(width_m, height_m)
    panel = block((width_m, 0.5 * thick_m, height_m), (0, 0, 0))
    stiles = [block((rim, thick_m, height_m), (x * (width_m - rim) / 2, 0, 0)) for x in (-1, 1)]
    rails = [block((width_m - 2 * rim, thick_m, rim), (0, 0, z)) for z in (0.0, height_m - rim)]
    return (
        Part("panel", panel, Material(rgb, roughness=0.7)),
        Part("frame", join(*stiles, *rails), Material(_darker(rgb), roughness=0.5)),
    )


def _curtain(width_m: float, thick_m: float, height_m: float, rgb: Rgb) -> tuple[Part, ...]:
    """A pleated curtain on a rod."""
    folds = max(6, min(400, round(14 * width_m / height_m)))
    x = np.linspace(-width_m / 2, width_m / 2, 8 * folds + 1)
    y = 0.42 * thick_m * np.cos(np.linspace(0, 2 * np.pi * folds, len(x)))
    n = len(x)
    vertices = np.vstack([np.column_stack([x, y, np.full(n, z)]) for z in (0.0, height_m)])
    i = np.arange(n - 1)
    faces = np.vstack([np.column_stack([i, i + 1, i + 1 + n]), np.column_stack([i, i + 1 + n, i + n])])
    cloth = trimesh.Trimesh(vertices, faces, process=False)
    rod = moved(box((1.04 * width_m, 0.5 * thick_m, 0.5 * thick_m)), 0, 0, height_m)
    hem = Pattern("stripes", _darker(rgb), width_m / 9)
    return (
        Part("cloth", cloth, Material(rgb, roughness=0.95, pattern=hem), smooth_angle_deg=60),
        Part("rod", rod, Material((0.5, 0.4, 0.2), roughness=0.3, metallic=0.8)),
    )


def _crate(width_m: float, thick_m: float, height_m: float, rgb: Rgb) -> tuple[Part, ...]:
    """A closed packing case with battens."""
    rim = 1.4 * EDGE_SHARE * min(width_m, height_m)
    core = bevelled_box((width_m - rim / 2, thick_m, height_m), 0.1 * thick_m)
    moved(core, 0, 0, height_m / 2)
    front = -(thick_m + 0.3 * rim) / 2
    battens = [block((width_m, 0.3 * rim, rim), (0, front, z)) for z in (0.0, height_m - rim)]
    battens += [block((rim, 0.3 * rim, height_m), (x * (width_m - rim) / 2, front, 0)) for x in (-1, 1)]
    planks = Pattern("wood", _darker(rgb), height_m / 8)
    return (
        Part("core", core, Material(rgb, roughness=0.8, pattern=planks)),
        Part("battens", join(*battens), Material(_darker(rgb), roughness=0.8)),
    )


def _darker(rgb: Rgb) -> Rgb:
    r, g, b = (0.55 * c for c in rgb)
    return r, g, b


OCCLUDERS: Mapping[str, Callable[[float, float, float, Rgb], tuple[Part, ...]]] = {
    "board": _board,
    "curtain": _curtain,
    "crate": _crate,
}
