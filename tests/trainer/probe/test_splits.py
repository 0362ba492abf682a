"""Splits: labels from facts alone, and their rows, bars and sentences in the report."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.trainer.probe.stand_ins import remembers
from trainer.probe import run
from trainer.probe.compare import compare
from trainer.probe.result import ProbeResult
from trainer.probe.splits import (
    LONGER,
    NEW_SEEDS,
    NEW_TYPES,
    SPLITS,
    TRAINED_SCENES,
    UNSEEN_COMPOSITION,
    UNSEEN_INTERRUPTION,
    WindowFacts,
    splits_of,
)
from trainer.probe.subject import load_subjects
from trainer.probe.summary import FROM_TRAINING, summary_rows
from trainer.seen import Seen

SEEN = Seen(
    scenes=frozenset({"kitchen"}),
    compositions=frozenset({("tank",), ("bar",), ("candle", "clock", "clock")}),
    interruptions=frozenset({"lights_off", "look_away"}),
    longest_hidden_s=2.0,
)
USUAL = WindowFacts(
    scene_id="yard",
    event_type="tank",
    scene_types=("tank",),
    kinds=frozenset({"lights_off"}),
    hidden_s=2.0,
    frame_s=0.25,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [NEW_SEEDS]),
        ({"scene_id": "kitchen"}, [TRAINED_SCENES]),
        ({"event_type": "hourglass", "scene_types": ("hourglass",)}, [NEW_TYPES]),
        ({"kinds": frozenset({"fog"})}, [UNSEEN_INTERRUPTION]),
        ({"kinds": frozenset({"fog", "lights_off"})}, [UNSEEN_INTERRUPTION]),
        ({"kinds": frozenset({"look_away", "lights_off"})}, [NEW_SEEDS]),
        ({"scene_types": ("tank", "bar")}, [UNSEEN_COMPOSITION]),
        ({"event_type": "clock", "scene_types": ("clock", "candle")}, [NEW_SEEDS]),
        ({"event_type": "clock", "scene_types": ("clock", "clock")}, [NEW_SEEDS]),
        ({"event_type": "candle", "scene_types": ("candle", "candle")}, [UNSEEN_COMPOSITION]),
        ({"event_type": "hourglass", "scene_types": ("hourglass", "tank")}, [NEW_TYPES, UNSEEN_COMPOSITION]),
        ({"hidden_s": 2.25}, [NEW_SEEDS]),  # one frame more is how hidden times are known
        ({"hidden_s": 2.5}, ["longer hiding, 1.5 x"]),
        ({"hidden_s": 2.45, "frame_s": 0.1}, ["longer hiding, < 1.25 x"]),
        ({"hidden_s": 3.0}, ["longer hiding, 1.5 x"]),
        ({"hidden_s": 4.0}, ["longer hiding, 2 x"]),
        ({"hidden_s": 7.0}, ["longer hiding, > 2.5 x"]),
        (
            {"scene_id": "kitchen", "hidden_s": 4.0, "kinds": frozenset({"fog"})},
            [TRAINED_SCENES, "longer hiding, 2 x", UNSEEN_INTERRUPTION],
        ),
    ],
)
def test_labels_follow_from_facts(changes: dict[str, object], expected: list[str]) -> None:
    window = dataclasses.replace(USUAL, **changes)  # type: ignore[arg-type]
    assert list(splits_of(window, SEEN)) == expected


def test_every_window_of_a_complete_run_is_in_a_split() -> None:
    nothing = Seen(scenes=frozenset(), compositions=frozenset(), interruptions=frozenset(), longest_hidden_s=0.0)
    assert splits_of(USUAL, nothing) == (NEW_TYPES, "longer hiding, > 2.5 x", UNSEEN_INTERRUPTION)
    assert set(LONGER) < set(SPLITS) and len(set(SPLITS)) == len(SPLITS)


def test_of_an_older_run_nothing_new_is_claimed() -> None:
    older = dataclasses.replace(SEEN, complete=False)
    assert splits_of(USUAL, older) == ()
    assert splits_of(dataclasses.replace(USUAL, scene_id="kitchen", hidden_s=9.0), older) == (TRAINED_SCENES,)


def test_facts_of_a_window(dataset: Path) -> None:
    subject = next(s for s in load_subjects(dataset) if s.event_type == "glass")
    facts = WindowFacts.of(subject)
    assert facts == WindowFacts(
        scene_id=subject.scene_id,
        event_type="glass",
        scene_types=("glass",),
        kinds=frozenset({"lights_off"}),
        hidden_s=15 / 8,
        frame_s=1 / 8,
    )


@pytest.fixture(scope="module")
def split(glass_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ProbeResult, Path]:
    """A model that was trained on one of two scenes, never in the dark, and never for more than 1.2 s."""
    seen = Seen(
        scenes=frozenset({"scene-glass-1"}),
        compositions=frozenset({("glass",)}),
        interruptions=frozenset({"fog"}),
        longest_hidden_s=1.2,
    )
    out = tmp_path_factory.mktemp("split")
    with pytest.MonkeyPatch.context() as patch:
        generators = [lambda clip, window: remembers(clip)]
        patch.setattr(run, "_load_run", lambda *_: (generators, {"directory": "r", "step": 5}, seen))
        return run.probe("r", glass_data, out, second_opinion=False), out


def test_the_report_parts_windows_by_what_training_saw(split: tuple[ProbeResult, Path]) -> None:
    result, out = split
    dark = ("longer hiding, 1.5 x", UNSEEN_INTERRUPTION)
    assert [c.splits for c in result.clips] == [(TRAINED_SCENES, *dark), dark]
    assert ProbeResult.read(out / "probe.json").clips == result.clips
    rows = {r.name: r for r in summary_rows(result) if r.split == FROM_TRAINING}
    assert list(rows) == [TRAINED_SCENES, *dark], "in the order of SPLITS"
    assert [r.recovery.num_values for r in rows.values()] == [1, 2, 2]
    assert rows[UNSEEN_INTERRUPTION].recovery.num_scenes == 2
    page = (out / "index.html").read_text()
    assert "By distance from training" in page and page.count("<td>longer hiding, 1.5 x</td>") == 1
    assert "In 2 of them more is new than the scene" in page
    assert "trained scenes, longer hiding, 1.5 x, unseen interruption" in page


def test_without_a_note_of_training_there_is_no_such_part(sampled: ProbeResult) -> None:
    assert all(c.splits == () for c in sampled.clips)
    assert not [r for r in summary_rows(sampled) if r.split == FROM_TRAINING]


def test_models_are_compared_within_a_split(split: tuple[ProbeResult, Path]) -> None:
    result, _ = split
    (row,) = compare({"a": result, "b": result}, split=TRAINED_SCENES)
    assert row.estimate.num_values == 1 and row.estimate.mean == 0.0
    (row,) = compare({"a": result, "b": result}, split=UNSEEN_INTERRUPTION)
    assert row.estimate.num_values == 2
    with pytest.raises(ValueError, match="share no clip"):
        compare({"a": result, "b": result}, split=NEW_TYPES)
