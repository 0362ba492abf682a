"""Codec, data, loss, checkpoints, rollout: on clips of a bar, without a renderer."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from benchmarks.toy_bar import bar_clip, bar_levels, read_level
from trainer.build import build_codec, build_model
from trainer.checkpoint import TrainedModel, list_checkpoints, load_trained
from trainer.config import FlowConfig, config_from_json, override
from trainer.data.batches import collate, training_batch
from trainer.data.clips import is_heldout
from trainer.data.examples import history_graph, training_example
from trainer.data.mixture import single_source
from trainer.flow import add_noise, euler_step, flow_error, predicted_clean, sample_levels
from trainer.graph.nodes import Role
from trainer.latents.codec import SpaceToDepthCodec
from trainer.latents.layout import frame_segments
from trainer.latents.text import encode_prompts
from trainer.recipes import RECIPES, recipe
from trainer.rollout import RolloutConfig, rollout
from trainer.seeding import numpy_generator, torch_generator
from trainer.train import fit, train
from trainer.training.learner import learning_rate, predict_batch

SIZE = {
    "model.dim": 48,
    "model.num_heads": 2,
    "model.num_layers": 2,
    "model.ffn_dim": 96,
    "model.freq_dim": 32,
    "steps": 8,
    "batch_size": 2,
}
SMALL = override(
    recipe("tiny"),
    SIZE
    | {"log_every": 2, "eval_every": 4, "checkpoint_every": 4, "logging.tensorboard": False, "logging.grid_clips": 0},
)
CLIPS = [bar_clip(i) for i in range(6)]


def small_trained(**changes) -> TrainedModel:
    config = override(SMALL, changes)
    model = build_model(config).eval().requires_grad_(False)
    for phase in model.phases:
        phase.weight.normal_(generator=torch.Generator().manual_seed(0))
    return TrainedModel(model=model, config=config, codec=build_codec(config), step=0)


# ---- codec


def test_space_to_depth_is_lossless_and_local():
    codec, whole = SpaceToDepthCodec(patch=4), [(0, 5)]
    video = torch.rand(5, 3, 8, 12) * 2 - 1
    latents, starts = codec.encode(video, whole), codec.layout(whole).starts
    assert latents.shape == (5, codec.channels, *codec.grid(8, 12))
    assert torch.equal(codec.decode(latents, starts), video)
    assert not torch.equal(codec.decode(latents.roll(1, dims=1), starts), video)
    decoder = codec.decoder()
    parts = [decoder.push(latents[part], starts[part]) for part in (slice(0, 2), slice(2, 5))]
    assert torch.equal(torch.cat(parts), video)
    assert torch.equal(codec.encode(video, [(0, 2), (3, 5)]), latents[[0, 1, 3, 4]])
    assert codec.layout([(0, 2), (3, 5)]).time.tolist() == [0.0, 1.0, 3.0, 4.0]
    touched = video.clone()
    touched[1, :, 4:8, 8:12] += 1.0  # one block of one frame is one latent cell
    changed = (codec.encode(touched, whole) != latents).any(dim=1)
    assert changed.sum() == 1 and changed[1, 1, 2]
    with pytest.raises(ValueError, match="does not divide into patches of 4"):
        codec.encode(torch.zeros(1, 3, 10, 8), [(0, 1)])
    with pytest.raises(ValueError, match="out of order"):
        codec.encode(video, [(0, 3), (2, 5)])


def test_segments_end_where_the_picture_comes_or_goes():
    hidden = np.array([0, 0, 0, 1, 1, 1, 0, 0], dtype=bool)
    assert frame_segments(hidden) == ((0, 3), (3, 6), (6, 8))
    dropped = np.array([0, 0, 0, 0, 1, 1, 0, 0], dtype=bool)
    assert frame_segments(hidden, dropped, cuts=(7, 8, 0)) == ((0, 3), (3, 4), (4, 6), (6, 7), (7, 8))
    assert frame_segments(np.zeros(4, dtype=bool)) == ((0, 4),)


# ---- batches


def batch_of(clips, **which):
    sources = single_source(clips, SMALL.data)
    return training_batch(sources, build_codec(SMALL), seed=0, curriculum=SMALL.curriculum, flow=SMALL.flow, **which)


def test_hidden_pixels_of_the_world_do_not_reach_the_batch():
    """What happens in the dark must not leak: only frames that can be seen may matter."""
    codec, clip = build_codec(SMALL), CLIPS[0]
    graph = history_graph(clip, codec.layout(frame_segments(clip.hidden)))
    dark = [i for i, node in enumerate(graph.nodes) if node.role is Role.DEGRADED]
    assert dark == clip.hidden.nonzero()[0].tolist()
    batch = batch_of([clip], step=0, batch_size=4)
    darkness = (batch.clean_BFCYX == -1.0).all(dim=(2, 3, 4))
    assert not (batch.weight_BFYX.amax(dim=(2, 3)) > 0).logical_and(darkness).any(), "nothing is asked of the dark"


def test_batches_are_a_pure_function_of_seed_and_step():
    first, again, other = (batch_of(CLIPS, step=step, batch_size=3) for step in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(vars(first).values(), vars(again).values(), strict=True))
    assert first.clean_BFCYX.shape != other.clean_BFCYX.shape or not torch.equal(first.clean_BFCYX, other.clean_BFCYX)


def test_a_part_of_a_batch_is_that_part_of_the_whole():
    whole, part = (batch_of(CLIPS, step=2, batch_size=4, rows=rows) for rows in (None, range(1, 3)))
    assert part.clean_BFCYX.shape[0] == 2
    for name, tensor in vars(part).items():
        within = tuple(slice(size) for size in tensor.shape[1:])
        assert torch.equal(tensor, vars(whole)[name][1:3][:, *within]), name


def test_padding_changes_no_prediction():
    trained, codec = small_trained(), build_codec(SMALL)
    examples = [
        training_example(clip, codec, numpy_generator(4, clip.clip_id), SMALL.data, SMALL.curriculum, SMALL.flow, 0)
        for clip in CLIPS[:2]
    ]
    examples.sort(key=lambda example: len(example.graph.present()))
    alone = collate(examples[:1], codec, [torch_generator(0)], 1.0)
    both = collate(examples, codec, [torch_generator(1), torch_generator(2)], 1.0)
    count = alone.times_BF.shape[1]
    assert count < both.times_BF.shape[1], "the example needs padding for this test to say anything"
    expected = predict_batch(trained.model, alone, alone.clean_BFCYX)
    padded = predict_batch(trained.model, both, both.clean_BFCYX)
    torch.testing.assert_close(padded[:1, :count], expected, atol=1e-5, rtol=0)
    assert (padded[1:, :count] - expected).abs().max() > 1e-2


def test_the_split_depends_on_the_scene_alone():
    held = [f"scene_{i}" for i in range(2000) if is_heldout(f"scene_{i}", 0.15)]
    assert 0.12 < len(held) / 2000 < 0.18
    assert all(is_heldout(name, 0.3) for name in held)
    assert not any(is_heldout(name, 0.0) for name in held)


def test_prompts_are_told_apart_up_to_their_end():
    encoded = encode_prompts(["a bar fills", "a bar fillt", ""])
    assert (encoded[0] != encoded[1]).any() and encoded[2, :, :64].abs().max() == 0
    assert torch.equal(encode_prompts(["a bar fills"])[0], encoded[0])


# ---- flow


def test_levels_are_mostly_high():
    levels = sample_levels(np.random.default_rng(0), 20000, FlowConfig())
    assert levels.min() >= 0.0 and levels.max() <= 1.0
    assert abs((levels >= 0.9).mean() - 0.64) < 0.02  # 60 % by choice, and a tenth of the others


def test_euler_steps_arrive_exactly_when_the_prediction_is_right():
    clean, x = torch.randn(1, 2, 3, 2, 2), torch.randn(1, 2, 3, 2, 2)
    for level, next_level in ((1.0, 0.6), (0.6, 0.1), (0.1, 0.0)):
        x = euler_step(x, clean, level, next_level)
    torch.testing.assert_close(x, clean, atol=1e-6, rtol=0)


def test_velocity_and_x_predictions_mean_the_same():
    clean, noise, level = torch.randn(1, 2, 3, 2, 2), torch.randn(1, 2, 3, 2, 2), torch.tensor([[0.3, 0.8]])
    noisy, weight = add_noise(clean, noise, level), torch.ones(1, 2, 2, 2)
    torch.testing.assert_close(predicted_clean(noise - clean, noisy, level, "v"), clean, atol=1e-6, rtol=0)
    assert predicted_clean(clean, noisy, level, "x") is clean
    assert flow_error(clean, clean, noise, weight, "x") == flow_error(noise - clean, clean, noise, weight, "v") == 0.0
    assert flow_error(noise, clean, noise, weight, "x") > 0.1


def test_only_targets_and_mostly_their_region_are_asked():
    batch = batch_of(CLIPS, step=0, batch_size=3)
    asked = batch.weight_BFYX.amax(dim=(2, 3)) > 0
    assert asked.any(dim=1).all() and not asked.all()
    returned = batch.weight_BFYX.amax(dim=(2, 3)).max()
    assert returned == SMALL.flow.return_weight * SMALL.flow.region_weight


# ---- training


def run(folder, stops, clips=CLIPS, config=SMALL):
    for stop in stops:
        result = fit(
            config, single_source(clips[2:], config.data), clips[:2], folder, stop_at=stop, resume=True, progress=False
        )
    return result, {p.name: load_file(p) for p in sorted(list_checkpoints(folder)[-1].glob("*.safetensors"))}


def test_a_killed_and_resumed_run_is_bit_identical(tmp_path):
    whole, whole_files = run(tmp_path / "whole", [8])
    torch.manual_seed(99)  # the global generator must not matter
    parts, parts_files = run(tmp_path / "parts", [3, 5, 8])
    other, other_files = run(tmp_path / "other", [8], config=override(SMALL, {"seed": 1}))
    assert whole.step == parts.step == other.step == 8
    assert whole_files.keys() == {"model.safetensors", "ema.safetensors", "optimizer.safetensors"}
    for name, tensors in whole_files.items():
        assert tensors.keys() == parts_files[name].keys()
        assert all(torch.equal(tensors[key], parts_files[name][key]) for key in tensors), name
    assert any(
        not torch.equal(v, other_files["model.safetensors"][k]) for k, v in whole_files["model.safetensors"].items()
    )
    assert whole.heldout == parts.heldout and whole.heldout["heldout_ratio"] > 0
    last = [json.loads((tmp_path / f / "metrics.jsonl").read_text().splitlines()[-1]) for f in ("whole", "parts")]
    assert last[0] == last[1] | {"loss": last[0]["loss"]}


def test_a_run_killed_between_checkpoints_forgets_what_it_logged_since(tmp_path):
    _, whole_files = run(tmp_path / "whole", [8])
    run(tmp_path / "killed", [4])
    with (tmp_path / "killed" / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": 6, "loss": 1e9}) + "\n" + '{"step": 2, "lo')
    (tmp_path / "killed" / "checkpoints" / ".partial_00000006_1").mkdir()
    _, killed_files = run(tmp_path / "killed", [8])
    assert (tmp_path / "killed" / "metrics.jsonl").read_text() == (tmp_path / "whole" / "metrics.jsonl").read_text()
    for name, tensors in whole_files.items():
        assert all(torch.equal(tensors[key], killed_files[name][key]) for key in tensors)


def test_a_run_folder_belongs_to_one_configuration(tmp_path):
    run(tmp_path, [1])
    with pytest.raises(ValueError, match="already holds a run"):
        fit(SMALL, single_source(CLIPS, SMALL.data), [], tmp_path, stop_at=2, progress=False)
    with pytest.raises(ValueError, match="another configuration"):
        run(tmp_path, [2], config=override(SMALL, {"optim.lr": 1.0}))
    with pytest.raises(ValueError, match="with other clips than"):
        run(tmp_path, [2], clips=[*CLIPS[:2], *CLIPS[:1:-1]])
    with pytest.raises(ValueError, match="with other clips than"):
        run(tmp_path, [2], clips=CLIPS[:-1])
    (tmp_path / "data.json").unlink()  # of a version that did not note it
    run(tmp_path, [2])
    with pytest.raises(ValueError, match="with other clips than"):
        run(tmp_path, [3], clips=CLIPS[:-1])
    with pytest.raises(ValueError, match="holds no finished checkpoint"):
        load_trained(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("length", "said"),
    [
        ({"steps": 0}, "--steps: 0 is outside 1 to 8"),
        ({"steps": -1}, "--steps: -1 is outside"),
        ({"steps": 9}, r"--steps: 9 is outside 1 to 8.*--set steps=N"),
        ({"minutes": -1.0}, "--minutes: -1.0 is no time"),
        ({"minutes": float("nan")}, "--minutes: nan is no time"),
    ],
)
def test_a_length_that_is_none_is_refused(tmp_path, length, said):
    with pytest.raises(ValueError, match=said):
        train(SMALL, tmp_path, tmp_path / "run", **length)


def test_a_run_that_is_there_already_says_so(tmp_path, capsys):
    run(tmp_path, [1])
    assert "already" not in capsys.readouterr().out
    assert run(tmp_path, [1])[0].step == 1
    assert f"{tmp_path}: already at step 1" in capsys.readouterr().out


def test_a_run_that_was_trained_with_flex_is_used_and_goes_on_without(tmp_path):
    _, whole_files = run(tmp_path / "whole", [2])
    run(tmp_path / "run", [1])
    (tmp_path / "run" / "config.json").write_text(override(SMALL, {"model.attention": "flex"}).to_json())
    trained = load_trained(tmp_path / "run")
    assert trained.config.model.attention == "flex", "what it was trained with"
    made = [rollout(t, CLIPS[0], RolloutConfig(steps=1), num_frames=1) for t in (trained, small_trained())]
    assert made[0].generated.sum() == 1 and (made[0].rgb != made[1].rgb).any()
    _, files = run(tmp_path / "run", [2])
    assert all(torch.equal(tensor, files[name][key]) for name in files for key, tensor in whole_files[name].items())
    assert load_trained(tmp_path / "run").config == SMALL


def test_scenes_that_were_trained_on_cannot_be_held_out(tmp_path):
    def training(clips, heldout, folder, **changes):
        config = override(SMALL, changes)
        fit(config, single_source(clips, config.data), heldout, folder, stop_at=1, resume=True, progress=False)

    training(CLIPS[2:], CLIPS[:2], tmp_path / "base")
    message = f"held-out clips: scene {CLIPS[3].scene_id} was trained on, by this run or by the one that it starts from"
    with pytest.raises(ValueError, match=message):
        training(CLIPS[2:], CLIPS[3:4], tmp_path / "base")
    with pytest.raises(ValueError, match=message):
        training(CLIPS[:2], CLIPS[3:4], tmp_path / "next", **{"model.init_from": str(tmp_path / "base")})
    assert not (tmp_path / "next").exists()
    training(CLIPS[2:4], CLIPS[:2], tmp_path / "next", **{"model.init_from": str(tmp_path / "base")})


def test_the_loss_falls_on_one_clip(tmp_path):
    config = override(SMALL, {"steps": 60, "optim.lr": 3e-3, "log_every": 10, "eval_every": 60, "checkpoint_every": 60})
    fit(config, single_source(CLIPS[:1], config.data), [], tmp_path / "run", stop_at=60, progress=False)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    still = override(config, {"optim.lr": 0.0})
    fit(still, single_source(CLIPS[:1], config.data), [], tmp_path / "still", stop_at=60, progress=False)
    still_losses = [
        json.loads(line)["loss"] for line in (tmp_path / "still" / "metrics.jsonl").read_text().splitlines()
    ]
    assert losses[-1] < 0.25 * losses[0]
    assert still_losses[-1] > 0.8 * still_losses[0]
    trained = load_trained(tmp_path / "run")
    assert trained.step == 60 and trained.config == config


# ---- configuration


def test_configurations_survive_their_file_and_refuse_what_they_do_not_know(tmp_path):
    for make in RECIPES.values():
        (tmp_path / "config.json").write_text(make().to_json())
        assert config_from_json(tmp_path / "config.json") == make()
    changed = override(recipe("small"), {"optim.lr": "1e-3", "steps": "20", "model.gradient_checkpointing": "true"})
    assert (changed.optim.lr, changed.steps, changed.model.gradient_checkpointing) == (1e-3, 20, True)
    for name, value, message in (
        ("optim.learning_rate", 1, "unknown field"),
        ("optim.warmup_step", 1, "did you mean 'warmup_steps'"),
        ("step", 1, "did you mean 'steps'"),
        ("steps", "many", "not a valid int"),
        ("steps", 1.5, "not a valid int"),
        ("model.mode", "phase2", "not one of none, phase, full, prope"),
        ("model", 1, "is a group"),
        ("seed.x", 1, "no fields of its own"),
    ):
        with pytest.raises(ValueError, match=message):
            override(recipe("tiny"), {name: value})
    with pytest.raises(ValueError, match="did you mean 'small'"):
        recipe("smal")


@pytest.mark.parametrize(("steps", "decay", "rates"), [(100, 40, [1, 1, 0.5, 0]), (20, 400, [1, 0.75, 0.5, 0])])
def test_the_rate_is_full_at_the_start_and_nothing_at_the_end(steps: int, decay: int, rates: list[float]) -> None:
    """Also of a run that is shorter than its recipe's decay."""
    settings = {"steps": steps, "optim.decay_steps": decay, "optim.warmup_steps": 0, "optim.lr": 1.0}
    config = override(recipe("tiny"), {name: str(value) for name, value in settings.items()})
    last = min(decay, steps)
    asked = (0, steps // 4, steps - last // 2, steps)
    assert [learning_rate(config, step) for step in asked] == pytest.approx(rates)


# ---- the toy itself


def test_the_toy_bar_reads_back():
    for index in range(4):
        clip, levels = bar_clip(index), bar_levels(index)
        assert clip.uninterrupted is not None
        read = [read_level(frame, clip) for frame in clip.uninterrupted]
        np.testing.assert_allclose(read, levels, atol=2e-3)
