"""Many clips on one machine: worker processes with one long-lived renderer each.

A crash, a kill or a silence costs one attempt of one job and nothing else. The pool runs in the calling thread; the
workers speak into one inbox.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from render_jobs.dataset import Dataset
from render_jobs.jobs import Job, Result
from render_jobs.worker import GONE, Message, Worker

_START_FAILURES = 3  # workers in a row that end before they are ready: the machine is at fault, not a job

Progress = Callable[[str, int, int], None]  # job id, pictures done, pictures in all


class WorkersFail(ChildProcessError):
    """No worker comes up on this machine; the message ends with what the last one wrote."""


def blender_command(threads: int) -> Sequence[str]:
    """How a Blender worker is started."""
    return [sys.executable, "-m", "simulator.blender", "--threads", str(threads)]


def preview_command(threads: int) -> Sequence[str]:
    """How a preview worker is started."""
    return [sys.executable, "-m", "simulator.preview", "--threads", str(threads)]


# `render.engine` of a plan -> how a worker for it is started
ENGINES: Mapping[str, Callable[[int], Sequence[str]]] = {"cycles": blender_command, "preview": preview_command}


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class LocalPool:
    """Renders jobs into one data set.

    num_workers: processes at most; their threads together fill the cores.
    command: the worker's command line for a number of threads.
    attempts: how often one job is tried. silence_s: a worker that says nothing for so long is taken for hung.
    """

    dataset: Dataset
    num_workers: int
    command: Callable[[int], Sequence[str]] = blender_command
    attempts: int = 3
    silence_s: float = 900.0
    on_progress: Progress = lambda job_id, done, total: None

    def run(self, jobs: Iterable[Job]) -> Generator[Result, None, None]:
        """One result for each distinct job, as they end. Closing the iterator (or Ctrl-C) stops all work at once.

        Raises ValueError when another run holds the data set, WorkersFail when no worker starts.
        """
        with self.dataset.lock():
            self.dataset.sweep_attempts()
            distinct = {job.id: job for job in jobs}
            for job in distinct.values():
                self.dataset.queue(job)
            todo = []
            for job in distinct.values():
                if known := self._known(job):
                    yield known
                else:
                    todo.append(job)
            yield from _Run(self, todo).results()

    def _known(self, job: Job) -> Result | None:
        """The result of a job that needs no work: published before, or impossible."""
        if self.dataset.is_done(job.id):
            return Result(job.id, "present", self.dataset.clip(job.id))
        cause = self.dataset.cause(job.id)
        if cause is not None and not cause["retry"]:
            return Result(job.id, "failed", self.dataset.quarantine(job.id), message=str(cause["message"]))
        return None

    def threads(self, num_workers: int) -> list[int]:
        """Threads of each worker: the cores, shared out."""
        each, rest = divmod(num_cores(), num_workers)
        return [max(1, each + (index < rest)) for index in range(num_workers)]


@dataclass
class _Task:
    job: Job
    attempts: int = 0  # that were begun


@dataclass
class _Slot:
    """Room for one worker and what it is at."""

    threads: int
    worker: Worker | None = None
    ready: bool = False
    task: _Task | None = None
    out: Path | None = None
    heard_s: float = field(default_factory=time.monotonic)

    def stop(self) -> None:
        """End the worker and drop what it had half done."""
        if self.worker is not None:
            self.worker.kill()
        if self.out is not None:
            shutil.rmtree(self.out, ignore_errors=True)
        self.worker = self.task = self.out = None
        self.ready = False


class _Run:
    """The moving parts of one `LocalPool.run`."""

    def __init__(self, pool: LocalPool, jobs: Sequence[Job]) -> None:
        self._pool, self._dataset = pool, pool.dataset
        self._todo = deque(_Task(job) for job in jobs)
        self._num_jobs, self._num_done = len(jobs), 0
        self._inbox: queue.Queue[Message] = queue.Queue()
        self._slots = [_Slot(n) for n in pool.threads(min(pool.num_workers, len(jobs)))] if jobs else []
        self._start_failures = 0

    def results(self) -> Iterator[Result]:
        try:
            while self._todo or any(slot.task for slot in self._slots):
                self._hand_out()
                message = self._listen()
                if message is not None and (result := self._handle(message)):
                    yield result
                for slot in self._slots:
                    if slot.task and self._patience_s(slot) <= 0 and (result := self._silent(slot)):
                        yield result
        finally:
            for slot in self._slots:
                slot.stop()

    # ---- work out, messages in
    def _hand_out(self) -> None:
        for slot in self._slots:
            if slot.task is None and self._todo:
                slot.task = self._todo.popleft()
                slot.task.attempts += 1
                slot.out = self._dataset.attempt_dir(slot.task.job.id, slot.task.attempts)
                slot.heard_s = time.monotonic()
                if slot.worker is None:
                    slot.worker = Worker(self._pool.command(slot.threads), self._inbox)
                slot.worker.send(slot.task.job.id, self._dataset.plan(slot.task.job.id), slot.out)

    def _patience_s(self, slot: _Slot) -> float:
        return slot.heard_s + self._pool.silence_s - time.monotonic()

    def _listen(self) -> Message | None:
        """The next message, or None when some worker has been silent for too long."""
        patience_s = min(self._patience_s(slot) for slot in self._slots if slot.task)
        try:
            return self._inbox.get(timeout=max(0.0, patience_s))
        except queue.Empty:
            return None

    def _handle(self, message: Message) -> Result | None:
        slot = next((s for s in self._slots if s.worker is message.worker), None)
        if slot is None:
            return None  # last words of a worker that is gone
        slot.heard_s = time.monotonic()
        body, kind = message.body, message.kind
        if kind == "ready":
            slot.ready, self._start_failures = True, 0
        elif kind == "progress" and slot.task:
            self._pool.on_progress(slot.task.job.id, int(body["done"]), int(body["total"]))
        elif kind == "done" and slot.task:
            return self._publish(slot, body.get("stats", {}))
        elif kind == "error":
            return self._lost(slot, str(body.get("message")), retry=bool(body.get("retry")))
        elif kind == GONE:
            return self._gone(slot, message.worker)
        return None

    # ---- ends of an attempt
    def _publish(self, slot: _Slot, stats: dict[str, object]) -> Result | None:
        assert slot.task is not None and slot.out is not None
        task = slot.task
        try:
            path = self._dataset.publish(slot.out, task.job.id)
        except ValueError as error:
            return self._lost(slot, str(error), retry=True)
        slot.task = slot.out = None
        self._num_done += 1
        self._dataset.note(
            f"{self._num_done} of {self._num_jobs}: {task.job.id} done at attempt {task.attempts}: {json.dumps(stats)}"
        )
        return Result(task.job.id, "done", path, task.attempts, stats=stats)

    def _silent(self, slot: _Slot) -> Result | None:
        return self._lost(slot, f"no progress for {self._pool.silence_s:g} s", retry=True)

    def _gone(self, slot: _Slot, worker: Worker) -> Result | None:
        ending = f"the worker {worker.ending()}"
        if slot.ready or slot.task is None:
            return self._lost(slot, ending, retry=True)
        self._start_failures += 1
        task = slot.task
        slot.stop()
        if self._start_failures >= _START_FAILURES:
            raise WorkersFail(f"no render worker comes up on this machine ({ending}):\n{worker.log()}")
        task.attempts -= 1
        self._todo.appendleft(task)
        return None

    def _lost(self, slot: _Slot, message: str, *, retry: bool) -> Result | None:
        """One attempt came to nothing. After a failure that may be the worker's, the slot gets a new one."""
        task, worker, out = slot.task, slot.worker, slot.out
        if retry or worker is None:
            slot.stop()
        elif out is not None:
            shutil.rmtree(out, ignore_errors=True)
        slot.task = slot.out = None
        if task is None:
            return None
        self._dataset.note(f"{task.job.id} failed at attempt {task.attempts}: {message}")
        if retry and task.attempts < self._pool.attempts:
            self._todo.append(task)
            return None
        folder = self._dataset.give_up(
            task.job,
            message=message,
            retry=retry,
            attempts=task.attempts,
            worker_log=worker.log() if worker else "",
        )
        return Result(task.job.id, "failed", folder, task.attempts, message)
