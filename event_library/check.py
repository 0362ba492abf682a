"""`check_event`: what holds for every event type, shared by the tests and `remind events check` (DESIGN section 4).

The law, the flags, the geometry and, through cast rays, the measured readout. That the pictures differ when the event
went on is checked by rendering, in the simulator.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from event_library.base import Event, View, placed_meshes
from event_library.declarations import SCALARS, declaration_problems
from event_library.preview import built, look
from event_library.references import REFERENCES
from event_library.rigid import BakedEvent, baked

Array = NDArray[np.float64]

SPAN_S = 60.0  # states must make sense at least this far
LOOKS_PER_S = 40  # at the states of that time
MAX_PART_VERTICES, MAX_VERTICES = 4500, 20000
GEOMETRIC = ("m", "m^2", "m^3", "rad")
TRIGGER = "trigger:"  # references name trigger times so
REVERSAL = 1e-9  # share of the span: rounding, no reversal
MIN_LOOKS = 24  # at a readout: fewer would make one miss more than the share allowed
MIN_CHANGE_SHARE = 0.25  # of hidden windows of 2 and 3 s in a clip of the type's usual length


class RefinedEvent(Protocol):
    """What an event of kind `pde` offers besides its law: its probe readout on three grids, coarse to fine."""

    def refinements(self, t_s: Array) -> tuple[Array, Array, Array]: ...


@dataclass(frozen=True)
class Finding:
    """One promise: the worst figure found, what it may be at most, and what to look at when it is more."""

    name: str
    figure: float
    bound: float
    note: str = ""

    @property
    def holds(self) -> bool:
        return bool(self.figure <= self.bound)


@dataclass(frozen=True)
class CheckReport:
    type_id: str
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return all(f.holds for f in self.findings)

    def summary(self) -> str:
        """One line: the finding nearest to its bound (or beyond it)."""
        if broken := [f for f in self.findings if not f.holds]:
            return f"BROKEN  {', '.join(f.name for f in broken)}"
        tight = max(self.findings, key=lambda f: f.figure / f.bound if f.bound > 0 else 0.0)
        return f"sound   {len(self.findings)} promises; closest: {tight.name} {tight.figure:.3g} <= {tight.bound:.3g}"

    def table(self) -> str:
        """Every finding in a line of its own."""
        rows = [f"{self.type_id}: {'sound' if self.sound else 'BROKEN'}"]
        rows += [
            f"  {'ok' if f.holds else 'NO':2}  {f.name:34} {f.figure:9.3g} <= {f.bound:<9.3g} {f.note}".rstrip()
            for f in self.findings
        ]
        return "\n".join(rows)


def check_event(kind: type[Event], num_samples: int = 4, seed: int = 0) -> CheckReport:
    """Draw `num_samples` parameter sets and test every promise that an event type makes."""
    rng = np.random.default_rng(seed)
    events = [kind.sample(rng) for _ in range(num_samples)]
    times_s = np.sort(np.concatenate([[0.0], rng.uniform(0, 12, 24), rng.uniform(12, SPAN_S, 16)]))
    law = {"rigid_body": _rigid, "pde": _pde}.get(kind.info.law_kind, _reference)
    findings = [
        _problems("names, units and variables", declaration_problems(events[0])),
        _one_instant(events, times_s),
        _finite(events),
        _still_before_start(events),
        *law(events, times_s),
        *[check(events) for flag, check in FLAG_CHECKS.items() if flag in kind.info.flags],
        _variable_flags(events),
        _problems("assembly", [p for e in events for p in assembly_problems(e, times_s)]),
        _carriers(events, times_s[:: len(times_s) // 12]),
        _changes(events),
        _unseen(events),
        _measured(events, rng),
    ]
    return CheckReport(kind.info.id, tuple(findings))


def _problems(name: str, problems: Sequence[str]) -> Finding:
    return Finding(name, float(len(problems)), 0.0, "; ".join(problems[:3]))


def assembly_problems(event: Event, times_s: Array) -> list[str]:
    """What is wrong with an event's parts and channels."""
    assembly = built(event)
    known = {p.name for p in assembly.parts} | {lamp.name for lamp in assembly.lamps}
    found = [] if any(p.carries for p in assembly.parts) else ["no part carries the state"]
    found += [
        f"{p.name}: {len(p.mesh.vertices)} vertices" for p in assembly.parts if len(p.mesh.vertices) > MAX_PART_VERTICES
    ]
    if sum(len(p.mesh.vertices) for p in assembly.parts) > MAX_VERTICES:
        found.append("too many vertices in all")
    found += [
        f"{p.name}: liquid isn't watertight"
        for p in assembly.parts
        if p.material.kind == "liquid" and not p.mesh.is_volume
    ]
    if bool(assembly.lamps) > event.info.emits_light:
        found.append("has a lamp but emits_light is false")
    for t_s, state in _instants(event, times_s[::8]):
        channels = event.channels(state)
        found += [f"channels of unknown part {name!r}" for name in channels if name not in known]
        meshes = placed_meshes(assembly, channels)
        found += [f"{n}: below the support at {t_s:.2f} s" for n, m in meshes.items() if m.bounds[0, 2] < -1e-3]
    return found


