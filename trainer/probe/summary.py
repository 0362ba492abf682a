"""Rows of the report's tables: means with intervals over clips, windows and samples; scenes are the clusters."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.probe.bootstrap import Estimate, clustered_mean
from trainer.probe.calibration import NEAR_TOLERANCE, Second
from trainer.probe.metrics import bias_and_variance, coverage, recovery
from trainer.probe.result import ClipFacts, ModelScore, ProbeResult, VariableScore
from trainer.probe.splits import SPLITS
from trainer.probe.verdict import Reading

PAUSED_ROW = "paused picture, read as a model's"
MIN_SCATTER = 0.02  # clock ratios that vary less have no correlation worth the name
ALL_CLIPS = "model, all clips"
FROM_TRAINING = "distance from training"
PARTS: dict[str, Callable[[ClipFacts], Sequence[str]]] = {  # ways to part a model's clips, and a clip's labels in each
    FROM_TRAINING: lambda clip: clip.splits,
    "STEVO category": lambda clip: [_words(clip.category)],
    "family": lambda clip: [_words(clip.family)],
    "event type": lambda clip: [_words(clip.event_type)],
    "interruption": lambda clip: [_words(clip.interruption)],
    "window": lambda clip: [f"window {clip.window + 1} of {clip.num_windows}"] if clip.num_windows > 1 else [],
    "scenes": lambda clip: {True: ["held-out scenes"], False: ["scenes it was trained on"], None: []}[clip.held_out],
}


@dataclass(frozen=True)
class Row:
    """One line of the metric table. Recovery counts unreadable pictures as 0; the clock ratio is over readable ones."""

    name: str
    group: str  # calibration | corruption | baseline | model
    should_be: str
    clock_ratio: Estimate | None
    recovery: Estimate
    evolution_ratio: Estimate | None
    coverage: float
    alternatives: float | None  # mean number of moments that look the same
    set_size: float | None  # mean length of these together, clock-ratio units
    right: tuple[int, int] | None  # exhibits read as they should be, of how many
    second: Estimate | None = None  # clock ratio by the trained estimator, over what it could read
    second_coverage: float | None = None  # None: it was not asked
    second_right: tuple[int, int] | None = None
    split: str = ""  # one of PARTS for a part of the model's clips


@dataclass(frozen=True)
class VariableRow:
    """A variable of one event type over a model's clips; figures of `result.VariableScore`."""

    event_type: str
    name: str
    domain: str
    unit: str
    relative_error: Estimate | None  # over readable pictures
    within_tolerance: Estimate | None  # over all: an unreadable picture is not within
    evolution_ratio: Estimate | None
    stability: Estimate | None
    plausibility: dict[str, float]  # flag -> mean share
    num_scores: int


@dataclass(frozen=True)
class SampleRow:
    """Several samples of each clip: bias and variance of the clock ratio apart (`metrics.bias_and_variance`)."""

    name: str
    num_samples: int  # of a clip, at most
    bias: Estimate | None  # mean over windows of (mean CR of a clip's samples - 1)
    variance: Estimate | None  # mean over windows of the variance within a clip's samples
    recovery: Estimate  # mean over windows of the mean recovery of a clip's samples


@dataclass(frozen=True)
class AgreementRow:
    """Sweep readout and trained estimator on the same pictures; differences are estimator - sweep readout."""

    name: str
    num_pictures: int
    both: int  # readable to both
    neither: int
    only_sweep: int
    only_second: int
    difference: float | None  # mean difference of clock ratios, over those readable to both
    correlation: float | None  # Pearson's; None where one of them does not vary
    within: float | None  # share that differ by at most 0.1


def summary_rows(result: ProbeResult) -> list[Row]:
    """Calibration rows first, then corruptions, baselines and the model (all clips, then split in every way)."""
    rows = []
    for name in dict.fromkeys(j.name for j in result.exhibits):
        judged = [j for j in result.exhibits if j.name == name]
        should = judged[0].verdict.replace("exact", "{:.2g} ± 0.05").replace("near", "{:.2g} ± 0.1")
        right = sum(j.passed for j in judged), len(judged)
        scenes = [j.scene_id for j in judged]
        expected = judged[0].expected_ratio
        row = _row(name, judged[0].group, should.format(expected), [j.reading for j in judged], scenes, right)
        rows.append(_with_second(row, [j.second for j in judged if j.second is not None], scenes))
    scenes = [c.scene_id for c in result.clips]
    paused = [c.paused_as_model for c in result.clips]
    rows.append(_row(PAUSED_ROW, "baseline", "", paused, scenes))
    for name in result.clips[0].baselines:
        ratios = [c.baselines[name] for c in result.clips]
        if name != "paused":
            rows.append(_ratio_row(name, "baseline", ratios, scenes))
    return rows + _model_rows(result)


