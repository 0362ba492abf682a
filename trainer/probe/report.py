"""The report: one HTML file that a colleague who was not there can read. No network, no script, everything escaped."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from trainer.probe.bootstrap import Estimate
from trainer.probe.charts import Bar, bars, data_uri, state_curve
from trainer.probe.habit import habit_rows
from trainer.probe.result import ClipFacts, Key, ModelScore, ProbeResult
from trainer.probe.score import Generated
from trainer.probe.splits import NEW_SEEDS, TRAINED_SCENES
from trainer.probe.strips import GIVEN, strip_rows
from trainer.probe.subject import Subject
from trainer.probe.summary import (
    FROM_TRAINING,
    PAUSED_ROW,
    Row,
    VariableRow,
    agreement_rows,
    sample_rows,
    summary_rows,
    variable_rows,
)
from trainer.probe.templating import publish, template

LEARNING_STEPS = 1000  # on the toy of docs/LOG.md a hidden state is learned abruptly, at about this many steps


def write_report(
    path: Path, result: ProbeResult, subjects: Sequence[Subject], rollouts: Mapping[Key, Sequence[Generated]]
) -> None:
    """Write `path` (index.html), published by a rename. rollouts: window -> samples; the first is shown."""
    scores = {s.key: s for s in result.model if s.sample == 0}
    shown = {key: samples[0] for key, samples in rollouts.items() if samples}
    rows = summary_rows(result)
    page = template("trainer.probe", "report.html.j2").render(
        result=result,
        summary=sentences(result, rows),
        groups=_grouped([row for row in rows if not row.split]),
        splits=[part for part in _parts(rows) if part["name"] != FROM_TRAINING],
        distances=next((part for part in _parts(rows) if part["name"] == FROM_TRAINING), None),
        habits=habit_rows(result),
        samples=sample_rows(result),
        variables=_by_type(variable_rows(result)),
        agreement=agreement_rows(result),
        floors=_floors(result),
        clips=[_clip(s, f, scores.get(f.key), shown) for s, f in zip(subjects, result.clips, strict=True)],
        interval=interval,
        number=number,
        config=json.dumps(result.run, indent=1, default=str) if result.run else "",
        num_scenes=len({c.scene_id for c in result.clips}),
    )
    publish(path, page)


def sentences(result: ProbeResult, rows: Sequence[Row]) -> list[str]:
    """What was found, in words."""
    calibration = [j for j in result.exhibits if j.group == "calibration"]
    corruption = [j for j in result.exhibits if j.group == "corruption"]
    right = [sum(j.passed for j in group) for group in (calibration, corruption)]
    instrument = (
        f"The instrument: {right[0]} of {len(calibration)} rendered pictures of known time were read within 0.05, "
        f"and {right[1]} of {len(corruption)} damaged ones as they should be. "
    )
    trusted = right[0] == len(calibration) and right[1] >= 0.95 * len(corruption)
    instrument += (
        "So the figures below can be trusted."
        if trusted
        else "Read the figures below with care: look first at the calibration rows that failed."
    )
    model = next((row for row in rows if row.group == "model"), None)
    if model is None:
        return [instrument, "No model was probed: this report only checks the instrument."]
    frozen = next(row for row in rows if row.name == PAUSED_ROW)
    return [_verdict(model, frozen), _expectation(result), instrument]


def _verdict(row: Row, frozen: Row) -> str:
    """What the model did, from its first row, beside what a frozen event gets by the same reading."""
    if row.clock_ratio is None:
        return (
            "The model's pictures after the return could not be read in any clip: they resemble no single moment of "
            "the event (they are blurred, mixed or drawn wrongly). By this measure it remembered nothing."
        )
    share = f"In {row.coverage:.0%} of the clips the model's picture after the return could be read. "
    ratio = row.clock_ratio.mean
    where = f"There its clock ratio was {ratio:.2f} on average (0: the event stood still unseen, 1: it went on). "
    if row.recovery.mean >= max(0.7, frozen.recovery.mean + 0.2):
        verdict = "That is close to the truth: the model let the event go on while it could not see it."
    elif abs(ratio) < 0.25:
        verdict = "That is close to a frozen event: the model did not let time pass unseen."
    else:
        verdict = "That is neither frozen nor right."
    doubt = "" if math.isfinite(row.recovery.low) else " One scene gives no interval."
    figures = (
        f"Recovery, counting unreadable clips as 0: {interval(row.recovery)}; an event that really stood still gets "
    )
    return f"{share}{where}{verdict} {figures}{interval(frozen.recovery)} by the same reading.{doubt}"


def _expectation(result: ProbeResult) -> str:
    """What a model of this size can show at all."""
    step = (result.run or {}).get("step")
    seen = [c.held_out for c in result.clips]
    split = ""
    if any(held is not None for held in seen):
        held_out = sum(bool(held) for held in seen)
        split = f" Of the {len(seen)} clips here, {held_out or 'none'} show scenes that were kept from training."
        beyond = sum(bool(set(c.splits) - {TRAINED_SCENES, NEW_SEEDS}) for c in result.clips)
        if beyond:
            split += f" In {beyond} of them more is new than the scene (see the distance from training)."
    if step is None:
        return "Nothing is known here about how the model was trained." + split
    if step < LEARNING_STEPS:
        return (
            f"It was trained for {step} steps. That shows that the whole line works: clips are read, "
            "frames come out of the cache. It cannot show memory: even on the smallest task a hidden state is "
            f"learned abruptly, after about {LEARNING_STEPS} steps, and until then pictures are blurred or frozen."
            + split
        )
    return (
        f"It was trained for {step} steps, enough to learn a hidden state on small tasks; compare with the prior-only "
        "row: a model that does not beat it knows the event type, not this event." + split
    )


def interval(estimate: Estimate | None, digits: int = 2) -> str:
    """`0.52 [0.40, 0.61]`, without bounds where a single scene gives none, a dash for nothing."""
    if estimate is None:
        return "–"
    mean, low, high = (round(x, digits) + 0.0 for x in (estimate.mean, estimate.low, estimate.high))
    if not math.isfinite(low):
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value + 0.0:.{digits}f}"


def p_text(value: float | None) -> str:
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _parts(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The model's clips in parts: a chart of recoveries, and the rows. Only ways that give more than one part, but
    for the distance from training, of which one alone says something too."""
    frozen = next(row for row in rows if row.name == PAUSED_ROW).recovery.mean
    found = []
    for split in dict.fromkeys(row.split for row in rows if row.split):
        members = [row for row in rows if row.split == split]
        if len(members) < 2 and split != FROM_TRAINING:
            continue
        entries = [_bar(row) for row in members]
        chart = Markup(bars(entries, f"recovery by {split}", frozen, "paused"))  # noqa: S704 (escaped in charts)
        found.append({"name": split, "rows": members, "chart": chart})
    return found


