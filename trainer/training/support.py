"""Combinations that cannot be done are refused before anything is built, with what to do instead."""

from __future__ import annotations

import importlib.util

import torch

from trainer.config import TrainConfig
from trainer.training.devices import Devices


def check_supported(config: TrainConfig, devices: Devices) -> None:
    """Raises ValueError, one line for each combination that this machine or this version cannot do."""
    share = devices.world * config.accumulation
    problems = []
    if config.batch_size % share:
        problems.append(
            f"batch_size: {config.batch_size} does not divide into {devices.world} devices x {config.accumulation} "
            f"micro-batches; give a multiple of {share}"
        )
    if config.sharding == "fsdp" and devices.world == 1:
        problems.append(
            "sharding: fsdp needs several processes (accelerate launch --num-processes N -m remind train ...); "
            "with one, set sharding=none"
        )
    if config.compile and devices.device.type != "cuda":
        problems.append("compile: on a CPU compiling outlasts what it saves; set compile=false")
    if config.compile and config.sharding == "fsdp":
        problems.append("compile: not together with sharding=fsdp; set one of the two off")
    if config.compile and config.model.gradient_checkpointing:
        problems.append("compile: not together with model.gradient_checkpointing; set one of the two off")
    if config.precision == "bf16" and devices.device.type == "cuda" and not torch.cuda.is_bf16_supported():
        problems.append(f"precision: {torch.cuda.get_device_name()} has no bf16; set precision=fp32")
    if config.logging.wandb and importlib.util.find_spec("wandb") is None:
        problems.append(
            "logging.wandb: the package wandb is not installed; pip install wandb, or set logging.wandb=false"
        )
    if config.model.attention == "flex" and devices.device.type != "cuda":
        problems.append("model.attention: flex needs a CUDA device for training; set model.attention=sdpa")
    if problems:
        raise ValueError("\n".join(problems))
