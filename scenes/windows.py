"""When interruptions happen: windows over enough change of their targets, with plain sight around them.

Everything is in clip seconds. What cannot be placed raises Problem with the reason and a fix.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.errors import Problem
from scenes.framing import duration_s
from scenes.plan import ClipPlan, Corruption, InterruptionPlan, Kind, Motion
from scenes.staging import Running

Array = NDArray[np.float64]
TURN_S: Mapping[Kind, float] = {
    "look_away": 0.6, "occluder": 0.5, "lights_off": 0.3, "fog": 0.8, "blackout": 0.0, "frame_drop": 0.0,
    "corrupt": 0.25,
}  # fmt: skip
AT_ONCE: tuple[Kind, ...] = ("blackout", "frame_drop", "corrupt")  # may come and go in no time
# what an interruption acts on; two that act on the same thing cannot overlap
NATURES: Mapping[Kind, str] = {
    "look_away": "the camera", "occluder": "what stands before the camera", "lights_off": "the light", "fog": "the air",
    "blackout": "the picture signal", "frame_drop": "the picture signal", "corrupt": "the picture signal",
}  # fmt: skip
LEAST_TURN_S = 0.05
CLEAR_S = 0.7  # the target is seen at least so long before, between and after interruptions (less in very short clips)
WINDOW_TRIES = 60


@dataclass(frozen=True, kw_only=True)
class Request:
    """One interruption with its draws made; None where the planner chooses."""

    kind: Kind
    target: str
    hidden_s: float
    turn_s: float
    at_s: float | None = None
    motion: Motion = "yaw"
    direction: str | None = None
    turn_rad: float | None = None
    shift_m: float | None = None
    occluder: str = "board"
    size_m: tuple[float, float] | None = None
    event_lights: bool = False
    corruption: Corruption = "none"

    @property
    def whole_s(self) -> float:
        """From the last plain sight of the target to the next."""
        return self.hidden_s + 2 * self.turn_s


def check_times(request: Request, fps: float) -> None:
    """Raises Problem when the hidden time holds no frame, or the way out does not suit the kind."""
    if request.hidden_s < 1.0 / fps - 1e-9:
        raise Problem(
            f"no frame need lie within {request.hidden_s:.3g} s at {fps:g} frames/s; at least {1.0 / fps:.3g} s",
            ("hidden_s",),
        )
    if request.kind == "frame_drop" and request.turn_s > 0:
        raise Problem("frames are there or not, so frame_drop has no way out; remove it", ("turn_s",))
    if request.kind not in AT_ONCE and request.turn_s < LEAST_TURN_S:
        raise Problem(f"{request.kind} cannot come in {request.turn_s:.2g} s; at least {LEAST_TURN_S} s", ("turn_s",))


def place_windows(
    requests: list[Request], running: Running, rng: np.random.Generator, *, suggest: bool = True
) -> list[InterruptionPlan]:
    """A window for each request, over enough change of its target; how they hide it is not solved yet.

    Those without `at_s` follow each other in the order given. Raises Problem placed at `(index, field)` of the request
    that fails; where too little changes it names what would do, if it may `suggest` (which takes time). The camera does
    not matter here.
    """
    if not requests:
        return []
    total_s, clear_s = duration_s(running.clip), _clear_s(running.clip)
    slack_s = fitting_slack_s(requests, running.clip)
    last: Problem | None = None
    for attempt in range(WINDOW_TRIES):
        gaps = rng.dirichlet(np.ones(len(requests) + 1)) * max(slack_s, 0.0)
        if len(requests) == 1:
            gaps[0] = _preferred_gap_s(requests[0], running, slack_s, clear_s, attempt, float(rng.uniform()))
        windows, free_s = [], 0.0
        for request, gap_s in zip(requests, gaps, strict=False):
            at_s = free_s + clear_s + float(gap_s)
            windows.append(window_at(request, at_s if request.at_s is None else request.at_s))
            free_s = max(free_s, windows[-1].back_s)
        try:
            check_order(windows, total_s, clear_s)
            for i, window in enumerate(spanned(windows)):
                check_change(i, window, running)
            return windows
        except Problem as problem:
            last = problem
            if all(request.at_s is not None for request in requests):
                break
    assert last is not None
    if suggest and len(requests) == 1 and requests[0].at_s is None and last.place == (0, "hidden_s"):
        raise Problem(f"{last.message}; {nearest_change(requests[0], running, clear_s)}", last.place)
    raise last


def _clear_s(clip: ClipPlan) -> float:
    return min(CLEAR_S, 0.15 * duration_s(clip))


def fitting_slack_s(requests: list[Request], clip: ClipPlan) -> float:
    """Time left over when all windows stand with plain sight between them. Raises Problem when there is too little."""
    total_s, clear_s = duration_s(clip), _clear_s(clip)
    fixed = [window_at(request, request.at_s) for request in requests if request.at_s is not None]
    groups = {(window.out_s, window.back_s) for window in spanned(fixed)}
    free = [request.whole_s for request in requests if request.at_s is None]
    need_s = sum(free) + sum(back - out for out, back in groups) + clear_s * (len(free) + len(groups) + 1)
    if need_s > total_s + 1e-9:
        longest = max(range(len(requests)), key=lambda i: requests[i].whole_s)
        raise Problem(
            f"does not fit: with its turns and {clear_s:.2g} s of sight around, this needs a clip of {need_s:.3g} s, "
            f"which lasts {total_s:.3g} s; hide it for less or make the clip longer",
            (longest, "hidden_s"),
        )
    return total_s - need_s


def _preferred_gap_s(
    request: Request, running: Running, slack_s: float, clear_s: float, attempt: int, share: float
) -> float:
    """First tries leave as much event time before the window as it lasts, so that a reversed clock exists."""
    slack_s = max(slack_s, 0.0)
    ran_s = -running.plans[request.target].start_s
    earliest_s = min(max(request.whole_s - ran_s - clear_s, 0.0), slack_s) if attempt < WINDOW_TRIES // 2 else 0.0
    return earliest_s + share * (slack_s - earliest_s)


def window_at(request: Request, out_s: float) -> InterruptionPlan:
    """The request, going out at `out_s` (how it hides is not solved yet)."""
    from_s = out_s + request.turn_s
    to_s = from_s + request.hidden_s
    return InterruptionPlan(
        kind=request.kind,
        target=request.target,
        out_s=out_s,
        hidden_from_s=from_s,
        hidden_to_s=to_s,
        back_s=to_s + request.turn_s,
    )


def spanned(windows: list[InterruptionPlan]) -> list[InterruptionPlan]:
    """Each window, reaching from the first way out to the last way back of all that overlap with it."""
    return [
        dataclasses.replace(w, out_s=out, back_s=back) for w, (out, back) in zip(windows, _spans(windows), strict=True)
    ]


def _spans(windows: list[InterruptionPlan]) -> list[tuple[float, float]]:
    groups: list[tuple[float, float]] = []
    for window in sorted(windows, key=lambda w: w.out_s):
        if groups and window.out_s < groups[-1][1] - 1e-9:
            groups[-1] = (groups[-1][0], max(groups[-1][1], window.back_s))
        else:
            groups.append((window.out_s, window.back_s))
    return [next(g for g in groups if g[0] - 1e-9 <= w.out_s < g[1]) for w in windows]


def check_order(windows: list[InterruptionPlan], total_s: float, clear_s: float) -> None:
    """Raises Problem when windows get into each other's way, or leave too little sight around them."""
    order = sorted(range(len(windows)), key=lambda i: windows[i].out_s)
    before_s = 0.0
    for n, i in enumerate(order):
        window = windows[i]
        together = [j for j in order[:n] if windows[j].back_s > window.out_s + 1e-9]
        for j in together:
            _check_together(max(i, j), windows[j], window)
        if not together and window.out_s < before_s + clear_s - 1e-9:
            raise Problem(
                f"goes out at {window.out_s:.3g} s, but the target must be seen for {clear_s:.2g} s before; "
                f"start at {before_s + clear_s:.3g} s or later",
                (i, "at_s"),
            )
        before_s = max(before_s, window.back_s)
    if before_s > total_s - clear_s + 1e-9:
        last = max(order, key=lambda i: windows[i].back_s)
        latest_s = windows[last].out_s - (before_s - total_s + clear_s)
        raise Problem(
            f"is back at {before_s:.3g} s of a clip of {total_s:.3g} s, but {clear_s:.2g} s must follow; "
            f"start at {latest_s:.3g} s or earlier, or hide it for less",
            (last, "at_s"),
        )


