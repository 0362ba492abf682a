"""Damaged pictures whose right verdict is known: the negative controls of the readout.

Must be unreadable: `mean_of_sweep` (what a memoryless, blurry generator paints), `ghost` (paused and true state at
half strength each), `noise`. Must read as truth or be unreadable: `blur`, `shift`, `brightness`, `codec`, `h264`.
"""

from __future__ import annotations

import io
import subprocess
from typing import Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Picture = NDArray[np.uint8]  # [H, W, 3], sRGB


def mean_of_sweep(pictures: NDArray[np.uint8]) -> Picture:
    """Mean over [K, H, W, 3]."""
    return _to_uint8(pictures.astype(np.float64).mean(0))


def ghost(a: Picture, b: Picture) -> Picture:
    """Half of each."""
    return _to_uint8((a.astype(np.float64) + b) / 2)


def noise(like: Picture, seed: int) -> Picture:
    """Uniform noise, every pixel and channel independent."""
    return np.random.default_rng(seed).integers(0, 256, like.shape, dtype=np.uint8)


def blur(picture: Picture, sigma_px: float = 1.0) -> Picture:
    """Gaussian blur of standard deviation `sigma_px`."""
    return _to_uint8(ndimage.gaussian_filter(picture.astype(np.float64), (sigma_px, sigma_px, 0)))


def shift(picture: Picture, down_px: int = 0, right_px: int = 2) -> Picture:
    """Moved by whole pixels; the uncovered border repeats the edge."""
    return _to_uint8(ndimage.shift(picture.astype(np.float64), (down_px, right_px, 0), order=0, mode="nearest"))


def brightness(picture: Picture, gain: float = 1.2) -> Picture:
    """Times `gain`, clipped at white."""
    return _to_uint8(picture.astype(np.float64) * gain)


def codec(picture: Picture, quality: int = 60) -> Picture:
    """Through a JPEG with 4:2:0 chroma: the block transform and colour loss that video codecs share."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(buffer).convert("RGB"))


def h264(pictures: NDArray[np.uint8], crf: int = 28) -> NDArray[np.uint8]:
    """[n, H, W, 3] through libx264 in one stream, 4:2:0, constant rate factor `crf` (0 lossless, 23 usual, 51 worst).

    Odd sides are padded by their edge and cut again. ValueError when the ffmpeg of imageio-ffmpeg cannot do it.
    """
    height, width = pictures.shape[1:3]
    padded = np.pad(pictures, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    size = f"{padded.shape[2]}x{padded.shape[1]}"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", "8"]
    coded = ["-c:v", "libx264", "-crf", str(crf), "-pix_fmt", "yuv420p", "-threads", "1", "-f", "matroska"]
    stream = _ffmpeg([*raw, "-i", "-", *coded], padded.tobytes())
    decoded = _ffmpeg(["-threads", "1", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24"], stream)
    if len(decoded) != padded.size:
        raise ValueError(f"H.264: {len(decoded)} bytes came back, {padded.size} went in; install imageio-ffmpeg again")
    return np.frombuffer(decoded, np.uint8).reshape(padded.shape)[:, :height, :width].copy()


def _ffmpeg(arguments: list[str], data: bytes) -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *arguments, "-"]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise ValueError(f"ffmpeg of imageio-ffmpeg: {message[0]}; install imageio-ffmpeg again")
    return done.stdout


def soft(picture: Picture, sigma_px: float, noise_level: float, seed: int) -> Picture:
    """The right state as a small generator paints it: blurred, with blotches of `noise_level` (of full scale)."""
    rng = np.random.default_rng(seed)
    blotches = ndimage.gaussian_filter(rng.normal(0, 1, picture.shape), (2, 2, 0))
    blotches *= 255 * noise_level / max(float(blotches.std()), 1e-9)
    return _to_uint8(ndimage.gaussian_filter(picture.astype(np.float64), (sigma_px, sigma_px, 0)) + blotches)


def _to_uint8(picture: NDArray[Any]) -> Picture:
    return np.round(np.clip(picture, 0, 255)).astype(np.uint8)
