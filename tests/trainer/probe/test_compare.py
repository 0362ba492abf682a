from __future__ import annotations

import dataclasses

import pytest

from trainer.probe.compare import compare, comparison_table, recoveries
from trainer.probe.result import ProbeResult


def only(result: ProbeResult, *samples: int) -> ProbeResult:
    return dataclasses.replace(result, model=tuple(s for s in result.model if s.sample in samples))


def test_probes_are_compared_window_by_window(sampled: ProbeResult) -> None:
    """Three samples of known speed (1, 0.5, 0.75), each taken for a model of its own."""
    right, slow, between = (only(sampled, n) for n in range(3))
    rows = compare({"right": right, "slow": slow, "between": between})
    assert [(d.first, d.second) for d in rows] == [("right", "slow"), ("right", "between"), ("slow", "between")]
    assert [d.estimate.mean for d in rows] == pytest.approx([0.5, 0.25, -0.25], abs=0.1)
    assert all(d.estimate.num_scenes == 2 and d.p_value == 0.5 for d in rows), "two scenes cannot give less"
    assert all(d.p_holm == 1.0 for d in rows)
    assert comparison_table(rows).splitlines()[2].startswith("| right - slow | +0.")


def test_a_window_counts_once_whatever_the_samples(sampled: ProbeResult) -> None:
    assert list(recoveries(sampled).values()) == pytest.approx([0.75, 0.75], abs=0.1)
    (row,) = compare({"all": sampled, "slow": only(sampled, 1)}, category="continuous_process")
    assert row.estimate.mean == pytest.approx(0.25, abs=0.1)


def test_what_cannot_be_compared_is_named(sampled: ProbeResult) -> None:
    with pytest.raises(ValueError, match="1 probe given"):
        compare({"a": sampled})
    with pytest.raises(ValueError, match="b: a probe without a model"):
        compare({"a": sampled, "b": dataclasses.replace(sampled, model=())})
    with pytest.raises(ValueError, match="share no clip"):
        compare({"a": sampled, "b": sampled}, category="kinematics")
