"""The engine: the same parameters whatever kills it, whatever the number of devices, whatever the micro-batches."""

from __future__ import annotations

import json
import signal
import time

import pytest
import torch
from safetensors.torch import load_file

from tests.trainer.processes import (
    HARD,
    command_until_signal,
    fit_until_killed,
    free_port,
    gradients,
    start,
    two,
)
from tests.trainer.test_training import CLIPS, SMALL, batch_of, run
from trainer.checkpoint import list_checkpoints, load_trained, newest_checkpoint
from trainer.config import override
from trainer.data.mixture import single_source
from trainer.train import fit
from trainer.training.devices import Devices
from trainer.training.learner import Learner
from trainer.training.support import check_supported

ONE = Devices(device=torch.device("cpu"))


def assert_same(left, right):
    assert left.keys() == right.keys()
    for name, tensors in left.items():
        assert tensors.keys() == right[name].keys()
        for key, tensor in tensors.items():
            assert torch.equal(tensor, right[name][key]), f"{name}: {key}"


def files_of(checkpoint):
    return {path.name: load_file(path) for path in checkpoint.glob("*.safetensors")}


def test_a_run_that_was_killed_in_a_step_goes_on_bit_for_bit(tmp_path):
    """bf16, two micro-batches, average and moments: SIGKILL at step 5, back to the checkpoint of step 3."""
    _, whole_files = run(tmp_path / "whole", [8], config=HARD)
    killed = start(fit_until_killed, tmp_path / "killed", tmp_path / "reached")
    while not (tmp_path / "reached").exists():
        assert killed.is_alive()
        time.sleep(0.02)
    killed.kill()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert newest_checkpoint(tmp_path / "killed").name == "step_00000003"
    _, killed_files = run(tmp_path / "killed", [8], config=HARD)
    assert_same(whole_files, killed_files)
    assert not all(
        torch.equal(v, whole_files["model.safetensors"][k]) for k, v in whole_files["ema.safetensors"].items()
    )


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_tells_how_to_go_on(tmp_path, signum):
    process = start(command_until_signal, tmp_path / "run", signum, tmp_path / "said")
    process.join(120)
    assert process.exitcode == 128 + signum
    said = (tmp_path / "said").read_text()
    assert f"stopped by {signum.name} after step 5, which is saved" in said and "--resume" in said
    assert [path.name for path in list_checkpoints(tmp_path / "run")] == ["step_00000005"]


def test_two_processes_take_the_step_of_one(tmp_path):
    """Gloo: first-step gradients with DDP, FSDP2, two micro-batches and a LoRA equal those of one process to 1e-5.

    A sharded LoRA that stops and goes on is, bit for bit, the one that does not stop.
    """
    config = override(SMALL, {"batch_size": 4, "checkpoint_every": 2})
    lora = override(config, {"model.lora_rank": 2})
    configs = {
        "ddp": config,
        "parts": override(config, {"accumulation": 2}),
        "fsdp": override(config, {"sharding": "fsdp"}),
        "fsdp_parts": override(config, {"sharding": "fsdp", "accumulation": 2}),
        "lora": lora,
        "fsdp_lora": override(lora, {"sharding": "fsdp"}),
    }
    port = free_port()
    pair = [start(two, tmp_path, configs, port, rank) for rank in range(2)]
    for process in pair:
        process.join(240)
    assert [process.exitcode for process in pair] == [0, 0]
    alone = {rank: gradients(Learner(whole, ONE)) for rank, whole in ((0, config), (2, lora))}
    for name, two_config in configs.items():
        found, expected = load_file(tmp_path / f"{name}.safetensors"), alone[two_config.model.lora_rank]
        assert found.keys() == expected.keys()
        scale = max(float(g.abs().max()) for g in expected.values())
        for key, gradient in expected.items():
            assert gradient.any(), key
            torch.testing.assert_close(found[key], gradient, atol=1e-5 * scale, rtol=0, msg=f"{name}: {key}")
    # a sharded run that stopped and went on is the run of one process, and its checkpoint is whole
    whole_run, whole_files = run(tmp_path / "one", [4], config=config)
    newest = newest_checkpoint(tmp_path / "run")
    assert newest.name == "step_00000004"
    for name, tensors in whole_files.items():
        sharded = load_file(newest / name)
        assert sharded.keys() == tensors.keys()
        for key, tensor in tensors.items():
            torch.testing.assert_close(sharded[key], tensor, atol=2e-3, rtol=1e-2, msg=key)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert abs(lines[-1]["loss"] - whole_run.loss) < 1e-4 * whole_run.loss
    assert load_trained(tmp_path / "run").step == 4
    halfway, resumed = (files_of(path) for path in list_checkpoints(tmp_path / "resumed"))
    assert_same(resumed, files_of(newest_checkpoint(tmp_path / "whole")))
    assert resumed.keys() == {"model.safetensors", "ema.safetensors", "optimizer.safetensors"}
    for name, tensors in resumed.items():  # otherwise it would say nothing that they are the same
        learnt = [key for key in tensors if ".lora_B." in key]
        assert learnt and not any(torch.equal(tensors[key], halfway[name][key]) for key in learnt), name


