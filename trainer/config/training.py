"""The loss, the optimiser and the run."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Literal

from trainer.config.curriculum import CurriculumConfig
from trainer.config.data import DataConfig, MixtureConfig
from trainer.config.latents import CodecConfig, LoaderConfig, StoreConfig, TextConfig
from trainer.config.limits import at_least, between
from trainer.config.model import ModelConfig

Prediction = Literal["x", "v"]


@dataclass(frozen=True, kw_only=True)
class FlowConfig:
    """Flow matching. High levels dominate, since at low ones the noisy frame itself shows the state."""

    prediction: Prediction = "x"
    high_share: float = between(0.0, 1.0, 0.6)  # of targets with t in [high_from, 1]; the others uniform in [0, 1]
    high_from: float = between(0.0, 1.0, 0.9)
    return_weight: float = at_least(0.0, 2.0)  # of targets after the return
    region_weight: float = at_least(0.0, 4.0)  # of latent cells in which the target's carriers are seen


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """AdamW."""

    lr: float = at_least(0.0, 6e-4)
    weight_decay: float = at_least(0.0, 0.01)
    beta2: float = between(0.0, 1.0, 0.99)
    warmup_steps: int = at_least(0, 50)
    decay_steps: int = at_least(0, 300)  # linear decay over the last steps
    grad_clip: float = at_least(0.0, 1.0)  # greatest norm of all gradients together, larger are scaled; 0: no limit
    ema_decay: float = between(0.0, 1.0, 0.995)


@dataclass(frozen=True, kw_only=True)
class LoggingConfig:
    """Beside metrics.jsonl, which is always written."""

    tensorboard: bool = True
    wandb: bool = False  # needs the package
    wandb_project: str = "remind"
    grid_clips: int = at_least(0, 4)  # held-out clips continued through the cache at each evaluation; 0: none
    grid_steps: int = at_least(1, 4)  # Euler steps of each of their frames


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    recipe: str
    seed: int = at_least(0, 0)
    steps: int = at_least(1, 1500)
    batch_size: int = at_least(1, 8)  # examples of one optimiser step, over all devices
    log_every: int = at_least(1, 10)
    eval_every: int = at_least(1, 100)
    checkpoint_every: int = at_least(1, 200)
    keep_checkpoints: int = at_least(1, 2)
    precision: Literal["fp32", "bf16"] = "fp32"  # of the computation; weights and their average are always fp32
    accumulation: int = at_least(1, 1)  # micro-batches of one step on each device, one after the other
    sharding: Literal["none", "fsdp"] = "none"  # of weights, gradients and moments over several devices
    compile: bool = False  # the blocks, with torch.compile
    model: ModelConfig = field(default_factory=ModelConfig)
    codec: CodecConfig = field(default_factory=CodecConfig)
    text: TextConfig = field(default_factory=TextConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    data: DataConfig = field(default_factory=DataConfig)
    mixture: MixtureConfig = field(default_factory=MixtureConfig)
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    flow: FlowConfig = field(default_factory=FlowConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)
    loader: LoaderConfig = field(default_factory=LoaderConfig)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2)
