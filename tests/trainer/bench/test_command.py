"""`remind bench` from the command line, over the synthetic suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import remind
import remind_bench
from tests.trainer.bench.fake_suite import SUITE
from trainer.bench.baselines import write_map, write_video
from trainer.bench.result import Row
from trainer.bench.tasks import Truth, truth_digest
from trainer.probe.bootstrap import Estimate


@pytest.fixture
def synthetic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remind_bench, "load_suite", lambda name: None)
    monkeypatch.setattr(remind_bench, "public", lambda suite: SUITE)


def run(*words: object) -> int:
    return remind.main(["bench", *map(str, words)])


def test_export_and_score(
    synthetic: None, truth_data: Path, truths: list[Truth], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", "--data", truth_data, "--out", tmp_path / "tasks") == 0
    assert "2 tasks, 2 written now; 1 tasks have no truth" in capsys.readouterr().out
    mine = tmp_path / "mine"
    mine.mkdir()
    write_video(mine / "glass-lights_off.mp4", truths[0].clip.twin("paused").rgb[:], 8.0)
    write_map(mine, ["glass-lights_off"])
    score = ("score", mine, "--data", truth_data, "--workers", 1, "--out")
    assert run(*score, tmp_path / "first", "--name", "frozen") == 1, "a task without a video is something wrong"
    said = capsys.readouterr().out
    assert "candle-lights_off: not in the map; counts 0" in said and "frozen: memory 0.0" in said
    assert {p.name for p in (tmp_path / "first").iterdir()} == {
        "index.html", "row.csv", "row.json", "score.json", "tasks.csv",
    }  # fmt: skip
    json.loads((tmp_path / "first" / "score.json").read_text())
    row = json.loads((tmp_path / "first" / "row.json").read_text())
    (tmp_path / "first" / "row.json").write_text(json.dumps(row | {"digest": "another"}))
    assert run(*score, tmp_path / "second", "--beside", tmp_path / "first") == 2
    assert "scored on suite 'fake' with digest 'another'" in capsys.readouterr().err
    (tmp_path / "first" / "row.json").write_text(json.dumps(row | {"truth": truth_digest(truths[:1])}))
    assert run(*score, tmp_path / "second", "--beside", tmp_path / "first") == 2
    assert "scored on other tasks, or against other clips" in capsys.readouterr().err
    assert not (tmp_path / "second").exists()


def row_over(truths: list[Truth]) -> Row:
    """A row as a baseline's, with a video for each task."""
    num_tasks = len(truths)
    one = Estimate(1.0, 1.0, 1.0, num_tasks, num_tasks)
    return Row(
        name="truth", suite=SUITE.name, digest=SUITE.digest, official=False, num_tasks=num_tasks, num_suite_tasks=3,
        num_videos=num_tasks, memory=one, recovery=one, clock_ratio=one, coverage=1.0, interrupted=1.0, psnr_db=None,
        ssim=None, categories={}, kinds={}, splits={}, truth=truth_digest(truths),
    )  # fmt: skip


def test_a_baseline_is_scored_again_when_the_truth_is_another(
    synthetic: None, truths: list[Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[int] = []

    def stub(name: str, folder: Path, data: Path, out: Path, **options: Any) -> None:
        scored.append(len(known))
        out.mkdir(parents=True, exist_ok=True)
        (out / "row.json").write_text(row_over(known).to_json())

    monkeypatch.setattr(remind_bench, "BASELINES", {"truth": None})
    monkeypatch.setattr(remind_bench, "write_baselines", lambda *args: None)
    monkeypatch.setattr(remind_bench, "score", stub)
    monkeypatch.setattr(remind_bench, "find_truth", lambda suite, data: known)
    for known in (truths[:1], truths[:1], truths[1:], truths):
        rows = remind_bench.score_baselines("fake", tmp_path, tmp_path / "out")
        assert [row.num_videos for row in rows] == [len(known)]
    assert scored == [1, 1, 2], "the second time it is kept"


def test_what_is_wrong_is_one_line(
    synthetic: None, truth_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, line in (
        (("score", tmp_path / "none", "--data", truth_data, "--out", tmp_path / "o"), "no such folder"),
        (("score", tmp_path, "--data", tmp_path, "--out", tmp_path / "o"), "no clip of suite fake"),
        (("export", "--data", tmp_path, "--out", tmp_path / "t"), "no clip of suite fake"),
    ):
        assert run(*words) == 2
        err = [text for text in capsys.readouterr().err.splitlines() if text.startswith("remind:")]
        assert len(err) == 1 and line in err[0]


def test_suites_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--suite", "v1-small") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 97 and lines[0].startswith("suite v1-small, digest") and "held out" in lines[1]
    assert run("render", "--suite", "v1-small", "--data", "nowhere", "--only", "no_such_task") == 2
    assert "no task 'no_such_task'" in capsys.readouterr().err
