"""The folder that comes back: videos and exactly one JSON map, task id -> file (as STEVO-Bench has it).

`remind bench generate` writes a second JSON file, `generate.json`, which is no map.

Everything in it is untrusted: names stay inside the folder, links are not followed, and what is wrong with one entry
costs that task only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trainer.bench.generation import RECORD, Generation, read_generation
from trainer.bench.tasks import BenchTask
from untrusted import one_line, read_json

MAX_MAP_BYTES = 1_000_000
MAX_ENTRIES = 10_000


@dataclass(frozen=True)
class Outputs:
    """`files`: task id -> its video, for tasks whose entry is good; `problems`: task id -> why it has none;
    `remarks`: lines about entries that belong to no task; `generation`: how a run of ours made them."""

    files: dict[str, Path]
    problems: dict[str, str]
    remarks: tuple[str, ...]
    generation: Generation | None = None


def read_outputs(folder: Path, tasks: Sequence[BenchTask]) -> Outputs:
    """Raises ValueError, naming the folder or the map, when there is nothing that could be scored."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder; give the one with the videos and their JSON map")
    texts = sorted(p for p in folder.iterdir() if p.suffix.lower() == ".json")
    maps = [p for p in texts if p.name != RECORD or len(texts) == 1]
    if len(maps) != 1:
        names = f" ({', '.join(one_line(p.name)[:60] for p in maps[:4])})" if maps else ""
        raise ValueError(f"{folder}: {len(maps)} JSON files{names}; exactly one must map task ids to files")
    entries = read_json(maps[0], MAX_MAP_BYTES)
    if len(entries) > MAX_ENTRIES:
        raise ValueError(f"{maps[0]}: {len(entries)} entries; at most {MAX_ENTRIES} are read")
    known = {task.id for task in tasks}
    if not known & set(entries):
        example = tasks[0].id
        raise ValueError(f'{maps[0]}: no task of this suite in it; write {{"{example}": "{example}.mp4", ...}}')
    files: dict[str, Path] = {}
    problems: dict[str, str] = {task.id: "not in the map" for task in tasks if task.id not in entries}
    for task_id in (name for name in entries if name in known):
        reason = _fault(folder, entries[task_id])
        if reason:
            problems[task_id] = reason
        else:
            files[task_id] = folder / entries[task_id]
    remarks = [f"{one_line(name)[:80]}: no task of this suite; ignored" for name in entries if name not in known]
    generation = None
    if len(texts) > len(maps):
        try:
            generation = read_generation(folder)
        except ValueError as error:
            remarks.append(f"{error}; ignored")
    return Outputs(files, problems, (*remarks, *_shared(files)), generation)


def _fault(folder: Path, name: object) -> str:
    """Why a map's entry cannot be used; empty when it can."""
    if not isinstance(name, str):
        return "its entry in the map is no file name"
    path, shown = PurePosixPath(name), one_line(name)[:80]
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        return f"{shown!r} leads out of the folder; give a name inside it"
    place = folder
    for part in path.parts:
        place = place / part
        try:
            if place.is_symlink():
                return f"{shown} is a link; put the file itself there"
            if not place.exists():
                return f"{shown} is not there"
        except OSError as error:
            return f"{shown}: {error.strerror}"
    return "" if place.is_file() else f"{shown} is not a regular file"


def _shared(files: dict[str, Path]) -> list[str]:
    """Lines about files that stand for several tasks."""
    users: dict[Path, list[str]] = {}
    for task_id, path in files.items():
        users.setdefault(path, []).append(task_id)
    return [
        f"{one_line(path.name)[:80]}: one file for {len(ids)} tasks ({', '.join(ids[:3])})"
        for path, ids in users.items()
        if len(ids) > 1
    ]
