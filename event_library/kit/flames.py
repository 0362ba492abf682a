"""Fire and glow: flames with their lamp, embers, colours of hot bodies, smoke.

A flame is a Part of kind "flame" (left out of the truth rays) and, if it should light its surroundings, a Lamp: put the
lamp into the Assembly's `lamps` and set `emits_light: true` in the type's facts.
"""

from __future__ import annotations

import numpy as np
import trimesh

from event_library import parts
from event_library.channels import Channel, Colour, Emission, Move, Power, Scale, Visible
from event_library.kit.copies import copies, copies_channels
from event_library.kit.palette import SMOKE
from event_library.kit.shapes import ORIGIN, Array, Place, at, solid_of_revolution
from event_library.kit.streams import puffs, puffs_channels
from event_library.parts import Lamp, Material, Part, Rgb

Channels = dict[str, tuple[Channel, ...]]

FLAME = Material(rgb=(1.0, 0.62, 0.18), kind="flame", emission_rgb=(1.0, 0.55, 0.2), emission_strength=9.0)
GAS_FLAME = Material(rgb=(0.2, 0.4, 1.0), kind="flame", emission_rgb=(0.15, 0.35, 1.0), emission_strength=5.0)
FIRE = Material(rgb=(1.0, 0.45, 0.1), kind="flame", emission_rgb=(1.0, 0.24, 0.03), emission_strength=3.0)
FIRE_RGB: Rgb = (1.0, 0.55, 0.2)
LAMP_W_PER_M2 = 0.9 / 0.033**2  # a candle's flame is 33 mm long and its lamp has .9 W

# (radius, height) of a flame of unit length standing on its wick
TEAR = np.array([
    (0.004, 0.0), (0.073, 0.036), (0.121, 0.136), (0.136, 0.242), (0.124, 0.394), (0.088, 0.576), (0.042, 0.788),
    (0.006, 1.0),
])  # fmt: skip


# ---- flames
def flame(name: str, length_m: float, material: Material = FLAME, *, stout: float = 1.0) -> Part:
    """Tear-shaped flame standing on the origin, `length_m` tall, `stout` times as wide as a candle's."""
    profile = TEAR * np.array([stout, 1.0]) * length_m
    return Part(name, solid_of_revolution(profile, 20), material, carries=True, smooth_angle_deg=180)


def flame_lamp(
    name: str, length_m: float, place: Place = ORIGIN, rgb: Rgb = FIRE_RGB, *, strength: float = 1.0
) -> Lamp:
    """The light of a flame whose foot is at `place`: power grows with the square of its length (a candle's: 0.9 W).

    A fire that fills the picture wants a strength of about 0.3.
    """
    x, y, z = place
    return Lamp(name, (x, y, z + 0.4 * length_m), strength * LAMP_W_PER_M2 * length_m**2, rgb, 0.25 * length_m)


def flame_channels(
    name: str, foot: Place, size: float = 1.0, *, lamp: str | None = None, length_m: float = 0.0, strength: float = 1.0
) -> Channels:
    """Flame `size` times as long as built (0: out), its foot at `foot`; a `lamp` (its length, strength) follows."""
    lit = size > 1e-3
    channels: Channels = {name: (Visible(lit), Scale(np.full(3, max(size, 1e-3))), Move(at(*foot)))}
    if lamp is not None:
        height = foot[2] + 0.4 * length_m * size
        power = strength * LAMP_W_PER_M2 * (length_m * size) ** 2 if lit else 0.0
        channels[lamp] = (Power(power), Move(at(foot[0], foot[1], height)))
    return channels


def fire(name: str, radius_m: float, height_m: float, num_tongues: int = 7, *, seed: int = 0) -> Part:
    """Camp fire: short tongues around a tall middle one, standing on the origin; use `flame_channels`."""
    rng = np.random.Generator(np.random.PCG64(seed))
    tongues = [solid_of_revolution(TEAR * np.array([1.7, 1.0]) * height_m, 14)]
    for k in range(num_tongues - 1):
        angle = 2 * np.pi * (k + rng.uniform(-0.2, 0.2)) / (num_tongues - 1)
        size = height_m * rng.uniform(0.45, 0.75)
        tongue = solid_of_revolution(TEAR * np.array([1.7, 1.0]) * size, 12)
        lean = trimesh.transformations.rotation_matrix(rng.uniform(-0.15, 0.1), (np.sin(angle), -np.cos(angle), 0.0))
        tongue.apply_transform(lean)
        tongues.append(parts.moved(tongue, 0.62 * radius_m * np.cos(angle), 0.62 * radius_m * np.sin(angle)))
    return Part(name, parts.join(*tongues), FIRE, carries=True, smooth_angle_deg=180)


def flames(name: str, num: int, length_m: float, material: Material = FLAME, *, stout: float = 1.3) -> Part:
    """`num` small flames in one Part, all out until `flames_channels` places them (match rows, burning edges)."""
    return copies(
        name, _small(length_m, stout), np.zeros((num, 3)), material, scales=np.full(num, 1e-3), smooth_angle_deg=180
    )


def flames_channels(name: str, length_m: float, feet_m: Array, sizes: Array, *, stout: float = 1.3) -> Channels:
    """Feet [N, 3] and sizes [N] (0: out) of `flames`."""
    return copies_channels(name, _small(length_m, stout), feet_m, None, np.maximum(np.asarray(sizes), 1e-3))


