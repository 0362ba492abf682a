"""Is it used? What the picture of the return says when the memory is changed (see `changes.Change`).

Time moved. The generated frames are moved by dt in their rotary position; nodes before them stay. A model that lets
the event go on by the time that its positions say moves by rate dt:
    slope = sum (t^(dt) - t^(0)) dt / sum dt^2       1: it follows the time index, 0: it does not look at it
t^ is the event time by the sweep readout: the single best one, with no regard to what it should be. The same in states.
Memory swapped. Nodes get another clip's keys and values (same event type, the rate that differs most). With s the state
that the picture shows and own and other what truth would be by the shown clip and by the cache's:
    follow = sum (s(swapped) - s(own memory)) (other - own) / sum (other - own)^2     0: the shown clip, 1: the cache's
other = the other clip's state, or own last state + the other clip's change.
Nodes ablated. Never written, or written, read by the nodes after them, and forgotten before the return: differences of
clock ratio and recovery against the same rollout with its whole memory.
All estimates: intervals by bootstrap over scenes; p: sign flips of scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from trainer.probe.bootstrap import clustered_ratio, sign_flip_p
from trainer.probe.memory.changes import Change, Part, Picture, Returns
from trainer.probe.memory.result import AblationReading, CausalResult, Effect, ShiftReading, SwapReading
from trainer.probe.metrics import recovery
from trainer.probe.readout import Evidence, measure
from trainer.probe.subject import Subject
from trainer.probe.verdict import TOLERANT, read, unreadable

SHIFTS = (-2, -1, 1, 2)  # latent steps
SWAPS: dict[str, tuple[Part, ...]] = {
    "hidden frames": ("hidden",),
    "frames seen, but the last": ("earlier",),
    "last frame seen": ("last",),
    "everything": ("earlier", "last", "hidden"),
}
ABLATIONS: dict[str, Change] = {
    "frames seen but the last, never written": Change(absent=("earlier",)),
    "frames seen but the last, forgotten after": Change(forgotten=("earlier",)),
    "hidden frames, never written": Change(
        absent=("hidden",)
    ),  # forgotten after: the same, nothing but each other reads them
}
ReadingT = TypeVar("ReadingT", ShiftReading, SwapReading, AblationReading)


def causal_tests(subjects: Sequence[Subject], returns: Returns, asked: Iterable[Subject] | None = None) -> CausalResult:
    """All three tests on windows whose return `returns` can show. asked: on these alone; all lend their memory."""
    shifts: list[ShiftReading] = []
    swaps: list[SwapReading] = []
    ablations: list[AblationReading] = []
    for subject in subjects if asked is None else asked:
        intact = returns.picture(subject, Change())
        if intact is None:
            continue
        start = measure(subject.sweep, intact)
        shifts += shifted_returns(subject, start, returns)
        ablations += ablated_returns(subject, start, returns)
        donor = other_rate(subject, subjects)
        if donor is not None:
            swaps += swapped_returns(subject, donor, intact, returns)
    return CausalResult(
        shifts=tuple(shifts),
        swaps=tuple(swaps),
        ablations=tuple(ablations),
        shift_effects=shift_effects(shifts),
        swap_effects=swap_effects(swaps),
        ablation_effects=ablation_effects(ablations),
    )


def time_read(evidence: Evidence) -> float | None:
    """Event time of the best match, whatever it should be; None when unreadable."""
    return None if unreadable(evidence, TOLERANT) else evidence.time_s


def other_rate(subject: Subject, subjects: Sequence[Subject]) -> Subject | None:
    """Of other scenes with the same event type, hidden for at least as long, the one whose rate differs most."""
    hidden = subject.t_r - subject.t_h
    fit = [
        s
        for s in subjects
        if s.event_type == subject.event_type
        and s.variable == subject.variable
        and s.scene_id != subject.scene_id
        and (s.t_r - s.t_h) / s.clip.fps >= hidden / subject.clip.fps
    ]
    return max(fit, key=lambda s: abs(s.hidden_rate - subject.hidden_rate), default=None)


def _scale(subject: Subject) -> float:
    """The probed variable's true change while hidden, at least what counts as moved."""
    return max(abs(subject.change_from_t_h(subject.sweep.t_r_s)), subject.kind().still_limit)


