"""The wrapped transformer against the stock one, its cache against full attention, each with a control."""

from __future__ import annotations

import copy
from typing import get_args

import numpy as np
import pytest
import torch

from tests.trainer.support import (
    GRID,
    NUM_CHANNELS,
    camera_parameters,
    causal,
    frames,
    random_inputs,
    tiny_model,
    tiny_wan,
    with_camera_phases,
)
from trainer.model.cache import KVCache
from trainer.model.cameras import camera_descriptors
from trainer.model.options import CameraMode
from trainer.model.retention import CacheConfig
from trainer.model.wan import RememberingWan

NUM_FRAMES = 6
MODES = get_args(CameraMode)
# Wan's norm weights stay float32 beside bf16 activations, as in the stock model: torch then says that it is slower
slow_norm = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")


def stock_comparison(model, stock, uniform_levels: bool = True):
    inputs = random_inputs(NUM_FRAMES)
    inputs["times_BF"] = torch.arange(NUM_FRAMES).double().expand(2, -1)
    levels = torch.tensor([0.25, 0.9])
    inputs["noise_BF"] = levels if uniform_levels else levels[:, None].expand(-1, NUM_FRAMES)
    with torch.no_grad():
        ours = model(**inputs)
        theirs = stock(inputs["latents_BFCYX"].transpose(1, 2), levels * 1000.0, inputs["text_BSD"]).sample
    return ours, theirs.transpose(1, 2)


@slow_norm
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("mode", MODES)
def test_starts_as_the_unmodified_transformer_bit_for_bit(mode, precision):
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        ours, theirs = stock_comparison(tiny_model(mode=mode), tiny_wan())
    assert torch.equal(ours, theirs)


def test_spatial_patches_and_modulation_per_frame():
    """Wan's real patch of 2 x 2 on an oblong grid; a block gets one modulation a frame, never one a token."""
    torch.manual_seed(0)
    stock = type(tiny_wan())(**(dict(tiny_wan().config) | {"patch_size": (1, 2, 2)})).eval()
    model = RememberingWan(copy.deepcopy(stock))
    inputs = random_inputs(NUM_FRAMES) | {"latents_BFCYX": torch.randn(2, NUM_FRAMES, NUM_CHANNELS, 4, 6)}
    inputs["times_BF"] = torch.arange(NUM_FRAMES).double().expand(2, -1)
    shapes = []
    model.transformer.blocks[0].register_forward_pre_hook(lambda _, args: shapes.append([a.shape for a in args[:3]]))
    with torch.no_grad():
        level = torch.full((2, NUM_FRAMES), 0.5)
        ours = model(**inputs | {"noise_BF": level})
        theirs = stock(inputs["latents_BFCYX"].transpose(1, 2), level[:, 0] * 1000.0, inputs["text_BSD"]).sample
    torch.testing.assert_close(ours, theirs.transpose(1, 2), atol=1e-6, rtol=1e-5)
    assert shapes == [[(2 * NUM_FRAMES, 2 * 3, 48), (2, 5, 48), (2 * NUM_FRAMES, 6, 48)]]


@pytest.mark.parametrize("mode", MODES[1:])
def test_every_camera_parameter_learns_and_one_step_ends_the_equality(mode):
    model = tiny_model(mode=mode)
    cameras = camera_parameters(model)
    model(**random_inputs(NUM_FRAMES)).square().sum().backward()
    for name, parameter in cameras.items():
        assert parameter.grad.abs().max() > 0, name
        before = parameter.detach().clone()
        torch.optim.SGD([parameter], lr=1.0).step()
        ours, theirs = stock_comparison(model, tiny_wan())
        assert (ours - theirs).abs().max() > 1e-6, name
        parameter.data.copy_(before)
    model.zero_camera_modules()
    ours, theirs = stock_comparison(model, tiny_wan())
    assert torch.equal(ours, theirs)


def test_levels_per_frame_agree_with_one_level_per_clip():
    ours, theirs = stock_comparison(tiny_model(), tiny_wan(), uniform_levels=False)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def cached_rollout(model, inputs, chunk: int, cache: KVCache) -> torch.Tensor:
    out = []
    with torch.no_grad():
        for start in range(0, NUM_FRAMES, chunk):
            part = frames(inputs, slice(start, start + chunk))
            size = part["times_BF"].shape[1]
            out.append(model(**part, mask_BFF=causal(size), cache=cache, write_ids=list(range(start, start + size))))
    return torch.cat(out, dim=1)


@pytest.fixture(scope="module", params=MODES)
def trained(request):
    return with_camera_phases(tiny_model(mode=request.param))


@pytest.mark.parametrize("chunk", [1, 2, 4])
@pytest.mark.parametrize("time_policy", ["absolute", "relative"])
def test_cached_rollout_equals_full_causal_attention(trained, chunk, time_policy):
    inputs = random_inputs(NUM_FRAMES)
    with torch.no_grad():
        full = trained(**inputs, mask_BFF=causal(NUM_FRAMES))
    cached = cached_rollout(trained, inputs, chunk, KVCache(CacheConfig(time_policy=time_policy)))
    torch.testing.assert_close(cached, full, atol=1e-5, rtol=0)


