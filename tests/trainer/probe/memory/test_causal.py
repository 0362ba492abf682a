"""The causal tests on stand-ins of known behaviour, and on a random model that they must really change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from tests.trainer.probe.drawing import T_H_S, T_R_S, draw, rendered
from tests.trainer.probe.memory.conftest import SPEEDS
from trainer.data.clips import read_clip
from trainer.graph.nodes import Role
from trainer.probe.corruptions import soft
from trainer.probe.memory import causal
from trainer.probe.memory.causal import (
    ablated_returns,
    ablation_effects,
    other_rate,
    shift_effects,
    shifted_returns,
    swap_effects,
    swapped_returns,
)
from trainer.probe.memory.changes import Change, RolloutReturns, can_be_asked, changed_graph, matched, node_parts
from trainer.probe.readout import measure
from trainer.probe.subject import Subject
from trainer.rollout import RolloutConfig, rollout_graph
from trainer.rollout.plan import rollout_layout

STEP_S = 0.5


@dataclass(frozen=True)
class Painter:
    """Paints the state that it is said to remember: a stand-in for a model.

    clock: how far the event goes for each second that the return is moved. trusts_cache: it takes the rate from the
    nodes that are swapped. needs: without this part its event stands still.
    """

    clock: float = 1.0
    trusts_cache: bool = False
    needs: str = ""

    def step_s(self, subject: Subject) -> float:
        return STEP_S

    def picture(self, subject: Subject, change: Change) -> np.ndarray:
        source = change.donor if self.trusts_cache and change.donor is not None else subject
        speeds = [SPEEDS[int(s.scene_id[-1]) - 1] for s in (subject, source)]
        hidden_s = T_R_S - T_H_S + self.clock * change.shift * STEP_S
        if self.needs in change.absent:
            hidden_s = 0.0
        level_s = speeds[0] * T_H_S + speeds[1] * hidden_s
        return rendered(draw("glass", level_s, int(subject.scene_id[-1]))[0], 0.012, 7)


def effects(rows):
    return {effect.name: effect for effect in rows}


def start(subject, painter):
    return measure(subject.sweep, painter.picture(subject, Change()))


def shifts(subjects, painter):
    return [r for s in subjects for r in shifted_returns(s, start(s, painter), painter)]


def test_a_painter_that_follows_its_time_index_has_slope_one(subjects):
    rows = shifts(subjects[1:], Painter())
    found = effects(shift_effects(rows))
    for name in ("time, both ways", "time, later", "time, sooner", "state, both ways"):
        assert found[name].estimate.mean == pytest.approx(1.0, abs=0.04), name
    assert found["time, both ways"].readable == found["time, both ways"].asked == 4 * 3
    moved = [r for r in rows if r.shift_s == 1.0]
    assert [r.moved_s for r in moved] == pytest.approx([1.0] * 3, abs=0.1)
    assert [r.state_expected for r in moved] == pytest.approx([0.5] * 3, abs=0.02)


@pytest.mark.parametrize("clock", [0.0, 0.5])
def test_one_that_does_not_look_at_it_has_slope_zero_and_a_slow_one_half(subjects, clock):
    slope = effects(shift_effects(shifts(subjects[3:], Painter(clock=clock))))["time, both ways"].estimate
    assert slope.mean == pytest.approx(clock, abs=0.04)


@pytest.mark.parametrize("trusts", [True, False])
def test_swapped_caches_are_followed_or_not(subjects, trusts, monkeypatch):
    monkeypatch.setattr(causal, "SWAPS", {"hidden frames": ("hidden",)})
    assert other_rate(subjects[0], subjects) is subjects[3] and other_rate(subjects[3], subjects) is subjects[0]
    painter, pairs = Painter(trusts_cache=trusts), ((0, 3), (3, 0))
    rows = [r for a, b in pairs for r in swaps(subjects[a], subjects[b], painter)]
    found = effects(swap_effects(rows))
    assert found["hidden frames: to the other's change"].estimate.mean == pytest.approx(float(trusts), abs=0.05)
    assert found["hidden frames: share drawn as the other clip"].estimate.mean == 0.0
    assert found["nothing: share drawn as the other clip"].estimate.mean == 0.0


def test_with_nothing_swapped_nothing_has_moved(subjects, monkeypatch):
    """Soft pictures may fit the other clip's sweep better: they are read so with and without the swap."""
    monkeypatch.setattr(causal, "SWAPS", {"nothing": ()})

    class Soft(Painter):
        def picture(self, subject, change):
            return soft(super().picture(subject, Change()), 1.5, 0.06, subject.t_r)

    painter = Soft()
    rows = [r for a, b in ((0, 3), (3, 0), (1, 2), (2, 1)) for r in swaps(subjects[a], subjects[b], painter)]
    assert any(row.moved is not None for row in rows)
    assert all(row.moved in (None, 0.0) and row.read_as_other == row.intact_as_other for row in rows)


