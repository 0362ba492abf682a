"""Augmentations that leave the state as it is: the picture in a mirror, and under light of another colour.

Shapes: F frames, H W pixels, c = 14 camera numbers.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.config import DataConfig
from trainer.data.clips import ClipRecord

_MIRROR = np.array([-1.0, 1.0, 1.0], dtype=np.float32)  # of camera axes: x to the right becomes x to the left


def augmented(record: ClipRecord, rng: np.random.Generator, data: DataConfig) -> ClipRecord:
    """The record as it may be shown to the model; nothing is drawn for an augmentation that is off."""
    if data.mirror_share > 0.0 and rng.random() < data.mirror_share:
        record = mirrored(record)
    if data.gain_sigma > 0.0:
        record = recoloured(record, np.exp(rng.normal(0.0, data.gain_sigma, 3)))
    return record


def mirrored(record: ClipRecord) -> ClipRecord:
    """Left and right exchanged, the cameras' motion with them: exact for a principal point in the middle."""
    return dataclasses.replace(
        record,
        rgb=record.rgb[:, :, ::-1],
        uninterrupted=None if record.uninterrupted is None else record.uninterrupted[:, :, ::-1],
        region=record.region[:, ::-1],
        cameras=mirrored_cameras(record.cameras),
    )


def mirrored_cameras(cameras_Fc: np.ndarray) -> np.ndarray:
    """Descriptors of the same cameras in a mirrored world: t -> M t, R -> M R M with M = diag(-1, 1, 1)."""
    rotation = cameras_Fc[:, 3:12].reshape(-1, 3, 3) * (_MIRROR[:, None] * _MIRROR[None, :])
    return np.concatenate([cameras_Fc[:, :3] * _MIRROR, rotation.reshape(-1, 9), cameras_Fc[:, 12:]], axis=1)


def recoloured(record: ClipRecord, gain_3: np.ndarray) -> ClipRecord:
    """Every picture of the clip times one gain for each channel, display-referred, clipped."""

    def scaled(rgb: np.ndarray) -> np.ndarray:
        return np.rint(np.clip(rgb * gain_3, 0.0, 255.0)).astype(np.uint8)

    uninterrupted = None if record.uninterrupted is None else scaled(record.uninterrupted)
    return dataclasses.replace(record, rgb=scaled(record.rgb), uninterrupted=uninterrupted)
