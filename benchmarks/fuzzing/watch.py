"""Feeds inputs to a target in a process of its own, which it ends when one input takes too long; resumable.

Time is the processor time of that process: a busy machine makes no input slower.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

Generator = Callable[[int, int], bytes]
Target = Callable[[bytes], str]
MAX_MEMORY_BYTES = 8 * 2**30  # of the process: what wants more is a finding
PATIENCE = 20  # times the limit, by the clock, for a process that sleeps


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Something to fuzz: input `index` of `seed` -> bytes -> one word on the outcome."""

    make: Generator
    target: Target
    limit_s: float  # processor time for one input


@dataclass(frozen=True)
class Outcome:
    """How one input ended: `word` is the target's, or starts with `CRASH` or `HANG`."""

    index: int
    word: str
    seconds: float

    @property
    def bad(self) -> bool:
        return self.word.startswith(("CRASH", "HANG"))


def fuzz(
    subject: Subject, *, seed: int, inputs: int, folder: Path, note: Callable[[str], None] = print
) -> list[Outcome]:
    """Run inputs 0 .. `inputs` - 1; what `folder`/outcomes.jsonl holds already is not run again.

    Each input that ends badly is kept as `folder`/bad-<index>.bin with its traceback beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"outcomes-{seed}.jsonl"
    known = [Outcome(*json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []
    child: _Child | None = None
    with log.open("a") as file:
        for index in range(len(known), inputs):
            child = child or _Child(subject, seed)
            outcome, trace = child.run(index)
            if outcome.bad:
                note(f"{index}: {outcome.word} after {outcome.seconds:.1f} s")
                (folder / f"bad-{seed}-{index}.bin").write_bytes(subject.make(seed, index))
                (folder / f"bad-{seed}-{index}.txt").write_text(f"{outcome.word}\n{trace}")
            if outcome.word.startswith("HANG"):
                child.end()
                child = None
            known.append(outcome)
            file.write(json.dumps([outcome.index, outcome.word, round(outcome.seconds, 4)]) + "\n")
            file.flush()
    if child is not None:
        child.end()
    return known


def summary(outcomes: list[Outcome], most: int = 20) -> str:
    """Counts by outcome, bad ones first, and what took longest."""
    counts = Counter(outcome.word for outcome in outcomes)
    bad, good = sum(outcome.bad for outcome in outcomes), counts["good"]
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    lines = [
        f"{len(outcomes)} inputs: {good} good, {len(outcomes) - good - bad} refused for {len(counts) - 1} reasons, "
        f"{bad} bad; {sum(outcome.seconds for outcome in outcomes):.0f} s, slowest {slowest.seconds:.1f} s "
        f"(input {slowest.index}: {slowest.word})"
    ]
    order = sorted(counts.items(), key=lambda item: (not item[0].startswith(("CRASH", "HANG")), -item[1]))
    return "\n".join([*lines, *(f"{count:7d}  {word}" for word, count in order[:most])])


class _Child:
    """The process that runs the target."""

    def __init__(self, subject: Subject, seed: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._subject = subject
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, subject, seed), daemon=True)
        self._process.start()
        there.close()
        assert self._here.recv() == "ready"

    def run(self, index: int) -> tuple[Outcome, str]:
        began, used_s = time.monotonic(), self._cpu_s()
        self._here.send(index)
        while not self._here.poll(0.5):
            spent_s = self._cpu_s() - used_s
            if spent_s > self._subject.limit_s or time.monotonic() - began > PATIENCE * self._subject.limit_s:
                return Outcome(index, "HANG", spent_s), ""
        try:
            word, seconds, trace = self._here.recv()
        except EOFError:
            self._process.join()
            return Outcome(index, f"HANG: the process ended ({self._process.exitcode})", 0.0), ""
        return Outcome(index, word, seconds), trace

    def _cpu_s(self) -> float:
        """Processor time of the process so far (Linux)."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, subject: Subject, seed: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    warnings.simplefilter("error")
    pipe.send("ready")
    while True:
        index = pipe.recv()
        content = subject.make(seed, index)
        began = time.process_time()
        pipe.send(_tried(subject.target, content, began))


def _tried(target: Target, content: bytes, began: float) -> tuple[Any, ...]:
    try:
        return target(content), time.process_time() - began, ""
    except Exception as error:
        return f"CRASH: {type(error).__name__}: {error}"[:200], time.process_time() - began, traceback.format_exc()
