"""A contact sheet of random plans over all worlds, one frame of each, to be judged by eye.

    python -m benchmarks.looks --count 40 --out looks.png [--size 256x256] [--singles FOLDER] [--type ID] [--world KIND]

Plan i has world i mod 4, an event type of family i mod 14, and a camera, light and clutter of its own. Renders with
Cycles in this process, a few seconds a picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from event_library.registry import EVENT_TYPES
from scenes.errors import SpecError
from scenes.loading import parse_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from scenes.seeding import generator
from scenes.worlds import WORLDS
from simulator.blender.player import BlenderPlayer
from simulator.stage import Stage
from simulator.timeline import truth_shots

LABEL_PX = 14
INDOORS, OUTDOORS = ("studio", "window"), ("day", "evening", "overcast")
SPEC = """
version: 1
name: {name}
seed: {seed}
clip: {{num_frames: 24, fps: 8, resolution: [{width}, {height}]}}
world: {{kind: {world}, clutter: [1, 4], light: {{preset: {preset}, strength: [0.85, 1.15]}}}}
events: [{{id: shown, type: {type}}}]
camera: {{path: static, look_at: shown, azimuth_deg: [-30, 30]}}
render: {{engine: cycles, samples: 8, denoise: true}}
outputs: [rgb]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", default="256x256")
    parser.add_argument("--columns", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--singles", type=Path)
    parser.add_argument("--type", choices=sorted(EVENT_TYPES))
    parser.add_argument("--world", choices=sorted(WORLDS))
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    tiles = []
    for i in range(options.count):
        plan = random_plan(i, options.seed, width, height, options.type, options.world)
        picture, label = taken(plan), f"{i} {plan.world.kind}: {plan.events[0].type}"
        print(label, flush=True)
        if options.singles:
            options.singles.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(options.singles / f"{i:02d}.png")
        tiles.append((picture, label))
    page = sheet(tiles, options.columns)
    page.quantize(256, dither=Image.Dither.NONE).save(options.out, optimize=True)


def random_plan(
    index: int, seed: int, width: int, height: int, type_id: str | None = None, world: str | None = None
) -> ScenePlan:
    """Plan `index`; an event type that the world cannot take is drawn again."""
    families = sorted({kind.info.family for kind in EVENT_TYPES.values()})
    for attempt in range(20):
        rng = generator(seed, "looks", index, attempt)
        family = [name for name, kind in EVENT_TYPES.items() if kind.info.family == families[index % len(families)]]
        chosen = type_id or family[int(rng.integers(len(family)))]
        kind = world or list(WORLDS)[index % len(WORLDS)]
        dark = bool(EVENT_TYPES[chosen]().assembly().lamps)
        presets = OUTDOORS if kind == "outdoor" else ("dim",) if dark else INDOORS
        text = SPEC.format(
            name=chosen, seed=seed + 100 * index + attempt, width=width, height=height, world=kind, type=chosen,
            preset=presets[int(rng.integers(len(presets)))],
        )  # fmt: skip
        try:
            return sample_plans(parse_spec(text, f"plan {index}", EVENT_TYPES), 1)[0]
        except SpecError as error:
            print(error, flush=True)
    raise SystemExit(f"plan {index}: no event type could be planned")


def taken(plan: ScenePlan) -> NDArray[np.uint8]:
    """[H, W, 3] the frame in the middle of the clip."""
    return BlenderPlayer(Stage.from_plan(plan), 2).render(truth_shots(plan)[plan.clip.num_frames // 2])


def sheet(tiles: list[tuple[NDArray[np.uint8], str]], columns: int) -> Image.Image:
    """Pictures in rows, each with its label below."""
    height, width = tiles[0][0].shape[:2]
    rows = -(-len(tiles) // columns)
    page = Image.new("RGB", (columns * width, rows * (height + LABEL_PX)), "white")
    draw = ImageDraw.Draw(page)
    for i, (picture, label) in enumerate(tiles):
        x, y = i % columns * width, i // columns * (height + LABEL_PX)
        page.paste(Image.fromarray(picture), (x, y))
        draw.text((x + 3, y + height + 1), label, fill="black")
    return page


if __name__ == "__main__":
    main()
