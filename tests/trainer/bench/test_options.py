"""`remind bench generate` takes the options of `remind generate` on sampler and memory, uses them, and notes them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import remind
import remind_bench
from remind_trainer_verbs import add_rollout
from simulator.clip import Clip
from tests.trainer.bench.fake_suite import SUITE
from tests.trainer.bench.test_models import clip, trained  # noqa: F401 (fixtures)
from trainer.bench import models
from trainer.bench.baselines import Video, write_map
from trainer.bench.generation import RECORD, read_generation
from trainer.bench.outputs import read_outputs
from trainer.bench.result import BenchResult, Row, TaskScore, row_of, rows_csv
from trainer.bench.tasks import Truth
from trainer.checkpoint import TrainedModel

USED = {  # option: words that must change the video
    "--steps": ("--steps", 2),
    "--shift": ("--steps", 2, "--shift", 5),
    "--guidance": ("--guidance", 3),
    "--negative-prompt": ("--guidance", 3, "--negative-prompt", "a glass that stays as it is"),
    "--seed": ("--seed", 1),
    "--sink": ("--window", 1, "--sink", 2),  # the first frame, an anchor, stays anyway
    "--window": ("--window", 1),
    "--capacity": ("--capacity", 3),
    "--time-policy": ("--time-policy", "clamped", "--horizon", 1),
    "--horizon": ("--time-policy", "clamped", "--horizon", 3),
}
WITHOUT = {  # what such words must differ from, where that is not the video by default
    "--shift": ("--steps", 2),
    "--negative-prompt": ("--guidance", 3),
    "--sink": ("--window", 1),
    "--horizon": ("--time-policy", "clamped", "--horizon", 1),
}
REFUSED = {  # words that nothing would read: the line they get
    ("--negative-prompt", "x"): "without guidance nothing reads it",
    ("--sink", 1): "protects nothing where nothing is forgotten",
    ("--horizon", 2): "clamped alone has one",
    ("--time-policy", "clamped"): "clamped alone has one",
    ("--sink", 2, "--window", 3, "--capacity", 4): "cannot hold 2 first and 3 newest",
    ("--capacity", 2): "all 2 nodes are anchors or sinks; raise the capacity",
    ("--steps", 0): "must be at least 1",
    ("--shift", 0): "must be positive",
    ("--guidance", -1): "must be at least 0",
    ("--window", 0): "must be at least 1 frame",
}

NOTHING = TaskScore(
    task=SUITE.tasks[0], scene_id="a", problem="no video", remarks=(), model=None, view=None, there=None,
    prefix_db=None, video=None,
)  # fmt: skip


class Maker:
    """Makes videos of one task by the command line, and keeps their pictures."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count, self.pictures = folder, 0, {}

    def run(self, *words: object, out: Path | None = None) -> int:
        self.count += 1
        self.out = out or self.folder / str(self.count)
        fixed = ("bench", "generate", self.folder / "run", "--data", self.folder, "--out", self.out)
        return remind.main([str(word) for word in (*fixed, "--steps", 1, *words)])

    def video(self, *words: object) -> Video:
        if words not in self.pictures:
            assert self.run(*words) == 0
        return self.pictures.setdefault(words, self._last)

    def write(self, path: Path, video: Video, fps: float) -> None:
        path.write_bytes(b"a film")
        self._last = video


