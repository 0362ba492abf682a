"""Whether the files of a clip, which anyone may have written, are what a reader takes them for.

Imports numpy, h5py, pyarrow and the standard library only, as `simulator.clip` does. Every function raises ValueError
with a reason in one line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.clip_files import ClipFiles, is_clip_id, is_file_name
from untrusted import MAX_JSON_BYTES, MAX_LINE, one_line, parse_json, walk

MAX_FRAMES, MAX_SIDE_PX = 1_000_000, 16_384
MAX_ARRAY_BYTES = 64 * 2**30  # of one array, decoded
MAX_ROWS, MAX_COLUMNS = 50_000_000, 64
SMALL_TABLE_BYTES = 2**20  # is read at once: to fetch it piece by piece takes three times as long
KNOWN_FILTERS = (1, 2, 3, 32000)  # deflate, shuffle, Fletcher's sum, LZF: others would be loaded from plugins

TEXT, WHOLE, NUMBER, FLAG, OBJECT = str, int, float, bool, dict
_MANIFEST: Mapping[str, Any] = {  # field -> form; a one-entry list or {"*": form} stands for any number of such
    "clip_id": TEXT, "scene_id": TEXT, "prompt": TEXT, "twins": [TEXT], "event_types": {"*": TEXT}, "device": TEXT,
    "event_facts": {"*": {"family": TEXT, "stevo_category": TEXT, "held_out": FLAG}},
    "instances": {"*": OBJECT}, "variables": {"*": {"*": {"unit": TEXT, "domain": TEXT, "flags": [TEXT]}}},
    "arrays": {"*": OBJECT}, "files": {"*": TEXT},
    "event_log": [OBJECT], "stateless": FLAG, "cameras_known": FLAG,
}  # fmt: skip
_CAMERAS: Mapping[str, Any] = {"windows": [OBJECT], "scene_scale_m": NUMBER, "dropped_frames": [WHOLE]}
_WINDOW: Mapping[str, Any] = {"target": TEXT, "kind": TEXT, "t_h": WHOLE, "t_r": WHOLE, "hidden_frames": [WHOLE]}
_PLAN: Mapping[str, Any] = {"name": TEXT, "index": WHOLE, "events": [{"id": TEXT, "type": TEXT, "start_s": NUMBER}]}


def read_object(files: ClipFiles, name: str) -> dict[str, Any]:
    """The object in a JSON file of a clip. Raises OSError, or ValueError without the file's name."""
    if (size := files.size(name)) > MAX_JSON_BYTES:
        raise ValueError(f"larger than {MAX_JSON_BYTES / 1e6:g} MB")
    with files.open(name) as file:
        data = file.read(size)  # room for all that is allowed would be taken first, which costs more than the reading
    tree = parse_json(data)
    if _is_plain(data):
        return tree
    for value in walk(tree):
        if isinstance(value, str) and not value.replace("\n", " ").isprintable():
            raise ValueError(f"a text holds what does not print: {one_line(value)[:80]!r}")
    return tree


def _is_plain(data: bytes) -> bool:
    """Whether no text in this JSON can hold what does not print: nothing in it is spelled out (`\\u001b`), all prints.

    True of nearly every clip, and cheaper than to look at each value; False says nothing.
    """
    text = data.decode("utf-8")
    return "\\" not in text and text.replace("\n", " ").isprintable()


