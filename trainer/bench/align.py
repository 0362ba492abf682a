"""A foreign video on the clip's own frames and pixels.

Time. The first frame of a video is clip time 0; frame i is at i / rate. A clip frame takes the video frame nearest in
time (of two the earlier), but from the return on none from before the return, where the event may still be hidden; past
the end of the video it takes the last one only within half a clip frame, else it is missing. A video with exactly as
many frames as the clip is taken frame by frame, whatever rate it declares: writers often leave their default there.

Size. The picture is reduced by area, or enlarged bicubically, to the clip's size. Of two readings of its shape the one
whose first frame is nearer to the true first frame, which every model is given, counts: the whole picture is the whole
view (squeezed, if the shape differs), or the view lies in the middle between bars. A video that shows a part of the
view only cannot be scored well: its rules say so.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.bench.decode import Unusable, VideoFacts, open_video

Box = tuple[float, float, float, float]  # left, top, right, bottom
SLACK = 1e-6  # of a frame


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """What of a clip's times matters here."""

    num_frames: int
    fps: float
    num_given: int  # frames at the start that the model was given
    t_r: int  # first frame after the hidden ones
    skipped: frozenset[int] = frozenset()  # frames that nobody has to show (dropped)


@dataclass(frozen=True)
class ForeignVideo:
    """A model's video on the clip's timeline (a `trainer.probe.score.Generated`)."""

    rgb: NDArray[np.uint8]  # [F, H, W, 3]
    frames: NDArray[np.int64]  # [F] frames of the clip that the video covers
    generated: NDArray[np.bool_]  # [F] after the frames that were given
    late_s: NDArray[np.float64]  # [F] how much later than its clip frame each picture is
    facts: VideoFacts
    num_frames: int  # decoded, of the video
    bars: bool  # the view lay between bars
    frame_by_frame: bool


def read_foreign(path: Path, first: NDArray[np.uint8], times: Timeline) -> ForeignVideo:
    """Decode a video for a clip whose true first frame is `first` [H, W, 3]. Raises Unusable with the reason."""
    height, width = first.shape[:2]
    kept: dict[int, NDArray[np.uint8]] = {}
    count, box, bars = 0, None, False
    with open_video(path, times.num_frames / times.fps + 1.0, times.num_frames + 1) as (facts, pictures):
        by_time = set(video_frames(sys.maxsize, facts.rate, times).values())
        for i, picture in enumerate(pictures):
            count = i + 1
            if box is None:
                box, bars = view_box(picture, first)
            if i < times.num_frames or i in by_time:
                kept[i] = fitted(picture, box, width, height)
    if not kept:
        raise Unusable("has no frames")
    rows = video_frames(count, facts.rate, times)
    frames = [f for f in rows if f not in times.skipped]
    frame_by_frame = count == times.num_frames
    late_s = [0.0 if frame_by_frame else rows[f] / facts.rate - f / times.fps for f in frames]
    return ForeignVideo(
        rgb=np.stack([kept[rows[f]] for f in frames]),
        frames=np.array(frames, dtype=np.int64),
        generated=np.array(frames) >= times.num_given,
        late_s=np.array(late_s),
        facts=facts,
        num_frames=count,
        bars=bars,
        frame_by_frame=frame_by_frame,
    )


def nearest(frame: int, fps: float, rate: float) -> int:
    """Video frame nearest to a clip frame in time; of two the earlier."""
    return int(np.ceil(frame / fps * rate - 0.5 - SLACK))


def video_frames(count: int, rate: float, times: Timeline) -> dict[int, int]:
    """Clip frame -> video frame, of those that a video of `count` frames covers."""
    if count == times.num_frames:
        return {f: f for f in range(times.num_frames)}
    found, fps = {}, times.fps
    back = int(np.ceil(times.t_r / fps * rate - SLACK))  # the first video frame that is not before the return
    for f in range(times.num_frames):
        i = nearest(f, fps, rate)
        if f >= times.t_r:
            i = max(i, back)
        if i >= count and f / fps - (count - 1) / rate <= 0.5 / fps + SLACK and (f < times.t_r or count > back):
            i = count - 1
        if i < count:
            found[f] = i
    return found


def view_box(picture: Image.Image, first: NDArray[np.uint8]) -> tuple[Box, bool]:
    """Where in the video's pictures the clip's view lies, and whether that is between bars."""
    height, width = first.shape[:2]
    whole: Box = (0.0, 0.0, float(picture.width), float(picture.height))
    scale = min(picture.width / width, picture.height / height)
    left, top = (picture.width - width * scale) / 2, (picture.height - height * scale) / 2
    if max(left, top) < 1.0:
        return whole, False
    inner: Box = (left, top, picture.width - left, picture.height - top)
    true = first.astype(np.float64)
    squeezed, between = (float(((fitted(picture, box, width, height) - true) ** 2).mean()) for box in (whole, inner))
    return (inner, True) if between < squeezed else (whole, False)


def fitted(picture: Image.Image, box: Box, width: int, height: int) -> NDArray[np.uint8]:
    """[height, width, 3] the part `box` of a picture."""
    reduced = box[2] - box[0] >= width and box[3] - box[1] >= height
    method = Image.Resampling.BOX if reduced else Image.Resampling.BICUBIC
    return np.asarray(picture.resize((width, height), method, box=box))
