"""Frame graphs: permissions, cache schedules, curriculum stages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.graph.curriculum import node_drop, noisy_memory
from trainer.graph.nodes import CONTEXT, FrameGraph, Node, Role
from trainer.model.retention import CacheConfig

HISTORY_ROLES = st.sampled_from(sorted(CONTEXT))


def graph_of(roles: list[Role], targets: tuple[int, ...] = ()) -> FrameGraph:
    camera = np.zeros(14, dtype=np.float32)
    history = [Node(frame=i, time=2.5 * i, camera=camera, role=role) for i, role in enumerate(roles)]
    wanted = [Node(frame=i, time=2.5 * i, camera=camera, role=Role.TARGET, noise_level=0.7) for i in targets]
    return FrameGraph(nodes=(*history, *wanted))


def summary(graph: FrameGraph):
    return [(n.frame, n.time, n.role, n.noise_level) for n in graph.nodes]


@given(st.lists(HISTORY_ROLES, min_size=1, max_size=12), st.integers(0, 99), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_node_drop_leaves_gaps_and_spares_anchors_and_targets(roles, seed, probability):
    graph = graph_of(roles, targets=(len(roles) - 1,))
    dropped = node_drop(
        graph, np.random.default_rng(seed), probability={Role.DEGRADED: probability, Role.FRONTIER: 1.0}
    )
    for before, after in zip(graph.nodes, dropped.nodes, strict=True):
        assert (after.time, after.frame) == (before.time, before.frame)
        if before.role is Role.FRONTIER:
            assert after.role is Role.DROPPED
        if before.role in (Role.ANCHOR, Role.REFERENCE, Role.TARGET):
            assert after.role is before.role
    present = dropped.present()
    assert len(present) == dropped.permission().shape[0] == len(dropped.cache_schedule())
    times = [dropped.nodes[i].time for i in present]
    assert set(times) <= {2.5 * i for i in range(len(roles))}
    assert all(node.role is not Role.DROPPED for node in graph.nodes), "the given graph is not changed"


def test_node_drop_happens_at_the_given_rate_and_refuses_to_drop_anchors():
    graph = graph_of([Role.DEGRADED] * 2000)
    dropped = node_drop(graph, np.random.default_rng(0), probability={Role.DEGRADED: 0.3})
    assert abs(len(dropped.with_role(Role.DROPPED)) / 2000 - 0.3) < 0.04
    assert summary(node_drop(graph, np.random.default_rng(0), probability={})) == summary(graph)
    for role in (Role.ANCHOR, Role.TARGET):
        with pytest.raises(ValueError, match="cannot be dropped"):
            node_drop(graph, np.random.default_rng(0), probability={role: 0.1})


@given(st.lists(HISTORY_ROLES, min_size=1, max_size=12), st.integers(0, 99), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_noisy_memory_noises_history_only_and_anchors_least(roles, seed, one, other):
    low, high = sorted((one, other))
    graph = graph_of(roles, targets=(len(roles) - 1,))
    noisy = noisy_memory(graph, np.random.default_rng(seed), max_level=high, anchor_max_level=low)
    for before, after in zip(graph.nodes, noisy.nodes, strict=True):
        assert after.role is before.role and after.time == before.time
        bound = {Role.ANCHOR: low, Role.TARGET: 0.7}.get(after.role, high)
        assert 0.0 <= after.noise_level <= bound
    assert noisy.nodes[-1].noise_level == 0.7


def test_noisy_memory_refuses_anchors_noisier_than_the_rest():
    with pytest.raises(ValueError, match="anchor_max_level"):
        noisy_memory(graph_of([Role.ANCHOR]), np.random.default_rng(0), max_level=0.1, anchor_max_level=0.2)


@given(st.lists(st.sampled_from(sorted(Role)), min_size=1, max_size=12), st.integers(0, 11))
@settings(max_examples=60, deadline=None)
def test_permission_never_looks_ahead_nor_at_another_target(roles, target):
    graph = graph_of(roles, targets=(target % len(roles),))
    nodes = [graph.nodes[i] for i in graph.present()]
    permission = graph.permission()
    for q, k in np.ndindex(permission.shape):
        expected = q == k or (nodes[k].role in CONTEXT and nodes[k].time < nodes[q].time)
        assert permission[q, k] == expected


def test_schedule_visits_in_time_order_and_forgets_the_oldest_that_is_loose():
    graph = graph_of([Role.ANCHOR, Role.FRONTIER, Role.DEGRADED, Role.FRONTIER, Role.TARGET])
    steps = graph.cache_schedule(CacheConfig(capacity=3))
    assert [s.node for s in steps] == [0, 1, 2, 3, 4]
    assert [s.generate for s in steps] == [False, False, False, False, True]
    assert [s.evict for s in steps] == [(), (), (), (1,), (2,)]
    assert all(s.evict == () for s in graph.cache_schedule())
    with pytest.raises(ValueError, match="raise the capacity"):
        graph_of([Role.ANCHOR] * 3).cache_schedule(CacheConfig(capacity=2))
