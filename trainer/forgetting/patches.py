"""How far two films are apart as bags of small patches: a distance of distributions that needs no network.

Sliced Wasserstein distance of 7 x 7 patches on the levels of a band-pass pyramid (Karras et al. 2018, arXiv 1710.10196,
section 5 and appendix; Rabin et al. 2011 for the distance), of one film against one film (as SIFID compares one picture
with one: Shaham et al. 2019, arXiv 1905.01164). Values times 1000, pictures in [0, 1]. Unlike there, patches are not
normalised, so that wrong contrast or brightness counts too.

`texture` compares the patches of frames, `motion` those of differences of neighbouring frames. Both are blind to where
and when a patch is, so they say nothing of the layout or of the order of frames (PSNR and SSIM do), and nothing of
what things are: a network trained on such things would (FVD), but one must be had, and it knows real videos only. They
see blur, noise, blotches, wrong colours, films that stand still or jitter. A film has few patches of each kind, so the
distance of two films of the same process is not 0; compare models on the same clips.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

PATCH_PX = 7
MIN_SIDE_PX = 16  # of a level of the pyramid, but for the first
NUM_DIRECTIONS, MAX_PATCHES = 128, 4096  # of a level
SCALE = 1000.0

Array = NDArray[np.float64]


def texture_distance(made: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Of two films [F, H, W, 3] of one shape."""
    return _pyramid_distance(made / 255.0, truth / 255.0)


def motion_distance(made: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Of the differences of neighbouring frames of two films [F >= 2, H, W, 3] of one shape."""
    return _pyramid_distance(np.diff(made / 255.0, axis=0), np.diff(truth / 255.0, axis=0))


def _pyramid_distance(made: Array, truth: Array) -> float:
    """Mean distance over the levels; patches and directions are the same for both, and for every call of one shape."""
    if made.shape != truth.shape or min(made.shape[1:3]) < PATCH_PX:
        raise ValueError(f"films of {made.shape} and {truth.shape}: compare films of one shape, 7 px a side at least")
    rng = np.random.default_rng(0)
    distances = []
    for a, b in zip(_pyramid(made), _pyramid(truth), strict=True):
        places = rng.permutation(_num_patches(a))[:MAX_PATCHES]
        directions = rng.normal(size=(a.shape[-1] * PATCH_PX**2, NUM_DIRECTIONS))
        directions /= np.linalg.norm(directions, axis=0)
        distances.append(sliced_wasserstein(_patches(a, places), _patches(b, places), directions))
    return SCALE * float(np.mean(distances))


def sliced_wasserstein(a_ND: Array, b_ND: Array, directions_DK: Array) -> float:
    """Mean over directions of the Wasserstein-1 distance between as many points, projected: sort both, subtract."""
    along_a, along_b = (np.sort(points @ directions_DK, axis=0) for points in (a_ND, b_ND))
    return float(np.abs(along_a - along_b).mean())


def _pyramid(film: Array) -> list[Array]:
    """Band-passed levels, each of half the size of the one before; the last holds what is left."""
    levels = []
    while min(film.shape[1:3]) >= 2 * MIN_SIDE_PX:
        low = ndimage.gaussian_filter(film, (0, 1.0, 1.0, 0), mode="nearest")
        levels.append(film - low)
        film = low[:, ::2, ::2]
    return [*levels, film]


def _num_patches(film: Array) -> int:
    frames, height, width, _ = film.shape
    return frames * (height - PATCH_PX + 1) * (width - PATCH_PX + 1)


def _patches(film: Array, places: NDArray[np.int64]) -> Array:
    """[N, D] patches of [F, H, W, C] at these places (frame, row, column counted through)."""
    windows: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(
        film,
        (PATCH_PX, PATCH_PX),
        axis=(1, 2),  # type: ignore[call-overload]  # numpy's stubs know a single axis only
    )
    frame, row, column = np.unravel_index(places, windows.shape[:3])
    return np.asarray(windows[frame, row, column].reshape(len(places), -1))
