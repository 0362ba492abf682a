"""The plan of a scene drawn from above: what stands there, what happens there, where the camera goes and looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.patches import Polygon, Wedge
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from simulator.stage import Body, Shot, Stage

Array = NDArray[np.float64]
PATH_COLOUR, AWAY_COLOUR, EVENT_COLOUR, OCCLUDER_COLOUR = "#1f5fa8", "#d9822b", "#c2304a", "#6b4a9c"
NUM_ARROWS = 16
LARGE_M2 = 3.0  # of the view's area: floors and grounds, which would cover everything


@dataclass(frozen=True)
class Footprint:
    """Outline of a prop, an event or an occluder on the ground."""

    outline_m: Array  # [N, 2]
    top_m: float
    rgb: Array  # [3] linear


def footprints(stage: Stage, shot: Shot) -> dict[str, Footprint]:
    """Outlines by owner: `world/<prop>`, `event/<id>`, `occluder/<name>`; what is not there in the shot is left out."""
    owners: dict[str, list[tuple[Body, Array]]] = {}
    for body, vertices in stage.placed(shot):
        if vertices is not None and len(vertices):
            owners.setdefault(_owner(body), []).append((body, vertices))
    found = {}
    for owner, parts in owners.items():
        points = np.vstack([vertices for _, vertices in parts])
        highest = max(parts, key=lambda part: float(part[1][:, 2].max()))[0]
        outline = _outline(points[:, :2])
        if outline is not None:
            found[owner] = Footprint(outline, float(points[:, 2].max()), np.asarray(highest.part.material.rgb))
    return found


def draw_from_above(axes: Any, stage: Stage, shots: Sequence[Shot], observed: Sequence[Shot]) -> None:
    """Everything that stands still in the drawing. shots: one a frame; observed: the same without interruptions."""
    eyes = np.array([shot.world_from_camera[:2, 3] for shot in shots])
    middle, reach_m = _view(stage, shots, eyes)
    axes.set(xlim=(middle[0] - reach_m, middle[0] + reach_m), ylim=(middle[1] - reach_m, middle[1] + reach_m))
    axes.set_aspect("equal")
    axes.set_facecolor("#f4f1ec")
    outlines = footprints(stage, shots[0])
    for owner, print_ in sorted(outlines.items(), key=lambda item: item[1].top_m):
        if owner.startswith("world/"):
            _draw_prop(axes, print_, reach_m)
    for index in np.linspace(0, len(shots) - 1, 5).round().astype(int):
        for owner, print_ in footprints(stage, shots[index]).items():
            if owner.startswith("event/"):
                axes.add_patch(
                    Polygon(print_.outline_m, fc=(0.76, 0.19, 0.29, 0.12), ec=EVENT_COLOUR, lw=1.0, zorder=5)
                )
    for owner, print_ in outlines.items():
        if owner.startswith("event/"):
            axes.annotate(
                owner.removeprefix("event/"), print_.outline_m.max(axis=0), color=EVENT_COLOUR, fontsize=8, zorder=9
            )
    _draw_occluders(axes, stage, shots)
    _draw_camera(axes, stage, shots, observed, eyes, reach_m)
    axes.set(xlabel="x [m]", ylabel="y [m]")
    axes.tick_params(labelsize=7)


def _owner(body: Body) -> str:
    if body.event is not None:
        return f"event/{body.event}"
    if body.occluder is not None:
        return f"occluder/{body.occluder}"
    return f"world/{body.part.name.partition('.')[0]}"


def _outline(points: Array) -> Array | None:
    """Corners of the convex hull; None for what has no area from above."""
    try:
        return points[ConvexHull(points).vertices]
    except QhullError:
        return None


def _view(stage: Stage, shots: Sequence[Shot], eyes: Array) -> tuple[Array, float]:
    """Middle [2] and half side of a square that holds the camera's path and the events."""
    events = [p.outline_m for o, p in footprints(stage, shots[0]).items() if o.startswith("event/")]
    points = np.vstack([eyes, *events, [stage.plan.camera.look_at_m[:2]]])
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, float((high - low).max()) * 0.62 + 0.05


def _draw_prop(axes: Any, print_: Footprint, reach_m: float) -> None:
    low, high = print_.outline_m.min(axis=0), print_.outline_m.max(axis=0)
    if np.prod(high - low) > LARGE_M2 * (2 * reach_m) ** 2:
        return
    pale = 0.45 + 0.55 * np.clip(print_.rgb, 0, 1) ** (1 / 2.2)
    axes.add_patch(Polygon(print_.outline_m, fc=pale, ec="#8a8378", lw=0.7, zorder=1))


def _draw_occluders(axes: Any, stage: Stage, shots: Sequence[Shot]) -> None:
    """Where each stands in the middle of its stay, and the way it comes and goes."""
    for name in sorted({name for shot in shots for name in shot.occluders}):
        there = [shot for shot in shots if name in shot.occluders]
        ways = np.array([shot.occluders[name][:2, 3] for shot in there])
        axes.plot(*ways.T, color=OCCLUDER_COLOUR, lw=1.0, ls=":", zorder=4)
        print_ = footprints(stage, there[len(there) // 2]).get(f"occluder/{name}")
        if print_ is not None:
            axes.add_patch(Polygon(print_.outline_m, fc=(0.42, 0.29, 0.61, 0.5), ec=OCCLUDER_COLOUR, zorder=6))


def _draw_camera(
    axes: Any, stage: Stage, shots: Sequence[Shot], observed: Sequence[Shot], eyes: Array, reach_m: float
) -> None:
    axes.plot(*eyes.T, color=PATH_COLOUR, lw=1.2, zorder=7)
    away = np.array([(a.world_from_camera != b.world_from_camera).any() for a, b in zip(shots, observed, strict=True)])
    headings = np.array([heading(shot) for shot in shots])
    chosen = np.unique(np.linspace(0, len(shots) - 1, NUM_ARROWS).round().astype(int))
    for colour, which in ((PATH_COLOUR, chosen[~away[chosen]]), (AWAY_COLOUR, chosen[away[chosen]])):
        steps = 0.3 * reach_m * np.column_stack([np.cos(headings[which]), np.sin(headings[which])])
        axes.quiver(
            *eyes[which].T, *steps.T, color=colour, angles="xy", scale_units="xy", scale=1, width=0.007, zorder=8
        )
    axes.plot(*eyes[0], "o", color=PATH_COLOUR, ms=5, zorder=9)
    axes.add_patch(view_wedge(stage, shots[0], reach_m, PATH_COLOUR))


def heading(shot: Shot) -> float:
    """Direction in which the camera looks, seen from above, radians from +x."""
    return float(np.arctan2(shot.world_from_camera[1, 2], shot.world_from_camera[0, 2]))


def view_wedge(stage: Stage, shot: Shot, reach_m: float, colour: str) -> Wedge:
    """What the camera has in view, as a slice."""
    half_deg, middle_deg = np.rad2deg(stage.plan.camera.fov_rad) / 2, np.rad2deg(heading(shot))
    eye = shot.world_from_camera[:2, 3]
    return Wedge(
        (float(eye[0]), float(eye[1])), 1.7 * reach_m, middle_deg - half_deg, middle_deg + half_deg,
        fc=colour, alpha=0.10, ec="none", zorder=2,
    )  # fmt: skip