def _check_together(index: int, first: InterruptionPlan, second: InterruptionPlan) -> None:
    if NATURES[first.kind] == NATURES[second.kind]:
        what = f"a {second.kind}" if first.kind == second.kind else f"{first.kind} and {second.kind}"
        raise Problem(
            f"conflicts with the {first.kind} from {first.out_s:.3g} s to {first.back_s:.3g} s: both act on "
            f"{NATURES[first.kind]} ({what}); start at {first.back_s:.3g} s or later, or use another kind",
            (index, "at_s"),
        )


def check_change(index: int, window: InterruptionPlan, running: Running) -> None:
    """Raises Problem when the probe variable changes by less than its min_delta while the target is not plainly seen.

    The last and first frames in plain sight may lie one frame off the window's ends, so the least change over those
    ends counts. Cyclic variables count by the shorter way round.
    """
    variable = running.events[window.target].probe_variable()
    change, least = least_change(window, running), variable.min_delta or 0.0
    if change < least * (1 - 1e-9):
        raise Problem(
            f"{variable.name} changes by {change:.3g} {variable.unit} while hidden from {window.out_s:.3g} s to "
            f"{window.back_s:.3g} s, less than the {least:.3g} {variable.unit} that count as moved"
            f"{_over(window, running)}; "
            "hide it for longer, at another time (at_s), or let the event's params vary",
            (index, "hidden_s"),
        )


