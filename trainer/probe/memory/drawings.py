"""Heat maps and scatter plots of the cache probe's page, as SVG text. No script, no network, everything escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from trainer.probe.charts import MODEL, ticks

CELL_W, CELL_H, LEFT, TOP, BOTTOM = 54, 24, 66, 8, 40
PLOT_W, PLOT_H, EDGE = 420, 260, 46


def heat_map(rows: Sequence[Sequence[float | None]], edges_s: Sequence[float], title: str) -> str:
    """SVG: R2 by layer (a row each, the first on top) and hidden time (a column between two edges).

    Green from white (0) to full (1); below 0 grey; a dash where there is no figure.
    """
    width, height = LEFT + CELL_W * (len(edges_s) - 1) + 14, TOP + CELL_H * len(rows) + BOTTOM
    parts = []
    for layer, row in enumerate(rows):
        y = TOP + CELL_H * layer
        parts.append(f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">layer {layer}</text>')
        for place, exact in enumerate(row):
            value = None if exact is None else round(exact, 2) + 0.0
            x = LEFT + CELL_W * place
            ink = "#fff" if value is not None and value > 0.6 else "#1b1f24"
            text = "–" if value is None else f"{value:.2f}" if value > -1 else "&lt; −1"
            box = f'<rect x="{x}" y="{y}" width="{CELL_W - 2}" height="{CELL_H - 2}" fill="{_colour(value)}"/>'
            parts.append(
                box + f'<text x="{x + CELL_W / 2 - 1}" y="{y + 15}" text-anchor="middle" fill="{ink}">{text}</text>'
            )
    bottom = TOP + CELL_H * len(rows)
    for place, edge in enumerate(edges_s):
        parts.append(f'<text x="{LEFT + CELL_W * place - 1}" y="{bottom + 14}" text-anchor="middle">{edge:.3g}</text>')
    parts.append(f'<text x="{width - 14}" y="{bottom + 32}" text-anchor="end">hidden for, s</text>')
    head = f'<svg class="heat" viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escape(title)}">'
    return head + "".join(parts) + "</svg>"


def scatter(points: Sequence[tuple[float, float]], slope: float | None, title: str, across: str, up: str) -> str:
    """SVG: points, the line of slope 1 (dashed) and the line that was found, both through the origin."""
    reach = 1.1 * max([1e-9, *(abs(x) for x, _ in points)])
    height = max(reach, min(3 * reach, 1.1 * max((abs(y) for _, y in points), default=0.0)))

    def at(x: float, y: float) -> tuple[float, float]:
        u, v = (x + reach) / (2 * reach), (min(max(y, -height), height) + height) / (2 * height)
        return EDGE + u * (PLOT_W - EDGE - 12), PLOT_H - EDGE - v * (PLOT_H - EDGE - 10)

    parts = []
    for value in ticks(-reach, reach):
        (x, bottom), top = at(value, -height), at(value, height)[1]
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" class="grid"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15:.1f}" text-anchor="middle">{value:.3g}</text>')
    for value in ticks(-height, height):
        (left, y), right = at(-reach, value), at(reach, value)[0]
        parts.append(f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{left - 5:.1f}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    lines = [(1.0, "#626b76", ' stroke-dasharray="5 4"')] + ([(slope, MODEL, "")] if slope is not None else [])
    for steep, colour, dash in lines:
        end = min(reach, height / abs(steep)) if steep else reach
        (x0, y0), (x1, y1) = at(-end, -end * steep), at(end, end * steep)
        line = f'<line x1="{x0:.1f}" x2="{x1:.1f}" y1="{y0:.1f}" y2="{y1:.1f}"'
        parts.append(f'{line} stroke="{colour}" stroke-width="1.5"{dash}/>')
    for x, y in points:
        u, v = at(x, y)
        parts.append(f'<circle cx="{u:.1f}" cy="{v:.1f}" r="3" fill="{MODEL}" opacity=".55"/>')
    parts.append(f'<text x="{PLOT_W - 12}" y="{PLOT_H - 8}" text-anchor="end">{escape(across)}</text>')
    parts.append(f'<text x="{EDGE}" y="{PLOT_H - 8}">up: {escape(up)}</text>')
    head = f'<svg viewBox="0 0 {PLOT_W} {PLOT_H}" width="{PLOT_W}" role="img" aria-label="{escape(title)}">'
    return head + "".join(parts) + "</svg>"


def _colour(value: float | None) -> str:
    if value is None:
        return "#f4f6f8"
    if value < 0:
        return "#dcdfe4"
    share = min(value, 1.0)
    full = (22, 128, 60)
    return "#" + "".join(f"{round(255 + share * (part - 255)):02x}" for part in full)
