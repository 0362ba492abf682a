"""The full configuration of a training run: frozen, nested, saved beside the checkpoints it produced."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from untrusted import MAX_JSON_BYTES, one_line, read_json

Prediction = Literal["x", "v"]
Mode = Literal["none", "phase"]


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A Wan transformer from scratch. Channels follow from the codec."""

    mode: Mode = "phase"
    dim: int = 192
    num_heads: int = 4
    num_layers: int = 6
    ffn_dim: int = 768
    freq_dim: int = 256
    gradient_checkpointing: bool = False


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How clips become frame graphs. Seconds count, not frames."""

    codec_patch: int = 8
    frame_stride: int = 2  # every n-th frame of the clip
    heldout_share: float = 0.15  # of scenes, by digest of the scene id
    own_window_share: float = 0.3  # examples that keep the clip's own interruption, the others get one
    dark_min_s: float = 0.75
    dark_max_s: float = 3.0
    ramp_max_s: float = 0.5
    min_seen_s: float = 1.0  # of undisturbed history before the lights go out
    num_return_targets: int = 6  # consecutive frames after the return
    num_other_targets: int = 3  # anywhere else in the visible history
    mirror_share: float = 0.0  # of examples shown in a mirror
    gain_sigma: float = 0.0  # of the log gain of each colour channel, one draw for a whole clip


@dataclass(frozen=True, kw_only=True)
class CurriculumConfig:
    drop_degraded: float = 0.5  # node_drop probability per role
    drop_frontier: float = 0.05
    drop_after_return: float = 0.7  # of examples: the return's own history is absent, every target must remember
    noisy_share: float = 0.3  # of examples that get noisy_memory
    noisy_max_level: float = 0.3
    noisy_anchor_max_level: float = 0.05


@dataclass(frozen=True, kw_only=True)
class FlowConfig:
    """Flow matching. High levels dominate, since at low ones the noisy frame itself shows the state."""

    prediction: Prediction = "x"
    high_share: float = 0.6  # of targets with t in [high_from, 1]; the others uniform in [0, 1]
    high_from: float = 0.9
    return_weight: float = 2.0  # of targets after the return
    region_weight: float = 4.0  # of latent cells in which the target's carriers are seen


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    lr: float = 6e-4
    weight_decay: float = 0.01
    beta2: float = 0.99
    warmup_steps: int = 50
    decay_steps: int = 300  # linear decay over the last steps
    grad_clip: float = 1.0
    ema_decay: float = 0.995


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    recipe: str
    seed: int = 0
    steps: int = 1500
    batch_size: int = 8
    log_every: int = 10
    eval_every: int = 100
    checkpoint_every: int = 200
    keep_checkpoints: int = 2
    precision: Literal["fp32", "bf16"] = "fp32"
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    flow: FlowConfig = field(default_factory=FlowConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2)


def config_from_json(path: Path) -> TrainConfig:
    """The configuration that `to_json` wrote; ValueError for a field that this version does not know."""
    tree = read_json(path, MAX_JSON_BYTES)
    try:
        loaded: TrainConfig = _from_dict(TrainConfig, tree, "")
    except ValueError as error:
        raise ValueError(one_line(f"{path}: {error}")) from None
    return loaded


def override(config: TrainConfig, changes: Mapping[str, Any]) -> TrainConfig:
    """Change few fields by dotted name, `{"optim.lr": 1e-3}`; text values are read as the field's type."""
    for name, value in changes.items():
        config = _changed(config, name.split("."), value, name)
    return config


def _changed(config: Any, path: list[str], value: Any, name: str) -> Any:
    hint = _field_type(type(config), path[0], name)
    current = getattr(config, path[0])
    if len(path) > 1:
        if not dataclasses.is_dataclass(current):
            raise ValueError(f"{name}: {path[0]} has no fields of its own")
        return dataclasses.replace(config, **{path[0]: _changed(current, path[1:], value, name)})
    if dataclasses.is_dataclass(current):
        raise ValueError(f"{name}: is a group; set one of {', '.join(f'{name}.{f}' for f in _names(type(current)))}")
    return dataclasses.replace(config, **{path[0]: _read_as(hint, value, name)})


def _from_dict(cls: type, values: Mapping[str, Any], prefix: str) -> Any:
    if not isinstance(values, dict):
        raise ValueError(f"{prefix.rstrip('.')}: is a group of fields, got {str(values)[:40]!r}")
    read = {}
    for key, value in values.items():
        hint = _field_type(cls, key, prefix + key)
        nested = isinstance(hint, type) and dataclasses.is_dataclass(hint)
        read[key] = _from_dict(hint, value, f"{prefix}{key}.") if nested else _read_as(hint, value, prefix + key)
    return cls(**read)


def _field_type(cls: type, key: str, name: str) -> Any:
    if key not in _names(cls):
        close = difflib.get_close_matches(key, _names(cls), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(_names(cls))}"
        raise ValueError(f"{name}: unknown field, {hint}")
    return get_type_hints(cls)[key]


def _names(cls: type) -> list[str]:
    return [f.name for f in dataclasses.fields(cls)]


def _read_as(hint: Any, value: Any, name: str) -> Any:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ValueError(f"{name}: {value!r} is not one of {', '.join(get_args(hint))}")
        return value
    if hint is bool:
        if str(value).lower() not in ("true", "false"):
            raise ValueError(f"{name}: {value!r} is neither true nor false")
        return str(value).lower() == "true"
    try:
        number = hint(value)
        if hint is int and float(value) != number:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r} is not a valid {hint.__name__}") from None
    return number
