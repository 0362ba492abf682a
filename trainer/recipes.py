"""Training recipes: functions that return a full configuration."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from trainer.config import CodecConfig, DataConfig, ModelConfig, OptimConfig, TrainConfig


def tiny() -> TrainConfig:
    """Plumbing for the demo: 64 px, 16 tokens a frame, about two CPU minutes. Not expected to remember."""
    return TrainConfig(
        recipe="tiny",
        steps=500,
        batch_size=4,
        eval_every=100,
        checkpoint_every=100,
        model=ModelConfig(dim=128, num_heads=4, num_layers=4, ffn_dim=512),
        codec=CodecConfig(patch=16),
        data=DataConfig(frame_stride=3),
        optim=OptimConfig(warmup_steps=50, decay_steps=150),
    )


def learn() -> TrainConfig:
    """Learns a hidden state on two CPU cores: clips of 32 px at 4 fps, every second frame, 16 tokens a frame."""
    return TrainConfig(
        recipe="learn",
        steps=1600,
        model=ModelConfig(dim=160, num_heads=5, num_layers=5, ffn_dim=640),
        codec=CodecConfig(patch=8),
        data=DataConfig(
            frame_stride=2,
            hidden_min_s=1.0,
            hidden_max_s=2.75,
            ramp_max_s=0.3,
            min_seen_s=1.0,
            mirror_share=0.5,
            gain_sigma=0.12,
        ),
        optim=OptimConfig(lr=1e-3, warmup_steps=100, decay_steps=400),
    )


RECIPES: Mapping[str, Callable[[], TrainConfig]] = MappingProxyType({"tiny": tiny, "learn": learn})


def recipe(name: str) -> TrainConfig:
    """The recipe of that name; ValueError with a suggestion when there is none."""
    if name not in RECIPES:
        close = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(RECIPES)}"
        raise ValueError(f"recipe: {name!r} is unknown, {hint}")
    return RECIPES[name]()
