"""The dry run: exact where it counts, near a counter where it computes, near autograd where it estimates."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from tests.trainer.test_training import CLIPS, SMALL
from trainer.build import build_codec, build_model
from trainer.commands import dry_run
from trainer.config import override
from trainer.data.batches import TrainingBatches
from trainer.data.mixture import single_source
from trainer.flow import add_noise, flow_error
from trainer.recipes import CLIPS as SHAPES
from trainer.recipes import RECIPES, ClipShape, recipe
from trainer.training.cost import batch_flops, estimate
from trainer.training.devices import Devices
from trainer.training.learner import Learner, predict_batch

SHAPE = ClipShape(num_frames=18, height_px=32, width_px=32)
BIG = override(SMALL, {"model.dim": 96, "model.ffn_dim": 384, "codec.patch": 8, "data.frame_stride": 1})


def one_batch(config):
    sources = single_source(CLIPS, config.data)
    return TrainingBatches(sources=sources, codec=build_codec(config), config=config).make(0)


def bytes_of(tensors):
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def test_parameters_and_their_memory_are_exact():
    learner = Learner(BIG, Devices(device=torch.device("cpu")))
    learner.step(one_batch(BIG), 0)
    cost = estimate(BIG, SHAPE)
    parameters = list(learner.model.parameters())
    assert cost.parameters == cost.learnt == sum(p.numel() for p in parameters)
    assert cost.weight_bytes == bytes_of(parameters) == bytes_of(learner.ema.values()) == cost.average_bytes
    assert cost.gradient_bytes == bytes_of(p.grad for p in parameters)
    moments = [v for entry in learner.optimizer.state.values() for k, v in entry.items() if k != "step"]
    assert cost.moment_bytes == bytes_of(moments)
    halves = estimate(override(BIG, {"sharding": "fsdp"}), SHAPE, world=2)
    assert halves.weight_bytes == cost.weight_bytes // 2 and halves.flops == cost.flops


@pytest.mark.parametrize("mode", ["phase", "full", "prope"])
def test_flops_are_those_that_a_counter_finds(mode):
    config = override(BIG, {"model.mode": mode})
    model, batch = build_model(config), one_batch(config)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        prediction = predict_batch(model, batch, add_noise(batch.clean_BFCYX, batch.noise_BFCYX, batch.level_BF))
        flow_error(prediction, batch.clean_BFCYX, batch.noise_BFCYX, batch.weight_BFYX, "x").backward()
    assert batch_flops(model, batch) == pytest.approx(counter.get_total_flops(), rel=0.03)


@pytest.mark.parametrize("changes", [{"precision": "bf16"}, {"model.gradient_checkpointing": True}])
def test_activations_are_about_those_that_autograd_keeps(changes):
    config = override(BIG, changes | {"model.num_layers": 4})
    batch = one_batch(config)
    learner = Learner(config, Devices(device=torch.device("cpu")))
    kept: dict[int, torch.UntypedStorage] = {}
    own = {p.untyped_storage().data_ptr() for p in learner.model.parameters()}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        learner.error(batch)
    found = sum(storage.nbytes() for storage in kept.values())
    nodes = batch.level_BF.shape[1]
    shape = dataclasses.replace(SHAPE, num_frames=nodes - BIG.data.num_return_targets - BIG.data.num_other_targets)
    estimated = estimate(config, shape).activation_bytes
    if config.model.gradient_checkpointing:  # the hooks do not see the one block that is alive in the backward pass
        plain = estimate(override(config, {"model.gradient_checkpointing": False}), shape).activation_bytes
        assert found < estimated < 0.5 * plain
    else:
        assert estimated == pytest.approx(found, rel=0.1)


def test_public_models_tell_their_cost_without_weights():
    assert SHAPES.keys() == RECIPES.keys()
    for name, billions, learnt in (("wan1_3b", 1.4, 1.0), ("wan5b_lora", 5.0, 0.02)):
        text = dry_run(recipe(name), None, 1)
        count = float(text.split("parameters")[1].split("M")[0].replace(",", "")) / 1000
        assert count == pytest.approx(billions, rel=0.05)
        assert float(text.split(" M, ")[1].split("M")[0].replace(",", "")) / 1000 <= learnt * count


@pytest.mark.parametrize("num_devices", [0, -1])
def test_no_devices_are_refused(num_devices):
    with pytest.raises(ValueError, match=f"--devices: {num_devices} is too few"):
        dry_run(recipe("tiny"), None, num_devices)


def test_clips_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="30 x 32 px do not divide into tokens of 8 px"):
        estimate(BIG, dataclasses.replace(SHAPE, width_px=30))
