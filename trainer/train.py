"""Training: train -> fit -> train_step."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from trainer.build import build_codec, build_model, default_device
from trainer.checkpoint import SCENES, list_checkpoints, load_checkpoint, save_checkpoint
from trainer.config import OptimConfig, TrainConfig, config_from_json
from trainer.data.batches import Batch, training_batch
from trainer.data.clips import ClipRecord, is_heldout, read_dataset
from trainer.evaluate import predict_batch, return_error
from trainer.flow import add_noise, flow_loss
from trainer.model.wan import RememberingWan
from trainer.recipes import recipe


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    run_dir: Path
    step: int
    loss: float  # mean over the last steps that were logged together
    heldout: dict[str, float]  # see `return_error`; empty without held-out clips


def train(
    config: TrainConfig | str,
    data_dir: Path,
    out_dir: Path,
    *,
    heldout_dir: Path | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    resume: bool = False,
    progress: bool = True,
) -> TrainResult:
    """Train a configuration (or the recipe of that name) on a data set folder; fills the run folder.

    Scenes are split by their ids; with `heldout_dir`, a data set of other scenes, all of `data_dir` is trained on.

    Stops at the configuration's last step, or after `steps` or `minutes`, always on a checkpoint; called again with
    `resume` it goes on to the very parameters that an undisturbed run gives.
    """
    config = recipe(config) if isinstance(config, str) else config
    training, heldout = _split(config, Path(data_dir), heldout_dir)
    return fit(
        config,
        training,
        heldout,
        Path(out_dir),
        stop_at=min(config.steps, steps if steps is not None else config.steps),
        deadline=time.monotonic() + 60.0 * minutes if minutes is not None else float("inf"),
        resume=resume,
        progress=progress,
    )


def fit(
    config: TrainConfig,
    training: Sequence[ClipRecord],
    heldout: Sequence[ClipRecord],
    run_dir: Path,
    *,
    stop_at: int,
    deadline: float = float("inf"),
    resume: bool = False,
    progress: bool = True,
) -> TrainResult:
    """The training loop. deadline: on the monotonic clock, s."""
    _claim(run_dir, config, resume)
    (run_dir / SCENES).write_text(json.dumps(sorted({record.scene_id for record in training}), indent=1) + "\n")
    device = default_device()
    codec = build_codec(config, device)
    model = build_model(config).to(device)
    optimizer = _optimizer(model, config.optim)
    ema = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    step = 0
    if list_checkpoints(run_dir):
        step = load_checkpoint(list_checkpoints(run_dir)[-1], model=model, ema=ema, optimizer=optimizer)
    log = MetricsLog(run_dir / "metrics.jsonl", step)
    scores: dict[str, float] = {}
    with tqdm(initial=step, total=stop_at, desc="train", unit="step", disable=not progress) as bar:
        while step < stop_at and time.monotonic() < deadline:
            batch = training_batch(
                training,
                codec,
                seed=config.seed,
                step=step,
                batch_size=config.batch_size,
                data=config.data,
                curriculum=config.curriculum,
                flow=config.flow,
            )
            log.add(train_step(model, batch.to(device), optimizer, ema, config, step))
            step += 1
            at_end = step == stop_at or time.monotonic() >= deadline
            asked = step % config.eval_every == 0 or at_end
            if asked:
                scores = return_error(model, ema, heldout, codec, config, device)
            if asked or step % config.log_every == 0:
                log.write(step, {"lr": learning_rate(config, step - 1)} | (scores if asked else {}))
                bar.set_postfix(log.brief(), refresh=False)
            if step % config.checkpoint_every == 0 or at_end:
                save_checkpoint(
                    run_dir, step=step, model=model, ema=ema, optimizer=optimizer, keep=config.keep_checkpoints
                )
            bar.update()
            if at_end:
                break
    return TrainResult(run_dir=run_dir, step=step, loss=log.last.get("loss", float("nan")), heldout=scores)


def train_step(
    model: RememberingWan,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    ema: dict[str, Tensor],
    config: TrainConfig,
    step: int,
) -> float:
    """One optimiser step on [history, noisy targets]; returns the loss."""
    model.train()
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(config, step)
    noisy = add_noise(batch.clean_BFCYX, batch.noise_BFCYX, batch.level_BF)
    with torch.autocast(noisy.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        prediction = predict_batch(model, batch, noisy)
    loss = flow_loss(prediction, batch.clean_BFCYX, batch.noise_BFCYX, batch.weight_BFYX, config.flow.prediction)
    if not torch.isfinite(loss):
        raise FloatingPointError(f"step {step}: the loss is {loss.item()}; lower optim.lr or use precision fp32")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.optim.grad_clip)
    optimizer.step()
    decay = min(config.optim.ema_decay, (1.0 + step) / (10.0 + step))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            ema[name].lerp_(parameter, 1.0 - decay)
    return float(loss.detach())


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up, constant, linear decay up to config.steps, wherever a call stops."""
    warm = (step + 1) / max(config.optim.warmup_steps, 1)
    left = (config.steps - step) / max(config.optim.decay_steps, 1)
    return config.optim.lr * min(1.0, warm, left)


