"""What `remind render` does: samples of specs, and plan files, rendered into a data set."""

from __future__ import annotations

import contextlib
import fnmatch
import math
import re
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from render_jobs.crew import Crew
from render_jobs.dataset import Dataset, dataset_to_fill
from render_jobs.estimate import estimate
from render_jobs.importing import import_clip
from render_jobs.jobs import Draw, Job, Result, SpecText, drawn_by
from render_jobs.local import ENGINES, LocalCrew
from render_jobs.pool import Limits, Pool
from render_jobs.progress import Report
from render_jobs.ray_crew import RayCrew
from scenes.plan import ScenePlan
from simulator.commands import info as clip_info
from simulator.importing import ImportRequest, parse_size

FRAMES_GUESS = 48  # of a clip, until its plan is drawn
_HEX = re.compile("[0-9a-f]{1,20}")  # what an id can begin with


@dataclass(frozen=True, kw_only=True)
class RenderOptions:
    """What the command line of `remind render` says beside what to render and where to. None: the default."""

    count: int = 1  # samples of each spec
    num_workers: int | None = None
    renderer: str | None = None  # a key of ENGINES that takes the place of every plan's own
    only: tuple[str, ...] = ()  # patterns of names, event types or ids
    limit: int | None = None  # clips to render at most
    retry_quarantined: bool = False
    timeout_s: float | None = None  # of one attempt at one clip
    memory_gb: float | None = None  # of one worker
    backend: str = "local"  # or "ray"
    address: str | None = None  # of the Ray cluster
    cpus_per_worker: int | None = None  # there

    def check(self) -> None:
        """Raises ValueError that names the option."""
        for name, value in (
            ("count", self.count),
            ("workers", self.num_workers),
            ("cpus-per-worker", self.cpus_per_worker),
            ("limit", self.limit),
            ("timeout", self.timeout_s),
            ("memory-gb", self.memory_gb),
        ):
            if value is not None and not value > 0:
                raise ValueError(
                    f"--{name}: {value} is too few; give {'1 or more' if isinstance(value, int) else 'more'}"
                )
            if value == math.inf:
                raise ValueError(f"--{name}: {value} is no number; give a finite one, or leave it out")
        if self.renderer is not None and self.renderer not in ENGINES:
            raise ValueError(f"--renderer: no renderer {self.renderer!r}; there are: {', '.join(ENGINES)}")
        for name, given in (("address", self.address), ("cpus-per-worker", self.cpus_per_worker)):
            if given is not None and self.backend != "ray":
                raise ValueError(f"--{name}: only for a Ray cluster; add --backend ray, or leave it out")

    def wants(self, work: Job | Draw) -> bool:
        """Whether it is among those that `only` names. Of a draw whose id is not known yet: whether it may be."""
        return not self.only or any(_is_named(work, pattern) for pattern in self.only)

    def check_only(self, everything: Sequence[Job | Draw]) -> None:
        """Raises ValueError for a pattern of `only` that names nothing: most likely it is misspelt."""
        for pattern in self.only:
            if everything and not any(_is_named(work, pattern) for work in everything):
                known = sorted({label for work in everything for label in _labels(work)})
                raise ValueError(
                    f"--only: {pattern} names none of the {len(everything)} clips; their specs and event types are "
                    f"{', '.join(known[:20])}{', ...' if len(known) > 20 else ''}"
                )


DEFAULTS = RenderOptions()


def _labels(work: Job | Draw) -> tuple[str, ...]:
    """The names of a clip's spec and of its event types."""
    if isinstance(work, Draw):
        return work.spec.labels
    return (work.plan.name, *(event.type for event in work.plan.events))


def _is_named(work: Job | Draw, pattern: str) -> bool:
    """By a label or by its id. Of a draw whose id is not known yet: whether it may be."""
    if any(fnmatch.fnmatchcase(label, pattern) for label in _labels(work)):
        return True
    return work.id.startswith(pattern) if isinstance(work, Job) else bool(_HEX.fullmatch(pattern))


