"""`remind generate`: clips as a trained model continues them; films, strips of truth above generated, and a record.

<out>/<clip id>.mp4, <clip id>.png, <clip id>_attention.png when asked for, generate.json.
Shapes: F frames of a rollout, H W pixels.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v2 as imageio
import numpy as np
from PIL import Image
from tqdm import tqdm

from simulator.clip import Clip, list_clips
from trainer.build import default_device
from trainer.checkpoint import TrainedModel, load_trained
from trainer.data.clips import ClipRecord, read_clip
from trainer.rollout.attention import NAMES, AttentionShares, plot_attention
from trainer.rollout.config import RolloutConfig
from trainer.rollout.plan import CameraPath, camera_path, continued, rollout_graph
from trainer.rollout.session import Rollout, RolloutSession
from trainer.strips import HIDDEN_COLOUR, MADE_COLOUR, StripRow, film_strip
from untrusted import one_line

RECORD = "generate.json"
NUM_TILES = 12


@dataclass(frozen=True, kw_only=True)
class Request:
    """What of a clip is given (see `rollout_graph`), and how far it goes.

    num_frames: of the result, the given ones included; None: the clip's. Beyond the clip's end the camera takes `path`.
    prompts: (start_frame, prompt); see `RolloutSession`. attention: also say where generated frames look.
    """

    free: bool = False
    drop_hidden: bool = False
    context: int | None = None
    chunk: int = 1
    num_frames: int | None = None
    path: CameraPath = "bounce"
    prompts: tuple[tuple[int, str], ...] = ()
    attention: bool = False


def generate(
    run_dir: Path,
    out: Path,
    *,
    clip: Path | None = None,
    dataset: Path | None = None,
    config: RolloutConfig | None = None,
    request: Request | None = None,
    progress: bool = True,
) -> Path:
    """Continue one clip, or every clip of a data set, with the newest checkpoint of a run; returns the record's path.

    ValueError names what is wrong; `out` is never overwritten.
    """
    config, request = config or RolloutConfig(), request or Request()
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out}: is not empty; choose another folder")
    paths = [clip] if clip is not None else list_clips(dataset) if dataset is not None else []
    if not paths:
        raise ValueError(f"{dataset}: no published clips under clips/; render some first")
    trained = load_trained(run_dir, device=default_device())
    out.mkdir(parents=True, exist_ok=True)
    rows = [_one_clip(trained, path, out, config, request, progress) for path in paths]
    settings = {"config": dataclasses.asdict(config), "request": dataclasses.asdict(request)}
    record = {"run": str(run_dir), "step": trained.step, **settings, "clips": rows}
    (out / RECORD).write_text(json.dumps(record, indent=2) + "\n")
    return out / RECORD


def prompt_schedule(prompt: str | None, later: Sequence[tuple[str, str]]) -> tuple[tuple[int, str], ...]:
    """What the command line says, `--prompt TEXT` and `--prompt-at FRAME TEXT`, as (start_frame, prompt) in order."""
    starts = [] if prompt is None else [(0, prompt)]
    for frame, text in later:
        if not frame.isdecimal():
            raise ValueError(one_line(f"--prompt-at: {frame!r} is not the number of a frame"))
        starts.append((int(frame), text))
    return tuple(sorted(starts, key=lambda start: start[0]))


def _one_clip(
    trained: TrainedModel, path: Path, out: Path, config: RolloutConfig, request: Request, progress: bool
) -> dict[str, Any]:
    record = read_clip(Clip.open(path), trained.config.data.frame_stride)
    num_frames = record.num_frames if request.num_frames is None else request.num_frames
    known = record.num_frames
    if num_frames > known:
        record = continued(record, camera_path(record, num_frames - known, request.path))
    began = time.perf_counter()
    made, shares = _roll_out(trained, record, num_frames, config, request, progress)
    seconds = time.perf_counter() - began
    truth = record.rgb[: min(known, len(made.rgb))]
    hidden = record.hidden[: len(made.rgb)]
    film, strip = out / f"{record.clip_id}.mp4", out / f"{record.clip_id}.png"
    write_film(film, made.rgb, 1.0 / record.seconds_per_frame)
    _strip(truth, made, hidden).save(strip)
    row = {} if shares is None else {"attention": _write_attention(shares, out / f"{record.clip_id}_attention.png")}
    return row | {
        "clip_id": record.clip_id,
        "clip": str(path),
        "film": film.name,
        "strip": strip.name,
        "prompt": record.prompt,
        "fps": 1.0 / record.seconds_per_frame,
        "clip_frames": made.frames.tolist(),
        "generated": np.flatnonzero(made.generated).tolist(),
        "hidden": np.flatnonzero(hidden).tolist(),
        "seconds": round(seconds, 3),
    }


def _roll_out(
    trained: TrainedModel,
    record: ClipRecord,
    num_frames: int,
    config: RolloutConfig,
    request: Request,
    progress: bool,
) -> tuple[Rollout, AttentionShares | None]:
    """The first `num_frames` frames of the record, those that are not given generated."""
    given = {"free": request.free, "drop_hidden": request.drop_hidden}
    graph = rollout_graph(record, trained, **given, context=request.context, chunk=request.chunk)
    session = RolloutSession(trained, record, graph, config, prompts=request.prompts)
    watch = session.watch_attention() if request.attention else None
    targets = session.target_frames
    if not len(targets):
        fix = "go beyond its end (--frames), or give less (--free, --context)"
        raise ValueError(f"clip {record.clip_id}: it is hidden to its end, nothing is left to generate; {fix}")
    asked = targets[targets < num_frames]
    if not len(asked):
        raise ValueError(f"--frames: {num_frames} leaves nothing to generate, the first {targets[0]} frames are given")
    with tqdm(total=len(asked), desc=record.clip_id, unit="frame", disable=not progress) as bar:
        while not session.generated[asked].all():
            session.advance(1)
            bar.update(int(session.generated[asked].sum()) - bar.n)
    made, num_frames = session.result(), int(asked[-1]) + 1  # the last frames may have no latent
    cut = Rollout(rgb=made.rgb[:num_frames], frames=made.frames[:num_frames], generated=made.generated[:num_frames])
    return cut, None if watch is None else watch.shares()


def _write_attention(shares: AttentionShares, path: Path) -> dict[str, Any]:
    """Draw the shares; returns them as means over the generated frames, a list over layers for each name."""
    plot_attention(shares, path)
    return {"picture": path.name} | {name: shares.of(name).mean(axis=0).round(4).tolist() for name in NAMES}


def write_film(path: Path, rgb: np.ndarray, fps: float) -> None:
    """H.264 of [F, H, W, 3] uint8; it needs even sides, an odd last row or column is left out."""
    options: dict[str, Any] = {"macro_block_size": 1, "codec": "libx264", "output_params": ["-crf", "12"]}
    height, width = rgb.shape[1] // 2 * 2, rgb.shape[2] // 2 * 2
    imageio.mimwrite(path, list(rgb[:, :height, :width]), fps=fps, **options)


def _strip(truth: np.ndarray, made: Rollout, hidden: np.ndarray) -> Image.Image:
    """Truth above generated at the same moments. Hidden frames are framed in violet, generated ones in green."""
    frames = np.unique(np.linspace(0, len(made.rgb) - 1, NUM_TILES).round().astype(int)).tolist()
    shade = {f: HIDDEN_COLOUR if hidden[f] else None for f in frames}
    known = [f for f in frames if f < len(truth)]
    rows = [
        StripRow("truth", [truth[f] for f in known], [shade[f] for f in known]),
        StripRow(
            "generated",
            [made.rgb[f] for f in frames],
            [MADE_COLOUR if made.generated[f] else shade[f] for f in frames],
        ),
    ]
    return film_strip(rows, [str(made.frames[f]) for f in frames])
