"""What `remind dataset` does: functions that return text, and whether all was well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from render_jobs.packing import summary
from render_jobs.packing.merge import Merged, merge_into
from render_jobs.packing.pack import PackRequest, pack_into
from render_jobs.packing.thinning import parse_outputs
from simulator.clip_files import INDEX

MAX_SHARD_MB = 1_000_000


def info(root: Path, *, as_json: bool = False, name: str | None = None, licence: str | None = None) -> tuple[str, bool]:
    """`remind dataset info`: what is in a data set or pack; a data set's dataset.json is written anew."""
    problems: list[str] = []
    notes: list[str] = []
    if (root / INDEX).is_file():
        if name or licence:
            raise ValueError(f"{root}: a pack keeps its name and licence; give them to `remind dataset pack`")
        description = summary.read(root)
        if description is None:
            raise ValueError(f"{root}: this pack has lost its {summary.DATASET_FILE}; copy it again")
    else:
        description, problems = summary.describe_folder(root, *summary.name_and_licence(root, name, licence))
        notes = [f"  broken    {problem}" for problem in problems]
        try:
            summary.write(root, description)
        except OSError as error:  # a data set may be shared for reading only
            notes.append(f"  {summary.DATASET_FILE} is not written: {error.strerror}")
    if as_json:
        return summary.to_text(description).rstrip(), not problems
    return "\n".join([*summary.lines(description), *notes]), not problems


def pack(
    source: Path,
    out: Path,
    *,
    shard_mb: float,
    split: str,
    outputs: str | None = None,
    name: str | None = None,
    licence: str | None = None,
    skip_bad: bool = False,
) -> tuple[str, bool]:
    """`remind dataset pack`. Not well when clips were left out."""
    if not 0 < shard_mb <= MAX_SHARD_MB:
        raise ValueError(f"--shard-mb: {shard_mb:g} is no size; give megabytes, for example 512")
    description = pack_into(
        PackRequest(
            source=source,
            out=out,
            shard_bytes=round(shard_mb * 1e6),
            split=split,
            outputs=None if outputs is None else parse_outputs(outputs),
            name=name,
            licence=licence,
            skip_bad=skip_bad,
        )
    )
    return _told([f"{out}:", *summary.lines(description)], description["pack"]["left_out"])


def merge(roots: Sequence[Path], out: Path, **options: Any) -> tuple[str, bool]:
    """`remind dataset merge`, and `unpack` of one pack. Not well when clips were left out."""
    merged: Merged = merge_into(roots, out, **options)
    return _told([f"{out}: {merged.fresh} clips are new, {merged.present} were there already"], merged.left_out)


def unpack(root: Path, out: Path, *, skip_bad: bool) -> tuple[str, bool]:
    """`remind dataset unpack`: the clips of a pack as folders again."""
    if not (root / INDEX).is_file():
        raise ValueError(f"{root}: not a pack (no {INDEX} in it); `remind dataset pack` makes one")
    return merge([root], out, skip_bad=skip_bad)


def _told(lines: list[str], left_out: Sequence[str]) -> tuple[str, bool]:
    return "\n".join([*lines, *(f"left out: {problem}" for problem in left_out)]), not left_out
