"""Clips as the trainer holds them in memory, decoded.

Shapes: F kept frames (every n-th of the clip), H W pixels, c = 14 camera numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.clip import ArrayGroup, Clip, LazyArray, Window, read_together
from trainer.model.cameras import camera_descriptors
from trainer.seeding import derive_seed


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipRecord:
    """One clip at the trainer's frame stride.

    `rgb` is the clip as it is, with its own interruption; `uninterrupted` the same world plainly seen from the same
    cameras, when there is such a picture. `region` marks pixels in which the target's carriers are ever seen.
    """

    clip_id: str
    scene_id: str
    prompt: str
    seconds_per_frame: float
    frames: np.ndarray  # [F] indices into the clip
    rgb: np.ndarray  # [F, H, W, 3] uint8
    uninterrupted: np.ndarray | None  # [F, H, W, 3] uint8
    hidden: np.ndarray  # [F] bool: no carrier of the target can be seen
    plain: np.ndarray  # [F] bool: outside all windows, up to each t_h and from each t_r on
    dropped: np.ndarray  # [F] bool: hidden because there is no picture at all (frame_drop)
    returns: tuple[int, ...]  # for each hidden window the first kept frame in which its target is plainly seen again
    cameras: np.ndarray  # [F, 14] float32
    region: np.ndarray  # [H, W] bool
    visibility: Mapping[str, np.ndarray]  # event id -> [F] visible fraction
    cameras_known: bool = True  # False: `cameras` is one that stands still, of an imported video
    windows: tuple[Window, ...] = ()  # hidden windows in the clip's order and in frames of the clip

    @property
    def return_index(self) -> int | None:
        """The first return: the frame that evaluation asks about."""
        return self.returns[0] if self.returns else None

    @property
    def num_frames(self) -> int:
        return len(self.frames)

    @property
    def num_bytes(self) -> int:
        """Of its arrays."""
        values = [*vars(self).values(), *self.visibility.values()]
        return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipFacts:
    """All that is known of a clip but its pictures, a few kB, and where those are; decoding again takes no more."""

    blank: ClipRecord  # without pictures
    pictures: tuple[LazyArray, ...]  # of `rgb`, and of `uninterrupted` where they are others
    uninterrupted_known: bool

    def decode(self) -> ClipRecord:
        return self.filled(read_together([(array, self.blank.frames) for array in self.pictures]))

    def filled(self, pictures: Sequence[np.ndarray]) -> ClipRecord:
        """pictures: the kept frames of each of `self.pictures`."""
        uninterrupted = pictures[-1] if self.uninterrupted_known else None
        return replace(self.blank, rgb=pictures[0], uninterrupted=uninterrupted)

    @property
    def num_bytes(self) -> int:
        return self.blank.num_bytes


def read_clip(clip: Clip, frame_stride: int) -> ClipRecord:
    """Decode what the trainer needs of a clip."""
    _, record = first_reading(clip, frame_stride)
    return record


def first_reading(clip: Clip, frame_stride: int) -> tuple[ClipFacts, ClipRecord]:
    """What the trainer needs of a clip, without its pictures and with them; arrays.h5 is opened once."""
    kept = own_windows(clip, frame_stride)
    frames = kept.frames
    shown = ArrayGroup(clip.files, "")  # a clip itself would keep its plan
    known = has_uninterrupted(clip)
    pictures = (shown.rgb, clip.twin("observed").rgb) if known and clip.windows else (shown.rgb,)
    wanted: list[tuple[LazyArray, np.ndarray | None]] = [(array, frames) for array in pictures]
    if carriers := _carriers(clip):
        whole = clip.twin("observed") if "observed" in clip.twins else shown
        wanted.append((whole.segmentation, None))
    found = read_together(wanted)
    region = _ever_seen(carriers, found[-1]) if carriers else np.zeros(found[0].shape[1:3], dtype=bool)
    descriptors = camera_descriptors(
        clip.cameras.camera_from_world,
        clip.cameras.intrinsics,
        scene_scale_m=clip.cameras.scene_scale_m,
        width_px=region.shape[1],
    )
    blank = ClipRecord(
        clip_id=clip.clip_id,
        scene_id=clip.scene_id,
        prompt=clip.prompt,
        seconds_per_frame=frame_stride / clip.fps,
        frames=frames,
        rgb=np.zeros((0, *region.shape, 3), dtype=np.uint8),
        uninterrupted=None,
        hidden=kept.hidden,
        plain=kept.plain,
        dropped=np.isin(frames, clip.dropped_frames),
        returns=kept.returns,
        cameras=descriptors[frames],
        region=region,
        visibility={event: fraction[frames] for event, fraction in clip.visible_fraction.items()},
        cameras_known=clip.cameras_known,
        windows=clip.windows,
    )
    facts = ClipFacts(blank=blank, pictures=pictures, uninterrupted_known=known)
    return facts, facts.filled(found[: len(pictures)])


@dataclass(frozen=True, kw_only=True, eq=False)
class KeptFrames:
    """The frames of a clip that are kept, and what its own windows hide of them; see `ClipRecord`."""

    frames: np.ndarray  # [F]
    hidden: np.ndarray  # [F] bool
    plain: np.ndarray  # [F] bool
    returns: tuple[int, ...]


def own_windows(clip: Clip, frame_stride: int) -> KeptFrames:
    """Every n-th frame, in phase with the first return: it is the frame that everything is asked about."""
    phase = min(window.t_r for window in clip.windows) % frame_stride if clip.windows else 0
    frames = phase + frame_stride * np.arange(clip.num_frames // frame_stride)
    hidden, plain = np.zeros(clip.num_frames, dtype=bool), np.ones(clip.num_frames, dtype=bool)
    returns: list[int] = []
    for window in sorted(clip.windows, key=lambda window: window.t_r):
        hidden[list(window.hidden_frames)] = True
        plain[window.t_h + 1 : window.t_r] = False
        returns += np.flatnonzero(frames >= window.t_r)[:1].tolist()
    return KeptFrames(frames=frames, hidden=hidden[frames], plain=plain[frames], returns=tuple(returns))


def has_uninterrupted(clip: Clip) -> bool:
    """Whether a record of the clip has `uninterrupted` pictures, from its own cameras (a look-away turns them)."""
    return not clip.windows or (
        "observed" in clip.twins and all("look_away" not in window.kind for window in clip.windows)
    )


def is_heldout(scene_id: str, share: float) -> bool:
    """Whether a scene is kept from training. Depends on its id alone, so a growing data set moves no scene."""
    return derive_seed(0, "heldout", scene_id) / 2**63 < share


def _carriers(clip: Clip) -> list[int]:
    """Segmentation ids of what shows the targets' state; none: an imported video."""
    targets = {window.target for window in clip.windows} or {str(event["id"]) for event in clip.plan["events"]}
    return [number for target in sorted(targets) for number in clip.carrier_ids(target)]


def _ever_seen(ids: Sequence[int], masks: np.ndarray) -> np.ndarray:
    """[H, W] bool: every pixel in which one of them is ever seen.

    masks: [T, H, W], on the camera's own path and without the interruption.
    """
    return np.logical_or.reduce([(masks == number).any(axis=0) for number in ids])
