"""What the readout makes of pictures whose right reading is known: calibration, corruptions, floors.

No model has a part in it, so runs that are probed on the same clips can share it. It is kept as DIR/<key>.json, the
key a digest of everything that it depends on: every byte of the clips, in their order; the limits and whether there is
a second opinion; the source text of the probe and of the clip reader; the versions of the libraries that count. Any
change gives another key, so nothing stale is ever found.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import simulator.clip
from trainer.probe.calibration import Judged, judge, measure_all
from trainer.probe.estimator import Estimator, Floor, floor
from trainer.probe.result import judged_of
from trainer.probe.subject import Subject
from trainer.probe.templating import publish
from trainer.probe.verdict import Limits
from untrusted import MAX_JSON_BYTES, one_line, read_json

SCHEMA_VERSION = 1
LIBRARIES = ("numpy", "scipy", "pillow", "imageio-ffmpeg")

Estimators = Callable[[Subject], Estimator]  # the one of a window


@dataclass(frozen=True)
class Instrument:
    """The rows of all windows."""

    exhibits: tuple[Judged, ...]
    floors: tuple[Floor, ...]  # one a window; empty: no second opinion
    source: str | None = None  # the file that they were taken from; None: measured now


def read_instrument(
    subjects: Sequence[Subject], limits: Limits, estimators: Estimators | None, folder: Path | None
) -> Instrument:
    """Taken from `folder` where it has them, else measured and kept there. No folder: measured, not kept.

    estimators: None: no second opinion is asked. A file that cannot be used is named on stderr and written anew. Two
    processes that measure at the same time write the same file, each by a rename.
    """
    if folder is None:
        return _measured(subjects, limits, estimators)
    key = key_of(subjects, limits, estimators is not None)
    path = folder / f"{key[:16]}.json"
    if path.exists():
        try:
            return _read(path, key)
        except (OSError, KeyError, TypeError, ValueError) as error:
            print(one_line(f"remind: {path}: not used ({error}); measured again"), file=sys.stderr)
    found = _measured(subjects, limits, estimators)
    try:
        rows = json.dumps(dataclasses.asdict(found), allow_nan=False)
    except ValueError:
        print(one_line(f"remind: {path}: not kept, some figure is not finite"), file=sys.stderr)
        return found
    folder.mkdir(parents=True, exist_ok=True)
    record = {"schema_version": SCHEMA_VERSION, "key": key, "sha256": _sha256(rows), "rows": json.loads(rows)}
    publish(path, json.dumps(record, indent=1) + "\n")
    return found


def key_of(subjects: Sequence[Subject], limits: Limits, second_opinion: bool) -> str:
    """Hexadecimal digest of all that the rows depend on. Reads every byte of the clips."""
    digest = hashlib.sha256(repr((SCHEMA_VERSION, limits, second_opinion, [version(n) for n in LIBRARIES])).encode())
    for path in _sources():
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for subject in subjects:
        digest.update(f"{subject.clip.clip_id}/{subject.number}\0".encode())
    for files in {s.clip.clip_id: s.clip.files for s in subjects}.values():
        for name in sorted(files.names):
            with files.open(name) as file:
                digest.update(name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _sources() -> list[Path]:
    reader = Path(simulator.clip.__file__).parent
    return [*sorted(Path(__file__).parent.glob("*.py")), *sorted(reader.glob("clip*.py"))]


def _measured(subjects: Sequence[Subject], limits: Limits, estimators: Estimators | None) -> Instrument:
    if estimators is None:
        return Instrument(tuple(judge(*row, limits) for row in measure_all(subjects)), ())
    return Instrument(
        exhibits=tuple(judge(*row, limits, estimators(row[0])) for row in measure_all(subjects)),
        floors=tuple(floor(subject, estimators(subject)) for subject in subjects),
    )


def _read(path: Path, key: str) -> Instrument:
    """Raises OSError, KeyError, TypeError or ValueError when it is not what `read_instrument` wrote."""
    data: dict[str, Any] = read_json(path, MAX_JSON_BYTES)
    if data["key"] != key or data["sha256"] != _sha256(json.dumps(data["rows"])):
        raise ValueError("its content was changed")
    rows = data["rows"]
    return Instrument(
        exhibits=tuple(map(judged_of, rows["exhibits"])),
        floors=tuple(Floor(**d) for d in rows["floors"]),
        source=str(path),
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
