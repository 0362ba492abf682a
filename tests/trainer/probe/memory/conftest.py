"""Fake clips whose events differ in rate, and a random model of their size."""

from __future__ import annotations

import pytest

from simulator.clip import Clip
from tests.trainer.probe.fake_clips import write_fake_clip
from trainer.build import build_codec, build_model
from trainer.checkpoint import TrainedModel
from trainer.config import override
from trainer.probe.subject import Subject
from trainer.recipes import recipe

SPEEDS = (0.6, 0.8, 1.0, 1.2)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Four glasses, of a scene and a rate each."""
    root = tmp_path_factory.mktemp("memory") / "data" / "clips"
    made = [write_fake_clip(root / f"{n}", "glass", n + 1, speed=speed) for n, speed in enumerate(SPEEDS)]
    return [Clip.open(path) for path in made]


@pytest.fixture(scope="session")
def subjects(clips: list[Clip]) -> list[Subject]:
    return [Subject.load(clip) for clip in clips]


@pytest.fixture(scope="session")
def models() -> dict[str, TrainedModel]:
    """Two random models of one configuration, 16 tokens a frame, every fourth frame."""
    small = {"model.dim": 48, "model.num_heads": 2, "model.num_layers": 2, "model.ffn_dim": 96, "model.freq_dim": 32}
    made = {}
    for seed, name in enumerate(("trained", "untrained")):
        config = override(recipe("tiny"), {**small, "seed": seed, "data.frame_stride": 4})
        model = build_model(config).eval().requires_grad_(False)
        made[name] = TrainedModel(model=model, config=config, codec=build_codec(config), step=0)
    return made
