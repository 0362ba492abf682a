"""Runs inside Blender's process for test_blender.py: takes measurements and prints them as one JSON line."""

import dataclasses
import json
import os
import sys

import bpy  # noqa: TID251  (runs in Blender's process)
import numpy as np

from simulator.blender.player import BlenderPlayer
from simulator.hiding import largest_mean_change
from simulator.rays import RayCaster
from simulator.stage import Stage
from simulator.timeline import paused_shots, truth_shots
from simulator.visibility import hidden_windows, see
from tests.simulator.support import tank_plan


def main() -> None:
    plan = tank_plan()
    plan = dataclasses.replace(plan, clip=dataclasses.replace(plan.clip, width_px=48, height_px=32))
    stage = Stage.from_plan(plan)
    shots = truth_shots(plan)
    found = {"order": order(stage, shots), "hidden": hidden(stage, shots), **depth(stage, shots[8])}
    print("MEASURED " + json.dumps(found), flush=True)
    os._exit(0)


def order(stage, shots):
    """The same shot before and after other shots, and in a Blender that saw nothing else."""
    player = BlenderPlayer(stage, 1)
    first = player.render(shots[5])
    player.render(shots[20])
    player.render(dataclasses.replace(shots[40], samples=2))
    wrapped = player.render(dataclasses.replace(shots[5], seed=shots[5].seed + 2**31))  # more than Cycles takes
    again, other = player.render(shots[5]), player.render(shots[6])
    fresh = BlenderPlayer(stage, 2).render(shots[5])
    return {
        "again": bool(np.array_equal(first, again)),
        "fresh": bool(np.array_equal(first, fresh)),
        "other": bool(np.array_equal(first, other)),
        "wrapped": bool(np.array_equal(first, wrapped)),
    }


def hidden(stage, shots):
    """Low-noise change of a hidden frame with the state, the event being fully present in its light."""
    _, visibility = see(stage, RayCaster(stage))
    windows = hidden_windows(stage.plan, visibility)
    player, frame = BlenderPlayer(stage, 2), windows[0].hidden_frames[-1]
    present = dataclasses.replace(shots[frame], samples=256, muted=frozenset(), lamp_times_s={})
    frozen = dataclasses.replace(
        paused_shots(stage.plan, windows)[frame], samples=256, muted=frozenset(), lamp_times_s={}
    )
    seen = dataclasses.replace(shots[windows[0].t_r], samples=64)
    seen_frozen = dataclasses.replace(paused_shots(stage.plan, windows)[windows[0].t_r], samples=64)
    return {
        "hidden": largest_mean_change(player.render(present), player.render(frozen)),
        "muted": largest_mean_change(
            player.render(present), player.render(dataclasses.replace(shots[frame], samples=256))
        ),
        "seen": largest_mean_change(player.render(seen), player.render(seen_frozen)),
    }


def depth(stage, shot):
    """Cycles' Z and object index at pixel centres against the rays, with every shell taken out of both."""
    bare = Stage(
        stage.plan,
        stage.events,
        tuple(b for b in stage.bodies if not b.part.see_through and b.part.in_rays),
        stage.lamps,
    )
    player = BlenderPlayer(bare, 1)
    layer = bpy.context.view_layer
    layer.use_pass_z = layer.use_pass_object_index = True
    layer.pass_alpha_threshold = 0.0
    for body in bare.bodies:
        bpy.data.objects[body.key].pass_index = body.instance
    passes = {}
    import cycles

    inner = cycles.CyclesRender.render

    def render(engine, depsgraph):
        inner(engine, depsgraph)
        result = engine.get_result()
        for name in ("Depth", "IndexOB"):
            flat = np.empty(result.resolution_x * result.resolution_y, dtype=np.float32)
            next(p for p in result.layers[0].passes if p.name == name).rect.foreach_get(flat)
            passes[name] = flat.reshape(result.resolution_y, result.resolution_x)[::-1]

    cycles.CyclesRender.render = render
    player.render(shot)
    cycles.CyclesRender.render = inner
    hits = RayCaster(bare).cast(shot)
    hit = hits.segmentation > 0
    return {
        "pixels": int(hit.sum()),
        "id_mismatches": int((passes["IndexOB"] != hits.segmentation).sum()),
        "depth_error": float(np.abs(passes["Depth"][hit] / hits.depth_m[hit] - 1).max()),
    }


if __name__ == "__main__":
    sys.exit(main())
