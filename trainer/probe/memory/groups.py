"""What is probed together: hidden frames of one event type, for one variable; and of all types, for their main one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trainer.probe.memory.hidden import HiddenWindow, Labels
from trainer.probe.memory.recording import AREAS, SOURCES

MIN_SCENES = 3  # below, no nested cross-validation
ALL_TYPES = "all types"
Array = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Site:
    """A place in the model."""

    source: str
    area: str
    layer: int

    def __str__(self) -> str:
        return f"{self.source} over the {self.area}, layer {self.layer}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """Rows of several windows. Arrays: N rows, D numbers."""

    event_type: str
    variable: str
    unit: str
    windows: tuple[HiddenWindow, ...]
    labels: Labels

    @cached_property
    def scenes(self) -> list[str]:
        """[N] of each row."""
        return [w.clip.scene_id for w in self.windows for _ in w.frames]

    def sites(self, model: str) -> dict[Site, Array]:
        """[N, D] each."""
        memory = np.concatenate([w.memory[model] for w in self.windows], axis=3)  # [L, S, A, N, D]
        return {
            Site(source, area, layer): memory[layer, s, a].astype(np.float64)
            for s, source in enumerate(SOURCES)
            for a, area in enumerate(AREAS)
            for layer in range(len(memory))
        }

    @property
    def pictures(self) -> dict[str, Array]:
        """[N, D] each: the picture at the frame, and the one last seen."""
        return {
            "pixels of the same frame": np.concatenate([w.picture for w in self.windows]),
            "pixels of the last frame seen": np.concatenate(
                [np.repeat(w.last_picture[None], len(w.frames), axis=0) for w in self.windows]
            ),
        }

    def shuffled(self, rng: np.random.Generator) -> NDArray[np.intp]:
        """[N] for each row one of another scene: scenes change places at random, all of them, each with its windows.

        A row gets the row of the other scene's window (by number) that was hidden for as long, as nearly as there is.
        """
        order = rng.permutation(list(dict.fromkeys(self.scenes)))
        other = dict(zip(order, np.roll(order, 1), strict=True))
        starts = np.cumsum([0, *(len(w.frames) for w in self.windows)])
        rows = []
        for number, window in enumerate(self.windows):
            scene = window.clip.scene_id
            place = sum(w.clip.scene_id == scene for w in self.windows[:number])
            theirs = [i for i, w in enumerate(self.windows) if w.clip.scene_id == other[scene]]
            donor = theirs[place % len(theirs)]
            apart = np.abs(window.elapsed_s[:, None] - self.windows[donor].elapsed_s[None])
            rows += (starts[donor] + apart.argmin(axis=1)).tolist()
        return np.array(rows, dtype=np.intp)


def group_windows(windows: Sequence[HiddenWindow]) -> list[Group]:
    """By event type and moving variable, where at least `MIN_SCENES` scenes show it; then all types, if several.

    In the last, the main variable (the one with a min_delta) of each type is counted in its own standard deviations
    over this data set; cyclic ones are left out, having two outputs.
    """
    found: list[Group] = []
    main: list[Group] = []
    for event_type in sorted({w.event_type for w in windows}):
        mine = [w for w in windows if w.event_type == event_type]
        names = list(dict.fromkeys(name for w in mine for name in w.moving))
        groups = [_group(event_type, name, [w for w in mine if name in w.moving]) for name in names]
        groups = [g for g in groups if len(set(g.scenes)) >= MIN_SCENES and (g.labels.state_NO.std(0) > 0).all()]
        found += groups
        main += [g for g in groups[:1] if g.labels.state_NO.shape[1] == 1]
    if len(main) > 1:
        found.append(
            Group(
                event_type=ALL_TYPES,
                variable="main variable of each",
                unit="standard deviations",
                windows=tuple(w for g in main for w in g.windows),
                labels=Labels.joined([g.labels.standardised() for g in main], list(range(len(main)))),
            )
        )
    return found


def _group(event_type: str, variable: str, windows: Sequence[HiddenWindow]) -> Group:
    meta = windows[0].clip.variables[windows[0].window.target][variable]
    return Group(
        event_type=event_type,
        variable=variable,
        unit=str(meta["unit"]),
        windows=tuple(windows),
        labels=Labels.joined([w.labels(variable) for w in windows]),
    )
