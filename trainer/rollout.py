"""Generating what comes after the return, frame by frame, through the KV cache.

Shapes: F kept frames of a clip, H W pixels, C Y X latent, c = 14 camera numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from simulator.clip import Clip
from trainer.checkpoint import TrainedModel
from trainer.data.batches import as_video, history_graph
from trainer.data.clips import ClipRecord, read_clip
from trainer.flow import euler_step, predicted_clean
from trainer.graph.nodes import PROTECTED, FrameGraph, Role
from trainer.latents.layout import frame_segments
from trainer.latents.text import encode_prompts
from trainer.model.cache import KVCache, TimePolicy
from trainer.seeding import torch_generator


@dataclass(frozen=True, kw_only=True, eq=False)
class Rollout:
    """A clip as the model continues it; what was given is the clip's own."""

    rgb: np.ndarray  # [F, H, W, 3] uint8
    frames: np.ndarray  # [F] indices into the clip
    generated: np.ndarray  # [F] bool


class RolloutSession:
    """A rollout in progress: `advance` generates the next frames; how they are chunked changes nothing."""

    def __init__(
        self,
        trained: TrainedModel,
        record: ClipRecord,
        graph: FrameGraph,
        *,
        steps: int,
        seed: int,
        capacity: int | None = None,
        time_policy: TimePolicy = "absolute",
        horizon: float | None = None,
    ) -> None:
        if steps < 1:
            raise ValueError(f"steps: {steps} must be at least 1")
        self.trained, self.record, self.graph = trained, record, graph
        self.steps, self.seed = steps, seed
        self.cache = KVCache(capacity=capacity, time_policy=time_policy, horizon=horizon)
        self.generated = np.zeros(record.num_frames, dtype=bool)
        self._device = next(trained.model.parameters()).device
        self._text = encode_prompts([record.prompt]).to(self._device)
        segments = frame_segments(record.hidden, record.dropped)
        self._layout = trained.codec.layout(segments)
        latents = trained.codec.encode(as_video(record.rgb), segments)
        self._latents = latents[None].to(self._device)  # [1, F', C, Y, X]; generated ones are overwritten
        self._pending = list(graph.cache_schedule(capacity))

    @torch.no_grad()
    def advance(self, num_frames: int | None = None) -> int:
        """Write history and generate the next `num_frames` targets (None: all); returns how many were generated."""
        made = 0
        while self._pending and (num_frames is None or made < num_frames):
            planned = self._pending.pop(0)
            node = self.graph.nodes[planned.node]
            if planned.generate:
                self._latents[:, node.frame] = self._generate(planned.node)
                self.generated[self._frames(node.frame)] = True
                made += 1
            self._write(planned.node)
        return made

    def result(self) -> Rollout:
        """What is there now; frames still to come are black."""
        video = self.trained.codec.decode(self._latents[0], self._layout.starts).clamp(-1.0, 1.0)
        decoded = ((video.permute(0, 2, 3, 1) + 1.0) * 127.5).round().to(torch.uint8).cpu().numpy()
        made = self.record.rgb.copy()
        made[self._layout.frames()] = decoded
        rgb = self.record.rgb.copy()
        for i in self.graph.with_role(Role.TARGET):
            rgb[self._frames(self.graph.nodes[i].frame)] = 0
        rgb[self.generated] = made[self.generated]
        return Rollout(rgb=rgb, frames=self.record.frames, generated=self.generated.copy())

    def _frames(self, latent: int) -> slice:
        return slice(int(self._layout.first_frame[latent]), int(self._layout.last_frame[latent]) + 1)

    def _generate(self, index: int) -> Tensor:
        """Euler steps from pure noise; the noise depends on (seed, frame) alone. [1, C, Y, X]."""
        node = self.graph.nodes[index]
        generator = torch_generator(self.seed, "rollout", node.frame)
        x = torch.randn(self._latents[:, :1].shape, generator=generator).to(self._device)
        levels = torch.linspace(1.0, 0.0, self.steps + 1).tolist()
        for level, next_level in pairwise(levels):
            level_BF = torch.full((1, 1), level, device=self._device)
            prediction = self._call(index, x, level, write=False)
            clean = predicted_clean(prediction, x, level_BF, self.trained.config.flow.prediction)
            x = euler_step(x, clean, level, next_level)
        return x[:, 0]

    def _write(self, index: int) -> None:
        """Remember a node: history at its noise level, generated frames clean."""
        node = self.graph.nodes[index]
        level = 0.0 if node.role is Role.TARGET else node.noise_level
        latents = self._latents[:, node.frame : node.frame + 1]
        if level > 0.0:
            noise = torch.randn(latents.shape, generator=torch_generator(self.seed, "memory", node.frame))
            latents = (1.0 - level) * latents + level * noise.to(self._device)
        self._call(index, latents, level, write=True)

    def _call(self, index: int, latents_BFCYX: Tensor, level: float, *, write: bool) -> Tensor:
        node = self.graph.nodes[index]
        prediction: Tensor = self.trained.model(
            latents_BFCYX,
            times_BF=torch.tensor([[node.time]], dtype=torch.float64, device=self._device),
            noise_BF=torch.tensor([[level]], device=self._device),
            cameras_BFc=torch.from_numpy(node.camera)[None, None].to(self._device),
            text_BSD=self._text,
            cache=self.cache,
            write_ids=[index] if write else None,
            write_anchors=[node.role in PROTECTED],
        )
        return prediction


