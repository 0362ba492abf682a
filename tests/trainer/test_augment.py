"""Augmentations leave the state alone, and the cameras tell the same story as the pictures."""

import dataclasses

import numpy as np

from benchmarks.toy_bar import bar_clip
from trainer.config import DataConfig
from trainer.data.augment import augmented, mirrored, mirrored_cameras, recoloured
from trainer.model.cameras import camera_descriptors


def test_mirrored_descriptors_are_those_of_a_mirrored_world():
    rng = np.random.default_rng(0)
    cameras = np.tile(np.eye(4), (5, 1, 1))
    for camera in cameras:
        rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        camera[:3, :3], camera[:3, 3] = rotation * np.linalg.det(rotation), rng.normal(size=3)
    intrinsics = np.tile(np.diag([60.0, 70.0, 1.0]), (5, 1, 1))
    flip = np.diag([-1.0, 1.0, 1.0, 1.0])
    rows, seen = (
        camera_descriptors(c, intrinsics, scene_scale_m=0.8, width_px=64) for c in (cameras, flip @ cameras @ flip)
    )
    np.testing.assert_allclose(mirrored_cameras(rows), seen, atol=1e-6)
    assert np.abs(rows - seen).max() > 0.1


def test_a_mirror_twice_is_the_clip_and_once_is_not():
    record = bar_clip(0)
    once, twice = mirrored(record), mirrored(mirrored(record))
    assert np.array_equal(twice.rgb, record.rgb) and np.array_equal(twice.cameras, record.cameras)
    assert not np.array_equal(once.rgb, record.rgb)
    assert np.array_equal(once.region, record.region[:, ::-1])


def test_colour_gains_keep_the_dark_dark_and_the_shape_of_things():
    record = bar_clip(1)
    changed = recoloured(record, np.array([1.1, 1.0, 0.9]))
    assert not changed.rgb[record.hidden].any()
    np.testing.assert_allclose(changed.rgb[0, ..., 2], record.rgb[0, ..., 2] * 0.9, atol=0.51)
    assert np.array_equal(changed.rgb[..., 1], record.rgb[..., 1])


def test_off_means_off_and_draws_nothing():
    record, rng = bar_clip(2), np.random.default_rng(0)
    assert augmented(record, rng, DataConfig()) is record
    assert rng.random() == np.random.default_rng(0).random()
    on = dataclasses.replace(DataConfig(), mirror_share=1.0, gain_sigma=0.1)
    assert not np.array_equal(augmented(record, rng, on).rgb, record.rgb)
