"""The pool with real Blender workers: killed, resumed, or more of them, the arrays stay the same, hash for hash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from remind import main
from render_jobs.dataset import Dataset
from render_jobs.jobs import Job
from render_jobs.local import LocalCrew
from render_jobs.pool import Pool
from render_jobs.status import read_status
from scenes.loading import parse_spec
from scenes.sampling import sample_plans
from simulator.clip import Clip, list_clips
from tests.render_jobs.test_pool import wait_until

pytest.importorskip("bpy")
pytestmark = pytest.mark.blender

REPOSITORY = Path(__file__).parents[2]
SPEC = """\
version: 1
name: quick
seed: 3
clip: {num_frames: 8, fps: 8, resolution: [32, 32]}
world: {kind: tabletop, clutter: 1}
events: [{id: bob, type: pendulum_swing}]
camera: {path: orbit, look_at: bob}
render: {engine: cycles, samples: 1, denoise: false}
outputs: [rgb, depth, segmentation]
"""


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    return [Job(plan) for plan in sample_plans(parse_spec(SPEC), 2)]


@pytest.fixture(scope="module")
def undisturbed(jobs: list[Job], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Array hashes of a run of one worker that nothing happened to."""
    root = tmp_path_factory.mktemp("undisturbed")
    assert [r.state for r in Pool(dataset=Dataset(root), crew=LocalCrew(size=1)).run(jobs)] == ["done", "done"]
    return hashes(root)


def hashes(root: Path) -> dict[str, str]:
    return {Clip.open(path).clip_id: Clip.open(path).manifest["arrays_sha256"] for path in list_clips(root)}


def child_pids() -> list[int]:
    """Render workers of this process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            command = (path.parent / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == os.getpid() and b"simulator.blender" in command:
            found.append(int(path.parent.name))
    return found


def test_published_under_the_id_that_the_clip_has_itself(undisturbed: dict[str, str], jobs: list[Job]) -> None:
    assert set(undisturbed) == {job.id for job in jobs}


def test_two_workers_give_the_same_arrays(undisturbed: dict[str, str], jobs: list[Job], tmp_path: Path) -> None:
    results = list(Pool(dataset=Dataset(tmp_path), crew=LocalCrew(size=2)).run(jobs))
    assert [r.state for r in results] == ["done", "done"]
    assert hashes(tmp_path) == undisturbed


def test_a_worker_killed_in_mid_frame_costs_one_attempt(
    undisturbed: dict[str, str], jobs: list[Job], tmp_path: Path
) -> None:
    """Each of the two clips is begun by a worker that is lost: one to SIGKILL, the other to SIGSEGV."""
    faults, hit = [signal.SIGKILL, signal.SIGSEGV], dict[str, int]()

    def kill_once(job_id: str, done: int, total: int) -> None:
        if done == 3 and job_id not in hit:
            (hit[job_id],) = child_pids()
            os.kill(hit[job_id], faults.pop())

    pool = Pool(dataset=Dataset(tmp_path), crew=LocalCrew(size=1), on_progress=kill_once)
    results = {r.job_id: r for r in pool.run(jobs)}
    assert set(hit) == set(undisturbed) and len(set(hit.values())) == 2
    assert [(r.state, r.attempts) for r in results.values()] == [("done", 2), ("done", 2)]
    assert hashes(tmp_path) == undisturbed
    assert [r.state for r in pool.run(jobs)] == ["present", "present"]


KILL_ITSELF = """
import os, signal, sys
from pathlib import Path
from render_jobs.dataset import Dataset
from render_jobs.jobs import Job
from render_jobs.local import LocalCrew
from render_jobs.pool import Pool
from scenes.plan import ScenePlan

ended = []
def die_in_the_second(job_id, done, total):
    if ended and done == 3:
        os.kill(os.getpid(), signal.SIGKILL)

jobs = [Job(ScenePlan.read(path)) for path in sorted(Path(sys.argv[2]).glob("*.json"))]
for result in Pool(dataset=Dataset(Path(sys.argv[1])), crew=LocalCrew(size=1), on_progress=die_in_the_second).run(jobs):
    ended.append(result)
"""


def test_a_killed_run_is_finished_by_the_same_command(
    undisturbed: dict[str, str], jobs: list[Job], tmp_path: Path
) -> None:
    plans, data = tmp_path / "plans", tmp_path / "data"
    plans.mkdir()
    for job in jobs:
        (plans / f"{job.id}.json").write_text(job.plan.to_json())
    first = subprocess.run([sys.executable, "-c", KILL_ITSELF, str(data), str(plans)], cwd=REPOSITORY)
    assert first.returncode == -signal.SIGKILL
    assert len(hashes(data)) == 1
    (tmp_path / "quick.yaml").write_text(SPEC)
    second = remind("render", tmp_path / "quick.yaml", "--count", 2, "--out", data, "--workers", 2)
    _, err = second.communicate()
    assert second.returncode == 0, err
    log = (data / "render.log").read_text()
    assert log.count("done at attempt 1") == 2, "each was rendered once"
    assert hashes(data) == undisturbed
    assert not list((data / ".attempts").glob("*"))


def test_ctrl_c_leaves_nothing_half_done_and_says_how_to_go_on(
    undisturbed: dict[str, str], jobs: list[Job], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "quick.yaml").write_text(SPEC)
    command = ("render", tmp_path / "quick.yaml", "--count", 2, "--out", tmp_path / "data", "--workers", 1)
    run = remind(*command)
    wait_until(lambda: bool(list((tmp_path / "data" / ".attempts").glob(f"{jobs[0].id}*"))))
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in err
    assert f"again goes on where it was: remind {' '.join(str(word) for word in command)}" in err
    assert not list((tmp_path / "data" / ".attempts").glob("*")) and not hashes(tmp_path / "data")
    assert read_status(tmp_path / "data").num_left == 2 and read_status(tmp_path / "data").runs == ()
    again = remind(*command)
    out, err = again.communicate()
    assert "2 clips rendered, 0 were there already, 0 failed" in out, err
    assert hashes(tmp_path / "data") == undisturbed
    assert main([*map(str, command), "--dry-run"]) == 0
    dry = capsys.readouterr().out
    assert "2 clips: 2 there already, 0 quarantined, 0 to render" in dry
    assert "by the last 2 clips rendered here" in dry


REMIND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell is born deaf to it
import remind
sys.exit(remind.main())
"""


def remind(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", REMIND, *map(str, words)],
        cwd=REPOSITORY,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
