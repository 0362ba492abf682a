"""The fuzzers of benchmarks/fuzzing on fewer inputs: whatever a spec or a plan file holds, a clean line or a good plan.

`python -m benchmarks.fuzz` runs them at length, with every event type of the library; docs/RESULTS.md has the figures.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.fuzzing import plans, specs, targets
from benchmarks.fuzzing.watch import Subject, fuzz, summary
from scenes.commands import example_specs
from scenes.loading import parse_spec
from tests.scenes import faulty
from tests.scenes.stand_ins import SPEC, TYPES


def test_whatever_the_file_holds_the_loader_says_a_clean_line() -> None:
    words = Counter(targets.load(specs.loader_input(7, index)) for index in range(300))
    assert len(words) > 30 and words[targets.GOOD] > 20


def test_whatever_the_spec_asks_the_planner_refuses_or_plans() -> None:
    """With stand-in event types on empty tables: the library's take seconds each (docs/RESULTS.md)."""
    stock = specs.Stock(specs.with_trees([SPEC]), TYPES, worlds=("tabletop",), most_clutter=0)
    words = Counter(targets.plan(specs.planner_input(7, index, stock), TYPES) for index in range(500))
    assert len(words) > 20 and words[targets.GOOD] > 40


def test_whatever_the_plan_file_holds_it_is_read_or_refused_in_a_line() -> None:
    words = Counter(targets.read_plan(plans.plan_input(7, index)) for index in range(300))
    assert len(words) > 30 and words[targets.GOOD] > 3


def test_the_examples_are_good_to_begin_with() -> None:
    assert targets.plan(SPEC.encode(), TYPES) == targets.GOOD
    for name, text in ((spec.name, spec.read_text()) for spec in example_specs()):
        assert parse_spec(text, name).name == name.removesuffix(".yaml")


# ---- the watch itself finds what it is there to find
FAULTY = Subject(make=faulty.made, target=faulty.target, limit_s=1.0)


def test_the_watch_keeps_what_ends_badly_and_goes_on_where_it_was(tmp_path: Path) -> None:
    outcomes = fuzz(FAULTY, seed=0, inputs=9, folder=tmp_path, note=lambda line: None)
    assert {o.index: o.word.split(":")[0] for o in outcomes if o.bad} == {3: "CRASH", 5: "HANG", 7: "HANG"}
    assert "6 good, 0 refused" in summary(outcomes) and "3 bad" in summary(outcomes)
    assert (tmp_path / "bad-0-5.bin").read_bytes() == b"5"
    assert "KeyError: 'a traceback'" in (tmp_path / "bad-0-3.txt").read_text()
    again = Subject(make=faulty.made, target=lambda content: "asked again", limit_s=1.0)
    assert [o.index for o in fuzz(again, seed=0, inputs=9, folder=tmp_path)] == list(range(9))  # starts no process
