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
from pathlib import Path
from typing import IO

from tqdm import tqdm

from remind_experiment_file import TRAIN, Experiment, Run, data_sets, load_experiment
from render_jobs.commands import RenderOptions, render, stop_on_signals
from render_jobs.dataset import write_atomically
from simulator.clip import list_clips
from trainer.config import config_from_json, differences
from trainer.experiment.page import write_experiment_page
from trainer.experiment.results import read_results
from untrusted import MAX_JSON_BYTES, one_line, read_json

RECORD = "experiment.json"  # what the data sets of a folder were rendered from
ASKED = "asked.json"  # beside a probe's page: what it was asked
POLL_S, GRACE_S = 1.0, 120.0  # between two looks at the runs; for a run to save after a signal
PROGRAM = (sys.executable, "-m", "remind")


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
    for name, data in data_sets(experiment).items():
        rendered = f"{data.count} samples of each of {', '.join(data.specs)}"
        lines.append(f"  data {name}: {data.dataset or rendered}")
    for run in runs:
        done = 0 if out is None else _step(out / "runs" / run.name)
        lines.append(f"  run {run.name}: {done} of {run.config.steps} steps done; {shlex.join(run.arguments)}")
    return "\n".join(lines)


# ---- data
def _render_all(experiment: Experiment, path: Path, out: Path) -> dict[str, Path]:
    """The folder of every data set, rendered where it has to be."""
    folders: dict[str, Path] = {}
    for name, data in data_sets(experiment).items():
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
    files = [file for spec in specs for file in (sorted(spec.iterdir()) if spec.is_dir() else [spec])]
    digest = hashlib.sha256(repr([file.read_bytes() for file in files if file.is_file()]).encode()).hexdigest()[:16]
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
                bar.set_postfix_str(_report_so_far(out), refresh=False)
            bar.update(sum(_step(out / "runs" / run.name) for run in runs) - bar.n)
    return failed


def _report_so_far(out: Path) -> str:
    """A page that cannot be written now costs no run: the next one, or `remind experiment report`, writes it."""
    try:
        return f"report {report(out)}"
    except (OSError, ValueError) as error:
        return one_line(f"no report: {error}")


def _is_done(run: Run, experiment: Experiment, out: Path) -> bool:
    return _is_trained(run, out) and all(_is_probed(out, run, experiment, split) for split in experiment.data.heldout)


def _is_trained(run: Run, out: Path) -> bool:
    """Of another configuration it is not: `remind train` then says what differs."""
    folder = out / "runs" / run.name
    if _step(folder) < run.config.steps:
        return False
    try:
        return not differences(config_from_json(folder / "config.json"), run.config)
    except (OSError, ValueError):
        return False


def _is_probed(out: Path, run: Run, experiment: Experiment, split: str) -> bool:
    """A page, which a probe writes last, of a probe that was asked what the file asks now."""
    folder = out / "probes" / run.name / split
    asked = folder / ASKED
    return (
        (folder / "index.html").exists() and asked.exists() and asked.read_text() == _question(run, experiment, split)
    )


def _question(run: Run, experiment: Experiment, split: str) -> str:
    """All that a probe's figures follow from, but for the rendered data, which belong to a folder (`_claim`)."""
    data = {name: data_sets(experiment)[name].model_dump() for name in (TRAIN, split)}
    return json.dumps({"train": run.arguments, "probe": experiment.probe.arguments, "data": data}, indent=1) + "\n"


def _steps_of(run: Run, experiment: Experiment, folders: Mapping[str, Path], out: Path) -> Iterator[list[str]]:
    """Arguments of `remind` for what a run still needs, one command after the other."""
    folder = out / "runs" / run.name
    first = next(iter(experiment.data.heldout))
    if not _is_trained(run, out):
        where = ["--data", str(folders[TRAIN]), "--heldout", str(folders[first]), "--out", str(folder), "--resume"]
        yield ["train", *run.arguments, *where]
    for split in experiment.data.heldout:
        if not _is_probed(out, run, experiment, split):
            report_dir = out / "probes" / run.name / split
            report_dir.mkdir(parents=True, exist_ok=True)
            (report_dir / "index.html").unlink(missing_ok=True)
            (report_dir / ASKED).write_text(_question(run, experiment, split))
            where = ["--data", str(folders[split]), "--out", str(report_dir), "--instrument", str(out / "instrument")]
            yield ["probe", str(folder), *where, *experiment.probe.arguments]


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
