"""What models are given: everything up to the last plain sight, and nothing that depends on what comes after."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from simulator.clip import Clip
from tests.trainer.bench.fake_suite import SUITE, name_plan
from tests.trainer.probe.fake_clips import NUM_FRAMES, T_H, T_R, write_fake_clip
from trainer.bench.decode import open_video
from trainer.bench.export import export_tasks
from trainer.bench.tasks import BenchSuite, Truth, find_truth

GLASS = "glass-lights_off"


@pytest.fixture(scope="module")
def exported(truths: list[Truth], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export") / "tasks"
    assert export_tasks(SUITE, truths, out) == 2
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in leaves(value)] + list(tree)
    return [leaf for value in tree for leaf in leaves(value)] if isinstance(tree, list) else [tree]


def test_a_task_holds_what_was_seen(exported: Path, truths: list[Truth]) -> None:
    clip, task = truths[0].clip, exported / "tasks" / GLASS
    pictures = [np.asarray(Image.open(p)) for p in sorted((task / "frames").iterdir())]
    assert len(pictures) == T_H + 1 and np.array_equal(np.stack(pictures), clip.rgb[: T_H + 1])
    assert np.array_equal(np.asarray(Image.open(task / "first.png")), clip.rgb[0])
    with open_video(task / "prefix.mp4", 100.0) as (facts, frames):
        shown = [np.asarray(f.resize((64, 64), Image.Resampling.BOX), dtype=float) for f in frames]
    assert facts.rate == clip.fps and len(shown) == T_H + 1
    assert np.abs(np.stack(shown) - clip.rgb[: T_H + 1]).mean() < 4
    facts_json = json.loads((task / "task.json").read_text())
    assert facts_json["num_given_frames"] == T_H + 1 and facts_json["num_frames"] == NUM_FRAMES
    assert facts_json["interruption"]["kind"] == "lights_off" and facts_json["interruption"]["seen_again_frame"] == T_R
    assert (task / "prompt.txt").read_text() == clip.prompt + "\n"
    cameras = json.loads((task / "cameras.json").read_text())
    assert np.array_equal(cameras["camera_from_world"], clip.cameras.camera_from_world)
    index = json.loads((exported / "tasks.json").read_text())
    assert index["tasks"] == {t.task.id: f"tasks/{t.task.id}" for t in truths} and index["num_suite_tasks"] == 3
    assert "exactly one JSON" in (exported / "README.md").read_text()


def test_no_answer_is_in_it(exported: Path, truths: list[Truth]) -> None:
    """Every file is known by kind; no text holds a later state or a parameter, no picture is one after t_h."""
    later = {f"{v:.6g}" for t in truths for v in t.clip.series("thing", "level_m")[T_H + 1 :] if v not in (0.0, 1.0)}
    clock = {str(i / 8) for i in range(NUM_FRAMES + 1)}
    truth_after = [
        truths[i].clip.twin(n).rgb[f] for i in (0, 1) for n in ("observed", "paused") for f in (T_R, T_R + 5)
    ]
    for name, content in files(exported).items():
        assert re.fullmatch(
            r"README\.md|tasks\.json|tasks/[\w-]+/(task\.json|prompt\.txt|cameras\.json|first\.png|prefix\.mp4|frames/\d{5}\.png)",
            name,
        ), name
        if name.endswith(".json"):
            found = {f"{leaf:.6g}" for leaf in leaves(json.loads(content)) if isinstance(leaf, float)}
            assert not found & (later - clock), name
            words = {str(leaf) for leaf in leaves(json.loads(content))}
            assert not words & {"params", "start_s", "seed", "plan_id", "clip_id", "scene_id", "states", "value"}
        if name.endswith(".png"):
            picture = np.asarray(Image.open(exported / name))
            assert not any(np.array_equal(picture, other) for other in truth_after)


def test_nothing_depends_on_what_comes_later(truths: list[Truth], exported: Path, tmp_path: Path) -> None:
    """Another outcome, other twins, another sweep, other states: the export is the same, byte for byte."""
    source = truths[0].clip.path
    for change in ("later", "earlier"):
        clip_dir = tmp_path / change / "clips" / "glass"
        shutil.copytree(source, clip_dir)
        (clip_dir / "states.parquet").unlink()
        (clip_dir / "twins.parquet").unlink()
        with h5py.File(clip_dir / "arrays.h5", "a") as file:
            for group in ("twins", "sweeps", "calibration"):
                del file[group]
            start = T_H + 1 if change == "later" else T_H
            file["rgb"][start:] = 255 - file["rgb"][start:]
        manifest = json.loads((clip_dir / "manifest.json").read_text())
        (clip_dir / "manifest.json").write_text(json.dumps(manifest | {"twins": [], "variables": {"thing": {}}}))
        out = tmp_path / change / "out"
        export_tasks(SUITE, find_truth(SUITE, tmp_path / change), out)
        same = files(out / "tasks" / GLASS) == files(exported / "tasks" / GLASS)
        assert same == (change == "later"), change


def test_export_resumes_and_never_mixes(truths: list[Truth], exported: Path, tmp_path: Path) -> None:
    out = tmp_path / "tasks"
    shutil.copytree(exported, out)
    (out / "tasks.json").unlink()
    shutil.rmtree(out / "tasks" / GLASS)
    (out / "tasks" / f".{GLASS}.partial").mkdir()
    (out / "tasks" / f".{GLASS}.partial" / "torn").touch()
    assert export_tasks(SUITE, truths, out) == 1
    assert files(out) == files(exported)
    facts = json.loads((out / "tasks" / GLASS / "task.json").read_text())
    (out / "tasks" / GLASS / "task.json").write_text(json.dumps(facts | {"clip": "of another renderer"}))
    assert export_tasks(SUITE, truths, out) == 1 and files(out) == files(exported), "written anew from this truth"
    other = BenchSuite(name="fake", digest="another", tasks=SUITE.tasks, clip_ids=SUITE.clip_ids)
    with pytest.raises(ValueError, match="tasks of another suite"):
        export_tasks(other, truths, out)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(ValueError, match="is not empty"):
        export_tasks(SUITE, truths, tmp_path / "full")


def test_truth_is_found_by_its_name_and_known_by_its_id(truth_data: Path, tmp_path: Path) -> None:
    found = find_truth(SUITE, truth_data)
    assert [t.task.id for t in found] == [GLASS, "candle-lights_off"] and all(t.official for t in found)
    sketch = write_fake_clip(tmp_path / "data" / "clips" / "a", "glass", 2)
    with pytest.raises(ValueError, match="no clip of suite fake"):
        find_truth(SUITE, tmp_path / "data")
    name_plan(sketch, SUITE.clip_name(GLASS))
    assert [t.official for t in find_truth(SUITE, tmp_path / "data")] == [False]
    both = [Clip.open(sketch), found[0].clip]
    assert all(find_truth(SUITE, tmp_path, clips)[0].official for clips in (both, both[::-1]))
