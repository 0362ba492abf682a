"""What a body looks like in one instant, as a row of the table that the shaders read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from event_library.channels import (
    Channel,
    Colour,
    Emission,
    Move,
    Opacity,
    Power,
    Rotate,
    Roughness,
    Scale,
    VertexColours,
    Vertices,
    Visible,
    check_setters,
    pose_matrix,
)
from event_library.parts import Material, Pattern
from simulator.stage import Body

Array = NDArray[np.float64]
ROW_TEXELS = 7  # of four floats each: 3 of the matrix, colour and opacity, glow and roughness, pattern, recipe
KINDS = {"principled": 1, "shell": 2, "liquid": 3, "flame": 4, "haze": 5}
PATTERNS = {
    "checker": 1, "stripes": 2, "wood": 3, "speckle": 4, "tile": 5, "brick": 6, "fabric": 7, "grass": 8,
}  # fmt: skip
DEFINES = {
    "ROW_TEXELS": ROW_TEXELS,
    **{f"KIND_{name.upper()}": code for name, code in KINDS.items()},
    **{f"PATTERN_{name.upper()}": code for name, code in PATTERNS.items()},
}


def _check_recipes() -> None:
    """Raise at start-up when lit.frag lacks a kind of material or of pattern."""
    for codes, owner in ((KINDS, Material), (PATTERNS, Pattern)):
        known = set(get_args(get_type_hints(owner)["kind"]))
        if known != set(codes):
            raise RuntimeError(f"simulator.preview.table: {owner.__name__} kinds differ: {sorted(known ^ set(codes))}")


_check_recipes()


@dataclass
class Look:
    """One body in one instant, absolute values."""

    world_from_part: Array  # [4, 4]
    vertices_m: Array  # [V, 3]
    rgb: Array  # [3]
    vertex_rgb: Array | None  # [V, 3], or [3] for all alike; None where the material is not per vertex
    emission: float
    roughness: float
    opacity: float = 1.0
    visible: bool = True


def look_of(body: Body, own: tuple[Channel, ...]) -> Look:
    """As built, with the channels `own` applied."""
    part = body.part
    look = Look(
        world_from_part=body.world_from_rest @ pose_matrix(own) if own else body.world_from_rest,
        vertices_m=np.asarray(part.mesh.vertices),
        rgb=np.asarray(part.material.rgb),
        vertex_rgb=np.asarray(part.material.rgb) if part.material.per_vertex else None,
        emission=part.material.emission_strength,
        roughness=part.material.roughness,
    )
    for channel in own:
        _SETTERS[type(channel)](look, channel)
    return look


def fill_row(row: NDArray[np.float32], body: Body, look: Look) -> None:
    """Write a body's [ROW_TEXELS, 4] of the table."""
    material = body.part.material
    row[0:3] = look.world_from_part[:3]
    row[3, :3], row[3, 3] = look.rgb, look.opacity
    row[4, :3], row[4, 3] = look.emission * np.asarray(material.emission_rgb), look.roughness
    row[5, 3] = body.instance
    kind = KINDS[material.kind]
    row[6, 0], row[6, 3] = -kind if material.per_vertex else kind, material.metallic
    if material.pattern is not None:
        row[5, :3] = material.pattern.rgb
        row[6, 1], row[6, 2] = PATTERNS[material.pattern.kind], material.pattern.size_m


def _in_the_matrix(look: Look, channel: Any) -> None:
    """Scale, Rotate and Move are in `world_from_part` already."""


def _set_vertices(look: Look, channel: Vertices) -> None:
    look.vertices_m = channel.vertices_m


def _set_colour(look: Look, channel: Colour) -> None:
    look.rgb = channel.rgb


def _set_vertex_colours(look: Look, channel: VertexColours) -> None:
    look.vertex_rgb = channel.rgb


def _set_roughness(look: Look, channel: Roughness) -> None:
    look.roughness = float(channel.roughness)


def _set_opacity(look: Look, channel: Opacity) -> None:
    look.opacity = float(channel.opacity)


def _set_emission(look: Look, channel: Emission) -> None:
    look.emission = float(channel.strength)


def _set_visible(look: Look, channel: Visible) -> None:
    look.visible = look.visible and channel.visible


def _lamp_only(look: Look, channel: Power) -> None:
    raise TypeError("power belongs to lamps, not to parts")


_SETTERS: dict[type, Callable[[Look, Any], None]] = {
    Move: _in_the_matrix,
    Rotate: _in_the_matrix,
    Scale: _in_the_matrix,
    Vertices: _set_vertices,
    Colour: _set_colour,
    VertexColours: _set_vertex_colours,
    Roughness: _set_roughness,
    Opacity: _set_opacity,
    Emission: _set_emission,
    Visible: _set_visible,
    Power: _lamp_only,
}
check_setters("simulator.preview.table", _SETTERS)
