"""A run folder that someone else made: nothing in it is executed, and what is wrong with it is told in a line."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
import torch

from tests.trainer.test_training import small_trained
from trainer.checkpoint import load_trained


class Malicious:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with a checkpoint whose files are still to be written."""
    trained = small_trained()
    folder = tmp_path / "run"
    checkpoint = folder / "checkpoints" / "step_00000001"
    checkpoint.mkdir(parents=True)
    (folder / "config.json").write_text(trained.config.to_json())
    (checkpoint / "state.json").write_text(json.dumps({"schema_version": 1, "step": 1}))
    return folder


def test_a_pickle_in_a_checkpoint_is_not_run(run: Path, tmp_path: Path) -> None:
    proof, weights = tmp_path / "proof", run / "checkpoints" / "step_00000001" / "ema.safetensors"
    weights.write_bytes(pickle.dumps(Malicious(proof)))
    with pytest.raises(ValueError, match=r"ema\.safetensors"):
        load_trained(run)
    torch.save(Malicious(proof), weights)
    with pytest.raises(ValueError, match=r"ema\.safetensors"):
        load_trained(run)
    assert not proof.exists()
    pickle.loads(pickle.dumps(Malicious(proof)))  # it would have been seen
    assert proof.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"model": 3}', '{"nothing": 1}', "[" * 5000, '{"optim": {"lr": NaN}}'])
def test_a_config_that_is_none_is_refused(run: Path, text: str) -> None:
    (run / "config.json").write_text(text)
    with pytest.raises(ValueError) as caught:
        load_trained(run)
    assert "\n" not in str(caught.value)


def test_weights_of_another_shape_are_refused(run: Path) -> None:
    from safetensors.torch import save_file

    model = small_trained().model
    tensors = {name: torch.zeros(3) for name, _ in model.named_parameters()}
    save_file(tensors, run / "checkpoints" / "step_00000001" / "ema.safetensors")
    with pytest.raises(ValueError, match="does not fit the model"):
        load_trained(run)
