"""How clips become examples, and what the curriculum makes of them."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.config.limits import at_least, between


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How clips become frame graphs. Seconds count, not frames."""

    frame_stride: int = at_least(1, 2)  # every n-th frame of the clip
    heldout_share: float = between(0.0, 1.0, 0.15)  # of scenes, by digest of the scene id
    own_window_share: float = between(0.0, 1.0, 0.3)  # of examples: the clip's own interruption; others get one
    dark_min_s: float = at_least(0.0, 0.75)
    dark_max_s: float = at_least(0.0, 3.0)
    ramp_max_s: float = at_least(0.0, 0.5)
    min_seen_s: float = at_least(0.0, 1.0)  # of undisturbed history before the lights go out
    num_return_targets: int = at_least(1, 6)  # consecutive frames after the return
    num_other_targets: int = at_least(0, 3)  # anywhere else in the visible history
    mirror_share: float = between(0.0, 1.0, 0.0)  # of examples shown in a mirror
    gain_sigma: float = at_least(0.0, 0.0)  # of the log gain of each colour channel, one draw for a whole clip

    def problems(self) -> list[str]:
        if self.dark_min_s > self.dark_max_s:
            return [f"dark_min_s: {self.dark_min_s} is more than dark_max_s {self.dark_max_s}; exchange them"]
        return []


@dataclass(frozen=True, kw_only=True)
class CurriculumConfig:
    drop_degraded: float = between(0.0, 1.0, 0.5)  # node_drop probability per role
    drop_frontier: float = between(0.0, 1.0, 0.05)
    drop_after_return: float = between(0.0, 1.0, 0.7)  # of examples: no history since the return
    noisy_share: float = between(0.0, 1.0, 0.3)  # of examples that get noisy_memory
    noisy_max_level: float = between(0.0, 1.0, 0.3)
    noisy_anchor_max_level: float = between(0.0, 1.0, 0.05)

    def problems(self) -> list[str]:
        if self.noisy_anchor_max_level > self.noisy_max_level:
            return [
                f"noisy_anchor_max_level: {self.noisy_anchor_max_level} is more than noisy_max_level "
                f"{self.noisy_max_level}; anchors are noised least"
            ]
        return []
