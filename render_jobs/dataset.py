"""The folders of a data set, and the few operations on them. Done means that the published directory exists.

DATASET/clips/<id>/                 published clips; manifest.json is written last, then one atomic rename
DATASET/clips/.tmp-<id>-<pid>-<n>/  attempts under way; swept away by the next run
DATASET/plans/<id>.json             everything that was ever asked for
DATASET/quarantine/<id>/            plan.json, worker.log and cause.json of jobs that were given up
DATASET/render.log                  one line for each thing that happened
DATASET/.lock                       held while a run is at work
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from render_jobs.jobs import Job

_TMP = ".tmp-"


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
    def log(self) -> Path:
        return self.root / "render.log"

    def clip(self, job_id: str) -> Path:
        return self.clips / job_id

    def plan(self, job_id: str) -> Path:
        return self.plans / f"{job_id}.json"

    def quarantine(self, job_id: str) -> Path:
        return self.root / "quarantine" / job_id

    def is_done(self, job_id: str) -> bool:
        return self.clip(job_id).is_dir()

    # ---- what was asked for
    def queue(self, job: Job) -> Path:
        """Store the job's plan under its id; returns the file."""
        path = self.plan(job.id)
        if not path.exists():
            write_atomically(path, job.plan.to_json())
        return path

    def queued_ids(self) -> list[str]:
        return sorted(p.stem for p in self.plans.glob("*.json"))

    # ---- an attempt
    def attempt_dir(self, job_id: str, attempt: int) -> Path:
        """A new empty directory beside the published clips, so that publishing is one rename."""
        path = self.clips / f"{_TMP}{job_id}-{os.getpid()}-{attempt}"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def publish(self, attempt_dir: Path, job_id: str) -> Path:
        """Make a finished attempt the published clip: everything on disk first, then the name.

        Raises ValueError when the attempt has no manifest, which a worker writes last.
        """
        if not (attempt_dir / "manifest.json").is_file():
            raise ValueError("the worker reported a finished clip without a manifest.json")
        for path in attempt_dir.rglob("*"):
            _sync(path)
        _sync(attempt_dir)
        os.rename(attempt_dir, self.clip(job_id))
        _sync(self.clips)
        shutil.rmtree(self.quarantine(job_id), ignore_errors=True)
        return self.clip(job_id)

    def sweep_attempts(self) -> list[str]:
        """Remove what dead runs left half done; only under the lock. Returns the names."""
        stale = sorted(self.clips.glob(f"{_TMP}*"))
        for path in stale:
            shutil.rmtree(path, ignore_errors=True)
        return [path.name for path in stale]

    # ---- jobs that are given up
    def give_up(self, job: Job, *, message: str, retry: bool, attempts: int, worker_log: str) -> Path:
        """Quarantine a job. `retry` says whether a later run may try again (a crash: yes, an impossible plan: no)."""
        folder = self.quarantine(job.id)
        write_atomically(folder / "plan.json", job.plan.to_json())
        write_atomically(folder / "worker.log", worker_log)
        cause = {"job": job.id, "message": message, "retry": retry, "attempts": attempts}
        write_atomically(folder / "cause.json", json.dumps(cause, indent=1) + "\n")
        return folder

    def cause(self, job_id: str) -> dict[str, object] | None:
        """cause.json of a job that was given up, or None."""
        try:
            found = json.loads((self.quarantine(job_id) / "cause.json").read_text())
        except FileNotFoundError:
            return None
        return dict(found)

    def note(self, text: str) -> None:
        """Add one line, with the time, to render.log."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        with open(self.log, "a") as file:
            file.write(f"{now} {text}\n")

    # ---- one run at a time
    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held by the one run that may write here; the kernel releases it however the run ends.

        Raises ValueError when another run holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.root / ".lock", "a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                owner = file.read().strip() or "unknown"
                raise ValueError(
                    f"{self.root}: another render (process {owner}) is writing here; wait for it or name another --out"
                ) from None
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield


def write_atomically(path: Path, text: str) -> None:
    """The file holds the old text or the new one, never a part, whatever is killed when."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(draft, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
