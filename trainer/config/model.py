"""The transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainer.config.limits import at_least

Mode = Literal["none", "phase"]


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A Wan transformer from scratch. Channels follow from the codec."""

    mode: Mode = "phase"
    dim: int = at_least(2, 192)
    num_heads: int = at_least(1, 4)
    num_layers: int = at_least(1, 6)
    ffn_dim: int = at_least(1, 768)
    freq_dim: int = at_least(2, 256)
    gradient_checkpointing: bool = False

    def problems(self) -> list[str]:
        head_dim, rest = divmod(self.dim, self.num_heads)
        if rest or head_dim % 2:
            return [f"dim: {self.dim} must be an even multiple of num_heads {self.num_heads}"]
        return []
