"""Specs and plans are untrusted: what they may ask for is bounded, and what they say cannot reach the terminal raw."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fuzzing.plans import real_plans
from scenes.errors import SpecError
from scenes.limits import MAX_CLIP_BYTES, clip_bytes
from scenes.loading import load_spec, parse_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from tests.scenes.stand_ins import SPEC, TYPES
from untrusted import MAX_LINE, one_line, read_json


def test_a_line_only_prints() -> None:
    told = one_line("a\x1b[2Jb\n\tc\x00 \u202e\ud800é")
    assert told == "a\\x1b[2Jb c\\x00 \\u202e\\ud800é" and told.isprintable()
    assert len(one_line("x " * 10**6)) == MAX_LINE + 3
    assert one_line(f"f.yaml:5: clip.{'9' * 10**6}: unknown field").endswith("999: unknown field")


def test_escapes_in_a_spec_come_out_spelled() -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(SPEC.replace("type: rise", 'type: "\\e[31mred\\e[0m"'), "k\x1b[2J.yaml", TYPES)
    assert str(caught.value).isprintable() and "\\x1b[31mred" in str(caught.value)


@pytest.mark.parametrize("kind", ["pipe", "device", "directory", "link to a device"])
def test_only_regular_files_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "k.yaml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    else:
        path = Path("/dev/zero")
    with pytest.raises(SpecError, match="is a directory" if kind == "directory" else "is not a regular file"):
        load_spec(path, TYPES)
    with pytest.raises(ValueError, match=r"directory|regular"):
        ScenePlan.read(path)


@pytest.mark.parametrize(
    ("clip", "reason"),
    [
        ("{num_frames: 2000, fps: 120, resolution: [2048, 2048]}", "are 1"),
        ("{num_frames: 2000, fps: 1, resolution: [64, 64]}", "last 2000 s; at most 600 s"),
        ("{num_frames: 2001, fps: 8, resolution: [64, 64]}", "nearest legal value 2000"),
        ("{num_frames: 48, fps: 8, resolution: [4096, 64]}", "nearest legal value 2048"),
    ],
)
def test_a_clip_has_a_size_as_a_whole(clip: str, reason: str) -> None:
    text = SPEC.replace("{num_frames: 48, fps: 8, resolution: [64, 64]}", clip)
    with pytest.raises(SpecError, match=r"k\.yaml:4: clip") as caught:
        sample_plans(parse_spec(text, "k.yaml", TYPES), 1, event_types=TYPES)
    assert reason in str(caught.value)


def test_what_the_design_asks_for_is_far_inside() -> None:
    everything = ("rgb", "depth", "segmentation", "normals", "flow", "amodal", "twins")
    assert clip_bytes(81, 832, 480, everything, 2) < MAX_CLIP_BYTES / 2


HUGE: list[tuple[list[Any], Any, str]] = [
    (["clip", "num_frames"], 10**9, "nearest legal value 2000"),
    (["clip", "width_px"], 100_000, "nearest legal value 2048"),
    (["clip", "fps"], 1e-9, "nearest legal value 1"),
    (["render", "samples"], 10**9, "nearest legal value 4096"),
    (["name"], "../../../etc/cron.d/x", "expected letters, digits"),
    (["events", 0, "id"], "a/b", "expected letters, digits"),
    (["events", 0, "id"], "x" * 65, "expected letters, digits"),
    (["world", "props", 0, "name"], "..", "expected letters, digits"),
    (["events", 0, "params", "inflow_m3_per_s"], 1e5, "nearest legal value"),
    (["events", 0, "params", "nothing"], 1.0, "unknown field"),
    (["events", 0, "type"], "tank_fillin", "did you mean 'tank_filling'?"),
    (["events", 0, "start_s"], -1e9, "outside|too large"),
    (["world", "props", 0, "params", "size_m"], [1e9, 1e9, 1e9], "too large"),
    (["world", "props", 0, "params", "size_m"], [[[1]]], "expected a number, text"),
    (["interruptions", 0, "target"], "nobody", "no event has the id"),
    (["outputs"], ["depth"], "rgb is always rendered"),
    (["outputs"], ["rgb", "../x"], "unknown"),
    (["version"], 99, "version"),
    (["surprise"], 1, "unknown field"),
]


@pytest.mark.parametrize(("place", "value", "reason"), HUGE, ids=[".".join(map(str, p)) for p, _, _ in HUGE])
def test_a_hostile_plan_is_refused_in_a_line(tmp_path: Path, place: list[Any], value: Any, reason: str) -> None:
    tree = json.loads(json.dumps(real_plans()[0]))
    at = tree
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(tree))
    with pytest.raises(ValueError, match=reason) as caught:
        ScenePlan.read(path)
    assert str(caught.value).startswith(f"{path}: ") and str(caught.value).isprintable()


def test_a_plan_of_too_many_things_is_refused(tmp_path: Path) -> None:
    tree = json.loads(json.dumps(real_plans()[0]))
    prop = tree["world"]["props"][0]
    tree["world"]["props"] = [prop | {"name": f"p{i}"} for i in range(201)]
    (tmp_path / "plan.json").write_text(json.dumps(tree))
    with pytest.raises(ValueError, match="has 201 entries; 0 to 200"):
        ScenePlan.read(tmp_path / "plan.json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "nested deeper"),
        ('{"a": ' * 50 + "1" + "}" * 50, "nested deeper"),
        ('{"version": NaN}', "NaN is no number"),
        ('{"version": 1e999}', "1e999 is too large"),
        ('{"version": [[1.0], {"a": [0.5, -1e400]}]}', "-1e400 is too large"),
        ('{"a": ' + "[" * 33 + "]" * 33 + "}", "nested deeper"),
        ('{"version": 2, "version": 2}', "given twice"),
        ("[]", "expected an object"),
        (" " * 5_000_000, "larger than 4 MB"),
        ("1" * 5000, "."),
    ],
)
def test_json_that_is_no_plan(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(ValueError, match=reason) as caught:
        read_json(tmp_path / "p.json", 4_000_000)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_json_of_the_greatest_depth_is_read(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"a": ' + "[" * 32 + "]" * 32 + "}")
    assert read_json(tmp_path / "p.json", 1000).keys() == {"a"}
