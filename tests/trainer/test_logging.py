"""What a run writes while it goes on."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from scenes.plan import ClipPlan
from simulator.clip import Clip
from tests.simulator.support import sketch_clip, tank_plan
from tests.trainer.test_loader import damaged
from tests.trainer.test_training import CLIPS, SMALL
from trainer.config import override
from trainer.data.mixture import single_source
from trainer.data.sources import open_dataset
from trainer.evaluate import HeldoutSet
from trainer.rollout import Rollout
from trainer.train import fit
from trainer.training.devices import Devices
from trainer.training.learner import Learner
from trainer.training.metrics import MetricsLog

SMALL_SHOWN = override(SMALL, {"logging.grid_clips": 1, "data.frame_stride": 1})


def test_a_run_logs_curves_and_shows_the_truth_above_what_was_made(tmp_path):
    changes = {"logging.tensorboard": True, "logging.grid_clips": 2, "logging.grid_steps": 1, "steps": 4}
    config = override(SMALL, changes)
    for stop_at in (2, 4):
        sources = single_source(CLIPS[2:], SMALL.data)
        fit(config, sources, CLIPS[:2], tmp_path, stop_at=stop_at, resume=True, progress=False)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert lines[-1].keys() >= {"loss", "grad_norm", "lr", "heldout_ratio", "heldout_mae", "frozen_mae"}
    grid = np.asarray(Image.open(tmp_path / "samples" / "step_00000004.png"))
    side = 64
    assert grid.shape == (2 * 2 * side, 8 * side, 3)  # two clips, truth and continuation, eight frames
    clip = CLIPS[0]
    first = int(clip.hidden.nonzero()[0][-1]) + 1
    assert np.array_equal(grid[:side:2, :side:2], clip.rgb[first])
    assert not np.array_equal(grid[side : 2 * side : 2, :side:2], clip.rgb[first])
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in board.Scalars("loss")] == [2, 4]
    assert board.Scalars("heldout_ratio")[-1].value == pytest.approx(lines[-1]["heldout_ratio"])
    assert [event.step for event in board.Images("samples")] == [2, 4]


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="wandb is installed here")
def test_wandb_without_its_package_is_refused(tmp_path):
    config = override(SMALL, {"logging.wandb": True})
    with pytest.raises(ValueError, match=r"logging\.wandb: the package wandb is not installed"):
        fit(config, single_source(CLIPS, SMALL.data), [], tmp_path, stop_at=1, progress=False)
    assert not (tmp_path / "config.json").exists(), "refused before a run folder is made"


def test_wandb_runs_of_one_name_are_two_and_a_resumed_one_is_itself(tmp_path, monkeypatch):
    started = []
    fake = SimpleNamespace(init=lambda **said: started.append(said) or SimpleNamespace(finish=lambda: None))
    monkeypatch.setitem(sys.modules, "wandb", fake)
    config = override(SMALL, {"logging.wandb": True})
    for folder in ("a", "b", "a"):
        (tmp_path / folder / "run").mkdir(parents=True, exist_ok=True)
        with MetricsLog(tmp_path / folder / "run", config, 0):
            pass
    first, other, again = (said["id"] for said in started)
    assert first == again != other and {said["name"] for said in started} == {"run"}


def test_recovery_is_read_from_the_sweep_while_training_goes_on(tmp_path, monkeypatch):
    small = ClipPlan(num_frames=24, fps=4.0, width_px=32, height_px=32)
    sketch_clip(tank_plan("lights_off", clip=small, outputs=("rgb", "twins", "sweep")), tmp_path / "clips" / "a")
    records = open_dataset(tmp_path, 1, memory_mb=100)
    heldout, record = HeldoutSet(records, SMALL_SHOWN), records[0]
    generated = np.arange(record.num_frames) > int(record.hidden.nonzero()[0][-1])
    stood_still = Clip.open(records.headers[0].path).twin("paused").rgb[:]
    for rgb, expected in ((record.rgb, 1.0), (np.asarray(stood_still), 0.0)):
        made = Rollout(rgb=rgb, frames=record.frames, generated=generated)
        monkeypatch.setattr("trainer.evaluate.rollout", lambda *_, window, made=made: made if window == 0 else None)
        scores, _ = heldout.samples(Learner(SMALL_SHOWN, Devices(device=torch.device("cpu"))))
        assert scores["heldout_coverage"] == 1.0
        assert scores["heldout_clock_ratio"] == pytest.approx(expected, abs=0.1)
        assert scores["heldout_recovery"] == pytest.approx(expected, abs=0.1)
    # a clip whose pictures cannot be read is replaced by another one, together with its sweep
    copy = shutil.copytree(tmp_path / "clips" / "a", tmp_path / "clips" / "b")
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"clip_id": "b"}))
    records = open_dataset(damaged(tmp_path, tmp_path / "data", header=False), 1, skip_bad=True)
    subjects = HeldoutSet(records, override(SMALL_SHOWN, {"logging.grid_clips": 2}))._subjects
    assert len(records.unreadable) == 1 and len(records) == 2
    assert [subject.clip.clip_id for subject in subjects.values()] == [Clip.open(tmp_path / "clips" / "a").clip_id] * 2
