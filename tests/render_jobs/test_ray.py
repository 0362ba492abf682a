"""The Ray crew on a real cluster of two node processes, one of which is killed; with a fake worker."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import remind
from render_jobs import ray_crew
from render_jobs.crew import Message
from render_jobs.dataset import Dataset
from render_jobs.jobs import Result
from render_jobs.local import Command
from render_jobs.pool import Limits, Pool
from render_jobs.ray_crew import RayCrew, Share, share_out
from render_jobs.ray_worker import storage_problem, versions_problem
from simulator.clip_writer import software_versions
from tests.render_jobs.support import FAKE_WORKER, attempts, fake_pool, job
from tests.render_jobs.test_pool import clean, is_running, wait_until, worker_pids

ray = pytest.importorskip("ray")

REPOSITORY = Path(__file__).parents[2]
STORE_BYTES = 80_000_000


class TwoNodes:
    """A cluster of two node processes on this machine, with one CPU each; the test runs on the first."""

    def __init__(self, folder: str) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_dashboard": False, "temp_dir": folder}
        quick = {"health_check_period_ms": 500, "health_check_timeout_ms": 5000, "health_check_failure_threshold": 2}
        self._cluster = Cluster(initialize_head=True, head_node_args={**head, "_system_config": quick})
        self.address = self._cluster.address
        self.second = self.add(num_cpus=1)

    def add(self, **resources: int) -> Any:
        return self._cluster.add_node(object_store_memory=STORE_BYTES, **resources)

    def kill(self, node: Any) -> None:
        """SIGKILL, and wait for the process, so that its actors see that it is gone."""
        raylet = node.all_processes["raylet"][0].process
        raylet.kill()
        raylet.wait()
        self._cluster.remove_node(node, allow_graceful=False)

    def wait_for(self, number: int) -> None:
        ray.init(address=self.address, log_to_driver=False)
        wait_until(lambda: sum(node["Alive"] for node in ray.nodes()) == number)
        ray.shutdown()

    def close(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def nodes() -> Iterator[TwoNodes]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("PYTHONPATH", str(REPOSITORY))
        folder = tempfile.mkdtemp(prefix="ray-")  # pytest's own are too long for the names of sockets
        environment.setenv("RAY_TMPDIR", folder)  # where Ray notes the address of its last cluster, in a folder that
        (Path(folder) / "ray").mkdir()  # it does not make itself
        cluster = TwoNodes(folder)
        yield cluster
        cluster.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster is there: spares the seconds of asking in a process of its own."""
    monkeypatch.setattr(ray_crew, "_check_answer", lambda address: None)


def fake_command(root: Path) -> Callable[[int], list[str]]:
    counts = root.parent / "counts"
    counts.mkdir(exist_ok=True)
    root.mkdir(exist_ok=True)
    return lambda threads: [sys.executable, str(FAKE_WORKER), str(counts), str(threads)]


def ray_pool(root: Path, address: str, command: Command | None = None, attempts: int = 3) -> Pool:
    """As `fake_pool`, over the cluster."""
    crew = RayCrew(root=root, address=address, commands={"cycles": command or fake_command(root)})
    return Pool(dataset=Dataset(root), crew=crew, limits=Limits(attempts=attempts))


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in (root / "clips").rglob("*") if p.is_file()}


def parents(pid: int) -> list[int]:
    """The process's parent, grandparent and so on."""
    found = []
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.append(pid)
    return found


def store_bytes() -> float:
    """What is left of the object stores of all nodes."""
    return float(ray.available_resources().get("object_store_memory", 0))


@pytest.mark.usefixtures("known")
def test_one_node_killed_in_the_middle(nodes: TwoNodes, tmp_path: Path) -> None:
    """Every clip is published once, and the data set is the one that an undisturbed local run gives, file by file."""
    # no node can do them all before the other begins
    jobs = [job("meet", index) for index in range(16)]
    root, undisturbed = tmp_path / "data", tmp_path / "undisturbed" / "data"
    undisturbed.parent.mkdir()
    results: list[Result] = []
    raylets: set[int] = set()
    for result in ray_pool(root, nodes.address).run(jobs):
        results.append(result)
        if len(results) == 4:
            raylets = {parents(pid)[1] for pid in worker_pids(root) if is_running(pid)}
            nodes.kill(nodes.second)
    nodes.second = nodes.add(num_cpus=1)
    assert len(raylets) == 2, "both nodes were at work"
    assert sorted(r.job_id for r in results) == sorted(j.id for j in jobs)
    assert {r.state for r in results} == {"done"}
    assert max(r.attempts for r in results) == 2
    assert "was lost with its node" in (root / "render.log").read_text()
    assert {r.state for r in fake_pool(undisturbed, num_workers=2).run(jobs)} == {"done"}
    assert files(root) == files(undisturbed)
    assert clean(root)
    assert not any(is_running(pid) for pid in worker_pids(root))


