"""Clips: one file of a small clip at a time torn, overwritten, or (its JSON) given other values."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.fuzzing.trees import mutated_bytes, mutated_text, mutated_tree, pick

WORDS = ("clip_id", "instances", "variables", "windows", "t_h", "hidden_frames", "clip", "x")
DATA = ("arrays.h5", "states.parquet", "twins.parquet", "boxes.parquet", "video.mp4")


def broken_file(clip: Path, rng: np.random.Generator) -> tuple[str, bytes]:
    """Name and new content of one file of the clip. JSON files come as often as the others together."""
    tables = [name for name in DATA if (clip / name).is_file()]
    if rng.uniform() < 0.5:
        name = pick(rng, ("manifest.json", "cameras.json", "plan.json"))
        text = (clip / name).read_text()
        if rng.uniform() < 0.3:
            return name, mutated_text(text, rng).encode("utf-8", errors="surrogatepass")
        tree = mutated_tree(json.loads(text), rng, WORDS)
        return name, json.dumps(tree).encode("utf-8", errors="surrogatepass")
    name = pick(rng, tables)
    return name, mutated_bytes((clip / name).read_bytes(), rng)


def tried(clip: Path, seed: int, index: int, read: Callable[[Path], str]) -> str:
    """What `read` says of a copy of the clip with one broken file."""
    rng = np.random.default_rng([seed, index, 3])
    name, content = broken_file(clip, rng)
    with tempfile.TemporaryDirectory(prefix="remind-fuzz-") as folder:
        copy = Path(folder) / "clip"
        shutil.copytree(clip, copy)
        (copy / name).write_bytes(content)
        return read(copy)
