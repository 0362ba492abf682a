"""docs/OWN_EVENT_PACKAGE.md does what it says: its code, installed as a package, adds a sound event type."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "OWN_EVENT_PACKAGE.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """Fenced blocks of the page."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install` leaves behind: the package, and its entry points in a .dist-info folder."""
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads(blocks("toml")[0])["project"]
    package, info = site / "greased_events", site / "greased_events-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").touch()
    for name, text in zip(("beads", "references"), blocks("python"), strict=True):
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    points = configparser.ConfigParser()
    points.read_dict(project["entry-points"])
    with open(info / "entry_points.txt", "w", encoding="utf-8") as file:
        points.write(file)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    return site


ONE_AFTER_ANOTHER = "import sys, remind; sys.exit(max(remind.main(line.split()) for line in sys.argv[1:]))"


def remind(site: Path, *commands: str) -> subprocess.CompletedProcess[str]:
    """Commands of `remind` in one process that finds what is installed in `site`."""
    paths = os.pathsep.join([str(site), str(REPOSITORY)])
    env = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-c", ONE_AFTER_ANOTHER, *commands]
    return subprocess.run(command, capture_output=True, text=True, env=env)


def test_the_type_is_there_and_sound_and_the_spec_of_the_page_plans(site: Path, tmp_path: Path) -> None:
    spec = tmp_path / "bead.yaml"
    spec.write_text(blocks("yaml")[0], encoding="utf-8")
    done = remind(site, "events check bead_on_greased_rod", f"scene check {spec}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("bead_on_greased_rod: sound") and done.stdout.endswith("bead.yaml: good\n")


def test_without_the_package_there_is_no_such_type(capsys: pytest.CaptureFixture[str]) -> None:
    from remind import main

    assert main(["events", "show", "bead_on_greased_rod"]) == 2
    assert "unknown event type 'bead_on_greased_rod'" in capsys.readouterr().err


def test_an_entry_point_that_is_no_event_type_is_named(site: Path) -> None:
    points = site / "greased_events-1.0.dist-info" / "entry_points.txt"
    good = points.read_text()
    points.write_text("[remind_sim.event_types]\nwrong = greased_events.references:bead_on_greased_rod\n")
    done = remind(site, "events list")
    points.write_text(good)
    assert done.returncode == 2
    assert "'greased_events.references:bead_on_greased_rod' is no concrete event type" in done.stderr
