"""`remind generate` from a clip on disk to films, strips and the record."""

from __future__ import annotations

import json
from dataclasses import replace

import imageio.v2 as imageio
import imageio_ffmpeg
import pytest

import remind
from benchmarks.toy_bar import bar_clip
from scenes.plan import ClipPlan
from tests.simulator.support import sketch_clip, tank_plan
from trainer.config import override
from trainer.data.mixture import single_source
from trainer.recipes import recipe
from trainer.rollout.attention import PARTS
from trainer.rollout.generate import prompt_schedule
from trainer.train import fit

STRIDE, NUM_FRAMES = 4, 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of one step and a data set of one clip."""
    folder = tmp_path_factory.mktemp("generate")
    config = override(
        recipe("tiny"),
        {"model.dim": 48, "model.num_heads": 2, "model.num_layers": 1, "data.frame_stride": STRIDE, "batch_size": 1},
    )
    fit(config, single_source([bar_clip(0)], config.data), [], folder / "run", stop_at=1, progress=False)
    small = ClipPlan(num_frames=48, fps=8.0, width_px=32, height_px=32)
    sketch_clip(tank_plan("look_away", clip=small, outputs=("rgb", "segmentation")), folder / "data" / "clips" / "away")
    return folder


def num_pictures(film) -> int:
    return imageio_ffmpeg.count_frames_and_secs(str(film))[0]


def generate(folder, out: str, options: str = "") -> dict:
    command = f"generate {folder / 'run'} --clip {folder / 'data/clips/away'} --out {folder / out} --steps 1 {options}"
    assert remind.main(command.split()) == 0
    return json.loads((folder / out / "generate.json").read_text())


def test_a_data_set_becomes_films_strips_and_a_record(folder, capsys):
    assert (
        remind.main(["generate", str(folder / "run"), "--data", str(folder / "data"), "--out", str(folder / "all")])
        == 0
    )
    record = json.loads((folder / "all" / "generate.json").read_text())
    (row,) = record["clips"]
    assert record["step"] == 1 and record["config"]["steps"] == 8 and row["fps"] == 2.0
    assert row["generated"] == list(range(max(row["hidden"]) + 1, NUM_FRAMES))
    assert num_pictures(folder / "all" / row["film"]) == NUM_FRAMES
    strip = imageio.imread(folder / "all" / row["strip"])
    assert strip.shape[0] > 2 * 96 and strip.shape[1] > NUM_FRAMES * 96
    assert (
        remind.main(["generate", str(folder / "run"), "--data", str(folder / "data"), "--out", str(folder / "all")])
        == 2
    )
    assert "choose another folder" in capsys.readouterr().err


def test_what_is_given_how_far_it_goes_and_what_is_remembered_are_recorded_and_done(folder):
    options = "--context 1 --frames 40 --sink 1 --window 3 --time-policy clamped --horizon 6 --guidance 2 --attention"
    record = generate(folder, "long", options)
    (row,) = record["clips"]
    assert row["generated"] == list(range(1, 40)) and num_pictures(folder / "long" / row["film"]) == 40
    cache = {"sink": 1, "window": 3, "capacity": None, "time_policy": "clamped", "horizon": 6.0}
    assert record["config"]["cache"] == cache and record["config"]["guidance_scale"] == 2.0
    assert sum(row["attention"][name][0] for name in PARTS) == pytest.approx(1.0, abs=1e-3)
    assert (folder / "long" / row["attention"]["picture"]).exists()
    short = generate(folder, "short", "--context 2 --frames 4 --prompt glass --prompt-at 3 water")
    assert short["clips"][0]["generated"] == [2, 3]
    assert short["request"]["prompts"] == [[0, "glass"], [3, "water"]]
    free = generate(folder, "free", "--free")["clips"][0]
    assert free["generated"] == list(range(min(free["hidden"]), NUM_FRAMES))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--context 4 --frames 4", "--frames: 4 leaves nothing to generate, the first 4 frames are given"),
        ("--frames 0", "--frames: 0 leaves nothing to generate"),
        ("--context 40", "rollout.context: 40 of 12 frames"),
        ("--capacity 1 --sink 1", "cache.capacity: 1 cannot hold"),
        ("--guidance -1", "rollout.guidance_scale"),
        ("--horizon 3", "clamped alone has one"),
    ],
)
def test_what_cannot_be_done_is_one_line(folder, options, said, capsys, tmp_path):
    command = f"generate {folder / 'run'} --clip {folder / 'data/clips/away'} --out {tmp_path / 'no'} {options}"
    assert remind.main(command.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("remind: ") and said in line
    assert not (tmp_path / "no" / "generate.json").exists()


def test_a_clip_that_is_hidden_to_its_end_is_one_line(folder, capsys, tmp_path, monkeypatch):
    clip = bar_clip(0)
    hidden = clip.hidden.copy()
    hidden[hidden.argmax() :] = True
    monkeypatch.setattr("trainer.rollout.generate.read_clip", lambda *_: replace(clip, hidden=hidden))
    command = f"generate {folder / 'run'} --clip {folder / 'data/clips/away'} --out {tmp_path / 'no'}"
    assert remind.main(command.split()) == 2
    assert f"clip {clip.clip_id}: it is hidden to its end" in capsys.readouterr().err


def test_a_folder_with_anything_in_it_is_left_alone(folder, capsys, tmp_path):
    (tmp_path / "away.mp4").write_bytes(b"mine")
    command = f"generate {folder / 'run'} --clip {folder / 'data/clips/away'} --out {tmp_path} --steps 1"
    assert remind.main(command.split()) == 2
    assert "is not empty; choose another folder" in capsys.readouterr().err
    assert (tmp_path / "away.mp4").read_bytes() == b"mine"


def test_prompts_of_the_command_line_are_put_in_order():
    assert prompt_schedule("a", [("9", "c"), ("4", "b")]) == ((0, "a"), (4, "b"), (9, "c"))
    assert prompt_schedule(None, []) == ()
    with pytest.raises(ValueError, match="not the number of a frame"):
        prompt_schedule(None, [("soon", "b")])
