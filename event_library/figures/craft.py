"""Robot vacuum, rocket, boat, aeroplane: what travels without wheels that show."""

from __future__ import annotations

import numpy as np
import trimesh

from event_library.channels import Visible
from event_library.figures.rig import (
    SMOOTH_DEG,
    Channels,
    Point,
    curve,
    ellipsoid,
    frame,
    glow,
    lathe_along,
    matter,
    placed,
    shifted,
    sized,
    slab,
    sweep_mesh,
    turned,
)
from event_library.kit.faces import grid_faces
from event_library.parts import Material, Part, Rgb, cylinder, join, moved, torus


def _part(name: str, suffix: str, mesh: trimesh.Trimesh, rgb: Rgb, carries: bool, roughness: float = 0.35) -> Part:
    return Part(f"{name}_{suffix}", mesh, matter(rgb, roughness), carries, 40.0)


# ---- robot vacuum
def vacuum(name: str, radius_m: float, rgb: Rgb = (0.78, 0.79, 0.80), carries: bool = True) -> tuple[Part, ...]:
    """Parts {name}_body, _top (dark bumper and tower), _lamp (may glow), _brush (turns). Height 0.55 radii."""
    r = radius_m
    disc = lathe_along(
        [
            (0, 0.06 * r),
            (0.90 * r, 0.06 * r),
            (0.97 * r, 0.12 * r),
            (0.97 * r, 0.36 * r),
            (0.92 * r, 0.43 * r),
            (0, 0.43 * r),
        ],
        "z",
        36,
    )
    tower = lathe_along([(0.30 * r, 0.42 * r), (0.30 * r, 0.52 * r), (0.26 * r, 0.55 * r), (0, 0.55 * r)], "z", 24)
    tower.apply_translation((-0.30 * r, 0, 0))
    angle = np.linspace(-1.45, 1.45, 24)
    bumper = sweep_mesh(np.column_stack([0.95 * np.cos(angle), 0.95 * np.sin(angle), np.full(24, 0.22)]) * r,
                        np.full(24, 0.10 * r), 8, 2, 1.3)  # fmt: skip
    lamp = lathe_along([(0, 0.45 * r), (0.12 * r, 0.45 * r), (0.14 * r, 0.42 * r)], "z", 20)
    lamp.apply_translation((0.42 * r, 0, 0))
    bristles = [
        slab(np.array([(0, -0.03, 0.04), (0.42, -0.05, 0.02), (0.42, 0.05, 0.02), (0, 0.03, 0.04)]) * r, 0.02 * r)
        .apply_transform(turned((0, 0, 1), 2 * np.pi * k / 3)) for k in range(3)
    ]  # fmt: skip
    return (
        _part(name, "body", disc, rgb, carries),
        _part(name, "top", join(tower, bumper), (0.05, 0.05, 0.06), carries, 0.3),
        Part(f"{name}_lamp", lamp, glow((0.05, 0.75, 0.25), 1.0), carries, 30.0),
        _part(name, "brush", join(*bristles), (0.90, 0.55, 0.02), carries, 0.6),
    )


def vacuum_channels(
    name: str, radius_m: float, at_m: Point, heading_rad: float = 0.0, brush_rad: float = 0.0
) -> Channels:
    """Channels of a `vacuum`; brush_rad: angle of its side brush."""
    base, r = frame(at_m, heading_rad), radius_m
    return {
        **{f"{name}_{suffix}": placed(base) for suffix in ("body", "top", "lamp")},
        f"{name}_brush": placed(base @ shifted(0.62 * r, -0.62 * r, 0) @ turned((0, 0, 1), brush_rad)),
    }


