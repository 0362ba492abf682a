"""The figures of DESIGN section 9, each with its formula. Event times in seconds, on the event's clock.

What depends on the kind of variable (stability, plausibility, distance) is in `kinds`; docs/PROBE.md has examples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

RATIO_LIMITS = (-2.0, 3.0)
SSIM_SIGMA_PX = 1.5
MAX_PSNR_DB = 99.0  # of identical pictures

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]


def clock_ratio(time_s: float, t_h_s: float, t_r_s: float) -> float:
    """CR = (t^ - t_h) / (t_r - t_h): paused 0, truth 1, half speed 0.5, reversed -1."""
    if t_r_s <= t_h_s:
        raise ValueError(f"t_r = {t_r_s} s is not after t_h = {t_h_s} s")
    return (time_s - t_h_s) / (t_r_s - t_h_s)


def recovery(ratio: float | None) -> float:
    """max(0, 1 - |CR - 1|); 0 when unreadable (None)."""
    return 0.0 if ratio is None else max(0.0, 1.0 - abs(ratio - 1.0))


def difference(later: Array | float, earlier: Array | float, cycle: float | None = None) -> Array:
    """later - earlier; for a cyclic variable wrapped into [-cycle/2, cycle/2)."""
    raw = np.asarray(later, np.float64) - np.asarray(earlier, np.float64)
    return raw if cycle is None else (raw + cycle / 2) % cycle - cycle / 2


def evolution_ratio(measured_change: Array, true_change: Array) -> float:
    """ER = sum(m t) / sum(t^2), clipped to [-2, 3]: slope through the origin of measured on true change."""
    measured, true = np.asarray(measured_change, np.float64), np.asarray(true_change, np.float64)
    norm = float((true**2).sum())
    if norm == 0.0:
        raise ValueError("the true state did not change: use stability, not the evolution ratio")
    return float(np.clip((measured * true).sum() / norm, *RATIO_LIMITS))


def bias_and_variance(ratios: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Of one clip's samples: bias = mean CR - 1, and the variance of CR about that mean (n - 1 below the line).

    Over the readable samples; None with fewer than one, or two. The mean squared error of a sample is
    bias^2 + (n - 1) / n variance.
    """
    readable = [r for r in ratios if r is not None]
    bias = float(np.mean(readable)) - 1.0 if readable else None
    return bias, float(np.var(readable, ddof=1)) if len(readable) > 1 else None


def psnr_db(a: Picture, b: Picture, mask: NDArray[np.bool_]) -> float:
    """10 log10(255^2 / mean squared difference) over `mask` [H, W]; 99 for identical pictures."""
    error = float(((a[mask].astype(np.float64) - b[mask]) ** 2).mean())
    return MAX_PSNR_DB if error == 0 else min(MAX_PSNR_DB, 10 * np.log10(255**2 / error))


def ssim(a: Picture, b: Picture, mask: NDArray[np.bool_]) -> float:
    """Structural similarity (Wang et al. 2004: window 1.5 px, K1 = 0.01, K2 = 0.03), mean over `mask` and channels."""
    x, y = a.astype(np.float64), b.astype(np.float64)

    def smooth(picture: Array) -> Array:
        return np.asarray(ndimage.gaussian_filter(picture, (SSIM_SIGMA_PX, SSIM_SIGMA_PX, 0), truncate=3.5))

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = smooth(x), smooth(y)
    vx, vy, cov = smooth(x * x) - mx * mx, smooth(y * y) - my * my, smooth(x * y) - mx * my
    values = (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return float(values[mask].mean())


def control(generated: Picture, interrupted: Picture, observed: Picture) -> float:
    """Share of hidden frames [n, H, W, 3] nearer (squared error) to the interrupted clip than to `observed`."""
    if not len(generated):
        raise ValueError("no hidden frames: the clip has no interruption to look for")
    axes = (1, 2, 3)
    to_interrupted = ((generated.astype(np.float64) - interrupted) ** 2).mean(axes)
    to_observed = ((generated.astype(np.float64) - observed) ** 2).mean(axes)
    return float((to_interrupted < to_observed).mean())


def coverage(ratios: Sequence[float | None]) -> float:
    """1 - share of unreadable (None)."""
    return sum(r is not None for r in ratios) / len(ratios) if ratios else 0.0
