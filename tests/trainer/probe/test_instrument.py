"""Rows that no model has a part in are measured once for the same clips, and never taken for other ones."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import h5py
import pytest

from trainer.probe import instrument
from trainer.probe.estimator import Estimator
from trainer.probe.instrument import key_of, read_instrument
from trainer.probe.result import ProbeResult
from trainer.probe.run import probe
from trainer.probe.subject import Subject, load_subjects
from trainer.probe.verdict import TOLERANT


@pytest.fixture
def data(dataset: Path, tmp_path: Path) -> Path:
    """One glass that may be changed."""
    shutil.copytree(dataset / "clips" / "glass-0", tmp_path / "data" / "clips" / "glass-0")
    return tmp_path / "data"


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows each time that exhibits are measured; of a window only the first two, to be quick."""
    times: list[int] = []

    def counted(subjects):  # type: ignore[no-untyped-def]
        times.append(len(subjects))
        return real(subjects)[:2]

    real = instrument.measure_all
    monkeypatch.setattr(instrument, "measure_all", counted)
    return times


def test_reports_are_the_same_with_and_without(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = instrument.measure_all
    monkeypatch.setattr(instrument, "measure_all", lambda subjects: real(subjects)[::3])  # some of each group
    monkeypatch.setattr(Subject, "frames_like_return", lambda self: [self.t_r])
    plain = probe(None, data, tmp_path / "plain")
    first = probe(None, data, tmp_path / "first", instrument=tmp_path / "kept")
    monkeypatch.setattr(instrument, "measure_all", lambda _: pytest.fail("measured again"))
    monkeypatch.setattr(Estimator, "fit", lambda _: pytest.fail("trained again"))
    second = probe(None, data, tmp_path / "second", instrument=tmp_path / "kept")
    assert plain == first and first.instrument is None and len(plain.floors) == 1 and len(plain.exhibits) > 3
    (file,) = (tmp_path / "kept").iterdir()
    assert second == dataclasses.replace(first, instrument=str(file))
    assert ProbeResult.read(tmp_path / "second" / "probe.json") == second
    pages = [(tmp_path / name / "index.html").read_text() for name in ("plain", "first", "second")]
    assert pages[0] == pages[1] and "measured for this report" in pages[0]
    taken = f"taken from <code>{file}</code>, measured before on the same clips by the same code"
    assert pages[2] == pages[1].replace("measured for this report", taken)


def test_a_changed_clip_is_measured_again(data: Path, tmp_path: Path, measured: list[int]) -> None:
    def ask() -> instrument.Instrument:
        return read_instrument(load_subjects(data), TOLERANT, None, tmp_path / "kept")

    first = ask()
    again = ask()
    assert measured == [1] and again.exhibits == first.exhibits and again.source is not None
    t_r = load_subjects(data)[0].t_r
    with h5py.File(data / "clips" / "glass-0" / "arrays.h5", "a") as file:
        file["rgb"][t_r] = file["rgb"][t_r - 20]  # another moment at the return: other figures, the same manifest
    changed = ask()
    assert measured == [1, 1] and changed.source is None and changed.exhibits != first.exhibits
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_the_key_knows_all_that_counts(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = load_subjects(data)
    known = key_of(subjects, TOLERANT, True)
    assert known == key_of(load_subjects(data), TOLERANT, True)
    keys = [known, key_of(subjects, TOLERANT, False), key_of(subjects * 2, TOLERANT, True)]
    keys.append(key_of(subjects, dataclasses.replace(TOLERANT, residual=0.9), True))
    sources = instrument._sources()
    assert {"readout.py", "estimator.py", "calibration.py", "clip.py"} <= {path.name for path in sources}
    (tmp_path / "readout.py").write_text("another code")
    monkeypatch.setattr(instrument, "_sources", lambda: [*sources[1:], tmp_path / "readout.py"])
    keys.append(key_of(subjects, TOLERANT, True))
    for name in sorted(path.name for path in (data / "clips" / "glass-0").iterdir()):
        with (data / "clips" / "glass-0" / name).open("ab") as file:
            file.write(b" ")
        keys.append(key_of(subjects, TOLERANT, True))
    assert len(set(keys)) == len(keys) >= 8


@pytest.mark.parametrize("damage", ["torn", "edited", "version"])
def test_a_file_that_cannot_be_used_is_named_and_written_anew(
    data: Path, tmp_path: Path, measured: list[int], capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    subjects, kept = load_subjects(data), tmp_path / "kept"
    found = read_instrument(subjects, TOLERANT, None, kept)
    (file,) = kept.iterdir()
    text = file.read_text()
    record = json.loads(text)
    record["rows"]["exhibits"][0]["reading"]["clock_ratio"] = 0.5
    broken = {"torn": text[:200], "edited": json.dumps(record), "version": text.replace('"key"', '"name"', 1)}[damage]
    file.write_text(broken)
    again = read_instrument(subjects, TOLERANT, None, kept)
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and f"{file.name}: not used (" in line and line.endswith("; measured again\n")
    assert again == found and measured == [1, 1] and file.read_text() == text


def test_two_at_the_same_time_write_the_same_file(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: list[int]
) -> None:
    """Another process begins and ends while this one measures."""
    subjects, kept, inner = load_subjects(data), tmp_path / "kept", instrument.measure_all
    other: list[str] = []

    def overtaken(subjects: list[Subject]):  # type: ignore[no-untyped-def]
        if not other:
            other.append("begun")
            read_instrument(subjects, TOLERANT, None, kept)
            other.append(next(kept.iterdir()).read_text())
        return inner(subjects)

    monkeypatch.setattr(instrument, "measure_all", overtaken)
    mine = read_instrument(subjects, TOLERANT, None, kept)
    (file,) = kept.iterdir()
    assert measured == [1, 1] and file.read_text() == other[1], "no part of another file is left"
    assert read_instrument(subjects, TOLERANT, None, kept).exhibits == mine.exhibits and measured == [1, 1]


@pytest.mark.parametrize("wrong", ["out", "instrument"])
def test_a_folder_that_cannot_be_is_refused_before_anything_is_measured(
    wrong: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    places = {"out": tmp_path / "out", "instrument": tmp_path / "kept", wrong: tmp_path / "file"}
    monkeypatch.setattr("trainer.probe.run.read_instrument", lambda *_: pytest.fail("measured"))
    with pytest.raises(ValueError, match=r"file: cannot be made a folder \(File exists\); give another"):
        probe(None, data, places["out"], instrument=places["instrument"])
