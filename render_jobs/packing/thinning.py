"""Clips with some of their outputs only: fewer arrays under the same id, bit for bit those that were rendered."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import h5py

from render_jobs.packing.facts import OUTPUT_PLACES, output_of
from render_jobs.packing.shards import TornClip
from simulator.clip import Clip
from simulator.clip_files import MANIFEST, ClipFiles, FolderFiles, wrong_files
from simulator.clip_writer import file_sha256


def parse_outputs(text: str) -> tuple[str, ...]:
    """Outputs of "rgb,depth", in their own order. Raises ValueError for others; rgb makes a clip and stays."""
    asked = {word.strip() for word in text.split(",")}
    if unknown := sorted(asked - set(OUTPUT_PLACES)):
        raise ValueError(f"--outputs: no output {unknown[0]!r}; there are {', '.join(OUTPUT_PLACES)}")
    if "rgb" not in asked:
        raise ValueError(f"--outputs: a clip needs its pictures; give rgb,{text}")
    return tuple(output for output in OUTPUT_PLACES if output in asked)


def thinned(clip: Clip, outputs: tuple[str, ...], folder: Path) -> ClipFiles:
    """The files of a clip with these outputs alone, written to the new directory `folder`; itself if it has no others.

    Compressed chunks are copied as they are. The manifest tells hashes of what is left, and `thinned_from` the
    `arrays_sha256` of the whole clip. Raises TornClip when a file is not the one that was published.
    """
    manifest = clip.manifest
    gone = {place for place in (*manifest["arrays"], *manifest["files"]) if not _kept(place, outputs)}
    if not gone:
        return clip.files
    for problem in wrong_files(clip.files, manifest["files"]):
        raise TornClip(f"{clip.path}: {problem}; render the clip again")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in manifest["files"]:
        if name not in gone and name != "arrays.h5":
            with clip.files.open(name) as source, open(folder / name, "wb") as target:
                shutil.copyfileobj(source, target)
    with clip.files.arrays() as whole, h5py.File(folder / "arrays.h5", "w", track_order=True) as part:
        for group in whole:
            if not any(place.split("/")[0] == group for place in gone):
                whole.copy(group, part)
    (folder / MANIFEST).write_text(json.dumps(_manifest(clip, gone, folder), indent=1, sort_keys=True) + "\n")
    return FolderFiles(folder)


def _kept(place: str, outputs: tuple[str, ...]) -> bool:
    output = output_of(place)
    return output is None or output in outputs


def _manifest(clip: Clip, gone: set[str], folder: Path) -> dict[str, Any]:
    arrays = {name: facts for name, facts in clip.manifest["arrays"].items() if name not in gone}
    hashes = {name: facts["sha256"] for name, facts in sorted(arrays.items())}
    names = sorted(os.listdir(folder))
    return clip.manifest | {
        "arrays": arrays,
        "arrays_sha256": hashlib.sha256(json.dumps(hashes).encode()).hexdigest(),
        "twins": [] if any(name.startswith("twins/") for name in gone) else clip.manifest["twins"],
        "files": {name: file_sha256(folder / name) for name in names},
        "file_bytes": {name: (folder / name).stat().st_size for name in names},
        "thinned_from": clip.manifest.get("thinned_from", clip.manifest["arrays_sha256"]),
    }
