"""Hidden windows from rays, causes, and plans that do not keep their promise."""

import dataclasses

import numpy as np
import pytest

from simulator.rays import RayCaster
from simulator.stage import Stage
from simulator.timeline import event_times_s, paused_times_s, sweep_times_s
from simulator.visibility import hidden_windows, see
from tests.simulator.support import tank_plan


def _windows(plan):
    stage = Stage.from_plan(plan)
    _, visibility = see(stage, RayCaster(stage))
    return hidden_windows(plan, visibility), visibility["glass"]


@pytest.mark.parametrize(("kind", "cause"), [("look_away", "out_of_view"), ("lights_off", "dark")])
def test_window_is_where_the_plan_says(kind, cause):
    (window,), seen = _windows(tank_plan(kind))
    assert window.hidden_frames == tuple(range(16, 33))  # 2 s to 4 s at 8 fps, both ends
    assert 12 <= window.t_h < 16 and 32 < window.t_r <= 36
    assert (seen.visible_px[list(window.hidden_frames)] == 0).all()
    assert {seen.hidden_by[f] for f in window.hidden_frames} == {cause}
    assert seen.hidden_by[0] is None and seen.visible_fraction[0] >= 0.9


def test_a_target_that_stays_in_the_picture_is_refused():
    with pytest.raises(ValueError, match="carrier pixels are seen at hidden frame"):
        _windows(tank_plan(turn_rad=0.2))


def test_a_window_without_a_frame_is_refused():
    plan = tank_plan()
    short = dataclasses.replace(plan.interruptions[0], out_s=1.9, hidden_from_s=2.01, hidden_to_s=2.02, back_s=2.1)
    with pytest.raises(ValueError, match="no frame lies inside"):
        _windows(dataclasses.replace(plan, interruptions=(short,)))


def test_paused_clock_stands_still_and_runs_on():
    plan = tank_plan()
    windows, _ = _windows(plan)
    truth, paused = event_times_s(plan)["glass"], paused_times_s(plan, windows)["glass"]
    t_h, t_r = windows[0].t_h, windows[0].t_r
    np.testing.assert_array_equal(paused[: t_h + 1], truth[: t_h + 1])
    np.testing.assert_array_equal(paused[t_h : t_r + 1], truth[t_h])
    np.testing.assert_allclose(np.diff(paused[t_r:]), 1 / plan.clip.fps)


def test_sweep_runs_from_minus_one_to_two_and_a_half_hidden_spans_and_never_before_the_start():
    plan = tank_plan()
    (window,), _ = _windows(plan)
    span_s, t_h_s = (window.t_r - window.t_h) / 8, window.t_h / 8
    times = sweep_times_s(plan, window, 16)
    assert times[0] >= 0 and times[0] < t_h_s - span_s + span_s / 16 + max(0.0, span_s - t_h_s)
    assert times[-1] == pytest.approx(t_h_s + 2.5 * span_s)
    late = dataclasses.replace(plan, events=(dataclasses.replace(plan.events[0], start_s=1.0),))
    assert sweep_times_s(late, window, 16)[0] >= 0
