"""Calibration rows, corruption rows and baselines: what stands beside every figure of a model.

Calibration rows come by rendering and must be met within 0.05. Corruption rows are damaged pictures whose right
verdict is known. Baselines are predictions in state units, turned into a clock ratio through the true series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trainer.probe import corruptions
from trainer.probe.estimator import Estimator, second_ratio
from trainer.probe.metrics import clock_ratio
from trainer.probe.readout import Evidence, measure
from trainer.probe.subject import Subject
from trainer.probe.verdict import TOLERANT, Limits, Reading, read

Verdict = Literal["exact", "near or unreadable", "unreadable", "unreadable or prior"]
EXACT_TOLERANCE = 0.05
NEAR_TOLERANCE = 0.1
H264_CRF, H264_FRAMES = 28, 8  # a lossy download, and how many frames before the return go through it too


@dataclass(frozen=True)
class Exhibit:
    """A picture at the frame of return whose right reading is known."""

    name: str
    group: Literal["calibration", "corruption"]
    rgb: NDArray[np.uint8]
    expected_ratio: float  # its clock ratio; of a picture without one, that of truth
    verdict: Verdict
    sharp: bool = False  # a render as it left the renderer: strict limits are learned from these


@dataclass(frozen=True)
class Second:
    """The second opinion on an exhibit; its renders must be met within `NEAR_TOLERANCE` (its floor is coarser)."""

    clock_ratio: float | None  # None: unreadable
    passed: bool


@dataclass(frozen=True)
class Judged:
    """An exhibit read, and whether the reading is the right one."""

    name: str
    group: str
    clip_id: str
    window: int
    scene_id: str
    event_type: str
    expected_ratio: float
    verdict: str
    reading: Reading
    passed: bool
    second: Second | None  # of the trained estimator; None: it was not asked

    @property
    def key(self) -> tuple[str, int]:
        """Clip and window."""
        return self.clip_id, self.window


def exhibits(subject: Subject, stranger: Subject | None, seed: int = 0) -> list[Exhibit]:
    """All pictures for one window; `stranger` lends "another clip's frame" (left out when there is none of this size).

    Half speed and reversed are rendered for a clip's first window only. In a later window of the same target the paused
    twin lacks the earlier pauses too, so it does not show the state of t_h and is left out.
    """
    clip, t_r, sweep = subject.clip, subject.t_r, subject.sweep
    truth, paused = clip.rgb[t_r], clip.twin("paused").rgb[t_r]
    found = [Exhibit("truth", "calibration", truth, 1.0, "exact", True)]
    if abs(clock_ratio(subject.paused_time_s, sweep.t_h_s, sweep.t_r_s)) < 1e-6:
        found.append(Exhibit("paused", "calibration", paused, 0.0, "exact", True))
    for name, (rgb, time_s) in clip.calibration.items() if subject.number == 0 else ():
        ratio = clock_ratio(time_s, sweep.t_h_s, sweep.t_r_s)
        found.append(Exhibit(name.replace("_", " "), "calibration", rgb, ratio, "exact", True))
    for name, rgb in (
        ("mean of sweep", corruptions.mean_of_sweep(subject.pictures.rgb)),
        ("50/50 ghost", corruptions.ghost(paused, truth)),
        ("noise", corruptions.noise(truth, seed)),
    ):
        found.append(Exhibit(name, "corruption", rgb, 1.0, "unreadable"))
    if stranger is not None and stranger.clip.rgb.shape[1:] == clip.rgb.shape[1:]:
        rgb = stranger.clip.rgb[stranger.t_r]
        found.append(Exhibit("another clip's frame", "corruption", rgb, 1.0, "unreadable or prior"))
    for name, rgb in (
        ("blur, sigma 1 px", corruptions.blur(truth)),
        ("shift right 2 px", corruptions.shift(truth, 0, 2)),
        ("shift up 2 px", corruptions.shift(truth, -2, 0)),
        ("brightness +20 %", corruptions.brightness(truth)),
        ("codec, quality 60", corruptions.codec(truth)),
        ("H.264, crf 28", corruptions.h264(_until_return(subject), H264_CRF)[-1]),
        ("soft, sigma 0.7 px, blotches 2 %", corruptions.soft(truth, 0.7, 0.02, seed)),
    ):
        found.append(Exhibit(name, "corruption", rgb, 1.0, "near or unreadable"))
    return found


def _until_return(subject: Subject) -> NDArray[np.uint8]:
    """[n, H, W, 3] the clip's frames up to t_r, hidden ones among them: what a video's codec sees."""
    return subject.clip.rgb[max(0, subject.t_r - H264_FRAMES + 1) : subject.t_r + 1]


def judge(
    subject: Subject,
    exhibit: Exhibit,
    evidence: Evidence,
    limits: Limits = TOLERANT,
    estimator: Estimator | None = None,
) -> Judged:
    """Read an exhibit under some limits, and by the trained estimator, and compare with its known verdict."""
    sweep = subject.sweep
    reference_s = sweep.t_h_s + exhibit.expected_ratio * (sweep.t_r_s - sweep.t_h_s)
    reading = read(sweep, evidence, reference_s, limits)
    second = None
    if estimator is not None:
        ratio = second_ratio(subject, estimator, exhibit.rgb, reference_s)
        second = Second(ratio, _is_right(ratio, exhibit, NEAR_TOLERANCE))
    return Judged(
        exhibit.name,
        exhibit.group,
        subject.clip.clip_id,
        subject.number,
        subject.scene_id,
        subject.event_type,
        exhibit.expected_ratio,
        exhibit.verdict,
        reading,
        _is_right(reading.clock_ratio, exhibit, EXACT_TOLERANCE),
        second,
    )


def _is_right(ratio: float | None, exhibit: Exhibit, exact: float) -> bool:
    """Whether a reading is what the exhibit's verdict asks for; renders must be within `exact`."""
    error = None if ratio is None else abs(ratio - exhibit.expected_ratio)
    return {
        "exact": error is not None and error <= exact,
        "near or unreadable": error is None or error <= NEAR_TOLERANCE,
        "unreadable": error is None,
        "unreadable or prior": error is None,
    }[exhibit.verdict]


