"""`remind render`: which files become plans, and what is refused before any work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from render_jobs.commands import RenderOptions, gather, render, render_plans
from render_jobs.jobs import Draw
from render_jobs.local import LocalCrew
from render_jobs.progress import spoken_bytes
from scenes.commands import example_specs
from tests.render_jobs.support import fake_crew, job


def test_plan_files_and_folders_of_them(tmp_path: Path) -> None:
    jobs = [job("good", index) for index in range(3)]
    for number, each in enumerate(jobs):
        (tmp_path / f"{number}.json").write_text(each.plan.to_json())
    (tmp_path / "notes.txt").write_text("not a plan")
    assert gather([tmp_path], RenderOptions()) == jobs
    assert gather([tmp_path / "1.json"], RenderOptions(count=5)) == [jobs[1]]


def test_what_is_no_plan_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a plan")
    (tmp_path / "broken.json").write_text("{")
    broken = "json: Expecting property name"
    for path, said in [("notes.txt", "neither a spec"), ("broken.json", broken), ("absent", "no such file")]:
        with pytest.raises(ValueError, match=f"{path}.*{said}"):
            gather([tmp_path / path], RenderOptions())


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"count": 0}, "--count"),
        ({"num_workers": 0}, "--workers"),
        ({"limit": -1}, "--limit"),
        ({"timeout_s": 0.0}, "--timeout"),
        ({"memory_gb": float("nan")}, "--memory-gb"),
        ({"memory_gb": float("inf")}, "--memory-gb: inf is no number"),
        ({"renderer": "crayon"}, "--renderer: no renderer 'crayon'"),
        ({"address": "here:1"}, "--address: only for a Ray cluster"),
        ({"cpus_per_worker": 2}, "--cpus-per-worker: only for a Ray cluster"),
        ({"cpus_per_worker": 0, "backend": "ray"}, "--cpus-per-worker: 0 is too few"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(tmp_path: Path, option: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        render_plans([], tmp_path / "data", RenderOptions(**option))
    assert not (tmp_path / "data").exists()


def test_exit_status_says_whether_a_clip_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    monkeypatch.setattr("render_jobs.local.ENGINES", fake_crew(tmp_path / "data").commands)
    for name in ("good", "impossible"):
        (plans / f"{name}.json").write_text(job(name).plan.to_json())
    assert render([plans / "good.json"], tmp_path / "data") == 0
    assert render([plans], tmp_path / "data", RenderOptions(num_workers=1)) == 1
    said = capsys.readouterr().out
    assert "0 clips rendered, 1 were there already, 1 failed" in said
    assert f"failed {job('impossible').id}: ValueError: the target cannot be hidden" in said


def test_a_pack_and_a_file_are_not_rendered_into(tmp_path: Path) -> None:
    (tmp_path / "index.parquet").write_bytes(b"")
    with pytest.raises(ValueError, match=r"--out: .*index\.parquet is a file; name a data set"):
        render_plans([job("good").plan], tmp_path / "index.parquet")
    with pytest.raises(ValueError, match=f"{tmp_path} is a pack"):
        render_plans([job("good").plan], tmp_path)


def test_only_and_limit_choose_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, jobs = tmp_path / "data", [job("good", index) for index in range(3)]
    monkeypatch.setattr("render_jobs.local.ENGINES", fake_crew(root).commands)
    wanted = RenderOptions(only=(jobs[1].id[:8], "impos*"), num_workers=1)
    assert [each for each in [*jobs, job("impossible")] if wanted.wants(each)] == [jobs[1], job("impossible")]
    plans = [each.plan for each in jobs]
    done = [render_plans(plans, root, RenderOptions(limit=2, num_workers=1)) for _ in range(2)]
    assert [[r.state for r in results] for results in done] == [["done", "done"], ["present", "present", "done"]]
    assert [len([r for r in results if r.state == "done"]) for results in done] == [2, 1]


def test_only_leaves_out_specs_before_anything_is_drawn() -> None:
    specs = example_specs()
    draws = gather(specs, RenderOptions(count=2, only=("tank_*",)))
    assert [(draw.spec.name, draw.index) for draw in draws if isinstance(draw, Draw)] == [
        ("tank_filling", 0),
        ("tank_filling", 1),
    ]
    by_id = gather(specs, RenderOptions(only=("0a1b",)))
    assert len(by_id) == len(specs), "an id is known when the sample is drawn"
    with pytest.raises(ValueError, match=rf"--only: tank_filing names none of the {2 * len(specs)} clips.*tank_fill"):
        gather(specs, RenderOptions(count=2, only=("candle_*", "tank_filing")))


def test_dry_run_counts_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = example_specs()[0]
    assert render([spec], tmp_path / "data", RenderOptions(count=10_000, num_workers=2), dry_run=True) == 0
    said = capsys.readouterr().out
    assert "10000 clips: 0 there already, 0 quarantined, 10000 to render" in said
    assert re.search(r"with 2 workers, about \d+\.\d GB \(a rough guess", said)
    assert render([spec], tmp_path / "data", RenderOptions(count=1, num_workers=2), dry_run=True) == 0
    assert re.search(r"about [1-9]\d*\.\d MB \(", capsys.readouterr().out)
    assert not (tmp_path / "data").exists()


def test_a_size_is_told_in_a_unit_that_fits() -> None:
    sizes = (0, 40_000, 999_000, 9_800_000, 1e9, 2.5e12)
    assert [spoken_bytes(size) for size in sizes] == ["0.0 kB", "40.0 kB", "999.0 kB", "9.8 MB", "1.0 GB", "2500.0 GB"]


def test_one_clip_has_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert LocalCrew.of_this_machine(num_jobs=1).size == 1
    assert LocalCrew.of_this_machine(8, num_jobs=3).size == 3
    assert LocalCrew.of_this_machine(8, num_jobs=0).size == 1
