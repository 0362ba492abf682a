"""Solving interruptions: when they happen and how far the camera turns, so that a change is hidden, then seen.

Everything is in clip seconds. What cannot be hidden or seen raises Problem with the reason and a fix.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from event_library.base import Event
from scenes.cameras import base_pose
from scenes.errors import Problem
from scenes.framing import EDGE, covered_px, duration_s, inverse, out_of_sight, reach
from scenes.lighting import shadow_points
from scenes.occupancy import Occupancy, box_corners, inflated, occupancy
from scenes.plan import CameraPlan, ClipPlan, EventPlan, InterruptionPlan, LightPlan
from scenes.poses import standing_pose
from scenes.room import Extent

Array = NDArray[np.float64]
TURN_S: Mapping[str, float] = {"look_away": 0.6, "lights_off": 0.3}
CLEAR_S = 0.7  # the target is seen at least so long before, between and after interruptions (less in very short clips)
PREFERRED_TURN_DEG = 115.0  # far enough that nothing the event reflects reaches what is seen instead
PREFERRED_TURN_EMITTER_DEG = 150.0
MARGIN_RAD = np.deg2rad(4.0)  # the influence box stays so far outside the picture
INFLATE = 1.2
WINDOW_TRIES = 60


@dataclass(frozen=True)
class Request:
    """One interruption with its draws made; `at_s` and `turn_rad` are None where the planner chooses."""

    kind: str
    target: str
    hidden_s: float
    turn_s: float
    at_s: float | None = None
    turn_rad: float | None = None

    @property
    def whole_s(self) -> float:
        """From the last plain sight of the target to the next."""
        return self.hidden_s + 2 * self.turn_s


@dataclass(frozen=True)
class Staged:
    """A plan's events in front of its camera, before its interruptions."""

    clip: ClipPlan
    camera: CameraPlan
    plans: Mapping[str, EventPlan]
    events: Mapping[str, Event]
    occupancies: Mapping[str, Occupancy]


def check_hideable(request: Request, events: Mapping[str, Event]) -> None:
    """Raises Problem when this kind of interruption cannot hide its target at all."""
    if request.kind != "lights_off":
        return
    for name, event in events.items():
        if event.info.emits_light:
            raise Problem(
                f"lights_off cannot hide anything here: {name!r} ({event.info.id}) gives light itself; use look_away",
                ("kind",),
            )


# ---- when


def place_windows(requests: list[Request], staged: Staged, rng: np.random.Generator) -> list[InterruptionPlan]:
    """Windows that follow each other in the clip, each over enough change of its target; turns are not solved yet.

    Raises Problem placed at `(index, field)` of the request that fails. The camera does not matter here.
    """
    if not requests:
        return []
    total_s = duration_s(staged.clip)
    clear_s = min(CLEAR_S, 0.15 * total_s)
    slack_s = total_s - sum(r.whole_s for r in requests) - clear_s * (len(requests) + 1)
    if slack_s < -1e-9:
        longest = max(range(len(requests)), key=lambda i: requests[i].whole_s)
        need_s = total_s - slack_s
        raise Problem(
            f"does not fit: with its turns and {clear_s:.2g} s of sight around, this needs a clip of {need_s:.3g} s, "
            f"which lasts {total_s:.3g} s; hide it for less or make the clip longer",
            (longest, "hidden_s"),
        )
    last: Problem | None = None
    for attempt in range(WINDOW_TRIES):
        gaps = rng.dirichlet(np.ones(len(requests) + 1)) * max(slack_s, 0.0)
        if len(requests) == 1:
            gaps[0] = _preferred_gap_s(requests[0], staged, slack_s, clear_s, attempt, float(rng.uniform()))
        windows, at_s = [], 0.0
        for request, gap_s in zip(requests, gaps, strict=False):
            at_s += clear_s + float(gap_s)
            windows.append(window_at(request, at_s if request.at_s is None else request.at_s))
            at_s = windows[-1].back_s
        try:
            check_order(windows, total_s, clear_s)
            for i, window in enumerate(windows):
                check_change(i, window, staged)
            return windows
        except Problem as problem:
            last = problem
            if all(request.at_s is not None for request in requests):
                break
    assert last is not None
    if len(requests) == 1 and requests[0].at_s is None and last.place == (0, "hidden_s"):
        raise Problem(f"{last.message}; {nearest_change(requests[0], staged, clear_s)}", last.place)
    raise last


