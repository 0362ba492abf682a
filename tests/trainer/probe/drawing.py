"""Small synthetic events, drawn with numpy: what a 64 px render of each kind of state looks like, with known time.

`draw(kind, t_s, scene)` gives a noise-free picture; `rendered` adds render-like noise (white and, as a
denoiser leaves it, blotchy).
All kinds run over event times 0..7 s; the hidden window of the synthetic clips is 2 s .. 4 s.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

KINDS = ("glass", "bob", "discs", "dominoes", "candle")
SIZE, OVER = 64, 3
T_H_S, T_R_S = 2.0, 4.0
SWEEP_TIMES_S = T_H_S + (T_R_S - T_H_S) * np.linspace(-1.0, 2.5, 57)
CARRIER_ID, SHELL_ID = 1, 2

Image = NDArray[np.float64]


@lru_cache
def grid() -> tuple[Image, Image]:
    """Pixel centres of the oversampled picture, in native pixels (x right, y down)."""
    ticks = (np.arange(SIZE * OVER) + 0.5) / OVER
    x, y = np.meshgrid(ticks, ticks)
    return x, y


@lru_cache
def background(scene: int) -> Image:
    """A table, a wall and some clutter: static, textured, [S, S, 3] in 0..1."""
    rng = np.random.default_rng(scene)
    x, y = grid()
    wall, table = rng.uniform(0.35, 0.7, 3), rng.uniform(0.3, 0.6, 3)
    horizon = rng.uniform(20, 30)
    picture = np.where((y < horizon)[..., None], wall, table)
    picture = picture * (0.85 + 0.3 * (x / SIZE))[..., None] * (1 + 0.06 * np.sin(x * 0.7) * np.sin(y * 0.5))[..., None]
    for _ in range(4):
        cx, cy, w, h = rng.uniform(2, 62), rng.uniform(24, 60), rng.uniform(3, 8), rng.uniform(3, 8)
        inside = (abs(x - cx) < w) & (abs(y - cy) < h)
        picture = np.where(inside[..., None], rng.uniform(0.15, 0.9, 3), picture)
    return picture


def carrier(kind: str, t_s: float) -> list[tuple[NDArray[np.bool_], tuple[float, float, float]]]:
    """The parts that hold the state at `t_s`: (oversampled mask, colour), painted in order."""
    x, y = grid()
    if kind == "glass":  # level rises 4 px/s from y = 52
        return [((abs(x - 32) < 11) & (y < 52) & (y > 50 - 4.0 * t_s), (0.15, 0.35, 0.8))]
    if kind == "bob":  # period 2.9 s
        angle = 0.9 * np.cos(2 * np.pi * t_s / 2.9 + 0.4)
        bx, by = 32 + 34 * np.sin(angle), 8 + 34 * np.cos(angle)
        along = np.clip(((x - 32) * (bx - 32) + (y - 8) * (by - 8)) / 34**2, 0, 1)
        rod = np.hypot(x - 32 - along * (bx - 32), y - 8 - along * (by - 8)) < 0.8
        return [(rod, (0.2, 0.2, 0.2)), (np.hypot(x - bx, y - by) < 7, (0.8, 0.2, 0.1))]
    if (
        kind == "discs"
    ):  # one disc after another moves from the left peg to the right one: 1 s each, at rest half the time
        parts = []
        for i in range(4):
            u = float(np.clip((t_s - 0.3 - 1.5 * i) / 0.75, 0, 1))
            cx = 16 + 32 * u
            cy = (1 - u) * (36 + 5 * i) + u * (51 - 5 * i) - 14 * np.sin(np.pi * u)
            parts.append(((abs(x - cx) < 6 + 2 * i) & (abs(y - cy) < 2.4), ((0.9, 0.6, 0.1), (0.2, 0.7, 0.3))[i % 2]))
        return parts
    if kind == "dominoes":  # eight fall to the right, one after another
        parts = []
        for i in range(8):
            angle = 1.2 * np.clip((t_s - 0.7 * i) / 0.9, 0, 1) ** 2
            dx, dy = x - (8 + 6.3 * i), y - 52
            u, v = dx * np.cos(angle) + dy * np.sin(angle), -dx * np.sin(angle) + dy * np.cos(angle)
            parts.append(((u > -2) & (u < 0.6) & (v > -15) & (v < 0), (0.85, 0.85 - 0.08 * i, 0.3)))
        return parts
    if kind == "candle":  # shortens by 2.5 px/s, flame on top
        top = 26 + 2.5 * t_s
        flame = (((x - 32) / 2.5) ** 2 + ((y - top + 5) / 5) ** 2) < 1
        return [((abs(x - 32) < 5) & (y > top) & (y < 54), (0.9, 0.88, 0.8)), (flame, (1.0, 0.75, 0.25))]
    raise ValueError(f"unknown kind {kind!r}")


@lru_cache(maxsize=2000)
def draw(kind: str, t_s: float, scene: int = 0) -> tuple[Image, NDArray[np.uint16]]:
    """Noise-free picture [H, W, 3] in 0..1 and its segmentation [H, W]."""
    x, y = grid()
    picture = background(scene)
    shell = (
        (abs(x - 32) < 13) & (y > 12) & (y < 54) & (abs(x - 32) > 11) if kind == "glass" else np.zeros(x.shape, bool)
    )
    picture = np.where(shell[..., None], 0.75, picture)
    segmentation = np.where(shell, SHELL_ID, 0)
    for mask, colour in carrier(kind, t_s):
        picture = np.where(mask[..., None], colour, picture)
        segmentation = np.where(mask, CARRIER_ID, segmentation)
    if kind == "candle":
        glow = np.exp(-(np.hypot(x - 32, y - 21 - 2.5 * t_s) ** 2) / 300)
        picture = picture * (0.7 + 0.4 * glow[..., None])
    picture = picture.reshape(SIZE, OVER, SIZE, OVER, 3).mean((1, 3))
    return np.clip(picture, 0, 1), segmentation[OVER // 2 :: OVER, OVER // 2 :: OVER].astype(np.uint16)


def rendered(picture: Image, noise: float, seed: int) -> NDArray[np.uint8]:
    """uint8 with white noise of `noise` (0..1) and as much blotchy noise, as a denoiser leaves it."""
    rng = np.random.default_rng(seed)
    white = rng.normal(0, noise, picture.shape)
    blotchy = ndimage.gaussian_filter(rng.normal(0, 1, picture.shape), (1.2, 1.2, 0)) * noise * 3
    return np.round(np.clip(picture + white + blotchy, 0, 1) * 255).astype(np.uint8)
