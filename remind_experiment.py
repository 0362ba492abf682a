"""`remind experiment`: data sets rendered, arms trained, every run probed on every split, one report; resumable.

A file names data sets, arms and seeds. Each arm and seed is one `remind train` and some `remind probe`, in processes of
their own, so that every line of the report can be made again by hand: the commands are in its log.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import Field, model_validator
from tqdm import tqdm

from render_jobs.commands import RenderOptions, render, stop_on_signals
from render_jobs.dataset import write_atomically
from scenes.checking import checked
from scenes.errors import Problem
from scenes.fields import as_pydantic
from scenes.spec import Model, Name
from scenes.yaml_reading import parse, read_text
from simulator.clip import list_clips
from trainer.config import TrainConfig, override, validate
from trainer.experiment.page import write_experiment_page
from trainer.experiment.results import read_results
from trainer.recipes import arm, recipe
from untrusted import MAX_JSON_BYTES, read_json

RECORD = "experiment.json"  # what the data sets of a folder were rendered from
POLL_S, GRACE_S = 1.0, 120.0  # between two looks at the runs; for a run to save after a signal
TRAIN = "train"
PROGRAM = (sys.executable, "-m", "remind")


class DataSet(Model):
    specs: tuple[str, ...] = ()
    """Scene specs or folders of them, relative to this file."""
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Samples of each spec."""
    dataset: str | None = None
    """Instead of specs: a data set or pack that is there already."""

    @model_validator(mode="after")
    def _one_origin(self) -> DataSet:
        if bool(self.specs) == (self.dataset is not None):
            raise as_pydantic(Problem("give specs to render or a dataset that is there, one of the two", ("specs",)))
        return self


class Data(Model):
    train: DataSet
    heldout: dict[Name, DataSet]
    """Splits to probe on, by name; the first also scores runs while they train."""

    @model_validator(mode="after")
    def _some(self) -> Data:
        if not self.heldout or TRAIN in self.heldout:
            reason = "is the training data's name" if self.heldout else "needs at least one entry"
            raise as_pydantic(Problem(f"{reason}; name a split", ("heldout",)))
        return self


class Arm(Model):
    recipe: str | None = None
    """Instead of the experiment's."""
    curriculum: Literal["none", "drop_noise", "all"] | None = None
    """None: the recipe's own."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Fields of the configuration, such as model.mode: full."""


class Probing(Model):
    samples: Annotated[int, Field(ge=1, le=64)] = 1
    """Rollouts of each clip."""


class Experiment(Model):
    version: Literal[1]
    name: Name
    recipe: str
    set: dict[str, Any] = Field(default_factory=dict)
    """For all arms."""
    data: Data
    arms: dict[Name, Arm]
    seeds: tuple[int, ...] = (0,)
    probe: Probing = Probing()

    @model_validator(mode="after")
    def _enough(self) -> Experiment:
        if not self.arms or not self.seeds:
            raise as_pydantic(Problem("needs at least one entry", ("arms" if not self.arms else "seeds",)))
        if len(set(self.seeds)) < len(self.seeds):
            raise as_pydantic(Problem("a seed is there twice; keep one", ("seeds",)))
        return self


@dataclass(frozen=True)
class Run:
    """One arm with one seed."""

    arm: str
    seed: int
    config: TrainConfig
    arguments: tuple[str, ...]  # of `remind train`, without data and folder

    @property
    def name(self) -> str:
        return f"{self.arm}-{self.seed}"


def load_experiment(path: Path, *, here: bool = True) -> tuple[Experiment, list[Run]]:
    """The file, and its runs in the order in which they are done: all arms with the first seed, then the next seed.

    here: specs and data sets that it names lie beside it (not so for the copy in an experiment's folder).
    SpecError with file, line, field and fix for whatever cannot be run.
    """
    name = " ".join(str(path).split())
    tree, source = parse(read_text(path, name), name)
    experiment = checked(Experiment, tree, source)
    if here and (gone := _missing(experiment, path.parent)):
        raise source.error(gone)
    runs, problems = [], []
    for seed in experiment.seeds:
        for arm_name in experiment.arms:
            try:
                runs.append(_run(experiment, arm_name, seed))
            except ValueError as error:
                problems.append(Problem(str(error), ("arms", arm_name)))
        if problems:
            raise source.error(problems)
    return experiment, runs


def _missing(experiment: Experiment, beside: Path) -> list[Problem]:
    """Specs and data sets that are not where the file says."""
    problems = []
    for name, data in _data_sets(experiment).items():
        place = ("data", TRAIN) if name == TRAIN else ("data", "heldout", name)
        if data.dataset is not None and not (beside / data.dataset).is_dir():
            problems.append(Problem(f"no such folder {data.dataset!r}; render it first", (*place, "dataset")))
        for number, spec in enumerate(data.specs):
            if not (beside / spec).exists():
                problems.append(Problem(f"no such file {spec!r} beside this one", (*place, "specs", number)))
    return problems


