"""Several windows, several samples, every kind of variable: through the probe, with stand-ins of known behaviour."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from simulator.clip import Clip
from tests.trainer.probe.fake_clips import TWO_WINDOWS, write_fake_clip
from tests.trainer.probe.stand_ins import Stand, continues, freezes, remembers, runs_at
from trainer.probe.calibration import exhibits
from trainer.probe.estimator import Estimator
from trainer.probe.result import ModelScore, ProbeResult, VariableScore
from trainer.probe.run import probe
from trainer.probe.score import score
from trainer.probe.subject import Subject, load_subjects
from trainer.probe.summary import sample_rows, summary_rows, variable_rows
from trainer.probe.verdict import TOLERANT
from trainer.rollout import RolloutConfig


@pytest.fixture(scope="module")
def glass(dataset: Path) -> Subject:
    return Subject.load(Clip.open(dataset / "clips" / "glass-0"))


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("twice") / "data"
    write_fake_clip(root / "clips" / "a", "glass", 1, windows=TWO_WINDOWS)
    return root


def scored(subject: Subject, rollout) -> ModelScore:  # type: ignore[no-untyped-def]
    return score(subject, rollout(subject.clip), TOLERANT)


def test_each_window_is_read_against_its_own_sweep(twice: Path, tmp_path: Path) -> None:
    result = probe(None, twice, tmp_path, rollout=remembers, second_opinion=False)
    assert [(c.window, c.num_windows, c.t_h, c.t_r) for c in result.clips] == [(0, 2, 16, 28), (1, 2, 34, 42)]
    assert [s.window for s in result.model] == [0, 1]
    for model_score in result.model:
        assert model_score.clock_ratio == pytest.approx(1.0, abs=0.1)
        assert max(f.frame for f in model_score.frames) <= (34 if model_score.window == 0 else 47)
    assert [j for j in result.exhibits if not j.passed] == []
    rows = {r.name: r for r in summary_rows(result) if r.split == "window"}
    assert set(rows) == {"window 1 of 2", "window 2 of 2", "all windows of a clip together"}
    together = rows["all windows of a clip together"]
    both = [s.recovery for s in result.model]
    assert together.recovery.mean == pytest.approx(np.mean(both)) and together.recovery.num_values == 1


def test_a_run_is_rolled_out_for_each_window(twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a clip with two, the earlier return is not given to the model: it is made and read like the later one."""
    trained = SimpleNamespace(model=SimpleNamespace(parameters=list), config=RolloutConfig(), step=7)
    monkeypatch.setattr("trainer.checkpoint.load_trained", lambda run, device: trained)
    monkeypatch.setattr("trainer.probe.run.read_seen", lambda run: None)

    def after(model: object, clip: Clip, config: RolloutConfig, window: int) -> Stand:
        made, end = remembers(clip), clip.windows[1].t_h + 1 if window == 0 else clip.num_frames
        now = made.generated & (made.frames > clip.windows[window].hidden_frames[-1]) & (made.frames < end)
        return dataclasses.replace(made, generated=now)

    monkeypatch.setattr("trainer.rollout.rollout", after)
    scores = probe(tmp_path, twice, tmp_path / "out", second_opinion=False).model
    assert [s.clock_ratio for s in scores] == pytest.approx([1.0, 1.0], abs=0.1)
    assert len(list((tmp_path / "out" / "strips").iterdir())) == 2


def test_a_target_that_stood_still_twice_is_behind_by_both(twice: Path) -> None:
    """In the second window of 1 s it lacks the 1.5 s of the first one too: clock ratio -1.5."""
    first, second = load_subjects(twice)
    assert (first.paused_time_s, second.paused_time_s) == (16 / 8, 34 / 8 - 12 / 8)
    assert "paused" in [x.name for x in exhibits(first, None)]
    assert not {"paused", "half speed", "reversed"} & {x.name for x in exhibits(second, None)}
    assert scored(first, freezes).clock_ratio == pytest.approx(0.0, abs=0.1)
    assert scored(second, freezes).recovery == 0.0


def test_a_window_without_sweep_is_named(twice: Path) -> None:
    with pytest.raises(ValueError, match="no window 2 with a sweep, there are 2 windows and 2 sweeps"):
        Subject.load(Clip.open(twice / "clips" / "a"), 2)


