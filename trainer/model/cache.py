"""The KV cache as memory: raw keys with their frame's time and camera, rotated on read.

Shapes: B batch, K cached frames, F new frames, N tokens per frame, H heads, E head dim, c = 14 camera numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from trainer.model.retention import CacheConfig, Retention

FIRST_SLOTS = 8  # of a cache without bound, which doubles them as it fills


class KVCache:
    """Cached frames ("nodes") in slots; slot order means nothing, since every key carries its own time.

    A bounded cache (see `CacheConfig`) sets its memory aside at the first write and writes a new node over the one
    that it forgets. All rows of a batch hold the same nodes.
    """

    def __init__(self, config: CacheConfig | None = None) -> None:
        self.config = config or CacheConfig()
        self.node_ids: list[int] = []  # by slot
        self._retention = Retention(self.config)
        self._times_BK: Tensor | None = None
        self._cameras_BKc: Tensor | None = None
        self._layers: dict[int, tuple[Tensor, Tensor]] = {}  # keys and values, each [B, slots, N, H, E]

    def __len__(self) -> int:
        return len(self.node_ids)

    @property
    def num_layers(self) -> int:
        """Layers whose keys and values are held; 0 before the first write."""
        return len(self._layers)

    @property
    def num_bytes(self) -> int:
        """Memory set aside for keys and values, filled or not."""
        return sum(held.nbytes for pair in self._layers.values() for held in pair)

    def read(self, layer: int) -> tuple[Tensor, Tensor]:
        """Raw keys and values of all nodes, each [B, K N, H, E]; views, no copies."""
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
        if self.config.time_policy == "relative":
            return times_BK - newest, query_times_BF - newest
        if self.config.time_policy == "clamped":
            assert self.config.horizon is not None
            return times_BK.maximum(newest - self.config.horizon), query_times_BF
        return times_BK, query_times_BF

    def write(
        self,
        layers: Mapping[int, tuple[Tensor, Tensor]],
        *,
        node_ids: list[int],
        times_BF: Tensor,
        cameras_BFc: Tensor,
        anchors: list[bool],
    ) -> None:
        """`append` new nodes, `replace` cached ones; one call holds one kind."""
        known = [node_id for node_id in node_ids if node_id in self._retention]
        if not known:
            self.append(layers, node_ids=node_ids, times_BF=times_BF, cameras_BFc=cameras_BFc, anchors=anchors)
        elif len(known) == len(node_ids):
            self.replace(layers, node_ids=node_ids, times_BF=times_BF, cameras_BFc=cameras_BFc)
        else:
            raise ValueError(f"cache: nodes {known} are cached and the others of {node_ids} are not; write them apart")

    def append(
        self,
        layers: Mapping[int, tuple[Tensor, Tensor]],
        *,
        node_ids: list[int],
        times_BF: Tensor,
        cameras_BFc: Tensor,
        anchors: list[bool],
    ) -> None:
        """Write F new nodes in turn: raw k and v per layer, each [B, F N, H, E]. Forgets by policy."""
        self._refuse_grad()
        for index, (node_id, anchor) in enumerate(zip(node_ids, anchors, strict=True)):
            if node_id in self._retention:
                raise ValueError(f"cache: node {node_id} is already cached; replace or evict it")
            freed = [self.node_ids.index(old) for old in self._retention.admit(node_id, anchor=anchor)]
            slot = freed[0] if freed else len(self)
            self.node_ids[slot : slot + 1] = [node_id]
            self._store(slot, index, len(node_ids), layers, times_BF, cameras_BFc)
            for hole in sorted(freed[1:], reverse=True):
                self._close(hole)

    def replace(
        self,
        layers: Mapping[int, tuple[Tensor, Tensor]],
        *,
        node_ids: list[int],
        times_BF: Tensor,
        cameras_BFc: Tensor,
    ) -> None:
        """Rewrite F nodes in place (a degraded frame by a better one), keeping their protection and their age."""
        self._refuse_grad()
        slots = [self._slot(node_id) for node_id in node_ids]
        for index, slot in enumerate(slots):
            self._store(slot, index, len(slots), layers, times_BF, cameras_BFc)

    def evict(self, node_id: int) -> None:
        """Forget one node; anchors cannot be forgotten."""
        slot = self._slot(node_id)
        self._retention.forget(node_id)
        self._close(slot)

    def _slot(self, node_id: int) -> int:
        if node_id not in self._retention:
            raise ValueError(f"cache: node {node_id} is not cached; cached are {sorted(self.node_ids)}")
        return self.node_ids.index(node_id)

    def _refuse_grad(self) -> None:
        if torch.is_grad_enabled():
            raise RuntimeError("KVCache: a write under grad would be replayed in backward; wrap it in torch.no_grad()")

    def _close(self, slot: int) -> None:
        """Move the last node into a slot that is free."""
        last = len(self) - 1
        if slot != last:
            for held in self._tensors():
                held[:, slot] = held[:, last]
            self.node_ids[slot] = self.node_ids[last]
        del self.node_ids[last]

    def _tensors(self) -> Iterator[Tensor]:
        assert self._times_BK is not None and self._cameras_BKc is not None
        yield from (self._times_BK, self._cameras_BKc)
        for pair in self._layers.values():
            yield from pair

    def _store(
        self,
        slot: int,
        index: int,
        num_new: int,
        layers: Mapping[int, tuple[Tensor, Tensor]],
        times_BF: Tensor,
        cameras_BFc: Tensor,
    ) -> None:
        self._times_BK = self._with_slot(self._times_BK, slot, times_BF[:, index].double())
        self._cameras_BKc = self._with_slot(self._cameras_BKc, slot, cameras_BFc[:, index].float())
        for layer, pair in layers.items():
            held = self._layers.get(layer, (None, None))
            key, value = (
                self._with_slot(old, slot, new.unflatten(1, (num_new, -1))[:, index])
                for old, new in zip(held, pair, strict=True)
            )
            self._layers[layer] = (key, value)

    def _with_slot(self, held: Tensor | None, slot: int, new: Tensor) -> Tensor:
        """Write `new` [B, ...] into slot of `held` [B, slots, ...]; only a cache without bound ever grows."""
        if held is None:
            held = new.new_zeros(new.shape[0], self.config.slots or FIRST_SLOTS, *new.shape[1:])
        if slot >= held.shape[1]:
            held = torch.cat([held, torch.zeros_like(held)], dim=1)
        assert held.shape[0] == new.shape[0], "a cache serves one batch"
        held[:, slot] = new
        return held
