"""Parts: procedural geometry and materials as data. Nothing here knows a renderer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import trimesh
from numpy.typing import NDArray

Rgb = tuple[float, float, float]  # linear RGB, [0, 1]
PatternKind = Literal["checker", "stripes", "wood", "speckle", "tile", "brick", "fabric", "grass"]


@dataclass(frozen=True)
class Pattern:
    """A procedural second colour, laid in object coordinates.

    tile, brick and fabric lie flat on faces across x, y or z; `rgb` is the grout, the mortar, the second thread.
    """

    kind: PatternKind
    rgb: Rgb
    size_m: float  # side of a check or tile, width of a stripe, ring or thread, length of a brick, size of a speck


def check_patterns(renderer: str, patterns: Mapping[str, object]) -> None:
    """Raise at start-up when a renderer does not know every pattern (or knows one that does not exist)."""
    if set(patterns) != set(get_args(PatternKind)):
        raise RuntimeError(f"{renderer}: patterns {sorted(patterns)}, expected {sorted(get_args(PatternKind))}")


@dataclass(frozen=True)
class Material:
    """What a surface looks like. `kind` is a closed vocabulary that every renderer implements.

    principled  opaque surface with `roughness`, `metallic` and an optional `pattern`
    shell       clear thin glass that reads at 64 px (RENDER_NOTES: transparent + facing gloss, no refraction)
    liquid      tinted water inside a shell
    flame       glowing, facing-mixed with transparent; casts no shadow and lights nothing itself (add a Lamp)
    haze        soft, facing-mixed with transparent: steam, smoke, fog; casts no shadow; `Opacity` thins it
    """

    rgb: Rgb
    kind: Literal["principled", "shell", "liquid", "flame", "haze"] = "principled"
    roughness: float = 0.5
    metallic: float = 0.0
    emission_rgb: Rgb = (1.0, 1.0, 1.0)
    emission_strength: float = 0.0
    pattern: Pattern | None = None
    per_vertex: bool = False  # principled: base colour, and the colour of what it emits, come from VertexColours


@dataclass(frozen=True)
class Part:
    """One rigid or deforming piece of an event or of the world, in its own frame.

    `carries`: the part shows the state (water, clock hand); otherwise it only surrounds it (glass, clock face).
    Parts of kind `shell` are seen through; `flame` and `haze` are left out of the truth rays. A `backdrop` is only
    looked at: it throws no shadow and no light (a ceiling, over which lamps and sky shine in as if it were away).
    """

    name: str
    mesh: trimesh.Trimesh
    material: Material
    carries: bool = False
    smooth_angle_deg: float = 0.0  # 0: flat shading; else edges sharper than this stay sharp
    backdrop: bool = False

    @property
    def see_through(self) -> bool:
        return self.material.kind == "shell"

    @property
    def in_rays(self) -> bool:
        return self.material.kind not in ("flame", "haze")


@dataclass(frozen=True)
class Lamp:
    """A light that belongs to an event: a small glowing sphere."""

    name: str
    location_m: tuple[float, float, float]
    power_w: float
    rgb: Rgb
    radius_m: float


@dataclass(frozen=True)
class Assembly:
    """Everything an event puts into the world, in the event's own frame (origin on its support, z up)."""

    parts: tuple[Part, ...]
    lamps: tuple[Lamp, ...] = field(default=())

    def __post_init__(self) -> None:
        names = [p.name for p in self.parts] + [lamp.name for lamp in self.lamps]
        assert len(names) == len(set(names)), f"part names must be unique: {names}"


def lathe(profile_rz_m: NDArray[np.float64], num_sides: int = 32) -> trimesh.Trimesh:
    """Surface of revolution about z of an open polyline of (radius, height) points, [P, 2]."""
    return trimesh.creation.revolve(np.asarray(profile_rz_m, dtype=np.float64), sections=num_sides)


def cylinder(radius_m: float, height_m: float, num_sides: int = 32) -> trimesh.Trimesh:
    """Closed cylinder standing on z = 0."""
    mesh = trimesh.creation.cylinder(radius=radius_m, height=height_m, sections=num_sides)
    mesh.apply_translation((0.0, 0.0, height_m / 2))
    return mesh


def box(size_m: tuple[float, float, float]) -> trimesh.Trimesh:
    """Axis-aligned box centred on the origin."""
    return trimesh.creation.box(extents=size_m)


def sphere(radius_m: float, subdivisions: int = 3) -> trimesh.Trimesh:
    """Icosphere about the origin."""
    return trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius_m)


def torus(major_radius_m: float, minor_radius_m: float, num_major: int = 48, num_minor: int = 12) -> trimesh.Trimesh:
    """Torus about z, centred on the origin."""
    return trimesh.creation.torus(
        major_radius=major_radius_m,
        minor_radius=minor_radius_m,
        major_sections=num_major,
        minor_sections=num_minor,
    )


def join(*meshes: trimesh.Trimesh) -> trimesh.Trimesh:
    """Several meshes as one, vertices in the order given."""
    joined = trimesh.util.concatenate(list(meshes))
    assert isinstance(joined, trimesh.Trimesh)
    return joined


def moved(mesh: trimesh.Trimesh, x_m: float = 0.0, y_m: float = 0.0, z_m: float = 0.0) -> trimesh.Trimesh:
    """The mesh translated; returns the same object."""
    mesh.apply_translation((x_m, y_m, z_m))
    return mesh


def block(size_m: tuple[float, float, float], base_m: tuple[float, float, float]) -> trimesh.Trimesh:
    """Axis-aligned box whose bottom face is centred on `base_m`."""
    x, y, z = base_m
    return moved(box(size_m), x, y, z + size_m[2] / 2)


def bevelled_box(size_m: tuple[float, float, float], bevel_m: float) -> trimesh.Trimesh:
    """Box centred on the origin with every edge cut at 45 degrees; same extents, 24 vertices."""
    half = np.asarray(size_m, dtype=np.float64) / 2
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
    corners = [signs * (half - bevel_m * (1 - np.eye(3)[axis])) for axis in range(3)]
    return trimesh.Trimesh(np.vstack(corners)).convex_hull


def ring(
    inner_radius_m: float, outer_radius_m: float, height_m: float, bevel_m: float, num_sides: int = 40
) -> trimesh.Trimesh:
    """Closed bevelled annulus about z, standing on z = 0."""
    a, b, h, e = inner_radius_m, outer_radius_m, height_m, bevel_m
    profile = [(a, e), (a + e, 0), (b - e, 0), (b, e), (b, h - e), (b - e, h), (a + e, h), (a, h - e), (a, e)]
    return lathe(np.array(profile), num_sides)


def disc_prism(area_m2: float, height_m: float, num_sides: int = 64) -> trimesh.Trimesh:
    """Closed upright prism on z = 0 whose polygon has exactly `area_m2`: its volume is that of the round cylinder."""
    return cylinder(disc_prism_radius_m(area_m2, num_sides), height_m, num_sides)


def disc_prism_radius_m(area_m2: float, num_sides: int = 64) -> float:
    """Circumradius of the regular polygon with `area_m2`."""
    return float(np.sqrt(2 * area_m2 / (num_sides * np.sin(2 * np.pi / num_sides))))
