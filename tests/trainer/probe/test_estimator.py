"""The trained estimator: right on frames it never saw, unreadable on what shows no moment, and able to fail."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from simulator.clip import Clip
from tests.trainer.probe.fake_clips import T_R
from trainer.probe.calibration import exhibits, judge
from trainer.probe.estimator import Estimator, _code, _decode, _encode, floor, second_ratio
from trainer.probe.kinds import Kind
from trainer.probe.readout import measure
from trainer.probe.result import ProbeResult
from trainer.probe.subject import Subject
from trainer.probe.summary import agreement_rows, summary_rows


@pytest.fixture(scope="module")
def glasses(dataset: Path) -> list[Subject]:
    return [Subject.load(Clip.open(dataset / "clips" / f"glass-{n}")) for n in range(2)]


@pytest.fixture(scope="module")
def estimator(glasses: list[Subject]) -> Estimator:
    return Estimator.fit(glasses[0])


def test_every_exhibit_is_read_as_it_should_be(glasses: list[Subject], estimator: Estimator) -> None:
    for exhibit in exhibits(*glasses):
        judged = judge(glasses[0], exhibit, measure(glasses[0].sweep, exhibit.rgb), estimator=estimator)
        assert judged.second is not None and judged.second.passed, (exhibit.name, judged.second)


def test_values_of_every_number(glasses: list[Subject], estimator: Estimator) -> None:
    """Vectors and fields are not in the sweep and are left out."""
    subject = glasses[0]
    found = estimator.read(subject.clip.rgb[T_R]).values
    assert set(found) == {"level_m", "hand_rad", "seconds", "stage", "mass_kg"}
    for name, tolerance in {"level_m": 0.4, "hand_rad": 0.15, "mass_kg": 1e-6, "seconds": 0.6}.items():
        true = subject.series(name)[T_R : T_R + 1]
        assert subject.kind(name).distance(np.array([found[name]]), true)[0] <= tolerance, name


def test_the_floor_counts_frames_that_it_never_saw(glasses: list[Subject], estimator: Estimator) -> None:
    found = floor(glasses[0], estimator)
    assert (found.num_frames, found.readable, found.sweep_readable) == (16, 16, 16)
    assert found.mean_error is not None and found.mean_error < 0.05
    assert found.sweep_mean_error is not None and found.sweep_mean_error < 0.02


def test_it_can_fail(glasses: list[Subject], estimator: Estimator) -> None:
    """Negative control: with the values of the sweep shuffled among its pictures, the floor is lost."""
    subject = glasses[0]
    weights = estimator.weights_NO.copy()
    weights[:, :-1] = np.random.default_rng(0).permutation(weights[:, :-1])
    shuffled = dataclasses.replace(estimator, weights_NO=weights)
    found = floor(subject, shuffled)
    assert found.mean_error is not None and found.mean_error > 0.2


def test_another_clip_is_unreadable(glasses: list[Subject], estimator: Estimator) -> None:
    assert second_ratio(glasses[0], estimator, glasses[1].clip.rgb[T_R], 4.0) is None


def test_the_same_seed_gives_the_same_estimator(glasses: list[Subject], estimator: Estimator) -> None:
    again = Estimator.fit(glasses[0])
    assert np.array_equal(again.weights_NO, estimator.weights_NO)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind("scalar", 0.1), [1.0, 2.5, 4.0]),
        (Kind("angle", 0.1, cycle=6.0), [0.5, 3.1, 5.9]),
        (Kind("discrete", 0.0), [0.0, 2.0, 5.0]),
        (Kind("count", 0.0), [0.0, 1.0, 2.0]),
        (Kind("scalar", 0.1), [2.0, 2.0, 2.0]),
    ],
)
def test_codes_give_values_back(kind: Kind, values: list[float]) -> None:
    series = np.array(values)
    code = _code(kind, series)
    assert [_decode(kind, code, row) for row in _encode(kind, code, series)] == pytest.approx(values)


def test_agreement_with_the_sweep_readout(remembered: tuple[ProbeResult, Path]) -> None:
    result, out = remembered
    assert len(result.floors) == 3 and ProbeResult.read(out / "probe.json").floors == result.floors
    rows = {r.name: r for r in agreement_rows(result)}
    assert set(rows) == {"renders of known time", "damaged pictures", "the model's pictures"}
    renders = rows["renders of known time"]
    assert renders.both == renders.num_pictures and renders.within == 1.0
    assert renders.correlation is not None and renders.correlation > 0.99
    assert rows["the model's pictures"].correlation is None, "they all show the truth"
    for row in rows.values():
        assert row.both + row.neither + row.only_sweep + row.only_second == row.num_pictures
    by_name = {r.name: r for r in summary_rows(result)}
    assert by_name["mean of sweep"].second_right == (3, 3) and by_name["mean of sweep"].second_coverage == 0.0
    assert by_name["model, all clips"].second is not None
    assert agreement_rows(dataclasses.replace(result, floors=())) == []
