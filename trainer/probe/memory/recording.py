"""What a model's memory holds of the frames in which nothing can be seen, pooled per node.

A clip is put through the cached rollout. At each hidden latent three things are taken of every layer: the raw keys
(before RoPE) and the values in the cache, and the residual stream behind the layer's block in the pass that wrote them.

By default hidden frames are given as the clip shows them (dark, fogged, turned away), as a rollout does it by default;
`free`: the model generates them. Frames that were dropped have no node and no row.
Shapes: L layers, S = 3 sources, A = 2 areas, R hidden latents, D numbers a node, N = rows x columns tokens, H W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.checkpoint import TrainedModel
from trainer.data.clips import ClipRecord
from trainer.model.cache import KVCache
from trainer.model.wan import RememberingWan
from trainer.rollout import RolloutConfig, RolloutSession, rollout_graph

SOURCES = ("keys", "values", "residual")
AREAS = ("frame", "object")  # mean over all tokens; over those where the object was last seen
CONTROL_SIDE_PX = 16  # pictures that serve as controls are averaged down to at most so many pixels a side


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """The hidden latents of one clip, in order of time."""

    index: NDArray[np.intp]  # [R] last frame that each stands for, as the record counts
    memory: NDArray[np.float32]  # [L, S, A, R, D]
    pictures: NDArray[np.uint8]  # [R, H, W, 3] what the model was given there, or made


def record_memory(
    trained: TrainedModel,
    record: ClipRecord,
    seen: Sequence[NDArray[np.bool_]],
    config: RolloutConfig | None = None,
    *,
    free: bool = False,
) -> Recording:
    """Roll a clip out until its last hidden frame and take what the cache holds.

    seen: for each frame of the record the pixels [H, W] in which the object was last seen before it.
    ValueError when nothing of the clip is hidden.
    """
    graph = rollout_graph(record, trained, free=free)
    session = RolloutSession(trained, record, graph, config)
    hidden = [i for i in graph.present() if graph.nodes[i].hidden]
    rows, columns = token_grid(trained, record)
    streams: dict[int, Tensor] = {}  # node -> [L, N, D]
    with _watched(trained.model) as passes:
        while missing := [i for i in hidden if i not in session.cache.node_ids]:
            before = len(session.cache)
            session.advance(1 if free and before else 0)
            written = session.cache.node_ids[before:]
            if not written:
                raise ValueError(f"clip {record.clip_id}: hidden frame of node {missing[0]} was never written")
            made = passes.take()  # passes that generate come before the one that writes
            streams |= {node: made[place - len(written)] for place, node in enumerate(written) if node in hidden}
    last = [int(session.layout.last_frame[graph.nodes[i].frame]) for i in hidden]
    weights = np.stack([area_weights(seen[frame], rows, columns) for frame in last]) if last else np.empty((0, 2, 1))
    return Recording(
        index=np.array(last, dtype=np.intp),
        memory=_pooled(session.cache, hidden, streams, torch.from_numpy(weights)),
        pictures=session.result().rgb[last],
    )


def token_grid(trained: TrainedModel, record: ClipRecord) -> tuple[int, int]:
    """Rows and columns of tokens of one picture."""
    height, width = trained.codec.geometry.grid(*record.rgb.shape[1:3])
    patch_y, patch_x = trained.model.transformer.config.patch_size[1:]
    return height // patch_y, width // patch_x


def area_weights(mask: NDArray[np.bool_], rows: int, columns: int) -> NDArray[np.float32]:
    """[A, N] weights over tokens that add up to 1: even, and by the share of each token's pixels in `mask` [H, W].

    A mask without a pixel weighs evenly.
    """
    blocks = mask.reshape(rows, mask.shape[0] // rows, columns, mask.shape[1] // columns)
    share = blocks.mean((1, 3), dtype=np.float64).ravel()
    even = np.full(rows * columns, 1.0 / (rows * columns))
    return np.stack([even, share / share.sum() if share.any() else even]).astype(np.float32)


def small_picture(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[D] a picture [H, W, 3] in 0..1, averaged over whole blocks down to at most `CONTROL_SIDE_PX` pixels a side."""
    step = -(-max(picture.shape[:2]) // CONTROL_SIDE_PX)
    height, width = (side // step * step for side in picture.shape[:2])
    blocks = picture[:height, :width].reshape(height // step, step, width // step, step, 3)
    return np.asarray(blocks.mean((1, 3), dtype=np.float64).ravel() / 255)


class _Passes:
    """Outputs of every block in every pass of a batch's first row."""

    def __init__(self, num_layers: int) -> None:
        self._layers: list[list[Tensor]] = [[] for _ in range(num_layers)]

    def hook(self, layer: int) -> Callable[[object, object, Tensor], None]:
        def keep(_block: object, _inputs: object, hidden_BND: Tensor) -> None:
            self._layers[layer].append(hidden_BND[0].detach().float().cpu())

        return keep

    def take(self) -> list[Tensor]:
        """[L, N, D] of each pass since the last call."""
        made = [torch.stack(layers) for layers in zip(*self._layers, strict=True)]
        self._layers = [[] for _ in self._layers]
        return made


@contextmanager
def _watched(model: RememberingWan) -> Iterator[_Passes]:
    blocks = list(model.transformer.blocks)
    passes = _Passes(len(blocks))
    handles = [block.register_forward_hook(passes.hook(layer)) for layer, block in enumerate(blocks)]
    try:
        yield passes
    finally:
        for handle in handles:
            handle.remove()


def _pooled(
    cache: KVCache, nodes: Sequence[int], streams: dict[int, Tensor], weights_RAN: Tensor
) -> NDArray[np.float32]:
    """[L, S, A, R, D]."""
    slots = [cache.node_ids.index(node) for node in nodes]
    layers = []
    for layer in range(cache.num_layers):
        held = [part[0].float().cpu().unflatten(0, (len(cache), -1))[slots].flatten(2) for part in cache.read(layer)]
        stream = torch.stack([streams[node][layer] for node in nodes])
        tokens_SRND = torch.stack([*held, stream])
        layers.append(torch.einsum("ran,srnd->sard", weights_RAN, tokens_SRND))
    return torch.stack(layers).numpy()
