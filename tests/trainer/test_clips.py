"""From published clip directories to records and a training run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from scenes.plan import ClipPlan
from simulator.clip import Clip, list_clips
from tests.simulator.support import sketch_clip, tank_plan
from trainer.build import build_codec
from trainer.checkpoint import load_trained
from trainer.config import override
from trainer.data.clips import read_clip
from trainer.data.examples import return_example
from trainer.data.sources import open_dataset
from trainer.graph.nodes import Role
from trainer.recipes import recipe
from trainer.rollout import RolloutConfig, rollout
from trainer.seen import read_seen
from trainer.train import train


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    small = ClipPlan(num_frames=24, fps=4.0, width_px=32, height_px=32)
    for kind in ("look_away", "lights_off"):
        sketch_clip(tank_plan(kind, clip=small, outputs=("rgb", "twins")), folder / "clips" / kind)
    return folder


def test_a_record_holds_the_clip_in_phase_with_its_return(dataset):
    for stride in (1, 2, 3):
        for kind in ("look_away", "lights_off"):
            clip = Clip.open(dataset / "clips" / kind)
            record, window = read_clip(clip, stride), clip.windows[0]
            assert record.return_index is not None and record.frames[record.return_index] == window.t_r
            assert record.num_frames == clip.num_frames // stride and record.seconds_per_frame == stride / clip.fps
            assert set(record.frames[~record.plain]) == set(range(window.t_h + 1, window.t_r)) & set(record.frames)
            assert set(record.frames[record.hidden]) == set(window.hidden_frames) & set(record.frames)
            assert np.array_equal(record.rgb, clip.rgb[:][record.frames])
            observed = clip.twin("observed")
            masks = observed.segmentation[:]
            region = np.isin(masks, clip.carrier_ids("glass")).any(axis=0)
            assert np.array_equal(record.region, region) and 0.0 < region.mean() < 0.5
            if record.uninterrupted is not None:
                assert np.array_equal(record.uninterrupted, observed.rgb[:][record.frames])
            assert record.visibility["glass"][record.return_index] >= 0.9
            assert not record.visibility["glass"][record.hidden].any()
            turned = np.abs(record.cameras - record.cameras[0]).max() > 0.1
            assert turned == (kind == "look_away"), "only a look-away turns the camera"
            assert (record.uninterrupted is None) == (kind == "look_away"), "its twin has other cameras"


def test_dropped_frames_are_a_gap_in_the_history(tmp_path):
    small = ClipPlan(num_frames=24, fps=4.0, width_px=32, height_px=32)
    clip = Clip.open(sketch_clip(tank_plan("frame_drop", clip=small, outputs=("rgb", "twins")), tmp_path / "clip"))
    record, codec = read_clip(clip, 2), build_codec(recipe("tiny"))
    gone = set(np.flatnonzero(np.isin(record.frames, clip.dropped_frames)))
    assert gone and set(np.flatnonzero(record.hidden)) == gone
    graph = return_example(record, codec).graph
    given = [graph.nodes[i] for i in graph.present()]
    assert gone.isdisjoint({node.frame for node in given if node.role is not Role.TARGET})
    before, after = given[-2], given[-1]
    assert after.role is Role.TARGET and after.time - before.time == record.return_index - before.frame
    bright = return_example(dataclasses.replace(record, dropped=np.zeros_like(record.dropped)), codec).graph
    assert gone <= {bright.nodes[i].frame for i in bright.present()}


def test_a_folder_without_clips_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no published clips"):
        open_dataset(tmp_path, 2)


def test_clips_train_resume_and_roll_out(dataset, tmp_path):
    config = override(
        recipe("tiny"),
        {"model.dim": 48, "model.num_heads": 2, "model.num_layers": 1, "data.frame_stride": 2, "batch_size": 2}
        | {"data.heldout_share": 0.0},
    )
    options = {"resume": True, "progress": False}
    assert train(config, dataset, tmp_path / "run", steps=1, **options).step == 1
    assert train(config, dataset, tmp_path / "run", steps=2, **options).step == 2
    assert train(config, dataset, tmp_path / "run", minutes=0.0, **options).step == 2
    with pytest.raises(ValueError, match="clips are held out"):
        train(override(config, {"data.heldout_share": 1.0}), dataset, tmp_path / "other", steps=1)
    with pytest.raises(ValueError, match="does not divide"):
        train(override(config, {"codec.patch": 15}), dataset, tmp_path / "third", steps=1)
    seen = read_seen(tmp_path / "run")
    assert seen.scenes == {Clip.open(path).scene_id for path in list_clips(dataset)}
    assert seen.compositions == {("tank_filling",)} and seen.interruptions == {"look_away", "lights_off"}
    clip = Clip.open(dataset / "clips" / "look_away")
    made = rollout(load_trained(tmp_path / "run"), clip, RolloutConfig(steps=1), num_frames=2)
    assert made.generated.sum() == 2 and made.rgb.shape == (12, 32, 32, 3)


def test_a_clip_that_never_returns_is_told_from_its_header(dataset):
    """Of 24 frames every 23rd is one frame, that of the return: nothing is hidden before it."""
    assert [header.returns for header in open_dataset(dataset, 2).headers] == [True, True]
    assert [header.returns for header in open_dataset(dataset, 23).headers] == [False, False]


def test_a_heldout_data_set_must_be_of_other_scenes(dataset, tmp_path):
    with pytest.raises(ValueError, match="hold out other scenes"):
        train(recipe("tiny"), dataset, tmp_path / "same", heldout_dir=dataset, steps=1, progress=False)


def test_every_window_has_its_return(dataset):
    clip = Clip.open(dataset / "clips" / "lights_off")
    window = clip.windows[0]
    early = dataclasses.replace(window, t_h=2, t_r=7, hidden_frames=(4, 5))
    clip.windows = (window, early)  # in whatever order they are written
    record = read_clip(clip, 1)
    assert record.returns == (7, window.t_r) and record.return_index == 7
    assert set(np.flatnonzero(record.hidden)) == {4, 5, *window.hidden_frames}
    assert read_clip(clip, 2).frames[list(read_clip(clip, 2).returns)].tolist() == [
        7,
        window.t_r + (window.t_r + 1) % 2,
    ]
