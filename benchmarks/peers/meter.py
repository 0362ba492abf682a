"""CPU seconds of this process and its children, for the scripts of this folder. Standard library only."""

from __future__ import annotations

import json
import os
import resource
import sys


def cpu_s() -> float:
    return sum(os.times()[:4])


def report(start_s: float, build_s: float, frames_s: float, num_frames: int, version: str) -> None:
    """One JSON line on stderr for benchmarks/render.py; then the process is gone (Blender may hang at its exit)."""
    peak_mb = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    found = {
        "start_cpu_s": start_s, "build_cpu_s": build_s, "frame_cpu_s": frames_s / num_frames, "peak_mb": peak_mb,
        "blender": version,
    }  # fmt: skip
    print("FIGURES " + json.dumps(found), file=sys.stderr, flush=True)
    os._exit(0)
