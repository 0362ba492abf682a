"""Triggers, contacts and phase changes against times that can be written down."""

import dataclasses

import numpy as np
import pytest

from event_library import rigid
from event_library.base import state
from simulator.event_log import MAX_ENTRIES, event_log, phase_changes
from simulator.stage import Stage
from simulator.visibility import Visibility
from tests.simulator.support import tank_plan

_VARIABLE = state("count", "count", 0.0)


class _Steps:
    """A law of whole numbers that step at known times; `busy` changes far more often than is kept."""

    variables = (
        dataclasses.replace(_VARIABLE, name="count", domain="count"),
        dataclasses.replace(_VARIABLE, name="busy", domain="discrete"),
        dataclasses.replace(_VARIABLE, name="share", domain="count"),
    )
    at_s = np.array([0.3, 0.301, 1.7654321, 3.9])

    def states(self, t_s):
        count = np.searchsorted(self.at_s, t_s, side="right").astype(float)
        return {"count": count, "busy": np.floor(t_s * 100) % 2, "share": t_s * 0.7}


def test_changes_are_located_to_a_microsecond_two_of_them_between_two_looks_too():
    changes = phase_changes(_Steps(), 0.0, 5.0, 1 / 32)
    counts = [(name, t) for name, t in changes if name.startswith("count")]
    assert [name for name, _ in counts] == ["count: 0 -> 1", "count: 1 -> 2", "count: 2 -> 3", "count: 3 -> 4"]
    np.testing.assert_allclose([t for _, t in counts], _Steps.at_s, atol=1.1e-6)
    assert all(t >= at for (_, t), at in zip(counts, _Steps.at_s, strict=True))


def test_no_variable_fills_the_log_and_fractions_are_no_phases():
    changes = phase_changes(_Steps(), 0.0, 20.0, 0.004)
    assert sum(name.startswith("busy") for name, _ in changes) == MAX_ENTRIES
    assert not any(name.startswith("share") for name, _ in changes)


def test_a_pair_that_trembles_touches_once_and_sleepers_that_touch_from_the_start_never():
    moments = [(0.0, (0, -1)), (0.1, (0, 1)), (0.12, (0, 1)), (0.16, (0, 1)), (0.3, (0, 1)), (0.5, (2, -1))]
    found = rigid.onsets(moments, held=[(0, -1), (2, -1)])
    assert [(c.tau_s, c.body, c.other) for c in found] == [(0.1, 0, 1), (0.3, 0, 1)]


def test_a_dropped_ball_touches_the_ground_when_it_should():
    model = rigid.world([rigid.free_ball(0.05, (0, 0, 0.55), 0.2)], friction=0.5)
    first = rigid.run(model, np.zeros(model.nv), 250).contacts[0]
    assert first.other is None and first.tau_s == pytest.approx(np.sqrt(2 * 0.5 / 9.81), abs=2 * rigid.STEP_S)


def test_the_log_of_a_clip_is_in_order_and_says_what_was_hidden():
    plan, hidden = tank_plan(), (np.arange(48) > 15) & (np.arange(48) < 33)
    visibility = {"glass": Visibility("glass", np.zeros(48, dtype=np.int64), np.ones(48), hidden, (None,) * 48)}
    dominoes = dataclasses.replace(plan.events[0], type="domino_chain", params={})
    stage = Stage.from_plan(dataclasses.replace(plan, events=(dominoes,)))
    log = event_log(stage, visibility)
    assert {entry["kind"] for entry in log} == {"contact", "phase"}  # the last domino starts after the clip
    assert [e["t_s"] for e in log] == sorted(e["t_s"] for e in log) and log[-1]["t_s"] < 6.0
    assert all(e["frame"] == int(e["t_s"] * 8 + 1e-9) and e["hidden"] == hidden[e["frame"]] for e in log)
    fallen = [e for e in log if e["kind"] == "phase"]
    assert fallen[0]["name"] == "fallen: 0 -> 1"
    law = stage.events["glass"]
    before, after = law.states(np.array([fallen[0]["t_s"] - 2e-6, fallen[0]["t_s"]]))["fallen"]
    assert (before, after) == (0, 1)
    touches = [e for e in log if e["name"].startswith("body 3 touches body 4")]
    assert touches and touches[0]["t_s"] < next(e["t_s"] for e in log if e["name"].startswith("body 4 touches body 5"))
