"""Re-checks a published clip: hashes and invariants; `deep` also what the pictures themselves say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from event_library.registry import get_type
from scenes.plan import ScenePlan
from simulator.clip import Clip
from simulator.clip_writer import array_sha256, file_sha256
from simulator.stage import Stage
from simulator.view import view_of

HIDDEN_TOLERANCE = (
    1.0  # of 255: the most that a 3x3 mean of a hidden frame may change with the state (DESIGN section 5)
)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a clip."""

    check: str
    message: str


def verify_clip(path: Path, *, deep: bool = False) -> list[Finding]:
    """All findings; an empty list means that the clip is sound."""
    try:
        clip = Clip.open(path)
        if clip.stateless:
            return [Finding(name, message) for name, check in _STATELESS for message in check(clip, None)]
        plan = ScenePlan.read(path / "plan.json")
    except ValueError as error:
        return [Finding("open", str(error))]
    checks = (*_SHALLOW, *(_DEEP if deep else ()))
    return [Finding(name, message) for name, check in checks for message in check(clip, plan)]


def _files(clip: Clip, plan: ScenePlan | None) -> Iterator[str]:
    for name, recorded in clip.manifest["files"].items():
        if not (clip.path / name).is_file():
            yield f"{name} is missing"
        elif file_sha256(clip.path / name) != recorded:
            yield f"{name} is not the file that was written (sha256 differs)"


def _arrays(clip: Clip, plan: ScenePlan | None) -> Iterator[str]:
    with h5py.File(clip.path / "arrays.h5", "r") as file:
        for name, facts in clip.manifest["arrays"].items():
            if name not in file:
                yield f"arrays.h5 has no {name}"
            elif array_sha256(file[name][()]) != facts["sha256"]:
                yield f"arrays.h5: {name} decodes to other values than were written"


def _frames(clip: Clip, plan: ScenePlan | None) -> Iterator[str]:
    counts = {"pictures": len(clip.rgb), "cameras": len(clip.cameras.camera_from_world), "frames": clip.num_frames}
    if len(set(counts.values())) > 1:
        yield ", ".join(f"{count} {name}" for name, count in counts.items())


def _identity(clip: Clip, plan: ScenePlan) -> Iterator[str]:
    if clip.manifest["plan_sha256"] != plan.plan_id:
        yield "plan.json is not the plan of the manifest"
    if clip.rgb.shape[0] != plan.clip.num_frames:
        yield f"{clip.rgb.shape[0]} pictures, the plan has {plan.clip.num_frames} frames"


def _states(clip: Clip, plan: ScenePlan) -> Iterator[str]:
    if not np.isfinite(clip.states["value"]).all():
        yield "states.parquet has values that are not finite"
    law = {e.id: get_type(e.type) for e in plan.events}
    for event, event_type in law.items():
        for variable in event_type.variables:
            if "monotone" in variable.flags:
                steps = np.diff(clip.series(event, variable.name))
                if (steps > 1e-12).any() and (steps < -1e-12).any():
                    yield f"{event}.{variable.name} is flagged monotone and reverses"


def _windows(clip: Clip, plan: ScenePlan) -> Iterator[str]:
    rows = clip.states
    for window in clip.windows:
        own = rows["event"] == window.target
        hidden = np.isin(rows["frame"], window.hidden_frames) & own
        if (rows["visible_px"][hidden] > 0).any():
            yield f"carriers of {window.target} are in the picture in a hidden frame"
        if not window.t_h < window.hidden_frames[0] <= window.hidden_frames[-1] < window.t_r:
            yield f"window of {window.target} is out of order: {window}"
        kind = get_type(next(e.type for e in plan.events if e.id == window.target))
        needed = kind.info.min_visible_px * plan.clip.width_px * plan.clip.height_px / 64**2
        for frame in (window.t_h, window.t_r):
            seen = rows["visible_px"][own & (rows["frame"] == frame)][0]
            if seen < needed:
                yield f"carriers of {window.target} cover {seen} pixels at frame {frame}; needed {needed:.0f}"


