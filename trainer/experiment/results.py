"""The probes of an experiment, read back: arms over seeds on splits, seeds pooled as samples of their arm."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from trainer.probe.bootstrap import Difference, holm, paired_differences
from trainer.probe.compare import compare, recoveries
from trainer.probe.habit import HabitRow, habit_rows
from trainer.probe.metrics import recovery
from trainer.probe.result import PROBE, ClipFacts, ProbeResult
from trainer.probe.summary import ALL_CLIPS, PAUSED_ROW, Row, summary_rows


@dataclass(frozen=True)
class ArmOnSplit:
    """What all seeds of one arm got on one split."""

    arm: str
    split: str
    seeds: Mapping[int, ProbeResult]
    pooled: ProbeResult  # a seed's rollouts are samples: means over them, intervals over scenes
    rows: tuple[Row, ...]  # of the model, all clips first
    habits: tuple[HabitRow, ...]  # all types first; empty where events hardly differ or too little could be read

    @property
    def row(self) -> Row:
        return next(row for row in self.rows if row.name == ALL_CLIPS)

    @property
    def recovery_by_seed(self) -> dict[int, float]:
        return {
            seed: sum(score.recovery for score in result.model) / len(result.model)
            for seed, result in self.seeds.items()
        }


@dataclass(frozen=True)
class Results:
    """Everything that an experiment has probed so far."""

    out: Path
    asked: Mapping[str, Sequence[int]]  # arm -> seeds
    splits: Sequence[str]
    found: Sequence[ArmOnSplit]
    curves: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)  # run -> lines of metrics.jsonl

    def on(self, split: str) -> list[ArmOnSplit]:
        return [one for one in self.found if one.split == split]

    def baselines(self, split: str) -> list[Row]:
        """Rows of predictors that see no pictures, which are the same for every arm."""
        arms = self.on(split)
        return [row for row in summary_rows(arms[0].pooled) if row.group == "baseline"] if arms else []

    def differences(self, split: str) -> list[Difference]:
        """Every two arms on the windows that both were probed on; a window's figure is the mean over its seeds.

        Holm over the pairs of all splits. Scenes are resampled, seeds are not: what differs are these runs; whether
        other seeds would too, `by_seed` hints at.
        """
        return self._adjusted[split]

    @cached_property
    def _adjusted(self) -> dict[str, list[Difference]]:
        found: dict[str, list[Difference]] = {}
        for split in self.splits:
            arms = self.on(split)
            found[split] = compare({one.arm: one.pooled for one in arms}) if len(arms) > 1 else []
        return _holm_over(found)

    def by_seed(self, split: str, first: str, second: str) -> list[float]:
        """Difference of mean recovery of two arms, for each seed that both have."""
        means = {one.arm: one.recovery_by_seed for one in self.on(split)}
        return [means[first][seed] - means[second][seed] for seed in means[first] if seed in means[second]]

    def against_baselines(self, split: str) -> dict[str, list[Difference]]:
        """Baseline -> arm - baseline for every arm, window by window, Holm over all of these of a split."""
        found: dict[str, list[Difference]] = {}
        for row in self.baselines(split):
            found[row.name] = []
            for one in self.on(split):
                clips = one.pooled.clips
                rival = {clip.key: recovery(_baseline_ratio(clip, row.name)) for clip in clips}
                scenes = {clip.key: clip.scene_id for clip in clips}
                found[row.name] += paired_differences({one.arm: recoveries(one.pooled), row.name: rival}, scenes)
        return _holm_over(found)


def _baseline_ratio(clip: ClipFacts, name: str) -> float | None:
    return clip.paused_as_model.clock_ratio if name == PAUSED_ROW else clip.baselines[name]


def _holm_over(families: Mapping[str, list[Difference]]) -> dict[str, list[Difference]]:
    """The same comparisons, adjusted for all of them together."""
    adjusted = iter(holm([d.p_value for found in families.values() for d in found]))
    return {name: [dataclasses.replace(d, p_holm=next(adjusted)) for d in found] for name, found in families.items()}


def pooled(results: Mapping[int, ProbeResult]) -> ProbeResult:
    """Probes of several seeds of one arm, on one data set, as one whose samples are theirs in turn.

    ValueError when they probed different windows.
    """
    first = next(iter(results.values()))
    scores = []
    for number, (seed, result) in enumerate(results.items()):
        if {c.key for c in result.clips} != {c.key for c in first.clips}:
            raise ValueError(f"seed {seed} was probed on other clips than the first; probe all on one data set")
        per_seed = 1 + max((score.sample for score in result.model), default=0)
        scores += [dataclasses.replace(s, sample=number * per_seed + s.sample) for s in result.model]
    return dataclasses.replace(first, model=tuple(scores))


def read_results(out: Path, arms: Mapping[str, Sequence[int]], splits: Sequence[str]) -> Results:
    """What lies under `out`/probes/<arm>-<seed>/<split>; what is not there yet is left out."""
    found = []
    for split in splits:
        for arm, seeds in arms.items():
            paths = {seed: out / "probes" / f"{arm}-{seed}" / split / PROBE for seed in seeds}
            results = {seed: ProbeResult.read(path) for seed, path in paths.items() if path.exists()}
            if results:
                together = pooled(results)
                rows = tuple(row for row in summary_rows(together) if row.group == "model")
                found.append(ArmOnSplit(arm, split, results, together, rows, tuple(habit_rows(together))))
    curves = {run: _lines(out / "runs" / run / "metrics.jsonl") for run in _names(arms)}
    return Results(out, arms, splits, found, {run: lines for run, lines in curves.items() if lines})


def _names(arms: Mapping[str, Sequence[int]]) -> list[str]:
    return [f"{arm}-{seed}" for arm, seeds in arms.items() for seed in seeds]


def _lines(path: Path) -> list[dict[str, Any]]:
    """Whole lines: the last one may be under way."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


def table(results: Results, split: str) -> str:
    """Markdown: one row for each arm, then the baselines."""
    from trainer.probe.report import interval, number

    lines = [
        "| arm | clock ratio (readable) | coverage | recovery, unreadable = 0 | of each seed | windows x seeds |",
        "|---|---|---|---|---|---|",
    ]
    for one in results.on(split):
        row, seeds = one.row, ", ".join(number(mean) for mean in one.recovery_by_seed.values())
        figures = f"{interval(row.clock_ratio)} | {row.coverage:.0%} | {interval(row.recovery)}"
        lines.append(f"| {one.arm} | {figures} | {seeds} | {len(one.pooled.clips)} x {len(one.seeds)} |")
    for row in results.baselines(split):
        share = f"{row.coverage:.0%}" if row.name == PAUSED_ROW else ""
        lines.append(f"| {row.name} | {interval(row.clock_ratio)} | {share} | {interval(row.recovery)} | | |")
    return "\n".join(lines)


def habit_table(results: Results, split: str) -> str:
    """Markdown: slopes of `trainer.probe.habit` of each arm, by event type; empty where there are none."""
    from trainer.probe.report import interval

    lines = [
        f"| {one.arm} | {row.name} | {interval(row.habit)} | {interval(row.memory)} | "
        f"{row.num_windows} of {row.num_asked} |"
        for one in results.on(split)
        for row in one.habits
    ]
    return "\n".join(["| arm | events | habit | memory | readable |", "|---|---|---|---|---|", *lines]) if lines else ""
