"""Who is at what, told by the kernel: one byte of one file is locked for each claim.

A claim ends with the process that holds it, however that ends; no clock and no clean-up is involved. Claims hold
between processes and, where the file system carries byte-range locks (NFS 4, Lustre with `flock`, CephFS), between
machines. Where it does not, two runs may render the same clip twice; publishing stays atomic all the same.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

# Locks of an open file, not of a process, so that two runs in one process keep each other out as well.
_SET, _GET = (
    getattr(fcntl, name, old) for name, old in (("F_OFD_SETLK", fcntl.F_SETLK), ("F_OFD_GETLK", fcntl.F_GETLK))
)
_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, process


class Claims:
    """The claims of one run. Raises OSError when the file can't be opened."""

    def __init__(self, path: Path, *, look_only: bool = False) -> None:
        self._descriptor = os.open(path, os.O_RDONLY if look_only else os.O_RDWR | os.O_CREAT, 0o666)

    def take(self, key: str) -> bool:
        """Claim `key`; False when another run has it. Taking one's own again is fine."""
        try:
            fcntl.fcntl(self._descriptor, _SET, _lock(fcntl.F_WRLCK, key))
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, as POSIX leaves it
            return False
        return True

    def free(self, key: str) -> None:
        """Give a claim back."""
        fcntl.fcntl(self._descriptor, _SET, _lock(fcntl.F_UNLCK, key))

    def is_taken(self, key: str) -> bool:
        """Whether another run has `key`."""
        found = fcntl.fcntl(self._descriptor, _GET, _lock(fcntl.F_WRLCK, key))
        return bool(struct.unpack(_FLOCK, found)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """Give all claims back. Safe to repeat."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _lock(kind: int, key: str) -> bytes:
    place = (
        int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 2
    )  # 62 bits: an offset that files may have
    return struct.pack(_FLOCK, kind, os.SEEK_SET, place, 1, 0)
