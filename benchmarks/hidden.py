"""How much light a hidden event really throws into the picture.

    python -m benchmarks.hidden DATASET [--samples N]

The renderer leaves an event that is wholly out of the picture out of the light as well, its lamps as they were
(`Shot.muted`). Here two hidden frames of every clip are rendered with the event fully present, at low noise, once with
the true state and once with the state of t_h, and once as the clip has them. Prints the greatest change of a 3x3 mean,
in 1/255 (DESIGN section 5 allows 1).
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from scenes.plan import ScenePlan
from simulator.blender.player import BlenderPlayer
from simulator.clip import Clip, list_clips
from simulator.hiding import largest_mean_change
from simulator.stage import Stage
from simulator.timeline import paused_shots, truth_shots


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--samples", type=int, default=512)
    options = parser.parse_args()
    print(f"greatest change of a 3x3 mean, 1/255, {options.samples} samples")
    print(f"{'clip':22}{'type':22}{'kind':12}{'state of t_h':>14}{'as in the clip':>16}")
    for path in list_clips(options.dataset):
        clip = Clip.open(path)
        for window in clip.windows:
            paused, shown = measure(ScenePlan.read(path / "plan.json"), clip, options.samples)
            kind = clip.manifest["event_types"][window.target]
            print(f"{clip.clip_id:22}{kind:22}{window.kind:12}{paused:14.2f}{shown:16.2f}", flush=True)
    sys.stdout.flush()
    os._exit(0)  # Blender inside Python can hang at interpreter exit


def measure(plan: ScenePlan, clip: Clip, samples: int) -> tuple[float, float]:
    """Greatest change with the paused state, and as the clip has it, over the first and the last hidden frame."""
    stage = Stage.from_plan(plan)
    player = BlenderPlayer(stage, os.cpu_count() or 1)
    truth, paused = truth_shots(plan), paused_shots(plan, clip.windows)
    changes = []
    for frame in (clip.windows[0].hidden_frames[0], clip.windows[0].hidden_frames[-1]):
        present = player.render(replace(truth[frame], samples=samples, muted=frozenset(), lamp_times_s={}))
        frozen = player.render(replace(paused[frame], samples=samples, muted=frozenset(), lamp_times_s={}))
        shown = player.render(replace(truth[frame], samples=samples))
        changes.append((largest_mean_change(present, frozen), largest_mean_change(present, shown)))
    return max(c[0] for c in changes), max(c[1] for c in changes)


if __name__ == "__main__":
    main()
