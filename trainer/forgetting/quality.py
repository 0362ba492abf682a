"""Sample quality: a clip is continued from its first frame alone and compared with the truth, by frame and as film.

A model that forgot nothing need not meet the truth: many continuations of a picture are right. So look at differences
between models on the same clips and noise, and beside the film that stands still.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.checkpoint import TrainedModel
from trainer.data.clips import ClipRecord
from trainer.forgetting.patches import motion_distance, texture_distance
from trainer.probe.metrics import psnr_db, ssim
from trainer.rollout import RolloutConfig, rollout

FIGURES = {  # name -> (unit, whether more is better)
    "PSNR": ("dB", True),
    "SSIM": ("", True),
    "texture distance": ("x 1000", False),
    "motion distance": ("x 1000", False),
}


def continuation(trained: TrainedModel, record: ClipRecord, *, steps: int, seed: int, chunk: int) -> np.ndarray:
    """[G, H, W, 3] uint8: a plain clip's first frame and what the model makes of it; noise depends on `seed` alone."""
    made = rollout(trained, record, RolloutConfig(steps=steps, seed=seed), context=1, chunk=chunk)
    return made.rgb[: int(np.flatnonzero(made.generated)[-1]) + 1]  # the last frames of a clip may have no latent


def standing_still(truth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The film [F, H, W, 3] of the first frame, repeated."""
    return np.repeat(truth[:1], len(truth), axis=0)


def quality(made: NDArray[np.uint8], truth: NDArray[np.uint8]) -> dict[str, float]:
    """`FIGURES` of two films [F >= 2, H, W, 3] whose first frame was given; PSNR and SSIM are means over the others."""
    everywhere = np.ones(truth.shape[1:3], dtype=bool)
    pairs = list(zip(made[1:], truth[1:], strict=True))
    return {
        "PSNR": float(np.mean([psnr_db(a, b, everywhere) for a, b in pairs])),
        "SSIM": float(np.mean([ssim(a, b, everywhere) for a, b in pairs])),
        "texture distance": texture_distance(made[1:], truth[1:]),
        "motion distance": motion_distance(made, truth),
    }
