"""The node's side of a Ray worker: an actor that holds one worker process and passes on what it says.

Ray ships this class to the nodes by value, so that a node without this package can say so instead of failing to load
it: import nothing from this project at the top of this file.
"""

from __future__ import annotations

import os
import platform
import queue
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

_MAX_BODIES = 50  # in one answer: a late listener gets the rest with the next one
_MAX_LOG_CHARS = 16_000  # answers stay far below the 100 kB from which Ray would put them into its object store


class NodeWorker:
    """One worker process on this node; it dies with the actor's process, however that dies.

    command: argv; None stands for the node's own Python. dataset: a folder that this node has to see. versions: package
    -> version on the driver's machine; arrays are equal only where these are.
    A node that fails a check starts nothing, and `listen` says why under "unfit".
    """

    def __init__(self, command: Sequence[str | None], dataset: str, versions: Mapping[str, str]) -> None:
        import ray

        node_id = ray.get_runtime_context().get_node_id()
        self._node = {"node": f"{platform.node()} ({node_id[:8]})", "node_id": node_id}
        self._inbox: queue.Queue[Any] = queue.Queue()
        self._log = ""
        self._unfit = storage_problem(Path(dataset)) or versions_problem(versions)
        if self._unfit is None:
            try:
                self._worker = self._start([word or sys.executable for word in command])
            except ImportError as error:
                self._unfit = f"cannot load remind-sim ({error}); pip install it there"

    def _start(self, command: Sequence[str]) -> Any:
        from render_jobs import worker

        project = str(Path(worker.__file__).parents[1])  # the process imports what this actor imports
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [project, os.environ.get("PYTHONPATH")]))
        return worker.Worker(command, self._inbox)

    def listen(self, patience_s: float) -> dict[str, Any]:
        """What was said since the last call, after at most `patience_s` of silence. JSON values only.

        node, node_id; bodies: messages, the last of a worker that ended being GONE, then with `ending`; log, when there
        is more of it; rss_bytes.
        """
        if self._unfit is not None:
            return {**self._node, "unfit": self._unfit}
        bodies = self._bodies(patience_s)
        heard = {**self._node, "bodies": bodies}
        if bodies and bodies[-1]["kind"] == "gone":
            heard["ending"] = self._worker.ending()
            self._worker.kill()  # its children, too; now its log is complete
        else:
            heard["rss_bytes"] = self._worker.rss_bytes()
        if (log := self._worker.log()[-_MAX_LOG_CHARS:]) != self._log:
            self._log = heard["log"] = log
        return heard

    def _bodies(self, patience_s: float) -> list[dict[str, Any]]:
        bodies: list[dict[str, Any]] = []
        try:
            while len(bodies) < _MAX_BODIES:
                bodies.append(self._inbox.get(timeout=0 if bodies else patience_s).body)
        except queue.Empty:
            pass
        return bodies

    def send(self, job_id: str, plan: str, out: str, what: str, index: int) -> None:
        """See `WorkerHandle.send`."""
        self._worker.send(job_id, Path(plan), Path(out), what, index)

    def stop(self) -> None:
        """End the process; it is gone when this returns."""
        if self._unfit is None:
            self._worker.kill()


def storage_problem(dataset: Path) -> str | None:
    """Why this machine does not share the data set with the driver, which holds its lock file open, or None."""
    if (dataset / ".lock").is_file():
        return None
    return f"does not see the data set {dataset}; mount the storage that holds it there, at the same path"


def versions_problem(wanted: Mapping[str, str]) -> str | None:
    """The first package that is absent here or of another version than on the driver's machine, or None."""
    for package, version in wanted.items():
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            found = "none"
        if found != version:
            return f"has {package} {found} where this machine has {version}; install the same version there"
    return None
