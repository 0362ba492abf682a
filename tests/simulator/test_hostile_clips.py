"""Clips that someone made to mislead or to break a reader: one line of refusal, nothing read from elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from benchmarks.fuzzing import clips
from simulator import commands
from simulator.clip import Clip
from simulator.verify import examine_clip
from tests.simulator.support import sketch_clip, tank_plan


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plan = tank_plan(outputs=("rgb", "depth", "segmentation", "boxes", "tracks", "twins", "sweep"))
    return sketch_clip(plan, tmp_path_factory.mktemp("data") / "clip")


@pytest.fixture
def clip(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "clip"))


def change(path: Path, fields: dict[str, Any]) -> None:
    tree = json.loads(path.read_text())
    path.write_text(json.dumps(tree | fields))


@pytest.mark.parametrize(
    ("file", "fields", "reason"),
    [
        ("manifest.json", {"clip_id": "../../stolen"}, "clip_id: '../../stolen' is no plain name"),
        ("manifest.json", {"scene_id": "a/b"}, "scene_id"),
        ("manifest.json", {"files": {"../../../etc/passwd": "0"}}, "no plain file name"),
        ("manifest.json", {"twins": ["../x"]}, "no plain name"),
        ("manifest.json", {"instances": {"x": {}}}, "instances"),
        ("manifest.json", {"variables": []}, "variables: expected an object"),
        ("manifest.json", {"prompt": "\x1b[2Jgone"}, "does not print"),
        ("cameras.json", {"intrinsics": [[1]]}, "intrinsics: expected"),
        ("cameras.json", {"windows": [{"t_h": 3}]}, "windows[0].target: missing"),
        ("cameras.json", {"dropped_frames": [10**9]}, "outside"),
        ("plan.json", {"clip": {"num_frames": 10**12, "fps": 8}}, "clip.num_frames"),
        ("plan.json", {"clip": {"num_frames": 48, "fps": 0}}, "clip.fps"),
    ],
)
def test_fields_that_lead_astray_are_refused_in_a_line(clip: Path, file: str, fields: dict, reason: str) -> None:
    change(clip / file, fields)
    with pytest.raises(ValueError, match="render") as caught:
        Clip.open(clip)
    line = str(caught.value)
    assert reason in line and file in line and line.isprintable()
    assert examine_clip(clip).findings


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": NaN}', '{"a": 1e999}', '{"a": 1, "a": 2}', "[]", "", "\x00"])
def test_json_that_is_none_is_refused(clip: Path, text: str) -> None:
    (clip / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest\.json: not a readable clip"):
        Clip.open(clip)


@pytest.mark.parametrize("text", ["\\u001b[2J", "\x7f", "\u202e", "\u2028"])
def test_no_text_of_a_clip_holds_what_does_not_print(clip: Path, text: str) -> None:
    """Spelled out or as it is, anywhere, names of fields included."""
    for tree in (f'{{"a": ["{text}"]}}', f'{{"a": {{"b{text}": 1}}}}'):
        (clip / "manifest.json").write_text(tree)
        with pytest.raises(ValueError, match="does not print"):
            Clip.open(clip)


@pytest.mark.parametrize("file", ["manifest.json", "states.parquet", "arrays.h5"])
def test_a_pipe_in_place_of_a_file_is_never_waited_for(clip: Path, file: str) -> None:
    (clip / file).unlink()
    os.mkfifo(clip / file)
    with pytest.raises(ValueError):
        opened = Clip.open(clip)
        assert opened.states and opened.rgb[0].size


def linked(clip: Path, kind: str, secret: Path) -> None:
    """arrays.h5 whose rgb lies elsewhere."""
    with h5py.File(secret, "w") as file:
        file["rgb"] = np.zeros((48, 64, 64, 3), np.uint8)
    with h5py.File(clip / "arrays.h5", "a") as file:
        del file["rgb"]
        if kind == "external link":
            file["rgb"] = h5py.ExternalLink(str(secret), "rgb")
        elif kind == "soft link":
            file["rgb"] = h5py.SoftLink("/depth_m")
        elif kind == "external storage":
            file.create_dataset("rgb", (48, 64, 64, 3), np.uint8, external=[(str(secret), 0, 48 * 64 * 64 * 3)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((48, 64, 64, 3), np.uint8)
            layout[:] = h5py.VirtualSource(str(secret), "rgb", (48, 64, 64, 3))
            file.create_virtual_dataset("rgb", layout)
        elif kind == "huge":
            file.create_dataset("rgb", (2**20, 2**20, 2**10, 3), np.uint8, chunks=(1, 64, 64, 3))
        else:
            file.create_dataset("rgb", (48,), h5py.string_dtype())


@pytest.mark.parametrize("kind", ["external link", "soft link", "external storage", "virtual", "huge", "objects"])
def test_arrays_come_from_the_clips_own_file(clip: Path, tmp_path: Path, kind: str) -> None:
    linked(clip, kind, tmp_path / "secret.h5")
    with pytest.raises(ValueError, match="rgb") as caught:
        Clip.open(clip).rgb[0]
    assert "\n" not in str(caught.value)
    assert any("rgb" in finding.message for finding in examine_clip(clip).findings)


# ---- the fuzzer
def read(path: Path) -> str:
    """Opening, the truth, verification: only ValueError and OSError come out, and verification never raises."""
    report = examine_clip(path)
    assert "\n" not in "".join(finding.message for finding in report.findings)
    try:
        commands.info(path)
        commands.states(path, at_s=0.0)
        clip = Clip.open(path)
        assert clip.rgb[0].ndim and clip.tracks and clip.boxes
    except (ValueError, OSError) as error:
        return f"refused: {type(error).__name__}"
    return "found" if report.findings else "sound"


def test_whatever_is_in_a_clips_files_it_is_read_or_refused(sound: Path) -> None:
    words = Counter(clips.tried(sound, 7, index, read) for index in range(120))
    assert words["refused: ValueError"] > 20 and words["found"] > 10