# ---- rocket
def rocket(
    name: str,
    height_m: float,
    rgb: Rgb = (0.82, 0.82, 0.80),
    accent_rgb: Rgb = (0.80, 0.03, 0.02),
    carries: bool = True,
) -> tuple[Part, ...]:
    """Stands on its fins. Parts {name}_hull, _accent (nose, fins, ring), _window, _nozzle, _flame."""
    m = height_m
    profile = [(0.085, 0.12), (0.125, 0.20), (0.145, 0.34), (0.145, 0.48), (0.125, 0.66), (0.095, 0.78)]
    hull = lathe_along([(0, 0.12 * m), *((r * m, z * m) for r, z in profile), (0, 0.78 * m)], "z", 28)
    nose = lathe_along([(0.097 * m, 0.775 * m), (0.070 * m, 0.87 * m), (0.035 * m, 0.955 * m), (0.0, m)], "z", 28)
    band = lathe_along(
        [(0.14 * m, 0.36 * m), (0.150 * m, 0.37 * m), (0.150 * m, 0.40 * m), (0.14 * m, 0.41 * m)], "z", 28
    )
    fins = []
    for k in range(4):
        outline = (
            np.array(
                [
                    (0.10, 0, 0.32),
                    (0.20, 0, 0.22),
                    (0.26, 0, 0.10),
                    (0.27, 0, 0.0),
                    (0.21, 0, 0.01),
                    (0.17, 0, 0.10),
                    (0.08, 0, 0.15),
                ]
            )
            * m
        )
        fin = slab(outline, 0.035 * m)
        fin.vertices[:, 2] = np.maximum(fin.vertices[:, 2], 0.0)
        fins.append(fin.apply_transform(turned((0, 0, 1), np.pi / 4 + k * np.pi / 2)))
    window = ellipsoid((0.133 * m, 0, 0.58 * m), np.array([0.022, 0.052, 0.052]) * m)
    frame_ring = torus(0.055 * m, 0.014 * m, 24, 8).apply_transform(
        shifted(0.130 * m, 0, 0.58 * m) @ turned((0, 1, 0), 1.45)
    )
    nozzle = lathe_along(
        [(0, 0.13 * m), (0.06 * m, 0.13 * m), (0.085 * m, 0.06 * m), (0.06 * m, 0.06 * m), (0, 0.10 * m)], "z", 20
    )
    flame = lathe_along(
        [
            (0.0, 0.02 * m),
            (0.062 * m, 0.0),
            (0.072 * m, -0.07 * m),
            (0.055 * m, -0.18 * m),
            (0.025 * m, -0.29 * m),
            (0, -0.36 * m),
        ],
        "z",
        18,
    )
    fire = Material(rgb=(1.0, 0.45, 0.06), kind="flame", emission_rgb=(1.0, 0.42, 0.06), emission_strength=6.0)
    return (
        _part(name, "hull", hull, rgb, carries),
        _part(name, "accent", join(nose, band, *fins, frame_ring), accent_rgb, carries),
        _part(name, "window", window, (0.04, 0.25, 0.45), carries, 0.1),
        _part(name, "nozzle", nozzle, (0.06, 0.06, 0.07), carries, 0.4),
        Part(f"{name}_flame", flame, fire, False, SMOOTH_DEG),
    )


def rocket_channels(
    name: str,
    height_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    thrust_share: float = 0.0,
    *,
    pitch_rad: float = 0.0,
    roll_rad: float = 0.0,
) -> Channels:
    """Channels of a `rocket`; at_m: where its fins stand; the flame is as long as thrust_share says (0: none)."""
    base = frame(at_m, heading_rad, pitch_rad, roll_rad)
    flame = sized(base @ shifted(0, 0, 0.075 * height_m), (0.6 + 0.4 * thrust_share,) * 2 + (max(thrust_share, 0.02),))
    return {
        **{f"{name}_{suffix}": placed(base) for suffix in ("hull", "accent", "window", "nozzle")},
        f"{name}_flame": (*flame, Visible(thrust_share > 0.02)),
    }


# ---- boat
BOAT_DRAUGHT = 0.075  # of the keel below the waterline, in lengths


