"""Ridge regression against its slow twin, and nested cross-validation that leaks nothing."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.probe.memory.nested import Target, chosen, nested_ridge, scene_folds
from trainer.probe.memory.ridge import PENALTIES, RidgePath, least_squares

RNG = np.random.default_rng(0)
SCENES = [f"s{i // 4}" for i in range(160)]  # 40 scenes of 4 rows


@pytest.mark.parametrize("rows", [30, 5])
def test_the_path_equals_normal_equations_solved_one_by_one(rows):
    """With fewer rows than columns too: m is the mean over the components that there are."""
    x, y = RNG.normal(size=(rows, 6)) * 10.0 ** np.arange(-2, 4), RNG.normal(size=(rows, 2))
    new, rank = RNG.normal(size=(5, 6)), min(rows - 1, 6)
    path = RidgePath.fit(x, y, budget=6)
    mean, scale = x.mean(0), x.std(0)
    z = (x - mean) / scale
    for number, alpha in enumerate(PENALTIES):
        penalty = alpha * np.trace(z.T @ z) / rank
        weights = np.linalg.solve(z.T @ z + penalty * np.eye(6), z.T @ (y - y.mean(0)))
        slow = (new - mean) / scale @ weights + y.mean(0)
        assert np.allclose(path.predict(new)[number], slow, atol=1e-9 * np.abs(slow).max())


def test_a_budget_keeps_the_leading_components_only():
    x, y = RNG.normal(size=(40, 8)), RNG.normal(size=(40, 1))
    z = (x - x.mean(0)) / x.std(0)
    values, vectors = np.linalg.eigh(z.T @ z)
    lead, m = vectors[:, ::-1][:, :3], values[::-1][:3].mean()
    scores = z @ lead
    slow = scores @ np.linalg.solve(scores.T @ scores + m * np.eye(3), scores.T @ (y - y.mean())) + y.mean()
    (one,) = np.flatnonzero(PENALTIES == 1.0)
    assert np.allclose(RidgePath.fit(x, y, budget=3).predict(x)[one], slow)
    constant = np.concatenate([x, np.ones((40, 1))], axis=1)
    assert np.allclose(RidgePath.fit(constant, y, 8).predict(constant), RidgePath.fit(x, y, 8).predict(x))
    assert np.allclose(RidgePath.fit(np.ones((40, 2)), y, 8).predict(np.ones((3, 2))), y.mean())


def test_folds_keep_scenes_whole():
    folds = scene_folds(SCENES, 5, np.random.default_rng(1))
    assert all(len({f for f, s in zip(folds, SCENES, strict=True) if s == scene}) == 1 for scene in set(SCENES))
    assert np.bincount(folds).tolist() == [32] * 5
    assert scene_folds(["a", "b", "b"], 5, np.random.default_rng(1)).max() == 1
    with pytest.raises(ValueError, match="at least three"):
        nested_ridge([np.ones((3, 1))], {"y": Target(values_NO=np.ones((3, 1)))}, ["a", "b", "b"], budget=1)


def per_scene(rng, width):
    return np.repeat(rng.normal(size=(40, width)), 4, axis=0)


def test_noise_of_the_scene_is_not_decoded_but_a_planted_number_is():
    """With scenes shared between folds the same features would give the noise away: the control on the control."""
    x = per_scene(RNG, 60) + 0.1 * RNG.normal(size=(160, 60))
    planted = x @ RNG.normal(size=(60, 1)) * 0.3
    targets = {"noise": Target(values_NO=per_scene(RNG, 1)), "planted": Target(values_NO=x[:, :2] + planted)}
    (found,) = nested_ridge([x], targets, SCENES, budget=60)
    assert found["noise"].r2 < 0.05 and found["planted"].r2 > 0.85
    (shared,) = nested_ridge([x], targets, list(range(160)), budget=60)
    assert shared["noise"].r2 > 0.8


def test_what_is_known_is_regressed_out_inside_the_fold():
    last, elapsed, rate = per_scene(RNG, 1), np.tile(np.arange(1.0, 5.0), 40)[:, None], per_scene(RNG, 1)
    known = np.concatenate([last, elapsed], axis=1)
    trivial = last + 2 * elapsed + 0.05 * RNG.normal(size=(160, 1))
    moved = last + (2 + rate) * elapsed
    x = np.concatenate([last, elapsed, rate * elapsed, RNG.normal(size=(160, 4))], axis=1)
    targets = {
        "state": Target(values_NO=trivial),
        "beyond trivial": Target(values_NO=trivial, known_NQ=known),
        "beyond moved": Target(values_NO=moved, known_NQ=known),
    }
    (found,) = nested_ridge([x], targets, SCENES, budget=7)
    assert found["state"].r2 > 0.99 and found["beyond trivial"].r2 < 0.05
    assert found["beyond moved"].r2 > 0.95
    fold = found["beyond moved"].fold_N
    for k in range(5):
        train, test = fold != k, fold == k
        fit = least_squares(known[train], moved[train])
        rest = moved[test] - fit[0] - known[test] @ fit[1:]
        assert np.allclose(found["beyond moved"].truth_NO[test], rest)


def test_the_place_is_chosen_without_the_rows_that_score_it():
    """Test rows of the best place are spoilt: the choice must not notice, and the score must."""
    signal = per_scene(RNG, 1) + 0.3 * RNG.normal(size=(160, 1))
    target = {"y": Target(values_NO=signal)}
    places = [RNG.normal(size=(160, 3)), np.concatenate([signal, RNG.normal(size=(160, 2))], axis=1)]
    found = [site["y"] for site in nested_ridge(places, target, SCENES, budget=3)]
    best, picks = chosen(found)
    assert picks == [1] * 5 and best.r2 == pytest.approx(found[1].r2) and best.r2 > 0.95
    spoilt = places[1].copy()
    test = found[1].fold_N == 0
    spoilt[test] = 50.0
    (bad,) = nested_ridge([spoilt], target, SCENES, budget=3)
    assert bad["y"].validated[0] == pytest.approx(found[1].validated[0]), "fold 0 never trains on its own rows"
    assert chosen([found[0], bad["y"]])[0].r2 < 0.5
