"""How far a data set is, read from its folders alone: a run may be at work, here or elsewhere, killed or long over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from render_jobs.dataset import Dataset
from render_jobs.progress import RunState, running
from untrusted import one_line


@dataclass(frozen=True)
class Failure:
    """A job that was given up. `retry`: its workers failed, not the plan itself."""

    job_id: str
    message: str
    retry: bool


@dataclass(frozen=True)
class Status:
    """Every plan that was ever queued is done, failed or left; `num_undrawn` samples have no plan yet."""

    done: tuple[str, ...]
    failed: tuple[Failure, ...]
    left: tuple[str, ...]
    num_undrawn: int = 0
    runs: tuple[RunState, ...] = ()

    @property
    def num_queued(self) -> int:
        return len(self.done) + len(self.failed) + self.num_left

    @property
    def num_left(self) -> int:
        return len(self.left) + self.num_undrawn

    def lines(self) -> list[str]:
        """For people: one line of figures, one for each run at work, one for each failure."""
        figures = f"{self.num_queued} queued: {len(self.done)} done, {len(self.failed)} failed, {self.num_left} left"
        at_work = [run.line() for run in self.runs] or ["no run is at work"]
        failed = [f"failed {f.job_id}: {f.message}" for f in self.failed]
        again = any(f.retry for f in self.failed)
        return [figures, *at_work, *failed, *(["--retry-quarantined takes them up again"] if again else [])]


def read_status(root: Path) -> Status:
    """Raises ValueError when `root` is not a data set."""
    dataset = Dataset(root)
    if not (dataset.plans.is_dir() or dataset.specs.is_dir()):
        raise ValueError(f"{root}: not a data set (no plans/ in it); `remind render ... --out {root}` makes one")
    queued = dataset.queued_ids()
    published = {path.name for path in dataset.clips.glob("[!.]*")}
    done = [job_id for job_id in queued if job_id in published and dataset.is_done(job_id)]
    causes = {job_id: dataset.cause(job_id) for job_id in dataset.quarantined_ids()}
    failed = [
        Failure(job_id, one_line(str(cause["message"])), bool(cause.get("retry")))
        for job_id, cause in causes.items()
        if cause is not None and job_id not in published
    ]
    settled = {*done, *(f.job_id for f in failed)}
    undrawn = 0
    for folder in dataset.specs.glob("*/"):
        drawn = {path.name.split("-")[0] for path in (folder / "draws").glob("[0-9]*")}
        own = f"{folder.name}-"  # then the sample's number, and perhaps a renderer
        hopeless = {f.job_id.removeprefix(own).split("-")[0] for f in failed if f.job_id.startswith(own)}
        undrawn += max(0, dataset.asked(folder) - len(drawn | hopeless))
    return Status(
        tuple(done),
        tuple(failed),
        tuple(job_id for job_id in queued if job_id not in settled),
        undrawn,
        tuple(running(dataset)),
    )
