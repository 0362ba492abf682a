"""What is changed of a rollout before the return is asked for, and the rollout that is changed so.

Nodes by what is seen in them, of the last hidden window of a clip: `earlier` before the frame in which the target was
last plainly seen, `last` that frame and what follows until it is hidden (a light that goes out), `hidden`.
Shapes: H W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from simulator.clip import Clip
from trainer.checkpoint import TrainedModel
from trainer.data.clips import ClipRecord, read_clip
from trainer.graph.nodes import FrameGraph, Role
from trainer.latents.layout import LatentLayout
from trainer.model.cache import KVCache
from trainer.probe.subject import Subject
from trainer.rollout import RolloutConfig, RolloutSession, rollout_graph
from trainer.rollout.plan import rollout_layout

Part = Literal["earlier", "last", "hidden"]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Change:
    """By default nothing is changed.

    shift      generated frames are moved by so many latent steps in time, all given ones stay; given nodes that would
               then not lie before them are left out
    absent     nodes that are never written: others cannot read them either
    forgotten  nodes that are written, read by the nodes after them, and forgotten just before the return
    swapped    nodes with another clip's keys and values (`donor`), at as long since last seen; times and cameras stay
    """

    shift: int = 0
    absent: tuple[Part, ...] = ()
    forgotten: tuple[Part, ...] = ()
    swapped: tuple[Part, ...] = ()
    donor: Subject | None = None


class Returns(Protocol):
    """What shows the frame of return of a clip under a change."""

    def step_s(self, subject: Subject) -> float:
        """Seconds in one latent step."""
        ...

    def picture(self, subject: Subject, change: Change) -> Picture | None:
        """[H, W, 3] at t_r; None where the change cannot be made (the donor was hidden for less long, or never)."""
        ...


@dataclass(frozen=True)
class RolloutReturns:
    """A trained model's rollouts: frames up to the last hidden one are given, what follows is generated.

    config: its cache is unbounded.
    """

    trained: TrainedModel
    config: RolloutConfig

    def step_s(self, subject: Subject) -> float:
        record = self._record(subject)
        layout = rollout_layout(record, self.trained)
        if layout.num_latents < 2:
            raise ValueError(f"clip {record.clip_id}: a single latent has no time step")
        frames = float(layout.last_frame[-1] - layout.last_frame[0])
        return record.seconds_per_frame * frames / float(layout.time[-1] - layout.time[0])

    def picture(self, subject: Subject, change: Change) -> Picture | None:
        record = self._record(subject)
        (index,) = np.flatnonzero(record.frames == subject.t_r)
        graph = rollout_graph(record, self.trained)
        parts = node_parts(graph, rollout_layout(record, self.trained), record, subject)
        session = RolloutSession(self.trained, record, changed_graph(graph, parts, change), self.config)
        with torch.no_grad():
            session.advance(0)
            if change.donor is not None and not self._swap(session, parts, change):
                return None
            for node in _nodes(parts, change.forgotten):
                session.cache.evict(node)
            while not session.generated[index] and session.advance(1):
                pass
        return np.asarray(session.result().rgb[index]) if session.generated[index] else None

    def _swap(self, session: RolloutSession, parts: dict[Part, list[int]], change: Change) -> bool:
        assert change.donor is not None
        donor = _remembered(self.trained, self.config, change.donor.clip)
        theirs = node_parts(donor.graph, donor.layout, donor.record, change.donor)
        pairs = matched(parts, theirs, change.swapped)
        if pairs is not None:
            transplant(donor.cache, session.cache, pairs)
        return pairs is not None

    def _record(self, subject: Subject) -> ClipRecord:
        return _decoded(subject.clip, self.trained.config.data.frame_stride)


def can_be_asked(subject: Subject, frame_stride: int) -> bool:
    """Whether a rollout generates the picture that the sweep reads: the clip's last window, its return among the kept
    frames, and a frame before it."""
    record = _decoded(subject.clip, frame_stride)
    is_last = all(subject.t_r >= w.t_r for w in subject.clip.windows)
    return is_last and subject.t_r in record.frames and record.frames[0] <= subject.t_h and bool(record.hidden.any())


def node_parts(graph: FrameGraph, layout: LatentLayout, record: ClipRecord, subject: Subject) -> dict[Part, list[int]]:
    """The given nodes that are present, in order of time, by part."""
    last_seen = int(np.flatnonzero(record.frames <= subject.t_h)[-1])
    given = [i for i in graph.present() if graph.nodes[i].role is not Role.TARGET]
    frames = {i: int(layout.last_frame[graph.nodes[i].frame]) for i in given}
    given.sort(key=lambda i: graph.nodes[i].time)
    return {
        "earlier": [i for i in given if frames[i] < last_seen],  # of an earlier window hidden ones too
        "last": [i for i in given if frames[i] >= last_seen and not graph.nodes[i].hidden],
        "hidden": [i for i in given if frames[i] >= last_seen and graph.nodes[i].hidden],
    }


def changed_graph(graph: FrameGraph, parts: dict[Part, list[int]], change: Change) -> FrameGraph:
    """The graph of a changed rollout, before anything is written."""
    targets = graph.with_role(Role.TARGET)
    first = min(graph.nodes[i].time for i in targets) + change.shift
    changes: dict[int, dict[str, object]] = {i: {"time": graph.nodes[i].time + change.shift} for i in targets}
    changes |= {i: {"role": Role.FRONTIER} for i in _nodes(parts, change.forgotten)}  # anchors cannot be forgotten
    changes |= {i: {"role": Role.DROPPED} for i in _nodes(parts, change.absent)}
    changes |= {i: {"role": Role.DROPPED} for part in parts.values() for i in part if graph.nodes[i].time >= first}
    return graph.map_nodes(changes)


def matched(
    own: dict[Part, list[int]], theirs: dict[Part, list[int]], swapped: Sequence[Part]
) -> list[tuple[int, int]] | None:
    """(node, donor's node) pairs: hidden ones counted from the first, the others from the last. None: too few there."""
    pairs: list[tuple[int, int]] = []
    for part in swapped:
        mine, other = own[part], theirs[part]
        if len(other) < len(mine):
            return None
        other = other[: len(mine)] if part == "hidden" else other[len(other) - len(mine) :]
        pairs += zip(mine, other, strict=True)
    return pairs


def transplant(donor: KVCache, cache: KVCache, pairs: Sequence[tuple[int, int]]) -> None:
    """Write the donor's keys and values into nodes of a cache, which keep their times and cameras."""
    layers = {
        layer: [part.unflatten(1, (len(donor), -1)) for part in donor.read(layer)] for layer in range(donor.num_layers)
    }
    for node, other in pairs:
        slot, source = cache.node_ids.index(node), donor.node_ids.index(other)
        cache.replace(
            {layer: (keys[:, source], values[:, source]) for layer, (keys, values) in layers.items()},
            node_ids=[node],
            times_BF=cache.times_BK[:, slot : slot + 1].clone(),
            cameras_BFc=cache.cameras_BKc[:, slot : slot + 1].clone(),
        )


def _nodes(parts: dict[Part, list[int]], names: Sequence[Part]) -> list[int]:
    return [i for name in names for i in parts[name]]


@lru_cache(maxsize=1)
def _remembered(trained: TrainedModel, config: RolloutConfig, clip: Clip) -> RolloutSession:
    """A rollout that has written its given frames; only to be read."""
    record = _decoded(clip, trained.config.data.frame_stride)
    session = RolloutSession(trained, record, rollout_graph(record, trained), config)
    session.advance(0)
    return session


@lru_cache(maxsize=4)
def _decoded(clip: Clip, frame_stride: int) -> ClipRecord:
    return read_clip(clip, frame_stride)
