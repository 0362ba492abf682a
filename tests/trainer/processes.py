"""What the engine's tests run in processes of their own: killed, terminated, or two of them together."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file

from tests.trainer.test_training import CLIPS, SIZE, SMALL
from trainer.config import TrainConfig, override
from trainer.data.batches import TrainingBatches
from trainer.data.mixture import single_source
from trainer.train import fit
from trainer.training.devices import Devices, placed_like, whole
from trainer.training.learner import Learner

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.trainer.processes"])  # torch is imported once for all of them

HARD = override(SMALL, {"precision": "bf16", "accumulation": 2, "checkpoint_every": 3, "optim.ema_decay": 0.9})


def start(function: Callable[..., None], *args: object) -> multiprocessing.process.BaseProcess:
    process = CONTEXT.Process(target=_with_threads, args=(torch.get_num_threads(), function, *args))
    process.start()
    return process


def _with_threads(number: int, function: Callable[..., None], *args: object) -> None:
    """With as many threads as the test: another number adds up in another order."""
    torch.set_num_threads(number)
    function(*args)


class Watched(list):
    """Clips that call `then` when the n-th of them is taken: in the middle of a step."""

    def __init__(self, clips: list, after: int, then: Callable[[], None]) -> None:
        super().__init__(clips)
        self.left, self.then = after, then

    def __getitem__(self, index):
        self.left -= 1
        if self.left == 0:
            self.then()
        return super().__getitem__(index)


def fit_until_killed(folder: Path, reached: Path) -> None:
    """Goes up to the middle of step 5, says so, and waits there for its end."""

    def wait() -> None:
        reached.touch()
        time.sleep(600)

    fit(HARD, single_source(Watched(CLIPS[2:], 9, wait), HARD.data), CLIPS[:2], folder, stop_at=8, progress=False)


def command_until_signal(folder: Path, signum: int, said: Path) -> None:
    """`remind train`, with clips in the place of a data set, and a signal in the middle of step 5."""
    import remind
    import trainer.train

    clips = Watched(CLIPS[2:], 9, lambda: os.kill(os.getpid(), signum))
    trainer.train.split = lambda *_: (single_source(clips, SMALL.data), CLIPS[:2])
    with said.open("w") as file, contextlib.redirect_stderr(file):
        changes = [f"{name}={value}" for name, value in SIZE.items()]
        status = remind.main(["train", "tiny", "--data", "clips", "--out", str(folder), "--set", *changes])
    sys.exit(status)


def gradients(learner: Learner, step: int = 0) -> dict[str, torch.Tensor]:
    """Whole gradients of this process's share of a batch of four; of a LoRA, one that has learnt something."""
    config = learner.config
    sources = single_source(CLIPS, config.data)
    rows = learner.devices.rows(config.batch_size)
    batch = TrainingBatches(sources=sources, codec=learner.codec, config=config, rows=rows).make(step)
    learner.model.train()
    with torch.no_grad():
        for name, parameter in learner.model.named_parameters():
            if ".lora_B." in name:  # at zero A would have no gradient
                parameter.copy_(
                    placed_like(parameter)(torch.linspace(-0.1, 0.1, parameter.numel()).view(parameter.shape))
                )
    learner.optimizer.zero_grad(set_to_none=True)
    learner.backward(batch)
    return {name: whole(p.grad).clone() for name, p in learner.model.named_parameters() if p.grad is not None}


def two(folder: Path, configs: dict[str, TrainConfig], port: int, rank: int) -> None:
    """One of two processes: gradients of every configuration, then runs that stop and go on, and one that does not."""
    environment = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": 2, "RANK": rank, "LOCAL_RANK": rank}
    os.environ |= {name: str(value) for name, value in environment.items()}
    for name, config in configs.items():
        found = gradients(Learner(config, Devices.find()))
        if rank == 0:
            save_file(found, folder / f"{name}.safetensors")
    for run, name, stops in (("run", "fsdp", (2, 4)), ("resumed", "fsdp_lora", (2, 4)), ("whole", "fsdp_lora", (4,))):
        for stop_at in stops:
            training = single_source(CLIPS[2:], SMALL.data)
            fit(configs[name], training, CLIPS[:2], folder / run, stop_at=stop_at, resume=True, progress=False)
    torch.distributed.destroy_process_group()


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
