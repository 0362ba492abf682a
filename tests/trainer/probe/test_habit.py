"""Habit and memory: known mixtures of the usual rate and the event's own come back exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.probe.made_results import RATES, Change, probed
from trainer.probe.bootstrap import clustered_slopes
from trainer.probe.habit import ALL_TYPES, HabitRow, habit_rows
from trainer.probe.result import ProbeResult


def slopes(row: HabitRow) -> tuple[float, float]:
    return row.habit.mean, row.memory.mean


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda rate, usual: 0.0, (0.0, 0.0)),  # paused
        (lambda rate, usual: usual, (1.0, 0.0)),  # knows the type, not this event
        (lambda rate, usual: rate, (1.0, 1.0)),  # truth
        (lambda rate, usual: 0.5 * rate, (0.5, 0.5)),
        (lambda rate, usual: 2 * usual - rate, (1.0, -1.0)),  # slow for fast
    ],
)
def test_the_corners(made: Change, expected: tuple[float, float]) -> None:
    rows = habit_rows(probed(RATES, made))
    assert [row.name for row in rows] == [ALL_TYPES, "tank", "candle"]
    for row in rows:
        assert slopes(row) == pytest.approx(expected, abs=1e-9)
        assert (row.memory.low, row.memory.high) == pytest.approx((expected[1],) * 2, abs=1e-9), "nothing scatters"


@settings(max_examples=30, deadline=None)
@given(st.floats(-1, 2), st.floats(-1, 2), st.floats(1e-3, 1e3))
def test_any_mixture_comes_back_in_any_unit(habit: float, memory: float, unit: float) -> None:
    scaled = {kind: [unit * rate for rate in rates] for kind, rates in RATES.items()}
    rows = habit_rows(probed(scaled, lambda rate, usual: habit * usual + memory * (rate - usual)))
    assert slopes(rows[0]) == pytest.approx((habit, memory), abs=1e-7)


def test_without_any_memory_the_interval_holds_nothing() -> None:
    rng = np.random.default_rng(0)
    rates = {"tank": list(rng.uniform(1, 3, 30))}
    (row,) = habit_rows(probed(rates, lambda rate, usual: usual * (1 + rng.normal(0, 0.2))))
    assert row.memory.low < 0.0 < row.memory.high and row.habit.low > 0.8


def test_unreadable_windows_are_counted_and_left_out() -> None:
    row = habit_rows(probed(RATES, lambda rate, usual: rate, unread=1))[0]
    assert slopes(row) == pytest.approx((1.0, 1.0), abs=0.01)
    assert (row.num_windows, row.num_asked) == (2 * (5 + 4), 2 * (6 + 5)), "two samples of each window"
    assert row.memory.num_scenes == 9


@pytest.mark.parametrize(
    "result",
    [
        probed({"tank": [1.0] * 6}, lambda rate, usual: rate),  # all alike
        probed({"tank": [0.0] * 6}, lambda rate, usual: rate),
        probed({"tank": [1.0, 2.0, 3.0]}, lambda rate, usual: rate),  # too few
        probed(RATES, lambda rate, usual: rate, unread=9),
        probed(RATES, lambda rate, usual: rate, domain="angle"),
        probed(RATES, lambda rate, usual: rate, monotone=False),
        probed({}, lambda rate, usual: rate),
    ],
    ids=["alike", "still", "few", "unreadable", "angle", "to and fro", "nothing"],
)
def test_where_it_means_nothing_there_is_no_row(result: ProbeResult) -> None:
    assert habit_rows(result) == []


def test_slopes_and_their_intervals_are_those_of_least_squares() -> None:
    """60 scenes of one value: intervals as wide as the textbook's t intervals (White's errors), within a tenth."""
    rng = np.random.default_rng(3)
    features = np.stack([rng.normal(1, 0.3, 60), rng.normal(0, 1, 60)], 1)
    values = features @ np.array([0.7, -0.2]) + rng.normal(0, 0.3, 60)
    found = clustered_slopes(values, features, list(range(60)))
    expected, *_ = np.linalg.lstsq(features, values, rcond=None)
    assert [e.mean for e in found] == pytest.approx(expected, abs=1e-12)
    bread = np.linalg.inv(features.T @ features)
    left = (values - features @ expected)[:, None] * features
    errors = np.sqrt(np.diag(bread @ (left.T @ left) @ bread))
    assert [e.high - e.low for e in found] == pytest.approx(2 * 2.001 * errors, rel=0.1)


def test_slopes_that_are_not_determined_are_refused_and_one_scene_gives_no_interval() -> None:
    features = np.array([[1.0, 2.0], [2.0, 4.0]])
    with pytest.raises(ValueError, match="multiples of each other"):
        clustered_slopes([1.0, 2.0], features, ["a", "b"])
    one = clustered_slopes([3.0, 5.0], np.array([[1.0, 0.0], [0.0, 1.0]]), ["a", "a"])
    assert [e.mean for e in one] == pytest.approx([3.0, 5.0]) and all(math.isnan(e.low) for e in one)
