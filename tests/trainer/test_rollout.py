"""Rollouts: what is given and made, chunking, guidance, prompts over time, frames beyond the clip, the sampler."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from diffusers import WanTransformer3DModel

from benchmarks.toy_bar import bar_clip
from simulator.clip import Window
from tests.trainer.support import save_tiny_vae, tiny_wan
from trainer.build import build_codec, build_model
from trainer.checkpoint import TrainedModel
from trainer.config import override
from trainer.data.batches import collate
from trainer.data.examples import Example, with_targets
from trainer.evaluate import predict_batch, return_error
from trainer.graph.nodes import Role
from trainer.latents.layout import frame_segments
from trainer.latents.wan_vae import WanVaeCodec
from trainer.model.wan import RememberingWan
from trainer.recipes import recipe
from trainer.rollout import CacheConfig, RolloutConfig, RolloutSession, camera_path, continued, rollout, rollout_graph
from trainer.rollout.sampler import euler_sample, flow_levels
from trainer.seeding import torch_generator

SMALL = override(
    recipe("tiny"),
    {"model.dim": 48, "model.num_heads": 2, "model.num_layers": 1, "model.ffn_dim": 96, "model.freq_dim": 32},
)
CLIP = bar_clip(0)
ONE = RolloutConfig(steps=1)
TWO = RolloutConfig(steps=2)


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    model = build_model(SMALL).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for phase in model.phases:
        phase.weight.normal_(generator=generator)
    return TrainedModel(model=model, config=SMALL, codec=build_codec(SMALL), step=0)


def same(one, other) -> bool:
    return np.array_equal(one.rgb, other.rgb)


# ---- what is given and what is made


@pytest.mark.parametrize("config", [TWO, RolloutConfig(steps=1, guidance_scale=2.0, cache=CacheConfig(window=3))])
def test_chunks_of_a_rollout_equal_the_whole_and_noise_matters(trained, config):
    whole = rollout(trained, CLIP, config)
    session = RolloutSession(trained, CLIP, rollout_graph(CLIP, trained), config)
    while session.advance(2):
        pass
    assert same(whole, session.result())
    assert not same(whole, rollout(trained, CLIP, dataclasses.replace(config, seed=6)))


def test_a_rollout_gives_the_past_and_never_sees_the_future(trained):
    made = rollout(trained, CLIP, TWO)
    first = int(CLIP.hidden.nonzero()[0][-1]) + 1
    assert made.generated.nonzero()[0].tolist() == list(range(first, CLIP.num_frames))
    assert np.array_equal(made.rgb[:first], CLIP.rgb[:first])
    spoilt = CLIP.rgb.copy()
    spoilt[first:] = 0
    assert same(made, rollout(trained, dataclasses.replace(CLIP, rgb=spoilt), TWO))
    spoilt = CLIP.rgb.copy()
    spoilt[0] = 0
    assert not np.array_equal(
        made.rgb[first:], rollout(trained, dataclasses.replace(CLIP, rgb=spoilt), TWO).rgb[first:]
    )
    stopped = rollout(trained, CLIP, TWO, num_frames=1)
    assert stopped.generated.sum() == 1 and not stopped.rgb[first + 1 :].any()
    assert np.array_equal(stopped.rgb[first], made.rgb[first])


def hidden_twice(*windows: tuple[int, list[int], int]):
    """CLIP with windows (t_h, hidden frames, t_r), each of a target of its own."""
    found = tuple(
        Window(target=str(n), kind="occluder", t_h=t_h, t_r=t_r, hidden_frames=tuple(frames))
        for n, (t_h, frames, t_r) in enumerate(windows)
    )
    hidden = np.isin(CLIP.frames, [frame for window in found for frame in window.hidden_frames])
    plain = ~np.logical_or.reduce([(w.t_h < CLIP.frames) & (CLIP.frames < w.t_r) for w in found])
    returns = tuple(sorted(window.t_r for window in found))
    return dataclasses.replace(CLIP, hidden=hidden, plain=plain, returns=returns, windows=found)


@pytest.mark.parametrize(
    ("clip", "number", "generated"),
    [
        (hidden_twice((3, [4, 5], 7), (9, [11, 12], 13)), 0, range(6, 10)),
        (hidden_twice((3, [4, 5], 7), (9, [11, 12], 13)), 1, range(13, 18)),
        (hidden_twice((3, [4, 5, 6], 8), (4, [6, 7, 8, 9], 11)), 0, range(7, 18)),  # the second target is hidden longer
        (hidden_twice((3, [4, 5, 6], 8), (4, [6, 7, 8, 9], 11)), 1, range(10, 18)),
    ],
)
def test_every_window_of_a_clip_can_be_asked_about(trained, clip, number, generated):
    """Nothing from its last hidden frame on is given, and what is made ends before the next window."""
    made = rollout(trained, clip, ONE, window=number)
    assert made.generated.nonzero()[0].tolist() == list(generated)
    assert len(made.rgb) == len(made.frames) == generated[-1] + 1
    assert np.array_equal(made.rgb[: generated[0]], clip.rgb[: generated[0]])
    spoilt = clip.rgb.copy()
    spoilt[generated[0] :] = 255
    assert same(made, rollout(trained, dataclasses.replace(clip, rgb=spoilt), ONE, window=number))
    assert rollout(trained, clip, ONE).generated[made.generated.argmax()] == (number == 1), "by default the last"


def test_generation_and_scores_are_computed_in_the_precision_of_the_run(trained):
    """Rounding to bf16 shows, and is no more than rounding; the cache holds what attention is computed of."""
    half = dataclasses.replace(trained, config=override(SMALL, {"precision": "bf16"}))
    exact, rounded = (rollout(model, CLIP, ONE, num_frames=2).rgb.astype(int) for model in (trained, half))
    assert 0 < np.abs(exact - rounded).max() <= 16
    session = RolloutSession(half, CLIP, rollout_graph(CLIP, half), ONE)
    session.advance(0)
    assert session.cache.read(0)[1].dtype == torch.bfloat16
    device = torch.device("cpu")
    errors = [return_error(t.model, [CLIP], t.codec, t.config, device)["heldout_mae"] for t in (trained, half)]
    assert errors[0] != errors[1] == pytest.approx(errors[0], rel=0.05)


def test_a_window_that_is_not_there_or_hides_nothing_is_refused(trained):
    clip = hidden_twice((3, [4, 5], 7), (9, [11, 12], 13))
    with pytest.raises(ValueError, match="no window 2, it has 2"):
        rollout(trained, clip, ONE, window=2)
    with pytest.raises(ValueError, match="window 1 hides none of the frames"):
        rollout(trained, dataclasses.replace(clip, hidden=clip.hidden & (clip.frames < 9)), ONE, window=1)


@pytest.mark.parametrize("chunk", [1, 3])
def test_a_rollout_predicts_what_full_attention_predicts(trained, chunk):
    clip = bar_clip(1)
    made = rollout(trained, clip, ONE, num_frames=1, chunk=chunk)
    graph = rollout_graph(clip, trained)
    first = graph.nodes[graph.with_role(Role.TARGET)[0]].frame
    past = graph.map_nodes({i: {"role": Role.DROPPED} for i in graph.with_role(Role.TARGET)})
    together = range(first, first + chunk)
    graph = with_targets(past, together)
    graph = graph.map_nodes({i: {"chunk": 0} for i in graph.with_role(Role.TARGET)})
    segments = frame_segments(clip.hidden, clip.dropped)
    example = Example(rgb=clip.rgb, region=clip.region, segments=segments, prompt=clip.prompt, graph=graph)
    batch = collate([example], trained.codec, [torch_generator(0)], 1.0)
    shape = batch.clean_BFCYX[:, 0].shape
    noise = [torch.randn(shape, generator=torch_generator(0, "rollout", frame)) for frame in together]
    noisy = torch.cat([batch.clean_BFCYX[:, :-chunk], torch.stack(noise, dim=1)], dim=1)
    full = trained.codec.decode(predict_batch(trained.model, batch, noisy)[0, -chunk:], np.ones(chunk)).clamp(-1, 1)
    frames = made.rgb[list(together)].astype(np.float32)
    assert np.abs(frames - ((full.permute(0, 2, 3, 1).numpy() + 1) * 127.5)).max() < 0.51  # rounding to uint8


def test_frames_of_a_chunk_are_made_together(trained):
    alone, chunked = (rollout(trained, CLIP, ONE, context=4, chunk=n) for n in (1, 5))
    assert np.array_equal(alone.generated, chunked.generated) and not same(alone, chunked)
    session = RolloutSession(trained, CLIP, rollout_graph(CLIP, trained, context=4, chunk=5), ONE)
    assert [session.advance(1) for _ in range(4)] == [5, 5, 4, 0]
    assert same(chunked, session.result())
    texts = [rollout(trained, CLIP, ONE, context=4, chunk=5, prompts=[(6, text)]) for text in ("still", CLIP.prompt)]
    assert same(texts[1], chunked) and not np.array_equal(texts[0].rgb[6], chunked.rgb[6])


def test_hidden_frames_can_be_generated_or_absent_and_a_prefix_can_be_given(trained):
    free = rollout(trained, CLIP, ONE, free=True)
    assert free.generated.nonzero()[0].tolist() == list(range(int(CLIP.hidden.argmax()), CLIP.num_frames))
    given, absent = rollout(trained, CLIP, ONE), rollout(trained, CLIP, ONE, drop_hidden=True)
    assert np.array_equal(given.generated, absent.generated)
    assert not same(given, absent)
    from_image, from_video = (rollout(trained, CLIP, ONE, context=n) for n in (1, 3))
    assert from_image.generated.tolist() == [False] + [True] * (CLIP.num_frames - 1)
    assert from_video.generated.sum() == CLIP.num_frames - 3
    assert not np.array_equal(from_image.rgb[3:], from_video.rgb[3:]), "what is given matters"
    other = dataclasses.replace(CLIP, rgb=CLIP.rgb[::-1].copy())
    assert not np.array_equal(from_image.rgb[1:], rollout(trained, other, ONE, context=1).rgb[1:])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"free": True, "drop_hidden": True}, "not both"),
        ({"free": True, "context": 3}, "choose one"),
        ({"context": 0}, "at least 1"),
        ({"chunk": 0}, "rollout.chunk"),
        ({"context": 18}, "leave at least 1"),
        ({"prompts": [(3, "a"), (3, "b")]}, "must rise"),
        ({"prompts": [(30, "a")]}, "lie in the 18 frames"),
    ],
)
def test_impossible_requests_are_refused(trained, options, said):
    with pytest.raises(ValueError, match=said):
        rollout(trained, CLIP, ONE, **options)


def test_a_clip_without_a_hidden_frame_needs_a_context(trained):
    plain = dataclasses.replace(CLIP, hidden=np.zeros_like(CLIP.hidden))
    with pytest.raises(ValueError, match="nothing is hidden"):
        rollout(trained, plain, ONE)
    assert rollout(trained, plain, ONE, context=17).generated.sum() == 1


# ---- memory


def test_the_schedule_the_cache_and_the_rollout_forget_alike(trained):
    config = dataclasses.replace(ONE, cache=CacheConfig(sink=2, window=3, capacity=8))
    graph = rollout_graph(CLIP, trained)
    session, held = RolloutSession(trained, CLIP, graph, config), set()
    for step in graph.cache_schedule(config.cache):
        held = (held | {step.node}) - set(step.evict)
        if step.generate:
            session.advance(1)
            assert set(session.cache.node_ids) == held
    assert len(held) == 6 and {0, 1} <= held  # two first frames, the last one before the darkness, three new ones


def test_a_memory_that_forgets_changes_what_is_made(trained):
    whole = rollout(trained, CLIP, ONE)
    assert same(whole, rollout(trained, CLIP, dataclasses.replace(ONE, cache=CacheConfig(capacity=18))))
    for cache in (CacheConfig(window=2), CacheConfig(time_policy="clamped", horizon=3.0)):
        assert not same(whole, rollout(trained, CLIP, dataclasses.replace(ONE, cache=cache)))


# ---- guidance and prompts


def test_guidance_is_the_difference_of_two_memories(trained):
    """The slow twin: two sessions' worth of caches kept apart, and the formula."""
    scale, graph = 3.0, rollout_graph(CLIP, trained)
    made = rollout(trained, CLIP, RolloutConfig(steps=1, guidance_scale=scale, negative_prompt="mud"), num_frames=2)
    told = RolloutSession(trained, CLIP, graph, ONE)
    untold = RolloutSession(trained, dataclasses.replace(CLIP, prompt="mud"), graph, ONE)
    frames = []
    with torch.no_grad():
        for step in graph.cache_schedule():
            node = graph.nodes[step.node]
            if step.generate:
                noise = torch.randn(told._latents[:, :1].shape, generator=torch_generator(0, "rollout", node.frame))
                x_told, x_untold = (s._call(step.generate, noise, 1.0, write=False) for s in (told, untold))
                frames.append(x_untold + scale * (x_told - x_untold))
                for session in (told, untold):
                    session._latents[:, node.frame] = frames[-1][:, 0]
            for session in (told, untold):
                session._write(step.node)
            if len(frames) == 2:
                break
    expected = trained.codec.decode(torch.cat(frames, dim=1)[0], np.ones(2)).clamp(-1, 1).permute(0, 2, 3, 1).numpy()
    assert np.abs(made.rgb[made.generated] - (expected + 1) * 127.5).max() < 0.51


