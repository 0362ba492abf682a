"""From clips to training batches. Every batch is a pure function of (seed, step), so resuming needs the step alone.

Shapes: B batch, F nodes of a graph (padded), T frames of a clip, C Y X latent, c = 14 camera numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from trainer.config import CurriculumConfig, FlowConfig, TrainConfig
from trainer.data.examples import Example, training_example
from trainer.data.mixture import Source, draw
from trainer.data.sources import ClipRecords
from trainer.graph.nodes import Role
from trainer.latents.codec import LatentCodec, LatentGeometry
from trainer.latents.text import BYTES, TextEncoder
from trainer.seeding import numpy_generator, torch_generator


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Graphs side by side, padded with nodes that nobody sees and nothing is asked of."""

    clean_BFCYX: Tensor
    noise_BFCYX: Tensor
    level_BF: Tensor
    times_BF: Tensor
    cameras_BFc: Tensor
    mask_BFF: Tensor
    weight_BFYX: Tensor  # of the loss; zero outside targets
    text_BSD: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})


def as_video(rgb: np.ndarray) -> Tensor:
    """[F, H, W, 3] uint8 to [F, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(rgb)).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def collate(
    examples: Sequence[Example],
    codec: LatentCodec,
    generators: Sequence[torch.Generator],
    region_weight: float,
    text: TextEncoder = BYTES,
) -> Batch:
    """Encode the pictures and lay the graphs side by side.

    generators: of each example's noise, which thus depends neither on its neighbours nor on their padding: a part of
    a batch made elsewhere is that part of the batch.
    """
    latents = [codec.encode(as_video(example.rgb), example.segments) for example in examples]
    nodes = [[example.graph.nodes[i] for i in example.graph.present()] for example in examples]
    shape = (len(examples), max(len(row) for row in nodes))

    frame = torch.zeros(shape, dtype=torch.long)
    level, weight = torch.zeros(shape), torch.zeros(shape)
    times = torch.zeros(shape, dtype=torch.float64)
    cameras = torch.zeros(*shape, nodes[0][0].camera.shape[0])
    mask = torch.eye(shape[1], dtype=torch.bool).repeat(shape[0], 1, 1)
    for b, (row, example) in enumerate(zip(nodes, examples, strict=True)):
        count = len(row)
        frame[b, :count] = torch.tensor([node.frame for node in row])
        level[b, :count] = torch.tensor([node.noise_level for node in row])
        weight[b, :count] = torch.tensor([node.weight * (node.role is Role.TARGET) for node in row])
        times[b, :count] = torch.tensor([node.time for node in row], dtype=torch.float64)
        cameras[b, :count] = torch.from_numpy(np.stack([node.camera for node in row]))
        mask[b, :count, :count] = torch.from_numpy(example.graph.permission())

    clean = torch.stack([latents_FCYX[row] for latents_FCYX, row in zip(latents, frame, strict=True)])
    noise = torch.zeros_like(clean)
    for b, (row, generator) in enumerate(zip(nodes, generators, strict=True)):
        noise[b, : len(row)] = torch.randn(len(row), *clean.shape[2:], generator=generator)
    region = torch.from_numpy(np.stack([example.region for example in examples])).float()
    region_BYX = functional.adaptive_max_pool2d(region, clean.shape[-2:])
    cell_weight = 1.0 + (region_weight - 1.0) * region_BYX
    return Batch(
        clean_BFCYX=clean,
        noise_BFCYX=noise,
        level_BF=level,
        times_BF=times,
        cameras_BFc=cameras,
        mask_BFF=mask,
        weight_BFYX=weight[:, :, None, None] * cell_weight[:, None],
        text_BSD=text.encode([example.prompt for example in examples]),
    )


def training_batch(
    sources: Sequence[Source],
    codec: LatentCodec,
    *,
    seed: int,
    step: int,
    batch_size: int,
    curriculum: CurriculumConfig,
    flow: FlowConfig,
    rows: range | None = None,
) -> Batch:
    """Batch number `step` of the run with this seed; of it only `rows` (None: all), as one of several devices asks."""
    rows = rows if rows is not None else range(batch_size)
    examples = [
        drawn_example(
            sources, codec, seed=seed, step=step, row=row, batch_size=batch_size, curriculum=curriculum, flow=flow
        )
        for row in rows
    ]
    return collate(examples, codec, [torch_generator(seed, "noise", step, row) for row in rows], flow.region_weight)


def drawn_example(
    sources: Sequence[Source],
    codec: LatentGeometry,
    *,
    seed: int,
    step: int,
    row: int,
    batch_size: int,
    curriculum: CurriculumConfig,
    flow: FlowConfig,
    variants: int = 0,
) -> Example:
    """Example `row` of batch number `step`. variants: ways in which a clip's pixels may be disturbed; 0: any."""
    sizes, weights = [len(source.records) for source in sources], [source.weight for source in sources]
    source, index = draw(sizes, weights, seed=seed, position=step * batch_size + row)
    rng = numpy_generator(seed, "example", step, row)
    chosen = sources[source]
    record = chosen.records[index]
    pixels = rng
    if variants:
        pixels = numpy_generator(seed, "variant", source, record.clip_id, int(rng.integers(variants)))
    return training_example(record, codec, rng, chosen.data, curriculum, flow, step, pixels=pixels)


@dataclass(frozen=True, kw_only=True)
class DrawnBatch:
    """The examples of batch number `step`."""

    step: int
    rows: range
    examples: Sequence[Example]


@dataclass(frozen=True, kw_only=True)
class TrainingExamples:
    """Draws the examples of a run's batches; see `trainer.data.loader.BatchMaker`."""

    sources: Sequence[Source]
    codec: LatentGeometry
    config: TrainConfig
    rows: range | None = None  # of every batch; None: all

    def make(self, step: int) -> Batch | DrawnBatch:
        return self.drawn(step)

    def drawn(self, step: int) -> DrawnBatch:
        """The examples alone, before anything is encoded."""
        rows = self.rows if self.rows is not None else range(self.config.batch_size)
        examples = [
            drawn_example(
                self.sources,
                self.codec,
                seed=self.config.seed,
                step=step,
                row=row,
                batch_size=self.config.batch_size,
                curriculum=self.config.curriculum,
                flow=self.config.flow,
                variants=self.config.codec.latent_variants,
            )
            for row in rows
        ]
        return DrawnBatch(step=step, rows=rows, examples=examples)

    def unreadable(self) -> Mapping[str, str]:
        return {
            path: reason
            for source in self.sources
            if isinstance(source.records, ClipRecords)
            for path, reason in source.records.unreadable.items()
        }


@dataclass(frozen=True, kw_only=True)
class TrainingBatches(TrainingExamples):
    """Makes whole batches, where the codec holds no weights and prompts are bytes."""

    codec: LatentCodec

    def make(self, step: int) -> Batch:
        return encoded(self.drawn(step), self.codec, BYTES, self.config)


def encoded(drawn: DrawnBatch, codec: LatentCodec, text: TextEncoder, config: TrainConfig) -> Batch:
    """The batch of these examples."""
    generators = [torch_generator(config.seed, "noise", drawn.step, row) for row in drawn.rows]
    return collate(drawn.examples, codec, generators, config.flow.region_weight, text)
