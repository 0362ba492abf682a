"""What the workers of the loader's tests run: apart, since every worker imports the module."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from trainer.data.loader import BatchMaker


@dataclass(frozen=True)
class Refusing:
    """Another maker, up to step `at`, with something that it skipped."""

    maker: BatchMaker[object]
    at: int

    def make(self, step: int) -> object:
        if step >= self.at:
            raise ValueError("clip x: cannot be read")
        return self.maker.make(step)

    def unreadable(self) -> Mapping[str, str]:
        return {"y": "torn"}


@dataclass(frozen=True)
class WhoMakes:
    """The process that made the batch."""

    def make(self, step: int) -> int:
        return os.getpid()

    def unreadable(self) -> Mapping[str, str]:
        return {}
