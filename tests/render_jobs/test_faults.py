"""Faults, each really injected: whatever happens, the data set ends as an undisturbed run leaves it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from render_jobs.dataset import Dataset
from render_jobs.local import LocalCrew, gpu_ids
from render_jobs.pool import Limits
from render_jobs.progress import Report
from render_jobs.status import read_status
from tests.render_jobs.drive import jobs as drive_jobs
from tests.render_jobs.support import attempts, fake_crew, fake_pool, job
from tests.render_jobs.test_pool import clean, is_running, wait_until, worker_pids

REPOSITORY = Path(__file__).parents[2]
CLOCK = """
import time, random
real, jump = time.time, random.Random(0)
time.time = lambda: real() + jump.choice([-3e6, -1.0, 0.0, 3e6])
time.time_ns = lambda: int(time.time() * 1e9)
"""


def drive(root: Path, workers: int, *wanted: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.render_jobs.drive", str(root), str(workers), *wanted]
    return start(command, **environment)


def start(command: list[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
    )


def told(run: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.glob("clips/*/*"))}


def on_a_small_disk(root: Path, kilobytes: int, *wanted: str, **environment: str) -> dict[str, Any]:
    """`drive` with ROOT on a disk of its own that only it can see; skips where we may not mount."""
    root.mkdir()
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    command = [sys.executable, "-m", "tests.render_jobs.drive", str(root), "1", *wanted]
    script = f'mount -t tmpfs -o size={kilobytes}k none "$0" && head -c 1500000 /dev/zero > "$0/ballast" && exec "$@"'
    run = start(["unshare", "-rm", "sh", "-c", script, str(root), *command], **environment)
    return told(run)


# ---- workers
@pytest.mark.parametrize(("manner", "said"), [("segv_1", "killed by SIGSEGV"), ("kill_1", "killed by SIGKILL")])
def test_a_signal_costs_one_attempt(tmp_path: Path, manner: str, said: str) -> None:
    (result,) = fake_pool(tmp_path / "data").run([job(manner)])
    assert (result.state, result.attempts) == ("done", 2)
    assert said in (tmp_path / "data" / "render.log").read_text()


def test_a_job_that_never_ends_is_stopped_though_it_talks(tmp_path: Path) -> None:
    pool = fake_pool(tmp_path / "data", limits=Limits(job_s=3.0, attempts=20))
    assert {r.state for r in pool.run([job("busy_1"), job("good")])} == {"done"}
    assert "not done after 3 s" in (tmp_path / "data" / "render.log").read_text()


def test_a_worker_that_takes_too_much_memory_is_stopped(tmp_path: Path) -> None:
    pool = fake_pool(tmp_path / "data", limits=Limits(memory_bytes=400 * 10**6))
    results = {r.job_id: r for r in pool.run([job("eat_9"), job("eat_1"), job("good")])}
    assert results[job("eat_9").id].state == "failed" and "0.40 GB is the limit" in results[job("eat_9").id].message
    assert results[job("eat_1").id].attempts == 2
    assert results[job("good").id].attempts == 1
    assert clean(tmp_path / "data")


def test_workers_are_replaced_after_so_many_jobs_or_so_much_memory(tmp_path: Path) -> None:
    by_number = fake_pool(tmp_path / "a" / "data", limits=Limits(recycle_jobs=2))
    by_memory = fake_pool(tmp_path / "b" / "data", limits=Limits(recycle_bytes=120 * 10**6))
    for pool, name in ((by_number, "good"), (by_memory, "grow")):
        results = list(pool.run([job(name, index) for index in range(5)]))
        assert {(r.state, r.attempts) for r in results} == {("done", 1)}
        assert len(worker_pids(pool.dataset.root)) == 3, name


def test_memory_of_a_worker_is_less_likely_to_cost_the_run(tmp_path: Path) -> None:
    """The kernel, out of memory, takes the worker, not the run."""
    with pytest.raises(StopIteration):
        run = fake_pool(tmp_path / "data", on_progress=lambda *_: scores.append(score(tmp_path / "data")))
        scores: list[int] = []
        results = run.run([job("good")])
        next(results), next(results)
    assert scores and min(scores) > int(Path("/proc/self/oom_score_adj").read_text())


def score(root: Path) -> int:
    return int(Path(f"/proc/{worker_pids(root)[0]}/oom_score_adj").read_text())


def test_each_worker_has_a_gpu_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "data"
    crew = LocalCrew(size=2, commands=fake_crew(root).commands, gpus=("3", "5"))
    results = list(fake_pool(root, crew=crew).run([job("meet", index) for index in range(12)]))
    used = {json.loads((result.path / "manifest.json").read_text())["gpu"] for result in results}
    assert used == {"3", "5"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,2")
    assert gpu_ids() == ("1", "2") and LocalCrew.of_this_machine().size == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpu_ids() == ()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: x)'\necho 'GPU 1: B (UUID: y)'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert gpu_ids() == ("0", "1")


# ---- disks
def test_a_full_disk_stops_the_run_and_blames_no_job(tmp_path: Path) -> None:
    root = tmp_path / "data"
    found = on_a_small_disk(root, 3000, "big:2", FULL=str(root / "ballast"))
    assert len(found["stopped"]) == 1 and found["stopped"][0].startswith(f"{root}: ")
    assert "No space left" in found["stopped"][0] and "run the same command again" in found["stopped"][0]
    assert sorted(found["states"].values()) == ["done", "present"]
    assert len(found["files"]) == 6


def test_a_disk_that_is_full_from_the_start_is_named(tmp_path: Path) -> None:
    root = tmp_path / "data"
    found = on_a_small_disk(root, 2000, "good:2", FULL=str(root / "ballast"))
    said = "No space left on device; no clip is lost: mend it and run the same command again"
    assert found["stopped"] == [f"{root}: {said}"]
    assert list(found["states"].values()) == ["done", "done"]


def test_a_read_only_folder_is_one_line_and_exit_2(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(job("good").plan.to_json())
    (tmp_path / "data").mkdir()
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    script = 'mount -t tmpfs -o ro none "$0" && exec "$@"'
    command = [sys.executable, "-m", "remind", "render", str(plan), "--out", str(tmp_path / "data")]
    run = start(["unshare", "-rm", "sh", "-c", script, str(tmp_path / "data"), *command])
    _, err = run.communicate(timeout=120)
    assert run.returncode == 2 and "Read-only file system" in err and "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("torn", ["plan", "manifest", "array", "missing", "cause", "empty plan", "zeroed plan"])
def test_a_torn_file_is_made_anew(tmp_path: Path, torn: str) -> None:
    root, jobs = tmp_path / "data", [job("good", index) for index in range(3)]
    list(fake_pool(root).run(jobs))
    whole, dataset, victim = files(root), Dataset(root), jobs[1].id
    if "plan" in torn:
        shutil.rmtree(dataset.clip(victim))
        text = dataset.plan(victim).read_text()
        dataset.plan(victim).write_text({"plan": text[:50], "empty plan": "", "zeroed plan": "\0" * len(text)}[torn])
    elif torn == "cause":
        shutil.rmtree(dataset.clip(victim))
        dataset.quarantine(victim).mkdir(parents=True)
        (dataset.quarantine(victim) / "cause.json").write_text('{"mess')
    elif torn == "missing":
        (dataset.clip(victim) / "index.bin").unlink()
    else:
        os.truncate(dataset.clip(victim) / {"manifest": "manifest.json", "array": "index.bin"}[torn], 30)
    results = {r.job_id: r.state for r in fake_pool(root).run(jobs)}
    assert results == {jobs[0].id: "present", victim: "done", jobs[2].id: "present"}
    assert files(root) == whole
    assert clean(root)


# ---- runs
def test_two_runs_share_one_data_set(tmp_path: Path) -> None:
    root, jobs = tmp_path / "data", [job("slow", index) for index in range(12)]
    runs = [drive(root, 1, "slow:12") for _ in range(2)]
    states = [told(run)["states"] for run in runs]
    for each in jobs:
        assert sorted(state[each.id] for state in states) == ["done", "present"]
        assert attempts(root, each) == 1
    assert clean(root)


def test_a_killed_run_leaves_its_share_to_the_other(tmp_path: Path) -> None:
    root, jobs = tmp_path / "data", [job("slow", index) for index in range(20)]
    first, second = drive(root, 1, "hang_1:1", "slow:20"), None
    wait_until(lambda: attempts(root, job("hang_1")) == 1)
    second = drive(root, 1, "hang_1:1", "slow:20")
    wait_until(lambda: sum(attempts(root, each) for each in jobs) > 4)
    first.kill()
    first.communicate()
    states = told(second)["states"]
    assert set(states.values()) <= {"done", "present"} and len(states) == 21
    assert states[job("hang_1").id] == "done" and attempts(root, job("hang_1")) == 2
    assert clean(root)


def test_status_sees_a_run_at_work_and_not_a_dead_one(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with Report(Dataset(root), 3, 10) as report:
        report.on_progress("a", 1, 10)
        Dataset(root).queue(job("good"))
        (at_work,) = read_status(root).runs
        assert (at_work.process, at_work.clips_left) == (os.getpid(), 3)
        assert any("3 left" in line for line in read_status(root).lines())
        shutil.copy(next((root / "runs").glob("*.json")), root / "runs" / "elsewhere-1_abc.json")
        assert len(read_status(root).runs) == 1, "a file alone is no run"
    assert read_status(root).runs == ()


def test_clocks_that_jump_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(CLOCK)
    path = f"{tmp_path / 'site'}:{REPOSITORY}"
    (tmp_path / "b").mkdir()
    runs = [drive(tmp_path / "b" / "data", 1, "slow:6", "error_1:1", PYTHONPATH=path) for _ in range(2)]
    for run in runs:
        assert set(told(run)["states"].values()) <= {"done", "present"}
    old = [*(tmp_path / "b" / "data").rglob("*")]
    for number, entry in enumerate(old):
        os.utime(entry, (number % 2 * 4e9, number % 2 * 4e9))  # 1970 and 2096
    again = told(drive(tmp_path / "b" / "data", 1, "slow:6", "error_1:1", PYTHONPATH=path))
    assert set(again["states"].values()) == {"present"}


@pytest.mark.parametrize("seed", range(1))
def test_chaos_ends_as_peace_does(tmp_path: Path, seed: int) -> None:
    """Runs, two at a time, and workers are killed at random moments; all sorts of jobs misbehave."""
    luck, root = np.random.default_rng(seed), tmp_path / "war" / "data"
    wanted = ("slow:8", "good:8", "crash_1:2", "segv_1:2", "error_2:2", "bare_1:2", "big:2")
    for _ in range(3):
        known, runs = len(worker_pids(root)), [drive(root, 2, *wanted) for _ in range(2)]
        while len(worker_pids(root)) == known and all(run.poll() is None for run in runs):
            time.sleep(0.01)
        time.sleep(luck.uniform(0.0, 1.0))
        for pid in [pid for pid in worker_pids(root) if is_running(pid)][-2:]:
            os.kill(pid, luck.choice([signal.SIGKILL, signal.SIGSEGV]))
        time.sleep(luck.uniform(0.0, 0.5))
        for run in runs:
            run.send_signal(luck.choice([signal.SIGKILL, signal.SIGINT]))
            run.communicate(timeout=60)
        for clip in root.glob("clips/*"):
            assert Dataset(root).is_done(clip.name), "no published clip is ever incomplete"
    told(drive(root, 2, *wanted))
    list(fake_pool(root, retry_quarantined=True).run(drive_jobs(wanted)))  # two faults of its own and a kill make three
    states = {result.job_id: result.state for result in fake_pool(root).run(drive_jobs(wanted))}
    assert set(states.values()) == {"present"} and len(states) == 26
    peace = tmp_path / "peace" / "data"
    list(fake_pool(peace, num_workers=2).run(drive_jobs(wanted)))
    assert files(root) == files(peace)
    assert clean(root)
