"""One clip from one plan: states, rays, pictures, twins, sweep; in its directory the manifest comes last."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from event_library.base import Event
from scenes.plan import ScenePlan
from simulator.clip import Sweep, Window
from simulator.clip_writer import ClipContent, Pictures, write_clip
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
        pictures = []
        for shot in shots:
            pictures.append(self._picture(shot))
            self.done += 1
            self.progress(self.done, self.total)
        return np.stack(pictures)

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


def produce_clip(plan: ScenePlan, out: Path, open_renderer: OpenRenderer, progress: Progress) -> dict[str, float]:
    """Fill the empty directory `out` with the clip of `plan`; returns seconds per stage and picture counts.

    Raises ValueError when the plan cannot be shown as it says (unknown type, target seen while hidden ...).
    """
    began = time.perf_counter()
    stage = Stage.from_plan(plan)
    caster = RayCaster(stage)
    truth = trace(caster)
    windows = hidden_windows(plan, truth.visibility)
    rays_s = time.perf_counter() - began

    renderer = open_renderer(stage)
    open_s = time.perf_counter() - began - rays_s
    shots = _all_shots(plan, windows)
    camera = Camera(caster, renderer, progress, total=sum(map(len, shots.values())))
    rgb = {name: camera.take(group) for name, group in shots.items()}
    render_s = time.perf_counter() - began - rays_s - open_s

    known = {stage.key(shot): hits.segmentation for shot, hits in zip(shots["truth"], truth.hits, strict=True)}
    segmentation = {
        name: _segmentation(caster, shots[name], known) for name in shots if name not in ("truth", "calibration")
    }
    times = {"truth": event_times_s(plan), "observed": event_times_s(plan), "paused": paused_times_s(plan, windows)}
    twins: dict[str, Pictures] = {
        name: Pictures(rgb[name], segmentation[name]) for name in ("observed", "paused") if name in rgb
    }
    content = ClipContent(
        stage=stage,
        rgb=rgb["truth"],
        truth=truth,
        windows=windows,
        timelines={name: _timelines(stage.events, times[name]) for name in ("truth", *twins)},
        twins=twins,
        sweeps=tuple(
            _sweep(stage, window, rgb[name], segmentation[name], shots[name])
            for window, name in zip(windows, _sweep_names(windows), strict=True)
            if name in rgb
        ),
        calibration=_calibration(windows, rgb["calibration"], shots["calibration"]) if "calibration" in rgb else {},
        device=renderer.device,
    )
    masks_s = time.perf_counter() - began - rays_s - open_s - render_s
    stats = {
        "num_pictures": float(camera.total),
        "num_rendered": float(camera.num_rendered),
        "seconds_in_renderer": renderer.seconds_in_renderer,
        "seconds_rays_and_states": rays_s,
        "seconds_opening": open_s,
        "seconds_rendering": render_s,
        "seconds_masks": masks_s,
    }
    write_clip(out, content)
    total_s = time.perf_counter() - began
    return stats | {"seconds_writing": total_s - rays_s - open_s - render_s - masks_s, "seconds_total": total_s}


def _segmentation(caster: RayCaster, shots: list[Shot], known: dict[str, NDArray[np.uint16]]) -> NDArray[np.uint16]:
    """[N, H, W] segmentations; those of pictures that are `known` by their keys are not cast again."""
    found = []
    for shot in shots:
        key = caster.stage.key(shot)
        if key not in known:
            known[key] = caster.cast(shot).segmentation
        found.append(known[key])
    return np.stack(found)


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


def _calibration(
    windows: tuple[Window, ...], rgb: NDArray[np.uint8], shots: list[Shot]
) -> dict[str, tuple[NDArray[np.uint8], float]]:
    """Name -> picture and event time; a clock that would run back beyond the event's start has none."""
    target = windows[0].target
    taken = zip(CALIBRATION, rgb, shots, strict=False)
    return {name: (picture, shot.event_times_s[target]) for name, picture, shot in taken}


def _timelines(events: Mapping[str, Event], times: dict[str, NDArray[np.float64]]) -> dict[str, StateTimeline]:
    return {name: StateTimeline.of(name, event, times[name]) for name, event in events.items()}


def _sweep(
    stage: Stage, window: Window, rgb: NDArray[np.uint8], segmentation: NDArray[np.uint16], shots: list[Shot]
) -> Sweep:
    times_s = np.array([shot.event_times_s[window.target] for shot in shots])
    swept = stage.events[window.target].states(times_s)
    states = {name: v.astype(np.float64) for name, v in swept.items() if v.ndim == 1}
    return Sweep(rgb, segmentation, times_s, states, window.t_r, window.target)