def _small(length_m: float, stout: float) -> trimesh.Trimesh:
    return solid_of_revolution(TEAR[[0, 1, 3, 5, 7]] * np.array([stout, 1.0]) * length_m, 8)


# ---- embers and hot bodies
def ember(name: str, radius_m: float, rgb: Rgb = (1.0, 0.20, 0.03), strength: float = 2.5) -> Part:
    """Small glowing ball about the origin (spark of a fuse, incense tip): opaque, met by the truth rays."""
    material = Material(rgb=rgb, emission_rgb=rgb, emission_strength=strength)
    return Part(name, parts.sphere(radius_m, 2), material, carries=True, smooth_angle_deg=180)


def ember_channels(name: str, place: Place, size: float = 1.0) -> Channels:
    """The ember at `place`; size 0: gone."""
    return {name: (Visible(size > 1e-3), Scale(np.full(3, max(size, 1e-3))), Move(at(*place)))}


def blackbody_rgb(kelvin: Array | float) -> Array:
    """[..., 3] linear sRGB colour of a black body, brightest channel 1 (Planck's law, CIE 1931 fits of Wyman 2013)."""
    xyz = _blackbody_xyz(np.asarray(kelvin, dtype=np.float64))
    linear = xyz @ np.array([
        (3.2406, -0.9689, 0.0557), (-1.5372, 1.8758, -0.2040), (-0.4986, 0.0415, 1.0570)
    ])  # fmt: skip
    linear = np.maximum(linear, 0.0)
    return np.asarray(linear / linear.max(axis=-1, keepdims=True))


def blackbody_strength(
    kelvin: Array | float, full_k: float = 1400.0, full: float = 6.0, softness: float = 0.3
) -> Array:
    """[...] emission strength: `full` at `full_k`, and below it with luminance to the power `softness`.

    The luminance of a hot body falls by 10^4 from 1400 K to 800 K; softness 1 is physical, 0.3 keeps dull red visible
    beside a lit room.
    """
    ratio = _blackbody_xyz(np.asarray(kelvin, dtype=np.float64))[..., 1] / _blackbody_xyz(np.asarray(full_k))[..., 1]
    return np.asarray(full * ratio**softness)


def glow_channels(
    name: str, kelvin: float, cold_rgb: Rgb = (0.10, 0.10, 0.11), *, full_k: float = 1400.0, full: float = 4.0
) -> Channels:
    """A hot body: base colour goes from `cold_rgb` to the glow's, emission with temperature.

    Build its material with `hot_material`. Emission keeps the material's own hue, so the shift from dull red to orange
    comes from the base colour.
    """
    strength = float(blackbody_strength(kelvin, full_k, full))
    share = min(1.0, strength / full)
    base = np.asarray(cold_rgb) * (1 - share) + share * blackbody_rgb(kelvin)
    return {name: (Colour(base), Emission(strength))}


def hot_material(full_k: float = 1400.0, cold_rgb: Rgb = (0.10, 0.10, 0.11)) -> Material:
    """Material whose emission has the colour of a black body near `full_k`."""
    red, green, blue = (float(c) for c in blackbody_rgb(0.9 * full_k))
    return Material(rgb=cold_rgb, roughness=0.6, emission_rgb=(red, green, blue))


def _blackbody_xyz(kelvin: Array) -> Array:
    """[..., 3] CIE XYZ of Planck's law over 380 to 780 nm, relative units."""
    nm = np.arange(380.0, 781.0, 5.0)
    radiance = (nm / 560.0) ** -5.0 / np.expm1(
        np.minimum(1.4388e7 / (nm * np.maximum(kelvin[..., None], 200.0)), 600.0)
    )

    def lobe(height: float, middle: float, below: float, above: float) -> Array:
        return np.asarray(height * np.exp(-0.5 * ((nm - middle) * np.where(nm < middle, below, above)) ** 2))

    x = lobe(0.362, 442.0, 0.0624, 0.0374) + lobe(1.056, 599.8, 0.0264, 0.0323) - lobe(0.065, 501.1, 0.0490, 0.0382)
    y = lobe(0.821, 568.8, 0.0213, 0.0247) + lobe(0.286, 530.9, 0.0613, 0.0322)
    z = lobe(1.217, 437.0, 0.0845, 0.0278) + lobe(0.681, 459.0, 0.0385, 0.0725)
    return np.asarray(radiance @ np.column_stack([x, y, z]))


# ---- smoke
def smoke(name: str, num: int, radius_m: float) -> Part:
    """Dark puffs; see `smoke_channels`."""
    return puffs(name, num, radius_m, SMOKE)


def smoke_channels(
    name: str, num: int, radius_m: float, foot: Place, time_s: float, strength: float = 1.0, *, seed: int = 0
) -> Channels:
    """Smoke rising from `foot`, seven radii high, thinned by `strength` in [0, 1]."""
    return puffs_channels(
        name, num, radius_m, foot, time_s, height_m=7 * radius_m, rise_m_per_s=3 * radius_m, spread_m=radius_m,
        strength=strength, seed=seed,
    )  # fmt: skip
