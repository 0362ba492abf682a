"""One worker process seen from outside: a long-lived renderer that is spoken to in JSON lines (simulator.serving).

What it writes to stderr, and lines on stdout that are not messages, are kept as its log.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import psutil

from render_jobs import tether
from render_jobs.crew import GONE, Message

_LOG_LINES = 200
_LINE_CHARACTERS = 4000  # a log line is cut there


class Worker:
    """A started process. Its messages arrive in `inbox`; the last one is always `GONE`.

    It dies with the thread that started it: start workers from the thread that runs the pool.
    """

    def __init__(
        self,
        command: Sequence[str],
        inbox: queue.Queue[Message],
        environment: Mapping[str, str] = MappingProxyType({}),  # beside this process's own
    ) -> None:
        self._inbox = inbox
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._scratch = tempfile.TemporaryDirectory(prefix="remind-worker-")  # Blender leaves a session folder behind
        self._process = subprocess.Popen(
            [sys.executable, "-I", tether.__file__, str(os.getpid()), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, **environment, "TMPDIR": self._scratch.name},
            start_new_session=True,  # Ctrl-C in the terminal reaches the pool only, which then ends the workers
        )
        self._readers = [
            threading.Thread(target=self._read_messages, daemon=True),
            threading.Thread(target=self._read_log, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    waits_for_room = False  # this machine has it

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, job_id: str, plan: Path, out: Path, what: str = "clip", index: int = 0) -> None:
        """Ask for one piece of work. A worker that is already dead says so by `GONE`, not here."""
        assert self._process.stdin is not None
        files = {"plan": str(plan.resolve()), "out": str(out.resolve())}
        line = json.dumps({"id": job_id, "what": what, **files, "index": index})
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def kill(self) -> None:
        """End the process and its children now; returns when it is gone. Safe to repeat."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for reader in self._readers:
            reader.join()
        self._close()
        self._scratch.cleanup()

    def log(self) -> str:
        """The last lines that the worker wrote beside its messages."""
        return "".join(self._log)

    def ending(self) -> str:
        """How a worker that is gone ended: the rest of a sentence."""
        code = self._process.wait()
        if code >= 0:
            return f"left with exit status {code}"
        hint = " (the system does so when memory runs out)" if -code == signal.SIGKILL else ""
        return f"was killed by {signal.Signals(-code).name}{hint}"

    def rss_bytes(self) -> int:
        """Memory of the process and its children; 0 when it is gone."""
        try:
            process = psutil.Process(self._process.pid)
            return sum(_rss_bytes(each) for each in (process, *process.children(recursive=True)))
        except psutil.Error:
            return 0

    def _read_messages(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                body = json.loads(line)
            except json.JSONDecodeError:
                body = None
            if isinstance(body, dict) and "kind" in body:
                self._inbox.put(Message(self, body))
            else:
                self._log.append(line[:_LINE_CHARACTERS])
        self._inbox.put(Message(self, {"kind": GONE}))

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line[:_LINE_CHARACTERS])

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def _rss_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
