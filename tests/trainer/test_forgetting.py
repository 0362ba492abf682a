"""Before and after fine-tuning: paired to the bit, zero for the same model, able to see one that is worse."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from scipy.stats import wasserstein_distance

from benchmarks.toy_bar import bar_clip
from scenes.plan import ClipPlan
from tests.simulator.support import sketch_clip, tank_plan
from tests.trainer.test_training import SMALL, small_trained
from trainer.checkpoint import TrainedModel, load_trained
from trainer.config import override
from trainer.forgetting import Options, forgetting, patches
from trainer.forgetting.loss import LEVELS, TASKS, plain, plain_losses, task_graph
from trainer.forgetting.page import Exhibit, write_page
from trainer.forgetting.patches import motion_distance, sliced_wasserstein, texture_distance
from trainer.forgetting.quality import quality, standing_still
from trainer.forgetting.result import LOSSES, ClipFigures, ForgettingResult, named_losses
from trainer.probe import corruptions
from trainer.train import train

OUTPUT = "transformer.proj_out.weight"
CLIP = dataclasses.replace(bar_clip(0), hidden=np.zeros(18, dtype=bool), rgb=bar_clip(0).uninterrupted, returns=())


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    return small_trained()


def worse(trained: TrainedModel, sigma: float = 0.05) -> TrainedModel:
    """The same model with noise on the weights of its output."""
    model = small_trained().model
    model.load_state_dict(trained.model.state_dict())
    generator = torch.Generator().manual_seed(0)
    weight = model.transformer.proj_out.weight
    weight.add_(sigma * torch.randn(weight.shape, generator=generator))
    return dataclasses.replace(trained, model=model)


# ---- loss


def test_the_same_model_has_the_same_loss_to_the_bit(trained: TrainedModel) -> None:
    losses = plain_losses([trained, trained], CLIP, draws=2, seed=0)
    assert losses.shape == (2, len(TASKS), len(LEVELS)) and np.array_equal(losses[0], losses[1])
    assert np.array_equal(losses[:1], plain_losses([trained], CLIP, draws=2, seed=0)), "whoever stands beside it"
    assert not np.array_equal(losses[:1], plain_losses([trained], CLIP, draws=2, seed=1))


def test_noise_is_paired(trained: TrainedModel) -> None:
    """A slightly changed model differs by far less on the same noise than the noise itself makes it differ."""
    near = worse(trained, sigma=1e-4)
    runs = np.stack([plain_losses([trained, near], CLIP, draws=1, seed=seed)[:, 0, -1] for seed in range(6)])
    assert (runs[:, 1] - runs[:, 0]).std() < 0.02 * runs[:, 0].std()


def test_a_model_that_knows_the_answer_has_no_loss(trained: TrainedModel) -> None:
    """Analytic answers: predicting the clean latents themselves, and zeros, whose loss is their mean square."""
    clean = trained.codec.encode(torch.from_numpy(CLIP.rgb).permute(0, 3, 1, 2) / 127.5 - 1.0, [(0, 18)])

    def predicts(latents_FCYX: torch.Tensor) -> TrainedModel:
        class Answer(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.unused = torch.nn.Parameter(torch.zeros(1))

            def forward(self, noisy: torch.Tensor, **given: torch.Tensor) -> torch.Tensor:
                return latents_FCYX[(given["times_BF"][0]).long()][None]

        return dataclasses.replace(trained, model=Answer())  # type: ignore[arg-type]

    losses = plain_losses([predicts(clean), predicts(torch.zeros_like(clean))], CLIP, draws=1, seed=0)
    assert np.allclose(losses[0], 0.0, atol=1e-6)
    assert np.allclose(losses[1], clean[1:].square().mean().item(), rtol=1e-5)


def test_what_each_task_may_see(trained: TrainedModel) -> None:
    graph = task_graph(CLIP, trained.codec, "next frame")
    count = CLIP.num_frames
    sees = graph.permission()
    assert sees.shape == (2 * count - 1, 2 * count - 1)
    for target in range(1, count):  # target t sees the true frames before it and itself
        assert np.flatnonzero(sees[count + target - 1]).tolist() == [*range(target), count + target - 1]
    sees = task_graph(CLIP, trained.codec, "image to video").permission()
    assert sees[1:].all() and np.flatnonzero(sees[0]).tolist() == [0]


def test_plain_clips_show_no_interruption() -> None:
    record = bar_clip(0)
    shown = plain(record)
    assert shown is not None and record.uninterrupted is not None
    assert record.hidden.any() and not shown.hidden.any() and np.array_equal(shown.rgb, record.uninterrupted)
    assert plain(dataclasses.replace(record, uninterrupted=None)) is None


# ---- distances


def test_sliced_wasserstein_of_one_direction_is_the_distance_in_it() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(200, 5)), rng.normal(0.3, 2.0, size=(200, 5))
    directions = np.eye(5)
    expected = np.mean([wasserstein_distance(a[:, i], b[:, i]) for i in range(5)])
    assert sliced_wasserstein(a, b, directions) == pytest.approx(expected)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), offset=st.floats(-0.5, 0.5))
def test_sliced_wasserstein_is_a_distance(seed: int, offset: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 50, 4))
    directions = rng.normal(size=(4, 3))
    assert sliced_wasserstein(a, a, directions) == 0.0
    assert sliced_wasserstein(a, a[::-1], directions) == pytest.approx(0.0, abs=1e-12), "order does not matter"
    assert sliced_wasserstein(a, b, directions) == sliced_wasserstein(b, a, directions) > 0.0
    moved = sliced_wasserstein(a, a + offset, directions)
    assert moved == pytest.approx(np.abs(offset * directions.sum(0)).mean(), abs=1e-12)


def test_distances_grow_with_damage_and_see_what_they_should() -> None:
    truth = CLIP.rgb
    assert texture_distance(truth, truth) == motion_distance(truth, truth) == 0.0
    soft = np.stack([corruptions.blur(frame) for frame in truth])
    softer = np.stack([corruptions.blur(corruptions.blur(frame)) for frame in truth])
    assert 0.0 < texture_distance(soft, truth) < texture_distance(softer, truth)
    half = truth[np.arange(len(truth)) // 2]
    still = standing_still(truth)
    assert 0.0 < motion_distance(half, truth) < motion_distance(still, truth)
    short = truth[:4]  # all its patches are taken, not a draw of them
    assert texture_distance(short[::-1], short) == pytest.approx(0.0, abs=1e-9), "blind to order"
    assert motion_distance(short[::-1], short) > 0.1
    with pytest.raises(ValueError, match="films of one shape"):
        texture_distance(truth, truth[1:])


def test_quality_of_the_truth_and_of_a_still_picture() -> None:
    truth = CLIP.rgb
    assert quality(truth, truth) == {
        "PSNR": 99.0,
        "SSIM": pytest.approx(1.0),
        "texture distance": 0.0,
        "motion distance": 0.0,
    }
    still = quality(standing_still(truth), truth)
    assert still["PSNR"] < 40 and still["SSIM"] < 1 and still["motion distance"] > 0


# ---- rows and page


def figures(scene: int, loss: float, more: float) -> ClipFigures:
    losses = np.full((len(TASKS), len(LEVELS)), loss)
    good = {"PSNR": 20.0, "SSIM": 0.8, "texture distance": 10.0, "motion distance": 5.0}
    return ClipFigures(
        clip_id=f"clip{scene}",
        scene_id=f"scene{scene}",
        before=named_losses(losses) | good,
        after=named_losses(losses + more) | good | {"PSNR": 21.0 + 0.01 * scene},
        still=good,
    )


def result_of(clips: list[ClipFigures], **fields: object) -> ForgettingResult:
    facts = {"name": "run", "step": 3, "trained_on": 0}
    known = {"dataset": "data", "before": facts, "after": facts, "options": {"clips": None}, "prediction": "x"}
    return ForgettingResult(clips=tuple(clips), **{**known, **fields})  # type: ignore[arg-type]


def test_rows_say_what_got_worse_and_what_better() -> None:
    """Scenes differ by ten times more than the models do; paired, the difference shows all the same."""
    clips = [figures(scene, loss=0.1 * scene, more=0.01 + 0.001 * (scene % 3)) for scene in range(1, 9)]
    rows = {row.name: row for row in result_of(clips).rows()}
    assert [row.name for row in result_of(clips).rows()][:2] == list(LOSSES)
    worse_row = rows["loss, image to video"]
    assert worse_row.verdict == "worse" and worse_row.difference.mean == pytest.approx(0.011, abs=0.001)
    assert worse_row.before.low < worse_row.after.mean < worse_row.before.high
    assert worse_row.percent == pytest.approx(100 * worse_row.difference.mean / 0.45)
    assert rows["PSNR"].verdict == "better", "more is better there"
    assert rows["SSIM"].verdict == "no difference shown" and rows["SSIM"].p_value == 1.0
    assert worse_row.p_holm is not None and worse_row.p_holm == pytest.approx(6 * 2 / 2**8)
    levels = result_of(clips).level_rows()
    assert len(levels) == len(TASKS) * len(LEVELS) and all(row.verdict == "not judged" for row in levels)
    assert result_of(clips[:1]).rows()[0].verdict == "one scene, no interval"
    seven = result_of(clips[:7]).rows()[0]  # 2 of 2^7 sign patterns, six figures
    assert seven.difference.low > 0.0 and seven.p_value < 0.05 < (seven.p_holm or 0.0)
    assert seven.verdict == "no difference shown", "one figure of six at 5 % each is no finding"


def test_the_page_escapes_and_stands_alone(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>{{ 7 * 7 }}\"'"
    facts = {"name": hostile, "step": 3, "trained_on": 2}
    result = result_of(
        [figures(s, 0.1, 0.01) for s in range(3)], dataset=hostile, before=facts, after=facts, left_out=(hostile,)
    )
    film = np.zeros((3, 8, 8, 3), dtype=np.uint8)
    write_page(tmp_path / "index.html", result, [Exhibit(clip_id=hostile, prompt=hostile, films={"truth": film})])
    page = (tmp_path / "index.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page and "{{ 7 * 7 }}" in page
    assert 'src="http' not in page and "href" not in page
    assert "2 before and 2 after were trained on" in page


# ---- from runs


@pytest.fixture
def rough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Distances of films by few directions: how good they are is asked above."""
    monkeypatch.setattr(patches, "NUM_DIRECTIONS", 16)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rendered clips, one of them dark for a while, whose uninterrupted pictures nobody has."""
    folder = tmp_path_factory.mktemp("forgetting") / "data"
    small = ClipPlan(num_frames=24, fps=4.0, width_px=32, height_px=32)
    plan = tank_plan("lights_off", clip=small, outputs=("rgb", "segmentation"))
    sketch_clip(plan, folder / "clips" / "dark")
    sketch_clip(dataclasses.replace(plan, interruptions=()), folder / "clips" / "plain")
    return folder


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `base`, trained for a step, and `worse`, the same with noise on the weights of its output."""
    root = tmp_path_factory.mktemp("runs")
    config = override(SMALL, {"data.frame_stride": 2, "data.heldout_share": 0.0})
    train(config, data, root / "base", steps=1, progress=False)
    shutil.copytree(root / "base", root / "worse")
    (path,) = root.glob("worse/checkpoints/*/ema.safetensors")
    weights = load_file(path)
    noise = torch.randn(weights[OUTPUT].shape, generator=torch.Generator().manual_seed(0))
    save_file(weights | {OUTPUT: weights[OUTPUT] + 0.1 * noise}, path)
    return root


