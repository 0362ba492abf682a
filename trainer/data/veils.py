"""What an interruption does to one picture. At strength 1 nothing of the picture is left, at 0 it is untouched.

Shapes: H W pixels. A veil is made once for each interruption, from a generator: a function
(picture [H, W, 3] float64 in 0..255, strength in (0, 1], frame since the interruption began, coming: bool) -> picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Picture = NDArray[np.float64]
Veil = Callable[[Picture, float, int, bool], Picture]

DISPLAY_GAMMA = 2.2  # light falls linearly, the picture is display-referred
FOG_LEVEL = 245.0
BLOCKS_ACROSS = 16  # of a picture whose blocks are lost
BLUR_SHARE = 0.2  # of the longer side: sigma of the strongest blur


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a veil may know of the clip: nothing that happens while it hides."""

    first_picture: NDArray[np.uint8]  # [H, W, 3]
    cover: NDArray[np.bool_]  # [H, W] what an occluder has to cover

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.cover.shape
        return height, width


def lights_off(scene: Scene, rng: np.random.Generator) -> Veil:
    """The lamps are dimmed to nothing."""
    return lambda seen, strength, frame, coming: seen * (1.0 - strength) ** (1.0 / DISPLAY_GAMMA)


def blackout(scene: Scene, rng: np.random.Generator) -> Veil:
    """The signal is gone: black."""
    return lambda seen, strength, frame, coming: seen * (1.0 - strength)


def fog(scene: Scene, rng: np.random.Generator) -> Veil:
    """Opaque white, thicker towards the top of the picture, which is mostly further away (Beer and Lambert)."""
    path = np.linspace(1.6, 0.5, scene.size[0])[:, None, None]

    def veil(seen: Picture, strength: float, frame: int, coming: bool) -> Picture:
        clear = (1.0 - strength) ** (2.0 * path)
        return seen * clear + FOG_LEVEL * (1.0 - clear)

    return veil


def noise(scene: Scene, rng: np.random.Generator) -> Veil:
    """Static of a lost signal, new in every frame."""
    seed = int(rng.integers(2**63))

    def veil(seen: Picture, strength: float, frame: int, coming: bool) -> Picture:
        static = np.random.default_rng((seed, frame)).uniform(0.0, 255.0, seen.shape)
        return seen * (1.0 - strength) + static * strength

    return veil


def blur(scene: Scene, rng: np.random.Generator) -> Veil:
    """Out of focus until only the mean colour of the clip's first picture is left."""
    mean = scene.first_picture.reshape(-1, 3).mean(axis=0)

    def veil(seen: Picture, strength: float, frame: int, coming: bool) -> Picture:
        sigma = BLUR_SHARE * strength * max(scene.size)
        soft = ndimage.gaussian_filter(seen, sigma=(sigma, sigma, 0.0), mode="nearest")
        share = strength**2
        return soft * (1.0 - share) + mean * share

    return veil


def blocks(scene: Scene, rng: np.random.Generator) -> Veil:
    """Blocks of the picture are lost one after the other, in an order of their own for each interruption."""
    height, width = scene.size
    side = max(4, round(max(height, width) / BLOCKS_ACROSS))
    shape = (-(-height // side), -(-width // side))
    order, seed = rng.uniform(0.0, 1.0, shape), int(rng.integers(2**63))

    def veil(seen: Picture, strength: float, frame: int, coming: bool) -> Picture:
        grey = np.random.default_rng((seed, frame)).uniform(70.0, 130.0, shape)
        lost = _spread(order < strength, side)[:height, :width]
        colour = _spread(grey, side)[:height, :width, None] * np.array([0.9, 1.0, 0.9])
        return np.where(lost[..., None], colour, seen)

    return veil


def occluder(scene: Scene, rng: np.random.Generator) -> Veil:
    """A painted board slides in from one side, stands before all of `scene.cover`, and goes on or back."""
    height, width = scene.size
    rows, columns = (np.flatnonzero(scene.cover.any(axis=axis)) for axis in (1, 0))
    margin = max(2, round(0.04 * max(height, width)))
    top, left = max(0, int(rows[0]) - margin), max(0, int(columns[0]) - margin)
    bottom, right = min(height, int(rows[-1]) + 1 + margin), min(width, int(columns[-1]) + 1 + margin)
    board = _board(rng, bottom - top, right - left, edge=max(1, margin // 2))
    down, along = ((-1, 0), (1, 0), (0, -1), (0, 1))[int(rng.integers(4))]  # the side it comes from
    distance = {(-1, 0): bottom, (1, 0): height - top, (0, -1): right, (0, 1): width - left}[down, along]
    goes_on = bool(rng.integers(2))
    leave = {(-1, 0): height - top, (1, 0): bottom, (0, -1): width - left, (0, 1): right}[down, along]

    def veil(seen: Picture, strength: float, frame: int, coming: bool) -> Picture:
        on = goes_on and not coming
        away = round((1.0 - strength) * (leave if on else distance)) * (-1 if on else 1)
        out = seen.copy()
        y, x = top + down * away, left + along * away
        y0, x0, y1, x1 = max(y, 0), max(x, 0), min(y + board.shape[0], height), min(x + board.shape[1], width)
        if y0 < y1 and x0 < x1:
            out[y0:y1, x0:x1] = board[y0 - y : y1 - y, x0 - x : x1 - x]
        return out

    return veil


def _board(rng: np.random.Generator, height: int, width: int, *, edge: int) -> Picture:
    """[H, W, 3] a board with a dark rim: plain, striped, chequered or grained."""
    paint, other = rng.uniform(60.0, 220.0, 3), rng.uniform(40.0, 230.0, 3)
    y, x = np.mgrid[:height, :width] / max(height, width)
    pattern = int(rng.integers(4))
    if pattern == 0:
        share = np.zeros((height, width))
    elif pattern == 1:
        share = np.floor(8.0 * (x * rng.uniform(0.3, 1.0) + y * rng.uniform(0.3, 1.0))) % 2
    elif pattern == 2:
        share = (np.floor(6.0 * x) + np.floor(6.0 * y)) % 2
    else:
        grain = ndimage.gaussian_filter(rng.normal(size=(height, width)), (0.5, 0.06 * width), mode="wrap")
        share = 0.5 + 0.2 * grain / max(float(grain.std()), 1e-9)
    board = paint + (other - paint) * np.clip(share, 0.0, 1.0)[..., None]
    for rim in (np.s_[:edge], np.s_[-edge:], np.s_[:, :edge], np.s_[:, -edge:]):
        board[rim] = 0.25 * paint
    return np.asarray(board)


def _spread(values: NDArray, side: int) -> NDArray:
    return np.repeat(np.repeat(values, side, axis=0), side, axis=1)


# kind -> its veil; frame_drop is black as well, but its frames count as absent
VEILS: Mapping[str, Callable[[Scene, np.random.Generator], Veil]] = MappingProxyType(
    {
        "lights_off": lights_off,
        "fog": fog,
        "blackout": blackout,
        "frame_drop": blackout,
        "occluder": occluder,
        "noise": noise,
        "blur": blur,
        "blocks": blocks,
    }
)
SUDDEN = frozenset({"blackout", "frame_drop"})  # without a ramp
CORRUPTIONS = frozenset({"noise", "blur", "blocks"})  # a clip calls each of them corrupt
