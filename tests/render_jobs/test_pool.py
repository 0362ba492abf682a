"""The local pool under crashes, kills, silence, errors and interruption, with a fake worker."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from render_jobs.dataset import Dataset
from render_jobs.local import LocalCrew, num_cores, shares
from render_jobs.pool import Limits, WorkersFail
from render_jobs.status import read_status
from tests.render_jobs.support import FAKE_WORKER, attempts, fake_crew, fake_pool, job

REPOSITORY = Path(__file__).parents[2]


def wait_until(holds: Callable[[], bool], patience_s: float = 300.0) -> None:
    """Poll; a test that never gets there fails after `patience_s`."""
    end_s = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def worker_pids(root: Path) -> list[int]:
    path = root.parent / "counts" / "pids"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def clean(root: Path) -> bool:
    """Nothing half done lies about."""
    return not list((root / ".attempts").glob("*")) and not list((root / "clips").glob(".*"))


def test_renders_every_distinct_job_once(tmp_path: Path) -> None:
    jobs = [job("good", index) for index in range(5)] + [job("good", 0)]
    results = list(fake_pool(tmp_path / "data", num_workers=2).run(jobs))
    assert [r.state for r in results] == ["done"] * 5
    assert {r.job_id for r in results} == {j.id for j in jobs}
    assert all(attempts(tmp_path / "data", j) == 1 for j in jobs)
    assert all((r.path / "manifest.json").exists() for r in results)
    assert clean(tmp_path / "data")


def test_second_run_finds_everything_present(tmp_path: Path) -> None:
    jobs = [job("good", index) for index in range(3)]
    list(fake_pool(tmp_path / "data").run(jobs[:2]))
    results = {r.job_id: r.state for r in fake_pool(tmp_path / "data").run(jobs)}
    assert [results[j.id] for j in jobs] == ["present", "present", "done"]
    assert attempts(tmp_path / "data", jobs[0]) == 1


@pytest.mark.parametrize("manner", ["crash", "kill", "error", "bare"])
def test_two_failures_cost_two_attempts_of_one_job(tmp_path: Path, manner: str) -> None:
    bad, good = job(f"{manner}_2"), job("good")
    results = {r.job_id: r for r in fake_pool(tmp_path / "data").run([bad, good])}
    assert (results[bad.id].state, results[bad.id].attempts) == ("done", 3)
    assert (results[good.id].state, results[good.id].attempts) == ("done", 1)
    assert attempts(tmp_path / "data", bad) == 3
    assert clean(tmp_path / "data")


def test_a_hung_worker_is_replaced(tmp_path: Path) -> None:
    bad, good = job("hang_2"), job("good")
    pool = fake_pool(
        tmp_path / "data", limits=Limits(silence_s=2.0, attempts=20)
    )  # a busy machine may cost more attempts than two
    assert {r.job_id: r.state for r in pool.run([bad, good])} == {bad.id: "done", good.id: "done"}
    assert attempts(tmp_path / "data", bad) >= 3
    assert "no progress for 2 s" in (tmp_path / "data" / "render.log").read_text()
    assert clean(tmp_path / "data")


def test_third_failure_quarantines_with_plan_log_and_cause_and_others_go_on(tmp_path: Path) -> None:
    bad, good = job("crash_99"), job("good")
    results = {r.job_id: r for r in fake_pool(tmp_path / "data").run([bad, good])}
    assert results[good.id].state == "done"
    failed = results[bad.id]
    assert (failed.state, failed.attempts) == ("failed", 3)
    assert "exit status 7" in failed.message
    assert (failed.path / "plan.json").read_text() == bad.plan.to_json()
    assert "about to crash" in (failed.path / "worker.log").read_text()
    assert json.loads((failed.path / "cause.json").read_text())["retry"] is True
    assert clean(tmp_path / "data")


def test_a_quarantined_job_rests_until_it_is_asked_for_again(tmp_path: Path) -> None:
    bad = job("kill_4")
    for _ in range(2):
        assert [r.state for r in fake_pool(tmp_path / "data").run([bad])] == ["failed"]
        assert attempts(tmp_path / "data", bad) == 3
    again = fake_pool(tmp_path / "data", retry_quarantined=True)
    assert [(r.state, r.attempts) for r in again.run([bad])] == [("done", 2)]
    status = read_status(tmp_path / "data")
    assert status.done == (bad.id,) and not status.failed


def test_a_spec_error_is_never_tried_again(tmp_path: Path) -> None:
    bad, good = job("impossible"), job("good")
    for _ in range(2):
        results = {r.job_id: r for r in fake_pool(tmp_path / "data").run([bad, good])}
        assert results[bad.id].state == "failed" and "cannot be hidden" in results[bad.id].message
    assert attempts(tmp_path / "data", bad) == 1
    assert len(worker_pids(tmp_path / "data")) == 1, "a spec error does not cost the worker"


def test_nonsense_on_stdout_is_log_not_protocol(tmp_path: Path) -> None:
    assert [r.state for r in fake_pool(tmp_path / "data").run([job("noise")])] == ["done"]


def test_no_worker_comes_up(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no Blender here')"]
    pool = fake_pool(tmp_path / "data", crew=LocalCrew(size=2, commands={"cycles": lambda threads: command}))
    with pytest.raises(WorkersFail, match="no Blender here"):
        list(pool.run([job("good"), job("good", 1)]))
    assert clean(tmp_path / "data")
    assert len(read_status(tmp_path / "data").left) == 2, "no job is blamed"


def test_workers_that_hang_before_they_are_ready_end_the_run(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    crew = LocalCrew(size=1, commands={"cycles": lambda threads: command})
    pool = fake_pool(tmp_path / "data", crew=crew, limits=Limits(start_s=0.1))
    with pytest.raises(WorkersFail, match=r"was not ready after 0\.1 s"):
        list(pool.run([job("good")]))
    assert (tmp_path / "data" / "render.log").read_text().count("a worker did not come up") == 3


def test_a_worker_that_waits_for_room_is_not_hung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an actor does for which a cluster has no room yet: here its start takes longer than it may."""
    fake_crew(tmp_path / "data")  # makes the folder of counts
    counts = tmp_path / "counts"
    late = f"import runpy, sys, time; time.sleep(2); sys.argv[1:] = [{str(counts)!r}, '1']; "
    command = [sys.executable, "-c", f"{late} runpy.run_path({str(FAKE_WORKER)!r}, run_name='__main__')"]
    monkeypatch.setattr("render_jobs.worker.Worker.waits_for_room", True)
    crew = LocalCrew(size=1, commands={"cycles": lambda threads: command})
    pool = fake_pool(tmp_path / "data", crew=crew, limits=Limits(start_s=0.1))
    assert [r.state for r in pool.run([job("good")])] == ["done"] and len(worker_pids(tmp_path / "data")) == 1