@pytest.mark.usefixtures("rough")
def test_the_same_run_twice_gives_exactly_nothing(data: Path, runs: Path, tmp_path: Path) -> None:
    options = Options(draws=1, steps=1)
    result = forgetting(runs / "base", runs / "base", data, tmp_path, options, progress=False)
    assert len(result.clips) == len(result.left_out) == 1, "nobody knows the dark one's plain pictures"
    assert all(row.difference.mean == 0.0 for row in [*result.rows(), *result.level_rows()])
    assert result.before["trained_on"] == 1
    saved = json.loads((tmp_path / "forgetting.json").read_text())
    assert saved["rows"][0]["difference"]["mean"] == 0.0 and saved["clips"][0]["before"] == saved["clips"][0]["after"]
    assert "data:image/png" in (tmp_path / "index.html").read_text()


@pytest.mark.usefixtures("rough")
def test_a_worse_run_is_worse_in_everything(data: Path, runs: Path, tmp_path: Path) -> None:
    result = forgetting(runs / "base", runs / "worse", data, tmp_path, Options(draws=1, steps=1), progress=False)
    for row in [*result.rows(), *result.level_rows()]:
        assert (row.difference.mean < 0.0) is row.more_is_better, row.name


def test_what_does_not_compare_is_named(data: Path, runs: Path, tmp_path: Path) -> None:
    config = json.loads((runs / "base" / "config.json").read_text())
    shutil.copytree(runs / "base", tmp_path / "other")
    for group, field, value in (("flow", "prediction", "v"), ("data", "frame_stride", 4)):
        changed = {**config, group: {**config[group], field: value}}
        (tmp_path / "other" / "config.json").write_text(json.dumps(changed))
        with pytest.raises(ValueError, match=f"{group}.{field} is {value} before"):
            forgetting(tmp_path / "other", runs / "base", data, tmp_path / "out", progress=False)
    with pytest.raises(ValueError, match="clips: 0 is too small"):
        Options(clips=0)
    with pytest.raises(ValueError, match="nowhere"):
        forgetting(tmp_path / "nowhere", runs / "base", data, tmp_path / "out", progress=False)
    (tmp_path / "look" / "clips").mkdir(parents=True)
    (tmp_path / "look" / "clips" / "a").symlink_to(data / "clips" / "dark")
    with pytest.raises(ValueError, match="none of 1 clips is known without its interruption"):
        forgetting(runs / "base", runs / "base", tmp_path / "look", tmp_path / "out", progress=False)


@pytest.mark.usefixtures("rough")
def test_published_weights_may_stand_before(data: Path, runs: Path, tmp_path: Path) -> None:
    """A folder in the hub's layout that holds the base run's transformer gives the base run's figures."""
    base = load_trained(runs / "base")
    base.model.zero_camera_modules()  # published weights have none; after one step they are hardly more
    base.model.transformer.save_pretrained(tmp_path / "hub" / "transformer")
    options = Options(draws=1, steps=1)
    result = forgetting(tmp_path / "hub", runs / "base", data, tmp_path / "out", options, progress=False)
    assert result.before == {"name": str(tmp_path / "hub"), "step": 0, "trained_on": None}
    for row in result.rows():
        assert row.after.mean == pytest.approx(row.before.mean, rel=0.05)
