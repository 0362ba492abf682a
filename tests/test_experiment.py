from __future__ import annotations

import dataclasses
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import remind_experiment
from remind import build_parser
from remind_experiment import describe, run_experiment
from remind_experiment_file import Probing, load_experiment
from scenes.errors import SpecError
from scenes.loading import load_spec
from scenes.plan import ClipPlan
from tests.simulator.support import sketch_clip, tank_plan

FILE = """\
version: 1
name: pair
recipe: tiny
set: {steps: 4, eval_every: 4, logging.tensorboard: false}
data:
  train: {dataset: train}
  heldout:
    new: {dataset: heldout}
arms:
  plain: {curriculum: none}
  phase: {set: {model.mode: phase}}
seeds: [0, 3]
"""
# in place of `remind`: what is asked goes to asked.txt; a run named in STUB_FAILS fails; probes write their last file
STUB = """\
import os, sys, pathlib, time
words = sys.argv[1:]
with open(os.environ["STUB_LOG"], "a") as log:
    log.write(" ".join(words) + " threads=" + os.environ["OMP_NUM_THREADS"] + "\\n")
if os.environ.get("STUB_FAILS", "nobody") in " ".join(words):
    sys.exit("remind: it broke; mend it")
if os.environ.get("STUB_SLEEPS"):
    time.sleep(60)
out = pathlib.Path(words[words.index("--out") + 1])
if words[0] == "train":
    from trainer.config import override
    from trainer.recipes import arm, recipe
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    curriculum = words[words.index("--curriculum") + 1] if "--curriculum" in words else None
    config = override(arm(override(recipe(words[1]), {"steps": settings["steps"]}), curriculum), settings)
    if (out / "config.json").exists() and (out / "config.json").read_text() != config.to_json():
        sys.exit("remind: started with another configuration")
    (out / "checkpoints" / "step_00000004").mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(config.to_json())
else:
    (out / "index.html").write_text("done")
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment on data sets that are there, run by a stand-in for the command."""
    for name in ("train", "heldout"):
        (tmp_path / name).mkdir()
    (tmp_path / "stub.py").write_text(STUB)
    (tmp_path / "pair.yaml").write_text(FILE)
    monkeypatch.setattr(remind_experiment, "PROGRAM", (sys.executable, str(tmp_path / "stub.py")))
    monkeypatch.setattr(remind_experiment, "POLL_S", 0.02)
    monkeypatch.setenv("STUB_LOG", str(tmp_path / "asked.txt"))
    return tmp_path / "pair.yaml"


def asked(file: Path) -> list[str]:
    return (file.parent / "asked.txt").read_text().splitlines()


def test_runs_are_trained_and_probed_once(file: Path, tmp_path: Path) -> None:
    assert run_experiment(file, tmp_path / "out", jobs=2) == 0
    lines = asked(file)
    assert len(lines) == 8 and sum(line.startswith("train") for line in lines) == 4
    plain = next(line for line in lines if line.startswith("train tiny --curriculum none"))
    assert "seed=3" in "".join(lines) and "--heldout" in plain and plain.endswith("--resume threads=1")
    run_experiment(file, tmp_path / "out", jobs=1)
    assert asked(file) == lines, "nothing is done twice"
    (tmp_path / "out" / "probes" / "phase-3" / "new" / "index.html").unlink()
    run_experiment(file, tmp_path / "out", jobs=1)
    assert len(asked(file)) == 9 and asked(file)[-1].startswith("probe ")