def shifted_returns(subject: Subject, start: Evidence, returns: Returns) -> list[ShiftReading]:
    """One for each shift that leaves the return after t_h, and within the sweep. start: of the unchanged rollout."""
    step_s, times = returns.step_s(subject), subject.sweep.event_time_s
    at_s, scale, kind = subject.sweep.t_r_s, _scale(subject), subject.kind()
    start_s = time_read(start)
    found = []
    for shift in SHIFTS:
        aim_s = at_s + shift * step_s
        if not max(times[0], subject.sweep.t_h_s) < aim_s <= times[-1]:
            continue
        picture = returns.picture(subject, Change(shift=shift))
        end_s = None if picture is None else time_read(measure(subject.sweep, picture))
        moved = None if start_s is None or end_s is None else end_s - start_s
        states = [subject.value_at(t) for t in (at_s, aim_s)]
        apart = None
        if start_s is not None and end_s is not None:
            apart = float(kind.change(subject.value_at(end_s), subject.value_at(start_s))) / scale
        found.append(
            ShiftReading(
                **_who(subject),
                shift_s=shift * step_s,
                moved_s=moved,
                state_moved=apart,
                state_expected=float(kind.change(states[1], states[0])) / scale,
            )
        )
    return found


def swapped_returns(subject: Subject, donor: Subject, intact: Picture, returns: Returns) -> list[SwapReading]:
    """One for each part of the memory that the donor can give. intact: the return with its own memory, which is read in
    the same way, so that with nothing swapped nothing has moved."""
    scale, kind = _scale(subject), subject.kind()
    start, intact_as_other = state_read(subject, donor, intact)
    at_s = donor.sweep.t_h_s + (subject.sweep.t_r_s - subject.sweep.t_h_s)
    own, other = subject.value_at(subject.sweep.t_r_s), donor.value_at(at_s)
    change = donor.change_from_t_h(at_s) - subject.change_from_t_h(subject.sweep.t_r_s)
    found = []
    for part, nodes in SWAPS.items():
        picture = returns.picture(subject, Change(swapped=nodes, donor=donor))
        if picture is None:
            continue
        state, as_other = state_read(subject, donor, picture)
        moved = None
        if state is not None and start is not None:
            moved = float(kind.change(state, start)) / scale
        found.append(
            SwapReading(
                **_who(subject),
                donor_id=donor.clip.clip_id,
                part=part,
                moved=moved,
                to_state=float(kind.change(other, own)) / scale,
                to_change=change / scale,
                read_as_other=as_other,
                intact_as_other=intact_as_other,
            )
        )
    return found


def state_read(subject: Subject, donor: Subject, picture: Picture) -> tuple[float | None, bool | None]:
    """State by whichever of the two sweeps fits the picture better, and whether that is the other clip's."""
    options = []
    for reader, is_other in ((subject, False), (donor, True)):
        if picture.shape != reader.sweep.pictures.shape[1:]:
            continue
        evidence = measure(reader.sweep, picture)
        if not unreadable(evidence, TOLERANT):
            options.append((evidence.residual * evidence.unit, reader.value_at(evidence.time_s), is_other))
    if not options:
        return None, None
    _, state, is_other = min(options)
    return state, is_other


def ablated_returns(subject: Subject, start: Evidence, returns: Returns) -> list[AblationReading]:
    """One for each ablation."""
    before = _ratio(subject, start)
    found = []
    for name, change in ABLATIONS.items():
        picture = returns.picture(subject, change)
        if picture is None:
            continue
        after = _ratio(subject, measure(subject.sweep, picture))
        found.append(
            AblationReading(
                **_who(subject),
                ablation=name,
                intact_ratio=before,
                ratio=after,
                intact_recovery=recovery(before),
                recovery=recovery(after),
            )
        )
    return found


