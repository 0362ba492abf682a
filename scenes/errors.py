"""What a spec's author is told: `kitchen.yaml:8: events[0].params.burnrate: unknown field, did you mean ...?`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from untrusted import one_line

Place = tuple[str | int, ...]  # path from the top of the spec: ("events", 0, "params", "burnrate")


class SpecError(ValueError):
    """A spec that cannot be used. `str(error)` is its first problem, one line; `problems` are all of them."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(one_line(problem) for problem in problems)
        super().__init__(self.problems[0])


class Problem(ValueError):
    """One wrong value, before its file and line are known: `place` is relative to whoever catches it.

    final: drawing the plan anew cannot help.
    """

    def __init__(self, message: str, place: Place = (), *, final: bool = False) -> None:
        super().__init__(message)
        self.message, self.place, self.final = message, place, final

    def under(self, *place: str | int) -> Problem:
        """The same problem, seen from a place further up."""
        return Problem(self.message, (*place, *self.place), final=self.final)


@contextmanager
def under(*place: str | int) -> Iterator[None]:
    """Problems raised inside are seen from further up: `with under("interruptions", 0): ...`."""
    try:
        yield
    except Problem as problem:
        raise problem.under(*place) from None


@dataclass(frozen=True)
class Source:
    """Where a spec was read from: its name as the author gave it, and the line of every place."""

    name: str = "spec"
    lines: Mapping[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """Line (from 1) of a place, or of the nearest thing around it."""
        for length in range(len(place), -1, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return 1

    def text(self, problem: Problem) -> str:
        return f"{self.name}:{self.line(problem.place)}: {dotted(problem.place)}: {problem.message}"

    def error(self, problems: Iterable[Problem]) -> SpecError:
        """All problems as one error, in the order of the file."""
        return SpecError(self.text(p) for p in sorted(problems, key=lambda p: self.line(p.place)))


def dotted(place: Place) -> str:
    """`events[0].params.burnrate`; the top is called `spec`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".") or "spec"


MOST_NAMES = 40  # a longer list helps nobody


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` when something known is close, else the list of what is known (a few of very many)."""
    names = list(known)
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.5)
    if close:
        return f", did you mean {close[0]!r}?"
    if len(names) > MOST_NAMES:
        return f"; {len(names)} are known, among them {', '.join(sorted(names)[:4])}"
    return f"; known: {', '.join(sorted(names))}" if names else ""
