"""What `remind render` does: plans from specs or plan files, rendered into a data set."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from render_jobs.dataset import Dataset
from render_jobs.importing import import_clip
from render_jobs.jobs import Job, Result
from render_jobs.pool import ENGINES, LocalPool, num_cores
from render_jobs.progress import ProgressBar
from render_jobs.status import read_status
from scenes.loading import load_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from simulator.commands import info as clip_info
from simulator.importing import ImportRequest, parse_size

MAX_WORKERS = 16  # each holds a Blender of some 400 MB; beyond, the workers get more threads instead


def gather_plans(paths: Sequence[Path], count: int) -> list[ScenePlan]:
    """Plans of specs (*.yaml, `count` samples each), plan files (*.json) and folders of either.

    Raises ValueError that names the file for anything else.
    """
    if count < 1:
        raise ValueError(f"--count: {count} is too few; give 1 or more")
    files = [file for path in paths for file in _files(path)]
    specs = {file: load_spec(file) for file in files if file.suffix != ".json"}  # all errors before any work
    plans: list[ScenePlan] = []
    with tqdm(total=len(files) + len(specs) * (count - 1), desc="plan", unit="plans", disable=not specs) as bar:
        for file in files:
            for index in range(count if file in specs else 1):
                plans += sample_plans(specs[file], 1, index) if file in specs else [ScenePlan.read(file)]
                bar.update()
    return plans


def render_plans(
    plans: Sequence[ScenePlan], out: Path, *, num_workers: int | None = None, renderer: str | None = None
) -> list[Result]:
    """Render plans into the data set `out` with a progress bar; what is there already is kept.

    renderer: a key of ENGINES that takes the place of every plan's `render.engine`; the clip is then another clip, with
    another id. Clips that fail are in the results and in `out/quarantine`; they don't stop the others.
    """
    if renderer is not None and renderer not in ENGINES:
        raise ValueError(f"--renderer: no renderer {renderer!r}; there are: {', '.join(ENGINES)}")
    if num_workers is not None and num_workers < 1:
        raise ValueError(f"--workers: {num_workers} is too few; give 1 or more")
    jobs = [Job(plan if renderer is None else _drawn_by(plan, renderer)) for plan in plans]
    guess = max((plan.clip.num_frames for plan in plans), default=0)
    results = []
    with ProgressBar(len({job.id for job in jobs}), guess) as bar:
        for engine in sorted({job.plan.render.engine for job in jobs}):
            pool = LocalPool(
                dataset=Dataset(out),
                num_workers=num_workers or min(num_cores(), MAX_WORKERS),
                command=ENGINES[engine],
                on_progress=bar.on_progress,
            )
            with contextlib.closing(pool.run(job for job in jobs if job.plan.render.engine == engine)) as ends:
                for result in ends:
                    bar.on_result(result)
                    results.append(result)
    return results


def _drawn_by(plan: ScenePlan, engine: str) -> ScenePlan:
    return dataclasses.replace(plan, render=dataclasses.replace(plan.render, engine=engine))


def render(
    paths: Sequence[Path], out: Path, *, count: int = 1, num_workers: int | None = None, renderer: str | None = None
) -> int:
    """`remind render FILE_or_DIR ... --out DATASET`. Returns the exit status: 1 when any clip failed."""
    results = render_plans(gather_plans(paths, count), out, num_workers=num_workers, renderer=renderer)
    failed = [result for result in results if result.state == "failed"]
    fresh = sum(result.state == "done" for result in results)
    present = sum(result.state == "present" for result in results)
    print(f"{out}: {fresh} clips rendered, {present} were there already, {len(failed)} failed")
    for result in failed:
        print(f"failed {result.job_id}: {result.message} (see {result.path})")
    return 1 if failed else 0


def import_video(
    video: Path,
    out: Path,
    *,
    cameras: Path | None = None,
    prompt: str = "",
    fps: float | None = None,
    size: str | None = None,
    max_frames: int | None = None,
) -> str:
    """`remind clip import VIDEO --out DATASET`: what was published. `size` is "WxH"."""
    size_px = None if size is None else parse_size(size)
    request = ImportRequest(
        video=video, cameras=cameras, prompt=prompt, fps=fps, size_px=size_px, max_frames=max_frames
    )
    path, fresh = import_clip(request, out)
    return f"{clip_info(path)}\n  {'imported' if fresh else 'was there already'}"


def print_status(root: Path) -> int:
    """`remind render --status DATASET`."""
    print("\n".join(read_status(root).lines()))
    return 0


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise ValueError(f"{path}: no such file or folder")
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix in (".yaml", ".yml", ".json"))
        if not found:
            raise ValueError(f"{path}: no *.yaml specs and no *.json plans in this folder")
        return found
    if path.suffix not in (".yaml", ".yml", ".json"):
        raise ValueError(f"{path}: neither a spec (*.yaml) nor a plan (*.json)")
    return [path]
