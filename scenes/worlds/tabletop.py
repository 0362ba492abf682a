"""The tabletop world: a table (the floor for what is too large) with a mat, walls and furniture all round."""

from __future__ import annotations

import numpy as np

from scenes.plan import PropPlan
from scenes.worlds.site import WOODS, Ground, Setting, Site, checked_mat, pattern, pick, prop
from scenes.worlds.walls import Walls

LARGEST_ON_TABLE_M = 1.1  # larger subjects stand on the floor
TABLE_HEIGHT_M = 0.75
# kind -> usual size in metres; small things for tables, large ones for the floor
ON_TABLE = {"ball": 0.075, "book": 0.19, "mug": 0.095, "blocks": 0.09, "bottle": 0.21, "plant": 0.19}
ON_FLOOR = {"crate": 0.42, "ball": 0.28, "stool": 0.5, "plant": 0.7, "blocks": 0.36}
FLOOR_THICK_M = 0.1


def tabletop(setting: Setting, rng: np.random.Generator) -> Site:
    """Takes any event."""
    on_table = setting.subject_m <= LARGEST_ON_TABLE_M
    half_x, half_y = _support_half_m(setting, on_table)
    room_m = max(2.0, 1.7 * setting.camera_m + 0.4, 1.6 * max(half_x, half_y))
    ground_z = -TABLE_HEIGHT_M if on_table else 0.0
    support = Ground(z_m=0.0, low_m=(-half_x, -half_y), high_m=(half_x, half_y))
    floor = Ground(z_m=ground_z, low_m=(-room_m, -room_m), high_m=(room_m, room_m), clutter=False)
    walls = Walls(half_m=room_m, ground_z_m=ground_z, height_m=2.2 * room_m, rng=rng)
    props: list[PropPlan] = []
    if on_table:
        rgb, second = pick(rng, WOODS)
        look = {"rgb": rgb, **pattern("wood", second, max(0.03, 5 * setting.pixel_m)), "roughness": 0.45}
        props.append(prop("table", "table", (0, 0, 0), size_m=[2 * half_x, 2 * half_y, TABLE_HEIGHT_M], **look))
    props.append(checked_mat(setting, support, rng))
    rgb, second = pick(rng, WOODS)
    props.append(walls.floor({"rgb": rgb, **pattern("wood", second, 0.09 * room_m), "roughness": 0.55}))
    for side in range(4):
        left, right = rng.permutation(["cabinet", "plant"]).tolist()
        props += walls.wall(side, ((left, -0.42), (right, 0.42), ("picture", -0.36), ("picture", 0.32)))
    props.append(walls.ceiling())
    middle = setting.box_m.mean(axis=0)
    return Site(
        props=tuple(props),
        grounds=(support, floor) if on_table else (support,),
        low_m=(-room_m, -room_m),
        high_m=(room_m, room_m),
        things=ON_TABLE if on_table else ON_FLOOR,
        thing_scale=float(np.clip(setting.subject_m / (0.25 if on_table else 1.6), 0.7, 1.7)),
        overhead_m=(float(middle[0]), float(middle[1]), float(middle[2] + 1.1 * room_m)),
    )


def _support_half_m(setting: Setting, on_table: bool) -> tuple[float, float]:
    """Half sides of the area on which things can stand."""
    belt_m = 0.35 + 0.6 * setting.subject_m
    if on_table:
        return max(0.62, setting.half_x_m + belt_m), max(0.42, setting.half_y_m + 0.8 * belt_m)
    return setting.half_x_m + belt_m, setting.half_y_m + belt_m
