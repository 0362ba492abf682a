"""From clips to training batches. Every batch is a pure function of (seed, step), so resuming needs the step alone.

Shapes: B batch, F nodes of a graph (padded), T frames of a clip, C Y X latent, c = 14 camera numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from trainer.config import CurriculumConfig, DataConfig, FlowConfig
from trainer.data.augment import augmented
from trainer.data.clips import ClipRecord
from trainer.data.interruptions import Interruption, random_lights_off
from trainer.flow import sample_levels
from trainer.graph.curriculum import node_drop, noisy_memory
from trainer.graph.nodes import FrameGraph, Node, Role
from trainer.latents.codec import LatentCodec
from trainer.latents.layout import LatentLayout, Segments, frame_segments
from trainer.latents.text import encode_prompts
from trainer.seeding import numpy_generator, torch_generator


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One clip's pictures and what is to be remembered and predicted of them."""

    rgb: np.ndarray  # [T, H, W, 3] uint8, already degraded
    region: np.ndarray  # [H, W] bool
    segments: Segments  # encoded each by itself; the graph's nodes index the latents of their layout
    prompt: str
    graph: FrameGraph


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


def batch_indices(num_items: int, batch_size: int, seed: int, step: int) -> list[int]:
    """Items of batch `step`: epochs are permutations derived from (seed, epoch), running on across batches."""
    order = []
    for position in range(step * batch_size, (step + 1) * batch_size):
        epoch, place = divmod(position, num_items)
        order.append(int(numpy_generator(seed, "epoch", epoch).permutation(num_items)[place]))
    return order


def history_graph(
    record: ClipRecord, layout: LatentLayout, hidden: np.ndarray, dropped: np.ndarray | None = None
) -> FrameGraph:
    """All latents as history: the first and the last before the interruption are anchors, hidden ones degraded.

    hidden, dropped [F] bool, constant over each latent: `dropped` frames have no picture and are absent, a gap in time.
    A latent has the camera and the visibility of its last frame.
    """
    rows = layout.last_frame
    hidden = hidden[rows]
    dropped = np.zeros_like(hidden) if dropped is None else dropped[rows]
    anchors = {0, int(np.argmax(hidden)) - 1} if hidden.any() else {0}
    return FrameGraph(
        nodes=tuple(
            Node(
                frame=i,
                time=float(layout.time[i]),
                camera=record.cameras[row],
                role=_history_role(bool(dropped[i]), bool(hidden[i]), i in anchors),
                visibility={event: float(v[row]) * (not hidden[i]) for event, v in record.visibility.items()},
            )
            for i, row in enumerate(rows)
        )
    )


def _history_role(dropped: bool, hidden: bool, anchor: bool) -> Role:
    if dropped:
        return Role.DROPPED
    return Role.DEGRADED if hidden else Role.ANCHOR if anchor else Role.FRONTIER


def with_targets(graph: FrameGraph, frames: Sequence[int], levels: np.ndarray, weights: Sequence[float]) -> FrameGraph:
    """The graph with a noisy target beside the history node of each of `frames`."""
    history = {node.frame: node for node in graph.nodes}
    targets = tuple(
        Node(
            frame=frame,
            time=history[frame].time,
            camera=history[frame].camera,
            role=Role.TARGET,
            noise_level=float(level),
            weight=weight,
            visibility=history[frame].visibility,
        )
        for frame, level, weight in zip(frames, levels, weights, strict=True)
    )
    return FrameGraph(nodes=graph.nodes + targets)


