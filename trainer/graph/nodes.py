"""A clip as a graph of latent frames: what is remembered, what is degraded, what is predicted.

Nodes are latent frames, edges are attention permissions. The graph compiles to a boolean mask for training and to a
cache schedule for rollout; both express the same permissions (tested against each other).

Shapes: Q queries and K keys, both the nodes that are present.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise

import numpy as np

from trainer.model.retention import CacheConfig, Retention


class Role(StrEnum):
    """What a node is for.

    anchor      observed, protected and clean: never dropped, noised least, never evicted
    degraded    observed, but the events are interrupted in it (dark, fogged, out of view)
    dropped     absent: not in the sequence, and its time remains a gap in the positions
    frontier    unprotected history up to the leading edge, from which the next target continues
    reference   far memory at a non-contiguous position, kept by request
    target      noisy, to be predicted; seen by itself alone, or by the targets of its chunk
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
    hidden: bool = False  # nothing of the events is seen in it: a fact of the picture, whatever the role
    noise_level: float = 0.0  # flow time in [0, 1]: 0 clean, 1 pure noise
    weight: float = 1.0  # in the loss, of a target that is made of it
    chunk: int | None = None  # targets of one chunk are predicted together and see each other; None: alone
    visibility: Mapping[str, float] = field(default_factory=dict)  # visible fraction per event id


@dataclass(frozen=True, kw_only=True)
class CacheStep:
    """One step of a rollout: generate the targets `generate` together, then write `node` over `evict` if `write`.

    A node is written clean or as given. Not written: a target whose frame has a history node of its own, which is
    written instead of it (teacher forcing) or was dropped.
    """

    node: int
    generate: tuple[int, ...]  # a whole chunk at its first node, nothing at its others
    write: bool
    evict: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameGraph:
    """Nodes in any order; a frame may be there twice, once as history and once as target."""

    nodes: tuple[Node, ...]

    def map_nodes(self, changes: Mapping[int, Mapping[str, object]]) -> FrameGraph:
        """A graph in which node i has the fields changes[i]; this one when nothing changes."""
        if not changes:
            return self
        return FrameGraph(
            nodes=tuple(
                replace(node, **changes[i]) if i in changes else node  # type: ignore[arg-type]
                for i, node in enumerate(self.nodes)
            )
        )

    def with_role(self, *roles: Role) -> list[int]:
        return [i for i, node in enumerate(self.nodes) if node.role in roles]

    def present(self) -> list[int]:
        """Nodes that are in the sequence, in node order."""
        return [i for i, node in enumerate(self.nodes) if node.role is not Role.DROPPED]

    def permission(self) -> np.ndarray:
        """[Q, K] bool over `present()` nodes: history strictly earlier in time, and itself.

        A target in a chunk sees history earlier than the whole chunk (the clean frames of its own are still to come
        when it is generated) and the other targets of the chunk.
        """
        nodes = [self.nodes[i] for i in self.present()]
        times, starts = np.array([n.time for n in nodes]), np.array([self._start(n) for n in nodes])
        history = np.array([node.role in CONTEXT for node in nodes], dtype=bool)
        chunks = np.array([-1 if n.role is not Role.TARGET or n.chunk is None else n.chunk for n in nodes])
        together = (chunks[:, None] == chunks[None, :]) & (chunks >= 0)[:, None]
        return (history[None, :] & (times[None, :] < starts[:, None])) | together | np.eye(len(nodes), dtype=bool)

    def chunk_of(self, index: int) -> tuple[int, ...]:
        """The targets that are predicted together with target `index`, itself among them, in order of time."""
        chunk = self.nodes[index].chunk
        if chunk is None:
            return (index,)
        return tuple(sorted((i for i in self.with_role(Role.TARGET) if self.nodes[i].chunk == chunk), key=self._time))

    def hidden_spans(self) -> tuple[tuple[float, float], ...]:
        """(time of the first hidden frame, time of the first frame seen after it) for each interruption that ends."""
        frames = sorted({(node.time, node.hidden) for node in self.nodes})
        edges = [time for (_, before), (time, now) in pairwise([(0.0, False), *frames]) if before != now]
        return tuple(zip(edges[::2], edges[1::2], strict=False))

    def _time(self, index: int) -> float:
        return self.nodes[index].time

    def _start(self, node: Node) -> float:
        """The time before which a node sees history."""
        if node.role is not Role.TARGET or node.chunk is None:
            return node.time
        return min(n.time for n in self.nodes if n.role is Role.TARGET and n.chunk == node.chunk)

    def cache_schedule(self, config: CacheConfig | None = None) -> tuple[CacheStep, ...]:
        """The order in which a rollout visits the nodes; targets are generated and then written as history.

        What is forgotten is what a `KVCache` of this configuration forgets.
        """
        retention = Retention(config or CacheConfig())
        history = {node.frame for node in self.nodes if node.role is not Role.TARGET}
        steps = []
        for index in sorted(self.present(), key=lambda i: (self.nodes[i].time, self.nodes[i].role is not Role.TARGET)):
            node = self.nodes[index]
            asked = self.chunk_of(index) if node.role is Role.TARGET else ()
            write = node.role is not Role.TARGET or node.frame not in history
            steps.append(
                CacheStep(
                    node=index,
                    generate=asked if asked[:1] == (index,) else (),
                    write=write,
                    evict=retention.admit(index, anchor=node.role in PROTECTED) if write else (),
                )
            )
        return tuple(steps)
