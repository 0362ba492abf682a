"""Generating video through the KV cache: what comes after an interruption, after one picture, beyond a clip's end."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.clip import Clip
from trainer.checkpoint import TrainedModel
from trainer.data.clips import ClipRecord, read_clip
from trainer.model.retention import CacheConfig
from trainer.rollout.attention import AttentionShares, AttentionWatch
from trainer.rollout.config import RolloutConfig
from trainer.rollout.plan import camera_path, continued, rollout_graph, until_next_window
from trainer.rollout.session import Rollout, RolloutSession

__all__ = [
    "AttentionShares",
    "AttentionWatch",
    "CacheConfig",
    "Rollout",
    "RolloutConfig",
    "RolloutSession",
    "camera_path",
    "continued",
    "rollout",
    "rollout_graph",
    "until_next_window",
]


def rollout(
    trained: TrainedModel,
    clip: Clip | ClipRecord,
    config: RolloutConfig | None = None,
    *,
    free: bool = False,
    drop_hidden: bool = False,
    context: int | None = None,
    chunk: int = 1,
    window: int | None = None,
    num_frames: int | None = None,
    prompts: Sequence[tuple[int, str]] = (),
) -> Rollout:
    """Continue a clip after its interruption, or as `rollout_graph` says.

    window: of a clip of several, after this one and up to the next (see `until_next_window`); None: after the last.
    num_frames: stop once so many frames are generated. prompts: see `RolloutSession`. To go beyond the clip's end, give
    `continued(record, cameras)`.
    """
    record = clip if isinstance(clip, ClipRecord) else read_clip(clip, trained.config.data.frame_stride)
    record = record if window is None else until_next_window(record, window)
    graph = rollout_graph(record, trained, free=free, drop_hidden=drop_hidden, context=context, chunk=chunk)
    session = RolloutSession(trained, record, graph, config, prompts=prompts)
    while session.advance(1 if num_frames is not None else None):
        if num_frames is not None and session.generated.sum() >= num_frames:
            break
    return session.result()