def swaps(subject, donor, painter):
    return swapped_returns(subject, donor, painter.picture(subject, Change()), painter)


def test_an_ablation_that_stops_the_event_shows(subjects):
    painter = Painter(needs="hidden")
    rows = [r for s in subjects[2:] for r in ablated_returns(s, start(s, painter), painter)]
    found = effects(ablation_effects(rows))
    assert found["whole memory: clock ratio"].estimate.mean == pytest.approx(1.0, abs=0.03)
    assert found["hidden frames, never written: clock ratio, change"].estimate.mean == pytest.approx(-1, abs=0.05)
    assert found["hidden frames, never written: recovery, change"].estimate.mean == pytest.approx(-1, abs=0.05)
    assert found["frames seen but the last, never written: recovery, change"].estimate.mean == 0.0


# ---- what is done to a real rollout


def test_parts_and_changes_of_a_graph(models, subjects):
    trained = models["trained"]
    record = read_clip(subjects[0].clip, 4)
    graph = rollout_graph(record, trained)
    parts = node_parts(graph, rollout_layout(record, trained), record, subjects[0])
    assert record.frames[:9].tolist() == [0, 4, 8, 12, 16, 20, 24, 28, 32]
    assert parts == {"earlier": [0, 1, 2, 3], "last": [4], "hidden": [5, 6, 7]}

    def present(change):
        changed = changed_graph(graph, parts, change)
        return [(i, changed.nodes[i].time) for i in changed.present()]

    assert present(Change()) == [(i, float(i)) for i in range(12)]
    assert present(Change(shift=2)) == [(i, i + 2.0 * (i >= 8)) for i in range(12)]
    assert present(Change(shift=-2)) == [(i, i - 2.0 * (i >= 8)) for i in (0, 1, 2, 3, 4, 5, 8, 9, 10, 11)]
    assert [i for i, _ in present(Change(absent=("earlier",)))] == list(range(4, 12))
    forgotten = changed_graph(graph, parts, Change(forgotten=("earlier",)))
    assert all(forgotten.nodes[i].role is Role.FRONTIER for i in parts["earlier"]), "an anchor could not be forgotten"
    assert matched(parts, parts | {"hidden": [7]}, ("hidden",)) is None
    assert matched(parts | {"hidden": [5], "earlier": [3]}, parts, ("hidden", "earlier")) == [(5, 5), (3, 3)]


def test_every_change_of_a_rollout_changes_the_return(models, subjects):
    """Random weights remember nothing, but they must see every change; a clip's own nodes in their place are none."""
    returns = RolloutReturns(models["trained"], RolloutConfig(steps=1))
    mine, other = subjects[0], subjects[3]
    assert can_be_asked(mine, 4) and returns.step_s(mine) == 0.5
    intact = returns.picture(mine, Change())
    assert np.array_equal(intact, returns.picture(mine, Change(swapped=("earlier", "last", "hidden"), donor=mine)))
    changes = [
        Change(shift=1),
        Change(shift=-1),
        Change(absent=("earlier",)),
        Change(forgotten=("earlier",)),
        Change(absent=("hidden",)),
        Change(swapped=("last",), donor=other),
        Change(swapped=("earlier", "last", "hidden"), donor=other),
    ]
    made = [intact, *(returns.picture(mine, change) for change in changes)]
    assert len({picture.tobytes() for picture in made}) == len(made)
    forgotten = returns.picture(mine, Change(forgotten=("hidden",)))
    assert np.array_equal(forgotten, made[5]), "nothing but each other reads hidden frames before the return"
    theirs = returns.picture(other, Change())
    apart = [float(np.abs(made[-1].astype(float) - picture).mean()) for picture in (theirs, intact)]
    assert apart[0] < 0.05 * apart[1], "with all nodes swapped the return is the other clip's"
