from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.trainer.probe.made_results import RATES, UNREAD, probed
from trainer.experiment.curves import Curve, curves
from trainer.experiment.page import sentences, write_experiment_page
from trainer.experiment.results import Results, pooled, read_results, table
from trainer.probe.compare import recoveries
from trainer.probe.result import PROBE, ProbeResult
from trainer.probe.strips import strip_file
from trainer.strips import GAP_PX, TILE_PX

ARMS = {"right": (0, 1), "slow": (0,), "still to come": (0,)}


def alone(result: ProbeResult, sample: int) -> ProbeResult:
    """One of the samples (of speed 1, 0.5, 0.75) as a probe of its own."""
    scores = (dataclasses.replace(s, sample=0) for s in result.model if s.sample == sample)
    return dataclasses.replace(result, model=tuple(scores))


@pytest.fixture
def out(sampled: ProbeResult, tmp_path: Path) -> Path:
    """An experiment's folder: an arm with two seeds, one with one, one without."""
    for run, sample in (("right-0", 0), ("right-1", 2), ("slow-0", 1)):
        folder = tmp_path / "probes" / run / "split"
        folder.mkdir(parents=True)
        alone(sampled, sample).write(folder / PROBE)
        (tmp_path / "runs" / run).mkdir(parents=True)
        lines = [{"step": step, "loss": 1.0 / step} for step in (10, 20)]
        text = "".join(json.dumps(line) + "\n" for line in lines) + '{"st'
        (tmp_path / "runs" / run / "metrics.jsonl").write_text(text)
    return tmp_path


def test_seeds_are_pooled_as_samples(out: Path) -> None:
    results = read_results(out, ARMS, ["split"])
    right, slow = results.on("split")
    assert list(right.recovery_by_seed.values()) == pytest.approx([1.0, 0.75], abs=0.1)
    assert right.row.recovery.mean == pytest.approx(0.875, abs=0.1)
    assert right.row.recovery.mean == pytest.approx(sum(recoveries(right.pooled).values()) / 2), "a window is a window"
    assert slow.row.recovery.mean == pytest.approx(0.5, abs=0.1)
    (difference,) = results.differences("split")
    assert difference.estimate.mean == pytest.approx(0.375, abs=0.1) and difference.estimate.num_values == 2
    assert [line.split(" |")[0] for line in table(results, "split").splitlines()[2:]][:3] == [
        "| right",
        "| slow",
        "| paused picture, read as a model's",
    ]


def test_an_arm_is_held_against_a_baseline_window_by_window(tmp_path: Path) -> None:
    """Ten windows between which recovery varies by far more than arm and baseline differ."""
    base = probed({"tank": [1.0 + n / 10 for n in range(10)]}, lambda rate, usual: rate)
    prior = [0.9 - 0.08 * n for n in range(10)]
    clips = tuple(
        dataclasses.replace(clip, baselines={"prior only": ratio}, paused_as_model=UNREAD)
        for clip, ratio in zip(base.clips, prior, strict=True)
    )
    known = {clip.key: ratio for clip, ratio in zip(clips, prior, strict=True)}
    shifts = {"above-0": 0.05, "below-0": -0.05, "above-1": 0.07, "below-1": -0.01, "even-0": 0.0, "even-1": 0.0}
    for run, shift in shifts.items():
        scores = [
            dataclasses.replace(score, recovery=known[score.key] + (shift or 0.05 * (-1) ** number))
            for number, score in enumerate(base.model[::2])
        ]
        folder = tmp_path / "probes" / run / "split"
        folder.mkdir(parents=True)
        dataclasses.replace(base, clips=clips, model=tuple(scores)).write(folder / PROBE)
    results = read_results(tmp_path, {"above": (0, 1), "below": (0, 1), "even": (0, 1)}, ["split"])
    told = {d.first: d for d in results.against_baselines("split")["prior only"]}
    assert told["above"].estimate.mean == pytest.approx(0.06) and told["above"].p_holm < 0.05
    (line,) = sentences(results)
    assert "Against prior only (0.54), window by window: above above (0.06 [0.06, 0.06])" in line
    assert "below below (-0.03 [-0.03, -0.03]), even not decided" in line
    assert "above - below 0.09 [0.09, 0.09] (p 0.0" in line and "by seed +0.10, +0.08" in line
    assert results.by_seed("split", "above", "below") == pytest.approx([0.1, 0.08])


