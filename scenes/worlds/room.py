"""The room world: the subject on the floor of a furnished room, or on a low stand if it is small."""

from __future__ import annotations

import numpy as np

from scenes.plan import PropPlan, Vec3
from scenes.worlds.site import WALLS, WOODS, Ground, Look, Setting, Site, checked_mat, mat, pattern, pick, prop
from scenes.worlds.walls import Walls

LARGEST_ON_STAND_M = 0.75
STAND_HEIGHT_M = 0.4
LOW = {"ball": 0.09, "book": 0.22, "mug": 0.095, "blocks": 0.12, "bottle": 0.21, "plant": 0.26}
LARGE = {"crate": 0.42, "ball": 0.28, "stool": 0.5, "plant": 0.7, "blocks": 0.36}
LAYOUTS: tuple[tuple[tuple[str, float], ...], ...] = (
    (("window", 0.0), ("sofa", 0.0), ("floor_lamp", -0.62), ("floor_lamp", 0.62)),
    (("bookcase", -0.45), ("picture", 0.1), ("cabinet", 0.42)),
    (("door", -0.34), ("picture", 0.32), ("armchair", 0.32)),
    (("window", 0.22), ("cabinet", 0.22), ("plant", -0.36), ("picture", -0.42)),
)
TILES: tuple[tuple[Vec3, Vec3], ...] = (
    ((0.55, 0.52, 0.46), (0.24, 0.22, 0.2)),
    ((0.40, 0.17, 0.10), (0.45, 0.40, 0.34)),
    ((0.30, 0.36, 0.38), (0.52, 0.52, 0.5)),
)
BRICKS: tuple[tuple[Vec3, Vec3], ...] = (
    ((0.34, 0.12, 0.07), (0.44, 0.41, 0.37)),
    ((0.5, 0.47, 0.43), (0.36, 0.34, 0.31)),
)
FABRICS: tuple[tuple[Vec3, Vec3], ...] = (
    ((0.42, 0.10, 0.07), (0.30, 0.05, 0.05)),
    ((0.10, 0.20, 0.36), (0.06, 0.12, 0.24)),
    ((0.42, 0.38, 0.31), (0.31, 0.27, 0.21)),
    ((0.12, 0.27, 0.20), (0.07, 0.17, 0.13)),
)


def room(setting: Setting, rng: np.random.Generator) -> Site:
    """Takes any event; what is larger than a living room stands in a hall of the same make."""
    on_stand = setting.subject_m <= LARGEST_ON_STAND_M and float(rng.uniform()) < 0.6
    ground_z = -STAND_HEIGHT_M if on_stand else 0.0
    belt_m = 0.2 + (0.35 if on_stand else 0.7) * setting.subject_m
    half = (setting.half_x_m + belt_m, setting.half_y_m + belt_m)
    room_m = max(2.1, 1.7 * setting.camera_m + 0.4, 1.7 * max(half))
    height_m = max(2.5, 1.15 * room_m)
    support = Ground(z_m=0.0, low_m=(-half[0], -half[1]), high_m=half)
    floor = Ground(z_m=ground_z, low_m=(-room_m, -room_m), high_m=(room_m, room_m), clutter=False)
    walls = Walls(half_m=room_m, ground_z_m=ground_z, height_m=height_m, rng=rng)
    props: list[PropPlan] = []
    if on_stand:
        props.append(_coffee_table(setting, half, rng))
        props.append(checked_mat(setting, support, rng))
    props.append(walls.floor(floor_look(room_m, setting.pixel_m, rng)))
    rgb, second = pick(rng, FABRICS)
    rug = {"rgb": rgb, **pattern("fabric", second, 4 * setting.pixel_m), "roughness": 0.95}
    if on_stand:
        size = [3.0 * half[0] + 0.5, 3.0 * half[1] + 0.4, 0.012]
        props.append(prop("rug", "slab", (0, 0, ground_z), size_m=size, **rug))
    else:
        props.append(mat(setting, half, rug, name="rug"))
    for side, layout in enumerate(rng.permutation(len(LAYOUTS))):
        props += walls.wall(side, LAYOUTS[int(layout)], wall_look(walls, side, setting, rng))
    props.append(walls.ceiling())
    middle = setting.box_m.mean(axis=0)
    above = min(float(middle[2]) + 1.1 * room_m, ground_z + 0.96 * height_m)
    reference_m = 0.25 if on_stand or setting.subject_m < 0.8 else 1.6
    return Site(
        props=tuple(props),
        grounds=(support, floor) if on_stand else (support,),
        low_m=(-room_m, -room_m),
        high_m=(room_m, room_m),
        things=LOW if reference_m < 1 else LARGE,
        thing_scale=float(np.clip(setting.subject_m / reference_m, 0.7, 1.7)),
        overhead_m=(float(middle[0]), float(middle[1]), above),
    )


def wall_look(walls: Walls, side: int, setting: Setting, rng: np.random.Generator) -> Look:
    """Paint, paper or bare brick."""
    kind = pick(rng, ("paint", "paper", "paint", "brick"))
    rgb, second = WALLS[(side + int(rng.integers(4))) % 4]
    if kind == "paint":
        return {"rgb": rgb, "roughness": 0.9}
    if kind == "paper":
        return {"rgb": rgb, **pattern("stripes", second, 0.09 * walls.half_m), "roughness": 0.85}
    rgb, second = pick(rng, BRICKS)
    return {"rgb": rgb, **pattern("brick", second, max(0.24, 0.1 * walls.half_m)), "roughness": 0.9}


def floor_look(room_m: float, pixel_m: float, rng: np.random.Generator) -> Look:
    """Boards or tiles, in pieces of a size that reads from where the camera is."""
    if float(rng.uniform()) < 0.5:
        rgb, second = pick(rng, WOODS)
        return {"rgb": rgb, **pattern("wood", second, 0.07 * room_m), "roughness": 0.5}
    rgb, second = pick(rng, TILES)
    return {"rgb": rgb, **pattern("tile", second, max(0.2, 9 * pixel_m)), "roughness": 0.4}


def _coffee_table(setting: Setting, half: tuple[float, float], rng: np.random.Generator) -> PropPlan:
    rgb, second = pick(rng, WOODS)
    look = {"rgb": rgb, **pattern("wood", second, max(0.03, 5 * setting.pixel_m)), "roughness": 0.4}
    return prop("table", "table", (0, 0, 0), size_m=[2 * half[0], 2 * half[1], STAND_HEIGHT_M], **look)
