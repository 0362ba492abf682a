"""Words in which the world's things are shaped. Props stand on z = 0 of their own frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trimesh

from event_library.parts import Material, Pattern, Rgb

Params = Mapping[str, Any]
DARK_WOOD: Rgb = (0.16, 0.08, 0.04)
SOIL: Rgb = (0.05, 0.03, 0.02)
LEAF: Rgb = (0.06, 0.22, 0.05)


def material(params: Params) -> Material:
    """`rgb`, and optionally `roughness`, `pattern`, `pattern_rgb`, `pattern_size_m`."""
    pattern = None
    if "pattern" in params:
        pattern = Pattern(params["pattern"], three(params["pattern_rgb"]), float(params["pattern_size_m"]))
    return Material(three(params["rgb"]), roughness=float(params.get("roughness", 0.6)), pattern=pattern)


def at(mesh: trimesh.Trimesh, offset_m: tuple[float, float, float]) -> trimesh.Trimesh:
    """The same mesh, moved there."""
    mesh.apply_translation(offset_m)
    return mesh


def three(values: Any) -> tuple[float, float, float]:
    """Three plain floats out of a list of JSON."""
    x, y, z = (float(v) for v in values)
    return x, y, z
