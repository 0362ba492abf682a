"""What one clip may ask for at most: the same for specs, which people write, and plans, which come from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MAX_EVENTS, MAX_INTERRUPTIONS, MAX_CLUTTER = 8, 8, 12
MAX_PROPS, MAX_LIGHTS = 200, 32
MAX_FRAMES, MAX_SAMPLES = 2000, 4096
FPS = (1.0, 120.0)
SIDE_PX = (16, 2048)
MAX_CLIP_S = 600.0
MAX_S = 3600.0  # any time of a plan, in seconds
MAX_PLAN_BYTES = 4_000_000
MAX_CLIP_BYTES = 8e9  # of a clip's arrays, not packed; a worker holds them in memory

OUTPUT_NAMES = ("rgb", "depth", "segmentation", "normals", "flow", "amodal", "boxes", "tracks", "twins", "sweep")
_PIXEL_BYTES: Mapping[str, int] = {"rgb": 3, "depth": 4, "segmentation": 2, "normals": 6, "flow": 8, "twins": 10}


def clip_bytes(num_frames: int, width_px: int, height_px: int, outputs: Sequence[str], num_events: int) -> int:
    """Size of the arrays of all frames, not packed (the few pictures of sweeps are left out)."""
    pixel = sum(_PIXEL_BYTES.get(name, 0) for name in outputs) + (num_events if "amodal" in outputs else 0)
    return num_frames * width_px * height_px * pixel


def check_clip_size(
    num_frames: int, fps: float, width_px: int, height_px: int, outputs: Sequence[str], num_events: int
) -> str | None:
    """Why a clip is too long or too large as a whole, with a fix; None when it is not."""
    if num_frames / fps > MAX_CLIP_S + 1e-6:
        return (
            f"{num_frames} frames at {fps:g} frames/s last {num_frames / fps:.4g} s; at most {MAX_CLIP_S:g} s; take "
            "fewer frames or a higher fps"
        )
    size = clip_bytes(num_frames, width_px, height_px, outputs, num_events)
    if size > MAX_CLIP_BYTES:
        return (
            f"{num_frames} frames of {width_px}x{height_px} px with these outputs are {size / 1e9:.1f} GB in memory; "
            f"at most {MAX_CLIP_BYTES / 1e9:g} GB; take fewer frames, fewer pixels or fewer outputs"
        )
    return None