def test_pairs_of_all_splits_are_one_family(out: Path) -> None:
    shutil.copytree(out / "probes" / "right-0" / "split", out / "probes" / "right-0" / "again")
    shutil.copytree(out / "probes" / "slow-0" / "split", out / "probes" / "slow-0" / "again")
    results = read_results(out, ARMS, ["split", "again"])
    (one,), (other,) = results.differences("split"), results.differences("again")
    assert one.p_value == other.p_value < 1.0
    assert one.p_holm == other.p_holm == min(1.0, 2 * one.p_value)


def test_seeds_must_share_their_clips(sampled: ProbeResult) -> None:
    other = dataclasses.replace(alone(sampled, 1), clips=sampled.clips[:1])
    with pytest.raises(ValueError, match="seed 1 was probed on other clips"):
        pooled({0: alone(sampled, 0), 1: other})


def test_the_page_stands_alone_and_says_what_is_missing(out: Path) -> None:
    results = read_results(out, ARMS, ["split"])
    page = write_experiment_page(out / "report", "<b>bold", results, "name: <script>", ["$ remind"]).read_text()
    assert "&lt;b&gt;bold" in page and "name: &lt;script&gt;" in page and "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "split: recovery right 0." in page and "1 probes are still to come" in page
    assert page.count("<polyline") == 3, "a loss curve for each run that has one"
    figures = json.loads((out / "report" / "results.json").read_text())["split"]
    assert figures["arms"]["right"]["habit"] == [], "two scenes are too few"
    assert figures["arms"]["slow"]["recovery_by_seed"]["0"] == pytest.approx(0.5, abs=0.1)
    assert "| right |" in (out / "report" / "results.md").read_text()


def test_nothing_found_is_a_page_too(tmp_path: Path) -> None:
    results = read_results(tmp_path, ARMS, ["split"])
    assert sentences(results) == ["4 probes are still to come; this page is rewritten after each run."]
    page = write_experiment_page(tmp_path / "report", "none", results, "", [])
    assert "Nothing has been probed" not in page.read_text(), "what is to come is said instead"
    assert sentences(Results(tmp_path, {}, [], [])) == []


def test_curves_lie_inside_their_axes() -> None:
    drawn = curves([Curve("a & b", [(0, 1.0), (10, 0.5)]), Curve("flat", [(0, 0.7), (10, 0.7)])], "loss")
    assert "a &amp; b" in drawn
    first = drawn.split('points="')[1].split('"')[0]
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in first.split())
    assert x0 < x1 and y0 < y1, "to the right, and down where values fall"


def test_every_window_has_its_strip_and_the_page_shows_it(remembered: tuple[ProbeResult, Path], tmp_path: Path) -> None:
    result, probed = remembered
    assert {path.name for path in (probed / "strips").iterdir()} == {strip_file(clip) for clip in result.clips}
    folder = tmp_path / "probes" / "one-0" / "split"
    shutil.copytree(probed / "strips", folder / "strips")
    result.write(folder / PROBE)
    page = write_experiment_page(tmp_path / "report", "one", read_results(tmp_path, {"one": [0]}, ["split"]), "", [])
    assert page.read_text().count("<img") == len(result.clips) == 3, "the best two, and of the worst two the other"
    first = Image.open(probed / "strips" / strip_file(result.clips[0]))
    made = np.asarray(first)[16 + 2 * (TILE_PX + GAP_PX) :]
    assert (made == [22, 128, 60]).all(-1).any(), "generated pictures have green frames, and stand in the last row"
    assert not (np.asarray(first)[: 16 + 2 * (TILE_PX + GAP_PX)] == [22, 128, 60]).all(-1).any()


def test_habit_and_memory_of_each_arm(tmp_path: Path) -> None:
    right, slow = probed(RATES, lambda rate, usual: rate), probed(RATES, lambda rate, usual: usual)
    for run, result in (("right-0", right), ("slow-0", slow)):
        folder = tmp_path / "probes" / run / "split"
        folder.mkdir(parents=True)
        result.write(folder / PROBE)
    results = read_results(tmp_path, {"right": (0,), "slow": (0,)}, ["split"])
    assert "right 1.00 [1.00, 1.00], slow 0.00 [0.00, 0.00]" in sentences(results)[0]
    page = write_experiment_page(tmp_path / "report", "two", results, "", []).read_text()
    assert page.count("<td>all types</td>") == 2 and "Habit or memory" in page
    text = (tmp_path / "report" / "results.md").read_text()
    assert "| slow | tank | 1.00 [1.00, 1.00] | 0.00 [0.00, 0.00] | 12 of 12 |" in text
