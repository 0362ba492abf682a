"""The KV cache as memory: raw keys with their frame's time and camera, rotated on read.

Shapes: B batch, K cached frames, F new frames, N tokens per frame, H heads, E head dim, c = 14 camera numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

TimePolicy = Literal["absolute", "clamped", "relative"]


class KVCache:
    """Cached frames ("nodes") in slots; slot order means nothing, since every key carries its own time.

    capacity      most nodes held; None: no bound. A full cache evicts its oldest node that is not an anchor.
    time_policy   what times attention sees. absolute: the true ones. relative: measured from the newest query;
                  the same attention up to rounding. clamped: no key older than `horizon` latent steps before the
                  newest query; this deletes elapsed time and keeps positions in the trained range.
    """

    def __init__(
        self, *, capacity: int | None = None, time_policy: TimePolicy = "absolute", horizon: float | None = None
    ) -> None:
        if time_policy not in get_args(TimePolicy):
            raise ValueError(f"time_policy: {time_policy!r} is unknown; choose of {', '.join(get_args(TimePolicy))}")
        if (time_policy == "clamped") != (horizon is not None):
            raise ValueError(f"horizon: {horizon} does not go with time_policy {time_policy!r}; only clamped has one")
        if capacity is not None and capacity < 1:
            raise ValueError(f"capacity: {capacity} must be at least 1 frame")
        self.capacity = capacity
        self.time_policy = time_policy
        self.horizon = horizon
        self.node_ids: list[int] = []
        self._anchor: list[bool] = []
        self._age: list[int] = []
        self._written = 0
        self._times_BK: Tensor | None = None
        self._cameras_BKc: Tensor | None = None
        self._layers: dict[int, tuple[Tensor, Tensor]] = {}  # keys and values, each [B, slots, N, H, E]

    def __len__(self) -> int:
        return len(self.node_ids)

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        """Raw keys and values of all nodes, each [B, K N, H, E]."""
        keys, values = self._layers[layer]
        return keys[:, : len(self)].flatten(1, 2), values[:, : len(self)].flatten(1, 2)

    @property
    def cameras_BKc(self) -> Tensor:
        assert self._cameras_BKc is not None, "an empty cache has no cameras"
        return self._cameras_BKc[:, : len(self)]

    @property
    def times_BK(self) -> Tensor:
        """True times, latent steps, float64."""
        assert self._times_BK is not None, "an empty cache has no times"
        return self._times_BK[:, : len(self)]

    def seen_times(self, query_times_BF: Tensor) -> tuple[Tensor, Tensor]:
        """The times that attention sees under the policy: of the cached nodes [B, K] and of the queries [B, F]."""
        times_BK = self.times_BK
        newest = query_times_BF.max(dim=1, keepdim=True).values
        if self.time_policy == "relative":
            return times_BK - newest, query_times_BF - newest
        if self.time_policy == "clamped":
            assert self.horizon is not None
            return times_BK.maximum(newest - self.horizon), query_times_BF
        return times_BK, query_times_BF

    def append(
        self,
        layers: Mapping[int, tuple[Tensor, Tensor]],
        *,
        node_ids: list[int],
        times_BF: Tensor,
        cameras_BFc: Tensor,
        anchors: list[bool],
    ) -> None:
        """Write F new nodes: raw k and v per layer, each [B, F N, H, E]. Evicts by policy when full."""
        if torch.is_grad_enabled():
            raise RuntimeError("KVCache: a write under grad would be replayed in backward; wrap it in torch.no_grad()")
        for index, (node_id, anchor) in enumerate(zip(node_ids, anchors, strict=True)):
            if node_id in self.node_ids:
                raise ValueError(f"KVCache: node {node_id} is already cached; use replace")
            self._make_room()
            slot = len(self)
            self.node_ids.append(node_id)
            self._anchor.append(anchor)
            self._age.append(self._written)
            self._written += 1
            self._store(slot, index, len(node_ids), layers, times_BF, cameras_BFc)

    def replace(
        self,
        layers: Mapping[int, tuple[Tensor, Tensor]],
        *,
        node_id: int,
        times_BF: Tensor,
        cameras_BFc: Tensor,
    ) -> None:
        """Rewrite one node in place (F = 1), keeping its protection and its age."""
        if torch.is_grad_enabled():
            raise RuntimeError("KVCache: a write under grad would be replayed in backward; wrap it in torch.no_grad()")
        self._store(self._slot(node_id), 0, 1, layers, times_BF, cameras_BFc)

    def evict(self, node_id: int) -> None:
        """Forget one node; anchors cannot be forgotten."""
        slot = self._slot(node_id)
        if self._anchor[slot]:
            raise ValueError(f"KVCache: node {node_id} is an anchor and is never evicted")
        last = len(self) - 1
        if slot != last:
            assert self._times_BK is not None and self._cameras_BKc is not None
            for held in (self._times_BK, self._cameras_BKc, *(t for pair in self._layers.values() for t in pair)):
                held[:, slot] = held[:, last]
        self.node_ids[slot], self._anchor[slot], self._age[slot] = (
            self.node_ids[last],
            self._anchor[last],
            self._age[last],
        )
        del self.node_ids[last], self._anchor[last], self._age[last]

    def _slot(self, node_id: int) -> int:
        if node_id not in self.node_ids:
            raise ValueError(f"KVCache: node {node_id} is not cached; cached are {sorted(self.node_ids)}")
        return self.node_ids.index(node_id)

    def _make_room(self) -> None:
        if self.capacity is None or len(self) < self.capacity:
            return
        loose = [slot for slot in range(len(self)) if not self._anchor[slot]]
        if not loose:
            raise ValueError(f"KVCache: all {self.capacity} nodes are anchors; raise the capacity")
        self.evict(self.node_ids[min(loose, key=lambda slot: self._age[slot])])

    def _store(
        self,
        slot: int,
        index: int,
        num_new: int,
        layers: Mapping[int, tuple[Tensor, Tensor]],
        times_BF: Tensor,
        cameras_BFc: Tensor,
    ) -> None:
        self._times_BK = _with_slot(self._times_BK, slot, times_BF[:, index].double())
        self._cameras_BKc = _with_slot(self._cameras_BKc, slot, cameras_BFc[:, index].float())
        for layer, pair in layers.items():
            held = self._layers.get(layer, (None, None))
            key, value = (
                _with_slot(old, slot, new.unflatten(1, (num_new, -1))[:, index])
                for old, new in zip(held, pair, strict=True)
            )
            self._layers[layer] = (key, value)


def _with_slot(held: Tensor | None, slot: int, new: Tensor) -> Tensor:
    """Write `new` [B, ...] into slot of `held` [B, slots, ...], doubling the slots when there are too few."""
    if held is None:
        held = new.new_zeros(new.shape[0], 8, *new.shape[1:])
    if slot >= held.shape[1]:
        held = torch.cat([held, torch.zeros_like(held)], dim=1)
    held[:, slot] = new
    return held