def rollout_graph(
    record: ClipRecord,
    trained: TrainedModel,
    *,
    free: bool = False,
    drop_hidden: bool = False,
    context: int | None = None,
) -> FrameGraph:
    """What is given and what is generated.

    Given are the frames up to the last hidden one: those show nothing of the state. free: the hidden frames are
    generated as well. drop_hidden: they are absent, a gap in time. context: instead, the first `context` frames are
    given and all others generated (for clips without a return).
    """
    if free and drop_hidden:
        raise ValueError("rollout: hidden frames are either generated (free) or absent (drop_hidden), not both")
    if context is None and not record.hidden.any():
        raise ValueError(f"clip {record.clip_id}: nothing is hidden in it; say how many frames are given (context)")
    hidden_at = np.flatnonzero(record.hidden)
    first = context if context is not None else int(hidden_at[0] if free else hidden_at[-1] + 1)
    layout = trained.codec.layout(frame_segments(record.hidden, record.dropped))
    if ((layout.first_frame < first) & (layout.last_frame >= first)).any():
        raise ValueError(f"context: frame {first} is inside a latent; give 1 + 4k frames of a segment")
    graph = history_graph(record, layout, record.hidden, record.dropped)
    changes = {i: {"role": Role.TARGET} for i, n in enumerate(graph.nodes) if layout.first_frame[n.frame] >= first}
    if drop_hidden:
        changes |= {i: {"role": Role.DROPPED} for i in graph.with_role(Role.DEGRADED)}
    return graph.map_nodes(changes)


def rollout(
    trained: TrainedModel,
    clip: Clip | ClipRecord,
    *,
    steps: int = 8,
    seed: int = 0,
    free: bool = False,
    drop_hidden: bool = False,
    context: int | None = None,
    num_frames: int | None = None,
    capacity: int | None = None,
) -> Rollout:
    """Continue a clip after its interruption. `num_frames`: stop after so many generated frames."""
    record = clip if isinstance(clip, ClipRecord) else read_clip(clip, trained.config.data.frame_stride)
    graph = rollout_graph(record, trained, free=free, drop_hidden=drop_hidden, context=context)
    session = RolloutSession(trained, record, graph, steps=steps, seed=seed, capacity=capacity)
    session.advance(num_frames)
    return session.result()