def test_guidance_of_one_is_no_second_pass_and_the_same_bits(trained):
    plain = RolloutSession(trained, CLIP, rollout_graph(CLIP, trained), TWO)
    one = RolloutSession(trained, CLIP, rollout_graph(CLIP, trained), dataclasses.replace(TWO, guidance_scale=1.0))
    two = RolloutSession(trained, CLIP, rollout_graph(CLIP, trained), dataclasses.replace(TWO, guidance_scale=1.5))
    for session in (plain, one, two):
        session.advance(2)
    assert torch.equal(plain._latents, one._latents) and not torch.equal(plain._latents, two._latents)
    assert 2 * one.cache.num_bytes == 2 * plain.cache.num_bytes == two.cache.num_bytes
    with pytest.raises(ValueError, match="set a guidance_scale"):
        RolloutConfig(negative_prompt="mud")


def test_a_prompt_changes_what_comes_after_its_start_and_nothing_before(trained):
    plain = rollout(trained, CLIP, ONE, context=4)
    same_text = rollout(trained, CLIP, ONE, context=4, prompts=[(0, CLIP.prompt)])
    later = rollout(trained, CLIP, ONE, context=4, prompts=[(9, "a bar stands still"), (12, CLIP.prompt)])
    assert same(plain, same_text)
    assert np.array_equal(plain.rgb[:9], later.rgb[:9])
    assert not np.array_equal(plain.rgb[9], later.rgb[9])
    from_image = rollout(trained, CLIP, ONE, context=4, prompts=[(0, "a bar stands still")])
    assert not np.array_equal(plain.rgb[4], from_image.rgb[4])


