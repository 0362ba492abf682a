"""What a rollout is given and what it makes: frame graphs, prompts over time, and frames beyond the clip's end.

Shapes: F kept frames of a clip, G frames beyond its end, c = 14 camera numbers.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from trainer.checkpoint import TrainedModel
from trainer.data.clips import ClipRecord
from trainer.data.examples import history_graph
from trainer.graph.nodes import FrameGraph, Role
from trainer.latents.layout import LatentLayout, frame_segments

CameraPath = Literal["hold", "bounce"]


def rollout_graph(
    record: ClipRecord,
    trained: TrainedModel,
    *,
    free: bool = False,
    drop_hidden: bool = False,
    context: int | None = None,
    chunk: int = 1,
) -> FrameGraph:
    """What is given and what is generated.

    Given are the frames up to the last hidden one, which show nothing of the state since (of several windows they show
    it after all but the last: `until_next_window` asks about any). free: the hidden frames are generated as well.
    drop_hidden: they are absent, a gap in time. context: instead, the first `context` frames are given and all others
    generated: 1 is image to video (I2V), more are video to video (V2V). chunk: so many latents are generated together
    and see each other, as the curriculum's continuation trains it.
    """
    if chunk < 1:
        raise ValueError(f"rollout.chunk: {chunk} must be at least 1 latent")
    if free + drop_hidden + (context is not None) > 1:
        raise ValueError("rollout: choose one of free, drop_hidden and context, not both or all")
    if context is not None and not 1 <= context < record.num_frames:
        raise ValueError(
            f"rollout.context: {context} of {record.num_frames} frames; give at least 1, leave at least 1 to generate"
        )
    if context is None and not record.hidden.any():
        raise ValueError(f"clip {record.clip_id}: nothing is hidden in it; say how many frames are given (context)")
    hidden_at = np.flatnonzero(record.hidden)
    first = context if context is not None else int(hidden_at[0] if free else hidden_at[-1] + 1)
    if first == 0:
        raise ValueError(f"clip {record.clip_id}: it is hidden from its first frame on, nothing would be given")
    layout = rollout_layout(record, trained)
    if ((layout.first_frame < first) & (layout.last_frame >= first)).any():
        raise ValueError(f"rollout.context: frame {first} is inside a latent of the codec; give 1 + 4k frames")
    graph = history_graph(record, layout)
    made = [i for i, node in enumerate(graph.nodes) if layout.first_frame[node.frame] >= first]
    changes: dict[int, dict[str, object]] = {
        i: {"role": Role.TARGET, "chunk": place // chunk if chunk > 1 else None} for place, i in enumerate(made)
    }
    if drop_hidden:
        changes |= {i: {"role": Role.DROPPED} for i in graph.with_role(Role.DEGRADED)}
    return graph.map_nodes(changes)


def until_next_window(record: ClipRecord, number: int) -> ClipRecord:
    """The clip as one window asks about it: what follows its last hidden frame is to come, as nothing else hides it,
    and ends where the next window begins.

    number: in the order of `record.windows`. Of windows that overlap it is a question about the target of this one.
    """
    if not 0 <= number < len(record.windows):
        raise ValueError(f"clip {record.clip_id}: no window {number}, it has {len(record.windows)}")
    window = record.windows[number]
    end = min((w.t_h + 1 for w in record.windows if w.t_h >= window.t_r), default=int(record.frames[-1]) + 1)
    kept = slice(int(np.searchsorted(record.frames, end)))
    frames, last = record.frames[kept], max(window.hidden_frames, default=window.t_h)
    hidden = record.hidden[kept] & (frames <= last)
    if not hidden[frames > window.t_h].any():
        raise ValueError(f"clip {record.clip_id}: window {number} hides none of the frames that are kept of the clip")
    return dataclasses.replace(
        record,
        frames=frames,
        rgb=record.rgb[kept],
        uninterrupted=None if record.uninterrupted is None else record.uninterrupted[kept],
        hidden=hidden,
        plain=record.plain[kept],
        dropped=record.dropped[kept] & (frames <= last),
        returns=tuple(i for i in record.returns if i < len(frames)),
        cameras=record.cameras[kept],
        visibility={event: fraction[kept] for event, fraction in record.visibility.items()},
    )


def rollout_layout(record: ClipRecord, trained: TrainedModel) -> LatentLayout:
    """The latents of a rollout, as in training: hidden and visible frames are segments of their own."""
    return trained.codec.layout(frame_segments(record.hidden, record.dropped))


def continued(record: ClipRecord, cameras_Gc: np.ndarray) -> ClipRecord:
    """The clip with G frames to be generated behind its end, seen by the cameras given; times go on.

    cameras_Gc: rows like `record.cameras`, relative to the clip's first camera. The new frames are black and plain.
    """
    if cameras_Gc.ndim != 2 or cameras_Gc.shape[1:] != record.cameras.shape[1:]:
        wanted = record.cameras.shape[1]
        raise ValueError(f"rollout.cameras: shape {cameras_Gc.shape}, expected [frames, {wanted}] camera rows")
    count = len(cameras_Gc)
    stride = int(record.frames[1] - record.frames[0]) if record.num_frames > 1 else 1

    def longer(array: np.ndarray, value: int = 0) -> np.ndarray:
        return np.concatenate([array, np.full((count, *array.shape[1:]), value, dtype=array.dtype)])

    return dataclasses.replace(
        record,
        frames=np.concatenate([record.frames, record.frames[-1] + stride * np.arange(1, count + 1)]),
        rgb=longer(record.rgb),
        uninterrupted=None,
        hidden=longer(record.hidden),
        plain=longer(record.plain, True),
        dropped=longer(record.dropped),
        cameras=np.concatenate([record.cameras, cameras_Gc.astype(record.cameras.dtype)]),
        visibility={event: longer(fraction) for event, fraction in record.visibility.items()},
    )


def camera_path(record: ClipRecord, num_frames: int, kind: CameraPath) -> np.ndarray:
    """[G, 14] cameras for `num_frames` frames behind the clip's end, without a jump.

    hold: the last one stays. bounce: back along the clip's own path, then forward, and so on.
    """
    if kind not in get_args(CameraPath):
        raise ValueError(f"rollout.path: {kind!r} is unknown; choose of {', '.join(get_args(CameraPath))}")
    last = record.num_frames - 1
    if kind == "hold" or last == 0:
        return np.repeat(record.cameras[-1:], num_frames, axis=0)
    along = np.arange(1, num_frames + 1) % (2 * last)
    return record.cameras[np.abs(last - along)]


class PromptSchedule:
    """Which text is in force at a frame: the clip's own, until the first of (start_frame, prompt), and so on."""

    def __init__(self, own: str, later: Sequence[tuple[int, str]], num_frames: int) -> None:
        starts = [start for start, _ in later]
        if any(b <= a for a, b in pairwise(starts)):
            raise ValueError(f"rollout.prompts: start frames {starts} must rise")
        if starts and not 0 <= starts[0] <= starts[-1] < num_frames:
            raise ValueError(
                f"rollout.prompts: start frames {starts} must lie in the {num_frames} frames of the rollout"
            )
        self._starts, self._texts = starts, [own, *(text for _, text in later)]

    def at(self, frame: int) -> str:
        return self._texts[bisect_right(self._starts, frame)]
