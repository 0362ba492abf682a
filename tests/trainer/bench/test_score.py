"""Baselines go through videos and the same door as a model: their scores are known."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.bench.fake_suite import SUITE
from trainer.bench.baselines import BASELINES, write_baselines, write_map, write_video
from trainer.bench.generation import Generation
from trainer.bench.interruption import interruption_there, lost
from trainer.bench.page import strip_frames, write_page
from trainer.bench.result import BenchResult, Row, finite, row_of, rows_csv, tasks_csv
from trainer.bench.score import read_video, score_outputs
from trainer.bench.tasks import Truth
from trainer.probe.subject import Subject
from trainer.seen import Seen


@pytest.fixture(scope="module")
def scored(quick: None, truths: list[Truth], tmp_path_factory: pytest.TempPathFactory) -> dict[str, BenchResult]:
    folder = tmp_path_factory.mktemp("outputs")
    few = {name: truths if name in ("truth", "paused", "sweep_mean") else truths[:1] for name in BASELINES}
    write_baselines(truths, folder)
    return {name: score_outputs(folder / name, SUITE, few[name])[0] for name in BASELINES}


@pytest.mark.parametrize(
    ("name", "ratio", "memory", "there"),
    [
        ("truth", 1.0, 1.0, 1.0),
        ("paused", 0.0, 0.0, 1.0),
        ("linear_extrapolation", 1.0, 1.0, 1.0),
        ("first_frame", -1.0, 0.0, 0.0),
        ("sweep_mean", None, 0.0, 1.0),
        ("another_clip", None, 0.0, 1.0),
        ("uninterrupted", 1.0, 0.0, 0.0),
        ("dimmed", 1.0, 0.0, 0.0),
    ],
)
def test_baselines_score_what_they_must(
    scored: dict[str, BenchResult], name: str, ratio: float | None, memory: float, there: float
) -> None:
    for task in scored[name].tasks:
        assert task.problem == "" and task.prefix_db is not None and task.prefix_db > 25
        if ratio is None:
            assert task.clock_ratio is None and task.reasons
        else:
            assert task.clock_ratio == pytest.approx(ratio, abs=0.1)
        assert task.memory == pytest.approx(memory, abs=0.1) and task.there == there


def test_baselines_are_made_anew_for_another_truth(truths: list[Truth], tmp_path: Path) -> None:
    def made() -> list[int]:
        write_baselines(truths, tmp_path, ("paused", "another_clip"))
        return [p.stat().st_mtime_ns for p in sorted(tmp_path.glob("*/*.mp4"))]

    first = made()
    assert made() == first, "kept"
    known = json.loads((tmp_path / "truth.json").read_text())
    task = truths[0].task.id
    (tmp_path / "truth.json").write_text(json.dumps(known | {task: ["drawn otherwise", known[task][1]]}))
    again = made()
    assert [a != b for a, b in zip(again, first, strict=True)] == [False, True] * 2, "this task's, in both folders"
    assert json.loads((tmp_path / "truth.json").read_text()) == known


def test_a_cheat_would_win_without_the_control(scored: dict[str, BenchResult]) -> None:
    row = row_of(scored["uninterrupted"])
    assert row.recovery.mean > 0.9 and row.memory.mean == 0.0 and row.interrupted == 0.0
    assert sum("the interruption is not there" in line for line in scored["uninterrupted"].problems) == 1


def test_what_a_picture_does_not_tell_of_another() -> None:
    rng = np.random.default_rng(0)
    plain, other = (rng.integers(0, 256, (500, 3), dtype=np.uint8) for _ in range(2))
    tinted = np.round(plain * [0.3, 0.5, 0.7] + [100, 20, 0]).astype(np.uint8)
    black = np.zeros_like(plain)
    assert lost(plain, plain) == pytest.approx(0.0, abs=1e-12) and lost(plain, tinted) == pytest.approx(0.0, abs=0.001)
    assert (
        lost(plain, black) == 1.0 and lost(plain, other) == pytest.approx(1.0, abs=0.02) and lost(black, plain) is None
    )
    half = (plain / 2.0 + other / 2.0).astype(np.uint8)
    assert lost(plain, half) == pytest.approx(0.5, abs=0.05), "as much of it as of something else"


@pytest.mark.parametrize(
    ("fps", "shown", "there"),
    [(8.0, 3, 12 / 15), (8.0, 4, 11 / 15), (4.0, 0, 1.0), (2.0, 0, 1.0), (0.5, 0, 0.0), (4.0, 2, 6 / 7)],
)
def test_hidden_frames_are_counted(truths: list[Truth], tmp_path: Path, fps: float, shown: int, there: float) -> None:
    """`shown` frames after the last sight stay plain; at other rates only what is inside the hidden time counts."""
    clip, subject = truths[0].clip, Subject.load(truths[0].clip)
    pictures = clip.rgb[:].copy()
    plain = slice(subject.t_h + 1, subject.t_h + 1 + shown)
    pictures[plain] = clip.twin("observed").rgb[plain]
    write_video(tmp_path / "a.mp4", pictures[:: round(clip.fps / fps)], fps)
    found = interruption_there(subject, read_video(truths[0], tmp_path / "a.mp4"))
    assert found == pytest.approx(there, abs=0.08 if fps != clip.fps else 1e-9)


def test_slow_videos_are_read_on_their_own_time(truths: list[Truth], tmp_path: Path) -> None:
    """At 1.6 frames a second the first picture of the return is 0.375 s late: a perfect model still scores 1."""
    clip = truths[0].clip
    write_video(tmp_path / "glass-lights_off.mp4", clip.rgb[::5], clip.fps / 5)
    write_map(tmp_path, ["glass-lights_off"])
    result, _ = score_outputs(tmp_path, SUITE, truths[:1])
    assert result.tasks[0].clock_ratio == pytest.approx(1.0, abs=0.05) and result.tasks[0].memory > 0.95


def test_rows_have_a_file_form(scored: dict[str, BenchResult], tmp_path: Path) -> None:
    rows = [row_of(scored[name]) for name in ("paused", "truth")]
    (tmp_path / "row.json").write_text(rows[0].to_json())
    read = Row.read(tmp_path / "row.json")
    assert read.to_json() == rows[0].to_json() and read.digest == SUITE.digest
    assert not read.official and read.num_suite_tasks == 3, "one task has no truth"
    lines = list(csv.DictReader(rows_csv(rows).splitlines()))
    assert [line["name"] for line in lines] == ["paused", "truth"] and float(lines[1]["memory"]) > 0.9
    assert float(lines[1]["memory_continuous_process"]) > 0.9 and "memory_held-out_types" in lines[0]
    tasks = list(csv.DictReader(tasks_csv(scored["sweep_mean"]).splitlines()))
    assert len(tasks) == 2 and all(line["clock_ratio"] == "" and line["unreadable"] for line in tasks)
    json.dumps(finite({"a": [float("nan"), (1.0, float("inf"))]}), allow_nan=False)
    for text in ("{}", '{"schema_version": 1}', "[]", "{"):
        (tmp_path / "row.json").write_text(text)
        with pytest.raises(ValueError, match=r"row\.json"):
            Row.read(tmp_path / "row.json")


def test_spreadsheets_get_no_formula(scored: dict[str, BenchResult]) -> None:
    row = dataclasses.replace(row_of(scored["truth"]), name='=HYPERLINK("http://x")')
    assert """\n"'=HYPERLINK""" in rows_csv([row])


