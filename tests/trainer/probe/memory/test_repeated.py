"""Figures over several fold assignments: what is there is found, noise is not, and folds matter less."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.probe.memory.nested import Target
from trainer.probe.memory.repeated import Repeated, chosen_of_each, fold_seeds, r2_of, repeated_ridge

NUM_SCENES, NUM_NOISES, REPEATS = 20, 6, 30
SCENES = [scene for scene in range(NUM_SCENES) for _ in range(3)]


def read(seeds: list[int]) -> list[dict[str, Repeated]]:
    """Twenty scenes of three rows; a place of noise, and one of eight numbers, one of them planted in two targets."""
    rng = np.random.default_rng(4)

    def per_scene(width: int) -> np.ndarray:
        return np.repeat(rng.normal(size=(NUM_SCENES, width)), 3, axis=0)

    x = per_scene(8) + 0.2 * rng.normal(size=(len(SCENES), 8))
    aims = {"planted": x[:, :1] + 0.1 * per_scene(1), "faint": x[:, :1] + 1.2 * per_scene(1)}
    aims |= {f"noise {n}": per_scene(1) for n in range(NUM_NOISES)}
    targets = {name: Target(values_NO=values) for name, values in aims.items()}
    return repeated_ridge([rng.normal(size=x.shape), x], targets, SCENES, budget=8, seeds=seeds)


@pytest.fixture(scope="module")
def places() -> list[dict[str, Repeated]]:
    return read(fold_seeds(0, "bar", REPEATS))


@pytest.fixture
def found(places: list[dict[str, Repeated]]) -> dict[str, Repeated]:
    return places[1]


def first(reading: Repeated, count: int) -> Repeated:
    return Repeated(reading.readings[:count])


def test_a_planted_number_is_found_and_noise_is_not(found):
    assert first(found["planted"], 5).r2(SCENES).low > 0.8
    for n in range(NUM_NOISES):
        assert first(found[f"noise {n}"], 5).r2(SCENES).low <= 0.0


def test_the_same_seed_gives_the_same_and_more_repeats_begin_alike(found):
    again = read(fold_seeds(0, "bar", 2))[1]
    for name, reading in again.items():
        assert np.array_equal(reading.errors_KN, found[name].errors_KN[:2])
    assert fold_seeds(0, "bar", 1) != fold_seeds(1, "bar", 1) != fold_seeds(1, "tank", 1)


def test_folds_matter_less_with_more_of_them(found):
    """Six figures of five assignments each scatter about 1 / sqrt(5) as much as thirty of one."""
    reading = found["faint"]
    one = reading.fold_sd
    fives = [Repeated(reading.readings[n : n + 5]).r2(SCENES).mean for n in range(0, REPEATS, 5)]
    assert one is not None and one > 0.01, "or folds would not matter here"
    assert float(np.std(fives, ddof=1)) < 0.75 * one
    assert first(reading, 1).fold_sd is None


def test_intervals_are_wider_by_what_the_folds_do(found):
    """Against the same errors averaged over assignments first, whose interval knows scenes alone."""
    reading = first(found["faint"], 3)
    both = reading.r2(SCENES)
    averaged = reading.errors_KN.mean(0, keepdims=True), reading.spreads_KN.mean(0, keepdims=True)
    scenes_alone = r2_of(*averaged, SCENES)
    assert both.mean == pytest.approx(scenes_alone.mean)
    assert both.high - both.low > scenes_alone.high - scenes_alone.low


def test_places_are_chosen_in_each_assignment_by_itself(places):
    best, picks = chosen_of_each([place["planted"] for place in places])
    assert picks == [1] * 5 * REPEATS
    assert np.array_equal(best.errors_KN, places[1]["planted"].errors_KN)
    _, torn = chosen_of_each([place["noise 0"] for place in places])
    assert len(torn) == 5 * REPEATS and set(torn) == {0, 1}, "each fold of each assignment has its own choice"
