"""The shelf world: the subject on a board of a shelf unit against a wall, with books and boxes on the boards around.

The board above hangs so high that it is in no sight line to the subject, and the uprights stand so far apart.
"""

from __future__ import annotations

import numpy as np

from scenes.errors import Problem
from scenes.occupancy import box_corners
from scenes.plan import PropPlan
from scenes.worlds.room import FABRICS, floor_look, wall_look
from scenes.worlds.site import ACCENTS, WOODS, Array, Ground, Look, Setting, Site, mat, pattern, pick, prop
from scenes.worlds.walls import Walls

TALLEST_M, WIDEST_M, DEEPEST_M = 0.75, 1.1, 0.6  # of what a shelf can take
TALLEST_BAY_M, WIDEST_BAY_M = 1.25, 3.0
BOARD_M = 0.024
SMALL = {"ball": 0.07, "book": 0.18, "mug": 0.09, "blocks": 0.09, "bottle": 0.2, "plant": 0.19}
LAYOUTS: tuple[tuple[tuple[str, float], ...], ...] = (
    (("door", -0.3), ("picture", 0.34), ("cabinet", 0.34)),
    (("window", 0.0), ("sofa", 0.0)),
    (("bookcase", -0.3), ("plant", 0.3), ("picture", 0.3)),
)


def shelf(setting: Setting, rng: np.random.Generator) -> Site:
    """Raises Problem when the subject is too large, or the camera looks from the side or too steeply."""
    low, high = setting.box_m
    size = high - low
    for length, limit, word in zip(size, (WIDEST_M, DEEPEST_M, TALLEST_M), ("wide", "deep", "high"), strict=True):
        if length > limit:
            raise Problem(
                f"a shelf cannot take what is {length:.2g} m {word} (at most {limit:g} m); use tabletop or room",
            )
    front, back = float(low[1] - 0.05 - 0.1 * size[1]), float(high[1] + 0.04)
    left, right, above = _bay(setting, front)
    unit_m = max(0.55, 0.6 * (right - left))  # width of the bays beside
    below_m, above_m = 0.34, 0.36
    ground_z = -2 * below_m - 0.09
    room_m = max(2.2, 1.5 * setting.camera_m + 0.6, 0.62 * (right - left) + unit_m + 0.5)
    height_m = max(2.5, above + above_m - ground_z + 0.4)
    walls = Walls(half_m=room_m, ground_z_m=ground_z, height_m=height_m, rng=rng, middle_m=(0.0, back - room_m))
    wood, second = pick(rng, WOODS) if float(rng.uniform()) < 0.7 else ((0.62, 0.61, 0.58), (0.58, 0.57, 0.54))
    unit = _Unit(front, back, {"rgb": wood, **pattern("wood", second, 0.05), "roughness": 0.5}, rng)
    levels = (-2 * below_m, -below_m, 0.0, above, above + above_m)
    unit.case(left, right, unit_m, ground_z, levels)
    grounds = [Ground(z_m=0.0, low_m=(left, front), high_m=(right, back), headroom_m=above - BOARD_M)]
    for z, headroom in ((-below_m, below_m), (above, above_m)):
        grounds += unit.filled(left, right, z, headroom - BOARD_M)
    for z, headroom in ((-2 * below_m, below_m), (above + above_m, 0.3)):
        unit.filled(left, right, z, headroom - BOARD_M)
    for x0, x1 in ((left - unit_m, left), (right, right + unit_m)):
        for z, headroom in zip(levels, (below_m, below_m, above, above_m, 0.3), strict=True):
            unit.filled(x0, x1, z, min(headroom, 0.36) - BOARD_M)
    grounds.append(Ground(z_m=ground_z, low_m=(-room_m, back - 2 * room_m), high_m=(room_m, back), clutter=False))
    rgb, second = pick(rng, FABRICS)
    cloth = {"rgb": rgb, **pattern("fabric", second, 4 * setting.pixel_m)}
    half = (float(size[0]) / 2 + 0.04, (back - front) / 2 - 0.015)
    props = [walls.floor(floor_look(room_m, setting.pixel_m, rng)), *unit.props]
    props.append(mat(setting, half, cloth, (float(low[0] + high[0]) / 2, (front + back) / 2)))
    props += walls.wall(0, (), wall_look(walls, 0, setting, rng))
    for side, layout in enumerate(rng.permutation(len(LAYOUTS)), start=1):
        props += walls.wall(side, LAYOUTS[int(layout)], wall_look(walls, side, setting, rng))
    props.append(walls.ceiling())
    middle = (low + high) / 2
    return Site(
        props=tuple(props),
        grounds=tuple(grounds),
        low_m=(-room_m, back - 2 * room_m),
        high_m=(room_m, back),
        things=SMALL,
        thing_scale=float(np.clip(setting.subject_m / 0.25, 0.7, 1.3)),
        overhead_m=(float(middle[0]), float(front - 0.7), float(ground_z + 0.92 * height_m)),
        key_elevation_deg=24.0,
    )


