"""A foreign camera that is a little off is forgiven; another view is not read."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from tests.trainer.probe.drawing import CARRIER_ID, SWEEP_TIMES_S, T_H_S, T_R_S, draw, rendered
from trainer.bench.view import MAX_MOVE_PX, MIN_VIEW, coarse_move, recentred, view_share
from trainer.probe.metrics import clock_ratio
from trainer.probe.readout import SweepModel, measure, prepare
from trainer.probe.registration import fit_affine


@pytest.fixture(scope="module")
def sweep() -> SweepModel:
    drawn = [draw("glass", t, 1) for t in SWEEP_TIMES_S]
    rgb = np.stack([rendered(picture, 0.004, i) for i, (picture, _) in enumerate(drawn)])
    return prepare(rgb, np.stack([s for _, s in drawn]), SWEEP_TIMES_S, [CARRIER_ID], (T_H_S, T_R_S))


def test_a_moved_view_is_read_where_it_is(sweep: SweepModel) -> None:
    for time_s, (down, right) in ((4.0, (0, 8)), (3.0, (-6, -5)), (2.0, (0, 2)), (4.0, (0, 0))):
        picture = rendered(draw("glass", time_s, 1)[0], 0.012, 7)
        moved = np.asarray(ndimage.shift(picture, (down, right, 0), order=0, mode="nearest"))
        back = recentred(moved, sweep)
        if max(abs(down), abs(right)) <= 3:
            assert back is moved, "registration does that"
        evidence = measure(sweep, back)
        assert clock_ratio(evidence.time_s, T_H_S, T_R_S) == pytest.approx((time_s - 2.0) / 2.0, abs=0.1)
        assert evidence.residual < 1.0 and view_share(back, sweep) > 0.85


def test_surroundings_without_contrast_ask_for_no_move() -> None:
    grey, everywhere = np.full((40, 40, 3), 0.4), np.ones((40, 40), dtype=bool)
    assert coarse_move(grey, grey, everywhere) == coarse_move(grey + 0.1, grey, everywhere) == (0, 0)


def test_the_move_is_that_of_one_fit_after_the_other(sweep: SweepModel) -> None:
    """Slow twin, on a moved and darkened picture."""
    picture = 0.9 * rendered(draw("glass", 4.0, 1)[0], 0.012, 7).astype(np.float64) / 255
    moved = np.asarray(ndimage.shift(picture, (5, -7, 0), order=0, mode="nearest"))
    m, inner = MAX_MOVE_PX, sweep.static.copy()
    inner[:m], inner[-m:], inner[:, :m], inner[:, -m:] = False, False, False, False
    rows, columns = (v[:: len(v) // 200] for v in np.nonzero(inner))
    errors = {
        (i, j): fit_affine(moved[rows + i, columns + j], sweep.mean[rows, columns])[2]
        for i in range(-m, m + 1)
        for j in range(-m, m + 1)
    }
    assert coarse_move(moved, sweep.mean, sweep.static) == min(errors, key=lambda move: errors[move]) == (5, -7)


def test_another_view_is_no_view(sweep: SweepModel) -> None:
    for scene in (2, 3, 4):
        assert view_share(recentred(rendered(draw("glass", 4.0, scene)[0], 0.012, 7), sweep), sweep) < MIN_VIEW
    far = np.roll(rendered(draw("glass", 4.0, 1)[0], 0.012, 7), 2 * MAX_MOVE_PX + 4, axis=1)
    assert view_share(recentred(far, sweep), sweep) < MIN_VIEW
    assert view_share(np.full((64, 64, 3), 120, np.uint8), sweep) < MIN_VIEW
