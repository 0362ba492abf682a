"""Runs inside Blender's process for test_blend_file.py: opens an exported file and compares it with the player.

    python -m tests.simulator.in_blender_file FILE.blend PLAN.json FRAME ...

Prints one JSON line: names, range, and for each frame the camera's matrix, the light's power and the PSNR of a rendered
picture against the player's, which is the clip's own frame.
"""

import json
import os
import sys
from pathlib import Path

import bpy  # noqa: TID251  (runs in Blender's process)
import numpy as np

from scenes.plan import ScenePlan
from simulator.blender.capture import Capture, srgb_from_linear
from simulator.blender.player import BlenderPlayer
from simulator.stage import Stage
from simulator.timeline import truth_shots


def main() -> None:
    file, plan_path, *frames = sys.argv[1:]
    plan = ScenePlan.read(Path(plan_path))
    capture = Capture.install()
    bpy.ops.wm.open_mainfile(filepath=file)
    scene = bpy.context.scene
    found = {
        "objects": sorted(thing.name for thing in scene.objects),
        "range": [scene.frame_start, scene.frame_end],
        "fps": scene.render.fps / scene.render.fps_base,
        "plan": bpy.data.texts["plan.json"].as_string(),
        "frames": {},
    }
    pictures = {}
    for frame in map(int, frames):
        scene.frame_set(frame)
        bpy.ops.render.render(write_still=False)
        pictures[frame] = srgb_from_linear(capture.take())
        found["frames"][frame] = {
            "camera": np.array(scene.camera.matrix_world).tolist(),
            "power_w": {light.name: light.energy for light in bpy.data.lights},
        }
    player, shots = BlenderPlayer(Stage.from_plan(plan), 2), truth_shots(plan)
    own = {frame: player.render(shots[frame]) for frame in pictures}
    first = own[next(iter(own))]
    for frame, picture in pictures.items():
        found["frames"][frame]["psnr_db"] = psnr_db(picture, own[frame])
        found["frames"][frame]["psnr_of_first_db"] = psnr_db(first, own[frame])
    print("MEASURED " + json.dumps(found), flush=True)
    os._exit(0)


def psnr_db(first, second):
    error = np.mean((first.astype(np.float64) - second) ** 2)
    return float(10 * np.log10(255.0**2 / max(error, 1e-9)))


if __name__ == "__main__":
    sys.exit(main())
