"""The second opinion: an RGB estimator trained on a clip's own sweep, one for each variable (DESIGN section 9).

Kernel ridge regression (Saunders et al. 1998) from the pixels of the region to the value of every number-valued
variable, and, as a regression to +1 and -1, to whether the picture shows one moment at all:

    f(x) = mean y + sum_j a_j k(x, x_j),  a = (K + ridge I)^-1 (y - mean y),  k(x, z) = exp(-|x - z|^2 / m)

with m the median squared distance between training pictures. It shares with the sweep readout the sweep and the
registration (`registration.align`), not the way of reading: no polyline, no residual, no limits of `verdict`.

Trained on: the sweep's pictures, each also damaged at random (small shifts, blur, brightness and tint, white and
blotchy noise, JPEG), and the whole sweep through H.264 twice. Examples of "no single moment": ghosts of two moments,
means of several, noise.
Fair, because the sweep is calibration: rendered with seeds of its own, it holds no frame that is ever read. Frames of
the clip are never trained on; `floor` says how well they are read. Other clips are not trained on either: their cameras
and things differ, and it does not carry over (docs/RESULTS.md).

Unreadable: the nearest training picture is further than m, or the "one moment" output is below 0.
Arrays: N pictures, D features, O outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from trainer.probe import corruptions
from trainer.probe.kinds import NUMBERS, Kind
from trainer.probe.metrics import clock_ratio
from trainer.probe.readout import WEIGHT_FLOOR, SweepModel, box_of, measure
from trainer.probe.registration import align, shifted
from trainer.probe.subject import Subject
from trainer.probe.verdict import read

COPIES = 5  # damaged copies of each sweep picture
H264_CRF = (23, 32)
MIXTURES = 3  # examples of no single moment for each sweep picture
RIDGE = 1e-2
MAX_SIDE = 40  # pixels of the region's box, after pooling
SMOOTHING_PX = 0.8

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Opinion:
    """What the estimator makes of one picture."""

    values: dict[str, float]  # variable -> value, readable or not
    one_moment: float  # about 1: a picture of one moment; about -1: a mixture
    distance: float  # to the nearest training picture, squared, in units of m

    @property
    def readable(self) -> bool:
        return self.distance <= 1.0 and self.one_moment >= 0.0


@dataclass(frozen=True)
class Floor:
    """How well true frames are read that neither reader was given: the clip's and the paused twin's after the return.

    Errors are of the clock ratio, each frame on its own clock; None where no frame was readable.
    """

    clip_id: str
    window: int
    event_type: str
    num_frames: int
    readable: int  # by the estimator
    mean_error: float | None
    worst_error: float | None
    sweep_readable: int
    sweep_mean_error: float | None
    sweep_worst_error: float | None


@dataclass(frozen=True)
class Estimator:
    """Trained for one window of one clip."""

    sweep: SweepModel
    kinds: Mapping[str, Kind]
    codes: Mapping[str, Array]  # variable -> what `decode` needs: labels, or mean and scale
    features_ND: Array
    weights_NO: Array
    means_O: Array
    pixel_weights: Array  # [h, w, 1]
    scale: float  # m

    @classmethod
    def fit(cls, subject: Subject, seed: int = 0) -> Estimator:
        """On the sweep of a window; deterministic in `seed`."""
        rng, pictures = np.random.default_rng(seed), subject.pictures.rgb
        names = [n for n in subject.pictures.states if subject.kind(n).domain in NUMBERS]
        kinds = {name: subject.kind(name) for name in names}
        codes = {n: _code(kinds[n], subject.pictures.states[n]) for n in names}
        targets = [_encode(kinds[n], codes[n], subject.pictures.states[n]) for n in names]
        shown = [pictures, *(corruptions.h264(pictures, crf) for crf in H264_CRF)]
        shown += [np.stack([damaged(p, rng) for p in pictures]) for _ in range(COPIES)]
        mixed = np.stack([damaged(p, rng) for p in _mixtures(pictures, rng, MIXTURES * len(pictures))])
        pixel_weights = _pixel_weights(subject.sweep)
        features = _features(np.concatenate([*shown, mixed]), subject.sweep, pixel_weights)
        known = len(shown) * len(pictures)
        outputs = np.tile(np.concatenate(targets, axis=1), (len(shown), 1))
        distances = _squared_distances(features, features)
        scale = float(np.median(distances[:known, :known][~np.eye(known, dtype=bool)])) or 1.0
        kernel = np.exp(-distances / scale)
        one_moment = np.where(np.arange(len(features)) < known, 1.0, -1.0)[:, None]
        values = np.linalg.solve(kernel[:known, :known] + RIDGE * np.eye(known), outputs - outputs.mean(0))
        padded = np.concatenate([values, np.zeros((len(features) - known, values.shape[1]))])
        alone = np.linalg.solve(kernel + RIDGE * np.eye(len(kernel)), one_moment)
        weights, means = np.concatenate([padded, alone], axis=1), np.append(outputs.mean(0), 0.0)
        return cls(subject.sweep, kinds, codes, features, weights, means, pixel_weights, scale)

    def read(self, picture: Picture) -> Opinion:
        """One picture [H, W, 3], registered like the sweep readout does."""
        query = picture.astype(np.float64) / 255
        alignment = align(query, self.sweep.mean, self.sweep.static)
        query = (shifted(query, alignment.shift_px) - np.array(alignment.offset)) / np.array(alignment.gain)
        feature = _features(np.clip(query, 0, 1)[None] * 255, self.sweep, self.pixel_weights)
        distances = _squared_distances(feature, self.features_ND)[0] / self.scale
        outputs = np.exp(-distances) @ self.weights_NO + self.means_O
        values, start = {}, 0
        for name, kind in self.kinds.items():
            width = _width(kind, self.codes[name])
            values[name] = _decode(kind, self.codes[name], outputs[start : start + width])
            start += width
        return Opinion(values, float(outputs[-1]), float(distances.min()))


def second_ratio(
    subject: Subject, estimator: Estimator, picture: Picture, reference_s: float, until_s: float | None = None
) -> float | None:
    """Clock ratio of a picture by the probed variable's estimated value; None when unreadable (see `opinion_ratio`)."""
    return opinion_ratio(subject, estimator.read(picture), reference_s, until_s)


