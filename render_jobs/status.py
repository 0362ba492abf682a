"""How far a data set is, read from its folders alone: a run may be at work, killed or long over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from render_jobs.dataset import Dataset


@dataclass(frozen=True)
class Failure:
    """A job that was given up. `retry`: the next run tries it again."""

    job_id: str
    message: str
    retry: bool


@dataclass(frozen=True)
class Status:
    """Every plan that was ever queued is done, failed or left."""

    done: tuple[str, ...]
    failed: tuple[Failure, ...]
    left: tuple[str, ...]

    @property
    def num_queued(self) -> int:
        return len(self.done) + len(self.failed) + len(self.left)

    def lines(self) -> list[str]:
        """For people: one line of figures, then one line for each failure."""
        figures = f"{self.num_queued} queued: {len(self.done)} done, {len(self.failed)} failed, {len(self.left)} left"
        return [figures] + [f"failed {f.job_id}: {f.message}" for f in self.failed]


def read_status(root: Path) -> Status:
    """Raises ValueError when `root` is not a data set."""
    dataset = Dataset(root)
    if not dataset.plans.is_dir():
        raise ValueError(f"{root}: not a data set (no plans/ in it); `remind render ... --out {root}` makes one")
    done, failed, left = [], [], []
    for job_id in dataset.queued_ids():
        cause = dataset.cause(job_id)
        if dataset.is_done(job_id):
            done.append(job_id)
        elif cause is not None:
            failed.append(Failure(job_id, str(cause["message"]), bool(cause["retry"])))
        else:
            left.append(job_id)
    return Status(tuple(done), tuple(failed), tuple(left))