def variable_rows(result: ProbeResult) -> list[VariableRow]:
    """One row for each variable of each event type, in the order of first appearance."""
    facts = {c.key: c for c in result.clips}
    found: dict[tuple[str, str], list[tuple[VariableScore, str]]] = {}
    for score in result.model:
        clip = facts[score.key]
        for variable in score.variables:
            found.setdefault((clip.event_type, variable.name), []).append((variable, clip.scene_id))
    return [_variable_row(event_type, scores) for (event_type, _), scores in found.items()]


def sample_rows(result: ProbeResult) -> list[SampleRow]:
    """All clips and each event type; empty unless there are several samples of a clip."""
    facts = {c.key: c for c in result.clips}
    if max((s.sample for s in result.model), default=0) == 0:
        return []
    groups: dict[str, dict[tuple[str, int], list[ModelScore]]] = {}
    for score in result.model:
        for name in (ALL_CLIPS, _words(facts[score.key].event_type)):
            groups.setdefault(name, {}).setdefault(score.key, []).append(score)
    rows = []
    for name, windows in groups.items():
        scenes = [facts[key].scene_id for key in windows]
        parts = [bias_and_variance([s.clock_ratio for s in scores]) for scores in windows.values()]
        recoveries = [_mean([s.recovery for s in scores]) or 0.0 for scores in windows.values()]
        rows.append(
            SampleRow(
                name=name,
                num_samples=max(map(len, windows.values())),
                bias=_estimate(zip((bias for bias, _ in parts), scenes, strict=True)),
                variance=_estimate(zip((variance for _, variance in parts), scenes, strict=True)),
                recovery=clustered_mean(recoveries, scenes),
            )
        )
    return rows


def agreement_rows(result: ProbeResult) -> list[AgreementRow]:
    """Sweep readout against trained estimator, on exhibits and on the model's pictures; empty without estimator."""
    if not result.floors:
        return []
    pairs: dict[str, list[tuple[float | None, float | None]]] = {}
    names = {"calibration": "renders of known time", "corruption": "damaged pictures"}
    for judged in result.exhibits:
        if judged.second is not None:
            pairs.setdefault(names[judged.group], []).append((judged.reading.clock_ratio, judged.second.clock_ratio))
    for score in result.model:
        for frame in score.frames[:1]:
            pairs.setdefault("the model's pictures", []).append((frame.reading.clock_ratio, frame.second_ratio))
    return [_agreement(name, found) for name, found in pairs.items()]


def _agreement(name: str, pairs: Sequence[tuple[float | None, float | None]]) -> AgreementRow:
    both = np.array([(a, b) for a, b in pairs if a is not None and b is not None]).reshape(-1, 2)
    apart = both[:, 1] - both[:, 0]
    scatter = both.std(0).min() if len(both) > 2 else 0.0
    return AgreementRow(
        name=name,
        num_pictures=len(pairs),
        both=len(both),
        neither=sum(a is None and b is None for a, b in pairs),
        only_sweep=sum(a is not None and b is None for a, b in pairs),
        only_second=sum(a is None and b is not None for a, b in pairs),
        difference=float(apart.mean()) if len(both) else None,
        correlation=float(np.corrcoef(both.T)[0, 1]) if scatter > MIN_SCATTER else None,
        within=float((np.abs(apart) <= NEAR_TOLERANCE).mean()) if len(both) else None,
    )


def _model_rows(result: ProbeResult) -> list[Row]:
    if not result.model:
        return []
    facts = {c.key: c for c in result.clips}
    unique = {j.key for j in result.exhibits if j.name == "truth" and j.reading.num_alternatives == 1}
    groups: dict[tuple[str, str], list[ModelScore]] = {
        ("", ALL_CLIPS): list(result.model),
        ("", "model, clips whose true return is unique"): [s for s in result.model if s.key in unique],
    }
    for split, labels_of in PARTS.items():
        found = {key: [label for label in labels_of(clip) if label] for key, clip in facts.items()}
        labels = dict.fromkeys(label for key in found for label in found[key])
        if split == FROM_TRAINING:
            labels = {label: None for label in SPLITS if label in labels}
        groups |= {(split, label): [s for s in result.model if label in found[s.key]] for label in labels}
    rows = []
    for (split, name), scores in groups.items():
        if not scores:
            continue
        scenes = [facts[s.key].scene_id for s in scores]
        row = _ratio_row(name, "model", [s.clock_ratio for s in scores], scenes)
        ratios = [(s.evolution_ratio, scene) for s, scene in zip(scores, scenes, strict=True)]
        row = _with_sets(row, [s.frames[0].reading for s in scores if s.frames])
        if result.floors:
            seconds = [s.frames[0].second_ratio if s.frames else None for s in scores]
            row = dataclasses.replace(
                row, second=_estimate(zip(seconds, scenes, strict=True)), second_coverage=coverage(seconds)
            )
        rows.append(dataclasses.replace(row, evolution_ratio=_estimate(ratios), split=split))
    return rows + _composite(result)