def _bay(setting: Setting, front_m: float) -> tuple[float, float, float]:
    """Left and right upright and the board above, all outside the sight lines to the subject at the unit's front."""
    low, high = setting.box_m
    corners = box_corners(setting.box_m)
    if setting.eyes_m[:, 1].max() > front_m - 0.35 * setting.camera.distance_m:
        raise Problem("the camera comes round to the side of the shelf; azimuth_deg and sweep_deg within 50 deg do not")
    crossings: list[Array] = []
    for eye in setting.eyes_m:
        share = (front_m - eye[1]) / (corners[:, 1] - eye[1])
        crossings.append(eye + share[:, None] * (corners - eye))
    seen = np.vstack([*crossings, corners])
    margin = 0.06 + 0.1 * setting.subject_m
    left = min(float(seen[:, 0].min()) - margin, float(low[0]) - 0.22)
    right = max(float(seen[:, 0].max()) + margin, float(high[0]) + 0.22)
    above = max(float(seen[:, 2].max()) + 0.5 * margin, 0.3)
    if above > TALLEST_BAY_M:
        raise Problem(
            f"seen from so steep the board above would have to hang {above:.2g} m high (at most {TALLEST_BAY_M:g} m); "
            "lower elevation_deg, or use tabletop or room"
        )
    if right - left > WIDEST_BAY_M:
        raise Problem(f"the bay would have to be {right - left:.2g} m wide (at most {WIDEST_BAY_M:g} m); use tabletop")
    return left, right, above


class _Unit:
    """Collects the props of the shelf unit."""

    def __init__(self, front_m: float, back_m: float, look: Look, rng: np.random.Generator) -> None:
        self._middle_y, self._depth = (front_m + back_m) / 2, back_m - front_m
        self._look, self._rng = look, rng
        self.props: list[PropPlan] = []

    def case(
        self, left_m: float, right_m: float, beside_m: float, ground_z_m: float, levels_m: tuple[float, ...]
    ) -> None:
        """Boards through all bays, uprights between them."""
        ends = (left_m - beside_m, right_m + beside_m)
        for i, z in enumerate(levels_m):
            self._slab(f"board{i}", (ends[0] + ends[1]) / 2, z - BOARD_M, (ends[1] - ends[0], self._depth, BOARD_M))
        tall = levels_m[-1] + 0.02 - ground_z_m
        for i, x in enumerate((ends[0] - BOARD_M / 2, left_m, right_m, ends[1] + BOARD_M / 2)):
            inner = 0 < i < 3
            top = levels_m[-1] - BOARD_M - ground_z_m if inner else tall
            self._slab(f"upright{i}", x, ground_z_m, (BOARD_M, 0.995 * self._depth if inner else self._depth, top))

    def filled(self, left_m: float, right_m: float, z_m: float, headroom_m: float) -> list[Ground]:
        """Books on a part of one compartment, sometimes a box; what is left can take clutter."""
        left, right = left_m + BOARD_M / 2 + 0.005, right_m - BOARD_M / 2 - 0.005
        width = right - left
        share = float(self._rng.uniform(0.35, 0.6)) if width > 0.8 else float(self._rng.uniform(0.5, 0.95))
        at_left = bool(self._rng.integers(2))
        high = float(self._rng.uniform(0.62, 0.82)) * min(headroom_m, 0.34)
        deep = min(0.2, 0.8 * self._depth)
        x = left + share * width / 2 if at_left else right - share * width / 2
        seed, name = int(self._rng.integers(1000)), f"row{len(self.props)}"
        y = self._middle_y - self._depth / 2 + deep / 2 + 0.02
        if self._rng.uniform() < 0.78:
            self.props.append(prop(name, "book_row", (x, y, z_m), size_m=[share * width, deep, high], seed=seed))
        else:
            rgb, second = pick(self._rng, ACCENTS), pick(self._rng, WOODS)[0]
            size = [min(share * width, 1.6 * high), deep, high]
            look = {"rgb": rgb, **pattern("fabric", second, 0.012), "roughness": 0.9}
            self.props.append(prop(name, "slab", (x, y, z_m), size_m=size, **look))
        free = (left + share * width, right) if at_left else (left, right - share * width)
        low_y, high_y = self._middle_y - self._depth / 2, self._middle_y + self._depth / 2
        if free[1] - free[0] < 0.16:
            return []
        return [Ground(z_m=z_m, low_m=(free[0], low_y), high_m=(free[1], high_y), headroom_m=headroom_m)]

    def _slab(self, name: str, x_m: float, z_m: float, size_m: tuple[float, float, float]) -> None:
        self.props.append(prop(name, "slab", (x_m, self._middle_y, z_m), size_m=size_m, **self._look))