@pytest.mark.usefixtures("known")
def test_crashes_cost_attempts_and_quarantine_works_as_on_one_machine(nodes: TwoNodes, tmp_path: Path) -> None:
    root = tmp_path / "data"
    twice, always, impossible, good = job("kill_1"), job("crash_99"), job("impossible"), job("good")
    pool = ray_pool(root, nodes.address, attempts=2)
    results = {r.job_id: r for r in pool.run([twice, always, impossible, good])}
    assert (results[twice.id].state, results[twice.id].attempts) == ("done", 2)
    assert (results[good.id].state, results[good.id].attempts) == ("done", 1)
    assert (results[always.id].state, results[always.id].attempts) == ("failed", 2)
    assert "left with exit status 7, on node" in results[always.id].message
    assert results[impossible.id].state == "failed" and attempts(root, impossible) == 1
    assert "about to crash" in (results[always.id].path / "worker.log").read_text()
    assert clean(root)


TALKATIVE = """
import runpy, sys
sys.stderr.write("x" * 5_000_000 + "\\n")
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.usefixtures("known")
def test_clips_do_not_pass_through_ray(nodes: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What passes is small JSON, even of a worker that talks a lot, and the object stores stay empty."""
    heard: list[str] = []
    hear = ray_crew.RayWorker._hear

    def note(worker: ray_crew.RayWorker, said: Mapping[str, Any]) -> None:
        heard.append(json.dumps(said))
        hear(worker, said)

    monkeypatch.setattr(ray_crew.RayWorker, "_hear", note)
    python, *fake = fake_command(tmp_path / "data")(1)
    pool = ray_pool(tmp_path / "data", nodes.address, lambda threads: [python, "-c", TALKATIVE, *fake])
    before = store_bytes()
    used = [before - store_bytes() for _ in pool.run([job("noise", index) for index in range(20)])]
    assert len(used) == 20 and max(used) < 1000
    assert max(len(said) for said in heard) < 20_000


def test_the_object_store_is_what_that_test_measures(nodes: TwoNodes) -> None:
    ray.init(address=nodes.address, log_to_driver=False)
    before, held = store_bytes(), ray.put(bytes(20_000_000))
    wait_until(lambda: before - store_bytes() > 10_000_000)
    del held
    ray.shutdown()


DRIVER = """
import signal, sys
from pathlib import Path
from render_jobs import ray_crew
from tests.render_jobs.support import job
from tests.render_jobs.test_ray import ray_pool
ray_crew._check_answer = lambda address: None
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell is born deaf to it
list(ray_pool(Path(sys.argv[1]), sys.argv[2]).run([job("good"), job("hang_1")]))
"""


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_actors_and_workers_die_with_the_run_and_the_next_run_finishes(
    nodes: TwoNodes, tmp_path: Path, signal_number: int
) -> None:
    root = tmp_path / "data"
    good, hanging = job("good"), job("hang_1")
    command = [sys.executable, "-c", DRIVER, str(root), nodes.address]
    run = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE)
    wait_until(lambda: attempts(root, hanging) == 1 and Dataset(root).is_done(good.id))
    workers = worker_pids(root)
    actors = [parents(pid)[0] for pid in workers if is_running(pid)]
    assert actors
    run.send_signal(signal_number)
    run.communicate(timeout=60)
    if signal_number == signal.SIGINT:  # leaves nothing; what is left by SIGKILL, the next run removes
        assert not any(is_running(pid) for pid in workers)
        assert clean(root)
    wait_until(lambda: not any(is_running(pid) for pid in [*workers, *actors]))
    if signal_number == signal.SIGKILL:
        results = {r.job_id: r.state for r in ray_pool(root, nodes.address).run([good, hanging])}
        assert results == {good.id: "present", hanging.id: "done"}
        assert attempts(root, good) == 1
        assert clean(root)


