"""Film strips as one picture: the same moments of several films, a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

LABEL_PX, TILE_PX, GAP_PX, HEAD_PX = 76, 96, 4, 16
HIDDEN_COLOUR, MADE_COLOUR = "#8f7bc9", "#16803c"  # frames around hidden pictures, around generated ones


@dataclass(frozen=True)
class StripRow:
    """One film: a picture for each column, [H, W, 3] uint8, and the colour of its frame (None: no frame)."""

    name: str
    pictures: Sequence[NDArray[np.uint8]]
    frames: Sequence[str | None]


def film_strip(rows: Sequence[StripRow], headings: Sequence[str]) -> Image.Image:
    """Rows above each other under the headings of the columns; a row may have fewer pictures than there are columns."""
    height, width = rows[0].pictures[0].shape[:2]
    tile = (max(TILE_PX * width // height, 8), TILE_PX)
    across, down = tile[0] + GAP_PX, tile[1] + GAP_PX
    page = Image.new("RGB", (LABEL_PX + len(headings) * across, len(rows) * down + HEAD_PX), "white")
    draw = ImageDraw.Draw(page)
    for column, heading in enumerate(headings):
        draw.text((LABEL_PX + column * across + 2, 2), heading, fill="black")
    for number, row in enumerate(rows):
        top = HEAD_PX + number * down
        draw.text((6, top + tile[1] // 2 - 6), row.name, fill="black")
        for column, (picture, colour) in enumerate(zip(row.pictures, row.frames, strict=True)):
            left = LABEL_PX + column * across
            draw.rectangle((left, top, left + tile[0] + 3, top + tile[1] + 3), fill=colour or "white")
            page.paste(Image.fromarray(picture).resize(tile, Image.Resampling.NEAREST), (left + 2, top + 2))
    return page
