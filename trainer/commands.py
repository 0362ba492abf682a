"""What the command line asks of the trainer besides training."""

from __future__ import annotations

from pathlib import Path

from simulator.clip import Clip, list_clips
from trainer.checkpoint import load_trained
from trainer.config import TrainConfig, validate
from trainer.export import write_export
from trainer.recipes import CLIPS, ClipShape
from trainer.seen import seen_file
from trainer.training.cost import estimate


def dry_run(config: TrainConfig, dataset: Path | None, num_devices: int) -> str:
    """What training would cost, on the clips of `dataset` or on those that the recipe is meant for."""
    validate(config)
    if num_devices < 1:
        raise ValueError(f"--devices: {num_devices} is too few; give at least 1")
    shape = CLIPS[config.recipe] if dataset is None else _shape_of(dataset)
    cost = estimate(config, shape, world=num_devices)
    clips = f"clips of {shape.num_frames} frames, {shape.width_px} x {shape.height_px} px"
    where = f"{clips}, batch {config.batch_size} on {num_devices} device{'s' * (num_devices > 1)}, {config.precision}"
    return f"{config.recipe}: {where}\n{cost.text()}"


def export(run_dir: Path, out: Path, *, weights: str = "ema") -> Path:
    """Write the newest checkpoint of a run for use elsewhere, see `trainer.export`; returns the folder."""
    trained = load_trained(run_dir, weights=weights)
    write_export(out, trained.model, trained.config, step=trained.step, weights=weights, beside=[seen_file(run_dir)])
    return out


def _shape_of(dataset: Path) -> ClipShape:
    paths = list_clips(dataset)
    if not paths:
        raise ValueError(f"{dataset}: no published clips; render some first, or leave --data out")
    clip = Clip.open(paths[0])
    height, width = clip.rgb.shape[1:3]
    return ClipShape(num_frames=clip.num_frames, height_px=int(height), width_px=int(width))
