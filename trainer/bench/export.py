"""What a model is given: per task the frames up to the interruption, prompt, cameras and schedule, and no answers.

    DIR/README.md                 the rules, for whoever makes the videos
    DIR/tasks.json                index; written last: a folder without it is not finished
    DIR/tasks/<task>/task.json    sizes, rates, schedule
    DIR/tasks/<task>/prompt.txt   what a text-conditioned model is told
    DIR/tasks/<task>/cameras.json intrinsics and camera_from_world of every frame (OpenCV axes)
    DIR/tasks/<task>/first.png    frame 0
    DIR/tasks/<task>/frames/      00000.png ...: all frames that are given, up to the last plain sight of the event
    DIR/tasks/<task>/prefix.mp4   the same as a video

Nothing here depends on a picture or a state after the last given frame; no parameter of the event is in it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from simulator.clip import Clip
from trainer.bench.baselines import write_video
from trainer.bench.tasks import BenchSuite, Truth
from untrusted import MAX_JSON_BYTES, read_json

INDEX = "tasks.json"
SCHEDULE = ("out_s", "hidden_from_s", "hidden_to_s", "back_s")
Progress = Callable[[int, int], None]

RULES = """# Benchmark {suite}: tasks for video models

Each folder in `tasks/` is one task. The event in the picture goes on, in the world, while it cannot be seen; the
question is whether your model lets it.

1. Give your model the given frames: `first.png` or all of `frames/` (the same as `prefix.mp4`), the prompt, and, if it
   takes them, the cameras of every frame. Nothing else of the task is known.
2. Let it make the whole clip: {num_frames} frames at {fps:g} a second ({length_s:.2f} s), the given frames first.
   The schedule in `task.json` says when the event goes out of sight (`out_s`), is fully hidden (`hidden_from_s` to
   `hidden_to_s`) and is back (`back_s`), and how. The interruption must come: a video that keeps
   the event in sight, however dim, in more than a fifth of the hidden frames counts 0. While frames are dropped
   (`frame_drop`) it does not matter what you show.
3. Put the videos in one folder with exactly one JSON file, which maps task ids to files:
   {{"{example}": "{example}.mp4", ...}}
4. `remind bench score FOLDER --suite {suite} --data TRUTH --out REPORT`.

Any size and frame rate will do. Time: the first frame is second 0; each frame of the clip takes the video's nearest
frame, from the return on none from before it. A video with exactly {num_frames} frames is taken frame by frame,
whatever rate it declares. Size: show the whole view ({width} x {height} here), scaled, squeezed or between bars; do not
crop it. A missing or unreadable video counts 0.
"""


def export_tasks(suite: BenchSuite, truths: Sequence[Truth], out: Path, progress: Progress | None = None) -> int:
    """Write the tasks; returns how many were written now. What is there already, of the
    same clip, is kept.

    Raises ValueError when `out` holds something else.
    """
    _check_folder(suite, out)
    (out / "tasks").mkdir(parents=True, exist_ok=True)
    written = 0
    for done, truth in enumerate(truths):
        folder = out / "tasks" / truth.task.id
        if _clip_of(folder) != truth.clip.clip_id:
            partial = folder.with_name(f".{truth.task.id}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            write_task(suite, truth, partial)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(partial, folder)
            written += 1
        if progress is not None:
            progress(done + 1, len(truths))
    clip = truths[0].clip
    height, width = clip.rgb.shape[1:3]
    rules = RULES.format(
        suite=suite.name,
        num_frames=clip.num_frames,
        fps=clip.fps,
        length_s=clip.num_frames / clip.fps,
        example=truths[0].task.id,
        width=width,
        height=height,
    )
    (out / "README.md").write_text(rules, encoding="utf-8")
    index = {
        "suite": suite.name,
        "digest": suite.digest,
        "num_suite_tasks": len(suite.tasks),
        "tasks": {truth.task.id: f"tasks/{truth.task.id}" for truth in truths},
    }
    partial = out / f".{INDEX}.partial"
    partial.write_text(_text(index))
    os.replace(partial, out / INDEX)
    return written


def write_task(suite: BenchSuite, truth: Truth, folder: Path) -> None:
    """Fill a new folder with one task."""
    clip, num_given = truth.clip, truth.clip.windows[0].t_h + 1
    (folder / "frames").mkdir(parents=True)
    given = clip.rgb[:num_given]
    for number, picture in enumerate(given):
        Image.fromarray(picture).save(folder / "frames" / f"{number:05d}.png")
    shutil.copyfile(folder / "frames" / "00000.png", folder / "first.png")
    write_video(folder / "prefix.mp4", given, clip.fps)
    (folder / "prompt.txt").write_text(clip.prompt + "\n", encoding="utf-8")
    cameras = {
        "convention": "OpenCV axes (x right, y down, z forward), pixel centres at +.5, metres",
        "intrinsics": clip.cameras.intrinsics.tolist(),
        "camera_from_world": clip.cameras.camera_from_world.tolist(),
        "scene_scale_m": clip.cameras.scene_scale_m,
    }
    (folder / "cameras.json").write_text(_text(cameras))
    (folder / "task.json").write_text(_text(task_facts(suite, truth)))


def task_facts(suite: BenchSuite, truth: Truth) -> dict[str, Any]:
    """task.json."""
    clip, task = truth.clip, truth.task
    height, width = clip.rgb.shape[1:3]
    return {
        "suite": suite.name,
        "digest": suite.digest,
        "task": task.id,
        "clip": clip.clip_id,
        "category": task.category,
        "event_type": task.event_type,
        "held_out": task.held_out,
        "prompt": clip.prompt,
        "num_frames": clip.num_frames,
        "fps": clip.fps,
        "width_px": width,
        "height_px": height,
        "num_given_frames": clip.windows[0].t_h + 1,
        "interruption": {"kind": task.kind, "variant": task.option, **schedule(clip)},
    }


def schedule(clip: Clip) -> dict[str, Any]:
    """When the event is out of sight, in seconds and in frames."""
    window = clip.windows[0]
    times = {name: float(clip.plan["interruptions"][0][name]) for name in SCHEDULE}
    return times | {
        "last_seen_frame": window.t_h,
        "hidden_frames": list(window.hidden_frames),
        "seen_again_frame": window.t_r,
        "dropped_frames": list(clip.dropped_frames),
    }


def _clip_of(folder: Path) -> str | None:
    """Id of the clip that a task was written from; None where there is no task."""
    path = folder / "task.json"
    return read_json(path, MAX_JSON_BYTES).get("clip") if path.exists() else None


def _check_folder(suite: BenchSuite, out: Path) -> None:
    """An earlier export of the same suite may be there, nothing else."""
    if not out.exists():
        return
    if (out / INDEX).exists():
        found = read_json(out / INDEX, MAX_JSON_BYTES).get("digest")
        if found != suite.digest:
            raise ValueError(f"{out}: holds tasks of another suite ({found!r}); choose a new folder")
    elif any(entry.name not in ("tasks", "README.md") for entry in out.iterdir()):
        raise ValueError(f"{out}: is not empty and holds no export; choose a new folder")


def _text(data: Any) -> str:
    return json.dumps(data, indent=1, allow_nan=False) + "\n"
