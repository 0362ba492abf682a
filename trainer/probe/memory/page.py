"""`cache.html`: one page that says what is in the memory, whether it goes on there and whether it is used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from trainer.probe.memory.decoding import BEYOND, PRIOR, RATE, STATE, TRAINED, UNTRAINED
from trainer.probe.memory.drawings import heat_map, scatter
from trainer.probe.memory.groups import ALL_TYPES, Site
from trainer.probe.memory.recording import AREAS, SOURCES
from trainer.probe.memory.result import CacheProbeResult, DecodedGroup, DecodedTarget, Effect, Row
from trainer.probe.report import interval, number, p_text
from trainer.probe.templating import publish, template

TRIVIAL = 0.9  # R2 of last state and elapsed time from which on a state is called predictable without memory
FEW_SCENES = 20
SURE = 0.05
RIVALS = ("untrained model", "pixels of the last frame seen")  # what a memory must surely beat to be called one
CHANGED = ": recovery, change"
TITLES = {
    STATE: "The hidden state at that frame",
    RATE: "The rate of change",
    BEYOND: "The state beyond what last state and elapsed time say",
}
NAMES = {"keys": "keys", "values": "values", "residual": "residual stream"}
AREA_NAMES = {"object": "over the object's tokens", "frame": "over the whole frame"}


def write_page(path: Path, result: CacheProbeResult) -> None:
    """Write `path`, published by a rename."""
    page = template("trainer.probe", "cache.html.j2").render(
        result=result,
        summary=sentences(result),
        groups=[_group(g, result.bins_s) for g in result.groups],
        shift_chart=_shift_chart(result),
        interval=interval,
        number=number,
        p=p_text,
        config=json.dumps(result.run, indent=1, default=str),
    )
    publish(path, page)


def headline(result: CacheProbeResult) -> DecodedGroup:
    """The group that the summary is about: all types together, or the main variable of the type with most scenes."""
    pooled = [g for g in result.groups if g.event_type == ALL_TYPES]
    return pooled[0] if pooled else max(result.groups, key=lambda g: g.num_scenes)


def sentences(result: CacheProbeResult) -> list[str]:
    """What was found, in words."""
    group = headline(result)
    targets = {t.name: t for t in group.targets}
    found = [_about(group), _held(targets[BEYOND]), _goes_on(targets[BEYOND], result.bins_s)]
    found.append(_trivial(targets[STATE]))
    found += _used(result)
    found.append(
        "Decodable does not mean used: that a linear probe finds a number in the memory does not say that the model "
        "reads it there. Only the causal tests speak about use."
    )
    return found


def _about(group: DecodedGroup) -> str:
    name = f"{group.event_type.replace('_', ' ')} ({group.variable.replace('_', ' ')})"
    few = f" With {group.num_scenes} scenes the intervals are wide." if group.num_scenes < FEW_SCENES else ""
    return (
        f"In short, for {name}: {group.num_windows} hidden windows of {group.num_scenes} scenes, {group.num_rows} "
        f"hidden frames.{few}"
    )


def _held(target: DecodedTarget) -> str:
    """Is the hidden state in the memory, beyond what needs none?"""
    if not target.rows:
        return "Last state and elapsed time say all of the hidden state here: nothing is left that takes a memory."
    memory = row_of(target, "memory")
    rivals = [row_of(target, name) for name in RIVALS]
    beaten = [row for row in rivals if _sure(row)]
    verdict, end = "Not found", "The interval holds 0."
    if memory.r2.low > 0 and len(beaten) == len(rivals):
        verdict, end = "Held", "The differences are beyond chance."
    elif memory.r2.low > 0:
        verdict = "Not shown"
        end = f"It does not surely beat: {' and '.join(row.name for row in rivals if row not in beaten)}."
    beside = ", ".join(f"{interval(row.r2)} from the {row.name}" for row in rivals)
    return (
        f"{verdict}: what last state and elapsed time do not say of the hidden state is read with R² "
        f"{interval(memory.r2)} from the cache, {beside}. {end}"
    )


def _goes_on(target: DecodedTarget, bins_s: Sequence[float]) -> str:
    """Does it evolve there? The same by hidden time, at the place chosen most often."""
    if not target.rows:
        return "Whether it goes on there cannot be told apart from a clock."
    place = target.chosen[0][0]
    site = next(s for s in target.sites if s.model == TRAINED and str(Site(s.source, s.area, s.layer)) == place)
    known = [(bins_s[n + 1], value) for n, value in enumerate(site.by_time) if value is not None]
    steps = ", ".join(f"{value:.2f} up to {end:.3g} s" for end, value in known)
    return (
        f"By time since it was last seen, at the place that validation chose most often ({place}): {steps}. A memory "
        "in which the event goes on keeps this from falling; one that holds the past alone may know the rate, but not "
        "where it has led."
    )


def _trivial(state: DecodedTarget) -> str:
    if not state.rows:
        return "The hidden state is the same everywhere: nothing to predict."
    prior, memory = row_of(state, PRIOR).r2, row_of(state, "memory").r2
    text = (
        f"The raw hidden state: R² {interval(memory)} from the cache, {interval(prior)} from last state and elapsed "
        "time alone."
    )
    if prior.mean >= TRIVIAL:
        text += (
            " So it is trivially predictable, and a high R² for the raw state says nothing about memory; read the "
            "rows beyond it."
        )
    return text


def _used(result: CacheProbeResult) -> list[str]:
    if result.causal is None:
        return ["Whether it is used was not asked: no causal test was made."]
    found = [_moved(e) for e in result.causal.shift_effects if e.name == "time, both ways"]
    found += [
        f"With the keys and values of another clip's hidden frames, the return moves {interval(effect.estimate)} of "
        f"the way to that clip's state (0: it follows the clip shown, 1: the cache; {effect.readable} of "
        f"{effect.asked} readable)."
        for effect in result.causal.swap_effects
        if effect.name == "hidden frames: to the other's state" and effect.estimate is not None
    ]
    parts = [
        f"{effect.name.removesuffix(CHANGED)} {interval(effect.estimate)}"
        for effect in result.causal.ablation_effects
        if effect.name.endswith(CHANGED)
    ]
    return [*found, f"Without some nodes recovery changes by: {'; '.join(parts)}."] if parts else found


def _moved(effect: Effect) -> str:
    """Of the time index."""
    if effect.estimate is None:
        return f"Used? None of {effect.asked} returns that were moved in time could be read."
    verdict = "not decided"
    if effect.estimate.low > 0.5:
        verdict = "it goes by its time index"
    elif effect.estimate.high < 0.5:
        verdict = "it hardly looks at its time index"
    return (
        f"Used? When the returning frames are moved in time, the event moves by {interval(effect.estimate)} s for each "
        f"second ({verdict}; {effect.readable} of {effect.asked} readable)."
    )


def row_of(target: DecodedTarget, name: str) -> Row:
    """The row of a target's table with that name."""
    return next(row for row in target.rows if row.name == name)


