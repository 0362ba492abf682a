"""The door for files and texts that others wrote: regular files of bounded size, strict JSON, and lines safe to show.

Standard library only, so that `simulator.clip` can use it wherever clips are read.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import stat
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")  # safe as a file name, an HDF5 name and an object's name
MAX_LINE, MAX_WORD = 2000, 400  # characters of one line that is shown, and of a word in it
MAX_JSON_DEPTH, MAX_JSON_BYTES = 32, 64_000_000


def one_line(text: str) -> str:
    """The text as one line that a terminal only prints: whitespace joined, what does not print (escapes, NUL, marks
    that turn the direction of writing, halves of surrogates) spelled as `\\x1b`; cut when very long.

    A long word is cut in its middle, so that what is said behind it is kept.
    """
    joined = " ".join(
        w if len(w) <= MAX_WORD else f"{w[: MAX_WORD // 2]}...{w[-MAX_WORD // 4 :]}" for w in text.split()
    )
    cut = joined if len(joined) <= MAX_LINE else joined[:MAX_LINE] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def open_regular(path: Path) -> io.BufferedReader:
    """A regular file, open for reading; never waits, as a pipe or a device would make it.

    Raises OSError, or ValueError with the reason (no file name in it).
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise ValueError("is a directory")
        if not stat.S_ISREG(mode):
            raise ValueError("is not a regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return open(descriptor, "rb")


def read_regular(path: Path, max_bytes: int) -> bytes:
    """All bytes of a regular file, and never more than it says. Raises as `open_regular` does."""
    with open_regular(path) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError(f"larger than {max_bytes / 1e6:g} MB")
    return data


def read_json(path: Path, max_bytes: int) -> dict[str, Any]:
    """The object in a JSON file: UTF-8, no field twice, finite numbers, nested at most MAX_JSON_DEPTH deep.

    Raises ValueError: `file: json: reason`.
    """
    try:
        return parse_json(read_regular(path, max_bytes))
    except OSError as error:
        raise ValueError(one_line(f"{path}: cannot be read: {error.strerror or error}")) from None
    except ValueError as error:
        raise ValueError(one_line(f"{path}: json: {error}")) from None


def parse_json(data: bytes) -> dict[str, Any]:
    """As `read_json`, of bytes. Raises ValueError with the reason."""
    text = data.decode("utf-8")
    try:
        tree = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_JSON_DEPTH} levels") from None
    if not _is_finite(tree):
        json.loads(text, parse_float=_finite)  # says which
    if not isinstance(tree, dict):
        raise ValueError("expected an object with fields")
    return tree


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the field {next(n for n in names if names.count(n) > 1)[:60]!r} is given twice")
    return fields


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number that JSON knows; expected a finite number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large; expected a finite number")
    return number


def _is_finite(tree: Any) -> bool:
    """Whether all numbers with a fraction or an exponent are. Raises ValueError for too many levels of nesting.

    A level after the other, and a level of numbers alone without a step of Python for each: cameras are thousands of
    numbers, and looking at them one by one costs more than to parse them.
    """
    level, depth = [tree], 0
    while level:
        if depth > MAX_JSON_DEPTH:
            raise ValueError(f"nested deeper than {MAX_JSON_DEPTH} levels")
        kinds = set(map(type, level))
        if float in kinds and not all(map(math.isfinite, [value for value in level if type(value) is float])):
            return False
        nested = [value for value in level if type(value) in (dict, list)] if kinds & {dict, list} else []
        groups = [value.values() if type(value) is dict else value for value in nested]
        level, depth = list(chain.from_iterable(groups)), depth + 1
    return True


def walk(tree: Any) -> Iterator[Any]:
    """Everything in a tree of plain values, keys of objects included."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, dict):
            waiting += [part for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += value
