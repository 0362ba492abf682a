"""Every kind of interruption, rendered: does it hide, and what does it look like?

    python -m benchmarks.interruptions [--plans N] [--size PX] [--picture docs/interruptions.png]

For N plans of each kind (other event types, worlds and camera paths), hidden frames are rendered with the true state
and with that of t_h, the event being fully present (simulator/hiding.py). Prints the greatest change of a 3x3 mean, in
1/255 (DESIGN section 5 allows 1), as a Markdown table; with --picture also a strip of each kind's first plan.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from scenes.cameras import envelope
from scenes.errors import SpecError
from scenes.loading import parse_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from simulator.blender.player import BlenderPlayer
from simulator.hiding import FOUND, produce_hiding, small
from simulator.produce import Camera
from simulator.rays import RayCaster
from simulator.stage import Stage
from simulator.timeline import clip_clock, truth_shots

KINDS = (
    "look_away, motion: yaw", "look_away, motion: pitch", "look_away, motion: translate", "occluder, occluder: board",
    "occluder, occluder: curtain", "occluder, occluder: crate", "lights_off",
    "lights_off, event_lights: true", "fog", "blackout", "frame_drop",
    "corrupt, corruption: noise", "corrupt, corruption: blur", "corrupt, corruption: blocks",
)  # fmt: skip
TYPES = (
    "tank_filling", "flower_opening", "domino_chain", "bread_toasting", "pendulum_swing", "tower_of_hanoi", "hourglass",
    "toy_train_oval", "tide_rising", "kettle_boiling_away",
)  # fmt: skip
WORLDS = ("tabletop", "room", "shelf", "outdoor")
PATHS = ("static", "orbit", "pan", "dolly", "arc")
SPEC = """
version: 1
name: shown
seed: {seed}
clip: {{num_frames: 64, fps: 8, resolution: [{size}, {size}]}}
world: {{kind: {world}, clutter: {{uniform_int: [1, 3]}}}}
events:
  - {{id: shown, type: {type}}}
camera: {{path: {path}, look_at: shown}}
interruptions:
  - {{target: shown, kind: {kind}, hidden_s: [1.5, 2.0]}}
"""
COLUMNS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=3, metavar="N")
    parser.add_argument("--size", type=int, default=96, metavar="PX")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    strips = []
    table = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # Blender prints to stdout from C
    print(
        "| kind | greatest change of a 3x3 mean, 1/255, over first and last hidden frames of each plan |\n|---|---|",
        file=table,
    )
    for number, kind in enumerate(KINDS):
        changes = []
        for n in range(options.plans):
            plan, what = suited_plan(kind, 7 * number + n, options.size)
            if n == 0 and options.picture is not None:
                strips.append(strip(plan, kind))
            changes.append(f"{hiding(plan):.2f} ({what})")
        print(f"| {kind} | {', '.join(changes)} |", file=table)
    if options.picture is not None:
        page = Image.new("RGB", (strips[0].width, sum(s.height for s in strips)), "white")
        for row, made in enumerate(strips):
            page.paste(made, (0, row * made.height))
        page.quantize(256, dither=Image.Dither.NONE).save(options.picture, optimize=True)
    table.flush()
    os._exit(0)  # Blender inside Python can hang at interpreter exit


def suited_plan(kind: str, number: int, size_px: int) -> tuple[ScenePlan, str]:
    """Plan `number` of a kind, and its type, world and path; what cannot be is on a table, or a glass there."""
    wanted, around, path = TYPES[number % len(TYPES)], WORLDS[number % len(WORLDS)], PATHS[number % len(PATHS)]
    for type_id, world in ((wanted, around), (wanted, "tabletop"), ("tank_filling", "tabletop")):
        text = SPEC.format(seed=number, size=size_px, world=world, type=type_id, path=path, kind=kind)
        try:
            return sample_plans(parse_spec(text, "shown.yaml"), 1)[0], f"{type_id}, {world}, {path}"
        except SpecError as error:
            print(f"{world}: {error}", file=sys.stderr)
    raise ValueError(f"{kind}: cannot be shown at all")


def hiding(plan: ScenePlan) -> float:
    """Greatest change of any window."""
    with tempfile.TemporaryDirectory() as folder:
        produce_hiding(small(plan), Path(folder), _open, lambda done, total: None)
        return max(float(entry["change"]) for entry in json.loads((Path(folder) / FOUND).read_text()))


def strip(plan: ScenePlan, kind: str) -> Image.Image:
    """One row: before, the way out, hidden, the way back, after."""
    stage, window = Stage.from_plan(plan), plan.interruptions[0]
    camera = Camera(RayCaster(stage), _open(stage), lambda done, total: None)
    share = np.array([envelope(window, t_s) for t_s in clip_clock(plan).frame_times_s])
    hold = np.flatnonzero(share == 1.0)
    frames = [0, hold[0] - 2, hold[0] - 1, hold[0], hold[-1], hold[-1] + 1, hold[-1] + 3, len(share) - 1]
    shots = truth_shots(plan)
    pictures = camera.take([shots[int(frame)] for frame in frames])
    size_px, label_px = plan.clip.width_px, 86
    page = Image.new("RGB", (label_px + COLUMNS * (size_px + 3), size_px + 3), "white")
    ImageDraw.Draw(page).text((4, size_px // 2 - 12), kind.replace(", ", "\n").replace("motion: ", ""), fill="black")
    for column, picture in enumerate(pictures):
        page.paste(Image.fromarray(picture), (label_px + column * (size_px + 3), 0))
    return page


def _open(stage: Stage) -> BlenderPlayer:
    return BlenderPlayer(stage, os.cpu_count() or 1)


if __name__ == "__main__":
    main()