def _ratio(subject: Subject, evidence: Evidence) -> float | None:
    """As the probe's: of several times that look the same the nearest to the truth."""
    return read(subject.sweep, evidence, subject.sweep.t_r_s, TOLERANT).clock_ratio


def _who(subject: Subject) -> dict[str, Any]:
    return {"clip_id": subject.clip.clip_id, "scene_id": subject.scene_id, "event_type": subject.event_type}


# ---- effects


def _effect(
    name: str,
    rows: Sequence[ReadingT],
    above: Callable[[ReadingT], float | None],
    below: Callable[[ReadingT], float] = lambda _: 1.0,
) -> Effect:
    """sum(above) / sum(below) over the rows that have something above."""
    used = [(value, below(row), row.scene_id) for row in rows if (value := above(row)) is not None]
    if not used or not sum(weight for _, weight, _ in used) > 0:
        return Effect(name=name, estimate=None, p_value=None, readable=len(used), asked=len(rows))
    values, weights, scenes = (list(column) for column in zip(*used, strict=True))
    return Effect(
        name=name,
        estimate=clustered_ratio(values, weights, scenes),
        p_value=sign_flip_p(values, scenes),
        readable=len(used),
        asked=len(rows),
    )


def _slope(
    name: str,
    rows: Sequence[ReadingT],
    moved: Callable[[ReadingT], float | None],
    expected: Callable[[ReadingT], float],
) -> Effect:
    """Slope through the origin of what moved on what was expected."""

    def product(row: ReadingT) -> float | None:
        found = moved(row)
        return None if found is None else found * expected(row)

    return _effect(name, rows, product, lambda row: expected(row) ** 2)


def shift_effects(rows: Sequence[ShiftReading]) -> tuple[Effect, ...]:
    """Slopes of time and of state."""
    parts = {
        "both ways": list(rows),
        "later": [r for r in rows if r.shift_s > 0],
        "sooner": [r for r in rows if r.shift_s < 0],
    }
    times = [_slope(f"time, {n}", part, lambda r: r.moved_s, lambda r: r.shift_s) for n, part in parts.items()]
    states = [
        _slope(f"state, {n}", part, lambda r: r.state_moved, lambda r: r.state_expected) for n, part in parts.items()
    ]
    return (*times, *states)


def swap_effects(rows: Sequence[SwapReading]) -> tuple[Effect, ...]:
    """For each part how far the return follows the cache."""
    once = list({row.clip_id: row for row in rows}.values())
    found = [_effect("nothing: share drawn as the other clip", once, lambda r: _share(r.intact_as_other))]
    for part in dict.fromkeys(row.part for row in rows):
        mine = [row for row in rows if row.part == part]
        found += [
            _slope(f"{part}: to the other's state", mine, lambda r: r.moved, lambda r: r.to_state),
            _slope(f"{part}: to the other's change", mine, lambda r: r.moved, lambda r: r.to_change),
            _effect(f"{part}: share drawn as the other clip", mine, lambda r: _share(r.read_as_other)),
        ]
    return tuple(found)


def _share(read_as_other: bool | None) -> float | None:
    return None if read_as_other is None else float(read_as_other)


def ablation_effects(rows: Sequence[AblationReading]) -> tuple[Effect, ...]:
    """The whole memory's figures, and what each ablation changes of them."""
    whole = {row.clip_id: row for row in rows}
    found = [
        _effect("whole memory: clock ratio", list(whole.values()), lambda r: r.intact_ratio),
        _effect("whole memory: recovery", list(whole.values()), lambda r: r.intact_recovery),
    ]
    for name in dict.fromkeys(row.ablation for row in rows):
        mine = [row for row in rows if row.ablation == name]
        found += [
            _effect(f"{name}: clock ratio, change", mine, _ratio_change),
            _effect(f"{name}: recovery, change", mine, lambda r: r.recovery - r.intact_recovery),
        ]
    return tuple(found)


def _ratio_change(row: AblationReading) -> float | None:
    return None if row.ratio is None or row.intact_ratio is None else row.ratio - row.intact_ratio
