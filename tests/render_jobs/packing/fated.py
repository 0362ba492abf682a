"""Packs a data set in processes with a fate: python -m tests.render_jobs.packing.fated SOURCE OUT FATE ...

Each fate runs in a process of its own, forked from this one, and packs into OUT/<fate>. `disk_full` allows files of
50 kB. Others are `<function>:<n>`: SIGKILL on the n-th call of it. Prints {fate: exit status, negative for a signal}.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import remind
from render_jobs.packing import pack
from render_jobs.packing.shards import ShardWriter


def killing(function: Callable[..., Any], number: int) -> Callable[..., Any]:
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)

    return counted


def meet(fate: str, source: str, out: Path) -> int:
    """Pack as the command does; returns the exit status, if it returns."""
    if fate == "disk_full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    else:
        name, number = fate.split(":")
        place: Any = ShardWriter if hasattr(ShardWriter, name) else pack
        setattr(place, name, killing(getattr(place, name), int(number)))
    with open(out.with_suffix(".said"), "w") as said:
        sys.stderr = said
        return remind.main(["dataset", "pack", source, "--out", str(out), "--shard-mb", "0.1"])


def main(source: str, out: str, *fates: str) -> None:
    ends = {}
    for fate in fates:
        child = os.fork()
        if child == 0:
            os._exit(meet(fate, source, Path(out) / fate))
        ends[fate] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps(ends))


if __name__ == "__main__":
    main(*sys.argv[1:])
