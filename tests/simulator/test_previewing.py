"""Contact sheets, films, and what is said about them."""

import dataclasses
import subprocess

import imageio.v2 as imageio
import imageio_ffmpeg
import numpy as np
import pytest

from scenes.commands import example_specs
from scenes.sampling import sample_plans
from scenes.showing import showing_spec
from simulator.from_above import footprints, heading
from simulator.preview import require_preview
from simulator.previewing import preview
from simulator.stage import Stage
from simulator.timeline import truth_shots
from tests.simulator.support import tank_plan

try:
    require_preview()
except ValueError as missing:
    pytest.skip(str(missing), allow_module_level=True)

SPEC = next(path for path in example_specs() if path.stem == "tank_filling")


def _short(tmp_path, **changes):
    """A plan file of few frames: long enough for a sheet, short enough for a test."""
    plan = tank_plan(**changes)
    path = tmp_path / "tank.json"
    path.write_text(dataclasses.replace(plan, clip=dataclasses.replace(plan.clip, num_frames=12, fps=2.0)).to_json())
    return path


def test_a_sheet_of_a_spec(tmp_path):
    said = preview(SPEC, 1, tmp_path / "sheet.png")
    picture = imageio.imread(tmp_path / "sheet.png")
    assert picture.shape[0] > 800 and picture.shape[1] > 1400
    assert "hidden" in said and "last seen at frame" in said and "not as planned" not in said
    whitespace = (picture[..., :3] > 250).all(axis=-1).mean()
    assert 0.1 < whitespace < 0.7  # pictures are there, and so is paper


def test_a_film_has_the_clip_s_frames_and_moves(tmp_path):
    preview(_short(tmp_path), 0, tmp_path / "film.mp4")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "quiet", "-i", tmp_path / "film.mp4", "-f", "rawvideo"]
    raw = subprocess.run([*command, "-pix_fmt", "rgb24", "-"], capture_output=True, check=True).stdout
    frames = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 720, 1280, 3)
    assert len(frames) == 12
    change = np.abs(frames[0].astype(int) - frames[6]).max(axis=-1) > 40
    assert change[:, : change.shape[1] // 2].any() and change[:, change.shape[1] // 2 :].any()  # picture and side


def test_a_plan_that_does_not_hide_is_shown_and_said(tmp_path):
    said = preview(_short(tmp_path, turn_rad=0.05), 0, tmp_path / "peek.png")
    assert "not as planned" in said and "carrier pixels are seen" in said


@pytest.mark.parametrize(
    ("out", "index", "reason"),
    [("x.gif", 0, "neither a picture"), ("nowhere/x.png", 0, "folder does not exist"), ("x.png", -1, "0 or more")],
)
def test_refusals_name_the_option(tmp_path, out, index, reason):
    with pytest.raises(ValueError, match=reason) as refusal:
        preview(SPEC, index, tmp_path / out)
    assert str(refusal.value).startswith("--")


def test_footprints_stand_where_the_things_are():
    plan = sample_plans(showing_spec("tank_filling", 64, "occluder"), 1)[0]
    stage, shots = Stage.from_plan(plan), truth_shots(plan)
    prints = footprints(stage, shots[0])
    place = np.asarray(plan.events[0].location_m[:2])
    low, high = prints["event/shown"].outline_m.min(axis=0), prints["event/shown"].outline_m.max(axis=0)
    assert (low < place).all() and (place < high).all()
    assert not any(owner.startswith("occluder/") for owner in prints)
    hidden = shots[len(shots) // 2]
    assert hidden.occluders and any(owner.startswith("occluder/") for owner in footprints(stage, hidden))
    towards = np.asarray(plan.camera.look_at_m[:2]) - shots[0].world_from_camera[:2, 3]
    assert heading(shots[0]) == pytest.approx(np.arctan2(towards[1], towards[0]))
