"""Clips as the trainer holds them in memory, decoded.

Shapes: F kept frames (every n-th of the clip), H W pixels, c = 14 camera numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator.clip import Clip
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


def read_clip(clip: Clip, frame_stride: int) -> ClipRecord:
    """Decode what the trainer needs of a clip."""
    # in phase with the return, which is the frame that everything is asked about
    phase = min(window.t_r for window in clip.windows) % frame_stride if clip.windows else 0
    frames = phase + frame_stride * np.arange(clip.num_frames // frame_stride)
    rgb = np.asarray(clip.rgb[:])[frames]
    hidden = np.zeros(clip.num_frames, dtype=bool)
    returns = []
    for window in sorted(clip.windows, key=lambda window: window.t_r):
        hidden[list(window.hidden_frames)] = True
        returns += np.flatnonzero(frames >= window.t_r)[:1].tolist()
    descriptors = camera_descriptors(
        clip.cameras.camera_from_world,
        clip.cameras.intrinsics,
        scene_scale_m=clip.cameras.scene_scale_m,
        width_px=rgb.shape[2],
    )
    return ClipRecord(
        clip_id=clip.clip_id,
        scene_id=clip.scene_id,
        prompt=clip.prompt,
        seconds_per_frame=frame_stride / clip.fps,
        frames=frames,
        rgb=rgb,
        uninterrupted=_uninterrupted(clip, rgb, frames),
        hidden=hidden[frames],
        dropped=np.isin(frames, clip.dropped_frames),
        returns=tuple(returns),
        cameras=descriptors[frames],
        region=_carrier_region(clip),
        visibility=_visibility(clip, frames),
        cameras_known=clip.cameras_known,
    )


def is_heldout(scene_id: str, share: float) -> bool:
    """Whether a scene is kept from training. Depends on its id alone, so a growing data set moves no scene."""
    return derive_seed(0, "heldout", scene_id) / 2**63 < share


def _uninterrupted(clip: Clip, rgb: np.ndarray, frames: np.ndarray) -> np.ndarray | None:
    """Pictures without interruption that belong to the clip's own cameras; a look-away turns the camera itself."""
    if not clip.windows:
        return rgb
    if "observed" in clip.twins and all("look_away" not in window.kind for window in clip.windows):
        return np.asarray(clip.twin("observed").rgb[:])[frames]
    return None


def _carrier_region(clip: Clip) -> np.ndarray:
    """[H, W] bool: every pixel in which a carrier is ever seen, on the camera's own path, without the interruption."""
    targets = {window.target for window in clip.windows} or {str(event["id"]) for event in clip.plan["events"]}
    ids = [number for target in sorted(targets) for number in clip.carrier_ids(target)]
    if not ids:  # an imported video
        return np.zeros(clip.rgb.shape[1:3], dtype=bool)
    picture = clip.twin("observed") if "observed" in clip.twins else clip
    return np.isin(np.asarray(picture.segmentation[:]), ids).any(axis=0)


def _visibility(clip: Clip, frames: np.ndarray) -> dict[str, np.ndarray]:
    states = clip.states
    visibility = {}
    for event in sorted(set(states["event"])):
        rows = states["event"] == event
        fraction = np.zeros(clip.num_frames)
        np.maximum.at(fraction, states["frame"][rows], states["visible_fraction"][rows])
        visibility[str(event)] = fraction[frames]
    return visibility