@pytest.mark.usefixtures("known")
def test_a_node_without_the_storage_is_left_out(
    nodes: TwoNodes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A third node's processes see an empty folder where the data set is; the others do all the work."""
    root = tmp_path / "data"
    root.mkdir()
    (root / ".lock").touch()
    hide = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs none "{root}" && exec "$@"', "sh"]
    if subprocess.run([*hide, "true"], capture_output=True).returncode:
        pytest.skip("this user may not hide folders from processes")
    start = [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        f"--address={nodes.address}",
        "--num-cpus=3",
        "--block",
    ]
    blind = subprocess.Popen([*hide, *start], start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        nodes.wait_for(3)
        crew = RayCrew(root=root, address=nodes.address, commands={"cycles": fake_command(root)})
        assert crew.size == 5
        inbox: queue.Queue[Message] = queue.Queue()
        workers = [crew.hire(index, "cycles", inbox) for index in range(crew.size)]
        said = ""
        while f"does not see the data set {root}; mount" not in said:
            said += capfd.readouterr().err
        assert [inbox.get(timeout=60).kind for _ in range(2)] == ["ready", "ready"]
        assert inbox.empty()
        for worker in workers:
            worker.kill()
        crew.close()
        assert len((said + capfd.readouterr().err).split("left out")) == 2, "said once"
    finally:
        os.killpg(blind.pid, signal.SIGKILL)
        blind.wait()


SAY_GPU = """
import json, os
print(json.dumps({"kind": "ready", "gpu": os.environ["CUDA_VISIBLE_DEVICES"]}), flush=True)
input()
"""


@pytest.mark.usefixtures("known")
def test_each_worker_gets_a_gpu_where_there_are_some(nodes: TwoNodes, tmp_path: Path) -> None:
    """Ray is told of two GPUs; each worker process is shown another one."""
    (tmp_path / ".lock").touch()
    node = nodes.add(num_cpus=4, num_gpus=2)
    crew = RayCrew(
        root=tmp_path, address=nodes.address, commands={"cycles": lambda threads: [sys.executable, "-c", SAY_GPU]}
    )
    try:
        assert crew.size == 2
        inbox: queue.Queue[Message] = queue.Queue()
        workers = [crew.hire(index, "cycles", inbox) for index in range(2)]
        assert {inbox.get(timeout=60).body["gpu"] for _ in workers} == {"0", "1"}
        for worker in workers:
            worker.kill()
    finally:
        crew.close()
        nodes.kill(node)


def test_no_ray_and_no_cluster_are_one_line_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(job("good").plan.to_json())
    command = ["render", str(plan), "--out", str(tmp_path / "data"), "--backend", "ray"]
    assert remind.main([*command, "--address", "127.0.0.1:1"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--address 127.0.0.1:1: no Ray cluster answers" in line
    monkeypatch.setitem(sys.modules, "ray", None)
    assert remind.main(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'remind-sim[ray]'" in line
    assert remind.main([*command[:-2], "--cpus-per-worker", "2"]) == 2
    assert "--cpus-per-worker: only for a Ray cluster" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_no_cluster_is_given_up_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_crew, "_ANSWER_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(ValueError, match="no Ray cluster answers"):
        RayCrew(root=tmp_path, address=f"127.0.0.1:{deaf.getsockname()[1]}")
    for address in ("ray://127.0.0.1:10001", "head", "head:"):
        with pytest.raises(ValueError, match="give HOST:PORT"):
            RayCrew(root=tmp_path, address=address)


@pytest.mark.parametrize(
    ("resources", "cpus", "expected"),
    [
        ([{"CPU": 4.0}, {"CPU": 2.0}], None, (1, 0, 6)),
        ([{"CPU": 4.0}, {"CPU": 3.0}, {}], 2, (2, 0, 3)),
        ([{"CPU": 64.0}, {"CPU": 8.0}], None, (4, 0, 18)),
        ([{"CPU": 64.0}, {"CPU": 16.0, "GPU": 4.0}, {"CPU": 4.0, "GPU": 2.0}], None, (2, 1, 6)),
        ([{"CPU": 16.0, "GPU": 4.0}], 8, (8, 1, 2)),
    ],
)
def test_workers_fill_the_nodes(
    resources: list[dict[str, float]], cpus: int | None, expected: tuple[int, int, int]
) -> None:
    num_cpus, num_gpus, num_workers = expected
    assert share_out(resources, cpus) == Share(num_cpus=num_cpus, num_gpus=num_gpus, num_workers=num_workers)


def test_workers_share_the_memory_of_the_smallest_node() -> None:
    nodes = [{"CPU": 4.0, "memory": 16e9}, {"CPU": 2.0, "memory": 4e9}]
    assert share_out(nodes).memory_bytes == 2_000_000_000
    assert share_out(nodes, 3).memory_bytes == 16_000_000_000  # the smaller node has no room for one


def test_workers_that_fit_nowhere_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--cpus-per-worker: 8 .* give 4 or fewer"):
        share_out([{"CPU": 4.0}, {"CPU": 2.0}], 8)
    with pytest.raises(ValueError, match="no node of the cluster has a CPU"):
        share_out([{}])


def test_what_a_node_lacks_is_named(tmp_path: Path) -> None:
    assert f"does not see the data set {tmp_path}; mount" in str(storage_problem(tmp_path))
    (tmp_path / ".lock").touch()
    assert storage_problem(tmp_path) is None
    here = {k: v for k, v in software_versions().items() if k not in ("python", "machine")}
    assert versions_problem(here) is None
    assert "has numpy" in str(versions_problem({"numpy": "0.1"}))
    assert "has no-such-package none where this machine has 1" in str(versions_problem({"no-such-package": "1"}))
