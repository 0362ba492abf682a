"""A data set as a sequence of clips that are decoded when they are asked for, a bounded number of them kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

from simulator.clip import Clip, list_clips
from trainer.data.clips import ClipFacts, ClipRecord, first_reading, has_uninterrupted, own_windows
from untrusted import one_line

FACTS_MB = 64.0  # of what is known of clips beside their pictures, kept whatever `memory_mb` is: 5 kB each at 64 px
Value = TypeVar("Value")
_UNREADABLE = (OSError, ValueError, KeyError)  # what h5py, json and our own readers say of damaged files


@dataclass(frozen=True, kw_only=True)
class OwnWindow:
    """One hidden window that a clip comes with."""

    kind: str  # kinds of interruption, joined by "+"
    hidden_s: float  # fully hidden


@dataclass(frozen=True, kw_only=True)
class ClipHeader:
    """What is known of a clip without decoding it."""

    path: Path
    clip_id: str
    scene_id: str
    prompt: str
    num_frames: int  # kept ones
    size_px: tuple[int, int]  # height, width
    cameras_known: bool
    seconds_per_frame: float  # of kept ones
    uninterrupted_known: bool
    event_types: tuple[str, ...] = ()  # one for each event; none: an imported video
    windows: tuple[OwnWindow, ...] = ()
    returns: bool = False  # a window of its own hides a kept frame, and one ends before the last

    @property
    def shape(self) -> tuple[int, int, int]:
        """(frames, height, width) of the record."""
        return (self.num_frames, *self.size_px)


class ClipRecords(Sequence[ClipRecord]):
    """Clips of a data set folder or of a WebDataset pack. A copy in another process starts with nothing decoded.

    A clip's JSON, tables and masks are read and checked when it is first asked for; afterwards only its pictures are.

    A clip that turns out to be unreadable raises ValueError, or under `skip_bad` is put in `unreadable` and replaced
    by the next readable one, so that which clip is meant depends on the files alone.
    """

    def __init__(
        self,
        headers: Sequence[ClipHeader],
        frame_stride: int,
        *,
        memory_mb: float,
        skip_bad: bool = False,
        unreadable: dict[str, str] | None = None,
    ) -> None:
        self.headers = tuple(headers)
        self.frame_stride = frame_stride
        self.memory_mb, self.skip_bad = memory_mb, skip_bad
        self.unreadable: dict[str, str] = dict(unreadable or {})  # path -> reason
        self._kept = _Kept[ClipRecord](memory_mb * 2**20)
        self._facts = _Kept[ClipFacts](FACTS_MB * 2**20)

    def __len__(self) -> int:
        return len(self.headers)

    @overload
    def __getitem__(self, index: int) -> ClipRecord: ...
    @overload
    def __getitem__(self, index: slice) -> ClipRecords: ...
    def __getitem__(self, index: int | slice) -> ClipRecord | ClipRecords:
        if isinstance(index, slice):
            return self.select(range(len(self))[index])
        first = range(len(self))[index]
        for place in (*range(first, len(self)), *range(first)):
            record = self._record(place)
            if record is not None:
                return record
        raise ValueError(f"{self.headers[first].path.parent}: none of its {len(self)} clips can be read")

    def select(self, indices: Iterable[int]) -> ClipRecords:
        """Some of the clips, decoded anew."""
        return ClipRecords(
            [self.headers[i] for i in indices],
            self.frame_stride,
            memory_mb=self.memory_mb,
            skip_bad=self.skip_bad,
            unreadable=self.unreadable,
        )

    def _record(self, place: int) -> ClipRecord | None:
        """The clip at that place, or None when it is to be skipped."""
        if (kept := self._kept.get(place)) is not None:
            return kept
        path = self.headers[place].path
        if str(path) in self.unreadable:
            return None
        try:
            if (facts := self._facts.get(place)) is None:
                facts, record = first_reading(Clip.open(path), self.frame_stride)
            else:
                record = facts.decode()
        except _UNREADABLE as error:
            _refuse(path, error, self.unreadable, self.skip_bad)
            return None
        self._facts.put(place, facts, facts.num_bytes)
        self._kept.put(place, record, record.num_bytes)
        return record

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_kept": _Kept(self._kept.max_bytes), "_facts": _Kept(self._facts.max_bytes)}


class _Kept(Generic[Value]):
    """Values by number, the longest unused forgotten when they are more than so many bytes."""

    def __init__(self, max_bytes: float) -> None:
        self.max_bytes, self.num_bytes = max_bytes, 0
        self._values: OrderedDict[int, tuple[Value, int]] = OrderedDict()  # the longest unused first

    def __len__(self) -> int:
        return len(self._values)

    def get(self, number: int) -> Value | None:
        if number not in self._values:
            return None
        self._values.move_to_end(number)
        return self._values[number][0]

    def put(self, number: int, value: Value, num_bytes: int) -> None:
        """Nothing happens when it is there, or too large by itself."""
        if number in self._values or num_bytes > self.max_bytes:
            return
        self._values[number] = value, num_bytes
        self.num_bytes += num_bytes
        while self.num_bytes > self.max_bytes:
            _, (_, freed) = self._values.popitem(last=False)
            self.num_bytes -= freed


def open_dataset(dataset: Path, frame_stride: int, *, memory_mb: float = 2048.0, skip_bad: bool = False) -> ClipRecords:
    """All clips of a data set folder or a pack, in the order of their ids; none of them is decoded yet.

    Raises ValueError when there is none, when one is not readable (unless `skip_bad`), or when they differ in shape.
    """
    headers, unreadable = [], dict[str, str]()
    for path in list_clips(dataset):
        try:
            headers.append(_header(path, frame_stride))
        except _UNREADABLE as error:
            _refuse(path, error, unreadable, skip_bad)
    if not headers:
        reason = f"none of {len(unreadable)} clips can be read" if unreadable else "no published clips under clips/"
        raise ValueError(f"{dataset}: {reason}; render some first")
    check_headers(headers, str(dataset))
    return ClipRecords(headers, frame_stride, memory_mb=memory_mb, skip_bad=skip_bad, unreadable=unreadable)


def check_headers(headers: Sequence[ClipHeader], place: str) -> None:
    """Raises ValueError unless all clips have one picture size and one number of kept frames."""
    for header in headers[1:]:
        if header.shape != headers[0].shape:
            raise ValueError(
                f"{place}: clip {header.clip_id} is {header.shape} (frames, height, width) and "
                f"{headers[0].clip_id} is {headers[0].shape}; train on clips of one shape"
            )


def _header(path: Path, frame_stride: int) -> ClipHeader:
    clip = Clip.open(path)
    _, height, width, _ = clip.rgb.shape
    kept = own_windows(clip, frame_stride)
    return ClipHeader(
        path=Path(path),
        clip_id=clip.clip_id,
        scene_id=clip.scene_id,
        prompt=clip.prompt,
        num_frames=len(kept.frames),
        size_px=(height, width),
        cameras_known=clip.cameras_known,
        seconds_per_frame=frame_stride / clip.fps,
        uninterrupted_known=has_uninterrupted(clip),
        event_types=tuple(clip.manifest["event_types"].values()),
        windows=tuple(OwnWindow(kind=w.kind, hidden_s=len(w.hidden_frames) / clip.fps) for w in clip.windows),
        returns=bool(kept.returns) and bool(kept.hidden.any()),
    )


def _refuse(path: Path, error: Exception, unreadable: dict[str, str], skip_bad: bool) -> None:
    """Note an unreadable clip, or raise."""
    reason = one_line(str(error) or type(error).__name__)
    if not skip_bad:
        raise ValueError(f"clip {path}: cannot be read ({reason}); render it again, or leave it out with --skip-bad")
    unreadable[str(path)] = reason


def joined(parts: Sequence[ClipRecords]) -> ClipRecords:
    """The clips of several data sets, of one frame stride, one after the other."""
    first = parts[0]
    return ClipRecords(
        [header for part in parts for header in part.headers],
        first.frame_stride,
        memory_mb=first.memory_mb,
        skip_bad=first.skip_bad,
        unreadable={path: reason for part in parts for path, reason in part.unreadable.items()},
    )


def headers_of(records: Sequence[ClipRecord]) -> Sequence[ClipHeader]:
    """What is known of each clip, without decoding any."""
    if isinstance(records, ClipRecords):
        return records.headers
    return [
        ClipHeader(
            path=Path(record.clip_id),
            clip_id=record.clip_id,
            scene_id=record.scene_id,
            prompt=record.prompt,
            num_frames=len(record.rgb),
            size_px=(record.rgb.shape[1], record.rgb.shape[2]),
            cameras_known=record.cameras_known,
            seconds_per_frame=record.seconds_per_frame,
            uninterrupted_known=record.uninterrupted is not None,
            returns=bool(record.returns) and bool(record.hidden.any()),
        )
        for record in records
    ]


def scene_ids(records: Sequence[ClipRecord]) -> list[str]:
    """The scene of each clip, without decoding any."""
    return [header.scene_id for header in headers_of(records)]
