"""Shares of attention of generated frames: exact for uniform attention, and by hand for a turning camera."""

from __future__ import annotations

import dataclasses

import imageio.v2 as imageio
import numpy as np
import pytest
import torch

from tests.trainer.test_rollout import CLIP, SMALL, TWO
from trainer.build import build_codec, build_model
from trainer.checkpoint import TrainedModel
from trainer.config import override
from trainer.rollout import CacheConfig, RolloutSession, rollout_graph
from trainer.rollout.attention import NAMES, PARTS, plot_attention, same_camera

ANGLE = [0.0, 0.0, 0.3, 0.6, 0.6, 0.6, 0.3, 0.0, 0.0]  # rad: out of view at 0.6, frames 3 to 5 are hidden


def turned(angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([0, 0, 0, cos, 0, sin, 0, 1, 0, -sin, 0, cos, 0.2, 0.2], dtype=np.float32)


def looking_away():
    """Nine frames that are read at once; frame 6 turns back by the angle of frame 2."""
    hidden = np.array([a == 0.6 for a in ANGLE])
    cut = {name: getattr(CLIP, name)[:9] for name in ("rgb", "frames", "dropped")}
    cameras = np.stack([turned(angle) for angle in ANGLE])
    seen = {"hidden": hidden, "plain": ~hidden, "visibility": {}}
    return dataclasses.replace(CLIP, **cut, **seen, uninterrupted=None, cameras=cameras)


def model_with(uniform: bool) -> TrainedModel:
    model = build_model(override(SMALL, {"model.num_layers": 2})).eval().requires_grad_(False)
    for block in model.transformer.blocks:
        block.attn1.to_q.weight.mul_(0.0 if uniform else 20.0)
        block.attn1.to_q.bias.zero_()
    return TrainedModel(model=model, config=SMALL, codec=build_codec(SMALL), step=0)


def shares_of(trained: TrainedModel, chunk: int = 1, **settings):
    clip = looking_away()
    graph = rollout_graph(clip, trained, chunk=chunk)
    session = RolloutSession(trained, clip, graph, dataclasses.replace(TWO, **settings))
    watch = session.watch_attention(local=2)
    with pytest.raises(ValueError, match="nothing was generated"):
        watch.shares()
    session.advance()
    return watch.shares()


def test_uniform_attention_gives_every_frame_the_same_share():
    shares = shares_of(model_with(uniform=True))
    assert shares.frames.tolist() == [6, 7, 8] and shares.share.shape == (3, 2, len(NAMES))
    counts = dict(zip(NAMES, shares.count.T.tolist(), strict=True))
    assert counts == {
        "itself": [1, 1, 1],
        "before": [3, 3, 3],
        "hidden": [3, 3, 3],
        "since": [0, 1, 2],
        "local": [2, 2, 2],
        "mirror": [1, 2, 2],  # frame 6 sees frame 2 again, frames 7 and 8 see 0 and 1
        "anchors": [2, 2, 2],  # the first frame and the last one before it is hidden
    }
    expected = shares.count[:, None, :] / np.array([7, 8, 9])[:, None, None]
    np.testing.assert_allclose(shares.share, np.broadcast_to(expected, shares.share.shape), atol=1e-6)
    relative = shares.over_uniform()
    np.testing.assert_allclose(relative[np.isfinite(relative)], 1.0, atol=1e-5)
    assert np.isnan(relative[0, :, NAMES.index("since")]).all()


@pytest.mark.parametrize("settings", [{"chunk": 3}, {"guidance_scale": 2.0}, {"cache": CacheConfig(window=2)}], ids=str)
def test_parts_add_up_and_a_model_that_looks_is_not_uniform(settings, tmp_path):
    shares = shares_of(model_with(uniform=False), **settings)
    np.testing.assert_allclose(shares.share[:, :, : len(PARTS)].sum(axis=2), 1.0, atol=1e-5)
    assert np.nanmax(np.abs(shares.over_uniform() - 1.0)) > 0.05
    if "cache" in settings:
        assert (shares.count[:, : len(PARTS)].sum(axis=1) == 5).all(), "two anchors, two in the window, itself"
    plot_attention(shares, tmp_path / "attention.png")
    assert imageio.imread(tmp_path / "attention.png").shape[1] > 600


def test_watching_changes_nothing_that_is_made():
    trained, clip = model_with(uniform=False), looking_away()
    sessions = [RolloutSession(trained, clip, rollout_graph(clip, trained), TWO) for _ in range(2)]
    sessions[0].watch_attention()
    for session in sessions:
        session.advance()
    assert torch.equal(sessions[0]._latents, sessions[1]._latents)


def test_cameras_are_the_same_within_an_angle_and_a_distance():
    rows = np.stack([turned(0.0), turned(0.02), turned(0.05), turned(0.0)])
    rows[3, 0] = 0.04
    assert same_camera(rows, 0.03)[0].tolist() == [True, True, False, False]
    assert same_camera(rows, 0.051)[0].tolist() == [True, True, True, True]
    assert not same_camera(rows, 0.049)[0, 2]