# ---- beyond the clip's end


def test_frames_beyond_the_clip_follow_the_cameras_given_and_their_times_go_on(trained):
    first = int(CLIP.hidden.nonzero()[0][-1]) + 1
    longer = continued(CLIP, camera_path(CLIP, 8, "hold"))
    assert longer.num_frames == 26 and longer.frames.tolist() == list(range(26))
    graph = rollout_graph(longer, trained)
    assert [node.time for node in graph.nodes] == [float(i) for i in range(26)]
    made = rollout(trained, longer, dataclasses.replace(ONE, cache=CacheConfig(sink=1, window=4)))
    assert made.generated.sum() == 26 - first and made.rgb[-1].any()
    short = rollout(trained, CLIP, dataclasses.replace(ONE, cache=CacheConfig(sink=1, window=4)))
    assert np.array_equal(made.rgb[:18], short.rgb), "what comes later changes nothing earlier"
    moved = longer.cameras.copy()
    moved[20:, 0] += 1.0
    other = rollout(trained, dataclasses.replace(longer, cameras=moved), ONE, num_frames=21 - first)
    still = rollout(trained, longer, ONE, num_frames=21 - first)
    assert np.array_equal(other.rgb[:20], still.rgb[:20]) and not np.array_equal(other.rgb[20], still.rgb[20])
    with pytest.raises(ValueError, match="camera rows"):
        continued(CLIP, np.zeros((3, 7)))


