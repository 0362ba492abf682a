"""Written, read, verified; and what verification says about clips that were tampered with."""

import json

import h5py
import numpy as np
import pytest

from simulator import commands
from simulator.clip import Clip, list_clips
from simulator.hiding import largest_mean_change
from simulator.verify import verify_clip
from tests.simulator.support import sketch_clip, tank_plan


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory):
    return sketch_clip(tank_plan(), tmp_path_factory.mktemp("data") / "clips" / "one")


@pytest.fixture
def copy(clip_path, tmp_path):
    import shutil

    return shutil.copytree(clip_path, tmp_path / "clip")


def test_a_clip_reads_back(clip_path):
    clip = Clip.open(clip_path)
    assert clip.rgb.shape == (48, 64, 64, 3) and clip.rgb[3:5].dtype == np.uint8
    assert clip.depth_m.shape == clip.segmentation.shape == (48, 64, 64)
    assert clip.twins == ("observed", "paused") and clip.twin("paused").rgb.shape == clip.rgb.shape
    assert clip.sweep is not None and clip.sweep.frame == clip.windows[0].t_r
    assert len(clip.sweep.rgb) == len(clip.sweep.segmentation) == len(clip.sweep.event_time_s)
    assert set(clip.calibration) <= {"half_speed", "reversed"} and "half_speed" in clip.calibration
    level, paused = clip.series("glass", "level"), clip.series("glass", "level", twin="paused")
    window = clip.windows[0]
    assert (np.diff(level) > 0).all() and (paused[window.t_h : window.t_r + 1] == level[window.t_h]).all()
    assert list_clips(clip_path.parents[1]) == [clip_path]


def test_a_sound_clip_has_no_findings(clip_path):
    assert verify_clip(clip_path, deep=True, rendered=False) == []


def test_twins_equal_the_clip_bit_for_bit_before_the_window(clip_path):
    clip = Clip.open(clip_path)
    t_h = clip.windows[0].t_h
    assert np.array_equal(clip.rgb[: t_h + 1], clip.twin("paused").rgb[: t_h + 1])
    assert not np.array_equal(clip.rgb[t_h + 1 :], clip.twin("paused").rgb[t_h + 1 :])


def test_a_changed_picture_is_found(copy):
    with h5py.File(copy / "arrays.h5", "r+") as file:
        file["rgb"][20, 0, 0, 0] ^= 1
    findings = {f.check for f in verify_clip(copy)}
    assert {"files", "arrays"} <= findings


def test_a_hidden_frame_that_gives_the_state_away_is_found(copy):
    frame = Clip.open(copy).windows[0].hidden_frames[3]
    with h5py.File(copy / "arrays.h5", "r+") as file:
        file["rgb"][frame, 10:13, 10:13, 0] ^= 2
    assert any(
        f.check == "hidden" and f"frame {frame}" in f.message for f in verify_clip(copy, deep=True, rendered=False)
    )


def test_a_wrong_state_is_found_by_measuring(copy):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(copy / "states.parquet")
    values = table["value"].to_numpy() + np.where(table["variable"].to_numpy(zero_copy_only=False) == "level", 0.02, 0)
    pq.write_table(
        table.set_column(table.schema.get_field_index("value"), "value", pa.array(values)), copy / "states.parquet"
    )
    assert any(f.check == "readouts" for f in verify_clip(copy, deep=True, rendered=False))


def test_missing_files_and_other_schemas_are_one_line(copy):
    (copy / "video.mp4").unlink()
    assert [f.check for f in verify_clip(copy)] == ["files"]
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 99}))
    assert "schema_version 99" in verify_clip(copy)[0].message
    (copy / "manifest.json").write_text("{torn")
    assert "manifest.json" in verify_clip(copy)[0].message


def test_mean_change_of_one_patch():
    first = np.zeros((16, 16, 3), dtype=np.uint8)
    second = first.copy()
    second[5:8, 5:8] = 9
    assert largest_mean_change(first, second) == pytest.approx(9)
    second[:] = 0
    second[4, 4] = 9
    assert largest_mean_change(first, second) == pytest.approx(1)


def test_commands_say_what_a_clip_shows(clip_path):
    text = commands.info(clip_path)
    assert "tank_filling" in text and "look_away of glass" in text
    table = commands.states(clip_path, at_s=3.0)
    assert "level [m]" in table and "out_of_view" in table and len(table.splitlines()) == 3
    with pytest.raises(ValueError, match="no event 'mug'"):
        commands.states(clip_path, event="mug")
    with pytest.raises(ValueError, match="outside the clip"):
        commands.states(clip_path, at_s=6.0)
    with pytest.raises(ValueError, match="no clip here"):
        commands.clip_paths([clip_path.parent / "nothing"])
