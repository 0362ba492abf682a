"""The benchmark's suite is fixed: its digests, a balanced table, and tasks that still draw the plans it pins."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from event_library.registry import EVENT_TYPES
from remind_bench_verbs import SUITES
from scenes.suite import SIZES, load_suite, plan_task

DIGESTS = {"v1": "257363c3ee075440", "v1-small": "8073cadebc349861"}
DRAWN = ("bubble_sort_bars-lights_off", "sediment_settling-lights_off", "ferris_wheel-look_away")


@pytest.mark.parametrize("name", SIZES)
def test_the_suite_does_not_drift(name: str) -> None:
    """A change of table, template or size is another suite: give it another name, and pin that."""
    assert load_suite(name).digest == DIGESTS[name]


def test_the_command_line_knows_the_suites() -> None:
    assert tuple(SIZES) == SUITES
    with pytest.raises(ValueError, match="no suite 'v0'; there are: v1, v1-small"):
        load_suite("v0")


def test_the_table_is_balanced_and_true_of_the_library() -> None:
    tasks = load_suite("v1").tasks
    assert len(tasks) == len({t.id for t in tasks}) == len({t.type for t in tasks}) == 96
    assert set(Counter(t.category for t in tasks).values()) == {16} and len({t.category for t in tasks}) == 6
    cells = Counter((t.category, t.kind) for t in tasks)
    assert len(cells) == 6 * 7 and min(cells.values()) >= 2
    assert {t.option for t in tasks if t.kind == "corrupt"} == {f"corruption: {w}" for w in ("noise", "blur", "blocks")}
    for task in tasks:
        info = EVENT_TYPES[task.type].info
        assert (info.stevo_category, info.family, info.held_out) == (task.category, task.family, task.held_out), task.id
    assert sum(t.held_out for t in tasks) >= 20


@pytest.mark.parametrize("task_id", DRAWN)
def test_tasks_draw_the_plans_they_pin(task_id: str) -> None:
    suite = load_suite("v1-small")
    task = next(t for t in suite.tasks if t.id == task_id)
    plan = plan_task(suite, task)
    assert plan.name == suite.plan_name(task) and plan.interruptions[0].kind == task.kind
    moved = dataclasses.replace(task, plan_id="0" * 20)
    if task_id == DRAWN[0]:
        with pytest.raises(ValueError, match=r"this version draws .* use the version"):
            plan_task(suite, moved)
