"""Prompts to tokens: what every encoder offers, and one without weights, for tiny runs. B prompts, S tokens, D."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

BYTES_PER_TOKEN = 8
NUM_TOKENS = 24
TEXT_DIM = 8 * BYTES_PER_TOKEN + 16


def encode_prompts(prompts: Sequence[str]) -> Tensor:
    """[B, S=24, 80] float32: per token the bits of 8 UTF-8 bytes as +-1, 0 past the end, and a sinusoidal place.

    A prompt is cut after 192 bytes. Deterministic, the same everywhere.
    """
    length = BYTES_PER_TOKEN * NUM_TOKENS
    bits_BL8 = np.zeros((len(prompts), length, 8), dtype=np.float32)
    for row, prompt in enumerate(prompts):
        encoded = np.frombuffer(prompt.encode("utf-8")[:length], dtype=np.uint8)
        bits_BL8[row, : len(encoded)] = np.unpackbits(encoded[:, None], axis=1) * 2.0 - 1.0
    angle = np.arange(NUM_TOKENS)[:, None] / 4.0 ** np.arange(8)
    place = np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)
    tokens = bits_BL8.reshape(len(prompts), NUM_TOKENS, -1)
    return torch.from_numpy(np.concatenate([tokens, np.broadcast_to(place, (len(prompts), *place.shape))], axis=2))


class TextEncoder(Protocol):
    """Embeds prompts, the same prompt always the same."""

    dim: int  # numbers D of an embedded token
    digest: str  # a name that no other encoder has, whatever its weights

    def prepare(self, prompts: Sequence[str]) -> None:
        """Do ahead, once, what `encode` of these prompts needs weights for."""
        ...

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """[B, S, D] float32 on the CPU."""
        ...


class ByteEncoder:
    """See `encode_prompts`."""

    dim = TEXT_DIM
    digest = "bytes"

    def prepare(self, prompts: Sequence[str]) -> None:
        """Nothing to do."""

    def encode(self, prompts: Sequence[str]) -> Tensor:
        return encode_prompts(prompts)


BYTES = ByteEncoder()
