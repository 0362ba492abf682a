"""A strip: the few pictures of a plan that tell whether its event shows, is hidden, goes on and can be measured.

Far cheaper than a clip: the gallery and the checks by rendering are made of strips.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scenes.cameras import envelope
from scenes.plan import ScenePlan
from simulator.clip import Window
from simulator.effects import clearness
from simulator.produce import Camera, OpenRenderer, Progress
from simulator.rays import RayCaster
from simulator.stage import Shot, Stage
from simulator.timeline import clip_clock, paused_shots, truth_shots
from simulator.view import unproject
from simulator.visibility import SEEN_SHARE

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


def produce_strip(plan: ScenePlan, out: Path, open_renderer: OpenRenderer, progress: Progress) -> dict[str, float]:
    """Render the strip of the plan's first window into the directory `out`.

    Raises ValueError when the plan cannot be shown as it says.
    """
    stage = Stage.from_plan(plan)
    caster = RayCaster(stage)
    window = _steady_window(plan)
    target, before, after = window.target, window.t_h, window.t_r
    carriers = [b.instance for b in stage.event_bodies(target) if b.part.carries]
    truth, paused = truth_shots(plan), paused_shots(plan, (window,))[after]
    _check_hidden([truth[f] for f in (window.hidden_frames[0], window.hidden_frames[-1])], caster, carriers)
    middle = window.hidden_frames[len(window.hidden_frames) // 2]
    frames = (0, before, middle, after, plan.clip.num_frames - 1)
    renderer = open_renderer(stage)
    camera = Camera(caster, renderer, progress, total=len(NAMES))
    pictures = camera.take([*(truth[f] for f in frames), paused])
    inside = np.isin(caster.cast(truth[after]).segmentation, carriers)
    inside |= np.isin(caster.cast(paused).segmentation, carriers)
    change = np.abs(pictures[3].astype(np.float64) - pictures[5])[inside]
    readings = [
        reading
        for frame, picture in zip(frames, pictures, strict=False)
        if frame != middle and _seen_share(truth[frame], caster, target, carriers) >= SEEN_SHARE
        for reading in _readings(stage, caster, truth[frame], target, frame, picture)
    ]
    Strip(
        plan,
        pictures,
        float(change.mean()) if change.size else 0.0,
        float((change.max(axis=-1) >= 24).mean()) if change.size else 0.0,
        tuple(readings),
    ).write(out)
    return {"seconds_in_renderer": renderer.seconds_in_renderer, "pictures": float(len(pictures))}


def _steady_window(plan: ScenePlan) -> Window:
    """From the last frame before the first interruption to the first one after it: the camera is at rest in both."""
    clock, interruption = clip_clock(plan), plan.interruptions[0]
    before = np.flatnonzero(clock.frame_times_s <= interruption.out_s)
    after = np.flatnonzero(clock.frame_times_s >= interruption.back_s)
    hidden = tuple(f for f, t_s in enumerate(clock.frame_times_s) if envelope(interruption, t_s) == 1.0)
    return Window(interruption.target, interruption.kind, int(before[-1]), int(after[0]), hidden)


def _check_hidden(shots: list[Shot], caster: RayCaster, carriers: list[int]) -> None:
    """Raises ValueError when carriers are in a lit picture that should hide them."""
    plain = [shot for shot in shots if shot.light_level > 0 and clearness(shot.effects) > 0]
    seen = [int(np.isin(caster.cast(shot).segmentation, carriers).sum()) for shot in plain]
    if any(seen):
        raise ValueError(f"{max(seen)} carrier pixels are seen in a frame that should hide them")


def _seen_share(shot: Shot, caster: RayCaster, target: str, carriers: list[int]) -> float:
    """Carrier pixels of the picture over those that the event alone would cover."""
    geometric = np.isin(caster.cast(shot).segmentation, carriers).sum()
    alone = np.isin(caster.cast_event(shot, target).segmentation, carriers).sum()
    return float(geometric / max(alone, 1))


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