def opinion_ratio(subject: Subject, opinion: Opinion, reference_s: float, until_s: float | None = None) -> float | None:
    """Clock ratio of what the estimator makes of a picture; None when unreadable.

    The time at which the true series comes nearest to that value; of several within the variable's tolerance the one
    nearest to `reference_s`, as for the sweep readout. `until_s`: event time of the picture's own frame, if after t_r.
    """
    if not opinion.readable:
        return None
    kind, value = subject.kind(), opinion.values[subject.variable]
    time_s = kind.time_of(*subject.known(subject.variable), value, reference_s, slack=kind.tolerance)
    return clock_ratio(time_s, subject.sweep.t_h_s, subject.sweep.t_r_s if until_s is None else until_s)


def damaged(picture: Picture, rng: np.random.Generator) -> Picture:
    """A random mild damage that keeps the state: what registration leaves over, blur, tint, noise, JPEG."""
    x = picture.astype(np.float64)
    shift_px = rng.uniform(-0.5, 0.5, 2)
    x = np.stack([ndimage.shift(x[..., c], shift_px, order=1, mode="nearest") for c in range(3)], axis=2)
    if rng.random() < 0.6:
        sigma = rng.uniform(0, 1.3)
        x = ndimage.gaussian_filter(x, (sigma, sigma, 0))
    x = x * rng.uniform(0.95, 1.05) * rng.uniform(0.98, 1.02, 3) + rng.uniform(-3, 3, 3)
    if rng.random() < 0.5:
        x += rng.normal(0, rng.uniform(0, 6), x.shape)
    if rng.random() < 0.5:
        blotches = ndimage.gaussian_filter(rng.normal(0, 1, x.shape), (2, 2, 0))
        x += blotches / blotches.std() * 255 * rng.uniform(0, 0.03)
    x = np.clip(x, 0, 255).astype(np.uint8)
    return corruptions.codec(x, int(rng.integers(40, 95))) if rng.random() < 0.4 else x


