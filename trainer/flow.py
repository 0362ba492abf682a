"""Flow matching: x_t = (1 - t) x + t noise, velocity v = noise - x; t = 1 is pure noise.

Shapes: B batch, F frames, C Y X latent.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from trainer.config import FlowConfig, Prediction


def sample_levels(rng: np.random.Generator, count: int, config: FlowConfig) -> np.ndarray:
    """[count] flow times, mostly high: the share `high_share` in [high_from, 1], the others anywhere."""
    high = rng.random(count) < config.high_share
    uniform = rng.random(count)
    return np.where(high, config.high_from + (1.0 - config.high_from) * uniform, uniform)


def add_noise(clean_BFCYX: Tensor, noise_BFCYX: Tensor, level_BF: Tensor) -> Tensor:
    level = level_BF[:, :, None, None, None].to(clean_BFCYX.dtype)
    return (1.0 - level) * clean_BFCYX + level * noise_BFCYX


def predicted_clean(prediction: Tensor, noisy_BFCYX: Tensor, level_BF: Tensor, kind: Prediction) -> Tensor:
    """The clean latents that a prediction means."""
    if kind == "x":
        return prediction
    return noisy_BFCYX - level_BF[:, :, None, None, None].to(noisy_BFCYX.dtype) * prediction


def flow_error(
    prediction: Tensor, clean_BFCYX: Tensor, noise_BFCYX: Tensor, weight_BFYX: Tensor, kind: Prediction
) -> Tensor:
    """Weighted sum of mean squared errors in the space of the prediction, over all latent cells.

    Weights are zero wherever nothing is asked; the loss is this over the sum of the weights of the global batch.
    """
    wanted = clean_BFCYX if kind == "x" else noise_BFCYX - clean_BFCYX
    error_BFYX = (prediction.float() - wanted.float()).square().mean(dim=2)
    return (error_BFYX * weight_BFYX).sum()


def euler_step(noisy: Tensor, clean: Tensor, level: float, next_level: float) -> Tensor:
    """From flow time `level` to a lower `next_level` along v = (x_t - x) / t."""
    return noisy + (next_level - level) * (noisy - clean) / level
