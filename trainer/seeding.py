"""Random generators derived from a seed and stable names, so that a step needs no stored generator state."""

from __future__ import annotations

import hashlib

import numpy as np
import torch


def derive_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed from a stable digest (never `hash()`, which differs between processes)."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def numpy_generator(seed: int, *names: str | int) -> np.random.Generator:
    return np.random.default_rng(derive_seed(seed, *names))


def torch_generator(seed: int, *names: str | int) -> torch.Generator:
    """On the CPU, so that every device draws the same noise."""
    return torch.Generator().manual_seed(derive_seed(seed, *names))
