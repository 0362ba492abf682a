"""Weights in the hub's layout, a folder whose parts lie in subfolders (`vae`, `tokenizer` ...), local or downloaded."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from untrusted import one_line

WEIGHTS = "*.safetensors"  # no pickles are ever read


def local_part(pretrained: str, part: str) -> Path:
    """The local folder of one part of a model given as a local folder or as the hub id `owner/name` (downloaded).

    ValueError when it is neither, or has no such part.
    """
    folder = Path(pretrained).expanduser()
    if not folder.is_dir():
        folder = _from_hub(pretrained, part)
    if not (folder / part).is_dir() or not any((folder / part).iterdir()):
        raise ValueError(one_line(f"{pretrained}: has no folder {part}/; give a model in the hub's diffusers layout"))
    return folder / part


@lru_cache
def content_digest(folder: Path) -> str:
    """sha256 over names and contents of a folder's files, 16 hex digits: other weights never have the same.

    Read once in a process: gigabytes take seconds.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".json", ".model"):
            with path.open("rb") as file:
                digest.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _from_hub(pretrained: str, part: str) -> Path:
    from huggingface_hub import snapshot_download  # here, since offline runs need none of it

    try:
        return Path(
            snapshot_download(pretrained, allow_patterns=[f"{part}/{WEIGHTS}", f"{part}/*.json", f"{part}/*.model"])
        )
    except (OSError, ValueError) as error:  # no network, no such model, not an id
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            one_line(f"{pretrained}: is no local folder, and the hub gives no {part}/ of it: {reason}")
        ) from None