def test_missing_videos_count_zero(truths: list[Truth], tmp_path: Path) -> None:
    clip = truths[0].clip
    write_video(tmp_path / "glass-lights_off.mp4", clip.rgb[:20], clip.fps)
    write_map(tmp_path, ["glass-lights_off"])
    result, _ = score_outputs(tmp_path, SUITE, truths, name="mine")
    row = row_of(result)
    assert (row.num_tasks, row.num_videos, row.memory.mean, row.coverage) == (2, 1, 0.0, 0.0)
    assert "candle-lights_off: not in the map; counts 0" in result.problems
    assert "glass-lights_off: ends at 2.38 s, before the return at 4.00 s" in result.problems


def test_the_page_stands_alone_and_escapes(truths: list[Truth], scored: dict[str, BenchResult], tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> {{ 7 * 7 }} <img src=x onerror=alert(2)>"
    write_video(tmp_path / "a.mp4", truths[0].clip.rgb[:], 8.0)
    (tmp_path / "map.json").write_text(
        json.dumps({"glass-lights_off": "a.mp4", hostile: "b.mp4", "candle-lights_off": hostile})
    )
    result, files = score_outputs(tmp_path, SUITE, truths, name=hostile)
    rows = [row_of(result), row_of(scored["paused"])]
    write_page(tmp_path / "index.html", result, rows, truths, files)
    page = (tmp_path / "index.html").read_text()
    assert not re.search(r"(?:src|href)=\"(?!data:)", page) and "<script" not in page and "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page and "{{ 7 * 7 }}" in page
    assert "no official score" in page and page.count('<table class="strip">') == 1


def test_scores_by_distance_from_training(truths: list[Truth], scored: dict[str, BenchResult], tmp_path: Path) -> None:
    """Of a model of ours, by what its run noted; the second task has no video and counts 0 in its splits."""
    clip = truths[0].clip
    write_video(tmp_path / "glass-lights_off.mp4", clip.rgb[:], clip.fps)
    write_map(tmp_path, ["glass-lights_off"])
    seen = Seen(
        scenes=frozenset({clip.scene_id}),
        compositions=frozenset({("glass",)}),
        interruptions=frozenset({"fog"}),
        longest_hidden_s=len(clip.windows[0].hidden_frames) / clip.fps,
    )
    Generation(run="runs/a", step=7, given="seen", how="8 steps a frame", config={"seed": 0}, seen=seen).write(tmp_path)
    result, _ = score_outputs(tmp_path, SUITE, truths)
    row = row_of(result)
    means = {name: (group.memory.mean, group.memory.num_values) for name, group in row.distance.items()}
    glass = pytest.approx(1.0, abs=0.1)
    half = pytest.approx(0.5, abs=0.05)
    assert means == {"trained scenes": (glass, 1), "new types": (0.0, 1), "unseen interruption": (half, 2)}
    assert list(row.distance) == ["trained scenes", "new types", "unseen interruption"], "in the order of the splits"
    (tmp_path / "row.json").write_text(row.to_json())
    assert Row.read(tmp_path / "row.json").to_json() == row.to_json()
    assert float(next(csv.DictReader(rows_csv([row]).splitlines()))["memory_new_types"]) == 0.0
    tasks = list(csv.DictReader(tasks_csv(result).splitlines()))
    splits = ["trained scenes; unseen interruption", "new types; unseen interruption"]
    assert [task["from_training"] for task in tasks] == splits
    paused = row_of(scored["paused"])
    for rows, known in (([row, paused], True), ([paused, row], False), ([paused], False)):
        shown = dataclasses.replace(result if known else scored["paused"], tasks=())
        write_page(tmp_path / "index.html", shown, rows, [], {})
        page = (tmp_path / "index.html").read_text()
        assert ("Not known for paused" not in page) == known and ("new types</td>" in page) == (row in rows)
        assert ("training step 7, 8 steps a frame, seed 0" in page) == (row in rows)


def test_strips_show_the_return_and_what_hides() -> None:
    frames = strip_frames(16, 32, range(17, 32), 48)
    assert frames == sorted(set(frames)) and {0, 16, 17, 24, 31, 32, 47} <= set(frames) and len(frames) <= 10
    assert max(strip_frames(3, 9, (5,), 10)) == 9
