"""LoRA: what trains, what stays, and that an adapter on disk is all of it."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainer.support import random_inputs, tiny_model, tiny_wan, with_camera_phases
from tests.trainer.test_model import MODES, stock_comparison
from tests.trainer.test_pretrained import TINY
from trainer.build import build_model
from trainer.config import ModelConfig, TrainConfig, validate
from trainer.model.camera_weights import CAMERA_FILE
from trainer.model.lora import LORA_FILE, add_lora, load_adapter, save_adapter
from trainer.training.learner import learnt_parameters

LORA = {"rank": 2, "alpha": 8, "targets": ["to_q", "ffn.net.2"]}


def lora_model(mode="phase", seed=0, **changes):
    model = tiny_model(mode=mode)
    torch.manual_seed(seed)
    add_lora(model, **(LORA | changes))
    return model


def trained(model):
    """After steps: the LoRA's B is no longer zero, nor are the camera modules."""
    with torch.no_grad():
        for name, parameter in learnt_parameters(with_camera_phases(model)).items():
            if "lora_B" in name:
                parameter.normal_(generator=torch.Generator().manual_seed(1))
    return model


@pytest.mark.parametrize("mode", MODES)
def test_only_the_lora_and_the_camera_modules_train(mode):
    model = lora_model(mode)
    ours, theirs = stock_comparison(model, tiny_wan())
    assert torch.equal(ours, theirs)
    trains = learnt_parameters(model)
    frozen = {name: p.detach().clone() for name, p in model.named_parameters() if name not in trains}
    assert all("lora_" in name or not name.startswith("transformer.") for name in trains)
    assert sum("lora_" in name for name in trains) == 2 * 2 * 3  # A and B, two layers, to_q of two attentions and ffn
    assert {name for name in trains if "lora_" not in name} == {
        name for name, _ in tiny_model(mode=mode).named_parameters() if not name.startswith("transformer.")
    }
    model(**random_inputs(3)).square().sum().backward()
    torch.optim.SGD(trains.values(), lr=0.1).step()
    assert all(p.grad is not None for p in trains.values())
    now = dict(model.named_parameters())
    assert frozen and all(torch.equal(now[name], value) and now[name].grad is None for name, value in frozen.items())
    ours, _ = stock_comparison(model, tiny_wan())
    assert not torch.equal(ours, theirs)


@pytest.mark.parametrize("mode", MODES)
def test_an_adapter_comes_back_from_its_folder(mode, tmp_path):
    model, inputs = trained(lora_model(mode)), random_inputs(3)
    save_adapter(model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [CAMERA_FILE, LORA_FILE]
    other = lora_model(mode, seed=7)
    with torch.no_grad():
        expected = model(**inputs)
        assert not torch.equal(other(**inputs), expected)
        load_adapter(other, tmp_path)
        assert torch.equal(other(**inputs), expected)
        other.zero_camera_modules()
        assert torch.equal(other(**inputs), expected) == (mode == "none")  # the camera file is part of it


def test_diffusers_reads_the_same_lora(tmp_path):
    model = trained(lora_model("none"))
    save_adapter(model, tmp_path)
    stock = tiny_wan()
    stock.load_lora_adapter(tmp_path, weight_name=LORA_FILE, prefix="transformer")
    ours, theirs = stock_comparison(model, stock)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)
    assert (ours - stock_comparison(tiny_model(), tiny_wan())[1]).abs().max() > 1e-3


def test_adapters_that_do_not_fit_are_refused(tmp_path):
    save_adapter(trained(lora_model("full")), tmp_path)
    fix = "set model.mode and the model.lora_"
    for model in (lora_model("full", rank=3), lora_model("full", targets=["to_q"]), lora_model("phase")):
        with pytest.raises(ValueError, match=f"does not fit the model, first at .*{fix}"):
            load_adapter(model, tmp_path)
    for refused in (load_adapter, save_adapter):
        with pytest.raises(ValueError, match=r"no LoRA to hold an adapter; set model.lora_rank"):
            refused(tiny_model(), tmp_path)
    weights = load_file(tmp_path / LORA_FILE)
    save_file(dict(list(weights.items())[1:]), tmp_path / LORA_FILE)
    with pytest.raises(ValueError, match="does not fit"):
        load_adapter(lora_model("full"), tmp_path)
    (tmp_path / LORA_FILE).unlink()
    with pytest.raises(ValueError, match="cannot be read as safetensors"):
        load_adapter(lora_model("full"), tmp_path)
    with pytest.raises(ValueError, match=r"no linear layer is called 'to_x'; known are ffn\.net\.0\.proj, .*to_q"):
        lora_model(targets=["to_q", "to_x"])


def lora_config(**changes) -> TrainConfig:
    return TrainConfig(recipe="test", model=ModelConfig(**{**TINY.__dict__, "lora_rank": 2, **changes}))


def test_every_lora_field_of_a_configuration_does_something():
    """Rank, alpha and targets each change the model; none may be set in vain."""
    one, again = (build_model(lora_config(lora_targets=("to_q",))) for _ in range(2))
    assert learnt_parameters(one).keys() < learnt_parameters(build_model(lora_config())).keys()
    for name, parameter in learnt_parameters(one).items():
        assert torch.equal(parameter, learnt_parameters(again)[name])  # drawn from the run's seed
    variants = ({}, {"lora_rank": 4}, {"lora_alpha": 4})
    layers = [build_model(lora_config(**changes)).transformer.blocks[0].attn1.to_q for changes in variants]
    assert [layer.lora_A.default.out_features for layer in layers] == [2, 4, 2]
    assert [layer.scaling["default"] for layer in layers] == [8.0, 4.0, 2.0]
    for changes, message in (
        ({"lora_rank": 0, "lora_alpha": 4}, r"model\.lora_alpha: 4 does nothing without a LoRA"),
        ({"lora_rank": 0, "lora_targets": ("to_q",)}, r"model\.lora_targets: .* does nothing without a LoRA"),
        ({"lora_targets": ()}, r"model\.lora_targets: is empty"),
        ({"mode": "prope", "dim": 24}, r"model\.mode: prope needs a head dim that 8 divides, not 12"),
    ):
        with pytest.raises(ValueError, match=message):
            validate(lora_config(**changes))
