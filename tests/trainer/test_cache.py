"""The KV cache: against full attention under every policy, and by itself against a plain dictionary."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.support import causal, frames, random_inputs, tiny_model, with_camera_phases
from trainer.graph.nodes import FrameGraph, Node, Role
from trainer.model.cache import KVCache
from trainer.model.options import CameraMode
from trainer.model.retention import CacheConfig

NUM_FRAMES = 7
KEEPS_ALL = [
    CacheConfig(),
    CacheConfig(time_policy="relative"),
    CacheConfig(time_policy="clamped", horizon=1000.0),
    CacheConfig(capacity=NUM_FRAMES),
    CacheConfig(sink=2, window=NUM_FRAMES, capacity=NUM_FRAMES + 2),
    CacheConfig(window=NUM_FRAMES, time_policy="relative"),
]
FORGETS = [
    CacheConfig(capacity=4),
    CacheConfig(window=2),
    CacheConfig(window=1, sink=1),
    CacheConfig(sink=2, window=2, capacity=5),
    CacheConfig(sink=1, capacity=3),
]


@pytest.fixture(scope="module", params=get_args(CameraMode))
def each_mode(request):
    return with_camera_phases(tiny_model(mode=request.param)).eval()


@pytest.fixture(scope="module")
def trained():
    return with_camera_phases(tiny_model()).eval()


def plain_memory(config: CacheConfig, order: list[int], anchors: set[int]) -> list[list[int]]:
    """What is held before each write and at the end, said as plainly as possible."""
    held, memories = [], [[]]
    for node in order:
        held = [*held, node]
        kept = set(order[: config.sink]) | anchors
        loose = [n for n in held if n not in kept]
        if config.window is not None:
            held = [n for n in held if n not in loose or n in loose[-config.window :]]
        while config.capacity is not None and len(held) > config.capacity:
            held.remove(next(n for n in held if n not in kept))
        memories.append(held)
    return memories


def mask_of(memories: list[list[int]], chunk: int) -> torch.Tensor:
    """[1, F, F] bool: each frame sees what was held when its chunk began, and its own chunk causally."""
    mask = torch.zeros(NUM_FRAMES, NUM_FRAMES, dtype=torch.bool)
    for query in range(NUM_FRAMES):
        start = query - query % chunk
        mask[query, memories[start]] = True
        mask[query, start : query + 1] = True
    return mask[None]


@torch.no_grad()
def cached_rollout(model, inputs, chunk: int, config: CacheConfig, anchors: set[int] = frozenset()) -> torch.Tensor:
    out, cache = [], KVCache(config)
    for start in range(0, NUM_FRAMES, chunk):
        part = frames(inputs, slice(start, start + chunk))
        ids = list(range(start, min(start + chunk, NUM_FRAMES)))
        out.append(
            model(
                **part,
                mask_BFF=causal(len(ids)),
                cache=cache,
                write_ids=ids,
                write_anchors=[i in anchors for i in ids],
            )
        )
    return torch.cat(out, dim=1)


@pytest.mark.parametrize("chunk", [1, 3])
@pytest.mark.parametrize("config", KEEPS_ALL, ids=str)
def test_a_cache_that_keeps_all_equals_full_causal_attention(each_mode, config, chunk):
    inputs = random_inputs(NUM_FRAMES)
    with torch.no_grad():
        full = each_mode(**inputs, mask_BFF=causal(NUM_FRAMES))
    torch.testing.assert_close(cached_rollout(each_mode, inputs, chunk, config), full, atol=2e-5, rtol=0)


@pytest.mark.parametrize(("anchors", "chunk"), [(frozenset(), 3), (frozenset({1}), 1)], ids=["loose", "anchor"])
@pytest.mark.parametrize("config", FORGETS, ids=str)
def test_a_cache_that_forgets_equals_full_attention_to_what_it_holds(each_mode, config, anchors, chunk):
    inputs = random_inputs(NUM_FRAMES)
    mask = mask_of(plain_memory(config, list(range(NUM_FRAMES)), set(anchors)), chunk)
    with torch.no_grad():
        twin, full = (each_mode(**inputs, mask_BFF=m.expand(2, -1, -1)) for m in (mask, causal(NUM_FRAMES)))
    cached = cached_rollout(each_mode, inputs, chunk, config, set(anchors))
    torch.testing.assert_close(cached, twin, atol=2e-5, rtol=0)
    assert (cached - full).abs().max() > 1e-3, "forgetting must show"


def test_what_the_comparison_would_notice(trained):
    inputs = random_inputs(NUM_FRAMES)
    cached = cached_rollout(trained, inputs, 1, CacheConfig(window=2))
    for other in (CacheConfig(window=3), CacheConfig(window=2, sink=1), CacheConfig(capacity=3)):
        mask = mask_of(plain_memory(other, list(range(NUM_FRAMES)), set()), 1).expand(2, -1, -1)
        with torch.no_grad():
            assert (trained(**inputs, mask_BFF=mask) - cached).abs().max() > 1e-3


def test_clamped_times_change_what_lies_beyond_the_horizon_and_nothing_else(trained):
    inputs = random_inputs(NUM_FRAMES)
    true = cached_rollout(trained, inputs, 1, CacheConfig())
    clamped = cached_rollout(trained, inputs, 1, CacheConfig(time_policy="clamped", horizon=4.0))
    age = inputs["times_BF"] - inputs["times_BF"][:, :1]
    first_beyond = int((age > 4.0).any(dim=0).nonzero()[0])
    assert 0 < first_beyond < NUM_FRAMES - 1
    torch.testing.assert_close(clamped[:, :first_beyond], true[:, :first_beyond], atol=1e-5, rtol=0)
    assert (clamped[:, first_beyond:] - true[:, first_beyond:]).abs().max() > 1e-3


def test_a_frame_that_is_replaced_is_as_if_it_had_been_so_from_the_start(trained):
    """Later frames that have read the old one keep what they read; so the last one is replaced here."""
    inputs = random_inputs(NUM_FRAMES)
    poor = dict(inputs, latents_BFCYX=inputs["latents_BFCYX"].clone())
    poor["latents_BFCYX"][:, 5] = 0.0
    out = {}
    for name, first in (("never", inputs), ("replaced", poor), ("kept", poor)):
        cache = KVCache(CacheConfig(capacity=6))
        with torch.no_grad():
            for i in range(6):
                trained(**frames(first, slice(i, i + 1)), cache=cache, write_ids=[i])
            if name == "replaced":
                trained(**frames(inputs, slice(5, 6)), cache=cache, write_ids=[5])
            out[name] = trained(**frames(inputs, slice(6, 7)), cache=cache)
    torch.testing.assert_close(out["replaced"], out["never"], atol=1e-5, rtol=0)
    assert (out["kept"] - out["never"]).abs().max() > 1e-3


def test_a_schedule_forgets_what_the_cache_forgets():
    roles = [Role.FRONTIER, Role.DEGRADED, Role.ANCHOR, *[Role.FRONTIER] * 3, *[Role.TARGET] * 6]
    camera = np.zeros(14, dtype=np.float32)
    graph = FrameGraph(
        nodes=tuple(Node(frame=i, time=float(i), camera=camera, role=role) for i, role in enumerate(roles))
    )
    for config in FORGETS[:4]:
        cache, held = KVCache(config), set()
        for step in graph.cache_schedule(config):
            write(cache, step.node, anchor=roles[step.node] is Role.ANCHOR)
            held = (held | {step.node}) - set(step.evict)
            assert held == set(cache.node_ids)


# ---- the cache by itself


def entry(value: float, num_frames: int = 1):
    k = torch.full((1, num_frames * 2, 1, 4), value)
    return {0: (k, k + 100), 1: (k + 200, k + 300)}


def arguments(node: int) -> dict:
    return {"node_ids": [node], "times_BF": torch.tensor([[float(node)]]), "cameras_BFc": torch.zeros(1, 1, 14)}


@torch.no_grad()
def write(cache: KVCache, node: int, *, anchor: bool = False, value: float | None = None) -> None:
    layers = entry(float(node) if value is None else value)
    cache.write(layers, anchors=[anchor], **arguments(node))


def filled(count: int, anchors: tuple[int, ...] = (), **options) -> KVCache:
    cache = KVCache(CacheConfig(**options))
    for i in range(count):
        write(cache, i, anchor=i in anchors)
    return cache


def contents(cache: KVCache) -> dict[int, tuple[float, ...]]:
    """Per node: time, then key and value of each layer."""
    pairs = [tensor for layer in cache._layers for tensor in cache.read(layer)]
    return {
        node: (float(cache.times_BK[0, slot]), *(float(t[0, 2 * slot + 1, 0, 3]) for t in pairs))
        for slot, node in enumerate(cache.node_ids)
    }


def expected(node: int, value: float) -> tuple[float, ...]:
    return (float(node), value, value + 100, value + 200, value + 300)


POLICIES = st.sampled_from([CacheConfig(), *FORGETS, CacheConfig(capacity=1), CacheConfig(window=7)])
MOVES = st.lists(st.tuples(st.sampled_from(["append", "anchor", "replace", "evict"]), st.integers(0, 30)), max_size=40)


@given(POLICIES, MOVES)
@settings(max_examples=80, deadline=None)
def test_any_sequence_of_writes_agrees_with_a_plain_dictionary(config, moves):
    cache, plain, kept, order = KVCache(config), {}, {}, 0
    for move, number in moves:
        present = list(plain)
        if move in ("append", "anchor"):
            node = 1000 + order
            loose = [n for n in present if not kept[n]]
            keep = move == "anchor" or order < config.sink
            goes = loose[: max(0, len(loose) + 1 - config.window)] if config.window and not keep else []
            while config.capacity and len(present) - len(goes) >= config.capacity and len(goes) < len(loose):
                goes = loose[: len(goes) + 1]
            if config.capacity and len(present) - len(goes) >= config.capacity:
                with pytest.raises(ValueError, match="raise the capacity"):
                    write(cache, node, anchor=move == "anchor", value=float(number))
                continue
            write(cache, node, anchor=move == "anchor", value=float(number))
            for old in goes:
                del plain[old], kept[old]
            plain[node], kept[node] = float(number), move if keep and move == "anchor" else keep
            order += 1
        elif present and move == "replace":
            node = present[number % len(present)]
            write(cache, node, value=-float(number))
            plain[node] = -float(number)
        elif present:
            node = present[number % len(present)]
            if kept[node] == "anchor":
                with pytest.raises(ValueError, match="anchor"):
                    cache.evict(node)
                continue
            cache.evict(node)
            del plain[node], kept[node]
        assert len(cache) == len(plain)
        if plain:
            assert contents(cache) == {n: expected(n, value) for n, value in plain.items()}


def test_a_bounded_cache_forgets_the_oldest_but_never_an_anchor():
    cache = filled(20, anchors=(0, 3), capacity=5)
    assert sorted(cache.node_ids) == [0, 3, 17, 18, 19]
    assert contents(cache) == {i: expected(i, float(i)) for i in (0, 3, 17, 18, 19)}
    with pytest.raises(ValueError, match="anchor"):
        cache.evict(3)
    with pytest.raises(ValueError, match="all 2 nodes are anchors"):
        filled(3, anchors=(0, 1), capacity=2)


def test_sinks_stay_and_anchors_do_not_count_against_the_window():
    assert sorted(filled(20, sink=2, window=3).node_ids) == [0, 1, 17, 18, 19]
    assert sorted(filled(20, anchors=(4, 5), sink=2, window=3).node_ids) == [0, 1, 4, 5, 17, 18, 19]
    assert sorted(filled(20, anchors=(4,), sink=1, window=3, capacity=4).node_ids) == [0, 4, 18, 19]


def test_memory_of_a_bounded_cache_is_set_aside_once():
    node_bytes = sum(t.nbytes for pair in entry(0.0).values() for t in pair)
    for options, slots in (({"capacity": 5}, 5), ({"sink": 2, "window": 4}, 6), ({"capacity": 9, "window": 2}, 9)):
        cache = KVCache(CacheConfig(**options))
        places = set()
        for i in range(40):
            write(cache, i)
            places.add(cache.read(0)[0].data_ptr())
        assert cache.num_bytes == slots * node_bytes and len(places) == 1
    grown = filled(40)
    assert grown.num_bytes == 64 * node_bytes and len(grown) == 40


def test_replace_rewrites_one_node_in_place():
    cache = filled(3)
    write(cache, 1, value=9.0)
    assert contents(cache) == {0: expected(0, 0.0), 1: expected(1, 9.0), 2: expected(2, 2.0)}
    with pytest.raises(ValueError, match="not cached"):
        cache.evict(7)
    with torch.no_grad():
        with pytest.raises(ValueError, match="not cached"):
            cache.replace(entry(0.0), **arguments(7))
        with pytest.raises(ValueError, match="already cached"):
            cache.append(entry(0.0), anchors=[False], **arguments(2))
        both = {"node_ids": [2, 7], "times_BF": torch.zeros(1, 2), "cameras_BFc": torch.zeros(1, 2, 14)}
        with pytest.raises(ValueError, match="write them apart"):
            cache.write(entry(0.0, 2), anchors=[False, False], **both)


def test_writes_under_grad_are_forbidden():
    cache = filled(1)
    with pytest.raises(RuntimeError, match="no_grad"):
        cache.append(entry(0.0), anchors=[False], **arguments(4))
    with pytest.raises(RuntimeError, match="no_grad"):
        cache.replace(entry(0.0), **arguments(0))


def test_clamped_times_stop_at_the_horizon_and_relative_ones_start_at_the_query():
    query = torch.tensor([[9.0, 10.0]])
    cached, seen = filled(3, time_policy="clamped", horizon=9.0).seen_times(query)
    assert cached.tolist() == [[1.0, 1.0, 2.0]] and seen.tolist() == [[9.0, 10.0]]
    cached, seen = filled(3, time_policy="relative").seen_times(query)
    assert cached.tolist() == [[-10.0, -9.0, -8.0]] and seen.tolist() == [[-1.0, 0.0]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"time_policy": "clamped"}, "clamped alone has one"),
        ({"horizon": 2.0}, "clamped alone has one"),
        ({"time_policy": "clamped", "horizon": 0.0}, "positive"),
        ({"time_policy": "elastic"}, "choose of absolute"),
        ({"capacity": 0}, "cannot hold 0 first and 1 newest"),
        ({"capacity": 5, "sink": 2, "window": 4}, "cannot hold 2 first and 4 newest"),
        ({"sink": 2}, "set window or capacity"),
        ({"sink": -1, "window": 2}, "negative"),
        ({"window": 0}, "at least 1"),
    ],
)
def test_impossible_policies_are_refused_in_one_line(options, said):
    with pytest.raises(ValueError, match=said) as caught:
        CacheConfig(**options)
    assert str(caught.value).startswith("cache.") and "\n" not in str(caught.value)
