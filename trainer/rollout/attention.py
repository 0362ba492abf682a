"""Where a generated frame looks: shares of its attention, by what the remembered frames are.

Shapes: G generated latents, L layers, S shares, K keys: cached nodes and those that are being made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from trainer.graph.nodes import PROTECTED, FrameGraph
from trainer.latents.layout import LatentLayout
from trainer.model.diagnostics import AttentionRecorder

PARTS = ("itself", "before", "hidden", "since")  # these add up to 1
VIEWS = ("local", "mirror", "anchors")  # these overlap with the parts and with each other
NAMES = PARTS + VIEWS
Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True, eq=False)
class AttentionShares:
    """Mean over heads, tokens and Euler steps.

    itself   the frame being made
    before   frames seen before the first hidden one; all, when nothing is hidden
    hidden   frames in which nothing of the target can be seen
    since    other frames seen after the first hidden one
    local    the newest `local` frames in memory
    mirror   earlier frames with nearly the same camera, the camera having been elsewhere in between: on the way out of
             a look-away what the way back sees again
    anchors  anchors and references
    """

    frames: np.ndarray  # [G] first frame of each latent, as the record counts
    share: np.ndarray  # [G, L, S] float64; 0 where there is no such frame in memory
    count: np.ndarray  # [G, S] int: how many nodes

    def of(self, name: str) -> np.ndarray:
        """[G, L] of one name."""
        share: np.ndarray = self.share[:, :, NAMES.index(name)]
        return share

    def over_uniform(self) -> np.ndarray:
        """[G, L, S] share relative to what equal attention to every node would give; nan where there is no node."""
        total = self.count[:, : len(PARTS)].sum(axis=1)
        uniform = self.count / total[:, None]
        relative: np.ndarray = self.share / np.where(uniform > 0, uniform, np.nan)[:, None, :]
        return relative


class AttentionWatch:
    """Give one to a `RolloutSession`; afterwards `shares` says where it looked.

    local: how many of the newest frames count as near. camera_near: two cameras are nearly the same when they differ by
    at most this angle (rad) and this distance (scene scales).
    """

    def __init__(
        self,
        graph: FrameGraph,
        layout: LatentLayout,
        *,
        local: int = 4,
        camera_near: float = 0.03,
    ) -> None:
        if local < 1:
            raise ValueError(f"attention.local: {local} must be at least 1 frame")
        self.recorder = AttentionRecorder()
        self._graph, self._layout, self._local = graph, layout, local
        self._time = np.array([node.time for node in graph.nodes])
        self._hidden = np.array([node.hidden for node in graph.nodes])
        self._anchor = np.array([node.role in PROTECTED for node in graph.nodes])
        self._near = same_camera(np.stack([node.camera for node in graph.nodes]), camera_near)
        self._seen: dict[int, list[np.ndarray]] = {}  # node -> per Euler step [L, K]
        self._keys: dict[int, np.ndarray] = {}  # node -> the nodes of its keys [K]

    def add(self, chunk: Sequence[int], cached: Sequence[int]) -> None:
        """Take what the recorder saw of one Euler step of the nodes of a chunk; under guidance of the prompt's row."""
        layers = [self.recorder.mass[layer][0].double().cpu().numpy() for layer in sorted(self.recorder.mass)]
        for place, index in enumerate(chunk):
            self._seen.setdefault(index, []).append(np.stack([mass[place] for mass in layers]))
            self._keys[index] = np.array([*cached, *chunk])

    def shares(self) -> AttentionShares:
        """The table so far; ValueError when nothing was generated."""
        if not self._seen:
            raise ValueError("attention: nothing was generated, so nothing was looked at")
        share, count = [], []
        for index, steps in self._seen.items():
            groups = self._groups(index)
            member = np.stack([groups[name] for name in NAMES])  # [S, K]
            share.append(np.mean(steps, axis=0) @ member.T)
            count.append(member.sum(axis=1))
        latents = [self._graph.nodes[index].frame for index in self._seen]
        return AttentionShares(
            frames=self._layout.first_frame[latents], share=np.stack(share), count=np.stack(count).astype(int)
        )

    def _groups(self, index: int) -> Mapping[str, np.ndarray]:
        """[K] bool each: which of the keys, cached ones and those of the chunk."""
        keys = self._keys[index]
        itself, hidden, time = keys == index, self._hidden[keys], self._time[keys]
        first_hidden = self._time[self._hidden].min() if self._hidden.any() else np.inf
        others = np.flatnonzero(~itself)
        newest = np.zeros(len(keys), dtype=bool)
        newest[others[np.argsort(time[others])[max(len(others) - self._local, 0) :]]] = True
        return {
            "itself": itself,
            "before": ~itself & ~hidden & (time < first_hidden),
            "hidden": ~itself & hidden,
            "since": ~itself & ~hidden & (time >= first_hidden),
            "local": newest,
            "mirror": self._mirror(index, keys),
            "anchors": self._anchor[keys],
        }

    def _mirror(self, index: int, keys: np.ndarray) -> np.ndarray:
        """Near in camera, and older than the last moment at which the camera was elsewhere."""
        elsewhere = ~self._near[index] & (self._time < self._time[index])
        last_elsewhere = self._time[elsewhere].max() if elsewhere.any() else -np.inf
        mirror: np.ndarray = self._near[index, keys] & (self._time[keys] < last_elsewhere)
        return mirror


def same_camera(cameras_Kc: np.ndarray, near: float) -> np.ndarray:
    """[K, K] bool: axes within `near` rad and positions within `near` scene scales; rows as `camera_descriptors`."""
    position = cameras_Kc[:, :3].astype(np.float64)
    axes = cameras_Kc[:, 3:12].astype(np.float64).reshape(-1, 3, 3)
    distance = np.linalg.norm(position[:, None] - position[None], axis=2)
    chord = np.linalg.norm((axes[:, None] - axes[None]).reshape(len(axes), len(axes), 9), axis=2)
    angle = 2.0 * np.arcsin(np.clip(chord / np.sqrt(8.0), 0.0, 1.0))  # |R - Q| = 2 sqrt(2) sin(angle / 2)
    close: np.ndarray = (distance <= near) & (angle <= near)
    return close


def plot_attention(shares: AttentionShares, path: Path) -> None:
    """A PNG: mean share per layer and name, and the shares over the generated frames."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    layers, frames = figure.subplots(1, 2)
    mean = shares.share.mean(axis=0)
    image = layers.imshow(mean, vmin=0.0, vmax=1.0, aspect="auto", cmap="viridis")
    layers.set_xticks(range(len(NAMES)), NAMES, rotation=30)
    layers.set_yticks(range(len(mean)))
    layers.set_ylabel("layer")
    layers.set_title("share of attention, mean over generated frames")
    figure.colorbar(image, ax=layers)
    for position, name in enumerate(NAMES):
        style = "-" if name in PARTS else "--"
        frames.plot(shares.frames, shares.share[:, :, position].mean(axis=1), style, label=name)
    frames.set_xlabel("frame")
    frames.set_ylim(0.0, 1.0)
    frames.set_title("mean over layers; solid lines add up to 1")
    frames.legend(fontsize="small")
    canvas.print_png(path)