def _preferred_gap_s(
    request: Request, staged: Staged, slack_s: float, clear_s: float, attempt: int, share: float
) -> float:
    """First tries leave as much event time before the window as it lasts, so that a reversed clock exists."""
    slack_s = max(slack_s, 0.0)
    ran_s = -staged.plans[request.target].start_s
    earliest_s = min(max(request.whole_s - ran_s - clear_s, 0.0), slack_s) if attempt < WINDOW_TRIES // 2 else 0.0
    return earliest_s + share * (slack_s - earliest_s)


def window_at(request: Request, out_s: float) -> InterruptionPlan:
    """The request, going out at `out_s` (turn not solved yet)."""
    from_s = out_s + request.turn_s
    to_s = from_s + request.hidden_s
    return InterruptionPlan(
        kind="look_away" if request.kind == "look_away" else "lights_off",
        target=request.target,
        out_s=out_s,
        hidden_from_s=from_s,
        hidden_to_s=to_s,
        back_s=to_s + request.turn_s,
    )


def check_order(windows: list[InterruptionPlan], total_s: float, clear_s: float) -> None:
    """Raises Problem when windows meet, or leave too little sight before the first or after the last."""
    before_s = 0.0
    for i, window in enumerate(windows):
        if window.out_s < before_s + clear_s - 1e-9:
            raise Problem(
                f"goes out at {window.out_s:.3g} s, but the target must be seen for {clear_s:.2g} s before; "
                f"start at {before_s + clear_s:.3g} s or later",
                (i, "at_s"),
            )
        before_s = window.back_s
    if before_s > total_s - clear_s + 1e-9:
        latest_s = windows[-1].out_s - (before_s - total_s + clear_s)
        raise Problem(
            f"is back at {before_s:.3g} s of a clip of {total_s:.3g} s, but {clear_s:.2g} s must follow; "
            f"start at {latest_s:.3g} s or earlier, or hide it for less",
            (len(windows) - 1, "at_s"),
        )


def check_change(index: int, window: InterruptionPlan, staged: Staged) -> None:
    """Raises Problem when the probe variable changes by less than its min_delta while the target is not plainly seen.

    The last and first frames in plain sight may lie one frame off the window's ends, so the least change over those
    ends counts. Cyclic variables count by the shorter way round.
    """
    variable = staged.events[window.target].probe_variable()
    change, least = least_change(window, staged), variable.min_delta or 0.0
    if change < least * (1 - 1e-9):
        raise Problem(
            f"{variable.name} changes by {change:.3g} {variable.unit} while hidden from {window.out_s:.3g} s to "
            f"{window.back_s:.3g} s, less than the {least:.3g} {variable.unit} that count as moved; "
            "hide it for longer, at another time (at_s), or let the event's params vary",
            (index, "hidden_s"),
        )


def least_change(window: InterruptionPlan, staged: Staged) -> float:
    """Least change of the target's probe variable over the window's ends, each a frame earlier or later."""
    event, plan = staged.events[window.target], staged.plans[window.target]
    variable = event.probe_variable()
    frame_s = 1.0 / staged.clip.fps
    ends = np.array([window.out_s - frame_s, window.out_s, window.out_s + frame_s])
    backs = np.array([window.back_s - frame_s, window.back_s, window.back_s + frame_s])
    times = np.maximum(np.concatenate([ends, backs]), 0.0) - plan.start_s
    values = np.asarray(event.states(times)[variable.name], dtype=np.float64).reshape(6, -1)
    return min(float(np.linalg.norm(variable.difference(a, b))) for a in values[:3] for b in values[3:])


def nearest_change(request: Request, staged: Staged, clear_s: float) -> str:
    """In words: the shortest hidden time from the one asked for, and the clip for it, over which enough changes."""
    least = staged.events[request.target].probe_variable().min_delta or 0.0
    for hidden_s in request.hidden_s + 0.25 * np.arange(120):
        longer = dataclasses.replace(request, hidden_s=float(hidden_s))
        starts = np.arange(clear_s, max(duration_s(staged.clip) - longer.whole_s, 0.0) + clear_s + 2.0, 0.25)
        at_s = next((t for t in starts if least_change(window_at(longer, float(t)), staged) >= least), None)
        if at_s is not None:
            clip_s = max(at_s + longer.whole_s + clear_s, duration_s(staged.clip))
            return f"nearest legal: hidden_s: {hidden_s:.3g} at_s: {at_s:.3g} in a clip of {clip_s:.3g} s"
    return f"not even {request.hidden_s + 30:.3g} s are enough: let the event's params or its start_s vary"


