"""The hidden frames of a data set: what is true in them, what was seen last, and what a memory holds of them.

Arrays: R rows (hidden latents) of a window, N rows of several, O outputs (2 for a cyclic variable: cosine and sine).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.clip import Clip, Window
from trainer.checkpoint import TrainedModel
from trainer.data.clips import ClipRecord, read_clip
from trainer.probe.kinds import ORDERED, Kind
from trainer.probe.memory.recording import Recording, record_memory, small_picture
from trainer.rollout import RolloutConfig

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class HiddenWindow:
    """One hidden window of a clip, with what each of the models holds of its R hidden latents."""

    clip: Clip
    window: Window
    frames: NDArray[np.intp]  # [R] of the clip
    memory: Mapping[str, NDArray[np.float32]]  # model -> [L, S, A, R, D]
    picture: Array  # [R, D] pictures at these frames, small
    last_picture: Array  # [D] the picture last seen, small

    @property
    def event_type(self) -> str:
        return str(self.clip.manifest["event_types"][self.window.target])

    @property
    def elapsed_s(self) -> Array:
        """[R] since the event was last seen."""
        return np.asarray((self.frames - self.window.t_h) / self.clip.fps, np.float64)

    @property
    def moving(self) -> list[str]:
        """Ordered numbers that change while hidden by what counts as moved; the probed one (with a min_delta) first."""
        variables = self.clip.variables[self.window.target]
        kinds = {name: Kind.of(meta) for name, meta in variables.items()}
        names = sorted((n for n, k in kinds.items() if k.domain in ORDERED), key=lambda n: kinds[n].min_delta is None)
        return [n for n in names if abs(self._change(n, kinds[n])) >= kinds[n].still_limit]

    def labels(self, variable: str) -> Labels:
        """What is true of one of its variables."""
        kind, series = Kind.of(self.clip.variables[self.window.target][variable]), self._series(variable)
        hidden_s = (self.window.t_r - self.window.t_h) / self.clip.fps
        last = np.full(len(self.frames), series[self.window.t_h])
        return Labels(
            state_NO=_encoded(kind, series[self.frames]),
            last_NO=_encoded(kind, last),
            elapsed_N=self.elapsed_s,
            rate_N=np.full(len(self.frames), self._change(variable, kind) / hidden_s),
            kind_N=np.zeros(len(self.frames), dtype=np.intp),
        )

    def _series(self, variable: str) -> Array:
        return np.asarray(self.clip.series(self.window.target, variable), np.float64)

    def _change(self, variable: str, kind: Kind) -> float:
        """Over the whole hiding; of a cyclic variable all the way, however many turns."""
        part = self._series(variable)[self.window.t_h : self.window.t_r + 1]
        return float(kind.change(part[1:], part[:-1]).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """Truth at hidden rows. Cyclic variables are given as cosine and sine."""

    state_NO: Array
    last_NO: Array  # when last seen
    elapsed_N: Array  # s since then
    rate_N: Array  # change per second over the whole hiding
    kind_N: NDArray[np.intp]  # number of the event type: what is usual differs between them

    @property
    def known_NQ(self) -> Array:
        """What needs no memory: event type, last state and elapsed time, the latter two by type."""
        known = np.concatenate([np.ones((len(self.kind_N), 1)), self.last_NO, self.elapsed_N[:, None]], axis=1)
        return np.concatenate([known * (self.kind_N == kind)[:, None] for kind in np.unique(self.kind_N)], axis=1)

    def take(self, rows: NDArray[np.intp]) -> Labels:
        """Those of other rows in their place."""
        return Labels(
            state_NO=self.state_NO[rows],
            last_NO=self.last_NO[rows],
            elapsed_N=self.elapsed_N[rows],
            rate_N=self.rate_N[rows],
            kind_N=self.kind_N[rows],
        )

    @classmethod
    def joined(cls, parts: Sequence[Labels], kinds: Sequence[int] | None = None) -> Labels:
        """One after the other. kinds: of event type, of each part; None: of one type."""
        kinds = kinds or [0] * len(parts)
        return cls(
            state_NO=np.concatenate([p.state_NO for p in parts]),
            last_NO=np.concatenate([p.last_NO for p in parts]),
            elapsed_N=np.concatenate([p.elapsed_N for p in parts]),
            rate_N=np.concatenate([p.rate_N for p in parts]),
            kind_N=np.repeat(np.array(kinds, dtype=np.intp), [len(p.rate_N) for p in parts]),
        )

    def standardised(self) -> Labels:
        """In standard deviations of the state, and of the rate, about their means over these rows."""
        mean, scale = self.state_NO.mean(0), self.state_NO.std(0)
        return Labels(
            state_NO=(self.state_NO - mean) / scale,
            last_NO=(self.last_NO - mean) / scale,
            elapsed_N=self.elapsed_N,
            rate_N=(self.rate_N - self.rate_N.mean()) / (self.rate_N.std() or 1.0),
            kind_N=self.kind_N,
        )


def record_windows(
    clip: Clip, models: Mapping[str, TrainedModel], config: RolloutConfig, *, free: bool
) -> list[HiddenWindow]:
    """Every hidden window of a clip of which the record keeps a frame before it, and at least one hidden latent.

    models: of one configuration; the pictures are those of the first. config: of the rollout; its cache is unbounded.
    """
    first = next(iter(models.values()))
    record = read_clip(clip, first.config.data.frame_stride)
    if not record.hidden.any() or record.hidden[0]:
        return []
    areas = {window: carrier_mask(clip, window) for window in clip.windows}
    seen = [np.zeros(record.rgb.shape[1:3], dtype=bool)] * record.num_frames
    for window, area in areas.items():
        for place in np.flatnonzero(np.isin(record.frames, window.hidden_frames)):
            seen[place] = area
    made = {name: record_memory(model, record, seen, config, free=free) for name, model in models.items()}
    found = (_window(clip, window, record, made) for window in clip.windows)
    return [window for window in found if window is not None]


def carrier_mask(clip: Clip, window: Window) -> NDArray[np.bool_]:
    """[H, W] pixels of the target's carriers in the frame in which they were last seen."""
    return np.isin(np.asarray(clip.segmentation[window.t_h]), clip.carrier_ids(window.target))


def _window(clip: Clip, window: Window, record: ClipRecord, made: Mapping[str, Recording]) -> HiddenWindow | None:
    recorded = next(iter(made.values()))
    mine = np.isin(record.frames[recorded.index], window.hidden_frames)
    before = np.flatnonzero(record.frames <= window.t_h)
    if not mine.any() or not len(before):
        return None
    return HiddenWindow(
        clip=clip,
        window=window,
        frames=record.frames[recorded.index[mine]],
        memory={name: recording.memory[:, :, :, mine] for name, recording in made.items()},
        picture=np.stack([small_picture(picture) for picture in recorded.pictures[mine]]),
        last_picture=small_picture(record.rgb[before[-1]]),
    )


def _encoded(kind: Kind, values: Array) -> Array:
    """[N, O]."""
    if kind.cycle is None:
        return values[:, None]
    turn = 2 * np.pi * values / kind.cycle
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)
