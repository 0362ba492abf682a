"""Blender's pool of threads must be no larger than the threads that Cycles is given.

The library that runs Cycles' threads (TBB) makes one for each core that the process may use when it is loaded. Told
then to work with fewer, those left over do not sleep: they spin. A worker of one thread on two cores used two of them,
and two such workers took each other's time (docs/RESULTS.md, "Render speed").
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def loading_blender(num_threads: int) -> Iterator[None]:
    """Load Blender inside; it then has `num_threads` threads. Afterwards they may run on every core as before.

    Raises RuntimeError when Blender is loaded already. Does nothing where the system cannot say who may run where.
    """
    if "bpy" in sys.modules:
        raise RuntimeError("Blender is loaded already; its number of threads cannot be changed any more")
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:num_threads])
    try:
        yield
    finally:
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(ProcessLookupError):  # a thread that has ended meanwhile
                os.sched_setaffinity(int(thread), allowed)
