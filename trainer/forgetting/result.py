"""What was measured before and after fine-tuning, and the file form: `forgetting.json`."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from trainer.forgetting.loss import LEVELS, TASKS
from trainer.forgetting.quality import FIGURES
from trainer.probe.bootstrap import Estimate, clustered_mean, holm, sign_flip_p
from trainer.probe.result import finite

SCHEMA_VERSION = 1
FILE = "forgetting.json"
LOSSES = tuple(f"loss, {task}" for task in TASKS)
LEVEL = 0.05
Verdict = Literal["worse", "better", "no difference shown", "one scene, no interval", "not judged"]


@dataclass(frozen=True, kw_only=True)
class ClipFigures:
    """One clip: figures by name (`LOSSES`, `level_name`, `FIGURES`) of both models."""

    clip_id: str
    scene_id: str
    before: dict[str, float]
    after: dict[str, float]
    still: dict[str, float]  # `FIGURES` of the film that stands still


@dataclass(frozen=True, kw_only=True)
class Row:
    """A figure before and after, means over clips; the difference is after - before, clip by clip."""

    name: str
    unit: str
    more_is_better: bool
    before: Estimate
    after: Estimate
    difference: Estimate
    still: Estimate | None  # of the film that stands still
    p_value: float  # of "no difference", sign flips of whole scenes
    p_holm: float | None = None  # adjusted for all main rows; None: the loss at one flow time

    @property
    def verdict(self) -> Verdict:
        """Of a main row, at 5 %, by the p value adjusted for all of them; a loss at one flow time is only shown."""
        if self.p_holm is None:
            return "not judged"
        if not math.isfinite(self.difference.low):
            return "one scene, no interval"
        if self.p_holm >= LEVEL:
            return "no difference shown"
        return "better" if (self.difference.mean > 0.0) is self.more_is_better else "worse"

    @property
    def percent(self) -> float | None:
        """Of the mean before."""
        return 100.0 * self.difference.mean / self.before.mean if self.before.mean else None


@dataclass(frozen=True, kw_only=True)
class ForgettingResult:
    """Two models on the clips of one data set."""

    dataset: str
    before: dict[str, Any]  # name, step, number of the clips here whose scenes it was trained on (None: not known)
    after: dict[str, Any]
    options: dict[str, Any]
    prediction: str  # x or v: the space of the losses
    clips: tuple[ClipFigures, ...]
    left_out: tuple[str, ...] = ()  # clips that nobody knows without their interruption
    schema_version: int = SCHEMA_VERSION

    def write(self, path: Path) -> None:
        """All clips' figures, and the rows that follow from them."""
        rows = {"rows": self.rows(), "level_rows": self.level_rows()}
        tree = dataclasses.asdict(self) | {
            name: [dataclasses.asdict(row) | {"verdict": row.verdict} for row in found] for name, found in rows.items()
        }
        path.write_text(json.dumps(finite(tree), indent=1) + "\n")

    def rows(self) -> list[Row]:
        """The main rows: each task's loss over all flow times, then sample quality; Holm over all of them."""
        found = [self._row(name) for name in LOSSES]
        found += [self._row(name, unit, more_is_better) for name, (unit, more_is_better) in FIGURES.items()]
        adjusted = holm([row.p_value for row in found])
        return [dataclasses.replace(row, p_holm=p) for row, p in zip(found, adjusted, strict=True)]

    def level_rows(self) -> list[Row]:
        """Each task's loss at each flow time."""
        return [self._row(level_name(task, level)) for task in TASKS for level in LEVELS]

    def _row(self, name: str, unit: str = "", more_is_better: bool = False) -> Row:
        before, after = ([getattr(clip, when)[name] for clip in self.clips] for when in ("before", "after"))
        apart = [b - a for a, b in zip(before, after, strict=True)]
        return Row(
            name=name,
            unit=unit,
            more_is_better=more_is_better,
            before=self._mean(before),
            after=self._mean(after),
            difference=self._mean(apart),
            still=self._mean([clip.still[name] for clip in self.clips]) if name in FIGURES else None,
            p_value=sign_flip_p(apart, [clip.scene_id for clip in self.clips]),
        )

    def _mean(self, values: Sequence[float]) -> Estimate:
        return clustered_mean(values, [clip.scene_id for clip in self.clips])


def level_name(task: str, level: float) -> str:
    return f"{task}, t = {level:g}"


def named_losses(losses_TL: np.ndarray) -> dict[str, float]:
    """Losses [TASKS, LEVELS] by name: each, and each task's mean."""
    found = {name: float(losses_TL[t].mean()) for t, name in enumerate(LOSSES)}
    return found | {
        level_name(task, level): float(losses_TL[t, n])
        for t, task in enumerate(TASKS)
        for n, level in enumerate(LEVELS)
    }
