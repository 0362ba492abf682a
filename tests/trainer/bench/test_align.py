"""Time and size of foreign videos: known videos whose right frames are known."""

from __future__ import annotations

from pathlib import Path

import imageio.v2 as imageio
import numpy as np
import pytest
from PIL import Image

from trainer.bench.align import Timeline, nearest, read_foreign, video_frames, view_box
from trainer.bench.decode import open_video

FPS, NUM_FRAMES, T_R = 8.0, 24, 19
TIMES = Timeline(num_frames=NUM_FRAMES, fps=FPS, num_given=4, t_r=T_R, skipped=frozenset({5}))


def slow_nearest(frame: int, fps: float, rate: float) -> int:
    """The twin: by looking at all of them."""
    distances = np.abs(np.arange(700) / rate - frame / fps)
    return int(np.flatnonzero(distances <= distances.min() + 1e-9)[0])


@pytest.mark.parametrize("rate", [4.0, 7.5, 8.0, 12.0, 16.0, 23.976, 24.0, 60.0])
def test_the_nearest_frame_is_the_nearest(rate: float) -> None:
    assert [nearest(f, FPS, rate) for f in range(80)] == [slow_nearest(f, FPS, rate) for f in range(80)]


def test_what_lies_past_the_end_is_missing() -> None:
    covered = video_frames(30, 16.0, TIMES)  # 30 frames at 16/s: the last is shown at 1.8125 s
    assert max(covered) == 15, "1.875 s is within half a clip frame of the last, 2.0 s is not"
    assert covered[15] == 29 and covered[14] == 28
    assert video_frames(1, 16.0, TIMES) == {0: 0}


def test_as_many_frames_as_the_clip_are_taken_one_by_one() -> None:
    assert video_frames(NUM_FRAMES, 25.0, TIMES) == {f: f for f in range(NUM_FRAMES)}


@pytest.mark.parametrize("rate", [1.0, 3.0, 4.0, 7.0, 7.5, 12.0, 23.976, 60.0])
def test_no_picture_of_the_return_is_from_before_it(rate: float) -> None:
    for t_r in range(1, NUM_FRAMES):
        times = Timeline(num_frames=NUM_FRAMES, fps=FPS, num_given=1, t_r=t_r)
        rows = video_frames(int(NUM_FRAMES / FPS * rate) + 30, rate, times)
        assert t_r in rows and all(rows[f] / rate >= t_r / FPS - 1e-4 for f in rows if f >= t_r)
        assert all(rows[f] == nearest(f, FPS, rate) for f in rows if f < t_r)
        assert all(rows[f] / rate - f / FPS < 1 / rate for f in rows)


def level(t_s: float, width: int = 64, height: int = 64) -> np.ndarray:
    """A bright bar that rises with time over a patterned ground: its height says the time."""
    ys, xs = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    picture = np.stack([0.3 + 0.2 * xs, 0.3 + 0.2 * ys, 0.2 + 0.1 * (xs + ys)], axis=-1)
    picture[(np.abs(xs - 0.5) < 0.2) & (ys > 1.0 - t_s / 3.0)] = (0.9, 0.8, 0.1)
    return np.round(picture * 255).astype(np.uint8)


def height_of(picture: np.ndarray) -> float:
    """Seconds."""
    column = picture[:, picture.shape[1] // 2].astype(float)
    return 3.0 * float((column[:, 0] - column[:, 2] > 90).mean())


def write(path: Path, pictures: list[np.ndarray], rate: float) -> Path:
    options = {"macro_block_size": 1, "codec": "libx264", "output_params": ["-crf", "10", "-threads", "1"]}
    imageio.mimwrite(path, pictures, fps=rate, **options)
    return path


def read(path: Path) -> dict[int, float]:
    video = read_foreign(path, level(0.0), TIMES)
    assert 5 not in video.frames and video.rgb.shape[1:] == (64, 64, 3)
    assert list(video.generated) == [f >= 4 for f in video.frames]
    if not video.frame_by_frame:
        shown = [height_of(picture) - f / FPS for f, picture in zip(video.frames, video.rgb, strict=True)]
        assert np.allclose(shown, video.late_s, atol=0.09), "each picture says how late it is"
    return {int(f): height_of(picture) for f, picture in zip(video.frames, video.rgb, strict=True)}


@pytest.mark.parametrize(("rate", "size"), [(8.0, (64, 64)), (24.0, (160, 160)), (5.0, (48, 48)), (12.5, (200, 120))])
def test_any_rate_and_size_shows_the_right_instant(tmp_path: Path, rate: float, size: tuple[int, int]) -> None:
    pictures = [level(i / rate, *size) for i in range(int(3 * rate) + 1)]
    heights = read(write(tmp_path / "a.mp4", pictures, rate))
    assert len(heights) >= NUM_FRAMES - 2
    assert all(abs(height - f / FPS) <= (0.5 if f < T_R else 1.0) / rate + 0.07 for f, height in heights.items())


@pytest.mark.parametrize("rate", [2.0, 5.0, 10.0, 30.0])
def test_as_many_frames_are_taken_one_by_one_at_any_declared_rate(tmp_path: Path, rate: float) -> None:
    """Writers leave their default there; a low one must not end the decoding early."""
    heights = read(write(tmp_path / "a.mp4", [level(i / FPS) for i in range(NUM_FRAMES)], rate))
    assert len(heights) == NUM_FRAMES - 1 and all(abs(height - f / FPS) < 0.07 for f, height in heights.items())


def test_bars_are_found_by_the_first_frame(tmp_path: Path) -> None:
    wide = [np.pad(level(i / 8, 96, 96), ((0, 0), (40, 40), (0, 0))) for i in range(NUM_FRAMES)]
    video = read_foreign(write(tmp_path / "bars.mp4", wide, 8.0), level(0.0), TIMES)
    assert video.bars and all(abs(height_of(p) - f / FPS) < 0.1 for f, p in zip(video.frames, video.rgb, strict=True))
    squeezed = Image.fromarray(level(0.0, 176, 96))
    assert view_box(squeezed, level(0.0)) == ((0.0, 0.0, 176.0, 96.0), False)
    assert view_box(Image.fromarray(level(0.0, 128, 128)), level(0.0))[1] is False


def test_decoding_stops_where_the_clip_ends(tmp_path: Path) -> None:
    path = write(tmp_path / "long.mp4", [level(0.0)] * 200, 8.0)
    with open_video(path, max_s=3.0) as (facts, frames):
        assert (facts.width_px, facts.height_px, facts.rate) == (64, 64, 8.0)
        assert len(list(frames)) == 25
    with open_video(path, max_s=3.0, min_frames=60) as (_, frames):
        assert len(list(frames)) == 60
