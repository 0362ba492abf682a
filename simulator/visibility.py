"""What a viewer sees of each event at every frame, why not, and the hidden windows that follow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.cameras import envelope, light_level
from scenes.plan import InterruptionPlan, ScenePlan
from simulator.clip import Window
from simulator.effects import clearness
from simulator.rays import Hits, RayCaster
from simulator.stage import Shot, Stage
from simulator.timeline import clip_clock, observed_shots, truth_shots

_EFFECT_CAUSES = {"fog": "fog", "black": "black", "dropped": "dropped"}
SEEN_SHARE = 0.9  # of the carriers: the last such frame before is t_h, the first after is t_r


@dataclass(frozen=True)
class Visibility:
    """Per frame, of one event's carriers.

    visible_fraction: pixels seen over pixels that the event alone covers from the uninterrupted camera, times the share
    of the light that is on; clipped to 1.
    """

    event: str
    visible_px: NDArray[np.int64]  # [T]
    visible_fraction: NDArray[np.float64]  # [T]
    hidden: NDArray[np.bool_]  # [T]
    hidden_by: tuple[str | None, ...]


Witness = Callable[[int, Hits], None]  # called with a frame and what its rays met, while its geometry is at hand


def see(
    stage: Stage, caster: RayCaster, witness: Witness = lambda frame, hits: None
) -> tuple[list[Hits], dict[str, Visibility]]:
    """Truth rays of every frame in turn, and what they say about each event."""
    hits, alone_px = [], {event: np.zeros(stage.plan.clip.num_frames, dtype=np.int64) for event in stage.events}
    for frame, (shot, plain) in enumerate(zip(truth_shots(stage.plan), observed_shots(stage.plan), strict=True)):
        hits.append(caster.cast(shot))
        witness(frame, hits[-1])
        for event in stage.events:
            alone = hits[-1].alone[event]
            if not np.array_equal(shot.world_from_camera, plain.world_from_camera):
                alone = caster.cast_event(plain, event).segmentation
            alone_px[event][frame] = int(np.isin(alone, _carriers(stage, event)).sum())
    return hits, {event: _visibility(stage, hits, event, alone_px[event]) for event in stage.events}


def _carriers(stage: Stage, event: str) -> list[int]:
    return [b.instance for b in stage.event_bodies(event) if b.part.carries]


def _visibility(stage: Stage, hits: list[Hits], event: str, alone_px: NDArray[np.int64]) -> Visibility:
    plan, carriers, shots = stage.plan, _carriers(stage, event), truth_shots(stage.plan)
    light = np.array([light_level(plan, t_s) for t_s in clip_clock(plan).frame_times_s])
    light *= [clearness(shot.effects) for shot in shots]
    geometric = np.array([int(np.isin(h.segmentation, carriers).sum()) for h in hits])
    seen_px = np.where(light > 0, geometric, 0)
    fraction = np.minimum(geometric / np.maximum(alone_px, 1), 1.0) * light
    hidden = _fully_hidden(plan, event) | (seen_px == 0)
    in_view = [bool(np.isin(h.alone[event], carriers).any()) for h in hits]
    causes = tuple(_cause(s, seen) if gone else None for s, seen, gone in zip(shots, in_view, hidden, strict=True))
    return Visibility(event, seen_px, fraction, hidden, causes)


def hidden_windows(plan: ScenePlan, visibility: dict[str, Visibility]) -> tuple[Window, ...]:
    """Windows of all interruptions, in the plan's order; those that hide one target together are one window.

    Raises ValueError when a target is not hidden, or not plainly seen around its window.
    """
    windows: dict[tuple[str, int, int], Window] = {}
    for interruption in plan.interruptions:
        window = _window(plan, interruption, visibility[interruption.target])
        key = (window.target, window.t_h, window.t_r)
        if key in windows:
            earlier = windows[key]
            frames = tuple(sorted({*earlier.hidden_frames, *window.hidden_frames}))
            window = dataclasses.replace(earlier, kind=f"{earlier.kind}+{window.kind}", hidden_frames=frames)
        windows[key] = window
    return tuple(windows.values())


def _window(plan: ScenePlan, interruption: InterruptionPlan, seen: Visibility) -> Window:
    clock = clip_clock(plan)
    full = [f for f, t_s in enumerate(clock.frame_times_s) if envelope(interruption, t_s) == 1.0]
    place = f"{plan.name}: interruptions of {interruption.target}"
    if not full:
        raise ValueError(f"{place}: no frame lies inside the hidden window; lengthen hidden_s or raise fps")
    if peeks := [f for f in full if seen.visible_px[f] > 0]:
        raise ValueError(f"{place}: {seen.visible_px[peeks[0]]} carrier pixels are seen at hidden frame {peeks[0]}")
    plain = seen.visible_fraction >= SEEN_SHARE
    before, after = np.flatnonzero(plain[: full[0]]), np.flatnonzero(plain[full[-1] :])
    if len(before) == 0 or len(after) == 0:
        when = "before" if len(before) == 0 else "after"
        raise ValueError(f"{place}: the target is never plainly seen {when} the window; move the camera or the clutter")
    return Window(interruption.target, interruption.kind, int(before[-1]), int(after[0]) + full[-1], tuple(full))


def _fully_hidden(plan: ScenePlan, event: str) -> NDArray[np.bool_]:
    times_s = clip_clock(plan).frame_times_s
    own = [i for i in plan.interruptions if i.target == event]
    return np.array([any(envelope(i, t_s) == 1.0 for i in own) for t_s in times_s])


def _cause(shot: Shot, in_view: bool) -> str:
    """The first thing, from the screen back into the world, that keeps the event from being seen."""
    for effect in reversed(shot.effects):
        if effect.strength == 1.0:
            return _EFFECT_CAUSES.get(effect.kind, "corrupt")
    if shot.light_level == 0.0:
        return "dark"
    return "occluded" if in_view else "out_of_view"
