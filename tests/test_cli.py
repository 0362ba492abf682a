"""Every verb has help, an example and a place in the README; errors of the user are lines, not tracebacks."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import remind
from tests.render_jobs.support import fake_pool, job

REPOSITORY = Path(__file__).parents[1]
VERBS = {
    "events": {"list", "show", "check", "gallery"},
    "scene": {"init", "check", "schema", "plan", "preview"},
    "render": set(),
    "clip": {"info", "states", "verify", "export", "import"},
    "dataset": {"info", "pack", "merge", "unpack"},
    "train": set(),
    "generate": set(),
    "probe": set(),
    "probe-cache": set(),
    "compare": set(),
    "experiment": {"run", "report"},
    "export": set(),
    "forgetting": set(),
    "bench": {"list", "render", "export", "generate", "baselines", "score"},
    "demo": set(),
}


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(groups[0].choices) if groups else {}


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    below = subparsers(parser)
    if not below:
        yield parser
    for child in below.values():
        yield from leaves(child)


LEAVES = {leaf.prog: leaf for leaf in leaves(remind.build_parser())}


def test_the_verbs_are_the_promised_ones() -> None:
    found = {name: set(subparsers(parser)) for name, parser in subparsers(remind.build_parser()).items()}
    assert found == VERBS


@pytest.mark.parametrize("verb", LEAVES)
def test_every_verb_has_help_an_example_that_parses_and_a_place_in_the_readme(verb: str) -> None:
    leaf = LEAVES[verb]
    assert leaf.description
    text = leaf.format_help()
    examples = [line.strip() for line in text.partition("example:")[2].splitlines() if line.strip()]
    assert examples
    for example in examples:
        words = shlex.split(example.partition(">")[0])
        assert words[0] == "remind" and " ".join(words).startswith(verb)
        remind.build_parser().parse_args(words[1:])
    assert verb in (REPOSITORY / "README.md").read_text()


def test_every_remind_line_in_the_readme_parses() -> None:
    lines = re.findall(r"^    (remind [^#\n]*)", (REPOSITORY / "README.md").read_text(), re.MULTILINE)
    assert len(lines) >= len(LEAVES)
    for line in lines:
        remind.build_parser().parse_args(shlex.split(line.partition(">")[0])[1:])


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, remind\n"
        "try:\n    remind.main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'numpy', 'torch', 'bpy', 'pydantic', 'trimesh', 'h5py', 'yaml'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("render", "--out DATASET"),
        ("render nowhere.yaml --out data", "nowhere.yaml: no such file"),
        ("render . --out data", "no *.yaml specs"),
        ("render --status .", "not a data set"),
        ("scene check nowhere.yaml", "nowhere.yaml"),
        ("scene plan nowhere.yaml --out plans", "nowhere.yaml"),
        ("events show no_such_type", "no_such_type"),
        ("events check no_such_type", "no_such_type"),
        ("clip info .", "no clip here"),
        ("clip states nowhere", "nowhere"),
        ("clip verify nowhere", "nowhere"),
        ("clip export nowhere --to coco --out out", "nowhere"),
        ("clip import nowhere.mp4 --out data", "nowhere.mp4"),
        ("dataset info nowhere", "nowhere"),
        ("dataset pack nowhere --out packed", "nowhere"),
        ("dataset merge nowhere --out data", "nowhere"),
        ("dataset unpack nowhere --out data", "nowhere"),
        ("train no_such_recipe --data data --out run", "no_such_recipe"),
        ("train tiny --data nowhere --out run", "nowhere"),
        ("train tiny --data data", "--out: is missing"),
        ("train tiny --data data --out run --set optim.rl=1", "optim.rl: unknown field"),
        ("train tiny --data data --out run --set optim.lr", "--set: 'optim.lr' is not FIELD=VALUE"),
        ("generate nowhere --data nowhere --out made", "nowhere"),
        ("generate nowhere --clip nowhere --out made", "nowhere: holds no finished checkpoint"),
        ("generate run --clip clip --out made --sink 2", "cache.sink"),
        ("generate run --clip clip --out made --steps 0", "rollout.steps"),
        ("generate run --clip clip --out made --prompt-at x text", "--prompt-at"),
        ("probe nowhere --data data --out report", "nowhere"),
        ("probe nowhere --data data --out report --capacity 2 --sink 2", "cache.capacity"),
        ("export nowhere --out exported", "nowhere: holds no finished checkpoint"),
    ],
)
def test_user_errors_are_lines_and_exit_status_2(
    command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert remind.main(command.split()) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines and all(line.startswith("remind: ") for line in lines)
    assert said in " ".join(lines)


def test_a_wrong_spec_is_named_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "kitchen.yaml"
    assert remind.main(["scene", "init", str(spec)]) == 0
    assert remind.main(["scene", "check", str(spec)]) == 0
    spec.write_text(spec.read_text() + "\nsede: 3\n")
    capsys.readouterr()
    assert remind.main(["scene", "check", str(spec)]) == 2
    said = capsys.readouterr().err
    assert re.search(r"kitchen\.yaml:\d+: sede: unknown field", said)


def test_interruption_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("trainer.train.train", interrupted)
    assert remind.main(["train", "tiny", "--data", "data", "--out", "run"]) == 130
    assert "--resume" in capsys.readouterr().err


def test_status_of_a_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    list(fake_pool(tmp_path / "data").run([job("good"), job("impossible")]))
    assert remind.main(["render", "--status", str(tmp_path / "data")]) == 0
    assert "2 queued: 1 done, 1 failed, 0 left" in capsys.readouterr().out


def test_output_cut_short_is_no_error() -> None:
    command = f"{shlex.quote(sys.executable)} remind.py events list | true"
    done = subprocess.run(["bash", "-c", command], cwd=REPOSITORY, capture_output=True, text=True, env=os.environ)
    assert done.stderr == ""


def test_an_error_line_only_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert remind.main(["scene", "check", "no\x1b[2Jsuch.yaml"]) == 2
    assert remind.main(["clip", "info", "no\x1b[2Jsuch"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.isprintable() and "\\x1b[2J" in line for line in lines)