def _over(window: InterruptionPlan, running: Running) -> str:
    """` (the event is over at 3.2 s)` when nothing changes any more once the target is hidden."""
    event, plan = running.events[window.target], running.plans[window.target]
    times = np.linspace(0.0, duration_s(running.clip), 200)
    values = np.asarray(event.states(times - plan.start_s)[event.probe_variable().name], dtype=np.float64)
    moving = np.flatnonzero(np.abs(np.diff(values.reshape(len(times), -1), axis=0)).max(axis=1) > 0)
    over_s = float(times[moving[-1] + 1]) if len(moving) else 0.0
    return f" (the event is over at {over_s:.3g} s)" if over_s <= window.hidden_from_s else ""


def least_change(window: InterruptionPlan, running: Running) -> float:
    """Least change of the target's probe variable over the window's ends, each a frame earlier or later."""
    event, plan = running.events[window.target], running.plans[window.target]
    variable = event.probe_variable()
    frame_s = 1.0 / running.clip.fps
    ends = np.array([window.out_s - frame_s, window.out_s, window.out_s + frame_s])
    backs = np.array([window.back_s - frame_s, window.back_s, window.back_s + frame_s])
    times = np.maximum(np.concatenate([ends, backs]), 0.0) - plan.start_s
    values = np.asarray(event.states(times)[variable.name], dtype=np.float64).reshape(6, -1)
    apart = variable.difference(values[:3, None], values[None, 3:])  # [3, 3, n]
    return float(np.sqrt((apart**2).sum(-1)).min())


def nearest_change(request: Request, running: Running, clear_s: float) -> str:
    """In words: the shortest hidden time from the one asked for, and the clip for it, over which enough changes."""
    least = running.events[request.target].probe_variable().min_delta or 0.0
    for hidden_s in request.hidden_s + 0.25 * np.arange(120):
        longer = dataclasses.replace(request, hidden_s=float(hidden_s))
        starts = np.arange(clear_s, max(duration_s(running.clip) - longer.whole_s, 0.0) + clear_s + 2.0, 0.25)
        at_s = next((t for t in starts if least_change(window_at(longer, float(t)), running) >= least), None)
        if at_s is not None:
            clip_s = max(at_s + longer.whole_s + clear_s, duration_s(running.clip))
            return f"nearest legal: hidden_s: {hidden_s:.3g} at_s: {at_s:.3g} in a clip of {clip_s:.3g} s"
    return f"not even {request.hidden_s + 30:.3g} s are enough: let the event's params or its start_s vary"
