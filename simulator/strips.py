"""A strip: the few pictures of a plan that tell whether its event shows, is hidden, goes on and can be measured.

Far cheaper than a clip: the gallery and the checks by rendering are made of strips.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scenes.plan import ScenePlan
from simulator.produce import Progress, Renderer
from simulator.rays import RayCaster
from simulator.stage import Shot, Stage
from simulator.timeline import clip_clock, paused_shots, truth_shots
from simulator.view import unproject
from simulator.visibility import SEEN_SHARE, hidden_windows, see

NAMES = ("start", "last seen", "hidden", "seen again", "end", "had it paused")


@dataclass(frozen=True)
class Reading:
    """One readout measured from one picture's passes."""

    frame: int
    name: str
    measured: float
    truth: float
    tolerance: float

    @property
    def holds(self) -> bool:
        return bool(abs(self.measured - self.truth) <= self.tolerance + 1e-9)


@dataclass(frozen=True)
class Strip:
    """Pictures [6, H, W, 3] in the order of NAMES, how much pausing changes the carriers, and all readings.

    mean_change: mean of |went on - paused| at the return inside the carriers of either, in 1/255.
    changed_share: share of those pixels that change by at least 24/255 in a channel.
    """

    plan: ScenePlan
    pictures: NDArray[np.uint8]
    mean_change: float
    changed_share: float
    readings: tuple[Reading, ...]

    def write(self, out: Path) -> None:
        """Into the directory `out`: plan.json, pictures.npy, strip.json."""
        (out / "plan.json").write_text(self.plan.to_json(), encoding="utf-8")
        np.save(out / "pictures.npy", self.pictures)
        figures = {
            "mean_change": self.mean_change,
            "changed_share": self.changed_share,
            "readings": [dataclasses.asdict(r) for r in self.readings],
        }
        (out / "strip.json").write_text(json.dumps(figures), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """A strip as `write` left it."""
        figures: dict[str, Any] = json.loads((path / "strip.json").read_text("utf-8"))
        readings = tuple(Reading(**r) for r in figures.pop("readings"))
        return cls(ScenePlan.read(path / "plan.json"), np.load(path / "pictures.npy"), readings=readings, **figures)


def produce_strip(
    plan: ScenePlan, out: Path, open_renderer: Callable[[Stage], Renderer], progress: Progress
) -> dict[str, float]:
    """Render the strip of the plan's first window into the directory `out`.

    Raises ValueError when the plan cannot be shown as it says.
    """
    stage = Stage.from_plan(plan)
    caster = RayCaster(stage)
    _, visibility = see(stage, caster)
    windows = hidden_windows(plan, visibility)
    window, target = windows[0], windows[0].target
    middle = window.hidden_frames[len(window.hidden_frames) // 2]
    before, after = _steady_frames(plan)
    frames = (0, before, middle, after, plan.clip.num_frames - 1)
    truth = truth_shots(plan)
    paused = paused_shots(plan, windows)[after]
    renderer = open_renderer(stage)
    pictures = []
    for shot in (*(truth[f] for f in frames), paused):
        pictures.append(renderer.render(shot))
        progress(len(pictures), len(NAMES))
    carriers = [b.instance for b in stage.event_bodies(target) if b.part.carries]
    inside = np.isin(caster.cast(truth[after]).segmentation, carriers)
    inside |= np.isin(caster.cast(paused).segmentation, carriers)
    change = np.abs(pictures[3].astype(np.float64) - pictures[5])[inside]
    readings = [
        reading
        for frame, picture in zip(frames, pictures, strict=False)
        if visibility[target].visible_fraction[frame] >= SEEN_SHARE
        for reading in _readings(stage, caster, truth[frame], target, frame, picture)
    ]
    Strip(
        plan,
        np.stack(pictures),
        float(change.mean()) if change.size else 0.0,
        float((change.max(axis=-1) >= 24).mean()) if change.size else 0.0,
        tuple(readings),
    ).write(out)
    return {"seconds_in_cycles": renderer.seconds_in_cycles, "pictures": float(len(pictures))}


def _steady_frames(plan: ScenePlan) -> tuple[int, int]:
    """The last frame before the first interruption begins, and the first one after it is over."""
    clock, interruption = clip_clock(plan), plan.interruptions[0]
    before = np.flatnonzero(clock.frame_times_s <= interruption.out_s)
    after = np.flatnonzero(clock.frame_times_s >= interruption.back_s)
    return int(before[-1]), int(after[0])


def _readings(
    stage: Stage, caster: RayCaster, shot: Shot, target: str, frame: int, picture: NDArray[np.uint8]
) -> list[Reading]:
    hits, event = caster.cast(shot), stage.events[target]
    camera_from_world = np.linalg.inv(shot.world_from_camera)
    names = {b.instance: b.part.name for b in stage.event_bodies(target)}
    view = unproject(
        hits.segmentation, hits.depth_m, picture, stage.intrinsics, camera_from_world, stage.event_plan(target), names
    )
    state = event.state_at(shot.event_times_s[target])
    found = []
    for name, measured in event.measure(view).items():
        variable = event.variable(name)
        truth = float(state[name])
        off = float(variable.difference(np.asarray(truth), np.asarray(measured)))
        found.append(Reading(frame, name, truth + off, truth, variable.tolerance))
    return found
