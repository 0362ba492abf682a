"""One clip from one plan: states, rays, pictures, twins, sweep; in its directory the manifest comes last."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from event_library.base import Event
from scenes.plan import ScenePlan
from simulator.clip import Window
from simulator.clip_writer import ArraysFile, ClipContent, write_clip
from simulator.effects import apply_effects, clearness
from simulator.rays import RayCaster
from simulator.stage import Shot, Stage
from simulator.timeline import (
    StateTimeline,
    clip_clock,
    event_times_s,
    observed_shots,
    paused_shots,
    paused_times_s,
    sweep_times_s,
    truth_shots,
)
from simulator.truth import trace
from simulator.visibility import hidden_windows

SWEEP_STEPS = 12  # pictures per hidden duration D
SWEEP_SAMPLES_FACTOR = 4  # low noise
CALIBRATION = {"half_speed": 0.5, "reversed": -1.0}  # name -> clock ratio

Progress = Callable[[int, int], None]  # pictures done, pictures in all


class Renderer(Protocol):
    """Takes one picture: [H, W, 3] uint8 sRGB. The same shot gives the same bytes."""

    device: str

    @property
    def seconds_in_renderer(self) -> float: ...

    def render(self, shot: Shot) -> NDArray[np.uint8]: ...


OpenRenderer = Callable[[Stage], Renderer]


@dataclass
class Camera:
    """Takes shots with their effects; a picture seen before, or of which nothing is left, is not rendered."""

    caster: RayCaster
    renderer: Renderer
    progress: Progress
    total: int = 0
    done: int = 0
    taken: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    num_rendered: int = 0
    mean_rgb: NDArray[np.float64] | None = None  # [3] of the first picture taken

    def take(self, shots: list[Shot]) -> NDArray[np.uint8]:
        """[N, H, W, 3] pictures of the shots. The clip's first shot must be taken before any other."""
        clip = self.caster.stage.plan.clip
        pictures = np.empty((len(shots), clip.height_px, clip.width_px, 3), dtype=np.uint8)
        for picture, shot in zip(pictures, shots, strict=True):
            picture[:] = self._picture(shot)
            self.done += 1
            self.progress(self.done, self.total)
        return pictures

    def _picture(self, shot: Shot) -> NDArray[np.uint8]:
        plain = self._rendered(shot) if clearness(shot.effects) > 0.0 else None
        if self.mean_rgb is None:
            assert plain is not None, "the first picture is never hidden by effects"
            self.mean_rgb = plain.mean(axis=(0, 1))
        if not shot.effects and plain is not None:
            return plain
        return apply_effects(shot.effects, plain, self.caster.cast(shot).depth_m, self.mean_rgb)

    def _rendered(self, shot: Shot) -> NDArray[np.uint8]:
        key = self.caster.stage.key(shot)
        if key not in self.taken:
            self.taken[key] = self.renderer.render(shot)
            self.num_rendered += 1
        return self.taken[key]


class _Stages:
    """Seconds by stage: each `end` gives the time since the last one to a stage."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(("rays_and_states", "opening", "rendering", "masks", "writing"), 0.0)
        self._began_s = self._last_s = time.perf_counter()

    def end(self, stage: str) -> None:
        now_s = time.perf_counter()
        self.seconds[stage] += now_s - self._last_s
        self._last_s = now_s

    def stats(self) -> dict[str, float]:
        total_s = self._last_s - self._began_s
        return {f"seconds_{stage}": spent_s for stage, spent_s in self.seconds.items()} | {"seconds_total": total_s}


def produce_clip(plan: ScenePlan, out: Path, open_renderer: OpenRenderer, progress: Progress) -> dict[str, float]:
    """Fill the empty directory `out` with the clip of `plan`; returns seconds per stage and picture counts.

    Arrays go to disk as they come, so that a worker holds few of them. Raises ValueError when the plan cannot be shown
    as it says (unknown type, target seen while hidden ...).
    """
    stages = _Stages()
    stage = Stage.from_plan(plan)
    caster = RayCaster(stage)
    truth = trace(caster)
    windows = hidden_windows(plan, truth.visibility)
    shots = _all_shots(plan, windows)
    known = {_sight(stage, shot): hits.segmentation for shot, hits in zip(shots["truth"], truth.hits, strict=True)}
    visibility, boxes = truth.visibility, truth.boxes
    stages.end("rays_and_states")
    with ArraysFile(out / "arrays.h5") as arrays:
        while truth.arrays:
            arrays.add(*truth.arrays.popitem())
        del truth
        stages.end("writing")
        renderer = open_renderer(stage)
        stages.end("opening")
        camera = Camera(caster, renderer, progress, total=sum(map(len, shots.values())))
        for name, group in shots.items():
            rgb = camera.take(group)
            stages.end("rendering")
            masks = _segmentation(caster, group, known) if name not in ("truth", "calibration") else None
            stages.end("masks")
            _add_group(arrays, name, rgb, masks)
            if name == "truth":
                video = rgb
            stages.end("writing")
        twins = [name for name in ("observed", "paused") if name in shots]
        times = {"truth": event_times_s(plan), "observed": event_times_s(plan), "paused": paused_times_s(plan, windows)}
        timelines = {name: _timelines(stage.events, times[name]) for name in ("truth", *twins)}
        _add_states(arrays, stage, windows, shots, timelines["truth"])
    content = ClipContent(
        stage=stage,
        rgb=video,
        visibility=visibility,
        boxes=boxes,
        windows=windows,
        timelines=timelines,
        device=renderer.device,
    )
    write_clip(out, content, arrays.facts)
    stages.end("writing")
    return {
        "num_pictures": float(camera.total),
        "num_rendered": float(camera.num_rendered),
        "seconds_in_renderer": renderer.seconds_in_renderer,
        **stages.stats(),
    }


def _add_group(arrays: ArraysFile, name: str, rgb: NDArray[np.uint8], segmentation: NDArray[np.uint16] | None) -> None:
    """The pictures of one group of shots, under the name that simulator.clip gives it."""
    place = {"truth": "", "calibration": "calibration/"}.get(name, f"{_folder(name)}/")
    arrays.add(f"{place}rgb", rgb)
    if segmentation is not None:
        arrays.add(f"{place}segmentation", segmentation)


def _folder(name: str) -> str:
    return name.replace("sweep ", "sweeps/") if name.startswith("sweep ") else f"twins/{name}"


def _add_states(
    arrays: ArraysFile,
    stage: Stage,
    windows: tuple[Window, ...],
    shots: Mapping[str, list[Shot]],
    timelines: Mapping[str, StateTimeline],
) -> None:
    """Event times and states of the sweeps, times of the calibration, and the events' fields."""
    for window, name in zip(windows, _sweep_names(windows), strict=True):
        if name in shots:
            times_s = np.array([shot.event_times_s[window.target] for shot in shots[name]])
            arrays.add(f"{_folder(name)}/event_time_s", times_s)
            for variable, values in stage.events[window.target].states(times_s).items():
                if values.ndim == 1:
                    arrays.add(f"{_folder(name)}/states/{variable}", values.astype(np.float64))
            arrays.label(_folder(name), frame=window.t_r, target=window.target)
    if calibration := shots.get("calibration"):
        target = windows[0].target
        arrays.add("calibration/event_time_s", np.array([shot.event_times_s[target] for shot in calibration]))
        arrays.label("calibration", names=json.dumps(list(CALIBRATION)[: len(calibration)]))
    for event, timeline in timelines.items():
        for variable, values in timeline.states.items():
            if values.ndim > 1:
                arrays.add(f"fields/{event}/{variable}", np.asarray(values, dtype=np.float64))


