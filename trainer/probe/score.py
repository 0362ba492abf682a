"""Scoring one model's rollout of one clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.probe import metrics
from trainer.probe.estimator import Estimator, Opinion, opinion_ratio
from trainer.probe.readout import measure
from trainer.probe.result import ModelFrame, ModelScore, VariableScore
from trainer.probe.subject import Subject
from trainer.probe.verdict import Limits, read


class Generated(Protocol):
    """A model's continuation of a clip (`trainer.rollout.Rollout` is one)."""

    @property
    def rgb(self) -> NDArray[np.uint8]: ...  # [F, H, W, 3]

    @property
    def frames(self) -> NDArray[np.int64]: ...  # [F] frame of the clip that each picture stands for

    @property
    def generated(self) -> NDArray[np.bool_]: ...  # [F] generated, not given


ON_TIME: Mapping[int, float] = MappingProxyType({})


def score(
    subject: Subject,
    rollout: Generated,
    limits: Limits,
    sample: int = 0,
    estimator: Estimator | None = None,
    late_s: Mapping[int, float] = ON_TIME,
) -> ModelScore:
    """All figures of one rollout. A window without a generated frame that the sweep can read has recovery 0.

    late_s: how much later than its frame a picture was taken, by frame, where it was (videos of another rate).
    """
    made = {int(f): rollout.rgb[i] for i, f in enumerate(rollout.frames) if rollout.generated[i]}
    comparable = [f for f in subject.frames_like_return() if f in made]
    opinions = {} if estimator is None else {f: estimator.read(made[f]) for f in comparable}
    frames = tuple(_read_frame(subject, f, made[f], limits, opinions.get(f), late_s.get(f, 0.0)) for f in comparable)
    ratio = frames[0].reading.clock_ratio if frames else None
    clip = subject.clip  # at t_r the camera or the light may still be on its way back, so not against `observed`
    outside = ~subject.sweep.region
    first = comparable[0] if comparable else None
    variables = variable_scores(subject, frames, opinions)
    probed = next(v for v in variables if v.name == subject.variable)
    stable = [v.stability for v in variables if v.stability is not None]
    return ModelScore(
        clip_id=subject.clip.clip_id,
        frames=frames,
        recovery=metrics.recovery(ratio),
        evolution_ratio=probed.evolution_ratio,
        stability=float(np.mean(stable)) if stable else None,
        plausibility=float(np.mean(list(probed.plausibility.values()))) if probed.plausibility else None,
        psnr_db=None if first is None else metrics.psnr_db(made[first], clip.rgb[first], outside),
        ssim=None if first is None else metrics.ssim(made[first], clip.rgb[first], outside),
        loop_psnr_db=_loop(subject, made),
        control=_control(subject, made),
        variables=variables,
        window=subject.number,
        sample=sample,
    )


def _read_frame(
    subject: Subject,
    frame: int,
    picture: NDArray[np.uint8],
    limits: Limits,
    opinion: Opinion | None,
    late_s: float,
) -> ModelFrame:
    """The frame on its own clock: CR = (t^ - t_h) / (t_frame - t_h), 1 when the event went on until this very picture,
    t_frame + late_s."""
    true_time_s = float(subject.frame_times_s[frame]) + late_s
    reading = read(subject.sweep, measure(subject.sweep, picture), true_time_s, limits, until_s=true_time_s)
    second = None if opinion is None else opinion_ratio(subject, opinion, true_time_s, true_time_s)
    if reading.clock_ratio is None:
        return ModelFrame(frame, reading, None, second)
    return ModelFrame(frame, reading, subject.value_at(_time_read(subject, frame, reading.clock_ratio)), second)


def _time_read(subject: Subject, frame: int, ratio: float) -> float:
    """Event time that a clock ratio of a frame stands for."""
    t_h_s = subject.sweep.t_h_s
    return t_h_s + ratio * (float(subject.frame_times_s[frame]) - t_h_s)


def variable_scores(
    subject: Subject, frames: Sequence[ModelFrame], opinions: Mapping[int, Opinion]
) -> tuple[VariableScore, ...]:
    """Every variable of the target: figures of `kinds.Kind` over the readable frames.

    Errors and the evolution ratio are those of the true state at the time that the sweep readout gives. Such a state
    keeps every law of the truth, so stability and plausibility are asked of the values that the estimator reads from
    the pixels (`opinions`, by frame), and of nothing that never changes in its sweep.
    """
    times = {
        f.frame: _time_read(subject, f.frame, f.reading.clock_ratio)
        for f in frames
        if f.reading.clock_ratio is not None
    }
    at_return = frames[0].frame if frames and frames[0].frame in times else None
    seen = {f: opinion.values for f, opinion in opinions.items() if opinion.readable}
    names = subject.clip.variables[subject.target]
    return tuple(_variable_score(subject, name, times, at_return, seen) for name in names)


def _variable_score(
    subject: Subject,
    name: str,
    times: Mapping[int, float],
    at_return: int | None,
    seen: Mapping[int, Mapping[str, float]],
) -> VariableScore:
    kind, meta, series = subject.kind(name), subject.clip.variables[subject.target][name], subject.series(name)
    read_at, start = list(times), series[subject.t_h]
    measured, true = subject.values_at(name, np.array(list(times.values()))), series[read_at]
    error = None if at_return is None else float(kind.relative_error(measured[:1], true[:1], start)[0])
    within = None if at_return is None else bool(kind.distance(measured[:1], true[:1])[0] <= kind.tolerance)
    swept = subject.pictures.states.get(name)
    seen_at = list(seen) if swept is not None and np.ptp(swept) > 0 else []
    values = np.array([seen[f][name] for f in seen_at])
    return VariableScore(
        name=name,
        domain=kind.domain,
        unit=str(meta["unit"]),
        role=str(meta["role"]),
        relative_error=error,
        within_tolerance=within,
        evolution_ratio=kind.evolution_ratio(measured, read_at, subject.t_h, series),
        stability=kind.stability(values, series[seen_at], start) if seen_at else None,
        plausibility=kind.kept_flags(subject.frame_times_s[seen_at], values, *subject.known(name)),
    )


def _loop(subject: Subject, made: dict[int, NDArray[np.uint8]]) -> float | None:
    """Only for cameras that move and come back: bitwise the first camera, in a generated frame."""
    cameras = subject.clip.cameras.camera_from_world
    if (cameras[: subject.t_h + 1] == cameras[0]).all():
        return None
    closing = [f for f in made if f >= subject.t_r and (cameras[f] == cameras[0]).all()]
    if not closing:
        return None
    return metrics.psnr_db(made[max(closing)], subject.clip.rgb[0], ~subject.sweep.region)


def _control(subject: Subject, made: dict[int, NDArray[np.uint8]]) -> float | None:
    hidden = [f for f in subject.window.hidden_frames if f in made]
    if not hidden:
        return None
    interrupted = np.stack([subject.clip.rgb[f] for f in hidden])
    observed = np.stack([subject.clip.twin("observed").rgb[f] for f in hidden])
    return metrics.control(np.stack([made[f] for f in hidden]), interrupted, observed)
