"""`remind demo`: its plans are kept, and drawn anew when what draws them changed."""

from __future__ import annotations

from pathlib import Path

import pytest

import remind_demo
from scenes.commands import example_specs
from tests.render_jobs.support import job


def test_a_plan_is_kept_until_the_version_that_drew_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def sample_plans(spec, count, index):
        drawn.append(index)
        return [job("good", index).plan]

    monkeypatch.setattr(remind_demo, "sample_plans", sample_plans)
    spec = example_specs()[0]
    for version in (2, 2, 3):
        monkeypatch.setattr("render_jobs.jobs.PLAN_VERSION", version)
        assert remind_demo.sample_once(spec, 1, tmp_path) == job("good", 1).plan
    assert drawn == [1, 1]
