"""Re-checks a published clip: hashes and invariants; `deep` also what the pictures themselves say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from event_library.registry import get_type
from scenes.plan import ScenePlan
from simulator.clip import Clip
from simulator.clip_checks import opened_arrays, plain_array
from simulator.clip_files import wrong_files
from simulator.clip_writer import array_sha256
from simulator.deep import (
    Note,
    Wrong,
    flow_against_depth,
    hidden_in_twins,
    hidden_when_rendered,
    silhouettes_of_preview,
    states_in_pictures,
)
from untrusted import one_line


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a clip."""

    check: str
    message: str


@dataclass(frozen=True)
class Report:
    """What was found wrong with a clip, and what the deep checks looked at: check -> note."""

    path: Path
    findings: tuple[Finding, ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    stateless: bool = False

    @property
    def text(self) -> str:
        """One line a finding, or one line that says the clip is sound; then a line a note."""
        lines = [f"{self.path}: {f.check}: {f.message}" for f in self.findings]
        if not lines:
            lines = [f"{self.path}: sound{' (an imported video: it has no states to check)' if self.stateless else ''}"]
        return "\n".join([*lines, *(f"  {check}: {note}" for check, note in self.notes.items())])


def examine_clip(path: Path, *, deep: bool = False, rendered: bool = True) -> Report:
    """Every check of one clip. Nothing raises for a clip that is broken: that is a finding.

    deep: also cross-checks of what is in it; those that render anew only if `rendered`.
    """
    try:
        clip = Clip.open(path)
        if clip.stateless:
            return Report(path, tuple(_found(_STATELESS, clip, None)), stateless=True)
        plan = ScenePlan.checked(clip.plan)
    except ValueError as error:
        return Report(path, (Finding("open", str(error)),))
    findings = _found(_SHALLOW, clip, plan)
    notes = {}
    for name, cross_check in (_DEEP if rendered else _DEEP_WITHOUT_RENDERING) if deep else ():
        for said in cross_check(clip, plan):
            if isinstance(said, Wrong):
                findings.append(Finding(name, said.text))
            else:
                notes[name] = said.text
    return Report(path, tuple(findings), notes)


def verify_clip(path: Path, *, deep: bool = False, rendered: bool = True) -> list[Finding]:
    """All findings; an empty list means that the clip is sound."""
    return list(examine_clip(path, deep=deep, rendered=rendered).findings)


def _found(checks: Iterable[tuple[str, Callable[[Clip, Any], Iterator[str]]]], clip: Clip, plan: Any) -> list[Finding]:
    """What the checks find. A clip may be broken in any way: a check that it breaks has found that."""
    findings = []
    for name, check in checks:
        try:
            findings += [Finding(name, one_line(message)) for message in check(clip, plan)]
        except Exception as error:
            findings.append(Finding(name, one_line(f"cannot be checked: {type(error).__name__}: {error}")))
    return findings


def _files(clip: Clip, plan: ScenePlan | None) -> Iterator[str]:
    yield from wrong_files(clip.files, clip.manifest["files"])


def _arrays(clip: Clip, plan: ScenePlan | None) -> Iterator[str]:
    with opened_arrays(clip.files) as file:
        for name, facts in clip.manifest["arrays"].items():
            if name not in file:
                yield f"arrays.h5 has no {name}"
                continue
            array = plain_array(file, name)
            if list(array.shape) != facts["shape"]:
                yield f"arrays.h5: {name} is {list(array.shape)}, the manifest says {facts['shape']}"
            elif array_sha256(array[()]) != facts["sha256"]:
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


Check = Callable[[Clip, ScenePlan], Iterator[str]]
DeepCheck = Callable[[Clip, ScenePlan], Iterator[Wrong | Note]]
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
_DEEP_WITHOUT_RENDERING: tuple[tuple[str, DeepCheck], ...] = (
    ("hidden", hidden_in_twins),
    ("readouts", states_in_pictures),
    ("flow", flow_against_depth),
    ("silhouettes", silhouettes_of_preview),
)
_DEEP = (*_DEEP_WITHOUT_RENDERING, ("rendered", hidden_when_rendered))