@pytest.mark.parametrize("broken", ["mask", "gaps", "cameras", "levels"])
def test_the_comparison_would_notice_a_fault(trained, broken):
    inputs = random_inputs(NUM_FRAMES)
    with torch.no_grad():
        full = trained(**inputs, mask_BFF=None if broken == "mask" else causal(NUM_FRAMES))
    if broken == "gaps":
        inputs["times_BF"] = torch.arange(NUM_FRAMES).double().expand(2, -1)
    if broken == "cameras":
        inputs["cameras_BFc"] = torch.zeros_like(inputs["cameras_BFc"])
    if broken == "levels":
        inputs["noise_BF"] = torch.zeros_like(inputs["noise_BF"])
    cached = cached_rollout(trained, inputs, 1, KVCache())
    if broken == "cameras" and trained.mode == "none":
        torch.testing.assert_close(cached, full, atol=1e-5, rtol=0)
    else:
        assert (cached - full).abs().max() > 1e-2


def test_the_future_does_not_reach_the_past(trained):
    inputs = random_inputs(NUM_FRAMES)
    changed = dict(inputs, latents_BFCYX=inputs["latents_BFCYX"].clone())
    changed["latents_BFCYX"][:, 4:] += 1.0
    with torch.no_grad():
        before, after = (trained(**x, mask_BFF=causal(NUM_FRAMES)) for x in (inputs, changed))
        before_full, after_full = (trained(**x) for x in (inputs, changed))
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4:], after[:, 4:])
    assert (before_full[:, :4] - after_full[:, :4]).abs().max() > 1e-3


def test_a_shift_of_all_times_changes_nothing(trained):
    inputs = random_inputs(NUM_FRAMES)
    with torch.no_grad():
        here = trained(**inputs, mask_BFF=causal(NUM_FRAMES))
        later = trained(**dict(inputs, times_BF=inputs["times_BF"] + 1000.0), mask_BFF=causal(NUM_FRAMES))
        slower = trained(**dict(inputs, times_BF=inputs["times_BF"] * 2.0), mask_BFF=causal(NUM_FRAMES))
    torch.testing.assert_close(here, later, atol=1e-5, rtol=0)
    assert (here - slower).abs().max() > 1e-2


@slow_norm
def test_bf16_keeps_the_angles_of_late_times(trained):
    """bf16 cannot tell 1000 from 1001; rotations and camera matrices stay float32 under autocast."""
    inputs = random_inputs(NUM_FRAMES)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        here = trained(**inputs, mask_BFF=causal(NUM_FRAMES))
        later = trained(**dict(inputs, times_BF=inputs["times_BF"] + 1000.0), mask_BFF=causal(NUM_FRAMES))
    with torch.no_grad():
        exact = trained(**inputs, mask_BFF=causal(NUM_FRAMES))
    assert here.dtype == torch.bfloat16
    torch.testing.assert_close(here, later, atol=5e-2, rtol=0)
    torch.testing.assert_close(here.float(), exact, atol=5e-2, rtol=0)


def random_transform(rng: np.random.Generator) -> np.ndarray:
    transform = np.eye(4)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    transform[:3, :3] = rotation * np.linalg.det(rotation)
    transform[:3, 3] = rng.normal(size=3)
    return transform


def test_a_change_of_world_frame_changes_nothing_and_a_moved_camera_does(trained):
    rng = np.random.default_rng(0)
    camera_from_world = np.stack([random_transform(rng) for _ in range(NUM_FRAMES)])
    intrinsics = np.tile(np.diag([60.0, 70.0, 1.0]), (NUM_FRAMES, 1, 1))
    moved = camera_from_world.copy()
    moved[3] = random_transform(rng)
    outputs = []
    for cameras in (camera_from_world, camera_from_world @ random_transform(rng), moved):
        rows = camera_descriptors(cameras, intrinsics, scene_scale_m=0.9, width_px=64)
        inputs = dict(random_inputs(NUM_FRAMES), cameras_BFc=torch.from_numpy(rows).expand(2, -1, -1))
        with torch.no_grad():
            outputs.append(trained(**inputs, mask_BFF=causal(NUM_FRAMES)))
    torch.testing.assert_close(outputs[0], outputs[1], atol=1e-5, rtol=0)
    assert ((outputs[0] - outputs[2]).abs().max() > 1e-2) == (trained.mode != "none")


def test_descriptors_start_at_the_identity_in_units_of_the_scene_scale():
    camera_from_world = np.tile(np.eye(4), (2, 1, 1))
    camera_from_world[1, :3, 3] = [-0.5, 0.0, 0.0]  # the camera itself moved +0.5 m to the right
    intrinsics = np.tile(np.diag([64.0, 32.0, 1.0]), (2, 1, 1))
    rows = camera_descriptors(camera_from_world, intrinsics, scene_scale_m=2.0, width_px=64)
    np.testing.assert_allclose(rows[0], [0, 0, 0, *np.eye(3).ravel(), 0, np.log(0.5)], atol=1e-7)
    np.testing.assert_allclose(rows[1, :3], [0.25, 0, 0], atol=1e-7)
    with pytest.raises(ValueError, match="scene_scale_m"):
        camera_descriptors(camera_from_world, intrinsics, scene_scale_m=0.0, width_px=64)


@pytest.mark.parametrize("mode", MODES)
def test_gradients_do_not_depend_on_checkpointing(mode):
    gradients = []
    for option in (False, True):
        model = with_camera_phases(tiny_model(mode=mode, gradient_checkpointing=option)).train()
        model(**random_inputs(NUM_FRAMES), mask_BFF=causal(NUM_FRAMES)).square().mean().backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    assert gradients[0].keys() == gradients[1].keys()
    assert all(torch.equal(gradients[0][name], gradients[1][name]) for name in gradients[0])


def test_unknown_modes_are_refused_in_one_line():
    with pytest.raises(ValueError, match="unknown; choose of none, phase, full, prope"):
        tiny_model(mode="phase2")


def test_input_shapes_come_back():
    assert tiny_model()(**random_inputs(2)).shape == (2, 2, NUM_CHANNELS, *GRID)
