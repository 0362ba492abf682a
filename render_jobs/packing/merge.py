"""`remind dataset merge` and `unpack`: clips of data sets and packs, in one data set. The sources are only read."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from render_jobs.dataset import Dataset, dataset_to_fill, write_atomically
from render_jobs.packing import summary
from render_jobs.packing.facts import ClipFacts, Problems, open_clip, read_all, refuse_nested
from render_jobs.packing.shards import TornClip, checked_pieces
from simulator.clip import Clip, list_clips
from simulator.clip_files import CLIPS, MANIFEST, FolderFiles, PackIndex, is_clip_id, wrong_files
from simulator.durable import sync_tree


@dataclass(frozen=True)
class Merged:
    """What was done. left_out: what is wrong with each clip that was not taken."""

    fresh: int
    present: int
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Source:
    """A data set or pack, and the clips that can be read in it."""

    root: Path
    clips: dict[str, ClipFacts] = field(default_factory=dict)


def merge_into(
    roots: Sequence[Path],
    out: Path,
    *,
    skip_bad: bool = False,
    name: str | None = None,
    licence: str | None = None,
) -> Merged:
    """Bring every clip of the sources into the data set `out`, which may hold clips already; run again, it goes on.

    A clip that several have is kept once. Raises ValueError, before anything is written, when they hold different
    arrays under one id, or licences that differ while none is given; and for a torn clip unless skip_bad.
    """
    dataset = dataset_to_fill(out)
    for root in roots:
        refuse_nested(out, root)
    sources, problems = [], []
    for root in roots:
        facts, wrong = read_all(root)
        problems += wrong
        sources.append(_Source(root, {f.clip_id: f for f in facts}))
    if problems and not skip_bad:
        raise Problems(problems, "render them again, or leave them out with --skip-bad")
    there, torn_there = read_all(out) if list_clips(out) else ([], [])
    if torn_there:
        raise Problems(torn_there, f"remove them from {out / CLIPS}, then merge")
    origins = _origins([_Source(out, {f.clip_id: f for f in there}), *sources])
    missing = {clip_id: source.root for clip_id, source in sorted(origins.items()) if source.root != out}
    name, licence = _named(roots, out, name, licence)
    with dataset.claims() as claims:
        dataset.sweep_attempts(claims)
        torn_here = 0
        for clip_id, root in tqdm(missing.items(), desc="merge", unit="clips", disable=None):
            if not claims.take(clip_id):
                raise ValueError(f"{out}: a render is at clip {clip_id}; wait for it, then merge")
            try:
                _take(root / CLIPS / clip_id, dataset)
            except TornClip as torn:
                if not skip_bad:
                    raise Problems([str(torn)], "or leave such clips out with --skip-bad") from None
                problems.append(str(torn))
                torn_here += 1
        fresh = len(missing) - torn_here
        for root in roots:
            _carry_jobs(root, dataset)
            _carry_specs(root, dataset)
        dataset.note(f"merged {fresh} clips of {', '.join(str(root) for root in roots)}")
        summary.write(out, summary.describe_folder(out, name, licence)[0])
    return Merged(fresh, len(origins) - len(missing), tuple(problems))


def _origins(sources: Sequence[_Source]) -> dict[str, _Source]:
    """Which source each clip is taken from: the first that has it. Raises ValueError for those that do not agree."""
    found: dict[str, _Source] = {}
    problems = []
    for source in sources:
        for clip_id, facts in source.clips.items():
            first = found.setdefault(clip_id, source)
            if first.clips[clip_id].arrays_sha256 != facts.arrays_sha256:
                problems.append(_conflict(first.clips[clip_id], first.root, facts, source.root))
    if problems:
        raise Problems(problems, "take such clips out of all but one of them (remove clips/<id> there), then merge")
    return found


def _conflict(a: ClipFacts, a_root: Path, b: ClipFacts, b_root: Path) -> str:
    """Why two clips of one plan can differ: other outputs were kept, or another machine or version rendered them."""
    if a.outputs != b.outputs:
        why = f"outputs {','.join(a.outputs)} there, {','.join(b.outputs)} here"
    else:
        packages = sorted(p for p in a.versions.keys() | b.versions.keys() if a.versions.get(p) != b.versions.get(p))
        told = [f"{p} {a.versions.get(p, 'absent')} there, {b.versions.get(p, 'absent')} here" for p in packages]
        told += [f"device {a.device} there, {b.device} here"] if a.device != b.device else []
        why = "; ".join(told) or "same versions and device; `remind clip verify --deep` says which one is wrong"
    return f"{b_root / CLIPS / b.clip_id}: other arrays than {a_root / CLIPS / a.clip_id} ({why})"


def _named(roots: Sequence[Path], out: Path, name: str | None, licence: str | None) -> tuple[str, str]:
    """As given; else as `out` is called, or the one source; and the one licence that is stated."""
    like = roots[0] if len(roots) == 1 and summary.read(out) is None else out
    own, stated = summary.name_and_licence(like, name, licence)
    if licence is None:
        licences = sorted({summary.name_and_licence(root, None, None)[1] for root in roots} | {stated})
        licences = [each for each in licences if each != summary.NOT_STATED] or [summary.NOT_STATED]
        if len(licences) > 1:
            raise ValueError(f"--licence: the data sets have several ({', '.join(licences)}); say which one holds")
        stated = licences[0]
    return own, stated


def _take(path: Path, dataset: Dataset) -> None:
    """Publish a copy of a clip. Files of a folder are linked where the disk can; all are checked."""
    try:
        clip, _ = open_clip(path)
    except ValueError as error:
        raise TornClip(str(error)) from None
    attempt = dataset.attempt_dir(path.name, 1)
    try:
        for name in (*clip.manifest["files"], MANIFEST):
            _fetch(clip, name, attempt / name)
        for problem in wrong_files(FolderFiles(attempt), clip.manifest["files"]):
            raise TornClip(f"{path}: {problem}; render the clip again")
        sync_tree(attempt)
        dataset.publish(attempt, path.name)
    finally:
        shutil.rmtree(attempt, ignore_errors=True)


def _fetch(clip: Clip, name: str, target: Path) -> None:
    if isinstance(clip.files, FolderFiles) and not (clip.path / name).is_symlink():
        try:
            os.link(clip.path / name, target)
            return
        except OSError:  # another disk, or one without links
            pass
    try:
        size = clip.files.size(name)
    except OSError as error:
        raise TornClip(f"{clip.path}: {name} cannot be read ({error.strerror}); render the clip again") from None
    with open(target, "wb") as file:
        for piece in checked_pieces(clip.files, name, size, clip.manifest["files"].get(name)):
            file.write(piece)


def _carry_jobs(root: Path, dataset: Dataset) -> None:
    """Plans and quarantine of a data set; a pack has the plans of its clips."""
    if (index := PackIndex.of(root)) is not None:
        for clip_id in index.clip_ids:
            if dataset.is_done(clip_id) and not dataset.plan(clip_id).exists():
                clip = Clip.open(dataset.clip(clip_id))
                if not clip.stateless:
                    write_atomically(dataset.plan(clip_id), (clip.path / "plan.json").read_text())
        return
    source = Dataset(root)
    for job_id in filter(is_clip_id, source.queued_ids()):
        _carry(source.plan(job_id), dataset.plan(job_id))
    for job_id in source.quarantined_ids():
        if not dataset.is_done(job_id):
            for path in source.quarantine(job_id).iterdir():
                _carry(path, dataset.quarantine(job_id) / path.name)


def _carry_specs(root: Path, dataset: Dataset) -> None:
    """Texts of the specs, how many samples of each were asked for at the most, and which samples were drawn.

    Two texts under one name are both kept, the later one with a hash in its name.
    """
    source = Dataset(root)
    for name, text in summary.read_specs(root).items():
        target = dataset.specs / name
        if target.exists() and target.read_text(errors="replace") != text:
            digest = hashlib.sha256(text.encode()).hexdigest()[:8]
            target = target.with_name(f"{target.stem}-{digest}{target.suffix}")
        _carry(source.specs / name, target)
        asked, wanted = (source.specs / name).with_suffix(""), target.with_suffix("")
        for path in asked.glob("draws/*"):
            _carry(path, wanted / "draws" / path.name)
        if source.asked(asked) > dataset.asked(wanted):
            write_atomically(wanted / "count.json", (asked / "count.json").read_text())


def _carry(path: Path, target: Path) -> None:
    """A small file that is not there yet. Links are not followed: what they lead to is not of the data set."""
    if path.is_file() and not path.is_symlink() and not target.exists():
        write_atomically(target, path.read_text(errors="replace"))
