"""A page with every event type at three times, drawn by cast rays: geometry and colours, no light."""

from __future__ import annotations

import html
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from event_library.base import Event
from event_library.preview import look

TIMES_S = (0.0, 3.0, 7.0)

PAGE = """<!doctype html><meta charset="utf-8"><title>Event types</title>
<style>body{{font:15px sans-serif;max-width:60em;margin:2em auto}}img{{margin-right:4px}}</style>
<h1>Event types</h1>
<p>Defaults at {times} s, drawn by cast rays: geometry and colours without light, glass or flames.</p>
{rows}
"""
ROW = "<h2>{id}</h2><p>{summary} <i>{law}</i></p><p>{pictures}</p>"


def write_gallery(out: Path, kinds: Sequence[type[Event]], num_px: int = 256) -> Path:
    """Write `<id>_<k>.png` and `index.html` into `out` (made when missing); returns the page."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for kind in kinds:
        event = kind()
        names = [f"{kind.info.id}_{index}.png" for index in range(len(TIMES_S))]
        for name, t_s in zip(names, TIMES_S, strict=True):
            picture = look(event, event.state_at(t_s), num_px=num_px).rgb
            (out / name).write_bytes(png(np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)))
        pictures = "".join(f'<img src="{name}" width="{num_px}" alt="{kind.info.id}">' for name in names)
        facts = {"id": kind.info.id, "summary": kind.info.summary, "law": kind.info.law}
        rows.append(ROW.format(pictures=pictures, **{k: html.escape(v) for k, v in facts.items()}))
    page = out / "index.html"
    page.write_text(PAGE.format(times=", ".join(f"{t:g}" for t in TIMES_S), rows="\n".join(rows)), encoding="utf-8")
    return page


def png(rgb: NDArray[np.uint8]) -> bytes:
    """A PNG file of an [H, W, 3] picture."""
    height, width = rgb.shape[:2]
    rows = np.hstack([np.zeros((height, 1), np.uint8), rgb.reshape(height, width * 3)])  # filter byte 0 before each row

    def chunk(tag: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows.tobytes()))
        + chunk(b"IEND", b"")
    )
