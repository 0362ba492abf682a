"""Public shapes on the meta device, weights from a folder in the hub's layout, and what is said without them."""

from __future__ import annotations

import json

import huggingface_hub.constants
import pytest
import torch
from diffusers import WanTransformer3DModel
from safetensors.torch import load_file, save_file

from tests.trainer.support import tiny_model, tiny_wan, with_camera_phases
from tests.trainer.test_model import MODES, stock_comparison
from trainer.build import build_model, transformer_config
from trainer.config import ModelConfig, TrainConfig
from trainer.model.pretrained import load_transformer
from trainer.model.shapes import HUB_CONFIGS, WAN_2_1_T2V_1_3B, WAN_2_2_TI2V_5B, model_fields
from trainer.model.wan import RememberingWan

TINY = ModelConfig(dim=48, num_heads=2, num_layers=2, ffn_dim=64, freq_dim=32)


@pytest.fixture
def pipeline(tmp_path):
    """A folder as a pipeline of diffusers saves it, random weights that are not those of seed 0."""
    tiny_wan(seed=5).save_pretrained(tmp_path / "wan" / "transformer")
    return tmp_path / "wan"


@pytest.mark.parametrize(
    ("hub_id", "billions", "channels"), [(WAN_2_1_T2V_1_3B, 1.42, 16), (WAN_2_2_TI2V_5B, 5.00, 48)]
)
def test_public_shapes_have_the_public_parameter_counts(hub_id, billions, channels):
    with torch.device("meta"):
        transformer = WanTransformer3DModel(**HUB_CONFIGS[hub_id])
    assert sum(p.numel() for p in transformer.parameters()) == pytest.approx(billions * 1e9, rel=0.004)
    assert tuple(transformer.patch_embedding.weight.shape[1:]) == (channels, 1, 2, 2)
    assert transformer.condition_embedder.text_embedder.linear_1.in_features == 4096
    built = transformer_config(TrainConfig(recipe="test", model=ModelConfig(**model_fields(hub_id))))
    given = HUB_CONFIGS[hub_id]
    assert {k: v for k, v in built.items() if not k.endswith(("channels", "text_dim"))}.items() <= given.items()
    with pytest.raises(ValueError, match="not known here"):
        model_fields("Wan-AI/unheard-of")


@pytest.mark.parametrize("mode", MODES)
def test_loaded_weights_keep_the_equality(pipeline, mode):
    stock = WanTransformer3DModel.from_pretrained(pipeline / "transformer").eval()
    model = RememberingWan(load_transformer(str(pipeline), {"num_layers": 2}), mode=mode)
    ours, theirs = stock_comparison(model, stock)
    assert torch.equal(ours, theirs)
    other, _ = stock_comparison(tiny_model(mode=mode), stock)
    assert not torch.equal(other, theirs)


@pytest.mark.parametrize("mode", MODES)
def test_a_model_that_was_built_without_memory_is_zeroed_after_loading(pipeline, mode):
    stock = WanTransformer3DModel.from_pretrained(pipeline / "transformer").eval()
    with torch.device("meta"):
        model = tiny_model(mode=mode)
    model.to_empty(device="cpu")
    model.transformer.load_state_dict(load_file(pipeline / "transformer" / "diffusion_pytorch_model.safetensors"))
    with_camera_phases(model)  # what uninitialised memory may hold
    model.zero_camera_modules()
    ours, theirs = stock_comparison(model, stock)
    assert torch.equal(ours, theirs)


def test_a_configuration_names_its_weights(pipeline):
    config = TrainConfig(recipe="test", model=TINY)
    # the codec's channels and the byte encoder's text are not those of support.tiny_wan
    WanTransformer3DModel(**transformer_config(config)).save_pretrained(pipeline / "transformer")
    pretrained = ModelConfig(**{**TINY.__dict__, "pretrained": str(pipeline)})
    model = build_model(TrainConfig(recipe="test", model=pretrained))
    saved = load_file(pipeline / "transformer" / "diffusion_pytorch_model.safetensors")
    assert all(torch.equal(saved[name], p) for name, p in model.transformer.named_parameters())
    assert not torch.equal(saved["proj_out.weight"], build_model(config).transformer.proj_out.weight)
    with pytest.raises(ValueError, match=r"has num_layers 2, the run says 3; set the configuration to match"):
        build_model(TrainConfig(recipe="test", model=ModelConfig(**{**pretrained.__dict__, "num_layers": 3})))


def refusal(source) -> str:
    with pytest.raises(ValueError) as caught:
        load_transformer(str(source), {})
    message = str(caught.value)
    assert message.startswith(f"model.pretrained: {source}") and "\n" not in message
    return message


def test_what_cannot_be_loaded_is_told_in_one_line(pipeline, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert "hf download" in refusal("nobody/nothing")
    assert "is no local folder" in refusal(tmp_path / "absent")
    assert "has no folder transformer/" in refusal(pipeline / "transformer")
    weights = pipeline / "transformer" / "diffusion_pytorch_model.safetensors"
    kept = load_file(weights)
    save_file({name: kept[name] for name in kept if name != "proj_out.weight"}, weights)
    assert "1 weights do not fit, first proj_out.weight" in refusal(pipeline)
    weights.write_bytes(b"no safetensors")
    assert "cannot be loaded" in refusal(pipeline)
    weights.unlink()
    assert "cannot be loaded" in refusal(pipeline)
    config = pipeline / "transformer" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"_class_name": "WanVACETransformer3DModel"}))
    assert "holds a WanVACETransformer3DModel" in refusal(pipeline)
    config.write_text("{")
    assert "cannot be loaded" in refusal(pipeline)


def test_latents_that_the_patch_does_not_divide_are_refused():
    transformer = WanTransformer3DModel(**(dict(tiny_wan().config) | {"patch_size": (1, 2, 2)}))
    inputs = {"times_BF": torch.zeros(1, 1), "noise_BF": torch.zeros(1, 1), "cameras_BFc": torch.zeros(1, 1, 14)}
    with pytest.raises(ValueError, match="3 x 2 is no multiple of the patch 2"):
        RememberingWan(transformer)(torch.zeros(1, 1, 6, 2, 3), **inputs, text_BSD=torch.zeros(1, 5, 80))
