"""Writing a clip directory; `simulator.clip` describes the layout and reads it."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import h5py
import imageio.v2 as imageio
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from event_library.base import Event
from scenes.cameras import camera_from_world
from simulator.clip import SCHEMA_VERSION, Window
from simulator.event_log import event_log
from simulator.prompts import INTERRUPTION_CLAUSES
from simulator.stage import Stage
from simulator.timeline import StateTimeline, clip_clock, dropped_frames
from simulator.visibility import Visibility

ONE_CHUNK_BYTES = 2**18
_PACKAGES = ("bpy", "numpy", "embreex", "mujoco", "scipy", "trimesh", "remind-sim")


class ArraysFile:
    """arrays.h5 while it is being made. What was added is on disk and hashed, and need not stay in memory."""

    def __init__(self, path: Path) -> None:
        self._file = h5py.File(path, "w", track_order=True)
        self.facts: dict[str, dict[str, Any]] = {}  # name -> shape, dtype and sha256, as the manifest has them

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, name: str, array: NDArray[Any]) -> None:
        """One chunk per frame, small arrays in one. gzip 1: level 4 gains 1 to 3 % (docs/RESULTS.md)."""
        chunks = (1, *array.shape[1:]) if array.ndim > 1 and array.size else None
        if chunks and array.nbytes <= ONE_CHUNK_BYTES:
            chunks = array.shape
        packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if chunks else {}
        self._file.create_dataset(name, data=array, chunks=chunks, **packed)
        self.facts[name] = {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": array_sha256(array)}

    def label(self, group: str, **labels: Any) -> None:
        """Attributes of a group that has arrays."""
        self._file[group].attrs.update(labels)


@dataclass(frozen=True)
class ClipContent:
    """Everything that goes into a clip directory beside its arrays."""

    stage: Stage
    rgb: NDArray[np.uint8]  # [T, H, W, 3] of the video
    visibility: Mapping[str, Visibility]
    boxes: pa.Table | None
    windows: tuple[Window, ...]
    timelines: Mapping[str, Mapping[str, StateTimeline]]  # "truth" or twin -> event -> timeline
    device: str


def write_clip(out: Path, content: ClipContent, arrays: Mapping[str, Mapping[str, Any]]) -> None:
    """Fill the directory `out`, where arrays.h5 is complete already; the manifest is written last.

    arrays: the facts of an `ArraysFile`.
    """
    plan = content.stage.plan
    twins = [name for name in content.timelines if name != "truth"]
    (out / "plan.json").write_text(plan.to_json())
    (out / "cameras.json").write_text(json.dumps(_cameras(content), indent=1) + "\n")
    pq.write_table(_states_table(content), out / "states.parquet")
    if content.boxes is not None:
        pq.write_table(content.boxes, out / "boxes.parquet")
    if twins:
        pq.write_table(_twins_table(content, twins), out / "twins.parquet")
    write_video(out / "video.mp4", np.delete(content.rgb, dropped_frames(plan), axis=0), plan.clip.fps)
    hashes = {name: facts["sha256"] for name, facts in sorted(arrays.items())}
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "clip_id": plan.plan_id[:20],
        "plan_sha256": plan.plan_id,
        "scene_id": plan.scene_id,
        "prompt": prompt_of(content.stage),
        "instances": {
            str(b.instance): {
                "name": b.part.name,
                "event": b.event,
                "carries": b.part.carries,
                "occluder": b.occluder,
            }
            for b in content.stage.bodies
        },
        "instance_ids": "the same part has the same id in every frame of the clip, its twins and its sweep; 0: nothing",
        "variables": {name: _variables(event) for name, event in content.stage.events.items()},
        "event_types": {e.id: e.type for e in plan.events},
        "event_facts": {name: _facts(event) for name, event in content.stage.events.items()},
        "event_log": event_log(content.stage, content.visibility),
        "twins": sorted(twins),
        "arrays": dict(arrays),
        "arrays_sha256": hashlib.sha256(json.dumps(hashes).encode()).hexdigest(),
        "files": {p.name: file_sha256(p) for p in sorted(out.iterdir())},
        "file_bytes": {p.name: p.stat().st_size for p in sorted(out.iterdir())},
        "device": content.device,
        "versions": software_versions(),
        "created_unix_s": round(time.time()),
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def array_sha256(array: NDArray[Any]) -> str:
    """Hash of a decoded array: dtype, shape and bytes in C order."""
    head = f"{array.dtype.str}{array.shape}".encode()
    digest = hashlib.sha256(head)
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)  # no copy
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cameras(content: ClipContent) -> dict[str, Any]:
    stage, plan = content.stage, content.stage.plan
    times_s = clip_clock(plan).frame_times_s
    first = camera_from_world(plan, 0.0)
    look_at = first[:3, :3] @ np.asarray(plan.camera.look_at_m) + first[:3, 3]
    return {
        "convention": "OpenCV axes (x right, y down, z forward), pixel centres at +.5, metres",
        "intrinsics": [stage.intrinsics.tolist()] * len(times_s),
        "camera_from_world": [camera_from_world(plan, t_s).tolist() for t_s in times_s],
        "scene_scale_m": float(np.linalg.norm(look_at)),
        "windows": [asdict(w) for w in content.windows],
        "dropped_frames": dropped_frames(plan),
    }


def _states_table(content: ClipContent) -> pa.Table:
    times_s = clip_clock(content.stage.plan).frame_times_s
    columns: dict[str, list[Any]] = {name: [] for name in STATE_SCHEMA.names}
    for event, timeline in content.timelines["truth"].items():
        seen = content.visibility[event]
        for variable in content.stage.events[event].variables:
            values = timeline.states[variable.name]
            if values.ndim > 1:
                continue
            for frame, t_s in enumerate(times_s):
                row = (
                    frame, t_s, event, event, variable.name, variable.role, float(values[frame]), variable.unit,
                    int(seen.visible_px[frame]), float(seen.visible_fraction[frame]), bool(seen.hidden[frame]),
                    seen.hidden_by[frame],
                )  # fmt: skip
                for name, value in zip(columns, row, strict=True):
                    columns[name].append(value)
    return pa.table(columns, schema=STATE_SCHEMA)


STATE_SCHEMA = pa.schema(
    [
        ("frame", pa.int32()), ("t_s", pa.float64()), ("event", pa.string()), ("entity", pa.string()),
        ("variable", pa.string()), ("role", pa.string()), ("value", pa.float64()), ("unit", pa.string()),
        ("visible_px", pa.int32()), ("visible_fraction", pa.float64()), ("hidden", pa.bool_()),
        ("hidden_by", pa.string()),
    ]
)  # fmt: skip


def _twins_table(content: ClipContent, twins: Sequence[str]) -> pa.Table:
    columns: dict[str, list[Any]] = {n: [] for n in ("twin", "frame", "event", "event_time_s", "variable", "value")}
    for twin in twins:
        for event, timeline in content.timelines[twin].items():
            for name, values in timeline.states.items():
                if values.ndim > 1:
                    continue
                for frame, value in enumerate(values):
                    row = (twin, frame, event, float(timeline.event_time_s[frame]), name, float(value))
                    for column, cell in zip(columns, row, strict=True):
                        columns[column].append(cell)
    return pa.table(columns)


def write_video(path: Path, rgb: NDArray[np.uint8], fps: float) -> None:
    """H.264 for people and loaders; the exact pictures are in arrays.h5."""
    options: dict[str, Any] = {
        "macro_block_size": 1,
        "codec": "libx264",
        "output_params": ["-crf", "12", "-threads", "1"],
    }
    height, width = rgb.shape[1] // 2 * 2, rgb.shape[2] // 2 * 2  # H.264 needs even sides
    imageio.mimwrite(path, list(rgb[:, :height, :width]), fps=fps, **options)


def prompt_of(stage: Stage) -> str:
    """What a text-conditioned model is told: the events, and what interrupts the view of them."""
    prompts = [event.info.prompt for event in stage.events.values()]
    clauses = [INTERRUPTION_CLAUSES[i.kind] for i in stage.plan.interruptions]
    return " ".join([*prompts, *clauses])


def _variables(event: Event) -> dict[str, Any]:
    return {v.name: {k: x for k, x in asdict(v).items() if k != "name"} for v in event.variables}


def _facts(event: Event) -> dict[str, Any]:
    info = event.info
    return {"family": info.family, "stevo_category": info.stevo_category, "held_out": info.held_out}


def software_versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
