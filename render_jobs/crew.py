"""Who does the work: what the scheduler asks of a place where workers run, be it this machine or a cluster."""

from __future__ import annotations

import queue
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

GONE = "gone"  # the kind of the message that a worker's end leaves in the inbox


@dataclass(frozen=True)
class Message:
    """Something a worker said, or `GONE`."""

    worker: WorkerHandle
    body: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.body.get("kind"))


class WorkerHandle(Protocol):
    """One worker, wherever it runs. What it says arrives in the inbox it was hired with; the last message is `GONE`."""

    def send(self, job_id: str, plan: Path, out: Path, what: str = "clip", index: int = 0) -> None:
        """Ask for one piece of work. A worker that is already dead says so by `GONE`, not here."""
        ...

    def kill(self) -> None:
        """End it and its children now; returns when it can write no more. Safe to repeat."""
        ...

    def log(self) -> str:
        """The last lines that it wrote beside its messages."""
        ...

    def ending(self) -> str:
        """How a worker that is gone ended: the rest of a sentence that begins with "the worker"."""
        ...

    @property
    def waits_for_room(self) -> bool:
        """Whether it has no machine to run on yet, and is to be given all the time in the world."""
        ...

    def rss_bytes(self) -> int:
        """Memory it holds with its children; 0 when unknown."""
        ...


class Crew(Protocol):
    """Hires workers for one run."""

    @property
    def size(self) -> int:
        """Workers at most."""
        ...

    @property
    def memory_cap_bytes(self) -> int:
        """What one worker may hold so that all of a machine's workers together leave it room."""
        ...

    def hire(self, index: int, engine: str, inbox: queue.Queue[Message]) -> WorkerHandle:
        """Start worker `index` of `size` with the renderer `engine`; returns at once.

        The worker says "ready" when it is up, which may be much later (a cluster that has no room yet).
        """
        ...

    def close(self) -> None:
        """After the last worker was killed."""
        ...
