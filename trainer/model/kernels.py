"""Attention under a mask of frames, by one of two kernels.

sdpa  scaled_dot_product_attention with the mask spelled out per token: the reference, on any device. The mask takes
      B (F N) (K N) bytes: a gigabyte at 21 frames of 1560 tokens.
flex  flex_attention with a BlockMask made from the frames' mask alone: CUDA only, since it has no backward on a CPU.
Shapes: B batch, F query frames, K key frames, N tokens per frame, H heads, E head dim.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from trainer.model.options import AttentionBackend

Kernel = Callable[[Tensor, Tensor, Tensor], Tensor]  # q [B, F N, H, E], k and v [B, K N, H, E] -> [B, F N, H, E]
BLOCK = 128  # tokens of a side of flex_attention's blocks


def attention_kernel(
    backend: AttentionBackend, mask_BFK: Tensor | None, num_tokens: int, device: torch.device
) -> Kernel:
    """The kernel under one mask. None, full attention, is plain SDPA in both: there is nothing to mask.

    ValueError: flex on a device that is not CUDA.
    """
    if backend == "flex" and device.type != "cuda":
        raise ValueError(f"model.attention: flex has no backward on a {device.type} device; use sdpa, or a CUDA device")
    if mask_BFK is None:
        return lambda query, key, value: _sdpa(query, key, value, None)
    if backend == "flex":
        block_mask = frame_block_mask(mask_BFK, num_tokens)
        return lambda query, key, value: _flex(query, key, value, block_mask)
    mask = per_token(mask_BFK, num_tokens)
    return lambda query, key, value: _sdpa(query, key, value, mask)


def per_token(mask_BFK: Tensor, num_tokens: int) -> Tensor:
    """[B, F, K] to [B, 1, F N, K N]."""
    return mask_BFK.repeat_interleave(num_tokens, dim=1).repeat_interleave(num_tokens, dim=2).unsqueeze(1)


def frame_block_mask(mask_BFK: Tensor, num_tokens: int) -> BlockMask:
    """The BlockMask of a mask of frames; nothing of the size of tokens x tokens is ever built."""
    num_queries, num_keys = mask_BFK.shape[1:]
    ranges = [_frame_ranges(frames, num_tokens, mask_BFK.device) for frames in (num_queries, num_keys)]
    seen, area = (_counts(mask, *ranges) for mask in (mask_BFK, torch.ones_like(mask_BFK)))
    whole = torch.ones_like(seen, dtype=torch.bool)  # a block that overhangs the end is never full
    whole[:, num_queries * num_tokens // BLOCK :] = False
    whole[:, :, num_keys * num_tokens // BLOCK :] = False
    full = (seen == area) & whole
    partial = (seen > 0) & ~full

    def visible(b: Tensor, _h: Tensor, q: Tensor, k: Tensor) -> Tensor:
        return mask_BFK[b, q // num_tokens, k // num_tokens]

    return BlockMask.from_kv_blocks(
        *_ordered(partial),
        *_ordered(full),
        BLOCK_SIZE=BLOCK,
        mask_mod=visible,
        seq_lengths=(num_queries * num_tokens, num_keys * num_tokens),
    )


def _frame_ranges(num_frames: int, num_tokens: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Of each block, the first frame that it touches and the one after the last."""
    starts = torch.arange(0, num_frames * num_tokens, BLOCK, device=device)
    stops = (starts + BLOCK).clamp(max=num_frames * num_tokens)
    return starts // num_tokens, (stops - 1) // num_tokens + 1


def _counts(mask_BFK: Tensor, queries: tuple[Tensor, Tensor], keys: tuple[Tensor, Tensor]) -> Tensor:
    """How many (query frame, key frame) pairs of each pair of blocks are True, by a summed-area table."""
    table = functional.pad(mask_BFK.long().cumsum(1).cumsum(2), (1, 0, 1, 0))
    corners = [[table[:, q][:, :, k] for k in keys] for q in queries]
    return corners[1][1] - corners[0][1] - corners[1][0] + corners[0][0]


def _ordered(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """[B, Q, K] bool to what from_kv_blocks takes: how many in each row, and their columns first; with H = 1."""
    columns = blocks.int().argsort(dim=-1, descending=True, stable=True)
    return blocks.sum(-1, dtype=torch.int32).unsqueeze(1), columns.int().unsqueeze(1)


def _sdpa(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    out_BHLE = functional.scaled_dot_product_attention(
        query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=mask
    )
    return out_BHLE.transpose(1, 2).type_as(query)


def _flex(query: Tensor, key: Tensor, value: Tensor, block_mask: BlockMask) -> Tensor:
    out_BHLE = _compiled_flex()(
        query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), block_mask=block_mask
    )
    return out_BHLE.transpose(1, 2).type_as(query)


@cache
def _compiled_flex() -> Any:
    """flex_attention is only fast, and only blockwise, when compiled."""
    return torch.compile(flex_attention)