@pytest.fixture(scope="module")
def maker(
    trained: TrainedModel,  # noqa: F811
    clip: Clip,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Maker]:
    made = Maker(tmp_path_factory.mktemp("options"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remind_bench, "load_suite", lambda name: None)
        patch.setattr(remind_bench, "public", lambda suite: SUITE)
        patch.setattr(remind_bench, "find_truth", lambda suite, data: [Truth(SUITE.tasks[0], clip, False)])
        patch.setattr(models, "load_trained", lambda run, device: trained)
        patch.setattr(models, "write_video", made.write)
        yield made


def test_every_option_is_here() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    add_rollout(parser)
    assert {action.option_strings[0] for action in parser._actions} == set(USED)


@pytest.mark.parametrize("option", USED)
def test_every_option_changes_the_video(maker: Maker, option: str) -> None:
    video = maker.video(*USED[option])
    assert not np.array_equal(video, maker.video(*WITHOUT.get(option, ())))


def test_relative_times_are_the_same_attention(maker: Maker) -> None:
    difference = maker.video("--time-policy", "relative").astype(int) - maker.video()
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("words", REFUSED)
def test_what_nothing_would_read_is_refused(
    maker: Maker, words: tuple[object, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert maker.run(*words) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("remind:")]
    assert len(lines) == 1 and REFUSED[words] in lines[0] and not list(maker.out.glob("*.mp4"))


def test_how_it_was_made_is_beside_the_videos_and_in_the_row(
    maker: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--window", 2, "--sink", 1, "--seed", 3, "--given", "hidden")
    assert maker.run(*words, out=tmp_path) == 0
    how = "training step 0, 1 steps a frame, sink 1, window 2, hidden frames given, seed 3"
    assert how in capsys.readouterr().out
    record = json.loads((tmp_path / RECORD).read_text())
    assert record["given"] == "hidden" and record["config"]["cache"]["window"] == 2 and record["config"]["steps"] == 1
    outputs = read_outputs(tmp_path, SUITE.tasks)
    assert outputs.generation is not None and outputs.generation.text() == how and not outputs.remarks
    row = row_of(
        BenchResult(
            name="mine", suite=SUITE.name, digest=SUITE.digest, num_suite_tasks=3, official=False, tasks=(NOTHING,),
            remarks=(), generation=outputs.generation.text(),
        )
    )  # fmt: skip
    (tmp_path / "row.json").write_text(row.to_json())
    assert Row.read(tmp_path / "row.json").generation == how and how in rows_csv([row])
    (tmp_path / "row.json").write_text(
        json.dumps({k: v for k, v in json.loads(row.to_json()).items() if k != "generation"})
    )
    assert Row.read(tmp_path / "row.json").generation == "", "an older row says nothing"


def test_no_folder_holds_a_mixture(maker: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert maker.run("--window", 2, out=tmp_path) == 0 and maker.run("--window", 2, out=tmp_path) == 0
    for words, line in (
        (("--window", 3), "its videos were made with window 2, not 3; choose a new folder"),
        (("--window", 2, "--given", "hidden"), "given 'seen', not 'hidden'"),
    ):
        assert maker.run(*words, out=tmp_path) == 2 and line in capsys.readouterr().err
    record = json.loads((tmp_path / RECORD).read_text())
    task, made_of = next(iter(record["clips"].items()))
    (tmp_path / RECORD).write_text(json.dumps(record | {"clips": {task: "drawn_otherwise"}}))
    assert maker.run("--window", 2, out=tmp_path) == 2
    assert f"clip drawn_otherwise of {task}, not {made_of}" in capsys.readouterr().err
    (tmp_path / RECORD).unlink()
    assert maker.run("--window", 2, out=tmp_path) == 2
    assert f"holds videos, but no {RECORD} that says how" in capsys.readouterr().err


def test_videos_of_another_step_are_kept_apart(
    maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert maker.run(out=tmp_path) == 0
    known = models.load_trained
    later = SimpleNamespace(**vars(known(tmp_path, device=None)) | {"step": 9})
    monkeypatch.setattr(models, "load_trained", lambda run, device: later)
    assert maker.run(out=tmp_path) == 2 and "step 0, not 9" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "{}", '{"schema_version": 1}', '{"schema_version": 2}',
        '{"schema_version":1,"run":"r","step":1e9,"given":"seen","how":"","config":{},"seen":null}',
        '{"schema_version":1,"run":"r","step":1,"given":["seen"],"how":"","config":{},"seen":null}',
        '{"schema_version":1,"run":"r","step":1,"given":"seen","how":"","config":{},"seen":{"schema_version":7}}',
        '{"schema_version":1,"run":"r","step":1,"given":"seen","how":"","config":{},"seen":[]}',
        '{"schema_version":1,"run":"r","step":1,"given":"seen","how":"","config":{},"seen":null,"clips":{"a":1}}',
    ],
)  # fmt: skip
def test_a_bad_record_costs_a_line_only(tmp_path: Path, text: str) -> None:
    write_map(tmp_path, ["glass-lights_off"])
    (tmp_path / "glass-lights_off.mp4").write_bytes(b"")
    (tmp_path / RECORD).write_text(text)
    outputs = read_outputs(tmp_path, SUITE.tasks)
    assert outputs.generation is None and len(outputs.files) == 1
    assert len(outputs.remarks) == 1 and RECORD in outputs.remarks[0] and outputs.remarks[0].endswith("; ignored")


def test_a_hostile_record_is_one_short_line(tmp_path: Path) -> None:
    fields = {
        "run": "r",
        "step": 1,
        "given": "seen",
        "how": "\x1b[2J\n" + "x" * 9000,
        "config": {"seed": {"a": "b" * 999}},
    }
    (tmp_path / RECORD).write_text(json.dumps({"schema_version": 1, **fields, "seen": None}))
    shown = read_generation(tmp_path).text()
    assert len(shown) <= 300 and shown.isprintable()


def test_a_map_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "glass-lights_off.mp4").write_bytes(b"")
    (tmp_path / RECORD).write_text('{"glass-lights_off": "glass-lights_off.mp4"}')
    outputs = read_outputs(tmp_path, SUITE.tasks)
    assert list(outputs.files) == ["glass-lights_off"] and outputs.generation is None and not outputs.remarks
