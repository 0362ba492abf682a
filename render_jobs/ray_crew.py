"""Workers on the nodes of a Ray cluster: one actor each, which holds the same worker process as on one machine.

Small JSON messages pass through Ray; clips go from the worker straight to the data set, which lies on shared storage.
The scheduler is the one of the local pool: a lost actor or node is a worker that is `GONE`, and Ray itself retries
nothing. An actor that finds no room in the cluster waits, unready, until there is some.
"""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tqdm import tqdm

from render_jobs import ray_worker
from render_jobs.crew import GONE, Message
from render_jobs.local import ENGINES, MAX_WORKERS, Command
from simulator.clip_writer import software_versions

_ANSWER_S = 15.0  # a cluster that has not answered by then: Ray itself would try for two minutes
_LISTEN_S = 5.0  # one call to a silent actor
NO_MEMORY_LIMIT = 2**63  # of nodes that don't say what they have
_STOP_S = 0.5  # for an actor to end its process in order; after that it is killed with it

_PROBE = """
import logging, sys, ray
try:
    ray.init(address=sys.argv[1], log_to_driver=False, logging_level=logging.CRITICAL)
except Exception as error:
    print(*str(error).split())
    sys.exit(1)
"""


@dataclass(frozen=True, kw_only=True)
class Share:
    """What each worker takes of a cluster, and how many workers fit."""

    num_cpus: int
    num_gpus: int
    num_workers: int
    memory_bytes: int = NO_MEMORY_LIMIT  # what a worker may hold: the least share of any node's "memory"


