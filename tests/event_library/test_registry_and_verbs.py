"""The registry, and the verbs of `remind events`."""

from __future__ import annotations

import json
import types

import pytest

from event_library import commands
from event_library.families import flow
from event_library.registry import EVENT_TYPES, fold, get_type


def test_types_are_found_by_id() -> None:
    assert get_type("tank_filling") is flow.TankFilling
    assert list(EVENT_TYPES) == [kind.info.id for kind in EVENT_TYPES.values()]


def test_registry_is_read_only() -> None:
    with pytest.raises(TypeError):
        EVENT_TYPES["other"] = flow.TankFilling  # type: ignore[index]


def test_a_misspelt_id_is_answered_with_the_near_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'pendulum_swing'"):
        get_type("pendulum_swng")
    with pytest.raises(ValueError, match="there are candle_burning_down"):
        get_type("x")


def test_two_types_with_one_id_are_refused() -> None:
    twin = types.ModuleType("twin")
    twin.Again = type("Again", (flow.TankFilling,), {"__module__": "twin"})  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="'tank_filling' is defined by TankFilling and Again"):
        fold((flow, twin))


def test_list_names_every_type() -> None:
    lines = commands.list_types().splitlines()
    assert [line.split()[0] for line in lines] == list(EVENT_TYPES)
    assert [facts["id"] for facts in json.loads(commands.list_types(as_json=True))] == list(EVENT_TYPES)


def test_show_speaks_yaml() -> None:
    text = commands.show_type("pendulum_swing")
    assert "release_angle_deg" in text and "14 .. 25 deg" in text
    facts = json.loads(commands.show_type("pendulum_swing", as_json=True))
    assert {p["name"]: p["unit"] for p in facts["params"]}["length_m"] == "m"


def test_check_reports_by_table() -> None:
    text, sound = commands.check_types(["candle_burning_down"])
    assert sound and text.startswith("candle_burning_down: sound")


