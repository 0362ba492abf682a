"""How fast a data set is packed, and what reading a clip out of a pack costs beside its folder.

    python -m benchmarks.packing DATASET [--clips 400] [--reads 100] [--scratch DIR]

DATASET's clips are copied under other ids until there are enough of them. Then they are packed (files in the page
cache, and after the kernel was told to forget them), and clips in random order are opened, and some of their arrays
read, from their folders and from the pack: medians over `--reads` clips, the same clip from both, in turn. CPU seconds
stand beside the wall time, for machines that have other work to do.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from render_jobs.packing.pack import PackRequest, pack_into
from simulator.clip import Clip, list_clips

READS: dict[str, Callable[[Clip], object]] = {
    "open": lambda clip: clip.num_frames,
    "open, one frame of rgb": lambda clip: clip.rgb[clip.num_frames // 2],
    "open, all of rgb": lambda clip: clip.rgb[:],
    "open, states": lambda clip: clip.states,
    "open, rgb, twins, states": lambda clip: (clip.rgb[:], [clip.twin(t).rgb[:] for t in clip.twins], clip.states),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--reads", type=int, default=100)
    parser.add_argument("--shard-mb", type=float, default=512)
    parser.add_argument("--scratch", type=Path, help="where to write (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="remind-packing-", dir=options.scratch) as scratch:
        folder, packed = Path(scratch) / "data", Path(scratch) / "packed"
        multiply(list_clips(options.dataset), folder / "clips", options.clips)
        num_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"{options.clips} clips, {num_bytes / 1e6:.0f} MB")
        for state in ("in the page cache", "not in it"):
            shutil.rmtree(packed, ignore_errors=True)
            if state == "not in it":
                forget(folder)
            began, cpu_began = time.perf_counter(), time.process_time()
            pack_into(PackRequest(source=folder, out=packed, shard_bytes=round(options.shard_mb * 1e6)))
            wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
            rates = (
                f"{num_bytes / 1e6 / wall_s:.0f} MB/s; {cpu_s:.1f} s of CPU ({num_bytes / 1e6 / cpu_s:.0f} MB/s of it)"
            )
            print(f"pack, sources {state}: {wall_s:.1f} s, {rates}")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        names = [path.name for path in list_clips(folder)]
        began = time.perf_counter()
        list_clips(packed)
        print(f"reading the index once: {1e3 * (time.perf_counter() - began):.1f} ms")
        print("| milliseconds a clip | folder | pack |\n|---|---|---|")
        for cold in (False, True):
            for what, read in READS.items():
                drawn = np.random.default_rng(0).permutation(names)[: options.reads]
                cells = " | ".join(f"{1e3 * s:.2f}" for s in timed(read, drawn.tolist(), (folder, packed), cold))
                print(f"| {what}{', from disk' if cold else ''} | {cells} |")


def multiply(clips: list[Path], out: Path, number: int) -> None:
    """Copies of the clips under ids of their own."""
    for i in range(number):
        source = clips[i % len(clips)]
        clip_id = hashlib.sha256(f"{source.name} {i}".encode()).hexdigest()[:20]
        shutil.copytree(source, out / clip_id)
        manifest = json.loads((source / "manifest.json").read_text())
        (out / clip_id / "manifest.json").write_text(json.dumps(manifest | {"clip_id": clip_id}))


def forget(root: Path) -> None:
    """Files are written out, and the kernel keeps nothing of them in memory."""
    for path in root.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def timed(read: Callable[[Clip], object], names: list[str], roots: tuple[Path, ...], cold: bool) -> list[float]:
    """Median seconds of a read from each root."""
    seconds: list[list[float]] = [[] for _ in roots]
    for name in names:
        if not cold:
            for root in roots:
                read(Clip.open(root / "clips" / name))
        for root, found in zip(roots, seconds, strict=True):
            if cold:
                forget(root / "clips" / name if (root / "clips").is_dir() else root)
            began = time.perf_counter()
            read(Clip.open(root / "clips" / name))
            found.append(time.perf_counter() - began)
    return [statistics.median(each) for each in seconds]


if __name__ == "__main__":
    main()
