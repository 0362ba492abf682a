"""A data set on disk.

DATASET/clips/<id>/                    published clips; a clip is there if and only if it is complete
DATASET/plans/<id>.json                every plan that was asked for
DATASET/specs/<name>-<digest>.yaml     each spec that was asked for; in a folder of that name how many samples were
                                       wanted (count.json) and the id of each (draws/<n>)
DATASET/quarantine/<id>/               jobs that are given up: plan.json or spec.yaml, worker.log, cause.json
DATASET/render.log                     what happened, a line each
DATASET/runs/<name>.json               runs at work (render_jobs.progress)
DATASET/.attempts/<id>-<run>-<n>/      attempts under way; swept away when their run is gone
DATASET/.lock                          a byte for each job that some run is at (render_jobs.claims)

Whatever is killed when, a file or folder under its own name is whole: all is written under another name first.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from render_jobs.claims import Claims
from render_jobs.jobs import Draw, Job
from scenes.plan import ScenePlan
from simulator.clip_files import INDEX
from simulator.durable import sync

PROBE_BYTES = 2**20
_EXISTS = (errno.EEXIST, errno.ENOTEMPTY)


@dataclass(frozen=True)
class Dataset:
    """Paths of one data set. Creating the object touches nothing."""

    root: Path

    @property
    def clips(self) -> Path:
        return self.root / "clips"

    @property
    def plans(self) -> Path:
        return self.root / "plans"

    @property
    def specs(self) -> Path:
        return self.root / "specs"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def log(self) -> Path:
        return self.root / "render.log"

    def clip(self, job_id: str) -> Path:
        return self.clips / job_id

    def plan(self, job_id: str) -> Path:
        return self.plans / f"{job_id}.json"

    def quarantine(self, job_id: str) -> Path:
        return self.root / "quarantine" / job_id

    def spec_file(self, draw: Draw) -> Path:
        return self.specs / f"{draw.spec.name}-{draw.spec.digest}.yaml"

    def _drawn(self, draw: Draw) -> Path:
        suffix = f"-{draw.renderer}" if draw.renderer else ""
        return self.spec_file(draw).with_suffix("") / "draws" / f"{draw.index:05d}{suffix}"

    # ---- what was asked for
    def queue(self, job: Job) -> Path:
        """Store the job's plan under its id; returns the file. A file that a crash tore is written again."""
        path = self.plan(job.id)
        text = job.plan.to_json()
        if not path.is_file() or path.read_bytes() != text.encode():
            write_atomically(path, text, durable=False)
        return path

    def queued_ids(self) -> list[str]:
        return sorted(p.stem for p in self.plans.glob("*.json"))

    def ask(self, work: Iterable[Job | Draw]) -> None:
        """Store what is wanted: plans, specs, and how many samples of each."""
        counts: dict[Path, int] = {}
        for each in work:
            if isinstance(each, Job):
                self.queue(each)
                continue
            path = self.spec_file(each)
            folder = path.with_suffix("")
            if folder not in counts:
                counts[folder] = self.asked(folder)
                if not path.is_file() or path.read_text(encoding="utf-8") != each.spec.text:
                    write_atomically(path, each.spec.text)
            counts[folder] = max(counts[folder], each.index + 1)
        for folder, count in counts.items():
            if count > self.asked(folder):
                write_atomically(folder / "count.json", json.dumps({"count": count}) + "\n")

    @staticmethod
    def asked(folder: Path) -> int:
        """How many samples of a spec (a folder of `specs`) were ever wanted."""
        found = _read_json(folder / "count.json")
        return int(found.get("count", 0)) if found else 0

    def drawn_id(self, draw: Draw) -> str | None:
        """The id of a sample that was drawn before."""
        try:
            found = self._drawn(draw).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return None
        return found if re.fullmatch("[0-9a-f]{20}", found) else None

    def drawn(self, draw: Draw) -> Job | None:
        """The job of a sample that was drawn before, if its plan is there and sound."""
        if (job_id := self.drawn_id(draw)) is None:
            return None
        try:
            job = Job(ScenePlan.read(self.plan(job_id)))
        except (OSError, ValueError):
            return None
        return job if job.id == job_id else None

    def keep_draw(self, draw: Draw, job: Job) -> None:
        """Remember what a sample turned out to be."""
        self.queue(job)
        write_atomically(self._drawn(draw), job.id + "\n", durable=False)

    # ---- an attempt
    def attempt_dir(self, job_id: str, attempt: int) -> Path:
        """A new empty directory on the disk of the published clips, so that publishing is one rename."""
        path = self.root / ".attempts" / f"{job_id}-{run_name()}-{attempt}"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def publish(self, attempt_dir: Path, job_id: str) -> Path:
        """Make a finished attempt, which its writer has synced, the published clip.

        Raises ValueError when the attempt is not a whole clip. Where another run was faster, that run's clip stays.
        """
        if lack := what_is_torn(attempt_dir):
            raise ValueError(f"the worker reported a finished clip, but {lack}")
        self.clips.mkdir(exist_ok=True)
        try:
            os.rename(attempt_dir, self.clip(job_id))
        except OSError as error:
            if error.errno not in _EXISTS:
                raise
            shutil.rmtree(attempt_dir)
        sync(self.clips)
        shutil.rmtree(self.quarantine(job_id), ignore_errors=True)
        return self.clip(job_id)

    def is_done(self, job_id: str) -> bool:
        """Whether the clip is published, every file of it at its full size."""
        return not what_is_torn(self.clip(job_id))

    def drop_torn(self, job_id: str) -> None:
        """Take away what a failing disk has left of a published clip, if it did; only under a claim."""
        if self.clip(job_id).exists() and (lack := what_is_torn(self.clip(job_id))):
            self.note(f"{job_id} was published but {lack}; it is rendered again")
            torn = self.attempt_dir(job_id, 0)
            os.rename(self.clip(job_id), torn)
            shutil.rmtree(torn)

    def sweep_attempts(self, claims: Claims, job_id: str = "") -> list[str]:
        """Remove what dead runs left half done (of one job). Returns the names."""
        swept = []
        for path in sorted((self.root / ".attempts").glob(f"{job_id}*")):
            key = path.name.rsplit("-", 3)[0]
            if path.is_file():  # a probe of a run that was killed; one at work doesn't mind
                path.unlink(missing_ok=True)
            elif key == job_id or claims.take(key):
                shutil.rmtree(path, ignore_errors=True)
                swept.append(path.name)
                if key != job_id:
                    claims.free(key)
        return swept

    # ---- jobs that are given up
    def give_up(self, work: Job | Draw, *, message: str, retry: bool, attempts: int, worker_log: str) -> Path:
        """Quarantine a job. `retry`: the worker failed (a crash), not the plan itself (an impossible one)."""
        folder = self.quarantine(work.id)
        if isinstance(work, Job):
            write_atomically(folder / "plan.json", work.plan.to_json())
        else:
            write_atomically(folder / "spec.yaml", work.spec.text)
        write_atomically(folder / "worker.log", worker_log)
        cause = {"job": work.id, "message": message, "retry": retry, "attempts": attempts}
        write_atomically(folder / "cause.json", json.dumps(cause, indent=1) + "\n")
        return folder

    def cause(self, job_id: str) -> dict[str, Any] | None:
        """cause.json of a job that was given up, or None."""
        found = _read_json(self.quarantine(job_id) / "cause.json")
        return found if found and "message" in found else None

    def quarantined_ids(self) -> list[str]:
        return sorted(path.parent.name for path in self.root.glob("quarantine/*/cause.json"))

    def note(self, text: str) -> None:
        """Add one line, with the time, to render.log."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(f"{now} {text}\n")

    # ---- who is at what
    def claims(self) -> Claims:
        """The claims of a new run. Raises OSError when the data set can't be written."""
        self.root.mkdir(parents=True, exist_ok=True)
        return Claims(self.root / ".lock")

    def why_not_writable(self, num_bytes: int = PROBE_BYTES) -> OSError | None:
        """What the disk says to a file of so many bytes."""
        probe = self.root / ".attempts" / f"probe-{run_name()}"
        try:
            probe.parent.mkdir(parents=True, exist_ok=True)
            with open(probe, "wb") as file:
                for _ in range(0, max(num_bytes, 1), PROBE_BYTES):
                    file.write(bytes(PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return error
        finally:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)
        return None


def dataset_to_fill(out: Path) -> Dataset:
    """The data set at `out`, to add clips to. Raises ValueError when a file or a pack is there."""
    if out.is_file():
        raise ValueError(f"--out: {out} is a file; name a data set or a new folder")
    if (out / INDEX).is_file():
        raise ValueError(f"--out: {out} is a pack, and packs do not change; name a data set or a new folder")
    return Dataset(out)


def run_name() -> str:
    """A name for this process that no other process on any machine has: host, number and something random."""
    return _run_name(os.getpid())


@cache
def _run_name(process: int) -> str:
    return f"{socket.gethostname().replace('-', '_')[:40]}-{process}_{secrets.token_hex(3)}"


def what_is_torn(clip: Path) -> str:
    """What a clip lacks, the rest of a sentence; empty for a whole one. By sizes: `remind clip verify` reads it all."""
    manifest = _read_json(clip / "manifest.json")
    if manifest is None:
        return "it has no readable manifest.json"
    for name, size in manifest.get("file_bytes", {}).items():
        path = clip / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != size:
            return f"{name} has {path.stat().st_size} bytes instead of {size}"
    return ""


def write_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """The file holds the old text or the new one, never a part, whatever is killed when.

    durable: it outlives a power cut, too; else it may be empty after one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{run_name()}")
    try:
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None for a file that is missing or torn."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return found if isinstance(found, dict) else None
