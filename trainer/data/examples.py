"""From one clip to one example: its pictures as they are shown, and the graph of what is remembered and asked.

Shapes: T frames of a clip, F' latents, H W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trainer.config import CurriculumConfig, DataConfig, FlowConfig
from trainer.data.augment import augmented
from trainer.data.clips import ClipRecord
from trainer.data.interruptions import MIN_AFTER, Interruption, random_interruption
from trainer.data.prompts import told
from trainer.flow import sample_levels
from trainer.graph.curriculum import apply_curriculum, curriculum_of
from trainer.graph.nodes import FrameGraph, Node, Role
from trainer.latents.codec import LatentGeometry
from trainer.latents.layout import LatentLayout, Segments, frame_segments


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One clip's pictures and what is to be remembered and predicted of them."""

    rgb: np.ndarray  # [T, H, W, 3] uint8, already degraded
    region: np.ndarray  # [H, W] bool
    segments: Segments  # encoded each by itself; the graph's nodes index the latents of their layout
    prompt: str
    graph: FrameGraph
    clip_id: str = ""
    stages: tuple[str, ...] = ()  # of the curriculum, that shaped the graph


def training_example(
    record: ClipRecord,
    codec: LatentGeometry,
    rng: np.random.Generator,
    data: DataConfig,
    curriculum: CurriculumConfig,
    flow: FlowConfig,
    step: int,
    *,
    pixels: np.random.Generator | None = None,
) -> Example:
    """Augmentations, a random interruption, random targets, and the curriculum's stages at `step` over them.

    pixels: of all that changes the pictures, when that is to be repeated while the rest is not; None: `rng` too.
    """
    pixels = pixels if pixels is not None else rng
    record = augmented(record, pixels, data)
    shown = _shown(record, pixels, data)
    segments = frame_segments(shown.hidden, shown.dropped)
    layout = codec.layout(segments)
    returned = after_return(shown, data.num_return_targets)
    graph = history_graph(record, layout, shown)
    graph = graph.map_nodes(
        {i: {"weight": flow.return_weight} for i, n in enumerate(graph.nodes) if returned[layout.first_frame[n.frame]]}
    )
    graph = with_targets(graph, _asked(layout, shown.hidden, returned, rng, data))
    graph, stages = apply_curriculum(graph, rng, curriculum_of(curriculum), step)
    graph = _with_levels(graph, rng, flow)
    prompt = record.prompt if shown.kind is None else told(record.prompt, shown.kind)
    unconditional = data.prompt_dropout > 0.0 and rng.random() < data.prompt_dropout
    return Example(
        rgb=shown.rgb,
        region=record.region,
        segments=segments,
        prompt="" if unconditional else prompt,
        graph=graph,
        clip_id=record.clip_id,
        stages=stages,
    )


def return_example(record: ClipRecord, codec: LatentGeometry) -> Example:
    """The question that matters, without chance: the first frame after the (first) return, from pure noise.

    A segment begins at that frame, so its latent stands for it alone.
    """
    assert record.return_index is not None, "the clip has no return"
    segments = frame_segments(record.hidden, record.dropped, cuts=(record.return_index,))
    layout = codec.layout(segments)
    graph = history_graph(record, layout)
    hidden_before = np.flatnonzero(record.hidden[: record.return_index])
    back = int(hidden_before[-1]) + 1 if len(hidden_before) else record.return_index
    later = [i for i, node in enumerate(graph.nodes) if layout.first_frame[node.frame] >= back]
    graph = graph.map_nodes({i: {"role": Role.DROPPED} for i in later})
    graph = with_targets(graph, [layout.of_frame(record.return_index)])
    return Example(rgb=record.rgb, region=record.region, segments=segments, prompt=record.prompt, graph=graph)


def history_graph(
    record: ClipRecord, layout: LatentLayout, shown: Interruption | ClipRecord | None = None
) -> FrameGraph:
    """All latents as history: the first and the last plain one before each interruption are anchors, hidden ones are
    degraded, dropped ones have no picture and are absent, a gap in time.

    shown: what is hidden, plain and dropped, the first and the last of which must be constant over each latent; None:
    as in the record. A latent has the camera and the visibility of its last frame.
    """
    shown = record if shown is None else shown
    rows = layout.last_frame
    dark, absent = shown.hidden[rows], shown.dropped[rows]
    plain = ~dark & [shown.plain[a : b + 1].all() for a, b in zip(layout.first_frame, rows, strict=True)]
    begins = np.flatnonzero(dark[1:] & ~dark[:-1]) + 1
    anchors = np.zeros_like(dark)
    anchors[[0, *(last_before(plain, int(i)) for i in begins)]] = True
    return FrameGraph(
        nodes=tuple(
            Node(
                frame=i,
                time=float(layout.time[i]),
                camera=record.cameras[row],
                role=_history_role(bool(absent[i]), bool(dark[i]), bool(anchors[i])),
                hidden=bool(dark[i] or absent[i]),
                visibility={event: float(v[row]) * (not dark[i]) for event, v in record.visibility.items()},
            )
            for i, row in enumerate(rows)
        )
    )


