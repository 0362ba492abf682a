"""The outdoor world: the subject on lawn, paving or soil; garden and trees all round, ground to the horizon, sky."""

from __future__ import annotations

import numpy as np

from scenes.plan import PropPlan, Vec3
from scenes.worlds.room import BRICKS, FABRICS
from scenes.worlds.site import CLOTHS, Ground, Setting, Site, mat, pattern, pick, prop

HORIZON_M = 1000.0  # half side of the ground, more where the camera is high up
LARGEST_SMALL_M = 0.8
SMALL = {"flower_pot": 0.2, "ball": 0.1, "rock": 0.13, "mug": 0.095, "bottle": 0.21, "watering_can": 0.24}
LARGE = {"flower_pot": 0.5, "ball": 0.24, "rock": 0.4, "crate": 0.42, "watering_can": 0.36, "stool": 0.5}
GRASS: tuple[tuple[Vec3, Vec3], ...] = (
    ((0.07, 0.165, 0.022), (0.21, 0.36, 0.055)),
    ((0.10, 0.175, 0.03), (0.29, 0.37, 0.085)),
)
SOILS: tuple[tuple[Vec3, Vec3], ...] = (
    ((0.20, 0.12, 0.07), (0.30, 0.20, 0.12)),
    ((0.34, 0.28, 0.2), (0.44, 0.37, 0.27)),
)
STONES: tuple[tuple[Vec3, Vec3], ...] = (
    ((0.42, 0.40, 0.37), (0.16, 0.17, 0.12)),
    ((0.45, 0.36, 0.28), (0.2, 0.18, 0.13)),
    ((0.33, 0.34, 0.36), (0.17, 0.18, 0.14)),
)


def outdoor(setting: Setting, rng: np.random.Generator) -> Site:
    """Takes any event."""
    small = setting.subject_m <= LARGEST_SMALL_M
    kind = pick(rng, ("lawn", "paving", "soil"))
    belt_m = 0.3 + 0.6 * setting.subject_m
    half = (setting.half_x_m + belt_m, setting.half_y_m + belt_m)
    garden_m = max(2.4, 2.1 * setting.camera_m + 0.5, 1.8 * max(half))
    lawn_z = 0.0 if kind == "lawn" else -0.012 * garden_m
    props = [*_ground(kind, lawn_z, setting, garden_m, rng), *_border(lawn_z, garden_m, rng)]
    props += _beyond(lawn_z, garden_m, rng)
    if kind == "lawn":
        props += _tufts(setting, half, garden_m, rng)
    return Site(
        props=tuple(props),
        grounds=(Ground(z_m=0.0, low_m=(-half[0], -half[1]), high_m=half),),
        low_m=(-HORIZON_M, -HORIZON_M),
        high_m=(HORIZON_M, HORIZON_M),
        things=SMALL if small else LARGE,
        thing_scale=float(np.clip(setting.subject_m / (0.25 if small else 1.6), 0.7, 1.7)),
        overhead_m=None,
    )


def _ground(kind: str, lawn_z_m: float, setting: Setting, garden_m: float, rng: np.random.Generator) -> list[PropPlan]:
    """Ground to the horizon, what lies in the garden, and something under the events."""
    far_m = max(HORIZON_M, 80.0 * setting.camera_m)
    blade = max(0.012, 3.2 * setting.pixel_m)
    rgb, second = pick(rng, GRASS)
    grass = {"rgb": rgb, **pattern("grass", second, blade), "roughness": 1.0}
    props = [prop("ground", "slab", (0, 0, lawn_z_m - 1.0), size_m=[2 * far_m, 2 * far_m, 1.0], **grass)]
    if kind == "paving":
        rgb, second = pick(rng, STONES)
        look = {"rgb": rgb, **pattern("tile", second, max(0.25, 14 * setting.pixel_m)), "roughness": 0.8}
        size = [1.2 * garden_m, 1.2 * garden_m, -lawn_z_m]
        props.append(prop("paving", "slab", (0, 0, lawn_z_m), size_m=size, **look))
    if kind == "soil":
        rgb, second = pick(rng, SOILS)
        look = {"rgb": rgb, **pattern("speckle", second, 3.5 * setting.pixel_m), "roughness": 1.0}
        size = [1.2 * garden_m, 1.2 * garden_m, -lawn_z_m]
        props.append(prop("soil", "slab", (0, 0, lawn_z_m), size_m=size, **look))
    wide = (setting.half_x_m + 0.12 + 0.1 * setting.subject_m, setting.half_y_m + 0.1 + 0.1 * setting.subject_m)
    if kind == "lawn":
        rgb, second = pick(rng, CLOTHS)
        look = {"rgb": rgb, **pattern("checker", second, 5 * setting.pixel_m)}
    elif kind == "paving":
        rgb, second = pick(rng, FABRICS)
        look = {"rgb": rgb, **pattern("fabric", second, 4 * setting.pixel_m)}
    else:
        rgb, second = pick(rng, CLOTHS)
        look = {"rgb": rgb, **pattern("stripes", second, 6 * setting.pixel_m)}
    return [*props, mat(setting, wide, look)]