def _bar(row: Row) -> Bar:
    estimate = row.recovery
    scenes = f"{estimate.num_scenes} scene{'s' if estimate.num_scenes != 1 else ''}"
    note = f"{estimate.mean:.2f} ({estimate.num_values} in {scenes})"
    return Bar(row.name, estimate.mean, estimate.low, estimate.high, note)


def _by_type(rows: Sequence[VariableRow]) -> list[tuple[str, list[VariableRow]]]:
    types = dict.fromkeys(row.event_type for row in rows)
    return [(name.replace("_", " "), [row for row in rows if row.event_type == name]) for name in types]


def _floors(result: ProbeResult) -> list[dict[str, Any]]:
    """For each event type: how well both readers read true frames that neither was given."""
    found = []
    for name in dict.fromkeys(f.event_type for f in result.floors):
        mine = [f for f in result.floors if f.event_type == name]
        found.append(
            {
                "name": name.replace("_", " "),
                "frames": sum(f.num_frames for f in mine),
                "readable": sum(f.readable for f in mine),
                "mean": _weighted([(f.mean_error, f.readable) for f in mine]),
                "worst": max((f.worst_error for f in mine if f.worst_error is not None), default=None),
                "sweep_readable": sum(f.sweep_readable for f in mine),
                "sweep_mean": _weighted([(f.sweep_mean_error, f.sweep_readable) for f in mine]),
                "sweep_worst": max(
                    (f.sweep_worst_error for f in mine if f.sweep_worst_error is not None), default=None
                ),
            }
        )
    return found


def _weighted(parts: Sequence[tuple[float | None, int]]) -> float | None:
    known = [(mean, count) for mean, count in parts if mean is not None]
    return sum(mean * count for mean, count in known) / sum(count for _, count in known) if known else None


def _grouped(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    titles = {
        "calibration": "Calibration: renders of known time",
        "model": "The model",
        "baseline": "Baselines",
        "corruption": "Damaged pictures: unreadable, or still right",
    }
    groups = [(title, [row for row in rows if row.group == key]) for key, title in titles.items()]
    return [(title, members) for title, members in groups if members]


def _clip(
    subject: Subject, facts: ClipFacts, score: ModelScore | None, rollouts: Mapping[Key, Generated]
) -> dict[str, Any]:
    rollout = rollouts.get(facts.key)
    frames, strips = strip_rows(subject, facts, rollout)
    hidden = set(subject.window.hidden_frames)
    return {
        "facts": facts,
        "score": score,
        "curve": Markup(state_curve(facts, score)),  # noqa: S704 (built and escaped in charts)
        "columns": [(f, f / facts.fps, f in hidden, f == facts.t_r) for f in frames],
        "strips": [(row.name, [data_uri(p) for p in row.pictures], [c == GIVEN for c in row.frames]) for row in strips],
        "reading": _reading_in_words(score),
    }


def _reading_in_words(score: ModelScore | None) -> str:
    if score is None:
        return ""
    if not score.frames:
        return "No generated frame has the camera of the return, so the sweep cannot read it: recovery 0."
    reading = score.frames[0].reading
    if reading.clock_ratio is None:
        return f"Unreadable at the return ({', '.join(reading.reasons)}): recovery 0."
    several = "" if reading.num_alternatives == 1 else f" ({reading.num_alternatives} moments look the same)"
    second = score.frames[0].second_ratio
    other = "" if second is None else f" The trained estimator reads {second:.2f}."
    return f"Clock ratio at the return {reading.clock_ratio:.2f}{several}, recovery {score.recovery:.2f}.{other}"
