"""Many clips: the scheduler that hands jobs to a crew of workers, on this machine or on many.

A crash, a kill, a silence or too much memory costs one attempt of one job and nothing else. The pool runs in the
calling thread; the workers speak into one inbox. Time is the monotonic clock's: a machine whose clock jumps renders on.
"""

from __future__ import annotations

import errno
import json
import queue
import shutil
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from render_jobs.claims import Claims
from render_jobs.crew import GONE, Crew, Message, WorkerHandle
from render_jobs.dataset import Dataset
from render_jobs.jobs import Draw, Job, Result
from scenes.plan import ScenePlan
from untrusted import one_line

_START_FAILURES = 3  # workers in a row that end or hang before they are ready: the machine is at fault, not a job
_TICK_S = 0.5  # between two looks at memory and at the clips that other runs are at

_LARGEST_PROBE_BYTES = 64 * 2**20

Progress = Callable[[str, int, int], None]  # job id, pictures done, pictures in all


class WorkersFail(ChildProcessError):
    """No worker comes up on this machine; the message ends with what the last one wrote."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is taken for a fault, and when a worker is replaced by a fresh one."""

    attempts: int = 3  # of one job
    silence_s: float = 900.0  # a worker that says nothing for so long is taken for hung
    start_s: float = 900.0  # a worker that is not ready after so long is taken for hung
    job_s: float = 6 * 3600.0  # one attempt
    memory_bytes: int = 2**63  # of one worker and its children
    recycle_jobs: int = 500  # then a worker is replaced
    recycle_bytes: int = 2 * 2**30  # a worker that holds so much after a job is replaced


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Renders jobs into one data set.

    retry_quarantined: jobs that were given up are taken up again. limit: at most so many are rendered.
    wanted: of drawn samples, those for which this holds; None: all.
    """

    dataset: Dataset
    crew: Crew
    limits: Limits = field(default_factory=Limits)
    retry_quarantined: bool = False
    limit: int | None = None
    wanted: Callable[[Job], bool] | None = None
    on_progress: Progress = lambda job_id, done, total: None

    def run(self, jobs: Iterable[Job | Draw]) -> Generator[Result, None, None]:
        """One result for each distinct job, as they end. Closing the iterator (or Ctrl-C) stops all work at once.

        Clips that another run is at are waited for. A drawn sample that is not `wanted`, and what is beyond `limit`,
        has no result. Raises OSError when the data set cannot be written (any more), WorkersFail when no worker starts.
        """
        distinct = {job.id: job for job in jobs}
        with self.dataset.claims() as claims:
            if fault := self.dataset.why_not_writable():
                raise _stopped(self.dataset, fault.errno, str(fault.strerror))
            self.dataset.sweep_attempts(claims)
            self.dataset.ask(distinct.values())
            yield from _Run(self, claims, distinct.values()).results()


@dataclass
class _Task:
    work: Job | Draw
    attempts: int = 0  # that were begun, of the drawing or of the rendering

    @property
    def id(self) -> str:
        return self.work.id


@dataclass
class _Slot:
    """Room for one worker and what it is at."""

    index: int
    worker: WorkerHandle | None = None
    engine: str = ""
    ready: bool = False
    num_jobs: int = 0  # that this worker has done
    task: _Task | None = None
    out: Path | None = None
    heard_s: float = field(default_factory=time.monotonic)
    began_s: float = field(default_factory=time.monotonic)

    def stop(self) -> None:
        """End the worker and drop what it had half done."""
        if self.worker is not None:
            self.worker.kill()
        self.drop()
        self.worker, self.ready, self.num_jobs = None, False, 0

    def drop(self) -> None:
        """Forget the task and what there is of it on the disk."""
        if self.out is not None:
            shutil.rmtree(self.out, ignore_errors=True)
        self.task = self.out = None


class _Run:
    """The moving parts of one `Pool.run`."""

    def __init__(self, pool: Pool, claims: Claims, jobs: Iterable[Job | Draw]) -> None:
        self._pool, self._dataset, self._limits, self._claims = pool, pool.dataset, pool.limits, claims
        self._todo = deque(_Task(job) for job in jobs)
        self._elsewhere: list[_Task] = []  # another run is at these
        self._seen = {task.id for task in self._todo}
        self._num_done = 0
        self._room = len(self._todo) if pool.limit is None else pool.limit
        self._inbox: queue.Queue[Message] = queue.Queue()
        self._slots = [_Slot(n) for n in range(min(pool.crew.size, len(self._todo)))]
        self._start_failures = 0
        self._looked_s = time.monotonic()

    def results(self) -> Iterator[Result]:
        try:
            while True:
                yield from self._hand_out()
                if not (self._todo or self._elsewhere or any(slot.task for slot in self._slots)):
                    return
                if (message := self._listen()) and (result := self._handle(message)):
                    yield result
                if time.monotonic() - self._looked_s >= _TICK_S:
                    self._looked_s = time.monotonic()
                    yield from self._look_around()
        finally:
            with ThreadPoolExecutor(max(1, len(self._slots))) as hands:  # many at once: Ctrl-C is quick
                list(hands.map(_Slot.stop, self._slots))
            self._pool.crew.close()

    # ---- work out
    def _hand_out(self) -> Iterator[Result]:
        """Give every idle worker a task; hire where there is work and no worker."""
        for slot in self._slots:
            while slot.task is None:
                yield from self._settle()
                if not self._todo:
                    return
                if not self._is_ready(slot, self._todo[0].work.engine):
                    break
                if result := self._begin(slot, self._todo.popleft()):
                    yield result

    def _settle(self) -> Iterator[Result]:
        """Take from the head of the queue what needs no work, until something does."""
        while self._todo:
            task = self._todo[0]
            if self._room <= 0 and not task.attempts:
                self._todo.popleft()
            elif isinstance(task.work, Draw) and (result := self._done_before(task.work)):
                self._todo.popleft()
                yield result
            elif isinstance(task.work, Draw) and (job := self._dataset.drawn(task.work)):
                self._todo.popleft()
                self._drawn(job)
            elif result := self._known(task):
                self._todo.popleft()
                yield result
            else:
                return

    def _done_before(self, draw: Draw) -> Result | None:
        """Of a sample that is published: its plan need not be read for that, so that 10 000 are looked through fast."""
        job_id = self._dataset.drawn_id(draw) if self._pool.wanted is None else None
        if job_id is None or job_id in self._seen or not self._dataset.is_done(job_id):
            return None
        self._seen.add(job_id)
        return Result(job_id, "present", self._dataset.clip(job_id))

    def _known(self, task: _Task) -> Result | None:
        """The result of a task that is published, or was given up before."""
        if isinstance(task.work, Job) and self._dataset.is_done(task.id):
            return Result(task.id, "present", self._dataset.clip(task.id))
        cause = None if self._pool.retry_quarantined or task.attempts else self._dataset.cause(task.id)
        if cause is None:
            return None
        return Result(task.id, "failed", self._dataset.quarantine(task.id), message=str(cause["message"]))

    def _is_ready(self, slot: _Slot, engine: str) -> bool:
        """Whether the slot's worker waits for work of this kind; if there is none, one is hired."""
        if slot.worker is not None and slot.engine == engine:
            return slot.ready
        slot.stop()
        if sum(each.worker is not None and not each.ready for each in self._slots) < len(self._todo):
            slot.engine, slot.heard_s = engine, time.monotonic()
            slot.worker = self._pool.crew.hire(slot.index, engine, self._inbox)
        return False

    def _begin(self, slot: _Slot, task: _Task) -> Result | None:
        """Claim the task and let the slot's worker begin; or see that another run is at it, or has done it."""
        assert slot.worker is not None
        if not self._claims.take(task.id):
            self._elsewhere.append(task)
            return None
        if result := self._known(task):  # since we looked
            self._claims.free(task.id)
            return result
        self._dataset.drop_torn(task.id)
        self._dataset.sweep_attempts(self._claims, task.id)
        if isinstance(task.work, Job):
            self._room -= task.attempts == 0
            plan, what, index = self._dataset.queue(task.work), "clip", 0
        else:
            plan, what, index = self._dataset.spec_file(task.work), "plan", task.work.index
        task.attempts += 1
        slot.task, slot.out = task, self._dataset.attempt_dir(task.id, task.attempts)
        slot.began_s = slot.heard_s = time.monotonic()
        slot.worker.send(task.id, plan, slot.out, what, index)
        return None

    # ---- messages in
    def _listen(self) -> Message | None:
        try:
            return self._inbox.get(timeout=_TICK_S)
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
            self._pool.on_progress(slot.task.id, int(body["done"]), int(body["total"]))
        elif kind == "done" and slot.task:
            return self._done(slot, body.get("stats", {}))
        elif kind == "error" and slot.task:
            return self._lost(
                slot, one_line(str(body.get("message"))), retry=bool(body.get("retry")), full=bool(body.get("storage"))
            )
        elif kind == GONE:
            return self._gone(slot, message.worker)
        return None

    def _look_around(self) -> Iterator[Result]:
        """Every tick: workers that hang or hold too much, clips that other runs have left."""
        now_s, limits = time.monotonic(), self._limits
        for slot in self._slots:
            if slot.worker is None:
                continue
            if not slot.ready:
                self._await_start(slot, slot.worker, now_s)
                continue
            message = ""
            if slot.task and now_s - slot.heard_s > limits.silence_s:
                message = f"no progress for {limits.silence_s:g} s"
            elif slot.task and now_s - slot.began_s > limits.job_s:
                message = f"not done after {limits.job_s:g} s"
            elif slot.task and (held := slot.worker.rss_bytes()) > limits.memory_bytes:
                message = (
                    f"the worker held {held / 1e9:.2f} GB of memory; {limits.memory_bytes / 1e9:.2f} GB is the limit"
                )
            if message and (result := self._lost(slot, message, retry=True)):
                yield result
        free = [task for task in self._elsewhere if not self._claims.is_taken(task.id)]
        self._elsewhere = [task for task in self._elsewhere if task not in free]
        self._todo.extendleft(free)

    # ---- ends of an attempt
    def _done(self, slot: _Slot, stats: Mapping[str, Any]) -> Result | None:
        assert slot.task is not None and slot.out is not None
        task = slot.task
        result = None
        try:
            if isinstance(task.work, Draw):
                job = task.work.job(ScenePlan.read(slot.out / "plan.json"))
                self._dataset.keep_draw(task.work, job)
                shutil.rmtree(slot.out)
                self._drawn(job)
            else:
                path = self._dataset.publish(slot.out, task.id)
                result = Result(task.id, "done", path, task.attempts, stats=stats)
        except (FileNotFoundError, ValueError) as error:
            return self._lost(slot, str(error), retry=True)
        slot.task = slot.out = None
        self._claims.free(task.id)
        if result:
            self._num_done += 1
            spoken = f"{self._num_done}: {task.id} done at attempt {task.attempts}: {json.dumps(dict(stats))}"
            self._dataset.note(spoken)
            self._recycle(slot)
        return result

    def _drawn(self, job: Job) -> None:
        """A draw became a job, which is next."""
        if job.id not in self._seen and (self._pool.wanted is None or self._pool.wanted(job)):
            self._seen.add(job.id)
            self._todo.appendleft(_Task(job))

    def _recycle(self, slot: _Slot) -> None:
        assert slot.worker is not None
        slot.num_jobs += 1
        held = slot.worker.rss_bytes()
        if slot.num_jobs >= self._limits.recycle_jobs or held >= self._limits.recycle_bytes:
            self._dataset.note(f"a worker is replaced after {slot.num_jobs} clips, holding {held / 1e6:.0f} MB")
            slot.stop()

    def _gone(self, slot: _Slot, worker: WorkerHandle) -> Result | None:
        if slot.task is not None:
            return self._lost(slot, f"the worker {worker.ending()}", retry=True)
        if slot.ready:
            slot.stop()
        else:
            self._not_up(slot, worker, worker.ending())
        return None

    def _await_start(self, slot: _Slot, worker: WorkerHandle, now_s: float) -> None:
        if worker.waits_for_room:
            slot.heard_s = now_s
        elif now_s - slot.heard_s > self._limits.start_s:
            self._not_up(slot, worker, f"was not ready after {self._limits.start_s:g} s")

    def _not_up(self, slot: _Slot, worker: WorkerHandle, ending: str) -> None:
        """Another worker may do better; after some in a row, while none is up, this raises WorkersFail."""
        slot.stop()
        self._dataset.note(f"a worker did not come up: it {ending}")
        self._start_failures += 1
        if self._start_failures >= _START_FAILURES and not any(each.ready for each in self._slots):
            raise WorkersFail(f"no render worker comes up (it {ending}):\n{worker.log()}")

    def _lost(self, slot: _Slot, message: str, *, retry: bool, full: bool = False) -> Result | None:
        """One attempt came to nothing. After a failure that may be the worker's, the slot gets a new one."""
        task, worker, out = slot.task, slot.worker, slot.out
        assert task is not None
        if retry and out is not None:
            self._check_storage(out, message if full else "")
        slot.stop() if retry else slot.drop()
        self._dataset.note(f"{task.id} failed at attempt {task.attempts}: {message}")
        if retry and task.attempts < self._limits.attempts:
            self._claims.free(task.id)
            self._todo.append(task)
            return None
        folder = self._dataset.give_up(
            task.work,
            message=message,
            retry=retry,
            attempts=task.attempts,
            worker_log=worker.log() if worker else "",
        )
        self._claims.free(task.id)
        return Result(task.id, "failed", folder, task.attempts, message)

    def _check_storage(self, out: Path, message: str) -> None:
        """Raise OSError when the disk is at fault: then no job is to blame, and going on would blame them all."""
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) if out.is_dir() else 0
        fault = self._dataset.why_not_writable(min(size, _LARGEST_PROBE_BYTES))
        if message or fault:
            reason = message or f"{fault.strerror if fault else ''}"
            raise _stopped(self._dataset, fault.errno if fault else None, reason)


def _stopped(dataset: Dataset, code: int | None, reason: str) -> OSError:
    """The disk is at fault."""
    said = f"{reason}; no clip is lost: mend it and run the same command again"
    return OSError(code or errno.ENOSPC, said, str(dataset.root))
