"""Intervals, tests and corrections: against theory, by simulation, and against a worked example."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.coverage import coverage
from trainer.probe.bootstrap import clustered_mean, crossed_ratio, holm, paired_differences, sign_flip_p


def test_bootstrap_agrees_with_the_standard_error_of_scene_means() -> None:
    """With scenes of equal size the interval is mean +- t_{59} times the scatter of scene means over sqrt(scenes)."""
    rng = np.random.default_rng(1)
    scene_means = rng.normal(0.5, 0.2, 60)
    values = np.repeat(scene_means, 5) + rng.normal(0, 0.05, 300)
    scenes = np.repeat(np.arange(60), 5)
    estimate = clustered_mean(values.tolist(), scenes.tolist())
    error = values.reshape(60, 5).mean(1).std(ddof=1) / math.sqrt(60)
    assert estimate.mean == pytest.approx(values.mean())
    assert estimate.high - estimate.low == pytest.approx(2 * 2.001 * error, rel=0.08)
    unclustered = clustered_mean(values.tolist(), list(range(300)))
    assert unclustered.high - unclustered.low < 0.6 * (estimate.high - estimate.low), "clustering must widen it"
    assert (estimate.num_values, estimate.num_scenes) == (300, 60)


def test_fold_assignments_are_resampled_beside_the_scenes() -> None:
    """Effects of scenes and assignments that add up: the variance is s_scene^2 / scenes + s_assignment^2 / repeats."""
    rng = np.random.default_rng(5)
    by_scene, by_repeat = rng.normal(0.5, 0.4, 60), rng.normal(0, 0.15, 9)
    values = by_scene + by_repeat[:, None]
    found = crossed_ratio(values, np.ones_like(values), range(60))
    error = math.sqrt(by_scene.var(ddof=1) / 60 + by_repeat.var(ddof=1) / 9)
    assert found.mean == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 2.001 * error, rel=0.1)
    scenes_alone = 2 * 2.001 * by_scene.std(ddof=1) / math.sqrt(60)
    assert scenes_alone < 0.85 * (found.high - found.low), "or the check above would not see the assignments"
    assert crossed_ratio(values[:1], np.ones((1, 60)), range(60)) == clustered_mean(values[0].tolist(), range(60))


def test_bootstrap_of_one_scene_has_no_interval() -> None:
    assert math.isnan(clustered_mean([1.0, 2.0], ["a", "a"]).low)
    with pytest.raises(ValueError, match="at least one"):
        clustered_mean([], [])


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """300 simulated probes of 10 scenes (docs/RESULTS.md has more); +-0.03 is two standard errors of the share."""
    held, width = coverage("smooth", 10, "expanded", 300)
    assert held == pytest.approx(0.95, abs=0.03)
    plain, narrower = coverage("smooth", 10, "percentile", 300)
    assert plain < held and narrower < width, "the plain percentile interval is too narrow for 10 scenes"


def test_ignoring_scenes_is_caught_by_the_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: an interval that takes every clip for a scene of its own holds the truth too seldom."""

    def unclustered(values, scenes, seed=0, method="expanded"):  # type: ignore[no-untyped-def]
        return clustered_mean(values, list(range(len(values))), seed, method)

    monkeypatch.setattr("benchmarks.coverage.clustered_mean", unclustered)
    assert coverage("smooth", 10, "expanded", 200)[0] < 0.88


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1, 2), min_size=2, max_size=9), st.sampled_from([2**-10, 2**12]))
def test_intervals_follow_the_unit_and_hold_the_mean(values: list[float], unit: float) -> None:
    scenes = [i // 2 for i in range(len(values))]
    one, scaled = clustered_mean(values, scenes), clustered_mean([unit * v for v in values], scenes)
    assert scaled.mean == pytest.approx(unit * one.mean, abs=1e-9 * unit)
    if len(set(scenes)) > 1:
        assert one.low - 1e-9 <= one.mean <= one.high + 1e-9
        assert scaled.high - scaled.low == pytest.approx(unit * (one.high - one.low), abs=1e-6 * unit)


def test_holm_on_a_worked_example() -> None:
    """p = 0.01, 0.04, 0.03, 0.005: 4 * 0.005 = 0.02, 3 * 0.01 = 0.03, 2 * 0.03 = 0.06, and 0.04 cannot fall below."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0] and holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_is_at_most_bonferroni(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for p, q in zip(p_values, adjusted, strict=True):
        assert p <= q <= min(1.0, len(p_values) * p) or q == max(adjusted)
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


def test_sign_flips_of_few_scenes_are_exact() -> None:
    assert sign_flip_p([1.0, 1.0, 1.0, 1.0], list("abcd")) == 2 / 16
    assert sign_flip_p([1.0, 1.0, 1.0, 1.0], list("aabb")) == 2 / 4, "two scenes are two observations"
    assert sign_flip_p([1.0, -1.0], list("ab")) == 1.0
    assert sign_flip_p([0.0, 0.0], list("ab")) == 1.0


def test_sign_flips_are_right_under_no_difference() -> None:
    """p <= 0.1 in about a tenth of 300 simulated comparisons of 20 scenes without a difference."""
    rng = np.random.default_rng(3)
    p_values = [sign_flip_p(rng.normal(0, 1, 20).tolist(), list(range(20)), seed=i) for i in range(300)]
    assert np.mean(np.array(p_values) <= 0.1) == pytest.approx(0.1, abs=0.04)


def test_models_are_compared_on_the_clips_that_they_share() -> None:
    """Scenes differ far more than models do: paired, the small difference shows; unpaired it drowns."""
    rng = np.random.default_rng(0)
    hard = rng.uniform(0, 0.7, 14)
    base = {f"clip{i}": float(hard[i]) for i in range(14)}
    better = {clip: value + 0.1 + float(rng.normal(0, 0.03)) for clip, value in base.items()} | {"other": 1.0}
    same = {clip: value + float(rng.normal(0, 0.03)) for clip, value in base.items()}
    scenes = {clip: clip for clip in [*base, "other"]}
    rows = {(d.first, d.second): d for d in paired_differences({"a": better, "b": base, "c": same}, scenes)}
    apart = rows["a", "b"]
    assert apart.estimate.num_values == 14 and apart.estimate.mean == pytest.approx(0.1, abs=0.03)
    assert apart.estimate.low > 0.05 and apart.p_holm < 0.01
    assert apart.p_holm == pytest.approx(3 * apart.p_value) or apart.p_holm >= apart.p_value
    nothing = rows["b", "c"]
    assert nothing.estimate.low < 0 < nothing.estimate.high and nothing.p_holm > 0.05
    unpaired = [clustered_mean(list(m.values()), list(m)) for m in (better, base)]
    assert unpaired[0].low < unpaired[1].high, "their own intervals overlap"
    with pytest.raises(ValueError, match="a and b share no clip"):
        paired_differences({"a": {"x": 1.0}, "b": {"y": 1.0}}, {"x": "x", "y": "y"})
