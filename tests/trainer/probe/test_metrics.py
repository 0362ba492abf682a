from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from trainer.probe import metrics


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


def test_bias_and_variance_of_samples() -> None:
    bias, variance = metrics.bias_and_variance([0.5, 0.7, None, 0.6])
    assert bias == pytest.approx(-0.4) and variance == pytest.approx(0.01)
    assert metrics.bias_and_variance([0.5]) == (-0.5, None)
    assert metrics.bias_and_variance([None, None]) == (None, None)


@given(st.lists(st.floats(-2, 3), min_size=2, max_size=8))
def test_squared_error_is_bias_and_variance(ratios: list[float]) -> None:
    bias, variance = metrics.bias_and_variance(ratios)
    assert bias is not None and variance is not None
    error = np.mean((np.array(ratios) - 1) ** 2)
    assert error == pytest.approx(bias**2 + (len(ratios) - 1) / len(ratios) * variance)


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
