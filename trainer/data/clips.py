"""Clips as the trainer holds them in memory, decoded.

Shapes: F kept frames (every n-th of the clip), H W pixels, c = 14 camera numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from simulator.clip import ArrayGroup, Clip
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
    dropped: np.ndarray  # [F] bool: hidden because there is no picture at all (frame_drop)
    returns: tuple[int, ...]  # for each hidden window the first kept frame in which its target is plainly seen again
    cameras: np.ndarray  # [F, 14] float32
    region: np.ndarray  # [H, W] bool
    visibility: Mapping[str, np.ndarray]  # event id -> [F] visible fraction
    cameras_known: bool = True  # False: `cameras` is one that stands still, of an imported video

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
    shown: ArrayGroup
    plain: ArrayGroup | None  # of `uninterrupted`

    def decode(self) -> ClipRecord:
        rgb = self.shown.rgb.frames(self.blank.frames)
        if self.plain is None:
            return replace(self.blank, rgb=rgb)
        same = self.plain is self.shown
        return replace(self.blank, rgb=rgb, uninterrupted=rgb if same else self.plain.rgb.frames(self.blank.frames))

    @property
    def num_bytes(self) -> int:
        return self.blank.num_bytes


def read_clip(clip: Clip, frame_stride: int) -> ClipRecord:
    """Decode what the trainer needs of a clip."""
    return read_facts(clip, frame_stride).decode()


def read_facts(clip: Clip, frame_stride: int) -> ClipFacts:
    """What the trainer needs of a clip beside its pictures."""
    # in phase with the return, which is the frame that everything is asked about
    phase = min(window.t_r for window in clip.windows) % frame_stride if clip.windows else 0
    frames = phase + frame_stride * np.arange(clip.num_frames // frame_stride)
    hidden = np.zeros(clip.num_frames, dtype=bool)
    returns = []
    for window in sorted(clip.windows, key=lambda window: window.t_r):
        hidden[list(window.hidden_frames)] = True
        returns += np.flatnonzero(frames >= window.t_r)[:1].tolist()
    region = _carrier_region(clip)
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
        hidden=hidden[frames],
        dropped=np.isin(frames, clip.dropped_frames),
        returns=tuple(returns),
        cameras=descriptors[frames],
        region=region,
        visibility={event: fraction[frames] for event, fraction in clip.visible_fraction.items()},
        cameras_known=clip.cameras_known,
    )
    shown = ArrayGroup(clip.files, "")  # a clip itself would keep its plan
    return ClipFacts(blank=blank, shown=shown, plain=_uninterrupted(clip, shown))


def has_uninterrupted(clip: Clip) -> bool:
    """Whether a record of the clip has `uninterrupted` pictures."""
    return not clip.windows or (
        "observed" in clip.twins and all("look_away" not in window.kind for window in clip.windows)
    )


def is_heldout(scene_id: str, share: float) -> bool:
    """Whether a scene is kept from training. Depends on its id alone, so a growing data set moves no scene."""
    return derive_seed(0, "heldout", scene_id) / 2**63 < share


def _uninterrupted(clip: Clip, shown: ArrayGroup) -> ArrayGroup | None:
    """Pictures without interruption that belong to the clip's own cameras; a look-away turns the camera itself."""
    if not has_uninterrupted(clip):
        return None
    return clip.twin("observed") if clip.windows else shown


def _carrier_region(clip: Clip) -> np.ndarray:
    """[H, W] bool: every pixel in which a carrier is ever seen, on the camera's own path, without the interruption."""
    targets = {window.target for window in clip.windows} or {str(event["id"]) for event in clip.plan["events"]}
    ids = [number for target in sorted(targets) for number in clip.carrier_ids(target)]
    if not ids:  # an imported video
        return np.zeros(clip.rgb.shape[1:3], dtype=bool)
    picture = clip.twin("observed") if "observed" in clip.twins else clip
    masks = picture.segmentation[:]
    return np.logical_or.reduce([(masks == number).any(axis=0) for number in ids])
