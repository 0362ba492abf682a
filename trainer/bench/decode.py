"""Decoding a video that a stranger sent: bounded in bytes, pixels, frames, memory and time.

Only a regular file is opened (no link is followed); ffmpeg gets its descriptor, not its name, may use no other
protocol and no format that names other files (playlists), and runs in a process of its own under limits.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import imageio_ffmpeg
from PIL import Image

from untrusted import one_line

MAX_BYTES = 1_000_000_000
MAX_PIXELS = 4096 * 2304  # of one picture
MAX_RATE = 240.0  # frames a second
MAX_FRAMES = 20_000
MAX_CPU_S, MAX_WALL_S = 120, 300
MAX_MEMORY_BYTES = 4_000_000_000
MIN_SIDE_PX = 16
_FORMATS = "mov,mp4,matroska,webm,avi,gif"


@dataclass(frozen=True)
class VideoFacts:
    """A video as it was sent."""

    width_px: int
    height_px: int
    rate: float  # frames a second, constant (a variable rate is made constant by repeating frames)


class Unusable(ValueError):
    """The file cannot be used; the message is one line without its name."""


@contextmanager
def open_video(path: Path, max_s: float, min_frames: int = 0) -> Iterator[tuple[VideoFacts, Iterator[Image.Image]]]:
    """The facts, and as RGB pictures the frames of the first `max_s` seconds, or the first `min_frames` if these are
    more: whoever counts the frames must not trust the rate. Raises Unusable with the reason.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = "is a link; put the file itself there" if path.is_symlink() else error.strerror or str(error)
        raise Unusable(reason) from None
    try:
        facts = _facts(descriptor)
        most = max(math.ceil(max_s * facts.rate) + 1, min_frames)
        with closing(_frames(descriptor, facts, most)) as frames:
            yield facts, frames
    finally:
        os.close(descriptor)


def _facts(descriptor: int) -> VideoFacts:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("is not a regular file")
    if not 0 < status.st_size <= MAX_BYTES:
        raise Unusable(f"has {status.st_size} bytes; 1 to {MAX_BYTES / 1e9:g} GB are read")
    with tempfile.TemporaryFile() as complaints:
        options = ("-frames:v", "1", "-fps_mode", "cfr", "-pix_fmt", "yuv444p", "-f", "yuv4mpegpipe")
        with _ffmpeg(descriptor, options, complaints) as output:
            head = output.readline(4096).decode("ascii", "replace").split()
        complaints.seek(0)
        said = complaints.read(2000).decode("utf-8", "replace")
    words = {word[0]: word[1:] for word in head[1:]}
    try:
        rate, per = map(int, words["F"].split(":"))
        facts = VideoFacts(int(words["W"]), int(words["H"]), rate / per)
    except (KeyError, ValueError, ZeroDivisionError):
        raise Unusable(f"no picture in it can be decoded{_cause(said)}; send H.264 in mp4") from None
    if facts.width_px * facts.height_px > MAX_PIXELS:
        raise Unusable(f"{facts.width_px} x {facts.height_px} is too large; at most {MAX_PIXELS} pixels a frame")
    if min(facts.width_px, facts.height_px) < MIN_SIDE_PX:
        raise Unusable(f"{facts.width_px} x {facts.height_px} is too small; at least {MIN_SIDE_PX} pixels a side")
    if not 0.1 <= facts.rate <= MAX_RATE:
        raise Unusable(f"{facts.rate:g} frames a second are not read; write a constant rate of 0.1 to {MAX_RATE:g}")
    return facts


def _cause(said: str) -> str:
    """What ffmpeg complained of, its last line."""
    lines = [line.partition("] ")[2] or line for line in said.splitlines() if line.strip()]
    lines = [line for line in lines if "/dev/fd/" not in line and "Conversion failed" not in line]
    return f" ({one_line(lines[0])[:120]})" if lines else ""


def _frames(descriptor: int, facts: VideoFacts, max_frames: int) -> Generator[Image.Image, None, None]:
    """Raises Unusable when time is up before the frames are there."""
    width, height, num_bytes = facts.width_px, facts.height_px, facts.width_px * facts.height_px * 3
    limit = str(min(max_frames, MAX_FRAMES))
    options = ("-frames:v", limit, "-fps_mode", "cfr", "-pix_fmt", "rgb24", "-f", "rawvideo")
    with _ffmpeg(descriptor, options, subprocess.DEVNULL) as output:
        while len(data := output.read(num_bytes)) == num_bytes:
            yield Image.frombuffer("RGB", (width, height), data)


@contextmanager
def _ffmpeg(descriptor: int, options: tuple[str, ...], complaints: int | IO[bytes]) -> Iterator[IO[bytes]]:
    """What ffmpeg writes; it is ended when the caller has read enough, or when its time is up (Unusable)."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-threads", "1",
        "-protocol_whitelist", "file", "-format_whitelist", _FORMATS, "-max_pixels", str(MAX_PIXELS),
        "-i", f"file:/dev/fd/{descriptor}", "-map", "0:v:0", "-an", "-sn", "-dn", *options, "-",
    ]  # fmt: skip
    late = threading.Event()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=complaints,
        pass_fds=(descriptor,),
        preexec_fn=_limit_self,
    ) as process:
        assert process.stdout is not None

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(MAX_WALL_S, end)
        timer.start()
        try:
            yield process.stdout
        finally:
            timer.cancel()
            process.kill()
    if late.is_set() or process.returncode == -signal.SIGXCPU:
        raise Unusable(f"takes too long to decode; at most {MAX_CPU_S} s of processor time, {MAX_WALL_S} s in all")


def _limit_self() -> None:
    """In the child, before ffmpeg starts."""
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
