"""Batches made ahead of the training step, here or by worker processes; which ones does not depend on how many.

A batch is a pure function of (seed, step), so a run resumes at any step and no worker holds state that matters.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from trainer.config import LoaderConfig

Made = TypeVar("Made")
MadeOut = TypeVar("MadeOut", covariant=True)
_PR_SET_PDEATHSIG = 1


class BatchMaker(Protocol[MadeOut]):
    """What a worker runs. It is copied into each by pickling, so it holds no weights and nothing decoded."""

    def make(self, step: int) -> MadeOut:
        """What training step number `step` needs."""
        ...

    def unreadable(self) -> Mapping[str, str]:
        """Clips found unreadable and skipped up to now, with the reason."""
        ...


class Loader(Generic[Made]):
    """Iterates over what `maker` makes for start, start + 1, ... stop - 1. One pass; `close` ends the workers.

    Workers die with the process that started them, however it dies. An error in one is raised here as ValueError.
    """

    def __init__(self, maker: BatchMaker[Made], *, start: int, stop: int, config: LoaderConfig) -> None:
        self._maker, self._steps, self._config = maker, range(start, stop), config
        self.unreadable: dict[str, str] = dict(maker.unreadable())
        self._iterator: Iterator[_Answer[Made]] | None = None

    def __iter__(self) -> Iterator[Made]:
        self._iterator = self._answers()
        for answer in self._iterator:
            self.unreadable.update(answer.unreadable)
            if answer.refusal:
                self.close()
                raise ValueError(answer.refusal)
            assert answer.made is not None
            yield answer.made

    def close(self) -> None:
        """End the workers. Safe to call twice."""
        self._iterator = None

    def _answers(self) -> Iterator[_Answer[Made]]:
        task = _Task(self._maker)
        if self._config.num_workers == 0:
            return map(task.__getitem__, self._steps)
        return iter(
            DataLoader(
                task,
                batch_size=None,
                sampler=self._steps,
                num_workers=self._config.num_workers,
                prefetch_factor=self._config.prefetch,
                multiprocessing_context="spawn",  # the parent has threads, and perhaps a GPU
                worker_init_fn=_Tether(os.getpid()),
                generator=torch.Generator(),  # so that nothing is drawn from the global one
            )
        )


@dataclass(frozen=True, kw_only=True)
class _Answer(Generic[Made]):
    made: Made | None
    refusal: str  # instead: what is wrong with the data
    unreadable: Mapping[str, str]


@dataclass(frozen=True)
class _Task(Dataset["_Answer[Made]"], Generic[Made]):
    maker: BatchMaker[Made]

    def __getitem__(self, step: int) -> _Answer[Made]:
        made, refusal = None, ""
        try:
            made = self.maker.make(step)
        except ValueError as error:
            refusal = str(error)
        return _Answer(made=made, refusal=refusal, unreadable=dict(self.maker.unreadable()))


@dataclass(frozen=True)
class _Tether:
    """Makes a worker die with its parent at once; elsewhere than on Linux PyTorch's own watch takes some seconds."""

    parent: int

    def __call__(self, worker: int) -> None:
        for signum in (signal.SIGINT, signal.SIGTERM):  # the parent's to answer: it finishes the step and saves
            signal.signal(signum, signal.SIG_IGN)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.parent:  # it died before the line above
            os._exit(1)
