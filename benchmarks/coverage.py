"""How often does a 95 % interval hold the truth? Simulated recoveries, clustered by scene.

    python -m benchmarks.coverage [--repeats 2000]

Each repeat draws n scenes; a scene has 1 to 4 clips; its clips share a scene effect. Two populations: `smooth`, a
recovery around 0.5 (normal scene effect, sd 0.2, clip noise sd 0.1), and `skewed`, as models have it: 60 % of scenes
near 0, the rest near 0.9, noise clipped to [0, 1]. The truth is the mean over a million clips. Nominal: 0.95.
"""

from __future__ import annotations

import argparse
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trainer.probe.bootstrap import Method, clustered_mean

Population = Literal["smooth", "skewed"]
METHODS: tuple[Method, ...] = ("percentile", "bca", "expanded")


def draw(
    population: Population, num_scenes: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Values and the scene of each."""
    scenes = np.repeat(np.arange(num_scenes), rng.integers(1, 5, num_scenes))
    if population == "smooth":
        centre = rng.normal(0.5, 0.2, num_scenes)
        return centre[scenes] + rng.normal(0, 0.1, len(scenes)), scenes
    centre = np.where(rng.random(num_scenes) < 0.6, 0.0, 0.9)
    return np.clip(centre[scenes] + rng.normal(0, 0.15, len(scenes)), 0, 1), scenes


def coverage(population: Population, num_scenes: int, method: Method, repeats: int) -> tuple[float, float]:
    """Share of intervals that hold the truth, and their mean width."""
    truth = draw(population, 400_000, np.random.default_rng(99))[0].mean()
    rng, held, width = np.random.default_rng(7), 0, 0.0
    for repeat in range(repeats):
        values, scenes = draw(population, num_scenes, rng)
        found = clustered_mean(values.tolist(), scenes.tolist(), seed=repeat, method=method)
        held += found.low <= truth <= found.high
        width += (found.high - found.low) / repeats
    return held / repeats, width


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2000)
    repeats = parser.parse_args().repeats
    print("| population, scenes | " + " | ".join(METHODS) + " |\n|---|" + "---|" * len(METHODS))
    for population in ("smooth", "skewed"):
        for num_scenes in (4, 6, 10, 20, 40):
            cells = [coverage(population, num_scenes, method, repeats) for method in METHODS]
            text = " | ".join(f"{held:.3f} ({width:.2f})" for held, width in cells)
            print(f"| {population}, {num_scenes} | {text} |", flush=True)


if __name__ == "__main__":
    main()
