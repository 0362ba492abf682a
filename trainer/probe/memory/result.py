"""What the cache probe found: frozen records with a file form (`cache.json`)."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.probe.bootstrap import Estimate
from trainer.probe.result import finite, read_versioned

SCHEMA_VERSION = 3


@dataclass(frozen=True, kw_only=True)
class Settings:
    """
    free    hidden frames were generated; else given as the clip shows them. In the causal tests always given
    causal  windows on which the causal tests were asked for, at most; None: all of them
    budget  principal components that a probe reads of any place or picture
    repeats fold assignments of the cross-validation; figures are of all of them together
    seed    of noise, folds and nulls
    steps   Euler steps for each generated frame
    """

    free: bool
    causal: int | None
    budget: int
    repeats: int
    seed: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """One predictor of one target."""

    name: str
    r2: Estimate  # over all fold assignments; its interval is over scenes and assignments
    fold_sd: float | None  # standard deviation of R2 from one assignment to another; None: of one, or of a null
    less: Estimate | None  # R2 of the memory less R2 of this; None: it is the memory, or predicts something else
    p_value: float | None  # of no difference
    p_holm: float | None  # adjusted over the rows of the table


@dataclass(frozen=True, kw_only=True)
class SiteScore:
    """One place in one model."""

    model: str  # trained | untrained
    source: str  # keys | values | residual
    area: str  # frame | object
    layer: int
    r2: Estimate
    by_time: tuple[float | None, ...]  # R2 in each bin of hidden time; None: fewer than three scenes
    p_value: float  # of R2 <= 0
    p_holm: float  # adjusted over the layers of this model, source and area


@dataclass(frozen=True, kw_only=True)
class DecodedTarget:
    """One quantity. No rows: there is nothing to predict, last state and elapsed time say all."""

    name: str  # state | rate | beyond
    rows: tuple[Row, ...]
    sites: tuple[SiteScore, ...]
    chosen: tuple[tuple[str, int], ...]  # places that the inner folds rated best: name, outer folds of all repeats
    explained: float | None  # of `beyond`: share of the state's variance that was regressed out, on held-out scenes


@dataclass(frozen=True, kw_only=True)
class DecodedGroup:
    """One event type and variable."""

    event_type: str
    variable: str
    unit: str
    num_windows: int
    num_scenes: int
    num_rows: int
    targets: tuple[DecodedTarget, ...]


@dataclass(frozen=True, kw_only=True)
class ShiftReading:
    """One clip whose return was moved in time. Times are None where a picture could not be read."""

    clip_id: str
    scene_id: str
    event_type: str
    shift_s: float
    moved_s: float | None  # event time read, less that of the return where it is
    state_moved: float | None  # the same in the probed variable, over its true change while hidden
    state_expected: float  # what the law says


@dataclass(frozen=True, kw_only=True)
class SwapReading:
    """One clip with nodes of another one's memory. States are over the clip's own true change while hidden."""

    clip_id: str
    scene_id: str
    donor_id: str
    event_type: str
    part: str
    moved: float | None  # state read, less that of the clip's own memory
    to_state: float  # the other clip's true state at as long since last seen, less the own true state
    to_change: float  # the other clip's true change since last seen, less the own true change
    read_as_other: bool | None  # whether the picture fits the other clip's sweep better
    intact_as_other: bool | None  # and the one that was made with its own memory


@dataclass(frozen=True, kw_only=True)
class AblationReading:
    """One clip without some nodes. A clock ratio is None where the picture could not be read."""

    clip_id: str
    scene_id: str
    event_type: str
    ablation: str
    intact_ratio: float | None
    ratio: float | None
    intact_recovery: float
    recovery: float


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One figure of the causal tests."""

    name: str
    estimate: Estimate | None  # None: nothing could be read
    p_value: float | None  # of 0, by sign flips of scenes
    readable: int  # of
    asked: int


@dataclass(frozen=True, kw_only=True)
class CausalResult:
    """What the return does when the memory is changed."""

    shifts: tuple[ShiftReading, ...]
    swaps: tuple[SwapReading, ...]
    ablations: tuple[AblationReading, ...]
    shift_effects: tuple[Effect, ...]
    swap_effects: tuple[Effect, ...]
    ablation_effects: tuple[Effect, ...]


@dataclass(frozen=True, kw_only=True)
class CacheProbeResult:
    """Everything that `cache.html` shows in figures."""

    dataset: str
    run: dict[str, Any]  # directory, step and configuration of the model
    settings: Settings
    bins_s: tuple[float, ...]  # edges of hidden time
    num_clips: int
    groups: tuple[DecodedGroup, ...]
    left_out: tuple[str, ...]  # what could not be probed, and why
    causal: CausalResult | None
    schema_version: int = SCHEMA_VERSION

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(finite(dataclasses.asdict(self)), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> CacheProbeResult:
        """Raises ValueError, naming the file, when it is not a cache probe's result of this schema."""
        return read_versioned(path, SCHEMA_VERSION, _result, "a cache probe's result")


def _estimate(data: dict[str, Any] | None) -> Estimate | None:
    if data is None:
        return None
    return Estimate(**{**data, **{name: math.nan for name in ("low", "high") if data[name] is None}})


def _result(data: dict[str, Any]) -> CacheProbeResult:
    def site(d: dict[str, Any]) -> SiteScore:
        return SiteScore(**{**d, "r2": _estimate(d["r2"]), "by_time": tuple(d["by_time"])})

    def row(d: dict[str, Any]) -> Row:
        return Row(**{**d, "r2": _estimate(d["r2"]), "less": _estimate(d["less"])})

    def target(d: dict[str, Any]) -> DecodedTarget:
        parts = {"rows": tuple(map(row, d["rows"])), "sites": tuple(map(site, d["sites"]))}
        return DecodedTarget(**{**d, **parts, "chosen": tuple((name, count) for name, count in d["chosen"])})

    def effects(rows: list[dict[str, Any]]) -> tuple[Effect, ...]:
        return tuple(Effect(**{**d, "estimate": _estimate(d["estimate"])}) for d in rows)

    def causal(d: dict[str, Any]) -> CausalResult:
        return CausalResult(
            shifts=tuple(ShiftReading(**r) for r in d["shifts"]),
            swaps=tuple(SwapReading(**r) for r in d["swaps"]),
            ablations=tuple(AblationReading(**r) for r in d["ablations"]),
            **{name: effects(d[name]) for name in ("shift_effects", "swap_effects", "ablation_effects")},
        )

    return CacheProbeResult(
        **{
            **data,
            "settings": Settings(**data["settings"]),
            "bins_s": tuple(data["bins_s"]),
            "groups": tuple(DecodedGroup(**{**g, "targets": tuple(map(target, g["targets"]))}) for g in data["groups"]),
            "left_out": tuple(data["left_out"]),
            "causal": None if data["causal"] is None else causal(data["causal"]),
        }
    )
