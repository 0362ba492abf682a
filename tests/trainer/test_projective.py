"""Projective matrices against pixels, and the two ways they enter attention against slow twins."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.trainer.support import random_cameras, tiny_model, with_camera_phases
from tests.trainer.test_model import NUM_FRAMES, causal, random_inputs, random_transform
from trainer.model.cameras import camera_descriptors
from trainer.model.projective import CameraProjection, RelativeAttention, projective_matrices
from trainer.model.rope import base_rotation

BATCH, FRAMES, GRID, HEADS, HEAD_DIM = 2, 3, (1, 2), 2, 24
LENGTH = FRAMES * GRID[0] * GRID[1]


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_a_point_lands_on_the_pixel_that_the_camera_sees_it_in():
    rng = np.random.default_rng(0)
    camera_from_world = np.stack([random_transform(rng) for _ in range(2)])
    intrinsics = np.tile(np.array([[60.0, 0.0, 32.0], [0.0, 70.0, 24.0], [0.0, 0.0, 1.0]]), (2, 1, 1))
    point_camera = camera_from_world[1] @ np.array([0.3, -0.2, 5.0, 1.0])
    pixel = (intrinsics[1] @ point_camera[:3])[:2] / point_camera[2]
    rows = camera_descriptors(camera_from_world, intrinsics, scene_scale_m=0.5, width_px=64)
    matrix = projective_matrices(torch.from_numpy(rows)[None]).matrix[0, 1].numpy()
    point_first = camera_from_world[0] @ np.array([0.3, -0.2, 5.0, 1.0])
    seen = matrix @ np.append(point_first[:3] / 0.5, 1.0)
    np.testing.assert_allclose(64 * seen[:2] / seen[2] + [32.0, 24.0], pixel, rtol=1e-4)


def test_the_inverse_is_the_inverse_and_the_first_camera_is_its_intrinsics():
    cameras = random_cameras(FRAMES, BATCH, generator())
    matrix, inverse = projective_matrices(cameras)
    torch.testing.assert_close(matrix @ inverse, torch.eye(4).expand_as(matrix), atol=1e-5, rtol=0)
    first = torch.tensor([0.0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, np.log(2.0), np.log(3.0)])
    torch.testing.assert_close(projective_matrices(first).matrix, torch.diag(torch.tensor([2.0, 3.0, 1.0, 1.0])))


def tokens(seed: int) -> torch.Tensor:
    return torch.randn(BATCH, LENGTH, HEADS, HEAD_DIM, generator=torch.Generator().manual_seed(seed))


def test_camera_projection_against_one_token_at_a_time():
    module = CameraProjection(HEAD_DIM)
    torch.nn.init.normal_(module.value_weight, generator=generator())
    torch.nn.init.normal_(module.out_weight, generator=generator())
    cameras = projective_matrices(random_cameras(FRAMES, BATCH, generator()))
    x = tokens(1)
    tiled = {name: torch.kron(torch.eye(HEAD_DIM // 4), m) for name, m in named(cameras).items()}
    for b, token, head in np.ndindex(BATCH, LENGTH, HEADS):
        frame, vector = token * FRAMES // LENGTH, x[b, token, head]
        value = vector + module.value_weight @ (tiled["inverse", b, frame] @ vector)
        out = vector + module.out_weight @ (tiled["matrix", b, frame] @ vector)
        torch.testing.assert_close(module.values(x, cameras)[b, token, head], value, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(module.outputs(x, cameras)[b, token, head], out, atol=1e-4, rtol=1e-4)


def named(cameras):
    return {
        (name, b, f): getattr(cameras, name)[b, f]
        for name in ("matrix", "inverse")
        for b, f in np.ndindex(BATCH, FRAMES)
    }


def test_relative_attention_against_one_pair_of_tokens_at_a_time():
    """score_ij = q_i . (D_i D_j^-1 k_j) and out_i = sum_j a_ij D_i D_j^-1 v_j."""
    module = RelativeAttention(HEADS, HEAD_DIM)
    torch.nn.init.eye_(module.weight)
    cameras = projective_matrices(random_cameras(FRAMES, BATCH, generator()))
    places = base_rotation(torch.tensor([[0.0, 1.0, 4.0]]).expand(BATCH, -1), GRID, HEAD_DIM // 2)
    query, key, value = tokens(1), tokens(2), tokens(3)
    rotated = [f(x, cameras, places) for f, x in ((module.query, query), (module.key, key), (module.key, value))]
    ours = torch.nn.functional.scaled_dot_product_attention(*(x.transpose(1, 2) for x in rotated)).transpose(1, 2)
    ours = module.output(ours, cameras, places).unflatten(2, (HEADS, -1))

    full = {(b, i): dense(cameras, places, b, i) for b, i in np.ndindex(BATCH, LENGTH)}
    for b, head, i in np.ndindex(BATCH, HEADS, LENGTH):
        pairs = [full[b, i] @ torch.linalg.inv(full[b, j]) for j in range(LENGTH)]
        scores = torch.stack([query[b, i, head] @ pairs[j] @ key[b, j, head] for j in range(LENGTH)])
        weights = (scores / HEAD_DIM**0.5).softmax(0)
        expected = sum(weights[j] * (pairs[j] @ value[b, j, head]) for j in range(LENGTH))
        torch.testing.assert_close(ours[b, i, head], expected, atol=1e-4, rtol=1e-4)


def dense(cameras, places, b: int, token: int) -> torch.Tensor:
    """D of one token, [E, E]; its rotation turns backwards, so that scores see the key's angle minus the query's."""
    frame, place = divmod(token, LENGTH // FRAMES)
    cos, sin = places.cos[b, frame, place], places.sin[b, frame, place]
    turns = [torch.stack([torch.stack([c, s]), torch.stack([-s, c])]) for c, s in zip(cos, sin, strict=True)]
    return torch.block_diag(*[cameras.matrix[b, frame]] * (HEAD_DIM // 8), *turns)


@pytest.mark.parametrize("mode", ["prope", "full"])
def test_only_relative_cameras_count_in_prope(mode):
    """The same cameras told from another origin: PRoPE cannot tell; `full` can, its frame is the first camera's."""
    rng = np.random.default_rng(1)
    camera_from_world = np.stack([random_transform(rng) for _ in range(NUM_FRAMES + 1)])
    intrinsics = np.tile(np.diag([60.0, 70.0, 1.0]), (NUM_FRAMES + 1, 1, 1))
    model, outputs = with_camera_phases(tiny_model(mode=mode)), []
    for order in ([*range(NUM_FRAMES)], [NUM_FRAMES, *range(NUM_FRAMES)]):
        rows = camera_descriptors(camera_from_world[order], intrinsics[order], scene_scale_m=0.9, width_px=64)
        cameras = torch.from_numpy(rows)[-NUM_FRAMES:].expand(2, -1, -1)
        with torch.no_grad():
            outputs.append(model(**dict(random_inputs(NUM_FRAMES), cameras_BFc=cameras), mask_BFF=causal(NUM_FRAMES)))
    assert ((outputs[0] - outputs[1]).abs().max() < 1e-4) == (mode == "prope")


@pytest.mark.parametrize(("mode", "head_dim", "message"), [("full", 6, "4 divides"), ("prope", 12, "8 divides")])
def test_head_dims_that_hold_no_four_vectors_are_refused(mode, head_dim, message):
    build = {"full": CameraProjection, "prope": lambda dim: RelativeAttention(1, dim)}[mode]
    with pytest.raises(ValueError, match=message):
        build(head_dim)