def test_camera_paths_go_on_without_a_jump():
    cameras = np.arange(5, dtype=np.float32)[:, None] * np.ones((1, 14), dtype=np.float32)
    clip = dataclasses.replace(CLIP, frames=np.arange(5), rgb=CLIP.rgb[:5], cameras=cameras)
    assert camera_path(clip, 10, "bounce")[:, 0].tolist() == [3, 2, 1, 0, 1, 2, 3, 4, 3, 2]
    assert camera_path(clip, 3, "hold")[:, 0].tolist() == [4, 4, 4]
    with pytest.raises(ValueError, match="choose of hold, bounce"):
        camera_path(clip, 3, "spiral")


# ---- the sampler


def test_shifted_levels_are_the_formula_and_no_shift_is_even():
    assert flow_levels(4, 1.0) == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert flow_levels(4, 3.0) == pytest.approx([1.0, 0.9, 0.75, 0.5, 0.0])
    for shift in (0.1, 0.5, 7.3):
        levels = flow_levels(20, shift)
        assert levels[0] == 1.0 and levels[-1] == 0.0 and levels == sorted(set(levels), reverse=True)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_euler_steps_converge_to_the_exact_flow_of_a_gaussian_at_first_order(shift):
    """Data N(mu, sigma^2): E[x | x_t] is known, and the flow carries noise z to mu + sigma z."""
    mu, sigma, noise = 0.7, 0.4, torch.linspace(-2, 2, 9, dtype=torch.float64)

    def denoise(x: torch.Tensor, t: float) -> torch.Tensor:
        gain = (1 - t) * sigma**2 / ((1 - t) ** 2 * sigma**2 + t**2)
        return mu + gain * (x - (1 - t) * mu)

    errors = [
        float((euler_sample(denoise, noise, flow_levels(n, shift)) - (mu + sigma * noise)).abs().max())
        for n in (50, 100, 200)
    ]
    assert errors[-1] < 0.02
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert ((orders > 0.85) & (orders < 1.15)).all()