def _composite(result: ProbeResult) -> list[Row]:
    """Clips with several windows, each as one: the mean over its windows; unreadable windows count as recovery 0."""
    scenes = {c.clip_id: c.scene_id for c in result.clips if c.num_windows > 1}
    clips: dict[tuple[str, int], list[ModelScore]] = {}
    for score in result.model:
        if score.clip_id in scenes:
            clips.setdefault((score.clip_id, score.sample), []).append(score)
    if not clips:
        return []
    where = [scenes[clip_id] for clip_id, _ in clips]
    ratios = [_mean([s.clock_ratio for s in scores if s.clock_ratio is not None]) for scores in clips.values()]
    row = _ratio_row("all windows of a clip together", "model", ratios, where)
    recoveries = [_mean([s.recovery for s in scores]) or 0.0 for scores in clips.values()]
    readable = coverage([s.clock_ratio for scores in clips.values() for s in scores])
    return [dataclasses.replace(row, recovery=clustered_mean(recoveries, where), coverage=readable, split="window")]


def _variable_row(event_type: str, scores: Sequence[tuple[VariableScore, str]]) -> VariableRow:
    first = scores[0][0]
    flags = dict.fromkeys(flag for v, _ in scores for flag in v.plausibility)
    shares = {flag: _mean([v.plausibility[flag] for v, _ in scores if flag in v.plausibility]) for flag in flags}
    return VariableRow(
        event_type=event_type,
        name=first.name,
        domain=first.domain,
        unit=first.unit,
        relative_error=_estimate((v.relative_error, scene) for v, scene in scores),
        within_tolerance=_estimate((float(bool(v.within_tolerance)), scene) for v, scene in scores),
        evolution_ratio=_estimate((v.evolution_ratio, scene) for v, scene in scores),
        stability=_estimate((v.stability, scene) for v, scene in scores),
        plausibility={flag: share for flag, share in shares.items() if share is not None},
        num_scores=len(scores),
    )


def _row(
    name: str,
    group: str,
    should: str,
    readings: Sequence[Reading],
    scenes: Sequence[str],
    right: tuple[int, int] | None = None,
) -> Row:
    row = _ratio_row(name, group, [r.clock_ratio for r in readings], scenes)
    return dataclasses.replace(_with_sets(row, readings), should_be=should, right=right)


def _with_sets(row: Row, readings: Sequence[Reading]) -> Row:
    readable = [r for r in readings if r.clock_ratio is not None]
    alternatives, sizes = _mean([r.num_alternatives for r in readable]), _mean([r.set_size for r in readable])
    return dataclasses.replace(row, alternatives=alternatives, set_size=sizes)


def _with_second(row: Row, seconds: Sequence[Second], scenes: Sequence[str]) -> Row:
    if not seconds:
        return row
    ratios = [s.clock_ratio for s in seconds]
    return dataclasses.replace(
        row,
        second=_estimate(zip(ratios, scenes, strict=True)),
        second_coverage=coverage(ratios),
        second_right=(sum(s.passed for s in seconds), len(seconds)),
    )


def _ratio_row(name: str, group: str, ratios: Sequence[float | None], scenes: Sequence[str]) -> Row:
    return Row(
        name=name,
        group=group,
        should_be="",
        clock_ratio=_estimate(zip(ratios, scenes, strict=True)),
        recovery=clustered_mean([recovery(r) for r in ratios], scenes),
        evolution_ratio=None,
        coverage=coverage(ratios),
        alternatives=None,
        set_size=None,
        right=None,
    )


def _estimate(values: Iterable[tuple[float | None, str]]) -> Estimate | None:
    known = [(value, scene) for value, scene in values if value is not None and math.isfinite(value)]
    return clustered_mean([v for v, _ in known], [s for _, s in known]) if known else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _words(name: str | None) -> str:
    return (name or "").replace("_", " ")
