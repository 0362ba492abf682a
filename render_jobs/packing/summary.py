"""dataset.json: what is in a data set, for people and programs. Equal data sets have equal files."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from event_library.registry import EVENT_TYPES
from render_jobs.dataset import Dataset, write_atomically
from render_jobs.packing.facts import SPLITS, ClipFacts, Problems, read_all
from render_jobs.status import read_status

DATASET_FILE = "dataset.json"
SCHEMA_VERSION = 1
NOT_STATED = "NOASSERTION"  # SPDX's word for it: nobody but the owner of the pictures can say
MAX_SPEC_BYTES = 1 << 20
WIDTH = 120  # of what is printed

_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*( (AND|OR|WITH) [A-Za-z0-9][A-Za-z0-9.+-]*)*")


def describe(
    facts: Sequence[ClipFacts],
    *,
    name: str,
    licence: str,
    specs: dict[str, str],
    jobs: dict[str, int] | None = None,
    pack: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of dataset.json.

    specs: file name -> text. jobs: how many were failed and left when it was written. pack: its shards and options.
    Counts are of clips: a clip with two events of a type counts once for it.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "licence": licence,
        "totals": {
            "clips": len(facts),
            "scenes": len({f.scene_id for f in facts}),
            "frames": sum(f.num_frames for f in facts),
            "hours": round(sum(f.num_frames / f.fps for f in facts) / 3600, 9),
            "bytes": sum(f.num_bytes for f in facts),
            **(jobs or {}),
        },
        "counts": {
            "event_types": _count(f.event_types for f in facts),
            "families": _count(f.families for f in facts),
            "stevo_categories": _count(f.stevo_categories for f in facts),
            "interruptions": _count(f.interruptions for f in facts),
            "outputs": _count(f.outputs for f in facts),
            "resolutions": _count([f"{f.width_px}x{f.height_px}"] for f in facts),
            "fps": _count([f"{f.fps:g}"] for f in facts),
            "num_frames": _count([str(f.num_frames)] for f in facts),
            "imported_videos": sum(f.stateless for f in facts),
        },
        "splits": {split: _split(facts, split) for split in SPLITS},
        "specs": _specs(facts),
        "spec_files": dict(sorted(specs.items())),
        "provenance": {
            "versions": _versions(facts),
            "devices": _count([f.device] for f in facts),
            "first_clip": _time(min(f.created_unix_s for f in facts)),
            "last_clip": _time(max(f.created_unix_s for f in facts)),
        },
        "pack": pack,
    }


def describe_folder(root: Path, name: str, licence: str) -> tuple[dict[str, Any], list[str]]:
    """What is in a data set now, and what is wrong with those of its clips that are broken and not counted."""
    facts, problems = read_all(root)
    if not facts:
        raise Problems(problems, "not one clip is sound; render them again")
    specs, jobs = read_specs(root), _job_counts(root)
    return describe(facts, name=name, licence=licence, specs=specs, jobs=jobs), problems


def write(root: Path, description: dict[str, Any]) -> None:
    write_atomically(root / DATASET_FILE, to_text(description))


def to_text(description: dict[str, Any]) -> str:
    return json.dumps(description, indent=1, sort_keys=True) + "\n"


def read(root: Path) -> dict[str, Any] | None:
    """dataset.json of a data set; None where there is none. Raises ValueError for one of another kind."""
    path = root / DATASET_FILE
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error}); remove it, `remind dataset info` writes it anew") from None
    if not isinstance(found, dict) or found.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(f"{path}: not of schema_version {SCHEMA_VERSION}; remove it, `remind dataset info` writes it")
    return found


def name_and_licence(root: Path, name: str | None, licence: str | None) -> tuple[str, str]:
    """What is given, else what dataset.json says, else the folder's name and that no licence is stated.

    Raises ValueError for a licence that is no SPDX expression.
    """
    if licence is not None and not _SPDX.fullmatch(licence):
        raise ValueError(f"--licence: {licence!r} is no SPDX expression; for example CC-BY-4.0 or CC0-1.0")
    known = read(root) or {}
    return (
        name or str(known.get("name") or root.resolve().name),
        licence or str(known.get("licence") or NOT_STATED),
    )


def read_specs(root: Path) -> dict[str, str]:
    """Texts of the specs that a data set was rendered from: file name -> text."""
    found = {}
    for path in sorted(Dataset(root).specs.glob("*.yaml")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_SPEC_BYTES:
            found[path.name] = path.read_text(errors="replace")
    return found


def _job_counts(root: Path) -> dict[str, int]:
    """Jobs that were given up, and that are still to be rendered."""
    if not (Dataset(root).plans.is_dir() or Dataset(root).specs.is_dir()):
        return {"failed": 0, "left": 0}  # imported videos only
    status = read_status(root)
    return {"failed": len(status.failed), "left": status.num_left}


def lines(description: dict[str, Any]) -> list[str]:
    """For people. Raises ValueError for what `describe` did not make."""
    try:
        return _lines(description)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{DATASET_FILE}: not as it was written ({type(error).__name__}: {error}); copy it again"
        ) from None


def _lines(description: dict[str, Any]) -> list[str]:
    total, counts, made = description["totals"], description["counts"], description["provenance"]
    size = f"{total['clips']} clips, {total['frames']} frames, {total['hours']:.3g} h, {total['bytes'] / 1e6:.1f} MB"
    rows = {
        "pictures": f"{_tally(counts['resolutions'])} px, {_tally(counts['fps'])} frames/s",
        "events": _tally(counts["event_types"]),
        "STEVO": _tally(counts["stevo_categories"]),
        "hidden by": _tally(counts["interruptions"]),
        "outputs": _tally(counts["outputs"]),
        **{split: _split_line(split, description["splits"][split]) for split in SPLITS},
        "specs": ", ".join(f"{s['name']} seed {s['spec_seed']} ({s['clips']})" for s in description["specs"]),
        "made with": _made_with(made),
        "licence": description["licence"],
    }
    if counts["imported_videos"]:
        rows["imported"] = f"{counts['imported_videos']} videos without states"
    if description["licence"] == NOT_STATED:
        rows["licence"] = "not stated; say it with --licence, for example --licence CC-BY-4.0"
    if "left" in total:
        rows["jobs"] = f"{total['failed']} failed, {total['left']} left"
    if pack := description["pack"]:
        rows["pack"] = f"{len(pack['shards'])} shards, {sum(s['bytes'] for s in pack['shards']) / 1e6:.1f} MB"
        if pack["left_out"]:
            rows["left out"] = "; ".join(pack["left_out"])
    told = (f"  {key:9} {value or 'none'}" for key, value in rows.items())
    wrapped = (textwrap.wrap(line, WIDTH, subsequent_indent=" " * 12, break_long_words=False) for line in told)
    return [f"{description['name']}: {size}", *(line for lines in wrapped for line in lines)]


def _count(groups: Iterable[Iterable[str]]) -> dict[str, int]:
    counter = Counter(value for group in groups for value in set(group))
    return dict(sorted(counter.items()))


def _split(facts: Sequence[ClipFacts], split: str) -> dict[str, Any]:
    own = [f for f in facts if f.split == split]
    return {"event_types": sorted({kind for f in own for kind in f.event_types}), "clips": [f.clip_id for f in own]}


def _specs(facts: Sequence[ClipFacts]) -> list[dict[str, Any]]:
    counter = Counter((f.spec, f.spec_seed) for f in facts if not f.stateless)
    ordered = sorted(counter.items(), key=lambda item: (item[0][0], item[0][1] or 0))
    return [{"name": name, "spec_seed": seed, "clips": count} for (name, seed), count in ordered]


def _versions(facts: Sequence[ClipFacts]) -> dict[str, dict[str, int]]:
    packages = sorted({package for f in facts for package in f.versions})
    return {p: _count([f.versions[p]] for f in facts if p in f.versions) for p in packages}


def _time(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat()


def _tally(counts: dict[str, int]) -> str:
    return ", ".join(f"{key} ({count})" for key, count in counts.items())


def _split_line(split: str, facts: dict[str, Any]) -> str:
    types = facts["event_types"]
    held = [t for t in types if t in EVENT_TYPES and EVENT_TYPES[t].info.held_out]
    marked = f": {', '.join(held)} are never for training" if held else ""
    return f"{len(facts['clips'])} clips, {len(types)} event types{marked}"


def _made_with(made: dict[str, Any]) -> str:
    versions = made["versions"]
    shown = [f"{p} {' and '.join(versions[p])}" for p in ("remind-sim", "bpy", "numpy") if p in versions]
    dates = sorted({made["first_clip"][:10], made["last_clip"][:10]})
    return f"{', '.join(shown)} on {_tally(made['devices'])}, {' to '.join(dates)}"
