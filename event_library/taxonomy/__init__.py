"""Facts of the event types of this library: one YAML file per family, one entry per type (fields: base.EventInfo).

Laws are written in ASCII: `name(t)=expression; name=expression; words`, with * / ^ sqrt() and Greek letters spelt out.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from event_library.base import EventInfo

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FIELDS = frozenset(field.name for field in dataclasses.fields(EventInfo)) - {"id", "family"}


@cache
def _family(name: str) -> dict[str, dict[str, Any]]:
    text = (files(__package__) / f"{name}.yaml").read_text("utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.load(text, Loader=_LOADER)  # noqa: S506 (a safe loader, of our own files)
    return loaded


@cache
def families() -> tuple[str, ...]:
    """Names of all families, in alphabetical order."""
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files(__package__).iterdir() if f.name.endswith(".yaml")))


def type_ids(family: str) -> tuple[str, ...]:
    """Ids of a family's types, in the order of its file."""
    return tuple(_family(family))


@cache
def facts(type_id: str) -> EventInfo:
    """The facts of one type. Raises KeyError for an id that no family lists, TypeError for fields that do not exist."""
    family = next((name for name in families() if type_id in _family(name)), None)
    if family is None:
        raise KeyError(f"{type_id}: no family in event_library/taxonomy lists it")
    entry = _family(family)[type_id]
    if unknown := set(entry) - _FIELDS:
        raise TypeError(f"event_library/taxonomy/{family}.yaml: {type_id}: unknown fields {sorted(unknown)}")
    lists = {name: tuple(value) for name, value in entry.items() if isinstance(value, list)}
    return EventInfo(id=type_id, family=family, **{**entry, **lists})
