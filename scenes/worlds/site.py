"""What a kind of world is given and what it answers: extents, faces to stand on, palettes, words for placing props."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from scenes.plan import CameraPlan, ClipPlan, PropPlan, Vec3

Array = NDArray[np.float64]
Option = TypeVar("Option")
Vec2 = tuple[float, float]
Look = dict[str, Any]  # parameters of a prop that say what its surface looks like

WOODS: tuple[tuple[Vec3, Vec3], ...] = (
    ((0.42, 0.24, 0.11), (0.30, 0.16, 0.07)),
    ((0.52, 0.34, 0.18), (0.40, 0.25, 0.12)),
    ((0.26, 0.14, 0.07), (0.18, 0.09, 0.045)),
)
CLOTHS: tuple[tuple[Vec3, Vec3], ...] = (
    ((0.62, 0.58, 0.50), (0.42, 0.16, 0.13)),
    ((0.56, 0.59, 0.58), (0.18, 0.28, 0.42)),
    ((0.60, 0.57, 0.45), (0.22, 0.36, 0.23)),
    ((0.58, 0.56, 0.58), (0.34, 0.30, 0.40)),
)
WALLS: tuple[tuple[Vec3, Vec3], ...] = (
    ((0.56, 0.52, 0.44), (0.51, 0.47, 0.39)),
    ((0.40, 0.50, 0.54), (0.35, 0.45, 0.50)),
    ((0.55, 0.45, 0.40), (0.50, 0.40, 0.35)),
    ((0.46, 0.52, 0.42), (0.41, 0.47, 0.37)),
)
ACCENTS: tuple[Vec3, ...] = ((0.5, 0.1, 0.07), (0.08, 0.2, 0.42), (0.6, 0.42, 0.08), (0.1, 0.3, 0.2), (0.4, 0.2, 0.4))


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a world is built around. All a builder may look at besides its generator."""

    event_boxes_m: tuple[Array, ...]  # [2, 3] each, what the events ever occupy
    camera: CameraPlan
    clip: ClipPlan
    eyes_m: Array  # [N, 3] where the camera comes by
    subject_m: float  # longest side of all that the events ever occupy
    half_x_m: float  # half sides of that about the middle of the world
    half_y_m: float
    camera_m: float  # greatest distance of the camera from the middle
    pixel_m: float  # what one pixel of a 64 px picture covers at the subject

    @property
    def box_m(self) -> Array:
        """[2, 3] around all events."""
        boxes = np.stack(self.event_boxes_m)
        return np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A level face: shadows fall on it, and clutter may stand on it."""

    z_m: float
    low_m: Vec2
    high_m: Vec2
    headroom_m: float = float("inf")
    clutter: bool = True


@dataclass(frozen=True, kw_only=True)
class Site:
    """A world before its clutter and its light."""

    props: tuple[PropPlan, ...]
    grounds: tuple[Ground, ...]  # the first, at z = 0, carries the events; lower ones catch shadows that pass it
    low_m: Vec2  # walls all round; no shadow goes further
    high_m: Vec2
    things: Mapping[str, float]  # kinds of clutter and their usual sizes in metres
    thing_scale: float
    overhead_m: Vec3 | None  # where a room's wide lamp hangs; None under the open sky
    key_elevation_deg: float | None = None  # height of the key lamp where the usual one is in the way of something


def prop(name: str, kind: str, location_m: Vec3, yaw_rad: float = 0.0, **params: Any) -> PropPlan:
    """A PropPlan of plain JSON values."""
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in params.items()}
    x, y, z = (float(v) for v in location_m)
    return PropPlan(name=name, kind=kind, location_m=(x, y, z), yaw_rad=float(yaw_rad), params=plain)


def pattern(kind: str, rgb: Vec3 | list[float], size_m: float) -> Look:
    """Parameters of a patterned prop."""
    return {"pattern": kind, "pattern_rgb": list(rgb), "pattern_size_m": float(size_m)}


def pick(rng: np.random.Generator, options: tuple[Option, ...]) -> Option:
    return options[int(rng.integers(len(options)))]


def mat(setting: Setting, half_m: Vec2, look: Look, middle_m: Vec2 = (0.0, 0.0), name: str = "mat") -> PropPlan:
    """A thin cloth under the events, a little of it above z = 0, so that nothing flat lies in the plane of its top."""
    thick_m = 0.004 * min(1.0, setting.subject_m)
    size = [2 * half_m[0], 2 * half_m[1], thick_m]
    return prop(name, "slab", (*middle_m, -0.9 * thick_m), size_m=size, **{"roughness": 0.9, **look})


def checked_mat(setting: Setting, ground: Ground, rng: np.random.Generator) -> PropPlan:
    """A checked cloth of a size that leaves some of the support to be seen."""
    half_x, half_y = ground.high_m
    rgb, second = pick(rng, CLOTHS)
    width, depth = 1.25 * setting.half_x_m + 0.18 * half_x, 1.25 * setting.half_y_m + 0.22 * half_y
    half = (min(width, 0.94 * half_x), min(depth, 0.9 * half_y))
    return mat(setting, half, {"rgb": rgb, **pattern("checker", second, 6 * setting.pixel_m)})