# ---- how far


def influence_points(occupied: Occupancy, lights: tuple[LightPlan, ...], extent: Extent) -> Array:
    """[N, 3] hull of all that an event ever occupies, inflated, with the shadows it throws."""
    box_m = inflated(occupied.box_m, INFLATE)
    shadow = shadow_points(box_m, lights, 0.0, extent.room_half_m)
    parts = [box_corners(box_m), shadow]
    if extent.on_table and np.any(np.abs(shadow[:, :2]) > extent.support_half_m):
        parts.append(shadow_points(box_m, lights, extent.ground_z_m, extent.room_half_m))
    return np.vstack(parts)


def solve_turn(
    request: Request, window: InterruptionPlan, staged: Staged, influence_m: Array, rng: np.random.Generator
) -> float:
    """Greatest yaw, signed (positive turns left): hides the influence points, the preferred one if it does.

    Raises Problem placed at a field of the request when the turn asked for does not do, or none does.
    """
    times = np.linspace(window.hidden_from_s, window.hidden_to_s, 5)
    poses = [base_pose(staged.camera, t, duration_s(staged.clip)) for t in times]

    def hides(turn_rad: float) -> bool:
        return all(hidden(influence_m, pose, turn_rad, staged) for pose in poses)

    sides = (1.0, -1.0) if rng.uniform() < 0.5 else (-1.0, 1.0)
    emits = any(event.info.emits_light for event in staged.events.values())
    preferred = float(np.deg2rad(PREFERRED_TURN_EMITTER_DEG if emits else PREFERRED_TURN_DEG))
    if request.turn_rad is not None:
        wanted = [side * request.turn_rad for side in sides]
    else:
        wanted = [side * preferred for side in sides]
    for turn_rad in wanted:
        if hides(turn_rad):
            return turn_rad
    least = [side * np.deg2rad(degrees) for degrees in range(5, 181) for side in sides]
    solved = next((float(turn_rad) for turn_rad in least if hides(float(turn_rad))), None)
    name = window.target
    if solved is None:
        raise Problem(
            f"no turn of the camera hides {name!r} and its shadow; "
            "move the camera back, narrow fov_deg, or use lights_off",
            ("kind",),
        )
    if request.turn_rad is not None:
        raise Problem(
            f"{np.rad2deg(request.turn_rad):.0f} deg do not hide {name!r} and its shadow; at least "
            f"{np.ceil(np.rad2deg(abs(solved))):.0f} deg do, or leave turn_deg out",
            ("turn_deg",),
        )
    return solved


def hidden(points_m: Array, base: Array, turn_rad: float, staged: Staged) -> bool:
    """Whether the points' hull is out of the picture once the camera has turned by `turn_rad` about the vertical."""
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    pose = base.copy()
    pose[:3, :3] = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]) @ base[:3, :3]
    return out_of_sight(points_m, pose, staged.camera, staged.clip, float(MARGIN_RAD))


# ---- before and after


def check_seen(window: InterruptionPlan, staged: Staged) -> None:
    """Raises Problem unless the carriers of the paused and the true state are plainly seen around it."""
    event, plan = staged.events[window.target], staged.plans[window.target]
    times = np.array([window.out_s, window.back_s])
    seen = occupancy(event, standing_pose(plan), times - plan.start_s)
    for instant, shown in ((0, window.out_s), (0, window.back_s), (1, window.back_s)):
        hulls = [part.points_m for part in seen.carriers(instant)]
        camera = inverse(base_pose(staged.camera, shown, duration_s(staged.clip)))
        pixels = covered_px(hulls, camera, staged.camera, staged.clip)
        if pixels < event.info.min_visible_px:
            raise Problem(
                f"what shows the state of {window.target!r} covers about {pixels} px (of 64 x 64) at {shown:.3g} s, "
                f"less than the {event.info.min_visible_px} it needs; move the camera nearer or leave distance_m out",
                ("target",),
            )


def check_framed(target: str, staged: Staged) -> None:
    """Raises Problem when the target's carriers ever leave the picture of the base camera path."""
    occupied = staged.occupancies[target]
    points = [part.points_m for i in range(len(occupied.instants)) for part in occupied.carriers(i)]
    if points and reach(np.vstack(points), staged.camera, staged.clip) > EDGE:
        raise Problem(
            f"{target!r} does not stay in the picture; move the camera back, widen fov_deg, or leave distance_m out",
            ("camera", "distance_m"),
        )
