"""Scoring one model's rollout of one clip."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.probe import metrics
from trainer.probe.readout import measure
from trainer.probe.result import ModelFrame, ModelScore
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


def score(subject: Subject, rollout: Generated, limits: Limits) -> ModelScore:
    """All figures of one rollout. A clip of which no generated frame can be compared with the sweep has recovery 0."""
    made = {int(f): rollout.rgb[i] for i, f in enumerate(rollout.frames) if rollout.generated[i]}
    comparable = [f for f in subject.frames_like_return() if f in made]
    frames = tuple(_read_frame(subject, f, made[f], limits) for f in comparable)
    ratio = frames[0].reading.clock_ratio if frames else None
    observed = subject.clip.twin("observed")
    outside = ~subject.sweep.region
    first = comparable[0] if comparable else None
    return ModelScore(
        clip_id=subject.clip.clip_id,
        frames=frames,
        recovery=metrics.recovery(ratio),
        evolution_ratio=_evolution(subject, frames),
        stability=_stability(subject, frames),
        plausibility=_plausibility(subject, frames),
        psnr_db=None if first is None else metrics.psnr_db(made[first], observed.rgb[first], outside),
        ssim=None if first is None else metrics.ssim(made[first], observed.rgb[first], outside),
        loop_psnr_db=_loop(subject, made),
        control=_control(subject, made),
    )


def _read_frame(subject: Subject, frame: int, picture: NDArray[np.uint8], limits: Limits) -> ModelFrame:
    """The frame on its own clock: CR = (t^ - t_h) / (t_frame - t_h), 1 when the event went on until this very frame."""
    true_time_s = float(subject.frame_times_s[frame])
    reading = read(subject.sweep, measure(subject.sweep, picture), true_time_s, limits, until_s=true_time_s)
    ratio = reading.clock_ratio
    if ratio is None:
        return ModelFrame(frame, reading, None)
    t_h_s = subject.sweep.t_h_s
    return ModelFrame(frame, reading, subject.value_at(t_h_s + ratio * (true_time_s - t_h_s)))


def _changes(subject: Subject, frames: tuple[ModelFrame, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measured and true change of the probed variable since t_h, over readable frames."""
    readable = [f for f in frames if f.value is not None]
    last, cycle = float(subject.values[subject.t_h]), subject.meta["cycle"]
    measured = np.array([f.value for f in readable], dtype=np.float64)
    true = subject.values[[f.frame for f in readable]] if readable else np.zeros(0)
    return metrics.difference(measured, last, cycle), metrics.difference(true, last, cycle)


def _evolution(subject: Subject, frames: tuple[ModelFrame, ...]) -> float | None:
    measured, true = _changes(subject, frames)
    if not subject.is_monotone or not true.any():
        return None
    return metrics.evolution_ratio(measured, true)


def _stability(subject: Subject, frames: tuple[ModelFrame, ...]) -> float | None:
    measured, true = _changes(subject, frames)
    return metrics.stability(measured, true, float(subject.meta["min_delta"])) if len(true) else None


def _plausibility(subject: Subject, frames: tuple[ModelFrame, ...]) -> float | None:
    values = [f.value for f in frames if f.value is not None]
    flags = set(subject.meta["flags"])
    if not values or not flags & {"monotone", "bounded", "conserved"}:
        return None
    return metrics.plausibility(
        np.array(values),
        subject.values,
        monotone="monotone" in flags,
        bounded="bounded" in flags,
        conserved="conserved" in flags,
        tolerance=float(subject.meta["tolerance"]),
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
    hidden = [f for f in subject.clip.windows[0].hidden_frames if f in made]
    if not hidden:
        return None
    interrupted = np.stack([subject.clip.rgb[f] for f in hidden])
    observed = np.stack([subject.clip.twin("observed").rgb[f] for f in hidden])
    return metrics.control(np.stack([made[f] for f in hidden]), interrupted, observed)
