"""Curriculum stages: what each may do to a graph, and that mask and cached rollout see the same after it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.graph import stages
from trainer.graph.nodes import CONTEXT, FrameGraph, Node, Role

# name -> parameters that make the stage act
CALLS = {
    "frontier_continuation": {"chunk": 3, "min_prefix": 2, "max_chunks": 3, "at_return": 0.5},
    "reference_cache": {"num_references": 2, "local_window": 3.0, "choice": "random"},
    "node_drop": {"degraded": 0.5, "frontier": 0.3},
    "drop_after_return": {},
    "noisy_memory": {"max_level": 0.3, "anchor_max_level": 0.05},
}


def graph_of(hidden: list[bool], targets: tuple[int, ...] = (), absent: tuple[int, ...] = ()) -> FrameGraph:
    """Frames as `history_graph` lays them out, the camera turning with time, targets beside them."""
    anchors = {0} | {i for i in range(len(hidden) - 1) if hidden[i + 1] and not hidden[i]}
    nodes = []
    for i, dark in enumerate(hidden):
        role = Role.DEGRADED if dark else Role.ANCHOR if i in anchors else Role.FRONTIER
        role = Role.DROPPED if dark and i in absent else role
        camera = np.full(14, abs(i - len(hidden) / 2), dtype=np.float32)  # goes and comes back
        nodes.append(Node(frame=i, time=1.5 * i, camera=camera, role=role, hidden=dark, weight=1.0 + i))
    asked = [replace(nodes[i], role=Role.TARGET, noise_level=1.0) for i in targets if not hidden[i]]
    return FrameGraph(nodes=(*nodes, *asked))


@st.composite
def graphs(draw) -> FrameGraph:
    hidden = [False, *draw(st.lists(st.booleans(), min_size=3, max_size=14))]
    frames = range(len(hidden))
    targets = draw(st.lists(st.sampled_from(frames), min_size=1, max_size=5, unique=True))
    absent = draw(st.lists(st.sampled_from(frames), max_size=3, unique=True))
    return graph_of(hidden, tuple(targets), tuple(absent))


def run(name: str, graph: FrameGraph, seed: int, **changes) -> FrameGraph:
    return getattr(stages, name)(graph, np.random.default_rng(seed), **(CALLS[name] | changes))


def summary(graph: FrameGraph):
    return [(n.frame, n.time, n.role, n.noise_level, n.chunk, n.weight) for n in graph.nodes]


@pytest.mark.parametrize("name", CALLS)
@given(graph=graphs(), seed=st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_every_stage_keeps_what_no_stage_may_touch(name, graph, seed):
    before = summary(graph)
    after = run(name, graph, seed)
    assert summary(graph) == before, "the given graph is not changed"
    assert summary(run(name, graph, seed)) == summary(after), "same generator, same graph"
    facts = {n.frame: n for n in graph.nodes if n.role is not Role.TARGET}
    history = {n.frame: n for n in after.nodes if n.role is not Role.TARGET}
    assert history.keys() == facts.keys()
    for node in after.nodes:
        given_node = facts[node.frame]
        assert (node.time, node.hidden, node.weight) == (given_node.time, given_node.hidden, given_node.weight)
        assert node.camera is given_node.camera
    for frame, node in facts.items():
        if node.role is Role.ANCHOR:
            assert history[frame].role is Role.ANCHOR
        if node.role is Role.DROPPED:
            assert history[frame].role is Role.DROPPED, "what is absent stays absent"
        if name != "noisy_memory":
            assert history[frame].noise_level == node.noise_level
    assert not any(node.hidden for node in after.nodes if node.role is Role.TARGET), "nothing is asked of the dark"


@pytest.mark.parametrize("name", CALLS)
@given(graph=graphs(), seed=st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_after_every_stage_permissions_are_causal_and_a_cached_rollout_sees_the_same(name, graph, seed):
    graph = run(name, graph, seed)
    present, permission = graph.present(), graph.permission()
    nodes = [graph.nodes[i] for i in present]
    for q, k in np.argwhere(permission):
        together = nodes[q].chunk is not None and nodes[q].chunk == nodes[k].chunk
        if q != k and not (nodes[k].role is Role.TARGET and together):
            assert nodes[k].role in CONTEXT, "targets are seen by themselves and their chunk alone"
            assert nodes[k].time < nodes[q].time
    cached: list[int] = []
    seen: dict[int, set[int]] = {}
    for step in graph.cache_schedule():
        for i in step.generate:
            seen[i] = {*cached, *step.generate}
        if graph.nodes[step.node].role is not Role.TARGET:
            seen[step.node] = {*cached, step.node}
        if step.write:
            cached.append(step.node)
    assert seen.keys() == set(present)
    for row, i in enumerate(present):
        assert seen[i] == {present[k] for k in np.flatnonzero(permission[row])}


def test_node_drop_happens_at_the_given_rate_for_each_role():
    graph = graph_of([False] + [True] * 2000 + [False] * 2000)
    dropped = run("node_drop", graph, 0, degraded=0.3, frontier=0.1)
    gone = [graph.nodes[i].role for i in dropped.with_role(Role.DROPPED)]
    assert abs(gone.count(Role.DEGRADED) / 2000 - 0.3) < 0.04
    assert abs(gone.count(Role.FRONTIER) / 2000 - 0.1) < 0.03
    assert summary(run("node_drop", graph, 0, degraded=0.0, frontier=0.0)) == summary(graph)


def test_noisy_memory_noises_history_only_and_anchors_least():
    graph = graph_of([False] * 300 + [True] * 300 + [False] * 2, targets=(600,))
    noisy = run("noisy_memory", graph, 1)
    levels = {role: [n.noise_level for n in noisy.nodes if n.role is role] for role in Role}
    assert 0.25 < max(levels[Role.FRONTIER]) <= 0.3 and 0.25 < max(levels[Role.DEGRADED]) <= 0.3
    assert 0.0 < max(levels[Role.ANCHOR]) <= 0.05
    assert levels[Role.TARGET] == [1.0]
    with pytest.raises(ValueError, match="anchor_max_level"):
        run("noisy_memory", graph, 0, max_level=0.1, anchor_max_level=0.2)


def test_after_a_return_nothing_seen_is_left_but_anchors_and_what_is_dark():
    hidden = [False, False, True, False, False, False, True, True, False, False]
    graph = run("drop_after_return", graph_of(hidden, targets=(3, 8)), 0)
    assert [n.frame for n in graph.nodes if n.role is Role.DROPPED] == [3, 4, 8, 9]
    assert [n.frame for n in graph.nodes if n.role is Role.ANCHOR] == [0, 1, 5]
    plain = graph_of([False] * 4, targets=(2,))
    assert run("drop_after_return", plain, 0) is plain


def test_a_continuation_asks_in_chunks_that_see_clean_history_and_not_their_own():
    hidden = [False] * 5 + [True] * 3 + [False] * 6
    graph = run("frontier_continuation", graph_of(hidden, targets=(1, 9)), 0, chunk=2, max_chunks=2, at_return=1.0)
    asked = [(n.frame, n.chunk) for n in graph.nodes if n.role is Role.TARGET]
    assert asked == [(8, 0), (9, 0), (10, 1), (11, 1)]
    assert [n.weight for n in graph.nodes if n.role is Role.TARGET] == [9.0, 10.0, 11.0, 12.0]
    assert [n.frame for n in graph.nodes if n.role is Role.DROPPED] == [10, 11, 12, 13], "nobody could see them"
    nodes = [graph.nodes[i] for i in graph.present()]
    sees = {
        (q.frame, q.chunk): sorted((k.frame, k.role is Role.TARGET) for k, may in zip(nodes, row, strict=True) if may)
        for q, row in zip(nodes, graph.permission(), strict=True)
        if q.role is Role.TARGET
    }
    clean = [(i, False) for i in range(8)]
    assert sees[9, 0] == [*clean, (8, True), (9, True)]
    assert sees[10, 1] == [*clean, (8, False), (9, False), (10, True), (11, True)]


def test_a_continuation_begins_anywhere_after_its_prefix_and_stops_at_the_dark():
    graph = graph_of([False] * 6 + [True] * 2 + [False] * 4)
    made = [run("frontier_continuation", graph, seed, chunk=4, at_return=0.0) for seed in range(200)]
    starts = {min(n.frame for n in g.nodes if n.role is Role.TARGET) for g in made}
    assert starts == {2, 3, 4, 5, 8, 9, 10, 11}
    for g in made:
        for chunk in {n.chunk for n in g.nodes if n.chunk is not None}:
            frames = [n.frame for n in g.nodes if n.chunk == chunk]
            assert frames == list(range(frames[0], frames[0] + len(frames))) and len(frames) <= 4
    short = graph_of([False, False], targets=(1,))
    assert run("frontier_continuation", short, 0) is short, "there is nothing after the prefix"


def test_of_old_memory_references_alone_are_left():
    hidden = [False] * 12 + [True] * 4 + [False] * 4
    graph = graph_of(hidden, targets=(5, 16, 18))
    kept = [run("reference_cache", graph, seed, local_window=3.0) for seed in range(40)]
    for g in kept:
        assert [n.frame for n in g.nodes if n.role is Role.TARGET] == [16, 18], "what is older is no longer asked"
        present = {n.frame: n.role for n in g.nodes if n.role in CONTEXT}
        assert [i for i, role in present.items() if role is Role.DEGRADED] == [14, 15], "two frames of 1.5 steps each"
        far = sorted(i for i in present if i < 14)
        assert {0, 11} <= set(far) and 2 <= len(far) <= 4
        references = [i for i, role in present.items() if role is Role.REFERENCE]
        assert not any(b - a == 1 for a, b in pairwise(references))
    assert len({tuple(sorted(n.frame for n in g.nodes if n.role is Role.REFERENCE)) for g in kept}) > 10


def test_mirror_references_are_seen_by_the_camera_of_the_return():
    hidden = [False] * 9 + [True] * 3 + [False] * 8
    graph = graph_of(hidden, targets=(12, 13))  # its camera at frame 12 is that of frame 8, and nearly that of 6
    mirrored = run("reference_cache", graph, 0, choice="mirror")
    assert [n.frame for n in mirrored.nodes if n.role is Role.REFERENCE] == [6]
    assert mirrored.nodes[8].role is Role.ANCHOR, "the other one is protected already"


def test_references_are_left_where_nothing_is_interrupted():
    graph = graph_of([False] * 16, targets=(6, 14))
    for seed in range(20):
        kept = run("reference_cache", graph, seed, local_window=3.0)
        first = min(n.time for n in kept.nodes if n.role is Role.TARGET)
        assert first in (9.0, 21.0)
        old = {n.role for n in kept.nodes if n.time < first - 3.0 and n.role is not Role.DROPPED}
        assert old <= {Role.ANCHOR, Role.REFERENCE}