def last_before(plain: np.ndarray, index: int) -> int:
    """The last index below `index` that is marked in plain [T] bool; 0 where there is none."""
    return max(np.flatnonzero(plain[:index]).tolist(), default=0)


def with_targets(graph: FrameGraph, frames: Sequence[int]) -> FrameGraph:
    """The graph with a target, pure noise, beside the history node of each of `frames` (indices of latents)."""
    history = {node.frame: node for node in graph.nodes}
    targets = tuple(replace(history[frame], role=Role.TARGET, noise_level=1.0) for frame in frames)
    return FrameGraph(nodes=graph.nodes + targets)


def after_return(shown: Interruption, num_frames: int) -> np.ndarray:
    """[T] bool: frames seen after each interruption, up to the `num_frames`-th in which all is plain again."""
    hidden = shown.hidden
    found = np.zeros(len(hidden), dtype=bool)
    for back in np.flatnonzero(hidden[:-1] & ~hidden[1:]) + 1:
        plain = min((i for i in shown.returns if i >= back), default=int(back))
        found[back : plain + num_frames] = True
    return found & ~hidden


def _history_role(dropped: bool, hidden: bool, anchor: bool) -> Role:
    if dropped:
        return Role.DROPPED
    return Role.DEGRADED if hidden else Role.ANCHOR if anchor else Role.FRONTIER


def _asked(
    layout: LatentLayout, hidden: np.ndarray, returned: np.ndarray, rng: np.random.Generator, data: DataConfig
) -> list[int]:
    """Latents to predict: all after a return, and some of the other seen ones; as many where nothing is interrupted."""
    after = np.flatnonzero(returned[layout.first_frame])
    others = np.flatnonzero(~hidden[layout.last_frame] & (layout.last_frame > 0))
    others = rng.permutation(np.setdiff1d(others, after))
    count = data.num_other_targets + (0 if len(after) else data.num_return_targets)
    return [int(i) for i in (*after, *sorted(others[:count]))]


def _with_levels(graph: FrameGraph, rng: np.random.Generator, flow: FlowConfig) -> FrameGraph:
    """The graph with a noise level drawn for each target; those of a chunk share one, as they do in a rollout."""
    targets = graph.with_role(Role.TARGET)
    levels = dict(zip(targets, sample_levels(rng, len(targets), flow), strict=True))
    return graph.map_nodes({i: {"noise_level": float(levels[graph.chunk_of(i)[0]])} for i in targets})


def _shown(record: ClipRecord, rng: np.random.Generator, data: DataConfig) -> Interruption:
    """The clip's pictures with its own interruption, with a random one, or with none."""
    has_own = bool(record.returns) and bool(record.hidden.any())
    own = Interruption(
        rgb=record.rgb, hidden=record.hidden, plain=record.plain, returns=record.returns, dropped=record.dropped
    )
    interrupt, keep = rng.random(2) < (data.interrupted_share, data.own_window_share)
    if has_own and (record.uninterrupted is None or (interrupt and keep)):
        return own
    if record.uninterrupted is None:
        raise ValueError(
            f"clip {record.clip_id}: it never returns at frame stride {data.frame_stride} and has no uninterrupted "
            f"twin; render the output 'twins' or leave the clip out"
        )
    if not interrupt:
        nothing = np.zeros(record.num_frames, dtype=bool)
        return Interruption(
            rgb=record.uninterrupted, hidden=nothing, plain=~nothing, returns=(), dropped=nothing, kind=""
        )
    return random_interruption(
        record.uninterrupted,
        rng,
        weights=data.interruptions,
        seconds_per_frame=record.seconds_per_frame,
        hidden_s=(data.hidden_min_s, data.hidden_max_s),
        ramp_max_s=data.ramp_max_s,
        min_seen_s=data.min_seen_s,
        min_after=MIN_AFTER,
        cover=record.region if data.occluder_covers == "event" else None,
    )
