"""Generating latent by latent through the KV cache.

Shapes: F frames of a clip, F' latents, H W pixels, C Y X latent, c = 14 camera numbers; B = 1, or 2 under guidance:
row 0 is told the prompt and row 1 the negative prompt, each with a memory of its own (rows of one cache never meet).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from trainer.checkpoint import TrainedModel
from trainer.data.batches import as_video
from trainer.data.clips import ClipRecord
from trainer.flow import predicted_clean
from trainer.graph.nodes import PROTECTED, FrameGraph, Role
from trainer.latents.layout import LatentLayout
from trainer.model.cache import KVCache
from trainer.rollout.attention import AttentionWatch
from trainer.rollout.config import RolloutConfig
from trainer.rollout.plan import PromptSchedule, rollout_layout
from trainer.rollout.sampler import euler_sample, flow_levels
from trainer.seeding import torch_generator
from trainer.training.learner import computation


@dataclass(frozen=True, kw_only=True, eq=False)
class Rollout:
    """A clip as the model continues it; what was given is the clip's own, what is neither given nor made is black."""

    rgb: np.ndarray  # [F, H, W, 3] uint8
    frames: np.ndarray  # [F] indices into the clip
    generated: np.ndarray  # [F] bool


class RolloutSession:
    """A rollout in progress: `advance` generates the next latents; how they are chunked changes nothing.

    prompts: (start_frame, prompt) in rising order, frames counted as the record counts them; before the first, and
    without any, the clip's own prompt holds. A latent is told what holds at its first frame.
    """

    def __init__(
        self,
        trained: TrainedModel,
        record: ClipRecord,
        graph: FrameGraph,
        config: RolloutConfig | None = None,
        *,
        prompts: Sequence[tuple[int, str]] = (),
    ) -> None:
        self.trained, self.record, self.graph = trained, record, graph
        self.config = config or RolloutConfig()
        self.cache = KVCache(self.config.cache)
        self.layout = rollout_layout(record, trained)
        self.generated = np.zeros(record.num_frames, dtype=bool)
        self._device = next(trained.model.parameters()).device
        self._prompts = PromptSchedule(record.prompt, prompts, record.num_frames)
        self._texts: dict[str, Tensor] = {}
        self._first_latent = min((graph.nodes[i].frame for i in graph.with_role(Role.TARGET)), default=None)
        self._latents = self._encode_given()  # [1, F', C, Y, X]; generated ones are still zero
        self._rgb = record.rgb.copy()
        if self._first_latent is not None:
            self._rgb[self.layout.first_frame[self._first_latent] :] = 0
        self._decoder, self._decoded = trained.codec.decoder(), 0  # latents before this one have been decoded
        self._pending = list(graph.cache_schedule(self.config.cache))
        if not all(planned.write for planned in self._pending):
            raise ValueError("rollout: the graph has frames as history and as target, for training; see rollout_graph")
        self._watch: AttentionWatch | None = None

    def watch_attention(self, *, local: int = 4) -> AttentionWatch:
        """From now on, note where generated frames look; ask the watch for `shares`."""
        self._watch = AttentionWatch(self.graph, self.layout, local=local)
        return self._watch

    @property
    def target_frames(self) -> np.ndarray:
        """Frames to be generated, in order."""
        latents = sorted(self.graph.nodes[i].frame for i in self.graph.with_role(Role.TARGET))
        return self.layout.frames()[np.isin(_latent_of_frames(self.layout), latents)]

    @torch.no_grad()
    def advance(self, num_latents: int | None = None) -> int:
        """Write history and generate the next `num_latents` (None: all, 0: history alone); returns how many were.

        Chunks are not broken, so it may be more.
        """
        made = 0
        while self._pending:
            planned = self._pending[0]
            if planned.generate and num_latents is not None and made >= num_latents:
                break
            del self._pending[0]
            if planned.generate:
                latents = [self.graph.nodes[i].frame for i in planned.generate]
                self._latents[:, latents] = self._generate(planned.generate)
                for latent in latents:
                    self._show(latent)
                made += len(latents)
            self._write(planned.node)
        return made

    @torch.no_grad()
    def replace(self, frame: int, rgb: np.ndarray) -> None:
        """Remember another picture [H, W, 3] uint8 in the place of a cached frame: a better one, or a clean one.

        Later frames that have read the old one keep what they read.
        """
        latent = self.layout.of_frame(frame)
        if self.layout.first_frame[latent] != self.layout.last_frame[latent]:
            raise ValueError(f"rollout.replace: the latent of frame {frame} stands for several frames; give one alone")
        index = next((i for i in self.cache.node_ids if self.graph.nodes[i].frame == latent), None)
        if index is None:
            raise ValueError(f"rollout.replace: frame {frame} is not in the cache; it is still to come or forgotten")
        self._latents[:, latent] = self.trained.codec.encode(as_video(rgb[None]), [(0, 1)]).to(self._device)
        self._write(index)

    def result(self) -> Rollout:
        """What is there now; frames still to come are black."""
        return Rollout(rgb=self._rgb.copy(), frames=self.record.frames, generated=self.generated.copy())

    def _encode_given(self) -> Tensor:
        """Latents before the first target, each piece of the layout by itself; zeros after them."""
        count = self.layout.num_latents if self._first_latent is None else self._first_latent
        edges = [*np.flatnonzero(self.layout.starts[:count]), count]
        pieces = [(int(self.layout.first_frame[a]), int(self.layout.last_frame[b - 1]) + 1) for a, b in pairwise(edges)]
        given = self.trained.codec.encode(as_video(self.record.rgb[: pieces[-1][1]]), pieces).to(self._device)
        return torch.cat([given, given.new_zeros(self.layout.num_latents - count, *given.shape[1:])])[None]

    def _show(self, latent: int) -> None:
        """Decode up to a latent that was generated, from where its piece begins, and keep its frames."""
        piece = int(np.flatnonzero(self.layout.starts[: latent + 1])[-1])
        part = slice(max(self._decoded, piece), latent + 1)
        video = self._decoder.push(self._latents[0, part], self.layout.starts[part]).clamp(-1.0, 1.0)
        self._decoded = latent + 1
        frames = np.arange(self.layout.first_frame[latent], self.layout.last_frame[latent] + 1)
        pictures = ((video[-len(frames) :].permute(0, 2, 3, 1) + 1.0) * 127.5).round().to(torch.uint8)
        self._rgb[frames] = pictures.cpu().numpy()
        self.generated[frames] = True

    def _generate(self, chunk: tuple[int, ...]) -> Tensor:
        """The targets of a chunk, each from noise that depends on (seed, latent) alone. [1, F', C, Y, X]."""
        shape = self._latents[:, 0].shape
        generators = [torch_generator(self.config.seed, "rollout", self.graph.nodes[i].frame) for i in chunk]
        noise = torch.stack([torch.randn(shape, generator=generator) for generator in generators], dim=1)
        levels = flow_levels(self.config.steps, self.config.shift)
        return euler_sample(partial(self._denoise, chunk), noise.to(self._device), levels)

    def _denoise(self, chunk: tuple[int, ...], x_BFCYX: Tensor, level: float) -> Tensor:
        """The clean latents that the model sees in x, guided."""
        prediction = self._call(chunk, x_BFCYX, level, write=False)
        if self._watch is not None:
            self._watch.add(chunk, self.cache.node_ids)
        if self.config.is_guided:
            told, untold = prediction.chunk(2)
            prediction = untold + self.config.guidance_scale * (told - untold)
        level_BF = torch.full((1, len(chunk)), level, device=self._device)
        return predicted_clean(prediction, x_BFCYX, level_BF, self.trained.config.flow.prediction)

    def _write(self, index: int) -> None:
        """Remember a node: history at its noise level, generated frames clean."""
        node = self.graph.nodes[index]
        level = 0.0 if node.role is Role.TARGET else node.noise_level
        latents = self._latents[:, node.frame : node.frame + 1]
        if level > 0.0:
            noise = torch.randn(latents.shape, generator=torch_generator(self.config.seed, "memory", node.frame))
            latents = (1.0 - level) * latents + level * noise.to(self._device)
        self._call((index,), latents, level, write=True)

    def _call(self, chunk: tuple[int, ...], latents_1FCYX: Tensor, level: float, *, write: bool) -> Tensor:
        """The model on nodes that see each other; every row of the batch gets the same latents. [B, F', C, Y, X]."""
        nodes = [self.graph.nodes[index] for index in chunk]
        prompts = [self._prompts.at(int(self.layout.first_frame[node.frame])) for node in nodes]
        texts = torch.stack([self._text(prompt) for prompt in prompts], dim=1)
        batch = texts.shape[0]
        cameras_FC = torch.from_numpy(np.stack([node.camera for node in nodes])).to(self._device)
        times = torch.tensor([node.time for node in nodes], dtype=torch.float64, device=self._device)
        with computation(self.trained.config.precision, self._device):
            prediction: Tensor = self.trained.model(
                latents_1FCYX.expand(batch, -1, -1, -1, -1),
                times_BF=times.expand(batch, -1),
                noise_BF=torch.full((batch, len(nodes)), level, device=self._device),
                cameras_BFc=cameras_FC.expand(batch, -1, -1),
                text_BSD=texts[:, 0] if len(set(prompts)) == 1 else texts,
                cache=self.cache,
                write_ids=list(chunk) if write else None,
                write_anchors=[node.role in PROTECTED for node in nodes],
                recorder=None if write or self._watch is None else self._watch.recorder,
            )
        return prediction.float()

    def _text(self, prompt: str) -> Tensor:
        """[B, S, D]: the prompt, and the negative one under guidance."""
        if prompt not in self._texts:
            prompts = [prompt, self.config.negative_prompt] if self.config.is_guided else [prompt]
            self._texts[prompt] = self.trained.text.encode(prompts).to(self._device)
        return self._texts[prompt]


def _latent_of_frames(layout: LatentLayout) -> np.ndarray:
    """For each of `layout.frames()` its latent."""
    return np.repeat(np.arange(layout.num_latents), layout.last_frame - layout.first_frame + 1)
