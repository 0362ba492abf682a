"""The transformer."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.config.limits import at_least
from trainer.model.options import AttentionBackend, CameraMode


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A Wan transformer. Channels follow from the codec, the width of the text from its encoder.

    pretrained: a hub id, or a folder in the layout of diffusers' pipelines; its shape must be the one below
    (trainer.model.shapes.model_fields). Empty: random weights.
    init_from: the folder of a run whose averaged weights are the first ones. Read at the start alone: a run goes on,
    and is used, without it.
    """

    mode: CameraMode = "phase"
    pretrained: str = ""
    init_from: str = ""
    patch: int = at_least(1, 1)  # latent pixels per token and side
    dim: int = at_least(2, 192)
    num_heads: int = at_least(1, 4)
    num_layers: int = at_least(1, 6)
    ffn_dim: int = at_least(1, 768)
    freq_dim: int = at_least(2, 256)
    attention: AttentionBackend = "sdpa"  # flex needs a CUDA device
    gradient_checkpointing: bool = False
    lora_rank: int = at_least(0, 0)  # 0: no LoRA, everything trains; else only it and the camera modules do
    lora_alpha: int = at_least(1, 16)  # the update is scaled by alpha / rank
    lora_targets: tuple[str, ...] = ("to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2")  # names' ends

    def problems(self) -> list[str]:
        head_dim, rest = divmod(self.dim, self.num_heads)
        if rest or head_dim % 2:
            return [f"dim: {self.dim} must be an even multiple of num_heads {self.num_heads}"]
        vectors = {"full": 4, "prope": 8}.get(self.mode, 1)
        if head_dim % vectors:
            return [
                f"mode: {self.mode} needs a head dim that {vectors} divides, not {head_dim}; change dim or num_heads"
            ]
        return self._init_problems() + self._lora_problems()

    def _init_problems(self) -> list[str]:
        if self.init_from and self.pretrained:
            return ["init_from: pretrained names other first weights; leave one of the two out"]
        if self.init_from and self.lora_rank:
            return ["init_from: a LoRA lies over weights of `pretrained` alone; set lora_rank to 0"]
        return []

    def _lora_problems(self) -> list[str]:
        fields = type(self).__dataclass_fields__
        if self.lora_rank:
            return [] if self.lora_targets else ["lora_targets: is empty; name layers, or set lora_rank to 0"]
        return [
            f"{name}: {getattr(self, name)} does nothing without a LoRA; set lora_rank"
            for name in ("lora_alpha", "lora_targets")
            if getattr(self, name) != fields[name].default
        ]