def _run(experiment: Experiment, arm_name: str, seed: int) -> Run:
    chosen = experiment.arms[arm_name]
    if "seed" in {**experiment.set, **chosen.set}:
        raise ValueError("set.seed: every arm runs with all of `seeds`; say it there")
    settings = {**experiment.set, **chosen.set, "seed": seed}
    texts = {field: _as_text(value) for field, value in settings.items()}
    base = override(recipe(chosen.recipe or experiment.recipe), {n: v for n, v in texts.items() if n == "steps"})
    config = override(arm(base, chosen.curriculum), texts)
    validate(config)
    arguments = [chosen.recipe or experiment.recipe]
    if chosen.curriculum:
        arguments += ["--curriculum", chosen.curriculum]
    arguments += ["--set", *(f"{field}={value}" for field, value in texts.items())]
    return Run(arm_name, seed, config, tuple(arguments))


def _as_text(value: Any) -> str:
    """A setting as `--set` reads it."""
    return value if isinstance(value, str) else json.dumps(value)


def run_experiment(path: Path, out: Path, *, jobs: int | None = None) -> int:
    """Do whatever of an experiment is not done yet; the number of runs that failed.

    jobs: runs side by side, each with its share of the processor's threads (default: one for each core; one where
    there is a GPU). Renders first, then for each run: train, probe on every split; the report is written anew after
    each. A failed run is named, the others go on.
    """
    experiment, runs = load_experiment(path)
    jobs = _default_jobs() if jobs is None else jobs
    if jobs < 1:
        raise ValueError(f"--jobs: {jobs} is too few; give 1 or more")
    out.mkdir(parents=True, exist_ok=True)
    folders = _render_all(experiment, path, out)
    (out / "logs").mkdir(exist_ok=True)
    write_atomically(out / "experiment.yaml", path.read_text(encoding="utf-8-sig"))
    failed = _run_all(runs, experiment, folders, out, jobs)
    for line in failed:
        print(f"failed {line}", file=sys.stderr)
    return len(failed)


def report(out: Path) -> Path:
    """Write the report of all that was probed so far; returns the page."""
    experiment, runs = load_experiment(out / "experiment.yaml", here=False)
    results = read_results(
        out, {name: [r.seed for r in runs if r.arm == name] for name in experiment.arms}, list(experiment.data.heldout)
    )
    text = (out / "experiment.yaml").read_text()
    commands = [line for run in runs for line in _commands_of(out / "logs" / f"{run.name}.log")]
    return write_experiment_page(out / "report", experiment.name, results, text, commands)


def describe(path: Path, out: Path | None) -> str:
    """What an experiment would do: data sets, runs, and what of these is done."""
    experiment, runs = load_experiment(path)
    lines = [f"{experiment.name}: {len(runs)} runs, each probed on {', '.join(experiment.data.heldout)}"]
    for name, data in _data_sets(experiment).items():
        rendered = f"{data.count} samples of each of {', '.join(data.specs)}"
        lines.append(f"  data {name}: {data.dataset or rendered}")
    for run in runs:
        done = 0 if out is None else _step(out / "runs" / run.name)
        lines.append(f"  run {run.name}: {done} of {run.config.steps} steps done; {shlex.join(run.arguments)}")
    return "\n".join(lines)


# ---- data
def _data_sets(experiment: Experiment) -> dict[str, DataSet]:
    return {TRAIN: experiment.data.train, **experiment.data.heldout}


def _render_all(experiment: Experiment, path: Path, out: Path) -> dict[str, Path]:
    """The folder of every data set, rendered where it has to be."""
    folders: dict[str, Path] = {}
    for name, data in _data_sets(experiment).items():
        if data.dataset is not None:
            folders[name] = (path.parent / data.dataset).resolve()
            continue
        specs = [path.parent / spec for spec in data.specs]
        folders[name] = out / "data" / name
        _claim(out, name, specs, data.count)
        if render(specs, folders[name], RenderOptions(count=data.count)):
            if not list_clips(folders[name]):
                raise ValueError(f"{folders[name]}: no clip could be rendered; see `remind render --status`")
            print(f"{folders[name]}: goes on without the clips that failed", file=sys.stderr)
    return folders


