"""How far a run is: clips, pictures, pictures per second, time left; as a bar and as a file that others can read."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tqdm import tqdm

from render_jobs.claims import Claims
from render_jobs.dataset import Dataset, run_name, write_atomically
from render_jobs.jobs import Result
from untrusted import one_line

QUIET_S = 10.0  # between two lines when the output is a file
WRITE_S = 2.0  # between two states of the file


@dataclass(frozen=True, kw_only=True)
class RunState:
    """What DATASET/runs/<name>.json says of a run at work. Durations only: clocks of machines differ."""

    host: str
    process: int
    clips_done: int  # by this run
    clips_present: int  # that were there, or that another run made
    clips_failed: int
    clips_left: int
    frames_done: int  # by this run; twins and sweeps count
    frames_per_s: float
    elapsed_s: float
    left_s: float | None  # None until a first picture is done

    def line(self) -> str:
        """For people."""
        left = "unknown" if self.left_s is None else spoken_s(self.left_s)
        return (
            f"at work on {one_line(str(self.host))} (process {self.process}) for {spoken_s(self.elapsed_s)}: "
            f"{self.clips_done} clips done, {self.clips_failed} failed, {self.clips_left} left, "
            f"{self.frames_per_s:.1f} frames/s, {left} to go"
        )


class Tally:
    """Counts pictures: frames, twins and sweeps alike.

    A clip whose size is not known yet counts as the mean of the others; `frames_per_clip` is a guess that holds until
    the first worker reports.
    """

    def __init__(self, num_clips: int, frames_per_clip: int, *, limited: bool = False) -> None:
        self.num_clips = num_clips  # that this run has to think about; limited: that it may render
        self._limited = limited
        self.ended = {"done": 0, "present": 0, "failed": 0}
        self._guess = frames_per_clip
        self._at_work: dict[str, tuple[int, int]] = {}  # job -> pictures done, in all
        self._frames_done = 0  # in finished clips
        self._began_s = time.monotonic()

    def on_progress(self, job_id: str, done: int, total: int) -> None:
        self._at_work[job_id] = done, total

    def on_result(self, result: Result) -> None:
        self.ended[result.state] += 1
        _, total = self._at_work.pop(result.job_id, (0, 0))
        if result.state == "done":
            self._frames_done += total

    @property
    def clips_left(self) -> int:
        ended = sum(self.ended.values()) - self._limited * self.ended["present"]
        return max(0, self.num_clips - ended)

    @property
    def frames_done(self) -> int:
        return self._frames_done + sum(done for done, _ in self._at_work.values())

    @property
    def frames_total(self) -> int:
        """Of this run: an estimate until all clips are begun."""
        known = self.ended["done"] + len(self._at_work)
        frames = self._frames_done + sum(total for _, total in self._at_work.values())
        mean = frames / known if known else self._guess
        return round(frames + mean * max(0, self.clips_left - len(self._at_work)))

    def state(self) -> RunState:
        elapsed_s = time.monotonic() - self._began_s
        rate = self.frames_done / elapsed_s if elapsed_s > 0 else 0.0
        host, _, process = run_name().rpartition("-")
        return RunState(
            host=host,
            process=int(process.split("_")[0]),
            clips_done=self.ended["done"],
            clips_present=self.ended["present"],
            clips_failed=self.ended["failed"],
            clips_left=self.clips_left,
            frames_done=self.frames_done,
            frames_per_s=rate,
            elapsed_s=elapsed_s,
            left_s=(self.frames_total - self.frames_done) / rate if rate > 0 else None,
        )


class ProgressBar:
    """A tally on stderr: a bar in a terminal, a line now and then in a log file."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._bar = tqdm(
            total=tally.frames_total,
            unit="frames",
            dynamic_ncols=True,
            desc="render",
            mininterval=0.1 if sys.stderr.isatty() else QUIET_S,
        )

    def draw(self) -> None:
        tally = self._tally
        self._bar.total = max(tally.frames_total, tally.frames_done)
        finished = tally.ended["done"] + tally.ended["present"]
        told = f"{finished} clips done, {tally.ended['failed']} failed, {tally.clips_left} left"
        self._bar.set_postfix_str(told, refresh=False)
        self._bar.update(tally.frames_done - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class Report:
    """Follows one run: the bar, and the file by which `remind render --status` sees it from any machine."""

    def __init__(self, dataset: Dataset, num_clips: int, frames_per_clip: int, *, limited: bool = False) -> None:
        self._dataset, self._claims = dataset, dataset.claims()
        self._path = dataset.runs / f"{run_name()}.json"
        self._written_s = float("-inf")
        self.tally = Tally(num_clips, frames_per_clip, limited=limited)
        self._bar = ProgressBar(self.tally)

    def __enter__(self) -> Self:
        self._claims.take(_key(self._path.stem))
        for path in self._dataset.runs.glob("*.json"):
            if not self._claims.is_taken(_key(path.stem)):
                path.unlink(missing_ok=True)
        self._update()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
        with contextlib.suppress(OSError):  # of a disk that is no longer ours to write; the claim tells all
            self._path.unlink(missing_ok=True)
        self._claims.close()

    def on_progress(self, job_id: str, done: int, total: int) -> None:
        self.tally.on_progress(job_id, done, total)
        self._update()

    def on_result(self, result: Result) -> None:
        self.tally.on_result(result)
        self._update()

    def _update(self) -> None:
        self._bar.draw()
        if time.monotonic() - self._written_s >= WRITE_S:
            self._written_s = time.monotonic()
            with contextlib.suppress(OSError):  # a full disk is for the pool to tell, which says how to go on
                write_atomically(self._path, json.dumps(asdict(self.tally.state())) + "\n", durable=False)


def running(dataset: Dataset) -> list[RunState]:
    """The runs that are at work on a data set now, on whatever machine."""
    if not (dataset.root / ".lock").exists():
        return []
    with Claims(dataset.root / ".lock", look_only=True) as claims:
        alive = [path for path in sorted(dataset.runs.glob("*.json")) if claims.is_taken(_key(path.stem))]
    return [state for path in alive if (state := _read(path))]


def spoken_s(seconds: float) -> str:
    """h:mm:ss"""
    minutes, s = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{s:02d}"


def spoken_bytes(num_bytes: float) -> str:
    """In GB, MB or kB, of thousands, whichever fits."""
    unit, size = next((found for found in (("GB", 1e9), ("MB", 1e6)) if num_bytes >= found[1]), ("kB", 1e3))
    return f"{num_bytes / size:.1f} {unit}"


def _read(path: Path) -> RunState | None:
    try:
        return RunState(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):  # ended a moment ago, or written by another version
        return None


def _key(name: str) -> str:
    return f"run {name}"
