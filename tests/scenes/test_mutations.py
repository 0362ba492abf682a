"""Whatever a spec file holds: either SpecError with a place, or plans that equal their own read-back."""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenes.commands import example_specs
from scenes.errors import SpecError
from scenes.loading import parse_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from tests.scenes.stand_ins import SPEC, TYPES

ONE_LINE = re.compile(r"k\.yaml:\d+: [^\n]+: [^\n]+$")
quick = settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SNIPPETS = [
    "\t",
    "\n",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "!!float ",
    "1e-3",
    ".nan",
    ".inf",
    "-",
    "null",
    "'",
    '"',
    "#",
]
SNIPPETS += [
    "\x00",
    "\ud7ff",
    "é",
    "%YAML 9.9\n",
    "---\n",
    "...",
    "? ",
    "<<: ",
    "0x1f",
    "1:30",
    "yes",
    "9" * 30,
    "uniform",
    "|",
]
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    3,
    1e-9,
    1e12,
    10**18,
    "",
    "x",
    "column",
    [],
    [1],
    [1, 2],
    [2, 1],
    [0, 0, 0],
]
VALUES += [{}, {"uniform": [1, 2]}, {"uniform": [0, 1e9]}, {"choice": []}, {"choice": ["a", 1]}, {"normal": [1, 1]}]
VALUES += [
    {"uniform_int": [1, 4]},
    {"loguniform": [0.1, 1]},
    {"a": 1, "b": 2},
    "look_away",
    "lights_off",
    "glow",
    "swing",
]


@cache
def outcome(text: str) -> str:
    """`plan` or the error's line; anything else raises."""
    try:
        spec = parse_spec(text, "k.yaml", TYPES)
        if spec.clip.resolution[0] > 512:
            return "plan"
        plans = sample_plans(spec, 1, event_types=TYPES)
    except SpecError as error:
        assert all(ONE_LINE.match(problem) for problem in error.problems), error.problems
        return str(error)
    assert ScenePlan.from_dict(plans[0].to_dict()) == plans[0]
    return "plan"


@quick
@given(st.data())
def test_mutated_text(data: st.DataObject) -> None:
    text = SPEC
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        match data.draw(st.sampled_from(["insert", "delete", "double line", "cut"])):
            case "insert":
                text = text[:at] + data.draw(st.sampled_from(SNIPPETS) | st.text(max_size=3)) + text[at:]
            case "delete":
                text = text[:at] + text[at + data.draw(st.integers(1, 8)) :]
            case "double line":
                lines = text.splitlines(keepends=True) or [""]
                i = data.draw(st.integers(0, len(lines) - 1))
                text = "".join([*lines[: i + 1], lines[i], *lines[i + 1 :]])
            case "cut":
                text = text[:at]
    outcome(text)


def places(tree: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything in a tree."""
    found = [here]
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        found += places(value, (*here, key))
    return found


@quick
@given(st.data())
def test_mutated_tree(data: st.DataObject) -> None:
    tree = copy.deepcopy(yaml.safe_load(SPEC))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places(tree)[1:] or [("version",)]))
        parent = tree
        for step in place[:-1]:
            parent = parent[step]
        match data.draw(st.sampled_from(["set", "drop", "rename"])):
            case "set":
                parent[place[-1]] = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
            case "drop":
                del parent[place[-1]]
            case "rename" if isinstance(parent, dict):
                parent[data.draw(st.sampled_from(["x", "seed", "kind", "at_s", "turn_deg", "distance_m"]))] = (
                    parent.pop(place[-1])
                )
    outcome(yaml.safe_dump(tree, sort_keys=False))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_text(content: bytes) -> None:
    outcome(content.decode("utf-8", errors="replace"))


def test_the_stand_in_and_the_examples_are_good_to_begin_with() -> None:
    assert outcome(SPEC) == "plan"
    for name, text in ((spec.name, spec.read_text()) for spec in example_specs()):
        assert parse_spec(text, name).name == name.removesuffix(".yaml")
