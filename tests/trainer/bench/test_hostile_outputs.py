"""What a stranger may send: each wrong thing is one line about one task, nothing crashes, nothing outside is read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import imageio.v2 as imageio
import numpy as np
import pytest

from tests.trainer.bench.fake_suite import SUITE
from trainer.bench import decode
from trainer.bench.decode import Unusable, open_video
from trainer.bench.outputs import read_outputs
from trainer.bench.score import score_outputs
from trainer.bench.tasks import Truth

GLASS, CANDLE = "glass-lights_off", "candle-lights_off"


def folder_with(path: Path, entries: object, name: str = "map.json") -> Path:
    path.mkdir(exist_ok=True)
    (path / name).write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return path


def movie(path: Path, frames: int = 3, side: int = 64, **options: object) -> Path:
    imageio.mimwrite(path, [np.full((side, side, 3), 90, np.uint8)] * frames, fps=8, macro_block_size=1, **options)
    return path


@pytest.mark.parametrize(
    ("entries", "line"),
    [
        ("{}", "no task of this suite in it"),
        ("[1]", "expected an object"),
        ('{"glass-lights_off": NaN}', "NaN is no number"),
        ('{"glass-lights_off": "a", "glass-lights_off": "b"}', "given twice"),
        ("{" + '"a":{' * 60 + "}" * 61, "json"),
        ('{"another": "x.mp4"}', "no task of this suite in it"),
        ("", "json"),
        ('{"glass-lights_off": "' + "a" * 2_000_000 + '"}', "larger than"),
    ],
)
def test_a_map_that_cannot_be_used_is_one_line(tmp_path: Path, entries: str, line: str) -> None:
    with pytest.raises(ValueError, match=line) as caught:
        read_outputs(folder_with(tmp_path / "out", entries), SUITE.tasks)
    assert "\n" not in str(caught.value)


def test_exactly_one_map(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        read_outputs(tmp_path / "none", SUITE.tasks)
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match="0 JSON files; exactly one"):
        read_outputs(tmp_path / "out", SUITE.tasks)
    folder_with(tmp_path / "out", {GLASS: "a.mp4"})
    folder_with(tmp_path / "out", {GLASS: "a.mp4"}, "also.JSON")
    with pytest.raises(ValueError, match=r"2 JSON files \(also.JSON, map.json\)"):
        read_outputs(tmp_path / "out", SUITE.tasks)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("../secret.mp4", "leads out of the folder"),
        ("/etc/passwd", "leads out of the folder"),
        ("a/../../secret.mp4", "leads out of the folder"),
        ("..\\secret.mp4", "leads out of the folder"),
        ("a\0.mp4", "leads out of the folder"),
        ("", "leads out of the folder"),
        ("link.mp4", "is a link"),
        ("linked/secret.mp4", "is a link"),
        ("absent.mp4", "is not there"),
        ("x" * 300, "File name too long"),
        ("sub", "is not a regular file"),
        ("pipe.mp4", "is not a regular file"),
        (7, "is no file name"),
        (None, "is no file name"),
        ({"file": "a.mp4"}, "is no file name"),
        ("\x1b[2Jabsent", r"\\x1b\[2Jabsent is not there"),
    ],
)
def test_an_entry_that_leads_elsewhere_costs_its_task(tmp_path: Path, entry: object, line: str) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    out = folder_with(tmp_path / "out", {GLASS: entry})
    (out / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (out / "linked").symlink_to(tmp_path)
    (out / "sub").mkdir()
    os.mkfifo(out / "pipe.mp4")
    outputs = read_outputs(out, SUITE.tasks)
    assert outputs.files == {}
    with pytest.raises(AssertionError, match=line):
        raise AssertionError(outputs.problems[GLASS])
    assert "\x1b" not in outputs.problems[GLASS]


def test_unknown_and_shared_entries_are_remarked(tmp_path: Path) -> None:
    out = folder_with(tmp_path / "out", {GLASS: "a.mp4", CANDLE: "a.mp4", "what\x1b": "b.mp4"})
    (out / "a.mp4").write_bytes(b"a film")
    outputs = read_outputs(out, SUITE.tasks)
    assert set(outputs.files) == {GLASS, CANDLE} and outputs.problems == {"absent-lights_off": "not in the map"}
    assert outputs.remarks[0] == r"what\x1b: no task of this suite; ignored"
    assert outputs.remarks[1].startswith("a.mp4: one file for 2 tasks")


def truncated(path: Path) -> None:
    whole = movie(path.with_name("whole.mp4"), 20).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    path.with_name("whole.mp4").unlink()


def playlist(path: Path) -> None:
    secret = movie(path.with_name("secret.mp4"))
    path.write_text(f"ffconcat version 1.0\nfile '{secret}'\n")


def audio(path: Path) -> None:
    import subprocess

    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "sine=duration=0.2", str(path)]
    subprocess.run(command, check=True)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda p: p.write_bytes(b""), "has 0 bytes"),
        (lambda p: p.write_bytes(os.urandom(5000)), "no picture in it can be decoded"),
        (lambda p: p.write_text("I am no video"), "no picture in it can be decoded"),
        (lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200)), "no picture in it can be decoded"),
        (truncated, "no picture in it can be decoded"),
        (playlist, "no picture in it can be decoded"),
        (audio, "no picture in it can be decoded"),
        (lambda p: movie(p, side=8, codec="libx264"), "8 x 8 is too small"),
    ],
)
def test_a_file_that_is_no_video_is_one_line(tmp_path: Path, make: Callable[[Path], None], line: str) -> None:
    make(tmp_path / "a.mp4")
    with pytest.raises(Unusable, match=line) as caught, open_video(tmp_path / "a.mp4", 5.0) as (_, frames):
        list(frames)
    assert "\n" not in str(caught.value) and str(tmp_path) not in str(caught.value)


def test_links_and_pipes_are_not_opened(tmp_path: Path) -> None:
    movie(tmp_path / "a.mp4")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "a.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    for name, line in (("link.mp4", "is a link"), ("pipe.mp4", "not a regular file"), ("none.mp4", "No such file")):
        with pytest.raises(Unusable, match=line), open_video(tmp_path / name, 5.0):
            pass


def test_bombs_are_refused_before_they_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = movie(tmp_path / "a.mp4", 40, side=128)
    monkeypatch.setattr(decode, "MAX_PIXELS", 128 * 64)
    with pytest.raises(Unusable, match=r"no picture in it can be decoded|too large"), open_video(path, 5.0):
        pass
    monkeypatch.undo()
    monkeypatch.setattr(decode, "MAX_FRAMES", 7)
    with open_video(path, 5.0) as (_, frames):
        assert len(list(frames)) == 7
    monkeypatch.setattr(decode, "MAX_WALL_S", 0.0)
    with pytest.raises(Unusable, match="takes too long"), open_video(path, 5.0):
        pass


def test_wrong_videos_count_zero_and_the_rest_is_scored(tmp_path: Path, truths: list[Truth]) -> None:
    out = folder_with(tmp_path / "out", {GLASS: "noise.mp4", CANDLE: "../a.mp4"})
    (out / "noise.mp4").write_bytes(os.urandom(3000))
    result, files = score_outputs(out, SUITE, truths)
    assert files == {} and [t.memory for t in result.tasks] == [0.0, 0.0]
    assert [line.partition(":")[0] for line in result.problems] == [GLASS, CANDLE]
    assert all(line.endswith("counts 0") for line in result.problems)
