"""Car, van, toy locomotive and wagon. Wheels roll exactly: angle = travelled way / radius."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import trimesh

from event_library.figures.rig import (
    SMOOTH_DEG,
    Array,
    Channels,
    Point,
    ellipsoid,
    frame,
    glow,
    lathe_along,
    matter,
    placed,
    shifted,
    slab,
    turned,
)
from event_library.kit.faces import tube_faces
from event_library.parts import Part, Rgb, bevelled_box, block, cylinder, join, moved

TYRE: Rgb = (0.014, 0.014, 0.016)
HUB: Rgb = (0.72, 0.73, 0.75)
GLASS: Rgb = (0.035, 0.07, 0.11)
HEAD_LAMP: Rgb = (1.0, 0.88, 0.55)
TAIL_LAMP: Rgb = (0.85, 0.02, 0.01)
CAR_WHEEL = 0.105  # wheel radius in lengths
CAR_AXLES = (0.30, -0.29)
WAGON_WHEEL = 0.13


def _part(name: str, suffix: str, mesh: trimesh.Trimesh, rgb: Rgb, carries: bool, roughness: float = 0.3) -> Part:
    return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, 35.0)


def profile_body(outline_xz_m: Sequence[tuple[float, float]], width_m: float, bevel_m: float) -> trimesh.Trimesh:
    """Closed body of constant side view (counter-clockwise from the right: x forward, z up), bevelled at both sides."""
    outline = np.asarray(outline_xz_m, dtype=np.float64)
    edge = np.roll(outline, -1, axis=0) - outline
    normal = np.column_stack([-edge[:, 1], edge[:, 0]]) / np.linalg.norm(edge, axis=1, keepdims=True)  # inward
    before = np.roll(normal, 1, axis=0)
    mitre = (normal + before) / (1 + (normal * before).sum(axis=1, keepdims=True))
    rings = []
    for y, inset in ((-0.5, 1.0), (-0.5, 0.3), (-0.5, 0.0), (0.5, 0.0), (0.5, 0.3), (0.5, 1.0)):
        side = np.sign(y) * (width_m / 2 - bevel_m * (1 - inset) * (0.3 if inset == 0.3 else 1.0))
        flat = outline + bevel_m * inset * mitre
        rings.append(np.column_stack([flat[:, 0], np.full(len(flat), side), flat[:, 1]]))
    middles = np.array([rings[0].mean(axis=0), rings[-1].mean(axis=0)])
    mesh = trimesh.Trimesh(np.vstack([*rings, middles]), tube_faces(len(rings), len(outline)), process=False)
    if mesh.volume < 0:
        mesh.invert()
    return mesh


def wheel(radius_m: float, width_m: float, num_spokes: int = 5) -> tuple[trimesh.Trimesh, trimesh.Trimesh]:
    """(tyre, hub with spokes on both faces) about the y axis through the origin; the spokes show how far it turned."""
    r, w = radius_m, width_m / 2
    tyre = lathe_along(
        [(0.60 * r, -w), (0.90 * r, -w), (r, -0.6 * w), (r, 0.6 * w), (0.90 * r, w), (0.60 * r, w)], "y", 24
    )
    web = lathe_along([(0, -0.55 * w), (0.62 * r, -0.55 * w), (0.62 * r, 0.55 * w), (0, 0.55 * w)], "y", 20)
    pieces = [lathe_along([(0, -1.1 * w), (0.18 * r, -1.1 * w), (0.18 * r, 1.1 * w), (0, 1.1 * w)], "y", 12)]
    for spoke in range(num_spokes):
        bar = block((0.13 * r, 1.9 * w, 0.58 * r), (0, 0, 0.05 * r))
        pieces.append(bar.apply_transform(turned((0, 1, 0), 2 * np.pi * spoke / num_spokes)))
    return join(tyre, web), join(*pieces)


def wheel_frame(centre_m: Point, travelled_m: float, radius_m: float, steer_rad: float = 0.0) -> Array:
    """[4, 4] vehicle_from_wheel of a wheel that rolled `travelled_m` without slip."""
    x, y, z = (float(v) for v in centre_m)
    return shifted(x, y, z) @ turned((0, 0, 1), steer_rad) @ turned((0, 1, 0), travelled_m / radius_m)


def _axle(
    name: str, which: str, radius_m: float, width_m: float, track_m: float, carries: bool, hub: Rgb
) -> list[Part]:
    """Two wheels on one axle through the origin: {name}_{which}_tyres and {name}_{which}_hubs."""
    tyre, spokes = wheel(radius_m, width_m)
    pairs = [join(*(moved(m.copy(), 0, side * track_m / 2, 0) for side in (-1, 1))) for m in (tyre, spokes)]
    return [
        _part(name, f"{which}_tyres", pairs[0], TYRE, carries, 0.7),
        _part(name, f"{which}_hubs", pairs[1], hub, carries, 0.3),
    ]


def _axle_channels(
    name: str, base: Array, axles: dict[str, tuple[float, float]], radius_m: float, travelled_m: float
) -> Channels:
    """axles: which -> (x, steering angle)."""
    made: Channels = {}
    for which, (x, steer) in axles.items():
        at = placed(base @ wheel_frame((x, 0, radius_m), travelled_m, radius_m, steer))
        made |= {f"{name}_{which}_tyres": at, f"{name}_{which}_hubs": at}
    return made


# ---- car and van
def car(name: str, length_m: float, rgb: Rgb = (0.75, 0.02, 0.02), carries: bool = True) -> tuple[Part, ...]:
    """Parts {name}_body, _windows, _trim, _head_lamps and _tail_lamps (may glow: Emission), _front_tyres, _front_hubs,
    _rear_tyres, _rear_hubs. Wheel radius 0.105 lengths; width 0.46 lengths; height 0.40 lengths."""
    m = length_m
    low = [(0.47, 0.10), (0.50, 0.15), (0.49, 0.215), (0.44, 0.24), (0.18, 0.265), (-0.44, 0.265), (-0.49, 0.24),
           (-0.50, 0.16), (-0.47, 0.10)]  # fmt: skip
    cabin = [(0.22, 0.24), (0.06, 0.385), (0.02, 0.40), (-0.24, 0.40), (-0.29, 0.385), (-0.40, 0.24)]
    body = join(_scaled(low, 0.46, 0.035, m), _scaled(cabin, 0.40, 0.035, m))
    windows = []
    for side in (-1, 1):
        y = 0.199 * side
        for pane in ([(0.165, 0.265), (0.05, 0.372), (-0.07, 0.372), (-0.07, 0.265)],
                     [(-0.105, 0.265), (-0.105, 0.372), (-0.25, 0.372), (-0.34, 0.265)]):  # fmt: skip
            windows.append(slab(np.array([(x, y, z) for x, z in pane]) * m, 0.010 * m))
    for (x0, z0), (x1, z1) in (((0.212, 0.258), (0.078, 0.378)), ((-0.388, 0.258), (-0.302, 0.378))):
        pane3 = [(x0, -0.165, z0), (x0, 0.165, z0), (x1, 0.145, z1), (x1, -0.145, z1)]
        windows.append(slab(np.array(pane3) * m, 0.014 * m))
    bumpers = [block((0.05 * m, 0.40 * m, 0.035 * m), (x * m, 0, 0.115 * m)) for x in (0.49, -0.49)]
    arches = [lathe_along([(0, -0.232 * m), (0.128 * m, -0.232 * m), (0.128 * m, 0.232 * m), (0, 0.232 * m)], "y", 20)
              .apply_translation((x * m, 0, CAR_WHEEL * m)) for x in CAR_AXLES]  # fmt: skip
    for arch in arches:
        arch.vertices[:, 2] = np.maximum(arch.vertices[:, 2], 0.085 * m)
    return (
        _part(name, "body", body, rgb, carries, 0.25),
        _part(name, "windows", join(*windows), GLASS, carries, 0.1),
        _part(name, "trim", join(*bumpers, *arches), (0.03, 0.03, 0.035), carries, 0.5),
        *_lamps(name, m, 0.195, carries),
        *_axle(name, "front", CAR_WHEEL * m, 0.10 * m, 0.39 * m, carries, HUB),
        *_axle(name, "rear", CAR_WHEEL * m, 0.10 * m, 0.39 * m, carries, HUB),
    )


def _scaled(outline: Sequence[tuple[float, float]], width: float, bevel: float, m: float) -> trimesh.Trimesh:
    return profile_body([(x * m, z * m) for x, z in outline], width * m, bevel * m)


def _lamps(name: str, m: float, z: float, carries: bool) -> list[Part]:
    heads = [ellipsoid((0.482 * m, s * 0.165 * m, z * m), np.array([0.025, 0.040, 0.032]) * m, 1) for s in (-1, 1)]
    tails = [
        bevelled_box((0.02 * m, 0.075 * m, 0.045 * m), 0.005 * m).apply_translation((-0.496 * m, s * 0.16 * m, z * m))
        for s in (-1, 1)
    ]
    return [
        Part(f"{name}_head_lamps", join(*heads), glow(HEAD_LAMP, 0.0), carries, SMOOTH_DEG),
        Part(f"{name}_tail_lamps", join(*tails), glow(TAIL_LAMP, 0.0), carries, 30.0),
    ]


def car_wheel_radius_m(length_m: float) -> float:
    """Of `car` and `van`."""
    return CAR_WHEEL * length_m


def car_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    travelled_m: float = 0.0,
    *,
    steer_rad: float = 0.0,
    pitch_rad: float = 0.0,
    roll_rad: float = 0.0,
) -> Channels:
    """Channels of a `car` (lamps stay dark unless you add Emission to them); at_m: ground under its middle."""
    base = frame(at_m, heading_rad, pitch_rad, roll_rad)
    rigid = ("body", "windows", "trim", "head_lamps", "tail_lamps")
    axles = {"front": (CAR_AXLES[0] * length_m, steer_rad), "rear": (CAR_AXLES[1] * length_m, 0.0)}
    return {
        **{f"{name}_{suffix}": placed(base) for suffix in rigid},
        **_axle_channels(name, base, axles, CAR_WHEEL * length_m, travelled_m),
    }


def van(
    name: str,
    length_m: float,
    rgb: Rgb = (0.80, 0.80, 0.78),
    stripe_rgb: Rgb = (0.02, 0.20, 0.65),
    carries: bool = True,
) -> tuple[Part, ...]:
    """Parts as of `car`, and {name}_stripe. Height 0.52 lengths."""
    m = length_m
    side = [(0.47, 0.09), (0.50, 0.14), (0.50, 0.22), (0.455, 0.275), (0.33, 0.305), (0.215, 0.49), (0.17, 0.52),
            (-0.47, 0.52), (-0.50, 0.49), (-0.50, 0.12), (-0.47, 0.09)]  # fmt: skip
    windows = [
        slab(
            np.array([(0.325, -0.18, 0.322), (0.325, 0.18, 0.322), (0.222, 0.17, 0.485), (0.222, -0.17, 0.485)]) * m,
            0.014 * m,
        )
    ]
    stripes = []
    for y in (-0.229, 0.229):
        pane = [(0.27, y, 0.315), (0.185, y, 0.46), (0.07, y, 0.46), (0.07, y, 0.315)]
        windows.append(slab(np.array(pane) * m, 0.010 * m))
        band = [(0.46, y, 0.215), (0.44, y, 0.27), (-0.47, y, 0.27), (-0.47, y, 0.215)]
        stripes.append(slab(np.array(band) * m, 0.008 * m))
    doors = [block((0.008 * m, 0.15 * m, 0.12 * m), (-0.50 * m, s * 0.10 * m, 0.34 * m)) for s in (-1, 1)]
    bumpers = [block((0.05 * m, 0.42 * m, 0.035 * m), (x * m, 0, 0.105 * m)) for x in (0.49, -0.49)]
    arches = [lathe_along([(0, -0.236 * m), (0.128 * m, -0.236 * m), (0.128 * m, 0.236 * m), (0, 0.236 * m)], "y", 20)
              .apply_translation((x * m, 0, CAR_WHEEL * m)) for x in CAR_AXLES]  # fmt: skip
    for arch in arches:
        arch.vertices[:, 2] = np.maximum(arch.vertices[:, 2], 0.085 * m)
    return (
        _part(name, "body", _scaled(side, 0.46, 0.035, m), rgb, carries, 0.3),
        _part(name, "stripe", join(*stripes), stripe_rgb, carries, 0.4),
        _part(name, "windows", join(*windows, *doors), GLASS, carries, 0.1),
        _part(name, "trim", join(*bumpers, *arches), (0.03, 0.03, 0.035), carries, 0.5),
        *_lamps(name, m, 0.18, carries),
        *_axle(name, "front", CAR_WHEEL * m, 0.10 * m, 0.40 * m, carries, HUB),
        *_axle(name, "rear", CAR_WHEEL * m, 0.10 * m, 0.40 * m, carries, HUB),
    )


def van_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    travelled_m: float = 0.0,
    *,
    steer_rad: float = 0.0,
    pitch_rad: float = 0.0,
    roll_rad: float = 0.0,
) -> Channels:
    """As `car_channels`."""
    made = car_channels(
        name, length_m, at_m, heading_rad, travelled_m, steer_rad=steer_rad, pitch_rad=pitch_rad, roll_rad=roll_rad
    )
    return {**made, f"{name}_stripe": made[f"{name}_body"]}


# ---- toy train
WAGON_AXLES = (0.28, -0.28)
BED = 0.20  # height of a wagon's floor inside, in lengths


def wagon(name: str, length_m: float, rgb: Rgb = (0.03, 0.30, 0.65), carries: bool = True) -> tuple[Part, ...]:
    """Open wagon or cart. Parts {name}_body, _couplings, _front_tyres, _front_hubs, _rear_tyres, _rear_hubs.

    Inside: floor at 0.20 lengths, 0.80 by 0.46 lengths, walls up to 0.42; coupled pitch 1.1 lengths. Wheel radius 0.13.
    """
    m = length_m
    walls = [block((0.86 * m, 0.03 * m, 0.26 * m), (0, s * 0.245 * m, 0.16 * m)) for s in (-1, 1)]
    walls += [block((0.03 * m, 0.46 * m, 0.26 * m), (s * 0.415 * m, 0, 0.16 * m)) for s in (-1, 1)]
    rims = [block((0.90 * m, 0.05 * m, 0.03 * m), (0, s * 0.245 * m, 0.40 * m)) for s in (-1, 1)]
    rims += [block((0.05 * m, 0.52 * m, 0.03 * m), (s * 0.415 * m, 0, 0.40 * m)) for s in (-1, 1)]
    floor = block((0.84 * m, 0.48 * m, 0.04 * m), (0, 0, (BED - 0.04) * m))
    hooks = [block((0.14 * m, 0.05 * m, 0.04 * m), (s * 0.48 * m, 0, 0.16 * m)) for s in (-1, 1)]
    return (
        _part(name, "body", join(*walls, *rims, floor), rgb, carries, 0.4),
        _part(name, "couplings", join(*hooks), (0.03, 0.03, 0.035), carries, 0.5),
        *_axle(name, "front", WAGON_WHEEL * m, 0.06 * m, 0.38 * m, carries, (0.90, 0.60, 0.05)),
        *_axle(name, "rear", WAGON_WHEEL * m, 0.06 * m, 0.38 * m, carries, (0.90, 0.60, 0.05)),
    )


def wagon_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    travelled_m: float = 0.0,
    *,
    pitch_rad: float = 0.0,
) -> Channels:
    """Channels of a `wagon` (or, with one more part, of a `locomotive`)."""
    base, m = frame(at_m, heading_rad, pitch_rad), length_m
    return {
        **{f"{name}_{suffix}": placed(base) for suffix in ("body", "couplings")},
        **_axle_channels(
            name,
            base,
            {"front": (WAGON_AXLES[0] * m, 0.0), "rear": (WAGON_AXLES[1] * m, 0.0)},
            WAGON_WHEEL * m,
            travelled_m,
        ),
    }


def locomotive(
    name: str,
    length_m: float,
    rgb: Rgb = (0.75, 0.03, 0.02),
    boiler_rgb: Rgb = (0.03, 0.22, 0.10),
    carries: bool = True,
) -> tuple[Part, ...]:
    """Steam engine for wagons of the same length. Parts {name}_body, _boiler, _couplings (with chimney), the axles."""
    m = length_m
    boiler = lathe_along(
        [(0, -0.12 * m), (0.19 * m, -0.12 * m), (0.19 * m, 0.36 * m), (0.15 * m, 0.40 * m), (0, 0.41 * m)], "x", 22
    )
    boiler.apply_translation((0, 0, 0.42 * m))
    dome = ellipsoid((0.04 * m, 0, 0.60 * m), np.array([0.07, 0.07, 0.09]) * m, 1)
    chimney = moved(cylinder(0.055 * m, 0.20 * m, 16), 0.27 * m, 0, 0.56 * m)
    crown = moved(cylinder(0.085 * m, 0.06 * m, 16), 0.27 * m, 0, 0.74 * m)
    cab = [block((0.28 * m, 0.05 * m, 0.20 * m), (-0.28 * m, s * 0.205 * m, 0.22 * m)) for s in (-1, 1)]
    cab += [
        block((0.05 * m, 0.05 * m, 0.46 * m), (x * m, s * 0.205 * m, 0.22 * m))
        for x in (-0.39, -0.165)
        for s in (-1, 1)
    ]
    cab += [block((0.05 * m, 0.42 * m, 0.46 * m), (-0.165 * m, 0, 0.22 * m)),
            moved(bevelled_box((0.38 * m, 0.54 * m, 0.06 * m), 0.02 * m), -0.28 * m, 0, 0.71 * m),
            block((0.90 * m, 0.44 * m, 0.07 * m), (0, 0, 0.17 * m))]  # fmt: skip
    hooks = [block((0.14 * m, 0.05 * m, 0.04 * m), (s * 0.48 * m, 0, 0.16 * m)) for s in (-1, 1)]
    nose = lathe_along([(0, 0.405 * m), (0.13 * m, 0.405 * m), (0.12 * m, 0.42 * m), (0, 0.425 * m)], "x", 18)
    nose.apply_translation((0, 0, 0.42 * m))
    return (
        _part(name, "body", join(*cab), rgb, carries, 0.35),
        _part(name, "boiler", join(boiler, dome), boiler_rgb, carries, 0.3),
        _part(name, "couplings", join(*hooks, chimney, crown, nose), (0.03, 0.03, 0.035), carries, 0.4),
        *_axle(name, "front", WAGON_WHEEL * m, 0.06 * m, 0.40 * m, carries, (0.90, 0.60, 0.05)),
        *_axle(name, "rear", WAGON_WHEEL * m, 0.06 * m, 0.40 * m, carries, (0.90, 0.60, 0.05)),
    )


def locomotive_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    travelled_m: float = 0.0,
    *,
    pitch_rad: float = 0.0,
) -> Channels:
    """As `wagon_channels`."""
    made = wagon_channels(name, length_m, at_m, heading_rad, travelled_m, pitch_rad=pitch_rad)
    return {**made, f"{name}_boiler": made[f"{name}_body"]}
