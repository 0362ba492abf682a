"""Clips decoded when asked for, and batches made ahead by worker processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest
import torch

from render_jobs.packing.pack import PackRequest, pack_into
from scenes.plan import ClipPlan
from simulator.clip import Clip
from simulator.clip_files import FolderFiles
from tests.simulator.support import sketch_clip, tank_plan
from tests.trainer.loader_makers import Refusing
from trainer.build import build_codec
from trainer.checkpoint import newest_checkpoint
from trainer.config import LoaderConfig, config_from_json, override
from trainer.data.batches import TrainingBatches
from trainer.data.loader import Loader
from trainer.data.mixture import single_source
from trainer.data.sources import open_dataset, scene_ids
from trainer.recipes import recipe
from trainer.train import SKIPPED, train

TINY = override(
    recipe("tiny"),
    {"model.dim": 16, "model.num_heads": 2, "model.num_layers": 1, "model.ffn_dim": 16, "batch_size": 2}
    | {"data.frame_stride": 2, "data.heldout_share": 0.0, "codec.patch": 32},
)
CLIP_MB = 12 * 32 * 32 * 3 * 2 / 2**20  # of a decoded fake clip: what is seen and what is uninterrupted


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Four clips: one drawn (which is slow), and copies of it in other colours."""
    clips = tmp_path_factory.mktemp("data") / "clips"
    small = ClipPlan(num_frames=24, fps=4.0, width_px=32, height_px=32)
    sketch_clip(tank_plan("lights_off", clip=small, outputs=("rgb", "twins")), clips / "clip-0")
    for i in (1, 2, 3):
        copy = shutil.copytree(clips / "clip-0", clips / f"clip-{i}")
        with h5py.File(copy / "arrays.h5", "r+") as file:
            for name in ("rgb", "twins/observed/rgb"):
                file[name][:] = file[name][:] // (i + 1)
        manifest = json.loads((copy / "manifest.json").read_text())
        manifest |= {"clip_id": copy.name, "scene_id": f"scene-{i}"}
        (copy / "manifest.json").write_text(json.dumps(manifest))
    return clips.parent


def damaged(dataset: Path, folder: Path, *, header: bool) -> Path:
    """A copy in which one clip's pictures (or its manifest) are broken; returns the data set."""
    shutil.copytree(dataset, folder)
    victim = sorted((folder / "clips").iterdir())[1] / ("manifest.json" if header else "arrays.h5")
    content = victim.read_bytes()
    middle = len(content) // 2
    victim.write_bytes(b"{" if header else content[:2048] + bytes(middle) + content[2048 + middle :])
    return folder


def maker(dataset: Path, **options) -> TrainingBatches:
    records = open_dataset(dataset, TINY.data.frame_stride, **options)
    return TrainingBatches(sources=single_source(records, TINY.data), codec=build_codec(TINY), config=TINY)


def test_few_decoded_clips_are_kept_and_all_are_the_same_again(dataset):
    plenty, scarce = (open_dataset(dataset, 2, memory_mb=mb) for mb in (100.0, 2.5 * CLIP_MB))
    assert len(plenty) == 4 and scene_ids(plenty) == [plenty[i].scene_id for i in range(4)]
    for i in (0, 1, 2, 3, 0, 3):
        assert (scarce[i].rgb == plenty[i].rgb).all()
    assert plenty[0] is plenty[0], "kept"
    assert scarce[1] is not scarce[1] or len(scarce._kept) <= 2
    assert len(scarce._kept) == 2 and scarce._kept.num_bytes <= 2.5 * CLIP_MB * 2**20
    assert len(plenty._kept) == 4, "control: with room, all stay"
    assert len(pickle.loads(pickle.dumps(plenty))._kept) == 0
    assert [r.clip_id for r in plenty[1:3]] == [plenty[1].clip_id, plenty[2].clip_id]
    assert plenty.headers[0].shape == plenty[0].rgb.shape[:3]


def test_a_clip_is_parsed_once_however_often_it_is_decoded(dataset, monkeypatch):
    opened = []
    original = Clip.open
    monkeypatch.setattr("trainer.data.sources.Clip.open", lambda path: opened.append(path) or original(path))
    records = open_dataset(dataset, 2, memory_mb=0.0)
    opened.clear()
    first, again = ([records[i] for i in range(4)] for _ in range(2))
    assert len(opened) == 4 and not len(records._kept) and len(records._facts) == 4
    for record, other in zip(first, again, strict=True):
        assert record is not other
        for name, value in vars(record).items():
            assert np.array_equal(value, getattr(other, name)) if isinstance(value, np.ndarray) else True, name
    monkeypatch.setattr("trainer.data.sources.FACTS_MB", 0.0)
    forgetful = open_dataset(dataset, 2, memory_mb=0.0)
    opened.clear()
    assert (forgetful[0].rgb == forgetful[0].rgb).all() and len(opened) == 2, "control: with no room for what is known"


def test_a_file_is_opened_once_for_all_arrays_of_a_reading(dataset, monkeypatch):
    opened = []
    original = FolderFiles.arrays
    monkeypatch.setattr(FolderFiles, "arrays", lambda files: opened.append(files.path) or original(files))
    records = open_dataset(dataset, 2, memory_mb=0.0)
    opened.clear()
    first, again = records[1], records[1]
    assert opened == [records.headers[1].path] * 2
    assert first.uninterrupted is not None and not np.array_equal(first.rgb, first.uninterrupted)
    assert np.array_equal(first.rgb, again.rgb) and np.array_equal(first.uninterrupted, again.uninterrupted)