def _sure(row: Row) -> bool:
    return row.less is not None and row.less.mean > 0 and row.p_holm is not None and row.p_holm < SURE


def _group(group: DecodedGroup, bins_s: Sequence[float]) -> dict[str, Any]:
    return {
        "facts": group,
        "title": group.event_type.replace("_", " "),
        "targets": [
            {
                "facts": target,
                "title": TITLES[target.name],
                "maps": _maps(target, bins_s, TRAINED, "object"),
                "more": _maps(target, bins_s, TRAINED, "frame") + _maps(target, bins_s, UNTRAINED, "object"),
                "layers": [s for s in target.sites if s.model == TRAINED],
            }
            for target in group.targets
        ],
    }


def _maps(target: DecodedTarget, bins_s: Sequence[float], model: str, area: str) -> list[dict[str, Any]]:
    """A heat map of each source."""
    assert area in AREAS
    found = []
    for source in SOURCES:
        sites = sorted(
            (s for s in target.sites if (s.model, s.source, s.area) == (model, source, area)), key=lambda s: s.layer
        )
        if sites:
            who = "" if model == TRAINED else f", {model} model"
            caption = f"{NAMES[source]} {AREA_NAMES[area]}{who}"
            svg = heat_map([s.by_time for s in sites], bins_s, f"R2 by layer and hidden time: {caption}")
            found.append({"caption": caption, "svg": Markup(svg)})  # noqa: S704 (escaped in drawings)
    return found


def _shift_chart(result: CacheProbeResult) -> Markup | None:
    if result.causal is None:
        return None
    points = [(r.shift_s, r.moved_s) for r in result.causal.shifts if r.moved_s is not None]
    if not points:
        return None
    effect: Effect = next(e for e in result.causal.shift_effects if e.name == "time, both ways")
    slope = effect.estimate.mean if effect.estimate else None
    svg = scatter(
        points,
        slope,
        "event time that the picture shows against the shift",
        "returning frames moved by, s",
        "event time moved by, s",
    )
    return Markup(svg)  # noqa: S704 (escaped in drawings)
