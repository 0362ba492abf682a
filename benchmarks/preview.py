"""How fast the preview renderer is, on one core, and how well its silhouettes agree with the rays.

    python -m benchmarks.preview [TYPE ...] [--size PX] [--frames N]

Milliseconds of CPU time a frame (where Mesa draws in software, it draws in this one thread): the picture, and
picture and masks (ids and depth) of the same frame; `states` is the part of it that law and channels take. Every
frame is another instant. `differ` are pixels whose id is not that of the rays, shells apart, in 1/10 000.
"""

from __future__ import annotations

import os

os.environ |= {"LP_NUM_THREADS": "0", "OPENBLAS_NUM_THREADS": "1"}  # one core; both are read once

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np

from scenes.showing import showing_plan
from simulator.preview import open_preview
from simulator.preview.renderer import PreviewRenderer
from simulator.rays import RayCaster
from simulator.stage import Shot, Stage
from simulator.timeline import truth_shots

PASSES = 4
TYPES = (
    "tank_filling", "candle_burning_down", "domino_chain", "gardener_watering", "flower_opening", "gray_scott_spots",
    "tide_rising", "toy_train_oval", "kettle_boiling_away", "hourglass", "timer_valve_tank_leds", "queue_advancing",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("types", nargs="*", default=TYPES, metavar="TYPE")
    parser.add_argument("--size", type=int, default=256, metavar="PX")
    parser.add_argument("--frames", type=int, default=20, metavar="N")
    options = parser.parse_args()
    print("| type | bodies | faces | states ms | picture ms | with masks ms | frames/s | differ |\n" + "|---" * 8 + "|")
    spent = []
    for kind in options.types:
        stage = Stage.from_plan(showing_plan(kind, 0, options.size))
        shots = truth_shots(stage.plan)
        shots = [shots[i] for i in np.linspace(0, len(shots) - 1, options.frames).round().astype(int)]
        renderer = open_preview(stage)

        picture_and_masks(renderer)(shots[0])  # shaders are compiled
        work = (stage.channels, renderer.render, picture_and_masks(renderer))
        states, picture, whole = (cpu_ms(each, shots) for each in work)
        spent.append(whole)
        faces = sum(len(b.part.mesh.faces) for b in stage.bodies)
        differ = 1e4 * disagreement(stage, shots[:: max(1, len(shots) // 5)])
        cells = [kind, len(stage.bodies), faces, *(f"{x:.1f}" for x in (states, picture, whole))]
        print("| " + " | ".join(map(str, [*cells, f"{1e3 / whole:.0f}", f"{differ:.1f}"])) + " |", flush=True)
    print(f"\n{renderer.device}, {options.size} px: median {1e3 / np.median(spent):.0f} frames/s with masks")


def picture_and_masks(renderer: PreviewRenderer) -> Callable[[Shot], object]:
    return lambda shot: (renderer.render(shot), renderer.silhouettes(shot))


def cpu_ms(work: Callable[[Shot], object], shots: Sequence[Shot]) -> float:
    """Milliseconds of CPU time of this process: median over the shots of the least of PASSES passes over all of them,
    since a busy machine makes CPU time longer, never shorter.
    """
    taken = np.zeros((PASSES, len(shots)))
    for row in taken:
        for column, shot in enumerate(shots):
            began = time.process_time()
            work(shot)
            row[column] = 1e3 * (time.process_time() - began)
    return float(np.median(taken.min(axis=0)))


def disagreement(stage: Stage, shots: Sequence[Shot]) -> float:
    """Share of the pixels whose id is another than the rays say, where they say what is opaque."""
    caster, renderer = RayCaster(stage), open_preview(stage)
    shells = [b.instance for b in stage.bodies if b.part.see_through]
    wrong = known = 0
    for shot in shots:
        rays = caster.cast(shot).segmentation
        counted = ~np.isin(rays, shells)
        wrong += int((counted & (renderer.silhouettes(shot)[0] != rays)).sum())
        known += int(counted.sum())
    return wrong / known


if __name__ == "__main__":
    main()