def measure_all(subjects: Sequence[Subject]) -> list[tuple[Subject, Exhibit, Evidence]]:
    """Evidence of every exhibit of every clip; each clip's stranger is the next of another scene."""
    found = []
    for i, subject in enumerate(subjects):
        others = [s for s in [*subjects[i + 1 :], *subjects[:i]] if s.scene_id != subject.scene_id]
        for exhibit in exhibits(subject, others[0] if others else None, seed=i):
            found.append((subject, exhibit, measure(subject.sweep, exhibit.rgb)))
    return found


def baselines(subject: Subject, others: Sequence[Subject]) -> dict[str, float]:
    """Clock ratios of predictors that see no pictures.

    paused: the last state seen, for ever. linear extrapolation: last state plus its true rate at t_h times the hidden
    time. prior only: last state plus the mean rate of the same event type in other scenes times the hidden time (the
    paused state where there is no other scene).
    Each becomes the event time at which the true change since t_h is nearest to the predicted one, full turns counted.
    """
    sweep = subject.sweep
    hidden_s = sweep.t_r_s - sweep.t_h_s
    last = float(subject.values[subject.t_h])
    step_s = float(subject.frame_times_s[1] - subject.frame_times_s[0])
    rate = float(subject.kind().change(last, float(subject.values[max(subject.t_h - 1, 0)]))) / step_s
    rates = [o.hidden_rate for o in others if o.event_type == subject.event_type and o.scene_id != subject.scene_id]
    prior = float(np.mean(rates)) if rates else 0.0

    def ratio(change: float) -> float:
        return clock_ratio(subject.time_of_change(change), sweep.t_h_s, sweep.t_r_s)

    return {
        "paused": 0.0,
        "prior only": ratio(prior * hidden_s),
        "linear extrapolation": ratio(rate * hidden_s),
    }