def test_the_shift_and_the_number_of_steps_change_what_is_made(trained):
    made = [rollout(trained, CLIP, c, num_frames=1) for c in (TWO, dataclasses.replace(TWO, shift=5.0), ONE)]
    assert not same(made[0], made[1]) and not same(made[0], made[2])


@pytest.mark.parametrize(
    "options", [{"steps": 0}, {"shift": 0.0}, {"shift": float("nan")}, {"guidance_scale": -1.0}], ids=str
)
def test_impossible_settings_are_refused_in_one_line(options):
    with pytest.raises(ValueError, match=f"^rollout.{next(iter(options))}: .*$"):
        RolloutConfig(**options)


# ---- a codec whose latents stand for four frames


@pytest.fixture(scope="module")
def on_wan_latents(tmp_path_factory) -> TrainedModel:
    codec = WanVaeCodec.from_pretrained(str(save_tiny_vae(tmp_path_factory.mktemp("vae"))))
    transformer = WanTransformer3DModel(
        **{**tiny_wan().config, "in_channels": codec.channels, "out_channels": codec.channels, "num_layers": 1}
    )
    model = RememberingWan(transformer.eval().requires_grad_(False), mode="none")
    return TrainedModel(model=model, config=SMALL, codec=codec, step=0)


def hidden_between(start: int, stop: int):
    hidden = (np.arange(CLIP.num_frames) >= start) & (np.arange(CLIP.num_frames) < stop)
    return dataclasses.replace(CLIP, hidden=hidden, plain=~hidden)