def test_leftovers_of_dead_runs_are_swept_away(tmp_path: Path) -> None:
    stale = tmp_path / "data" / ".attempts" / "0123-elsewhere-99-1"
    stale.mkdir(parents=True)
    (stale / "half.txt").write_text("half done")
    list(fake_pool(tmp_path / "data").run([]))
    assert clean(tmp_path / "data")


def test_closing_the_iterator_ends_the_workers_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    jobs = [job("good"), job("hang_9")]
    with contextlib.closing(fake_pool(tmp_path / "data").run(jobs)) as ends:
        assert next(ends).state == "done"
    assert not any(is_running(pid) for pid in worker_pids(tmp_path / "data"))
    assert clean(tmp_path / "data")
    assert len(read_status(tmp_path / "data").left) == 1


DRIVER = """
import signal, sys
from pathlib import Path
from tests.render_jobs.support import fake_pool, job
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell is born deaf to it
list(fake_pool(Path(sys.argv[1])).run([job("good"), job("hang_1")]))
"""


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_workers_die_with_the_run_and_the_next_run_finishes(tmp_path: Path, signal_number: int) -> None:
    root = tmp_path / "data"
    good, hanging = job("good"), job("hang_1")
    run = subprocess.Popen([sys.executable, "-c", DRIVER, str(root)], cwd=REPOSITORY, stderr=subprocess.PIPE)
    wait_until(lambda: attempts(root, hanging) == 1 and Dataset(root).is_done(good.id))
    run.send_signal(signal_number)
    run.communicate(timeout=60)
    wait_until(lambda: not any(is_running(pid) for pid in worker_pids(root)))
    if signal_number == signal.SIGINT:
        assert clean(root)
    results = {r.job_id: r.state for r in fake_pool(root).run([good, hanging])}
    assert results == {good.id: "present", hanging.id: "done"}
    assert attempts(root, good) == 1
    assert clean(root)


def test_progress_is_reported_and_threads_fill_the_cores(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    pool = fake_pool(tmp_path / "data", on_progress=lambda *said: heard.append(said))
    (result,) = pool.run([job("good")])
    assert heard == [(result.job_id, 1, 2), (result.job_id, 2, 2)]
    for workers in (1, 2, 3):
        threads = shares(num_cores(), workers)
        assert len(threads) == workers and min(threads) >= 1
        assert sum(threads) == max(num_cores(), workers)
