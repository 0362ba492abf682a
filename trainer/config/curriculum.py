"""The curriculum as data: one group for each stage of `trainer.graph.stages`, with its schedule and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from trainer.config.limits import at_least, between


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """When a stage changes an example: from `from_step` on, after a ramp in the share `share` of the examples."""

    share: float = between(0.0, 1.0, 0.0)
    from_step: int = at_least(0, 0)
    ramp_steps: int = at_least(0, 0)  # over which the share grows from 0


@dataclass(frozen=True, kw_only=True)
class FrontierContinuationConfig(StageConfig):
    chunk: int = at_least(1, 3)  # latents that are predicted together
    min_prefix: int = at_least(1, 4)  # seen latents before the frontier
    max_chunks: int = at_least(1, 4)  # asked of one example
    at_return: float = between(0.0, 1.0, 0.5)  # of the frontiers: right after an interruption


@dataclass(frozen=True, kw_only=True)
class ReferenceCacheConfig(StageConfig):
    num_references: int = at_least(1, 2)
    local_window: float = at_least(0.0, 4.0)  # latent steps before the return that are kept as they are
    choice: Literal["mirror", "random"] = "random"


@dataclass(frozen=True, kw_only=True)
class NodeDropConfig(StageConfig):
    share: float = between(0.0, 1.0, 1.0)
    degraded: float = between(0.0, 1.0, 0.5)  # probability of a latent that is hidden
    frontier: float = between(0.0, 1.0, 0.05)  # and of one that is seen and no anchor


@dataclass(frozen=True, kw_only=True)
class DropAfterReturnConfig(StageConfig):
    share: float = between(0.0, 1.0, 0.7)


@dataclass(frozen=True, kw_only=True)
class NoisyMemoryConfig(StageConfig):
    share: float = between(0.0, 1.0, 0.3)
    max_level: float = between(0.0, 1.0, 0.3)
    anchor_max_level: float = between(0.0, 1.0, 0.05)

    def problems(self) -> list[str]:
        if self.anchor_max_level > self.max_level:
            return [
                f"anchor_max_level: {self.anchor_max_level} is more than max_level {self.max_level}; "
                f"anchors are noised least"
            ]
        return []


@dataclass(frozen=True, kw_only=True)
class CurriculumConfig:
    """In the order in which stages are applied to an example; when each joins in is its `from_step`."""

    frontier_continuation: FrontierContinuationConfig = field(default_factory=FrontierContinuationConfig)
    reference_cache: ReferenceCacheConfig = field(default_factory=ReferenceCacheConfig)
    node_drop: NodeDropConfig = field(default_factory=NodeDropConfig)
    drop_after_return: DropAfterReturnConfig = field(default_factory=DropAfterReturnConfig)
    noisy_memory: NoisyMemoryConfig = field(default_factory=NoisyMemoryConfig)


def curriculum_preset(name: str, steps: int) -> CurriculumConfig:
    """The curriculum of an experiment's arm, for a run of so many steps.

    none: plain teacher forcing. drop_noise: node-drop and noisy memory, all the way. all: the four stages join one
    after the other, each on a ramp: node-drop from the start, noisy memory after a tenth of the run, continuation after
    three, reference cache after five.
    """
    if name not in PRESETS:
        raise ValueError(f"curriculum: {name!r} is unknown; choose of {', '.join(PRESETS)}")
    config = CurriculumConfig()
    arms: dict[str, dict[str, dict[str, Any]]] = {
        "none": {stage: {"share": 0.0} for stage in ("node_drop", "drop_after_return", "noisy_memory")},
        "drop_noise": {},
        "all": {
            "noisy_memory": _joining(0.1, steps),
            "frontier_continuation": {"share": 0.3} | _joining(0.3, steps),
            "reference_cache": {"share": 0.3} | _joining(0.5, steps),
        },
    }
    return replace(config, **{stage: replace(getattr(config, stage), **values) for stage, values in arms[name].items()})


def _joining(share_of_run: float, steps: int) -> dict[str, int]:
    return {"from_step": round(share_of_run * steps), "ramp_steps": round(0.1 * steps)}


PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "none": "plain teacher forcing",
        "drop_noise": "node-drop and noisy memory",
        "all": "node-drop, noisy memory, continuation, reference cache, one after the other",
    }
)
