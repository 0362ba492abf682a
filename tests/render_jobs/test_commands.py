"""`remind render`: which files become plans, and what is refused before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from render_jobs.commands import gather_plans, render, render_plans
from tests.render_jobs.support import fake_pool, job


def test_plan_files_and_folders_of_them(tmp_path: Path) -> None:
    jobs = [job("good", index) for index in range(3)]
    for number, each in enumerate(jobs):
        (tmp_path / f"{number}.json").write_text(each.plan.to_json())
    (tmp_path / "notes.txt").write_text("not a plan")
    assert gather_plans([tmp_path], 1) == [each.plan for each in jobs]
    assert gather_plans([tmp_path / "1.json"], 5) == [jobs[1].plan]


def test_what_is_no_plan_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a plan")
    (tmp_path / "broken.json").write_text("{")
    for path, said in [("notes.txt", "neither a spec"), ("broken.json", "not JSON"), ("absent", "no such file")]:
        with pytest.raises(ValueError, match=f"{path}.*{said}"):
            gather_plans([tmp_path / path], 1)


def test_bad_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--count"):
        gather_plans([tmp_path], 0)
    with pytest.raises(ValueError, match="--workers"):
        render_plans([], tmp_path, num_workers=0)
    with pytest.raises(ValueError, match="--renderer"):
        render_plans([], tmp_path, renderer="crayon")


def test_exit_status_says_whether_a_clip_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    command = fake_pool(tmp_path / "data").command
    monkeypatch.setattr("render_jobs.commands.ENGINES", {"cycles": command})
    for name in ("good", "impossible"):
        (plans / f"{name}.json").write_text(job(name).plan.to_json())
    assert render([plans / "good.json"], tmp_path / "data") == 0
    assert render([plans], tmp_path / "data", num_workers=1) == 1
    said = capsys.readouterr().out
    assert "0 clips rendered, 1 were there already, 1 failed" in said
    assert f"failed {job('impossible').id}: ValueError: the target cannot be hidden" in said