def test_frames_that_a_clip_lacks_are_refused(dataset):
    clip = Clip.open(dataset / "clips" / "clip-0")
    assert (clip.rgb.frames([5, 2]) == clip.rgb[:][[5, 2]]).all()
    with pytest.raises(ValueError, match="rgb has 24 frames, not 25; render the clip again"):
        clip.rgb.frames([0, 24])


def test_clips_of_another_shape_are_refused_before_any_is_decoded(dataset, tmp_path):
    shutil.copytree(dataset, tmp_path / "data")
    odd = sorted((tmp_path / "data/clips").iterdir())[0]
    plan = json.loads((odd / "plan.json").read_text())
    plan["clip"]["num_frames"] = 20
    (odd / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(ValueError, match=r"is \(12, 32, 32\) \(frames, height, width\) and .* is \(10, 32, 32\)"):
        open_dataset(tmp_path / "data", 2)


@pytest.mark.parametrize("header", [True, False])
def test_an_unreadable_clip_is_named_and_stops_the_run_unless_it_may_be_skipped(dataset, tmp_path, header):
    broken = damaged(dataset, tmp_path / "data", header=header)
    name = sorted(path.name for path in (broken / "clips").iterdir())[1]
    with pytest.raises(ValueError, match=rf"clip .*{name}: cannot be read \(.*--skip-bad"):
        train(TINY, broken, tmp_path / "run", steps=3, progress=False)
    lenient = override(TINY, {"loader.skip_bad": True})
    assert train(lenient, broken, tmp_path / "lenient", steps=3, progress=False).step == 3
    listed = json.loads((tmp_path / "lenient" / SKIPPED).read_text())
    assert [Path(path).name for path in listed] == [name] and listed[str(broken / "clips" / name)]


def test_workers_give_the_same_batches_from_any_step(dataset):
    """And what a worker refuses is one line here."""
    alone = list(Loader(maker(dataset), start=0, stop=6, config=LoaderConfig()))
    assert not torch.equal(alone[2].noise_BFCYX[0, 0], alone[3].noise_BFCYX[0, 0])
    config = LoaderConfig(num_workers=2, prefetch=1)
    loader = Loader(Refusing(maker(dataset), at=6), start=2, stop=9, config=config)
    made = []
    with pytest.raises(ValueError, match=r"^clip x: cannot be read$"):
        for batch in loader:
            made.append(batch)
    assert loader.unreadable == {"y": "torn"}
    assert not multiprocessing.active_children()
    for ours, theirs in zip(alone[2:], made, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(vars(ours).values(), vars(theirs).values(), strict=True))


def test_a_run_goes_on_with_another_loader_and_store_bit_for_bit(dataset, tmp_path):
    """Clips kept in memory, then one worker that keeps none; the saved configuration is the latest."""
    other = override(
        TINY, {"loader.num_workers": 1, "loader.memory_mb": 0.0, "loader.prefetch": 1, "store.latents_gb": 1.0}
    )
    train(TINY, dataset, tmp_path / "whole", steps=4, progress=False)
    train(TINY, dataset, tmp_path / "parts", steps=2, progress=False)
    train(other, dataset, tmp_path / "parts", steps=4, resume=True, progress=False)
    whole, parts = (newest_checkpoint(tmp_path / name) for name in ("whole", "parts"))
    assert whole.name == parts.name == "step_00000004"
    for file in ("model", "ema", "optimizer"):
        assert (whole / f"{file}.safetensors").read_bytes() == (parts / f"{file}.safetensors").read_bytes()
    assert config_from_json(tmp_path / "parts" / "config.json") == other
    with pytest.raises(ValueError, match=r"there and now: optim\.lr: 0\.0006 and 0\.1\)"):
        train(override(other, {"optim.lr": 0.1}), dataset, tmp_path / "parts", steps=5, resume=True, progress=False)


ORPHANS = """
import sys, time
from tests.trainer.loader_makers import WhoMakes
from trainer.config import LoaderConfig
from trainer.data.loader import Loader
if __name__ == "__main__":
    batches = iter(Loader(WhoMakes(), start=0, stop=10**6, config=LoaderConfig(num_workers=1)))
    print(*sorted({next(batches) for _ in range(6)}), flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG")
def test_workers_die_with_a_parent_that_is_killed(tmp_path):
    (tmp_path / "orphans.py").write_text(ORPHANS)
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "orphans.py")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    assert parent.stdout is not None
    try:
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(workers) == 1 and all(w.is_running() for w in workers)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        gone, left = psutil.wait_procs(workers, timeout=3.0)  # PyTorch's own watch looks every 5 s
        assert len(gone) == 1 and not left
    finally:
        parent.kill()
        parent.stdout.close()


def test_a_pack_reads_as_its_folder(dataset, tmp_path):
    clip = dataset / "clips" / "clip-0"  # folders of a data set that is packed are named by their ids
    shutil.copytree(clip, tmp_path / "data" / "clips" / json.loads((clip / "manifest.json").read_text())["clip_id"])
    pack_into(PackRequest(source=tmp_path / "data", out=tmp_path / "pack", shard_bytes=10**7))
    packed, plain = open_dataset(tmp_path / "pack", 2), open_dataset(tmp_path / "data", 2)
    assert packed.headers[0].path != plain.headers[0].path and packed.headers[0].shape == plain.headers[0].shape
    assert (packed[0].rgb == plain[0].rgb).all() and packed[0].clip_id == plain[0].clip_id