def share_out(nodes: Sequence[Mapping[str, float]], cpus_per_worker: int | None = None) -> Share:
    """How workers fill nodes with these resources ("CPU", "GPU", "memory" in bytes).

    With GPUs, each worker gets one, and nodes without any are left alone: they would draw other pictures. Without, each
    gets a core, or more where a node would otherwise run more than MAX_WORKERS. Raises ValueError when none fits.
    """
    with_gpu = [node for node in nodes if node.get("GPU", 0) >= 1]
    num_gpus = 1 if with_gpu else 0
    nodes = with_gpu or [node for node in nodes if node.get("CPU", 0) >= 1]
    if not nodes:
        raise ValueError("--backend ray: no node of the cluster has a CPU to give; start nodes with `ray start`")
    if cpus_per_worker is not None:
        num_cpus = cpus_per_worker
    elif num_gpus:
        num_cpus = max(1, min(int(node.get("CPU", 0) // node["GPU"]) for node in nodes))
    else:
        num_cpus = math.ceil(max(node["CPU"] for node in nodes) / MAX_WORKERS)
    rooms = [int(min(node.get("CPU", 0) // num_cpus, node["GPU"] if num_gpus else math.inf)) for node in nodes]
    if sum(rooms) == 0:
        largest = max(node.get("CPU", 0) for node in nodes)
        raise ValueError(f"--cpus-per-worker: {num_cpus} is more than any node has; give {largest:g} or fewer")
    memory = [int(node["memory"] // room) for node, room in zip(nodes, rooms, strict=True) if room and "memory" in node]
    return Share(
        num_cpus=num_cpus, num_gpus=num_gpus, num_workers=sum(rooms), memory_bytes=min(memory, default=NO_MEMORY_LIMIT)
    )


def _import_ray() -> ModuleType:
    try:
        import ray
    except ImportError:
        raise ValueError("--backend ray: Ray is not installed; pip install 'remind-sim[ray]'") from None
    return ray


def _check_answer(address: str) -> None:
    """Raise ValueError unless a cluster answers at `address` ("HOST:PORT" or "auto") and this machine is in it.

    In a process of its own, because Ray's own attempt cannot be cut short.
    """
    place = f"--address {address}" if address != "auto" else "--backend ray"
    host, _, port = address.rpartition(":")
    if address != "auto":
        if not port.isdigit() or not host or "/" in host:
            raise ValueError(f"{place}: not an address; give HOST:PORT of the cluster's head, as `ray start` prints it")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=3.0).close()
        except (OSError, OverflowError) as error:
            raise ValueError(f"{place}: no Ray cluster answers ({error}); `ray start --head` starts one") from None
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, address], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            timeout=_ANSWER_S, start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ValueError(
            f"{place}: no Ray cluster answers within {_ANSWER_S:g} s, or this machine is not one of its nodes; "
            "make it one with `ray start --address HOST:PORT`"
        ) from None
    if done.returncode:
        said = done.stdout.strip().splitlines()[-1:] or ["the connection breaks"]
        raise ValueError(f"{place}: {said[0][:300].rstrip('.')}; `ray start --head` starts a cluster")


class RayCrew:
    """One worker for each place in the cluster, or `num_workers` of them, which may be more than there is room for now.

    root: the data set, on storage that all nodes share. address: "HOST:PORT" of the head; without it the cluster that
    this machine is part of. Connects at once; raises ValueError when there is no Ray, no cluster or no room.
    """

    def __init__(
        self,
        *,
        root: Path,
        address: str | None = None,
        num_workers: int | None = None,
        cpus_per_worker: int | None = None,
        commands: Mapping[str, Command] = ENGINES,
    ) -> None:
        self._ray = _import_ray()
        self._root, self._commands = root.resolve(), commands
        _check_answer(address or "auto")
        self._ray.init(address=address or "auto", log_to_driver=False, logging_level=logging.ERROR)
        try:
            nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
            self._share = share_out(nodes, cpus_per_worker)
        except ValueError:
            self._ray.shutdown()
            raise
        self.size = num_workers or self._share.num_workers
        self._versions = {k: v for k, v in software_versions().items() if k not in ("python", "machine")}
        self._barred: dict[str, str] = {}  # node id -> why it can't render
        self._lock = threading.Lock()
        self._ray.cloudpickle.register_pickle_by_value(ray_worker)
        self._actor_class = self._ray.remote(ray_worker.NodeWorker)

    @property
    def memory_cap_bytes(self) -> int:
        """A worker's share of what Ray counts as the smallest node's memory: all but its object store."""
        return self._share.memory_bytes

    def hire(self, index: int, engine: str, inbox: queue.Queue[Message]) -> RayWorker:
        """An actor, placed when there is room for it. All are alike: `index` says nothing here."""
        return RayWorker(self, self._ray, engine, inbox)

    def close(self) -> None:
        """Leave the cluster; Ray ends what actors are left."""
        self._ray.shutdown()

    def start_actor(self, engine: str) -> Any | None:
        """A new actor on any node that is not barred; None when every node that is large enough is."""
        share = self._share
        large = {
            node["NodeID"]
            for node in self._ray.nodes()
            if node["Alive"]
            and node["Resources"].get("CPU", 0) >= share.num_cpus
            and node["Resources"].get("GPU", 0) >= share.num_gpus
        }
        with self._lock:
            barred = sorted(large & set(self._barred))
        if barred and len(barred) == len(large):
            return None
        command = self._commands[engine](share.num_cpus)
        return self._actor_class.options(
            num_cpus=share.num_cpus,
            num_gpus=share.num_gpus,
            max_restarts=0,
            max_task_retries=0,
            max_concurrency=3,  # listen, send and stop don't wait for each other
            label_selector={"ray.io/node-id": f"!in({','.join(barred)})"} if barred else None,
        ).remote([None if word == sys.executable else word for word in command], str(self._root), self._versions)

    def bar(self, node_id: str, node: str, why: str) -> None:
        """Use this node no more, and say so once."""
        with self._lock:
            known = node_id in self._barred
            self._barred[node_id] = f"node {node} {why}"
        if not known:
            tqdm.write(f"remind: left out: node {node} {why}", file=sys.stderr)

    def why_barred(self) -> str:
        with self._lock:
            return "; ".join(self._barred.values())


class RayWorker:
    """A worker on some node, seen from the driver."""

    def __init__(self, crew: RayCrew, ray: ModuleType, engine: str, inbox: queue.Queue[Message]) -> None:
        self._crew, self._ray, self._engine, self._inbox = crew, ray, engine, inbox
        self._lock = threading.Lock()
        self._stopped = False
        self._log, self._ending, self._rss_bytes = "", "", 0
        self._node = ""  # its name, once it has spoken
        self._actor = crew.start_actor(engine)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def send(self, job_id: str, plan: Path, out: Path, what: str = "clip", index: int = 0) -> None:
        if self._actor is not None:
            self._actor.send.remote(job_id, str(plan.resolve()), str(out.resolve()), what, index)

    def kill(self) -> None:
        with self._lock:
            self._stopped, actor = True, self._actor
        if actor is None:
            return
        with contextlib.suppress(self._ray.exceptions.RayError):
            if self._node:
                self._ray.get(actor.stop.remote(), timeout=_STOP_S)
        self._ray.kill(actor)
        self._listener.join(_STOP_S)

    def log(self) -> str:
        return self._log

    def ending(self) -> str:
        return self._ending

    @property
    def waits_for_room(self) -> bool:
        return not self._node

    def rss_bytes(self) -> int:
        return self._rss_bytes

    def _listen(self) -> None:
        """Pass on what the actor says until it or its worker is gone."""
        while not self._ending:
            if self._actor is None:
                self._ending = f"finds no node that can render: {self._crew.why_barred()}"
                break
            try:
                self._hear(self._ray.get(self._actor.listen.remote(_LISTEN_S)))
            except self._ray.exceptions.RayError as error:
                self._ending = self._how_lost(error)
        self._inbox.put(Message(self, {"kind": GONE}))

    def _hear(self, heard: Mapping[str, Any]) -> None:
        if "unfit" in heard:
            self._crew.bar(heard["node_id"], heard["node"], heard["unfit"])
            self._move()
            return
        self._node, self._log = heard["node"], heard.get("log", self._log)
        self._rss_bytes = heard.get("rss_bytes", 0)
        for body in heard["bodies"]:
            if body["kind"] != GONE:
                self._inbox.put(Message(self, body))
        if "ending" in heard:
            self._ending = f"{heard['ending']}, on node {self._node}"

    def _move(self) -> None:
        """Go on with an actor on another node; to the scheduler this one is still starting."""
        with self._lock:
            self._ray.kill(self._actor)
            if not self._stopped:
                self._actor = self._crew.start_actor(self._engine)

    def _how_lost(self, error: Exception) -> str:
        if not self._node:
            return f"did not start in the cluster: {str(error).strip().splitlines()[-1]}"
        if "node has died" in str(error):
            return f"was lost with its node {self._node}"
        return f"was lost with its node {self._node}, or with its Ray process there"