def test_micro_batches_change_nothing_but_the_memory():
    config = override(SMALL, {"batch_size": 4})
    expected = gradients(Learner(config, ONE))
    parts = gradients(Learner(override(config, {"accumulation": 4}), ONE))
    scale = max(float(g.abs().max()) for g in expected.values())
    for key, gradient in expected.items():
        torch.testing.assert_close(parts[key], gradient, atol=1e-5 * scale, rtol=0)


def test_a_torn_checkpoint_is_named_and_passed_over(tmp_path, capsys):
    config = override(SMALL, {"checkpoint_every": 2, "eval_every": 8})
    _, whole_files = run(tmp_path / "whole", [8], config=config)
    run(tmp_path / "torn", [4], config=config)
    torn = list_checkpoints(tmp_path / "torn")[-1] / "optimizer.safetensors"
    torn.write_bytes(torn.read_bytes()[:100])
    assert newest_checkpoint(tmp_path / "torn").name == "step_00000002"
    assert "step_00000004: optimizer.safetensors has 100 bytes of" in capsys.readouterr().err
    assert load_trained(tmp_path / "torn").step == 2
    _, torn_files = run(tmp_path / "torn", [8], config=config)
    assert_same(whole_files, torn_files)
    assert len(list_checkpoints(tmp_path / "torn")) == config.keep_checkpoints
    for path in list_checkpoints(tmp_path / "torn"):
        (path / "state.json").write_text("{")
    assert newest_checkpoint(tmp_path / "torn") is None


def test_a_torn_checkpoint_does_not_push_out_a_whole_one(tmp_path):
    config = override(SMALL, {"checkpoint_every": 2, "eval_every": 8, "keep_checkpoints": 1})
    run(tmp_path, [6], config=config)
    torn = list_checkpoints(tmp_path)[-1]
    (torn / "model.safetensors").write_bytes(b"")
    half_written = tmp_path / "checkpoints" / ".partial_00000006_1"
    half_written.mkdir()
    run(tmp_path, [2], config=config)  # from the start, since none is whole
    assert newest_checkpoint(tmp_path).name == "step_00000002"
    assert not torn.exists() and not half_written.exists()


@pytest.mark.parametrize("factor", [float("inf"), float("nan")])
def test_gradients_that_are_not_finite_change_no_weight(factor):
    learner = Learner(SMALL, ONE)
    before = {name: p.detach().clone() for name, p in learner.model.named_parameters()}
    hook = learner.model.transformer.proj_out.bias.register_hook(lambda gradient: gradient * factor)
    batch = batch_of(CLIPS, step=3, batch_size=2)
    with pytest.raises(FloatingPointError, match="step 3: the gradient norm is"):
        learner.step(batch, 3)
    assert all(torch.equal(before[name], p) for name, p in learner.model.named_parameters())
    hook.remove()
    learner.step(batch, 3)
    assert not all(torch.equal(before[name], p) for name, p in learner.model.named_parameters())


def test_another_configuration_is_told_by_its_fields(tmp_path):
    run(tmp_path, [1])
    with pytest.raises(ValueError, match=r"there and now: batch_size: 2 and 4; optim\.lr: 0\.0006 and 0\.1\)"):
        other = override(SMALL, {"optim.lr": 0.1, "batch_size": 4})
        fit(other, single_source(CLIPS, SMALL.data), [], tmp_path, stop_at=2, resume=True)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"batch_size": 3, "accumulation": 2}, "batch_size: 3 does not divide"),
        ({"sharding": "fsdp"}, "sharding: fsdp needs several processes"),
        ({"sharding": "fsdp", "compile": True}, "compile: not together with sharding"),
        ({"compile": True, "model.gradient_checkpointing": True}, "compile: not together with model.gradient_ch"),
    ],
)
def test_what_cannot_be_done_is_refused(changes, line):
    check_supported(SMALL, ONE)
    with pytest.raises(ValueError) as caught:
        check_supported(override(SMALL, changes), ONE)
    assert any(said.startswith(line) for said in str(caught.value).splitlines())
