"""Habit or memory: is what a model lets happen unseen what such events usually do, or what this one does?

A model may know that glasses fill and never have looked at how fast this one does; its clock ratio is 1 on average all
the same. So the change that it made is regressed (ordinary least squares, no intercept) on two parts of the true one:

    g = habit p + memory (c - p)        g generated, c true change since t_h, p = mean rate of the type x hidden time

each over the root mean square of c of its event type, so that types can be pooled. Paused: habit 0, memory 0; the
usual rate for every event: 1, 0; truth: 1, 1; everything at half speed: 0.5, 0.5. Memory is what a *rate remembered
of this event* adds, and is only defined where events of one type differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.probe.bootstrap import Estimate, clustered_slopes
from trainer.probe.result import ClipFacts, ProbeResult

ALL_TYPES = "all types"
DOMAINS = ("scalar", "count")  # changes of which can be added; those of an angle wrap
MIN_SCENES = 4  # readable ones, for two slopes
MIN_APART = 0.05  # of the root mean square change: events of a type that differ less have one rate


@dataclass(frozen=True)
class HabitRow:
    """Slopes over the readable windows of one event type, or of all."""

    name: str
    habit: Estimate
    memory: Estimate
    num_windows: int  # that are regressed
    num_asked: int


def habit_rows(result: ProbeResult) -> list[HabitRow]:
    """All types first, then each; without those in which too little could be read, or all events are alike.

    Windows count whose probed variable is a number that only rises or only falls; the frame is the first one that is
    comparable, as for recovery. Unreadable windows cannot enter, so the coverage belongs beside the slopes.
    """
    asked: dict[str, list[list[float]]] = {}
    scenes: dict[str, list[str]] = {}
    facts = {clip.key: clip for clip in result.clips}
    rates = _usual_rates(result.clips)
    for score in result.model:
        clip = facts[score.key]
        domain = next((v.domain for v in score.variables if v.name == clip.variable), None)
        if not clip.monotone or domain not in DOMAINS or not score.frames:
            continue
        first, hidden_s = score.frames[0], (score.frames[0].frame - clip.t_h) / clip.fps
        value = float("nan") if first.value is None else first.value
        usual = rates[clip.event_type] * hidden_s
        row = [value - clip.truth[clip.t_h], usual, clip.truth[first.frame] - clip.truth[clip.t_h] - usual]
        asked.setdefault(clip.event_type, []).append(row)
        scenes.setdefault(clip.event_type, []).append(clip.scene_id)
    scaled = {}
    for name, rows in asked.items():
        table = np.array(rows)
        if size := float(np.sqrt(((table[:, 1] + table[:, 2]) ** 2).mean())):  # of the true changes
            scaled[name] = table / size
    if not scaled:
        return []
    parts = {name: (table, scenes[name]) for name, table in scaled.items()}
    if len(parts) > 1:
        everywhere = [scene for name in scaled for scene in scenes[name]]
        parts = {ALL_TYPES: (np.concatenate(list(scaled.values())), everywhere)} | parts
    found = [_row(name.replace("_", " "), table, where) for name, (table, where) in parts.items()]
    return [row for row in found if row is not None]


def _usual_rates(clips: Sequence[ClipFacts]) -> dict[str, float]:
    """Event type -> mean true rate while hidden [unit/s], over its probed windows."""
    rates: dict[str, list[float]] = {}
    for clip in clips:
        change = clip.truth[clip.t_r] - clip.truth[clip.t_h]
        rates.setdefault(clip.event_type, []).append(change / ((clip.t_r - clip.t_h) / clip.fps))
    return {name: float(np.mean(values)) for name, values in rates.items()}


def _row(name: str, table: np.ndarray, scenes: Sequence[str]) -> HabitRow | None:
    read = np.isfinite(table[:, 0])
    where = [scene for scene, known in zip(scenes, read, strict=True) if known]
    if len(set(where)) < MIN_SCENES or np.sqrt((table[read, 2] ** 2).mean()) < MIN_APART:
        return None
    habit, memory = clustered_slopes(table[read, 0], table[read, 1:], where)
    return HabitRow(name, habit, memory, int(read.sum()), len(read))
