"""What several formats share: which frames show the scene, pictures as PNG files, and outputs that appear whole."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from simulator.clip import Clip

BLANK_CAUSES = ("dark", "fog", "black", "dropped", "corrupt")  # the picture is hidden, not only the target
MILLIMETRES = 1000.0
MAX_DEPTH_MM = 65535


def blank_frames(clip: Clip) -> dict[int, str]:
    """Frames whose picture shows nothing of the scene, with the cause: dark, fog, black, dropped or corrupt.

    Frames in which a target is only out of view or occluded are pictures like any other, and so are the ramps of an
    interruption, in which the light or the fog is half way.
    """
    columns = clip.states
    rows = np.isin(columns["hidden_by"], BLANK_CAUSES)
    return {int(f): str(cause) for f, cause in zip(columns["frame"][rows], columns["hidden_by"][rows], strict=True)}


def left_out(blank: dict[int, str]) -> list[dict[str, Any]]:
    """The same for a JSON file, in order of frames."""
    return [{"frame": frame, "hidden_by": cause} for frame, cause in sorted(blank.items())]


def depth_in_mm(depth_m: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Whole millimetres; 0 where nothing is hit or where it lies beyond 65.535 m."""
    mm = np.rint(np.where(np.isfinite(depth_m), depth_m, 0.0) * MILLIMETRES)
    return np.where(mm <= MAX_DEPTH_MM, mm, 0).astype(np.uint16)


def write_png(path: Path, picture: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """[H, W, 3] uint8 or [H, W] uint16, without loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def needs(module: str, package: str, clip_format: str) -> ModuleType:
    """An optional library. Raises ValueError that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ValueError(
            f"--to {clip_format}: needs {package}, which is not installed; pip install 'remind-sim[export]'"
        ) from None


def require_arrays(clip: Clip, clip_format: str, *names: str) -> None:
    """Raises ValueError when the clip lacks pictures that the format is made of."""
    if missing := [name for name in names if name not in clip.manifest["arrays"]]:
        raise ValueError(
            f"{clip.path}: no {missing[0]}, which --to {clip_format} is made of; render with the output {missing[0]!r}"
        )


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A draft beside `path` (a file or a folder that the caller makes), renamed to it at the end, removed on any error.

    Raises ValueError when `path` is there already.
    """
    if path.exists():
        raise ValueError(f"{path}: is there already; remove it or name another --out")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".tmp-{os.getpid()}-{path.name}")  # the suffix stays: libraries look at it
    try:
        yield draft
        os.rename(draft, path)
    finally:
        if draft.is_dir():
            shutil.rmtree(draft)
        else:
            draft.unlink(missing_ok=True)
