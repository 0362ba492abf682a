"""How fast batches are made, against how fast a training step takes them: the loader should be 5 times as fast.

    python -m benchmarks.loader [--clips 8] [--batches 24] [--steps 6] [--recipes tiny small]

Clips are sketched (no Blender) at the size that each recipe is meant for and read from a data set folder and from a
pack: for the first time, with all their JSON and tables; decoded anew for every batch, when no pictures are kept; and
kept in memory. Medians of processor time, one thread: what one worker process does against what the training process
does, whatever else the machine is busy with.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch

from benchmarks.packing import multiply
from render_jobs.packing.pack import PackRequest, pack_into
from scenes.plan import ClipPlan
from tests.simulator.support import sketch_clip, tank_plan
from trainer.build import build_codec
from trainer.config import TrainConfig
from trainer.data.batches import TrainingBatches
from trainer.data.mixture import single_source
from trainer.data.sources import ClipRecords, open_dataset
from trainer.recipes import recipe
from trainer.training.devices import Devices
from trainer.training.learner import Learner

SIDE_PX = {"tiny": 64, "small": 32}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--batches", type=int, default=24)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--recipes", nargs="+", default=list(SIDE_PX), choices=list(SIDE_PX))
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| recipe | clips | step, ms | first, ms | anew, ms | kept, ms | / first | / anew | / kept |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in options.recipes:
        side_px = SIDE_PX[name]
        config = recipe(name)
        with tempfile.TemporaryDirectory(prefix="remind-loader-") as scratch:
            roots = write_clips(Path(scratch), side_px, options.clips)
            step_s = step_seconds(config, roots["folder"], options.steps)
            for kind, root in roots.items():
                first = batch_seconds(config, root, options.batches, 0.0, new=True)
                anew, kept = (batch_seconds(config, root, options.batches, mb) for mb in (0.0, 2048.0))
                cells = [f"{1e3 * seconds:.1f}" for seconds in (step_s, first, anew, kept)]
                cells += [f"{step_s / seconds:.1f}" for seconds in (first, anew, kept)]
                print(f"| {name} | {kind} | {' | '.join(cells)} |", flush=True)


def write_clips(scratch: Path, side_px: int, number: int) -> dict[str, Path]:
    """A data set folder and its pack."""
    shape = ClipPlan(num_frames=48, fps=8.0, width_px=side_px, height_px=side_px)
    sketch_clip(tank_plan("lights_off", clip=shape, outputs=("rgb", "twins")), scratch / "one")
    multiply([scratch / "one"], scratch / "data" / "clips", number)
    pack_into(PackRequest(source=scratch / "data", out=scratch / "pack", shard_bytes=10**8))
    return {"folder": scratch / "data", "pack": scratch / "pack"}


def batch_seconds(config: TrainConfig, root: Path, number: int, memory_mb: float, *, new: bool = False) -> float:
    """Median processor time of one batch, once every clip has been seen, or (new) of clips that were never seen."""
    made = maker(config, root, memory_mb)
    for step in range(1 if new else number):
        made.make(step)
    makers = [forgetful(made) if new else made for _ in range(number)]
    return median(timed(lambda at=at: makers[at].make(number + at)) for at in range(number))


def forgetful(made: TrainingBatches) -> TrainingBatches:
    """The same, as if no clip had been read before."""
    (source,) = made.sources
    assert isinstance(source.records, ClipRecords)
    records = source.records.select(range(len(source.records)))
    return replace(made, sources=(replace(source, records=records),))


def step_seconds(config: TrainConfig, root: Path, number: int) -> float:
    """Median processor time of one optimiser step."""
    learner = Learner(config, Devices.find())
    batches = [maker(config, root, 2048.0).make(step) for step in range(number + 1)]
    learner.step(batches[0], 0)
    return median(timed(lambda step=step: learner.step(batches[step], step)) for step in range(1, number + 1))


def maker(config: TrainConfig, root: Path, memory_mb: float) -> TrainingBatches:
    records = open_dataset(root, config.data.frame_stride, memory_mb=memory_mb)
    return TrainingBatches(sources=single_source(records, config.data), codec=build_codec(config), config=config)


def timed(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


if __name__ == "__main__":
    main()
