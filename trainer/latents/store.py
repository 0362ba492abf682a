"""Tensors on disk under a key that says all that they depend on, so that nothing stale is ever read.

<folder>/<namespace>/<first two digits>/<digest of the key>.safetensors
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from untrusted import one_line

_SLACK = 0.9  # of the limit that is left filled after making room


def default_folder() -> Path:
    """Where stores lie unless said otherwise: remind-sim in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "remind-sim"


class TensorStore:
    """One namespace of a store, shared by any number of processes: files appear whole, by a rename."""

    def __init__(self, folder: Path, namespace: str, *, max_bytes: float = float("inf")) -> None:
        """max_bytes: of the namespace; the longest unused files make room."""
        self.folder, self.max_bytes = folder / namespace, max_bytes
        self._num_bytes: float | None = None  # unknown until the first write

    def get(self, key: str) -> Tensor | None:
        """What was put under the key, or None. ValueError when the file is damaged."""
        path = self._path(key)
        try:
            tensors = load_file(path)
            os.utime(path)
        except FileNotFoundError:  # never there, or just gone to make room
            return None
        except (SafetensorError, OSError) as error:
            raise ValueError(one_line(f"{path}: cannot be read ({error}); delete it, it is made again")) from None
        return tensors["value"]

    def put(self, key: str, value: Tensor) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        save_file({"value": value.detach().cpu().contiguous()}, partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
        self._make_room(path.stat().st_size)

    def _path(self, key: str) -> Path:
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        return self.folder / digest[:2] / f"{digest}.safetensors"

    def _make_room(self, added: int) -> None:
        if self._num_bytes is None:
            self._num_bytes = sum(size for _, size, _ in self._files())
        else:
            self._num_bytes += added
        if self._num_bytes <= self.max_bytes:
            return
        files = sorted(self._files())  # others may have written too
        self._num_bytes = sum(size for _, size, _ in files)
        for _, size, path in files:
            if self._num_bytes <= _SLACK * self.max_bytes:
                break
            path.unlink(missing_ok=True)
            self._num_bytes -= size

    def _files(self) -> Iterator[tuple[int, int, Path]]:
        """(last use, bytes, path) of each file."""
        for path in self.folder.glob("*/*.safetensors"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            yield status.st_mtime_ns, status.st_size, path