def test_a_failed_run_does_not_stop_the_others(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUB_FAILS", "model.mode=phase seed=0")
    assert run_experiment(file, tmp_path / "out", jobs=1) == 1
    assert "failed phase-0: status 1: it broke; mend it (see" in capsys.readouterr().err
    assert "plain-3: 4 of 4 steps done" in describe(file, tmp_path / "out")
    monkeypatch.delenv("STUB_FAILS")
    assert run_experiment(file, tmp_path / "out", jobs=1) == 0, "the same command makes up for it"
    assert "phase-0: 4 of 4 steps done" in describe(file, tmp_path / "out")


def test_what_the_file_asks_now_is_what_the_report_shows(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other options of the probe, another data set for a split: probed again. Another configuration: said."""
    file.write_text(FILE.replace("  phase: {set: {model.mode: phase}}\n", "").replace("seeds: [0, 3]", "seeds: [0]"))
    assert run_experiment(file, tmp_path / "out", jobs=1) == 0 and len(asked(file)) == 2
    once = file.read_text()
    file.write_text(once + "probe: {samples: 2}\n")
    assert run_experiment(file, tmp_path / "out", jobs=1) == 0
    assert len(asked(file)) == 3 and "--samples 2" in asked(file)[-1]
    (tmp_path / "others").mkdir()
    file.write_text(file.read_text().replace("new: {dataset: heldout}", "new: {dataset: others}"))
    assert run_experiment(file, tmp_path / "out", jobs=1) == 0
    assert len(asked(file)) == 4 and str(tmp_path / "others") in asked(file)[-1]
    for change in ("steps: 3", "steps: 4, optim.lr: 1.0e-5"):
        file.write_text(once.replace("steps: 4", change))
        assert run_experiment(file, tmp_path / "out", jobs=1) == 1
        assert "started with another configuration" in capsys.readouterr().err


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_its_runs_end_with_it(file: Path, tmp_path: Path, signum: int) -> None:
    script = (
        "import sys, pathlib, signal, remind_experiment as e\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background begins with it ignored
        "e.PROGRAM = (sys.executable, sys.argv[1])\n"
        "e.run_experiment(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), jobs=2)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "stub.py"), str(file), str(tmp_path / "out")]
    environment = os.environ | {"STUB_SLEEPS": "1", "STUB_LOG": str(tmp_path / "asked.txt")}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not ((tmp_path / "asked.txt").exists() and len(asked(file)) == 2):
        time.sleep(0.05)
    process.send_signal(signum)
    process.wait(30)
    stub = shlex.quote(str(tmp_path / "stub.py"))
    assert subprocess.run(["pgrep", "-f", stub], capture_output=True, check=False).returncode == 1, "a run was left"


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        ("recipe: huge", "recipe: tiny", ":10: arms.plain: recipe: 'huge' is unknown, known are tiny, small"),
        ("recipe: tiyn", "recipe: tiny", ":10: arms.plain: recipe: 'tiyn' is unknown, did you mean 'tiny'?"),
        ("curriculum: some", "curriculum: none", ":10: arms.plain.curriculum: "),
        ("model.mode: phaze", "model.mode: phase", ":11: arms.phase: "),
        ("model.mod: phase", "model.mode: phase", ":11: arms.phase: "),
        ("seeds: [0, 0]", "seeds: [0, 3]", ":12: seeds: a seed is there twice; keep one"),
        ("train: {}", "train: {dataset: train}", ":6: data.train.specs: give specs to render or a dataset"),
        (
            "train: {dataste: a}",
            "train: {dataset: train}",
            "data.train.dataste: unknown field, did you mean 'dataset'?",
        ),
        ("arms: {}\nrest:", "arms:", "rest: unknown field"),
        ("dataset: gone", "dataset: heldout", ":8: data.heldout.new.dataset: no such folder 'gone'; render it first"),
        ("{specs: [a.yaml]}", "{dataset: train}", ":6: data.train.specs[0]: no such file 'a.yaml' beside this one"),
        ("{seed: 1, steps: 4", "{steps: 4", ":10: arms.plain: set.seed: every arm runs with all of `seeds`; say it"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(file: Path, wrong: str, right: str, complaint: str) -> None:
    file.write_text(FILE.replace(right, wrong))
    with pytest.raises(SpecError) as caught:
        load_experiment(file)
    assert any(complaint in problem for problem in caught.value.problems), caught.value.problems


def test_options_of_the_probe_reach_it(file: Path, tmp_path: Path) -> None:
    file.write_text(FILE + "probe: {samples: 2, window: 8, sink: 1}\n")
    run_experiment(file, tmp_path / "out", jobs=4)
    probes = [line for line in asked(file) if line.startswith("probe")]
    assert len(probes) == 4 and all("--samples 2 --sink 1 --window 8" in line for line in probes)
    given = Probing(samples=1, steps=2, guidance=1.5, sink=0, window=3, capacity=4).arguments
    build_parser().parse_args(["probe", "run", "--data", "d", "--out", "o", *given])


def test_a_folder_belongs_to_its_specs(file: Path, tmp_path: Path) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text("version: 1\n")
    remind_experiment._claim(tmp_path, "train", [spec], 3)
    remind_experiment._claim(tmp_path, "train", [spec], 3)
    with pytest.raises(ValueError, match="was rendered from other specs or another count"):
        remind_experiment._claim(tmp_path, "train", [spec], 4)
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "b.yaml").write_text("version: 1\n")
    remind_experiment._claim(tmp_path, "new", [folder], 3)
    (folder / "c.yaml").write_text("version: 1\n")
    with pytest.raises(ValueError, match="was rendered from other specs or another count"):
        remind_experiment._claim(tmp_path, "new", [folder], 3)


def test_a_report_that_cannot_be_written_stops_no_run(file: Path, tmp_path: Path) -> None:
    torn = tmp_path / "out" / "probes" / "plain-0" / "new" / "probe.json"
    torn.parent.mkdir(parents=True)
    torn.write_text('{"schema_version": ')
    assert run_experiment(file, tmp_path / "out", jobs=1) == 0 and len(asked(file)) == 8


def test_one_run_for_real(tmp_path: Path) -> None:
    """Trained and probed by the command itself, on sketched clips: the report shows the run."""
    small = ClipPlan(num_frames=24, fps=4.0, width_px=32, height_px=32)
    for index, name in enumerate(("train", "heldout")):
        plan = tank_plan("lights_off", clip=small, outputs=("rgb", "segmentation", "twins", "sweep"))
        scene = dataclasses.replace(plan.world, props=plan.world.props[index:])  # the second without the floor
        plan = dataclasses.replace(plan, world=scene)
        sketch_clip(plan, tmp_path / name / "clips" / name)
    text = FILE.replace("seeds: [0, 3]", "seeds: [0]").replace("  plain: {curriculum: none}\n", "")
    (tmp_path / "one.yaml").write_text(text)
    command = [sys.executable, "-m", "remind", "experiment", "run", str(tmp_path / "one.yaml"), "--out"]
    done = subprocess.run([*command, str(tmp_path / "out")], capture_output=True, text=True, check=False)
    log = tmp_path / "out" / "logs" / "phase-0.log"
    assert done.returncode == 0, done.stderr + (log.read_text() if log.exists() else "")
    page = (tmp_path / "out" / "report" / "index.html").read_text()
    assert "pair: does it remember?" in page and page.count("film strip") == 1 and "remind train tiny" in page


@pytest.mark.parametrize("shipped", sorted(Path("benchmarks/experiments").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_experiments_are_ready_to_run(shipped: Path) -> None:
    experiment, runs = load_experiment(shipped, here=False)  # data sets are rendered by whoever runs it
    assert len(runs) == len(experiment.arms) * len(experiment.seeds)
    alike = {run.config.to_json() for run in runs if run.seed == runs[0].seed}
    assert len(alike) == len(experiment.arms), "two arms are the same"
    for data in (experiment.data.train, *experiment.data.heldout.values()):
        for spec in data.specs:
            load_spec(shipped.parent / spec)
