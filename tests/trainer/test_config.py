"""Configurations: read from JSON and from the command line, checked, compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from trainer.config import config_from_json, differences, override, validate
from trainer.config.limits import at_least, between
from trainer.config.reading import _read
from trainer.recipes import RECIPES, recipe


@dataclass(frozen=True, kw_only=True)
class Source:
    path: str
    weight: float = at_least(0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Every:
    """A field of every kind that there is."""

    name: str = "a"
    count: int = between(1, 9, 3)
    rate: float | None = None
    on: bool = False
    kind: Literal["x", "v"] = "x"
    size: tuple[int, int] = (64, 64)
    levels: tuple[float, ...] = (0.5,)
    drops: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[Source, ...] = (Source(path="here"),)
    only: Source = field(default_factory=lambda: Source(path="there"))

    def problems(self) -> list[str]:
        return ["size: must be square; give one number twice"] if self.size[0] != self.size[1] else []


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_valid_and_survives_its_file(name, tmp_path):
    config = recipe(name)
    validate(config)
    (tmp_path / "config.json").write_text(config.to_json())
    assert config_from_json(tmp_path / "config.json") == config
    assert not differences(config, config)


def test_text_of_the_command_line_becomes_the_type_of_the_field():
    changed = override(
        Every(),
        {
            "name": "3",
            "count": "4",
            "rate": "1e-3",
            "on": "True",
            "kind": "v",
            "size": "32,32",
            "levels": "[0.1, 1]",
            "drops": '{"frontier": 0.25}',
            "drops.degraded": "0.5",
            "sources.0.weight": "2",
            "only.path": "else",
        },
    )
    assert changed == Every(
        name="3",
        count=4,
        rate=1e-3,
        on=True,
        kind="v",
        size=(32, 32),
        levels=(0.1, 1.0),
        drops={"frontier": 0.25, "degraded": 0.5},
        sources=(Source(path="here", weight=2.0),),
        only=Source(path="else"),
    )
    assert override(changed, {"rate": "none", "sources": '[{"path": "p"}, {"path": "q", "weight": 0}]'}).rate is None
    assert override(changed, {"only": Source(path="given")}).only.path == "given"
    tree = json.loads(json.dumps({"size": [8, 8], "sources": [{"path": "p"}], "rate": 2}))
    assert _read(Every, tree, "") == Every(size=(8, 8), sources=(Source(path="p"),), rate=2.0)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"cuont": 1}, "cuont: unknown field, did you mean 'count'?"),
        ({"count": "2.5"}, "count: '2.5' is not a valid int"),
        ({"count": True}, "count: True is not a valid int"),
        ({"count": "10"}, "count: 10 is too large; give at most 9"),
        ({"count": 0}, "count: 0 is too small; give at least 1"),
        ({"rate": "nan"}, "rate: 'nan' is not a valid float"),
        ({"on": "yes"}, "on: 'yes' is neither true nor false"),
        ({"kind": "z"}, "kind: 'z' is not one of x, v"),
        ({"size": "1,2,3"}, "size: a list of 3, expected 2 values"),
        ({"size": "1,2"}, "size: must be square; give one number twice"),
        ({"only": 3}, "only: is a group of fields, got 3"),
        ({"levels": "0.5,a"}, "levels.1: 'a' is not a valid float"),
        ({"levels": "[0.5"}, "levels: '[0.5' is not JSON: Expecting ',' delimiter"),
        ({"drops": "3"}, "drops: '3' is not a mapping of names to values"),
        ({"sources": '[{"weight": 1}]'}, "sources.0.path: is missing; give it a value"),
        ({"sources.0.weight": -1}, "sources.0.weight: -1.0 is too small; give at least 0"),
        ({"sources.1.weight": 1}, "sources.1.weight: '1' is no place in a list of 1; count from 0"),
        ({"only": "there"}, "only: is a group; set one of only.path, only.weight"),
        ({"name.first": "b"}, "name.first: name has no fields of its own"),
        ({"name": 3}, "name: 3 is not text"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(changes, line):
    with pytest.raises(ValueError) as caught:
        override(Every(), changes)
    assert str(caught.value) == line


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ValueError) as caught:
        override(recipe("tiny"), {"optim.lr": -1.0, "model.dim": 130, "steps": 0})
    assert len(str(caught.value).splitlines()) == 3


def test_differences_are_named_by_their_dotted_fields():
    left = Every()
    right = override(left, {"count": 5, "sources.0.weight": 3, "levels": "1,2"})
    assert differences(left, right) == [
        "count: 3 and 5",
        "levels: (0.5,) and (1.0, 2.0)",
        "sources.0.weight: 1.0 and 3.0",
    ]
