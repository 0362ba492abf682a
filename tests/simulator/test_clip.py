"""Written, read, verified; and what verification says about clips that were tampered with."""

import dataclasses
import json

import h5py
import numpy as np
import pytest

from scenes.spec import OUTPUTS
from simulator import commands
from simulator.clip import INTERRUPTION_CLAUSES, Clip, event_prompt, list_clips
from simulator.hiding import largest_mean_change
from simulator.verify import verify_clip
from tests.simulator.support import sketch_clip, tank_plan


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory):
    return sketch_clip(tank_plan(outputs=OUTPUTS.available), tmp_path_factory.mktemp("data") / "clips" / "one")


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
    events = event_prompt(clip.prompt)
    assert events.endswith(".") and clip.prompt == f"{events} {INTERRUPTION_CLAUSES['look_away']}"
    assert event_prompt(" ".join([events, *INTERRUPTION_CLAUSES.values()])) == event_prompt(events) == events
    assert clip.event_facts == {"glass": {"family": "flow", "stevo_category": "continuous_process", "held_out": False}}
    assert clip.event_time_s(8, "glass") == clip.event_time_s(8) == 1.0 - clip.plan["events"][0]["start_s"]


def test_truth_passes_read_back_lazily(clip_path):
    clip = Clip.open(clip_path)
    assert clip.normals[3].shape == (64, 64, 3) and clip.flow_px[3:5].shape == (2, 64, 64, 2)
    assert np.isnan(clip.flow_px[-1]).all() and np.isfinite(clip.flow_px[0]).all()
    glass = [i for i, facts in clip.instances.items() if facts["event"] == "glass"]
    silhouette = clip.amodal["glass"][5]
    assert silhouette.dtype == np.bool_ and (silhouette >= np.isin(clip.segmentation[5], glass)).all()
    assert clip.tracks.uv_px.shape == (48, 256, 2) and set(clip.tracks.instance) <= set(clip.instances)
    hidden = list(clip.windows[0].hidden_frames)
    assert not clip.tracks.visible[hidden][:, np.isin(clip.tracks.instance, glass)].any()
    boxes = clip.boxes
    water = (boxes["kind"] == "part") & (boxes["entity"] == "water")
    high = boxes["max_z_m"][water] - boxes["min_z_m"][water]
    level = clip.series("glass", "level")
    np.testing.assert_allclose(np.diff(high), np.diff(level), atol=1e-9)  # the box grows as the water does
    assert (boxes["visible_px"][(boxes["entity"] == "glass") & np.isin(boxes["frame"], hidden)] == 0).all()


def test_an_instance_is_the_same_part_in_every_frame_and_twin(clip_path):
    clip = Clip.open(clip_path)
    assert "same id in every frame" in clip.manifest["instance_ids"]
    names = [facts["name"] for facts in clip.instances.values() if facts["event"] == "glass"]
    assert len(names) == len(set(names))
    water = next(i for i, facts in clip.instances.items() if facts["name"] == "water")
    for pictures in (clip, clip.twin("observed"), clip.twin("paused")):
        seen = np.flatnonzero((pictures.segmentation[:] == water).any(axis=(1, 2)))
        assert seen[0] <= 2 and seen[-1] == 47  # the water, before and after the window
        for frame in (10, 47):
            rows, columns = np.nonzero(pictures.segmentation[frame] == water)
            assert abs(columns.mean() - 32) < 6 and rows.mean() > 24


def test_passes_that_were_not_asked_for_are_refused_by_name(tmp_path):
    short = dataclasses.replace(tank_plan().clip, num_frames=2)
    plan = tank_plan(outputs=("rgb", "depth", "segmentation"), clip=short, interruptions=())
    clip = Clip.open(sketch_clip(plan, tmp_path / "clip"))
    assert clip.amodal == {}
    for name in ("tracks", "boxes"):
        with pytest.raises(ValueError, match=f"no {name}; render the clip with `{name}` among its outputs"):
            getattr(clip, name)


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
