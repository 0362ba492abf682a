"""Many strips on one machine: the workers of the pool, one attempt each, no data set."""

from __future__ import annotations

import queue
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from render_jobs.crew import GONE, Message, WorkerHandle
from render_jobs.local import blender_command, num_cores
from render_jobs.worker import Worker
from scenes.plan import ScenePlan
from simulator.strips import Strip

START_FAILURES = 3  # workers that end before they did anything: the machine is at fault
Outcome = Strip | str  # the strip, or why there is none


def run_strips(plans: Mapping[str, ScenePlan], num_workers: int | None = None) -> Iterator[tuple[str, Outcome]]:
    """(key, strip or reason) for every plan as they end. A worker that dies costs its own strip only."""
    inbox: queue.Queue[Message] = queue.Queue()
    waiting, running = list(plans.items())[::-1], dict[WorkerHandle, str]()
    num_workers = min(num_workers or num_cores(), len(plans))
    threads = max(1, num_cores() // max(num_workers, 1))
    with tempfile.TemporaryDirectory(prefix="remind-strips-") as scratch:
        workers: set[WorkerHandle] = {Worker(blender_command(threads), inbox) for _ in range(num_workers)}
        failures = 0

        def next_job(worker: WorkerHandle) -> None:
            if not waiting:
                return
            key, plan = waiting.pop()
            folder = Path(scratch) / plan.plan_id
            folder.mkdir(exist_ok=True)
            (folder / "plan.json").write_text(plan.to_json(), encoding="utf-8")
            running[worker] = key
            worker.send(key, folder / "plan.json", folder, what="strip")

        try:
            while running or waiting:
                message = inbox.get()
                worker = message.worker
                if message.kind == "ready":
                    next_job(worker)
                elif message.kind in ("done", "error"):
                    key = running.pop(worker)
                    folder = Path(scratch) / plans[key].plan_id
                    yield key, Strip.read(folder) if message.kind == "done" else str(message.body["message"])
                    next_job(worker)
                elif message.kind == GONE and worker in workers:
                    workers.remove(worker)
                    worker.kill()
                    if worker in running:
                        yield running.pop(worker), f"the worker {worker.ending()}: {worker.log()[-400:]}"
                    elif (failures := failures + 1) >= START_FAILURES:
                        raise ChildProcessError(f"no Blender worker comes up: {worker.log()[-400:]}")
                    if waiting:
                        workers.add(Worker(blender_command(threads), inbox))
        finally:
            for worker in workers:
                worker.kill()