def check_contents(manifest: dict[str, Any], plan: dict[str, Any], cameras: dict[str, Any]) -> None:
    """Raises ValueError, `file: field: reason`, when a reader would stumble over a field or be led astray by a name."""
    with _in("manifest.json"):
        _check_form(
            manifest,
            _MANIFEST,
            "",
            required=(
                "clip_id",
                "scene_id",
                "prompt",
                "twins",
                "arrays",
                "files",
                "instances",
                "variables",
                "event_types",
            ),
        )
        _check_names(manifest)
        if set(manifest["variables"]) != set(manifest["event_types"]):
            raise ValueError("variables and event_types name different events")
    with _in("plan.json"):
        clip = plan.get("clip")
        num_frames = clip.get("num_frames") if isinstance(clip, dict) else None
        if not isinstance(num_frames, int) or isinstance(num_frames, bool) or not 1 <= num_frames <= MAX_FRAMES:
            raise ValueError(f"clip.num_frames: expected a whole number from 1 to {MAX_FRAMES}")
        fps = clip.get("fps") if isinstance(clip, dict) else None
        if fps is None or not _is_number(fps) or not 0 < fps <= 1e6:
            raise ValueError("clip.fps: expected a number above 0")
        _check_form(plan, _PLAN, "")
    with _in("cameras.json"):
        _check_form(cameras, _CAMERAS, "", required=("windows", "scene_scale_m"))
        for name, side in (("intrinsics", 3), ("camera_from_world", 4)):
            _check_matrices(cameras.get(name), name, side)
        for i, window in enumerate(cameras["windows"]):
            _check_window(window, f"windows[{i}]", num_frames)
        if not all(0 <= frame < num_frames for frame in cameras.get("dropped_frames", ())):
            raise ValueError(f"dropped_frames: a frame is outside [0, {num_frames})")