def _segmentation(caster: RayCaster, shots: list[Shot], known: dict[str, NDArray[np.uint16]]) -> NDArray[np.uint16]:
    """[N, H, W] segmentations; those that are `known` by their sights are not cast again."""
    found = []
    for shot in shots:
        key = _sight(caster.stage, shot)
        if key not in known:
            known[key] = caster.cast(shot).segmentation
        found.append(known[key])
    return np.stack(found)


def _sight(stage: Stage, shot: Shot) -> str:
    """Two shots with the same sight show the same bodies, those of muted events among them, in whatever light."""
    lit = dataclasses.replace(shot, muted=frozenset(), lamp_times_s={}, light_level=1.0, event_light=1.0)
    return stage.key(dataclasses.replace(lit, samples=1, seed=0))


def _all_shots(plan: ScenePlan, windows: tuple[Window, ...]) -> dict[str, list[Shot]]:
    shots = {"truth": truth_shots(plan)}
    if "twins" in plan.outputs and windows:
        shots["observed"] = observed_shots(plan)
        shots["paused"] = paused_shots(plan, windows)
    if "sweep" in plan.outputs and windows:
        for n, (window, name) in enumerate(zip(windows, _sweep_names(windows), strict=True)):
            samples, seed = plan.render.samples * SWEEP_SAMPLES_FACTOR, plan.render.seed + 100_000 * (n + 1)
            times_s = sweep_times_s(plan, window, SWEEP_STEPS)
            at_return = shots["truth"][window.t_r]
            shots[name] = [_at(at_return, window, t_s, samples, seed + k) for k, t_s in enumerate(times_s)]
        shots["calibration"] = _calibration_shots(plan, windows[0], shots["truth"][windows[0].t_r])
    return shots


def _sweep_names(windows: tuple[Window, ...]) -> list[str]:
    return [f"sweep {n}" for n in range(len(windows))]


def _calibration_shots(plan: ScenePlan, window: Window, at_return: Shot) -> list[Shot]:
    """The frame of return at clip quality with the event's clock at half speed, and reversed."""
    clock = clip_clock(plan)
    hidden_s = clock.seconds(window.t_r - window.t_h)
    at_t_h_s = clock.seconds(window.t_h) - next(e.start_s for e in plan.events if e.id == window.target)
    return [
        _at(at_return, window, at_t_h_s + ratio * hidden_s, plan.render.samples, plan.render.seed + window.t_r)
        for ratio in CALIBRATION.values()
        if at_t_h_s + ratio * hidden_s >= 0.0
    ]


def _at(shot: Shot, window: Window, event_time_s: float, samples: int, seed: int) -> Shot:
    """The same picture with the target's clock elsewhere."""
    times = {**shot.event_times_s, window.target: float(event_time_s)}
    return dataclasses.replace(shot, event_times_s=times, samples=samples, seed=seed)


def _timelines(events: Mapping[str, Event], times: dict[str, NDArray[np.float64]]) -> dict[str, StateTimeline]:
    return {name: StateTimeline.of(name, event, times[name]) for name, event in events.items()}
