"""Where figures are: from their placed meshes (exact), and from what one frame shows of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import trimesh

from event_library.base import Array, View
from event_library.parts import Part

NOWHERE = np.full(2, np.nan)


def unseen(view: View, *names: str) -> bool:
    """Whether none of these parts is seen, so that nothing can be told from what else is missing."""
    return all(len(view.points_m[name]) == 0 for name in names)


def figure_points_m(view: View, name: str) -> Array:
    """[N, 3] visible points of all parts of a figure."""
    seen = [points for part, points in view.points_m.items() if part.startswith(f"{name}_")]
    return np.vstack(seen) if seen else np.empty((0, 3))


def standing_m(points_m: Array, eye_m: Array, radius_m: float) -> Array:
    """[2] axis of an upright round thing: halfway between its edges as seen, a radius behind its nearest point."""
    if len(points_m) < 2:
        return NOWHERE
    away = points_m[:, :2].mean(axis=0) - eye_m[:2]
    away /= np.linalg.norm(away)
    right = np.array([away[1], -away[0]])
    across, deep = points_m[:, :2] @ right, points_m[:, :2] @ away
    middle: Array = (across.min() + across.max()) / 2 * right + (deep.min() + radius_m) * away
    return middle


def axes_m(part: Part, placed: trimesh.Trimesh) -> Array:
    """[4, 3] axes and, last, origin of a rigid part, from its mesh at rest and its placed one."""
    rest = np.asarray(part.mesh.vertices)
    system = np.column_stack([rest, np.ones(len(rest))])
    return np.asarray(np.linalg.lstsq(system, np.asarray(placed.vertices), rcond=None)[0])


def origin_m(part: Part, placed: trimesh.Trimesh) -> Array:
    """[3] where a rigid part's own origin lies."""
    return np.asarray(axes_m(part, placed)[3])


def named(parts: tuple[Part, ...]) -> Mapping[str, Part]:
    """Part name -> part."""
    return {part.name: part for part in parts}
