"""Laws as MathML, the page, and strips by a renderer without Blender."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from event_library.registry import EVENT_TYPES
from event_library.taxonomy import facts, families, type_ids
from render_jobs import gallery, strips
from render_jobs.typeset import law_html
from scenes.showing import built_interruptions, showing_plan
from scenes.spec import KINDS
from simulator.strips import NAMES, Strip, produce_strip
from tests.simulator.support import SketchRenderer, tank_plan


def words(html: str) -> str:
    return re.sub(r"\s+", "", "".join(ElementTree.fromstring(f"<p>{html}</p>").itertext()))


@pytest.mark.parametrize("type_id", [name for family in families() for name in type_ids(family)])
def test_every_law_is_well_formed(type_id):
    html = law_html(facts(type_id).law)
    assert words(html)
    assert html.count("<math>") == html.count("</math>")


def test_formulas_are_set_and_words_stay_words():
    html = law_html("h(t)=min(h0+Q*t/(pi*R^2), H); tap shuts at H")
    assert "<mfrac>" in html and "<msub><mi>h</mi><mn>0</mn></msub>" in html and "π" in html
    assert html.endswith("</math>; tap shuts at H")
    assert law_html("a drop of x < y & more").count("&amp;") == 1
    assert law_html("nothing to set here") == "nothing to set here"
    assert "<msqrt>" in law_html("the pair (0..n-1) turns at t1=sqrt(2g)")  # a false start hides nothing behind it


def test_a_page_groups_by_family_and_escapes():
    page = gallery._page(list(EVENT_TYPES.values()), 128)
    assert [name for name in EVENT_TYPES if f'<article id="{name}"' not in page] == []
    assert page.count("<article") == len(EVENT_TYPES) and "<section>" in page and 'id="search"' in page


def test_plans_to_show_a_type_differ_by_index_and_go_through_its_interruptions():
    plans = [showing_plan("tank_filling", index, 64) for index in range(2)]
    assert plans[0].events[0].params != plans[1].events[0].params
    assert len({plan.interruptions[0].kind for plan in plans}) == 2
    assert plans[0] == showing_plan("tank_filling", 0, 64)
    assert set(built_interruptions()) == set(KINDS)


def test_a_strip_survives_its_files(tmp_path):
    produce_strip(tank_plan(), tmp_path, SketchRenderer, lambda done, total: None)
    strip = Strip.read(tmp_path)
    assert strip.pictures.shape == (len(NAMES), 64, 64, 3) and strip.plan == tank_plan()
    assert (strip.pictures[3] != strip.pictures[5]).any()  # seen again, and had it paused
    assert strip.mean_change > 8 and {r.name for r in strip.readings} == {"level"}
    assert all(r.holds for r in strip.readings)


DYING = 'import sys; print(\'{"kind": "ready"}\', flush=True); sys.stdin.readline(); sys.exit(3)'


def test_a_worker_that_dies_costs_its_own_strip(monkeypatch):
    monkeypatch.setattr(strips, "blender_command", lambda threads: [sys.executable, "-c", DYING])
    outcomes = dict(strips.run_strips({"a": tank_plan(), "b": tank_plan(name="other")}, num_workers=1))
    assert set(outcomes) == {"a", "b"}
    assert all("left with exit status 3" in reason for reason in outcomes.values())


def test_workers_that_never_come_up_are_given_up(monkeypatch):
    monkeypatch.setattr(strips, "blender_command", lambda threads: [sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(ChildProcessError, match="no Blender worker comes up"):
        list(strips.run_strips({"a": tank_plan()}, num_workers=1))


def test_the_gallery_names_what_it_could_not_show(monkeypatch, tmp_path):
    picture = np.zeros((len(NAMES), 16, 16, 3), dtype=np.uint8)
    good = Strip(tank_plan(), picture, 10.0, 0.5, ())
    ends = [("tank_filling", good), ("tower_of_hanoi", "went wrong")]
    monkeypatch.setattr(gallery, "run_strips", lambda plans, num_workers: ends)
    page, failed = gallery.write_gallery(tmp_path, ["tank_filling", "tower_of_hanoi"], size_px=16)
    assert failed == ["tower_of_hanoi: went wrong"]
    assert "tank_filling.png" in page.read_text() and "tower_of_hanoi.png" not in page.read_text()
