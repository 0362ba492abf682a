"""Film strips for the README: truth, paused twin and, with a run, what its model generated.

    python -m benchmarks.filmstrip CLIP [CLIP ...] [--run RUN] --out docs/filmstrip.png

The model's row is drawn for the last clip only. Frames that are hidden are framed in violet.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from simulator.clip import Clip
from trainer.checkpoint import load_trained
from trainer.rollout import rollout

TILE_PX, LABEL_PX, NUM_TILES = 84, 76, 9
Picture = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    blocks = [strip(Clip.open(path), None) for path in options.clips[: -1 if options.run else None]]
    if options.run:
        blocks.append(strip(Clip.open(options.clips[-1]), options.run))
    gap = Image.new("RGB", (blocks[0].width, 10), "white")
    parts = [part for block in blocks for part in (block, gap)][:-1]
    page = Image.new("RGB", (blocks[0].width, sum(part.height for part in parts)), "white")
    top = 0
    for part in parts:
        page.paste(part, (0, top))
        top += part.height
    page.quantize(256, dither=Image.Dither.NONE).save(options.out, optimize=True)


def strip(clip: Clip, run: Path | None) -> Image.Image:
    """Rows of the same moments: from the start over the hidden window to the end."""
    window = clip.windows[0]
    rows: dict[str, dict[int, Picture]] = {
        "truth": dict(enumerate(clip.rgb[:])),
        "paused": dict(enumerate(clip.twin("paused").rgb[:])),
    }
    frames = np.unique(np.linspace(0, clip.num_frames - 1, NUM_TILES).round().astype(int)).tolist()
    if run is not None:
        made = rollout(load_trained(run), clip)
        rows["model"] = dict(zip(made.frames.tolist(), made.rgb, strict=True))
        frames = made.frames[np.unique(np.linspace(0, len(made.frames) - 1, NUM_TILES).round().astype(int))].tolist()
    frames[min(range(len(frames)), key=lambda i: abs(frames[i] - window.t_r))] = window.t_r
    page = Image.new("RGB", (LABEL_PX + NUM_TILES * TILE_PX, len(rows) * TILE_PX), "white")
    draw = ImageDraw.Draw(page)
    for row, (name, pictures) in enumerate(rows.items()):
        draw.text((8, row * TILE_PX + TILE_PX // 2 - 6), name, fill="black")
        for column, frame in enumerate(frames):
            corner = (LABEL_PX + column * TILE_PX, row * TILE_PX)
            tile = Image.fromarray(pictures[frame]).resize((TILE_PX - 4, TILE_PX - 4), Image.Resampling.NEAREST)
            if frame in window.hidden_frames:
                draw.rectangle((*corner, corner[0] + TILE_PX - 1, corner[1] + TILE_PX - 1), fill=(140, 100, 200))
            page.paste(tile, (corner[0] + 2, corner[1] + 2))
    return page


if __name__ == "__main__":
    main()
