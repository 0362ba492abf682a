"""What a probe found: frozen records with a file form (`probe.json`)."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from trainer.probe.calibration import Judged, Second
from trainer.probe.estimator import Floor
from trainer.probe.templating import publish
from trainer.probe.verdict import Limits, Reading
from untrusted import MAX_JSON_BYTES, read_json

PROBE = "probe.json"  # the file of a probe's folder
SCHEMA_VERSION = 2
R = TypeVar("R")
Key = tuple[str, int]  # clip id, number of the window


@dataclass(frozen=True)
class ClipFacts:
    """One probed window of a clip: where it lies and how its probed variable runs."""

    clip_id: str
    window: int  # in the order of the clip's windows
    num_windows: int  # of this clip, with a sweep
    scene_id: str
    event_type: str
    family: str | None  # None: a clip written before these were kept
    category: str | None  # STEVO-Bench's
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
    splits: tuple[str, ...] = ()  # see `splits`; none: no model, or nobody knows what it was trained on

    @property
    def key(self) -> Key:
        return self.clip_id, self.window


@dataclass(frozen=True)
class ModelFrame:
    """One generated frame after the return."""

    frame: int
    reading: Reading
    value: float | None  # of the probed variable; None when unreadable
    second_ratio: float | None  # clock ratio by the trained estimator; None when unreadable to it, or not asked


@dataclass(frozen=True)
class VariableScore:
    """One variable of the target over the readable frames after the return, each value from the time that was read.

    Figures as `kinds.Kind` defines them; None where undefined (no readable frame, not this kind of variable).
    """

    name: str
    domain: str
    unit: str
    role: str  # state | readout
    relative_error: float | None  # at the first readable frame: truth 0, a state that stood still 1
    within_tolerance: bool | None  # there
    evolution_ratio: float | None
    stability: float | None
    plausibility: dict[str, float]  # flag -> share of frames that keep it


@dataclass(frozen=True)
class ModelScore:
    """One sample of a model's rollout of one clip, scored over one window. Undefined figures are None."""

    clip_id: str
    frames: tuple[ModelFrame, ...]  # the first is the one that counts; empty: no frame could be compared
    recovery: float
    evolution_ratio: float | None  # of the probed variable, as plausibility
    stability: float | None  # over all variables that stayed
    plausibility: float | None  # mean over its flags
    psnr_db: float | None  # outside the sweep region, against the clip
    ssim: float | None
    loop_psnr_db: float | None  # the last frame at the first camera against the first frame
    control: float | None  # None: the hidden frames were given, not generated
    variables: tuple[VariableScore, ...] = ()
    window: int = 0
    sample: int = 0

    @property
    def key(self) -> Key:
        return self.clip_id, self.window

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
    floors: tuple[Floor, ...] = ()  # of the trained estimator, one a window; empty: no second opinion
    instrument: str | None = None  # file of an earlier probe that exhibits and floors were taken from; None: measured
    schema_version: int = SCHEMA_VERSION

    def write(self, path: Path) -> None:
        publish(path, json.dumps(finite(dataclasses.asdict(self)), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> ProbeResult:
        """Raises ValueError, naming the file, when it is not a probe result of this schema."""
        return read_versioned(path, SCHEMA_VERSION, _result, "a probe result")


def read_versioned(path: Path, version: int, build: Callable[[dict[str, Any]], R], what: str) -> R:
    """What `build` makes of a JSON file of that schema. ValueError, naming the file, when it is none."""
    try:
        data = read_json(Path(path), MAX_JSON_BYTES)
        if data["schema_version"] != version:
            raise ValueError(f"schema_version {data['schema_version']!r}, this reader knows {version}")
        return build(data)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not {what} ({error}); run the probe again") from None


def finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they become null."""
    if isinstance(value, dict):
        return {key: finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def judged_of(d: dict[str, Any]) -> Judged:
    """From its file form."""
    second = None if d["second"] is None else Second(**d["second"])
    return Judged(**{**d, "reading": _reading(d["reading"]), "second": second})


def _reading(d: dict[str, Any]) -> Reading:
    return Reading(**{**d, "reasons": tuple(d["reasons"])})


def _result(data: dict[str, Any]) -> ProbeResult:
    def limits(d: dict[str, Any]) -> Limits:
        return Limits(**{**d, "sharpness": tuple(d["sharpness"])})

    def clip(d: dict[str, Any]) -> ClipFacts:
        series = {key: tuple(d[key]) for key in ("truth", "paused")} | {"splits": tuple(d.get("splits", ()))}
        return ClipFacts(**{**d, **series, "paused_as_model": _reading(d["paused_as_model"])})

    def score(d: dict[str, Any]) -> ModelScore:
        frames = tuple(ModelFrame(**{**f, "reading": _reading(f["reading"])}) for f in d["frames"])
        variables = tuple(VariableScore(**v) for v in d["variables"])
        return ModelScore(**{**d, "frames": frames, "variables": variables})

    return ProbeResult(
        dataset=data["dataset"],
        run=data["run"],
        limits=limits(data["limits"]),
        clips=tuple(map(clip, data["clips"])),
        exhibits=tuple(map(judged_of, data["exhibits"])),
        model=tuple(map(score, data["model"])),
        floors=tuple(Floor(**d) for d in data["floors"]),
        instrument=data.get("instrument"),
    )
