"""A picture of one training example: what the model remembers, what it is asked, and what may look at what.

Shapes: T frames of a clip, N nodes that are present in the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from trainer.build import build_codec
from trainer.config import TrainConfig
from trainer.data.batches import TrainingExamples
from trainer.data.examples import Example
from trainer.graph.nodes import FrameGraph, Node, Role
from trainer.latents.codec import LatentGeometry
from trainer.seeding import numpy_generator
from trainer.train import split

COLOURS: Mapping[Role, str] = MappingProxyType(
    {
        Role.ANCHOR: "#1b7f3b",
        Role.REFERENCE: "#12a5a5",
        Role.FRONTIER: "#2f6fd0",
        Role.DEGRADED: "#8a5a2b",
        Role.DROPPED: "#b0b0b0",
        Role.TARGET: "#d02f5c",
    }
)
MEANINGS: Mapping[Role, str] = MappingProxyType(
    {
        Role.ANCHOR: "anchor: remembered, never dropped",
        Role.REFERENCE: "reference: far memory that was kept",
        Role.FRONTIER: "frontier: other history that is seen",
        Role.DEGRADED: "degraded: history in which the event is hidden",
        Role.DROPPED: "dropped: absent, its time is a gap",
        Role.TARGET: "target: noisy, to be predicted",
    }
)
CAPTION_Y, HISTORY_Y, TARGET_Y = -0.55, 0.0, 1.65  # below the captions; bottoms of the two rows, in latent steps
SIZE = 0.92  # width of a picture, in latent steps
DPI = 100


def show_graph(config: TrainConfig, data: Sequence[Path], path: Path, *, sample: int = 0, step: int = 0) -> Example:
    """Draw the example number `sample` of the batch of training step `step`, just as training would see it."""
    if not 0 <= sample < config.batch_size:
        raise ValueError(f"--sample: {sample} is not in a batch of {config.batch_size}; count from 0")
    if step < 0:
        raise ValueError(f"--step: {step} is before the first step; count from 0")
    sources, _ = split(config, data, None)
    geometry = build_codec(config).geometry
    maker = TrainingExamples(sources=sources, codec=geometry, config=config, rows=range(sample, sample + 1))
    (example,) = maker.drawn(step).examples
    draw_example(
        example, geometry, path, title=f"{config.recipe}, step {step}, example {sample}: clip {example.clip_id}"
    )
    return example


def draw_example(example: Example, codec: LatentGeometry, path: Path, *, title: str) -> None:
    """Write the picture as PNG. title: what example it is, in one line."""
    places = _places(example.graph)
    span = max(places.values()) + 1.4
    wide = float(np.clip(0.55 * span, 10.5, 30.0))  # inches, of the strip
    strip = (TARGET_Y - CAPTION_Y + _tall(example) + 0.4) * wide / span
    side = float(np.clip(0.2 * len(example.graph.present()), 4.0, 9.0))  # of the matrix
    width, height = max(wide, side + 6.0) + 1.2, 0.9 + strip + 1.1 + side + 0.75
    figure = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(figure)

    def axes_at(left: float, top: float, wide: float, high: float) -> Any:
        return figure.add_axes((left / width, 1.0 - (top + high) / height, wide / width, high / height))

    figure.text(0.2 / width, 1.0 - 0.25 / height, title, fontsize=13, weight="bold", va="center")
    shown = f"prompt: {example.prompt or '(none)'}"
    figure.text(0.2 / width, 1.0 - 0.42 / height, fill(shown, int(12 * width)), fontsize=9.5, va="top")
    _draw_strip(axes_at(0.95, 0.85, wide, strip), example, codec, places)
    _draw_permission(axes_at(0.95, 0.85 + strip + 1.05, side, side), example.graph)
    _draw_key(axes_at(0.95 + side + 0.5, 0.85 + strip + 1.05, width - side - 1.7, side), example)
    figure.savefig(path, metadata={"Software": None})


def _draw_strip(axes: Any, example: Example, codec: LatentGeometry, places: Mapping[float, float]) -> None:
    """The nodes along true time: history below, targets above."""
    graph, layout = example.graph, codec.layout(example.segments)
    tall = _tall(example)
    for node in sorted(graph.nodes, key=lambda n: n.role is Role.TARGET):
        asked = node.role is Role.TARGET
        middle, bottom = places[node.time], TARGET_Y if asked else HISTORY_Y
        left = middle - SIZE / 2
        colour = COLOURS[node.role]
        if node.role is Role.DROPPED:
            axes.add_patch(
                Rectangle(
                    (left, bottom), SIZE, tall, facecolor="#f2f2f2", edgecolor=colour, hatch="////", linewidth=0.8
                )
            )
        else:
            picture = _as_seen(example.rgb[layout.last_frame[node.frame]], node)
            axes.imshow(picture, extent=(left, left + SIZE, bottom, bottom + tall), zorder=2, interpolation="nearest")
            axes.add_patch(Rectangle((left, bottom), SIZE, tall, fill=False, edgecolor=colour, linewidth=3.0, zorder=3))
        axes.text(middle, bottom - 0.04, _caption(node), ha="center", va="top", fontsize=7, color=_dark(colour))
        if asked:
            axes.plot([middle] * 2, [HISTORY_Y + tall, TARGET_Y - 0.48], color=colour, linewidth=0.6, zorder=1)
    for members in _chunks(graph):
        first, last = (places[graph.nodes[i].time] for i in (members[0], members[-1]))
        y = TARGET_Y + tall + 0.1
        axes.plot([first - SIZE / 2, last + SIZE / 2], [y, y], color=COLOURS[Role.TARGET], linewidth=2.5)
        axes.text((first + last) / 2, y + 0.05, "predicted together", ha="center", va="bottom", fontsize=8)
    for start, back in ((places[a], places[b]) for a, b in graph.hidden_spans()):
        axes.axvspan(start - 0.5, back - 0.5, color="#000000", alpha=0.08, zorder=0)
        axes.text((start + back - 1) / 2, TARGET_Y + tall / 2, "hidden", ha="center", fontsize=10, color="#555555")
    axes.set_xlim(-0.7, max(places.values()) + 0.7)
    axes.set_xticks(list(places.values()), [f"{time:g}" for time in places], fontsize=8)
    axes.set_ylim(CAPTION_Y, TARGET_Y + tall + 0.4)
    axes.set_aspect("auto")  # the axes have the shape of what is in them
    axes.set_yticks([HISTORY_Y + tall / 2, TARGET_Y + tall / 2], ["memory", "asked"], fontsize=12)
    axes.set_xlabel("true time of each latent, latent steps", fontsize=10)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _draw_permission(axes: Any, graph: FrameGraph) -> None:
    """Rows look at columns; a cell has the colour of what is seen."""
    order = _order(graph)
    permission = graph.permission()[np.ix_(order, order)]
    nodes = [graph.nodes[graph.present()[i]] for i in order]
    cells = np.ones((*permission.shape, 3))
    for k, node in enumerate(nodes):
        cells[permission[:, k], k] = to_rgb(COLOURS[node.role])
    axes.imshow(cells, interpolation="nearest")
    count = len(nodes)
    axes.set_xticks(np.arange(-0.5, count), minor=True)
    axes.set_yticks(np.arange(-0.5, count), minor=True)
    axes.grid(which="minor", color="#d8d8d8", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    labels = [f"{node.time:g}" for node in nodes]
    size = float(np.clip(230 / count, 5.0, 9.0))
    axes.set_xticks(range(count), labels, fontsize=size, rotation=90)
    axes.set_yticks(range(count), labels, fontsize=size)
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        for label, node in zip(ticks, nodes, strict=True):
            label.set_color(COLOURS[node.role])
    history = sum(node.role is not Role.TARGET for node in nodes)
    for line in (axes.axhline, axes.axvline):
        line(history - 0.5, color="black", linewidth=1.5)
    axes.set_title("who may look at whom", fontsize=12, loc="left")
    axes.set_xlabel("is looked at (time; memory, then targets)", fontsize=10)
    axes.set_ylabel("looks (time; memory, then targets)", fontsize=10)


def _draw_key(axes: Any, example: Example) -> None:
    """What the colours and captions mean, and what was done to this example."""
    axes.axis("off")
    graph = example.graph
    handles = [
        Patch(
            facecolor="#f2f2f2" if role is Role.DROPPED else COLOURS[role],
            edgecolor=COLOURS[role],
            hatch="////" if role is Role.DROPPED else None,
            label=f"{meaning} ({len(graph.with_role(role))})",
        )
        for role, meaning in MEANINGS.items()
    ]
    axes.legend(handles=handles, loc="upper left", fontsize=11, frameon=False, borderaxespad=0.0, borderpad=0.0)
    notes = [
        f"Stages of the curriculum that shaped this example: {', '.join(example.stages) or 'none'}.",
        "Pictures are shown as the model gets them, with the interruption and the noise. "
        "t: noise level (0 clean, 1 noise alone). w: weight in the loss.",
        "Matrix: a row looks at its coloured cells. Memory looks at itself and at earlier memory; a target at itself, "
        "at what is predicted together with it, and at memory before that. A dropped frame has no row.",
    ]
    text = "\n\n".join(fill(note, 66) for note in notes)
    axes.annotate(
        text,
        (0.0, 1.0),
        xytext=(0, -165),
        textcoords="offset points",
        xycoords="axes fraction",
        fontsize=10.5,
        va="top",
    )


def _places(graph: FrameGraph) -> dict[float, float]:
    """Where each time is drawn: to scale, but never so near its neighbour that pictures overlap."""
    places: dict[float, float] = {}
    for time in sorted({node.time for node in graph.nodes}):
        before = max(places, default=None)
        places[time] = 0.0 if before is None else places[before] + max(1.0, time - before)
    return places


def _tall(example: Example) -> float:
    """Height of a picture in latent steps."""
    return SIZE * example.rgb.shape[1] / example.rgb.shape[2]


def _as_seen(rgb_HW3: np.ndarray, node: Node) -> np.ndarray:
    """The picture at its node's noise level, as a lossless codec would show it. [H, W, 3] in [0, 1]."""
    noise = numpy_generator(0, "picture", node.frame, node.role.value).normal(size=rgb_HW3.shape)
    seen = (1.0 - node.noise_level) * (rgb_HW3 / 127.5 - 1.0) + node.noise_level * noise
    return np.asarray(np.clip((seen + 1.0) / 2.0, 0.0, 1.0))


def _caption(node: Node) -> str:
    if node.role is Role.TARGET:
        return f"t {node.noise_level:.2f}\nw {node.weight:g}"
    noise = f"\nt {node.noise_level:.2f}" if node.noise_level > 0.0 and node.role is not Role.DROPPED else ""
    return f"{node.role}{noise}"


def _chunks(graph: FrameGraph) -> Sequence[tuple[int, ...]]:
    chunks = {graph.chunk_of(i) for i in graph.with_role(Role.TARGET)}
    return sorted(chunk for chunk in chunks if len(chunk) > 1)


def _order(graph: FrameGraph) -> list[int]:
    """Places in `present()`: memory by time, then targets by time."""
    nodes = [graph.nodes[i] for i in graph.present()]
    return sorted(range(len(nodes)), key=lambda i: (nodes[i].role is Role.TARGET, nodes[i].time))


def _dark(colour: str) -> tuple[float, ...]:
    return tuple(0.75 * channel for channel in to_rgb(colour))
