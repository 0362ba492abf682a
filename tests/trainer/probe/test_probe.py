"""The probe from a data set to its report, with stand-ins for a model."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from math import nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import pytest

import remind
from benchmarks import readout as benchmark
from simulator.clip import Clip
from tests.trainer.probe.fake_clips import NUM_FRAMES, T_R, write_fake_clip
from tests.trainer.probe.stand_ins import dreams, freezes
from trainer.probe.calibration import baselines, measure_all
from trainer.probe.charts import Bar, bars
from trainer.probe.result import ProbeResult
from trainer.probe.run import _load_run, probe
from trainer.probe.strips import strip_frames
from trainer.probe.subject import Subject, load_subjects
from trainer.probe.summary import summary_rows
from trainer.rollout import RolloutConfig


def test_a_model_that_remembers(remembered: tuple[ProbeResult, Path]) -> None:
    result, out = remembered
    assert len(result.model) == len(result.clips) == 3
    for score in result.model:
        assert score.clock_ratio == pytest.approx(1.0, abs=0.1)
        assert score.control is None and score.loop_psnr_db is None
        assert score.psnr_db is not None and score.psnr_db > 25
        assert score.frames[0].frame == T_R
    glass = [s for s in result.model if s.clip_id.startswith("glass")]
    assert all(s.evolution_ratio == pytest.approx(1.0, abs=0.1) and s.plausibility == 1.0 for s in glass)
    assert "let the event go on" in (out / "index.html").read_text()


def test_every_calibration_and_corruption_row_is_right(remembered: tuple[ProbeResult, Path]) -> None:
    assert [j for j in remembered[0].exhibits if not j.passed] == []
    rows = summary_rows(remembered[0])
    assert [r.name for r in rows[:4]] == ["truth", "paused", "half speed", "reversed"]
    assert all(r.coverage == 0.0 and r.recovery.mean == 0.0 for r in rows if r.should_be == "unreadable")


def test_models_that_freeze_or_dream(dataset: Path, tmp_path: Path) -> None:
    clip_dirs = sorted(p for p in (dataset / "clips").iterdir() if p.name.startswith("glass"))[:1]
    for clip_dir in clip_dirs:
        shutil.copytree(clip_dir, tmp_path / "data" / "clips" / clip_dir.name)
    frozen = probe(None, tmp_path / "data", tmp_path / "frozen", rollout=freezes, second_opinion=False).model[0]
    assert frozen.clock_ratio == pytest.approx(0.0, abs=0.1) and frozen.recovery == pytest.approx(0.0, abs=0.1)
    assert frozen.evolution_ratio == pytest.approx(0.15, abs=0.2)
    assert frozen.control == 0.0, "it shows the scene in daylight while the light is off"
    dream = probe(None, tmp_path / "data", tmp_path / "dream", rollout=dreams, second_opinion=False).model[0]
    assert dream.clock_ratio is None and dream.recovery == 0.0 and dream.evolution_ratio is None
    assert "could not be read" in (tmp_path / "dream" / "index.html").read_text()


def test_the_result_has_a_file_form(remembered: tuple[ProbeResult, Path], tmp_path: Path) -> None:
    result, out = remembered
    assert ProbeResult.read(out / "probe.json") == result
    data = json.loads((out / "probe.json").read_text())
    (tmp_path / "old.json").write_text(json.dumps({**data, "schema_version": 0}))
    (tmp_path / "cut.json").write_text((out / "probe.json").read_text()[:100])
    for name in ("old.json", "cut.json", "absent.json"):
        with pytest.raises(ValueError, match=f"{name}: not a probe result"):
            ProbeResult.read(tmp_path / name)


def test_the_report_stands_alone(remembered: tuple[ProbeResult, Path]) -> None:
    page = (remembered[1] / "index.html").read_text()
    assert not re.search(r"(?:src|href)=\"(?!data:)", page) and "<script" not in page and "@import" not in page
    assert page.count("<svg") == 3 + 2, "a curve for each clip, bars by STEVO category and by event type"
    assert all(
        title in page for title in ("Did it remember?", "Variable by variable", "Second opinion", "by STEVO category")
    )
    assert "Several samples" not in page, "there is one of each"


def test_the_report_escapes_hostile_strings(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> & \"quoted\" 'too' {{ 7 * 7 }} <a href='javascript:alert(4)'>"
    write_fake_clip(tmp_path / "data" / "clips" / "a", "glass", 1, prompt=hostile)
    manifest = tmp_path / "data" / "clips" / "a" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["event_types"]["thing"] = "<b>bold</b><img src=x onerror=alert(2)>"
    content["variables"]["thing"]["level_m"]["unit"] = "</text></svg><script>alert(3)</script>"
    manifest.write_text(json.dumps(content))
    probe(None, tmp_path / "data", tmp_path / "out", second_opinion=False)
    page = (tmp_path / "out" / "index.html").read_text()
    assert all(tag not in page for tag in ("<script", "<img src=x", "<b>bold", "<a href='java"))
    assert "&lt;script&gt;alert(1)" in page and "{{ 7 * 7 }}" in page


def test_clips_that_cannot_be_probed_are_named(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none of 0 clips has a sweep"):
        load_subjects(tmp_path)
    source = sorted((dataset / "clips").iterdir())[0]
    clip_dir = tmp_path / "clips" / "x"
    shutil.copytree(source, clip_dir)
    with h5py.File(clip_dir / "arrays.h5", "a") as file:
        file["sweeps/0"].attrs["frame"] = 3
    with pytest.raises(ValueError, match="sweep of frame 3, but the return is at 32"):
        Subject.load(Clip.open(clip_dir))
    with h5py.File(clip_dir / "arrays.h5", "a") as file:
        del file["sweeps"]
    with pytest.raises(ValueError, match="no hidden window or no sweep"):
        Subject.load(Clip.open(clip_dir))


def test_a_run_without_checkpoint_is_named(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere"):
        probe(tmp_path / "nowhere", dataset, tmp_path / "out")


def test_baselines_see_no_pictures(remembered: tuple[ProbeResult, Path]) -> None:
    for clip in remembered[0].clips:
        assert clip.baselines["paused"] == 0.0
        if clip.event_type == "glass":
            assert clip.baselines["linear extrapolation"] == pytest.approx(1.0, abs=0.02)
            assert clip.baselines["prior only"] == pytest.approx(1.0, abs=0.02), "the other scene rises as fast"


def test_what_turns_is_counted_in_full(tmp_path: Path) -> None:
    """A hand of 1.2 rad/s, a cycle of 6 rad, hidden for 4.75 s: nearly a turn, of which wrapping leaves -0.3 rad."""
    windows = ((2, 40),)
    folders = [write_fake_clip(tmp_path / f"{n}", "glass", n, windows=windows) for n in (1, 2)]
    one, other = (dataclasses.replace(Subject.load(Clip.open(f)), variable="hand_rad") for f in folders)
    assert one.kind().cycle == 6.0 and one.hidden_rate == pytest.approx(1.2)
    assert one.change_from_t_h(one.sweep.t_r_s) == pytest.approx(5.7)
    assert one.time_of_change(3.9) == pytest.approx(one.sweep.t_h_s + 3.25, abs=1e-6)
    ratios = baselines(one, [other])
    assert ratios["prior only"] == pytest.approx(1.0, abs=1e-6) == ratios["linear extrapolation"]


def test_strips_show_the_return(remembered: tuple[ProbeResult, Path]) -> None:
    facts = remembered[0].clips[0]
    for available in (None, list(range(0, NUM_FRAMES, 2)), [0, 16, 32, 47]):
        frames = strip_frames(facts, available)
        assert frames == sorted(set(frames)) and T_R in frames and len(frames) <= 12


def test_the_benchmark_prints_its_table(dataset: Path) -> None:
    measured = measure_all(load_subjects(dataset, limit=2))
    limits = benchmark.strict_limits(measured)
    judged = [benchmark.judge(*row, lim) for row, lim in zip(measured, limits, strict=True)]
    table = benchmark.table(judged, judged)
    assert "| mean of sweep | unreadable | - | - | - | - | 0/2 | 2/2 |" in table
    assert "mixture gain" in benchmark.evidence_table(measured)


def test_bars_are_as_long_as_their_figures() -> None:
    entries = [
        Bar("<half>", 0.5, 0.25, 0.75, "0.50"),
        Bar("a label that is far too long for the chart", 2.0, nan, nan, ""),
    ]
    svg = bars(entries, "title", mark=0.25, mark_label="paused")
    widths = [float(w) for w in re.findall(r'<rect [^>]*width="([0-9.]+)"', svg)]
    assert widths[0] == pytest.approx(widths[1] / 2) and svg.count("<path") == 1, "beyond 1 is cut; NaN: no whiskers"
    assert "&lt;half&gt;" in svg and "a label that is far too…" in svg and "paused" in svg


def test_a_run_is_probed_with_the_memory_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of the command line reach every rollout, and the report says which."""
    seen: list[RolloutConfig] = []
    model = SimpleNamespace(parameters=list)
    trained = SimpleNamespace(model=model, config=RolloutConfig(), step=7)  # any dataclass will do for a configuration
    monkeypatch.setattr("trainer.checkpoint.load_trained", lambda run, device: trained)
    monkeypatch.setattr("trainer.probe.run.read_seen", lambda run: None)
    monkeypatch.setattr("trainer.rollout.rollout", lambda model, clip, config, window: seen.append(config))
    told: list[dict[str, Any]] = []

    def stand_in(
        run_dir: Path, dataset: Path, out: Path, *, samples: int, config: RolloutConfig, instrument: Path | None
    ) -> None:
        generators, facts, _ = _load_run(run_dir, samples, config)
        told.append(facts)
        for generate in generators:
            generate(None, 0)  # type: ignore[arg-type]

    monkeypatch.setattr("trainer.probe.run.probe", stand_in)
    words = ["probe", str(tmp_path), "--data", "d", "--out", "o", "--samples", "2", "--seed", "5"]
    assert remind.main([*words, "--window", "8", "--sink", "1", "--steps", "3"]) == 0
    assert [config.seed for config in seen] == [5, 6]
    assert {(c.steps, c.cache.window, c.cache.sink, c.cache.slots) for c in seen} == {(3, 8, 1, 9)}
    assert told[0]["rollout"] == "3 steps a frame, sink 1, window 8, 2 sample(s) a clip, seeds from 5"
    assert remind.main(words) == 0 and seen[-1] == RolloutConfig(seed=6), "by default everything is remembered"
