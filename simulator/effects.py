"""What is done to a rendered picture: fog, black-outs, dropped frames, corruption. The same in every renderer.

At strength 1 nothing of the picture is left: such a frame is not rendered at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from scenes.cameras import envelope, light_level
from scenes.plan import InterruptionPlan, ScenePlan

Picture = NDArray[np.uint8]  # [H, W, 3] sRGB
Array = NDArray[np.float64]
FOG_RGB = 245.0
BLOCKS_ACROSS = 16
FURTHEST = 3.0  # fog: depth counts up to so many times the distance of the camera's look-at point


@dataclass(frozen=True)
class Effect:
    """One effect on one picture. `strength` in (0, 1]; `seed` for those that draw, another in every frame."""

    kind: str  # key of EFFECTS
    strength: float
    seed: int
    window_seed: int  # the same in every frame of an interruption
    distance_m: float  # of the camera's look-at point: the scale of fog
    light: float  # share of the lamps that is on


def effects_at(plan: ScenePlan, t_s: float, frame: int) -> tuple[Effect, ...]:
    """Effects on the picture at clip time `t_s`, those in the air before those in the signal."""
    found = []
    for i, interruption in enumerate(plan.interruptions):
        if (kind := effect_kind(interruption)) is not None and (strength := envelope(interruption, t_s)) > 0.0:
            seed = plan.render.seed + 1_000_003 * (i + 1)
            light = light_level(plan, t_s)
            found.append(Effect(kind, strength, seed + frame, seed, plan.camera.distance_m, light))
    return tuple(sorted(found, key=lambda effect: list(EFFECTS).index(effect.kind)))


def effect_kind(interruption: InterruptionPlan) -> str | None:
    """Key of EFFECTS, or None when the interruption happens in the world itself."""
    return interruption.corruption if interruption.kind == "corrupt" else _KINDS.get(interruption.kind)


def clearness(effects: tuple[Effect, ...]) -> float:
    """Share of the picture that comes through: 1 plain, 0 nothing."""
    return float(np.prod([1.0 - effect.strength for effect in effects]))


def apply_effects(
    effects: tuple[Effect, ...], picture: Picture | None, depth_m: NDArray[np.float32], mean_rgb: Array
) -> Picture:
    """[H, W, 3] the picture as it is seen. `picture` may be None when clearness is 0.

    depth_m: [H, W] along the camera axis, inf for nothing; mean_rgb: [3] mean colour of the clip's first picture,
    which a picture that is blurred away dissolves into.
    """
    seen = np.zeros((*depth_m.shape, 3)) if picture is None else picture.astype(np.float64)
    for effect in effects:
        seen = EFFECTS[effect.kind](effect, seen, depth_m, mean_rgb)
    return np.clip(np.round(seen), 0, 255).astype(np.uint8)


def _fog(effect: Effect, seen: Array, depth_m: NDArray[np.float32], mean_rgb: Array) -> Array:
    """Thicker with depth (Beer and Lambert), and opaque everywhere at strength 1."""
    path = np.minimum(depth_m / effect.distance_m, FURTHEST)[..., None]
    clear = (1.0 - effect.strength) ** (2.0 * path)
    return seen * clear + FOG_RGB * effect.light ** (1 / 2.2) * (1.0 - clear)


def _noise(effect: Effect, seen: Array, depth_m: NDArray[np.float32], mean_rgb: Array) -> Array:
    """Static of a lost signal."""
    static = np.random.Generator(np.random.PCG64(effect.seed)).uniform(0.0, 255.0, seen.shape)
    return seen * (1.0 - effect.strength) + static * effect.strength


def _blur(effect: Effect, seen: Array, depth_m: NDArray[np.float32], mean_rgb: Array) -> Array:
    """Out of focus until only the mean colour of the clip's first picture is left."""
    sigma = 0.2 * effect.strength * max(depth_m.shape)
    soft = gaussian_filter(seen, sigma=(sigma, sigma, 0), mode="nearest")
    share = effect.strength**2
    return soft * (1.0 - share) + mean_rgb * share


def _blocks(effect: Effect, seen: Array, depth_m: NDArray[np.float32], mean_rgb: Array) -> Array:
    """Blocks of the picture are lost one after the other, in an order of their own for each interruption."""
    height, width = depth_m.shape
    side = max(4, round(max(height, width) / BLOCKS_ACROSS))
    rows, columns = -(-height // side), -(-width // side)
    order = np.random.Generator(np.random.PCG64(effect.window_seed)).uniform(0.0, 1.0, (rows, columns))
    grey = np.random.Generator(np.random.PCG64(effect.seed)).uniform(70.0, 130.0, (rows, columns))
    lost = _spread(order < effect.strength, side)[:height, :width]
    colour = _spread(grey, side)[:height, :width, None] * np.array([0.9, 1.0, 0.9])
    return np.where(lost[..., None], colour, seen)


def _black(effect: Effect, seen: Array, depth_m: NDArray[np.float32], mean_rgb: Array) -> Array:
    return seen * (1.0 - effect.strength)


def _spread(values: NDArray, side: int) -> NDArray:
    return np.repeat(np.repeat(values, side, axis=0), side, axis=1)


_KINDS = {"fog": "fog", "blackout": "black", "frame_drop": "dropped"}
EFFECTS: Mapping[str, Callable[[Effect, Array, NDArray[np.float32], Array], Array]] = {
    "fog": _fog,
    "noise": _noise,
    "blur": _blur,
    "blocks": _blocks,
    "black": _black,
    "dropped": _black,
}
