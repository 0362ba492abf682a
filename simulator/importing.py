"""Any video as a clip without states: pictures, cameras if there are any, no events, no windows.

plan.json of such a clip holds its name and `clip` only; the manifest says `stateless`, where it came from and whether
its cameras are known. Everything that reads clips reads it.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import h5py
import imageio_ffmpeg
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from scenes.limits import MAX_CLIP_BYTES
from scenes.plan import digest
from simulator.camera_files import CameraTrack, read_cameras, still_camera
from simulator.clip import SCHEMA_VERSION
from simulator.clip_writer import STATE_SCHEMA, array_sha256, file_sha256, software_versions, write_video

MIN_SIDE_PX, MAX_SIDE_PX = 2, 4096  # H.264 needs two pixels


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What to make of a video.

    fps: frames nearest to these times are taken (None: every frame, the video's own rate). max_frames: of those, the
    first so many. size_px: (width, height); each picture is cropped to that shape about its middle, then resized.
    cameras: one for each frame of the *video*, before any of this.
    """

    video: Path
    cameras: Path | None = None
    prompt: str = ""
    fps: float | None = None
    size_px: tuple[int, int] | None = None
    max_frames: int | None = None

    def __post_init__(self) -> None:
        for path in (self.video, self.cameras):
            if path is not None and not path.is_file():
                raise ValueError(f"{path}: no such file")
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise ValueError(f"--fps: {self.fps:g} is not a rate; give frames a second")
        if self.max_frames is not None and self.max_frames < 1:
            raise ValueError(f"--max-frames: {self.max_frames} is too few; give 1 or more")
        if stray := next((c for c in self.prompt if c != "\n" and not c.isprintable()), None):
            raise ValueError(f"--prompt: it holds {stray!a}, which does not print; give plain text")

    @cached_property
    def video_sha256(self) -> str:
        return file_sha256(self.video)

    @cached_property
    def clip_id(self) -> str:
        """20 hex digits of everything that was asked for, the files by their content."""
        asked = asdict(self) | {"video": self.video_sha256}
        asked["cameras"] = None if self.cameras is None else file_sha256(self.cameras)
        return digest({"import": 1, **asked})[:20]


@dataclass(frozen=True, kw_only=True)
class ImportedClip:
    """Decoded pictures and cameras, ready to be written."""

    request: ImportRequest
    rgb: NDArray[np.uint8]  # [T, H, W, 3], on disk
    fps: float
    cameras: CameraTrack  # T of them
    source: dict[str, Any]  # about the video as it was


def read_import(request: ImportRequest) -> ImportedClip:
    """Decode and select. Raises ValueError for a file that is no video, for one that is too long or too small, and for
    cameras that don't belong to it.
    """
    source_fps, width, height = _probe(request.video)
    fps = request.fps or source_fps
    if fps > source_fps + 1e-6:
        raise ValueError(f"--fps: {fps:g} is more than {request.video} has; give at most {source_fps:g}")
    box = _crop_box(width, height, request.size_px)
    size = request.size_px or (width, height)
    if min(size) < MIN_SIDE_PX:
        raise ValueError(f"{request.video}: pictures of {size[0]}x{size[1]} px are too small; give a larger --size")
    kept: list[int] = []
    num_frames = 0
    with tempfile.TemporaryFile() as pixels, closing(_frames(request.video, width, height)) as frames:
        for frame, picture in enumerate(frames):
            num_frames = frame + 1
            wanted = request.max_frames is None or len(kept) < request.max_frames
            if wanted and frame == round(len(kept) * source_fps / fps):
                kept.append(frame)
                pixels.write(picture.resize(size, Image.Resampling.LANCZOS, box=box).tobytes())
                if pixels.tell() > MAX_CLIP_BYTES:
                    raise ValueError(
                        f"{request.video}: its first {len(kept)} frames at {size[0]}x{size[1]} px are more than "
                        f"{MAX_CLIP_BYTES / 1e9:g} GB; give --max-frames, a smaller --size or a lower --fps"
                    )
            elif not wanted and request.cameras is None:
                break
        if not kept:
            raise ValueError(f"{request.video}: no frame in it can be decoded")
        pixels.flush()
        rgb = np.memmap(pixels, dtype=np.uint8, mode="r", shape=(len(kept), size[1], size[0], 3))
    track = _cameras(request, num_frames, width, height).taken(kept).cropped(box, size)
    source = {
        "file": _plain(request.video.name),
        "sha256": request.video_sha256,
        "fps": source_fps,
        "width_px": width,
        "height_px": height,
        "frames": kept,
    }
    return ImportedClip(request=request, rgb=rgb, fps=fps, cameras=track, source=source)