@lru_cache(maxsize=4)
def _first_minute(event: Event) -> dict[str, Array]:
    """All variables LOOKS_PER_S times a second; kept, since many promises are about them. Not to be changed."""
    return event.states(np.linspace(0, SPAN_S, int(SPAN_S * LOOKS_PER_S) + 1))


def _instants(event: Event, times_s: Array) -> list[tuple[float, dict[str, Any]]]:
    """Each time and the state at it: slices of one run."""
    run = event.states(times_s)
    return [(float(t_s), {name: value[i] for name, value in run.items()}) for i, t_s in enumerate(times_s)]


def _span_of(event: Event, name: str) -> float:
    """Range of a scalar variable over the first minute, at least its tolerance (so that a constant has one too)."""
    values = _first_minute(event)[name]
    return float(max(float(np.ptp(values, axis=0).max()), event.variable(name).tolerance, 1e-12))


def _one_instant(events: Sequence[Event], times_s: Array) -> Finding:
    worst = 0.0
    for event in events:
        run = event.states(times_s)
        for index in (0, len(times_s) // 3, len(times_s) - 1):
            for name, value in event.state_at(float(times_s[index])).items():
                scale = max(float(np.ptp(run[name])), 1e-12)
                worst = max(worst, float(np.abs(value - run[name][index]).max()) / scale)
    return Finding("one instant = slice of the run", worst, 1e-12, "share of the span")


def _finite(events: Sequence[Event]) -> Finding:
    near, far = np.array([-1.0, 0.0, 1e-9, 1.0, SPAN_S]), np.array([-1e6, 2 * SPAN_S, 1e6])
    if events[0].info.law_kind == "ode":
        far = far[:2]  # ticks all the way to laws.REST_S would cost minutes and show nothing new
    bad = sum(int((~np.isfinite(value)).sum()) for e in events for value in e.states(near).values())
    bad += sum(int((~np.isfinite(value)).sum()) for value in events[0].states(far).values())
    return Finding("finite at any time", float(bad), 0.0)


def _still_before_start(events: Sequence[Event]) -> Finding:
    worst = 0.0
    for event in events:
        name = event.probe_variable().name
        values = event.states(np.array([-3.0, -0.1, 0.0]))[name]
        worst = max(worst, float(np.ptp(values)) / _span_of(event, name))
    return Finding("nothing moves before the start", worst, 0.0)


def _reference(events: Sequence[Event], times_s: Array) -> list[Finding]:
    kind = type(events[0])
    if kind.info.id not in REFERENCES:
        return [Finding("agrees with an independent reference", float("nan"), 0.0, "none in event_library.references")]
    worst, where = 0.0, ""
    for event in events:
        run = event.states(times_s)
        for name, values in REFERENCES[kind.info.id](event, times_s).items():
            exact = kind.info.law_kind == "automaton" and not name.startswith(TRIGGER)
            if name.startswith(TRIGGER):
                own, scale = np.asarray(event.triggers()[name.removeprefix(TRIGGER)]), 1.0
            else:
                own, scale = run[name], max(float(np.ptp(run[name])), 1e-12)
                exact = exact and event.variable(name).domain in ("count", "discrete")
            with np.errstate(invalid="ignore"):  # what never happens is at infinity in both
                off = float(np.where(values == own, 0.0, np.abs(values - own)).max()) / scale
            if (off := np.inf if np.isnan(off) or (exact and off > 0) else off) > worst:
                worst, where = off, f"{name}, share of the span" + ", must be exact" * exact
    return [Finding("agrees with an independent reference", worst, 1e-6, where)]


def _rigid(events: Sequence[Event], times_s: Array) -> list[Finding]:
    again, gain, overlap = 0.0, 0.0, 0.0
    for event in events:
        rigid = cast(BakedEvent, event)
        first, second = baked(rigid), rigid.bake()
        again = max(again, float(np.abs(first.poses - second.poses).max()))
        rise = first.energy_j - np.minimum.accumulate(first.energy_j)
        gain = max(gain, float(rise.max() / first.energy_j[0]))
        overlap = max(overlap, first.overlap_m / rigid.allowed_overlap_m)
    return [
        Finding("the same bake twice", again, 0.0),
        Finding("energy never grows", gain, 2e-3, "share of the energy at the start"),
        Finding("bodies don't run into each other", overlap, 1.0, "share of what the contact model may give way"),
    ]


def _pde(events: Sequence[Event], times_s: Array) -> list[Finding]:
    """Successive refinements of the grid come closer and closer: order at least about 0.9."""
    worst = 0.0
    for event in events[:1]:
        coarse, middle, fine = cast(RefinedEvent, event).refinements(times_s[times_s <= event.info.typical_duration_s])
        worst = max(worst, float(np.abs(fine - middle).max() / max(float(np.abs(middle - coarse).max()), 1e-12)))
    return [Finding("converges under refinement", worst, 0.55, "change of the last refinement over the one before")]


def _probe_run(event: Event) -> Array:
    return _first_minute(event)[event.probe_variable().name]


def _monotone(events: Sequence[Event]) -> Finding:
    worst = max(_reversal(_probe_run(event)) for event in events)
    return Finding("flag monotone: never reverses", worst, REVERSAL, "share of the span")


def _reversal(run: Array) -> float:
    """How much a series goes back on its way, as a share of its span."""
    steps = np.diff(run)
    back = min(float(np.maximum(steps, 0).sum()), float(np.maximum(-steps, 0).sum()))
    return back / max(float(np.ptp(run)), 1e-12)


def _variable_flags(events: Sequence[Event]) -> Finding:
    """Flags of single variables: monotone and conserved ones are what they say."""
    wrong = []
    for event in events:
        for variable in event.variables:
            values = _first_minute(event)[variable.name]
            if "monotone" in variable.flags and variable.domain in SCALARS and _reversal(values) > REVERSAL:
                wrong.append(f"{variable.name} reverses")
            drift = float(np.ptp(values, axis=0).max()) if "conserved" in variable.flags else 0.0
            if drift > variable.tolerance:
                wrong.append(f"{variable.name} drifts by {drift:.3g}")
    return _problems("flags of the variables", wrong)


def _periodic(events: Sequence[Event]) -> Finding:
    fewest = np.inf
    for event in events:
        run = _probe_run(event)
        above = run > (run.max() + run.min()) / 2
        fewest = min(fewest, float((above[1:] != above[:-1]).sum()))
    return Finding("flag periodic: comes back", -fewest, -4.0, "crossings of the middle in a minute, negated")


def _bounded(events: Sequence[Event]) -> Finding:
    worst = 0.0
    for event in events:
        name, early = event.probe_variable().name, _probe_run(event)
        late = event.states(np.linspace(SPAN_S, 2 * SPAN_S, 200))[name]
        beyond = max(float(late.max() - early.max()), float(early.min() - late.min()))
        worst = max(worst, beyond / _span_of(event, name))
    return Finding("flag bounded: stays in its range", worst, 1e-6, "of the first minute")


FLAG_CHECKS: dict[str, Callable[[Sequence[Event]], Finding]] = {
    "monotone": _monotone, "periodic": _periodic, "bounded": _bounded,
}  # fmt: skip


def _carriers(events: Sequence[Event], times_s: Array) -> Finding:
    """States of vectors too; every scalar state in metres, square or cubic metres or radians must be there to read."""
    worst, where = 0.0, "share of the span"
    missing: set[str] = set()
    for event in events:
        assembly, reader = built(event), _built_once(event)
        spans = {v.name: _span_of(event, v.name) for v in event.variables}
        due = {v.name for v in event.variables if v.role == "state" and v.unit in GEOMETRIC and v.domain in SCALARS}
        read: set[str] = set()
        for _, state in _instants(event, times_s):
            for name, value in reader.carrier_dimensions(placed_meshes(assembly, event.channels(state))).items():
                read.add(name)
                off = event.variable(name).difference(np.asarray(state[name], dtype=np.float64), np.asarray(value))
                share = float(np.nan_to_num(np.abs(off), nan=np.inf).max()) / spans[name]
                if share > worst:
                    worst, where = share, f"{name}, share of the span"
        missing |= due - read
    if missing:
        return Finding("geometry holds the state", float("nan"), 1e-3, f"never read back: {', '.join(sorted(missing))}")
    return Finding("geometry holds the state", worst, 1e-3, where)


def _built_once(event: Event) -> Event:
    """A copy whose assembly is the one that is built already: types compare with it at every instant."""
    reader, assembly = copy.copy(event), built(event)
    object.__setattr__(reader, "assembly", lambda: assembly)
    return reader


def _unseen(events: Sequence[Event]) -> Finding:
    """Where nothing is seen, nothing is measured: nan, or no reading at all."""
    event = events[0]
    names = [part.name for part in built(event).parts]
    nothing = View(
        {n: np.empty((0, 3)) for n in names}, {n: np.empty(0) for n in names}, {n: np.empty((0, 3)) for n in names},
        np.array([0.0, -1.0, 0.5]),
    )  # fmt: skip
    try:
        found = event.measure(nothing)
    except Exception as error:
        return _problems("nothing seen, nothing measured", [f"measure raises {type(error).__name__}: {error}"])
    guessed = [f"{name} = {value:.3g}" for name, value in found.items() if not np.isnan(value)]
    return _problems("nothing seen, nothing measured", guessed)


def _changes(events: Sequence[Event]) -> Finding:
    variable = type(events[0]).probe_variable()
    moved = []
    for event in events:
        for hidden_s in (2.0, 3.0):
            latest_s = max(event.info.typical_duration_s - 0.7 - hidden_s, 2.0)
            starts_s = np.linspace(0.0, latest_s, 61)
            before, after = (event.states(t)[variable.name] for t in (starts_s, starts_s + hidden_s))
            moved.append(np.abs(variable.difference(before, after)) >= (variable.min_delta or 0.0))
    return Finding("hidden windows that change too little", 1 - float(np.mean(moved)), 1 - MIN_CHANGE_SHARE, "share")


def _measured(events: Sequence[Event], rng: np.random.Generator) -> Finding:
    """Share of 64-px looks, from anywhere in front, in which a measured readout misses its tolerance."""
    probe = type(events[0]).probe_variable()
    missed: dict[str, list[bool]] = {probe.name: []}
    low, high = np.deg2rad(events[0].info.elevation_deg)
    for event in events:
        times_s = rng.uniform(0.0, event.info.typical_duration_s, max(6, -(-MIN_LOOKS // len(events))))
        for _, state in _instants(event, times_s):
            seen = look(event, state, azimuth_rad=rng.uniform(-0.27, 0.27), elevation_rad=rng.uniform(low, high))
            found = event.measure(seen.view)
            missed[probe.name] += [True] if probe.name not in found else []
            for name, value in found.items():
                variable = event.variable(name)
                off = abs(float(variable.difference(np.asarray(float(state[name])), np.asarray(value))))
                missed.setdefault(name, []).append(not off <= variable.tolerance + 1e-9)
    shares = {name: float(np.mean(looks)) for name, looks in missed.items()}
    worst = max(shares, key=lambda name: shares[name])
    return Finding("readouts misread at 64 px", shares[worst], 0.05, f"{worst}: share of looks through cast rays")
