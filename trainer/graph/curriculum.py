"""The curriculum: which stages change an example's graph at a given step of training.

A curriculum is data, a tuple of entries in the order in which they are applied. That order says what a stage finds (a
continuation is laid out before memory is thinned, noise comes last); when a stage joins in is up to its schedule.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from trainer.config import CurriculumConfig
from trainer.graph import stages
from trainer.graph.nodes import FrameGraph

# in order of application; a stage is called as stage(graph, rng, **parameters)
STAGES: Mapping[str, Callable[..., FrameGraph]] = MappingProxyType(
    {
        "frontier_continuation": stages.frontier_continuation,
        "reference_cache": stages.reference_cache,
        "node_drop": stages.node_drop,
        "drop_after_return": stages.drop_after_return,
        "noisy_memory": stages.noisy_memory,
    }
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One stage of a curriculum."""

    stage: str  # key of STAGES
    parameters: Mapping[str, Any]
    share: float = 1.0  # of the examples, once the ramp is over
    from_step: int = 0
    ramp_steps: int = 0

    def share_at(self, step: int) -> float:
        """0 before `from_step`, then a straight line that reaches `share` after `ramp_steps` steps."""
        if step < self.from_step:
            return 0.0
        return self.share * (min(1.0, (step - self.from_step) / self.ramp_steps) if self.ramp_steps else 1.0)


Curriculum = tuple[Entry, ...]


def curriculum_of(config: CurriculumConfig) -> Curriculum:
    """The entries that a configuration stands for, one for each stage."""
    entries = []
    for name in STAGES:
        fields = dataclasses.asdict(getattr(config, name))
        schedule = {key: fields.pop(key) for key in ("share", "from_step", "ramp_steps")}
        entries.append(Entry(stage=name, parameters=fields, **schedule))
    return tuple(entries)


def apply_curriculum(
    graph: FrameGraph, rng: np.random.Generator, curriculum: Curriculum, step: int
) -> tuple[FrameGraph, tuple[str, ...]]:
    """The graph after the stages that this example gets at `step`, and the names of those that had something to change.

    Every stage has a generator of its own, so switching one off changes no draw of the others; and an example that
    gets a stage at some share gets it at every higher one.
    """
    seeds = rng.integers(2**63, size=len(curriculum))
    applied: list[str] = []
    for entry, seed in zip(curriculum, seeds, strict=True):
        own = np.random.default_rng(int(seed))
        if own.random() < entry.share_at(step):
            changed = STAGES[entry.stage](graph, own, **entry.parameters)
            applied += [entry.stage] if changed is not graph else []
            graph = changed
    return graph, tuple(applied)