def _optimizer(model: RememberingWan, config: OptimConfig) -> torch.optim.Optimizer:
    """AdamW; vectors, tables and camera phases are not decayed."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and not name.startswith("phases.")]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or name.startswith("phases.")]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, config.beta2), fused=True)


def _split(config: TrainConfig, data_dir: Path, heldout_dir: Path | None) -> tuple[list[ClipRecord], list[ClipRecord]]:
    """Clips to train on, and clips of other scenes."""
    records = read_dataset(data_dir, config.data.frame_stride)
    share = config.data.heldout_share if heldout_dir is None else 0.0
    training = [record for record in records if not is_heldout(record.scene_id, share)]
    heldout = [record for record in records if is_heldout(record.scene_id, share)]
    if not training:
        raise ValueError(f"{data_dir}: all {len(records)} clips are held out; render more scenes")
    if heldout_dir is not None:
        heldout = read_dataset(heldout_dir, config.data.frame_stride)
        if both := {r.scene_id for r in training} & {r.scene_id for r in heldout}:
            raise ValueError(f"{heldout_dir}: scene {min(both)} is in {data_dir} too; hold out other scenes")
    return training, heldout


def _claim(run_dir: Path, config: TrainConfig, resume: bool) -> None:
    """A run folder belongs to one configuration."""
    saved = run_dir / "config.json"
    if saved.exists():
        if not resume:
            raise ValueError(f"{run_dir}: already holds a run; go on with resume, or choose another folder")
        if config_from_json(saved) != config:
            raise ValueError(f"{saved}: the run was started with another configuration; resume with that one")
    run_dir.mkdir(parents=True, exist_ok=True)
    saved.write_text(config.to_json())


class MetricsLog:
    """metrics.jsonl of a run: mean loss since the last line, learning rate, held-out scores."""

    def __init__(self, path: Path, step: int) -> None:
        """Forgets what was logged after `step`, the checkpoint that the run goes on from."""
        self.path = path
        self.last: dict[str, float] = {}
        self._losses: list[float] = []
        if path.exists():
            lines = [line for line in path.read_text().splitlines() if json.loads(line)["step"] <= step]
            path.write_text("".join(line + "\n" for line in lines))

    def add(self, loss: float) -> None:
        self._losses.append(loss)

    def write(self, step: int, values: dict[str, float]) -> None:
        self.last = {"step": step, "loss": sum(self._losses) / len(self._losses)} | values
        self._losses.clear()
        with self.path.open("a") as file:
            file.write(json.dumps(self.last) + "\n")

    def brief(self) -> dict[str, str]:
        return {key: f"{value:.4g}" for key, value in self.last.items() if key in ("loss", "heldout_ratio")}
