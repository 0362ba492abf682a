"""What authors are told, as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenes import commands
from scenes.errors import SpecError
from scenes.loading import load_spec, parse_spec
from scenes.sampling import sample_plans
from tests.scenes.stand_ins import SPEC, TYPES

GOLDEN = Path(__file__).with_name("error_lines.txt")
COLUMN = len("replace ")


def golden_cases() -> list[tuple[str, str, str]]:
    """(text replaced in the good spec, by what, the whole line that the author reads)."""
    cases = []
    for block in GOLDEN.read_text().split("\n\n"):
        old, new, line = (row[COLUMN:].replace("\\n", "\n").replace("\\t", "\t") for row in block.strip().splitlines())
        cases.append((old, new, line))
    return cases


def first_line(text: str) -> str | None:
    try:
        sample_plans(parse_spec(text, "k.yaml", TYPES), 1, event_types=TYPES)
    except SpecError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("old", "new", "line"), golden_cases())
def test_error_lines(old: str, new: str, line: str) -> None:
    assert old in SPEC
    assert first_line(SPEC.replace(old, new, 1)) == line


@pytest.mark.parametrize(
    ("old", "new", "start", "part"),
    [
        (
            "2.5]}",
            "2.5], turn_deg: 12}",
            "k.yaml:16: interruptions[0].turn_deg: 12 deg do not hide 'column'",
            "leave turn_deg",
        ),
        (
            "[2.0, 2.5]}",
            "0.2, turn_s: 0.1}",
            "k.yaml:16: interruptions[0].hidden_s: level changes by",
            "less than the 0.01 m",
        ),
        (
            "path: orbit, loop: true",
            "distance_m: 9",
            "k.yaml:16: interruptions[0].target: what shows the state of 'column'",
            "than the 120",
        ),
        (
            "path: orbit, loop: true",
            "distance_m: 0.15",
            "k.yaml:14: camera.distance_m: 'column' does not stay in",
            "leave distance_m out",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused_with_a_fix(old: str, new: str, start: str, part: str) -> None:
    line = first_line(SPEC.replace(old, new, 1))
    assert line is not None and line.startswith(start) and part in line


def test_lights_off_cannot_hide_what_gives_light() -> None:
    assert first_line(SPEC.replace("look_away", "lights_off").replace("type: rise", "type: glow")) == (
        "k.yaml:16: interruptions[0].kind: lights_off cannot hide anything here: 'column' (glow) gives light itself; "
        "use look_away, or `event_lights: true` if its light goes out too"
    )


def test_all_problems_are_told_in_the_order_of_the_file() -> None:
    text = SPEC.replace("seed: 3", "sed: 3").replace("engine: cycles", "engin: cycles")
    with pytest.raises(SpecError) as caught:
        parse_spec(text, "k.yaml", TYPES)
    assert [p.split(": ")[1] for p in caught.value.problems] == ["sed", "render.engin"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "f.yaml:1: spec: the file is empty; `remind scene init` writes a starter"),
        (b"# nothing\n", "f.yaml:1: spec: the file is empty; `remind scene init` writes a starter"),
        (b"- 1\n", "f.yaml:1: spec: expected `field: value` lines at the top"),
        (b"a: 1\nb: \xff\n", "f.yaml:2: spec: not UTF-8 text (byte 8); save the file as UTF-8"),
        (b"x" * 300_000, "f.yaml:1: spec: larger than 0.256 MB; give a .yaml file, a scene spec is a small text file"),
        (b"a: " + b"[" * 3000, "f.yaml:1: spec: nested deeper than 24 levels"),
        (b'a: "\\UFFFFFFFF"\n', None),
        (b"a: 1\n---\nb: 2\n", None),
    ],
)
def test_bad_files(content: bytes, line: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.yaml").write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_spec("f.yaml", TYPES)
    assert str(caught.value) == line if line else str(caught.value).startswith("f.yaml:")


def test_missing_file_and_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=r"no such file; `remind scene init no\.yaml` writes a starter"):
        load_spec("no.yaml", TYPES)
    with pytest.raises(SpecError, match="is a directory"):
        load_spec(tmp_path, TYPES)
    with pytest.raises(SpecError):
        load_spec("nul\0.yaml", TYPES)


def test_starter_checks_clean_and_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "kitchen.yaml"
    assert "remind scene check" in commands.init(path)
    assert commands.check([path]) == f"{path}: good"
    with pytest.raises(SpecError, match="exists already"):
        commands.init(path)


def test_check_names_every_problem_of_every_file(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(SPEC.replace("seed", "sed"))
    with pytest.raises(ValueError) as caught:
        commands.check([tmp_path / "a.yaml", tmp_path / "b.yaml"], TYPES)
    assert [line.split(":")[0][-6:] for line in str(caught.value).splitlines()] == ["a.yaml", "b.yaml"]