def boat(
    name: str,
    length_m: float,
    rgb: Rgb = (0.75, 0.03, 0.02),
    sail_rgb: Rgb = (0.88, 0.86, 0.80),
    carries: bool = True,
) -> tuple[Part, ...]:
    """Sailing boat about the middle of its waterline: {name}_hull, _deck (deck, mast, boom), _sail, _jib, _stripe."""
    m = length_m
    xs = np.array([-0.48, -0.38, -0.22, 0.0, 0.20, 0.36, 0.47, 0.53])
    beam = np.array([0.10, 0.135, 0.16, 0.17, 0.15, 0.10, 0.04, 0.006])
    keel = np.array([-0.03, -0.060, -0.074, -0.075, -0.070, -0.050, -0.01, 0.05])
    top = np.array([0.10, 0.095, 0.09, 0.09, 0.10, 0.115, 0.135, 0.15])
    hull = _hull(xs, beam, keel, top, m)
    low = np.array([0.055, 0.052, 0.05, 0.05, 0.057, 0.068, 0.085, 0.10])
    stripe = _hull(xs, beam * 1.03 + 0.004, low, low + 0.028, m)
    outline = np.array([*zip(xs, beam * 0.93, top, strict=True)])
    deck = slab(np.vstack([outline, (outline * [1, -1, 1])[::-1]]) * m, 0.03 * m)
    deck.vertices[:, 2] -= 0.004 * m
    mast = moved(cylinder(0.014 * m, 0.86 * m, 12), 0.08 * m, 0, 0.08 * m)
    boom = sweep_mesh(np.array([(0.08, 0, 0.20), (-0.40, 0, 0.19)]) * m, [0.012 * m] * 2, 8, 1)
    cabin = ellipsoid((-0.12 * m, 0, 0.10 * m), np.array([0.14, 0.09, 0.06]) * m)
    main = [(0.055, 0, 0.92), (0.055, 0, 0.23), (-0.38, 0.0, 0.22), (-0.26, 0.035, 0.45), (-0.12, 0.045, 0.66)]
    jib = [(0.11, 0, 0.80), (0.50, 0, 0.20), (0.14, 0.0, 0.22), (0.115, 0.03, 0.5)]
    return (
        _part(name, "hull", hull, rgb, carries),
        _part(name, "stripe", stripe, (0.85, 0.85, 0.82), carries),
        _part(name, "deck", join(deck, mast, boom, cabin), (0.50, 0.28, 0.10), carries, 0.6),
        _part(name, "sail", slab(np.array(main) * m, 0.012 * m), sail_rgb, carries, 0.8),
        _part(name, "jib", slab(np.array(jib) * m, 0.012 * m), (0.90, 0.55, 0.03), carries, 0.8),
    )


def _hull(xs: np.ndarray, beam: np.ndarray, keel: np.ndarray, top: np.ndarray, m: float) -> trimesh.Trimesh:
    """Lofted shell of round sections with closed ends and top."""
    angle = np.linspace(0, np.pi, 11)
    rings = [
        np.column_stack([np.full(11, x), b * np.cos(angle), t - (t - k) * np.sin(angle) ** 0.8])
        for x, b, k, t in zip(xs, beam, keel, top, strict=True)
    ]
    vertices = np.vstack(rings) * m
    bands = grid_faces(len(xs), 11, closed_columns=True)  # the last edge closes the top
    fan = np.arange(1, 10)
    last = 11 * (len(xs) - 1)
    faces = [
        bands,
        np.column_stack([np.zeros(9, int), fan + 1, fan]),
        np.column_stack([np.full(9, last), last + fan, last + fan + 1]),
    ]
    mesh = trimesh.Trimesh(vertices, np.vstack(faces), process=False)
    if mesh.volume < 0:
        mesh.invert()
    return mesh


