"""Random generators, each derived from (seed, stable name) by a stable digest: no other randomness here."""

from __future__ import annotations

import hashlib

import numpy as np


def derived_seed(seed: int, *names: str | int) -> int:
    """A 64-bit seed that depends on `seed` and the names only: never on order of use, process or platform."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """The generator of one named decision, e.g. `generator(7, "plan", 3, "camera")`."""
    return np.random.Generator(np.random.PCG64(derived_seed(seed, *names)))
