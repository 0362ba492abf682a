"""The longest tests come first, so that no process is alone with one of them at the end of `make test`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# no clock decides a test: on a busy machine drawing inputs may be slow
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")

LONGEST = (
    "test_tool_finds_nothing[mypy]",
    "test_rendered_types_keep_their_promises",
    "test_whatever_the_spec_asks_the_planner_refuses_or_plans",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.name not in LONGEST)
