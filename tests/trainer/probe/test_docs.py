"""The worked example of docs/PROBE.md runs, and shows the figures that it prints."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "PROBE.md"


def test_the_worked_example_holds() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 25 and found.failed == 0


def test_a_wrong_figure_would_be_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "PROBE.md"
    wrong.write_text(PAGE.read_text().replace("    0.125\n", "    0.25\n", 1))
    assert doctest.testfile(str(wrong), module_relative=False).failed == 1
    assert "0.125" in capsys.readouterr().out
