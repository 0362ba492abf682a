"""The pool with real Blender workers: killed, resumed, or more of them, the arrays stay the same, hash for hash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from render_jobs.dataset import Dataset
from render_jobs.jobs import Job
from render_jobs.local import LocalCrew
from render_jobs.pool import Pool
from scenes.loading import parse_spec
from scenes.sampling import sample_plans
from simulator.clip import Clip, list_clips

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
    killed: list[int] = []

    def kill_once(job_id: str, done: int, total: int) -> None:
        if done == 3 and not killed:
            killed.extend(child_pids())
            os.kill(killed[0], signal.SIGKILL)

    pool = Pool(dataset=Dataset(tmp_path), crew=LocalCrew(size=1), on_progress=kill_once)
    results = {r.job_id: r for r in pool.run(jobs)}
    assert len(killed) == 1
    assert {r.state for r in results.values()} == {"done"}
    assert sorted(r.attempts for r in results.values()) == [1, 2]
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
    command = [sys.executable, "-m", "remind", "render", str(plans), "--out", str(data), "--workers", "2"]
    second = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert second.returncode == 0, second.stderr
    assert "1 clips rendered, 1 were there already, 0 failed" in second.stdout
    assert hashes(data) == undisturbed
    assert not [p for p in (data / "clips").iterdir() if p.name.startswith(".")]
