"""Blender gets no more threads than it is told to use: those left over would spin (simulator.blender.cores)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("bpy")
pytestmark = pytest.mark.blender

RENDER = """
import os, sys
from simulator.blender.cores import loading_blender
allowed = os.sched_getaffinity(0)
with loading_blender(int(sys.argv[1])):
    import bpy
threads = [int(name) for name in os.listdir("/proc/self/task")]
assert all(os.sched_getaffinity(thread) == allowed for thread in threads), "the cores were not given back"
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
scene.render.engine, scene.cycles.samples = "CYCLES", 1
scene.render.resolution_x = scene.render.resolution_y = 16
scene.render.threads_mode, scene.render.threads = "FIXED", int(sys.argv[1])
bpy.ops.render.render(write_still=False)
print("THREADS", len(os.listdir("/proc/self/task")), flush=True)
os._exit(0)
"""


def threads_after_a_render(num_threads: int) -> int:
    done = subprocess.run(
        [sys.executable, "-c", RENDER, str(num_threads)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split("THREADS")[1])


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two cores to tell apart"
)
def test_a_worker_of_one_thread_has_no_threads_left_over() -> None:
    assert threads_after_a_render(1) < threads_after_a_render(2)


def test_too_late_once_blender_is_loaded() -> None:
    code = "import bpy\nfrom simulator.blender.cores import loading_blender\nwith loading_blender(1): pass"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert "RuntimeError: Blender is loaded already" in done.stderr
