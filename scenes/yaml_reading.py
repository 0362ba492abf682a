"""YAML text -> plain tree, with the line of every place. Stricter than PyYAML where PyYAML is silently wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from scenes.errors import Place, Problem, Source, SpecError
from untrusted import read_regular

MAX_BYTES, MAX_DEPTH, MAX_NODES = 256_000, 24, 20_000
MAX_NUMBER = 1e15
LOOKS_LIKE_A_NUMBER = re.compile(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)[eE][-+]?\d+$")
DECIMAL_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
_RESOLVED = "tag:yaml.org,2002:"


def read_text(path: Path, name: str) -> str:
    """The text of a spec file; raises SpecError for whatever is not one."""
    start = f"{name}:1: spec: "
    try:
        data = read_regular(path, MAX_BYTES)
    except FileNotFoundError:
        raise SpecError([start + f"no such file; `remind scene init {name}` writes a starter"]) from None
    except OSError as error:
        raise SpecError([start + f"cannot be read: {error.strerror or error}"]) from None
    except ValueError as error:
        raise SpecError([start + f"{error}; give a .yaml file, a scene spec is a small text file"]) from None
    return decoded(data, name)


def decoded(data: bytes, name: str) -> str:
    """The bytes of a spec file as text. Raises SpecError when they are not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SpecError([f"{name}:{line}: spec: not UTF-8 text (byte {error.start}); save the file as UTF-8"]) from None


def parse(text: str, name: str) -> tuple[dict[str, Any], Source]:
    """The top mapping as plain values, and where its places are. Raises SpecError, one line per problem."""
    try:
        node = yaml.compose(text, Loader=_PlainLoader)
    except _At as found:
        raise SpecError([f"{name}:{found.line}: spec: {found}"]) from None
    except yaml.MarkedYAMLError as error:
        raise SpecError([_syntax_line(error, name)]) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        reason = "; ".join(str(error).splitlines()[:1]) or type(error).__name__
        raise SpecError([f"{name}:1: spec: not readable as YAML: {reason}"]) from None
    if node is None:
        raise SpecError([f"{name}:1: spec: the file is empty; `remind scene init` writes a starter"])
    if not isinstance(node, yaml.MappingNode):
        raise SpecError([f"{name}:{node.start_mark.line + 1}: spec: expected `field: value` lines at the top"])
    builder = _Builder()
    tree = builder.build(node, ())
    source = Source(name, builder.lines)
    if builder.problems:
        raise source.error(builder.problems)
    return tree, source


class _At(Exception):
    def __init__(self, message: str, mark: Any) -> None:
        super().__init__(message)
        self.line = mark.line + 1 if mark else 1


class _PlainLoader(yaml.SafeLoader):
    """Refuses aliases (bombs), tags (objects), great depth and size at their event, before anything is made of it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._num_events = self._depth = 0

    def get_event(self) -> Any:
        event = super().get_event()
        self._num_events += 1
        if self._num_events > MAX_NODES:
            raise _At(f"more than {MAX_NODES} values", event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _At("anchors (&) and aliases (*) are not read; write the value out", event.start_mark)
        if tag := getattr(event, "tag", None):
            raise _At(f"tags ({tag}) are not read; write a plain value", event.start_mark)
        if isinstance(event, yaml.CollectionStartEvent):
            self._depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            self._depth -= 1
        if self._depth > MAX_DEPTH:
            raise _At(f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
        return event


def _syntax_line(error: yaml.MarkedYAMLError, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem = error.problem or error.context or "not valid YAML"
    if "'\\t'" in problem:
        problem = "a tab cannot indent or start a value; use spaces"
    return f"{name}:{line}: spec: YAML syntax: {problem}"


class _Builder:
    def __init__(self) -> None:
        self.lines: dict[Place, int] = {(): 1}
        self.problems: list[Problem] = []

    def build(self, node: yaml.Node, place: Place) -> Any:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*place, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        try:
            return _scalar(node)
        except Problem as problem:
            self.problems.append(problem.under(*place))
            return None

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem("a field's name must be plain text", place))
                continue
            key, line = key_node.value, key_node.start_mark.line + 1
            inner = (*place, key)
            if key in tree:
                self.problems.append(Problem(f"given twice (first in line {self.lines[inner]}); keep one", inner))
                self.lines[inner] = line
                continue
            self.lines[inner] = line
            tree[key] = self.build(value_node, inner)
        return tree


def _scalar(node: yaml.ScalarNode) -> Any:
    """Value of a scalar under YAML 1.1, refusing what 1.1 reads differently from what its author meant."""
    text = node.value
    match node.tag.removeprefix(_RESOLVED):
        case "null":
            return None
        case "bool":
            if text.lower() not in ("true", "false"):
                raise Problem(f"YAML reads {text} as true/false; write true or false, or quote it")
            return text.lower() == "true"
        case "int":
            if not DECIMAL_INT.match(text):
                raise Problem(f"YAML reads {text[:40]} as another number (octal, hex or base 60); write it in decimal")
            if len(text) > 17:
                raise Problem(f"{text[:17]}... is too large; at most {MAX_NUMBER:g}")
            return int(text)
        case "float":
            return _float(text)
    if node.style is None and LOOKS_LIKE_A_NUMBER.match(text):
        raise Problem(f"YAML reads {text[:40]} as text; write {_yaml_float(text)}")
    return text


def _float(text: str) -> float:
    if text.lower().lstrip("+-") in (".inf", ".nan"):
        raise Problem(f"expected a finite number, got {text}")
    if ":" in text:
        raise Problem(f"YAML reads {text[:40]} as base 60; write it in decimal")
    number = float(text.replace("_", ""))
    if not abs(number) <= MAX_NUMBER:
        raise Problem(f"{text[:40]} is too large; at most {MAX_NUMBER:g}")
    return number


def _yaml_float(text: str) -> str:
    """The same number as YAML 1.1 wants it: a point in the mantissa and a sign in the exponent."""
    mantissa, exponent = re.split("[eE]", text.replace("_", ""))
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    sign = "" if exponent[0] in "+-" else "+"
    return f"{mantissa}e{sign}{exponent}"
