"""A clip as a graph of latent frames: what is remembered, what is degraded, what is predicted.

Nodes are latent frames, edges are attention permissions. The graph compiles to a boolean mask for training and to a
cache schedule for rollout; both express the same permissions (tested against each other).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from trainer.model.retention import CacheConfig, Retention


class Role(StrEnum):
    """What a node is for.

    anchor      observed, protected and clean: never dropped, noised least, never evicted
    degraded    observed, but the events are interrupted in it (dark, fogged, out of view)
    dropped     absent: not in the sequence, and its time remains a gap in the positions
    frontier    unprotected history up to the leading edge, from which the next target continues
    reference   far memory at a non-contiguous position, kept by request
    target      noisy, to be predicted; seen by itself alone
    """

    ANCHOR = "anchor"
    DEGRADED = "degraded"
    DROPPED = "dropped"
    FRONTIER = "frontier"
    REFERENCE = "reference"
    TARGET = "target"


PROTECTED = frozenset({Role.ANCHOR, Role.REFERENCE})
CONTEXT = frozenset({Role.ANCHOR, Role.DEGRADED, Role.FRONTIER, Role.REFERENCE})


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """One latent frame."""

    frame: int  # index of the latent in its clip
    time: float  # true temporal position, latent steps
    camera: np.ndarray  # [14] float32, see trainer.model.cameras
    role: Role
    noise_level: float = 0.0  # flow time in [0, 1]: 0 clean, 1 pure noise
    weight: float = 1.0  # of a target in the loss
    visibility: Mapping[str, float] = field(default_factory=dict)  # visible fraction per event id


@dataclass(frozen=True, kw_only=True)
class CacheStep:
    """One step of a rollout: generate the node if `generate`, then write it, clean or as given, over `evict`."""

    node: int
    generate: bool
    evict: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameGraph:
    """Nodes in any order; a frame may be there twice, once as history and once as target."""

    nodes: tuple[Node, ...]

    def map_nodes(self, changes: Mapping[int, Mapping[str, object]]) -> FrameGraph:
        """A new graph in which node i has the fields changes[i]."""
        return FrameGraph(
            nodes=tuple(replace(node, **changes.get(i, {})) for i, node in enumerate(self.nodes))  # type: ignore[arg-type]
        )

    def with_role(self, *roles: Role) -> list[int]:
        return [i for i, node in enumerate(self.nodes) if node.role in roles]

    def present(self) -> list[int]:
        """Nodes that are in the sequence, in node order."""
        return [i for i, node in enumerate(self.nodes) if node.role is not Role.DROPPED]

    def permission(self) -> np.ndarray:
        """[Q, K] bool over `present()` nodes: history strictly earlier in time, and itself."""
        nodes = [self.nodes[i] for i in self.present()]
        times = np.array([node.time for node in nodes])
        history = np.array([node.role in CONTEXT for node in nodes], dtype=bool)
        return (history[None, :] & (times[None, :] < times[:, None])) | np.eye(len(nodes), dtype=bool)

    def cache_schedule(self, config: CacheConfig | None = None) -> tuple[CacheStep, ...]:
        """The order in which a rollout visits the nodes; targets are generated and then written as history.

        What is forgotten is what a `KVCache` of this configuration forgets.
        """
        retention = Retention(config or CacheConfig())
        order = sorted(self.present(), key=lambda i: (self.nodes[i].time, self.nodes[i].role is Role.TARGET))
        return tuple(
            CacheStep(
                node=index,
                generate=self.nodes[index].role is Role.TARGET,
                evict=retention.admit(index, anchor=self.nodes[index].role in PROTECTED),
            )
            for index in order
        )
