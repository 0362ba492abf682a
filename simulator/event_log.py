"""What happens at an instant: triggers of the events, contacts of bodies, and discrete variables that change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from event_library import rigid
from event_library.base import Event
from simulator.stage import Stage
from simulator.timeline import clip_clock
from simulator.visibility import Visibility

Array = NDArray[np.float64]
MAX_ENTRIES = 200  # of one variable, and of one event's contacts: the first ones
LOOKS_PER_FRAME = 4  # at which discrete variables are compared; what changes and changes back in between is missed
LOCATED_S = 1e-6
_TOUCHES = {"impact", "bounce", "landed", "lands", "hits", "break"}  # words in names of triggers that are contacts


def event_log(stage: Stage, visibility: Mapping[str, Visibility]) -> list[dict[str, Any]]:
    """Entries {event, kind, name, t_s, frame, hidden} of what falls into the clip, in order of time.

    kind: trigger (something sets another thing off, or ends it), contact (bodies begin to touch), phase (a variable
    that holds whole numbers changes, `name: before -> after`). t_s is clip time: exact for triggers, to a tick of the
    bake for contacts, to 1e-6 s for phases. frame: the last one not after it. hidden: whether a viewer sees the event
    then. At most MAX_ENTRIES of one variable, or of one event's contacts, are kept.
    """
    clock, log = clip_clock(stage.plan), []
    for event in stage.plan.events:
        law = stage.events[event.id]
        first_s, last_s = -event.start_s, clock.seconds(clock.num_frames) - event.start_s
        for kind, name, event_time_s in _happenings(law, max(first_s, 0.0), last_s, clock.fps):
            t_s = event.start_s + event_time_s
            frame = int(np.floor(t_s * clock.fps + 1e-9))
            if t_s >= 0.0 and frame < clock.num_frames:
                hidden = bool(visibility[event.id].hidden[frame])
                entry = {"event": event.id, "kind": kind, "name": name, "t_s": t_s, "frame": frame, "hidden": hidden}
                log.append(entry)
    return sorted(log, key=lambda entry: (entry["t_s"], entry["event"], entry["kind"], entry["name"]))


def _happenings(law: Event, first_s: float, last_s: float, fps: float) -> Iterator[tuple[str, str, float]]:
    """(kind, name, event time) between two times of the event's own clock."""
    for name, time_s in law.triggers().items():
        yield ("contact" if _TOUCHES & set(name.split("_")) else "trigger"), name, time_s
    if law.info.law_kind == "rigid_body":
        touches = ((name, t) for name, t in _contacts(law) if first_s <= t < last_s)
        for (name, time_s), _ in zip(touches, range(MAX_ENTRIES), strict=False):
            yield "contact", name, time_s
    for name, time_s in phase_changes(law, first_s, last_s, 1.0 / (fps * LOOKS_PER_FRAME)):
        yield "phase", name, time_s


def _contacts(law: Event) -> Iterator[tuple[str, float]]:
    baked = cast(rigid.BakedEvent, law)
    for contact in rigid.baked(baked).contacts:
        yield contact.name, contact.tau_s / baked.time_scale


def phase_changes(law: Event, first_s: float, last_s: float, look_s: float) -> list[tuple[str, float]]:
    """`name: before -> after` and event time of every change of the variables that hold whole numbers.

    They are looked at every `look_s` seconds; each change is then located by halving, to 1e-6 s, and is the first
    moment known with the new value. Variables of domain count or discrete only; at most MAX_ENTRIES of each.
    """
    whole = [v.name for v in law.variables if v.domain in ("count", "discrete")]
    if not whole:
        return []
    times_s = first_s + look_s * np.arange(int(np.ceil((last_s - first_s) / look_s)) + 1)
    looked = law.states(times_s)
    spans = []  # variable, value before, low, high, value at high
    for name in whole:
        values = np.asarray(looked[name], dtype=np.float64)
        if values.ndim == 1 and (values == np.round(values)).all():
            steps = np.flatnonzero(values[1:] != values[:-1])[:MAX_ENTRIES]
            spans += [(name, values[i], times_s[i], times_s[i + 1], values[i + 1]) for i in steps]
    found: list[tuple[str, float]] = []
    kept = dict.fromkeys(whole, 0)
    while spans:
        located = _located(law, spans)
        left = []
        for (name, before, _, high, end), (time_s, after) in zip(spans, located, strict=True):
            if kept[name] < MAX_ENTRIES:
                found.append((f"{name}: {before:g} -> {after:g}", time_s))
                kept[name] += 1
            if after != end and high - time_s > LOCATED_S:  # more than one change between two looks
                left.append((name, after, time_s, high, end))
        spans = left
    return sorted(found, key=lambda change: change[1])


def _located(law: Event, spans: list[tuple[str, float, float, float, float]]) -> list[tuple[float, float]]:
    """First moment after each span's low end at which its variable has left the value there, and its value then."""
    low, high = np.array([s[2] for s in spans]), np.array([s[3] for s in spans])
    after = np.array([s[4] for s in spans])
    while (high - low).max() > LOCATED_S:
        middle = (low + high) / 2
        order = np.argsort(middle, kind="stable")  # laws are run forward in time
        states = law.states(middle[order])
        values = np.empty(len(spans))
        for place, i in enumerate(order):
            values[i] = states[spans[i][0]][place]
        gone = values != np.array([s[1] for s in spans])
        after = np.where(gone, values, after)
        low, high = np.where(gone, low, middle), np.where(gone, middle, high)
    return list(zip(high.tolist(), after.tolist(), strict=True))
