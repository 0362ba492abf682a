"""Curriculum stages: each is a function FrameGraph -> FrameGraph, applied before anything enters the cache."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trainer.graph.nodes import CONTEXT, FrameGraph, Role


def node_drop(graph: FrameGraph, rng: np.random.Generator, *, probability: Mapping[Role, float]) -> FrameGraph:
    """Drop history nodes by chance, `probability` per role; their times stay behind as gaps.

    Anchors cannot be dropped. Acting here, before the cache write, matters: the rate of change sits in the last
    visible frame's keys, so a frame that is only masked at read time has already been remembered.
    """
    refused = set(probability) - (CONTEXT - {Role.ANCHOR})
    if refused:
        raise ValueError(f"node_drop.probability: {', '.join(sorted(refused))} cannot be dropped, only history can")
    draws = rng.random(len(graph.nodes))
    dropped = [i for i, node in enumerate(graph.nodes) if draws[i] < probability.get(node.role, 0.0)]
    return graph.map_nodes({i: {"role": Role.DROPPED} for i in dropped})


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
