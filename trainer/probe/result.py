"""What a probe found: frozen records with a file form (`probe.json`), and their summary rows."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.probe.bootstrap import Estimate, clustered_mean
from trainer.probe.calibration import Judged
from trainer.probe.metrics import coverage, recovery
from trainer.probe.verdict import Limits, Reading
from untrusted import MAX_JSON_BYTES, read_json

SCHEMA_VERSION = 1
PAUSED_ROW = "paused picture, read as a model's"


@dataclass(frozen=True)
class ClipFacts:
    """One probed clip: where its window lies and how its probed variable runs."""

    clip_id: str
    scene_id: str
    event_type: str
    interruption: str
    held_out: bool | None  # scene kept from training; None without a model
    prompt: str
    variable: str
    unit: str
    t_h: int
    t_r: int
    fps: float
    monotone: bool
    truth: tuple[float, ...]  # [T] values of the probed variable
    paused: tuple[float, ...]  # [T] the same in the paused twin
    baselines: dict[str, float]  # name -> clock ratio, of predictors that see no pictures
    paused_as_model: Reading  # the paused picture at t_r, read as a model's would be (nearest to truth)


@dataclass(frozen=True)
class ModelFrame:
    """One generated frame after the return."""

    frame: int
    reading: Reading
    value: float | None  # of the probed variable; None when unreadable


@dataclass(frozen=True)
class ModelScore:
    """A model's rollout of one clip. Undefined figures are None."""

    clip_id: str
    frames: tuple[ModelFrame, ...]  # the first is the one that counts; empty: no frame could be compared
    recovery: float
    evolution_ratio: float | None
    stability: float | None
    plausibility: float | None
    psnr_db: float | None  # outside the sweep region, against `observed`
    ssim: float | None
    loop_psnr_db: float | None  # the last frame at the first camera against the first frame
    control: float | None  # None: the hidden frames were given, not generated

    @property
    def clock_ratio(self) -> float | None:
        return self.frames[0].reading.clock_ratio if self.frames else None


@dataclass(frozen=True)
class ProbeResult:
    """Everything the report shows in figures."""

    dataset: str
    run: dict[str, Any] | None  # directory, step and configuration of the model
    limits: Limits
    clips: tuple[ClipFacts, ...]
    exhibits: tuple[Judged, ...]
    model: tuple[ModelScore, ...]
    schema_version: int = SCHEMA_VERSION

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(_finite(dataclasses.asdict(self)), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> ProbeResult:
        """Raises ValueError, naming the file, when it is not a probe result of this schema."""
        try:
            data = read_json(Path(path), MAX_JSON_BYTES)
            if data["schema_version"] != SCHEMA_VERSION:
                raise ValueError(f"schema_version {data['schema_version']!r}, this reader knows {SCHEMA_VERSION}")
            return _result(data)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: not a probe result ({error}); run the probe again") from None


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


def summary_rows(result: ProbeResult) -> list[Row]:
    """Calibration rows first, then corruptions, baselines and the model (all clips, then by event type and split)."""
    rows = []
    for name in dict.fromkeys(j.name for j in result.exhibits):
        judged = [j for j in result.exhibits if j.name == name]
        should = judged[0].verdict.replace("exact", "{:.2g} ± 0.05").replace("near", "{:.2g} ± 0.1")
        right = sum(j.passed for j in judged), len(judged)
        scenes = [j.scene_id for j in judged]
        expected = judged[0].expected_ratio
        rows.append(_row(name, judged[0].group, should.format(expected), [j.reading for j in judged], scenes, right))
    scenes = [c.scene_id for c in result.clips]
    paused = [c.paused_as_model for c in result.clips]
    rows.append(_row(PAUSED_ROW, "baseline", "", paused, scenes))
    for name in result.clips[0].baselines:
        ratios = [c.baselines[name] for c in result.clips]
        if name != "paused":
            rows.append(_ratio_row(name, "baseline", ratios, scenes))
    return rows + _model_rows(result)


def _model_rows(result: ProbeResult) -> list[Row]:
    if not result.model:
        return []
    facts = {c.clip_id: c for c in result.clips}
    unique = {j.clip_id for j in result.exhibits if j.name == "truth" and j.reading.num_alternatives == 1}
    groups: dict[str, list[ModelScore]] = {
        "model, all clips": list(result.model),
        "model, clips whose true return is unique": [s for s in result.model if s.clip_id in unique],
    }
    keys = (
        lambda clip: clip.event_type.replace("_", " "),
        lambda clip: clip.interruption.replace("_", " "),
        lambda clip: {True: "held-out scenes", False: "scenes it was trained on"}.get(clip.held_out, ""),
    )
    for key in keys:
        for score in result.model:
            if label := key(facts[score.clip_id]):
                groups.setdefault(f"model, {label}", []).append(score)
    rows = []
    for name, scores in groups.items():
        if not scores:
            continue
        scenes = [facts[s.clip_id].scene_id for s in scores]
        row = _ratio_row(name, "model", [s.clock_ratio for s in scores], scenes)
        ratios = [(s.evolution_ratio, scene) for s, scene in zip(scores, scenes, strict=True)]
        row = _with_sets(row, [s.frames[0].reading for s in scores if s.frames])
        rows.append(dataclasses.replace(row, evolution_ratio=_estimate(ratios)))
    return rows


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


def _ratio_row(name: str, group: str, ratios: Sequence[float | None], scenes: Sequence[str]) -> Row:
    return Row(
        name=name,
        group=group,
        should_be="",
        clock_ratio=_estimate(list(zip(ratios, scenes, strict=True))),
        recovery=clustered_mean([recovery(r) for r in ratios], scenes),
        evolution_ratio=None,
        coverage=coverage(ratios),
        alternatives=None,
        set_size=None,
        right=None,
    )


def _estimate(values: Sequence[tuple[float | None, str]]) -> Estimate | None:
    known = [(value, scene) for value, scene in values if value is not None]
    return clustered_mean([v for v, _ in known], [s for _, s in known]) if known else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they become null."""
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _result(data: dict[str, Any]) -> ProbeResult:
    def limits(d: dict[str, Any]) -> Limits:
        return Limits(**{**d, "sharpness": tuple(d["sharpness"])})

    def reading(d: dict[str, Any]) -> Reading:
        return Reading(**{**d, "reasons": tuple(d["reasons"])})

    def clip(d: dict[str, Any]) -> ClipFacts:
        series = {key: tuple(d[key]) for key in ("truth", "paused")}
        return ClipFacts(**{**d, **series, "paused_as_model": reading(d["paused_as_model"])})

    def score(d: dict[str, Any]) -> ModelScore:
        frames = tuple(ModelFrame(**{**f, "reading": reading(f["reading"])}) for f in d["frames"])
        return ModelScore(**{**d, "frames": frames})

    return ProbeResult(
        dataset=data["dataset"],
        run=data["run"],
        limits=limits(data["limits"]),
        clips=tuple(map(clip, data["clips"])),
        exhibits=tuple(Judged(**{**d, "reading": reading(d["reading"])}) for d in data["exhibits"]),
        model=tuple(map(score, data["model"])),
    )