def gather(paths: Sequence[Path], options: RenderOptions) -> list[Job | Draw]:
    """What is to be rendered: samples of specs (*.yaml), plan files (*.json), and folders of either.

    All first samples come before all second ones: a run that is stopped early leaves a balanced data set. Raises
    ValueError that names the file for anything that is neither, or the pattern of `only` that names nothing, before any
    work.
    """
    files = [file for path in paths for file in _files(path)]
    specs = [SpecText.read(file) for file in files if file.suffix != ".json"]
    plans = [ScenePlan.read(file) for file in files if file.suffix == ".json"]
    jobs = [_job(plan, options) for plan in plans]
    draws = [Draw(spec, index, options.renderer) for index in range(options.count) for spec in specs]
    everything: list[Job | Draw] = [*jobs, *draws]
    options.check_only(everything)
    return [work for work in everything if options.wants(work)]


def render_plans(plans: Sequence[ScenePlan], out: Path, options: RenderOptions = DEFAULTS) -> list[Result]:
    """Render plans into the data set `out` with a progress bar; what is there already is kept.

    Clips that fail are in the results and in `out/quarantine`; they don't stop the others.
    """
    options.check()
    return render_jobs([_job(plan, options) for plan in plans], out, options)


def render_jobs(jobs: Sequence[Job | Draw], out: Path, options: RenderOptions) -> list[Result]:
    """As `render_plans`, of jobs and draws."""
    dataset = dataset_to_fill(out)
    jobs = sorted({job.id: job for job in jobs}.values(), key=lambda job: job.engine)
    frames = [job.plan.clip.num_frames for job in jobs if isinstance(job, Job)]
    num_clips = len(jobs) if options.limit is None else min(len(jobs), options.limit)
    crew = _crew(options, out, num_clips)
    results: list[Result] = []
    guess = max(frames, default=FRAMES_GUESS)
    with stop_on_signals(), Report(dataset, num_clips, guess, limited=options.limit is not None) as report:
        pool = Pool(
            dataset=dataset,
            crew=crew,
            limits=_limits(options, crew),
            retry_quarantined=options.retry_quarantined,
            limit=options.limit,
            wanted=options.wants if options.only else None,
            on_progress=report.on_progress,
        )
        with contextlib.closing(pool.run(jobs)) as ends:
            for result in ends:
                report.on_result(result)
                results.append(result)
    return results


def render(paths: Sequence[Path], out: Path, options: RenderOptions = DEFAULTS, *, dry_run: bool = False) -> int:
    """`remind render FILE_or_DIR ... --out DATASET`. Returns the exit status: 1 when any clip failed."""
    options.check()
    jobs = gather(paths, options)
    if dry_run:
        told = estimate(
            Dataset(out),
            jobs,
            num_workers=options.num_workers,
            limit=options.limit,
            retry_quarantined=options.retry_quarantined,
        )
        print("\n".join(told))
        return 0
    results = render_jobs(jobs, out, options)
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


def _job(plan: ScenePlan, options: RenderOptions) -> Job:
    return Job(plan if options.renderer is None else drawn_by(plan, options.renderer))


def _crew(options: RenderOptions, out: Path, num_clips: int) -> Crew:
    if options.backend == "local":
        return LocalCrew.of_this_machine(options.num_workers, num_clips)
    return RayCrew(
        root=out,
        address=options.address,
        num_workers=options.num_workers,
        cpus_per_worker=options.cpus_per_worker,
    )


def _limits(options: RenderOptions, crew: Crew) -> Limits:
    return Limits(
        job_s=options.timeout_s or Limits().job_s,
        memory_bytes=crew.memory_cap_bytes if options.memory_gb is None else int(options.memory_gb * 1e9),
    )


@contextlib.contextmanager
def stop_on_signals() -> Iterator[None]:
    """A batch system's SIGTERM and a lost terminal end the run as Ctrl-C does."""
    handled = [signal.SIGTERM, signal.SIGHUP]
    try:
        before = {number: signal.signal(number, signal.default_int_handler) for number in handled}
    except ValueError:  # not the main thread: the caller's signals are the caller's
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
