"""What is taken from the memory, against a rollout looked at by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.data.clips import read_clip
from trainer.probe.memory.hidden import carrier_mask, record_windows
from trainer.probe.memory.recording import AREAS, SOURCES, area_weights, record_memory, small_picture
from trainer.rollout import RolloutConfig, RolloutSession, rollout_graph

ONE = RolloutConfig(steps=1)


def test_keys_and_values_are_the_caches_own_and_pooled_over_the_object(models, clips):
    trained, clip = models["trained"], clips[0]
    record = read_clip(clip, 4)
    mask = carrier_mask(clip, clip.windows[0])
    found = record_memory(trained, record, [mask] * record.num_frames, ONE)
    session = RolloutSession(trained, record, rollout_graph(record, trained), ONE)
    session.advance(0)
    assert found.index.tolist() == [5, 6, 7] and found.memory.shape == (2, 3, 2, 3, 48)
    weights = area_weights(mask, 4, 4)
    by_hand = np.zeros((4, 4))
    for row in range(4):
        for column in range(4):
            by_hand[row, column] = mask[16 * row : 16 * row + 16, 16 * column : 16 * column + 16].mean()
    assert np.allclose(weights[1], (by_hand / by_hand.sum()).ravel()) and mask.any()
    for layer in (0, 1):
        for source, held in enumerate(session.cache.read(layer)):
            tokens = held[0].unflatten(0, (8, 16))[5:].flatten(2).numpy()  # eight nodes are given, three are hidden
            for area in (0, 1):
                expected = np.einsum("n,rnd->rd", weights[area], tokens)
                assert np.allclose(found.memory[layer, source, area], expected, atol=1e-6)
    assert np.array_equal(found.pictures, record.rgb[5:8])


@pytest.mark.parametrize("free", [False, True])
def test_the_residual_stream_is_that_of_the_pass_that_wrote(models, clips, free):
    """Keys of the second layer are made of the stream behind the first block: the same node gives the same keys."""
    trained, clip = models["trained"], clips[0]
    record = read_clip(clip, 4)
    empty = np.zeros(record.rgb.shape[1:3], dtype=bool)
    inputs: list[torch.Tensor] = []
    block = trained.model.transformer.blocks[1]
    handle = block.register_forward_pre_hook(lambda _m, args: inputs.append(args[0][0]))
    found = record_memory(trained, record, [empty] * record.num_frames, ONE, free=free)
    handle.remove()
    writes = inputs[-5::2] if free else inputs[-3:]  # generating takes a pass of its own before each write
    stream = found.memory[0, SOURCES.index("residual")]
    assert np.allclose(stream[AREAS.index("frame")], torch.stack(writes).mean(1).numpy(), atol=1e-5)
    assert np.allclose(stream[0], stream[1]), "an empty mask weighs evenly"
    assert np.array_equal(found.pictures, record.rgb[5:8]) != free
    assert not block._forward_hooks


def test_windows_have_their_truth_and_their_pictures(models, clips):
    (window,) = record_windows(clips[0], models, ONE, free=False)
    assert window.frames.tolist() == [20, 24, 28] and window.elapsed_s.tolist() == [0.5, 1.0, 1.5]
    assert window.moving[0] == "level_m" and "mass_kg" not in window.moving and "stage" not in window.moving
    labels = window.labels("level_m")
    assert labels.state_NO[:, 0].tolist() == pytest.approx([0.6 * 4 * f / 8 for f in (20, 24, 28)])
    assert labels.last_NO[:, 0].tolist() == pytest.approx([0.6 * 8] * 3)
    assert labels.rate_N.tolist() == pytest.approx([2.4] * 3)
    turning = window.labels("hand_rad")
    assert turning.state_NO.shape == (3, 2) and turning.rate_N[0] == pytest.approx(1.2)
    assert np.allclose(window.last_picture, small_picture(clips[0].rgb[16]))
    assert window.picture.max() < 0.02, "the light is off"
    assert not np.allclose(window.memory["trained"], window.memory["untrained"])


def test_small_pictures_are_block_means():
    picture = np.arange(40 * 34 * 3, dtype=np.uint32).reshape(40, 34, 3).astype(np.uint8)
    small = small_picture(picture).reshape(13, 11, 3)
    assert small[2, 1] == pytest.approx(picture[6:9, 3:6].mean((0, 1)) / 255)
