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
MAX_LABEL = 24  # characters before a bar
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


@dataclass(frozen=True)
class Bar:
    """A figure between 0 and 1 with its interval (NaN bounds: none) and what is said behind it."""

    label: str
    value: float
    low: float
    high: float
    note: str


def bars(entries: Sequence[Bar], title: str, mark: float | None = None, mark_label: str = "") -> str:
    """SVG: a horizontal bar for each entry on an axis from 0 to 1, whiskers for intervals, a dashed line at `mark`."""
    left, right, row, top = 160, 170, 24, 22
    height = top + row * len(entries) + 26

    def x(value: float) -> float:
        return left + min(max(value, 0.0), 1.0) * (WIDTH - left - right)

    bottom = top + row * len(entries)
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top}" y2="{bottom}" class="grid"/>')
        parts.append(f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    for i, entry in enumerate(entries):
        middle = top + row * i + row / 2
        parts.append(
            f'<text x="{left - 8}" y="{middle + 4:.1f}" text-anchor="end">{escape(_shortened(entry.label))}</text>'
        )
        width = x(entry.value) - left
        parts.append(
            f'<rect x="{left}" y="{middle - 7:.1f}" width="{width:.1f}" height="14" fill="{MODEL}" opacity=".55"/>'
        )
        if math.isfinite(entry.low):
            low, high = x(entry.low), x(entry.high)
            ends = "".join(f"M{end:.1f} {middle - 4:.1f}V{middle + 4:.1f}" for end in (low, high))
            parts.append(f'<path d="M{low:.1f} {middle:.1f}H{high:.1f}{ends}" stroke="#1b1f24" fill="none"/>')
        parts.append(f'<text x="{WIDTH - right + 10}" y="{middle + 4:.1f}">{escape(entry.note)}</text>')
    if mark is not None:
        line = f'<line x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="{top - 4}" y2="{bottom}" stroke="{PAUSED}"'
        parts.append(f'{line} stroke-dasharray="4 3" stroke-width="1.5"/>')
        parts.append(
            f'<text x="{x(mark):.1f}" y="{top - 8}" text-anchor="middle" fill="{PAUSED}">{escape(mark_label)}</text>'
        )
    head = f'<svg class="bars" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
    return head + "".join(parts) + "</svg>"


def _shortened(label: str) -> str:
    return label if len(label) <= MAX_LABEL else label[: MAX_LABEL - 1] + "…"


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
