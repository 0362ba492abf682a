"""Mutations that every generator shares: of text, of bytes and of trees of plain values."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

Place = tuple[Any, ...]
SNIPPETS = (
    "\t", "\n", ":", "- ", "{", "}", "[", "]", "&a ", "*a", "!!float ", "!!python/object/apply:os.system ", "1e-3",
    ".nan", ".inf", "-", "null", "'", '"', "#", "\x00", "\x1b[31m", "\u202e", "\ud7ff", "é", "%YAML 9.9\n", "---\n",
    "...", "? ", "<<: ", "0x1f", "1:30", "yes", "9" * 30, "9" * 5000, "uniform", "|", "../", "NaN", "Infinity", "1e999",
    "\\ud800", "[" * 200,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 0.5, 1e-9, 1e12, -1e12, 10**18, 10**40, 2**31, "", "x", "glass", [], [1], [1, 2],
    [2, 1], [0, 0, 0], [1e9, 1e9], {}, {"uniform": [1, 2]}, {"uniform": [0, 1e9]}, {"choice": []},
    {"choice": ["a", 1]}, {"normal": [1, 1]}, {"uniform_int": [1, 4]}, {"loguniform": [0.1, 1]}, {"a": 1, "b": 2},
    "look_away", "lights_off",
    "../../etc/passwd", "/etc/passwd", "<script>alert(1)</script>", "\x1b[2J", "a" * 3000, "a\nb", "\x00", "__class__",
    [[[[[[[[]]]]]]]], list(range(500)), {str(i): i for i in range(300)},
)  # fmt: skip


def pick(rng: np.random.Generator, options: Any) -> Any:
    """One of a sequence (numpy's choice would turn mixed values into text)."""
    return options[int(rng.integers(len(options)))]


def mutated_text(text: str, rng: np.random.Generator) -> str:
    """The text with one to three places inserted into, cut, doubled or swapped."""
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(text) + 1))
        match int(rng.integers(5)):
            case 0:
                text = text[:at] + pick(rng, SNIPPETS) + text[at:]
            case 1:
                text = text[:at] + text[at + int(rng.integers(1, 12)) :]
            case 2:
                lines = text.splitlines(keepends=True) or [""]
                i = int(rng.integers(len(lines)))
                text = "".join([*lines[: i + 1], lines[i], *lines[i + 1 :]])
            case 3 if rng.uniform() < 0.2:
                text = text[:at]
            case _:
                text = text[:at] + chr(int(rng.integers(1, 0x2100))) + text[at + 1 :]
    return text


def mutated_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with some overwritten, cut off, cut out or repeated."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        at = int(rng.integers(len(changed) + 1))
        match int(rng.integers(8)):
            case 0:
                del changed[at : at + int(rng.integers(1, 64))]
            case 1:
                changed[at:at] = changed[at : at + int(rng.integers(1, 64))]
            case 2 if rng.uniform() < 0.2:
                del changed[at:]
            case 3:
                changed[at : at + 8] = int(rng.integers(0, 2**63)).to_bytes(8, "little")
            case 4:
                changed[at : at + 4] = b"\xff" * 4
            case _:
                changed[at : at + 1] = bytes([int(rng.integers(256))])
    return bytes(changed)


def places(tree: Any, here: Place = ()) -> list[Place]:
    """Paths of everything in a tree."""
    found = [here]
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        found += places(value, (*here, key))
    return found


def mutated_tree(tree: Any, rng: np.random.Generator, words: tuple[str, ...]) -> Any:
    """A copy with one to three values replaced, scaled, moved, renamed (to one of `words`), doubled or dropped."""
    tree = copy.deepcopy(tree)
    for _ in range(int(rng.integers(1, 4))):
        inner = places(tree)[1:]
        if not inner:
            return tree
        parent, key = _spot(tree, rng)
        _mutate(parent, key, tree, inner, rng, words)
    return tree


def _spot(tree: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """A container and a key in it, by a walk down, so that long lists don't draw all mutations to themselves."""
    while True:
        key = pick(rng, list(tree) if isinstance(tree, dict) else range(len(tree)))
        inner = tree[key]
        if not isinstance(inner, dict | list) or not inner or rng.uniform() < 0.15:
            return tree, key
        tree = inner


def _mutate(
    parent: Any, key: Any, tree: Any, inner: list[Place], rng: np.random.Generator, words: tuple[str, ...]
) -> None:
    value = parent[key]
    match int(rng.integers(7)):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, dict):
            parent[pick(rng, words)] = parent.pop(key)
        case 2 if isinstance(value, int | float) and not isinstance(value, bool):
            scaled = float(value) * float(pick(rng, (-1, 0, 0.5, 0.99, 1.01, 2, 10, 1e3, 1e6)))
            parent[key] = int(scaled) if isinstance(value, int) else scaled
        case 3:
            source = tree
            for step in pick(rng, inner):
                source = source[step]
            parent[key] = copy.deepcopy(source)
        case 4 if isinstance(parent, list) and len(parent) < 1000:
            parent += [copy.deepcopy(value) for _ in range(int(pick(rng, (1, 2, 20, 400))))]
        case _:
            parent[key] = copy.deepcopy(pick(rng, VALUES))
