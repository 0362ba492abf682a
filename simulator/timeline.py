"""Event clocks and states of every frame, for the clip and for its twins."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from event_library.base import Event
from scenes.cameras import envelope, event_light_level, light_level, world_from_camera
from scenes.clock import Clock
from scenes.occluders import occluder_poses
from scenes.plan import ScenePlan
from simulator.clip import Window
from simulator.effects import effects_at
from simulator.stage import Shot

Array = NDArray[np.float64]
HIDES_IN_THE_WORLD = ("look_away", "occluder", "lights_off")  # the others are done to the finished picture


@dataclass(frozen=True)
class StateTimeline:
    """One event's own clock and all its variables at every frame: name -> [T, ...]."""

    event: str
    event_time_s: Array  # [T]
    states: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, name: str, event: Event, event_time_s: Array) -> StateTimeline:
        return cls(name, event_time_s, event.states(event_time_s))


def clip_clock(plan: ScenePlan) -> Clock:
    return Clock(plan.clip.num_frames, plan.clip.fps)


def event_times_s(plan: ScenePlan) -> dict[str, Array]:
    """Event id -> [T] its own clock at every frame: clip time minus its start."""
    times_s = clip_clock(plan).frame_times_s
    return {event.id: times_s - event.start_s for event in plan.events}


def paused_times_s(plan: ScenePlan, windows: tuple[Window, ...]) -> dict[str, Array]:
    """The same, but a target's clock stands still over its [t_h, t_r] and then runs on."""
    clock, times = clip_clock(plan), event_times_s(plan)
    for window in windows:
        frames = np.arange(clock.num_frames)
        lost = np.clip(frames, window.t_h, window.t_r) - window.t_h
        times[window.target] = times[window.target] - lost / clock.fps
    return times


def sweep_times_s(plan: ScenePlan, window: Window, num_steps: int) -> Array:
    """[K] event times from t_h - D to t_h + 2.5 D, D = t_r - t_h, `num_steps` to a D; none before the event's start."""
    clock = clip_clock(plan)
    start_s = next(e.start_s for e in plan.events if e.id == window.target)
    hidden_s = clock.seconds(window.t_r - window.t_h)
    steps = np.arange(-num_steps, int(2.5 * num_steps) + 1)
    times = clock.seconds(window.t_h) - start_s + hidden_s * steps / num_steps
    return times[times >= 0.0]


def dropped_frames(plan: ScenePlan) -> list[int]:
    """Frames that a frame_drop takes out of the clip: a true gap, over which the world goes on."""
    drops = [i for i in plan.interruptions if i.kind == "frame_drop"]
    return [f for f, t_s in enumerate(clip_clock(plan).frame_times_s) if any(envelope(i, t_s) == 1.0 for i in drops)]


def truth_shots(plan: ScenePlan) -> list[Shot]:
    """One shot a frame, as the clip shows it."""
    return _shots(plan, event_times_s(plan), interrupted=True)


def observed_shots(plan: ScenePlan) -> list[Shot]:
    """The same plan without its interruptions."""
    return _shots(plan, event_times_s(plan), interrupted=False)


def paused_shots(plan: ScenePlan, windows: tuple[Window, ...]) -> list[Shot]:
    """The same pictures with the targets' clocks standing still while hidden."""
    return _shots(plan, paused_times_s(plan, windows), interrupted=True)


def _shots(plan: ScenePlan, times_s: Mapping[str, Array], *, interrupted: bool) -> list[Shot]:
    clock, shots = clip_clock(plan), []
    shown = plan if interrupted else dataclasses.replace(plan, interruptions=())
    starts_s = {event.id: event.start_s for event in plan.events}
    for frame, t_s in enumerate(clock.frame_times_s):
        gone = [i for i in shown.interruptions if i.kind in HIDES_IN_THE_WORLD and envelope(i, t_s) == 1.0]
        shots.append(
            Shot(
                world_from_camera=world_from_camera(shown, t_s),
                light_level=light_level(shown, t_s),
                event_times_s={event: float(values[frame]) for event, values in times_s.items()},
                samples=plan.render.samples,
                seed=plan.render.seed + frame,
                muted=frozenset(i.target for i in gone),
                lamp_times_s={i.target: i.out_s - starts_s[i.target] for i in gone},
                occluders=occluder_poses(shown, t_s),
                event_light=event_light_level(shown, t_s),
                effects=effects_at(shown, t_s, frame),
            )
        )
    return shots
