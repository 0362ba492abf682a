"""One clip as the probe sees it: its window, its sweep, and the state variable that says how far the event has come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.clip import Clip, list_clips
from trainer.probe.metrics import difference
from trainer.probe.readout import SweepModel, prepare

NEAR_CAMERA_PX = 2.0  # what registration can undo


@dataclass(frozen=True)
class Subject:
    """A clip with a sweep. Event times are on the target's own clock."""

    clip: Clip
    sweep: SweepModel
    event_type: str
    variable: str  # the probed readout: the one with a min_delta

    @classmethod
    def load(cls, clip: Clip) -> Subject:
        """Raises ValueError, naming the clip, when it cannot be probed."""
        if not clip.windows or clip.sweep is None:
            raise ValueError(f"{clip.path}: no hidden window or no sweep; render it with outputs [rgb, twins, sweep]")
        if "paused" not in clip.twins or "observed" not in clip.twins:
            raise ValueError(f"{clip.path}: the probe needs the twins; render it with outputs [rgb, twins, sweep]")
        window, sweep = clip.windows[0], clip.sweep
        if sweep.frame != window.t_r:
            raise ValueError(
                f"{clip.path}: sweep of frame {sweep.frame}, but the return is at {window.t_r}; render again"
            )
        target = window.target
        times = clip.event_time_s(window.t_h), clip.event_time_s(window.t_r)
        try:
            model = prepare(sweep.rgb, sweep.segmentation, sweep.event_time_s, clip.carrier_ids(target), times)
        except ValueError as error:
            raise ValueError(f"{clip.path}: {error}") from None
        probed = [n for n, v in clip.variables[target].items() if v["min_delta"] is not None]
        if not probed:
            raise ValueError(f"{clip.path}: event {target!r} has no variable with a min_delta; nothing says what moved")
        return cls(clip, model, str(clip.manifest["event_types"][target]), probed[0])

    @property
    def target(self) -> str:
        return self.clip.windows[0].target

    @property
    def t_h(self) -> int:
        return self.clip.windows[0].t_h

    @property
    def t_r(self) -> int:
        return self.clip.windows[0].t_r

    @property
    def scene_id(self) -> str:
        return self.clip.scene_id

    @property
    def meta(self) -> dict[str, Any]:
        """Unit, domain, tolerance, min_delta, flags, cycle and label of the probed variable."""
        return dict(self.clip.variables[self.target][self.variable])

    @cached_property
    def frame_times_s(self) -> NDArray[np.float64]:
        """[T] event time of every frame."""
        return np.array([self.clip.event_time_s(f) for f in range(self.clip.num_frames)])

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """[T] true values of the probed variable."""
        return self.clip.series(self.target, self.variable)

    @property
    def is_monotone(self) -> bool:
        """A scalar that only rises or only falls over the clip: where the evolution ratio is defined."""
        steps = np.diff(self.values)
        one_way = bool((steps >= 0).all() or (steps <= 0).all())
        return self.meta["cycle"] is None and one_way and bool(steps.any())

    def value_at(self, event_time_s: float) -> float:
        """True value at an event time, linear between the frames and the moments of the sweep."""
        return float(np.interp(event_time_s, *self._known))

    @cached_property
    def _known(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Event times, rising, and true values at every frame and at every moment of the sweep."""
        sweep = self.clip.sweep
        assert sweep is not None
        times = np.concatenate([self.frame_times_s, sweep.event_time_s])
        values = np.concatenate([self.values, sweep.states[self.variable]])
        times, first = np.unique(times, return_index=True)
        return times, values[first]

    def time_of(self, value: float) -> float:
        """Event time at which the true value is nearest to `value`; of several, the nearest to t_r. To 1/50 frame."""
        fine = np.linspace(self.frame_times_s[0], self.frame_times_s[-1], 50 * len(self.values))
        distance = np.abs(difference(np.interp(fine, self.frame_times_s, self.values), value, self.meta["cycle"]))
        close = fine[distance <= distance.min() + 1e-3 * float(np.ptp(self.values))]
        return float(close[np.argmin(np.abs(close - self.sweep.t_r_s))])

    def change_from_t_h(self, event_time_s: float) -> float:
        """Change of the probed variable between t_h and an event time; cyclic variables wrap."""
        return float(difference(self.value_at(event_time_s), float(self.values[self.t_h]), self.meta["cycle"]))

    def frames_like_return(self, limit: int = 8) -> list[int]:
        """The first `limit` frames from t_r on that the sweep can read: moved by at most `NEAR_CAMERA_PX`.

        Motion: rotation angle and translation over scene scale, times the focal length.
        """
        cameras, at_return = self.clip.cameras, self.clip.cameras.camera_from_world[self.t_r]
        focal_px = float(cameras.intrinsics[self.t_r, 0, 0])
        found = []
        for frame in range(self.t_r, self.clip.num_frames):
            relative = cameras.camera_from_world[frame] @ np.linalg.inv(at_return)
            turned = float(np.arccos(np.clip((np.trace(relative[:3, :3]) - 1) / 2, -1, 1)))
            moved = float(np.linalg.norm(relative[:3, 3])) / cameras.scene_scale_m
            if (turned + moved) * focal_px <= NEAR_CAMERA_PX:
                found.append(frame)
        return found[:limit]


def load_subjects(dataset: Path | str, limit: int | None = None) -> list[Subject]:
    """Every clip of a data set that has a sweep. ValueError when there is none."""
    clips = [Clip.open(path) for path in list_clips(dataset)]
    found = [Subject.load(clip) for clip in clips if clip.sweep is not None][:limit]
    if not found:
        raise ValueError(f"{dataset}: none of {len(clips)} clips has a sweep; render with outputs [rgb, twins, sweep]")
    return found
