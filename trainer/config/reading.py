"""Configurations from JSON and from the command line, for any nested dataclass.

A field may be str, int, float, bool, a Literal, a union (`float | None`), `tuple[X, ...]`, `tuple[X, Y]`,
`Mapping[str, X]` or a dataclass, nested as deep as one likes. A dotted name reaches into all of them:
`optim.lr`, `mixture.sources.0.weight`.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from trainer.config.limits import validate
from trainer.config.training import TrainConfig
from untrusted import MAX_JSON_BYTES, one_line, read_json

Config = TypeVar("Config")
_MISSING = object()
_MOVED = {  # fields of older versions, and where they are now
    "data.codec_patch": "codec.patch",
    "data.dark_min_s": "data.hidden_min_s",
    "data.dark_max_s": "data.hidden_max_s",
    "curriculum.drop_degraded": "curriculum.node_drop.degraded",
    "curriculum.drop_frontier": "curriculum.node_drop.frontier",
    "curriculum.noisy_share": "curriculum.noisy_memory.share",
    "curriculum.noisy_max_level": "curriculum.noisy_memory.max_level",
    "curriculum.noisy_anchor_max_level": "curriculum.noisy_memory.anchor_max_level",
}


def config_from_json(path: Path) -> TrainConfig:
    """The configuration that `to_json` wrote; ValueError for a field that this version does not know."""
    tree = read_json(path, MAX_JSON_BYTES)
    try:
        loaded: TrainConfig = _read(TrainConfig, tree, "")
        validate(loaded)
    except ValueError as error:
        raise ValueError(one_line(f"{path}: {error}")) from None
    return loaded


def override(config: Config, changes: Mapping[str, Any]) -> Config:
    """Change few fields by dotted name, `{"optim.lr": 1e-3}`; text values are read as the field's type.

    The text of a tuple is `1,2,3` or JSON, that of a mapping or of a group JSON. Raises ValueError, naming the field.
    """
    for name, value in changes.items():
        config = _changed(type(config), config, name.split("."), value, name)
    validate(config)
    return config


def differences(left: Any, right: Any, prefix: str = "") -> list[str]:
    """Where two configurations differ, `optim.lr: 0.001 and 0.002`, in the order of the fields."""
    if dataclasses.is_dataclass(left) and type(left) is type(right):
        pairs = [(f.name, getattr(left, f.name), getattr(right, f.name)) for f in dataclasses.fields(left)]
    elif isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        pairs = [(key, left[key], right[key]) for key in left]
    elif isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        pairs = [(str(i), *both) for i, both in enumerate(zip(left, right, strict=True))]
    else:
        return [] if left == right else [f"{prefix}: {left!r} and {right!r}"]
    return [line for name, a, b in pairs for line in differences(a, b, f"{prefix}.{name}" if prefix else name)]


def _changed(hint: Any, current: Any, path: list[str], value: Any, name: str) -> Any:
    """`current` with the value at `path` below it exchanged."""
    if not path:
        if dataclasses.is_dataclass(current) and isinstance(value, str) and not value.startswith("{"):
            inside = ", ".join(f"{name}.{f.name}" for f in dataclasses.fields(current))
            raise ValueError(f"{name}: is a group; set one of {inside}")
        return _read(hint, value, name)
    key, rest = path[0], path[1:]
    if dataclasses.is_dataclass(current):
        field_hint = _field_type(type(current), key, name)
        return dataclasses.replace(
            current,  # type: ignore[type-var]
            **{key: _changed(field_hint, getattr(current, key), rest, value, name)},
        )
    if isinstance(current, dict):
        part_hint = _member(hint, dict)
        if key not in current and rest:
            raise ValueError(f"{name}: {key!r} is not there; known are {', '.join(current)}")
        return current | {key: _changed(part_hint, current.get(key, _MISSING), rest, value, name)}
    if isinstance(current, tuple):
        if not key.isdecimal() or int(key) >= len(current):
            raise ValueError(f"{name}: {key!r} is no place in a list of {len(current)}; count from 0")
        place = int(key)
        part_hint = _member(hint, tuple, place)
        changed = _changed(part_hint, current[place], rest, value, name)
        return (*current[:place], changed, *current[place + 1 :])
    raise ValueError(f"{name}: {name.rsplit('.' + key, 1)[0]} has no fields of its own")


def _member(hint: Any, kind: type, place: int = 0) -> Any:
    """The type of a member of a field whose type is `hint`."""
    for option in _options(hint):
        origin, arguments = get_origin(option), get_args(option)
        if kind is dict and origin is not None and issubclass(origin, Mapping):
            return arguments[1]
        if kind is tuple and origin is tuple:
            return arguments[0] if arguments[-1] is Ellipsis else arguments[place]
    raise TypeError(f"{hint} has no members")  # our own mistake: the value would not be there


def _options(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _read(hint: Any, value: Any, name: str) -> Any:
    """`value`, from JSON or as text, as the type `hint`."""
    options = _options(hint)
    if len(options) > 1:
        return _read_union(options, value, name)
    if hint is type(None):
        if value is None or value in ("none", "null"):
            return None
        raise ValueError(f"{name}: {_brief(value)} is not none")
    origin = get_origin(hint)
    if origin is Literal:
        if value not in get_args(hint):
            raise ValueError(f"{name}: {_brief(value)} is not one of {', '.join(map(str, get_args(hint)))}")
        return value
    if origin is tuple:
        return tuple(_read_members(get_args(hint), value, name))
    if origin is not None and issubclass(origin, Mapping):
        tree = _from_text(value, name)
        if not isinstance(tree, Mapping):
            raise ValueError(f"{name}: {_brief(value)} is not a mapping of names to values")
        return {key: _read(get_args(hint)[1], part, f"{name}.{key}") for key, part in tree.items()}
    if dataclasses.is_dataclass(hint):
        return _read_group(hint, value, name)
    return _read_plain(hint, value, name)


def _read_union(options: tuple[Any, ...], value: Any, name: str) -> Any:
    failures = []
    for option in sorted(options, key=lambda o: o is not type(None)):
        try:
            return _read(option, value, name)
        except ValueError as error:
            failures.append(str(error))
    raise ValueError(failures[-1])


def _read_members(hints: tuple[Any, ...], value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, str):
        value = _from_text(value, name) if value.startswith("[") else [v for v in value.split(",") if v]
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name}: {_brief(value)} is not a list")
    each = [hints[0]] * len(value) if hints[-1] is Ellipsis else list(hints)
    if len(each) != len(value):
        raise ValueError(f"{name}: a list of {len(value)}, expected {len(each)} values")
    for place, (hint, part) in enumerate(zip(each, value, strict=True)):
        yield _read(hint, part, f"{name}.{place}")


def _read_group(cls: Any, value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(value) and isinstance(value, cls):
        return value
    tree = _from_text(value, name)
    if not isinstance(tree, Mapping):
        raise ValueError(f"{name}: is a group of fields, got {_brief(value)}")
    prefix = f"{name}." if name else ""
    read = {key: _read(_field_type(cls, key, prefix + key), part, prefix + key) for key, part in tree.items()}
    absent = [f.name for f in dataclasses.fields(cls) if _is_required(f) and f.name not in read]
    if absent:
        raise ValueError(f"{prefix}{absent[0]}: is missing; give it a value")
    return cls(**read)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _read_plain(hint: Any, value: Any, name: str) -> Any:
    if hint is bool:
        if str(value).lower() not in ("true", "false"):
            raise ValueError(f"{name}: {_brief(value)} is neither true nor false")
        return str(value).lower() == "true"
    if hint is str:
        if not isinstance(value, str):
            raise ValueError(f"{name}: {_brief(value)} is not text")
        return value
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
        if not math.isfinite(number) or (hint is int and number != int(number)):
            raise ValueError
        return int(value if isinstance(value, int) else number) if hint is int else number
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {_brief(value)} is not a valid {hint.__name__}") from None


def _from_text(value: Any, name: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name}: {_brief(value)} is not JSON: {error.msg}") from None


def _field_type(cls: type, key: str, name: str) -> Any:
    if name in _MOVED:
        raise ValueError(f"{name}: is now {_MOVED[name]}; say it there (a run of an older version cannot go on)")
    known = [f.name for f in dataclasses.fields(cls)]
    if key not in known:
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
        raise ValueError(f"{name}: unknown field, {hint}")
    return get_type_hints(cls)[key]


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
