"""A target with faults, for the watch of benchmarks/fuzzing to find."""

from __future__ import annotations

import os


def made(seed: int, index: int) -> bytes:
    return str(index).encode()


def target(content: bytes) -> str:
    match int(content):
        case 3:
            raise KeyError("a traceback")
        case 5:
            while True:
                pass
        case 7:
            os._exit(11)
    return "good"