def _mixtures(pictures: NDArray[np.uint8], rng: np.random.Generator, number: int) -> list[Picture]:
    """Pictures of no single moment: 50 % ghosts of two distant ones, 40 % means of three or more, 10 % noise."""
    found, count = [], len(pictures)
    for draw in rng.random(number):
        if draw < 0.5:
            i = int(rng.integers(count))
            j = (i + int(rng.integers(max(1, count // 5), max(2, count - count // 5)))) % count
            share = rng.uniform(0.3, 0.7)
            mixed = share * pictures[i].astype(np.float64) + (1 - share) * pictures[j]
        elif draw < 0.9:
            some = rng.choice(count, int(rng.integers(3, count + 1)), replace=False)
            mixed = pictures[some].astype(np.float64).mean(0)
        else:
            mixed = rng.integers(0, 256, pictures[0].shape).astype(np.float64)
        found.append(np.round(mixed).astype(np.uint8))
    return found


def _pooled(pictures: Array, sweep: SweepModel) -> Array:
    """[N, h, w, 3] the region's box, smoothed, at most `MAX_SIDE` pixels a side by whole-number pooling."""
    box = pictures[:, *box_of(sweep.region)]
    step = -(-max(box.shape[1:3]) // MAX_SIDE)
    smooth = ndimage.gaussian_filter(box, (0, SMOOTHING_PX * step, SMOOTHING_PX * step, 0))
    return np.asarray(smooth[:, step // 2 :: step, step // 2 :: step])


def _pixel_weights(sweep: SweepModel) -> Array:
    """[h, w, 1] sqrt(v / (v + 0.1 mean v)) with v the variance over the sweep, as in `readout`."""
    variance = _pooled(sweep.pictures, sweep).var(0).mean(-1, keepdims=True)
    return np.asarray(np.sqrt(variance / (variance + WEIGHT_FLOOR * variance.mean() + 1e-12)))


def _features(pictures: NDArray[np.generic], sweep: SweepModel, pixel_weights: Array) -> Array:
    """[N, D] of pictures [N, H, W, 3] in 0..255."""
    return (_pooled(np.asarray(pictures, np.float64) / 255, sweep) * pixel_weights).reshape(len(pictures), -1)


def _squared_distances(a_ND: Array, b_ND: Array) -> Array:
    """[Na, Nb]."""
    squares = (a_ND**2).sum(1)[:, None] + (b_ND**2).sum(1) - 2 * a_ND @ b_ND.T
    return np.maximum(squares, 0.0)


def _code(kind: Kind, values: Array) -> Array:
    """The labels there are, or mean and scale of the numbers."""
    if kind.domain == "discrete":
        return np.unique(np.round(values))
    return np.array([values.mean(), values.std() or 1.0])


def _width(kind: Kind, code: Array) -> int:
    return len(code) if kind.domain == "discrete" else 1 if kind.cycle is None else 2


def _encode(kind: Kind, code: Array, values: Array) -> Array:
    """[N, width]: one column for each label; cosine and sine of a cycle; else the standardised number."""
    if kind.domain == "discrete":
        return (np.round(values)[:, None] == code).astype(np.float64)
    if kind.cycle is not None:
        turn = 2 * np.pi * values / kind.cycle
        return np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return ((values - code[0]) / code[1])[:, None]


def _decode(kind: Kind, code: Array, outputs: Array) -> float:
    if kind.domain == "discrete":
        return float(code[np.argmax(outputs)])
    if kind.cycle is not None:
        return float(np.arctan2(outputs[1], outputs[0]) / (2 * np.pi) * kind.cycle % kind.cycle)
    return float(outputs[0] * code[1] + code[0])


def floor(subject: Subject, estimator: Estimator) -> Floor:
    """Both readers on true frames after the return: the clip's, and the paused twin's where the sweep reaches them."""
    errors: dict[str, list[float]] = {"second": [], "sweep": []}
    frames = subject.frames_like_return()
    lag_s = float(subject.frame_times_s[subject.t_r]) - subject.paused_time_s
    held_out = [(f, subject.clip.rgb[f], float(subject.frame_times_s[f])) for f in frames]
    held_out += [(f, subject.clip.twin("paused").rgb[f], float(subject.frame_times_s[f]) - lag_s) for f in frames]
    held_out = [row for row in held_out if row[2] >= subject.sweep.event_time_s[0]]
    for frame, picture, time_s in held_out:
        until_s = float(subject.frame_times_s[frame])
        expected = clock_ratio(time_s, subject.sweep.t_h_s, until_s)
        second = second_ratio(subject, estimator, picture, time_s, until_s)
        first = read(subject.sweep, measure(subject.sweep, picture), time_s, until_s=until_s).clock_ratio
        for name, ratio in (("second", second), ("sweep", first)):
            if ratio is not None:
                errors[name].append(abs(ratio - expected))
    return Floor(
        subject.clip.clip_id,
        subject.number,
        subject.event_type,
        len(held_out),
        len(errors["second"]),
        *_mean_and_worst(errors["second"]),
        len(errors["sweep"]),
        *_mean_and_worst(errors["sweep"]),
    )


def _mean_and_worst(errors: Sequence[float]) -> tuple[float | None, float | None]:
    return (float(np.mean(errors)), max(errors)) if errors else (None, None)
