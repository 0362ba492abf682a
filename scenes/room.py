"""The tabletop world around the events: table or floor, mat, walls and furniture all round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.plan import PropPlan, Vec3

Array = NDArray[np.float64]
LARGEST_ON_TABLE_M = 1.1  # larger subjects stand on the floor
TABLE_HEIGHT_M = 0.75
WALL_THICKNESS_M = 0.1

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


@dataclass(frozen=True)
class Extent:
    """How large a world must be around its subject."""

    subject_m: float  # longest side of all that the events ever occupy
    half_x_m: float  # half sides of that, with the clutter's belt left out
    half_y_m: float
    camera_m: float  # greatest distance of the camera from the middle
    pixel_m: float  # what one pixel of a 64 px picture covers at the subject

    @property
    def on_table(self) -> bool:
        return self.subject_m <= LARGEST_ON_TABLE_M

    @property
    def support_half_m(self) -> tuple[float, float]:
        """Half sides of the area on which things can stand."""
        belt_m = 0.35 + 0.6 * self.subject_m
        if self.on_table:
            return max(0.62, self.half_x_m + belt_m), max(0.42, self.half_y_m + 0.8 * belt_m)
        return self.half_x_m + belt_m, self.half_y_m + belt_m

    @property
    def room_half_m(self) -> float:
        """Distance of the walls from the middle; the camera stands well inside."""
        return max(2.0, 1.7 * self.camera_m + 0.4, 1.6 * max(self.support_half_m))

    @property
    def ground_z_m(self) -> float:
        """Height of the room's floor; what events stand on is z = 0."""
        return -TABLE_HEIGHT_M if self.on_table else 0.0


def room_props(extent: Extent, rng: np.random.Generator) -> tuple[PropPlan, ...]:
    """Support, mat, floor, four walls with pictures and furniture."""
    room = _Room(extent, rng)
    return (*room.support(), *room.floor(), *(prop for side in range(4) for prop in room.wall(side)))


@dataclass(frozen=True)
class _Room:
    extent: Extent
    rng: np.random.Generator

    def support(self) -> list[PropPlan]:
        """The table (or nothing: a large subject stands on the floor) and a checked mat under it."""
        extent, props = self.extent, []
        half_x, half_y = extent.support_half_m
        if extent.on_table:
            rgb, second = _pick(self.rng, WOODS)
            look = {"rgb": rgb, **_pattern("wood", second, max(0.03, 5 * extent.pixel_m)), "roughness": 0.45}
            size = [2 * half_x, 2 * half_y, TABLE_HEIGHT_M]
            props.append(_prop("table", "table", (0, 0, 0), 0.0, size_m=size, **look))
        rgb, second = _pick(self.rng, CLOTHS)
        check = 6 * extent.pixel_m
        thick = 0.004 * min(1.0, extent.subject_m)
        width, depth = 1.25 * extent.half_x_m + 0.18 * half_x, 1.25 * extent.half_y_m + 0.22 * half_y
        size = [2 * min(width, 0.94 * half_x), 2 * min(depth, 0.9 * half_y), thick]
        look = {"rgb": rgb, **_pattern("checker", second, check), "roughness": 0.9}
        props.append(_prop("mat", "slab", (0, 0, -0.9 * thick), 0.0, size_m=size, **look))
        return props

    def floor(self) -> list[PropPlan]:
        room, thick = self.extent.room_half_m, 0.1
        rgb, second = _pick(self.rng, WOODS)
        look = {"rgb": rgb, **_pattern("wood", second, 0.09 * room), "roughness": 0.55}
        drop = 0.0 if self.extent.on_table else 0.003 * self.extent.subject_m
        z = self.extent.ground_z_m - thick - drop
        return [_prop("floor", "slab", (0, 0, z), 0.0, size_m=[2.2 * room, 2.2 * room, thick], **look)]

    def wall(self, side: int) -> list[PropPlan]:
        """One wall with what hangs on it and stands before it. Side 0 is at +y, opposite a camera at azimuth 0."""
        room, ground = self.extent.room_half_m, self.extent.ground_z_m
        yaw = -side * np.pi / 2
        rgb, second = WALLS[(side + int(self.rng.integers(2)) * 2) % 4]
        look = {"rgb": rgb, **_pattern("stripes", second, 0.11 * room), "roughness": 0.85}
        size = [2 * room + 2 * WALL_THICKNESS_M, WALL_THICKNESS_M, 2.2 * room]
        props = [
            _prop(
                f"wall{side}", "slab", _on_wall(yaw, 0.0, room + WALL_THICKNESS_M / 2, ground), yaw, size_m=size, **look
            )
        ]
        skirting = {"rgb": [0.5, 0.48, 0.44], "size_m": [2 * room, 0.02 * room, 0.07 * room]}
        props.append(_prop(f"skirting{side}", "slab", _on_wall(yaw, 0.0, 0.99 * room, ground), yaw, **skirting))
        slots = self.rng.permutation(np.array([-0.62, -0.2, 0.24, 0.64]))
        for i, kind in enumerate(("cabinet", "picture", "plant", "picture")):
            along = float(slots[i]) * room + 0.04 * room * float(self.rng.uniform(-1, 1))
            props.append(self._furniture(f"{kind}{side}{i}", kind, yaw, along))
        return props

    def _furniture(self, name: str, kind: str, yaw: float, along_m: float) -> PropPlan:
        room, ground = self.extent.room_half_m, self.extent.ground_z_m
        accent = list(_pick(self.rng, ACCENTS))
        scale = float(self.rng.uniform(0.85, 1.15))
        if kind == "picture":
            second = list(_pick(self.rng, CLOTHS)[0])
            pattern = str(self.rng.choice(["checker", "stripes"]))
            look = {"rgb": accent, **_pattern(pattern, second, 0.085 * room)}
            at = _on_wall(yaw, along_m, 0.985 * room, ground + room * float(self.rng.uniform(0.42, 0.55)))
            return _prop(name, "picture", at, yaw, size_m=[0.4 * room * scale, 0.3 * room * scale], **look)
        if kind == "cabinet":
            size = [0.42 * room * scale, 0.14 * room, 0.28 * room * scale]
            return _prop(name, "cabinet", _on_wall(yaw, along_m, 0.9 * room, ground), yaw, size_m=size, rgb=accent)
        at = _on_wall(yaw, along_m, 0.84 * room, ground)
        return _prop(name, "plant", at, yaw, size_m=0.42 * room * scale, rgb=accent, seed=int(self.rng.integers(9)))


def _on_wall(yaw: float, along_m: float, out_m: float, z_m: float) -> Vec3:
    """A point `out_m` from the middle towards a wall and `along_m` along it."""
    cos, sin = float(np.cos(yaw)), float(np.sin(yaw))
    return cos * along_m - sin * out_m, sin * along_m + cos * out_m, float(z_m)


def _pattern(kind: str, rgb: Vec3 | list[float], size_m: float) -> dict[str, object]:
    return {"pattern": kind, "pattern_rgb": list(rgb), "pattern_size_m": float(size_m)}


def _prop(name: str, kind: str, location_m: tuple[float, float, float], yaw_rad: float, **params: object) -> PropPlan:
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in params.items()}
    x, y, z = (float(v) for v in location_m)
    return PropPlan(name=name, kind=kind, location_m=(x, y, z), yaw_rad=float(yaw_rad), params=plain)


def _pick(rng: np.random.Generator, options: tuple) -> tuple:
    return options[int(rng.integers(len(options)))]
