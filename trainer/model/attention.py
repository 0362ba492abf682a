"""Attention processors that turn WanTransformer3DModel frame-causal, without a fork.

Frames are folded into the batch between the attentions, so that a block's modulation is per frame for free; the
self-attention unfolds them. Shapes: B batch, F frames, N tokens per frame, L = F N, K cached frames, H heads,
E head dim, D = H E.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from trainer.model.diagnostics import AttentionRecorder
from trainer.model.kernels import Kernel
from trainer.model.projective import CameraProjection, Projective, RelativeAttention
from trainer.model.rope import CameraPhase, Rotation, rotate


class CachedKeys(Protocol):
    """The part of a KV cache that attention reads."""

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        """Raw keys (before RoPE) and values of the cached frames, each [B, K N, H, E]."""
        ...


@dataclass(kw_only=True)
class FrameContext:
    """What one forward pass tells its attentions; travels in the place of Wan's `rotary_emb`.

    Keys are the cached frames followed by the frames of this call.
    """

    num_frames: int
    query: FramePlaces
    key: FramePlaces
    attend: Kernel  # the attention kernel under this call's mask
    mask: Tensor | None  # [B, F, K + F] bool, True where the query frame may look; None: everywhere
    recorder: AttentionRecorder | None
    cache: CachedKeys | None
    fresh: dict[int, tuple[Tensor, Tensor]] | None  # per layer: this call's raw k and v, for a cache write


@dataclass(kw_only=True)
class FramePlaces:
    """Where and when frames are, [B, F, ...] for queries and [B, K + F, ...] for keys."""

    rotation: Rotation  # [B, F, N, P]
    half_rotation: Rotation | None  # [B, F, N, P / 2] in mode `prope`
    cameras: Tensor  # [B, F, 14]
    projective: Projective | None  # in modes `full` and `prope`


class FrameSelfAttention:
    """attn1: keys and values are kept raw; what depends on their frame's time and camera is applied on every read.

    So a cached key can be moved in time for free. The layer's camera modules belong to RememberingWan; they are held
    here too, not looked up by number, so that torch.compile makes one graph for all layers.
    """

    def __init__(
        self,
        layer: int,
        *,
        phase: CameraPhase | None,
        projection: CameraProjection | None,
        relative: RelativeAttention | None,
    ) -> None:
        self.layer, self.phase, self.projection, self.relative = layer, phase, projection, relative

    def __call__(self, attn: Any, hidden_states: Tensor, _encoder: Any, _mask: Any, rotary_emb: FrameContext) -> Tensor:
        """hidden_states: [B F, N, D] -> the same shape."""
        context = rotary_emb
        hidden_BLD = hidden_states.unflatten(0, (-1, context.num_frames)).flatten(1, 2)
        query = attn.norm_q(attn.to_q(hidden_BLD)).unflatten(2, (attn.heads, -1))
        key = attn.norm_k(attn.to_k(hidden_BLD)).unflatten(2, (attn.heads, -1))
        value = attn.to_v(hidden_BLD).unflatten(2, (attn.heads, -1))
        if context.fresh is not None:
            context.fresh[self.layer] = (key, value)
        if context.cache is not None:
            cached_key, cached_value = context.cache.read(self.layer)
            key, value = torch.cat([cached_key, key], dim=1), torch.cat([cached_value, value], dim=1)
        out_BLHE = self._own(context, query, key, value)
        out_BLD = attn.to_out[1](attn.to_out[0](out_BLHE.flatten(2, 3)))
        if self.relative is not None:
            out_BLD = out_BLD + _second(context, self.relative, query, key, value)
        return out_BLD.unflatten(1, (context.num_frames, -1)).flatten(0, 1)

    def _own(self, context: FrameContext, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """The layer's own attention with PM-RoPE, [B, L, H, E]."""
        query_rotation, key_rotation = context.query.rotation, context.key.rotation
        if self.phase is not None:
            query_rotation = query_rotation.plus(self.phase(context.query.cameras))
            key_rotation = key_rotation.plus(self.phase(context.key.cameras))
        query, key = rotate(query, query_rotation), rotate(key, key_rotation)
        if context.recorder is not None:
            context.recorder.record(self.layer, query, key, context.mask, context.num_frames)
        if self.projection is None:
            return context.attend(query, key, value)
        assert context.query.projective is not None and context.key.projective is not None
        out_BLHE = context.attend(query, key, self.projection.values(value, context.key.projective))
        return self.projection.outputs(out_BLHE, context.query.projective)


def _second(context: FrameContext, relative: RelativeAttention, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The second attention of mode `prope`, [B, L, D]."""
    queries, keys = context.query, context.key
    assert queries.projective is not None and queries.half_rotation is not None
    assert keys.projective is not None and keys.half_rotation is not None
    out_BLHE = context.attend(
        relative.query(query, queries.projective, queries.half_rotation),
        relative.key(key, keys.projective, keys.half_rotation),
        relative.key(value, keys.projective, keys.half_rotation),
    )
    return relative.output(out_BLHE, queries.projective, queries.half_rotation)


class UnfoldedCrossAttention:
    """attn2: the stock processor on unfolded frames, so the keys of a clip's prompt are computed once.

    With a prompt for each F / P frames they are computed once for each prompt.
    """

    def __init__(self, stock: Any) -> None:
        self.stock = stock

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, _mask: Any, _rotary: Any
    ) -> Tensor:
        """hidden_states: [B F, N, D]; encoder_hidden_states: text [B, S, D], or [B P, S, D]."""
        num_tokens = hidden_states.shape[1]
        hidden_BLD = hidden_states.reshape(encoder_hidden_states.shape[0], -1, hidden_states.shape[2])
        out_BLD = self.stock(attn, hidden_BLD, encoder_hidden_states)
        return out_BLD.reshape(-1, num_tokens, out_BLD.shape[2])
