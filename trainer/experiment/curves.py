"""Lines over training steps as SVG text. No script, everything escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from trainer.probe.charts import ticks

WIDTH, HEIGHT = 560, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 130, 12, 32
COLOURS = ("#1f5fa8", "#b4501e", "#16803c", "#7b4fb0", "#a0791a", "#0f7f8a", "#b0306a", "#5a6470")


@dataclass(frozen=True)
class Curve:
    """A named line; points are (step, value) in the order of steps."""

    name: str
    points: Sequence[tuple[float, float]]


def curves(lines: Sequence[Curve], title: str) -> str:
    """All lines on common axes, their names beside them. At least one line, with two points."""
    steps = [step for line in lines for step, _ in line.points]
    values = [value for line in lines for _, value in line.points]
    x_span = min(steps), max(max(steps), min(steps) + 1)
    low, high = min(values), max(values)
    margin = 0.05 * (high - low) or 0.5
    y_span = low - margin, high + margin

    def at(step: float, value: float) -> tuple[float, float]:
        u = (step - x_span[0]) / (x_span[1] - x_span[0])
        v = (value - y_span[0]) / (y_span[1] - y_span[0])
        return LEFT + u * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - v * (HEIGHT - TOP - BOTTOM)

    parts = []
    for value in ticks(*y_span):
        _, y = at(x_span[0], value)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for step in ticks(*x_span, about=4):
        x, _ = at(step, y_span[0])
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{step:g}</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 2}">step</text>')
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        dash = ' stroke-dasharray="5 3"' if number >= len(COLOURS) else ""
        points = " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in line.points)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
        y = TOP + 12 + 15 * number
        parts.append(f'<text x="{WIDTH - RIGHT + 10}" y="{y}" fill="{colour}">{escape(line.name)}</text>')
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
    return head + "".join(parts) + "</svg>"
