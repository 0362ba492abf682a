"""Training recipes: functions that return a full configuration, and the clips that each is meant for."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from trainer.config import (
    CodecConfig,
    DataConfig,
    FlowConfig,
    LoaderConfig,
    ModelConfig,
    OptimConfig,
    TextConfig,
    TrainConfig,
    curriculum_preset,
)
from trainer.model.shapes import WAN_2_1_T2V_1_3B, WAN_2_2_TI2V_5B, model_fields


@dataclass(frozen=True, kw_only=True)
class ClipShape:
    """Clips as they lie on disk, before the trainer's frame stride."""

    num_frames: int
    height_px: int
    width_px: int


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


def small() -> TrainConfig:
    """Learns a hidden state in an hour of one CPU core: 32 px at 4 fps, every second frame, 16 tokens a frame.

    What is hidden comes back at once: at half a second a frame nothing says how far a ramp has come, and a model that
    must guess the light paints some tiles dark, which spoils a fifth of the pictures that are asked (docs/RESULTS.md).
    """
    return TrainConfig(
        recipe="small",
        steps=9000,
        eval_every=500,
        model=ModelConfig(dim=128, num_heads=4, num_layers=3, ffn_dim=512),
        codec=CodecConfig(patch=8),
        data=DataConfig(
            frame_stride=2,
            hidden_min_s=1.0,
            hidden_max_s=2.75,
            ramp_max_s=0.0,
            min_seen_s=1.0,
            num_return_targets=3,  # the first one asks for memory, the others can look at the one before
            num_other_targets=1,
            mirror_share=0.5,
            gain_sigma=0.12,
        ),
        optim=OptimConfig(lr=1.5e-3, warmup_steps=100, decay_steps=4500),
    )


def gpu_small() -> TrainConfig:
    """Learns many event types on one GPU: 64 px (or 128 px, four times the tokens), 64 tokens a frame.

    Meant for slices: `remind train gpu_small --data PACK --out RUN --minutes 9 --resume`, again and again, from a
    pack of rgb alone (`remind dataset pack DATA --outputs rgb --out PACK`).
    """
    return TrainConfig(
        recipe="gpu_small",
        steps=20000,
        batch_size=64,
        log_every=20,
        eval_every=500,
        checkpoint_every=500,
        precision="bf16",
        model=ModelConfig(dim=384, num_heads=6, num_layers=10, ffn_dim=1536),
        codec=CodecConfig(patch=8),
        data=DataConfig(
            frame_stride=2,
            interruptions={
                "lights_off": 2.0,
                "blackout": 1.0,
                "frame_drop": 1.0,
                "occluder": 1.0,
            },
            mirror_share=0.5,
            gain_sigma=0.12,
        ),
        optim=OptimConfig(lr=5e-4, warmup_steps=500, decay_steps=4000, ema_decay=0.999),
    )


def wan1_3b() -> TrainConfig:
    """Fine-tunes Wan2.1-T2V-1.3B in all its weights, 448 x 256 px, 81 frames at 16 fps: one 80 GB GPU, better eight."""
    return replace(
        _wan(WAN_2_1_T2V_1_3B),
        recipe="wan1_3b",
        steps=5000,
        optim=OptimConfig(lr=2e-5, warmup_steps=200, decay_steps=1000, ema_decay=0.999),
    )


def wan5b_lora() -> TrainConfig:
    """Fine-tunes Wan2.2-TI2V-5B through a LoRA and its camera modules, 640 x 352 px, 49 frames: one 80 GB GPU."""
    config = _wan(WAN_2_2_TI2V_5B)
    return replace(
        config,
        recipe="wan5b_lora",
        steps=3000,
        model=replace(config.model, lora_rank=32, lora_alpha=32),
        optim=OptimConfig(lr=1e-4, warmup_steps=100, decay_steps=500, ema_decay=0.99),
    )


def _wan(hub_id: str) -> TrainConfig:
    """What the recipes for published Wan models share."""
    return TrainConfig(
        recipe="",
        batch_size=8,
        accumulation=8,
        log_every=5,
        eval_every=250,
        checkpoint_every=100,
        precision="bf16",
        model=ModelConfig(mode="full", pretrained=hub_id, gradient_checkpointing=True, **model_fields(hub_id)),
        codec=CodecConfig(kind="wan_vae", pretrained=hub_id, dtype="bf16"),
        text=TextConfig(kind="umt5", pretrained=hub_id, dtype="bf16"),
        loader=LoaderConfig(num_workers=4),
        data=DataConfig(frame_stride=1, mirror_share=0.5, prompt_dropout=0.1),
        flow=FlowConfig(prediction="v"),
    )


RECIPES: Mapping[str, Callable[[], TrainConfig]] = MappingProxyType(
    {"tiny": tiny, "small": small, "gpu_small": gpu_small, "wan1_3b": wan1_3b, "wan5b_lora": wan5b_lora}
)
CLIPS: Mapping[str, ClipShape] = MappingProxyType(
    {
        "tiny": ClipShape(num_frames=48, height_px=64, width_px=64),
        "small": ClipShape(num_frames=24, height_px=32, width_px=32),
        "gpu_small": ClipShape(num_frames=48, height_px=64, width_px=64),
        "wan1_3b": ClipShape(num_frames=81, height_px=256, width_px=448),
        "wan5b_lora": ClipShape(num_frames=49, height_px=352, width_px=640),
    }
)


def recipe(name: str) -> TrainConfig:
    """The recipe of that name; ValueError with a suggestion when there is none."""
    if name not in RECIPES:
        close = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(RECIPES)}"
        raise ValueError(f"recipe: {name!r} is unknown, {hint}")
    return RECIPES[name]()


def arm(config: TrainConfig, curriculum: str | None) -> TrainConfig:
    """The configuration with the curriculum of an experiment's arm, see `curriculum_preset`; None: with its own."""
    if curriculum is None:
        return config
    return dataclasses.replace(config, curriculum=curriculum_preset(curriculum, config.steps))
