"""Frame graphs: permissions and cache schedules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.graph.nodes import CONTEXT, FrameGraph, Node, Role
from trainer.model.retention import CacheConfig


def graph_of(roles: list[Role], targets: tuple[int, ...] = ()) -> FrameGraph:
    camera = np.zeros(14, dtype=np.float32)
    history = [Node(frame=i, time=2.5 * i, camera=camera, role=role) for i, role in enumerate(roles)]
    wanted = [Node(frame=i, time=2.5 * i, camera=camera, role=Role.TARGET, noise_level=0.7) for i in targets]
    return FrameGraph(nodes=(*history, *wanted))


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
    assert [s.generate for s in steps] == [(), (), (), (), (4,)]
    assert [s.evict for s in steps] == [(), (), (), (1,), (2,)]
    assert all(s.evict == () for s in graph.cache_schedule())
    with pytest.raises(ValueError, match="raise the capacity"):
        graph_of([Role.ANCHOR] * 3).cache_schedule(CacheConfig(capacity=2))
