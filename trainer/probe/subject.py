"""One hidden window of a clip as the probe sees it: its sweep, and the variable that says how far the event came."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.clip import Clip, Sweep, Window, list_clips
from trainer.probe.kinds import NUMBERS, Kind
from trainer.probe.readout import SweepModel, prepare

NEAR_CAMERA_PX = 2.0  # what registration can undo


@dataclass(frozen=True)
class Subject:
    """A window of a clip with its sweep. Event times are on the target's own clock."""

    clip: Clip
    sweep: SweepModel
    event_type: str
    variable: str  # the probed readout: the one with a min_delta
    number: int = 0  # of the window, in the order of `Clip.windows`

    @classmethod
    def load(cls, clip: Clip, number: int = 0) -> Subject:
        """Raises ValueError, naming the clip, when it cannot be probed."""
        if not clip.windows or clip.sweep is None:
            raise ValueError(f"{clip.path}: no hidden window or no sweep; render it with outputs [rgb, twins, sweep]")
        if "paused" not in clip.twins or "observed" not in clip.twins:
            raise ValueError(f"{clip.path}: the probe needs the twins; render it with outputs [rgb, twins, sweep]")
        if number >= min(len(clip.windows), len(clip.sweeps)):
            found = f"{len(clip.windows)} windows and {len(clip.sweeps)} sweeps"
            raise ValueError(f"{clip.path}: no window {number} with a sweep, there are {found}; render again")
        window, sweep = clip.windows[number], clip.sweeps[number]
        if sweep.frame != window.t_r:
            raise ValueError(
                f"{clip.path}: sweep of frame {sweep.frame}, but the return is at {window.t_r}; render again"
            )
        target = window.target
        times = clip.event_time_s(window.t_h, target), clip.event_time_s(window.t_r, target)
        try:
            model = prepare(sweep.rgb, sweep.segmentation, sweep.event_time_s, clip.carrier_ids(target), times)
            kinds = {name: Kind.of(meta) for name, meta in clip.variables[target].items()}
        except KeyError as error:
            raise ValueError(f"{clip.path}: event {target!r} has a variable without {error}; render again") from None
        except ValueError as error:
            raise ValueError(f"{clip.path}: {error}") from None
        probed = [name for name, kind in kinds.items() if kind.min_delta is not None and kind.domain in NUMBERS]
        if not probed:
            raise ValueError(f"{clip.path}: event {target!r} has no variable with a min_delta; nothing says what moved")
        return cls(clip, model, str(clip.manifest["event_types"][target]), probed[0], number)

    @property
    def key(self) -> tuple[str, int]:
        """Clip and window."""
        return self.clip.clip_id, self.number

    @property
    def window(self) -> Window:
        return self.clip.windows[self.number]

    @property
    def pictures(self) -> Sweep:
        """The sweep as it was rendered."""
        return self.clip.sweeps[self.number]

    @property
    def target(self) -> str:
        return self.window.target

    @property
    def t_h(self) -> int:
        return self.window.t_h

    @property
    def t_r(self) -> int:
        return self.window.t_r

    @property
    def scene_id(self) -> str:
        return self.clip.scene_id

    @property
    def facts(self) -> Mapping[str, Any]:
        """Family and STEVO category of the type; empty for clips older than these entries."""
        return self.clip.event_facts.get(self.target, {})

    @property
    def meta(self) -> dict[str, Any]:
        """Unit, domain, tolerance, min_delta, flags, cycle and label of the probed variable."""
        return dict(self.clip.variables[self.target][self.variable])

    def kind(self, variable: str | None = None) -> Kind:
        """How values of a variable compare; of the probed one if None."""
        return Kind.of(self.clip.variables[self.target][variable or self.variable])

    @cached_property
    def frame_times_s(self) -> NDArray[np.float64]:
        """[T] event time of every frame."""
        return np.array([self.clip.event_time_s(f, self.target) for f in range(self.clip.num_frames)])

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """[T] true values of the probed variable."""
        return self.series(self.variable)

    @cached_property
    def _series(self) -> dict[str, NDArray[np.float64]]:
        return {}

    def series(self, variable: str) -> NDArray[np.float64]:
        """[T] or [T, ...] true values of a variable at every frame. ValueError when the clip does not hold them."""
        if variable not in self._series:
            numbers = self.kind(variable).domain in NUMBERS
            read = self.clip.series if numbers else self.clip.field
            self._series[variable] = np.asarray(read(self.target, variable), np.float64)
        return self._series[variable]

    @property
    def paused_time_s(self) -> float:
        """Event time that the paused twin shows at t_r: t_h's, less what earlier windows of this target took."""
        lost = sum(
            max(0, min(self.t_r, w.t_r) - w.t_h) / self.clip.fps for w in self.clip.windows if w.target == self.target
        )
        return float(self.frame_times_s[self.t_r]) - lost

    @property
    def is_monotone(self) -> bool:
        """Where the evolution ratio is defined: see `Kind.evolution_ratio`."""
        return self.kind().evolution_ratio(self.values[[self.t_r]], [self.t_r], self.t_h, self.values) is not None

    def value_at(self, event_time_s: float) -> float:
        """True value of the probed variable at an event time, between the frames and the moments of the sweep."""
        return float(self.values_at(self.variable, np.array([event_time_s]))[0])

    def values_at(self, variable: str, event_times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """[N] or [N, ...] true values of a variable at event times [N]; beyond what is known, the last known one."""
        return self.kind(variable).at(*self.known(variable), event_times_s)

    def known(self, variable: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Event times, rising, and true values at every frame and (numbers only) at every moment of the sweep."""
        times, values = self.frame_times_s, self.series(variable)
        if variable in self.pictures.states:
            times = np.concatenate([times, self.pictures.event_time_s])
            values = np.concatenate([values, self.pictures.states[variable]])
        times, first = np.unique(times, return_index=True)
        return times, values[first]

    def time_of(self, value: float) -> float:
        """Event time at which the probed variable is nearest to `value`; of several, the nearest to t_r."""
        return self.kind().time_of(self.frame_times_s, self.values, value, self.sweep.t_r_s)

    @cached_property
    def _turned(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Event times of the frames from t_h on, and the change since then, all the way round where it wraps."""
        seen = self.values[self.t_h :]
        steps = self.kind().change(seen[1:], seen[:-1])
        return self.frame_times_s[self.t_h :], np.concatenate([[0.0], np.cumsum(steps)])

    def change_from_t_h(self, event_time_s: float) -> float:
        """Change of the probed variable between t_h and a later event time; of a cyclic one however many turns."""
        kind = self.kind()
        if kind.cycle is not None:
            return float(np.interp(event_time_s, *self._turned))
        return float(kind.change(self.value_at(event_time_s), float(self.values[self.t_h])))

    def time_of_change(self, change: float) -> float:
        """Event time at which the probed variable has changed by nearest to this since t_h; of several as `time_of`."""
        kind = self.kind()
        if kind.cycle is None:
            return self.time_of(float(self.values[self.t_h]) + change)
        return dataclasses.replace(kind, cycle=None).time_of(*self._turned, change, self.sweep.t_r_s)

    @property
    def hidden_rate(self) -> float:
        """Change of the probed variable per second, over the whole hiding."""
        sweep = self.sweep
        return self.change_from_t_h(sweep.t_r_s) / (sweep.t_r_s - sweep.t_h_s)

    def frames_like_return(self, limit: int = 8) -> list[int]:
        """The first `limit` frames from t_r to the next window that the sweep can read: moved by <= `NEAR_CAMERA_PX`.

        Motion: rotation angle and translation over scene scale, times the focal length.
        """
        cameras, at_return = self.clip.cameras, self.clip.cameras.camera_from_world[self.t_r]
        focal_px = float(cameras.intrinsics[self.t_r, 0, 0])
        found = []
        for frame in range(self.t_r, self._end):
            relative = cameras.camera_from_world[frame] @ np.linalg.inv(at_return)
            turned = float(np.arccos(np.clip((np.trace(relative[:3, :3]) - 1) / 2, -1, 1)))
            moved = float(np.linalg.norm(relative[:3, 3])) / cameras.scene_scale_m
            if (turned + moved) * focal_px <= NEAR_CAMERA_PX:
                found.append(frame)
        return found[:limit]

    @property
    def _end(self) -> int:
        """The first frame after t_r that is no longer seen: of whatever target the next window is."""
        return min((w.t_h + 1 for w in self.clip.windows if w.t_h >= self.t_r), default=self.clip.num_frames)


def load_subjects(dataset: Path | str, limit: int | None = None) -> list[Subject]:
    """Every window with a sweep of every clip of a data set (of the first `limit` such clips). ValueError when none."""
    clips = [Clip.open(path) for path in list_clips(dataset)]
    found = [clip for clip in clips if clip.sweep is not None][:limit]
    if not found:
        raise ValueError(f"{dataset}: none of {len(clips)} clips has a sweep; render with outputs [rgb, twins, sweep]")
    return [Subject.load(clip, n) for clip in found for n in range(len(clip.sweeps))]
