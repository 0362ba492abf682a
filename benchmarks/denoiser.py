"""Which denoiser settings give most for their cost: PSNR against a 1024-sample picture, and CPU seconds.

    python -m benchmarks.denoiser [--sizes 64 128 256] [--reference-samples 1024]

Three scenes (patterned and opaque; liquid in a glass; a candle in the dim) at 64 and 128 px, the first also at 256 px;
each setting (prefilter/quality) at 4, 8 and 16 samples, several seeds. CPU seconds are those of the whole process, all
threads, per picture, the least of the seeds, so that other work on the machine moves them little. Efficiency is
PSNR - 10 log10(CPU s): without a denoiser twice the samples cost twice and gain 3 dB, so it stays the same; a setting
that pays has more. Prints tables for docs/RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import bpy  # noqa: TID251  (this whole script is a Blender process)
import numpy as np
from numpy.typing import NDArray

from scenes.loading import load_spec
from scenes.sampling import sample_plans
from simulator.blender.player import BlenderPlayer
from simulator.stage import Shot, Stage
from simulator.timeline import observed_shots

SPECS = Path(__file__).parents[1] / "scenes" / "specs"
SAMPLES = (4, 8, 16)
SEEDS = MappingProxyType({64: 4, 128: 3, 256: 2})  # pictures a setting
LARGE_PX = 256  # from here on the first scene only: references cost minutes


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One picture of an example spec, half way through the clip, without interruption."""

    name: str
    spec: str
    light_level: float = 1.0

    def shot(self, size_px: int) -> tuple[Stage, Shot]:
        (plan,) = sample_plans(load_spec(SPECS / f"{self.spec}.yaml"), 1)
        clip = replace(plan.clip, width_px=size_px, height_px=size_px)
        plan = replace(plan, clip=clip, render=replace(plan.render, denoise=True))
        shots = observed_shots(plan)
        return Stage.from_plan(plan), replace(shots[len(shots) // 2], light_level=self.light_level)


SCENES = (
    Scene(name="dominoes", spec="domino_chain"),
    Scene(name="glass", spec="tank_filling"),
    Scene(name="candle, dim", spec="candle_burning_down", light_level=0.15),
)
# name -> (prefilter, quality) of Open Image Denoise; None is no denoiser
SETTINGS: Mapping[str, tuple[str, str] | None] = MappingProxyType(
    {
        "none": None,
        "FAST/FAST": ("FAST", "FAST"),
        "FAST/HIGH": ("FAST", "HIGH"),
        "NONE/HIGH": ("NONE", "HIGH"),
        "ACCURATE/HIGH": ("ACCURATE", "HIGH"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    psnr_db: float
    cpu_s: float

    @property
    def efficiency_db(self) -> float:
        return self.psnr_db - 10 * float(np.log10(self.cpu_s))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", choices=sorted(SEEDS), default=sorted(SEEDS), metavar="PX")
    parser.add_argument("--reference-samples", type=int, default=1024, metavar="N")
    options = parser.parse_args()
    table = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # Blender prints to stdout from C: keep the tables clean
    with redirect_stdout(table):
        compare(options.sizes, options.reference_samples)
    os._exit(0)  # Blender inside Python can hang at interpreter exit


def compare(sizes: Sequence[int], reference_samples: int) -> None:
    """Print the tables."""
    began = time.perf_counter()
    print(f"bpy {bpy.app.version_string}, {os.cpu_count()} cores, {platform.machine()}\n")
    print(f"| scene | px | samples | {' | '.join(SETTINGS)} | most efficient |")
    print("|---" * (len(SETTINGS) + 4) + "|")
    for size_px in sizes:
        for scene in SCENES[:1] if size_px >= LARGE_PX else SCENES:
            for samples, row in measure(scene, size_px, reference_samples).items():
                cells = [f"{m.psnr_db:.1f} / {m.cpu_s:.2f} ({m.efficiency_db:.1f})" for m in row.values()]
                best = max(row, key=lambda name: row[name].efficiency_db)
                print(f"| {scene.name} | {size_px} | {samples} | {' | '.join(cells)} | {best} |")
    print(f"\nPSNR dB / CPU s a picture (efficiency dB); {time.perf_counter() - began:.0f} s in all")


def measure(scene: Scene, size_px: int, reference_samples: int) -> dict[int, dict[str, Measured]]:
    """Samples -> setting -> figures, of one scene at one size."""
    stage, shot = scene.shot(size_px)
    player = BlenderPlayer(stage, os.cpu_count() or 1)
    use(None)
    reference = player.render(replace(shot, samples=reference_samples, seed=1_000_000))
    table: dict[int, dict[str, Measured]] = {samples: {} for samples in SAMPLES}
    for name, setting in SETTINGS.items():
        use(setting)
        player.render(replace(shot, samples=1, seed=2_000_000))  # the first picture of a setting loads its filter
        for samples in SAMPLES:
            errors, cpu_s = [], []
            for seed in range(SEEDS[size_px]):
                began = time.process_time()
                picture = player.render(replace(shot, samples=samples, seed=seed))
                cpu_s.append(time.process_time() - began)
                errors.append(mean_square(picture, reference))
            psnr_db = 10 * float(np.log10(255.0**2 / np.mean(errors)))
            table[samples][name] = Measured(psnr_db=psnr_db, cpu_s=min(cpu_s))
    return table


def use(setting: tuple[str, str] | None) -> None:
    """Denoise the scene that is open with (prefilter, quality), or not at all."""
    cycles = bpy.context.scene.cycles
    cycles.use_denoising = setting is not None
    if setting is not None:
        cycles.denoising_prefilter, cycles.denoising_quality = setting


def mean_square(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    return float(np.mean((first.astype(np.float64) - second) ** 2))


if __name__ == "__main__":
    sys.exit(main())
