"""Our models in the benchmark: they are given what everybody is given, and nothing of what comes later."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import torch

from scenes.plan import ClipPlan
from simulator.clip import Clip
from tests.simulator.support import sketch_clip, tank_plan
from trainer.bench import models
from trainer.bench.models import generated_video, num_context, on_timeline, write_generated
from trainer.bench.score import read_video
from trainer.bench.tasks import BenchTask, Truth
from trainer.build import build_codec, build_model
from trainer.checkpoint import TrainedModel
from trainer.config import override
from trainer.recipes import recipe
from trainer.rollout import RolloutConfig

ONE_STEP = RolloutConfig(steps=1)


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    config = override(
        recipe("tiny"), {"model.dim": 48, "model.num_heads": 2, "model.num_layers": 1, "data.frame_stride": 3}
    )
    model = build_model(config).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        weight.add_(0.05 * torch.randn(weight.shape, generator=generator))
    return TrainedModel(model=model, config=config, codec=build_codec(config), step=0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clip]:
    folder = tmp_path_factory.mktemp("models") / "away"
    small = ClipPlan(num_frames=24, fps=4.0, width_px=32, height_px=32)
    sketch_clip(tank_plan("look_away", clip=small, outputs=("rgb", "segmentation")), folder)
    yield Clip.open(folder)


def changed(clip: Clip, folder: Path, start: int, stop: int | None = None) -> Clip:
    shutil.copytree(clip.path, folder)
    with h5py.File(folder / "arrays.h5", "a") as file:
        file["rgb"][start:stop] = 255 - file["rgb"][start:stop]
    return Clip.open(folder)


def test_a_model_sees_no_frame_after_the_last_plain_sight(trained: TrainedModel, clip: Clip, tmp_path: Path) -> None:
    t_h, hidden = clip.windows[0].t_h, clip.windows[0].hidden_frames
    later = changed(clip, tmp_path / "later", t_h + 1)
    earlier = changed(clip, tmp_path / "earlier", 0, t_h + 1)
    video = generated_video(trained, clip, "seen", ONE_STEP)
    assert video.shape == clip.rgb.shape and np.array_equal(video[: t_h + 1], clip.rgb[: t_h + 1])
    assert np.array_equal(generated_video(trained, later, "seen", ONE_STEP), video)
    assert not np.array_equal(generated_video(trained, earlier, "seen", ONE_STEP)[hidden[-1] :], video[hidden[-1] :])
    given = generated_video(trained, clip, "hidden", ONE_STEP)
    assert not np.array_equal(generated_video(trained, later, "hidden", ONE_STEP)[hidden[-1] :], given[hidden[-1] :])


def test_videos_go_through_the_door(
    trained: TrainedModel, clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "load_trained", lambda run, device: trained)
    task = BenchTask(
        id="tank-look_away", category="kinematics", family="flow", event_type="tank_filling", held_out=False,
        kind="look_away", option="",
    )  # fmt: skip
    truth = Truth(task, clip, False)
    write_generated(tmp_path / "run", [truth], tmp_path / "out", config=ONE_STEP)
    found = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert found == ["generate.json", "map.json", "tank-look_away.mp4"]
    video = read_video(truth, tmp_path / "out" / "tank-look_away.mp4")
    assert video.frame_by_frame and len(video.frames) == clip.num_frames and video.facts.rate == clip.fps


def test_frames_that_are_left_out_repeat_the_nearest() -> None:
    pictures = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1)
    assert on_timeline(pictures, np.array([1, 4, 7]), 10).ravel().tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]


def test_no_latent_is_given_in_part() -> None:
    vae = SimpleNamespace(first_frame=np.array([0, 1, 5, 9]), last_frame=np.array([0, 4, 8, 12]))
    assert [num_context(vae, np.arange(13), t_h) for t_h in (0, 3, 4, 8, 11)] == [1, 1, 5, 9, 9]
    with pytest.raises(ValueError, match="no frame up to the last plain sight, 2"):
        num_context(vae, np.arange(5, 13), 2)
