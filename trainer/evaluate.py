"""The question that training is for, asked cheaply while it goes on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from trainer.config import TrainConfig
from trainer.data.batches import collate
from trainer.data.clips import ClipRecord
from trainer.data.examples import return_example
from trainer.flow import add_noise, predicted_clean
from trainer.latents.codec import LatentCodec
from trainer.model.wan import RememberingWan
from trainer.seeding import torch_generator
from trainer.training.learner import predict_batch

CHANGED = 8.0 / 127.5  # a pixel counts as changed while hidden from 8/255 on, in units of [-1, 1]


@torch.no_grad()
def return_error(
    model: RememberingWan,
    records: Sequence[ClipRecord],
    codec: LatentCodec,
    config: TrainConfig,
    device: torch.device,
) -> dict[str, float]:
    """How well held-out clips are continued: one-step prediction from pure noise of the first frame after the return.

    heldout_mae   mean absolute error in [0, 1] pixel units, over pixels that changed while hidden
    frozen_mae    the same for repeating the last frame before the interruption
    heldout_ratio their quotient; 1 remembers nothing, 0 is exact
    """
    asked = [record for record in records if record.return_index is not None and record.hidden.any()]
    if not asked:
        return {}
    own, frozen = [], []
    for index, record in enumerate(asked):
        example = return_example(record, codec)
        batch = collate([example], codec, [torch_generator(config.seed, "heldout", index)], 1.0).to(device)
        noisy = add_noise(batch.clean_BFCYX, batch.noise_BFCYX, batch.level_BF)
        clean = predicted_clean(predict_batch(model, batch, noisy), noisy, batch.level_BF, config.flow.prediction)
        assert record.return_index is not None
        truth, before = (
            torch.from_numpy(record.rgb[i]).to(device).permute(2, 0, 1).float() / 127.5 - 1.0
            for i in (record.return_index, _last_seen(record))
        )
        changed = (truth - before).abs() > CHANGED
        if changed.any():
            own.append(
                (codec.decode(clean[0, -1:], np.ones(1, dtype=bool))[0] - truth).abs()[changed].mean().item() / 2.0
            )
            frozen.append((before - truth).abs()[changed].mean().item() / 2.0)
    if not own:
        return {}
    mae, frozen_mae = sum(own) / len(own), sum(frozen) / len(frozen)
    return {"heldout_mae": mae, "frozen_mae": frozen_mae, "heldout_ratio": mae / frozen_mae}


def _last_seen(record: ClipRecord) -> int:
    """The brightest of the frames just before the hidden ones: a dimming lamp has not begun yet."""
    first_hidden = int(record.hidden.argmax())
    bright = record.rgb[:first_hidden].reshape(first_hidden, -1).mean(axis=1)
    return int((bright >= 0.99 * bright.max()).nonzero()[0][-1])