def _border(lawn_z_m: float, garden_m: float, rng: np.random.Generator) -> list[PropPlan]:
    """What closes the garden on its four sides, with bushes before it."""
    tall = max(0.7, 0.36 * garden_m)
    props: list[PropPlan] = []
    kinds = rng.permutation(["fence", "hedge", "brick_wall", "fence"]).tolist()
    for side, kind in enumerate(kinds):
        yaw = -side * np.pi / 2
        name, at = f"border{side}", _around(yaw, 0.0, garden_m, lawn_z_m)
        high = tall * float(rng.uniform(0.8, 1.1))
        if kind == "fence":
            rgb = pick(rng, ((0.7, 0.69, 0.65), (0.34, 0.2, 0.1), (0.25, 0.32, 0.3)))
            look = {"rgb": rgb, "roughness": 0.8}
            props.append(prop(name, "fence", at, yaw, size_m=[1.9 * garden_m, high], **look))
        elif kind == "hedge":
            size = [1.9 * garden_m, 0.12 * garden_m, 1.15 * high]
            props.append(prop(name, "hedge", at, yaw, size_m=size, seed=int(rng.integers(3))))
        else:
            rgb, second = pick(rng, BRICKS)
            look = {"rgb": rgb, **pattern("brick", second, 0.075 * garden_m), "roughness": 0.9}
            props.append(prop(name, "brick_wall", at, yaw, size_m=[1.9 * garden_m, 0.05 * garden_m, high], **look))
        for i, along in enumerate((-0.55, 0.0, 0.5)):
            size_m = tall * float(rng.uniform(0.45, 0.75))
            along_m, out_m = (along + 0.1 * float(rng.uniform(-1, 1))) * garden_m, 0.92 * garden_m - 0.62 * size_m
            spot = _around(yaw, along_m, out_m, lawn_z_m)
            kind = pick(rng, ("bush", "bush", "flower_pot", "none"))
            if kind == "none" or (kind == "flower_pot" and abs(along) < 0.1):
                continue
            size_m *= 1.0 if kind == "bush" else 0.8
            props.append(
                prop(f"bush{side}{i}", kind, spot, float(rng.uniform(0, 6)), size_m=size_m, seed=int(rng.integers(6)))
            )
    return props


def _beyond(lawn_z_m: float, garden_m: float, rng: np.random.Generator) -> list[PropPlan]:
    """A house on one side and trees on all, further and further away."""
    props: list[PropPlan] = []
    scale = max(1.0, garden_m / 6.0)
    house_yaw = float(rng.uniform(-np.pi, np.pi))
    rgb, second = pick(rng, BRICKS)
    look = {"rgb": rgb, **pattern("brick", second, 0.35 * scale), "roughness": 0.9}
    away = garden_m + 14.0 * scale
    props.append(prop("house", "house", _around(house_yaw, 0.0, away, lawn_z_m), house_yaw, size_m=8.0 * scale, **look))
    num = 13
    for i in range(num):
        angle = 2 * np.pi * (i + 0.35 * float(rng.uniform(-1, 1))) / num
        ring = i % 3
        if ring < 2 and abs((angle - house_yaw + np.pi) % (2 * np.pi) - np.pi) < 0.5:
            ring = 2
        out = garden_m * 1.25 + scale * float(rng.uniform(*((1.8, 5.0), (8.0, 15.0), (30.0, 50.0))[ring]))
        high = scale * float(rng.uniform(*((2.2, 3.6), (4.0, 6.5), (7.0, 10.0))[ring]))
        kind = pick(rng, ("tree", "tree", "conifer"))
        spot = _around(float(angle), 0.0, out, lawn_z_m)
        props.append(prop(f"tree{i}", kind, spot, float(angle), size_m=high, seed=int(rng.integers(9))))
    return props


def _tufts(setting: Setting, half: tuple[float, float], garden_m: float, rng: np.random.Generator) -> list[PropPlan]:
    """Longer grass here and there around what is in the middle."""
    props: list[PropPlan] = []
    inner, high = float(np.hypot(*half)), max(0.05, 0.16 * setting.subject_m)
    for i in range(7):
        spread = 0.16 * garden_m * float(rng.uniform(0.8, 1.3))
        angle = 2 * np.pi * (i + 0.3 * float(rng.uniform(-1, 1))) / 7
        out = inner + spread / 2 + 0.25 * garden_m * float(rng.uniform(0, 1))
        spot = _around(float(angle), 0.0, min(out, 0.8 * garden_m), 0.0)
        way, eyes = np.array(spot[:2]), setting.eyes_m[:, :2]
        towards = eyes @ way / (np.linalg.norm(eyes, axis=1) * np.linalg.norm(way))
        if towards.max() > 0.4:  # on the camera's side, where it could come before the events
            continue
        seed = int(rng.integers(1000))
        props.append(prop(f"tufts{i}", "tufts", spot, size_m=[spread, high], count=34, seed=seed))
    return props


def _around(yaw: float, along_m: float, out_m: float, z_m: float) -> Vec3:
    """A point `out_m` away in the direction that is +y turned by `yaw`, `along_m` to its right."""
    cos, sin = float(np.cos(yaw)), float(np.sin(yaw))
    return cos * along_m - sin * out_m, sin * along_m + cos * out_m, z_m
