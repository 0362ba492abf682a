"""A run that begins with another run's averaged weights; resuming it stays exact."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.trainer.test_training import CLIPS, SMALL
from trainer.checkpoint import list_checkpoints, load_trained, start_from
from trainer.config import TrainConfig, override
from trainer.data.mixture import single_source
from trainer.seen import read_seen
from trainer.train import fit
from trainer.training.devices import Devices
from trainer.training.learner import Learner


def run(folder: Path, stops: list[int], config: TrainConfig, clips: list = CLIPS) -> dict[str, dict[str, torch.Tensor]]:
    sources = single_source(clips, config.data)
    for stop in stops:
        fit(config, sources, [], folder, stop_at=stop, resume=True, progress=False)
    return {p.name: load_file(p) for p in sorted(list_checkpoints(folder)[-1].glob("*.safetensors"))}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "base"
    run(folder, [3], SMALL, CLIPS[:2])
    return folder


def from_base(base: Path, **changes: object) -> TrainConfig:
    return override(SMALL, {"model.init_from": str(base), "seed": 5, **changes})


def test_the_first_weights_are_the_averaged_ones(base: Path) -> None:
    learner = Learner(from_base(base), Devices.find())
    start_from(base, learner)
    averaged = load_trained(base).model.state_dict()
    assert all(torch.equal(averaged[name], value) for name, value in learner.model.state_dict().items())
    assert all(torch.equal(averaged[name], value) for name, value in learner.ema.items())
    last = load_trained(base, weights="model").model.state_dict()
    assert any(not torch.equal(last[name], averaged[name]) for name in last), "or the test could not fail"


def test_a_resumed_run_is_bit_identical_and_needs_the_other_no_more(base: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(base, copy)
    config = from_base(copy)
    whole = run(tmp_path / "whole", [4], config, CLIPS[2:])
    first = run(tmp_path / "parts", [2], config, CLIPS[2:])
    shutil.rmtree(copy)
    parts = run(tmp_path / "parts", [4], config, CLIPS[2:])
    assert all(torch.equal(whole[file][name], parts[file][name]) for file in whole for name in whole[file])
    assert not torch.equal(*(found["model.safetensors"]["transformer.proj_out.weight"] for found in (first, parts)))
    afresh = run(tmp_path / "afresh", [2], override(SMALL, {"seed": 5}), CLIPS[2:])
    assert not torch.equal(*(f["model.safetensors"]["transformer.proj_out.weight"] for f in (first, afresh)))
    assert load_trained(tmp_path / "parts").step == 4
    assert read_seen(tmp_path / "parts").scenes == {clip.scene_id for clip in CLIPS}, "the other run's scenes count"


def test_camera_modules_may_join(base: Path) -> None:
    config = from_base(base, **{"model.mode": "full"})
    learner = Learner(config, Devices.find())
    start_from(base, learner)
    fresh = Learner(config, Devices.find()).model.state_dict()
    averaged = load_trained(base).model.state_dict()
    for name, value in learner.model.state_dict().items():
        assert torch.equal(value, averaged.get(name, fresh[name]))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model.dim": 64}, "does not fit the model"),
        ({"model.num_layers": 3}, "does not fit the model"),
        ({"model.mode": "none"}, "does not fit the model"),
        ({"codec.patch": 8}, r"init_from: .*base has codec"),
        ({"flow.prediction": "v"}, r"has flow\.prediction x, this run v"),
    ],
)
def test_what_does_not_fit_is_named(base: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        start_from(base, Learner(from_base(base, **changes), Devices.find()))


def test_two_beginnings_are_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pretrained names other first weights"):
        from_base(base, **{"model.pretrained": "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"})
    with pytest.raises(ValueError, match="a LoRA lies over weights of `pretrained` alone"):
        from_base(base, **{"model.lora_rank": 4})
    with pytest.raises(ValueError, match=r"nowhere: holds no seen\.json"):
        run(tmp_path / "run", [1], from_base(tmp_path / "nowhere"))
    assert not (tmp_path / "run" / "config.json").exists(), "nothing is left in the way of the next try"
