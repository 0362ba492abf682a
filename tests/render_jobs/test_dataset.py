"""Folders of a data set: status, ids, the log."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from render_jobs.dataset import Dataset, write_atomically
from render_jobs.jobs import Draw, Result, SpecText
from render_jobs.progress import Report
from render_jobs.status import read_status
from scenes.plan import ScenePlan
from tests.render_jobs.support import fake_pool, job


def test_id_is_the_content(tmp_path: Path) -> None:
    first = job("good")
    path = Dataset(tmp_path).queue(first)
    assert type(first)(ScenePlan.read(path)).id == first.id == path.stem
    assert job("good", 1).id != first.id
    assert len(first.id) == 20


def test_status_reads_folders(tmp_path: Path) -> None:
    root = tmp_path / "data"
    good, bad, left = job("good"), job("impossible"), job("good", 1)
    list(fake_pool(root).run([good, bad]))
    Dataset(root).queue(left)
    status = read_status(root)
    assert (status.done, status.left) == ((good.id,), (left.id,))
    assert [(f.job_id, f.retry) for f in status.failed] == [(bad.id, False)]
    assert status.lines()[0] == "3 queued: 1 done, 1 failed, 1 left"
    assert status.lines()[1] == "no run is at work"
    assert "cannot be hidden" in status.lines()[2]


def test_samples_that_cannot_be_drawn_are_counted_one_by_one(tmp_path: Path) -> None:
    dataset, spec = Dataset(tmp_path), SpecText("two", "version: 1", "cycles", ("two",))
    for renderer in (None, "preview"):
        samples = [Draw(spec, index, renderer) for index in range(4)]
        dataset.ask(samples)
        for sample in samples[1:]:
            dataset.give_up(sample, message="no room", retry=False, attempts=1, worker_log="")
        assert read_status(tmp_path).num_undrawn == 1
        shutil.rmtree(tmp_path / "quarantine")


def test_status_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a data set"):
        read_status(tmp_path)


def test_log_tells_what_happened(tmp_path: Path) -> None:
    root = tmp_path / "data"
    good, bad = job("good"), job("error_1")
    list(fake_pool(root).run([good, bad]))
    log = (root / "render.log").read_text()
    assert f"{good.id} done at attempt 1" in log
    assert f"{bad.id} failed at attempt 1: RuntimeError: out of memory" in log
    assert f"{bad.id} done at attempt 2" in log


def test_publish_needs_a_manifest(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    attempt = dataset.attempt_dir("abc", 1)
    with pytest.raises(ValueError, match=r"manifest\.json"):
        dataset.publish(attempt, "abc")
    assert not dataset.is_done("abc")
    (attempt / "manifest.json").write_text("{}")
    assert dataset.publish(attempt, "abc") == dataset.clip("abc")
    assert dataset.is_done("abc") and not attempt.exists()


def test_write_atomically_leaves_one_file(tmp_path: Path) -> None:
    for text in ("old", "new"):
        write_atomically(tmp_path / "deep" / "file.json", json.dumps(text))
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["file.json"]
    assert json.loads((tmp_path / "deep" / "file.json").read_text()) == "new"


def test_a_run_counts_pictures_and_clips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Report(Dataset(tmp_path), 4, 10) as run:
        run.on_progress("a", 4, 20)
        assert run.tally.frames_total == 80, "what is not begun counts as the mean"
        run.on_progress("a", 20, 20)
        run.on_result(Result("a", "done", Path("a")))
        run.on_result(Result("b", "present", Path("b")))
        run.on_result(Result("c", "failed", Path("c")))
        state = run.tally.state()
        assert (state.clips_done, state.clips_present, state.clips_failed, state.clips_left) == (1, 1, 1, 1)
        assert state.frames_done == 20 and run.tally.frames_total == 40
        assert state.frames_per_s == pytest.approx(20 / state.elapsed_s)
    shown = capsys.readouterr().err
    assert "20/40" in shown and "2 clips done, 1 failed, 1 left" in shown