def write_imported(imported: ImportedClip, out: Path) -> None:
    """Fill the empty directory `out`; the manifest is written last."""
    request, rgb, track = imported.request, imported.rgb, imported.cameras
    clip = {"num_frames": len(rgb), "fps": imported.fps, "width_px": rgb.shape[2], "height_px": rgb.shape[1]}
    plan = {"name": _plain(request.video.stem), "index": 0, "clip": clip}
    plan |= {"events": [], "interruptions": [], "outputs": ["rgb"]}
    (out / "plan.json").write_text(json.dumps(plan, indent=1) + "\n")
    (out / "cameras.json").write_text(json.dumps(track.to_dict() | {"windows": []}, indent=1) + "\n")
    pq.write_table(STATE_SCHEMA.empty_table(), out / "states.parquet")
    write_video(out / "video.mp4", rgb, imported.fps)
    with h5py.File(out / "arrays.h5", "w") as file:
        file.create_dataset("rgb", data=rgb, chunks=(1, *rgb.shape[1:]), compression="gzip", compression_opts=4)
    hashes = {"rgb": array_sha256(rgb)}
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "clip_id": request.clip_id,
        "scene_id": imported.source["sha256"][:16],
        "stateless": True,
        "cameras_known": request.cameras is not None,
        "source": imported.source,
        "prompt": request.prompt,
        "instances": {},
        "variables": {},
        "event_types": {},
        "event_log": [],
        "twins": [],
        "arrays": {"rgb": {"shape": list(rgb.shape), "dtype": str(rgb.dtype), "sha256": hashes["rgb"]}},
        "arrays_sha256": hashlib.sha256(json.dumps(hashes).encode()).hexdigest(),
        "files": {p.name: file_sha256(p) for p in sorted(out.iterdir())},
        "file_bytes": {p.name: p.stat().st_size for p in sorted(out.iterdir())},
        "device": "none (imported)",
        "versions": software_versions(),
        "created_unix_s": round(time.time()),
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def parse_size(text: str) -> tuple[int, int]:
    """(width, height) of "WxH"."""
    sides = [int(side) for side in text.lower().split("x") if re.fullmatch("[0-9]{1,4}", side)]
    if text.lower().count("x") != 1 or len(sides) != 2 or not all(MIN_SIDE_PX <= s <= MAX_SIDE_PX for s in sides):
        raise ValueError(
            f"--size: {text!r} is not WxH in pixels from {MIN_SIDE_PX} to {MAX_SIDE_PX}; for example 256x256"
        )
    return sides[0], sides[1]


def _plain(name: str) -> str:
    """A file's name as clips may hold it: what does not print (macOS puts narrow spaces in names) becomes a space."""
    return "".join(c if c.isprintable() else " " for c in name)


def _probe(video: Path) -> tuple[float, int, int]:
    """Frames a second, width, height, as ffmpeg hands the frames out (turned upright, at a constant rate)."""
    with _ffmpeg(video, "-frames:v", "1", "-pix_fmt", "yuv444p", "-f", "yuv4mpegpipe") as output:
        head = output.readline().decode("ascii", "replace").split()
    facts = {word[0]: word[1:] for word in head[1:]}
    if not {"W", "H", "F"} <= set(facts):
        raise ValueError(f"{video}: not a video that ffmpeg can decode; give an mp4, mov, webm or gif")
    rate, per = map(int, facts["F"].split(":"))
    return rate / per, int(facts["W"]), int(facts["H"])


def _frames(video: Path, width: int, height: int) -> Generator[Image.Image, None, None]:
    with _ffmpeg(video, "-pix_fmt", "rgb24", "-f", "rawvideo") as output:
        while len(data := output.read(width * height * 3)) == width * height * 3:
            yield Image.frombuffer("RGB", (width, height), data)


@contextmanager
def _ffmpeg(video: Path, *options: str) -> Iterator[IO[bytes]]:
    """What ffmpeg writes for a video; ended when the caller has read enough."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "quiet", "-i", f"file:{video}", *options, "-"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()


def _crop_box(width: int, height: int, size_px: tuple[int, int] | None) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the largest part about the middle that has the shape of `size_px`."""
    if size_px is None:
        return 0.0, 0.0, float(width), float(height)
    scale = min(width / size_px[0], height / size_px[1])
    crop_w, crop_h = size_px[0] * scale, size_px[1] * scale
    left, top = (width - crop_w) / 2, (height - crop_h) / 2
    return left, top, left + crop_w, top + crop_h


def _cameras(request: ImportRequest, num_frames: int, width: int, height: int) -> CameraTrack:
    if request.cameras is None:
        return still_camera(num_frames, width, height)
    track = read_cameras(request.cameras, width, height)
    if len(track.intrinsics) != num_frames:
        raise ValueError(
            f"{request.cameras}: {len(track.intrinsics)} cameras, {request.video} has {num_frames} frames; "
            f"give one camera for each frame of the video"
        )
    return track
