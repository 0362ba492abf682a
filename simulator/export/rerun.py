"""Rerun: OUT/<clip>.rrd with everything that a clip knows, on its own time; `rerun OUT/<clip>.rrd` opens it.

    world/camera            pose and pinhole of every frame; below it rgb (PNG, lossless), depth, segmentation
    world/boxes             3-D boxes, where the clip has them
    states/<event>/<name>   one curve a variable; seen/<event>: the visible share of its carriers
    log                     hidden windows (last seen, first and last hidden frame, seen again) and the event log
    prompt                  the text

Timelines are `frame` and `clip_time` (seconds from the first frame). Depth is in metres along the camera axis, 0 where
nothing is hit. Frames that were dropped have no picture. A clip whose cameras are unknown has no pose and no pinhole.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from simulator.clip import Clip
from simulator.export.pictures import blank_frames, needs, whole

FRAME, TIME = "frame", "clip_time"


def export_rerun(clips: Sequence[Clip], out: Path) -> list[Path]:
    """One recording a clip."""
    needs("rerun", "rerun-sdk", "rerun")
    return [_export_clip(clip, out / f"{clip.clip_id}.rrd") for clip in clips]


def _export_clip(clip: Clip, path: Path) -> Path:
    import rerun as rr

    with whole(path) as draft:
        recording: Any = rr.new_recording("remind", recording_id=clip.clip_id)
        recording.save(draft)
        recording.log("prompt", rr.TextDocument(clip.prompt), static=True, strict=True)
        _log_pictures(clip, recording)
        _log_boxes(clip, recording)
        _log_states(clip, recording)
        _log_texts(clip, recording)
        recording.flush(blocking=True)
        recording.disconnect()
    return path


def _log_pictures(clip: Clip, recording: Any) -> None:
    import rerun as rr

    names = clip.manifest["arrays"]
    blank = blank_frames(clip)
    _log_still(clip, recording)
    for frame in range(clip.num_frames):
        recording.set_time_sequence(FRAME, frame)
        recording.set_time_seconds(TIME, frame / clip.fps)
        if clip.cameras_known:
            _log_camera(clip, frame, recording)
        if blank.get(frame) == "dropped":
            for name in ("rgb", "depth", "segmentation"):
                recording.log(f"world/camera/{name}", rr.Clear(recursive=False), strict=True)
            continue
        picture = rr.EncodedImage(contents=_png(clip.rgb[frame]), media_type="image/png")
        recording.log("world/camera/rgb", picture, strict=True)
        if "depth_m" in names:
            depth_m = clip.depth_m[frame]
            depth_m = np.where(np.isfinite(depth_m), depth_m, 0.0).astype(np.float32)
            recording.log("world/camera/depth", rr.DepthImage(depth_m, meter=1.0), strict=True)
        if "segmentation" in names:
            recording.log("world/camera/segmentation", rr.SegmentationImage(clip.segmentation[frame]), strict=True)


def _log_still(clip: Clip, recording: Any) -> None:
    """What holds for the whole recording: up is z, and the names of the segmentation's ids."""
    import rerun as rr

    recording.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True, strict=True)
    if clip.instances:
        names = {i: f"{body['event'] or 'world'}/{body['name']}" for i, body in clip.instances.items()}
        context = rr.AnnotationContext([(0, "nothing"), *names.items()])
        recording.log("world", context, static=True, strict=True)


def _log_camera(clip: Clip, frame: int, recording: Any) -> None:
    import rerun as rr

    height, width = clip.rgb.shape[1:3]
    camera_from_world = clip.cameras.camera_from_world[frame]
    rotation = camera_from_world[:3, :3].T
    pose = rr.Transform3D(translation=-rotation @ camera_from_world[:3, 3], mat3x3=rotation)
    pinhole = rr.Pinhole(
        image_from_camera=clip.cameras.intrinsics[frame],
        resolution=[width, height],
        camera_xyz=rr.ViewCoordinates.RDF,  # x right, y down, z forward
    )
    recording.log("world/camera", pose, strict=True)
    recording.log("world/camera", pinhole, strict=True)


def _log_boxes(clip: Clip, recording: Any) -> None:
    """Oriented boxes of events and of the parts that carry their states, in the frames in which they are there."""
    import rerun as rr

    if "boxes.parquet" not in clip.manifest["files"]:
        return
    boxes = clip.boxes
    there = np.isfinite(boxes["centre_x_m"])
    for frame in range(clip.num_frames):
        rows = np.flatnonzero(there & (boxes["frame"] == frame))
        turned = np.column_stack([boxes[f"rotation_{axis}"][rows] for axis in "xyzw"])
        recording.set_time_sequence(FRAME, frame)
        recording.set_time_seconds(TIME, frame / clip.fps)
        drawn = rr.Boxes3D(
            centers=np.column_stack([boxes[f"centre_{axis}_m"][rows] for axis in "xyz"]),
            sizes=np.column_stack([boxes[f"size_{axis}_m"][rows] for axis in "xyz"]),
            quaternions=[rr.Quaternion(xyzw=xyzw) for xyzw in turned],
            labels=[f"{boxes['event'][row]}/{boxes['entity'][row]}" for row in rows],
            class_ids=boxes["instance"][rows],
        )
        recording.log("world/boxes", drawn, strict=True)


def _log_states(clip: Clip, recording: Any) -> None:
    import rerun as rr

    frames = np.arange(clip.num_frames)
    times = [rr.TimeSequenceColumn(FRAME, frames), rr.TimeSecondsColumn(TIME, frames / clip.fps)]

    def curve(path: str, values: NDArray[np.float64], label: str) -> None:
        recording.log(path, rr.SeriesLine(name=label), static=True, strict=True)
        rr.send_columns(path, times, rr.Scalar.columns(scalar=values), recording=recording, strict=True)

    for event, variables in clip.variables.items():
        columns = clip.states
        own = columns["event"] == event
        scalars = [name for name in variables if (own & (columns["variable"] == name)).any()]
        for name in scalars:
            curve(f"states/{event}/{name}", clip.series(event, name), f"{event} {name} [{variables[name]['unit']}]")
        if scalars:
            rows = own & (columns["variable"] == scalars[0])
            seen = columns["visible_fraction"][rows][np.argsort(columns["frame"][rows])]
            curve(f"seen/{event}", seen, f"{event} seen")


def _log_texts(clip: Clip, recording: Any) -> None:
    import rerun as rr

    for frame, text in sorted(_texts(clip)):
        recording.set_time_sequence(FRAME, frame)
        recording.set_time_seconds(TIME, frame / clip.fps)
        recording.log("log", rr.TextLog(text, level="INFO"), strict=True)


def _texts(clip: Clip) -> Iterator[tuple[int, str]]:
    for window in clip.windows:
        yield window.t_h, f"{window.target}: last seen before {window.kind}"
        yield window.hidden_frames[0], f"{window.target}: hidden by {window.kind}"
        yield window.hidden_frames[-1], f"{window.target}: last hidden frame"
        yield window.t_r, f"{window.target}: seen again"
    for entry in clip.event_log:
        yield entry["frame"], f"{entry['event']}: {entry['name']}{' (hidden)' if entry['hidden'] else ''}"


def _png(rgb: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, format="PNG")
    return file.getvalue()
