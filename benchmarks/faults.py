"""Chaos with real Blender workers: does a data set that was killed again and again equal an undisturbed one?

    python -m benchmarks.faults [--clips 12] [--kills 8] [--out faults] [--seed 0]

Renders tiny clips undisturbed; then into another data set with two `remind render` at once, killing (SIGKILL, SIGSEGV,
SIGINT) workers and runs at random moments, until all clips are there. Compares the hashes of all arrays, and tells how
long an interrupted run took to leave.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from simulator.clip import Clip, list_clips

SPEC = """\
version: 1
name: {type}
seed: 5
clip: {{num_frames: 8, fps: 4, resolution: [48, 48]}}
events: [{{id: it, type: {type}}}]
camera: {{path: static, look_at: it}}
render: {{engine: cycles, samples: 2, denoise: false}}
outputs: [rgb, depth, segmentation]
"""
TYPES = ("pendulum_swing", "tank_filling", "tower_of_hanoi")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("faults"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell is born deaf to it
    specs: Path = options.out / "specs"
    specs.mkdir(parents=True)
    for name in TYPES:
        (specs / f"{name}.yaml").write_text(SPEC.format(type=name))
    count = -(-options.clips // len(TYPES))
    peace, war, luck = options.out / "peace", options.out / "war", np.random.default_rng(options.seed)
    start(specs, peace, count).wait()
    left_s: list[float] = []
    for number in range(options.kills):
        runs = [start(specs, war, count) for _ in range(2)]
        time.sleep(luck.uniform(6.0, 12.0))
        workers = [child for run in runs for child in children(run.pid)]
        for worker in luck.permutation(np.array(workers, dtype=object))[:1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.send_signal(signal.SIGSEGV if number % 2 else signal.SIGKILL)
        time.sleep(luck.uniform(0.0, 3.0))
        for run, fault in zip(runs, (signal.SIGINT, signal.SIGKILL), strict=True):
            began_s = time.monotonic()
            was_alive = run.poll() is None
            run.send_signal(fault)
            run.wait()
            if fault == signal.SIGINT and was_alive:
                left_s.append(time.monotonic() - began_s)
        print(f"after kill {number + 1}: {len(list_clips(war))} clips", flush=True)
    start(specs, war, count).wait()
    wanted, found = hashes(peace), hashes(war)
    log = (war / "render.log").read_text()
    print(f"{len(found)} clips, {sum(found.get(key) == value for key, value in wanted.items())} of {len(wanted)} equal")
    print(f"published {log.count('done at attempt')} times, {log.count('failed at attempt')} attempts reported lost")
    print(f"Ctrl-C: the run was gone after {', '.join(f'{s:.2f}' for s in left_s)} s")
    return 0 if found == wanted else 1


def start(specs: Path, out: Path, count: int) -> subprocess.Popen[bytes]:
    words = ["render", str(specs), "--out", str(out), "--count", str(count), "--workers", "1"]
    return subprocess.Popen(
        [sys.executable, "-m", "remind", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def children(process: int) -> list[psutil.Process]:
    try:
        return psutil.Process(process).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def hashes(root: Path) -> dict[str, str]:
    return {path.name: Clip.open(path).manifest["arrays_sha256"] for path in list_clips(root)}


if __name__ == "__main__":
    sys.exit(main())
