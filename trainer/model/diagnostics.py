"""Where attention looks: the mass of each query frame over key frames.

Shapes: B batch, F query frames, K key frames (cached ones first), N tokens per frame, H heads, E head dim.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.model.kernels import per_token


class AttentionRecorder:
    """Pass one to RememberingWan.forward; it keeps what the last call saw, per layer.

    mass[layer]: [B, F, K] float32, averaged over heads and query tokens and summed over key tokens: rows sum to 1. It
    is the layer's own attention (in mode `prope` not the second one), by an explicit softmax that costs one more pass
    over the scores, one query frame at a time; without a recorder it costs nothing.
    """

    def __init__(self) -> None:
        self.mass: dict[int, Tensor] = {}

    @torch.no_grad()
    def record(self, layer: int, query: Tensor, key: Tensor, mask_BFK: Tensor | None, num_frames: int) -> None:
        """query: [B, F N, H, E], key: [B, K N, H, E], both rotated; mask_BFK None: full attention."""
        num_tokens = query.shape[1] // num_frames
        rows = []
        with torch.autocast(query.device.type, enabled=False):
            key_BHEL = key.float().permute(0, 2, 3, 1)
            for frame, query_BNHE in enumerate(query.float().split(num_tokens, dim=1)):
                scores_BHNL = query_BNHE.transpose(1, 2) @ key_BHEL / query.shape[-1] ** 0.5
                if mask_BFK is not None:
                    scores_BHNL = scores_BHNL.masked_fill(
                        ~per_token(mask_BFK[:, frame : frame + 1], num_tokens), float("-inf")
                    )
                mass_BL = scores_BHNL.softmax(-1).mean((1, 2))
                rows.append(mass_BL.unflatten(1, (-1, num_tokens)).sum(2))
        self.mass[layer] = torch.stack(rows, dim=1)
