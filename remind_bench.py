"""`remind bench`: the suite's specs and renders on one side, the trainer's scoring on the other."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from render_jobs.commands import RenderOptions, render_plans
from render_jobs.dataset import write_atomically
from scenes.plan import ScenePlan
from scenes.suite import Suite, Task, load_suite, plan_task
from trainer.bench.baselines import BASELINES, write_baselines
from trainer.bench.export import export_tasks
from trainer.bench.page import write_page
from trainer.bench.result import BenchResult, Row, row_of, rows_csv, tasks_csv
from trainer.bench.score import score_outputs
from trainer.bench.tasks import BenchSuite, BenchTask, Given, find_truth, truth_digest
from trainer.probe.result import finite
from trainer.probe.templating import make_folder

if TYPE_CHECKING:
    from trainer.rollout import RolloutConfig


def public(suite: Suite) -> BenchSuite:
    """The suite as the trainer's side knows it: no specs, no seeds."""
    fields = [field.name for field in dataclasses.fields(BenchTask)]
    tasks = tuple(
        BenchTask(**{n: getattr(task, "type" if n == "event_type" else n) for n in fields}) for task in suite.tasks
    )
    clip_ids = {task.id: task.plan_id for task in suite.tasks}
    return BenchSuite(name=suite.name, digest=suite.digest, tasks=tasks, clip_ids=clip_ids)


def list_suite(name: str) -> str:
    """One line a task."""
    suite = load_suite(name)
    head = f"suite {suite.name}, digest {suite.digest}: {len(suite.tasks)} tasks"
    lines = [
        f"{t.id:42} {t.category:21} {t.kind:11} {t.option:22} {'held out' if t.held_out else ''}".rstrip()
        for t in suite.tasks
    ]
    return "\n".join([head, *lines])


def render_truth(
    name: str, data: Path, only: Sequence[str] = (), *, workers: int | None = None, renderer: str | None = None
) -> list[str]:
    """Render the truth of a suite into `data` (of the tasks in `only`, if any); returns a line for each that failed."""
    suite, options = load_suite(name), RenderOptions(num_workers=workers, renderer=renderer)
    options.check()
    tasks = _named(suite, only)
    plans = [_kept_plan(suite, task, data / "suite") for task in tqdm(tasks, desc="plan", unit="tasks")]
    results = render_plans(plans, data, options)
    return [f"{r.job_id}: {r.message} (see {r.path})" for r in results if r.state == "failed"]


def _named(suite: Suite, only: Sequence[str]) -> list[Task]:
    """Tasks by id, in the suite's order. Raises ValueError for an id that is none."""
    unknown = set(only) - {task.id for task in suite.tasks}
    if unknown:
        raise ValueError(f"--only: no task {min(unknown)!r} in suite {suite.name}; see `remind bench list`")
    return [task for task in suite.tasks if not only or task.id in only]


def _kept_plan(suite: Suite, task: Task, folder: Path) -> ScenePlan:
    """A task's plan, from `folder` when it was drawn before."""
    path = folder / f"{suite.plan_name(task)}.json"
    if path.exists():
        plan = ScenePlan.read(path)
        if plan.plan_id.startswith(task.plan_id):
            return plan
    plan = plan_task(suite, task)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, plan.to_json())
    return plan


def export(name: str, out: Path, data: Path | None) -> str:
    """Write the tasks for models. Without truth clips these are rendered first, beside `out`."""
    suite = public(load_suite(name))
    if data is None:
        data = out.with_name(out.name + "-truth")
        if failed := render_truth(name, data):
            raise ValueError(f"{len(failed)} clips failed, the first: {failed[0]}")
    truths = find_truth(suite, data)
    with _bar("export") as progress:
        written = export_tasks(suite, truths, out, progress)
    missing = len(suite.tasks) - len(truths)
    gaps = f"; {missing} tasks have no truth in {data} and are left out" if missing else ""
    return f"{out}: {len(truths)} tasks, {written} written now{gaps}; the rules are in {out / 'README.md'}"


def generate(
    name: str, run: Path, data: Path, out: Path, *, given: Given = "seen", config: RolloutConfig | None = None
) -> str:
    """The videos of one of our runs for every task that `data` holds; returns how they were made, in words."""
    from trainer.bench.models import write_generated  # torch

    truths = find_truth(public(load_suite(name)), data)
    with _bar("generate") as progress:
        return write_generated(run, truths, out, given=given, config=config, progress=progress).text()


def score(
    name: str, folder: Path, data: Path, out: Path, *, beside: Sequence[Path] = (), label: str = "", workers: int = 1
) -> tuple[BenchResult, Row]:
    """Score a folder of videos; writes row, tables and page into `out`. `beside`: folders that earlier scores wrote."""
    suite = public(load_suite(name))
    truths = find_truth(suite, data)
    others = [_comparable(path, suite, truth_digest(truths)) for path in beside]
    make_folder(out)
    with _bar(f"score {label or folder.name}") as progress:
        result, files = score_outputs(folder, suite, truths, name=label, workers=workers, progress=progress)
    row = row_of(result)
    rows = [row, *others]
    write_atomically(out / "score.json", json.dumps(finite(dataclasses.asdict(result)), indent=1) + "\n")
    write_atomically(out / "tasks.csv", tasks_csv(result))
    write_atomically(out / "row.csv", rows_csv(rows))
    write_page(out / "index.html", result, rows, truths, files)
    write_atomically(out / "row.json", row.to_json())
    return result, row


def _comparable(folder: Path, suite: BenchSuite, truth: str) -> Row:
    """Raises ValueError when the row is of another suite, of other tasks or against other clips."""
    row = Row.read(folder / "row.json")
    if row.digest != suite.digest:
        raise ValueError(f"{folder}: scored on suite {row.suite!r} with digest {row.digest!r}, this is {suite.digest}")
    if row.truth != truth:
        raise ValueError(
            f"{folder}: scored on other tasks, or against other clips of them; score it again with this truth"
        )
    return row


def score_baselines(name: str, data: Path, out: Path, *, workers: int = 1) -> list[Row]:
    """Videos and scores of every baseline: `out/outputs/NAME/`, `out/scores/NAME/`; what is there is kept."""
    suite = public(load_suite(name))
    truths = find_truth(suite, data)
    with _bar("videos of baselines") as progress:
        write_baselines(truths, out / "outputs", tuple(BASELINES), progress)
    for baseline in BASELINES:
        scored = out / "scores" / baseline
        if not _is_scored(scored, truth_digest(truths)):
            score(name, out / "outputs" / baseline, data, scored, workers=workers)
    rows = [Row.read(out / "scores" / baseline / "row.json") for baseline in BASELINES]
    write_atomically(out / "table.csv", rows_csv(rows))
    return rows


def _is_scored(folder: Path, truth: str) -> bool:
    """Whether a baseline's score is there, over all the truth that there is now."""
    if not (folder / "row.json").exists():
        return False
    row = Row.read(folder / "row.json")
    return row.truth == truth and row.num_tasks == row.num_videos


class _bar:
    """A progress bar as a callback (done, total)."""

    def __init__(self, title: str) -> None:
        self._bar = tqdm(desc=title, unit="tasks")

    def __enter__(self) -> Callable[[int, int], None]:
        return self._on

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    def _on(self, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)
