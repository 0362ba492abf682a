"""A closed room: floor, four walls with what hangs on them and stands before them, and a ceiling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.plan import PropPlan, Vec3
from scenes.worlds.site import ACCENTS, CLOTHS, WALLS, Look, Vec2, pattern, pick, prop

WALL_THICKNESS_M = 0.1
CORNER, DEEP_CORNER = 0.78, 0.58  # no further along a wall reaches what is shallow, and what stands far out from it
DEEP = 0.2
PLASTER: Vec3 = (0.8, 0.79, 0.76)
JOINT: Vec3 = (0.36, 0.34, 0.31)


@dataclass(frozen=True, kw_only=True)
class Walls:
    """A square room of half side `half_m` about `middle_m`, its floor at `ground_z_m`. Furniture grows with it."""

    half_m: float
    ground_z_m: float
    height_m: float
    rng: np.random.Generator
    middle_m: Vec2 = (0.0, 0.0)

    def floor(self, look: Look) -> PropPlan:
        size = [2.2 * self.half_m, 2.2 * self.half_m, WALL_THICKNESS_M]
        at = (*self.middle_m, self.ground_z_m - WALL_THICKNESS_M)
        return prop("floor", "slab", at, size_m=size, **look)

    def ceiling(self) -> PropPlan:
        size = [2.2 * self.half_m, 2.2 * self.half_m, WALL_THICKNESS_M]
        at = (*self.middle_m, self.ground_z_m + self.height_m)
        panels = pattern("tile", JOINT, 0.24 * self.half_m)
        return prop("ceiling", "ceiling", at, size_m=size, rgb=PLASTER, roughness=0.9, **panels)

    def wall(self, side: int, things: tuple[tuple[str, float], ...], look: Look | None = None) -> list[PropPlan]:
        """One wall with (kind, share of the half wall along it) things. Side 0 is at +y, then clockwise from above."""
        yaw = -side * np.pi / 2
        rgb, second = WALLS[(side + int(self.rng.integers(2)) * 2) % 4]
        if look is None:
            look = {"rgb": rgb, **pattern("stripes", second, 0.11 * self.half_m), "roughness": 0.85}
        size = [2 * self.half_m + 2 * WALL_THICKNESS_M, WALL_THICKNESS_M, self.height_m]
        at = self.on_wall(side, 0.0, self.half_m + WALL_THICKNESS_M / 2)
        props = [prop(f"wall{side}", "slab", at, yaw, size_m=size, **look)]
        skirting = {"rgb": [0.5, 0.48, 0.44], "size_m": [2 * self.half_m, 0.02 * self.half_m, 0.07 * self.half_m]}
        props.append(prop(f"skirting{side}", "slab", self.on_wall(side, 0.0, 0.99 * self.half_m), yaw, **skirting))
        for i, (kind, spot) in enumerate(things):
            along = spot + 0.03 * float(self.rng.uniform(-1, 1))
            props.append(self._furniture(f"{kind}{side}{i}", kind, side, along))
        return props

    def on_wall(self, side: int, along_m: float, out_m: float, up_m: float = 0.0) -> Vec3:
        """A point `out_m` from the middle towards a wall, `along_m` along it to the right as seen from inside."""
        yaw = -side * np.pi / 2
        cos, sin = float(np.cos(yaw)), float(np.sin(yaw))
        x, y = self.middle_m
        return x + cos * along_m - sin * out_m, y + sin * along_m + cos * out_m, float(self.ground_z_m + up_m)

    def _furniture(self, name: str, kind: str, side: int, along: float) -> PropPlan:
        """One thing about `along` half walls from the middle; see FURNITURE for its measures."""
        half, yaw = self.half_m, -side * np.pi / 2
        accent = list(pick(self.rng, ACCENTS))
        scale = float(self.rng.uniform(0.85, 1.15))
        width, depth, height, up, out = FURNITURE[kind]
        limit = (DEEP_CORNER if depth > DEEP else CORNER) - width * scale / 2
        at_m = half * float(np.clip(along, -limit, limit))
        params: Look = {"rgb": accent}
        if kind == "picture":
            second = list(pick(self.rng, CLOTHS)[0])
            params |= pattern(str(self.rng.choice(["checker", "stripes"])), second, 0.085 * half)
            up = float(self.rng.uniform(0.42, 0.55))
        if kind in ("plant", "bookcase"):
            params["seed"] = int(self.rng.integers(9))
        if kind == "sofa":
            params |= pattern("fabric", [0.75 * c for c in accent], 0.02 * half)
        if kind in ("picture", "window", "door"):
            pane = width / 1.65 if kind == "window" else width  # its curtains hang beside it
            params["size_m"] = [pane * half * scale, height * half * scale]
        elif kind in ("plant", "floor_lamp", "armchair"):
            params["size_m"] = height * half * scale
        else:
            params["size_m"] = [width * half * scale, depth * half, height * half * scale]
        return prop(name, kind, self.on_wall(side, at_m, out * half, up * half), yaw, **params)


# kind -> width, depth, height, height of its foot, distance of its middle from the room's; all in half walls
FURNITURE: dict[str, tuple[float, float, float, float, float]] = {
    "picture": (0.4, 0.0, 0.3, 0.48, 0.985),
    "cabinet": (0.42, 0.14, 0.28, 0.0, 0.9),
    "plant": (0.34, 0.34, 0.42, 0.0, 0.8),
    "window": (0.66, 0.0, 0.42, 0.4, 0.985),
    "door": (0.36, 0.0, 0.82, 0.0, 0.975),
    "sofa": (0.72, 0.32, 0.32, 0.0, 0.8),
    "bookcase": (0.4, 0.13, 0.72, 0.0, 0.91),
    "floor_lamp": (0.16, 0.16, 0.62, 0.0, 0.86),
    "armchair": (0.34, 0.34, 0.36, 0.0, 0.78),
}
