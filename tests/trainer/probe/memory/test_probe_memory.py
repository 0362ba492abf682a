"""Decoding with its controls on planted memories, and the whole probe to page and file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

import remind
from trainer.probe.memory import causal
from trainer.probe.memory.decoding import CONTROL, PRIOR, SHARED, SHUFFLED, decode, targets_of
from trainer.probe.memory.drawings import heat_map
from trainer.probe.memory.groups import Group, group_windows
from trainer.probe.memory.hidden import HiddenWindow
from trainer.probe.memory.page import row_of, sentences, write_page
from trainer.probe.memory.result import CacheProbeResult, Settings
from trainer.probe.memory.run import probe_memory, time_bins, untrained

NUM_SCENES, NUM_LAYERS, WIDTH = 24, 2, 8


class FakeClip:
    """As much of a clip as a group asks for: a level that rises at its own rate, from its own state when last seen."""

    fps = 4.0

    def __init__(self, number: int, event_type: str = "bar", trivial: bool = False) -> None:
        rng = np.random.default_rng([number, len(event_type)])
        self.last, self.rate = rng.uniform(0, 1), 0.5 if trivial else rng.uniform(0.1, 1.0)
        self.scene_id, self.clip_id = f"{event_type}-{number}", f"{event_type}-{number}"
        self.manifest = {"event_types": {"thing": event_type}}
        meta = {"unit": "m", "domain": "scalar", "tolerance": 0.01, "min_delta": 0.02, "cycle": None, "flags": []}
        self.variables = {"thing": {"level": meta}}

    def series(self, _event: str, _variable: str) -> np.ndarray:
        return self.last + self.rate * (np.arange(20) - 7) / self.fps


class FakeWindow:
    target, t_h, t_r = "thing", 7, 16


def window(number: int, **kind: object) -> HiddenWindow:
    """A memory of noise; in the trained keys of layer 1 also the change since last seen and all that it is made of."""
    clip, frames = FakeClip(number, **kind), np.array([9, 11, 13, 15])  # type: ignore[arg-type]
    rng = np.random.default_rng([7, number])
    memory = {
        name: rng.normal(size=(NUM_LAYERS, 3, 2, 4, WIDTH)).astype(np.float32) for name in ("trained", "untrained")
    }
    elapsed = (frames - 7) / clip.fps
    for column, planted in enumerate((3 * clip.rate * elapsed, 3 * clip.rate, elapsed, 2 * clip.last)):
        memory["trained"][1, 0, :, :, column] = planted + 0.02 * rng.normal(size=4)
    return HiddenWindow(
        clip=clip,  # type: ignore[arg-type]
        window=FakeWindow(),  # type: ignore[arg-type]
        frames=frames,
        memory=memory,
        picture=rng.normal(size=(4, 12)),
        last_picture=np.append(np.full(3, clip.last), rng.normal(size=9)),
    )


@pytest.fixture(scope="module")
def planted() -> Group:
    (group,) = group_windows([window(n) for n in range(NUM_SCENES)])
    return group


def test_a_planted_memory_is_found_where_it_is_and_controls_find_nothing(planted):
    found = decode(planted, (0.0, 1.0, 2.0), budget=WIDTH, repeats=2)
    assert found.num_scenes == NUM_SCENES and found.num_rows == 4 * NUM_SCENES
    state, rate, beyond = found.targets
    assert beyond.chosen[0][0] in ("keys over the frame, layer 1", "keys over the object, layer 1")
    for target in (rate, beyond):
        assert row_of(target, "memory").r2.mean > 0.8
        for name in ("untrained model", "pixels of the same frame", "pixels of the last frame seen"):
            row = row_of(target, name)
            assert row.r2.mean < 0.2 and row.less.low > 0.5 and row.p_holm < 0.01
        assert row_of(target, SHUFFLED).r2.mean < 0.1 and row_of(target, CONTROL).r2.mean < 0.1
        assert row_of(target, "values alone").r2.mean < 0.2
    assert row_of(state, "pixels of the last frame seen").r2.mean > 0.1 > row_of(rate, PRIOR).r2.mean
    assert 0.4 < beyond.explained < 0.9
    assert row_of(beyond, SHARED).r2.mean < 0.3, "two numbers of a scene are too few to know it by heart"
    layers = {(s.model, s.source, s.area, s.layer): s for s in beyond.sites}
    assert layers["trained", "keys", "object", 1].p_holm < 0.01 < layers["trained", "keys", "object", 0].p_holm
    assert all(r2 > 0.7 for r2 in layers["trained", "keys", "object", 1].by_time)


def test_where_last_state_and_time_say_all_nothing_is_left(planted):
    (group,) = group_windows([window(n, trivial=True) for n in range(8)])
    state, rate, beyond = decode(group, (0.0, 1.0, 2.0), budget=WIDTH, repeats=1).targets
    assert row_of(state, PRIOR).r2.mean == pytest.approx(1.0)
    assert rate.rows == beyond.rows == () and beyond.explained == 1.0


def test_labels_of_other_scenes_come_from_the_same_hidden_time(planted):
    rows = planted.shuffled(np.random.default_rng(0))
    scenes = np.array(planted.scenes)
    assert (scenes[rows] != scenes).all() and len(set(rows.tolist())) == len(rows)
    assert np.array_equal(planted.labels.elapsed_N[rows], planted.labels.elapsed_N)


def test_all_types_together_count_in_standard_deviations():
    windows = [window(n, event_type=name) for name in ("bar", "tank") for n in range(4)] + [
        window(9, event_type="rare")
    ]
    groups = group_windows(windows)
    assert [g.event_type for g in groups] == ["bar", "tank", "all types"]
    for part in (slice(0, 16), slice(16, 32)):
        assert groups[2].labels.state_NO[part].mean() == pytest.approx(0.0, abs=1e-9)
        assert groups[2].labels.state_NO[part].std() == pytest.approx(1.0)
    trivial = [window(n, event_type=name, trivial=True) for name in ("bar", "tank") for n in range(4)]
    labels = group_windows(trivial)[2].labels
    rows = np.arange(len(labels.rate_N))
    left = targets_of(labels)["beyond"].split(rows, rows)[0]
    assert np.abs(left).max() < 1e-9, "what is usual is regressed out for each type by itself"
    assert time_bins(windows) == (0.0, 0.5, 1.0, 1.5, 2.0)


# ---- from clips to page and file


@pytest.fixture(scope="module")
def probed(models, clips) -> Iterator[CacheProbeResult]:
    """With fewer causal tests than there are, to be quick."""
    settings = Settings(free=False, causal=2, budget=8, repeats=2, seed=0, steps=1)
    facts = {"directory": "<runs/random>", "step": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(causal, "SHIFTS", (1,))
        patch.setattr(causal, "SWAPS", {"hidden frames": ("hidden",)})
        yield probe_memory(models, clips[:3], dataset="data", facts=facts, settings=settings)


def test_a_random_model_gives_a_page_and_a_file_that_reads_back(probed, tmp_path):
    group = probed.groups[0]
    assert group.variable == "level_m" and group.num_scenes == 3 and group.num_rows == 9
    assert {t.name for t in group.targets} == {"state", "rate", "beyond"} and all(t.rows for t in group.targets)
    assert [len(probed.causal.shifts), len(probed.causal.ablations), len(probed.causal.swaps)] == [2, 6, 2]
    probed.write(tmp_path / "cache.json")
    assert CacheProbeResult.read(tmp_path / "cache.json") == probed
    data = json.loads((tmp_path / "cache.json").read_text())
    (tmp_path / "old.json").write_text(json.dumps({**data, "schema_version": 0}))
    with pytest.raises(ValueError, match=r"old.json: not a cache probe's result"):
        CacheProbeResult.read(tmp_path / "old.json")
    write_page(tmp_path / "cache.html", probed)
    page = (tmp_path / "cache.html").read_text()
    assert "<script" not in page and not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert "dealt out to folds\n2 times" in page and all(r.fold_sd is not None for r in group.targets[0].rows[:3])
    assert "&lt;runs/random&gt;" in page and "Decodable does not mean used" in page
    assert page.count('class="heat"') == sum(9 for g in probed.groups for t in g.targets if t.rows)


def test_sentences_do_not_praise_a_random_model(probed):
    text = " ".join(sentences(probed))
    assert "Held:" not in text and ("Not found:" in text or "Not shown:" in text)
    no_test = " ".join(sentences(replace(probed, causal=None)))
    assert "no causal test was made" in no_test


def test_an_untrained_model_is_another_draw_of_the_same(models):
    other = untrained(models["trained"]).model
    mine = models["trained"].model
    pairs = list(zip(mine.parameters(), other.parameters(), strict=True))
    assert all(a.shape == b.shape for a, b in pairs)
    assert any(not np.array_equal(a, b) for a, b in pairs)


def test_clips_of_the_training_are_left_out(models, clips):
    settings = Settings(free=False, causal=0, budget=8, repeats=1, seed=0, steps=1)
    with pytest.raises(ValueError, match="kept apart"):
        probe_memory(
            models, clips, dataset="d", facts={}, settings=settings, known=frozenset(c.scene_id for c in clips)
        )
    with pytest.raises(ValueError, match="3 scenes of one event type"):
        probe_memory(models, clips[:2], dataset="d", facts={}, settings=settings)


def test_the_command_names_what_is_wrong(tmp_path, capsys):
    assert remind.main(["probe-cache", str(tmp_path / "no"), "--data", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "no: no such run folder" in capsys.readouterr().err
    none = ["--repeats", "0"]
    assert remind.main(["probe-cache", str(tmp_path), "--data", str(tmp_path), "--out", str(tmp_path), *none]) == 2
    assert "repeats: 0 fold assignments; give at least 1" in capsys.readouterr().err


def test_heat_maps_show_figures_and_gaps():
    svg = heat_map([[0.5, None], [-0.2, -3.0]], (0.0, 0.5, 1.0), "<title>")
    assert "&lt;title&gt;" in svg and ">0.50<" in svg and ">–<" in svg and "&lt; −1" in svg
    assert svg.count("<rect") == 4 and "hidden for, s" in svg
