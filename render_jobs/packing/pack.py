"""`remind dataset pack`: a data set as WebDataset shards with an index, resumable at every shard.

PACK/clips-000000.tar ...   whole clips in the order of their ids, members `<clip id>.<file>`
PACK/states.parquet         states of all clips, a row group for every 65 536 rows or so, in the same order
PACK/dataset.json           what is in it, sha256 of each shard; PACK/specs/ the specs where the data set kept them
PACK/index.parquet          a row for every clip: where its files lie, and what it is. Written last: no index, no pack
PACK/.packing/              while it is made: what was asked for, the shard under way, what is in the finished ones
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from render_jobs.dataset import Dataset, write_atomically
from render_jobs.packing import summary
from render_jobs.packing.facts import ClipFacts, Problems, in_split, open_clip, read_all, read_clip, refuse_nested
from render_jobs.packing.shards import Members, ShardWriter, TornClip, packed_bytes, publish
from render_jobs.packing.tables import Row, write_index, write_states
from render_jobs.packing.thinning import thinned
from simulator.clip_files import CLIPS, INDEX, ClipFiles, PackedFiles, shard_name

_DRAFTS = ".packing"


@dataclass(frozen=True, kw_only=True)
class PackRequest:
    """What to pack. outputs: None for all that a clip has. skip_bad: leave torn clips out instead of stopping there."""

    source: Path
    out: Path
    shard_bytes: int
    split: str = "all"
    outputs: tuple[str, ...] | None = None
    name: str | None = None
    licence: str | None = None
    skip_bad: bool = False


@dataclass(frozen=True)
class Shard:
    """A finished shard and the clips in it. `taken`: of the clips that came next, so many went in or were left out."""

    name: str
    num_bytes: int
    sha256: str
    taken: int
    clips: dict[str, Members]
    left_out: tuple[str, ...]  # what was wrong with those left out

    @classmethod
    def noted(cls, note: Path, out: Path) -> Shard | None:
        """As an earlier run noted it; None where the shard is to be written (again)."""
        if not note.is_file():
            return None
        found = json.loads(note.read_text())
        clips = {i: {name: (at[0], at[1]) for name, at in members.items()} for i, members in found["clips"].items()}
        shard = cls(**found | {"clips": clips, "left_out": tuple(found["left_out"])})
        path = out / shard.name
        there = path.is_file() and path.stat().st_size == shard.num_bytes
        return shard if there or not clips else None


def pack_into(request: PackRequest) -> dict[str, Any]:
    """Make the pack, or go on with it; returns its dataset.json. Where it was made before, nothing is done.

    Raises ValueError, naming the clip, for one that is torn (unless skip_bad), and when `out` holds anything else.
    """
    refuse_nested(request.out, request.source)
    selection = _select(request)
    with Dataset(request.out).claims() as claims:
        if not claims.take("pack"):
            raise ValueError(f"--out: {request.out}: another process is packing there; wait for it")
        if not _begin(request.out, selection.sha256):
            shards = _write_shards(request, selection.clip_ids)
            _finish(request.out, selection, shards)
        shutil.rmtree(request.out / _DRAFTS, ignore_errors=True)
    found = summary.read(request.out)
    assert found is not None, "_finish wrote it"
    return found


@dataclass(frozen=True, kw_only=True)
class _Selection:
    """What goes into a pack, and all that its bytes depend on."""

    clips: tuple[tuple[str, str], ...]  # id and sha256 of the manifest
    problems: tuple[str, ...]  # clips that cannot be read
    options: dict[str, Any]
    described: dict[str, Any]  # name, licence and specs for dataset.json

    @property
    def clip_ids(self) -> list[str]:
        return [clip_id for clip_id, _ in self.clips]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def _select(request: PackRequest) -> _Selection:
    facts, problems = read_all(request.source)
    if problems and not request.skip_bad:
        raise Problems(problems, "render them again, or leave them out with --skip-bad")
    chosen = in_split(facts, request.split)
    _refuse_nothing(request, chosen)
    name, licence = summary.name_and_licence(request.source, request.name, request.licence)
    return _Selection(
        clips=tuple((f.clip_id, f.manifest_sha256) for f in chosen),
        problems=tuple(problems),
        options={"split": request.split, "outputs": request.outputs, "shard_bytes": request.shard_bytes},
        described={"name": name, "licence": licence, "specs": summary.read_specs(request.source)},
    )


def _refuse_nothing(request: PackRequest, chosen: Sequence[ClipFacts]) -> None:
    if not chosen:
        raise ValueError(f"--split {request.split}: no clip of {request.source} is in it; see `remind dataset info`")
    for output in request.outputs or ():
        if not any(output in f.outputs for f in chosen):
            raise ValueError(
                f"--outputs: no clip has {output}; leave it out, or render with {output} among the outputs"
            )


def _begin(out: Path, selection_sha256: str) -> bool:
    """Whether the pack is there already. Raises ValueError when `out` holds something else."""
    begun = out / _DRAFTS / "selection"
    if (out / INDEX).is_file():
        found = (summary.read(out) or {}).get("pack")
        if not isinstance(found, dict) or found.get("selection_sha256") != selection_sha256:
            raise ValueError(f"{out}: holds a pack of other clips or with other options; name another --out")
        return True
    if begun.is_file():
        if begun.read_text() != selection_sha256:
            raise ValueError(
                f"{out}: a pack of other clips or with other options was begun here; give the same again, or remove it"
            )
        return False
    if others := sorted(entry.name for entry in out.iterdir() if entry.name not in (".lock", _DRAFTS)):
        raise ValueError(f"{out}: not empty ({others[0]} is there); name a new folder for the pack")
    write_atomically(begun, selection_sha256)
    return False


def _write_shards(request: PackRequest, clip_ids: Sequence[str]) -> list[Shard]:
    """All shards, those that an earlier run finished included."""
    shards: list[Shard] = []
    position = 0
    with tqdm(total=len(clip_ids), desc="pack", unit="clips", disable=None) as bar:
        while position < len(clip_ids):
            note = request.out / _DRAFTS / f"{shard_name(len(shards))}.json"
            shard = Shard.noted(note, request.out)
            if shard is None:
                shard = _write_shard(request, shard_name(len(shards)), clip_ids[position:], bar)
                write_atomically(note, json.dumps(asdict(shard)))
            shards.append(shard)
            position += shard.taken
            bar.update(position - bar.n)
    return shards


def _write_shard(request: PackRequest, name: str, clip_ids: Sequence[str], bar: Any) -> Shard:
    """Publish the next shard: clips in order, until the next one would make it larger than it may be."""
    draft = request.out / _DRAFTS / name
    clips: dict[str, Members] = {}
    left_out: list[str] = []
    with _naming(draft), open(draft, "wb") as file:
        writer = ShardWriter(file)
        for clip_id in clip_ids:
            try:
                files, recorded = _source(request, clip_id)
                if clips and writer.num_bytes + packed_bytes(files, recorded) > request.shard_bytes:
                    break
                clips[clip_id] = writer.add(clip_id, files, recorded)
            except TornClip as torn:
                if not request.skip_bad:
                    raise Problems([str(torn)], "or leave such clips out with --skip-bad") from None
                left_out.append(str(torn))
            bar.update()
        sha256 = writer.finish()
    if clips:
        publish(draft, request.out / name)
    return Shard(name, writer.num_bytes, sha256, len(clips) + len(left_out), clips, tuple(left_out))


def _source(request: PackRequest, clip_id: str) -> tuple[ClipFiles, dict[str, str]]:
    """The files to pack of a clip, and what their sha256 must be."""
    try:
        clip, _ = open_clip(request.source / CLIPS / clip_id)
    except ValueError as error:
        raise TornClip(str(error)) from None
    if request.outputs is not None:
        files = thinned(clip, request.outputs, request.out / _DRAFTS / "thinned")
        clip, _ = read_clip(files)
    return clip.files, clip.manifest["files"]


def _finish(out: Path, selection: _Selection, shards: Sequence[Shard]) -> None:
    """Everything but the shards, read from the shards; the index last."""
    left_out = [*selection.problems, *(problem for shard in shards for problem in shard.left_out)]
    filled = [shard for shard in shards if shard.clips]
    if not filled:
        raise Problems(left_out, "not one clip is sound; render them again")
    everything = [
        PackedFiles(out / CLIPS / clip_id, out / shard.name, members)
        for shard in filled
        for clip_id, members in shard.clips.items()
    ]
    located = tqdm(everything, desc="index", unit="clips", disable=None, leave=False)
    rows = [Row(files, read_clip(files)[1]) for files in located]
    drafts = out / _DRAFTS
    write_states(drafts / "states.parquet", rows)
    publish(drafts / "states.parquet", out / "states.parquet")
    for name, text in selection.described["specs"].items():
        write_atomically(Dataset(out).specs / name, text)
    listed = [{"name": s.name, "bytes": s.num_bytes, "sha256": s.sha256, "clips": len(s.clips)} for s in filled]
    pack = selection.options | {"selection_sha256": selection.sha256, "shards": listed, "left_out": left_out}
    description = summary.describe([row.facts for row in rows], **selection.described, pack=pack)
    summary.write(out, description)
    write_index(drafts / INDEX, rows)
    publish(drafts / INDEX, out / INDEX)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors of the disk (it is full ...) say which file was being written."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
