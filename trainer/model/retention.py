"""What a bounded memory keeps: one policy, asked by the KV cache and by frame graphs alike. Knows no tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

TimePolicy = Literal["absolute", "clamped", "relative"]


@dataclass(frozen=True, kw_only=True)
class CacheConfig:
    """Which nodes (latent frames) a cache holds, and what times attention sees. The default holds all, as they are.

    sink         the first `sink` nodes ever written stay (attention sinks: StreamingLLM, arXiv 2309.17453)
    window       of the nodes that are neither sinks nor anchors, the newest `window` stay; None: all of them
    capacity     most nodes held in all, sinks and anchors included; a full cache forgets its oldest node that is
                 neither. None: no bound
    time_policy  absolute: the true times. relative: measured from the newest query; the same attention up to rounding.
                 clamped: no key older than `horizon` latent steps before the newest query; this deletes elapsed time
                 and keeps positions in the trained range
    """

    sink: int = 0
    window: int | None = None
    capacity: int | None = None
    time_policy: TimePolicy = "absolute"
    horizon: float | None = None

    def __post_init__(self) -> None:
        if self.sink < 0:
            raise ValueError(f"cache.sink: {self.sink} is negative; 0 keeps no first frames")
        if self.window is not None and self.window < 1:
            raise ValueError(f"cache.window: {self.window} must be at least 1 frame; leave it out to keep all")
        if self.sink and self.window is None and self.capacity is None:
            raise ValueError(
                f"cache.sink: {self.sink} protects nothing where nothing is forgotten; set window or capacity"
            )
        if self.capacity is not None and self.capacity < self.sink + (self.window or 1):
            parts = f"{self.sink} first and {self.window or 1} newest"
            raise ValueError(
                f"cache.capacity: {self.capacity} cannot hold {parts} frames; raise it or lower the others"
            )
        if self.time_policy not in get_args(TimePolicy):
            known = ", ".join(get_args(TimePolicy))
            raise ValueError(f"cache.time_policy: {self.time_policy!r} is unknown; choose of {known}")
        if (self.time_policy == "clamped") != (self.horizon is not None):
            raise ValueError(
                f"cache.horizon: {self.horizon} with time_policy {self.time_policy!r}; clamped alone has one"
            )
        if self.horizon is not None and not self.horizon > 0:
            raise ValueError(f"cache.horizon: {self.horizon} must be a positive number of latent steps")

    @property
    def slots(self) -> int | None:
        """Nodes that memory is set aside for at once; None: it grows. Anchors may exceed a window without capacity."""
        if self.capacity is not None or self.window is None:
            return self.capacity
        return self.sink + self.window


class Retention:
    """The nodes held, oldest first. Every decision to forget is made here."""

    def __init__(self, config: CacheConfig) -> None:
        self.config = config
        self._kept: dict[int, bool] = {}  # node id -> whether the policy must keep it; in the order of writing
        self._anchors: set[int] = set()
        self._written = 0

    def __contains__(self, node_id: int) -> bool:
        return node_id in self._kept

    @property
    def held(self) -> tuple[int, ...]:
        return tuple(self._kept)

    def admit(self, node_id: int, *, anchor: bool) -> tuple[int, ...]:
        """Take a new node in; returns what is forgotten for it, oldest first. ValueError when nothing may go."""
        loose = [held for held, keep in self._kept.items() if not keep]
        keep = anchor or self._written < self.config.sink
        goes = 0
        if self.config.window is not None and not keep:
            goes = max(len(loose) + 1 - self.config.window, 0)
        if self.config.capacity is not None:
            goes = max(goes, len(self._kept) + 1 - self.config.capacity)
        if goes > len(loose):
            raise ValueError(f"cache.capacity: all {len(self._kept)} nodes are anchors or sinks; raise the capacity")
        for old in loose[:goes]:
            del self._kept[old]
        self._kept[node_id] = keep
        if anchor:
            self._anchors.add(node_id)
        self._written += 1
        return tuple(loose[:goes])

    def forget(self, node_id: int) -> None:
        """Forget one node on request, which a sink allows and an anchor does not."""
        if node_id in self._anchors:
            raise ValueError(f"cache: node {node_id} is an anchor and is never evicted")
        del self._kept[node_id]
