"""The question that training is for, asked cheaply while it goes on: of the next frame, and of whole continuations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from simulator.clip import Clip
from trainer.checkpoint import TrainedModel
from trainer.config import TrainConfig
from trainer.data.batches import collate
from trainer.data.clips import ClipRecord
from trainer.data.examples import last_before, return_example
from trainer.data.sources import ClipRecords
from trainer.flow import add_noise, predicted_clean
from trainer.latents.codec import LatentCodec
from trainer.latents.text import BYTES, TextEncoder
from trainer.model.wan import RememberingWan
from trainer.probe.score import score
from trainer.probe.subject import Subject
from trainer.probe.verdict import TOLERANT
from trainer.rollout import Rollout, RolloutConfig, rollout, until_next_window
from trainer.seeding import torch_generator
from trainer.training.learner import Learner, computation, predict_batch

CHANGED = 8.0 / 127.5  # a pixel counts as changed while hidden from 8/255 on, in units of [-1, 1]

COLUMNS, MIN_SIDE_PX = 8, 64  # of the sample grid: frames, and least size of one


@torch.no_grad()
def return_error(
    model: RememberingWan,
    records: Sequence[ClipRecord],
    codec: LatentCodec,
    config: TrainConfig,
    device: torch.device,
    text: TextEncoder = BYTES,
) -> dict[str, float]:
    """How well held-out clips are continued: one-step prediction from pure noise of the first frame after the return.

    heldout_mae   mean absolute error in [0, 1] pixel units, over pixels that changed while hidden
    frozen_mae    the same for repeating the last plain frame before the interruption
    heldout_ratio their quotient; 1 remembers nothing, 0 is exact
    """
    asked = (record for record in records if record.return_index is not None and record.hidden.any())
    own, frozen = [], []
    for index, record in enumerate(asked):
        example = return_example(record, codec)
        batch = collate([example], codec, [torch_generator(config.seed, "heldout", index)], 1.0, text).to(device)
        noisy = add_noise(batch.clean_BFCYX, batch.noise_BFCYX, batch.level_BF)
        with computation(config.precision, device):
            prediction = predict_batch(model, batch, noisy).float()
        clean = predicted_clean(prediction, noisy, batch.level_BF, config.flow.prediction)
        assert record.return_index is not None
        truth, before = (
            torch.from_numpy(record.rgb[i]).to(device).permute(2, 0, 1).float() / 127.5 - 1.0
            for i in (record.return_index, last_before(record.plain, int(record.hidden.argmax())))
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


class HeldoutSet:
    """Clips that are never trained on; the first few of them are continued through the cache and looked at."""

    def __init__(self, records: Sequence[ClipRecord], config: TrainConfig, text: TextEncoder = BYTES) -> None:
        self.records, self._config, self._text = records, config, text
        asked = (i for i, record in enumerate(records) if record.return_index is not None and record.hidden.any())
        self.shown = list(islice(asked, config.logging.grid_clips))
        self._subjects = {i: subject for i in self.shown if (subject := _subject(records, i)) is not None}

    def scores(self, learner: Learner) -> dict[str, float]:
        """See `return_error`."""
        device = learner.devices.device
        return return_error(learner.model, self.records, learner.codec, self._config, device, self._text)

    def samples(self, learner: Learner) -> tuple[dict[str, float], np.ndarray | None]:
        """Scores of the continuations, and a picture of them [H, W, 3]: of each clip the truth above what was made.

        heldout_recovery     recovery at the first return by the clip's sweep (DESIGN section 9), unreadable 0
        heldout_clock_ratio  of those that can be read: 0 stood still, 1 went on
        heldout_coverage     share that can be read
        """
        trained = TrainedModel(model=learner.model, config=self._config, codec=learner.codec, step=0)
        rows, ratios = [], []
        for index in self.shown:
            window = 0 if index in self._subjects else None
            config = RolloutConfig(steps=self._config.logging.grid_steps)
            made = rollout(trained, self.records[index], config, window=window)
            rows.append(_rows(self.records[index], made))
            if index in self._subjects:
                frames = score(self._subjects[index], made, TOLERANT).frames
                ratios.append(frames[0].reading.clock_ratio if frames else None)
        read = [ratio for ratio in ratios if ratio is not None]
        scores = {}
        if ratios:
            recoveries = [max(0.0, 1.0 - abs(ratio - 1.0)) for ratio in read]
            scores = {"heldout_recovery": sum(recoveries) / len(ratios), "heldout_coverage": len(read) / len(ratios)}
        if read:
            scores["heldout_clock_ratio"] = sum(read) / len(read)
        return scores, np.concatenate(rows) if rows else None


def write_grid(path: Path, rgb_HW3: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(rgb_HW3).save(path)


def _subject(records: Sequence[ClipRecord], index: int) -> Subject | None:
    """The clip with its sweep, when it lies on disk and has one."""
    if not isinstance(records, ClipRecords):
        return None
    shown = records[index].clip_id  # not always that of header `index`: an unreadable clip is replaced
    clip = Clip.open(next(header.path for header in records.headers if header.clip_id == shown))
    if clip.sweep is None:
        return None
    try:
        until_next_window(records[index], 0)
        return Subject.load(clip)
    except ValueError as error:  # it can be trained and looked at all the same
        print(f"remind: {error}; its recovery is not read while training", file=sys.stderr)
        return None


def _rows(record: ClipRecord, made: Rollout) -> np.ndarray:
    """[2 h, COLUMNS w, 3]: from the first frame that was made on, the truth above it; black past the end."""
    scale = max(1, -(-MIN_SIDE_PX // record.rgb.shape[1]))
    first = int(made.generated.argmax())
    strips = []
    for rgb in (record.rgb, made.rgb):
        shown = rgb[first : first + COLUMNS].repeat(scale, axis=1).repeat(scale, axis=2)
        padded = np.zeros((COLUMNS, *shown.shape[1:]), dtype=np.uint8)
        padded[: len(shown)] = shown
        strips.append(np.concatenate(list(padded), axis=1))
    return np.concatenate(strips)
