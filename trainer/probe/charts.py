"""Pictures for the report as text: state curves as SVG, frames as PNG data URIs. No script, no network."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.probe.result import ClipFacts, ModelScore

WIDTH, HEIGHT = 560, 210
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 12, 36
TRUTH, PAUSED, MODEL = "#1f5fa8", "#b4501e", "#16803c"


def data_uri(picture: NDArray[np.uint8]) -> str:
    """A lossless PNG of [H, W, 3]."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


@dataclass(frozen=True)
class Axes:
    """Linear map from data to the plot area."""

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        u = (x - self.x[0]) / (self.x[1] - self.x[0])
        v = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + u * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - v * (HEIGHT - TOP - BOTTOM)


def state_curve(facts: ClipFacts, score: ModelScore | None) -> str:
    """SVG: true and paused value of the probed variable over clip time, hidden window shaded, measured points."""
    truth, paused = np.array(facts.truth), np.array(facts.paused)
    times = np.arange(len(truth)) / facts.fps
    low, high = min(truth.min(), paused.min()), max(truth.max(), paused.max())
    margin = 0.08 * (high - low) or 1.0
    axes = Axes((0.0, float(times[-1])), (float(low - margin), float(high + margin)))
    parts = [_shade(axes, facts.t_h / facts.fps, facts.t_r / facts.fps)]
    parts += _grid(axes, f"{facts.variable}, {facts.unit}")
    parts.append(_line(axes, times, paused, PAUSED, "6 4"))
    parts.append(_line(axes, times, truth, TRUTH, ""))
    for frame in score.frames if score else ():
        if frame.value is not None:
            x, y = axes.at(frame.frame / facts.fps, min(max(frame.value, axes.y[0]), axes.y[1]))
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{MODEL}" stroke="white"/>')
        else:
            x, y = axes.at(frame.frame / facts.fps, axes.y[0])
            parts.append(f'<text x="{x:.1f}" y="{y - 4:.1f}" fill="{MODEL}" text-anchor="middle">×</text>')
    title = escape(f"{facts.variable} of clip {facts.clip_id}: truth, paused and measured")
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
    return head + "".join(parts) + "</svg>"


def _shade(axes: Axes, start: float, end: float) -> str:
    x0, _ = axes.at(start, axes.y[0])
    x1, _ = axes.at(end, axes.y[0])
    box = f'<rect x="{x0:.1f}" y="{TOP}" width="{x1 - x0:.1f}" height="{HEIGHT - TOP - BOTTOM}" class="hidden-window"/>'
    return box + f'<text x="{(x0 + x1) / 2:.1f}" y="{TOP + 13}" text-anchor="middle" class="faint">not in view</text>'


def _grid(axes: Axes, label: str) -> list[str]:
    parts = []
    for value in ticks(*axes.y):
        _, y = axes.at(axes.x[0], value)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>')
    for value in ticks(*axes.x):
        x, _ = axes.at(value, axes.y[0])
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:.3g}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">clip time, s</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 4}">{escape(label)}</text>')
    return parts


def _line(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], colour: str, dash: str) -> str:
    points = " ".join("{:.1f},{:.1f}".format(*axes.at(float(a), float(b))) for a, b in zip(x, y, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'


def ticks(low: float, high: float, about: int = 5) -> Sequence[float]:
    """Round numbers within [low, high]: steps of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step) + 1)]