def _claim(out: Path, name: str, specs: Sequence[Path], count: int) -> None:
    """A folder's data set belongs to its specs: others would mix two experiments."""
    digest = hashlib.sha256(repr([spec.read_bytes() for spec in specs]).encode()).hexdigest()[:16]
    record = read_json(out / RECORD, MAX_JSON_BYTES) if (out / RECORD).exists() else {}
    now = {"specs": digest, "count": count}
    if record.setdefault(name, now) != now:
        raise ValueError(
            f"{out / 'data' / name}: was rendered from other specs or another count than the file names now; "
            f"choose another --out, or delete that folder and its entry in {RECORD}"
        )
    write_atomically(out / RECORD, json.dumps(record, indent=1) + "\n")


# ---- runs
def _run_all(
    runs: Sequence[Run], experiment: Experiment, folders: Mapping[str, Path], out: Path, jobs: int
) -> list[str]:
    """All runs, `jobs` at a time; a line for each that failed."""
    total = sum(run.config.steps for run in runs)
    waiting = iter([run for run in runs if not _is_done(run, experiment, out)])
    lanes: list[_Lane] = []
    failed: list[str] = []
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with tqdm(total=total, desc="experiment", unit="step") as bar, _ending_with(lanes):
        while True:
            while len(lanes) < jobs and (run := next(waiting, None)):
                lanes.append(_Lane(run, _steps_of(run, experiment, folders, out), out, threads))
            if not lanes:
                break
            time.sleep(POLL_S)
            for lane in list(lanes):
                if lane.goes_on():
                    continue
                lanes.remove(lane)
                lane.close()
                if lane.failure:
                    failed.append(lane.failure)
                bar.set_postfix_str(f"report {report(out)}", refresh=False)
            bar.update(sum(_step(out / "runs" / run.name) for run in runs) - bar.n)
    return failed


def _is_done(run: Run, experiment: Experiment, out: Path) -> bool:
    probed = all(_probed(out, run, split) for split in experiment.data.heldout)
    return probed and _step(out / "runs" / run.name) >= run.config.steps


def _probed(out: Path, run: Run, split: str) -> bool:
    return (out / "probes" / run.name / split / "index.html").exists()  # which a probe writes last


def _steps_of(run: Run, experiment: Experiment, folders: Mapping[str, Path], out: Path) -> Iterator[list[str]]:
    """Arguments of `remind` for what a run still needs, one command after the other."""
    folder = out / "runs" / run.name
    first = next(iter(experiment.data.heldout))
    if _step(folder) < run.config.steps:
        where = ["--data", str(folders[TRAIN]), "--heldout", str(folders[first]), "--out", str(folder), "--resume"]
        yield ["train", *run.arguments, *where]
    for split in experiment.data.heldout:
        if not _probed(out, run, split):
            report_dir = out / "probes" / run.name / split
            samples = ["--samples", str(experiment.probe.samples)]
            yield ["probe", str(folder), "--data", str(folders[split]), "--out", str(report_dir), *samples]


def _step(run_dir: Path) -> int:
    """The step of a run's last checkpoint."""
    return max((int(p.name.removeprefix("step_")) for p in (run_dir / "checkpoints").glob("step_*")), default=0)


class _Lane:
    """One run: its commands, one process after the other."""

    failure: str | None = None

    def __init__(self, run: Run, commands: Iterator[list[str]], out: Path, threads: int) -> None:
        self._run, self._commands = run, commands
        self._log = out / "logs" / f"{run.name}.log"
        self._environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        self._output: IO[str] = self._log.open("a")
        self._process: subprocess.Popen[str] | None = None

    def goes_on(self) -> bool:
        """Whether anything is left to wait for; starts the next command when one has ended."""
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return True
            if status:
                self.failure = f"{self._run.name}: status {status}: {_last_line(self._log)} (see {self._log})"
                return False
        command = next(self._commands, None)
        if command is None:
            return False
        self._output.write(f"$ remind {shlex.join(command)}\n")
        self._output.flush()
        self._process = subprocess.Popen(
            [*PROGRAM, *command],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            text=True,
        )
        return True

    def stop(self) -> None:
        """Let the process save and leave."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def close(self) -> None:
        self._output.close()


@contextlib.contextmanager
def _ending_with(lanes: list[_Lane]) -> Iterator[None]:
    """Whatever ends this process in order ends its runs too."""
    with stop_on_signals():
        try:
            yield
        finally:
            for lane in lanes:
                lane.stop()
                lane.close()


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1].removeprefix("remind: ") if lines else "no message"


def _commands_of(log: Path) -> list[str]:
    text = log.read_text(errors="replace") if log.exists() else ""
    return list(dict.fromkeys(line[2:] for line in text.splitlines() if line.startswith("$ ")))


def _default_jobs() -> int:
    import torch

    return 1 if torch.cuda.is_available() else os.cpu_count() or 1
