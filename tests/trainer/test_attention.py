"""Masks of frames as blocks, what the recorder sees, and prompts per frame."""

from __future__ import annotations

import pytest
import torch
from torch._dynamo.utils import counters
from torch.nn.attention.flex_attention import create_block_mask

from tests.trainer.support import causal, frames, random_inputs, tiny_model, with_camera_phases
from tests.trainer.test_model import MODES, NUM_FRAMES
from trainer.model.cache import KVCache
from trainer.model.diagnostics import AttentionRecorder
from trainer.model.kernels import frame_block_mask, per_token

SHAPES = [(4, 6, 50), (3, 3, 128), (2, 5, 200), (9, 9, 16)]  # query frames, key frames, tokens per frame


def random_mask(num_queries: int, num_keys: int) -> torch.Tensor:
    """[2, F, K]: a causal sample and one with holes."""
    holes = torch.rand(num_queries, num_keys, generator=torch.Generator().manual_seed(0)) < 0.6
    ones = torch.ones(num_queries, num_keys, dtype=torch.bool)
    return torch.stack([ones.tril(num_keys - num_queries), holes | torch.eye(num_queries, num_keys).bool()])


@pytest.mark.parametrize(("num_queries", "num_keys", "num_tokens"), SHAPES)
def test_blocks_of_a_frame_mask_are_those_of_the_dense_mask(num_queries, num_keys, num_tokens):
    mask = random_mask(num_queries, num_keys)
    ours = frame_block_mask(mask, num_tokens)
    dense = per_token(mask, num_tokens)
    lengths = dense.shape[2:]
    theirs = create_block_mask(lambda b, h, q, k: dense[b, 0, q, k], 2, 1, *lengths, device="cpu")
    assert torch.equal(ours.to_dense(), theirs.to_dense())
    assert torch.equal(ours.kv_num_blocks, theirs.kv_num_blocks)
    assert torch.equal(ours.full_kv_num_blocks, theirs.full_kv_num_blocks)
    for counts, left, right in (
        (ours.kv_num_blocks, ours.kv_indices, theirs.kv_indices),
        (ours.full_kv_num_blocks, ours.full_kv_indices, theirs.full_kv_indices),
    ):
        used = torch.arange(left.shape[-1]) < counts[..., None]
        assert torch.equal(left[used], right[used])
    b, q, k = (torch.arange(n) for n in (2, *lengths))
    assert torch.equal(ours.mask_mod(b[:, None, None], 0, q[:, None], k), dense[:, 0])


def tokens(seed: int, num_tokens: int) -> torch.Tensor:
    return torch.randn(2, num_tokens, 2, 16, generator=torch.Generator().manual_seed(seed))


def test_flex_is_refused_where_it_cannot_train():
    model = tiny_model(attention="flex")
    with pytest.raises(ValueError, match=r"model\.attention: flex has no backward on a cpu device; use sdpa"):
        model(**random_inputs(2), mask_BFF=causal(2))
    with pytest.raises(ValueError, match=r"model\.attention: 'flash' is unknown; choose of sdpa, flex"):
        tiny_model(attention="flash")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="flex_attention trains on CUDA only")
@pytest.mark.parametrize("mode", MODES)
def test_flex_is_sdpa_in_values_and_gradients(mode):
    results = []
    for attention in ("sdpa", "flex"):
        model = with_camera_phases(tiny_model(mode=mode, attention=attention)).cuda()
        inputs = {name: value.cuda() for name, value in random_inputs(NUM_FRAMES).items()}
        out = model(**inputs, mask_BFF=causal(NUM_FRAMES).cuda())
        out.square().mean().backward()
        results.append([out.detach(), *(p.grad for p in model.parameters() if p.grad is not None)])
    for left, right in zip(*results, strict=True):
        torch.testing.assert_close(left, right, atol=1e-4, rtol=1e-3)


# ---- the recorder


