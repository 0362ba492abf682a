"""The registry, and the verbs of `remind events`."""

from __future__ import annotations

import json

import pytest

from event_library import commands
from event_library.check import CheckReport, Finding
from event_library.families.flow.filling import TankFilling
from event_library.registry import EVENT_TYPES, fold, get_type


def test_types_are_found_by_id() -> None:
    assert get_type("tank_filling") is TankFilling
    assert list(EVENT_TYPES) == [kind.info.id for kind in EVENT_TYPES.values()]


def test_registry_is_read_only() -> None:
    with pytest.raises(TypeError):
        EVENT_TYPES["other"] = TankFilling  # type: ignore[index]


def test_a_misspelt_id_is_answered_with_the_near_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'pendulum_swing'"):
        get_type("pendulum_swng")
    with pytest.raises(ValueError, match="`remind events list` names all"):
        get_type("x")


def test_two_types_with_one_id_are_refused() -> None:
    again = type("Again", (TankFilling,), {})
    with pytest.raises(ValueError, match="'tank_filling' is defined by TankFilling and Again"):
        fold((TankFilling, again))


def test_list_names_every_type() -> None:
    lines = commands.list_types().splitlines()
    assert [line.split()[0] for line in lines] == list(EVENT_TYPES)
    assert [facts["id"] for facts in json.loads(commands.list_types(as_json=True))] == list(EVENT_TYPES)


def test_show_speaks_yaml() -> None:
    text = commands.show_type("pendulum_swing")
    assert "release_angle_deg" in text and "14 .. 25 deg" in text
    facts = json.loads(commands.show_type("pendulum_swing", as_json=True))
    assert {p["name"]: p["unit"] for p in facts["params"]}["length_m"] == "m"


def test_one_report_is_shown_in_full() -> None:
    reports = commands.check_types(["candle_burning_down"], num_samples=2)
    assert commands.report_text(reports).startswith("candle_burning_down: sound\n")


def test_several_reports_are_a_line_each_and_broken_ones_in_full() -> None:
    fine = CheckReport("fine", (Finding("a", 0.0, 1.0),))
    broken = CheckReport("broken", (Finding("b", 2.0, 1.0, "because"),))
    lines = commands.report_text([fine, broken]).splitlines()
    assert lines[0].startswith("fine    sound") and lines[1].startswith("broken  BROKEN  b")
    assert any("NO  b" in line and "because" in line for line in lines)
    assert lines[-1] == "1 of 2 types are sound"
