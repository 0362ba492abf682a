"""Latents on disk: found again by content, never stale, within a limit."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from trainer.latents.codec import SpaceToDepthCodec
from trainer.latents.store import TensorStore
from trainer.latents.stored import StoredCodec

VIDEO = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1


class Counting(SpaceToDepthCodec):
    """Counts what it encodes."""

    encoded = 0

    def encode(self, video_F3HW, segments):
        Counting.encoded += 1
        return super().encode(video_F3HW, segments)


def test_only_the_same_pixels_segments_and_codec_are_found_again(tmp_path):
    store = TensorStore(tmp_path, "latents")
    codec = StoredCodec(Counting(patch=4), store)
    Counting.encoded = 0
    first = codec.encode(VIDEO, [(0, 3)])
    assert torch.equal(codec.encode(VIDEO.clone(), ((np.int64(0), 3),)), first) and Counting.encoded == 1
    assert torch.equal(StoredCodec(Counting(patch=4), TensorStore(tmp_path, "latents")).encode(VIDEO, [(0, 3)]), first)
    assert Counting.encoded == 1, "another run, the same latents"
    other = VIDEO.clone()
    other[2, 0, 0, 0] += 1e-3
    codec.encode(other, [(0, 3)])
    codec.encode(VIDEO, [(0, 1), (1, 3)])
    changed = StoredCodec(Counting(patch=2), store).encode(VIDEO, [(0, 3)])
    assert Counting.encoded == 4 and changed.shape != first.shape


def test_a_store_stays_within_its_limit_and_drops_the_longest_unused(tmp_path):
    store = TensorStore(tmp_path, "latents", max_bytes=3500)
    for i in range(3):
        store.put(str(i), torch.full((250,), float(i)))  # 1000 bytes and a header
        os.utime(store._path(str(i)), (i, i))
    assert store.get("0") is not None  # used, so it stays
    store.put("3", torch.zeros(250))
    assert [store.get(str(i)) is not None for i in range(4)] == [True, False, False, True]


def test_a_damaged_file_is_named(tmp_path):
    store = TensorStore(tmp_path, "latents")
    store.put("a", torch.zeros(4))
    assert torch.equal(store.get("a"), torch.zeros(4)) and store.get("b") is None
    store._path("a").write_bytes(b"torn")
    with pytest.raises(ValueError, match="delete it"):
        store.get("a")
