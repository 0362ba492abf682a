"""What a run writes while it goes on: metrics.jsonl always, TensorBoard by default, Weights & Biases on request."""

from __future__ import annotations

import json
import math
import os
import secrets
import time
from pathlib import Path
from typing import Any

import numpy as np

from trainer.config import TrainConfig
from trainer.data.batches import Batch
from trainer.training.cost import batch_flops, peak_flops
from trainer.training.learner import Learner

WANDB_ID = "wandb_id"  # of a run: what W&B knows it by; its name alone is not unique in a project
BRIEF = ("loss", "heldout_ratio", "heldout_recovery")


class MetricsLog:
    """Means since the last line, learning rate, held-out scores."""

    def __init__(self, run_dir: Path, config: TrainConfig, step: int, *, writes: bool = True) -> None:
        """Forgets what was logged after `step`, the checkpoint that the run goes on from, and lines that are torn.

        writes: False in all processes of a run but one; those only take means.
        """
        self._writes = writes
        self.path = run_dir / "metrics.jsonl"
        self.last: dict[str, float] = {}
        self._values: dict[str, list[float]] = {}
        if writes and self.path.exists():
            _forget_after(step, self.path)
        self._writers = _writers(run_dir, config, step) if writes else []

    def add(self, **values: float) -> None:
        """Values of one step, of which the next line has the mean."""
        for name, value in values.items():
            self._values.setdefault(name, []).append(value)

    def write(self, step: int, values: dict[str, float]) -> None:
        means = {name: sum(seen) / len(seen) for name, seen in self._values.items() if seen}
        self._values.clear()
        self.last = {"step": step} | means | values
        if self._writes:
            with self.path.open("a") as file:
                file.write(json.dumps(self.last) + "\n")
        for writer in self._writers:
            writer.scalars(step, {name: value for name, value in self.last.items() if name != "step"})

    def picture(self, step: int, name: str, rgb_HW3: np.ndarray) -> None:
        for writer in self._writers:
            writer.picture(step, name, rgb_HW3)

    def brief(self) -> dict[str, str]:
        """What a progress bar shows."""
        return {key: f"{self.last[key]:.4g}" for key in BRIEF if key in self.last}

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers:
            writer.close()


def _forget_after(step: int, path: Path) -> None:
    """Rewrite a log without the lines of later steps and those that a kill or a full disk tore; by one rename."""
    lines = [line for line in path.read_text(errors="replace").splitlines() if _step_of(line) <= step]
    partial = path.with_suffix(".partial")
    partial.write_text("".join(line + "\n" for line in lines))
    os.replace(partial, path)


def _step_of(line: str) -> float:
    """Of a line of the log; infinity when it cannot be read."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, TypeError, KeyError):
        return math.inf


class Speed:
    """How fast steps go by, averaged since it was last asked: samples a second and model FLOPs utilisation.

    Utilisation: FLOPs of the batch (three forward passes, padding included) over the peak of all devices; only where
    the device's data sheet is known.
    """

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._peak = peak_flops(learner.devices.device, learner.config.precision)
        self._since, self._samples, self._flops = time.monotonic(), 0, 0.0

    def add(self, batch: Batch) -> None:
        """One step, with this device's rows of its batch."""
        self._samples += self._learner.config.batch_size
        self._flops += batch_flops(self._learner.model, batch) if self._peak else 0.0

    def brief(self) -> dict[str, str]:
        seconds = time.monotonic() - self._since
        shown = {"samples/s": f"{self._samples / seconds:.3g}"}
        if self._peak:
            shown["MFU"] = f"{self._flops / seconds / self._peak:.1%}"
        self._since, self._samples, self._flops = time.monotonic(), 0, 0.0
        return shown


class _TensorBoard:
    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=step + 1 if step else None)

    def scalars(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, step: int, name: str, rgb_HW3: np.ndarray) -> None:
        self._writer.add_image(name, rgb_HW3, step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()


class _Wandb:
    def __init__(self, run_dir: Path, config: TrainConfig) -> None:
        import wandb

        self._wandb: Any = wandb
        name, noted = run_dir.resolve().name, run_dir / WANDB_ID
        if not noted.exists():
            noted.write_text(secrets.token_hex(8))
        self._run = wandb.init(
            project=config.logging.wandb_project,
            name=name,
            id=noted.read_text(),
            resume="allow",
            dir=run_dir,
            config=json.loads(config.to_json()),
        )

    def scalars(self, step: int, values: dict[str, float]) -> None:
        self._run.log(values, step=step)

    def picture(self, step: int, name: str, rgb_HW3: np.ndarray) -> None:
        self._run.log({name: self._wandb.Image(rgb_HW3)}, step=step)

    def close(self) -> None:
        self._run.finish()


def _writers(run_dir: Path, config: TrainConfig, step: int) -> list[_TensorBoard | _Wandb]:
    writers: list[_TensorBoard | _Wandb] = []
    if config.logging.wandb:
        writers.append(_Wandb(run_dir, config))
    if config.logging.tensorboard:
        writers.append(_TensorBoard(run_dir / "tensorboard", step))
    return writers
