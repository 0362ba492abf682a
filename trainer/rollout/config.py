"""How frames are generated: sampler, guidance, memory. A setting of the one who asks, not of the training run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from trainer.model.retention import CacheConfig


@dataclass(frozen=True, kw_only=True)
class RolloutConfig:
    """
    steps            Euler steps for each frame
    shift            of the flow times towards the noise, as Wan has it (see `sampler.flow_levels`); 1: evenly spaced
    guidance_scale   classifier-free guidance (arXiv 2207.12598); 1: none, and no second pass
    negative_prompt  what guidance leads away from; empty: the empty text
    seed             of the noise, which depends on (seed, frame) alone
    """

    steps: int = 8
    shift: float = 1.0
    guidance_scale: float = 1.0
    negative_prompt: str = ""
    seed: int = 0
    cache: CacheConfig = field(default_factory=CacheConfig)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"rollout.steps: {self.steps} must be at least 1")
        if not (math.isfinite(self.shift) and self.shift > 0):
            raise ValueError(
                f"rollout.shift: {self.shift} must be positive; 1 spaces the steps evenly, Wan uses 3 to 8"
            )
        if not (math.isfinite(self.guidance_scale) and self.guidance_scale >= 0):
            raise ValueError(f"rollout.guidance_scale: {self.guidance_scale} must be at least 0; 1 is no guidance")
        if self.negative_prompt and not self.is_guided:
            raise ValueError("rollout.negative_prompt: without guidance nothing reads it; set a guidance_scale above 1")

    @property
    def is_guided(self) -> bool:
        return self.guidance_scale != 1.0

    def text(self) -> str:
        """For people: the steps, and all that is not as by default; the seed apart."""
        words = [f"{self.steps} steps a frame"]
        for group, usual in ((self, RolloutConfig()), (self.cache, CacheConfig())):
            for name, value in vars(group).items():
                if name not in ("steps", "seed", "cache") and value != getattr(usual, name):
                    words.append(f"{name.replace('_', ' ')} {value}")
        return ", ".join(words)
