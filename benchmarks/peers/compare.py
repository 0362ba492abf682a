"""Runs the scene in every system, in turn, and prints what a frame costs. Part of benchmarks/render.py."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.peers.scene import write_scene

FOLDER = Path(__file__).parent
FRAMES = {64: 24, 128: 12}  # else 8


def compare(options: argparse.Namespace) -> None:
    """CPU seconds a frame of the same scene by this package, by bare Blender and by BlenderProc."""
    systems = {"ours": [sys.executable, "-m", "benchmarks.peers.run_ours"]}
    systems["bare Blender"] = [sys.executable, str(FOLDER / "run_bare.py")]
    if options.blenderproc is not None:
        systems["BlenderProc 2.8"] = [str(options.blenderproc), str(FOLDER / "run_blenderproc.py")]
    print(f"{options.samples} samples; CPU seconds of all threads and children, median (range) of {options.repeats}")
    print("| px | denoiser | system | start, imports | scene | a frame | against ours | peak MB |\n" + "|---" * 8 + "|")
    for side in options.sides:
        for denoise in (False, True):
            found: dict[str, list[dict[str, float]]] = {name: [] for name in systems}
            for _ in range(options.repeats):
                for name, command in systems.items():
                    found[name].append(run(command, side, options.samples, denoise=denoise))
            ours = np.median([f["frame_cpu_s"] for f in found["ours"]])
            for name, figures in found.items():
                spread = [[f[key] for f in figures] for key in ("start_cpu_s", "build_cpu_s", "frame_cpu_s", "peak_mb")]
                start, scene, frame, peak = (np.median(values) for values in spread)
                ratio = frame / ours
                print(
                    f"| {side} | {'on' if denoise else 'off'} | {name} | {start:.2f} | {scene:.2f} | {frame:.3f} "
                    f"({min(spread[2]):.3f} to {max(spread[2]):.3f}) | {ratio:.2f} | {peak:.0f} |",
                    flush=True,
                )


def run(command: list[str], side_px: int, samples: int, *, denoise: bool) -> dict[str, float]:
    """Figures of one run in a process of its own. Raises RuntimeError with its last words when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        scene, out = Path(folder) / "scene.npz", Path(folder) / "out"
        out.mkdir()
        write_scene(scene, side_px, FRAMES.get(side_px, 8), samples)
        arguments = [str(scene), str(out), str(os.cpu_count() or 1), "1" if denoise else "0"]
        environment = {**os.environ, "TMPDIR": folder, "PYTHONPATH": os.pathsep.join(sys.path[:1])}
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, env=environment, cwd=FOLDER.parents[1]
        )
        if "FIGURES " not in done.stderr or not any(out.iterdir()):
            raise RuntimeError(f"{command}: {done.stderr[-2000:]}")
        return json.loads(done.stderr.rpartition("FIGURES ")[2].splitlines()[0])
