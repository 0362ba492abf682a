"""One shard: a tar of whole clips, the same bytes for the same clips, each file checked while it is copied."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from simulator.clip_files import MANIFEST, ClipFiles
from simulator.durable import sync

_COPY_BYTES = 1 << 20
_BLOCK = tarfile.BLOCKSIZE

Members = dict[str, tuple[int, int]]  # file -> offset and size in the shard, bytes


class TornClip(ValueError):
    """A clip that is not the one that was published; says which and what is wrong."""


def packed_bytes(files: ClipFiles, recorded: Mapping[str, str]) -> int:
    """What a clip takes in a shard. Raises TornClip where a file is missing."""
    there = files.names
    if missing := [name for name in (*recorded, MANIFEST) if name not in there]:
        raise TornClip(f"{files.path}: {missing[0]} is missing; render the clip again")
    return sum(_BLOCK + _padded(files.size(name)) for name in (*recorded, MANIFEST))


class ShardWriter:
    """Fills a file with a tar archive. Members are `<clip id>.<file>`: WebDataset takes the id for their key."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sha = hashlib.sha256()
        self.num_bytes = 0

    def add(self, clip_id: str, files: ClipFiles, recorded: Mapping[str, str]) -> Members:
        """Copy a clip. recorded: name -> sha256, as its manifest has it; the manifest itself comes along.

        Raises TornClip, and holds nothing of the clip, when a file is not the one that was recorded.
        """
        begin, sha, members = self.num_bytes, self._sha.copy(), {}
        try:
            for name in sorted((*recorded, MANIFEST)):
                members[name] = self._copy(clip_id, files, name, recorded.get(name))
        except TornClip:
            self._file.seek(begin)
            self._file.truncate()
            self.num_bytes, self._sha = begin, sha
            raise
        return members

    def _copy(self, clip_id: str, files: ClipFiles, name: str, sha256: str | None) -> tuple[int, int]:
        size = files.size(name)
        self._write(_header(f"{clip_id}.{name}", size))
        offset = self.num_bytes
        for piece in checked_pieces(files, name, size, sha256):
            self._write(piece)
        self._write(bytes(_padded(size) - size))
        return offset, size

    def finish(self) -> str:
        """End the archive; returns the sha256 of the file."""
        self._write(bytes(2 * _BLOCK))
        self._write(bytes(-self.num_bytes % tarfile.RECORDSIZE))
        self._file.flush()
        return self._sha.hexdigest()

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._sha.update(data)
        self.num_bytes += len(data)


def checked_pieces(files: ClipFiles, name: str, size: int, sha256: str | None) -> Iterator[bytes]:
    """A file of a clip, piece by piece. Raises TornClip where it cannot be read, or at its end is another file."""
    found, num_bytes = hashlib.sha256(), 0
    try:
        with files.open(name) as source:
            while piece := source.read(_COPY_BYTES):
                found.update(piece)
                num_bytes += len(piece)
                yield piece
    except OSError as error:
        raise TornClip(f"{files.path}: {name} cannot be read ({error}); render the clip again") from None
    if num_bytes != size or (sha256 is not None and found.hexdigest() != sha256):
        raise TornClip(f"{files.path}: {name} is not the file that was written (sha256 differs); render it again")


def publish(draft: Path, path: Path) -> None:
    """Give a finished file its name: what is in it is on disk before the name is."""
    sync(draft)
    os.replace(draft, path)
    sync(path.parent)


def _header(name: str, size: int) -> bytes:
    """Nothing in it but name and size: no owner, no time."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.USTAR_FORMAT)


def _padded(size: int) -> int:
    return size + -size % _BLOCK
