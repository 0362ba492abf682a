"""The plain flow-matching loss on whole clips, without interruption and curriculum, of two models on the same noise.

Two tasks, both with clean context and no weight on any region:

    next frame       every latent but the first is asked, each from the true ones before it (teacher forcing)
    image to video   all but the first are asked together, from the first alone; they see each other

The loss is the mean squared error in the space that the models predict (config.flow.prediction), over all cells of the
asked latents, at the flow times `LEVELS`: the middles of fifths of [0, 1], so that their mean is the midpoint rule for
the loss over uniform t. Clips, latents, noise and flow times are the same for every model, so that differences are
paired. Shapes as in `trainer.data.batches`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from trainer.checkpoint import TrainedModel
from trainer.data.batches import Batch, collate
from trainer.data.clips import ClipRecord
from trainer.data.examples import Example, history_graph, with_targets
from trainer.data.prompts import told
from trainer.flow import add_noise, flow_error
from trainer.graph.nodes import FrameGraph, Role
from trainer.latents.codec import LatentGeometry
from trainer.latents.layout import frame_segments
from trainer.seeding import torch_generator
from trainer.training.learner import computation, predict_batch

NEXT_FRAME, IMAGE_TO_VIDEO = TASKS = ("next frame", "image to video")
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)


def plain(record: ClipRecord) -> ClipRecord | None:
    """The clip as if nothing had interrupted it; None where no such pictures are known."""
    if record.uninterrupted is None:
        return None
    never = np.zeros(record.num_frames, dtype=bool)
    return dataclasses.replace(
        record,
        prompt=told(record.prompt, ""),
        rgb=record.uninterrupted,
        hidden=never,
        plain=~never,
        dropped=never,
        returns=(),
    )


def task_graph(record: ClipRecord, codec: LatentGeometry, task: str) -> FrameGraph:
    """The graph of a plain clip for one of `TASKS`, targets at pure noise. ValueError for a clip of a single latent."""
    layout = codec.layout(frame_segments(record.hidden))
    graph = history_graph(record, layout)
    asked = range(1, layout.num_latents)
    if not asked:
        raise ValueError(f"clip {record.clip_id}: one latent alone, nothing is left to predict; give longer clips")
    if task == NEXT_FRAME:
        return with_targets(graph, asked)
    return graph.map_nodes({i: {"role": Role.TARGET, "chunk": 0, "noise_level": 1.0} for i in asked})


@torch.no_grad()
def plain_losses(models: Sequence[TrainedModel], record: ClipRecord, *, draws: int, seed: int) -> np.ndarray:
    """[models, TASKS, LEVELS] mean losses over `draws` draws of noise, which depend on (seed, clip, draw) alone.

    record: a plain clip. The models share codec and text encoder: those of the last are used.
    """
    trained = models[-1]
    device = next(trained.model.parameters()).device
    found = np.zeros((len(models), len(TASKS), len(LEVELS)))
    for t, task in enumerate(TASKS):
        example = Example(
            rgb=record.rgb,
            region=record.region,
            segments=frame_segments(record.hidden),
            prompt=record.prompt,
            graph=task_graph(record, trained.codec, task),
        )
        batch = collate([example], trained.codec, [torch_generator(seed)], 1.0, trained.text).to(device)
        for draw in range(draws):
            generator = torch_generator(seed, "forgetting", record.clip_id, draw)
            noise = torch.randn(batch.clean_BFCYX.shape, generator=generator).to(device)
            for n, level in enumerate(LEVELS):
                for m, model in enumerate(models):
                    found[m, t, n] += _loss(model, at_level(batch, noise, level)) / draws
    return found


def at_level(batch: Batch, noise_BFCYX: Tensor, level: float) -> Batch:
    """The batch with this noise, its targets at this flow time and its history clean."""
    asked_BF = batch.weight_BFYX.amax(dim=(2, 3)) > 0
    return dataclasses.replace(batch, noise_BFCYX=noise_BFCYX, level_BF=level * asked_BF.float())


def _loss(trained: TrainedModel, batch: Batch) -> float:
    noisy = add_noise(batch.clean_BFCYX, batch.noise_BFCYX, batch.level_BF)
    with computation(trained.config.precision, noisy.device):
        prediction = predict_batch(trained.model, batch, noisy)
    kind = trained.config.flow.prediction
    error = flow_error(prediction, batch.clean_BFCYX, batch.noise_BFCYX, batch.weight_BFYX, kind)
    return float(error / batch.weight_BFYX.sum())
