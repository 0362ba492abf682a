"""Workers on this machine: processes that share out its cores, its memory and its GPUs."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import psutil

from render_jobs.crew import Message
from render_jobs.worker import Worker

MAX_WORKERS = 16  # each holds a Blender of some 400 MB; beyond, the workers get more threads instead
MEMORY_SHARE = 0.9  # of the machine's memory, for all workers together

Command = Callable[[int], Sequence[str]]  # number of threads -> command line of a worker


def blender_command(threads: int) -> Sequence[str]:
    """How a Blender worker is started."""
    return [sys.executable, "-m", "simulator.blender", "--threads", str(threads)]


def preview_command(threads: int) -> Sequence[str]:
    """How a preview worker is started."""
    return [sys.executable, "-m", "simulator.preview", "--threads", str(threads)]


# `render.engine` of a plan -> how a worker for it is started
ENGINES: Mapping[str, Command] = MappingProxyType({"cycles": blender_command, "preview": preview_command})


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """Memory that this process may use: the machine's, or its control group's if that is less."""
    total = int(psutil.virtual_memory().total)
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def gpu_ids() -> tuple[str, ...]:
    """GPUs that CUDA programs started here would see, in the form CUDA_VISIBLE_DEVICES takes."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(part.strip() for part in visible.split(",") if part.strip() not in ("", "-1"))
    if shutil.which("nvidia-smi") is None:
        return ()
    try:
        found = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        return ()
    lines = [line for line in found.stdout.splitlines() if line.startswith("GPU ")]
    return tuple(str(index) for index in range(len(lines)))


def shares(total: int, parts: int) -> list[int]:
    """`total` shared out over `parts`, each at least 1."""
    each, rest = divmod(total, parts)
    return [max(1, each + (index < rest)) for index in range(parts)]


@dataclass(frozen=True, kw_only=True)
class LocalCrew:
    """Processes on this machine. Their threads together fill the cores; with GPUs, each worker gets one."""

    size: int
    commands: Mapping[str, Command] = field(default_factory=lambda: ENGINES)
    gpus: tuple[str, ...] = ()

    @classmethod
    def of_this_machine(cls, num_workers: int | None = None, num_jobs: int | None = None) -> LocalCrew:
        """One worker for each GPU if there are any, else for each core; or `num_workers`. Never more than jobs."""
        gpus = gpu_ids()
        size = num_workers or len(gpus) or min(num_cores(), MAX_WORKERS)
        return cls(size=size if num_jobs is None else max(1, min(size, num_jobs)), gpus=gpus)

    @property
    def memory_cap_bytes(self) -> int:
        """What one worker may hold when all hold as much."""
        return int(memory_bytes() * MEMORY_SHARE) // self.size

    def hire(self, index: int, engine: str, inbox: queue.Queue[Message]) -> Worker:
        """A worker process. It dies with the thread that calls this."""
        environment = {"CUDA_VISIBLE_DEVICES": self.gpus[index % len(self.gpus)]} if self.gpus else {}
        return Worker(self.commands[engine](shares(num_cores(), self.size)[index]), inbox, environment)

    def close(self) -> None:
        """Nothing is left of killed processes."""
