"""The files of one clip, wherever they lie: in a directory of their own, or in a shard of a pack.

A pack is what `remind dataset pack` writes: `clips-000000.tar` ... (WebDataset: member `<clip id>.<file>`), and
`index.parquet`, which says for every clip the shard, and offset and size of each file in it. A clip in a pack is named
like one in a data set, `PACK/clips/<id>`, although no such directory exists; it is read by seeking, without unpacking.

An index is untrusted input: ids, file and shard names are plain names, so no path leaves the folder of the pack.
Imports numpy, h5py, pyarrow and the standard library only, as `simulator.clip` does.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import h5py
import pyarrow as pa
import pyarrow.parquet as pq

from untrusted import open_regular

INDEX = "index.parquet"
CLIPS = "clips"  # folder of a data set that holds its clips; part of the name of a clip in a pack
MANIFEST = "manifest.json"

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,31}")
_SHARD = re.compile(r"clips-[0-9]{6}\.tar")


def is_clip_id(name: str) -> bool:
    """Whether this can name a clip: no dot (WebDataset's key ends at the first), nothing that leads elsewhere."""
    return _ID.fullmatch(name) is not None


def is_file_name(name: str) -> bool:
    """Whether this can name a file of a clip."""
    return _FILE.fullmatch(name) is not None


def shard_name(number: int) -> str:
    return f"clips-{number:06d}.tar"


class ClipFiles(Protocol):
    """The files of one clip. Reading one that is not there raises OSError."""

    @property
    def path(self) -> Path:
        """What the clip is called; a directory only if it lies in one."""
        ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def size(self, name: str) -> int:
        """Bytes."""
        ...

    def open(self, name: str) -> io.BufferedReader: ...

    @contextmanager
    def arrays(self) -> Iterator[h5py.File]:
        """arrays.h5, open for reading."""
        ...


@dataclass(frozen=True)
class FolderFiles:
    """Files of a clip that has a directory of its own."""

    path: Path

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(entry.name for entry in self.path.iterdir() if entry.is_file()))

    def size(self, name: str) -> int:
        return (self.path / name).stat().st_size

    def open(self, name: str) -> io.BufferedReader:
        try:
            return open_regular(self.path / name)
        except ValueError as error:
            raise OSError(errno.EINVAL, str(error), f"{self.path / name}") from None

    @contextmanager
    def arrays(self) -> Iterator[h5py.File]:
        path = self.path / "arrays.h5"
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "is not a regular file", f"{path}")
        with h5py.File(path, "r") as file:
            yield file


@dataclass(frozen=True)
class PackedFiles:
    """Files of a clip that lies in a shard of a pack."""

    path: Path
    shard: Path
    members: Mapping[str, tuple[int, int]]  # name -> offset and size in the shard, bytes

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.members))

    def size(self, name: str) -> int:
        return self._member(name)[1]

    def open(self, name: str) -> io.BufferedReader:
        return io.BufferedReader(self._window(name))

    @contextmanager
    def arrays(self) -> Iterator[h5py.File]:
        with self._window("arrays.h5") as window, h5py.File(window, "r") as file:
            yield file

    def _member(self, name: str) -> tuple[int, int]:
        if name not in self.members:
            raise FileNotFoundError(errno.ENOENT, "not in the pack", f"{self.path / name}")
        return self.members[name]

    def _window(self, name: str) -> _Window:
        return _Window(self.shard, *self._member(name))


class _Window(io.RawIOBase):
    """`size` bytes of a file from `offset` on, as a file that can be read and sought in."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._path, self._offset, self._size, self._at = path, offset, size, 0
        self._descriptor = os.open(path, os.O_RDONLY)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence] + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._at)
        if wanted <= 0:
            return 0
        count = os.preadv(self._descriptor, [view[:wanted]], self._offset + self._at)
        if count == 0:
            raise OSError(f"{self._path}: ends before a file that {INDEX} says is in it; copy the pack again")
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class PackIndex:
    """Where the clips of a pack lie."""

    def __init__(self, pack: Path, table: pa.Table) -> None:
        """table: columns clip_id (rising), shard, members (list of {name, offset, size}); others are not looked at."""
        self._pack, self._table = pack, table
        self.clip_ids: list[str] = table["clip_id"].to_pylist()
        if sorted(set(self.clip_ids)) != self.clip_ids or not all(map(is_clip_id, self.clip_ids)):
            raise ValueError(f"{pack / INDEX}: its clip ids are no plain names in rising order; pack the clips again")

    @staticmethod
    def of(pack: Path) -> PackIndex | None:
        """The index of a pack; None when `pack` is none. Raises ValueError for an index that is broken."""
        try:
            facts = os.stat(pack / INDEX)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _read_index(pack, (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns))

    def files(self, clip_id: str) -> PackedFiles:
        """Raises ValueError when the clip is not in the pack, or where its files are cannot be."""
        path = self._pack / CLIPS / clip_id
        row = bisect_left(self.clip_ids, clip_id)
        if self.clip_ids[row : row + 1] != [clip_id]:
            raise ValueError(f"{path}: this pack has no such clip; `remind clip info {self._pack}` lists them")
        (found,) = self._table.slice(row, 1).to_pylist()
        members = {m["name"]: (m["offset"], m["size"]) for m in found["members"]}
        plain = _SHARD.fullmatch(found["shard"]) and all(map(is_file_name, members))
        if not plain or any(offset < 0 or size < 0 for offset, size in members.values()):
            raise ValueError(f"{self._pack / INDEX}: clip {clip_id} is said to lie where no file of a pack can be")
        return PackedFiles(path, self._pack / found["shard"], members)


@lru_cache(maxsize=8)
def _read_index(pack: Path, version: tuple[int, ...]) -> PackIndex:
    try:
        return PackIndex(pack, pq.read_table(pack / INDEX, columns=["clip_id", "shard", "members"]).combine_chunks())
    except (pa.ArrowException, KeyError, TypeError) as error:
        raise ValueError(f"{pack / INDEX}: not the index of a pack ({_first_line(error)}); copy it again") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def clip_files(path: Path) -> ClipFiles:
    """The files of a clip, by the directory they lie in or by the name of a clip in a pack.

    Raises ValueError for a clip that a pack does not have; a directory may turn out to be none on reading.
    """
    index = PackIndex.of(path.parents[1]) if len(path.parents) > 1 and path.parent.name == CLIPS else None
    return FolderFiles(path) if index is None else index.files(path.name)


def is_clip(path: Path) -> bool:
    """Whether this names a clip rather than a data set."""
    if (path / "plan.json").is_file():
        return True
    return path.parent.name == CLIPS and len(path.parents) > 1 and (path.parents[1] / INDEX).is_file()


def wrong_files(files: ClipFiles, recorded: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the files of a clip. recorded: name -> sha256, as the manifest has it."""
    there = files.names
    for name, sha256 in recorded.items():
        if name not in there:
            yield f"{name} is missing"
            continue
        with files.open(name) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            yield f"{name} is not the file that was written (sha256 differs)"
