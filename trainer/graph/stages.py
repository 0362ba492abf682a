"""Curriculum stages: each is a function FrameGraph -> FrameGraph, applied before anything enters the cache.

A stage never moves a node in time and never drops an anchor. Where it drops a node, the node's time stays behind as
a gap. The same generator gives the same graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from trainer.graph.nodes import CONTEXT, PROTECTED, FrameGraph, Node, Role

ReferenceChoice = Literal["mirror", "random"]


def node_drop(graph: FrameGraph, rng: np.random.Generator, *, degraded: float, frontier: float) -> FrameGraph:
    """Drop history nodes by chance, with a probability for each role that is not protected.

    Acting here, before the cache write, matters: the rate of change sits in the last visible frame's keys, so a frame
    that is only masked at read time has already been remembered.
    """
    probability = {Role.DEGRADED: degraded, Role.FRONTIER: frontier}
    draws = rng.random(len(graph.nodes))
    return _dropped(graph, [i for i, n in enumerate(graph.nodes) if draws[i] < probability.get(n.role, 0.0)])


def drop_after_return(graph: FrameGraph, rng: np.random.Generator) -> FrameGraph:
    """Drop what is seen after an interruption, so that every target after it must remember from before it.

    What is asked in chunks keeps its history: going on from it is the point there.
    """
    spans = graph.hidden_spans()
    if not spans or any(node.chunk is not None for node in graph.nodes):
        return graph
    first_back = spans[0][1]
    return _dropped(
        graph,
        [
            i
            for i, node in enumerate(graph.nodes)
            if node.role in CONTEXT - {Role.ANCHOR} and not node.hidden and node.time >= first_back
        ],
    )


def noisy_memory(
    graph: FrameGraph, rng: np.random.Generator, *, max_level: float, anchor_max_level: float
) -> FrameGraph:
    """Noise history to flow times uniform in [0, max_level], anchors in [0, anchor_max_level] <= max_level.

    The level stays in the node, so the model is told how far it may trust a memory.
    """
    if not 0.0 <= anchor_max_level <= max_level <= 1.0:
        raise ValueError(
            f"noisy_memory: need 0 <= anchor_max_level ({anchor_max_level}) <= max_level ({max_level}) <= 1"
        )
    draws = rng.random(len(graph.nodes))
    changes = {
        i: {"noise_level": float(draws[i]) * (anchor_max_level if node.role is Role.ANCHOR else max_level)}
        for i, node in enumerate(graph.nodes)
        if node.role in CONTEXT
    }
    return graph.map_nodes(changes)


def frontier_continuation(
    graph: FrameGraph, rng: np.random.Generator, *, chunk: int, min_prefix: int, max_chunks: int, at_return: float
) -> FrameGraph:
    """From a clean prefix the model continues: what is seen after a frontier is asked, in chunks of `chunk` nodes.

    A chunk sees the clean history before it (teacher forcing) and itself. It ends early where the picture is
    interrupted. The other targets vanish; so does history that no chunk can see.
    min_prefix: seen nodes before the frontier, at least. max_chunks: later nodes are left out of the example.
    at_return: share of the frontiers that lie right after an interruption, if there is one; others lie anywhere.
    """
    history = [node for node in graph.nodes if node.role is not Role.TARGET]
    seen = sorted((n for n in history if n.role in CONTEXT and not n.hidden), key=lambda node: node.time)
    places = range(min_prefix, len(seen))
    if not places:
        return graph
    place = places[int(rng.integers(len(places)))]
    returns = [i for i in places if any(seen[i - 1].time < start < seen[i].time for start, _ in graph.hidden_spans())]
    if rng.random() < at_return and returns:
        place = returns[int(rng.integers(len(returns)))]
    chunks = _chunks(seen[place:], chunk)[:max_chunks]
    targets = [
        replace(node, role=Role.TARGET, noise_level=1.0, chunk=number)
        for number, members in enumerate(chunks)
        for node in members
    ]
    unseen = [i for i, node in enumerate(history) if node.role is not Role.ANCHOR and node.time >= chunks[-1][0].time]
    return FrameGraph(nodes=(*_dropped(FrameGraph(nodes=tuple(history)), unseen).nodes, *targets))


def reference_cache(
    graph: FrameGraph, rng: np.random.Generator, *, num_references: int, local_window: float, choice: ReferenceChoice
) -> FrameGraph:
    """Of what is older than a local window only references are left (and anchors, which are protected as well).

    The window reaches `local_window` latent steps back from the first frame after an interruption (any, if there are
    several), or from any target where nothing is interrupted; what is asked before that frame is no longer asked.
    References are seen nodes from before the interruption, no two neighbours as long as there are others. choice:
    `random`, or `mirror`: seen by the camera most like the one at the return, among equals the latest.
    """
    asked = [graph.nodes[i] for i in graph.with_role(Role.TARGET)]
    spans = [span for span in graph.hidden_spans() if any(node.time >= span[1] for node in asked)]
    if not asked:
        return graph
    if spans:
        start, back = spans[int(rng.integers(len(spans)))]
    else:
        back = asked[int(rng.integers(len(asked)))].time
        start = back - local_window
    kept = FrameGraph(nodes=tuple(n for n in graph.nodes if n.role is not Role.TARGET or n.time >= back))
    candidates = [i for i, n in enumerate(kept.nodes) if n.role in CONTEXT and not n.hidden and n.time < start]
    order = [candidates[int(i)] for i in rng.permutation(len(candidates))]
    if choice == "mirror":
        camera = min((n for n in asked if n.time >= back), key=lambda node: node.time).camera
        order = sorted(candidates, key=lambda i: (_distance(kept.nodes[i].camera, camera), -kept.nodes[i].time))
    references = _apart(order, kept, num_references)
    changes = {i: {"role": Role.REFERENCE} for i in references if kept.nodes[i].role is not Role.ANCHOR}
    kept = kept.map_nodes(changes)
    old = [
        i for i, node in enumerate(kept.nodes) if node.role in CONTEXT - PROTECTED and node.time < back - local_window
    ]
    return _dropped(kept, old)


def _dropped(graph: FrameGraph, indices: Sequence[int]) -> FrameGraph:
    return graph.map_nodes({i: {"role": Role.DROPPED} for i in indices})


def _chunks(nodes: Sequence[Node], size: int) -> list[list[Node]]:
    """Consecutive nodes in groups of `size`; a gap in the frames begins a new one."""
    chunks: list[list[Node]] = []
    for node in nodes:
        if not chunks or len(chunks[-1]) == size or node.frame != chunks[-1][-1].frame + 1:
            chunks.append([])
        chunks[-1].append(node)
    return chunks


def _distance(camera: np.ndarray, other: np.ndarray) -> float:
    return round(float(np.abs(camera - other).max()), 4)  # cameras that differ by less look alike


def _apart(order: Sequence[int], graph: FrameGraph, count: int) -> list[int]:
    """The first `count` of `order` no two of which are neighbours, filled up with neighbours if there are too few."""
    chosen: list[int] = []
    for i in order:
        if len(chosen) < count and all(abs(graph.nodes[i].frame - graph.nodes[j].frame) > 1 for j in chosen):
            chosen.append(i)
    return (chosen + [i for i in order if i not in chosen])[:count]
