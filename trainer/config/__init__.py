"""The full configuration of a training run: frozen, nested, saved beside the checkpoints it produced.

One file for each owner of groups (`model`, `latents`, `data`, `curriculum`, `training`), one that reads any of them
(`reading`), one that checks (`limits`).
"""

from trainer.config.curriculum import CurriculumConfig, curriculum_preset
from trainer.config.data import DataConfig, MixtureConfig, SourceConfig
from trainer.config.latents import CodecConfig, LoaderConfig, StoreConfig, TextConfig
from trainer.config.limits import validate
from trainer.config.model import ModelConfig
from trainer.config.reading import config_from_json, differences, override
from trainer.config.training import FlowConfig, LoggingConfig, OptimConfig, Prediction, TrainConfig

__all__ = [
    "CodecConfig",
    "CurriculumConfig",
    "DataConfig",
    "FlowConfig",
    "LoaderConfig",
    "LoggingConfig",
    "MixtureConfig",
    "ModelConfig",
    "OptimConfig",
    "Prediction",
    "SourceConfig",
    "StoreConfig",
    "TextConfig",
    "TrainConfig",
    "config_from_json",
    "curriculum_preset",
    "differences",
    "override",
    "validate",
]