def training_example(
    record: ClipRecord,
    codec: LatentCodec,
    rng: np.random.Generator,
    data: DataConfig,
    curriculum: CurriculumConfig,
    flow: FlowConfig,
) -> Example:
    """Augmentations, a random interruption, random targets, and the curriculum's stages over them."""
    record = augmented(record, rng, data)
    shown = _interrupted(record, rng, data)
    segments = frame_segments(shown.hidden, shown.dropped)
    layout = codec.layout(segments)
    graph = history_graph(record, layout, shown.hidden, shown.dropped)
    back = _first_after_hidden(shown.hidden)
    until = shown.return_index + data.num_return_targets
    returned = np.flatnonzero((layout.first_frame >= back) & (layout.first_frame < until))
    others = np.flatnonzero(~shown.hidden[layout.last_frame] & (layout.last_frame > 0))
    others = np.setdiff1d(others, returned)
    others = rng.permutation(others)[: data.num_other_targets]
    targets = [int(i) for i in (*returned, *sorted(others))]
    weights = [flow.return_weight] * len(returned) + [1.0] * len(others)

    probability = {Role.DEGRADED: curriculum.drop_degraded, Role.FRONTIER: curriculum.drop_frontier}
    graph = node_drop(graph, rng, probability=probability)
    if rng.random() < curriculum.drop_after_return:
        graph = _without_return(graph, layout, back)
    if rng.random() < curriculum.noisy_share:
        graph = noisy_memory(
            graph,
            rng,
            max_level=curriculum.noisy_max_level,
            anchor_max_level=curriculum.noisy_anchor_max_level,
        )
    graph = with_targets(graph, targets, sample_levels(rng, len(targets), flow), weights)
    return Example(rgb=shown.rgb, region=record.region, segments=segments, prompt=record.prompt, graph=graph)


def return_example(record: ClipRecord, codec: LatentCodec) -> Example:
    """The question that matters, without chance: the first frame after the return, from pure noise.

    A segment begins at that frame, so its latent stands for it alone.
    """
    assert record.return_index is not None, "the clip has no return"
    segments = frame_segments(record.hidden, record.dropped, cuts=(record.return_index,))
    layout = codec.layout(segments)
    graph = history_graph(record, layout, record.hidden, record.dropped)
    graph = _without_return(graph, layout, _first_after_hidden(record.hidden))
    graph = with_targets(graph, [layout.of_frame(record.return_index)], np.ones(1), [1.0])
    return Example(rgb=record.rgb, region=record.region, segments=segments, prompt=record.prompt, graph=graph)


def _without_return(graph: FrameGraph, layout: LatentLayout, back: int) -> FrameGraph:
    """The graph without the latents that begin at frame `back` or later."""
    later = [i for i, node in enumerate(graph.nodes) if layout.first_frame[node.frame] >= back]
    return graph.map_nodes({i: {"role": Role.DROPPED} for i in later})


def as_video(rgb: np.ndarray) -> Tensor:
    """[F, H, W, 3] uint8 to [F, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(rgb)).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def collate(
    examples: Sequence[Example], codec: LatentCodec, generators: Sequence[torch.Generator], region_weight: float
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
        text_BSD=encode_prompts([example.prompt for example in examples]),
    )


def training_batch(
    records: Sequence[ClipRecord],
    codec: LatentCodec,
    *,
    seed: int,
    step: int,
    batch_size: int,
    data: DataConfig,
    curriculum: CurriculumConfig,
    flow: FlowConfig,
    rows: range | None = None,
) -> Batch:
    """Batch number `step` of the run with this seed, or of it only `rows`, as one of several devices asks."""
    indices = batch_indices(len(records), batch_size, seed, step)
    rows = rows if rows is not None else range(batch_size)
    examples = [
        training_example(records[indices[b]], codec, numpy_generator(seed, "example", step, b), data, curriculum, flow)
        for b in rows
    ]
    generators = [torch_generator(seed, "noise", step, b) for b in rows]
    return collate(examples, codec, generators, flow.region_weight)


def _interrupted(record: ClipRecord, rng: np.random.Generator, data: DataConfig) -> Interruption:
    has_own = record.return_index is not None and bool(record.hidden.any())
    if has_own and (record.uninterrupted is None or rng.random() < data.own_window_share):
        assert record.return_index is not None
        return Interruption(
            rgb=record.rgb, hidden=record.hidden, return_index=record.return_index, dropped=record.dropped
        )
    if record.uninterrupted is None:
        raise ValueError(
            f"clip {record.clip_id}: it never returns at frame stride {data.frame_stride} and has no uninterrupted "
            f"twin; render the output 'twins' or leave the clip out"
        )
    return random_lights_off(
        record.uninterrupted,
        rng,
        seconds_per_frame=record.seconds_per_frame,
        dark_s=(data.dark_min_s, data.dark_max_s),
        ramp_max_s=data.ramp_max_s,
        min_seen_s=data.min_seen_s,
        min_after=1,
    )


def _first_after_hidden(hidden: np.ndarray) -> int:
    """The frame that follows the last hidden one."""
    return int(np.flatnonzero(hidden)[-1]) + 1
