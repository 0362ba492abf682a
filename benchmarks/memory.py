"""How far the dry run's memory is from what one training step takes on this CPU.

    python -m benchmarks.memory [--configs small gpu_small ...]

Each configuration runs in two processes: resident memory after building the model and the batch, then the greatest
during two steps (the moments are there from the second on). That growth is gradients, moments, activations and what
lives for a moment only: `used` where the allocator hands freed memory back at once, `resident` as it is by default,
where glibc keeps holes that nothing fits into.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from trainer.config import TrainConfig, override
from trainer.data.batches import Batch
from trainer.recipes import CLIPS, recipe
from trainer.training.cost import estimate
from trainer.training.devices import Devices
from trainer.training.learner import Learner

# enough activations that the process's own noise (some 20 MB) does not matter
CONFIGS: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "small": ("small", {}),
        "small, bf16": ("small", {"precision": "bf16"}),
        "small, full": ("small", {"model.mode": "full"}),
        "small, two micro-batches": ("small", {"accumulation": 2}),
        "small, checkpointing": ("small", {"model.gradient_checkpointing": True}),
    }
)
HANDS_BACK = MappingProxyType({"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"})  # of glibc


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", nargs="+", default=list(CONFIGS), choices=list(CONFIGS))
    parser.add_argument("--one", choices=list(CONFIGS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    print("| configuration | used, MB | resident, MB | estimated, MB | estimated / used |\n|---|---|---|---|---|")
    for name in options.configs:
        used, resident = (in_process(name, environment) for environment in (HANDS_BACK, {}))
        measured = f"{used['measured_mb']:.0f} | {resident['measured_mb']:.0f}"
        estimated = used["estimated_mb"]
        print(f"| {name} | {measured} | {estimated:.0f} | {estimated / used['measured_mb']:.2f} |", flush=True)


def in_process(name: str, environment: Mapping[str, str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.memory", "--one", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(name: str) -> dict[str, float]:
    """Growth of two steps in MB, and what the dry run says of it."""
    base, changes = CONFIGS[name]
    config = override(recipe(base), dict(changes))
    cost = estimate(config, CLIPS[base])
    learner = Learner(config, Devices(device=torch.device("cpu")))
    batch = widest_batch(config, cost.nodes_per_example)
    before = resident_mb()
    for step in range(2):
        learner.step(batch, step)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    told = cost.gradient_bytes + cost.moment_bytes + cost.activation_bytes
    return {"measured_mb": peak - before, "estimated_mb": told / 1e6}


def widest_batch(config: TrainConfig, num_nodes: int) -> Batch:
    """A batch of noise with all the nodes that an example may have."""
    shape = CLIPS[config.recipe]
    rows, channels = config.batch_size, 3 * config.codec.patch**2
    height, width = shape.height_px // config.codec.patch, shape.width_px // config.codec.patch
    generator = torch.Generator().manual_seed(0)

    def noise(*size: int) -> torch.Tensor:
        return torch.randn(*size, generator=generator)

    return Batch(
        clean_BFCYX=noise(rows, num_nodes, channels, height, width),
        noise_BFCYX=noise(rows, num_nodes, channels, height, width),
        level_BF=torch.full((rows, num_nodes), 0.5),
        times_BF=torch.arange(num_nodes, dtype=torch.float64).repeat(rows, 1),
        cameras_BFc=noise(rows, num_nodes, 14),
        mask_BFF=torch.ones(rows, num_nodes, num_nodes, dtype=torch.bool).tril(),
        weight_BFYX=torch.ones(rows, num_nodes, height, width),
        text_BSD=noise(rows, 24, 80),
    )


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