def _loops(clip: Clip, plan: ScenePlan) -> Iterator[str]:
    cameras = clip.cameras.camera_from_world
    if plan.camera.loop and cameras[0].tobytes() != cameras[-1].tobytes():
        yield "the loop does not return to the exact same camera"


def _twins(clip: Clip, plan: ScenePlan) -> Iterator[str]:
    if not clip.twins:
        return
    first = min(w.t_h for w in clip.windows) + 1
    for name in clip.twins:
        if name == "observed":  # the camera or the light may already be on its way at t_h
            same = int(np.searchsorted(np.arange(len(clip.rgb)) / clip.fps, min(i.out_s for i in plan.interruptions)))
        else:
            same = first
        if not np.array_equal(clip.rgb[:same], clip.twin(name).rgb[:same]):
            yield f"twin {name} differs from the clip before the interruption"


def _hidden(clip: Clip, plan: ScenePlan) -> Iterator[str]:
    if "paused" not in clip.twins:
        return
    for window in clip.windows:
        worst = max((largest_mean_change(clip.rgb[f], clip.twin("paused").rgb[f]), f) for f in window.hidden_frames)
        if worst[0] > HIDDEN_TOLERANCE:
            yield f"hidden frame {worst[1]} gives the state away: a 3x3 mean changes by {worst[0]:.2f}/255"


def largest_mean_change(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Greatest absolute change of a 3x3 mean between two pictures [H, W, 3], in 1/255."""
    difference = first.astype(np.float64) - second.astype(np.float64)
    return float(np.abs(uniform_filter(difference, size=(3, 3, 1), mode="nearest")).max())


def _readouts(clip: Clip, plan: ScenePlan) -> Iterator[str]:
    if not {"depth_m", "segmentation"} <= set(clip.manifest["arrays"]):
        return
    for event, frame, name, measured, truth, tolerance in readouts(clip, plan):
        if not abs(measured - truth) <= tolerance + 1e-9:
            yield f"{event}.{name} reads {measured:.4g} at frame {frame}, truth {truth:.4g} +- {tolerance:g}"


def readouts(clip: Clip, plan: ScenePlan) -> Iterator[tuple[str, int, str, float, float, float]]:
    """(event, frame, readout, measured, truth, tolerance) at every frame where the event is plainly seen."""
    laws = Stage.from_plan(plan).events
    for event in plan.events:
        rows = (clip.states["event"] == event.id) & (clip.states["visible_fraction"] >= 0.9)
        for frame in np.unique(clip.states["frame"][rows]):
            for name, measured in laws[event.id].measure(view_of(clip, event, int(frame))).items():
                truth, variable = float(clip.series(event.id, name)[frame]), laws[event.id].variable(name)
                off = float(variable.difference(np.asarray(truth), np.asarray(measured)))  # the shorter way round
                yield event.id, int(frame), name, truth + off, truth, variable.tolerance


Check = Callable[[Clip, ScenePlan], Iterator[str]]
_SHALLOW: tuple[tuple[str, Check], ...] = (
    ("files", _files),
    ("arrays", _arrays),
    ("identity", _identity),
    ("states", _states),
    ("windows", _windows),
    ("loops", _loops),
    ("twins", _twins),
)
_STATELESS: tuple[tuple[str, Callable[[Clip, None], Iterator[str]]], ...] = (
    ("files", _files),
    ("arrays", _arrays),
    ("frames", _frames),
)
_DEEP: tuple[tuple[str, Check], ...] = (("hidden", _hidden), ("readouts", _readouts))


def report(path: Path, findings: list[Finding]) -> str:
    """One line a finding, or one line that says the clip is sound."""
    if not findings:
        stateless = Clip.open(path).stateless
        return f"{path}: sound{' (an imported video: it has no states to check)' if stateless else ''}"
    return "\n".join(f"{path}: {f.check}: {f.message}" for f in findings)


def as_json(results: dict[Path, list[Finding]]) -> str:
    """Machine-readable form of several clips' findings."""
    return json.dumps({str(p): [vars(f) for f in findings] for p, findings in results.items()}, indent=1)
