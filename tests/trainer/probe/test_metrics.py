from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from trainer.probe import metrics
from trainer.probe.bootstrap import clustered_mean


def test_clock_ratio_and_recovery() -> None:
    assert [metrics.clock_ratio(t, 2.0, 4.0) for t in (2.0, 4.0, 3.0, 0.0)] == [0.0, 1.0, 0.5, -1.0]
    assert [metrics.recovery(r) for r in (1.0, 0.0, 0.5, 1.5, -1.0, None)] == [1.0, 0.0, 0.5, 0.5, 0.0, 0.0]
    with pytest.raises(ValueError, match="not after"):
        metrics.clock_ratio(1.0, 2.0, 2.0)


@given(st.lists(st.floats(0.1, 5), min_size=1, max_size=6), st.floats(-3, 4))
def test_evolution_ratio_of_a_scaled_change_is_the_scale(true: list[float], scale: float) -> None:
    measured = scale * np.array(true)
    assert metrics.evolution_ratio(measured, np.array(true)) == pytest.approx(np.clip(scale, -2, 3))


def test_evolution_ratio_needs_change() -> None:
    with pytest.raises(ValueError, match="stability"):
        metrics.evolution_ratio(np.ones(2), np.zeros(2))


@given(st.floats(-20, 20), st.floats(-20, 20))
def test_cyclic_differences_wrap(a: float, b: float) -> None:
    wrapped = float(metrics.difference(a, b, cycle=2.0))
    assert -1.0 <= wrapped <= 1.0
    turns = (wrapped - (a - b)) / 2.0
    assert turns == pytest.approx(round(turns), abs=1e-9)


def test_stability_and_plausibility() -> None:
    assert metrics.stability(np.array([0.0, 0.5, 2.0]), np.array([0.1, 0.1, 5.0]), 0.3) == 0.5
    assert metrics.stability(np.array([1.0]), np.array([5.0]), 0.3) is None
    falling = np.array([5.0, 3.0, 1.0])
    values = np.array([3.0, 2.0, 2.5, 0.0])
    assert metrics.plausibility(values, falling, monotone=True, tolerance=0.1) == 0.75
    assert metrics.plausibility(values, falling, bounded=True, tolerance=0.1) == 0.75
    assert metrics.plausibility(np.array([5.0, 5.05, 4.0]), falling, conserved=True, tolerance=0.1) == pytest.approx(
        2 / 3
    )


def test_ssim_agrees_with_scikit_image() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    b = np.clip(a + rng.normal(0, 30, a.shape), 0, 255).astype(np.uint8)
    inner = np.zeros((40, 40), dtype=bool)
    inner[5:-5, 5:-5] = True
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    expected = structural_similarity(a, b, channel_axis=2, **options)
    assert metrics.ssim(a, b, inner) == pytest.approx(expected, abs=1e-6)
    assert metrics.ssim(a, a, inner) == pytest.approx(1.0)


def test_psnr() -> None:
    a = np.zeros((4, 4, 3), dtype=np.uint8)
    everywhere = np.ones((4, 4), dtype=bool)
    assert metrics.psnr_db(a, a + np.uint8(255), everywhere) == 0.0
    assert metrics.psnr_db(a, a, everywhere) == metrics.MAX_PSNR_DB


def test_control_and_coverage() -> None:
    dark, bright = np.zeros((3, 4, 4, 3), dtype=np.uint8), np.full((3, 4, 4, 3), 200, dtype=np.uint8)
    assert metrics.control(np.stack([dark[0], bright[0], dark[0]]), dark, bright) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="no hidden frames"):
        metrics.control(dark[:0], dark[:0], bright[:0])
    assert metrics.coverage([1.0, None, 0.5, None]) == 0.5


def test_bootstrap_agrees_with_the_standard_error_of_scene_means() -> None:
    """With scenes of equal size the interval is mean +- 1.96 times the scatter of scene means over sqrt(scenes)."""
    rng = np.random.default_rng(1)
    scene_means = rng.normal(0.5, 0.2, 60)
    values = np.repeat(scene_means, 5) + rng.normal(0, 0.05, 300)
    scenes = np.repeat(np.arange(60), 5)
    estimate = clustered_mean(values.tolist(), scenes.tolist())
    error = values.reshape(60, 5).mean(1).std() / math.sqrt(60)
    assert estimate.mean == pytest.approx(values.mean())
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * error, rel=0.08)
    unclustered = clustered_mean(values.tolist(), list(range(300)))
    assert unclustered.high - unclustered.low < 0.6 * (estimate.high - estimate.low), "clustering must widen it"
    assert (estimate.num_values, estimate.num_scenes) == (300, 60)


def test_bootstrap_of_one_scene_has_no_interval() -> None:
    assert math.isnan(clustered_mean([1.0, 2.0], ["a", "a"]).low)
    with pytest.raises(ValueError, match="at least one"):
        clustered_mean([], [])
