"""dataset.json and `remind dataset`: what is in a data set, and what is said when it cannot be."""

from __future__ import annotations

import json

import pytest

import remind
from render_jobs import dataset_commands
from render_jobs.commands import import_video
from simulator.clip import list_clips
from tests.render_jobs.packing.support import copy_of


@pytest.fixture
def own(dataset, tmp_path):
    """A copy that may be written to."""
    return copy_of(dataset, tmp_path / "own")


def test_dataset_json_counts_what_is_there(own):
    text, well = dataset_commands.info(own, licence="CC-BY-4.0")
    found = json.loads((own / "dataset.json").read_text())
    assert well and found["totals"]["clips"] == 4 and found["totals"]["frames"] == 24 + 3 * 2
    assert found["totals"]["hours"] == pytest.approx((24 / 4 + 3 * 2 / 8) / 3600, abs=1e-9)
    assert found["totals"]["bytes"] == sum(f.stat().st_size for p in list_clips(own) for f in p.iterdir())
    assert (found["totals"]["failed"], found["totals"]["left"]) == (1, 1)
    assert found["counts"]["event_types"] == {"tank_filling": 3, "torsion_disc": 1}
    assert found["counts"]["interruptions"] == {"look_away": 1} and found["counts"]["fps"] == {"4": 1, "8": 3}
    assert found["counts"]["resolutions"] == {"32x24": 3, "32x32": 1} and found["counts"]["outputs"]["sweep"] == 1
    assert found["splits"]["heldout"]["event_types"] == ["torsion_disc"]
    assert sorted(found["splits"]["train"]["clips"] + found["splits"]["heldout"]["clips"]) == [
        path.name for path in list_clips(own)
    ]
    assert {"name": "disc", "spec_seed": 0, "clips": 1} in found["specs"]
    assert found["spec_files"] == {"test.yaml": "name: test\n"} and found["licence"] == "CC-BY-4.0"
    assert found["provenance"]["devices"] == {"sketch": 4} and "numpy" in found["provenance"]["versions"]
    assert "torsion_disc are never for training" in text and "1 failed, 1 left" in text


def test_equal_data_sets_have_equal_files(own, tmp_path):
    again = copy_of(own, tmp_path / "elsewhere" / "own")
    for root in (own, again):
        dataset_commands.info(root, licence="CC-BY-4.0")
    assert (again / "dataset.json").read_bytes() == (own / "dataset.json").read_bytes()
    dataset_commands.info(again)  # what was said once stays said
    assert (again / "dataset.json").read_bytes() == (own / "dataset.json").read_bytes()


def test_imported_videos_are_counted_and_packed(dataset, tmp_path, capsys):
    video = list_clips(dataset)[0] / "video.mp4"
    import_video(video, tmp_path / "data", prompt="A wall.")
    assert remind.main(["dataset", "info", str(tmp_path / "data")]) == 0
    assert remind.main(["dataset", "pack", str(tmp_path / "data"), "--out", str(tmp_path / "pack")]) == 0
    capsys.readouterr()
    assert remind.main(["dataset", "info", str(tmp_path / "pack"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["imported_videos"] == 1 and found["counts"]["event_types"] == {}
    assert remind.main(["clip", "verify", str(tmp_path / "pack")]) == 0
    assert remind.main(["clip", "states", str(tmp_path / "pack")]) == 0


def test_broken_clips_are_told_and_not_counted(dataset, tmp_path, capsys):
    broken = copy_of(dataset, tmp_path / "data")
    (list_clips(broken)[0] / "cameras.json").write_text("{}")
    assert remind.main(["dataset", "info", str(broken)]) == 1
    said = capsys.readouterr().out
    assert "3 clips" in said and f"broken    {list_clips(broken)[0]}" in said


def test_a_data_set_that_cannot_be_written_is_still_told_about(dataset, monkeypatch):
    def read_only(*args):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("render_jobs.packing.summary.write", read_only)
    text, well = dataset_commands.info(dataset)
    assert well and "dataset.json is not written: Read-only file system" in text


def test_the_verbs_go_round(dataset, tmp_path, capsys):
    pack, out = str(tmp_path / "pack"), str(tmp_path / "all")
    assert remind.main(["dataset", "pack", str(dataset), "--out", pack, "--shard-mb", "0.2", "--name", "x"]) == 0
    assert remind.main(["dataset", "unpack", pack, "--out", out]) == 0
    assert remind.main(["dataset", "merge", str(dataset), pack, "--out", out]) == 0
    assert "0 clips are new, 4 were there already" in capsys.readouterr().out
    assert remind.main(["clip", "info", f"{pack}/clips/{list_clips(dataset)[0].name}"]) == 0
    for command, said in (
        (["info", pack, "--licence", "MIT"], "a pack keeps its name and licence"),
        (["unpack", str(dataset), "--out", out], "not a pack"),
        (["pack", str(dataset), "--out", out, "--shard-mb", "0"], "--shard-mb"),
        (["pack", str(dataset), "--out", out], "not empty"),
        (["info", str(tmp_path)], "no published clips here"),
    ):
        assert remind.main(["dataset", *command]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", '{"schema_version": 2}', '{"schema_version": 1, "pack": 3}'])
def test_a_dataset_json_that_is_none_is_one_line(dataset, tmp_path, capsys, text):
    pack = tmp_path / "pack"
    assert remind.main(["dataset", "pack", str(dataset), "--out", str(pack)]) == 0
    (pack / "dataset.json").write_text(text)
    for command in (["info", str(pack)], ["pack", str(dataset), "--out", str(pack)]):
        assert remind.main(["dataset", *command]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
