"""Euler steps of the flow from noise to a frame."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor

from trainer.flow import euler_step


def flow_levels(steps: int, shift: float) -> list[float]:
    """Flow times of the steps, from 1 (noise) to 0 (clean): evenly spaced t, moved to t' = s t / (1 + (s - 1) t).

    A shift s > 1 spends more steps at high noise, where the layout of a large picture is decided
    (Stable Diffusion 3, arXiv 2403.03206, eq. 23; Wan's `flow_shift`).
    """
    even = [1.0 - step / steps for step in range(steps + 1)]
    return [1.0] + [shift * t / (1.0 + (shift - 1.0) * t) for t in even[1:]]


def euler_sample(denoise: Callable[[Tensor, float], Tensor], noise: Tensor, levels: list[float]) -> Tensor:
    """Follow the flow from `noise`; `denoise(x, level)` gives the clean latents that x at a flow time points to."""
    x = noise
    for level, next_level in pairwise(levels):
        x = euler_step(x, denoise(x, level), level, next_level)
    return x