@contextmanager
def _in(file: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_form(value: Any, form: Any, place: str, required: tuple[str, ...] = ()) -> None:
    """Fields that are there have their form; those that are not in the form are nobody's business."""
    if isinstance(form, list):
        _expect(isinstance(value, list), place, "a list")
        for i, item in enumerate(value):
            _check_form(item, form[0], f"{place}[{i}]")
    elif isinstance(form, Mapping):
        _expect(isinstance(value, dict), place, "an object")
        for name in required:
            if name not in value:
                raise ValueError(f"{name}: missing")
        for name, inner in value.items():
            if (inner_form := form.get(name, form.get("*"))) is not None:
                _check_form(inner, inner_form, f"{place}.{name[:60]}".lstrip("."))
    elif form is NUMBER:
        _expect(_is_number(value), place, "a number")
    elif form is WHOLE:
        _expect(isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53, place, "a whole number")
    else:
        _expect(isinstance(value, form), place, {TEXT: "text", FLAG: "true or false", OBJECT: "an object"}[form])


def _expect(holds: bool, place: str, what: str) -> None:
    if not holds:
        raise ValueError(f"{place or 'top'}: expected {what}")


def _check_names(manifest: dict[str, Any]) -> None:
    """What becomes a file's name, or part of one, must be a plain name."""
    for field in ("clip_id", "scene_id"):
        if not is_clip_id(manifest[field]):
            raise ValueError(f"{field}: {manifest[field][:60]!r} is no plain name")
    for name in manifest.get("files", {}):
        if not is_file_name(name):
            raise ValueError(f"files: {name[:60]!r} is no plain file name")
    for name in (*manifest.get("variables", {}), *manifest["twins"], *manifest.get("event_types", {})):
        if not is_clip_id(name):
            raise ValueError(f"{name[:60]!r} is no plain name")
    for number, facts in manifest["instances"].items():
        if not (number.isascii() and number.isdigit() and len(number) <= 9):
            raise ValueError(f"instances: {number[:60]!r} is no id")
        event = facts.get("event")
        if not isinstance(facts.get("name"), str) or not (event is None or isinstance(event, str)):
            raise ValueError(f"instances.{number}: expected name and event as text")
        if not isinstance(facts.get("carries"), bool):
            raise ValueError(f"instances.{number}.carries: expected true or false")


def _check_matrices(value: Any, place: str, side: int) -> None:
    try:
        stack = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{place}: not lists of numbers") from None
    if stack.ndim != 3 or stack.shape[1:] != (side, side) or not len(stack) or not np.isfinite(stack).all():
        raise ValueError(f"{place}: expected [T, {side}, {side}] finite numbers, got {list(stack.shape)}")


def _check_window(window: dict[str, Any], place: str, num_frames: int) -> None:
    _check_form(window, _WINDOW, place)
    for name in _WINDOW:
        if name not in window:
            raise ValueError(f"{place}.{name}: missing")
    if not all(0 <= frame < num_frames for frame in (window["t_h"], window["t_r"], *window["hidden_frames"])):
        raise ValueError(f"{place}: a frame is outside [0, {num_frames})")


# ---- arrays and tables
@contextmanager
def opened_arrays(files: ClipFiles) -> Iterator[h5py.File]:
    """arrays.h5, open for reading. What HDF5 says of a broken file comes out as ValueError."""
    try:
        with files.arrays() as file:
            yield file
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(one_line(f"{files.path / 'arrays.h5'}: cannot be read: {error}")) from None


def plain_array(file: h5py.File | h5py.Group, name: str) -> h5py.Dataset:
    """The data set `name`, which may be `a/b/c`: its own numbers, in this file. Raises KeyError when it is not there.

    Links to elsewhere, data stored in other files, virtual data sets, objects, unknown filters and more than
    MAX_ARRAY_BYTES are refused with ValueError.
    """
    at: Any = file.id  # h5py's own objects on the way would cost more than to open the file
    for step in map(str.encode, name.strip("/").split("/")):
        if not isinstance(at, h5py.h5g.GroupID) or not step or not at.links.exists(step):
            raise KeyError(name)
        if at.links.get_info(step).type != h5py.h5l.TYPE_HARD:
            raise ValueError(one_line(f"arrays.h5: {name}: a link to elsewhere; clips hold their own arrays"))
        at = h5py.h5o.open(at, step)
    if not isinstance(at, h5py.h5d.DatasetID) or (dtype := at.dtype).kind not in "biuf":
        raise ValueError(one_line(f"arrays.h5: {name}: no array of plain numbers"))
    packing = at.get_create_plist()
    if packing.get_layout() == h5py.h5d.VIRTUAL or packing.get_external_count():
        raise ValueError(one_line(f"arrays.h5: {name}: its numbers are in other files; clips hold their own"))
    if math.prod(at.shape) * dtype.itemsize > MAX_ARRAY_BYTES:
        raise ValueError(one_line(f"arrays.h5: {name}: {at.shape} is beyond all measure"))
    if any(packing.get_filter(i)[0] not in KNOWN_FILTERS for i in range(packing.get_nfilters())):
        raise ValueError(one_line(f"arrays.h5: {name}: packed by a filter that clips don't use"))
    return h5py.Dataset(at, readonly=True)


def read_table(
    files: ClipFiles, name: str, required: tuple[str, ...], *, only: tuple[str, ...] | None = None
) -> dict[str, np.ndarray]:
    """Columns of a Parquet file of plain values (None: all); those `required` are there."""
    try:
        with files.open(name) as file:
            small = files.size(name) <= SMALL_TABLE_BYTES
            source = pq.ParquetFile(pa.BufferReader(file.read()) if small else file)
            if source.metadata.num_rows > MAX_ROWS or source.metadata.num_columns > MAX_COLUMNS:
                raise ValueError("more rows or columns than a clip can have")
            if any(pa.types.is_nested(kind) for kind in source.schema_arrow.types):
                raise ValueError("a column holds something else than plain values")
            if absent := set(required) - set(source.schema_arrow.names):
                raise ValueError(f"no column {min(absent)!r}")
            table = source.read(columns=only, use_threads=False)
        return {column: table[column].to_numpy(zero_copy_only=False) for column in table.column_names}
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError, pa.ArrowException) as error:
        reason = one_line(str(error))[: MAX_LINE // 4]
        raise ValueError(one_line(f"{files.path / name}: cannot be read as a table: {reason}")) from None