def test_variables_of_every_kind(glass: Subject) -> None:
    right = {v.name: v for v in scored(glass, remembers).variables}
    slow = {v.name: v for v in scored(glass, runs_at(0.5)).variables}
    still = {v.name: v for v in scored(glass, freezes).variables}
    moving = ("level_m", "hand_rad", "ends_m", "heat")
    for name in moving:
        assert right[name].relative_error == pytest.approx(0.0, abs=0.1)
        assert slow[name].relative_error == pytest.approx(0.5, abs=0.1)
        assert still[name].relative_error == pytest.approx(1.0, abs=0.1)
    assert [right["level_m"].evolution_ratio, slow["level_m"].evolution_ratio] == pytest.approx([1.0, 0.5], abs=0.1)
    assert right["seconds"].evolution_ratio is not None
    for name in ("hand_rad", "stage", "ends_m", "heat"):  # the hand turns by 3.3 of a cycle of 6 until the last frame
        assert right[name].evolution_ratio is None
    assert right["level_m"].within_tolerance and not still["level_m"].within_tolerance
    assert all(v.stability is None and v.plausibility == {} for v in right.values()), "nobody read values from pixels"


def test_laws_are_asked_of_what_the_pixels_show(glass: Subject) -> None:
    """By the time that was read every law would hold: such a state is the truth's at another time."""
    estimator = Estimator.fit(glass)

    def laws(rollout) -> dict[str, VariableScore]:  # type: ignore[no-untyped-def]
        found = score(glass, rollout(glass.clip), TOLERANT, estimator=estimator)
        return {v.name: v for v in found.variables}

    def back_and_forth(clip: Clip) -> Stand:
        source = clip.twin("observed").rgb[:]
        order = np.arange(len(source))
        order[glass.t_r + 2 :: 4] = glass.t_h + 2  # every other one of the frames that are shown
        return continues(clip, source[order])

    right, wrong = laws(remembers), laws(back_and_forth)
    assert right["level_m"].plausibility == {"monotone": 1.0} and right["level_m"].stability is None, "it moved"
    assert wrong["level_m"].plausibility["monotone"] == pytest.approx(0.5, abs=0.15)
    for name in ("mass_kg", "ends_m", "heat"):
        assert right[name].stability is None and right[name].plausibility == {}, "not read, or never changes"


def test_samples_give_bias_and_variance(sampled: ProbeResult) -> None:
    assert [(s.clip_id, s.sample) for s in sampled.model][:4] == [
        ("glass1", 0),
        ("glass1", 1),
        ("glass1", 2),
        ("glass2", 0),
    ]
    (row, by_type) = sample_rows(sampled)
    assert row.num_samples == 3 and by_type.name == "glass"
    assert row.bias is not None and row.bias.mean == pytest.approx(-0.25, abs=0.05)
    assert row.variance is not None and row.variance.mean == pytest.approx(0.0625, abs=0.02)
    assert row.recovery.mean == pytest.approx(0.75, abs=0.05) and row.recovery.num_values == 2


def test_one_sample_has_no_variance_rows(sampled: ProbeResult, twice: Path, tmp_path: Path) -> None:
    first = tuple(s for s in sampled.model if s.sample == 0)
    assert sample_rows(dataclasses.replace(sampled, model=first)) == []
    with pytest.raises(ValueError, match="samples: 0"):
        probe(None, twice, tmp_path, samples=0)


def test_rows_by_category_and_variable(sampled: ProbeResult) -> None:
    splits = {(r.split, r.name) for r in summary_rows(sampled)}
    assert {("STEVO category", "continuous process"), ("family", "drawn"), ("event type", "glass")} <= splits
    rows = {r.name: r for r in variable_rows(sampled)}
    assert set(rows) == {"level_m", "hand_rad", "seconds", "stage", "mass_kg", "ends_m", "heat"}
    level = rows["level_m"]
    assert level.num_scores == 6 and level.within_tolerance is not None
    assert level.within_tolerance.mean == pytest.approx(1 / 3)
    assert level.relative_error is not None and level.relative_error.mean == pytest.approx(0.25, abs=0.05)