def slow_mass(query, key, mask_BFK, num_frames):
    """One query token and one head at a time."""
    num_tokens = query.shape[1] // num_frames
    mass = torch.zeros(query.shape[0], num_frames, key.shape[1] // num_tokens)
    for b in range(query.shape[0]):
        for token in range(query.shape[1]):
            for head in range(query.shape[2]):
                scores = key[b, :, head] @ query[b, token, head] / query.shape[3] ** 0.5
                if mask_BFK is not None:
                    scores[~mask_BFK[b, token // num_tokens].repeat_interleave(num_tokens)] = float("-inf")
                share = scores.softmax(0).reshape(-1, num_tokens).sum(1)
                mass[b, token // num_tokens] += share / (query.shape[2] * num_tokens)
    return mass


@pytest.mark.parametrize("masked", [True, False])
def test_recorded_mass_against_one_token_at_a_time(masked):
    mask = random_mask(3, 5) if masked else None
    query, key = tokens(0, 3 * 4), tokens(1, 5 * 4)
    recorder = AttentionRecorder()
    recorder.record(0, query, key, mask, 3)
    torch.testing.assert_close(recorder.mass[0], slow_mass(query, key, mask, 3), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(recorder.mass[0].sum(2), torch.ones(2, 3))
    if masked:
        assert (recorder.mass[0][~mask] == 0).all()


@pytest.mark.parametrize("mode", MODES)
def test_a_recorder_sees_every_layer_and_changes_nothing(mode):
    model, inputs = with_camera_phases(tiny_model(mode=mode)), random_inputs(NUM_FRAMES)
    cache, cached, full = KVCache(), AttentionRecorder(), AttentionRecorder()
    with torch.no_grad():
        plain = model(**inputs, mask_BFF=causal(NUM_FRAMES))
        recorded = model(**inputs, mask_BFF=causal(NUM_FRAMES), recorder=full)
        model(**frames(inputs, slice(0, 4)), mask_BFF=causal(4), cache=cache, write_ids=[0, 1, 2, 3])
        model(**frames(inputs, slice(4, 6)), mask_BFF=causal(2), cache=cache, recorder=cached)
    assert torch.equal(plain, recorded)
    assert sorted(full.mass) == sorted(cached.mass) == [0, 1]
    for layer in full.mass:
        torch.testing.assert_close(cached.mass[layer], full.mass[layer][:, 4:], atol=1e-5, rtol=0)
        torch.testing.assert_close(full.mass[layer].sum(2), torch.ones(2, NUM_FRAMES))
    assert (full.mass[0][:, -1] - 1 / NUM_FRAMES).abs().max() > 1e-3  # not merely even


# ---- prompts


def test_a_prompt_per_frame():
    model, inputs = tiny_model(), random_inputs(NUM_FRAMES)
    prompt = inputs["text_BSD"]
    same = prompt[:, None].expand(-1, NUM_FRAMES, -1, -1)
    other = same.clone()
    other[:, 3:] = prompt.flip(0)[:, None]
    chunks = other[:, ::3]
    with torch.no_grad():
        one = model(**inputs, mask_BFF=causal(NUM_FRAMES))
        equal, changed, chunked = (
            model(**dict(inputs, text_BSD=text), mask_BFF=causal(NUM_FRAMES)) for text in (same, other, chunks)
        )
    torch.testing.assert_close(equal, one, atol=1e-5, rtol=0)
    torch.testing.assert_close(changed[:, :3], one[:, :3], atol=1e-5, rtol=0)
    assert (changed[:, 3:] - one[:, 3:]).abs().amax((0, 2, 3, 4)).min() > 1e-3
    torch.testing.assert_close(chunked, changed, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="4 prompts do not divide 6 frames"):
        model(**dict(inputs, text_BSD=same[:, :4]))


# ---- torch.compile


def test_blocks_compile_to_one_graph_for_all_layers():
    """Traced only (backend eager): no break in a block, and nothing in it that depends on the layer's number."""
    model, inputs = with_camera_phases(tiny_model(mode="full")), random_inputs(3)
    torch._dynamo.reset()
    counters.clear()
    with torch.no_grad():  # under grad torch itself warns while it traces
        eager = model(**inputs, mask_BFF=causal(3))
        for block in model.transformer.blocks:
            block.compile(backend="eager", fullgraph=True)
        compiled = model(**inputs, mask_BFF=causal(3))
    assert torch.equal(compiled, eager)
    assert counters["stats"]["unique_graphs"] == 1