def decoded(session: RolloutSession, latents: slice) -> np.ndarray:
    video = session.trained.codec.decode(session._latents[0, latents], session.layout.starts[latents])
    return ((video.permute(0, 2, 3, 1) + 1.0) * 127.5).round().to(torch.uint8).numpy()


def test_latents_of_four_frames_are_generated_after_a_return(on_wan_latents):
    clip = hidden_between(5, 9)
    session = RolloutSession(on_wan_latents, clip, rollout_graph(clip, on_wan_latents), ONE)
    assert session.target_frames.tolist() == list(range(9, 18))
    assert session.advance(2) == 2 and session.generated.nonzero()[0].tolist() == list(range(9, 14))
    session.advance()
    made = session.result()
    assert made.generated.nonzero()[0].tolist() == list(range(9, 18))
    assert np.array_equal(made.rgb[9:], decoded(session, slice(-3, None))) and made.rgb[9:].any()
    spoilt = dataclasses.replace(clip, rgb=np.concatenate([clip.rgb[:9], np.zeros_like(clip.rgb[9:])]))
    assert np.array_equal(made.rgb[9:], rollout(on_wan_latents, spoilt, ONE).rgb[9:])
    seen = dataclasses.replace(clip, rgb=clip.rgb[::-1].copy())
    assert not np.array_equal(made.rgb[9:], rollout(on_wan_latents, seen, ONE).rgb[9:])


def test_a_prefix_goes_on_within_its_segment_and_is_decoded_without_a_seam(on_wan_latents):
    clip = hidden_between(0, 0)
    session = RolloutSession(on_wan_latents, clip, rollout_graph(clip, on_wan_latents, context=5), ONE)
    session.advance()
    made = session.result()
    assert made.generated.nonzero()[0].tolist() == list(range(5, 17)), "18 frames are 1 + 4 x 4, and one too many"
    assert not made.rgb[17].any()
    assert np.array_equal(made.rgb[5:17], decoded(session, slice(None))[5:])
    session.layout.starts[2] = True
    assert not np.array_equal(made.rgb[13:17], decoded(session, slice(2, None))[-4:]), "the decoder needs the prefix"
    with pytest.raises(ValueError, match=r"give 1 \+ 4k frames"):
        rollout_graph(clip, on_wan_latents, context=4)
    with pytest.raises(ValueError, match="stands for several frames"):
        session.replace(6, clip.rgb[6])


# ---- another picture in the place of a remembered one


def test_a_picture_that_is_replaced_is_what_later_frames_remember(trained):
    """The last given frame, which no other has read yet: as if the clip had held the better picture from the start."""
    last = int(CLIP.hidden.nonzero()[0][-1])
    better = dataclasses.replace(CLIP, rgb=CLIP.rgb.copy())
    better.rgb[last] = 200
    expected, plain = rollout(trained, better, ONE), rollout(trained, CLIP, ONE)
    session = RolloutSession(trained, CLIP, rollout_graph(CLIP, trained), ONE)
    with pytest.raises(ValueError, match="not in the cache"):
        session.replace(last, better.rgb[last])
    session.advance(0)
    session.replace(last, better.rgb[last])
    session.advance()
    assert np.abs(session.result().rgb[last + 1 :].astype(int) - expected.rgb[last + 1 :]).max() <= 1
    assert np.abs(plain.rgb[last + 1 :].astype(int) - expected.rgb[last + 1 :]).max() > 1
