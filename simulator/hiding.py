"""Is it really hidden? Rendered, not assumed: hidden frames with the true state and with the state of t_h.

A clip leaves an event that is wholly out of sight by plan out of the light too (`Shot.muted`), so its own frames cannot
tell. Here the event's bodies are fully present: what they would still do to the picture by shadows, reflections and
bounced light is the greatest change of a 3x3 mean (DESIGN section 5 allows 1/255). The events' lamps stay as the clip
has them; `benchmarks/hidden.py` measures what that leaves out.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from scenes.plan import ScenePlan
from simulator.effects import clearness
from simulator.produce import OpenRenderer, Progress
from simulator.rays import RayCaster
from simulator.stage import Stage
from simulator.timeline import paused_shots, truth_shots
from simulator.visibility import hidden_windows, see

SAMPLES = 128
LARGEST_PX = 64  # longer pictures are made smaller for the check
FOUND = "hiding.json"


def largest_mean_change(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Greatest absolute change of a 3x3 mean between two pictures [H, W, 3], in 1/255."""
    difference = first.astype(np.float64) - second.astype(np.float64)
    return float(np.abs(uniform_filter(difference, size=(3, 3, 1), mode="nearest")).max())


def small(plan: ScenePlan) -> ScenePlan:
    """The plan with pictures of at most LARGEST_PX a side."""
    clip = plan.clip
    factor = min(1.0, LARGEST_PX / max(clip.width_px, clip.height_px))
    sides = {side: max(2, round(getattr(clip, side) * factor)) for side in ("width_px", "height_px")}
    return dataclasses.replace(plan, clip=dataclasses.replace(clip, **sides))


def produce_hiding(plan: ScenePlan, out: Path, open_renderer: OpenRenderer, progress: Progress) -> dict[str, float]:
    """Write FOUND into `out`: [{target, kind, frame, change}] of the first and the last hidden frame of each window.

    Frames of whose picture nothing is left (fog, black, corrupt, dropped) hide by construction: their change is 0.
    """
    stage = Stage.from_plan(plan)
    _, visibility = see(stage, RayCaster(stage))
    windows = hidden_windows(plan, visibility)
    truth = truth_shots(plan)
    renderer, found = open_renderer(stage), []
    asked = [
        (window, frame) for window in windows for frame in sorted({window.hidden_frames[0], window.hidden_frames[-1]})
    ]
    for done, (window, frame) in enumerate(asked, start=1):
        change = 0.0
        if clearness(truth[frame].effects) > 0:
            paused = paused_shots(plan, (window,))  # the other targets go on: they may be in plain sight
            pictures = [
                renderer.render(dataclasses.replace(shots[frame], samples=SAMPLES, muted=frozenset()))
                for shots in (truth, paused)
            ]
            change = largest_mean_change(*pictures)
        found.append({"target": window.target, "kind": window.kind, "frame": frame, "change": change})
        progress(done, len(asked))
    (out / FOUND).write_text(json.dumps(found, indent=1))
    return {"pictures": float(2 * len(asked))}