def boat_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    *,
    pitch_rad: float = 0.0,
    roll_rad: float = 0.0,
    sail_rad: float = 0.35,
) -> Channels:
    """Channels of a `boat`; at_m: middle of its waterline; sail_rad: how far the sails are let out."""
    base = frame(at_m, heading_rad, pitch_rad, roll_rad)
    mast, stay = shifted(0.08 * length_m, 0, 0), shifted(0.50 * length_m, 0, 0)
    turn = turned((0, 0, 1), sail_rad)
    return {
        **{f"{name}_{suffix}": placed(base) for suffix in ("hull", "stripe", "deck")},
        f"{name}_sail": placed(base @ mast @ turn @ np.linalg.inv(mast)),
        f"{name}_jib": placed(base @ stay @ turned((0, 0, 1), 0.5 * sail_rad) @ np.linalg.inv(stay)),
    }


# ---- aeroplane
def aeroplane(name: str, length_m: float, rgb: Rgb = (0.90, 0.50, 0.02), carries: bool = True) -> tuple[Part, ...]:
    """About the middle of its fuselage: {name}_body, _wings, _window, _propeller (about its axle). Span 1.1 lengths."""
    m = length_m
    line = curve([(-0.48, 0, 0.06), (-0.2, 0, 0.0), (0.15, 0, 0.0), (0.40, 0, 0.0)], 9) * m
    trunk = sweep_mesh(line, np.array([0.025, 0.045, 0.07, 0.095, 0.115, 0.125, 0.125, 0.12, 0.10]) * m, 16, 2)
    fin = slab(np.array([(-0.34, 0, 0.08), (-0.44, 0, 0.30), (-0.54, 0, 0.30), (-0.52, 0, 0.06)]) * m, 0.03 * m)
    wing = slab(np.array([(0.22, 0.0, 0.0), (0.20, 0.5, 0.04), (0.13, 0.56, 0.045), (0.02, 0.5, 0.04), (-0.02, 0, 0.0),
                          (0.02, -0.5, 0.04), (0.13, -0.56, 0.045), (0.20, -0.5, 0.04)]) * m, 0.045 * m)  # fmt: skip
    tail = slab(
        np.array(
            [
                (-0.38, 0, 0.07),
                (-0.46, 0.20, 0.07),
                (-0.54, 0.20, 0.07),
                (-0.52, 0, 0.07),
                (-0.54, -0.20, 0.07),
                (-0.46, -0.20, 0.07),
            ]
        )
        * m,
        0.03 * m,
    )
    window = ellipsoid((0.10 * m, 0, 0.095 * m), np.array([0.13, 0.085, 0.085]) * m)
    cap = ellipsoid((0.02 * m, 0, 0), np.array([0.055, 0.04, 0.04]) * m, 1)
    blades = [slab(np.array([(0, -0.02, 0), (0, -0.035, 0.20), (0, 0.035, 0.20), (0, 0.02, 0)]) * m, 0.02 * m)
              .apply_transform(turned((1, 0, 0), 2 * np.pi * k / 3)) for k in range(3)]  # fmt: skip
    return (
        _part(name, "body", join(trunk, fin), rgb, carries),
        _part(name, "wings", join(wing, tail), (0.80, 0.05, 0.03), carries),
        _part(name, "window", window, (0.05, 0.20, 0.35), carries, 0.1),
        _part(name, "propeller", join(cap, *blades), (0.10, 0.10, 0.11), carries),
    )


def aeroplane_channels(
    name: str,
    length_m: float,
    at_m: Point,
    heading_rad: float = 0.0,
    propeller_rad: float = 0.0,
    *,
    pitch_rad: float = 0.0,
    roll_rad: float = 0.0,
) -> Channels:
    """Channels of an `aeroplane`; at_m: middle of its fuselage."""
    base = frame(at_m, heading_rad, pitch_rad, roll_rad)
    return {
        **{f"{name}_{suffix}": placed(base) for suffix in ("body", "wings", "window")},
        f"{name}_propeller": placed(base @ shifted(0.50 * length_m, 0, 0) @ turned((1, 0, 0), propeller_rad)),
    }
