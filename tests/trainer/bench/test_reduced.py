"""Large truth clips are read at the size for which the readout is measured."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from simulator.clip import Clip
from trainer.bench.baselines import write_video
from trainer.bench.reduced import at_read_size, reduced
from trainer.bench.score import score_task
from trainer.bench.tasks import Truth

TIMES = 2


@pytest.fixture(scope="module")
def large(truths: list[Truth], tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """The synthetic clip, every pixel a block."""
    folder = tmp_path_factory.mktemp("large") / "glass"
    shutil.copytree(truths[0].clip.path, folder)
    with h5py.File(folder / "arrays.h5", "a") as file:
        masks = "twins/observed/segmentation", "sweeps/0/segmentation"
        for name in ("rgb", "twins/observed/rgb", "twins/paused/rgb", "sweeps/0/rgb", *masks):
            whole = file[name][()].repeat(TIMES, axis=1).repeat(TIMES, axis=2)
            del file[name]
            file[name] = whole
    return dataclasses.replace(truths[0], clip=Clip.open(folder))


def test_a_large_clip_reads_as_the_small_one(truths: list[Truth], large: Truth, tmp_path: Path) -> None:
    small, seen = truths[0].clip, at_read_size(large.clip)
    assert at_read_size(small) is small and large.clip.rgb.shape[1] == 128 and seen.rgb.shape == small.rgb.shape
    assert np.array_equal(seen.rgb[3], small.rgb[3]) and np.array_equal(seen.rgb[[1, 40]], small.rgb[[1, 40]])
    for name in ("observed", "paused"):
        assert np.array_equal(seen.twin(name).rgb[20:30], small.twin(name).rgb[20:30])
    masks = seen.twin("observed").segmentation
    assert masks.shape == small.rgb.shape[:3] and np.array_equal(masks[20], small.twin("observed").segmentation[20])
    assert seen.sweep is not None and small.sweep is not None
    assert np.array_equal(seen.sweep.rgb, small.sweep.rgb)
    assert np.array_equal(seen.sweep.segmentation, small.sweep.segmentation)
    assert np.allclose(seen.cameras.intrinsics[:, :2] * TIMES, small.cameras.intrinsics[:, :2])
    with pytest.raises(ValueError, match="no twin 'other'"):
        seen.twin("other")
    path = tmp_path / "a.mp4"
    write_video(path, small.twin("paused").rgb[:], small.fps)
    assert score_task(large, path, "") == score_task(truths[0], path, "")


def test_pictures_are_reduced_by_area() -> None:
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(1, 4, 6, 3)
    assert np.array_equal(reduced(picture, 1), picture) and reduced(picture, 2).shape == (1, 2, 3, 3)
    assert reduced(picture, 2)[0, 0, 0, 0] == np.round((0 + 3 + 18 + 21) / 4)
