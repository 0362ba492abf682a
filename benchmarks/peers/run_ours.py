"""The scene by this package: `python -m benchmarks.peers.run_ours SCENE.npz OUT THREADS DENOISE`.

Player, rays and writers are those of every clip. The scene has no event type behind it, so its bodies are put on a
stage by hand; the cube that moves is an occluder, which is a rigid body that any shot can place.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import trimesh

from benchmarks.peers import meter
from event_library.parts import Material, Part
from scenes.plan import PLAN_VERSION, CameraPlan, ClipPlan, LightPlan, RenderPlan, ScenePlan, WorldPlan
from simulator.blender.cores import loading_blender
from simulator.clip_writer import ArraysFile, write_video
from simulator.rays import RayCaster
from simulator.stage import Body, Shot, Stage

MOVING = "moving"


def main() -> None:
    scene_file, out, threads, denoise = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1"
    with loading_blender(threads):
        import bpy  # noqa: TID251

        from simulator.blender.player import BlenderPlayer
    given = np.load(scene_file)
    started = meter.cpu_s()
    stage = Stage(_plan(given, denoise=denoise), {}, tuple(_bodies(given)), ())
    caster = RayCaster(stage)
    player = BlenderPlayer(stage, threads)
    shots = [
        Shot(world_from_camera=pose, light_level=1.0, event_times_s={}, samples=int(given["samples"]), seed=frame,
             occluders={MOVING: given["poses"][frame, int(given["moving"])]})
        for frame, pose in enumerate(given["cameras"])
    ]  # fmt: skip
    built = meter.cpu_s()
    hits = [caster.cast(shot) for shot in shots]
    rgb = np.stack([player.render(shot) for shot in shots])
    with ArraysFile(out / "arrays.h5") as arrays:
        arrays.add("rgb", rgb)
        arrays.add("depth_m", np.stack([h.depth_m for h in hits]))
        arrays.add("segmentation", np.stack([h.segmentation for h in hits]))
    write_video(out / "video.mp4", rgb, 8.0)
    meter.report(started, built - started, meter.cpu_s() - built, len(shots), bpy.app.version_string)


def _bodies(given: np.lib.npyio.NpzFile) -> list[Body]:
    bodies = []
    for i, rgb in enumerate(given["colours"].tolist()):
        mesh = trimesh.Trimesh(given[f"v{i}"], given[f"f{i}"], process=False)
        part = Part(f"body{i}", mesh, Material(tuple(rgb)))
        bodies.append(Body(i + 1, part, given["poses"][0, i], None, MOVING if i == int(given["moving"]) else None))
    return sorted(bodies, key=lambda body: body.occluder is not None)


def _plan(given: np.lib.npyio.NpzFile, *, denoise: bool) -> ScenePlan:
    side = int(given["side_px"])
    grey = (float(given["ambient"]),) * 3
    lamp = LightPlan(
        name="lamp", location_m=tuple(given["lamp_m"].tolist()), target_m=(0.0, 0.0, 0.0), rgb=(1.0, 1.0, 1.0),
        size_m=float(given["lamp_size_m"]), power_w=float(given["lamp_w"]),
    )  # fmt: skip
    return ScenePlan(
        version=PLAN_VERSION, name="peers", spec_seed=0, index=0,
        clip=ClipPlan(num_frames=len(given["cameras"]), fps=8.0, width_px=side, height_px=side),
        world=WorldPlan(kind="tabletop", props=(), lights=(lamp,), ambient_rgb=grey), events=(),
        camera=CameraPlan(path="orbit", look_at_m=(0.0, 0.0, 0.4), distance_m=8.0, elevation_rad=0.5, azimuth_rad=0.0,
                          fov_rad=float(given["fov_rad"])),
        interruptions=(), outputs=("rgb", "depth", "segmentation"),
        render=RenderPlan(engine="cycles", samples=int(given["samples"]), denoise=denoise, seed=0),
    )  # fmt: skip


if __name__ == "__main__":
    main()
