"""Leaving in order: a signal lets the step finish, the checkpoint is written, and the command says how to go on."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType

import torch

from trainer.training.devices import Devices

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """Raised after a signal, when all is saved. The exit status of a command is 128 + `signum`, as in a shell."""

    def __init__(self, signum: int, message: str) -> None:
        super().__init__(message)
        self.signum = signum


class Stop:
    """Why a run should end: `signum` of a signal that came, or its time is up. All devices agree on it.

    As a context it catches SIGINT and SIGTERM (in the main thread; elsewhere they are left alone). A second signal acts
    at once, as it would without us.
    """

    def __init__(self, deadline: float, devices: Devices) -> None:
        """deadline: on the monotonic clock, s."""
        self.signum = 0
        self._deadline, self._devices = deadline, devices
        self._before: dict[int, object] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def asked(self) -> bool:
        """Whether to end now; every device must ask, and all get one answer."""
        late = time.monotonic() >= self._deadline
        if self._devices.world > 1:
            said = torch.zeros(self._devices.world, 2, device=self._devices.device)
            said[self._devices.rank, 0], said[self._devices.rank, 1] = self.signum, late
            signums, times = self._devices.total(said).T.tolist()
            self.signum, late = int(max(signums)), any(times)
        return bool(self.signum) or late

    def _note(self, signum: int, _frame: FrameType | None) -> None:
        self.signum = signum
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}
