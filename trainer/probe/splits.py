"""How a probed window differs from what its model was trained on (the splits of DESIGN section 9), from facts alone.

| split | a window belongs to it when |
|---|---|
| trained scenes | its scene (plan minus camera and interruptions) was trained on |
| new seeds only | its scene is new, and it is in none of the splits below |
| new types | its target's event type was in no training scene |
| longer hiding | its target is fully hidden for longer than anything was in training, by more than one frame |
| unseen interruption | one of its kinds of interruption was never trained on |
| unseen composition | it shows several events, and no training scene held all of their types |

A window may be in several; "new seeds only" differs in nothing else *that is asked here* (not: camera, world, length).
Longer hiding comes in steps of hidden time over longest trained hidden time. Both are times for which nothing at all
is seen, without the way out and back. The curriculum's drop_after_return and continuation ask for frames beyond the
return too, so the time *since the event was last seen* may be trained further than the hidden time is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer.probe.subject import Subject
from trainer.seen import Seen

TRAINED_SCENES, NEW_SEEDS, NEW_TYPES = "trained scenes", "new seeds only", "new types"
UNSEEN_INTERRUPTION, UNSEEN_COMPOSITION = "unseen interruption", "unseen composition"
LONGER: Mapping[str, float] = {  # split: up to this many times the longest trained hidden time
    "longer hiding, < 1.25 x": 1.25,
    "longer hiding, 1.5 x": 1.75,
    "longer hiding, 2 x": 2.5,
    "longer hiding, > 2.5 x": float("inf"),
}
SPLITS = (TRAINED_SCENES, NEW_SEEDS, NEW_TYPES, *LONGER, UNSEEN_INTERRUPTION, UNSEEN_COMPOSITION)


@dataclass(frozen=True, kw_only=True)
class WindowFacts:
    """What of a window the splits ask about."""

    scene_id: str
    event_type: str  # of the target
    scene_types: tuple[str, ...]  # of all events, one for each
    kinds: frozenset[str]  # of interruption
    hidden_s: float  # fully hidden
    frame_s: float  # time between two frames, to which hidden times are known

    @classmethod
    def of(cls, subject: Subject) -> WindowFacts:
        clip, window = subject.clip, subject.window
        return cls(
            scene_id=subject.scene_id,
            event_type=subject.event_type,
            scene_types=tuple(clip.manifest["event_types"].values()),
            kinds=frozenset(window.kind.split("+")),
            hidden_s=len(window.hidden_frames) / clip.fps,
            frame_s=1.0 / clip.fps,
        )


def splits_of(window: WindowFacts, seen: Seen) -> tuple[str, ...]:
    """The splits of a window, in the order of `SPLITS`; of an older run, which noted its scenes alone, only the first.

    A window of a new scene of such a run is in none: what else is new in it is not known.
    """
    trained = window.scene_id in seen.scenes
    if not seen.complete:
        return (TRAINED_SCENES,) if trained else ()
    found = {TRAINED_SCENES} if trained else set()
    if window.event_type not in seen.types:
        found.add(NEW_TYPES)
    if window.hidden_s > seen.longest_hidden_s + window.frame_s * (1 + 1e-6):
        found.add(_longer(window.hidden_s, seen.longest_hidden_s))
    if window.kinds - seen.interruptions:
        found.add(UNSEEN_INTERRUPTION)
    if len(window.scene_types) > 1 and not seen.together(window.scene_types):
        found.add(UNSEEN_COMPOSITION)
    return tuple(split for split in SPLITS if split in (found or {NEW_SEEDS}))


def _longer(hidden_s: float, longest_s: float) -> str:
    return next(split for split, limit in LONGER.items() if hidden_s < limit * longest_s or limit == float("inf"))
