"""The picture part of `check_event`: for 14 fixed types, and for those whose files changed since the last full run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from event_library.registry import EVENT_TYPES
from event_library.taxonomy import families
from render_jobs import pictures
from render_jobs.pictures import check_pictures, source_digest
from simulator.strips import NAMES, Reading, Strip
from tests.simulator.support import tank_plan

FIXED = (
    "tank_filling", "kettle_boiling_away", "candle_burning_down", "flower_opening", "toy_train_oval", "pendulum_swing",
    "hourglass", "domino_chain", "liesegang_rings", "balloon_inflating", "tide_rising", "block_stacking_gripper",
    "tower_of_hanoi", "timer_valve_tank_leds",
)  # fmt: skip
RECORD = Path(__file__).parent / "checked_pictures.txt"  # written by benchmarks/events.py --full --write
STRIP = Strip(tank_plan(), np.zeros((len(NAMES), 4, 4, 3), dtype=np.uint8), 10.0, 0.01, ())


def changed_types() -> list[str]:
    """Types that were rendered and sound in another form than today's."""
    known = dict(line.split() for line in RECORD.read_text().splitlines())
    return [name for name in EVENT_TYPES if name in known and known[name] != source_digest(name)]


def test_the_fixed_types_are_one_of_each_family() -> None:
    assert sorted(EVENT_TYPES[name].info.family for name in FIXED) == sorted(families())


def test_rendered_types_keep_their_promises() -> None:
    pytest.importorskip("bpy", reason="Blender's module exists for Python 3.11 only")
    names = list(dict.fromkeys([*FIXED, *changed_types()]))
    broken = [report.table() for report in check_pictures(names) if not report.sound]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(("mean", "share", "sound"), [(8.0, 0.0, True), (0.0, 0.05, True), (7.9, 0.049, False)])
def test_one_of_two_changes_must_show(mean: float, share: float, sound: bool) -> None:
    report = pictures._report("x", [STRIP, dataclasses.replace(STRIP, mean_change=mean, changed_share=share)])
    assert report.sound == sound


def test_a_wrong_reading_and_a_plan_that_fails_break_it() -> None:
    wrong = Reading(frame=3, name="level", measured=0.05, truth=0.07, tolerance=0.01)
    report = pictures._report("x", [dataclasses.replace(STRIP, readings=(wrong,))])
    assert not report.sound and "level 0.05 for 0.07 +- 0.01" in report.table()
    assert not pictures._report("x", [STRIP, "no turn hides it"]).sound
    unseen = dataclasses.replace(wrong, measured=float("nan"))
    assert not pictures._report("x", [dataclasses.replace(STRIP, readings=(unseen,))]).sound


def test_a_type_that_cannot_be_planned_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    from scenes.errors import SpecError

    def refuse(name: str, index: int, size_px: int) -> None:
        raise SpecError([f"{name}: cannot be hidden"])

    monkeypatch.setattr(pictures, "showing_plan", refuse)
    (report,) = check_pictures(["tank_filling"], num_samples=2)
    assert not report.sound and "cannot be hidden" in report.table()
