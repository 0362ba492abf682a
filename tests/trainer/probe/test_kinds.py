"""Every kind of variable: the same figures for the same behaviour, whatever the unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trainer.probe.kinds import DOMAINS, Kind
from trainer.probe.metrics import clock_ratio

TIMES_S = np.arange(0.0, 7.01, 0.125)
T_H_S, T_R_S = 2.0, 4.0
BEHAVIOURS = {0.0: "paused", 1.0: "truth", 0.5: "half speed", -1.0: "reversed"}
WEIGHTS = np.linspace(0.4, 1.6, 12).reshape(3, 4)
KINDS = (*DOMAINS, "cyclic angle")


def kind_of(name: str, unit: float) -> Kind:
    turns = name == "cyclic angle"
    return Kind("angle" if turns else name, 0.01 * unit, 0.05 * unit, unit if turns else None)


def law(name: str, t_s: NDArray[np.float64], rate: float, unit: float) -> NDArray[np.float64]:
    """A value of each kind that goes on at `rate`, in a unit of any size; labels and counts keep theirs."""
    u = 0.3 + rate * t_s
    values = {
        "scalar": u * unit,
        "angle": u * unit,
        "count": np.floor(40 * u),
        "discrete": np.floor(4 * u) % 5,
        "vector": u[:, None] * WEIGHTS[0] * unit,
        "field": u[:, None, None] * WEIGHTS * unit,
        "cyclic angle": (u * unit) % unit,
    }
    return values[name]


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=12, deadline=None)
@given(rate=st.floats(0.05, 0.4), sign=st.sampled_from([-1, 1]), unit=st.sampled_from([1e-4, 1.0, 2 * np.pi, 3e5]))
def test_clock_ratio_of_every_behaviour_in_any_unit(name: str, rate: float, sign: int, unit: float) -> None:
    kind, series = kind_of(name, unit), law(name, TIMES_S, sign * rate, unit)
    for ratio in BEHAVIOURS:
        t_s = T_H_S + ratio * (T_R_S - T_H_S)
        (value,) = law(name, np.array([t_s]), sign * rate, unit)
        found = kind.time_of(TIMES_S, series, value, reference_s=t_s)
        expected = pytest.approx(ratio, abs=0.07 if name in ("count", "discrete") else 1e-6)
        assert clock_ratio(found, T_H_S, T_R_S) == expected
        if name in ("scalar", "angle", "vector", "field"):  # no look-alikes: the reference does not matter
            found = kind.time_of(TIMES_S, series, value, reference_s=T_R_S)
            assert clock_ratio(found, T_H_S, T_R_S) == pytest.approx(ratio, abs=2e-3 / rate)


@pytest.mark.parametrize("name", ["scalar", "angle", "count", "cyclic angle"])
@pytest.mark.parametrize("unit", [1e-4, 1.0, 3e5])
def test_evolution_ratio_of_ordered_numbers(name: str, unit: float) -> None:
    kind, t_h, frames = kind_of(name, unit), 16, [32, 33, 34, 35]
    series, times = law(name, TIMES_S, 0.19, unit), TIMES_S[frames]
    for ratio in BEHAVIOURS:
        measured = law(name, T_H_S + ratio * (times - T_H_S), 0.19, unit)
        tolerance = 0.1 if name == "count" else 1e-9
        assert kind.evolution_ratio(measured, frames, t_h, series) == pytest.approx(ratio, abs=tolerance)
    if name == "cyclic angle":
        faster = law(name, TIMES_S, 0.26, unit)  # 0.52 of a turn since t_h at the first frame
        assert kind.evolution_ratio(faster[frames], frames, t_h, faster) is None


def test_evolution_ratio_is_undefined_for_the_rest() -> None:
    up, down, still = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 0.5]), np.zeros(3)
    assert Kind("scalar", 0.1).evolution_ratio(up[1:], [1, 2], 0, up) == 1.0
    assert Kind("scalar", 0.1).evolution_ratio(down[1:], [1, 2], 0, down) is None, "it turns back"
    assert Kind("discrete", 0.0).evolution_ratio(up[1:], [1, 2], 0, up) is None, "labels have no size"
    assert Kind("vector", 0.1).evolution_ratio(up[1:, None], [1, 2], 0, up[:, None]) is None
    assert Kind("scalar", 0.1).evolution_ratio(up[1:], [1, 2], 0, still) is None, "no change, no slope"
    assert Kind("scalar", 0.1).evolution_ratio(up[:0], [], 0, up) is None, "no frame"


@given(st.floats(-30, 30), st.floats(-2.9, 2.9), st.integers(-3, 3))
def test_wrap_around(value: float, step: float, turns: int) -> None:
    kind = Kind("angle", 0.01, cycle=6.0)
    later = np.array([value + step + 6.0 * turns])
    assert kind.change(later, value)[0] == pytest.approx(step, abs=1e-9)
    assert kind.distance(later, np.array([value]))[0] == pytest.approx(abs(step), abs=1e-9)


def test_a_cyclic_series_is_read_across_its_seam() -> None:
    """Between 5.5 and 0.5 of a cycle of 6 lies 6 = 0, not 3."""
    kind = Kind("angle", 0.01, cycle=6.0)
    times, values = np.array([0.0, 1.0, 2.0]), np.array([4.5, 5.5, 0.5])
    assert kind.at(times, values, np.array([1.25, 1.5]))[0] == pytest.approx(5.75)
    assert kind.distance(kind.at(times, values, np.array([1.5])), np.zeros(1))[0] == pytest.approx(0.0, abs=1e-12)
    assert kind.time_of(times, values, 0.0, reference_s=0.0) == pytest.approx(1.5)
    assert kind.time_of(times, values, 6.25, reference_s=0.0) == pytest.approx(1.75)
    assert Kind("scalar", 0.01).at(times, values, np.array([1.5])) == 3.0


def test_counts_and_labels_are_never_between_two_values() -> None:
    times, values = np.array([0.0, 1.0]), np.array([2.0, 5.0])
    for domain in ("count", "discrete"):
        assert Kind(domain, 0.0).at(times, values, np.array([0.4, 0.6])).tolist() == [2.0, 5.0]


def test_distances() -> None:
    a, b = np.zeros((1, 3, 4)), np.full((1, 3, 4), 2.0)
    assert Kind("field", 0.1).distance(a, b)[0] == 2.0
    assert Kind("vector", 0.1).distance(a[:, 0], b[:, 0])[0] == 4.0
    assert Kind("count", 0.1).distance(np.array([3.0]), np.array([5.0]))[0] == 2.0
    assert Kind("discrete", 0.1).distance(np.array([3.0, 3.0]), np.array([5.0, 3.0])).tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match="domain 'colour' is not known"):
        Kind("colour", 0.1)


@pytest.mark.parametrize("name", ["scalar", "vector", "field"])
def test_relative_error_of_paused_is_one_in_any_unit(name: str) -> None:
    for unit in (1e-4, 1.0, 3e5):
        kind = kind_of(name, unit)
        paused, half, truth = law(name, np.array([2.0, 3.0, 4.0]), 0.2, unit)[:, None]
        errors = [kind.relative_error(x, truth, paused[0])[0] for x in (paused, half, truth)]
        assert errors == pytest.approx([1.0, 0.5, 0.0])


def test_relative_error_without_change_counts_in_limits() -> None:
    """A state that should not have moved, and did by twice the limit."""
    kind = Kind("scalar", 0.1, 0.2)
    assert kind.relative_error(np.array([1.4]), np.array([1.0]), np.array(1.0))[0] == pytest.approx(2.0)


def test_stability_looks_only_at_what_stayed() -> None:
    kind, start = Kind("scalar", 0.1, 0.3), np.array(0.0)
    assert kind.stability(np.array([0.0, 0.5, 2.0]), np.array([0.1, 0.1, 5.0]), start) == 0.5
    assert kind.stability(np.array([1.0]), np.array([5.0]), start) is None
    assert Kind("discrete", 0.0).stability(np.array([1.0, 2.0]), np.array([1.0, 1.0]), np.array(1.0)) == 0.5
    turning = Kind("angle", 0.1, 0.3, cycle=6.0)
    assert turning.stability(np.array([5.9]), np.array([0.1]), np.array(6.0)) == 1.0


def flags(kind: Kind, values: list[float], truth: NDArray[np.float64], step_s: float = 0.125) -> dict[str, float]:
    times = step_s * np.arange(len(values))
    return kind.kept_flags(times, np.array(values), np.linspace(0, 1, len(truth)), truth)


def test_plausibility_of_each_flag() -> None:
    falling = np.array([5.0, 3.0, 1.0])
    both = Kind("scalar", 0.1, flags=("monotone", "bounded", "irreversible"))
    assert flags(both, [3.0, 2.0, 2.5, 0.0], falling) == {"monotone": 0.75, "bounded": 0.75}
    assert flags(Kind("scalar", 0.1, flags=("conserved",)), [5.0, 5.05, 4.0], falling) == {
        "conserved": pytest.approx(2 / 3)
    }
    assert flags(both, [3.0], falling) == {"monotone": 1.0, "bounded": 1.0}, "one frame has no step to break"
    assert flags(both, [], falling) == {}


def test_monotone_cyclic_and_array_values() -> None:
    turning = Kind("angle", 0.1, cycle=6.0, flags=("monotone",))
    clockwise = np.array([4.0, 5.0, 0.0, 1.0])
    assert flags(turning, [5.0, 0.5, 1.0], clockwise) == {"monotone": 1.0}, "5 to 0.5 goes on, across the seam"
    assert flags(turning, [5.0, 4.0, 5.0], clockwise) == {"monotone": pytest.approx(2 / 3)}
    vector = Kind("vector", 0.1, flags=("monotone",))
    truth = np.array([[0.0, 5.0], [1.0, 4.0]])
    kept = vector.kept_flags(np.arange(2.0), np.array([[0.2, 4.5], [0.4, 4.9]]), np.arange(2.0), truth)
    assert kept == {"monotone": 0.5}, "the second component turns back"


def test_periodic_values_come_back() -> None:
    known = np.arange(0.0, 6.0, 0.125)
    kind = Kind("scalar", 0.02, flags=("periodic",))
    truth = np.sin(2 * np.pi * known / 1.5)
    assert kind.period_s(known, truth) == pytest.approx(1.5)
    times = np.arange(0.0, 3.0, 0.125)
    right = np.sin(2 * np.pi * times / 1.5 + 0.7)
    assert kind.kept_flags(times, right, known, truth) == {"periodic": 1.0}, "a phase of its own is no fault"
    wrong = np.sin(2 * np.pi * times / 1.1)
    assert kind.kept_flags(times, wrong, known, truth)["periodic"] < 0.3
    assert kind.kept_flags(times[:8], right[:8], known, truth) == {}, "no frame lies a period after another"
    assert kind.period_s(known, known) is None and kind.period_s(known, 0 * known) is None
