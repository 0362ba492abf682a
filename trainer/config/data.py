"""How clips become examples, and of which sources they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from trainer.config.limits import at_least, between

# kinds of interruption of trainer.data.veils; a test holds them together
INTERRUPTIONS = ("lights_off", "fog", "blackout", "frame_drop", "occluder", "noise", "blur", "blocks")
MIN_WEIGHT, MAX_WEIGHT = 1e-6, 1e6  # of a source; their ratio alone counts


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How clips become frame graphs. Seconds count, not frames."""

    frame_stride: int = at_least(1, 2)  # every n-th frame of the clip
    heldout_share: float = between(0.0, 1.0, 0.15)  # of scenes, by digest of the scene id
    interrupted_share: float = between(0.0, 1.0, 1.0)  # of examples; the others are shown without interruption
    own_window_share: float = between(0.0, 1.0, 0.3)  # of those: the clip's own interruption, the others get one
    interruptions: Mapping[str, float] = field(default_factory=lambda: {"lights_off": 1.0})  # kind: weight
    occluder_covers: Literal["picture", "event"] = "picture"  # event: shadows beside the board may tell of the state
    hidden_min_s: float = at_least(0.0, 0.75)
    hidden_max_s: float = at_least(0.0, 3.0)
    ramp_max_s: float = at_least(0.0, 0.5)
    min_seen_s: float = at_least(0.0, 1.0)  # of undisturbed history before the interruption
    num_return_targets: int = at_least(1, 6)  # consecutive frames after each return; FlowConfig.return_weight is theirs
    num_other_targets: int = at_least(0, 3)  # anywhere else in the visible history
    mirror_share: float = between(0.0, 1.0, 0.0)  # of examples shown in a mirror
    gain_sigma: float = at_least(0.0, 0.0)  # of the log gain of each colour channel, one draw for a whole clip
    prompt_dropout: float = between(0.0, 1.0, 0.0)  # of examples: no prompt, which is what guidance compares with

    def problems(self) -> list[str]:
        found = _interruption_problems(self.interruptions)
        if self.hidden_min_s > self.hidden_max_s:
            found.append(
                f"hidden_min_s: {self.hidden_min_s} is more than hidden_max_s {self.hidden_max_s}; exchange them"
            )
        return found


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """One data set of a mixture; what is none is as `data` says."""

    name: str  # of its folder
    weight: float = between(0.0, MAX_WEIGHT, 1.0)  # of its examples among those of all sources
    interrupted_share: float | None = between(0.0, 1.0, None)
    own_window_share: float | None = between(0.0, 1.0, None)
    interruptions: Mapping[str, float] | None = None
    mirror_share: float | None = between(0.0, 1.0, None)
    gain_sigma: float | None = at_least(0.0, None)

    def applied_to(self, data: DataConfig) -> DataConfig:
        """The data configuration of this source."""
        names = ("interrupted_share", "own_window_share", "interruptions", "mirror_share", "gain_sigma")
        return replace(data, **{name: getattr(self, name) for name in names if getattr(self, name) is not None})

    def problems(self) -> list[str]:
        none = f"weight: {self.weight} is no weight; leave the source out, or give at least {MIN_WEIGHT:g}"
        found = [] if self.weight >= MIN_WEIGHT else [none]
        return found + ([] if self.interruptions is None else _interruption_problems(self.interruptions))


@dataclass(frozen=True, kw_only=True)
class MixtureConfig:
    """The sources of a run, by name. Their folders are said on the command line, so that a run may move."""

    sources: tuple[SourceConfig, ...] = ()

    def problems(self) -> list[str]:
        names = [source.name for source in self.sources]
        return [f"sources: {name!r} is there twice; one entry a source" for name in set(names) if names.count(name) > 1]


def _interruption_problems(weights: Mapping[str, float]) -> list[str]:
    found = [
        f"interruptions.{kind}: is unknown; choose of {', '.join(INTERRUPTIONS)}"
        for kind in weights
        if kind not in INTERRUPTIONS
    ]
    found += [
        f"interruptions.{kind}: {weight} is too small; give at least 0"
        for kind, weight in weights.items()
        if weight < 0.0
    ]
    return found if found or any(weights.values()) else ["interruptions: all weights are 0; give one kind a weight"]
