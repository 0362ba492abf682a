"""What a configuration may say: ranges that stand with the fields, rules between fields that stand with their group.

A group with rules has `problems() -> list[str]`, each one line `field: value, what is wrong; the fix`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any


def at_least(low: float, default: Any) -> Any:
    """A dataclass field that is a number >= low (or None, where its type says so)."""
    return dataclasses.field(default=default, metadata={"low": low})


def between(low: float, high: float, default: Any) -> Any:
    """A dataclass field that is a number in [low, high] (or None, where its type says so)."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high})


def validate(config: Any) -> None:
    """Raises ValueError with one line for everything that is wrong."""
    if found := list(_problems(config, "")):
        raise ValueError("\n".join(found))


def _problems(group: Any, prefix: str) -> Iterator[str]:
    for field in dataclasses.fields(group):
        value = getattr(group, field.name)
        name = prefix + field.name
        for place, part in _groups(value, name):
            yield from _problems(part, f"{place}.")
        low, high = field.metadata.get("low"), field.metadata.get("high")
        if value is None or low is None:
            continue
        if not value >= low:
            yield f"{name}: {value} is too small; give at least {low:g}"
        elif high is not None and value > high:
            yield f"{name}: {value} is too large; give at most {high:g}"
    if hasattr(group, "problems"):
        yield from (prefix + problem for problem in group.problems())


def _groups(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The groups that a field holds: itself, or the members of a tuple or mapping."""
    if dataclasses.is_dataclass(value):
        yield name, value
    elif isinstance(value, tuple):
        yield from ((f"{name}.{i}", part) for i, part in enumerate(value) if dataclasses.is_dataclass(part))
    elif isinstance(value, dict):
        yield from ((f"{name}.{key}", part) for key, part in value.items() if dataclasses.is_dataclass(part))
